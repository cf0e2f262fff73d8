#include <math.h>
#include <string.h>

#include "error.h"
#include "saved.h"

static void clear_epoch(gpointer data)
{
    g_free(((PfSavedEpoch *)data)->policy);
}

/* The fields of one line of a CSV; quotes are taken off. Free with g_ptr_array_unref. */
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

static bool find_column(const char *header, const char *name, guint *ret_column)
{
    g_autoptr(GPtrArray) names = split_line(header);
    for (guint i = 2; i < names->len; i++)
        if (strcmp(names->pdata[i], name) == 0) {
            *ret_column = i;
            return true;
        }
    return false;
}

GArray *pf_saved_epochs(const char *directory, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(directory, "epochs.csv", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents(path, &text, NULL, &cause)) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", path, cause->message);
        return NULL;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint column = 0;
    if (lines[0] == NULL || !find_column(lines[0], name, &column)) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s:1: no column %s", path, name);
        return NULL;
    }
    g_autoptr(GArray) epochs = g_array_new(FALSE, TRUE, sizeof(PfSavedEpoch));
    g_array_set_clear_func(epochs, clear_epoch);
    for (guint i = 1; lines[i] != NULL && lines[i][0] != '\0'; i++) {
        g_autoptr(GPtrArray) fields = split_line(lines[i]);
        uint64_t cycle = 0;
        if (fields->len <= column ||
            !g_ascii_string_to_unsigned(fields->pdata[1], 10, 0, G_MAXUINT64, &cycle, NULL)) {
            g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s:%u: not a row of epochs", path, i + 1);
            return NULL;
        }
        const char *value = fields->pdata[column];
        PfSavedEpoch epoch = {
            .policy = g_strdup(fields->pdata[0]),
            .cycle = cycle,
            .value = strcmp(value, "null") == 0 ? (double)NAN : g_ascii_strtod(value, NULL),
        };
        g_array_append_val(epochs, epoch);
    }
    return g_steal_pointer(&epochs);
}
