/* Which answers of a sweep hang on a cost: for each cost that its axis of machine.costs changes,
 * how much cheaper than the first one units are, and which of them change places. Prices are cycles
 * for the same savings (PF_FRONTIER_PRICE), at the highest rate. */
#pragma once

#include <glib.h>

#include "frontier.h"

/* Units whose prices differ by less than this share are told to pay as much. */
extern const double pf_sensitivity_margin;

/* Units with one set of costs. */
typedef struct {
    const char *costs; /* borrowed from the units; "" where nothing is changed */
    double *cheaper;    /* share of the first unit's price that each unit does not pay; NaN where
                           the unit was not run, or saved nothing */
    GPtrArray *changes; /* char *: two units whose order is not that of the first row */
} PfSensitivityRow;

/* Rows of one trace and policy. */
typedef struct {
    const char *trace; /* borrowed */
    const char *policy;
    GPtrArray *names; /* of units; borrowed */
    GPtrArray *rows;  /* of PfSensitivityRow; the first has the costs that come first */
} PfSensitivity;

/* What UNITS (of pf_frontier_read, which must live as long) tell, for each trace and policy in
 * their order; of PfSensitivity, free with g_ptr_array_unref. Left out where all have the same
 * costs, or no other unit can be set beside the first. */
GPtrArray *pf_sensitivity_of(const GPtrArray *units);
