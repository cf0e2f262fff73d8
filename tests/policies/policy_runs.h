/* Plays small traces under a policy, on the host and the engine that the program has, and tells
 * what it counts. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "simulation.h"

typedef struct PolicyPlay PolicyPlay;

/* Plays, under POLICY, the text trace that TRACE is the rest of (a page of 4 KiB; the first lines
 * are added), with SETTINGS of the policy ("smart_scan = false;") and TOP of the configuration (""
 * for none). Every page is verified and every invariant checked; what is wrong ends the test
 * program, save that memory was too little. */
PolicyPlay *policy_play(const char *policy, const char *top, const char *settings,
                        const char *trace);
/* The same for all of a text trace. */
PolicyPlay *policy_play_text(const char *policy, const char *top, const char *settings,
                             const char *text);
/* The same for the trace at PATH; PARANOID: invariants are checked. */
PolicyPlay *policy_play_file(const char *policy, const char *top, const char *settings,
                             const char *path, bool paranoid);
/* The same for all of a text trace with nothing verified: the host does what it does for users. */
PolicyPlay *policy_play_unchecked(const char *policy, const char *top, const char *settings,
                                  const char *text);
void policy_play_free(PolicyPlay *play);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PolicyPlay, policy_play_free)

/* Statistic NAME at the mark called LABEL; both must be there. */
int64_t policy_at(const PolicyPlay *play, const char *label, const char *name);

/* Whether there was memory enough. */
bool policy_fitted(const PolicyPlay *play);

/* Statistic NAME at the end; it must be there. */
PfStatValue policy_end(const PolicyPlay *play, const char *name);

/* What --verify found in all runs, lossy ones included: pages that do not hold what their context
 * wrote. */
uint64_t policy_differences(const PolicyPlay *play);

/* The run itself; lives as long as PLAY. */
const PfRun *policy_run(const PolicyPlay *play);

/* How often the host hashed a page to intern it, for all runs. */
uint64_t policy_host_hashes(const PolicyPlay *play);
/* All runs that there were, `none` among them. */
size_t policy_run_count(const PolicyPlay *play);
const PfRun *policy_run_at(const PolicyPlay *play, size_t index);
