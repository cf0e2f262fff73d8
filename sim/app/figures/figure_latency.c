/* How long do reads of DRAM take, and the slowest of them? */
#include <math.h>

#include "chart.h"
#include "distributions.h"

/* Each quantile q stands at 1 / (1 - q) of a logarithmic axis, so that the tail has as much room as
 * the bulk. The last point is that of the slowest but none. */
static void add_quantiles(PfSeries *series, const GArray *buckets)
{
    double all = pf_buckets_count(buckets);
    double below = 0.0;
    for (guint i = 0; i < buckets->len; i++) {
        const PfBucket *bucket = &g_array_index(buckets, PfBucket, i);
        pf_series_add(series, all / (all - below), bucket->most);
        below += bucket->count;
    }
}

static bool draw(PfSheet *sheet, GError **error)
{
    static const struct {
        double place;
        const char *name;
    } tics[] = {{1, "0 %"},          {2, "50 %"},          {10, "90 %"},
                {100, "99 %"},       {1000, "99.9 %"},     {10000, "99.99 %"},
                {100000, "99.999 %"}, {1000000, "99.9999 %"}};
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    g_autoptr(PfCsv) csv =
        saved != NULL ? pf_sheet_table(sheet, sheet->figure->source, error) : NULL;
    if (csv == NULL)
        return false;
    g_autofree char *title = pf_sheet_title("Latency of reads from DRAM", saved);
    g_autoptr(PfChart) chart = pf_chart_new(&(PfChartLook){.title = title, .series = "policy"});
    PfPanel *panel = pf_chart_add_panel(
        chart, "", (PfAxis){"one_in", "share of the reads that were faster", .logarithmic = true},
        (PfAxis){"latency_ns", "latency (ns)", PF_UNIT_PLAIN, .whole = true});
    double most = 0.0;
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        g_autoptr(GArray) buckets = pf_buckets_of(csv, run->policy, "dram.read_latency_ns");
        if (buckets->len == 0)
            continue;
        g_autofree char *label = pf_sheet_label(run);
        add_quantiles(pf_panel_add_series(panel, run->policy, label, pf_sheet_number(saved, i),
                                          PF_STYLE_STEPS, PF_NAME_END),
                      buckets);
        most = MAX(most, pf_buckets_count(buckets));
    }
    if (!(most > 0.0))
        return pf_sheet_lacks(sheet, error, "nothing was read from a simulated DRAM; play a trace "
                                            "of grain access with machine.timing = \"full\"");
    for (size_t i = 0; i < G_N_ELEMENTS(tics) && (i < 4 || tics[i].place <= most); i++)
        pf_panel_add_tic(panel, tics[i].place, tics[i].name);
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_latency = {
    .name = "latency",
    .summary = "latency of reads from DRAM by quantile, a line a policy",
    .source = "distributions.csv",
    .draw = draw,
};
