/* Policies as what they can be tuned to, instead of as what one setting makes of them. */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "front.h"
#include "frontier.h"
#include "points.h"
#include "units.h"

static const char saved[] = "memory.net_saved_bytes";
static const char cycles[] = "cycles.policy";

/* Adds a panel of the rows whose trace (-1: there is but one) is that of ROW. */
static void add_panel(PfChart *chart, PfCsv *csv, int trace, guint row, bool units)
{
    g_autofree char *name = trace >= 0 ? pf_points_trace(csv, trace, row) : g_strdup("");
    PfPanel *panel = pf_chart_add_panel(
        chart, name,
        (PfAxis){"policy_cycles", "cycles of the policy", PF_UNIT_COUNT, .logarithmic = true},
        (PfAxis){"net_saved_MiB", "net saved", PF_UNIT_MIB, .whole = true});
    g_autoptr(PfFront) front = pf_front_new();
    int here = pf_csv_column(csv, "here");
    for (guint i = 0; i < csv->rows->len; i++) {
        double price = pf_csv_number(csv, i, pf_csv_column(csv, cycles));
        double mib = pf_csv_number(csv, i, pf_csv_column(csv, saved)) / (double)PF_MIB;
        if (trace >= 0 && strcmp(pf_csv_text(csv, i, trace), pf_csv_text(csv, row, trace)) != 0)
            mib = (double)NAN;
        pf_csv_set_number(csv, i, here, mib);
        if (price > 0.0 && isfinite(mib))
            pf_front_add(front, price, mib);
    }
    pf_points_add(csv, panel,
                  &(PfPointsLook){.x_axis = -1,
                                  .x_stat = cycles,
                                  .y_stat = "here",
                                  .x_factor = 1.0,
                                  .y_factor = 1.0,
                                  .style = PF_STYLE_MARKED,
                                  .naming = PF_NAME_LAST,
                                  .units = units});
    pf_front_draw(front, panel, trace >= 0 ? PF_NAME_NOT : PF_NAME_LAST);
}

static bool draw(PfSheet *sheet, GError **error)
{
    enum { TRACES_MAX = 12 };
    g_autoptr(PfCsv) csv = pf_sheet_table(sheet, sheet->figure->source, error);
    if (csv == NULL)
        return false;
    if (!pf_points_has(csv, saved) || !pf_points_has(csv, cycles))
        return pf_sheet_lacks(sheet, error,
                              "no point with memory saved; sweep over the rates of policies");
    int trace = pf_points_axis(csv, "trace");
    bool has_rates = false;
    for (guint i = 0; i < pf_points_axes(csv); i++)
        has_rates |= pf_frontier_is_rate(csv->names->pdata[i]);
    g_autoptr(PfChart) chart = pf_chart_new(
        &(PfChartLook){.title = trace >= 0 ? "Memory saved against its price (grey: Pareto front)"
                                           : "Memory saved against its price",
                       .series = "policy",
                       .panel = trace >= 0 ? "trace" : NULL,
                       .columns = 1});
    guint panels = 0;
    pf_csv_add_column(csv, "here");
    for (guint i = 0; i < csv->rows->len; i++)
        if (i == 0 || (trace >= 0 && pf_points_place(csv, trace, i) == panels)) {
            if (panels++ == TRACES_MAX)
                return pf_sheet_lacks(sheet, error, "more than 12 traces; sweep over fewer");
            add_panel(chart, csv, trace, i, has_rates);
        }
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_frontiers = {
    .name = "frontiers",
    .summary = "net memory saved against the policy's cycles over the points of a sweep, a panel a "
               "trace and a line a policy, with the Pareto front",
    .source = "results.csv",
    .draw = draw,
};
