/* Who watches a run record by record: `explain`. Nothing is told, and nothing is spent on it, where
 * nobody watches; what is told changes nothing that is simulated. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "policy_words.h"
#include "trace.h"

struct PfRun;

/* What happened. Members of PfStep that a kind does not name are 0. */
typedef enum {
    PF_STEP_FAULT,      /* an access needed a frame: `number` is the PfFault; `frame` is what `page`
                           maps since, `other` what it mapped before a copy */
    PF_STEP_WAKE,       /* the policy wakes up by itself */
    PF_STEP_HASH,       /* it made `key` of `page` */
    PF_STEP_HASH_AHEAD, /* ... of what the store to `page` is about to leave there */
    PF_STEP_FOUND,      /* its finder has something under `key`, or of the bytes of `page` */
    PF_STEP_MISSED,     /* ... nothing, or nothing more */
    PF_STEP_FILED,      /* `number` is filed under `key` for `page` on `frame` */
    PF_STEP_UNFILED,    /* `number` is filed no longer */
    PF_STEP_LOST,       /* ... since the CAM had no room, or its page was stored to */
    PF_STEP_COMPARED,   /* bytes of `frame` with those of `other`; `number` is the first byte that
                           differs, the page size if none */
    PF_STEP_COMPARED_AHEAD, /* likewise, of what the store in hand is about to leave and `other` */
    PF_STEP_MERGED,     /* `page` was to be mapped onto `frame`; `number` is the PfMergeResult,
                           `other` the frame it had */
    PF_STEP_REDIRECTED, /* likewise, in place of a store that would have made it equal */
    PF_STEP_PROTECTED,  /* the next store to `page` faults */
    PF_STEP_UNSHARED,   /* `page` got `frame` for itself */
    PF_STEP_GIVEN_BACK, /* `page`, all zeros, has no frame any more */
    PF_STEP_VERDICT,    /* why `page` is not shared: `number` is the PfWhy */
    PF_STEP_PASS,       /* a full look over everything has ended */
    PF_STEP_KINDS
} PfStepKind;

typedef struct {
    PfStepKind kind;
    PfPage page;
    PfMpn frame;
    PfMpn other;
    uint64_t key;
    uint64_t number;
} PfStep;

/* All functions are mandatory. */
typedef struct {
    /* In the course of a record, or of what fell due before it. */
    void (*step)(void *user, const PfStep *step);
    /* RUN has played RECORD, number NUMBER (from 1), and the image holds what that made: RUN may be
     * looked at. False ends the simulation, as an interrupt does. */
    bool (*record_done)(void *user, struct PfRun *run, const PfRecord *record, uint64_t number);
    void *user;
} PfObserver;
