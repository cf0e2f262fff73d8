/* The section of the comparison that says what the time of the slowest spans went to: a row a
 * label, for the first labels. All of it is in span.LABEL.* of the statistics. */
#include <string.h>

#include "report.h"

enum { LABELS_TOLD = 16 };

static const struct {
    const char *heading;
    const char *stat; /* behind span.LABEL. */
} columns[] = {
    {"span", NULL},
    {"count", "count"},
    {"mean cycles", "mean_cycles"},
    {"p50", "p50_cycles"},
    {"p95", "p95_cycles"},
    {"p99", "p99_cycles"},
    {"p99.9", "p999_cycles"},
    {"slowest", "slowest_count"},
    {"mean of these", "slowest_mean_cycles"},
    {"break", "slowest_break_cycles"},
    {"shootdown", "slowest_shootdown_cycles"},
    {"stolen", "slowest_stolen_cycles"},
    {"memory", "slowest_memory_cycles"},
    {"idle", "slowest_idle_cycles"},
    {"other", "slowest_other_cycles"},
};

enum { COLUMNS = G_N_ELEMENTS(columns) };

typedef struct {
    GPtrArray *cells;
    const char *policy;
    unsigned labels; /* of this policy */
} Rows;

static char *make_cell(PfStatValue value)
{
    if (value.kind == PF_STAT_UINT)
        return g_strdup_printf("%" G_GUINT64_FORMAT, value.u);
    return g_strdup_printf("%.0f", pf_report_number(value));
}

/* Statistics of a label come one after the other, in the order of the columns. */
static void add_cell(const PfStatInfo *info, PfStatValue value, void *user)
{
    static const char prefix[] = "span.";
    Rows *rows = user;
    const char *dot = strrchr(info->name, '.');
    if (!g_str_has_prefix(info->name, prefix) || rows->labels == LABELS_TOLD)
        return;
    for (unsigned c = 1; c < COLUMNS; c++) {
        if (!g_str_equal(columns[c].stat, dot + 1))
            continue;
        if (c == 1) {
            const char *label = info->name + strlen(prefix);
            g_ptr_array_add(rows->cells, g_strdup(rows->policy));
            g_ptr_array_add(rows->cells, g_strndup(label, (gsize)MAX(dot - label, 0)));
        }
        g_ptr_array_add(rows->cells, make_cell(value));
        rows->labels += c == COLUMNS - 1;
    }
}

void pf_report_spans(GString *out, const PfSimulation *simulation, PfReportForm form)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(cells, g_strdup("policy"));
    for (unsigned c = 0; c < COLUMNS; c++)
        g_ptr_array_add(cells, g_strdup(columns[c].heading));
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        Rows rows = {.cells = cells, .policy = pf_run_label(run)};
        pf_run_contexts_visit(run, add_cell, &rows);
    }
    if (cells->len > 1 + COLUMNS)
        pf_report_cells(out, "spans, and what the time of the slowest went to (mean cycles)", cells,
                        1 + COLUMNS, form);
}
