/* Why is what is not shared not shared? */
#include <string.h>

#include "bars.h"

/* From the reason that nothing can be done about to the one that time will mend. */
static const PfPart reasons[] = {
    {"shared", NULL, "#009E73"},
    {"unique", NULL, "#e2e2e2"},
    {"kind", NULL, "#c9c9c9"},
    {"pinned", NULL, "#aeaeae"},
    {"large", "part of a large page", "#8c8c8c"},
    {"not_mergeable", "not offered", "#4f4f4f"},
    {"class", NULL, "#CC79A7"},
    {"limit", NULL, "#000000"},
    {"volatile", NULL, "#D55E00"},
    {"not_reached", "not reached", "#56B4E9"},
};

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    if (saved == NULL)
        return false;
    g_autofree char *title = pf_sheet_title("Why pages are not shared", saved);
    g_autoptr(PfBars) bars = pf_bars_new(&(PfBarsLook){
        .title = title,
        .columns = "policy,reason,pages",
        .axis = "populated pages",
        .axis_note = " at the end",
        .unit = PF_UNIT_COUNT,
        .no_sums = true,
        .parts = reasons,
        .part_count = G_N_ELEMENTS(reasons),
    });
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        const PfSavedStat *shared = pf_saved_find(run, "reason.shared");
        /* A bound maps nothing and has no reasons; `none` has one for all pages. */
        if (strcmp(run->policy, "none") == 0 || shared == NULL || !shared->defined)
            continue;
        pf_bars_add_row(bars, run->policy, run->remark);
        for (size_t r = 0; r < G_N_ELEMENTS(reasons); r++) {
            g_autofree char *name = g_strconcat("reason.", reasons[r].name, NULL);
            pf_bars_add(bars, r, pf_sheet_stat(run, name));
        }
        double populated = pf_sheet_stat(run, "memory.populated_pages");
        g_autofree char *rest =
            g_strdup_printf("%.0f %% shared", 100.0 * shared->number / MAX(populated, 1.0));
        pf_bars_end(bars, rest);
    }
    if (!(pf_bars_most(bars) > 0.0))
        return pf_sheet_lacks(sheet, error,
                              "no policy has reasons to tell; put one beside `none` and `oracle` "
                              "into `policies`");
    pf_bars_draw(bars, sheet);
    return true;
}

const PfFigure pf_figure_reasons = {
    .name = "reasons",
    .summary = "why pages are not shared, one stacked bar a policy",
    .source = "stats.json",
    .draw = draw,
};
