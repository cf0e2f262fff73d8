#include "points.h"

#include <math.h>
#include <string.h>

#include "frontier.h"

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

/* The axes whose values are in the names of series: those that vary and along which no line goes.
 * Free with g_free. */
static bool *find_telling(const PfCsv *csv, const PfPointsLook *look)
{
    guint axes = pf_points_axes(csv);
    int note = pf_points_axis(csv, "note");
    bool *tells = g_new0(bool, axes + 1);
    for (guint a = 0; a < axes; a++) {
        bool apart = look->units && !pf_frontier_is_rate(csv->names->pdata[a]) &&
                     (note < 0 || note == (int)a);
        tells[a] = (look->x_axis >= 0 ? look->x_axis != (int)a : apart) &&
                   count_values(csv, (int)a, pf_csv_column(csv, look->y_stat)) > 1;
    }
    return tells;
}

/* The series that each row belongs to: its policy, and where it is on the axes that tell. Free with
 * g_ptr_array_unref. */
static GPtrArray *name_series(const PfCsv *csv, const PfPointsLook *look)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autofree bool *tells = find_telling(csv, look);
    for (guint row = 0; row < csv->rows->len; row++) {
        GString *name = g_string_new(pf_csv_text(csv, row, pf_csv_column(csv, "policy")));
        for (guint a = 0; a < pf_points_axes(csv); a++) {
            const char *key = csv->names->pdata[a];
            const char *dot = strrchr(key, '.');
            if (tells[a])
                g_string_append_printf(name, ", %s%s%s",
                                       look->units ? "" : dot != NULL ? dot + 1 : key,
                                       look->units ? "" : " ", pf_csv_text(csv, row, (int)a));
        }
        g_ptr_array_add(names, g_string_free(name, FALSE));
    }
    return names;
}

/* The different NAMES of rows that have a number in column Y. */
static guint count_drawn(const PfCsv *csv, const GPtrArray *names, int y)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < names->len; i++)
        if (isfinite(pf_csv_number(csv, i, y)))
            g_hash_table_add(seen, names->pdata[i]);
    return g_hash_table_size(seen);
}

/* Series as they are met. */
typedef struct {
    GHashTable *by_name;
    GHashTable *numbers; /* of colours, from 1, by the name of a series or of a policy */
    bool crowded;        /* only policies are named, once each */
} Lines;

/* The series NAME of POLICY; strings are borrowed. */
static PfSeries *series_of(Lines *lines, const char *name, const char *policy, PfPanel *panel,
                           const PfPointsLook *look)
{
    PfSeries *series = g_hash_table_lookup(lines->by_name, name);
    if (series != NULL)
        return series;
    const char *painted = look->units ? policy : name;
    int number = GPOINTER_TO_INT(g_hash_table_lookup(lines->numbers, painted));
    bool is_new = number == 0;
    if (is_new && strcmp(policy, "none") != 0) {
        number = (int)g_hash_table_size(lines->numbers) + 1;
        g_hash_table_insert(lines->numbers, (char *)(size_t)painted, GINT_TO_POINTER(number));
    }
    series = pf_panel_add_series(panel, name, lines->crowded ? policy : name,
                                 number - 1, look->style,
                                 lines->crowded && !is_new ? PF_NAME_NOT : look->naming);
    g_hash_table_insert(lines->by_name, (char *)(size_t)name, series);
    return series;
}

void pf_points_add(const PfCsv *csv, PfPanel *panel, const PfPointsLook *look)
{
    g_autofree char *interval = g_strconcat(look->y_stat, ":ci95", NULL);
    int x = look->x_axis >= 0 ? look->x_axis : pf_csv_column(csv, look->x_stat);
    int y = pf_csv_column(csv, look->y_stat);
    int half = pf_csv_column(csv, interval);
    bool numeric = look->x_axis < 0 || pf_points_above(csv, x, -HUGE_VAL);
    enum { TICS_MAX = 10 }; /* more are left to gnuplot */
    bool has_tics = !numeric || (look->tics && count_values(csv, x, y) <= TICS_MAX);
    enum { NAMED_MAX = 8 };
    g_autoptr(GPtrArray) names = name_series(csv, look);
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
    Lines lines = {by_name, numbers, look->units && count_drawn(csv, names, y) > NAMED_MAX};
    guint told = 0;
    for (guint i = 0; i < csv->rows->len; i++) {
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
        PfSeries *series = series_of(&lines, names->pdata[i],
                                     pf_csv_text(csv, i, pf_csv_column(csv, "policy")), panel,
                                     look);
        pf_series_add_interval(series, at, value, value - around, value + around);
        pf_series_sort(series);
    }
}

char *pf_points_trace(const PfCsv *csv, int axis, guint row)
{
    const char *path = pf_csv_text(csv, row, axis);
    char *name = g_path_get_basename(path);
    for (guint i = 0; i < csv->rows->len; i++) {
        g_autofree char *other = g_path_get_basename(pf_csv_text(csv, i, axis));
        if (strcmp(other, name) == 0 && strcmp(pf_csv_text(csv, i, axis), path) != 0) {
            g_free(name);
            return g_strdup(path);
        }
    }
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot > name)
        *dot = '\0';
    return name;
}
