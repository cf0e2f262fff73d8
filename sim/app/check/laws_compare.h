/* Holds what a run tells against the naive model. */
#pragma once

#include "laws_trace.h"
#include "simulation.h"

/* A run of a random trace that is compared. */
typedef struct {
    const PfRegistry *registry;
    const PfLawsTrace *trace;
    const PfRun *run;
    const char *settings; /* of its policy, for messages */
    GString *problems;    /* gets a line for each of the first that are found */
    size_t mark;          /* number of the mark in hand, from 1; the end of the trace is one */
    unsigned wrong;
} PfLawsPlace;

/* At each mark and at the end pages and frames are those of the naive model, and what is told of
 * them adds up. */
bool pf_laws_counts_hold(PfLawsPlace *place);

/* At each mark what is told of pages and frames adds up, whatever the trace. */
bool pf_laws_sums_hold(PfLawsPlace *place);

/* Each cycle has one account and one payer, each sharing one end. */
bool pf_laws_cycles_hold(PfLawsPlace *place);

/* Passes that the trace asks for are made and counted. */
bool pf_laws_passes_hold(PfLawsPlace *place);

/* Statistic NAME of RUN, which has it, at its end. */
int64_t pf_laws_figure(const PfRun *run, const char *name);
