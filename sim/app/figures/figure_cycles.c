/* What does each policy cost, and where do the cycles go? */
#include <math.h>
#include <string.h>

#include "bars.h"

/* In the order of the bars. What programs do whoever looks after their memory is grey; what sharing
 * costs has the colours of Okabe and Ito. */
static const PfPart accounts[] = {
    {"compute", NULL, "#e2e2e2"}, {"memory", NULL, "#c9c9c9"},    {"walk", NULL, "#aeaeae"},
    {"fault", NULL, "#8c8c8c"},   {"system", NULL, "#6e6e6e"},    {"swap", NULL, "#4f4f4f"},
    {"break", NULL, "#D55E00"},   {"shootdown", NULL, "#CC79A7"}, {"scan", NULL, "#56B4E9"},
    {"hash", NULL, "#0072B2"},    {"lookup", NULL, "#009E73"},    {"compare", NULL, "#E69F00"},
    {"merge", NULL, "#F0E442"},   {"lock", NULL, "#000000"},
};

static void add_run(PfBars *bars, const PfSavedRun *run)
{
    pf_bars_add_row(bars, run->policy, run->remark);
    for (size_t i = 0; i < G_N_ELEMENTS(accounts); i++) {
        g_autofree char *name = g_strconcat("cycles.account.", accounts[i].name, NULL);
        pf_bars_add(bars, i, pf_sheet_stat(run, name));
    }
    double slowdown = pf_sheet_stat(run, "slowdown");
    bool is_slowed = isfinite(slowdown) && strcmp(run->policy, "none") != 0;
    g_autofree char *rest = g_strdup_printf(" (\303\227%.3f)", slowdown);
    pf_bars_end(bars, is_slowed ? rest : NULL);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    if (saved == NULL)
        return false;
    g_autofree char *title = pf_sheet_title("Where the cycles go", saved);
    bool has_slowdown = false;
    for (guint i = 0; i < saved->runs->len; i++)
        has_slowdown |= isfinite(pf_sheet_stat(saved->runs->pdata[i], "slowdown"));
    g_autoptr(PfBars) bars = pf_bars_new(&(PfBarsLook){
        .title = title,
        .columns = "policy,account,cycles",
        .axis = "cycles charged",
        .axis_note = has_slowdown ? "; in brackets: slowdown of the contexts" : NULL,
        .unit = PF_UNIT_COUNT,
        .parts = accounts,
        .part_count = G_N_ELEMENTS(accounts),
    });
    for (guint i = 0; i < saved->runs->len; i++)
        add_run(bars, saved->runs->pdata[i]);
    if (!(pf_bars_most(bars) > 0.0))
        return pf_sheet_lacks(sheet, error, "no cycles were charged; play a trace that does "
                                            "something, under a policy that has the time to");
    pf_bars_draw(bars, sheet);
    return true;
}

const PfFigure pf_figure_cycles = {
    .name = "cycles",
    .summary = "cycles by account, one stacked bar a policy",
    .source = "stats.json",
    .draw = draw,
};
