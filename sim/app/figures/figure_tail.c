/* What did the slowest spans wait for? */
#include <math.h>
#include <string.h>

#include "bars.h"

static const PfPart waits[] = {
    {"other", "instructions and first touches", "#e2e2e2"},
    {"memory", NULL, "#aeaeae"},
    {"idle", NULL, "#6e6e6e"},
    {"break", "copies for stores", "#D55E00"},
    {"shootdown", NULL, "#CC79A7"},
    {"stolen", "the policy's work", "#0072B2"},
};

enum { LABELS_MAX = 4 };

/* The labels of spans of RUN, the first ones. Free with g_ptr_array_unref. */
static GPtrArray *labels_of(const PfSavedRun *run)
{
    static const char prefix[] = "span.";
    static const char suffix[] = ".slowest_mean_cycles";
    GPtrArray *labels = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < run->stats->len && labels->len < LABELS_MAX; i++) {
        const char *name = g_array_index(run->stats, PfSavedStat, i).name;
        if (g_str_has_prefix(name, prefix) && g_str_has_suffix(name, suffix))
            g_ptr_array_add(labels, g_strndup(name + strlen(prefix), strlen(name) - strlen(prefix) -
                                                                          strlen(suffix)));
    }
    return labels;
}

static double stat_of(const PfSavedRun *run, const char *label, const char *what)
{
    g_autofree char *name = g_strdup_printf("span.%s.%s", label, what);
    return pf_sheet_stat(run, name);
}

static void add_row(PfBars *bars, const PfSavedRun *run, const char *label, double clock_hz)
{
    g_autofree char *row = g_strdup_printf("%s: %s", label, run->policy);
    pf_bars_add_row(bars, row, NULL);
    for (size_t w = 0; w < G_N_ELEMENTS(waits); w++) {
        g_autofree char *what = g_strdup_printf("slowest_%s_cycles", waits[w].name);
        pf_bars_add(bars, w, stat_of(run, label, what) / clock_hz);
    }
    double median = stat_of(run, label, "p50_cycles");
    double slowest = stat_of(run, label, "slowest_mean_cycles");
    g_autofree char *rest =
        median > 0.0 ? g_strdup_printf(" (%.1f \303\227 median)", slowest / median) : g_strdup("");
    pf_bars_end(bars, rest);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    if (saved == NULL)
        return false;
    g_autofree char *title = pf_sheet_title("What the slowest spans waited for", saved);
    g_autoptr(PfBars) bars = pf_bars_new(&(PfBarsLook){
        .title = title,
        .columns = "span,wait,seconds",
        .axis = "mean length of the slowest spans",
        .axis_note = ", one in a hundred",
        .unit = PF_UNIT_SECONDS,
        .parts = waits,
        .part_count = G_N_ELEMENTS(waits),
    });
    g_autoptr(GPtrArray) labels =
        saved->runs->len > 0 ? labels_of(saved->runs->pdata[0]) : g_ptr_array_new();
    for (guint l = 0; l < labels->len; l++)
        for (guint i = 0; i < saved->runs->len; i++)
            add_row(bars, saved->runs->pdata[i], labels->pdata[l], (double)saved->clock_hz);
    if (!(pf_bars_most(bars) > 0.0))
        return pf_sheet_lacks(sheet, error,
                              "no spans; play a trace with `begin` and `end` records");
    pf_bars_draw(bars, sheet);
    return true;
}

const PfFigure pf_figure_tail = {
    .name = "tail",
    .summary = "what the slowest spans waited for, one stacked bar a label and policy",
    .source = "stats.json",
    .draw = draw,
};
