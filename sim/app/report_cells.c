/* Tables of texts below the comparison: a row of headings, then rows, the first column to the left
 * and the others to the right. A column without a heading is not told. */
#include <string.h>

#include "report.h"

enum { WIDTH_MAX = 100, GAP = 2 };

static size_t column_width(const GPtrArray *cells, unsigned columns, unsigned column)
{
    size_t width = 0;
    for (unsigned i = column; i < cells->len; i += columns)
        width = MAX(width, pf_report_width(cells->pdata[i]));
    return width;
}

static void append_padding(GString *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        g_string_append_c(out, ' ');
}

/* The first column and columns FROM to TO - 1. */
static void append_block(GString *out, const GPtrArray *cells, unsigned columns, unsigned from,
                         unsigned to)
{
    size_t first = column_width(cells, columns, 0);
    for (unsigned row = 0; row < cells->len; row += columns) {
        const char *label = cells->pdata[row];
        g_string_append(out, label);
        append_padding(out, first - pf_report_width(label));
        for (unsigned c = from; c < to; c++) {
            if (cells->pdata[c] == NULL)
                continue;
            const char *text = cells->pdata[row + c];
            append_padding(out, GAP + column_width(cells, columns, c) - pf_report_width(text));
            g_string_append(out, text);
        }
        g_string_append_c(out, '\n');
    }
}

static void append_text(GString *out, const GPtrArray *cells, unsigned columns)
{
    unsigned from = 1;
    while (from < columns) {
        size_t width = column_width(cells, columns, 0);
        unsigned to = from;
        unsigned told = 0;
        for (; to < columns; to++) {
            size_t more =
                cells->pdata[to] != NULL ? GAP + column_width(cells, columns, to) : 0;
            if (told > 0 && width + more > WIDTH_MAX)
                break;
            width += more;
            told += cells->pdata[to] != NULL;
        }
        if (told > 0) {
            g_string_append_c(out, '\n');
            append_block(out, cells, columns, from, to);
        }
        from = to;
    }
}

static void append_markdown(GString *out, const GPtrArray *cells, unsigned columns)
{
    g_string_append_c(out, '\n');
    for (unsigned row = 0; row < cells->len; row += columns) {
        for (unsigned c = 0; c < columns; c++) {
            if (cells->pdata[c] == NULL)
                continue;
            g_auto(GStrv) parts = g_strsplit(cells->pdata[row + c], "|", -1);
            g_autofree char *escaped = g_strjoinv("\\|", parts);
            g_string_append_printf(out, "| %s ", escaped);
        }
        g_string_append(out, "|\n");
        for (unsigned c = 0; row == 0 && c < columns; c++)
            if (cells->pdata[c] != NULL)
                g_string_append(out, c == 0 ? "| :--- " : "| ---: ");
        g_string_append(out, row == 0 ? "|\n" : "");
    }
}

void pf_report_cells(GString *out, const char *title, const GPtrArray *cells, unsigned columns,
                     PfReportForm form)
{
    const char *mark = form == PF_REPORT_MARKDOWN ? "**" : "";
    g_string_append_printf(out, "\n%s%s%s\n", mark, title, mark);
    if (form == PF_REPORT_MARKDOWN)
        append_markdown(out, cells, columns);
    else
        append_text(out, cells, columns);
}
