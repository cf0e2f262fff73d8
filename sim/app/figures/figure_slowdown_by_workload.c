/* How much slower does a policy make each workload, and all of them? */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "points.h"
#include "sweep_collect.h"

/* Adds to SERIES at PLACE the geometric mean of the VALUES, and its interval: that of the mean of
 * their logarithms. */
static void add_mean(PfSeries *series, double place, const GArray *values)
{
    double sum = 0.0;
    double squares = 0.0;
    for (guint i = 0; i < values->len; i++)
        sum += log(g_array_index(values, double, i));
    double mean = sum / values->len;
    for (guint i = 0; i < values->len; i++)
        squares += pow(log(g_array_index(values, double, i)) - mean, 2);
    double half = (double)NAN;
    if (values->len > 1)
        half = pf_sweep_student_t(values->len - 1) *
               sqrt(squares / (values->len - 1) / values->len);
    pf_series_add_interval(series, place, exp(mean), exp(mean - half), exp(mean + half));
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
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
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
        g_array_append_val(values, value);
    }
    if (values->len > 0)
        add_mean(series, mean_place + shift, values);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfCsv) csv = pf_sheet_table(sheet, sheet->figure->source, error);
    if (csv == NULL)
        return false;
    int axis = pf_points_axis(csv, "trace");
    if (axis < 0 || pf_points_axes(csv) > 1)
        return pf_sheet_lacks(sheet, error, "the axis must be `trace`, alone; sweep over traces");
    if (!pf_points_has(csv, "slowdown"))
        return pf_sheet_lacks(sheet, error,
                              "no slowdown is known; sweep over traces of grain access");
    g_autoptr(PfChart) chart = pf_chart_new(&(PfChartLook){
        .title = "Slowdown of the contexts by workload, and the geometric mean (bars: 95 %)",
        .series = "policy"});
    PfPanel *panel = pf_chart_add_panel(
        chart, "", (PfAxis){"place", "workload", PF_UNIT_PLAIN, .whole = false},
        (PfAxis){"slowdown", "slowdown (ratio)", PF_UNIT_PLAIN, .whole = false});
    guint places = 0;
    for (guint i = 0; i < csv->rows->len; i++) {
        g_autofree char *name = g_path_get_basename(pf_csv_text(csv, i, axis));
        char *dot = strrchr(name, '.');
        if (dot != NULL && dot > name)
            *dot = '\0';
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
