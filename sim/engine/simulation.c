#include <string.h>

#include "error.h"
#include "prescan.h"
#include "simulation_internal.h"

/* At most so many times a second the caller is told how far the run is. */
static const double progress_interval_seconds = 0.2;

static PfTraceOptions trace_options(const PfSimulation *simulation)
{
    return (PfTraceOptions){.salvage = simulation->options.salvage,
                            .tape = simulation->options.tape};
}

static bool open_trace(PfSimulation *simulation, GError **error)
{
    PfConfigSection *root = pf_config_section(simulation->config, "");
    if (simulation->options.trace != NULL)
        simulation->trace_path = g_strdup(simulation->options.trace);
    else
        simulation->trace_path = pf_config_path(root, "trace");
    if (simulation->trace_path == NULL) {
        g_set_error_literal(error, PF_ERROR, PF_ERROR_CONFIG,
                            "no trace: give `trace = \"FILE\";` or --trace FILE");
        return false;
    }
    PfTraceOptions options = trace_options(simulation);
    simulation->trace = pf_trace_open(simulation->trace_path, &options, error);
    if (simulation->trace == NULL)
        return false;
    if (simulation->options.trace_digest != NULL)
        simulation->trace_digest = g_strdup(simulation->options.trace_digest);
    else if (pf_trace_is_stream(simulation->trace_path))
        simulation->trace_digest = g_strdup("standard input");
    else
        simulation->trace_digest = pf_trace_digest(simulation->trace_path, error);
    return simulation->trace_digest != NULL;
}

/* What tables are sized by that grow with the machine, where a trace cannot be read twice. */
#define FRAMES_OF_A_PIPE ((uint64_t)1 << 20)

/* A machine without a memory limit has a frame for each page that the trace touches. */
static bool frame_capacity(const PfSimulation *simulation, uint64_t *ret_frames, GError **error)
{
    bool wanted = false;
    for (unsigned i = 0; i < simulation->setup.policies->len; i++) {
        const PfPolicySetup *setup = g_ptr_array_index(simulation->setup.policies, i);
        wanted |= setup->finder != NULL || setup->filters->len > 0 ||
                  setup->common.remap == PF_REMAP_CONTROLLER;
    }
    *ret_frames = FRAMES_OF_A_PIPE;
    if (!wanted || simulation->setup.machine->memory_bytes != PF_CONFIG_AUTO ||
        pf_trace_is_stream(simulation->trace_path))
        return true;
    PfTraceOptions options = trace_options(simulation);
    bool sound = pf_prescan_pages(simulation->trace_path, &options, ret_frames, error);
    *ret_frames = MAX(*ret_frames, 1);
    return sound;
}

/* What only the trace shows to be wrong is told as "KEY: what"; puts where KEY is set before it. */
static void tell_origin(PfConfig *config, GError **error)
{
    const char *colon = strchr((*error)->message, ':');
    if (!g_str_has_prefix((*error)->message, "machine.") || colon == NULL)
        return;
    g_autofree char *path = g_strndup((*error)->message, (gsize)(colon - (*error)->message));
    char *key = strrchr(path, '.');
    *key++ = '\0';
    const char *origin = pf_config_origin(pf_config_section(config, path), key);
    if (!g_str_equal(origin, "default")) /* it follows from another key */
        g_prefix_error(error, "%s: ", origin);
}

static bool build_runs(PfSimulation *simulation, GError **error)
{
    uint32_t page_bytes = pf_trace_header(simulation->trace)->page_bytes;
    simulation->store = simulation->options.store != NULL ? simulation->options.store
                                                          : pf_content_store_new(page_bytes);
    simulation->image = pf_image_new(simulation->store, page_bytes);
    pf_machine_want_large(simulation->setup.machine, simulation->image);
    uint64_t frames;
    if (!frame_capacity(simulation, &frames, error))
        return false;
    bool bound = false;
    for (unsigned i = 0; i < simulation->setup.policies->len; i++) {
        const PfPolicySetup *setup = g_ptr_array_index(simulation->setup.policies, i);
        PfSimulationOptions options = simulation->options;
        if (i > 0)
            options.observer = NULL;
        PfRun *run = pf_run_new(&simulation->setup.run, simulation->setup.machine, setup,
                                simulation->image, frames, &options, error);
        if (run == NULL) {
            tell_origin(simulation->config, error);
            return false;
        }
        g_ptr_array_add(simulation->runs, run);
        bound |= (setup->ops->flags & PF_POLICY_BOUND) != 0;
    }
    /* Counting distinct contents starts with the first record or has to go over all of them. */
    if (bound) {
        PfImageReader reader;
        pf_image_reader_init(&reader, simulation->image);
        pf_image_distinct(simulation->image, &reader, 0);
        pf_image_reader_clear(&reader);
    }
    return true;
}

PfSimulation *pf_simulation_new(PfConfig *config, const PfRegistry *registry,
                                const PfSimulationOptions *options, GError **error)
{
    g_autoptr(PfSimulation) simulation = g_new0(PfSimulation, 1);
    simulation->options = *options;
    simulation->config = config;
    simulation->runs = g_ptr_array_new_with_free_func((GDestroyNotify)pf_run_free);
    simulation->warnings = g_ptr_array_new_with_free_func(g_free);
    simulation_setup_init(&simulation->setup, config, registry);
    if (!pf_config_finish(config, error) || !open_trace(simulation, error) ||
        !build_runs(simulation, error))
        return NULL;
    g_ptr_array_add(simulation->warnings, NULL);
    simulation_warn_of_scopes(simulation);
    simulation->team = team_new(simulation->runs, MAX(options->threads, 1));
    return g_steal_pointer(&simulation);
}

void pf_simulation_free(PfSimulation *simulation)
{
    if (simulation == NULL)
        return;
    team_free(simulation->team);
    g_ptr_array_unref(simulation->runs);
    g_ptr_array_unref(simulation->warnings);
    pf_image_free(simulation->image);
    if (simulation->store != simulation->options.store)
        pf_content_store_free(simulation->store);
    pf_trace_free(simulation->trace);
    simulation_setup_clear(&simulation->setup);
    g_free(simulation->trace_path);
    g_free(simulation->trace_digest);
    g_free(simulation);
}

static void tell_progress(PfSimulation *simulation, bool always)
{
    if (simulation->options.progress == NULL || simulation->options.seconds == NULL)
        return;
    double now = simulation->options.seconds();
    if (!always && now - simulation->told_seconds < progress_interval_seconds)
        return;
    simulation->told_seconds = now;
    uint64_t cycles = UINT64_MAX;
    for (unsigned i = 0; i < simulation->runs->len; i++) {
        const PfRun *run = g_ptr_array_index(simulation->runs, i);
        cycles = MIN(cycles, run->now_cycles);
    }
    PfProgress progress = {
        .share_done = pf_trace_progress(simulation->trace),
        .records = simulation->records,
        .simulated_ps = pf_ps_from_cycles(cycles, simulation->setup.machine->clock_hz),
        .seconds = now - simulation->start_seconds};
    simulation->options.progress(&progress, simulation->options.progress_user);
}

/* Why the run should stop, apart from the end of the trace. */
static bool check_stop(const PfSimulation *simulation, GError **error)
{
    if (simulation->options.interrupted != NULL &&
        __atomic_load_n(simulation->options.interrupted, __ATOMIC_RELAXED) != 0) {
        g_set_error_literal(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
        return false;
    }
    /* A run without memory stands still; the others go on. */
    const PfRun *first = NULL;
    bool goes_on = false;
    for (unsigned i = 0; i < simulation->runs->len; i++) {
        const PfRun *run = g_ptr_array_index(simulation->runs, i);
        goes_on |= run->error == NULL;
        if (run->error != NULL && (first == NULL || !run->out_of_memory))
            first = run;
    }
    if (first == NULL || (goes_on && first->out_of_memory))
        return true;
    g_propagate_error(error, g_error_copy(first->error));
    return false;
}

/* Whether every run got through; else the first error. */
static bool check_runs(const PfSimulation *simulation, GError **error)
{
    for (unsigned i = 0; i < simulation->runs->len; i++) {
        const PfRun *run = g_ptr_array_index(simulation->runs, i);
        if (run->error == NULL)
            continue;
        g_propagate_error(error, g_error_copy(run->error));
        return false;
    }
    return true;
}

/* Says where the record stands that the image could not take. */
static void prefix_place(const PfSimulation *simulation, const PfRecordBlock *block,
                         uint32_t record, GError **error)
{
    g_autofree char *place = pf_trace_place(simulation->trace, &block->records[record],
                                            block->first_record + record);
    g_prefix_error(error, "%s: ", place);
}

/* Plays what the image takes from FROM on; sets RET_TO behind it. */
static bool play_range(PfSimulation *simulation, const PfRecordBlock *block, uint32_t from,
                       uint32_t *ret_to, GError **error)
{
    bool structural = pf_image_is_structural((PfRecordKind)block->records[from].kind);
    for (unsigned i = 0; i < simulation->runs->len && structural; i++)
        pf_run_approach(g_ptr_array_index(simulation->runs, i), &block->records[from]);
    if (!pf_image_prepare(simulation->image, block, from, ret_to, &structural, error)) {
        prefix_place(simulation, block, *ret_to, error);
        return false;
    }
    team_play(simulation->team, block, from, *ret_to);
    pf_image_commit(simulation->image);
    return check_stop(simulation, error);
}

/* A record of very many pages, in parts, so that what is kept for a range stays small. */
static bool play_long(PfSimulation *simulation, const PfRecordBlock *block, uint32_t number,
                      GError **error)
{
    PfRecord part = block->records[number];
    PfRecordBlock single = *block;
    single.records = &part;
    single.count = 1;
    single.first_record = block->first_record + number;
    uint64_t pages = block->records[number].count;
    uint32_t page_bytes = pf_image_page_bytes(simulation->image);
    for (uint64_t done = 0; done < pages; done += PF_IMAGE_PAGES_MAX) {
        bool last = pages - done <= PF_IMAGE_PAGES_MAX;
        part.address = block->records[number].address + done * page_bytes;
        part.first_index = done;
        part.count = last ? pages - done : PF_IMAGE_PAGES_MAX;
        part.flags = last ? 0 : PF_RECORD_CONTINUED;
        uint32_t to;
        if (!play_range(simulation, &single, 0, &to, error))
            return false;
    }
    return true;
}

/* A block's requests to DRAM or the caches alone, of the only run. */
static bool play_part(PfSimulation *simulation, const PfRecordBlock *block, GError **error)
{
    PfRun *run = g_ptr_array_index(simulation->runs, 0);
    bool is_dram = simulation->setup.run.mode == PF_MODE_DRAM;
    uint32_t played = is_dram ? run_play_dram(run, block) : run_play_caches(run, block);
    if (run->error != NULL) {
        g_propagate_error(error, g_error_copy(run->error));
        prefix_place(simulation, block, played, error);
        return false;
    }
    simulation->records += played;
    tell_progress(simulation, false);
    return check_stop(simulation, error);
}

/* Records FROM to before TO of BLOCK have been played: tells who watches of one of them. */
static bool tell_record(PfSimulation *simulation, const PfRecordBlock *block, uint32_t from,
                        GError **error)
{
    const PfObserver *observer = simulation->options.observer;
    PfRun *run = g_ptr_array_index(simulation->runs, 0);
    pf_memory_sync(&run->memory); /* the range that it was in is over */
    if (observer->record_done(observer->user, run, &block->records[from],
                              block->first_record + from + 1))
        return true;
    g_set_error_literal(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
    return false;
}

/* One record of BLOCK by itself, or a stretch of them. Sets RET_TO behind what was played. */
static bool play_some(PfSimulation *simulation, PfRecordBlock *block, uint32_t from,
                      uint32_t *ret_to, GError **error)
{
    *ret_to = from + 1;
    if (pf_image_is_long(&block->records[from]))
        return play_long(simulation, block, from, error);
    if (simulation->options.observer == NULL)
        return play_range(simulation, block, from, ret_to, error);
    uint32_t count = block->count;
    block->count = from + 1; /* what follows is another range's */
    bool played = play_range(simulation, block, from, ret_to, error);
    block->count = count;
    return played;
}

static bool play_block(PfSimulation *simulation, PfRecordBlock *block, GError **error)
{
    pf_image_add_contents(simulation->image, block);
    uint64_t stop_after = simulation->options.stop_after;
    if (stop_after != 0)
        block->count = (uint32_t)MIN(block->count, stop_after - simulation->records);
    if (simulation->setup.run.mode != PF_MODE_MACHINE)
        return play_part(simulation, block, error);
    uint32_t from = 0;
    while (from < block->count) {
        uint32_t to;
        if (!play_some(simulation, block, from, &to, error))
            return false;
        simulation->records += to - from;
        if (simulation->options.observer != NULL && !tell_record(simulation, block, from, error))
            return false;
        from = to;
        tell_progress(simulation, false);
    }
    if (simulation->options.paranoid)
        pf_image_check(simulation->image);
    return true;
}

/* Compares every page of every run with the image. */
static void verify_all(PfSimulation *simulation)
{
    for (unsigned r = 0; r < simulation->runs->len; r++) {
        PfRun *run = g_ptr_array_index(simulation->runs, r);
        PfPage page = {0, {0}};
        while (simulation->options.verify && run->error == NULL &&
               pf_host_cursor_next(run->host, page, &page)) {
            pf_host_verify(run->host, page);
            page.cpn.number++;
        }
        simulation->differences += run->host->differences;
    }
}

static bool report_differences(const PfSimulation *simulation, GError **error)
{
    for (unsigned r = 0; r < simulation->runs->len; r++) {
        const PfRun *run = g_ptr_array_index(simulation->runs, r);
        if (run->host->differences == 0 || pf_host_is_lossy(run->host))
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_DIFFERENCE,
                    "--verify found %" G_GUINT64_FORMAT " differences, the first: %s",
                    run->host->differences, run->host->first_difference);
        return false;
    }
    return true;
}

static bool play_trace(PfSimulation *simulation, GError **error)
{
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    for (;;) {
        PfTraceStatus status = pf_trace_read(simulation->trace, block, error);
        if (status == PF_TRACE_ERROR)
            return false;
        if (status == PF_TRACE_END)
            break;
        if (!play_block(simulation, block, error))
            return false;
        if (simulation->options.stop_after != 0 &&
            simulation->records >= simulation->options.stop_after)
            return check_runs(simulation, error);
    }
    if (!check_runs(simulation, error) ||
        !pf_run_check_marks(g_ptr_array_index(simulation->runs, 0), error))
        return false;
    simulation->complete = pf_trace_damage(simulation->trace) == NULL;
    return true;
}

bool pf_simulation_run(PfSimulation *simulation, GError **error)
{
    if (simulation->options.seconds != NULL)
        simulation->start_seconds = simulation->options.seconds();
    g_autoptr(GError) problem = NULL;
    bool played = simulation->options.dry_run || play_trace(simulation, &problem);
    if (!played && g_error_matches(problem, PF_ERROR, PF_ERROR_TRACE)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    for (unsigned i = 0; i < simulation->runs->len; i++)
        pf_run_finish(g_ptr_array_index(simulation->runs, i));
    /* What goes on behind the trace may be stopped, too. */
    if (problem == NULL && !check_runs(simulation, &problem))
        simulation->complete = false;
    simulation_compare_runs(simulation);
    simulation_warn_of_unused(simulation);
    verify_all(simulation);
    tell_progress(simulation, true);
    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return report_differences(simulation, error);
}
