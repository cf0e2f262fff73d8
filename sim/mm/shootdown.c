#include "shootdown.h"

/* A long range is dropped with the rest of its space, as Linux does. */
static bool is_whole(const PfMmu *mmu, const PfShootdown *what)
{
    if (what->is_run)
        return what->pages == UINT64_MAX;
    return what->pages > mmu->config->flush_ceiling_pages;
}

void pf_shootdown_free(PfMmu *mmu, const PfShootdown *what)
{
    uint64_t pages = is_whole(mmu, what) ? UINT64_MAX : what->pages;
    for (unsigned i = pf_mmu_next_seeing(mmu, 0, what->space); i < mmu->core_count;
         i = pf_mmu_next_seeing(mmu, i + 1, what->space))
        pf_mmu_invalidate(mmu, i, what->space, what->first, pages);
}

/* Each core but that of INITIATOR that sees SPACE answers an interrupt; how many do. */
static unsigned interrupt(const PfMmu *mmu, PfWork *work, const PfPlace *initiator, uint32_t space)
{
    unsigned interrupted = 0;
    for (unsigned i = pf_mmu_next_seeing(mmu, 0, space); i < mmu->core_count;
         i = pf_mmu_next_seeing(mmu, i + 1, space)) {
        if (i == initiator->index)
            continue;
        uint32_t running = mmu->cores[i].space;
        PfPlace target = {.core = work->cores[i],
                          .index = (uint16_t)i,
                          .payer = PF_PAYER_APP,
                          .context = running != PF_MMU_NO_SPACE ? running : space};
        pf_work_charge(work, &target, PF_ACCOUNT_SHOOTDOWN, work->costs->flush_target_cycles);
        interrupted++;
    }
    return interrupted;
}

/* What it costs to interrupt TARGETS cores, at least one, and to wait for them. */
static uint64_t interrupt_cycles(const PfMmu *mmu, const PfCosts *costs, unsigned targets)
{
    uint64_t cycles = costs->flush_remote_cycles + (targets - 1) * costs->flush_ack_cycles;
    return (uint64_t)((double)cycles * mmu->config->virtual_ipi);
}

void pf_shootdown(PfMmu *mmu, PfWork *work, const PfPlace *initiator, const PfShootdown *what)
{
    const PfCosts *costs = work->costs;
    bool is_own = initiator->index < mmu->core_count &&
                  pf_mmu_sees(mmu, initiator->index, what->space);
    unsigned targets = what->is_quiet ? 0 : interrupt(mmu, work, initiator, what->space);
    uint64_t cycles = targets == 0 || is_own ? costs->flush_local_cycles : 0;
    if (targets > 0)
        cycles += interrupt_cycles(mmu, costs, targets);
    pf_work_charge(work, initiator, PF_ACCOUNT_SHOOTDOWN, cycles);
    pf_shootdown_free(mmu, what);
    mmu->stats.local += targets == 0;
    mmu->stats.remote += targets > 0;
    mmu->stats.interrupts += targets;
    mmu->stats.whole_spaces += is_whole(mmu, what);
}

void pf_shadow_change(PfMmu *mmu, PfWork *work, const PfPlace *place, PfAccount account,
                      uint32_t space, uint64_t pages)
{
    if (!pf_mmu_is_shadowed(mmu, space))
        return;
    mmu->stats.shadow_changes += pages;
    pf_work_charge(work, place, account, pages * work->costs->shadow_cycles);
}
