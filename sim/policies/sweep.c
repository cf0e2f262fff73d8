#include "sweep.h"

void pf_sweep_init(PfSweep *sweep, PfHost *host, const PfSweepConfig *config)
{
    *sweep = (PfSweep){.host = host, .config = *config};
    pf_host_wake_at(host, pf_sweep_next(sweep, 0));
}

bool pf_sweep_scan(PfSweep *sweep, uint64_t pages, void (*look)(void *policy, PfPage page),
                   void *policy)
{
    for (; pages > 0; pages--) {
        if (!pf_host_cursor_next(sweep->host, sweep->position, &sweep->position)) {
            sweep->position = (PfPage){0, {0}};
            pf_host_count_pass(sweep->host);
            return true;
        }
        PfPage page = sweep->position;
        sweep->position.cpn = pf_cpn_plus(page.cpn, 1);
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
