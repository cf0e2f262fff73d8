/* What does each policy cost, and where do the cycles go? */
#include <math.h>
#include <string.h>

#include "error.h"
#include "figures.h"
#include "report.h"
#include "saved.h"

enum { ACCOUNTS_MAX = 64, NAME_CHARACTERS = 10 };

/* Characters that fit beside each other between the axes. */
static const double plot_characters = 70.0;

/* Bars have unit distance. */
static const double half_height = 0.26;

/* What programs do whoever looks after their memory is grey; the rest has colours. */
static const struct {
    const char *name;
    const char *color;
} plain_accounts[] = {
    {"compute", "#e0e0e0"}, {"memory", "#c4c4c4"}, {"walk", "#a6a6a6"}, {"system", "#8a8a8a"}};

/* One account over all policies. */
typedef struct {
    const char *name; /* borrowed from the results */
    const char *color;
    double largest;  /* cycles of its largest segment */
    size_t run;      /* which bar that is in */
    double middle;   /* of that segment */
} Account;

typedef struct {
    const PfSaved *saved;
    Account accounts[ACCOUNTS_MAX];
    size_t count;
    size_t colored;
    double total_max;
} Chart;

static const char account_prefix[] = "cycles.account.";

static Account *get_account(Chart *chart, const char *name)
{
    for (size_t i = 0; i < chart->count; i++)
        if (strcmp(chart->accounts[i].name, name) == 0)
            return &chart->accounts[i];
    if (chart->count == ACCOUNTS_MAX)
        return NULL;
    Account *account = &chart->accounts[chart->count++];
    *account = (Account){.name = name};
    for (size_t i = 0; i < G_N_ELEMENTS(plain_accounts); i++)
        if (strcmp(plain_accounts[i].name, name) == 0)
            account->color = plain_accounts[i].color;
    if (account->color == NULL)
        account->color = pf_figure_color(chart->colored++);
    return account;
}

static void append_bar(Chart *chart, size_t run_index, GString *data)
{
    const PfSavedRun *run = chart->saved->runs->pdata[run_index];
    double begin = 0.0;
    for (guint i = 0; i < run->stats->len; i++) {
        const PfSavedStat *stat = &g_array_index(run->stats, PfSavedStat, i);
        if (!g_str_has_prefix(stat->name, account_prefix) || !(stat->number > 0.0))
            continue;
        Account *account = get_account(chart, stat->name + strlen(account_prefix));
        if (account == NULL)
            continue;
        double end = begin + stat->number;
        if (stat->number > account->largest) {
            account->largest = stat->number;
            account->run = run_index;
            account->middle = (begin + end) / 2.0;
        }
        pf_report_append_field(data, run->policy);
        g_string_append_printf(data, ",%s,%s,%.0f,%.0f,%u\n", account->name, stat->text, begin, end,
                               chart->saved->runs->len - (guint)run_index);
        begin = end;
    }
    chart->total_max = MAX(chart->total_max, begin);
}

/* White on dark, black on light: by the relative luminance that sRGB defines. */
static const char *text_color(const char *color)
{
    unsigned long rgb = strtoul(color + 1, NULL, 16);
    double luminance = 0.2126 * (double)(rgb >> 16 & 255) + 0.7152 * (double)(rgb >> 8 & 255) +
                       0.0722 * (double)(rgb & 255);
    return luminance < 130.0 ? "#ffffff" : "#000000";
}

/* Names those accounts of bar RUN_INDEX that are largest there: in the segment where the name fits,
 * else above it with a line. */
static void append_names(const Chart *chart, size_t run_index, double unit, GString *labels)
{
    size_t above[ACCOUNTS_MAX];
    double places[ACCOUNTS_MAX];
    size_t count = 0;
    double character = chart->total_max / unit / plot_characters;
    double row = (double)(chart->saved->runs->len - run_index);
    for (size_t i = 0; i < chart->count; i++) {
        const Account *account = &chart->accounts[i];
        if (account->run != run_index)
            continue;
        if (account->largest / unit < character * (double)(strlen(account->name) + 1)) {
            places[count] = account->middle / unit;
            above[count++] = i;
            continue;
        }
        g_string_append_printf(labels,
                               "set label '%s' at %.6g, %.6g center front textcolor rgb '%s'\n",
                               account->name, account->middle / unit, row,
                               text_color(account->color));
    }
    pf_figure_spread(places, count, NAME_CHARACTERS * character, 0.0,
                     chart->total_max / unit * 1.08);
    for (size_t i = 0; i < count; i++) {
        const Account *account = &chart->accounts[above[i]];
        g_string_append_printf(labels,
                               "set label '%s' at %.6g, %.6g center front textcolor rgb '%s'\n"
                               "set arrow from %.6g, %.6g to %.6g, %.6g nohead front linewidth 0.6 "
                               "linecolor rgb '#606060'\n",
                               account->name, places[i], row + half_height + 0.26, "#000000",
                               places[i], row + half_height + 0.15, account->middle / unit,
                               row + half_height - 0.02);
    }
}

/* "1.234" in the axis' unit, and how much slower the contexts are. */
static void append_total(const PfSavedRun *run, double row, double unit, GString *labels)
{
    const PfSavedStat *total = pf_saved_find(run, "cycles.total");
    const PfSavedStat *slowdown = pf_saved_find(run, "slowdown");
    if (total == NULL || !total->defined)
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%.4g", total->number / unit);
    if (slowdown != NULL && slowdown->defined && strcmp(run->policy, "none") != 0)
        g_string_append_printf(text, "  (\303\227%.3f)", slowdown->number);
    g_string_append_printf(labels,
                           "set label '%s' at %.6g, %.6g left offset 0.6, 0 front textcolor rgb "
                           "'#404040'\n",
                           text->str, total->number / unit, row);
}

static double choose_unit(double total_max, const char **ret_name)
{
    static const struct {
        double value;
        const char *name;
    } units[] = {{1e12, "10\302\271\302\262 cycles"},
                 {1e9, "10\342\201\271 cycles"},
                 {1e6, "10\342\201\266 cycles"},
                 {1e3, "10\302\263 cycles"}};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (total_max >= units[i].value) {
            *ret_name = units[i].name;
            return units[i].value;
        }
    *ret_name = "cycles";
    return 1.0;
}

static void set_words(const Chart *chart, GHashTable *words)
{
    const char *unit_name = NULL;
    double unit = choose_unit(chart->total_max, &unit_name);
    const PfSaved *saved = chart->saved;
    guint rows = saved->runs->len;
    g_autoptr(GString) labels = g_string_new(NULL);
    g_autoptr(GString) tics = g_string_new(NULL);
    g_autoptr(GString) plots = g_string_new(NULL);
    for (guint i = 0; i < rows; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        bool remark = run->remark != NULL && run->remark[0] != '\0';
        g_autofree char *name = remark ? g_strdup_printf("%s\n(%s)", run->policy, run->remark)
                                       : g_strdup(run->policy);
        g_autofree char *quoted = pf_figure_quote(name);
        g_string_append_printf(tics, "%s%s %u", i > 0 ? ", " : "", quoted, rows - i);
        append_names(chart, i, unit, labels);
        append_total(run, (double)(rows - i), unit, labels);
    }
    for (size_t i = 0; i < chart->count; i++)
        g_string_append_printf(
            plots, "%s     'cycles.csv' skip 1 using (stringcolumn(2) eq '%s' ? $4 / unit : "
                   "NaN):6:($4 / unit):($5 / unit):($6 - half):($6 + half) with boxxyerror "
                   "fillcolor rgb '%s'",
            i > 0 ? ", \\\n" : "", chart->accounts[i].name, chart->accounts[i].color);
    g_autoptr(GString) title = g_string_new("Where the cycles go");
    if (saved->trace_name != NULL)
        g_string_append_printf(title, ", %s", saved->trace_name);
    if (saved->dilation < 1.0 || saved->dilation > 1.0)
        g_string_append_printf(title, ", dilation %g", saved->dilation);
    if (!saved->complete)
        g_string_append(title, ", not complete");
    g_autofree char *quoted = pf_figure_quote(title->str);
    pf_figure_set(words, "TITLE", "%s", quoted);
    pf_figure_set(words, "UNIT", "%.15g", unit);
    pf_figure_set(words, "UNIT_NAME", "%s", unit_name);
    pf_figure_set(words, "HALF", "%g", half_height);
    pf_figure_set(words, "CYCLES_MAX", "%.15g", chart->total_max / unit * 1.22);
    pf_figure_set(words, "ROWS", "%u", rows);
    pf_figure_set(words, "TICS", "%s", tics->str);
    pf_figure_set(words, "LABELS", "%s", labels->str);
    pf_figure_set(words, "PLOTS", "%s", plots->str);
}

static bool prepare(const char *directory, GString *data, GHashTable *words, GError **error)
{
    g_autoptr(PfSaved) saved = pf_saved_load(directory, error);
    if (saved == NULL)
        return false;
    Chart chart = {.saved = saved};
    g_string_append(data, "policy,account,cycles,begin,end,row\n");
    for (guint i = 0; i < saved->runs->len; i++)
        append_bar(&chart, i, data);
    if (chart.count == 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s/stats.json: no cycles to draw", directory);
        return false;
    }
    set_words(&chart, words);
    return true;
}

const PfFigure pf_figure_cycles = {
    .name = "cycles",
    .summary = "cycles by account, one stacked bar a policy",
    .prepare = prepare,
};
