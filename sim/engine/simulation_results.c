/* What the floor above reads after a run. */
#include <string.h>

#include "error.h"
#include "simulation_internal.h"

bool pf_simulation_complete(const PfSimulation *simulation)
{
    return simulation->complete;
}

const PfTraceHeader *pf_simulation_trace_header(const PfSimulation *simulation)
{
    return pf_trace_header(simulation->trace);
}

const char *pf_simulation_trace_path(const PfSimulation *simulation)
{
    return simulation->trace_path;
}

const char *pf_simulation_trace_digest(const PfSimulation *simulation)
{
    return simulation->trace_digest;
}

const char *pf_simulation_trace_damage(const PfSimulation *simulation)
{
    return pf_trace_damage(simulation->trace);
}

uint64_t pf_simulation_records(const PfSimulation *simulation)
{
    return simulation->records;
}

uint64_t pf_simulation_clock_hz(const PfSimulation *simulation)
{
    return simulation->setup.machine->clock_hz;
}

uint64_t pf_simulation_seed(const PfSimulation *simulation)
{
    return simulation->setup.run.seed;
}

const char *pf_simulation_context_name(const PfSimulation *simulation, uint32_t context)
{
    return pf_image_context(simulation->image, context)->name;
}

bool pf_simulation_has_access_grain(const PfSimulation *simulation)
{
    const PfRun *run = g_ptr_array_index(simulation->runs, 0);
    return run->has_access_grain;
}

double pf_simulation_dilation(const PfSimulation *simulation)
{
    return simulation->setup.run.dilation;
}

const char *pf_simulation_mode(const PfSimulation *simulation)
{
    static const char *const names[] = {"machine", "dram", "caches"};
    return names[simulation->setup.run.mode];
}

const char *pf_simulation_timing(const PfSimulation *simulation)
{
    static const char *const names[] = {"auto", "full", "costs"};
    if (simulation->setup.run.timing != PF_TIMING_AUTO)
        return names[simulation->setup.run.timing];
    const PfRun *run = g_ptr_array_index(simulation->runs, 0);
    if (run->has_access_grain && run->has_page_grain)
        return "full+costs";
    return run->has_page_grain ? "costs" : "full";
}

uint64_t pf_simulation_differences(const PfSimulation *simulation)
{
    return simulation->differences;
}

const char *const *pf_simulation_warnings(const PfSimulation *simulation)
{
    return (const char *const *)simulation->warnings->pdata;
}

size_t pf_simulation_run_count(const PfSimulation *simulation)
{
    return simulation->runs->len;
}

const PfRun *pf_simulation_run_at(const PfSimulation *simulation, size_t index)
{
    g_assert(index < simulation->runs->len);
    return g_ptr_array_index(simulation->runs, index);
}

const char *pf_run_label(const PfRun *run)
{
    return run->setup->common.label;
}

const char *pf_run_policy(const PfRun *run)
{
    return run->setup->ops->name;
}

const char *pf_run_scope(const PfRun *run)
{
    static const char *const names[] = {"all", "anon", "mergeable"};
    return names[run->setup->common.scope];
}

const char *pf_run_remark(const PfRun *run)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    if (run_cam_is_extrapolated(run))
        g_strv_builder_add(builder, "CAM extrapolated");
    if (pf_host_is_lossy(run->host))
        g_strv_builder_add(builder, "lossy");
    bool scans = run->setup->ops->scan != NULL;
    if (g_error_matches(run->error, PF_ERROR, PF_ERROR_INTERRUPTED))
        g_strv_builder_add(builder, "interrupted");
    else if (run->error != NULL)
        g_strv_builder_add(builder, run->out_of_memory ? "out of memory" : "stopped early");
    else if (!run->warm && run->config->warmup != NULL)
        g_strv_builder_add(builder, "not warmed up");
    else if (scans && run->host->stats.passes < 2)
        g_strv_builder_add(builder, "not converged");
    /* A scanner alone on the bus: nobody delays its reads, nor does it delay anybody. */
    bool page_grain = run->has_page_grain && !run->has_access_grain;
    if (scans && page_grain && run->config->timing == PF_TIMING_FULL &&
        run->machine_config->background.bytes_per_second == 0)
        g_strv_builder_add(builder, "scanner cost is a lower bound");
    g_auto(GStrv) parts = g_strv_builder_end(builder);
    g_autofree char *remark = g_strjoinv(", ", parts);
    return g_intern_string(remark);
}

const PfStats *pf_run_stats(const PfRun *run)
{
    return run->stats;
}

size_t pf_simulation_epoch_columns(const PfSimulation *simulation, const char *const **ret_names)
{
    (void)simulation;
    *ret_names = run_epoch_columns;
    return PF_EPOCH_COLUMNS;
}

size_t pf_run_epoch_count(const PfRun *run)
{
    return run->epochs->len;
}

uint64_t pf_run_epoch(const PfRun *run, size_t index, const PfStatValue **ret_values)
{
    g_assert(index < run->epochs->len);
    const PfEpochRow *row = &g_array_index(run->epochs, PfEpochRow, index);
    *ret_values = row->values;
    return row->cycle;
}

static const PfMarkRow *mark_at(const PfRun *run, size_t index)
{
    g_assert(index < run->marks->len);
    return g_ptr_array_index(run->marks, index);
}

size_t pf_run_mark_count(const PfRun *run)
{
    return run->marks->len;
}

const char *pf_run_mark_label(const PfRun *run, size_t index)
{
    return mark_at(run, index)->label;
}

uint64_t pf_run_mark_cycle(const PfRun *run, size_t index)
{
    return mark_at(run, index)->cycle;
}

static void visit_row(const PfMarkRow *row, PfStatVisitor visit, void *user)
{
    for (unsigned i = 0; i < row->infos->len; i++)
        visit(&g_array_index(row->infos, PfStatInfo, i),
              g_array_index(row->values, PfStatValue, i), user);
}

void pf_run_mark_visit(const PfRun *run, size_t index, PfStatVisitor visit, void *user)
{
    visit_row(mark_at(run, index), visit, user);
}

void pf_run_contexts_visit(const PfRun *run, PfStatVisitor visit, void *user)
{
    if (run->at_end != NULL)
        visit_row(run->at_end, visit, user);
}

/* Tells each name once. */
typedef struct {
    PfStatVisitor visit;
    void *user;
    GHashTable *told;
} ListVisit;

static void list_once(const PfStatInfo *info, PfStatValue value, void *user)
{
    ListVisit *list = user;
    if (g_hash_table_add(list->told, g_strdup(info->name)))
        list->visit(info, value, list->user);
}

void pf_simulation_list_stats(const PfRegistry *registry, PfStatVisitor visit, void *user)
{
    g_autoptr(PfConfig) config = pf_config_new(NULL);
    PfConfigSection *root = pf_config_section(config, "");
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++)
        pf_config_set(pf_config_list_append(root, "policies"), "name", PF_CONFIG_STRING,
                      pf_registry_policy(registry, i)->name, "listed");
    PfSetup setup;
    simulation_setup_init(&setup, config, registry);
    g_autoptr(PfContentStore) store = pf_content_store_new(4096);
    g_autoptr(PfImage) image = pf_image_new(store, 4096);
    ListVisit list = {visit, user,
                      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    PfSimulationOptions options = {.threads = 1};
    for (unsigned i = 0; i < setup.policies->len; i++) {
        g_autoptr(GError) error = NULL;
        PfRun *run = pf_run_new(&setup.run, setup.machine,
                                g_ptr_array_index(setup.policies, i), image, 1, &options,
                                &error);
        g_assert_no_error(error);
        pf_stats_visit(run->stats, list_once, &list);
        run_list_contexts(run, list_once, &list);
        run_list_spans(list_once, &list);
        pf_run_free(run);
    }
    g_hash_table_unref(list.told);
    simulation_setup_clear(&setup);
}

/* The first run of `none`; there is one. */
static const PfRun *find_none(const PfSimulation *simulation)
{
    for (unsigned i = 0; i < simulation->runs->len; i++) {
        const PfRun *run = g_ptr_array_index(simulation->runs, i);
        if (g_str_equal(run->setup->ops->name, "none"))
            return run;
    }
    g_assert_not_reached();
}

void simulation_compare_runs(const PfSimulation *simulation)
{
    PfRun *whole = NULL; /* it comes before what it is compared with */
    for (unsigned i = 0; i < simulation->runs->len; i++) {
        PfRun *run = g_ptr_array_index(simulation->runs, i);
        pf_run_compare(run, find_none(simulation));
        if (run->setup->whole == NULL)
            whole = run;
        else
            pf_run_compare_class(whole, run);
    }
}
