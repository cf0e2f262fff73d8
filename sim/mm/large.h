/* Large pages of one run: which runs of pages are mapped as one.
 *
 * The first page of a run that gets a frame (image.h says which memory wants that) keeps a block of
 * frames for all of them. Once all 512 pages have their frames in it and may be stored to, their
 * entries say PF_ENTRY_LARGE. After a fork both sides map the run large, and neither may store to
 * it. Any other change of one mapping splits the run: its pages stay where they are, mapped one by
 * one. Nothing here costs cycles; splits are remembered until somebody pays for them.
 *
 * All functions do nothing where nobody wants large pages: memory->large is NULL. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "image.h"
#include "table.h"

typedef struct PfMemory PfMemory;

/* A run of which a page was given a frame. */
typedef struct {
    uint32_t context;
    uint32_t block; /* of frames (frame.h), kept for it or once kept */
    PfCpn first;
} PfLargeRun;

/* What is told as large.*. */
typedef struct {
    uint64_t filled;
    uint64_t joined;
    uint64_t joined_copied;
    uint64_t splits;
    uint64_t copies;
    uint64_t taken_back;
    uint64_t without_block;
} PfLargeStats;

typedef struct {
    GArray *runs;  /* of PfLargeRun, in order of their first frame */
    PfTable index; /* context and number of the run -> its index in `runs` */
    GArray *split; /* of PfLargeRun: splits that nobody has paid for */
    uint32_t hand; /* the run that was looked at last, to be joined */
    uint64_t pages; /* that are mapped large, in base pages */
    bool maps_runs; /* else stores after a fork do what they do with large pages, and no more */
    uint32_t old_frames[PF_LARGE_PAGES]; /* what the pages that were copied last mapped before */
    PfLargeStats stats;
} PfLarge;

/* From now on runs are mapped large, but where the controller remaps. Before the first page and
 * after pf_bus_open. */
void pf_large_open(PfMemory *memory);
void pf_large_close(PfMemory *memory);
/* What the host spends on it. */
uint64_t pf_large_bytes(const PfMemory *memory);

/* A new frame for SLOT in the block of its run; false if it has none there. NODE: where its
 * context wants frames. */
bool pf_large_alloc(PfMemory *memory, PfSlot slot, unsigned node, PfMpn *ret_mpn);

/* SLOT came by its frame otherwise: its run may be joined some day. */
void pf_large_note(PfMemory *memory, PfSlot slot);

/* Whether the frame that SLOT was just given came with an earlier one of its run. */
bool pf_large_follows(const PfMemory *memory, PfSlot slot);

/* SLOT may be stored to now: its run is mapped large if that is the last page that was wanting.
 * Whether it is from now on. */
bool pf_large_offer(PfMemory *memory, PfSlot slot);

/* Behind pf_large_leave: SLOT is mapped large. */
void pf_large_split(PfMemory *memory, PfSlot slot);

/* A store takes back the frame of SLOT, which nobody else has: that of each page of its run, if
 * nobody else has theirs either. False if it is a matter of SLOT alone. */
bool pf_large_take_back(PfMemory *memory, PfSlot slot);

/* Whether a store that must copy the frame of SLOT copies all frames of its run; whichever of the
 * policy's doing is among them prevents that. */
bool pf_large_copies(const PfMemory *memory, PfSlot slot);
/* Does that; each old frame is in `old_frames`. False if there is no room for that, and nothing, or
 * with bound contexts a part of it, was done. */
bool pf_large_copy(PfMemory *memory, PfSlot slot);

typedef enum {
    PF_JOIN_NOTHING, /* it is mapped large, or cannot be */
    PF_JOIN_DONE,
    PF_JOIN_COPIED, /* to another block; each old frame is in `old_frames` */
} PfJoin;

/* Looks at the next run: what mapping it large would be, as each of its pages may be stored to. */
PfJoin pf_large_next(PfMemory *memory, PfLargeRun *ret_run);
/* Does that for the run just looked at. False if there is no block to copy it to. */
bool pf_large_join(PfMemory *memory);

/* How many splits nobody has paid for, which then are paid for. Runs that are gone altogether were
 * none. */
uint64_t pf_large_settle(PfMemory *memory);
