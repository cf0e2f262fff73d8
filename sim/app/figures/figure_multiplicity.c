/* How many pages have their bytes, or their frame, in common? */
#include <math.h>

#include "bars.h"
#include "distributions.h"

/* By the most pages; grey for a page alone, then the darker the more. */
static const struct {
    double most;
    PfPart part;
} classes[] = {
    {1, {"1", "alone", "#e2e2e2"}},
    {2, {"2", NULL, "#c6dbef"}},
    {4, {"3-4", NULL, "#9ecae1"}},
    {8, {"5-8", NULL, "#6baed6"}},
    {16, {"9-16", NULL, "#4292c6"}},
    {64, {"17-64", NULL, "#2171b5"}},
    {256, {"65-256", NULL, "#08519c"}},
    {1024, {"257-1024", NULL, "#08306b"}},
    {HUGE_VAL, {"more", "more than 1024", "#000000"}},
};

enum { CLASSES = G_N_ELEMENTS(classes) };

/* The least value that the bucket of the largest value MOST counts: buckets have 1/64 of the power
 * of two below them, and from there on one value each up to 127. Limits of sharers and of classes
 * are powers of two, at which buckets begin. */
static double least_of(double most)
{
    const double buckets = 64.0;
    double power = exp2(floor(log2(most)));
    return most < 2.0 * buckets ? most : most + 1.0 - power / buckets;
}

static void add_run(PfBars *bars, const PfSavedRun *run, const GArray *buckets)
{
    double pages[CLASSES] = {0};
    double frames = 0.0;
    for (guint i = 0; i < buckets->len; i++) {
        const PfBucket *bucket = &g_array_index(buckets, PfBucket, i);
        double sharers = least_of(bucket->most);
        size_t class = 0;
        while (sharers > classes[class].most)
            class++;
        pages[class] += sharers * bucket->count;
        frames += bucket->count;
    }
    pf_bars_add_row(bars, run->policy, run->remark);
    for (size_t i = 0; i < CLASSES; i++)
        pf_bars_add(bars, i, pages[i]);
    g_autofree char *rest = g_strdup_printf("%.0f frames", frames);
    pf_bars_end(bars, rest);
}

static bool draw(PfSheet *sheet, GError **error)
{
    PfPart parts[CLASSES];
    for (size_t i = 0; i < CLASSES; i++)
        parts[i] = classes[i].part;
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    g_autoptr(PfCsv) csv =
        saved != NULL ? pf_sheet_table(sheet, sheet->figure->source, error) : NULL;
    if (csv == NULL)
        return false;
    g_autofree char *title = pf_sheet_title("How many pages have a frame in common", saved);
    g_autoptr(PfBars) bars = pf_bars_new(&(PfBarsLook){
        .title = title,
        .columns = "policy,sharers,pages",
        .axis = "pages",
        .axis_note = ", by how many map their frame (of a bound: hold their bytes)",
        .unit = PF_UNIT_COUNT,
        .no_sums = true,
        .parts = parts,
        .part_count = CLASSES,
    });
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        g_autoptr(GArray) buckets = pf_buckets_of(csv, run->policy, "memory.sharers_pages");
        add_run(bars, run, buckets);
    }
    if (!(pf_bars_most(bars) > 0.0))
        return pf_sheet_lacks(sheet, error, "no page has a frame at the end; play a longer part "
                                            "of the trace, or hold it earlier");
    pf_bars_draw(bars, sheet);
    return true;
}

const PfFigure pf_figure_multiplicity = {
    .name = "multiplicity",
    .summary = "pages by how many have their frame in common, and of `oracle` their content; one "
               "stacked bar a policy",
    .source = "distributions.csv",
    .draw = draw,
};
