/* How KSM gets on as time goes by, told by the running kernel and by pagefold's policy.
 *
 * A trace is played up to its first mark, while nothing is scanned; from there on ksmd works by
 * itself. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "live_ksm.h"
#include "registry.h"

/* One look at it. */
typedef struct {
    double seconds; /* since the mark */
    int64_t scanned_pages;
    int64_t sharing_pages;
    double cpu_ms; /* of ksmd */
} PfCurvePoint;

typedef struct {
    const char *trace;
    uint64_t pages_to_scan;
    const char *costs; /* machine.costs.preset of the model */
    const int *interrupted;
} PfCurveCase;

/* What the running kernel does, a point a second, until three passes are through: an array of
 * PfCurvePoint. Errors are those of pf_live_play. */
GArray *pf_curve_live(PfKsm *ksm, const PfCurveCase *of, GError **error);

/* What policy `ksm` does for SECONDS, ten points a second. Errors are those of a simulation. */
GArray *pf_curve_model(const PfRegistry *registry, const PfCurveCase *of, double seconds,
                       GError **error);

/* How far apart two accounts are. */
typedef struct {
    double time_percent;    /* pages_sharing at the same time: the most, of the final value */
    double scanned_percent; /* pages_sharing after the same pages scanned: likewise */
    double final_percent;   /* pages_sharing at the end */
    double cpu_percent;     /* ksmd's time at the end for each page scanned, of the kernel's */
} PfCurveDistance;

/* MODEL as it was at the time of each point of LIVE, between its own points on a line. Free with
 * g_array_unref. */
GArray *pf_curve_at_times(const GArray *model, const GArray *live);

/* The distance of MODEL from LIVE. */
PfCurveDistance pf_curve_compare(const GArray *model, const GArray *live);
