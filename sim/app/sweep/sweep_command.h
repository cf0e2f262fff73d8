/* What `sweep expand|run|status|collect` and `run -x` do. */
#pragma once

#include "options.h"
#include "sweep_plan.h"
#include "sweep_work.h"

typedef enum {
    PF_SWEEP_EXPAND,
    PF_SWEEP_RUN,
    PF_SWEEP_STATUS,
    PF_SWEEP_COLLECT,
} PfSweepVerb;

/* Parses the options of COMMAND, which is VERB, and does it. Returns the exit status. */
int pf_sweep_command(PfApp *app, const PfCommand *command, int argc, char **argv, PfSweepVerb verb,
                     GError **error);

/* Runs what is not done of the sweep of PATH, or of axes VARIED, into DIRECTORY. Exit status 4
 * where some point failed. */
int pf_sweep_run(const PfSweepHow *how, const char *path, char **varied, const char *directory,
                 GError **error);
