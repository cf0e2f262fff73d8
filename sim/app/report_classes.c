/* The section of the comparison that says what each class rule of a policy costs, and what it buys
 * compared with the same policy without that rule: a row a rule. */
#include "host_class_rules.h"
#include "report.h"

static const struct {
    const char *heading;
    const char *stat; /* behind class.RULE. */
} columns[] = {
    {"rule", NULL},
    {"pages forgone", "forgone_pages"},
    {"saved less", "cost_pages"},
    {"remote lines spared", "remote_avoided"},
    {"conflicts spared", "conflicts_avoided"},
    {"all misses spared", "misses_avoided"},
};

enum { COLUMNS = G_N_ELEMENTS(columns) };

static PfStatValue find_value(const PfRun *run, PfClassRule rule, const char *stat)
{
    g_autofree char *name = g_strdup_printf("class.%s.%s", pf_class_rule_name(rule), stat);
    PfStatValue value = pf_stat_null();
    pf_stats_find(pf_run_stats(run), name, &value);
    return value;
}

/* "-" where it is not known. */
static char *make_cell(PfStatValue value)
{
    if (value.kind == PF_STAT_NULL)
        return g_strdup("-");
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_append_value(text, value);
    return g_strdup(text->str);
}

static void add_rows(GPtrArray *cells, const PfRun *run)
{
    for (PfClassRule rule = 0; rule < PF_CLASS_RULES; rule++) {
        if (find_value(run, rule, columns[1].stat).kind == PF_STAT_NULL)
            continue; /* none of the policy's, or this is there for comparison only */
        g_ptr_array_add(cells, g_strdup(pf_run_label(run)));
        g_ptr_array_add(cells, g_strdup(pf_class_rule_name(rule)));
        for (unsigned c = 1; c < COLUMNS; c++)
            g_ptr_array_add(cells, make_cell(find_value(run, rule, columns[c].stat)));
    }
}

void pf_report_classes(GString *out, const PfSimulation *simulation, PfReportForm form)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(cells, g_strdup("policy"));
    for (unsigned c = 0; c < COLUMNS; c++)
        g_ptr_array_add(cells, g_strdup(columns[c].heading));
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++)
        add_rows(cells, pf_simulation_run_at(simulation, i));
    if (cells->len > 1 + COLUMNS)
        pf_report_cells(out, "what class rules cost, and spare compared with no such rule", cells,
                        1 + COLUMNS, form);
}
