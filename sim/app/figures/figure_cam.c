/* What does a CAM of this size save, and at what price? */
#include <math.h>

#include "chart.h"
#include "points.h"
#include "units.h"

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfCsv) csv = pf_sheet_table(sheet, sheet->figure->source, error);
    if (csv == NULL)
        return false;
    int axis = pf_points_axis(csv, "machine.cam.entries");
    axis = axis >= 0 ? axis : pf_points_axis(csv, "machine.cam.");
    if (axis < 0 || !pf_points_has(csv, "memory.net_saved_bytes"))
        return pf_sheet_lacks(sheet, error,
                              "no axis of the CAM; sweep over machine.cam.entries, for example");
    const char *key = csv->names->pdata[axis];
    bool numeric = pf_points_above(csv, axis, -HUGE_VAL);
    bool logarithmic = pf_points_above(csv, axis, 0.0);
    bool whole = pf_points_has(csv, "energy.total_J");
    const struct {
        const char *name;
        PfAxis y;
        const char *stat;
        double factor;
    } panels[] = {
        {"savings", {"net_saved_MiB", "net saved", PF_UNIT_MIB, .whole = true},
         "memory.net_saved_bytes", 1.0 / (double)PF_MIB},
        {"price", {"policy_cycles", "policy's cycles", PF_UNIT_COUNT, .whole = true},
         "cycles.policy", 1.0},
        {"energy",
         {"energy_J", whole ? "energy of all" : "energy of the CAM", PF_UNIT_JOULES, .whole = true},
         whole ? "energy.total_J" : "cam.energy_J", 1.0},
    };
    g_autofree char *title = g_strdup_printf("Savings, price and energy by %s", key);
    g_autoptr(PfChart) chart = pf_chart_new(
        &(PfChartLook){.title = title, .series = "policy", .panel = "panel", .columns = 1});
    for (size_t i = 0; i < G_N_ELEMENTS(panels); i++) {
        PfAxis y = panels[i].y;
        y.logarithmic = i > 0 && pf_points_spread(csv, panels[i].stat) > PF_MUCH;
        PfPanel *panel = pf_chart_add_panel(
            chart, panels[i].name,
            (PfAxis){numeric ? key : "place", key, PF_UNIT_PLAIN, .logarithmic = logarithmic}, y);
        pf_points_add(csv, panel,
                      &(PfPointsLook){.x_axis = axis,
                                      .tics = true,
                                      .y_stat = panels[i].stat,
                                      .x_factor = 1.0,
                                      .y_factor = panels[i].factor,
                                      .style = PF_STYLE_MARKED,
                                      .naming = PF_NAME_END});
    }
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_cam = {
    .name = "cam",
    .summary = "savings, cycles and energy by size of the CAM (results of `sweep`)",
    .source = "results.csv",
    .draw = draw,
};
