/* Results of a sweep, as results.csv tells them: a row a point and policy, axes first, then point,
 * policy and n, then statistics. */
#pragma once

#include "chart.h"

/* The columns of the axes are those before this one; 0 if CSV is no such table. */
guint pf_points_axes(const PfCsv *csv);

/* The first axis whose name begins with PREFIX, or -1. */
int pf_points_axis(const PfCsv *csv, const char *prefix);

/* Whether STAT is a number in some row. */
bool pf_points_has(const PfCsv *csv, const char *stat);

/* Whether all values on AXIS are numbers above LEAST. */
bool pf_points_above(const PfCsv *csv, int axis, double least);

/* The largest value of STAT over its smallest one above 0; 0 where there is none. */
double pf_points_spread(const PfCsv *csv, const char *stat);

/* What becomes a line of a panel. */
typedef struct {
    int x_axis;        /* a column that is an axis; -1: of statistic `x_stat` */
    const char *x_stat;
    const char *y_stat;
    bool tics; /* one for each number on the axis, as the table has it, if these are few */
    double x_factor;
    double y_factor;
    PfStyle style;
    PfNaming naming;
} PfPointsLook;

/* Adds to PANEL a series for each policy, and where X_AXIS is one of several axes for each choice
 * on the others, with the points in order of x and their intervals of 95 % where there were
 * repeats. An axis whose values are no numbers gets a tic for each. */
void pf_points_add(const PfCsv *csv, PfPanel *panel, const PfPointsLook *look);

/* The place of ROW's value on AXIS among its different ones, from 0. */
guint pf_points_place(const PfCsv *csv, int axis, guint row);
