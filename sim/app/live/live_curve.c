#include "live_curve.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "live_host.h"
#include "live_scenario.h"
#include "simulation.h"
#include "trace.h"
#include "units.h"

/* ksmd's sleep between batches is the kernel's standard. */
enum { SLEEP_MILLISECS = 20, PASSES = 3, SECONDS_MAX = 300, POINTS_A_SECOND = 10 };

#define CYCLES_PER_MS 2.6e6 /* of the standard machine */

static const PfCurvePoint *point_at(const GArray *curve, guint index)
{
    return &g_array_index(curve, PfCurvePoint, index);
}

/* ---- The kernel ---- */

typedef struct {
    const PfCurveCase *of;
    GArray *curve;
} Watch;

static bool look(PfKsm *ksm, const Watch *watch, const PfKsmProgress *begun, gint64 begun_us,
                 PfKsmProgress *ret_now, GError **error)
{
    if (!pf_ksm_progress(ksm, ret_now, error))
        return false;
    PfCurvePoint point = {
        .seconds = (double)(g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC,
        .scanned_pages = ret_now->scanned_pages - begun->scanned_pages,
        .sharing_pages = ret_now->sharing_pages,
        .cpu_ms = (double)(ret_now->cpu_ns - begun->cpu_ns) * 1e-6,
    };
    g_array_append_val(watch->curve, point);
    return true;
}

static bool watch_kernel(PfKsm *ksm, void *user, GError **error)
{
    Watch *watch = user;
    PfKsmProgress begun;
    PfKsmProgress now;
    if (!pf_ksm_progress(ksm, &begun, error) ||
        !pf_ksm_let_run(ksm, watch->of->pages_to_scan, SLEEP_MILLISECS, error))
        return false;
    gint64 begun_us = g_get_monotonic_time();
    for (gint64 second = 1; second <= SECONDS_MAX; second++) {
        gint64 left_us = begun_us + second * G_USEC_PER_SEC - g_get_monotonic_time();
        if (left_us > 0)
            g_usleep((gulong)left_us);
        if (pf_live_host_interrupted(watch->of->interrupted, error) ||
            !look(ksm, watch, &begun, begun_us, &now, error))
            return false;
        if (now.passes >= begun.passes + PASSES)
            break;
    }
    return true;
}

GArray *pf_curve_live(PfKsm *ksm, const PfCurveCase *of, GError **error)
{
    g_autoptr(GArray) curve = g_array_new(FALSE, FALSE, sizeof(PfCurvePoint));
    Watch watch = {.of = of, .curve = curve};
    if (!pf_live_play_to_mark(ksm, of->trace, of->interrupted, watch_kernel, &watch, error))
        return NULL;
    return g_steal_pointer(&curve);
}

/* ---- The model ---- */

/* Copies READER's records to WRITER up to the first mark. */
static bool copy_to_mark(PfTrace *reader, PfTraceWriter *writer, GError **error)
{
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (;;) {
        PfTraceStatus status = pf_trace_read(reader, block, error);
        if (status != PF_TRACE_RECORDS)
            return status == PF_TRACE_END;
        for (guint i = 0; i < block->contents->len; i++) {
            uint32_t number =
                pf_trace_writer_content(writer, &g_array_index(block->contents, PfContentSpec, i));
            g_array_append_val(numbers, number);
        }
        for (uint32_t i = 0; i < block->count; i++) {
            PfRecord record = block->records[i];
            if (record.kind == PF_RECORD_MARK)
                return true;
            if (record.content != PF_TRACE_NO_CONTENT)
                record.content = g_array_index(numbers, uint32_t, record.content);
            pf_trace_writer_add(writer, &record);
        }
    }
}

/* ksmd begins, and there is a mark after each tenth of a second of SECONDS. */
static void add_marks(PfTraceWriter *writer, double seconds)
{
    static const PfTraceDetail run = {.name = "ksm.run", .text = "1"};
    static const PfTraceDetail mark = {.name = "tenth"};
    const PfRecord start = {
        .kind = PF_RECORD_CONTROL, .detail = &run, .content = PF_TRACE_NO_CONTENT};
    const PfRecord idle = {.kind = PF_RECORD_IDLE,
                           .count = PF_PS_PER_SECOND / POINTS_A_SECOND,
                           .content = PF_TRACE_NO_CONTENT};
    const PfRecord look = {.kind = PF_RECORD_MARK, .detail = &mark, .content = PF_TRACE_NO_CONTENT};
    pf_trace_writer_add(writer, &start);
    for (double tenth = 0; tenth < seconds * POINTS_A_SECOND + 1; tenth++) {
        pf_trace_writer_add(writer, &idle);
        pf_trace_writer_add(writer, &look);
    }
}

static bool write_trace(const PfCurveCase *of, double seconds, const char *path, GError **error)
{
    g_autoptr(PfTrace) reader = pf_trace_open(of->trace, NULL, error);
    if (reader == NULL)
        return false;
    PfTraceHeader header = *pf_trace_header(reader);
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, PF_TRACE_BINARY, &header, error);
    if (writer == NULL || !copy_to_mark(reader, writer, error))
        return false;
    add_marks(writer, seconds);
    return pf_trace_writer_finish(writer, error);
}

static void take_stat(const PfStatInfo *info, PfStatValue value, void *user)
{
    PfCurvePoint *point = user;
    if (g_str_equal(info->name, "ksm.pages_scanned"))
        point->scanned_pages = (int64_t)value.u;
    else if (g_str_equal(info->name, "ksm.pages_sharing"))
        point->sharing_pages = (int64_t)value.u;
    else if (g_str_equal(info->name, "ksm.busy_cycles"))
        point->cpu_ms = (double)value.u / CYCLES_PER_MS;
}

static GArray *take_curve(const PfSimulation *simulation)
{
    GArray *curve = g_array_new(FALSE, FALSE, sizeof(PfCurvePoint));
    const PfRun *run = NULL;
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++)
        if (g_str_equal(pf_run_policy(pf_simulation_run_at(simulation, i)), "ksm"))
            run = pf_simulation_run_at(simulation, i);
    g_assert(run != NULL);
    for (size_t i = 0; i < pf_run_mark_count(run); i++) {
        PfCurvePoint point = {.seconds = (double)(i + 1) / POINTS_A_SECOND};
        pf_run_mark_visit(run, i, take_stat, &point);
        g_array_append_val(curve, point);
    }
    return curve;
}

static GArray *simulate(const PfRegistry *registry, const PfCurveCase *of, const char *path,
                        GError **error)
{
    g_autofree char *text =
        g_strdup_printf("timing = \"costs\"; policies = ( { name = \"ksm\"; run = 0; "
                        "pages_to_scan = %" G_GUINT64_FORMAT "; sleep_millisecs = %d; } );\n",
                        of->pages_to_scan, SLEEP_MILLISECS);
    g_autofree char *costs = g_strconcat("machine.costs.preset=", of->costs, NULL);
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "validate", NULL, error);
    if (config == NULL || !pf_config_override(config, costs, error))
        return NULL;
    PfSimulationOptions how = {.threads = 1, .trace = path, .interrupted = of->interrupted};
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &how, error);
    if (simulation == NULL || !pf_simulation_run(simulation, error))
        return NULL;
    return take_curve(simulation);
}

GArray *pf_curve_model(const PfRegistry *registry, const PfCurveCase *of, double seconds,
                       GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-validate-XXXXXX", error);
    if (folder == NULL)
        return NULL;
    g_autofree char *path = g_build_filename(folder, "curve.pft", NULL);
    GArray *curve =
        write_trace(of, seconds, path, error) ? simulate(registry, of, path, error) : NULL;
    g_unlink(path);
    g_rmdir(folder);
    return curve;
}

/* ---- The comparison ---- */

static double seconds_of(const PfCurvePoint *point)
{
    return point->seconds;
}

static double scanned_of(const PfCurvePoint *point)
{
    return (double)point->scanned_pages;
}

static double between(double a, double b, double share)
{
    return a + (b - a) * share;
}

/* CURVE where its MEASURE, which never falls, is WHERE, on a line from 0 or between two points. */
static PfCurvePoint point_where(const GArray *curve, double (*measure)(const PfCurvePoint *),
                                double where)
{
    PfCurvePoint before = {0};
    for (guint i = 0; i < curve->len; i++) {
        PfCurvePoint after = *point_at(curve, i);
        if (measure(&after) < where) {
            before = after;
            continue;
        }
        double step = measure(&after) - measure(&before);
        double share = step > 0 ? (where - measure(&before)) / step : 1;
        return (PfCurvePoint){
            .seconds = between(before.seconds, after.seconds, share),
            .scanned_pages =
                (int64_t)between((double)before.scanned_pages, (double)after.scanned_pages, share),
            .sharing_pages =
                (int64_t)between((double)before.sharing_pages, (double)after.sharing_pages, share),
            .cpu_ms = between(before.cpu_ms, after.cpu_ms, share),
        };
    }
    return before;
}

GArray *pf_curve_at_times(const GArray *model, const GArray *live)
{
    GArray *curve = g_array_new(FALSE, FALSE, sizeof(PfCurvePoint));
    for (guint i = 0; i < live->len; i++) {
        PfCurvePoint point = point_where(model, seconds_of, point_at(live, i)->seconds);
        g_array_append_val(curve, point);
    }
    return curve;
}

PfCurveDistance pf_curve_compare(const GArray *model, const GArray *live)
{
    PfCurveDistance distance = {0};
    g_assert(live->len > 0);
    const PfCurvePoint *end = point_at(live, live->len - 1);
    double all = MAX(1.0, (double)end->sharing_pages);
    for (guint i = 0; i < live->len; i++) {
        const PfCurvePoint *point = point_at(live, i);
        PfCurvePoint then = point_where(model, seconds_of, point->seconds);
        PfCurvePoint there = point_where(model, scanned_of, (double)point->scanned_pages);
        double by_time = fabs((double)(then.sharing_pages - point->sharing_pages)) / all;
        double by_pages = fabs((double)(there.sharing_pages - point->sharing_pages)) / all;
        distance.time_percent = fmax(distance.time_percent, 100 * by_time);
        distance.scanned_percent = fmax(distance.scanned_percent, 100 * by_pages);
    }
    PfCurvePoint last = point_where(model, scanned_of, (double)end->scanned_pages);
    distance.final_percent = 100 * ((double)last.sharing_pages / all - 1);
    distance.cpu_percent = 100 * (last.cpu_ms / fmax(end->cpu_ms, 1e-3) - 1);
    return distance;
}
