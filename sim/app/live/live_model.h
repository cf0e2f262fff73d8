/* What pagefold's own KSM counts in a scenario. */
#pragma once

#include <glib.h>

#include "live_counters.h"
#include "registry.h"

/* Plays the trace at PATH under policy `ksm` with pacing = "trace" and returns what its statistics
 * say at each mark (of PfKsmStep). Errors as those of a simulation; one of
 * PF_ERROR_CONFIG where there is no such policy. INTERRUPTED may be NULL. */
GArray *pf_live_model(const PfRegistry *registry, const char *path, const int *interrupted,
                      GError **error);
