/* How much memory is enough, and how many contexts fit into it? */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "points.h"
#include "units.h"

/* What still passes for as fast. */
static const double slowdown_accepted = 1.05;

static double cycles_of(const PfCsv *csv, guint row)
{
    return pf_csv_number(csv, row, pf_csv_column(csv, "cycles.app")) +
           pf_csv_number(csv, row, pf_csv_column(csv, "cycles.stolen"));
}

/* Whether the rows do the same work: they agree on all axes but MEMORY. */
static bool is_same_work(const PfCsv *csv, guint a, guint b, int memory)
{
    for (guint i = 0; i < pf_points_axes(csv); i++)
        if ((int)i != memory &&
            strcmp(pf_csv_text(csv, a, (int)i), pf_csv_text(csv, b, (int)i)) != 0)
            return false;
    return true;
}

/* Percent of the speed that the same work has with enough memory: that of the fastest row during
 * which nothing came from swap. NaN where there is no such row. */
static double throughput_of(const PfCsv *csv, guint row, int memory)
{
    int swapped = pf_csv_column(csv, "swap.ins");
    double least = HUGE_VAL;
    for (guint i = 0; i < csv->rows->len; i++)
        if (cycles_of(csv, i) > 0.0 && !(pf_csv_number(csv, i, swapped) > 0.0) &&
            is_same_work(csv, row, i, memory))
            least = MIN(least, cycles_of(csv, i));
    double cycles = cycles_of(csv, row);
    return cycles > 0.0 && isfinite(least) ? 100.0 * least / cycles : (double)NAN;
}

/* The most contexts of a row of the policy and memory of ROW that is fast enough; 0: none of the
 * numbers tried. */
static double contexts_of(const PfCsv *csv, guint row, int memory, int throughput)
{
    int policy = pf_csv_column(csv, "policy");
    int contexts = pf_csv_column(csv, "trace.contexts");
    double most = 0.0;
    for (guint i = 0; i < csv->rows->len; i++)
        if (strcmp(pf_csv_text(csv, i, policy), pf_csv_text(csv, row, policy)) == 0 &&
            strcmp(pf_csv_text(csv, i, memory), pf_csv_text(csv, row, memory)) == 0 &&
            pf_csv_number(csv, i, throughput) * slowdown_accepted >= 100.0)
            most = MAX(most, pf_csv_number(csv, i, contexts));
    return most;
}

/* A series a policy: contexts that fit, by memory. */
static void add_contexts(PfPanel *panel, const PfCsv *csv, int memory, int throughput)
{
    int policy = pf_csv_column(csv, "policy");
    int number = 0;
    for (guint i = 0; i < csv->rows->len; i++) {
        const char *name = pf_csv_text(csv, i, policy);
        if (pf_points_place(csv, policy, i) < pf_panel_series_count(panel))
            continue;
        bool is_none = strcmp(name, "none") == 0;
        PfSeries *series = pf_panel_add_series(panel, name, name, is_none ? -1 : number,
                                               PF_STYLE_MARKED, PF_NAME_END);
        number += !is_none;
        for (guint r = i; r < csv->rows->len; r++)
            if (strcmp(pf_csv_text(csv, r, policy), name) == 0 &&
                pf_points_place(csv, memory, r) == pf_series_count(series))
                pf_series_add(series, pf_csv_number(csv, r, memory) / (double)PF_MIB,
                              contexts_of(csv, r, memory, throughput));
        pf_series_sort(series);
    }
}

/* Speed in percent, column `throughput`; and in column `shown` that of the rows of the most
 * contexts. Returns the first. */
static int add_throughput(PfCsv *csv, int memory, double most)
{
    int throughput = pf_csv_add_column(csv, "throughput");
    int shown = pf_csv_add_column(csv, "shown");
    int contexts = pf_csv_column(csv, "trace.contexts");
    for (guint i = 0; i < csv->rows->len; i++) {
        double percent = throughput_of(csv, i, memory);
        pf_csv_set_number(csv, i, throughput, percent);
        pf_csv_set_number(csv, i, shown,
                          pf_csv_number(csv, i, contexts) < most ? (double)NAN : percent);
    }
    return throughput;
}

static int compare_numbers(gconstpointer a, gconstpointer b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return first < second ? -1 : first > second;
}

/* The numbers of contexts in CSV, ascending. */
static GArray *numbers_tried(const PfCsv *csv)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint i = 0; i < csv->rows->len; i++) {
        double number = pf_csv_number(csv, i, pf_csv_column(csv, "trace.contexts"));
        bool is_new = isfinite(number);
        for (guint n = 0; n < numbers->len && is_new; n++)
            is_new = fabs(g_array_index(numbers, double, n) - number) > 0.5;
        if (is_new)
            g_array_append_val(numbers, number);
    }
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

/* What is told is true of the numbers that were tried: "...; tried: 2, 4, 8". */
static char *name_contexts(const GArray *numbers)
{
    enum { TOLD_MAX = 8 };
    GString *name = g_string_new("contexts that fit, at most 5 % slower; tried: ");
    if (numbers->len > TOLD_MAX)
        g_string_append_printf(name, "%u numbers", numbers->len);
    for (guint i = 0; i < numbers->len && numbers->len <= TOLD_MAX; i++)
        g_string_append_printf(name, "%s%.0f", i > 0 ? ", " : "",
                               g_array_index(numbers, double, i));
    return g_string_free(name, FALSE);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfCsv) csv = pf_sheet_table(sheet, sheet->figure->source, error);
    if (csv == NULL)
        return false;
    int memory = pf_points_axis(csv, "machine.memory");
    if (memory < 0 || !pf_points_has(csv, "cycles.app"))
        return pf_sheet_lacks(sheet, error,
                              "the axis must be machine.memory; sweep over it, with "
                              "machine.on_full = \"swap\"");
    g_autoptr(GArray) numbers = numbers_tried(csv);
    double most = numbers->len > 0 ? g_array_index(numbers, double, numbers->len - 1) : 0.0;
    int throughput = add_throughput(csv, memory, most);
    if (!pf_points_has(csv, "shown"))
        return pf_sheet_lacks(sheet, error,
                              "every point swaps, so that nobody knows what speed there is to "
                              "lose; give machine.memory a larger value, too");
    g_autoptr(PfChart) chart = pf_chart_new(&(PfChartLook){
        .title = "How much memory is enough", .series = "policy", .panel = "panel", .columns = 1});
    PfAxis x = {"memory_MiB", "memory installed", PF_UNIT_MIB, .whole = true};
    g_autofree char *name = most > 0.0 ? g_strdup_printf("speed of %.0f contexts", most)
                                       : g_strdup("speed");
    PfPanel *panel = pf_chart_add_panel(
        chart, name, x,
        (PfAxis){"speed_percent", "% of full speed", PF_UNIT_PLAIN, .whole = true});
    pf_panel_add_level(panel, 100.0 / slowdown_accepted, "5 % slower");
    pf_points_add(csv, panel,
                  &(PfPointsLook){.x_axis = memory,
                                  .y_stat = "shown",
                                  .x_factor = 1.0 / (double)PF_MIB,
                                  .y_factor = 1.0,
                                  .style = PF_STYLE_MARKED,
                                  .naming = PF_NAME_END});
    if (numbers->len > 1) {
        g_autofree char *fitting = name_contexts(numbers);
        add_contexts(pf_chart_add_panel(chart, fitting, x,
                                        (PfAxis){"contexts", "contexts", PF_UNIT_PLAIN,
                                                 .whole = true}),
                     csv, memory, throughput);
    }
    pf_chart_draw(chart, sheet);
    return true;
}

const PfFigure pf_figure_capacity = {
    .name = "capacity",
    .summary = "speed against installed memory, and how many contexts fit at 5 % slowdown (results "
               "of `sweep`)",
    .source = "results.csv",
    .draw = draw,
};
