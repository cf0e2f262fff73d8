/* Plays small traces under policy `ksm`, on the host and the engine that the program has, and tells
 * what it counts at their marks. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct KsmPlay KsmPlay;

/* Plays the text trace that TRACE is the rest of (a page of 4 KiB; the first lines are added), with
 * SETTINGS of the policy ("smart_scan = false;") and TOP of the configuration ("" for none). Every
 * page is verified and every invariant checked; what is wrong ends the test program. */
KsmPlay *ksm_play(const char *top, const char *settings, const char *trace);
/* The same for the trace at PATH. */
KsmPlay *ksm_play_file(const char *top, const char *settings, const char *path);
void ksm_play_free(KsmPlay *play);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KsmPlay, ksm_play_free)

/* Statistic NAME at the mark called LABEL; both must be there. */
int64_t ksm_at(const KsmPlay *play, const char *label, const char *name);

/* Statistic NAME, of whatever group, at the end; it must be there. */
int64_t ksm_at_end(const KsmPlay *play, const char *name);
