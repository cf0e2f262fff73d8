/* Several traces as one, each with its contexts.
 *
 * Order: events of each trace stay in their order. Those of a trace with `time` events belong to
 * the last of them before, plus the trace's offset; a trace without is spread evenly over the time
 * of the others, by its work. Of events at the same time those come first whose trace has done the
 * smaller share of its work, then those of the trace named first. Work is events and instructions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

typedef struct {
    const char *path;   /* a file: it is read twice */
    const char *prefix; /* of the names of its contexts and marks; "" if none */
    uint64_t offset_ps; /* its time 0 in the mix */
} PfMixInput;

typedef struct {
    const PfMixInput *inputs;
    unsigned count;
    bool private_files;     /* files and shared memory of each trace are its own */
    const int *interrupted; /* polled; nonzero ends it; may be NULL */
} PfMix;

/* Writes MIX to OUT in FORM. Names of contexts, and labels of marks, that another trace has already
 * get ".N" behind them, N being the number of the trace from 1. The page size must be the same in
 * all traces; the clock is that of the first that has one. The mix of one trace has the same
 * events. Nothing appears at OUT where it is false: PF_ERROR_USAGE (page sizes; an offset where no
 * trace has times), PF_ERROR_TRACE, PF_ERROR_IO, PF_ERROR_INTERRUPTED. */
bool pf_trace_mix(const PfMix *mix, const char *out, PfTraceForm form, GError **error);
