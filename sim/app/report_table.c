#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "units.h"

enum { COLUMNS_MAX = 100, GAP = 2 };

typedef enum {
    CELL_LABEL,
    CELL_STAT,      /* as it is */
    CELL_PAGES_MIB, /* pages, told in MiB */
    CELL_BYTES_MIB, /* bytes, told in MiB */
    CELL_PERCENT,   /* of `whole` */
    CELL_RATIO,     /* three decimals */
    CELL_REMARK,
} CellKind;

typedef struct {
    CellKind kind;
    const char *above; /* two lines of heading, for eyes */
    const char *below;
    const char *name; /* one word, for CSV */
    const char *stat;
    const char *whole;
    bool starts_block; /* where a table that is too wide is best split */
} Column;

static const Column columns[] = {
    {CELL_LABEL, "", "policy", "policy", NULL, NULL, false},
    {CELL_STAT, "populated", "pages", "populated_pages", "memory.populated_pages", NULL, false},
    {CELL_STAT, "baseline", "pages", "baseline_pages", "memory.baseline_frames", NULL, false},
    {CELL_STAT, "used", "pages", "used_pages", "memory.used_frames", NULL, false},
    {CELL_STAT, "saved", "pages", "saved_pages", "memory.saved_pages", NULL, false},
    {CELL_PAGES_MIB, "saved", "MiB", "saved_MiB", "memory.saved_pages", NULL, false},
    {CELL_PERCENT, "saved", "%", "saved_percent", "memory.saved_pages", "memory.baseline_frames",
     false},
    {CELL_BYTES_MIB, "metadata", "MiB", "metadata_MiB", "memory.metadata_bytes", NULL, false},
    {CELL_BYTES_MIB, "net saved", "MiB", "net_saved_MiB", "memory.net_saved_bytes", NULL, false},
    {CELL_STAT, "contexts", "cycles", "app_cycles", "cycles.app", NULL, true},
    {CELL_STAT, "policy", "cycles", "policy_cycles", "cycles.policy", NULL, false},
    {CELL_RATIO, "contexts'", "slowdown", "slowdown", "slowdown", NULL, false},
    {CELL_STAT, "sharings", "made", "sharings_made", "policy.shared", NULL, false},
    {CELL_STAT, "sharings", "broken", "sharings_broken", "policy.broken", NULL, false},
    {CELL_REMARK, "", "remark", "remark", NULL, NULL, false},
};

enum { COLUMNS = G_N_ELEMENTS(columns) };

/* The whole table as text: `cells` has `rows` rows of COLUMNS, owned. */
typedef struct {
    size_t rows;
    char **cells;
    size_t width[COLUMNS]; /* in characters, headings included */
    bool used[COLUMNS];
} Table;

static PfStatValue find_stat(const PfRun *run, const char *name)
{
    PfStatValue value = pf_stat_null();
    if (!pf_stats_find(pf_run_stats(run), name, &value))
        return pf_stat_null();
    return value;
}

/* A comparison of different scopes says so in each row. */
static char *make_remark(const PfSimulation *simulation, const PfRun *run)
{
    const char *remark = pf_run_remark(run);
    const char *scope = NULL;
    bool mixed = false;
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *other = pf_simulation_run_at(simulation, i);
        if (strcmp(pf_run_policy(other), "none") == 0)
            continue;
        mixed = mixed || (scope != NULL && strcmp(scope, pf_run_scope(other)) != 0);
        scope = pf_run_scope(other);
    }
    if (!mixed || strcmp(pf_run_policy(run), "none") == 0)
        return g_strdup(remark);
    return g_strconcat("scope ", pf_run_scope(run), remark[0] != '\0' ? "; " : "", remark, NULL);
}

/* VALUE with DECIMALS for eyes, in full where EXACT. */
static char *number_text(double value, int decimals, bool exact)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (!isfinite(value))
        g_string_append(text, exact ? "null" : "-");
    else if (exact)
        pf_report_append_value(text, pf_stat_double(value));
    else
        g_string_append_printf(text, "%.*f", decimals, value);
    return g_strdup(text->str);
}

static char *stat_text(PfStatValue value, bool exact)
{
    if (value.kind == PF_STAT_DOUBLE)
        return number_text(value.d, 2, exact);
    if (value.kind == PF_STAT_NULL && !exact)
        return g_strdup("-");
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_append_value(text, value);
    return g_strdup(text->str);
}

static char *make_cell(const PfSimulation *simulation, const PfRun *run, const Column *column,
                       bool exact)
{
    double page_bytes = (double)pf_simulation_trace_header(simulation)->page_bytes;
    PfStatValue value = column->stat != NULL ? find_stat(run, column->stat) : pf_stat_null();
    double number = pf_report_number(value);
    switch (column->kind) {
    case CELL_LABEL:
        return g_strdup(pf_run_label(run));
    case CELL_STAT:
        return stat_text(value, exact);
    case CELL_PAGES_MIB:
        return number_text(number * page_bytes / (double)PF_MIB, 2, exact);
    case CELL_BYTES_MIB:
        return number_text(number / (double)PF_MIB, 2, exact);
    case CELL_PERCENT:
        return number_text(100.0 * number / pf_report_number(find_stat(run, column->whole)), 1,
                           exact);
    case CELL_RATIO:
        return number_text(number, 3, exact);
    case CELL_REMARK:
        return make_remark(simulation, run);
    }
    return NULL;
}

static Table make_table(const PfSimulation *simulation, bool exact)
{
    Table table = {.rows = pf_simulation_run_count(simulation)};
    table.cells = g_new0(char *, table.rows *COLUMNS);
    for (size_t c = 0; c < COLUMNS; c++) {
        table.width[c] = MAX(strlen(columns[c].above), strlen(columns[c].below));
        table.used[c] = columns[c].kind != CELL_REMARK || exact;
        for (size_t r = 0; r < table.rows; r++) {
            const PfRun *run = pf_simulation_run_at(simulation, r);
            char *cell = make_cell(simulation, run, &columns[c], exact);
            table.cells[r * COLUMNS + c] = cell;
            table.width[c] = MAX(table.width[c], pf_report_width(cell));
            table.used[c] = table.used[c] || cell[0] != '\0';
        }
    }
    return table;
}

static void clear_table(Table *table)
{
    for (size_t i = 0; i < table->rows * COLUMNS; i++)
        g_free(table->cells[i]);
    g_free(table->cells);
}

/* "tiny.trace: 4 KiB pages, timing costs, seed 1, dilation 4" */
static char *make_title(const PfSimulation *simulation)
{
    g_autofree char *name = g_path_get_basename(pf_simulation_trace_path(simulation));
    uint32_t page_bytes = pf_simulation_trace_header(simulation)->page_bytes;
    g_autoptr(GString) title = g_string_new(name);
    if (page_bytes % PF_KIB == 0)
        g_string_append_printf(title, ": %" G_GUINT64_FORMAT " KiB pages", page_bytes / PF_KIB);
    else
        g_string_append_printf(title, ": %u B pages", page_bytes);
    g_string_append_printf(title, ", timing %s, seed %" G_GUINT64_FORMAT,
                           pf_simulation_timing(simulation), pf_simulation_seed(simulation));
    double dilation = pf_simulation_dilation(simulation);
    if (dilation < 1.0 || dilation > 1.0) {
        g_string_append(title, ", dilation ");
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append(title, g_ascii_formatd(text, sizeof text, "%.6g", dilation));
    }
    if (!pf_simulation_complete(simulation))
        g_string_append(title, ", not complete");
    return g_strdup(title->str);
}

static void append_padded(GString *out, const char *text, size_t width, bool left)
{
    size_t pad = width - MIN(width, pf_report_width(text));
    if (left)
        g_string_append(out, text);
    for (size_t i = 0; i < pad; i++)
        g_string_append_c(out, ' ');
    if (!left)
        g_string_append(out, text);
}

static bool is_left(const Column *column)
{
    return column->kind == CELL_LABEL || column->kind == CELL_REMARK;
}

/* One line of the policy's column and columns FROM to TO - 1; TEXT_OF tells a column's text. */
static void append_line(GString *out, const Table *table, size_t from, size_t to,
                        const char *const *texts)
{
    append_padded(out, texts[0], table->width[0], true);
    for (size_t c = from; c < to; c++) {
        if (!table->used[c])
            continue;
        g_string_append(out, "  ");
        append_padded(out, texts[c], table->width[c], is_left(&columns[c]));
    }
    while (out->len > 0 && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
}

static void append_block(GString *out, const Table *table, size_t from, size_t to)
{
    const char *above[COLUMNS];
    const char *below[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) {
        above[c] = columns[c].above;
        below[c] = columns[c].below;
    }
    append_line(out, table, from, to, above);
    append_line(out, table, from, to, below);
    for (size_t r = 0; r < table->rows; r++)
        append_line(out, table, from, to, (const char *const *)&table->cells[r * COLUMNS]);
}

/* How wide the policy's column and columns FROM to TO - 1 are. */
static size_t block_width(const Table *table, size_t from, size_t to)
{
    size_t width = table->width[0];
    for (size_t c = from; c < to; c++)
        width += table->used[c] ? table->width[c] + GAP : 0;
    return width;
}

/* In as few blocks as fit, split where a column says so if that is possible. */
static void append_text(GString *out, const Table *table)
{
    size_t from = 1;
    while (from < COLUMNS) {
        size_t to = from + 1;
        while (to < COLUMNS && block_width(table, from, to + 1) <= COLUMNS_MAX)
            to++;
        for (size_t c = from + 1; c < to && to < COLUMNS; c++)
            if (columns[c].starts_block)
                to = c;
        if (from > 1)
            g_string_append_c(out, '\n');
        append_block(out, table, from, to);
        from = to;
    }
}

static void append_markdown(GString *out, const Table *table)
{
    g_string_append_c(out, '|');
    for (size_t c = 0; c < COLUMNS; c++)
        if (table->used[c])
            g_string_append_printf(out, " %s%s%s |", columns[c].above,
                                   columns[c].above[0] != '\0' ? " " : "", columns[c].below);
    g_string_append(out, "\n|");
    for (size_t c = 0; c < COLUMNS; c++)
        if (table->used[c])
            g_string_append(out, is_left(&columns[c]) ? " :--- |" : " ---: |");
    g_string_append_c(out, '\n');
    for (size_t r = 0; r < table->rows; r++) {
        g_string_append_c(out, '|');
        for (size_t c = 0; c < COLUMNS; c++) {
            if (!table->used[c])
                continue;
            g_auto(GStrv) parts = g_strsplit(table->cells[r * COLUMNS + c], "|", -1);
            g_autofree char *escaped = g_strjoinv("\\|", parts);
            g_string_append_printf(out, " %s |", escaped);
        }
        g_string_append_c(out, '\n');
    }
}

static void append_latex_text(GString *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr("&%$#_{}", *c) != NULL)
            g_string_append_printf(out, "\\%c", *c);
        else if (*c == '\\')
            g_string_append(out, "\\textbackslash{}");
        else if (*c == '~' || *c == '^')
            g_string_append_printf(out, "\\%c{}", *c);
        else
            g_string_append_c(out, *c);
    }
}

/* For the packages booktabs and graphicx; a caption and a label are the author's. */
static void append_latex(GString *out, const Table *table, const char *title)
{
    g_string_append(out, "% ");
    g_string_append(out, title);
    g_string_append(out, "\n\\begin{tabular}{");
    for (size_t c = 0; c < COLUMNS; c++)
        if (table->used[c])
            g_string_append_c(out, is_left(&columns[c]) ? 'l' : 'r');
    g_string_append(out, "}\n\\toprule\n");
    for (unsigned line = 0; line < 2; line++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            if (!table->used[c])
                continue;
            g_string_append(out, c > 0 ? " & " : "");
            append_latex_text(out, line == 0 ? columns[c].above : columns[c].below);
        }
        g_string_append(out, " \\\\\n");
    }
    g_string_append(out, "\\midrule\n");
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            if (!table->used[c])
                continue;
            g_string_append(out, c > 0 ? " & " : "");
            append_latex_text(out, table->cells[r * COLUMNS + c]);
        }
        g_string_append(out, " \\\\\n");
    }
    g_string_append(out, "\\bottomrule\n\\end{tabular}\n");
}

static void append_csv(GString *out, const Table *table, double dilation)
{
    for (size_t c = 0; c < COLUMNS; c++)
        g_string_append_printf(out, "%s,", columns[c].name);
    g_string_append(out, "dilation\n");
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            pf_report_append_field(out, table->cells[r * COLUMNS + c]);
            g_string_append_c(out, ',');
        }
        pf_report_append_value(out, pf_stat_double(dilation));
        g_string_append_c(out, '\n');
    }
}

void pf_report_table(GString *out, const PfSimulation *simulation, PfReportForm form)
{
    Table table = make_table(simulation, form == PF_REPORT_CSV);
    g_autofree char *title = make_title(simulation);
    if (form == PF_REPORT_CSV) {
        append_csv(out, &table, pf_simulation_dilation(simulation));
    } else if (form == PF_REPORT_LATEX) {
        append_latex(out, &table, title);
    } else if (form == PF_REPORT_MARKDOWN) {
        g_string_append_printf(out, "**%s**\n", title);
        if (!pf_report_alone(out, simulation, form)) {
            g_string_append_c(out, '\n');
            append_markdown(out, &table);
        }
    } else {
        g_string_append_printf(out, "%s\n", title);
        if (!pf_report_alone(out, simulation, form)) {
            g_string_append_c(out, '\n');
            append_text(out, &table);
        }
    }
    clear_table(&table);
}
