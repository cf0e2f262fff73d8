/* A bundle: what is needed to judge results, and to draw and change their figures, elsewhere. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Packs the results of a run, a sweep or `potential` in DIRECTORY into an archive at PATH:
 * configurations, CSV and JSON, of each manifest.json what does not depend on when and where it was
 * written, every figure's data and script (the user's where there are some), and a script that
 * draws all figures. Same results, same bytes. PF_ERROR_USAGE where there are no results,
 * PF_ERROR_TRACE where they cannot be read, PF_ERROR_IO, PF_ERROR_LIMIT. */
bool pf_bundle_write(const char *directory, const char *path, GError **error);
