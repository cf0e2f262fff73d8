/* What does each policy cost, and where do the cycles go? */
#include <string.h>

#include "error.h"
#include "figures.h"
#include "report.h"
#include "saved.h"

/* Characters that fit beside each other in the longest bar. */
static const double bar_characters = 52.0;

/* Of a bar; bars have unit distance. */
static const double half_height = 0.32;

/* In the order of the bars. What programs do whoever looks after their memory is grey; what sharing
 * costs has the colours of Okabe and Ito. */
static const struct {
    const char *name;
    const char *color;
    const char *text_color;
} accounts[] = {
    {"compute", "#e2e2e2", "#000000"},   {"memory", "#c9c9c9", "#000000"},
    {"walk", "#aeaeae", "#000000"},      {"fault", "#8c8c8c", "#ffffff"},
    {"system", "#6e6e6e", "#ffffff"},    {"swap", "#4f4f4f", "#ffffff"},
    {"break", "#D55E00", "#ffffff"},
    {"shootdown", "#CC79A7", "#000000"}, {"scan", "#56B4E9", "#000000"},
    {"hash", "#0072B2", "#ffffff"},      {"lookup", "#009E73", "#ffffff"},
    {"compare", "#E69F00", "#000000"},   {"merge", "#F0E442", "#000000"},
    {"lock", "#000000", "#ffffff"},
};

enum { ACCOUNTS = G_N_ELEMENTS(accounts) };

/* The widest segment of an account: where its name stands, if it fits. */
typedef struct {
    double cycles;
    double middle;
    size_t run;
} Segment;

typedef struct {
    const PfSaved *saved;
    Segment widest[ACCOUNTS];
    double total_max;
} Chart;

static void append_bar(Chart *chart, size_t run_index, GString *data)
{
    const PfSavedRun *run = chart->saved->runs->pdata[run_index];
    double begin = 0.0;
    for (size_t i = 0; i < ACCOUNTS; i++) {
        g_autofree char *name = g_strconcat("cycles.account.", accounts[i].name, NULL);
        const PfSavedStat *stat = pf_saved_find(run, name);
        if (stat == NULL || !(stat->number > 0.0))
            continue;
        double end = begin + stat->number;
        if (stat->number > chart->widest[i].cycles)
            chart->widest[i] = (Segment){stat->number, (begin + end) / 2.0, run_index};
        pf_report_append_field(data, run->policy);
        g_string_append_printf(data, ",%s,%s,%.0f,%.0f,%u\n", accounts[i].name, stat->text, begin,
                               end, chart->saved->runs->len - (guint)run_index);
        begin = end;
    }
    chart->total_max = MAX(chart->total_max, begin);
}

/* The bar's total in the axis' unit, and how much slower the contexts are. True if that is known.
 */
static bool append_total(const PfSavedRun *run, guint row, double unit, GString *labels)
{
    const PfSavedStat *total = pf_saved_find(run, "cycles.total");
    const PfSavedStat *slowdown = pf_saved_find(run, "slowdown");
    bool is_slowed = slowdown != NULL && slowdown->defined && strcmp(run->policy, "none") != 0;
    if (total == NULL || !total->defined)
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%.2f", total->number / unit);
    if (is_slowed)
        g_string_append_printf(text, " (\303\227%.3f)", slowdown->number);
    g_string_append_printf(labels,
                           "set label '%s' at %.6g, %u left offset 1, 0 front textcolor rgb "
                           "'#404040'\n",
                           text->str, total->number / unit, row);
    return is_slowed;
}

/* An account is named in its widest segment, or in the key if that is too narrow. */
static void append_account(const Chart *chart, size_t index, double unit, GString *labels,
                           GString *plots)
{
    const Segment *widest = &chart->widest[index];
    const char *name = accounts[index].name;
    if (!(widest->cycles > 0.0))
        return;
    double name_cycles = chart->total_max / bar_characters * (double)(strlen(name) + 2);
    bool fits = widest->cycles >= name_cycles;
    if (fits)
        g_string_append_printf(labels,
                               "set label '%s' at %.6g, %zu center front textcolor rgb '%s'\n",
                               name, widest->middle / unit, chart->saved->runs->len - widest->run,
                               accounts[index].text_color);
    g_string_append_printf(
        plots,
        "%s     'cycles.csv' skip 1 using (stringcolumn(2) eq '%s' ? $4 / unit : NaN):6:"
        "($4 / unit):($5 / unit):($6 - half):($6 + half) with boxxyerror fillcolor rgb '%s' "
        "%s%s%s",
        plots->len > 0 ? ", \\\n" : "", name, accounts[index].color, fits ? "notitle" : "title '",
        fits ? "" : name, fits ? "" : "'");
}

static double choose_unit(double total_max, const char **ret_name)
{
    static const struct {
        double value;
        const char *name;
    } units[] = {{1e12, "10\302\271\302\262"},
                 {1e9, "10\342\201\271"},
                 {1e6, "10\342\201\266"},
                 {1e3, "10\302\263"}};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (total_max >= units[i].value) {
            *ret_name = units[i].name;
            return units[i].value;
        }
    *ret_name = "1";
    return 1.0;
}

static void set_title(GHashTable *words, const PfSaved *saved)
{
    g_autoptr(GString) title = g_string_new("Where the cycles go");
    if (saved->trace_name != NULL)
        g_string_append_printf(title, ", %s", saved->trace_name);
    if (saved->dilation < 1.0 || saved->dilation > 1.0)
        g_string_append_printf(title, ", dilation %g", saved->dilation);
    if (!saved->complete)
        g_string_append(title, ", not complete");
    g_autofree char *quoted = pf_figure_quote(title->str);
    pf_figure_set(words, "TITLE", "%s", quoted);
}

static void set_words(const Chart *chart, GHashTable *words)
{
    const char *unit_name = NULL;
    double unit = choose_unit(chart->total_max, &unit_name);
    const PfSaved *saved = chart->saved;
    guint rows = saved->runs->len;
    bool has_slowdown = false;
    g_autoptr(GString) labels = g_string_new(NULL);
    g_autoptr(GString) tics = g_string_new(NULL);
    g_autoptr(GString) plots = g_string_new(NULL);
    for (guint i = 0; i < rows; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        bool remark = run->remark != NULL && run->remark[0] != '\0';
        g_autofree char *name = pf_figure_quote(run->policy);
        g_autofree char *below = pf_figure_quote(remark ? run->remark : "");
        g_string_append_printf(tics, "%s%s%s%s %u", i > 0 ? ", " : "", name,
                               remark ? ".\"\\n\"." : "", remark ? below : "", rows - i);
        has_slowdown = append_total(run, rows - i, unit, labels) || has_slowdown;
    }
    for (size_t i = 0; i < ACCOUNTS; i++)
        append_account(chart, i, unit, labels, plots);
    set_title(words, saved);
    pf_figure_set(words, "UNIT", "%.15g", unit);
    pf_figure_set(words, "UNIT_NAME", "%s", unit_name);
    pf_figure_set(words, "SLOWDOWN_NOTE", "%s",
                  has_slowdown ? "; in brackets: slowdown of the contexts" : "");
    pf_figure_set(words, "HALF", "%g", half_height);
    pf_figure_set(words, "CYCLES_MAX", "%.15g", chart->total_max / unit * 1.25);
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
    if (!(chart.total_max > 0.0)) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s/stats.json: no cycles to draw", directory);
        return false;
    }
    set_words(&chart, words);
    return true;
}

const PfFigure pf_figure_cycles = {
    .name = "cycles",
    .summary = "cycles by account, one stacked bar a policy",
    .source = "stats.json",
    .prepare = prepare,
};
