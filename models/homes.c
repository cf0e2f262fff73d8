#include "homes.h"

/* In tickets, below PF_TICKET_BIT: whose they are. */
enum { NODE_SHIFT = 57 };

static uint64_t homes_access(PfPort *port, const PfRequest *request)
{
    PfHomes *homes = (PfHomes *)(void *)port;
    unsigned node = pf_homes_node(homes, request->address, request->core);
    uint64_t answer = pf_port_access(pf_dram_port(homes->drams[node]), request);
    if (!pf_answer_is_ticket(answer))
        return answer;
    g_assert((answer & ~PF_TICKET_BIT) >> NODE_SHIFT == 0);
    return answer | (uint64_t)node << NODE_SHIFT;
}

static uint64_t homes_resolve(PfPort *port, uint64_t ticket)
{
    PfHomes *homes = (PfHomes *)(void *)port;
    uint64_t number = ticket & ~PF_TICKET_BIT;
    uint64_t own = number & (((uint64_t)1 << NODE_SHIFT) - 1);
    return pf_port_wait(pf_dram_port(homes->drams[number >> NODE_SHIFT]), own | PF_TICKET_BIT);
}

void pf_homes_init(PfHomes *homes, const PfNodes *nodes, PfDram *const *drams,
                   unsigned page_shift)
{
    static const PfPortOps ops = {.access = homes_access, .resolve = homes_resolve};
    *homes = (PfHomes){.port = {&ops}, .nodes = nodes, .page_shift = page_shift};
    for (unsigned node = 0; node < nodes->count; node++)
        homes->drams[node] = drams[node];
}

PfPort *pf_homes_port(PfHomes *homes)
{
    return homes->nodes->count == 1 ? pf_dram_port(homes->drams[0]) : &homes->port;
}

unsigned pf_homes_channels(const PfHomes *homes)
{
    return homes->nodes->count * pf_dram_channels(homes->drams[0]);
}

unsigned pf_homes_channel(const PfHomes *homes, PfMaddr address, uint16_t core)
{
    unsigned node = pf_homes_node(homes, address, core);
    return node * pf_dram_channels(homes->drams[node]) +
           pf_dram_locate(homes->drams[node], address).channel;
}
