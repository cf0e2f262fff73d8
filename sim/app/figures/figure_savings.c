/* How much memory does each policy save, and when? */
#include <string.h>

#include "chart.h"
#include "error.h"
#include "units.h"

/* The rows of the run labelled POLICY, in order. */
static void add_run(PfSeries *series, const PfSaved *saved, const PfCsv *epochs, const char *policy)
{
    int name = pf_csv_column(epochs, "policy");
    int cycle = pf_csv_column(epochs, "cycle");
    int pages = pf_csv_column(epochs, "memory.saved_pages");
    for (guint i = 0; i < epochs->rows->len; i++)
        if (strcmp(pf_csv_text(epochs, i, name), policy) == 0)
            pf_series_add(series, pf_csv_number(epochs, i, cycle) / (double)saved->clock_hz,
                          pf_csv_number(epochs, i, pages) * (double)saved->page_bytes /
                              (double)PF_MIB);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    g_autoptr(PfCsv) epochs = saved != NULL ? pf_sheet_table(sheet, "epochs.csv", error) : NULL;
    if (epochs == NULL)
        return false;
    if (epochs->rows->len == 0 || pf_csv_column(epochs, "memory.saved_pages") < 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: no memory saved to draw", epochs->path);
        return false;
    }
    g_autofree char *title = pf_sheet_title("Memory saved", saved);
    g_autoptr(PfChart) chart = pf_chart_new(&(PfChartLook){.title = title, .series = "policy"});
    PfPanel *panel = pf_chart_add_panel(
        chart, "", (PfAxis){"time_s", "simulated time", PF_UNIT_SECONDS, .whole = true},
        (PfAxis){"saved_MiB", "memory saved", PF_UNIT_MIB, .whole = true});
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        g_autofree char *label = pf_sheet_label(run);
        add_run(pf_panel_add_series(panel, run->policy, label, pf_sheet_number(saved, i),
                                    PF_STYLE_LINE, PF_NAME_END),
                saved, epochs, run->policy);
    }
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_savings = {
    .name = "savings",
    .summary = "memory saved over simulated time, one line a policy",
    .source = "epochs.csv",
    .draw = draw,
};
