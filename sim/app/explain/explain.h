/* A small trace told event by event: what happened, what the policy did and why, what it cost, and
 * what memory looks like since. All of it is what a run does while it is watched. */
#pragma once

#include "explain_text.h"

/* More events than that are a film, not a picture book. */
enum { PF_EXPLAIN_EVENTS_MAX = 500 };

typedef struct {
    PfExplainStyle style;
    uint64_t first; /* the first record to be told of, from 1 */
    uint64_t last;
    bool waits;     /* for a key after each, from standard input */
    const int *interrupted; /* ends the waiting */
} PfExplainOptions;

typedef struct PfExplain PfExplain;

/* Writes to standard output. OPTIONS is copied. */
PfExplain *pf_explain_new(const PfExplainOptions *options);
void pf_explain_free(PfExplain *explain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfExplain, pf_explain_free)

/* For PfSimulationOptions; as long as EXPLAIN. */
const PfObserver *pf_explain_observer(PfExplain *explain);

/* Writes what is left to be said of RUN, which may have ended within a record; unless the user has
 * asked for an end. */
void pf_explain_finish(PfExplain *explain, const PfRun *run);

/* Whether the user has asked for an end. */
bool pf_explain_has_quit(const PfExplain *explain);
