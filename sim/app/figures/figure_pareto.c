/* Which policies save more than every other that costs no more? */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "front.h"
#include "units.h"

/* What a policy costs. */
typedef struct {
    PfAxis axis;
    const char *stat;
} Cost;

/* Slowdown if all runs know it, else the policy's cycles; logarithmic where these differ much. */
static Cost choose_cost(const PfSaved *saved)
{
    double least = HUGE_VAL;
    double most = 0.0;
    bool has_slowdown = true;
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        double cycles = pf_sheet_stat(run, "cycles.policy");
        has_slowdown &= isfinite(pf_sheet_stat(run, "slowdown"));
        least = cycles > 0.0 ? MIN(least, cycles) : least;
        most = isfinite(cycles) ? MAX(most, cycles) : most;
    }
    if (has_slowdown)
        return (Cost){{"slowdown", "slowdown of the contexts (ratio)", PF_UNIT_PLAIN, false, false},
                      "slowdown"};
    return (Cost){{"policy_cycles", "cycles of the policy", PF_UNIT_COUNT, most > least * PF_MUCH,
                   true},
                  "cycles.policy"};
}

static bool is_bound(const PfSavedRun *run)
{
    return !isfinite(pf_sheet_stat(run, "memory.peak_frames"));
}

static double net_mib(const PfSavedRun *run)
{
    return pf_sheet_stat(run, "memory.net_saved_bytes") / (double)PF_MIB;
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    if (saved == NULL)
        return false;
    Cost cost = choose_cost(saved);
    g_autofree char *title = pf_sheet_title("Memory saved against its price", saved);
    g_autoptr(PfChart) chart = pf_chart_new(&(PfChartLook){.title = title, .series = "policy"});
    PfPanel *panel = pf_chart_add_panel(
        chart, "", cost.axis,
        (PfAxis){"net_saved_MiB", "net memory saved", PF_UNIT_MIB, .whole = true});
    g_autoptr(PfFront) front = pf_front_new();
    size_t drawn = 0;
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        double x = pf_sheet_stat(run, cost.stat);
        double y = net_mib(run);
        if (is_bound(run) && isfinite(y))
            pf_panel_add_level(panel, y, run->policy);
        if (is_bound(run) || !isfinite(x) || !isfinite(y) || (cost.axis.logarithmic && !(x > 0.0)))
            continue;
        g_autofree char *label = pf_sheet_label(run);
        pf_series_add(pf_panel_add_series(panel, run->policy, label, pf_sheet_number(saved, i),
                                          PF_STYLE_POINTS, PF_NAME_BESIDE),
                      x, y);
        pf_front_add(front, x, y);
        drawn++;
    }
    if (drawn == 0)
        return pf_sheet_lacks(sheet, error,
                              "no policy with a price; put one beside `oracle` into `policies`");
    pf_front_draw(front, panel);
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_pareto = {
    .name = "pareto",
    .summary = "net memory saved against slowdown, or the policy's cycles where that is not known, "
               "with the Pareto front",
    .source = "stats.json",
    .draw = draw,
};
