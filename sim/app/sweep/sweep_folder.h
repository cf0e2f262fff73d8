/* A sweep on disk: which runs are done, which failed, and the tables beside them.
 *
 *     SWEEP/manifest.json  SWEEP/config.cfg  SWEEP/points.csv  SWEEP/results.csv
 *     SWEEP/points/ID/         results of the point's only run
 *     SWEEP/points/ID/r0/ ...  results of its runs where it is repeated
 *     SWEEP/traces/            workloads, generated
 *
 * A run that failed leaves a file beside the place of its results: NAME.failed, the error and the
 * command that repeats it. */
#pragma once

#include "options.h"
#include "sweep_plan.h"

typedef enum { PF_SWEEP_DONE, PF_SWEEP_FAILED, PF_SWEEP_PENDING, PF_SWEEP_STATES } PfSweepState;

/* "done", "failed", "pending". */
const char *pf_sweep_state_name(PfSweepState state);

/* Whether DIRECTORY is a sweep. */
bool pf_sweep_folder_is_sweep(const char *directory);

/* Makes the folder of PLAN, takes it for this process until the returned descriptor is closed (-1
 * with an error), and writes config.cfg and points.csv: several may work at it only if each has a
 * SHARD of its own. PF_ERROR_USAGE where something else is there, PF_ERROR_IO. */
int pf_sweep_folder_open(const PfSweepPlan *plan, bool shard, GError **error);

/* Where the results of a run are or shall be. Free with g_free. */
char *pf_sweep_folder_run(const PfSweepPlan *plan, uint64_t point, uint64_t repeat);
bool pf_sweep_folder_is_done(const PfSweepPlan *plan, uint64_t point, uint64_t repeat);

/* stats.csv of a run; NULL without an error if it is not done, with PF_ERROR_TRACE if its results
 * are not what was written. Free with g_free. */
char *pf_sweep_folder_read(const PfSweepPlan *plan, uint64_t point, uint64_t repeat,
                           GError **error);

/* Whether a run is done; damaged results of it are given up. */
bool pf_sweep_folder_check(const PfSweepPlan *plan, uint64_t point, uint64_t repeat);

/* Removes what is in the way of results at RUN. */
void pf_sweep_folder_clear(const char *run);

/* The state of all runs of POINT together. */
PfSweepState pf_sweep_folder_state(const PfSweepPlan *plan, uint64_t point);

/* Notes that a run failed with TEXT, forgets it where TEXT is NULL. That it cannot be noted is no
 * error: the run is pending then. */
void pf_sweep_folder_note(const PfSweepPlan *plan, uint64_t point, uint64_t repeat,
                          const char *text);

/* What was noted of a run; NULL if nothing was. Free with g_free. */
char *pf_sweep_folder_failure(const PfSweepPlan *plan, uint64_t point, uint64_t repeat);

/* Writes DATA as file NAME of the sweep, one process after the other. */
bool pf_sweep_folder_write(const PfSweepPlan *plan, const char *name, const GString *data,
                           GError **error);

/* Writes points.csv. */
bool pf_sweep_folder_write_points(const PfSweepPlan *plan, GError **error);
