/* The frontiers of a sweep as tables: a trace and policy each. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "frontier.h"
#include "report.h"

static void add_number(GPtrArray *cells, const char *format, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_ptr_array_add(cells, isfinite(value)
                               ? g_strdup(g_ascii_formatd(text, sizeof(text), format, value))
                               : g_strdup("-"));
}

static void add_heads(GPtrArray *cells, const char *const *heads)
{
    for (; *heads != NULL; heads++)
        g_ptr_array_add(cells, g_strdup(*heads));
}

static const PfFrontierPoint *point_of(const PfFrontierUnit *unit, guint index)
{
    return &g_array_index(unit->points, PfFrontierPoint, index);
}

/* The fewest cycles that any rate of UNIT takes to goal GOAL. */
static double cycles_to(const PfFrontierUnit *unit, unsigned goal)
{
    double least = NAN;
    for (guint i = 0; i < unit->points->len; i++)
        least = fmin(least, point_of(unit, i)->goal_cycles[goal]);
    return least;
}

static void add_savings(GPtrArray *cells, const PfFrontierUnit *unit)
{
    g_ptr_array_add(cells, g_strdup(unit->name));
    g_ptr_array_add(cells, g_strdup_printf("%.0f-%.0f", point_of(unit, 0)->passes,
                                           pf_frontier_last(unit)->passes));
    for (unsigned i = 0; i < PF_FRONTIER_SHARES; i++)
        add_number(cells, "%.1f",
                   pf_frontier_at(unit, pf_frontier_shares[i]) / unit->oracle * 100.0);
    for (unsigned goal = 0; goal < PF_FRONTIER_GOALS; goal++)
        add_number(cells, "%.1f", cycles_to(unit, goal) * 1e-6);
}

static double mean_of(const PfFrontierPoint *point, PfFrontierMeasure measure)
{
    return point->mean.values[measure];
}

/* VALUE and, where there are repeats, half its interval. */
static void add_interval(GPtrArray *cells, const char *format, double value, double half)
{
    add_number(cells, format, value);
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (!(half > 0.0) || !isfinite(half) || !isfinite(value))
        return;
    char *told = cells->pdata[cells->len - 1];
    cells->pdata[cells->len - 1] = g_strconcat(
        told, " \302\261 ", g_ascii_formatd(text, sizeof(text), format, half), NULL);
    g_free(told);
}

/* At the highest rate, beside what the first unit would take for the same savings. */
static void add_price(GPtrArray *cells, const PfFrontierUnit *unit, const PfFrontierUnit *first)
{
    const PfFrontierPoint *own = pf_frontier_last(unit);
    const PfFrontierPoint *its = pf_frontier_last(first);
    double half;
    double price = mean_of(its, PF_FRONTIER_PRICE);
    double cheaper = pf_frontier_difference(its, own, PF_FRONTIER_PRICE, &half) / price;
    double cycles = mean_of(own, PF_FRONTIER_CYCLES);
    double fewer = cycles / (1.0 - cheaper) - cycles;
    double joules = mean_of(own, PF_FRONTIER_JOULES) - mean_of(its, PF_FRONTIER_JOULES);
    double watts = fewer > 0.0 && joules > 0.0 ? joules / (fewer / unit->clock_hz) : NAN;
    const char *beaten = unit->beaten != NULL ? unit->beaten : "-";
    g_ptr_array_add(cells, g_strdup(unit->name));
    add_number(cells, "%.0f", mean_of(own, PF_FRONTIER_SAVED));
    add_number(cells, "%.1f", cycles * 1e-6);
    add_number(cells, "%.1f", own->lookup * 100.0);
    add_interval(cells, "%.1f", cheaper * 100.0, half / price * 100.0);
    add_number(cells, "%.3g", joules);
    add_number(cells, "%.3g", watts);
    g_ptr_array_add(cells, g_strdup(unit->is_bound ? "(a bound)" : beaten));
}

/* FIRST and all that it is compared with. */
static void print_group(GString *out, const GPtrArray *units, const PfFrontierUnit *first,
                        PfReportForm form)
{
    static const char *const savings_heads[] = {"unit", "passes",          "1 %",     "2 %", "5 %",
                                                "10 %", "Mcycles to 50 %", "to 90 %", NULL};
    static const char *const price_heads[] = {"unit",      "saved",  "Mcycles",   "lookup %",
                                              "cheaper %", "J more", "even at W", "beaten by",
                                              NULL};
    g_autoptr(GPtrArray) savings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) prices = g_ptr_array_new_with_free_func(g_free);
    add_heads(savings, savings_heads);
    add_heads(prices, price_heads);
    for (guint i = 0; i < units->len; i++) {
        if (!pf_frontier_comparable(units->pdata[i], first))
            continue;
        add_savings(savings, units->pdata[i]);
        add_price(prices, units->pdata[i], first);
    }
    g_autofree char *name = g_strconcat(first->policy, first->trace[0] != '\0' ? ", " : "",
                                        first->trace, first->costs[0] != '\0' ? ", " : "",
                                        first->costs, NULL);
    g_autofree char *price = g_strdup_printf("%s: price at the highest rate", name);
    g_autofree char *saved = g_strdup_printf(
        "%s: mean savings for a share of one core, in %% of the %.0f pages of oracle", name,
        first->oracle);
    pf_report_cells(out, price, prices, G_N_ELEMENTS(price_heads) - 1, form);
    pf_report_cells(out, saved, savings, G_N_ELEMENTS(savings_heads) - 1, form);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    gboolean markdown = FALSE;
    const GOptionEntry entries[] = {
        {"markdown", 0, 0, G_OPTION_ARG_NONE, &markdown, "tables in Markdown", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    g_autoptr(GPtrArray) units = pf_frontier_read(arguments[0], error);
    if (units == NULL)
        return 2;
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < units->len; i++) {
        bool is_first = true;
        for (guint j = 0; j < i && is_first; j++)
            is_first = !pf_frontier_comparable(units->pdata[j], units->pdata[i]);
        if (is_first)
            print_group(out, units, units->pdata[i],
                        markdown ? PF_REPORT_MARKDOWN : PF_REPORT_TABLE);
    }
    fputs(out->str, stdout);
    return 0;
}

const PfCommand pf_command_sweep_frontier = {
    .name = "sweep frontier",
    .arguments = "SWEEP",
    .summary = "Tell what policies save for what work, and which machines are beaten by others",
    .examples = "  pagefold sweep frontier cam                       of the sweep kept in cam/\n"
                "  pagefold sweep frontier cam --markdown            ... for a document\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
