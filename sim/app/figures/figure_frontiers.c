/* Policies as what they can be tuned to, instead of as what one setting makes of them. */
#include <math.h>

#include "chart.h"
#include "front.h"
#include "points.h"
#include "units.h"

static bool draw(PfSheet *sheet, GError **error)
{
    static const char saved[] = "memory.net_saved_bytes";
    static const char cycles[] = "cycles.policy";
    g_autoptr(PfCsv) csv = pf_sheet_table(sheet, sheet->figure->source, error);
    if (csv == NULL)
        return false;
    if (!pf_points_has(csv, saved) || !pf_points_has(csv, cycles))
        return pf_sheet_lacks(sheet, error,
                              "no point with memory saved; sweep over the rates of policies");
    g_autoptr(PfChart) chart = pf_chart_new(
        &(PfChartLook){.title = "Memory saved against its price, point by point of the sweep",
                       .series = "policy"});
    PfPanel *panel = pf_chart_add_panel(
        chart, "",
        (PfAxis){"policy_cycles", "cycles of the policy", PF_UNIT_COUNT, .logarithmic = true},
        (PfAxis){"net_saved_MiB", "net memory saved", PF_UNIT_MIB, .whole = true});
    g_autoptr(PfFront) front = pf_front_new();
    int x = pf_csv_column(csv, cycles);
    int y = pf_csv_column(csv, saved);
    for (guint i = 0; i < csv->rows->len; i++) {
        double price = pf_csv_number(csv, i, x);
        double mib = pf_csv_number(csv, i, y) / (double)PF_MIB;
        if (price > 0.0 && isfinite(mib))
            pf_front_add(front, price, mib);
    }
    pf_points_add(csv, panel,
                  &(PfPointsLook){.x_axis = -1,
                                  .x_stat = cycles,
                                  .y_stat = saved,
                                  .x_factor = 1.0,
                                  .y_factor = 1.0 / (double)PF_MIB,
                                  .style = PF_STYLE_MARKED,
                                  .naming = PF_NAME_LAST});
    pf_front_draw(front, panel);
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_frontiers = {
    .name = "frontiers",
    .summary = "net memory saved against the policy's cycles over the points of a sweep, a line a "
               "policy, with the Pareto front",
    .source = "results.csv",
    .draw = draw,
};
