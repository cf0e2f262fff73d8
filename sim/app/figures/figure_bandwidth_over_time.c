/* Who uses DRAM's bandwidth, and when? */
#include <math.h>
#include <string.h>

#include "chart.h"

static const struct {
    const char *name;
    const char *label;
    int number;
} requesters[] = {{"demand", "contexts", -1}, {"walker", "page walks", 1}, {"policy", "policy", 0}};

/* A row of epochs.csv that is of POLICY. */
typedef struct {
    double time_s;
    double bytes; /* since the start */
} Sample;

static GArray *samples_of(const PfCsv *epochs, const char *policy, const char *column,
                          double clock_hz)
{
    int policies = pf_csv_column(epochs, "policy");
    int cycles = pf_csv_column(epochs, "cycle");
    int bytes = pf_csv_column(epochs, column);
    GArray *samples = g_array_new(FALSE, FALSE, sizeof(Sample));
    for (guint i = 0; i < epochs->rows->len; i++) {
        Sample sample = {pf_csv_number(epochs, i, cycles) / clock_hz,
                         pf_csv_number(epochs, i, bytes)};
        if (strcmp(pf_csv_text(epochs, i, policies), policy) == 0 && isfinite(sample.bytes))
            g_array_append_val(samples, sample);
    }
    return samples;
}

/* What REQUESTER moved from row to row of POLICY, if that is anything. Returns whether it is. */
static bool add_series(PfPanel *panel, size_t requester, const PfCsv *epochs, const char *policy,
                       double clock_hz)
{
    g_autofree char *column = g_strconcat("dram.bytes_", requesters[requester].name, NULL);
    g_autoptr(GArray) samples = samples_of(epochs, policy, column, clock_hz);
    if (samples->len < 2 || !(g_array_index(samples, Sample, samples->len - 1).bytes > 0.0))
        return false;
    PfSeries *series =
        pf_panel_add_series(panel, requesters[requester].name, requesters[requester].label,
                            requesters[requester].number, PF_STYLE_LINE, PF_NAME_END);
    for (guint i = 1; i < samples->len; i++) {
        const Sample *from = &g_array_index(samples, Sample, i - 1);
        const Sample *to = &g_array_index(samples, Sample, i);
        if (to->time_s > from->time_s)
            pf_series_add(series, (from->time_s + to->time_s) / 2.0,
                          (to->bytes - from->bytes) / (to->time_s - from->time_s) / 1e9);
    }
    return true;
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    g_autoptr(PfCsv) epochs =
        saved != NULL ? pf_sheet_table(sheet, sheet->figure->source, error) : NULL;
    if (epochs == NULL)
        return false;
    g_autofree char *title = pf_sheet_title("Bandwidth of DRAM by requester", saved);
    enum { ONE_COLUMN_MAX = 4 };
    g_autoptr(PfChart) chart = pf_chart_new(
        &(PfChartLook){.title = title,
                       .series = "requester",
                       .panel = "policy",
                       .columns = saved->runs->len > ONE_COLUMN_MAX ? 2 : 1,
                       .same_y = true});
    bool has_any = false;
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        PfPanel *panel = pf_chart_add_panel(
            chart, run->policy,
            (PfAxis){"time_s", "simulated time", PF_UNIT_SECONDS, .whole = true},
            (PfAxis){"GBps", "rate", PF_UNIT_GBPS, .whole = true});
        for (size_t r = 0; r < G_N_ELEMENTS(requesters); r++)
            has_any |= add_series(panel, r, epochs, run->policy, (double)saved->clock_hz);
    }
    if (!has_any)
        return pf_sheet_lacks(sheet, error,
                              "nothing moved to or from a simulated DRAM; play a trace of grain "
                              "access with machine.timing = \"full\", and a shorter output.epoch");
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_bandwidth_over_time = {
    .name = "bandwidth-over-time",
    .summary = "bandwidth of DRAM over simulated time by requester, a panel a policy",
    .source = "epochs.csv",
    .draw = draw,
};
