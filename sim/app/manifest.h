/* manifest.json: the only file of a run or a sweep with clocks, paths and host names. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "json.h"
#include "options.h"
#include "results.h"
#include "simulation.h"

typedef struct {
    const PfApp *app;
    const PfSimulation *simulation; /* of a run */
    const PfResults *results; /* of a run: the files that get a digest */
    gint64 started_us;     /* since the epoch, UTC */
    gint64 finished_us;
    double wall_seconds;
    uint64_t peak_bytes; /* of memory, of this process */
    int exit_status;
    const GError *error; /* why it ended early, NULL if it did not */
} PfManifest;

/* Appends the manifest to OUT. */
void pf_manifest_json(GString *out, const PfManifest *manifest);

/* What every manifest begins with and ends with; between them stands what it is of. */
void pf_manifest_open(PfJson *json, const PfManifest *manifest, bool complete);
void pf_manifest_close(PfJson *json, const PfManifest *manifest);

/* Whether MANIFEST, a run's, gives file NAME the digest of LENGTH BYTES. */
bool pf_manifest_says(const char *manifest, const char *name, const char *bytes, size_t length);

/* Whether the results of a run in DIRECTORY are what its manifest says. */
bool pf_manifest_is_true(const char *directory);
