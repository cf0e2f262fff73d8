#include "points.h"

#include <math.h>
#include <string.h>

guint pf_points_axes(const PfCsv *csv)
{
    int point = pf_csv_column(csv, "point");
    return point > 0 && pf_csv_column(csv, "policy") > point ? (guint)point : 0;
}

int pf_points_axis(const PfCsv *csv, const char *prefix)
{
    for (guint i = 0; i < pf_points_axes(csv); i++)
        if (g_str_has_prefix(csv->names->pdata[i], prefix))
            return (int)i;
    return -1;
}

bool pf_points_has(const PfCsv *csv, const char *stat)
{
    int column = pf_csv_column(csv, stat);
    for (guint i = 0; i < csv->rows->len; i++)
        if (isfinite(pf_csv_number(csv, i, column)))
            return true;
    return false;
}

guint pf_points_place(const PfCsv *csv, int axis, guint row)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    const char *text = pf_csv_text(csv, row, axis);
    for (guint i = 0; strcmp(pf_csv_text(csv, i, axis), text) != 0; i++)
        g_hash_table_add(seen, (char *)(size_t)pf_csv_text(csv, i, axis));
    return g_hash_table_size(seen);
}

static bool is_numeric(const PfCsv *csv, int axis)
{
    for (guint i = 0; i < csv->rows->len; i++)
        if (!isfinite(pf_csv_number(csv, i, axis)))
            return false;
    return true;
}

static bool varies(const PfCsv *csv, int axis)
{
    return csv->rows->len > 0 && pf_points_place(csv, axis, csv->rows->len - 1) > 0;
}

/* The series that ROW belongs to. Free with g_free. */
static char *name_series(const PfCsv *csv, guint row, int x_axis)
{
    GString *name = g_string_new(pf_csv_text(csv, row, pf_csv_column(csv, "policy")));
    for (guint a = 0; x_axis >= 0 && a < pf_points_axes(csv); a++) {
        if ((int)a == x_axis || !varies(csv, (int)a))
            continue;
        const char *key = csv->names->pdata[a];
        const char *dot = strrchr(key, '.');
        g_string_append_printf(name, ", %s %s", dot != NULL ? dot + 1 : key,
                               pf_csv_text(csv, row, (int)a));
    }
    return g_string_free(name, FALSE);
}

typedef struct {
    double x;
    double y;
    double half; /* of the interval; NaN: none */
} Place;

static int compare_places(gconstpointer a, gconstpointer b)
{
    const Place *first = a;
    const Place *second = b;
    return first->x < second->x ? -1 : first->x > second->x;
}

/* A series in the making. */
typedef struct {
    char *name;
    int number;
    GArray *places;
} Line;

static void free_line(gpointer data)
{
    Line *line = data;
    g_free(line->name);
    g_array_unref(line->places);
    g_free(line);
}

static Line *find_line(GPtrArray *lines, const char *name)
{
    int number = 0;
    for (guint i = 0; i < lines->len; i++) {
        Line *line = lines->pdata[i];
        if (strcmp(line->name, name) == 0)
            return line;
        number += line->number >= 0;
    }
    Line *line = g_new0(Line, 1);
    *line = (Line){g_strdup(name), strcmp(name, "none") == 0 ? -1 : number,
                   g_array_new(FALSE, FALSE, sizeof(Place))};
    g_ptr_array_add(lines, line);
    return line;
}

void pf_points_add(const PfCsv *csv, PfPanel *panel, const PfPointsLook *look)
{
    g_autofree char *interval = g_strconcat(look->y_stat, ":ci95", NULL);
    int x = look->x_axis >= 0 ? look->x_axis : pf_csv_column(csv, look->x_stat);
    int y = pf_csv_column(csv, look->y_stat);
    int half = pf_csv_column(csv, interval);
    bool numeric = look->x_axis < 0 || is_numeric(csv, x);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(free_line);
    guint told = 0;
    for (guint i = 0; i < csv->rows->len; i++) {
        g_autofree char *name = name_series(csv, i, look->x_axis);
        guint place = numeric ? 0 : pf_points_place(csv, x, i);
        Place at = {numeric ? pf_csv_number(csv, i, x) * look->x_factor : place,
                    pf_csv_number(csv, i, y) * look->y_factor,
                    pf_csv_number(csv, i, half) * look->y_factor};
        if (!numeric && place >= told) {
            pf_panel_add_tic(panel, place, pf_csv_text(csv, i, x));
            told = place + 1;
        }
        if (isfinite(at.x) && isfinite(at.y))
            g_array_append_val(find_line(lines, name)->places, at);
    }
    for (guint l = 0; l < lines->len; l++) {
        Line *line = lines->pdata[l];
        PfSeries *series = pf_panel_add_series(panel, line->name, line->name, line->number,
                                               look->style, look->naming);
        g_array_sort(line->places, compare_places);
        for (guint i = 0; i < line->places->len; i++) {
            const Place *at = &g_array_index(line->places, Place, i);
            pf_series_add_interval(series, at->x, at->y, at->y - at->half, at->y + at->half);
        }
    }
}
