/* The runs of a sweep, played by workers. */
#pragma once

#include "options.h"
#include "sweep_plan.h"

typedef struct {
    PfApp *app;
    const PfSetup *setup; /* for the command that repeats a run */
    unsigned workers;
    unsigned shard; /* runs of points whose number is this modulo `shards` */
    unsigned shards;
    bool verify;
    bool paranoid;
} PfSweepHow;

/* What came of it. */
typedef struct {
    uint64_t runs;        /* played now */
    uint64_t done_before; /* found done, of this shard */
    uint64_t failed;
    double seconds;     /* of the clock */
    double run_seconds; /* of all runs played now */
} PfSweepOutcome;

/* Plays what is pending or failed of PLAN, whose FOLDER is open (pf_sweep_folder_open). Failures
 * are told on standard error and noted. False with PF_ERROR_INTERRUPTED, or PF_ERROR_IO where
 * results cannot be written: what was done before is done. */
bool pf_sweep_work(PfSweepPlan *plan, const PfSweepHow *how, int folder, PfSweepOutcome *outcome,
                   GError **error);

/* The seconds that run 0 of the first point takes; its results go nowhere. Negative with an error.
 */
double pf_sweep_time(PfSweepPlan *plan, const PfSweepHow *how, GError **error);
