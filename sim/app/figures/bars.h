/* Stacked horizontal bars: one a row, from the left in the order of their parts. A part is named
 * where it is widest, or in the key if it is too narrow everywhere. */
#pragma once

#include "sheet.h"

typedef struct {
    const char *name;  /* in the data */
    const char *title; /* in the picture; NULL: the name */
    const char *color;
} PfPart;

typedef struct {
    const char *title;     /* of the picture */
    const char *columns;   /* heads of the data's first three: row, part and value */
    const char *axis;      /* what values are; their unit stands behind it in brackets */
    const char *axis_note; /* behind that; may be NULL */
    PfUnit unit;
    bool no_sums; /* what stands behind bars does not begin with their sums */
    const PfPart *parts;
    size_t part_count;
} PfBarsLook;

typedef struct PfBars PfBars;

/* Bars without rows; LOOK's strings and parts are borrowed. */
PfBars *pf_bars_new(const PfBarsLook *look);
void pf_bars_free(PfBars *bars);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfBars, pf_bars_free)

/* A row below the others. REMARK (may be NULL) stands below LABEL in the picture. */
void pf_bars_add_row(PfBars *bars, const char *label, const char *remark);

/* In the latest row PART, by its number, is VALUE; 0 and what is not a number are left out. */
void pf_bars_add(PfBars *bars, size_t part, double value);

/* Behind the latest row's bar stands its sum, and behind that REST (may be NULL). */
void pf_bars_end(PfBars *bars, const char *rest);

/* The longest bar; 0 if there is none. */
double pf_bars_most(const PfBars *bars);

/* Puts the bars on SHEET. */
void pf_bars_draw(PfBars *bars, PfSheet *sheet);
