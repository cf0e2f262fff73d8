#include "numa.h"

struct PfNuma {
    PfPort port;
    const PfMachineConfig *config; /* borrowed */
    PfPort *next;                  /* borrowed */
    const PfFramePool *frames;     /* borrowed; NULL: not known yet */
    unsigned page_shift;
    uint64_t local;
    uint64_t remote;
    PfWriteBackListener listener; /* NULL: nobody wants to know */
    void *listener_user;
};

/* Lines of frames that a program waits for; other tables lie beyond them. */
static bool is_counted(const PfNuma *numa, const PfRequest *request)
{
    return request->actor == PF_ACTOR_DEMAND && request->kind != PF_ACCESS_WRITE &&
           request->core < numa->config->cores && numa->frames != NULL &&
           request->address.bytes >> numa->page_shift < numa->frames->limit;
}

static uint64_t numa_access(PfPort *port, const PfRequest *request)
{
    PfNuma *numa = (PfNuma *)(void *)port;
    if (is_counted(numa, request)) {
        PfMpn frame = {(uint32_t)(request->address.bytes >> numa->page_shift)};
        bool is_local = pf_frame_node(numa->frames, frame) ==
                        pf_machine_node_of_core(numa->config, request->core);
        numa->local += is_local;
        numa->remote += !is_local;
    }
    /* Caches write whole lines, for nothing else is stored to memory by them. */
    if (request->kind == PF_ACCESS_WRITE && numa->listener != NULL)
        numa->listener(numa->listener_user, request);
    return pf_port_access(numa->next, request);
}

static uint64_t numa_resolve(PfPort *port, uint64_t ticket)
{
    const PfNuma *numa = (const PfNuma *)(const void *)port;
    return pf_port_wait(numa->next, ticket);
}

PfNuma *pf_numa_new(const PfMachineConfig *config, PfPort *next, unsigned page_shift,
                    PfStats *stats)
{
    static const PfPortOps ops = {.access = numa_access, .resolve = numa_resolve};
    PfNuma *numa = g_new0(PfNuma, 1);
    *numa = (PfNuma){
        .port = {&ops}, .config = config, .next = next, .page_shift = page_shift};
    PfStatsGroup *group = pf_stats_group(stats, "numa");
    pf_stats_counter(group, "local", "events",
                     "Lines that contexts read from DRAM of their core's node.", &numa->local);
    pf_stats_counter(group, "remote", "events",
                     "Lines that contexts read from DRAM of another node.", &numa->remote);
    return numa;
}

void pf_numa_free(PfNuma *numa)
{
    g_free(numa);
}

void pf_numa_set_frames(PfNuma *numa, const PfFramePool *frames)
{
    numa->frames = frames;
}

void pf_numa_listen(PfNuma *numa, PfWriteBackListener listener, void *user)
{
    numa->listener = listener;
    numa->listener_user = user;
}

PfPort *pf_numa_port(PfNuma *numa)
{
    return &numa->port;
}
