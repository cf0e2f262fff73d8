/* What a run reports beside its models' and its policy's own statistics; epochs. */
#include "host_class_rules.h"
#include "run.h"

#include <string.h>

#include "error.h"

static bool is_bound(const PfRun *run)
{
    return (run->setup->ops->flags & PF_POLICY_BOUND) != 0;
}

static uint64_t used_frames(const PfRun *run)
{
    const PfFramePool *frames = &run->memory.frames;
    return is_bound(run) ? run->distinct_frames : frames->used_frames + frames->out_frames;
}

static int64_t saved_pages(const PfRun *run)
{
    return (int64_t)run->memory.baseline_frames - (int64_t)used_frames(run);
}

static PfStatValue read_populated(const void *user)
{
    return pf_stat_uint(((const PfRun *)user)->memory.populated_pages);
}

static PfStatValue read_eligible(const void *user)
{
    return pf_stat_uint(((const PfRun *)user)->memory.eligible_pages);
}

static PfStatValue read_used(const void *user)
{
    return pf_stat_uint(used_frames(user));
}

static PfStatValue read_baseline(const void *user)
{
    return pf_stat_uint(((const PfRun *)user)->memory.baseline_frames);
}

static PfStatValue read_saved(const void *user)
{
    return pf_stat_int(saved_pages(user));
}

static PfStatValue read_peak(const void *user)
{
    const PfRun *run = user;
    return is_bound(run) ? pf_stat_null() : pf_stat_uint(run->memory.frames.peak_frames);
}

static PfStatValue read_metadata(const void *user)
{
    return pf_stat_uint(pf_host_metadata_bytes(((const PfRun *)user)->host));
}

static PfStatValue read_net(const void *user)
{
    const PfRun *run = user;
    return pf_stat_int(saved_pages(run) * (int64_t)run->work.page_bytes -
                       (int64_t)pf_host_metadata_bytes(run->host));
}

static PfStatValue read_saved_page_cycles(const void *user)
{
    const PfRun *run = user;
    if (is_bound(run))
        return pf_stat_null();
    return pf_stat_int(run->memory.saved_page_cycles - run->saved_origin);
}

static PfStatValue read_cycles(const void *user)
{
    return pf_stat_uint(((const PfRun *)user)->now_cycles);
}

/* Cycles by which contexts are held up: their own and those stolen from their cores. */
static double contexts_cycles(const PfRun *run)
{
    PfStatValue app = {0};
    PfStatValue stolen = {0};
    pf_stats_find(run->stats, "cycles.app", &app);
    pf_stats_find(run->stats, "cycles.stolen", &stolen);
    return (double)app.u + (double)stolen.u;
}

/* While runs are under way they are not at the same place of the trace. */
static PfStatValue read_slowdown(const void *user)
{
    (void)user;
    return pf_stat_null();
}

void pf_run_compare(PfRun *run, const PfRun *none)
{
    double least = contexts_cycles(none);
    bool whole = run->error == NULL && none->error == NULL;
    if (whole && run->has_access_grain && least > 0)
        pf_stats_amend(run->stats, "slowdown", pf_stat_double(contexts_cycles(run) / least));
}

/* The misses of contexts in the last cache. */
static char *name_misses(const PfMachineConfig *config)
{
    return g_strdup_printf("cache.%s.misses_demand", config->caches[config->cache_count - 1].name);
}

/* The statistic OURS of RULE is by how much there is more of NAME WITHOUT it. */
static void amend_by(PfRun *run, const PfRun *without, const char *rule, const char *ours,
                     const char *name)
{
    g_autofree char *amended = g_strdup_printf("class.%s.%s", rule, ours);
    PfStatValue here;
    PfStatValue there;
    if (pf_stats_find(run->stats, name, &here) && pf_stats_find(without->stats, name, &there) &&
        here.kind != PF_STAT_NULL && there.kind != PF_STAT_NULL)
        pf_stats_amend(run->stats, amended, pf_stat_int(there.i - here.i));
}

void pf_run_compare_class(PfRun *run, const PfRun *without)
{
    if (run->error != NULL || without->error != NULL)
        return;
    unsigned dropped = run->setup->class_rules & ~without->setup->class_rules;
    const char *rule = pf_class_rule_name((PfClassRule)pf_log2(dropped));
    amend_by(run, without, rule, "cost_pages", "memory.saved_pages");
    if (!run->has_access_grain)
        return;
    g_autofree char *misses = name_misses(run->machine_config);
    amend_by(run, without, rule, "remote_avoided", "numa.remote");
    amend_by(run, without, rule, "conflicts_avoided", "class.conflict_misses");
    amend_by(run, without, rule, "misses_avoided", misses);
}

uint64_t run_transfers(const PfRun *run)
{
    return pf_dram_transfers(run->machine->dram);
}

static PfStatValue read_bandwidth(const void *user)
{
    const PfRun *run = user;
    uint64_t cycles = run->now_cycles - run->cycles_origin;
    if (cycles == 0 || !run->has_access_grain)
        return pf_stat_null();
    double bytes = (double)(run_transfers(run) - run->transfers_origin) *
                   pf_dram_preset(run->machine->dram)->transaction_bytes;
    double seconds = (double)cycles / (double)run->machine_config->clock_hz;
    return pf_stat_double(bytes / seconds / 1e9);
}

static PfStatValue bytes_by(const void *user, unsigned actor)
{
    const PfRun *run = user;
    return run->has_access_grain ? pf_stat_uint(pf_dram_bytes_by(run->machine->dram, actor))
                                 : pf_stat_null();
}

static PfStatValue read_bytes_demand(const void *user)
{
    return bytes_by(user, PF_ACTOR_DEMAND);
}

static PfStatValue read_bytes_walker(const void *user)
{
    return bytes_by(user, PF_ACTOR_WALKER);
}

static PfStatValue read_bytes_policy(const void *user)
{
    return bytes_by(user, PF_ACTOR_POLICY);
}

static PfStatValue read_contexts(const void *user)
{
    return pf_stat_uint(pf_image_context_count(((const PfRun *)user)->image));
}

static void register_memory(PfRun *run)
{
    PfStatsGroup *memory = pf_stats_group(run->stats, "memory");
    static const struct {
        const char *name;
        const char *unit;
        PfStatRead read;
        const char *description;
    } levels[] = {
        {"populated_pages", "pages", read_populated,
         "Pages of contexts that were given bytes since they were mapped."},
        {"eligible_pages", "pages", read_eligible, "Populated pages inside the policy's scope."},
        {"baseline_frames", "frames", read_baseline,
         "Frames that no deduplication at all would use now."},
        {"used_frames", "frames", read_used,
         "Distinct frames that some page maps, or that are pinned; memory.swapped_frames of them "
         "are swapped out."},
        {"saved_pages", "pages", read_saved, "Baseline frames less used frames."},
        {"peak_frames", "frames", read_peak, "The most frames used at one time."},
        {"metadata_bytes", "bytes", read_metadata,
         "What policy, finder, filters and hash engine spend on their tables."},
        {"net_saved_bytes", "bytes", read_net, "Saved pages in bytes less the metadata."},
        {"saved_page_cycles", "page cycles", read_saved_page_cycles,
         "Saved pages integrated over time."},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++)
        pf_stats_level(memory, levels[i].name, levels[i].unit, levels[i].description,
                       levels[i].read, run);
}

void run_observe(PfRun *run)
{
    if (run->error != NULL)
        return; /* it is behind what the image has become */
    pf_host_observe(run->host);
    if (is_bound(run))
        run->distinct_frames = pf_host_distinct_contents(run->host);
}

void run_take_stock(PfRun *run)
{
    run_observe(run);
    if (run->error == NULL)
        pf_host_take_census(run->host, run_tells_contexts(run));
    run_settle_bill(run);
}

void run_register(PfRun *run)
{
    register_memory(run);
    pf_ledger_register(&run->ledger, run->stats);
    pf_stats_counter(pf_stats_group(run->stats, "cycles"), "stolen", "cycles",
                     "Of the policy's cycles, those spent on cores of contexts.",
                     &run->work.stolen_cycles);
    pf_stats_counter(pf_stats_group(run->stats, "cycles"), "engine", "cycles",
                     "Of the policy's cycles, those of an engine at the memory controller.",
                     &run->work.engine_cycles);
    PfStatsGroup *time = pf_stats_group(run->stats, "time");
    pf_stats_level(time, "cycles", "cycles", "Simulated time since the start of the trace.",
                   read_cycles, run);
    pf_stats_histogram(time, "lag_%s_cycles", "cycles",
                       "By how much the run was late for `time` records.", &run->lag_cycles, 1.0);
    PfStatsGroup *trace = pf_stats_group(run->stats, "trace");
    pf_stats_counter(trace, "records", "records", "Records played.", &run->records);
    pf_stats_level(trace, "contexts", "contexts", "Contexts that the trace has made so far.",
                   read_contexts, run);
    pf_stats_counter(trace, "accesses", "events", "Reads, stores and fetches.",
                     &run->stat_accesses);
    pf_stats_counter(trace, "instructions", "events", "Instructions.", &run->stat_instructions);
    pf_stats_histogram(pf_stats_group(run->stats, "span"), "%s_cycles", "cycles",
                       "Length of spans, from begin to end.", &run->span_cycles, 1.0);
    pf_stats_counter(pf_stats_group(run->stats, "span"), "untold", "events",
                     "Spans of labels beyond the first 256, which are not told one by one.",
                     &run->untold_spans);
    pf_stats_level(pf_stats_group(run->stats, "dram"), "bandwidth_GBps", "GB/s",
                   "Bytes moved to and from DRAM over the simulated time.", read_bandwidth, run);
    pf_stats_level(pf_stats_group(run->stats, "dram"), "bytes_demand", "bytes",
                   "Bytes that contexts asked DRAM for or sent it, since the start.",
                   read_bytes_demand, run);
    pf_stats_level(pf_stats_group(run->stats, "dram"), "bytes_walker", "bytes",
                   "Bytes that page walks asked it for, likewise.", read_bytes_walker, run);
    pf_stats_level(pf_stats_group(run->stats, "dram"), "bytes_policy", "bytes",
                   "Bytes that work for a policy asked it for or sent it, likewise.",
                   read_bytes_policy, run);
    pf_stats_level(pf_stats_group(run->stats, ""), "slowdown", "ratio",
                   "Cycles that hold up the contexts, relative to `none`.", read_slowdown, run);
}

const char *const run_epoch_columns[PF_EPOCH_COLUMNS] = {
    "memory.used_frames",     "memory.baseline_frames", "memory.saved_pages",
    "memory.populated_pages", "memory.eligible_pages",  "memory.metadata_bytes",
    "memory.net_saved_bytes", "cycles.app",             "cycles.policy",
    "policy.scanned",         "policy.shared",          "policy.broken",
    "dram.bytes_demand",      "dram.bytes_walker",      "dram.bytes_policy",
};

/* With an epoch of "auto", so many rows at most: then every other one is dropped. With an epoch of
 * the user's the run ends before its rows fill the host's memory: 200 MB. */
enum { EPOCH_ROWS_MAX = 400, EPOCH_ROWS_LIMIT = 1000000 };

static void thin_epochs(PfRun *run)
{
    if (run->config->epoch_ps != PF_CONFIG_AUTO || run->epochs->len < EPOCH_ROWS_MAX)
        return;
    for (unsigned i = 0; 2 * i + 1 < run->epochs->len; i++)
        g_array_index(run->epochs, PfEpochRow, i) =
            g_array_index(run->epochs, PfEpochRow, 2 * i + 1);
    g_array_set_size(run->epochs, run->epochs->len / 2);
    run->epoch_cycles *= 2;
}

static void check_epochs(PfRun *run)
{
    if (run->epochs->len < EPOCH_ROWS_LIMIT || run->error != NULL)
        return;
    g_set_error(&run->error, PF_ERROR, PF_ERROR_LIMIT,
                "output.epoch: too short, %d rows at cycle %" G_GUINT64_FORMAT
                "; choose a longer one, or auto",
                EPOCH_ROWS_LIMIT, run->now_cycles);
}

/* The values as they stand, whatever the region of interest is. */
void run_sample_epoch(PfRun *run, uint64_t cycle)
{
    run_observe(run);
    const PfEpochRow row = {
        .cycle = cycle,
        .values = {read_used(run), read_baseline(run), read_saved(run), read_populated(run),
                   read_eligible(run), read_metadata(run), read_net(run),
                   pf_stat_uint(run->ledger.payer_cycles[PF_PAYER_APP]),
                   pf_stat_uint(run->ledger.payer_cycles[PF_PAYER_POLICY]),
                   pf_stat_uint(run->host->stats.scanned), pf_stat_uint(run->host->stats.shared),
                   pf_stat_uint(run->host->stats.broken), read_bytes_demand(run),
                   read_bytes_walker(run), read_bytes_policy(run)}};
    /* The trace may end where an epoch does. */
    unsigned count = run->epochs->len;
    if (count > 0 && g_array_index(run->epochs, PfEpochRow, count - 1).cycle == cycle)
        g_array_set_size(run->epochs, count - 1);
    g_array_append_val(run->epochs, row);
    thin_epochs(run);
    check_epochs(run);
    run->next_epoch_cycles = (cycle / run->epoch_cycles + 1) * run->epoch_cycles;
    if (run->paranoid)
        pf_ledger_check(&run->ledger);
}
