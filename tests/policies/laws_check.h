/* The laws' plays as tests want them: an obstacle is a failure of the test. */
#pragma once

#include "laws_play.h"

/* The built-in policies and finders, and the plug-ins that serve as examples. */
PfRegistry *laws_registry(void);

/* Where in DIRECTORY the trace of SEED lies. Owned by the caller. */
char *laws_path(const char *directory, unsigned seed);

/* Plays the trace at PATH under POLICIES on a machine that the path chooses. */
PfSimulation *laws_play(const PfRegistry *registry, const char *path, const char *policies,
                        PfConfig **ret_config, unsigned threads);
/* The same on a machine with MORE in its configuration ("cam = { ... };"), and with TOP in that of
 * the run ("timing = \"full\";"). */
PfSimulation *laws_play_on(const PfRegistry *registry, const char *path, const char *policies,
                           const char *top, const char *more, PfConfig **ret_config,
                           unsigned threads);
