/* The section of the comparison that says why pages are not shared: a row a policy, a column a
 * reason that some page has. */
#include <string.h>

#include "report.h"

enum { WIDTH_MAX = 100, GAP = 2 };

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

static size_t column_width(const GPtrArray *cells, unsigned column)
{
    size_t width = 0;
    for (unsigned i = column; i < cells->len; i += 1 + COLUMNS)
        width = MAX(width, pf_report_width(cells->pdata[i]));
    return width;
}

static void append_padding(GString *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        g_string_append_c(out, ' ');
}

/* The policies and columns FROM to TO - 1. */
static void append_block(GString *out, const GPtrArray *cells, unsigned from, unsigned to)
{
    size_t first = column_width(cells, 0);
    for (unsigned row = 0; row < cells->len; row += 1 + COLUMNS) {
        const char *label = cells->pdata[row];
        g_string_append(out, label);
        append_padding(out, first - pf_report_width(label));
        for (unsigned c = from; c < to; c++) {
            if (cells->pdata[c] == NULL)
                continue;
            const char *text = cells->pdata[row + c];
            append_padding(out, GAP + column_width(cells, c) - strlen(text));
            g_string_append(out, text);
        }
        g_string_append_c(out, '\n');
    }
}

static void append_text(GString *out, const GPtrArray *cells)
{
    unsigned from = 1;
    while (from < 1 + COLUMNS) {
        size_t width = column_width(cells, 0);
        unsigned to = from;
        unsigned told = 0;
        for (; to < 1 + COLUMNS; to++) {
            size_t more = cells->pdata[to] != NULL ? GAP + column_width(cells, to) : 0;
            if (told > 0 && width + more > WIDTH_MAX)
                break;
            width += more;
            told += cells->pdata[to] != NULL;
        }
        if (told > 0) {
            g_string_append_c(out, '\n');
            append_block(out, cells, from, to);
        }
        from = to;
    }
}

static void append_markdown(GString *out, const GPtrArray *cells)
{
    g_string_append_c(out, '\n');
    for (unsigned row = 0; row < cells->len; row += 1 + COLUMNS) {
        for (unsigned c = 0; c < 1 + COLUMNS; c++) {
            if (cells->pdata[c] == NULL)
                continue;
            g_auto(GStrv) parts = g_strsplit(cells->pdata[row + c], "|", -1);
            g_autofree char *escaped = g_strjoinv("\\|", parts);
            g_string_append_printf(out, "| %s ", escaped);
        }
        g_string_append(out, "|\n");
        for (unsigned c = 0; row == 0 && c < 1 + COLUMNS; c++)
            if (cells->pdata[c] != NULL)
                g_string_append(out, c == 0 ? "| :--- " : "| ---: ");
        g_string_append(out, row == 0 ? "|\n" : "");
    }
}

void pf_report_reasons(GString *out, const PfSimulation *simulation, PfReportForm form)
{
    g_autoptr(GPtrArray) cells = make_cells(simulation);
    if (cells->len == 1 + COLUMNS)
        return;
    const char *mark = form == PF_REPORT_MARKDOWN ? "**" : "";
    g_string_append_printf(out,
                           "\n%swhy pages are not shared (pages, and share of the populated)%s\n",
                           mark, mark);
    if (form == PF_REPORT_MARKDOWN)
        append_markdown(out, cells);
    else
        append_text(out, cells);
}
