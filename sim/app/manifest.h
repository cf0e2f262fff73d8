/* manifest.json: the only file of a run with clocks, paths and host names. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "options.h"
#include "simulation.h"

typedef struct {
    const PfApp *app;
    const PfSimulation *simulation;
    const char *directory; /* where the files are that get a digest */
    gint64 started_us;     /* since the epoch, UTC */
    gint64 finished_us;
    double wall_seconds;
    uint64_t peak_bytes; /* of memory, of this process */
    int exit_status;
    const GError *error; /* why it ended early, NULL if it did not */
} PfManifest;

/* Appends the manifest to OUT. */
void pf_manifest_json(GString *out, const PfManifest *manifest);
