/* How long does sharing last? */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "distributions.h"

/* Adds to SERIES the product-limit estimate of Kaplan and Meier (as sharing.half_life_cycles): at
 * each age the share of the sharings that came to it and were not broken is a factor. */
static void add_survival(PfSeries *series, const GArray *broken, const GArray *outlived,
                         double clock_hz)
{
    double at_risk = pf_buckets_count(broken) + pf_buckets_count(outlived);
    double surviving = 1.0;
    guint b = 0;
    guint o = 0;
    while (b < broken->len || o < outlived->len) {
        const PfBucket *end = b < broken->len ? &g_array_index(broken, PfBucket, b) : NULL;
        const PfBucket *seen = o < outlived->len ? &g_array_index(outlived, PfBucket, o) : NULL;
        double age = MIN(end != NULL ? end->most : HUGE_VAL, seen != NULL ? seen->most : HUGE_VAL);
        double breaks = end != NULL && end->most <= age ? end->count : 0.0;
        double leaves = seen != NULL && seen->most <= age ? seen->count : 0.0;
        if (pf_series_count(series) == 0 && age > 0.0)
            pf_series_add(series, age / clock_hz / 2.0, 100.0);
        surviving *= (at_risk - breaks) / at_risk;
        at_risk -= breaks + leaves;
        pf_series_add(series, age / clock_hz, 100.0 * surviving);
        b += breaks > 0.0;
        o += leaves > 0.0;
    }
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    g_autoptr(PfCsv) csv =
        saved != NULL ? pf_sheet_table(sheet, sheet->figure->source, error) : NULL;
    if (csv == NULL)
        return false;
    g_autofree char *title = pf_sheet_title("How long sharing lasts", saved);
    g_autoptr(PfChart) chart = pf_chart_new(&(PfChartLook){.title = title, .series = "policy"});
    PfPanel *panel = pf_chart_add_panel(
        chart, "", (PfAxis){"age_s", "age of a sharing", PF_UNIT_SECONDS, .logarithmic = true},
        (PfAxis){"unbroken_percent", "sharings not broken by a store (%)", PF_UNIT_PLAIN,
                 .whole = true});
    bool has_any = false;
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        g_autoptr(GArray) broken = pf_buckets_of(csv, run->policy, "sharing.lifetime_cycles");
        g_autoptr(GArray) outlived = pf_buckets_of(csv, run->policy, "sharing.outlived_cycles");
        if (broken->len + outlived->len == 0)
            continue;
        has_any = true;
        g_autofree char *policy = pf_sheet_shorten(run->policy, PF_NAME_WIDTH);
        g_autofree char *label = g_strdup_printf(
            "%s (%.0f made)", policy, pf_buckets_count(broken) + pf_buckets_count(outlived));
        add_survival(pf_panel_add_series(panel, run->policy, label, pf_sheet_number(saved, i),
                                         PF_STYLE_STEPS, PF_NAME_END),
                     broken, outlived, (double)saved->clock_hz);
    }
    if (!has_any)
        return pf_sheet_lacks(sheet, error,
                              "no policy shared a page; let one that does run, and long enough");
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_lifetime = {
    .name = "lifetime",
    .summary = "share of the sharings that live to an age without being broken (Kaplan-Meier), a "
               "line a policy",
    .source = "distributions.csv",
    .draw = draw,
};
