#include "sweep.h"

void pf_sweep_init(PfSweep *sweep, PfHost *host, const PfSweepConfig *config)
{
    *sweep = (PfSweep){.host = host, .config = *config};
    pf_host_wake_at(host, pf_sweep_next(sweep, 0));
}

/* A page that a filter has let go, else the next in order; false at the end of the pass. */
static bool next_page(PfSweep *sweep, PfPage *ret_page)
{
    if (pf_host_next_expired(sweep->host, ret_page))
        return true;
    bool found = pf_host_cursor_next(sweep->host, sweep->position, ret_page);
    sweep->position = found ? (PfPage){ret_page->context, pf_cpn_plus(ret_page->cpn, 1)}
                            : (PfPage){0, {0}};
    return found;
}

bool pf_sweep_scan(PfSweep *sweep, uint64_t pages, void (*look)(void *policy, PfPage page),
                   void *policy)
{
    for (; pages > 0; pages--) {
        PfPage page;
        if (!next_page(sweep, &page)) {
            pf_host_count_pass(sweep->host);
            return true;
        }
        pf_host_count_scanned(sweep->host);
        if (pf_host_admits(sweep->host, page))
            look(policy, page);
    }
    return false;
}

uint64_t pf_sweep_next(const PfSweep *sweep, uint64_t now_cycles)
{
    uint64_t end = MAX(now_cycles, pf_host_now(sweep->host));
    return end + pf_host_cycles(sweep->host, sweep->config.sleep_ps);
}
