/* Which node's memory do which node's cores read and write? */
#include <math.h>

#include "sheet.h"

enum { NODES_MAX = 64, NODES_TOLD = 8, COLUMNS = 3 };
enum { PANEL_PIXELS = 230, STRIP_PIXELS = 30, POLICY_WIDTH = 14 };

static double lines_of(const PfSavedRun *run, unsigned from, unsigned to)
{
    g_autofree char *name = g_strdup_printf("numa.lines_%u_%u", from, to);
    return pf_sheet_stat(run, name);
}

/* Appends the rows of RUN; returns its lines in all. */
static double put_run(PfSheet *sheet, const PfSavedRun *run, unsigned nodes)
{
    double all = 0.0;
    for (unsigned i = 0; i < nodes * nodes; i++)
        all += lines_of(run, i / nodes, i % nodes);
    for (unsigned i = 0; i < nodes * nodes; i++) {
        double lines = lines_of(run, i / nodes, i % nodes);
        pf_sheet_put_text(sheet, run->policy);
        g_string_append_printf(sheet->data, ",%u,%u,", i / nodes, i % nodes);
        pf_sheet_put_number(sheet, lines);
        pf_sheet_put_char(sheet, ',');
        pf_sheet_put_number(sheet, all > 0.0 ? 100.0 * lines / all : 0.0);
        pf_sheet_put_char(sheet, '\n');
    }
    return all;
}

static void put_panel(PfSheet *sheet, const PfSaved *saved, guint index, double all, unsigned nodes)
{
    const PfSavedRun *run = saved->runs->pdata[index];
    g_autoptr(GHashTable) words = pf_words_new();
    g_autoptr(GString) tics = g_string_new(NULL);
    for (unsigned i = 0; i < nodes; i++)
        g_string_append_printf(tics, "%s'%u' %u", i > 0 ? ", " : "", i, i);
    guint rows = (saved->runs->len + COLUMNS - 1) / COLUMNS;
    double height = rows * PANEL_PIXELS + STRIP_PIXELS;
    double share = rows * PANEL_PIXELS / height; /* that is not the title's */
    PfScale scale = pf_scale_for(PF_UNIT_COUNT, all);
    bool scaled = scale.name[0] != '\0';
    g_autofree char *amount =
        scaled ? pf_sheet_short(all * scale.factor) : g_strdup_printf("%.0f", all);
    g_autofree char *policy = pf_sheet_shorten(run->policy, POLICY_WIDTH);
    g_autofree char *name = g_strdup_printf("%s: %s%s%s lines", policy, amount,
                                            scaled ? " \303\227 " : "", scale.name);
    g_autofree char *quoted = pf_sheet_quote(name);
    g_autofree char *title =
        pf_sheet_title("Lines between nodes' cores and memory, in % of a policy's", saved);
    g_autofree char *title_quoted = pf_sheet_quote_title(sheet, title);
    pf_words_set(words, "PLACE", "%.6g, %.6g", (double)(index % COLUMNS) / COLUMNS,
                 share * (1.0 - (double)(index / COLUMNS + 1) / rows));
    pf_words_set(words, "SIZE", "%.6g, %.6g", 1.0 / COLUMNS, share / rows);
    pf_words_set(words, "LABELS", "%s%s%sset label %s at graph 0, graph 1 left offset -6, 1",
                 index == 0 ? "set label " : "", index == 0 ? title_quoted : "",
                 index == 0 ? " at screen 0, screen 1 left offset 1.5, -1\n" : "", quoted);
    pf_words_set(words, "NODES", "%u", nodes);
    bool dumb = sheet->terminal == PF_TERMINAL_DUMB; /* which writes across, over the matrix */
    pf_words_set(words, "X", "%s", dumb ? "memory (rows: cores)" : "memory on node");
    pf_words_set(words, "Y", "%s", dumb ? "" : "cores on node");
    pf_words_set(words, "SHOWN", "%d", nodes <= NODES_TOLD);
    pf_words_set(words, "TICS", "%s", tics->str);
    pf_words_set(words, "ROWS", "::%u::%u", index * nodes * nodes, (index + 1) * nodes * nodes - 1);
    pf_sheet_add_template(sheet, "matrix", words);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    if (saved == NULL)
        return false;
    unsigned nodes = 0;
    while (saved->runs->len > 0 && nodes < NODES_MAX &&
           isfinite(lines_of(saved->runs->pdata[0], nodes, nodes)))
        nodes++;
    if (nodes == 0)
        return pf_sheet_lacks(sheet, error,
                              "the machine has one node; set machine.numa.nodes = 2 or more");
    guint rows = (saved->runs->len + COLUMNS - 1) / COLUMNS;
    pf_sheet_begin_script(sheet, rows * PANEL_PIXELS + STRIP_PIXELS);
    g_string_append(sheet->data, "policy,core_node,memory_node,lines,percent\n");
    g_string_append(sheet->script, "set multiplot\n");
    for (guint i = 0; i < saved->runs->len; i++) {
        double all = put_run(sheet, saved->runs->pdata[i], nodes);
        put_panel(sheet, saved, i, all, nodes);
    }
    g_string_append(sheet->script, "unset multiplot\n");
    return true;
}

const PfFigure pf_figure_numa = {
    .name = "numa",
    .summary = "lines moved between the nodes of cores and of memory, a matrix a policy",
    .source = "stats.json",
    .draw = draw,
};
