/* A part of a trace as a trace of its own. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

typedef enum {
    PF_CUT_EDGE,    /* where the trace begins or ends */
    PF_CUT_RECORD,  /* before the record with `number`, counted from 0 */
    PF_CUT_TIME_PS, /* before the first `time` of `number` picoseconds or more */
    PF_CUT_MARK,    /* at the mark `label`, which is part of the part */
} PfCutKind;

typedef struct {
    PfCutKind kind;
    uint64_t number;
    const char *label;
} PfCutPoint;

typedef struct {
    PfCutPoint from;
    PfCutPoint to;
    const char *const *contexts; /* NULL-terminated names of those that are kept; NULL: all */
    const int *interrupted;      /* polled; nonzero ends it; may be NULL */
} PfCut;

/* Writes the part CUT of the trace at IN to OUT in FORM: what memory holds at its beginning, the
 * spans that are open, parameters as they were set, and then its events. Times count from the
 * beginning of the part; a part that ends at a time lasts until then. What is told of the trace
 * (its clock, its description) stays. Nothing appears at OUT where it is false: PF_ERROR_USAGE (a
 * point or a context is not there), PF_ERROR_TRACE (also where a kept context takes pages from one
 * that is not), PF_ERROR_IO, PF_ERROR_INTERRUPTED. */
bool pf_trace_cut(const char *in, const char *out, PfTraceForm form, const PfCut *cut,
                  GError **error);
