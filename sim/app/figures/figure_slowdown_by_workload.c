/* How much slower does a policy make each workload, and all of them? */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "points.h"

/* Of the workloads of one policy. */
typedef struct {
    unsigned count;
    double logarithms; /* summed */
    double squares;    /* of the intervals' half widths, relative; NaN: there is none */
} Mean;

static void mean_add(Mean *mean, double value, double half)
{
    mean->count++;
    mean->logarithms += log(value);
    mean->squares += (half / value) * (half / value);
}

/* Adds to SERIES at PLACE the geometric mean. The workloads are the ones they are, no sample of
 * others; what is uncertain is each one's slowdown, and as they are repeated independently, the
 * squares of their relative errors add up. */
static void add_mean(PfSeries *series, double place, const Mean *mean)
{
    double value = exp(mean->logarithms / mean->count);
    double half = value * sqrt(mean->squares) / mean->count;
    pf_series_add_interval(series, place, value, value - half, value + half);
}

/* The policies of CSV but `none`, in order. Borrowed strings. */
static GPtrArray *policies_of(const PfCsv *csv)
{
    GPtrArray *policies = g_ptr_array_new();
    int column = pf_csv_column(csv, "policy");
    for (guint i = 0; i < csv->rows->len; i++) {
        char *policy = ((GPtrArray *)csv->rows->pdata[i])->pdata[column];
        if (strcmp(policy, "none") != 0 &&
            !g_ptr_array_find_with_equal_func(policies, policy, g_str_equal, NULL))
            g_ptr_array_add(policies, policy);
    }
    return policies;
}

/* SHIFT keeps the policies' marks apart. */
static void add_policy(PfPanel *panel, const PfCsv *csv, int axis, const char *policy, int number,
                       double shift, double mean_place)
{
    int slowdown = pf_csv_column(csv, "slowdown");
    int half = pf_csv_column(csv, "slowdown:ci95");
    Mean mean = {0};
    PfSeries *series =
        pf_panel_add_series(panel, policy, policy, number, PF_STYLE_POINTS, PF_NAME_END);
    for (guint i = 0; i < csv->rows->len; i++) {
        double value = pf_csv_number(csv, i, slowdown);
        double interval = pf_csv_number(csv, i, half);
        if (strcmp(pf_csv_text(csv, i, pf_csv_column(csv, "policy")), policy) != 0 ||
            !(value > 0.0) || !isfinite(value))
            continue;
        pf_series_add_interval(series, pf_points_place(csv, axis, i) + shift, value,
                               value - interval, value + interval);
        mean_add(&mean, value, interval);
    }
    /* Means of different workloads would invite a comparison. */
    if (mean.count == (unsigned)mean_place)
        add_mean(series, mean_place + shift, &mean);
}

/* Whether there is one row of each policy and trace: other axes go with the trace. */
static bool is_by_trace(const PfCsv *csv, int axis)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    bool is = axis >= 0;
    for (guint i = 0; i < csv->rows->len && is; i++)
        is = g_hash_table_add(seen,
                              g_strdup_printf("%s\n%s", pf_csv_text(csv, i, axis),
                                              pf_csv_text(csv, i, pf_csv_column(csv, "policy"))));
    return is;
}

/* A trace's name without folder and ending, if no other trace is then called like it. */
static char *name_trace(const PfCsv *csv, int axis, guint row)
{
    const char *path = pf_csv_text(csv, row, axis);
    char *name = g_path_get_basename(path);
    for (guint i = 0; i < csv->rows->len; i++) {
        g_autofree char *other = g_path_get_basename(pf_csv_text(csv, i, axis));
        if (strcmp(other, name) == 0 && strcmp(pf_csv_text(csv, i, axis), path) != 0) {
            g_free(name);
            return g_strdup(path);
        }
    }
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot > name)
        *dot = '\0';
    return name;
}

/* What the marks are, and their bars. */
static char *name_figure(const PfCsv *csv)
{
    double runs = pf_csv_number(csv, 0, pf_csv_column(csv, "n"));
    GString *title = g_string_new("Slowdown of the contexts by workload, and the geometric mean");
    if (runs > 1.0)
        g_string_append_printf(title, " (bars: 95 %% interval of %.0f runs)", runs);
    return g_string_free(title, FALSE);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfCsv) csv = pf_sheet_table(sheet, sheet->figure->source, error);
    if (csv == NULL)
        return false;
    int axis = pf_points_axis(csv, "trace");
    if (!is_by_trace(csv, axis))
        return pf_sheet_lacks(sheet, error, "the axis must be `trace`, alone or tied to others; "
                                            "sweep over traces");
    if (!pf_points_has(csv, "slowdown"))
        return pf_sheet_lacks(sheet, error,
                              "no slowdown is known; sweep over traces of grain access");
    g_autofree char *title = name_figure(csv);
    g_autoptr(PfChart) chart =
        pf_chart_new(&(PfChartLook){.title = title, .series = "policy"});
    PfPanel *panel = pf_chart_add_panel(
        chart, "", (PfAxis){"place", "workload", PF_UNIT_PLAIN, .whole = false},
        (PfAxis){"slowdown", "slowdown (ratio)", PF_UNIT_PLAIN, .whole = false});
    guint places = 0;
    for (guint i = 0; i < csv->rows->len; i++) {
        g_autofree char *name = name_trace(csv, axis, i);
        if (pf_points_place(csv, axis, i) == places)
            pf_panel_add_tic(panel, places++, name);
    }
    pf_panel_add_tic(panel, places, "geometric mean");
    pf_panel_add_level(panel, 1.0, "none");
    g_autoptr(GPtrArray) policies = policies_of(csv);
    const double spread = 0.5; /* of the distance of two workloads */
    for (guint p = 0; p < policies->len; p++)
        add_policy(panel, csv, axis, policies->pdata[p], (int)p,
                   spread * ((p + 0.5) / policies->len - 0.5), places);
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_slowdown_by_workload = {
    .name = "slowdown-by-workload",
    .summary = "slowdown by trace and its geometric mean, with intervals (results of `sweep`)",
    .source = "results.csv",
    .draw = draw,
};
