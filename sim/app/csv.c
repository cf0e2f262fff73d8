#include "csv.h"

#include <math.h>

#include "error.h"

/* The fields of one line; quotes are taken off (RFC 4180). */
static GPtrArray *split_line(const char *line)
{
    GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
    const char *c = line;
    for (;;) {
        g_autoptr(GString) field = g_string_new(NULL);
        bool quoted = *c == '"';
        if (quoted)
            c++;
        for (; *c != '\0' && (quoted || *c != ','); c++) {
            if (quoted && *c == '"') {
                if (c[1] != '"') {
                    quoted = false;
                    continue;
                }
                c++;
            }
            g_string_append_c(field, *c);
        }
        g_ptr_array_add(fields, g_strdup(field->str));
        if (*c == '\0')
            return fields;
        c++;
    }
}

PfCsv *pf_csv_load(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents(path, &text, NULL, &cause)) {
        bool is_missing = g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
                          g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOTDIR);
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", path,
                    is_missing ? "is not there" : cause->message);
        return NULL;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(PfCsv) csv = g_new0(PfCsv, 1);
    csv->path = g_strdup(path);
    csv->names = split_line(lines[0] != NULL ? lines[0] : "");
    csv->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint i = 1; lines[0] != NULL && lines[i] != NULL && lines[i][0] != '\0'; i++) {
        GPtrArray *fields = split_line(lines[i]);
        g_ptr_array_add(csv->rows, fields);
        if (fields->len == csv->names->len)
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s:%u: %u fields, where the header has %u",
                    path, i + 1, fields->len, csv->names->len);
        return NULL;
    }
    return g_steal_pointer(&csv);
}

void pf_csv_free(PfCsv *csv)
{
    if (csv == NULL)
        return;
    g_free(csv->path);
    if (csv->names != NULL)
        g_ptr_array_unref(csv->names);
    if (csv->rows != NULL)
        g_ptr_array_unref(csv->rows);
    g_free(csv);
}

int pf_csv_column(const PfCsv *csv, const char *name)
{
    for (guint i = 0; i < csv->names->len; i++)
        if (g_str_equal(csv->names->pdata[i], name))
            return (int)i;
    return -1;
}

const char *pf_csv_text(const PfCsv *csv, guint row, int column)
{
    const GPtrArray *fields = csv->rows->pdata[row];
    return column >= 0 ? fields->pdata[column] : "";
}

double pf_csv_number(const PfCsv *csv, guint row, int column)
{
    const char *text = pf_csv_text(csv, row, column);
    char *end = NULL;
    double value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' ? value : (double)NAN;
}

int pf_csv_add_column(PfCsv *csv, const char *name)
{
    g_ptr_array_add(csv->names, g_strdup(name));
    for (guint i = 0; i < csv->rows->len; i++)
        g_ptr_array_add(csv->rows->pdata[i], g_strdup(""));
    return (int)csv->names->len - 1;
}

void pf_csv_set_number(PfCsv *csv, guint row, int column, double value)
{
    char **field = (char **)&((GPtrArray *)csv->rows->pdata[row])->pdata[column];
    char text[G_ASCII_DTOSTR_BUF_SIZE] = "null";
    if (isfinite(value))
        g_ascii_dtostr(text, sizeof text, value);
    g_free(*field);
    *field = g_strdup(text);
}
