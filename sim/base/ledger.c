#include "ledger.h"

static const PfAccountInfo accounts[PF_ACCOUNT_COUNT] = {
    [PF_ACCOUNT_COMPUTE] = {"compute", "Instructions at the core's base rate."},
    [PF_ACCOUNT_MEMORY] = {"memory", "Exposed waiting for caches and DRAM, and whole-page stores."},
    [PF_ACCOUNT_WALK] = {"walk", "Exposed waiting for translations: second-level hits and walks."},
    [PF_ACCOUNT_FAULT] = {"fault", "First touches of pages and of file pages."},
    [PF_ACCOUNT_BREAK] = {"break", "Write faults on shared or protected pages, copies included."},
    [PF_ACCOUNT_SHOOTDOWN] = {"shootdown", "TLB invalidations, local and remote."},
    [PF_ACCOUNT_SYSTEM] = {"system", "Fork, unmap, remap and page initialisation by the host."},
    [PF_ACCOUNT_SWAP] = {"swap", "Waiting for the swap device: pages read back, frames wanted."},
    [PF_ACCOUNT_SCAN] = {"scan", "A policy's own steps: choosing candidates, walking its lists."},
    [PF_ACCOUNT_HASH] = {"hash", "Hashing and checksumming pages for a policy."},
    [PF_ACCOUNT_LOOKUP] = {"lookup", "Searching and updating a finder's tables or CAM."},
    [PF_ACCOUNT_COMPARE] = {"compare", "Comparing the bytes of pages for a policy."},
    [PF_ACCOUNT_MERGE] = {"merge", "Protecting, remapping and freeing pages to share them."},
    [PF_ACCOUNT_LOCK] = {"lock", "A policy's waiting for its own locks, held by another core."},
};

const PfAccountInfo *pf_account_info(PfAccount account)
{
    g_assert(account < PF_ACCOUNT_COUNT);
    return &accounts[account];
}

void pf_ledger_register(const PfLedger *ledger, PfStats *stats)
{
    PfStatsGroup *cycles = pf_stats_group(stats, "cycles");
    pf_stats_counter(cycles, "total", "cycles", "Cycles charged on all cores and engines.",
                     &ledger->total_cycles);
    pf_stats_counter(cycles, "app", "cycles", "Cycles that the contexts paid.",
                     &ledger->payer_cycles[PF_PAYER_APP]);
    pf_stats_counter(cycles, "policy", "cycles", "Cycles that the policy paid.",
                     &ledger->payer_cycles[PF_PAYER_POLICY]);
    PfStatsGroup *group = pf_stats_group(stats, "cycles.account");
    for (unsigned i = 0; i < PF_ACCOUNT_COUNT; i++)
        pf_stats_counter(group, accounts[i].name, "cycles", accounts[i].description,
                         &ledger->account_cycles[i]);
    pf_stats_counter(pf_stats_group(stats, "time"), "idle_cycles", "cycles",
                     "Time in which cores of contexts had nothing to do: they slept or waited.",
                     &ledger->idle_cycles);
}

void pf_ledger_check(const PfLedger *ledger)
{
    uint64_t accounts_sum = 0;
    for (unsigned i = 0; i < PF_ACCOUNT_COUNT; i++) {
        uint64_t payers = 0;
        for (unsigned p = 0; p < PF_PAYER_COUNT; p++)
            payers += ledger->by_payer_cycles[p][i];
        g_assert(payers == ledger->account_cycles[i]);
        accounts_sum += ledger->account_cycles[i];
    }
    g_assert(accounts_sum == ledger->total_cycles);
    g_assert(ledger->payer_cycles[PF_PAYER_APP] + ledger->payer_cycles[PF_PAYER_POLICY] ==
             ledger->total_cycles);
}
