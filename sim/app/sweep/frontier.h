/* What the policies of a sweep save for what share of a core, and which of the machines that they
 * ran on is no use: read from the sweep's tables.
 *
 * Points that differ in nothing but the policies' own rates are one *unit*: a frontier of savings
 * over work. Units of the same trace, policy and costs are compared. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "csv.h"

enum { PF_FRONTIER_SHARES = 4, PF_FRONTIER_GOALS = 2 };

/* Shares of one core, and of what `oracle` saves at the end, that are told. */
extern const double pf_frontier_shares[PF_FRONTIER_SHARES];
extern const double pf_frontier_goals[PF_FRONTIER_GOALS];

/* What units are compared by. */
typedef enum {
    PF_FRONTIER_SAVED,  /* pages, on the average over time */
    PF_FRONTIER_CYCLES, /* of the policy */
    PF_FRONTIER_JOULES, /* of all accounts that have a figure */
    PF_FRONTIER_PRICE,  /* cycles of the policy for each cycle in which a page is saved; NaN where
                           none is */
    PF_FRONTIER_MEASURES
} PfFrontierMeasure;

typedef struct {
    double values[PF_FRONTIER_MEASURES];
} PfFrontierRun;

/* Whether KEY says how fast a policy works: `policies.esx.rate`. */
bool pf_frontier_is_rate(const char *key);

/* A unit at one rate. */
typedef struct {
    PfFrontierRun mean;
    GArray *repeats;    /* of PfFrontierRun; empty for a single run */
    double share;       /* of one core that the policy takes */
    double lookup;      /* share of the cycles */
    double passes;
    double goal_cycles[PF_FRONTIER_GOALS]; /* until then, in the first run; NaN: never */
    char *rates;        /* in the words of the sweep */
} PfFrontierPoint;

typedef struct {
    char *trace; /* "" if it does not vary */
    char *policy;
    char *costs; /* as an axis of machine.costs sets them; "" if it leaves them, or there is none */
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

/* Orders the points of UNITS, which have all been read, and notes which of these are beaten. */
void pf_frontier_find_beaten(GPtrArray *units);

/* Whether A and B are compared. */
bool pf_frontier_comparable(const PfFrontierUnit *a, const PfFrontierUnit *b);

/* UNIT at its highest rate. */
const PfFrontierPoint *pf_frontier_last(const PfFrontierUnit *unit);

/* By how much A is more than B in MEASURE. RET_HALF is half the interval of 95 % of that (Student's
 * t over the differences of repeats with equal seeds), 0 without repeats, infinite where one of
 * them has fewer than two. */
double pf_frontier_difference(const PfFrontierPoint *a, const PfFrontierPoint *b,
                              PfFrontierMeasure measure, double *ret_half);

/* The pages that UNIT saves on the average for SHARE of a core at most: between two of its points
 * in proportion, NaN below its first. */
double pf_frontier_at(const PfFrontierUnit *unit, double share);
