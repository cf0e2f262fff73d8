/* A simulation from its first record to its directory of results: what `run` and a point of a sweep
 * have in common. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "setup.h"
#include "simulation.h"

/* What is known of a run when it is over. */
typedef struct {
    gint64 started_us;
    gint64 finished_us;
    double wall_seconds;
    uint64_t peak_bytes; /* of memory, of this process */
    GError *error;       /* why it ended early; owned */
} PfRunOutcome;

/* Plays SIMULATION and notes when. */
void pf_run_results_play(PfSimulation *simulation, PfRunOutcome *outcome);

/* Writes what SIMULATION, of CONFIG, found to directory PATH, with the events and figures that
 * OUTPUT asks for; FORCE replaces results that are there. Where OUTPUT is NULL there are none of
 * these, and the caller sees the results to the disk. PF_ERROR_IO, PF_ERROR_USAGE. */
bool pf_run_results_write(const PfApp *app, const char *path, bool force, PfConfig *config,
                          const PfOutputConfig *output, const PfSimulation *simulation,
                          const PfRunOutcome *outcome, GError **error);
