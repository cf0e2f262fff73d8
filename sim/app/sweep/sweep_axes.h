/* What a sweep varies: the section `sweep` of a configuration, or `-x` on the command line, as axes
 * of values; and the points that they make. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/* Keys that change together, and what they change to. */
typedef struct {
    char **keys;                  /* dotted; owned */
    GPtrArray *values;            /* of char **: a text for each key, NULL where it stays */
    const PfConfigSection *place; /* where the values were given; NULL: -x */
    const char *place_key;
} PfSweepAxis;

typedef enum { PF_SWEEP_GRID, PF_SWEEP_ZIP, PF_SWEEP_LIST } PfSweepMode;

typedef struct {
    GPtrArray *axes; /* of PfSweepAxis */
    int mode;        /* PfSweepMode; -x is a grid */
    uint64_t repeat;
    uint64_t limit;
} PfSweepAxes;

/* No axes yet, one run a point, the usual limit. */
PfSweepAxes *pf_sweep_axes_new(void);
void pf_sweep_axes_free(PfSweepAxes *axes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfSweepAxes, pf_sweep_axes_free)

/* Adds an axis without keys and values; adds a value to an axis of one key (NULL: it stays). */
PfSweepAxis *pf_sweep_axis_new(PfSweepAxes *axes);
void pf_sweep_axis_add(PfSweepAxis *axis, const char *text);

/* Binds `sweep` of CONFIG and reads it into AXES. Mistakes are collected in CONFIG, which must live
 * as long. */
void pf_sweep_axes_bind(PfSweepAxes *axes, PfConfig *config);

/* What is wrong with varying KEY, which an axis has: that another one has it, too, or that points
 * cannot differ in it. NULL if nothing is; free with g_free. */
char *pf_sweep_axes_complaint(const PfSweepAxes *axes, const char *key);

/* Adds the axis that TEXT describes: KEY=1,2,3 or KEY=1MiB..16MiB*2 or KEY=0..10+2. */
bool pf_sweep_axes_add(PfSweepAxes *axes, const char *text, GError **error);

/* How many points the axes make, UINT64_MAX at most. */
uint64_t pf_sweep_axes_points(const PfSweepAxes *axes);

/* Whether the points are no more than the limit says. */
bool pf_sweep_axes_check_limit(const PfSweepAxes *axes, GError **error);

/* Which value of axis AXIS point POINT has. In a grid the last axis changes fastest. */
size_t pf_sweep_axes_index(const PfSweepAxes *axes, uint64_t point, size_t axis);

/* The text that point POINT gives to key KEY of axis AXIS; NULL if it leaves it. */
const char *pf_sweep_axes_text(const PfSweepAxes *axes, uint64_t point, size_t axis, size_t key);
