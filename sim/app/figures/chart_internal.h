/* What the parts of a chart know of each other. */
#pragma once

#include <stddef.h>

#include "chart.h"

typedef struct {
    double x;
    double y;
    double low; /* of the interval; NaN: none */
    double high;
} Point;

struct PfSeries {
    char *name;
    char *label;
    int number;
    PfStyle style;
    PfNaming naming;
    GArray *points; /* of Point */
    guint first_row; /* in the data, from 0 */
};

typedef struct {
    double value;
    char *name;
} Tic;

/* Where an axis begins and ends, and the distance of its tics; in values as they are drawn. */
typedef struct {
    double low;
    double high;
    double step;
    PfScale scale;
} Range;

struct PfPanel {
    char *name;
    PfAxis x;
    PfAxis y;
    GArray *tics;
    GArray *levels; /* of Tic */
    GPtrArray *series;
    Range x_range;
    Range y_range;
    /* Room of the axes' inside, in characters and lines. */
    double columns;
    double lines;
};

struct PfChart {
    PfChartLook look;
    GPtrArray *panels;
};

/* Sets both ranges from the points. */
void chart_set_ranges(PfPanel *panel);

/* Whether the horizontal axis has a tic for each of 0, 1, 2 ..., which stand for names. */
bool chart_has_places(const PfPanel *panel);

/* Of series that lie on each other only the last is seen: the labels of the others, where they
 * stand at the ends, tell which one they are like. */
void chart_tell_same(PfPanel *panel);

/* Sets words X, X_SCALE or Y, Y_SCALE: commands for that axis, called by its name if NAMED. */
void chart_set_axis(const PfPanel *panel, bool is_x, bool named, GHashTable *words);

/* VALUE of an axis as a share of its length, 0 to 1 inside. */
double chart_share(const PfAxis *axis, const Range *range, double value);

/* Appends labels for the series of PANEL to LABELS. */
void chart_add_names(const PfPanel *panel, GString *labels);

/* The widest label right of the axes, in characters. */
size_t chart_names_width(const PfPanel *panel);

/* The last finite point of SERIES, or NULL. */
const Point *chart_last_point(const PfSeries *series);
