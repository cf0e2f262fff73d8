/* The level below, for tests: remembers what it was asked and takes a fixed time. */
#pragma once

#include <glib.h>

#include "port.h"

enum { MOCK_REQUESTS_MAX = 4096 };

typedef struct {
    PfPort port; /* first */
    uint64_t latency_cycles;
    uint64_t write_latency_cycles;
    bool gives_tickets;
    uint32_t count;
    uint32_t resolved;
    PfRequest requests[MOCK_REQUESTS_MAX]; /* the first ones */
} Mock;

static inline uint64_t mock_access(PfPort *port, const PfRequest *request)
{
    Mock *mock = (Mock *)port;
    if (mock->count < MOCK_REQUESTS_MAX)
        mock->requests[mock->count] = *request;
    mock->count++;
    uint64_t latency_cycles = request->kind == PF_ACCESS_WRITE ? mock->write_latency_cycles
                                                               : mock->latency_cycles;
    uint64_t done_cycles = request->now_cycles + latency_cycles;
    return mock->gives_tickets ? done_cycles | PF_TICKET_BIT : done_cycles;
}

static inline uint64_t mock_resolve(PfPort *port, uint64_t ticket)
{
    ((Mock *)port)->resolved++;
    return ticket & ~PF_TICKET_BIT;
}

static const PfPortOps mock_ops = {.access = mock_access, .resolve = mock_resolve};

static inline Mock *mock_new(uint64_t latency_cycles)
{
    Mock *mock = g_new0(Mock, 1);
    mock->port.ops = &mock_ops;
    mock->latency_cycles = latency_cycles;
    return mock;
}
