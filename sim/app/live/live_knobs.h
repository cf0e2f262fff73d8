/* The files of /sys/kernel/mm/ksm, and the promise that they are left as they were found. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "live_ksmd.h"

#define PF_KNOB_FOLDER "/sys/kernel/mm/ksm"

/* Every knob that the driver or a scenario may change, in the order in which they can be put back
 * (`run` last). */
typedef enum {
    PF_KNOB_MAX_PAGE_SHARING,
    PF_KNOB_MERGE_ACROSS_NODES,
    PF_KNOB_USE_ZERO_PAGES,
    PF_KNOB_SMART_SCAN,
    PF_KNOB_PRUNE_MILLISECS,
    PF_KNOB_SLEEP_MILLISECS,
    PF_KNOB_PAGES_TO_SCAN,
    PF_KNOB_ADVISOR_MODE,
    PF_KNOB_RUN,
    PF_KNOB_COUNT
} PfKnob;

enum { PF_KNOB_TEXT_MAX = 32 };

typedef struct {
    int files[PF_KNOB_COUNT];
    char saved[PF_KNOB_COUNT][PF_KNOB_TEXT_MAX];
} PfKnobs;

/* The file's name in PF_KNOB_FOLDER. */
const char *pf_knob_name(PfKnob knob);

/* Whether NAME is that of a knob; RET_KNOB tells which. */
bool pf_knob_find(const char *name, PfKnob *ret_knob);

/* Opens all knobs and remembers what they say. PF_ERROR_IO where one is missing or may not be
 * written. KNOBS is to be cleared also after a failure. */
bool pf_knobs_init(PfKnobs *knobs, GError **error);
void pf_knobs_clear(PfKnobs *knobs);

/* Writes VALUE; 0, or the errno with which the kernel refuses it. */
int pf_knob_write(const PfKnobs *knobs, PfKnob knob, const char *value);

/* Unmerges everything and puts back what KNOBS remembers. Async-signal-safe. False where the kernel
 * did not take all of it for a second. */
bool pf_knobs_restore(const PfKnobs *knobs);

/* A process of its own that puts the knobs and ksmd back when this one ends in whatever way, even
 * killed: it keeps LOCK (a file descriptor with a lock on it) open until that is done. What it is
 * given are its own copies from here on. */
typedef struct {
    pid_t pid;
    int life; /* the guardian waits for this to be closed everywhere */
} PfGuardian;

/* PF_ERROR_IO where no process can be made. */
bool pf_guardian_start(PfGuardian *guardian, const PfKnobs *knobs, const PfKsmd *ksmd, int lock,
                       GError **error);

/* Lets the guardian put everything back now. False if it could not. */
bool pf_guardian_finish(PfGuardian *guardian);
