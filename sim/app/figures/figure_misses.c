/* Who misses in the last cache? */
#include <string.h>

#include "bars.h"

static const PfPart requesters[] = {
    {"demand", "contexts", "#c9c9c9"},
    {"walker", "page walks", "#8c8c8c"},
    {"policy", NULL, "#0072B2"},
};

/* The name of the last cache, which is registered first; NULL where none is simulated. */
static char *last_cache(const PfSavedRun *run)
{
    static const char prefix[] = "cache.";
    static const char suffix[] = ".misses_demand";
    for (guint i = 0; i < run->stats->len; i++) {
        const char *name = g_array_index(run->stats, PfSavedStat, i).name;
        if (g_str_has_prefix(name, prefix) && g_str_has_suffix(name, suffix))
            return g_strndup(name + strlen(prefix),
                             strlen(name) - strlen(prefix) - strlen(suffix));
    }
    return NULL;
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    if (saved == NULL)
        return false;
    g_autofree char *cache = saved->runs->len > 0 ? last_cache(saved->runs->pdata[0]) : NULL;
    g_autofree char *title = pf_sheet_title("Who misses in the last cache", saved);
    g_autofree char *axis = g_strdup_printf("misses of %s", cache);
    g_autoptr(PfBars) bars = pf_bars_new(&(PfBarsLook){
        .title = title,
        .columns = "policy,requester,misses",
        .axis = axis,
        .unit = PF_UNIT_COUNT,
        .parts = requesters,
        .part_count = G_N_ELEMENTS(requesters),
    });
    for (guint i = 0; i < saved->runs->len && cache != NULL; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        pf_bars_add_row(bars, run->policy, run->remark);
        for (size_t r = 0; r < G_N_ELEMENTS(requesters); r++) {
            g_autofree char *name =
                g_strdup_printf("cache.%s.misses_%s", cache, requesters[r].name);
            pf_bars_add(bars, r, pf_sheet_stat(run, name));
        }
        pf_bars_end(bars, NULL);
    }
    if (!(pf_bars_most(bars) > 0.0))
        return pf_sheet_lacks(sheet, error,
                              "no cache missed; play a trace of grain access with machine.timing "
                              "= \"full\" and machine.caches");
    pf_bars_draw(bars, sheet);
    return true;
}

const PfFigure pf_figure_misses = {
    .name = "misses",
    .summary = "misses of the last cache by requester, one stacked bar a policy",
    .source = "stats.json",
    .draw = draw,
};
