/* What memory holds in the course of a trace, counted: pages of each context by kind, how many
 * pages each content has, how much changes from mark to mark. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

/* Pages of a context when it exits or the trace ends. */
typedef struct {
    char *name;
    PfContextKind kind;
    bool has_exited;
    uint64_t mapped_pages[PF_BACKING_SHMEM + 1];    /* by PfBacking, touched or not */
    uint64_t populated_pages[PF_BACKING_SHMEM + 1]; /* those of them that have bytes */
    uint64_t zero_pages;    /* of the populated ones: bytes all zero */
    uint64_t unknown_pages; /* ... bytes that nobody knows */
    uint64_t mergeable_pages;
} PfTallyContext;

/* Memory at a mark, or at the end of the trace; pages of all contexts. */
typedef struct {
    char *label; /* of the mark; NULL: the end */
    uint64_t records; /* before it */
    uint64_t time_ps; /* of the last `time` before it */
    uint64_t populated_pages;
    uint64_t distinct_contents; /* known ones */
    uint64_t new_pages;         /* had no bytes at the mark before */
    uint64_t changed_pages;     /* had others */
} PfTallyEpoch;

/* So many contents are on PAGES pages each. */
typedef struct {
    uint64_t pages;
    uint64_t contents;
} PfTallyMultiple;

enum { PF_TALLY_EPOCHS_MAX = 1000 };

typedef struct PfTally PfTally;

/* Nothing counted yet, of a trace with pages of PAGE_BYTES. */
PfTally *pf_tally_new(uint32_t page_bytes);
void pf_tally_free(PfTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfTally, pf_tally_free)

/* Takes BLOCK, the next of the trace. What memory cannot hold ends the counting, and the trace may
 * go on: pf_tally_problem. */
void pf_tally_take(PfTally *tally, const PfRecordBlock *block);

/* The trace ends. */
void pf_tally_finish(PfTally *tally);

/* Why there is nothing to be told (the first record that does not fit what is mapped, or too many
 * pages), or NULL. Of what follows nothing counts then. */
const char *pf_tally_problem(const PfTally *tally);

/* Contexts by number. */
uint32_t pf_tally_context_count(const PfTally *tally);
const PfTallyContext *pf_tally_context(const PfTally *tally, uint32_t number);

/* The first PF_TALLY_EPOCHS_MAX marks, and the end. */
uint32_t pf_tally_epoch_count(const PfTally *tally);
const PfTallyEpoch *pf_tally_epoch(const PfTally *tally, uint32_t index);
/* Marks that are not among them. */
uint64_t pf_tally_marks_left_out(const PfTally *tally);

/* The epoch whose contents are told: the last that has populated pages; NULL if none has. */
const PfTallyEpoch *pf_tally_told_epoch(const PfTally *tally);
/* Its known contents by how many pages have them, fewest pages first. */
uint32_t pf_tally_multiple_count(const PfTally *tally);
const PfTallyMultiple *pf_tally_multiple(const PfTally *tally, uint32_t index);
