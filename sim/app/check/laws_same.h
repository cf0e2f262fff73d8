/* Runs that must tell the same. */
#pragma once

#include "laws_play.h"

/* All that RUN has to tell: statistics, contexts, marks, epochs. Owned by the caller. */
char *pf_laws_run_text(const PfSimulation *simulation, const PfRun *run);

/* What RUN has shared at each mark and at the end. Owned by the caller. */
char *pf_laws_sharings_text(const PfRun *run);

/* Whether A, which is told of LABEL, and B, of OTHER, are equal; else PROBLEMS get the first lines
 * that differ. */
bool pf_laws_is_same(const char *label, const char *a, const char *other, const char *b,
                     GString *problems);

/* Whether each run of OTHER, which is as HOW says, is to the last digit the run of that label in
 * PLAY. HOW_OTHER tells in words what is different about OTHER: "with 2 threads". */
bool pf_laws_plays_are_same(const PfLawsPlay *play, const PfLawsPlay *other, const char *policies,
                            const char *how_other, GString *problems);
