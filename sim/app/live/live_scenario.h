/* Plays a trace on real processes under the running kernel's KSM.
 *
 * Of the trace's events these are played: context, map (anonymous), fill, write with a value,
 * touch, read, fork, unmap, remap, advise mergeable, unmergeable, dontneed and nohuge, attr locked,
 * unlocked, pinned and unpinned, exit, scan, control ksm.*, time and idle (as real time), mark;
 * run, grain, begin and end do nothing. Any other is an error. Controls of pages_to_scan,
 * sleep_millisecs and advisor_mode are errors too: they are the driver's own. */
#pragma once

#include <glib.h>

#include "live_ksm.h"

/* Plays the trace at PATH, whose pages must be the host's, and returns what KSM counted at each
 * mark (of PfKsmStep). Errors: PF_ERROR_TRACE "FILE:LINE: ..." for what cannot be played. */
GArray *pf_live_play(PfKsm *ksm, const char *path, const int *interrupted, GError **error);

/* Is called when the trace has come to its first mark. */
typedef bool (*PfLiveAtMark)(PfKsm *ksm, void *user, GError **error);

/* Plays the trace at PATH up to its first mark only, and calls AT_MARK with USER while its
 * processes live. False with an error of that or of playing. */
bool pf_live_play_to_mark(PfKsm *ksm, const char *path, const int *interrupted,
                          PfLiveAtMark at_mark, void *user, GError **error);
