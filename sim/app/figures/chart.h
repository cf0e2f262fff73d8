/* Panels of lines or points over two axes, one below or beside the other, that share their series'
 * colours. Series are named where they are: at their ends, or beside their points. */
#pragma once

#include "sheet.h"

typedef struct {
    const char *column; /* in the data */
    const char *name;   /* in the picture */
    PfUnit unit;
    bool logarithmic; /* what is not above 0 is left out */
    bool whole;       /* at least 0 to what is drawn, and no part of it cut off */
} PfAxis;

/* An axis is logarithmic where its largest value is so many times its least one above 0. */
enum { PF_MUCH = 30 };

typedef enum {
    PF_STYLE_LINE,
    PF_STYLE_STEPS,  /* a value holds until the next one */
    PF_STYLE_POINTS, /* a mark each, with its interval if it has one */
    PF_STYLE_MARKED, /* line and points */
    PF_STYLE_FRONT,  /* a thin grey line of steps below all others */
} PfStyle;

typedef enum {
    PF_NAME_END,    /* right of the axes, at the height of the last value */
    PF_NAME_BESIDE, /* beside each point */
    PF_NAME_LAST,   /* beside the last point */
    PF_NAME_NOT,
} PfNaming;

typedef struct PfChart PfChart;
typedef struct PfPanel PfPanel;
typedef struct PfSeries PfSeries;

typedef struct {
    const char *title;  /* of the picture */
    const char *series; /* in the data, what series are: "policy" */
    const char *panel;  /* likewise; NULL where there is one panel */
    unsigned columns;   /* of panels; 0: all in one */
    bool same_y;        /* all panels have the longest of their vertical axes */
} PfChartLook;

/* A chart without panels; LOOK's strings are borrowed. */
PfChart *pf_chart_new(const PfChartLook *look);
void pf_chart_free(PfChart *chart);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfChart, pf_chart_free)

/* A panel behind the others, called NAME (not shown where it is alone). Borrowed. */
PfPanel *pf_chart_add_panel(PfChart *chart, const char *name, PfAxis x, PfAxis y);

/* Names the place VALUE of the horizontal axis, which has then no other tics. */
void pf_panel_add_tic(PfPanel *panel, double value, const char *name);

/* A horizontal reference at VALUE, dashed and grey, and named. */
void pf_panel_add_level(PfPanel *panel, double value, const char *name);

/* A series called NAME in the data and LABEL in the picture, of the colour and mark NUMBER (-1:
 * grey). Borrowed. */
PfSeries *pf_panel_add_series(PfPanel *panel, const char *name, const char *label, int number,
                              PfStyle style, PfNaming naming);

/* A point behind the others; what is not finite is a gap. */
void pf_series_add(PfSeries *series, double x, double y);

/* Likewise with an interval around it. */
void pf_series_add_interval(PfSeries *series, double x, double y, double low, double high);

/* The points of the series so far. */
size_t pf_series_count(const PfSeries *series);

/* Puts them into the order of x. */
void pf_series_sort(PfSeries *series);

/* The series of PANEL so far. */
size_t pf_panel_series_count(const PfPanel *panel);

/* Puts the panels on SHEET; there must be one, with a finite point somewhere. */
void pf_chart_draw(PfChart *chart, PfSheet *sheet);
