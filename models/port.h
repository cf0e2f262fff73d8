/* The one interface between levels of the memory system.
 *
 * A level is asked "this request, issued at this time: when is it done", and answers with the
 * completion cycle, never earlier than the time of issue. A level that may still reorder the
 * request answers with a ticket instead (top bit set); `resolve` then makes it run on until that
 * request is done. Models hold no page data and know no contexts: they see machine addresses. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

typedef enum {
    PF_ACCESS_FETCH,
    PF_ACCESS_READ,
    PF_ACCESS_WRITE,
    PF_ACCESS_KINDS
} PfAccessKind;

/* On whose behalf: statistics are kept by actor, so that a policy's pollution is visible. */
typedef enum {
    PF_ACTOR_DEMAND,
    PF_ACTOR_WALKER,
    PF_ACTOR_POLICY,
    PF_ACTOR_COUNT
} PfActor;

typedef struct {
    PfMaddr address;     /* first byte; the request does not cross a line of the level asked */
    uint64_t now_cycles; /* time of issue */
    uint32_t size_bytes; /* 1 .. line of the level asked */
    uint16_t core;
    uint8_t kind;  /* PfAccessKind */
    uint8_t actor; /* PfActor */
} PfRequest;

typedef struct PfPort PfPort;

typedef struct {
    /* Mandatory. Completion cycle, or a ticket. A write may be answered when it is posted. */
    uint64_t (*access)(PfPort *port, const PfRequest *request);
    /* NULL where access never gives tickets. The completion cycle of TICKET; once for each. */
    uint64_t (*resolve)(PfPort *port, uint64_t ticket);
} PfPortOps;

/* First member of every level. */
struct PfPort {
    const PfPortOps *ops;
};

#define PF_TICKET_BIT ((uint64_t)1 << 63)

/* Whether ANSWER of pf_port_access is a ticket to be resolved rather than a time. */
static inline bool pf_answer_is_ticket(uint64_t answer)
{
    return (answer & PF_TICKET_BIT) != 0;
}

/* Sends REQUEST down: the cycle of its completion, or a ticket. */
static inline uint64_t pf_port_access(PfPort *port, const PfRequest *request)
{
    return port->ops->access(port, request);
}

/* The completion cycle that ANSWER of PORT stands for, at once or by running PORT on. */
static inline uint64_t pf_port_wait(PfPort *port, uint64_t answer)
{
    return pf_answer_is_ticket(answer) ? port->ops->resolve(port, answer) : answer;
}
