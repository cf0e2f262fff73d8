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

bool pf_points_above(const PfCsv *csv, int axis, double least)
{
    for (guint i = 0; i < csv->rows->len; i++)
        if (!isfinite(pf_csv_number(csv, i, axis)) || !(pf_csv_number(csv, i, axis) > least))
            return false;
    return true;
}

double pf_points_spread(const PfCsv *csv, const char *stat)
{
    double least = HUGE_VAL;
    double most = 0.0;
    for (guint i = 0; i < csv->rows->len; i++) {
        double value = pf_csv_number(csv, i, pf_csv_column(csv, stat));
        least = value > 0.0 ? MIN(least, value) : least;
        most = isfinite(value) ? MAX(most, value) : most;
    }
    return most / least;
}

/* The different values on AXIS of rows that have a number in column Y. */
static guint count_values(const PfCsv *csv, int axis, int y)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < csv->rows->len; i++)
        if (isfinite(pf_csv_number(csv, i, y)))
            g_hash_table_add(seen, (char *)(size_t)pf_csv_text(csv, i, axis));
    return g_hash_table_size(seen);
}

/* The series that ROW belongs to: its policy, and where it is on those of the other axes that vary
 * among what is drawn. Free with g_free. */
static char *name_series(const PfCsv *csv, guint row, int x_axis, const bool *varies)
{
    GString *name = g_string_new(pf_csv_text(csv, row, pf_csv_column(csv, "policy")));
    for (guint a = 0; x_axis >= 0 && a < pf_points_axes(csv); a++) {
        if ((int)a == x_axis || !varies[a])
            continue;
        const char *key = csv->names->pdata[a];
        const char *dot = strrchr(key, '.');
        g_string_append_printf(name, ", %s %s", dot != NULL ? dot + 1 : key,
                               pf_csv_text(csv, row, (int)a));
    }
    return g_string_free(name, FALSE);
}

void pf_points_add(const PfCsv *csv, PfPanel *panel, const PfPointsLook *look)
{
    g_autofree char *interval = g_strconcat(look->y_stat, ":ci95", NULL);
    int x = look->x_axis >= 0 ? look->x_axis : pf_csv_column(csv, look->x_stat);
    int y = pf_csv_column(csv, look->y_stat);
    int half = pf_csv_column(csv, interval);
    bool numeric = look->x_axis < 0 || pf_points_above(csv, x, -HUGE_VAL);
    g_autofree bool *varies = g_new0(bool, pf_points_axes(csv) + 1);
    for (guint a = 0; a < pf_points_axes(csv); a++)
        varies[a] = count_values(csv, (int)a, y) > 1;
    enum { TICS_MAX = 10 }; /* more are left to gnuplot */
    bool has_tics = !numeric || (look->tics && count_values(csv, x, y) <= TICS_MAX);
    g_autoptr(GHashTable) by_name =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) added = g_ptr_array_new();
    int number = 0;
    guint told = 0;
    for (guint i = 0; i < csv->rows->len; i++) {
        g_autofree char *name = name_series(csv, i, look->x_axis, varies);
        guint place = look->x_axis >= 0 ? pf_points_place(csv, x, i) : 0;
        double at = numeric ? pf_csv_number(csv, i, x) * look->x_factor : place;
        double value = pf_csv_number(csv, i, y) * look->y_factor;
        double around = pf_csv_number(csv, i, half) * look->y_factor;
        if (has_tics && place >= told) {
            pf_panel_add_tic(panel, at, pf_csv_text(csv, i, x));
            told = place + 1;
        }
        if (!isfinite(at) || !isfinite(value))
            continue;
        PfSeries *series = g_hash_table_lookup(by_name, name);
        if (series == NULL) {
            bool is_none = g_str_has_prefix(name, "none");
            series = pf_panel_add_series(panel, name, name, is_none ? -1 : number, look->style,
                                         look->naming);
            number += !is_none;
            g_hash_table_insert(by_name, g_steal_pointer(&name), series);
            g_ptr_array_add(added, series);
        }
        pf_series_add_interval(series, at, value, value - around, value + around);
    }
    for (guint i = 0; i < added->len; i++)
        pf_series_sort(added->pdata[i]);
}
