/* How the laws play a random trace. */
#pragma once

#include <glib.h>

#include "simulation.h"

/* The built-in policies and finders, and the plug-ins that serve as examples. */
PfRegistry *laws_registry(void);

/* Adds an element of `policies`; EXTRA are further settings of it. */
void laws_add_policy(GString *list, const PfPolicyOps *ops, const char *extra);

/* Where in DIRECTORY the trace of SEED lies. Owned by the caller. */
char *laws_path(const char *directory, unsigned seed);

/* Plays the trace at PATH under POLICIES, verified and checked after each range. Rates are raised
 * so that policies come to work in traces of a few hundred records. */
PfSimulation *laws_play(const PfRegistry *registry, const char *path, const char *policies,
                        PfConfig **ret_config, unsigned threads);
/* The same on a machine with MORE in its configuration ("cam = { ... };"), and with TOP in that of
 * the run ("timing = \"full\";"). */
PfSimulation *laws_play_on(const PfRegistry *registry, const char *path, const char *policies,
                           const char *top, const char *more, PfConfig **ret_config,
                           unsigned threads);
