/* The section of the comparison that says why pages are not shared: a row a policy, a column a
 * reason that some page has. */
#include <string.h>

#include "report.h"

static const struct {
    const char *heading;
    const char *stat;
} columns[] = {
    {"shared", "reason.shared"},
    {"unique", "reason.unique"},
    {"volatile", "reason.volatile"},
    {"kind", "reason.kind"},
    {"not mergeable", "reason.not_mergeable"},
    {"pinned", "reason.pinned"},
    {"class", "reason.class"},
    {"limit", "reason.limit"},
    {"large", "reason.large"},
    {"not reached", "reason.not_reached"},
};

enum { COLUMNS = G_N_ELEMENTS(columns) };

static bool find_pages(const PfRun *run, const char *name, uint64_t *ret_pages)
{
    PfStatValue value;
    if (!pf_stats_find(pf_run_stats(run), name, &value) || value.kind != PF_STAT_UINT)
        return false;
    *ret_pages = value.u;
    return true;
}

/* Whether RUN has reasons to tell: `none` has none, and a bound leaves nothing unshared. */
static bool has_reasons(const PfRun *run)
{
    uint64_t pages;
    return strcmp(pf_run_policy(run), "none") != 0 && find_pages(run, columns[0].stat, &pages);
}

/* "1234 56.7 %" */
static char *make_cell(const PfRun *run, const char *name)
{
    uint64_t pages = 0;
    uint64_t all = 0;
    find_pages(run, name, &pages);
    find_pages(run, "memory.populated_pages", &all);
    double share = all > 0 ? 100.0 * (double)pages / (double)all : 0.0;
    return g_strdup_printf("%" G_GUINT64_FORMAT " %5.1f %%", pages, share);
}

/* Rows of 1 + COLUMNS texts, the headings first; columns without a page are NULL in it. */
static GPtrArray *make_cells(const PfSimulation *simulation)
{
    GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(cells, g_strdup("policy"));
    for (unsigned c = 0; c < COLUMNS; c++)
        g_ptr_array_add(cells, NULL);
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        if (!has_reasons(run))
            continue;
        g_ptr_array_add(cells, g_strdup(pf_run_label(run)));
        for (unsigned c = 0; c < COLUMNS; c++) {
            uint64_t pages = 0;
            find_pages(run, columns[c].stat, &pages);
            if (pages > 0 && cells->pdata[1 + c] == NULL)
                cells->pdata[1 + c] = g_strdup(columns[c].heading);
            g_ptr_array_add(cells, make_cell(run, columns[c].stat));
        }
    }
    return cells;
}

void pf_report_reasons(GString *out, const PfSimulation *simulation, PfReportForm form)
{
    g_autoptr(GPtrArray) cells = make_cells(simulation);
    if (cells->len > 1 + COLUMNS)
        pf_report_cells(out, "why pages are not shared (pages, and share of the populated)", cells,
                        1 + COLUMNS, form);
}
