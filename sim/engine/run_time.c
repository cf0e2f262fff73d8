/* Clocks, barriers, what falls due, and marks. */
#include "run.h"

#include "error.h"
#include "units.h"

/* A run ends before its clocks and their sums overflow; 56 years at 2.6 GHz. */
#define CYCLES_LIMIT ((uint64_t)1 << 62)

/* Passes that take longer than a day are not waited for: a policy may never come round. */
static const uint64_t hold_limit_ps = 86400 * PF_PS_PER_SECOND;

/* While passes are waited for, wake-ups of so much time are served together. */
static const uint64_t hold_step_ps = PF_PS_PER_SECOND / 1000;

/* When the warm-up ends, if a time was given for that. */
static uint64_t warm_cycles(const PfRun *run)
{
    if (run->warm || run->config->warmup_ps == 0)
        return UINT64_MAX;
    return pf_cycles_from_ps(run->config->warmup_ps, run->machine_config->clock_hz);
}

void run_update_due(PfRun *run)
{
    uint64_t asked = MIN(pf_host_due(run->host), run->next_epoch_cycles);
    run->due_cycles = MIN(MIN(asked, run->join_cycles), warm_cycles(run));
}

void run_reach(PfRun *run, uint64_t cycle)
{
    run->now_cycles = MAX(run->now_cycles, cycle);
}

/* Statistics count from here. */
static void restart(PfRun *run)
{
    pf_memory_integrate(&run->memory);
    run->saved_origin = run->memory.saved_page_cycles;
    run->cycles_origin = run->now_cycles;
    run->transfers_origin = run_transfers(run);
    run->cam_fJ_origin = pf_cam_stats(run->machine->cams[0])->energy_fJ;
    run->hash_bytes_origin = pf_hash_engine_stats(run->machine->hash_engine)->bytes;
    pf_dram_advance(run->machine->dram, run->now_cycles);
    pf_dram_energy(run->machine->dram, &run->dram_origin);
    run->memory.frames.peak_frames =
        run->memory.frames.used_frames + run->memory.frames.out_frames;
    run_restart_bills(run);
    run_restart_spans(run);
    pf_host_bill_settle(run->host->bill);
    pf_stats_restart(run->stats);
    run->warm = true;
    run->held = false;
}

static void hold(PfRun *run)
{
    pf_memory_integrate(&run->memory);
    run_take_stock(run);
    run_hold(run);
    run->held = true;
}

/* A policy without passes has nothing to warm up to. */
static void check_warm(PfRun *run)
{
    if (run->warm)
        return;
    const PfRunConfig *config = run->config;
    bool scans = run->setup->ops->scan != NULL;
    bool by_time = run->now_cycles >= warm_cycles(run);
    bool by_passes = config->warmup_passes != 0 &&
                     (!scans || run->host->stats.passes >= config->warmup_passes);
    if (by_time || by_passes)
        restart(run);
}

/* One record may make billions of wake-ups due: idle of years. */
static bool stands_still(PfRun *run)
{
    if (run->error == NULL && run->interrupted != NULL &&
        __atomic_load_n(run->interrupted, __ATOMIC_RELAXED) != 0)
        g_set_error_literal(&run->error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
    return run->error != NULL;
}

/* Wakes and epochs until CYCLE. A wake-up may take the policy's clock far ahead; contexts are
 * not held up by that unless it runs on their cores. */
void run_serve(PfRun *run, uint64_t cycle)
{
    if (cycle > CYCLES_LIMIT && run->error == NULL)
        g_set_error(&run->error, PF_ERROR, PF_ERROR_LIMIT,
                    "the simulated time is beyond 2^62 cycles, more than a clock can count");
    run_migrate(run);
    for (;;) {
        uint64_t wake = pf_host_due(run->host);
        uint64_t warm = warm_cycles(run);
        uint64_t due = MIN(MIN(wake, run->next_epoch_cycles), MIN(warm, run->join_cycles));
        if (due > cycle)
            break;
        if (stands_still(run))
            return;
        run_reach(run, due);
        if (run->next_epoch_cycles == due)
            run_sample_epoch(run, due);
        else if (run->join_cycles == due)
            run_join_large(run);
        else if (warm > due)
            pf_host_wake(run->host);
        check_warm(run);
    }
    run_reach(run, cycle);
    check_warm(run);
    run_update_due(run);
}

void run_wait(PfRun *run, uint32_t context)
{
    PfCore *core = run_place(run, context)->core;
    uint64_t *ready = &g_array_index(run->ready_cycles, uint64_t, context);
    if (*ready > core->now_cycles) {
        if (*ready >= run->due_cycles)
            run_serve(run, *ready);
        run->ledger.idle_cycles += pf_core_advance_to(core, *ready);
    }
    *ready = 0;
    if (core->now_cycles >= run->due_cycles)
        run_serve(run, core->now_cycles);
    /* Just now the policy may have blocked it; what falls due meanwhile is served later. */
    run->ledger.idle_cycles += pf_core_advance_to(core, *ready);
    *ready = 0;
}

void run_barrier(PfRun *run, uint64_t at_least)
{
    uint64_t latest = MAX(at_least, run->now_cycles);
    run_settle_bill(run);
    unsigned cores = (unsigned)run->machine_config->cores;
    for (unsigned i = 0; i < cores; i++) {
        uint64_t stall = pf_core_drain(run->machine->cores[i]);
        run_charge_stall(run, run->machine->cores[i], stall);
        run_bill_stall(run, i, stall);
        latest = MAX(latest, run->machine->cores[i]->now_cycles);
    }
    for (unsigned i = 0; i < run->ready_cycles->len; i++) {
        latest = MAX(latest, g_array_index(run->ready_cycles, uint64_t, i));
        g_array_index(run->ready_cycles, uint64_t, i) = 0;
    }
    run->is_barrier = true;
    run_serve(run, latest);
    run->is_barrier = false;
    if (run->error != NULL)
        return;
    /* Stolen cycles may have moved a core's clock on once more. */
    for (unsigned i = 0; i < cores; i++)
        latest = MAX(latest, run->machine->cores[i]->now_cycles);
    for (unsigned i = 0; i < cores; i++) {
        uint64_t idle_cycles = pf_core_advance_to(run->machine->cores[i], latest);
        run->ledger.idle_cycles += run->core_is_used[i] ? idle_cycles : 0;
    }
    run_reach(run, latest);
    run_update_due(run);
}

void run_hold_on(PfRun *run)
{
    const PfRunConfig *config = run->config;
    uint64_t clock_hz = run->machine_config->clock_hz;
    if (config->hold_ps > 0)
        run_barrier(run, run->now_cycles + pf_cycles_from_ps(config->hold_ps, clock_hz));
    uint64_t passes = run->host->stats.passes + config->hold_passes;
    uint64_t limit = run->now_cycles + pf_cycles_from_ps(hold_limit_ps, clock_hz);
    while (run->host->stats.passes < passes && run->memory.populated_pages > 0 &&
           pf_host_due(run->host) < limit && run->error == NULL)
        run_barrier(run, MAX(pf_host_due(run->host),
                             run->now_cycles + pf_cycles_from_ps(hold_step_ps, clock_hz)));
}

/* Closed pacing takes the times of a program's trace as think time after what went before; else
 * they are absolute, and the run may be late for them. */
void run_play_time(PfRun *run, const PfRecord *record)
{
    uint64_t clock_hz = run->machine_config->clock_hz;
    uint64_t target = pf_cycles_from_ps(record->count, clock_hz);
    run_barrier(run, 0);
    if (run->config->pacing == PF_PACING_CLOSED && run->grain == PF_GRAIN_ACCESS) {
        uint64_t before = pf_cycles_from_ps(run->time_ps, clock_hz);
        target = run->now_cycles + (target > before ? target - before : 0);
    } else {
        uint64_t late = run->now_cycles > target ? run->now_cycles - target : 0;
        pf_histogram_add(&run->lag_cycles, late);
    }
    run->time_ps = MAX(run->time_ps, record->count);
    run_barrier(run, target);
}

void run_play_idle(PfRun *run, const PfRecord *record)
{
    uint64_t *ready = &g_array_index(run->ready_cycles, uint64_t, record->context);
    uint64_t now = run_place(run, record->context)->core->now_cycles;
    *ready = MAX(*ready, now) +
             pf_cycles_from_ps(record->count, run->machine_config->clock_hz);
}

static void keep_statistic(const PfStatInfo *info, PfStatValue value, void *user)
{
    const PfRun *run = ((void **)user)[0];
    PfMarkRow *row = ((void **)user)[1];
    g_autofree char *own = g_strconcat(run->setup->ops->name, ".", NULL);
    const char *const told[] = {"memory.", "policy.", "reason.", "sharing.",
                                "filter.", "class.",  "cam.",    "large.", own};
    bool is_dram = run->feed != NULL && g_str_has_prefix(info->name, "dram.");
    bool is_told = is_dram;
    for (unsigned i = 0; i < G_N_ELEMENTS(told); i++)
        is_told |= g_str_has_prefix(info->name, told[i]) != FALSE;
    if (!is_told)
        return;
    g_array_append_val(row->infos, *info);
    g_array_append_val(row->values, value);
}

void run_play_mark(PfRun *run, const PfRecord *record)
{
    run_barrier(run, 0);
    run_keep_mark(run, record);
}

void run_keep_mark(PfRun *run, const PfRecord *record)
{
    const char *label = record->detail->name;
    char *const *roi = run->config->roi;
    bool bounded = roi != NULL && roi[0] != NULL && roi[1] != NULL;
    bool warmed_up = !run->warm && g_strcmp0(run->config->warmup_mark, label) == 0;
    bool begins = bounded && g_str_equal(roi[0], label);
    if (warmed_up || begins)
        restart(run);
    run->has_begun |= begins;
    pf_memory_integrate(&run->memory);
    run_take_stock(run);
    PfMarkRow *row = run_mark_new(label, run->now_cycles);
    void *user[2] = {run, row};
    pf_stats_visit(run->stats, keep_statistic, user);
    run_keep_contexts(run, row);
    g_ptr_array_add(run->marks, row);
    if (bounded && g_str_equal(roi[1], label) && !run->held)
        hold(run);
}

bool pf_run_check_marks(const PfRun *run, GError **error)
{
    const PfRunConfig *config = run->config;
    const char *key = "roi";
    const char *missing = NULL;
    if (config->warmup_mark != NULL && !run->warm) {
        key = "warmup";
        missing = config->warmup_mark;
    } else if (config->roi != NULL && config->roi[0] != NULL) {
        missing = !run->has_begun ? config->roi[0] : !run->held ? config->roi[1] : NULL;
    }
    if (missing == NULL)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: the trace has no mark \"%s\"%s", key,
                missing,
                run->has_begun ? " after the one at which the region begins" : "");
    return false;
}
