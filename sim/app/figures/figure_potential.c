/* How much memory would each way of sharing leave, and what is it made of? */
#include <math.h>
#include <string.h>

#include "bars.h"
#include "error.h"
#include "units.h"

enum { BASELINES = 4 };

static const struct {
    const char *stat;
    const char *name;
} baselines[BASELINES] = {
    {"no_sharing", "no sharing"},
    {"mmap_fork", "mmap/fork"},
    {"ksm_hint_all", "KSM hint all"},
    {"cbps", "full CBPS"},
};

/* Drawn from the left. */
static const PfPart kinds[] = {
    {"anon", "anonymous", "#0072B2"},
    {"zero", "anonymous, of zeros", "#56B4E9"},
    {"file", "file", "#D55E00"},
    {"shmem", "shared memory", "#E69F00"},
};

/* The number STAT of ROW in TABLE; NaN where there is none. */
static double find_number(const PfCsv *csv, const char *table, const char *row, const char *stat)
{
    for (guint i = 0; i < csv->rows->len; i++)
        if (strcmp(pf_csv_text(csv, i, 0), table) == 0 &&
            strcmp(pf_csv_text(csv, i, 1), row) == 0 && strcmp(pf_csv_text(csv, i, 2), stat) == 0)
            return pf_csv_number(csv, i, 3);
    return (double)NAN;
}

/* Adds the row of baseline INDEX, of pages of PAGE_MIB; false if a number is missing. */
static bool add_baseline(PfBars *bars, const PfCsv *csv, unsigned index, double page_mib)
{
    double all = 0.0;
    double frames = 0.0; /* that are used with no sharing but by mmap and fork */
    pf_bars_add_row(bars, baselines[index].name, NULL);
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        double pages = find_number(csv, "by_kind", kinds[k].name, baselines[index].stat);
        all += pages;
        frames += find_number(csv, "by_kind", kinds[k].name, baselines[1].stat);
        pf_bars_add(bars, k, pages * page_mib);
    }
    g_autofree char *rest =
        g_strdup_printf(" (%.0f %%)", frames > 0.0 ? 100.0 * all / frames : 0.0);
    pf_bars_end(bars, rest);
    return isfinite(all) && isfinite(frames);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfCsv) csv = pf_sheet_table(sheet, sheet->figure->source, error);
    if (csv == NULL)
        return false;
    bool whole = csv->names->len == 4;
    double page_mib = whole ? find_number(csv, "", "", "page_bytes") / (double)PF_MIB : 0.0;
    g_autoptr(PfBars) bars = pf_bars_new(&(PfBarsLook){
        .title = "Memory in use",
        .columns = "baseline,kind,MiB",
        .axis = "memory",
        .axis_note = "; in brackets: share of mmap/fork",
        .unit = PF_UNIT_MIB,
        .parts = kinds,
        .part_count = G_N_ELEMENTS(kinds),
    });
    for (unsigned i = 0; i < BASELINES && whole; i++)
        whole = add_baseline(bars, csv, i, page_mib);
    if (!whole || !isfinite(page_mib)) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s: not what this version of pagefold writes", csv->path);
        return false;
    }
    pf_bars_draw(bars, sheet);
    return true;
}

const PfFigure pf_figure_potential = {
    .name = "potential",
    .summary = "memory that four ways of sharing leave, by kind of page (results of `potential`)",
    .source = "potential.csv",
    .draw = draw,
};
