#include "workload.h"

#include "error.h"
#include "workload_maker.h"

/* How often the caller is asked and told, in steps. */
enum { STEPS_PER_POLL = 4096 };

void pf_maker_add(PfMaker *maker, PfRecord record)
{
    pf_trace_writer_add(maker->writer, &record);
    maker->progress.records++;
}

bool pf_maker_advance(PfMaker *maker, uint64_t steps)
{
    uint64_t before = maker->progress.steps / STEPS_PER_POLL;
    maker->progress.steps += steps;
    if (maker->progress.steps / STEPS_PER_POLL == before)
        return true;
    const PfWorkloadOptions *options = maker->options;
    if (options->progress != NULL)
        options->progress(&maker->progress, options->user);
    return options->interrupted == NULL ||
           __atomic_load_n(options->interrupted, __ATOMIC_RELAXED) == 0;
}

static bool play_phase(PfMaker *maker, const PfWorkloadPhase *phase, guint number)
{
    uint64_t start_ps = maker->progress.time_ps;
    if (!pf_maker_play(maker, phase, number, start_ps))
        return false;
    PfRecord plain = {.context = PF_TRACE_NO_CONTEXT, .content = PF_TRACE_NO_CONTENT};
    PfRecord scan = plain;
    scan.kind = PF_RECORD_SCAN;
    scan.count = phase->scan_pages;
    if (scan.count > 0)
        pf_maker_add(maker, scan);
    scan.count = phase->scan_passes;
    scan.flags = PF_RECORD_SCAN_PASSES;
    if (scan.count > 0)
        pf_maker_add(maker, scan);
    PfTraceDetail label = {.name = phase->mark, .node = -1, .core = -1};
    PfRecord mark = plain;
    mark.kind = PF_RECORD_MARK;
    mark.detail = &label;
    if (phase->mark != NULL)
        pf_maker_add(maker, mark);
    return true;
}

char *pf_workload_describe(const PfWorkload *workload, const char *version)
{
    return g_strdup_printf("{\"source\": \"synthetic workload\", \"program\": \"pagefold %s\", "
                           "\"seed\": %" G_GUINT64_FORMAT "}",
                           version, workload->seed);
}

bool pf_workload_write(const PfWorkload *workload, PfTraceWriter *writer,
                       const PfWorkloadOptions *options, GError **error)
{
    g_autofree PfMakerContext *contexts = g_new0(PfMakerContext, workload->contexts);
    g_autofree uint8_t *bytes = g_malloc(workload->page_bytes);
    PfMaker maker = {.workload = workload,
                     .writer = writer,
                     .options = options,
                     .contexts = contexts,
                     .bytes = bytes,
                     .next_id = workload->next_id};
    pf_maker_add(&maker, (PfRecord){.kind = PF_RECORD_GRAIN,
                                    .count = workload->has_reads ? PF_GRAIN_ACCESS
                                                                 : PF_GRAIN_PAGE,
                                    .context = PF_TRACE_NO_CONTEXT,
                                    .content = PF_TRACE_NO_CONTENT});
    bool goes_on = pf_maker_lay_out(&maker);
    for (guint i = 0; goes_on && i < workload->phases->len; i++)
        goes_on = play_phase(&maker, &g_array_index(workload->phases, PfWorkloadPhase, i), i);
    if (!goes_on)
        g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted; nothing is kept");
    return goes_on;
}
