#include "chart.h"

#include <math.h>
#include <string.h>

#include "chart_internal.h"

static void free_series(gpointer data)
{
    PfSeries *series = data;
    g_free(series->name);
    g_free(series->label);
    g_array_unref(series->points);
    g_free(series);
}

static void clear_tic(gpointer data)
{
    g_free(((Tic *)data)->name);
}

static void free_panel(gpointer data)
{
    PfPanel *panel = data;
    g_free(panel->name);
    g_array_unref(panel->tics);
    g_array_unref(panel->levels);
    g_ptr_array_unref(panel->series);
    g_free(panel);
}

PfChart *pf_chart_new(const PfChartLook *look)
{
    PfChart *chart = g_new0(PfChart, 1);
    chart->look = *look;
    chart->panels = g_ptr_array_new_with_free_func(free_panel);
    return chart;
}

void pf_chart_free(PfChart *chart)
{
    if (chart == NULL)
        return;
    g_ptr_array_unref(chart->panels);
    g_free(chart);
}

PfPanel *pf_chart_add_panel(PfChart *chart, const char *name, PfAxis x, PfAxis y)
{
    PfPanel *panel = g_new0(PfPanel, 1);
    *panel = (PfPanel){.name = g_strdup(name), .x = x, .y = y};
    panel->tics = g_array_new(FALSE, FALSE, sizeof(Tic));
    panel->levels = g_array_new(FALSE, FALSE, sizeof(Tic));
    g_array_set_clear_func(panel->tics, clear_tic);
    g_array_set_clear_func(panel->levels, clear_tic);
    panel->series = g_ptr_array_new_with_free_func(free_series);
    g_ptr_array_add(chart->panels, panel);
    return panel;
}

void pf_panel_add_tic(PfPanel *panel, double value, const char *name)
{
    Tic tic = {value, g_strdup(name)};
    g_array_append_val(panel->tics, tic); /* whole: it stands in the data, too */
}

void pf_panel_add_level(PfPanel *panel, double value, const char *name)
{
    Tic level = {value, g_strdup(name)};
    g_array_append_val(panel->levels, level);
}

PfSeries *pf_panel_add_series(PfPanel *panel, const char *name, const char *label, int number,
                              PfStyle style, PfNaming naming)
{
    enum { LABEL_WIDTH = PF_NAME_WIDTH + 18 }; /* with a remark */
    PfSeries *series = g_new0(PfSeries, 1);
    *series = (PfSeries){.name = g_strdup(name),
                         .label = pf_sheet_shorten(label, LABEL_WIDTH),
                         .number = number,
                         .style = style,
                         .naming = naming,
                         .points = g_array_new(FALSE, FALSE, sizeof(Point))};
    g_ptr_array_add(panel->series, series);
    return series;
}

void pf_series_add(PfSeries *series, double x, double y)
{
    pf_series_add_interval(series, x, y, (double)NAN, (double)NAN);
}

void pf_series_add_interval(PfSeries *series, double x, double y, double low, double high)
{
    Point point = {x, y, low, high};
    g_array_append_val(series->points, point);
}

size_t pf_series_count(const PfSeries *series)
{
    return series->points->len;
}

static int compare_points(gconstpointer a, gconstpointer b)
{
    const Point *first = a;
    const Point *second = b;
    return first->x < second->x ? -1 : first->x > second->x;
}

void pf_series_sort(PfSeries *series)
{
    g_array_sort(series->points, compare_points);
}

size_t pf_panel_series_count(const PfPanel *panel)
{
    return panel->series->len;
}

const Point *chart_last_point(const PfSeries *series)
{
    for (guint i = series->points->len; i-- > 0;) {
        const Point *point = &g_array_index(series->points, Point, i);
        if (isfinite(point->x) && isfinite(point->y))
            return point;
    }
    return NULL;
}

/* ---- Data ---- */

static bool has_intervals(const PfChart *chart)
{
    for (guint p = 0; p < chart->panels->len; p++) {
        const PfPanel *panel = chart->panels->pdata[p];
        for (guint s = 0; s < panel->series->len; s++) {
            const PfSeries *series = panel->series->pdata[s];
            for (guint i = 0; i < series->points->len; i++)
                if (isfinite(g_array_index(series->points, Point, i).low))
                    return true;
        }
    }
    return false;
}

/* The data have a column more, of what the places are called. */
static bool has_names(const PfChart *chart)
{
    return chart_has_places(chart->panels->pdata[0]);
}

static void put_header(const PfChart *chart, PfSheet *sheet, bool intervals)
{
    const PfPanel *first = chart->panels->pdata[0];
    const char *y = first->y.column;
    for (guint p = 1; p < chart->panels->len; p++)
        if (strcmp(((const PfPanel *)chart->panels->pdata[p])->y.column, y) != 0)
            y = "value";
    bool names = has_names(chart);
    g_string_append_printf(sheet->data, "%s%s%s,%s%s%s,%s%s\n",
                           chart->look.panel != NULL ? chart->look.panel : "",
                           chart->look.panel != NULL ? "," : "", chart->look.series,
                           names ? first->x.name : "", names ? "," : "", first->x.column, y,
                           intervals ? ",low,high" : "");
}

/* Returns the number of the row behind the last one; the first one is FIRST_ROW. */
static guint put_series(const PfChart *chart, const PfPanel *panel, PfSeries *series,
                        PfSheet *sheet, bool intervals, guint first_row)
{
    series->first_row = first_row;
    for (guint i = 0; i < series->points->len; i++) {
        const Point *point = &g_array_index(series->points, Point, i);
        const double numbers[] = {point->x, point->y, point->low, point->high};
        if (chart->look.panel != NULL) {
            pf_sheet_put_text(sheet, panel->name);
            pf_sheet_put_char(sheet, ',');
        }
        pf_sheet_put_text(sheet, series->name);
        if (has_names(chart)) {
            guint place = (guint)MAX(round(point->x), 0.0); /* beside which it may stand */
            pf_sheet_put_char(sheet, ',');
            pf_sheet_put_text(sheet, place < panel->tics->len
                                         ? g_array_index(panel->tics, Tic, place).name
                                         : "");
        }
        for (size_t n = 0; n < (intervals ? 4 : 2); n++) {
            pf_sheet_put_char(sheet, ',');
            pf_sheet_put_number(sheet, numbers[n]);
        }
        pf_sheet_put_char(sheet, '\n');
    }
    return first_row + series->points->len;
}

/* ---- Script ---- */

/* The commands that draw SERIES. */
static void add_plot(const PfChart *chart, const PfSeries *series, const PfSheet *sheet,
                     GString *plots)
{
    static const unsigned marks[] = {7, 5, 9, 13, 11};
    static const char *const styles[] = {
        [PF_STYLE_LINE] = "lines linewidth 2",    [PF_STYLE_STEPS] = "steps linewidth 2",
        [PF_STYLE_POINTS] = "points",             [PF_STYLE_MARKED] = "linespoints linewidth 1.5",
        [PF_STYLE_FRONT] = "steps linewidth 1.5",
    };
    static const char *const dashes[] = {"1", "(4, 2)", "(1, 1)"}; /* when colours repeat */
    if (series->points->len == 0)
        return;
    unsigned x = 2U + (chart->look.panel != NULL) + has_names(chart); /* its column */
    bool intervals = false;
    for (guint i = 0; i < series->points->len; i++)
        intervals |= isfinite(g_array_index(series->points, Point, i).low);
    int number = MAX(series->number, 0);
    /* Rows by their numbers: gnuplot cuts names at a comma, quoted or not. */
    g_string_append_printf(plots,
                           "%s     '%s.csv' skip 1 every ::%u::%u using ($%u * x_scale):"
                           "($%u * y_scale)",
                           plots->len > 0 ? ", \\\n" : "", sheet->figure->name, series->first_row,
                           series->first_row + series->points->len - 1, x, x + 1);
    if (intervals)
        g_string_append_printf(plots, ":($%u * y_scale):($%u * y_scale)", x + 2, x + 3);
    g_string_append_printf(plots, " with %s linecolor rgb '%s' dashtype %s",
                           !intervals                           ? styles[series->style]
                           : series->style == PF_STYLE_MARKED ? "yerrorlines linewidth 1.5"
                                                              : "yerrorbars",
                           series->style == PF_STYLE_FRONT ? "#b8b8b8"
                                                           : pf_sheet_color(series->number),
                           dashes[(size_t)number / 16 % 3]);
    if (series->style != PF_STYLE_LINE && series->style != PF_STYLE_STEPS &&
        series->style != PF_STYLE_FRONT)
        g_string_append_printf(plots, " pointtype %u pointsize 1.3",
                               marks[(size_t)number % G_N_ELEMENTS(marks)]);
}

/* Drawn last, what is lower is seen where it meets what is above; fronts lie below all. */
static int compare_depth(gconstpointer a, gconstpointer b)
{
    const PfSeries *first = *(const PfSeries *const *)a;
    const PfSeries *second = *(const PfSeries *const *)b;
    if ((first->style == PF_STYLE_FRONT) != (second->style == PF_STYLE_FRONT))
        return first->style == PF_STYLE_FRONT ? -1 : 1;
    const Point *one = chart_last_point(first);
    const Point *two = chart_last_point(second);
    double height = one != NULL ? one->y : -HUGE_VAL;
    double other = two != NULL ? two->y : -HUGE_VAL;
    return height > other ? -1 : height < other ? 1 : first->number - second->number;
}

/* Of the names right of panel INDEX; where panels are below each other of all, so that their axes
 * end together. */
static size_t names_width(const PfChart *chart, guint index)
{
    size_t width = 0;
    for (guint p = 0; p < chart->panels->len; p++)
        if (p == index || chart->look.columns == 1)
            width = MAX(width, chart_names_width(chart->panels->pdata[p]));
    return width;
}

static void set_panel(const PfChart *chart, guint index, const PfSheet *sheet, GHashTable *words)
{
    const PfPanel *panel = chart->panels->pdata[index];
    bool alone = chart->panels->len == 1;
    guint columns = MAX(chart->look.columns, 1);
    g_autoptr(GString) labels = g_string_new(NULL);
    g_autoptr(GString) plots = g_string_new(NULL);
    g_autofree char *title = pf_sheet_quote_title(sheet, chart->look.title);
    g_autofree char *short_name =
        pf_sheet_shorten(panel->name, (size_t)MAX(panel->columns, 1.0) + names_width(chart, index));
    g_autofree char *name = pf_sheet_quote(short_name);
    if (index == 0)
        g_string_append_printf(labels, "set label %s at %s\n", title,
                               alone ? "graph 0, graph 1 left offset 0, 1.2"
                                     : "screen 0, screen 1 left offset 1.5, -1");
    if (!alone)
        g_string_append_printf(labels, "set label %s at graph 0, graph 1 left offset 0, 1\n",
                               name);
    for (guint i = 0; i < panel->levels->len; i++) {
        double at = g_array_index(panel->levels, Tic, i).value * panel->y_range.scale.factor;
        g_string_append_printf(labels,
                               "set arrow from graph 0, first %.15g to graph 1, first %.15g nohead "
                               "back dashtype (4, 3) linewidth 1 linecolor rgb '#767676'\n",
                               at, at);
    }
    chart_add_names(panel, labels);
    g_autoptr(GPtrArray) ordered = g_ptr_array_copy(panel->series, NULL, NULL);
    g_ptr_array_set_free_func(ordered, NULL);
    g_ptr_array_sort(ordered, compare_depth);
    for (guint i = 0; i < ordered->len; i++)
        add_plot(chart, ordered->pdata[i], sheet, plots);
    chart_set_axis(panel, true, index + columns >= chart->panels->len, words);
    chart_set_axis(panel, false, true, words);
    pf_words_set(words, "LABELS", "%s", labels->str);
    pf_words_set(words, "PLOTS", "%s", plots->len > 0 ? plots->str : "     NaN");
    pf_words_set(words, "TOP", "%s", alone ? "3" : "2");
    pf_words_set(words, "LEFT", "%s",
                 alone ? "# lmargin: as wide as the numbers are" : "set lmargin 11");
    pf_words_set(words, "BOTTOM", "%s",
                 alone ? "# bmargin: as high as the numbers are" : "set bmargin 3.2");
    pf_words_set(words, "RIGHT", "%zu", names_width(chart, index) + 3);
}

/* Where panel INDEX lies; and how much room it has inside. HEIGHT in pixels, of all. */
static void place_panel(const PfChart *chart, guint index, double height, PfTerminal terminal,
                        GHashTable *words)
{
    const double strip = 28;   /* above all panels, for the title; pixels */
    const double glyph = 7.3;  /* how wide */
    const double line = terminal == PF_TERMINAL_DUMB ? 23.0 : 17.0;
    const double width = 760.0;
    const double frame = 90.0; /* of numbers and names around the axes */
    PfPanel *panel = chart->panels->pdata[index];
    bool alone = chart->panels->len == 1;
    guint columns = MIN(MAX(chart->look.columns, 1), chart->panels->len);
    guint rows = (chart->panels->len + columns - 1) / columns;
    double inside = alone ? height : height - strip;
    panel->columns = (width / columns - frame) / glyph - (double)names_width(chart, index);
    panel->lines = (inside / rows - (alone ? frame : 60.0)) / line;
    if (alone)
        pf_words_set(words, "PLACE", "# one panel: it takes all");
    else
        pf_words_set(words, "PLACE", "set origin %.6g, %.6g\nset size %.6g, %.6g",
                     (double)(index % columns) / columns,
                     inside / height * (1.0 - (double)(index / columns + 1) / rows),
                     1.0 / columns, inside / height / rows);
}

/* Sets the ranges of all panels. */
static void lay_out(const PfChart *chart, double height, PfTerminal terminal)
{
    const PfPanel *longest = chart->panels->pdata[0];
    for (guint p = 0; p < chart->panels->len; p++) {
        g_autoptr(GHashTable) unused = pf_words_new();
        PfPanel *panel = chart->panels->pdata[p];
        place_panel(chart, p, height, terminal, unused);
        chart_set_ranges(panel);
        chart_tell_same(panel);
        if (panel->y_range.high > longest->y_range.high)
            longest = panel;
    }
    for (guint p = 0; p < chart->panels->len && chart->look.same_y; p++)
        ((PfPanel *)chart->panels->pdata[p])->y_range = longest->y_range;
}

void pf_chart_draw(PfChart *chart, PfSheet *sheet)
{
    enum { ALONE_PIXELS = 400, ROW_PIXELS = 200, STRIP_PIXELS = 40 };
    g_assert(chart->panels->len > 0);
    bool intervals = has_intervals(chart);
    guint columns = MAX(chart->look.columns, 1);
    guint rows = (chart->panels->len + columns - 1) / columns;
    unsigned height =
        chart->panels->len == 1 ? ALONE_PIXELS : rows * ROW_PIXELS + STRIP_PIXELS;
    guint row = 0;
    put_header(chart, sheet, intervals);
    pf_sheet_begin_script(sheet, height);
    if (chart->panels->len > 1)
        g_string_append(sheet->script, "set multiplot\n");
    for (guint p = 0; p < chart->panels->len; p++) {
        PfPanel *panel = chart->panels->pdata[p];
        for (guint s = 0; s < panel->series->len; s++)
            row = put_series(chart, panel, panel->series->pdata[s], sheet, intervals, row);
    }
    lay_out(chart, height, sheet->terminal);
    for (guint p = 0; p < chart->panels->len; p++) {
        g_autoptr(GHashTable) words = pf_words_new();
        place_panel(chart, p, height, sheet->terminal, words);
        set_panel(chart, p, sheet, words);
        pf_sheet_add_template(sheet, "panel", words);
    }
    if (chart->panels->len > 1)
        g_string_append(sheet->script, "unset multiplot\n");
}
