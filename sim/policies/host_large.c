#include "host_large.h"

bool pf_host_splits_large(const PfHost *host)
{
    const PfFramePool *frames = &host->base.memory->frames;
    switch ((PfSplitLarge)host->setup->common.split_large) {
    case PF_SPLIT_ALWAYS:
        return true;
    case PF_SPLIT_PRESSURE:
        return (double)pf_frame_pool_free(frames) <
               host->setup->common.split_below * (double)pf_frame_pool_capacity(frames);
    case PF_SPLIT_NEVER:
        return false;
    }
    g_assert_not_reached();
}

/* Cycles to read or write the entries of a run in the last level of its tables: lines that the last
 * cache has. */
static uint64_t table_cycles(const PfWork *work)
{
    const uint64_t entry_bytes = 8;
    return PF_LARGE_PAGES * entry_bytes / work->line_bytes * work->costs->near_line_cycles;
}

void pf_host_pay_splits(const PfHost *host, const PfPlace *place)
{
    uint64_t splits = pf_large_settle(host->base.memory);
    if (splits > 0 && place != NULL)
        pf_work_charge(host->base.work, place, PF_ACCOUNT_SYSTEM,
                       splits * table_cycles(host->base.work));
}

/* All translations of the run of PAGE, as its space has them. */
static PfShootdown run_of(const PfHost *host, PfPage page)
{
    PfCpn first = {page.cpn.number & ~(uint64_t)(PF_LARGE_PAGES - 1)};
    PfShootdown what = pf_shootdown_of(page.context, first, PF_LARGE_PAGES,
                                       host->base.space_is_two_stage[page.context]);
    what.is_run = true;
    return what;
}

void pf_host_forget_run(PfHost *host, PfPage page)
{
    PfShootdown what = run_of(host, page);
    pf_shootdown_free(host->base.mmu, &what);
}

/* What copying the run of PAGE from `old_frames` takes. */
static void charge_copies(PfHost *host, const PfPlace *place, PfAccount account, PfPage page)
{
    PfMemory *memory = host->base.memory;
    PfCpn first = {page.cpn.number & ~(uint64_t)(PF_LARGE_PAGES - 1)};
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++) {
        PfSlot slot;
        bool found = pf_host_slot(host, (PfPage){page.context, pf_cpn_plus(first, i)}, &slot);
        g_assert(found);
        PfMpn from = {memory->large->old_frames[i]};
        PfMpn to = {pf_memory_entry(memory, slot)->mpn};
        pf_work_copy_page(host->base.work, place, account, pf_host_frame_address(host, from),
                          pf_host_frame_address(host, to));
    }
}

static void shoot_down_run(PfHost *host, const PfPlace *place, PfAccount account, PfPage page)
{
    PfShootdown what = run_of(host, page);
    pf_shadow_change(host->base.mmu, host->base.work, place, account, page.context, 1);
    pf_shootdown(host->base.mmu, host->base.work, place, &what);
}

/* The pages of the run of PAGE have other frames; EXCEPT is told of elsewhere. */
static void tell_moved(PfHost *host, PfPage page, const PfPage *except)
{
    PfCpn first = {page.cpn.number & ~(uint64_t)(PF_LARGE_PAGES - 1)};
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++) {
        PfPage moved = {page.context, pf_cpn_plus(first, i)};
        if (except != NULL && pf_page_equal(moved, *except))
            continue;
        pf_host_page_moved(host, moved);
        pf_host_verify(host, moved);
    }
}

void pf_host_copied_run(PfHost *host, const PfPlace *place, PfPage page)
{
    const PfCosts *costs = host->base.work->costs;
    if (place == NULL) {
        pf_host_forget_run(host, page);
    } else {
        pf_work_charge(host->base.work, place, PF_ACCOUNT_BREAK,
                       costs->trap_cycles + costs->allocate_cycles);
        charge_copies(host, place, PF_ACCOUNT_BREAK, page);
        shoot_down_run(host, place, PF_ACCOUNT_BREAK, page);
    }
    tell_moved(host, page, &page);
}

/* The entries of the CAM that name frames which are given up. */
static void tell_cam(PfHost *host, const PfLargeRun *run)
{
    if (!pf_host_cam_snoops(host))
        return;
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        pf_host_cam_written(host, (PfPage){run->context, pf_cpn_plus(run->first, i)});
}

static void join_run(PfHost *host, const PfLargeRun *run, PfJoin join)
{
    PfWork *work = host->base.work;
    PfPage page = {run->context, run->first};
    const PfPlace *place = &host->base.contexts[page.context];
    if (join == PF_JOIN_COPIED)
        tell_cam(host, run);
    if (!pf_large_join(host->base.memory))
        return;
    pf_work_charge(work, place, PF_ACCOUNT_SYSTEM, table_cycles(work));
    if (join == PF_JOIN_COPIED) {
        host->start_generation++; /* a free frame may be in use again */
        pf_work_charge(work, place, PF_ACCOUNT_SYSTEM, work->costs->allocate_cycles);
        charge_copies(host, place, PF_ACCOUNT_SYSTEM, page);
    }
    shoot_down_run(host, place, PF_ACCOUNT_SYSTEM, page);
    if (join == PF_JOIN_COPIED)
        tell_moved(host, page, NULL);
}

void pf_host_join_runs(PfHost *host, uint64_t count)
{
    PfMemory *memory = host->base.memory;
    uint64_t looks = MIN(count, memory->large->runs->len);
    for (uint64_t i = 0; i < looks; i++) {
        PfLargeRun run;
        PfJoin join = pf_large_next(memory, &run);
        if (join != PF_JOIN_NOTHING)
            join_run(host, &run, join);
    }
}
