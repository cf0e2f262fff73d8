/* Large pages: how big a page is for the TLBs and walkers, and the daemon that joins pages. */
#include "host_large.h"
#include "run.h"

static_assert((int)PF_LARGE_SHIFT == (int)PF_TLB_SIZE_BITS, "a large page is a TLB's second size");

static PfStatValue read_mapped(const void *user)
{
    return pf_stat_uint(((const PfRun *)user)->memory.large->pages / PF_LARGE_PAGES);
}

void run_open_large(PfRun *run)
{
    run->join_cycles = UINT64_MAX;
    pf_large_open(&run->memory);
    const PfLargeStats *own = &run->memory.large->stats;
    const struct {
        const char *name;
        const char *unit;
        const uint64_t *counter;
        const char *description;
    } rows[] = {
        {"filled", "events", &own->filled,
         "Runs of 512 pages mapped large when the last page had its frame."},
        {"joined", "events", &own->joined,
         "Runs mapped large by the daemon, after they were split or as they lay elsewhere."},
        {"joined_copied", "events", &own->joined_copied,
         "Of those, runs whose pages were copied to neighbouring frames first."},
        {"splits", "events", &own->splits,
         "Large pages split, as the mapping of a part of them changed."},
        {"copies", "events", &own->copies,
         "Large pages that a fork shared and a store copied whole."},
        {"taken_back", "events", &own->taken_back,
         "Runs of 512 pages that a store took back whole, after nobody else had them."},
        {"without_block", "events", &own->without_block,
         "Runs for which no 512 neighbouring frames were free."},
    };
    PfStatsGroup *group = pf_stats_group(run->stats, "large");
    pf_stats_level(group, "mapped", "pages", "Large pages mapped now, each instead of 512 others.",
                   read_mapped, run);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        pf_stats_counter(group, rows[i].name, rows[i].unit, rows[i].description, rows[i].counter);
}

void run_size_translation(const PfRun *run, PfSlot slot, bool is_virtual,
                          PfTranslation *translation)
{
    const PfMachineConfig *config = run->machine_config;
    if (G_LIKELY(run->memory.large->pages == 0) && config->large.guest != PF_GUEST_LARGE)
        return; /* as most often: nothing is large */
    bool is_vm = pf_image_context(run->image, translation->space)->kind == PF_CONTEXT_VM;
    bool is_large = (pf_memory_entry(&run->memory, slot)->flags & PF_ENTRY_LARGE) != 0;
    uint8_t host = is_large ? PF_LARGE_SHIFT : 0;
    uint8_t guest = config->large.guest == PF_GUEST_LARGE ? PF_LARGE_SHIFT : host;
    if (is_virtual || config->large.guest == PF_GUEST_BASE)
        guest = 0;
    translation->host_size_shift = host;
    /* Of a process, or a virtual machine that is walked like one, there are no other tables. */
    if (!is_vm || config->paging == PF_PAGING_NATIVE)
        translation->size_shift = is_virtual ? 0 : host;
    else
        translation->size_shift = translation->nested ? guest : MIN(guest, host);
}

void run_expect_large(PfRun *run)
{
    uint64_t every_ps = run->machine_config->large.join_every_ps;
    if (run->join_cycles != UINT64_MAX || every_ps == 0 || run->memory.large->runs->len == 0)
        return;
    uint64_t every = pf_cycles_from_ps(every_ps, run->machine_config->clock_hz);
    run->join_cycles = run->now_cycles + MAX(every, 1);
    run_update_due(run);
}

void run_join_large(PfRun *run)
{
    uint64_t every = pf_cycles_from_ps(run->machine_config->large.join_every_ps,
                                       run->machine_config->clock_hz);
    pf_host_join_runs(run->host, run->machine_config->large.join_runs);
    run->join_cycles += MAX(every, 1);
}
