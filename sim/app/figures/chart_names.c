/* Where the names of series stand. */
#include <math.h>
#include <stdlib.h>

#include "chart_internal.h"
#include "report.h"

size_t chart_names_width(const PfPanel *panel)
{
    size_t width = 0;
    for (guint i = 0; i < panel->series->len; i++) {
        const PfSeries *series = panel->series->pdata[i];
        if (series->naming == PF_NAME_END)
            width = MAX(width, pf_report_width(series->label));
    }
    for (guint i = 0; i < panel->levels->len; i++)
        width = MAX(width, pf_report_width(g_array_index(panel->levels, Tic, i).name));
    return width;
}

/* Whether no point of A and B is further off the other's than DISTANCE, in lengths of the axes. */
static bool is_near(const PfPanel *panel, const PfSeries *a, const PfSeries *b, double distance)
{
    bool same = a->points->len == b->points->len && a->points->len > 0;
    for (guint i = 0; i < a->points->len && same; i++) {
        const Point *one = &g_array_index(a->points, Point, i);
        const Point *other = &g_array_index(b->points, Point, i);
        double height = chart_share(&panel->y, &panel->y_range, one->y) -
                        chart_share(&panel->y, &panel->y_range, other->y);
        double shift = chart_share(&panel->x, &panel->x_range, one->x) -
                       chart_share(&panel->x, &panel->x_range, other->x);
        same = isfinite(one->y) ? fabs(height) <= distance && fabs(shift) <= distance
                                : !isfinite(other->y);
    }
    return same;
}

void chart_tell_same(PfPanel *panel)
{
    for (guint i = panel->series->len; i-- > 0;) {
        PfSeries *series = panel->series->pdata[i];
        const double visible = 0.004;
        guint first = 0;
        while (first < i && !is_near(panel, panel->series->pdata[first], series, visible))
            first++;
        if (series->naming != PF_NAME_END || first == i)
            continue;
        enum { OTHER_WIDTH = 18 };
        g_autofree char *other = pf_sheet_shorten(
            ((const PfSeries *)panel->series->pdata[first])->name, OTHER_WIDTH);
        bool equal = is_near(panel, panel->series->pdata[first], series, 0.0);
        char *label = g_strdup_printf("%s (%s %s)", series->label,
                                      equal ? "=" : "\342\211\210", other);
        g_free(series->label);
        series->label = label;
    }
}

static void add_label(GString *labels, const char *text, int number, const char *place)
{
    g_autofree char *quoted = pf_sheet_quote(text);
    g_string_append_printf(labels, "set label %s at %s front textcolor rgb '%s'\n", quoted, place,
                           number < 0 ? "#606060" : pf_sheet_color(number));
}

/* ---- At the ends ---- */

typedef struct {
    const char *label;
    int number;
    double share;
} End;

static int compare_ends(const void *a, const void *b)
{
    const End *first = a;
    const End *second = b;
    if (first->share < second->share || first->share > second->share)
        return first->share < second->share ? -1 : 1;
    return second->number - first->number;
}

static void name_ends(const PfPanel *panel, GString *labels)
{
    guint most = panel->series->len + panel->levels->len;
    g_autofree End *ends = g_new0(End, most + 1);
    g_autofree double *places = g_new0(double, most + 1);
    size_t count = 0;
    for (guint i = 0; i < panel->series->len; i++) {
        const PfSeries *series = panel->series->pdata[i];
        const Point *last = chart_last_point(series);
        bool drawn = last != NULL && (!panel->y.logarithmic || last->y > 0.0);
        if (series->naming == PF_NAME_END && drawn)
            ends[count++] = (End){series->label, series->number,
                                  chart_share(&panel->y, &panel->y_range, last->y)};
    }
    for (guint i = 0; i < panel->levels->len; i++) {
        const Tic *level = &g_array_index(panel->levels, Tic, i);
        ends[count++] =
            (End){level->name, -1, chart_share(&panel->y, &panel->y_range, level->value)};
    }
    qsort(ends, count, sizeof *ends, compare_ends);
    for (size_t i = 0; i < count; i++)
        places[i] = ends[i].share;
    pf_sheet_spread(places, count, 1.0 / MAX(panel->lines, 1.0), 0.0, 1.0);
    for (size_t i = 0; i < count; i++) {
        g_autofree char *place =
            g_strdup_printf("graph 1, graph %.6g left offset 1, 0", places[i]);
        add_label(labels, ends[i].label, ends[i].number, place);
    }
}

/* ---- Beside points ---- */

/* In characters from the left and lines from the bottom of the axes' inside. */
typedef struct {
    double left;
    double right;
    double bottom;
    double top;
} Box;

/* How label and point stand to each other, from the best. */
static const struct {
    const char *align;
    double shift;   /* of the text's left end, in widths of the text */
    double columns; /* and in characters */
    double lines;
} sides[] = {
    {"left", 0, 1, 0},        {"right", -1, -1, 0},     {"center", -0.5, 0, 1},
    {"center", -0.5, 0, -1}, {"left", 0, 0.7, 1},    {"left", 0, 0.7, -1},
    {"right", -1, -0.7, 1}, {"right", -1, -0.7, -1}, {"left", 0, 0.7, 2},
    {"left", 0, 0.7, -2},   {"right", -1, -0.7, 2}, {"right", -1, -0.7, -2},
    {"center", -0.5, 0, 2.5}, {"center", -0.5, 0, -2.5},
};

static double overlap(const Box *a, const Box *b)
{
    double width = MIN(a->right, b->right) - MAX(a->left, b->left);
    double height = MIN(a->top, b->top) - MAX(a->bottom, b->bottom);
    return width > 0.0 && height > 0.0 ? width * height : 0.0;
}

static Box box_around(double x, double y, double width, size_t side)
{
    double left = x + sides[side].shift * width + sides[side].columns;
    double middle = y + sides[side].lines;
    return (Box){left, left + width, middle - 0.45, middle + 0.45};
}

/* How bad BOX is: what it covers, and what of it lies outside. */
static double cost_of(const PfPanel *panel, const Box *box, const GArray *taken)
{
    double outside = MAX(-box->left, 0.0) + MAX(box->right - panel->columns, 0.0) +
                     8.0 * (MAX(-box->bottom, 0.0) + MAX(box->top - panel->lines, 0.0));
    double cost = 4.0 * outside;
    for (guint i = 0; i < taken->len; i++)
        cost += overlap(box, &g_array_index(taken, Box, i));
    return cost;
}

static void name_point(const PfPanel *panel, const PfSeries *series, const Point *point,
                       GArray *taken, GString *labels)
{
    double x = chart_share(&panel->x, &panel->x_range, point->x) * panel->columns;
    double y = chart_share(&panel->y, &panel->y_range, point->y) * panel->lines;
    double width = (double)pf_report_width(series->label);
    size_t best = 0;
    double least = HUGE_VAL;
    for (size_t side = 0; side < G_N_ELEMENTS(sides); side++) {
        Box box = box_around(x, y, width, side);
        double cost = cost_of(panel, &box, taken) + 0.01 * (double)side;
        if (cost < least) {
            least = cost;
            best = side;
        }
    }
    Box box = box_around(x, y, width, best);
    g_array_append_val(taken, box);
    g_autofree char *place = g_strdup_printf(
        "first %.15g, first %.15g %s offset %g, %g", point->x * panel->x_range.scale.factor,
        point->y * panel->y_range.scale.factor, sides[best].align, sides[best].columns,
        sides[best].lines);
    add_label(labels, series->label, series->number, place);
}

/* The straight line between two points, as small boxes along it. */
static void take_segment(const PfPanel *panel, const Point *from, const Point *to, GArray *taken)
{
    const double half = 0.25; /* of a line's height */
    double left = chart_share(&panel->x, &panel->x_range, from->x) * panel->columns;
    double right = chart_share(&panel->x, &panel->x_range, to->x) * panel->columns;
    double begin = chart_share(&panel->y, &panel->y_range, from->y) * panel->lines;
    double end = chart_share(&panel->y, &panel->y_range, to->y) * panel->lines;
    double steps = ceil(MAX(fabs(right - left), 2.0 * fabs(end - begin)));
    for (double i = 0.0; i < steps && isfinite(steps); i += 1.0) {
        double x = left + (right - left) * (i + 0.5) / steps;
        double y = begin + (end - begin) * (i + 0.5) / steps;
        Box box = {x - 0.5, x + 0.5, y - half, y + half};
        g_array_append_val(taken, box);
    }
}

/* The lines of levels and series, which names shall not lie on. */
static void take_lines(const PfPanel *panel, GArray *taken)
{
    for (guint i = 0; i < panel->levels->len; i++) {
        double y = g_array_index(panel->levels, Tic, i).value;
        Point from = {.x = panel->x_range.low / panel->x_range.scale.factor, .y = y};
        Point to = {.x = panel->x_range.high / panel->x_range.scale.factor, .y = y};
        take_segment(panel, &from, &to, taken);
    }
    for (guint s = 0; s < panel->series->len; s++) {
        const PfSeries *series = panel->series->pdata[s];
        for (guint i = 1; i < series->points->len && series->style != PF_STYLE_POINTS; i++) {
            const Point *from = &g_array_index(series->points, Point, i - 1);
            const Point *to = &g_array_index(series->points, Point, i);
            bool steps = series->style == PF_STYLE_FRONT || series->style == PF_STYLE_STEPS;
            Point corner = {.x = to->x, .y = steps ? from->y : to->y};
            take_segment(panel, from, &corner, taken);
            take_segment(panel, &corner, to, taken);
        }
    }
}

static void name_points(const PfPanel *panel, GString *labels)
{
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(Box));
    take_lines(panel, taken);
    for (unsigned pass = 0; pass < 2; pass++) /* all marks, then the names */
        for (guint i = 0; i < panel->series->len; i++) {
            const PfSeries *series = panel->series->pdata[i];
            bool beside = series->naming == PF_NAME_BESIDE || series->naming == PF_NAME_LAST;
            for (guint p = 0; p < series->points->len && beside; p++) {
                const Point *point = &g_array_index(series->points, Point, p);
                bool is_named =
                    series->naming == PF_NAME_BESIDE || point == chart_last_point(series);
                if (!isfinite(point->x) || !isfinite(point->y) || (pass == 1 && !is_named))
                    continue;
                double x = chart_share(&panel->x, &panel->x_range, point->x) * panel->columns;
                double y = chart_share(&panel->y, &panel->y_range, point->y) * panel->lines;
                Box mark = {x - 0.7, x + 0.7, y - 0.35, y + 0.35};
                if (pass == 0)
                    g_array_append_val(taken, mark);
                else
                    name_point(panel, series, point, taken, labels);
            }
        }
}

void chart_add_names(const PfPanel *panel, GString *labels)
{
    name_ends(panel, labels);
    name_points(panel, labels);
}
