/* What the policies of a sweep save for what share of a core, and which of the machines that they
 * ran on is no use: read from the sweep's tables.
 *
 * Points that differ in nothing but the policies' own rates are one *unit*: a frontier of savings
 * over work. Units of the same trace and policy are compared. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "csv.h"

enum { PF_FRONTIER_SHARES = 4, PF_FRONTIER_GOALS = 2 };

/* Shares of one core, and of what `oracle` saves at the end, that are told. */
extern const double pf_frontier_shares[PF_FRONTIER_SHARES];
extern const double pf_frontier_goals[PF_FRONTIER_GOALS];

/* Whether KEY says how fast a policy works: `policies.esx.rate`. */
bool pf_frontier_is_rate(const char *key);

/* A unit at one rate. */
typedef struct {
    double share;       /* of one core that the policy takes */
    double saved;       /* pages, on the average over time */
    double saved_ci;    /* half an interval of 95 %; 0 without repeats */
    double cycles;      /* of the policy */
    double cycles_ci;
    double joules;      /* of all accounts that have a figure */
    double joules_ci;
    double lookup;      /* share of the cycles */
    double passes;
    double goal_cycles[PF_FRONTIER_GOALS]; /* until then, in the first run; NaN: never */
    char *rates;        /* in the words of the sweep */
} PfFrontierPoint;

typedef struct {
    char *trace; /* "" if it does not vary */
    char *policy;
    char *name;
    GArray *points;    /* of PfFrontierPoint, by share */
    double oracle;     /* pages that `oracle` saves at the end */
    double clock_hz;
    bool is_bound;     /* an ideal CAM: nobody can build it, and so it beats nobody */
    const char *beaten; /* the first unit of the same trace and policy that saves as much at no
                           more cycles and joules, at every rate; NULL */
} PfFrontierUnit;

/* The units of the sweep in DIRECTORY, in the order of its points; of PfFrontierUnit, free with
 * g_ptr_array_unref. PF_ERROR_TRACE where its tables cannot be read, PF_ERROR_USAGE where they have
 * no rate, or no run of `oracle`. */
GPtrArray *pf_frontier_read(const char *directory, GError **error);

/* The pages that UNIT saves on the average for SHARE of a core at most: between two of its points
 * in proportion, NaN below its first. */
double pf_frontier_at(const PfFrontierUnit *unit, double share);
