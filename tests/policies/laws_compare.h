/* Holds what a run tells against the naive model. */
#pragma once

#include "laws_trace.h"
#include "simulation.h"

/* Where a comparison stands, for messages. */
typedef struct {
    unsigned seed;
    const PfRun *run;
    size_t mark; /* number of the mark, from 1; the end of the trace is one */
    unsigned wrong;
} LawsPlace;

/* The run of PLACE obeys the identities, and says what the naive model has found on its TRACE. */
void laws_compare_run(LawsPlace *place, const PfRegistry *registry, const LawsTrace *trace);

/* Statistic NAME of RUN at its end. */
int64_t laws_figure(const PfRun *run, const char *name);
