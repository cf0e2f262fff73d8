#include "tap.h"

static uint64_t pass(PfPort *port, const PfRequest *request)
{
    const PfTap *tap = (const PfTap *)(const void *)port;
    if (request->kind == PF_ACCESS_WRITE && tap->listener != NULL)
        tap->listener(tap->user, request);
    return pf_port_access(tap->next, request);
}

static uint64_t resolve(PfPort *port, uint64_t ticket)
{
    const PfTap *tap = (const PfTap *)(const void *)port;
    return pf_port_wait(tap->next, ticket);
}

void pf_tap_init(PfTap *tap, PfPort *next)
{
    static const PfPortOps ops = {.access = pass, .resolve = resolve};
    *tap = (PfTap){.port = {&ops}, .next = next};
}
