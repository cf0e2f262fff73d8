#include "run.h"

#include "dram_feed.h"
#include "error.h"
#include "host_class_rules.h"
#include "host_write_backs.h"

/* Epoch that "auto" starts with; it doubles as the run gets longer. */
#define EPOCH_CYCLES_MIN ((uint64_t)1000)

static void set_grain(PfRun *run, PfGrain grain)
{
    run->grain = grain;
    run->has_access_grain |= grain == PF_GRAIN_ACCESS;
    if (run->config->timing == PF_TIMING_AUTO)
        run->work.full = grain == PF_GRAIN_ACCESS;
    else
        run->work.full = run->config->timing == PF_TIMING_FULL;
    run->fills_caches |= run->work.full;
}

static bool build_host(PfRun *run, uint64_t frame_capacity, const PfSimulationOptions *options,
                       GError **error)
{
    unsigned daemon = run->machine->core_count - 1;
    if (run->machine_config->hash_engine.kind != PF_HASH_SOFTWARE)
        run->work.hash_engine = run->machine->hash_engine;
    run->work.controller = run->machine->controller;
    run->work.cores = run->machine->cores;
    PfHostBase base = {.memory = &run->memory,
                       .mmu = &run->machine->mmu,
                       .work = &run->work,
                       .stats = run->stats,
                       .daemon = {.core = run->machine->cores[daemon],
                                  .cache = run->machine->data[daemon],
                                  .index = (uint16_t)daemon,
                                  .actor = PF_ACTOR_POLICY,
                                  .payer = PF_PAYER_POLICY},
                       .controller = {.core = run->machine->engine,
                                      .index = (uint16_t)(daemon + 1),
                                      .actor = PF_ACTOR_POLICY,
                                      .payer = PF_PAYER_POLICY},
                       .core_count = (unsigned)run->machine_config->cores,
                       .clock_hz = run->machine_config->clock_hz,
                       .dilation = run->config->dilation,
                       .seed = run->config->seed,
                       .start_cycles = run_skew(run, "phase"),
                       .due_cycles = &run->due_cycles,
                       .is_barrier = &run->is_barrier,
                       .verify = options->verify,
                       .cams = run->machine->cams,
                       .cam_count = run->machine->cam_count,
                       .cam = &run->machine_config->cam,
                       .cam_reach_cycles = pf_machine_reach(run->machine_config),
                       .frame_capacity = frame_capacity,
                       .observer = options->observer};
    GError *wrong = NULL;
    run->host = pf_host_new(run->setup, &base, &wrong);
    if (g_error_matches(wrong, PF_ERROR, PF_ERROR_CONFIG))
        g_prefix_error(&wrong, "%s: ", run->setup->origin);
    if (wrong != NULL)
        g_propagate_error(error, wrong);
    if (run->host != NULL && run->host->write_backs != NULL)
        pf_machine_listen(run->machine, pf_host_line_written_back, run->host);
    return run->host != NULL;
}

/* Sharing changes the controller's table, which has an entry for each frame. */
static void remap_at_controller(PfRun *run, uint64_t frame_capacity)
{
    uint64_t frames = pf_frame_pool_capacity(&run->memory.frames);
    uint64_t pages = run->machine_config->remap.pages;
    if (pages == PF_CONFIG_AUTO)
        pages = frames != 0 ? frames : frame_capacity;
    pf_indirection_size(run->machine->table, pages);
    pf_bus_open(&run->memory, run->machine->table);
    run->work.table = run->machine->table;
}

/* What a run is before its machine is built. */
static PfRun *new_run(const PfRunConfig *config, const PfMachineConfig *machine_config,
                      const PfPolicySetup *setup, PfImage *image)
{
    PfRun *run = g_new0(PfRun, 1);
    run->config = config;
    run->machine_config = machine_config;
    run->setup = setup;
    run->image = image;
    run->stats = pf_stats_new();
    run->places = g_array_new(FALSE, FALSE, sizeof(PfPlace));
    run->two_stage = g_array_new(FALSE, FALSE, sizeof(bool));
    run->ready_cycles = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    run->context_cycles = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    run->billed_context = UINT32_MAX;
    run->kept_slot = (PfSlot){PF_NO_SLOT};
    run->core_context = g_new0(uint32_t, machine_config->cores);
    run->app_origins = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    run->policy_origins = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    run->core_is_used = g_new0(bool, machine_config->cores);
    run->epochs = g_array_new(FALSE, FALSE, sizeof(PfEpochRow));
    run->marks = g_ptr_array_new_with_free_func(run_mark_free);
    uint32_t page_bytes = pf_image_page_bytes(image);
    bool bound = (setup->ops->flags & PF_POLICY_BOUND) != 0;
    bool unlimited = bound || !setup->common.limited ||
                     machine_config->memory_bytes == PF_CONFIG_AUTO;
    PfFrameRules rules = pf_machine_frame_rules(machine_config, !unlimited,
                                                pf_image_page_shift(image), config->seed);
    pf_memory_init(&run->memory, image, &rules, (PfScope)setup->common.scope, &run->now_cycles);
    run->work = (PfWork){.costs = &machine_config->costs,
                         .ledger = &run->ledger,
                         .page_bytes = page_bytes,
                         .line_bytes = (uint32_t)machine_config->caches[0].line_bytes,
                         .daemon_core = (uint16_t)machine_config->cores,
                         .cache_bytes =
                             machine_config->caches[machine_config->cache_count - 1].size_bytes};
    pf_work_init(&run->work);
    run_open_spans(run);
    set_grain(run, PF_GRAIN_ACCESS);
    run->has_access_grain = false; /* until a record of that grain comes */
    return run;
}

/* Whether MEMORY_BYTES, PF_CONFIG_AUTO for as much as is wanted, are one frame or more, and no more
 * than a PfMpn can number beside the zero frame. */
static bool check_memory(uint64_t memory_bytes, uint32_t page_bytes, GError **error)
{
    if (memory_bytes < page_bytes) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "machine.memory: %" G_GUINT64_FORMAT " bytes hold no page of the trace, which "
                    "has %" G_GUINT32_FORMAT " bytes",
                    memory_bytes, page_bytes);
        return false;
    }
    if (memory_bytes != PF_CONFIG_AUTO && memory_bytes / page_bytes > UINT32_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "machine.memory: %" G_GUINT64_FORMAT " bytes are 2^32 frames of %"
                    G_GUINT32_FORMAT " bytes or more, which are too many to be simulated",
                    memory_bytes, page_bytes);
        return false;
    }
    return true;
}

PfRun *pf_run_new(const PfRunConfig *config, const PfMachineConfig *machine_config,
                  const PfPolicySetup *setup, PfImage *image, uint64_t frame_capacity,
                  const PfSimulationOptions *options, GError **error)
{
    if (!check_memory(machine_config->memory_bytes, pf_image_page_bytes(image), error))
        return NULL;
    g_autoptr(PfRun) run = new_run(config, machine_config, setup, image);
    run->paranoid = options->paranoid;
    run->interrupted = options->interrupted;
    run_register(run);
    bool remaps = setup->common.remap == PF_REMAP_CONTROLLER;
    PfMachineUse use = {.nodes = &run->memory.frames.rules.nodes,
                        .page_shift = pf_image_page_shift(image),
                        .remaps = remaps,
                        .tells_conflicts = pf_policy_setup_minds_color(setup),
                        .tells_write_backs = setup->ops->line_written_back != NULL,
                        .has_background = config->mode != PF_MODE_DRAM,
                        .seed = config->seed};
    run->machine = pf_machine_new(machine_config, &use, run->stats, error);
    if (run->machine != NULL)
        pf_interconnect_tell_contexts(run->machine->interconnect, run->core_context);
    if (run->machine != NULL && remaps)
        remap_at_controller(run, frame_capacity);
    run_open_large(run);
    if (run->machine != NULL)
        run_watch_frames(run);
    if (run->machine != NULL && config->mode != PF_MODE_DRAM)
        run_open_ranks(run);
    run_register_energy(run);
    if (run->machine != NULL)
        run_open_nodes(run);
    run_open_swap(run);
    if (run->machine != NULL && config->mode == PF_MODE_DRAM)
        run_open_dram(run);
    if (run->machine == NULL || !build_host(run, frame_capacity, options, error) ||
        !run_open_events(run, options, error))
        return NULL;
    bool automatic = config->epoch_ps == PF_CONFIG_AUTO;
    uint64_t epoch =
        automatic ? EPOCH_CYCLES_MIN
                  : pf_cycles_from_ps(config->epoch_ps, machine_config->clock_hz);
    run->epoch_cycles = MAX(1, epoch);
    run->next_epoch_cycles = run->epoch_cycles;
    pf_stats_freeze(run->stats);
    run_update_due(run);
    return g_steal_pointer(&run);
}

void pf_run_free(PfRun *run)
{
    if (run == NULL)
        return;
    g_clear_pointer(&run->event_file, fclose);
    pf_dram_feed_free(run->feed);
    run_close_nodes(run);
    run_close_ranks(run);
    run_close_swap(run);
    pf_host_free(run->host);
    pf_memory_clear(&run->memory);
    pf_work_clear(&run->work);
    run_close_spans(run);
    pf_machine_free(run->machine);
    pf_stats_free(run->stats);
    g_array_unref(run->places);
    g_array_unref(run->two_stage);
    g_array_unref(run->ready_cycles);
    g_array_unref(run->context_cycles);
    g_free(run->core_context);
    g_array_unref(run->app_origins);
    g_array_unref(run->policy_origins);
    run_mark_free(run->at_end);
    g_free(run->core_is_used);
    g_array_unref(run->epochs);
    g_ptr_array_unref(run->marks);
    g_clear_error(&run->error);
    g_free(run);
}

static void play_record(PfRun *run, const PfRecord *record, uint32_t number)
{
    switch ((PfRecordKind)record->kind) {
    case PF_RECORD_READ:
    case PF_RECORD_WRITE:
    case PF_RECORD_FETCH:
        run_play_access(run, record, number);
        return;
    case PF_RECORD_RUN:
        run_play_instructions(run, record);
        return;
    case PF_RECORD_TOUCH:
    case PF_RECORD_STATE:
    case PF_RECORD_FILL:
    case PF_RECORD_INIT:
    case PF_RECORD_DMA:
        run_play_pages(run, record, number);
        return;
    case PF_RECORD_IDLE:
        run_play_idle(run, record);
        return;
    case PF_RECORD_TIME:
        run_play_time(run, record);
        return;
    case PF_RECORD_SCAN:
        run_barrier(run, 0);
        run->is_barrier = true;
        pf_host_scan(run->host, record->count, (record->flags & PF_RECORD_SCAN_PASSES) != 0);
        run->is_barrier = false;
        return;
    case PF_RECORD_CONTROL:
        run_barrier(run, 0);
        run->is_barrier = true;
        pf_host_control(run->host, record->detail->name, record->detail->text);
        run->is_barrier = false;
        return;
    case PF_RECORD_BEGIN:
    case PF_RECORD_END:
        run_play_span(run, record);
        return;
    case PF_RECORD_MARK:
        run_play_mark(run, record);
        return;
    case PF_RECORD_GRAIN:
        set_grain(run, (PfGrain)record->count);
        pf_host_check_timing(run->host, &run->error);
        run->has_page_grain |= record->count == PF_GRAIN_PAGE;
        return;
    case PF_RECORD_CONTEXT:
    case PF_RECORD_MAP:
    case PF_RECORD_ALIAS:
    case PF_RECORD_FORK:
    case PF_RECORD_UNMAP:
    case PF_RECORD_REMAP:
    case PF_RECORD_ADVISE:
    case PF_RECORD_ATTR:
    case PF_RECORD_EXIT:
        run_play_structural(run, record);
        return;
    case PF_RECORD_KINDS:
        break;
    }
    g_assert_not_reached();
}

void pf_run_play(PfRun *run, const PfRecordBlock *block, uint32_t from, uint32_t to)
{
    if (run->error != NULL)
        return;
    pf_memory_sync(&run->memory);
    run->notes = pf_image_notes(run->image);
    run->events = pf_image_events(run->image);
    uint64_t baseline = pf_image_baseline_frames(run->image);
    int32_t delta = 0;
    for (uint32_t i = from; i < to && run->error == NULL; i++) {
        const PfNote *note = &run->notes[i];
        play_record(run, &block->records[i], i);
        run->memory.position = note->events_end;
        if (note->baseline_delta != delta) {
            delta = note->baseline_delta;
            pf_memory_set_baseline(&run->memory, (uint64_t)((int64_t)baseline + delta));
        }
    }
    /* A structural record's: not before the clock has come to where it takes effect. */
    pf_memory_set_baseline(&run->memory, (uint64_t)((int64_t)baseline + delta));
    bool continued = (block->records[from].flags & PF_RECORD_CONTINUED) != 0;
    run->records += continued ? 0 : to - from;
    if (run->error != NULL)
        pf_host_take_census(run->host, false); /* its last: the image goes on without it */
    if (run->paranoid) {
        pf_machine_check(run->machine);
        run_check_ranks(run);
        pf_ledger_check(&run->ledger);
        pf_memory_check(&run->memory);
        pf_host_check(run->host);
    }
}

void pf_run_finish(PfRun *run)
{
    bool has_stock = run->held || run->error != NULL;
    if (run->feed != NULL)
        run_finish_dram(run);
    pf_memory_sync(&run->memory);
    if (run->error == NULL)
        run_barrier(run, 0);
    if (run->error == NULL && run->feed == NULL && !run->held)
        run_hold_on(run);
    pf_memory_integrate(&run->memory);
    run_sample_epoch(run, run->now_cycles);
    if (!has_stock)
        pf_host_take_census(run->host, run_tells_contexts(run));
    run_settle_bill(run);
    pf_ledger_check(&run->ledger);
    if (run->error == NULL)
        pf_host_check(run->host);
    if (!run->held)
        run_hold(run);
}
