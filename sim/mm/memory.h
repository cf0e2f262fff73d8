/* The mappings of one run: which frame each page has, what stores and reads do to that, and
 * sharing. The only place where a mapping or a frame changes.
 *
 * A page is named by its slot (see image.h). Eight bytes a page. Nothing here costs cycles or knows
 * caches: the caller charges for what it is told happened. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "frame.h"
#include "image.h"
#include "journal.h"
#include "large.h"
#include "swap.h"

enum {
    PF_ENTRY_PRESENT = 1 << 0,
    PF_ENTRY_WRITABLE = 1 << 1,  /* a store does not fault: the frame is live for this slot */
    PF_ENTRY_ZERO = 1 << 2,      /* maps the zero frame */
    PF_ENTRY_FILE = 1 << 3,      /* maps a frame of the page cache */
    PF_ENTRY_MERGED = 1 << 4,    /* shared or protected by the policy */
    PF_ENTRY_POPULATED = 1 << 5, /* was given bytes since it was mapped */
    PF_ENTRY_ELIGIBLE = 1 << 6,  /* populated and inside the policy's scope */
    PF_ENTRY_SAMPLED = 1 << 7,   /* listed in the context's sample (host) */
    PF_ENTRY_DIRTY = 1 << 8,     /* stored to through this mapping, or the one it was forked from */
    PF_ENTRY_EXCLUSIVE = 1 << 9, /* its frame was made for it and never shared since */
    PF_ENTRY_ZERO_MERGED = 1 << 10, /* maps the zero frame by the policy's doing */
    PF_ENTRY_SHARING = 1 << 11, /* the policy moved it, or what it was forked from, to its frame */
    PF_ENTRY_GIVEN_BACK = 1 << 12, /* not present: its frame, of zeros, was given back */
    PF_ENTRY_BUS_WRITABLE = 1 << 13, /* the page table lets stores through, if the policy did */
    PF_ENTRY_ACCESSED = 1 << 14, /* since the clock came by last; where there is a swap device */
    PF_ENTRY_SWAPPED = 1 << 15,  /* not present: its frame is out (frame.h) */
    PF_ENTRY_LARGE = 1 << 16, /* mapped as a part of a large page, with all of its run */
    PF_ENTRY_WHY_SHIFT = 24,        /* from here on: why it is not shared (host) */
    PF_ENTRY_WHY_MASK = 15 << PF_ENTRY_WHY_SHIFT,
    /* What an entry keeps when the page is mapped to another frame. */
    PF_ENTRY_OF_PAGE =
        PF_ENTRY_POPULATED | PF_ENTRY_ELIGIBLE | PF_ENTRY_SAMPLED | PF_ENTRY_WHY_MASK,
    /* Before such a page is merged its write access has to be taken away. */
    PF_ENTRY_OPEN = PF_ENTRY_WRITABLE | PF_ENTRY_DIRTY | PF_ENTRY_EXCLUSIVE,
};

typedef struct {
    uint32_t mpn;
    uint32_t flags;
} PfEntry;

static_assert(sizeof(PfEntry) == 8, "a page is 8 bytes");

/* What a read or a store had to do before it could go on. */
typedef enum {
    PF_FAULT_NONE,
    PF_FAULT_ZERO,       /* read of an untouched page: the zero page was mapped */
    PF_FAULT_FILE,       /* a page of the page cache was mapped */
    PF_FAULT_FIRST,      /* store to a page untouched, any access to one given back: new frame */
    PF_FAULT_COPY_ZERO,  /* store to a page that mapped the zero page */
    PF_FAULT_COPY_FILE,  /* store to a page of a private file mapping */
    PF_FAULT_COPY,       /* store to a frame that others map too: copied */
    PF_FAULT_REUSE,      /* store to a protected frame that nobody else has: taken back */
    PF_FAULT_NO_MEMORY,  /* there is no free frame; nothing was changed */
} PfFault;

typedef struct {
    PfFault fault;
    bool was_merged; /* the page lost a mapping that the policy had made or protected */
    bool was_given_back; /* the page had no frame, for that had been given back */
    bool was_claimed;   /* of that frame */
    bool was_exclusive; /* before the store */
    bool by_controller; /* the page table lets it through: no trap */
    bool is_run;     /* COPY: all pages of its run were copied, see PfLarge.old_frames */
    bool follows;    /* a new frame that came with an earlier one of its run: no trap */
    bool is_filled;  /* its run is mapped large since then */
    PfMpn old_frame; /* of that mapping */
    PfMpn old_page;  /* what a translation gave: see bus.h */
} PfStoreOutcome;

typedef enum { PF_SCOPE_ALL, PF_SCOPE_ANON, PF_SCOPE_MERGEABLE } PfScope;

typedef struct {
    uint32_t slot;
    uint32_t mpn;
} PfPin;

struct PfMemory {
    PfImage *image; /* borrowed */
    PfFramePool frames;
    PfSegArray entries; /* of PfEntry, by slot */
    uint64_t entry_limit;
    GArray *pins; /* of PfPin, oldest first */
    GArray *homes; /* uint8_t by context: its NUMA node */
    PfImageReader reader;
    PfScope scope;
    uint32_t position; /* events of the range that this run has behind it */
    uint64_t past_events; /* of all ranges before */
    uint64_t changes;     /* of mappings and scope, not by the policy: see policy.h */
    uint64_t populated_pages;
    uint64_t eligible_pages;
    GArray *present_pages;    /* uint64_t by context: pages with a mapping */
    GArray *merged_zeros;     /* uint64_t by context: pages that are ZERO_MERGED */
    uint64_t merged_zeros_total;
    GArray *garbage; /* of PfMpn: unused frames to be collected; NULL: they are free at once */
    PfJournal journal;
    uint64_t baseline_frames; /* at the record in hand; the caller sets it */
    /* Integral over time of baseline frames less those in use or out. */
    const uint64_t *now_cycles;
    uint64_t integrated_to_cycles;
    int64_t saved_page_cycles;
    PfSwap *swap; /* NULL: no frame is ever swapped out */
    PfBus *bus; /* NULL: a page's frame stands in page tables */
    PfLarge *large; /* NULL: nobody wants large pages */
};

/* Frames are given out by RULES. NOW_CYCLES (borrowed) is the run's clock. */
void pf_memory_init(PfMemory *memory, PfImage *image, const PfFrameRules *rules, PfScope scope,
                    const uint64_t *now_cycles);
void pf_memory_clear(PfMemory *memory);

/* Makes room for all slots that the image has given out, and counts events from 0 again; at the
 * start of each range. */
void pf_memory_sync(PfMemory *memory);

/* Where CONTEXT wants new frames; node 0 if not said. */
void pf_memory_set_home(PfMemory *memory, uint32_t context, unsigned node);

/* The node that a new frame of SLOT would come from, if that has one. */
unsigned pf_memory_home(const PfMemory *memory, PfSlot slot);

/* A new frame of which OBJECT, SLOT itself or the page of its file, is what it holds. */
bool pf_memory_alloc(PfMemory *memory, PfSlot slot, PfSlot object, PfMpn *ret_mpn);

/* What this run maps at SLOT. */
static inline PfEntry *pf_memory_entry(const PfMemory *memory, PfSlot slot)
{
    return pf_seg_array_at(&memory->entries, slot.index);
}

/* Pages of CONTEXT that are present. */
uint64_t pf_memory_present_pages(const PfMemory *memory, uint32_t context);

/* Pages of CONTEXT that the policy has mapped to the zero frame. */
uint64_t pf_memory_merged_zeros(const PfMemory *memory, uint32_t context);

/* SLOT gets (1) or loses (-1) a mapping, whichever. */
void pf_memory_count_present(PfMemory *memory, PfSlot slot, int change);

/* SLOT has been given bytes. */
void pf_memory_populate(PfMemory *memory, PfSlot slot);

/* SLOT gets (1) or loses (-1) a mapping of the zero frame by the policy's doing. */
void pf_memory_count_merged_zero(PfMemory *memory, PfSlot slot, int change);

/* Brings the integral of saved pages up to now; before any change of used or baseline frames. */
void pf_memory_integrate(PfMemory *memory);
void pf_memory_set_baseline(PfMemory *memory, uint64_t frames);

/* Moves SLOT to a frame of NODE. False, and nothing was done, if that is full, or SLOT does not
 * have its frame for itself: shared, protected by the policy, pinned, of a file, forked, or a
 * part of a large page. */
bool pf_memory_migrate(PfMemory *memory, PfSlot slot, unsigned node);

/* SLOT, which is mapped to nothing or to be mapped no more, maps a new frame of its own. */
bool pf_memory_map_new(PfMemory *memory, PfSlot slot);
/* Its frame, which nobody else has, becomes writable. */
void pf_memory_take_back(PfMemory *memory, PfSlot slot);

/* SLOT is not mapped large from now on; before any change of its mapping. */
static inline void pf_large_leave(PfMemory *memory, PfSlot slot)
{
    if (G_UNLIKELY((pf_memory_entry(memory, slot)->flags & PF_ENTRY_LARGE) != 0))
        pf_large_split(memory, slot);
}

/* Maps something at SLOT if nothing is. */
PfFault pf_memory_read(PfMemory *memory, PfSlot slot);

/* Lets SLOT take a store whose bytes go to OBJECT (SLOT itself, or the page of its file). The
 * caller then counts the event that the store is. */
PfStoreOutcome pf_memory_store(PfMemory *memory, PfSlot slot, PfSlot object);

/* SLOT, which is present, maps nothing any more, but holds its bytes: zeros. */
void pf_memory_give_back(PfMemory *memory, PfSlot slot);
/* The page is mapped no more (or emptied). */
void pf_memory_unmap(PfMemory *memory, PfSlot slot);
/* TARGET, which maps nothing, maps what SOURCE maps, copy-on-write. */
void pf_memory_share(PfMemory *memory, PfSlot source, PfSlot target);
/* TARGET, which maps nothing, takes over the mapping of SOURCE. */
void pf_memory_move(PfMemory *memory, PfSlot source, PfSlot target);

/* The frame of SLOT gets one more reference that is no mapping; mapped by a read if need be. */
PfFault pf_memory_pin(PfMemory *memory, PfSlot slot);
/* Drops the oldest pin taken through SLOT; none is fine. */
void pf_memory_unpin(PfMemory *memory, PfSlot slot);
/* Drops all pins taken through slots of CONTEXT. */
void pf_memory_unpin_all(PfMemory *memory, uint32_t context);

/* Recomputes whether SLOT is eligible, after advice changed. */
void pf_memory_update_eligible(PfMemory *memory, PfSlot slot);

/* The content of FRAME now, with a reference; false if unknown. */
bool pf_memory_frame_content(PfMemory *memory, PfMpn frame, PfContent *ret_content);

/* Likewise, without a reference, where the content is at hand: good until mappings or the image
 * change. */
bool pf_memory_frame_peek(const PfMemory *memory, PfMpn frame, PfContent *ret_content);

/* Makes FRAME hold the bytes that it has now, whatever its slot becomes. */
void pf_memory_freeze(PfMemory *memory, PfMpn frame);

/* ---- sharing (share.c) ---- */

typedef enum {
    PF_SHARE_DONE,
    PF_SHARE_SAME,
    PF_SHARE_DIFFERS,
    PF_SHARE_REFUSED, /* memory that others write, or a file's page of unknown bytes */
    PF_SHARE_BUSY,    /* not present, or pinned while it is open */
} PfShareResult;

/* Whether sharing may touch SLOT at all: present, and not memory that others write through. */
bool pf_share_possible(const PfMemory *memory, PfSlot slot);
/* Maps PAGE onto the frame of KEEPER if their bytes are equal; compares them itself. LOSSY skips
 * the comparison. Both are copy-on-write afterwards. */
PfShareResult pf_share_merge(PfMemory *memory, PfSlot page, PfSlot keeper, bool lossy);
/* Likewise onto FRAME; refused if a page that maps it may be stored to without a fault. */
PfShareResult pf_share_merge_frame(PfMemory *memory, PfSlot page, PfMpn frame, bool lossy);
/* In place of a store: maps PAGE, present or not, onto the frame of KEEPER if that holds what PAGE
 * is to hold once RESULT events of the range are behind it. The caller moves on to there, and tells
 * of no such store. SAME: PAGE maps a frame with these bytes already. */
PfShareResult pf_share_redirect(PfMemory *memory, PfSlot page, PfSlot keeper, uint32_t result,
                                bool lossy);
/* Frees what merges have left in `garbage`. */
void pf_memory_collect(PfMemory *memory);
/* The next store to PAGE faults. */
bool pf_share_protect(PfMemory *memory, PfSlot page);
/* Takes all write access from PAGE: it is neither writable nor dirty nor exclusive afterwards.
 * False if sharing may not touch it, or if it is pinned (unless it was so already). */
bool pf_share_isolate(PfMemory *memory, PfSlot page);
/* Gives PAGE, if the policy merged, protected or claimed what it maps, a frame of its own with the
 * same bytes: a copy, or the frame itself if it is unclaimed and nobody else has it (RET_COPIED).
 * It is exclusive and clean and takes its next store with a fault. False if it was nothing of the
 * policy's, or no frame is free. */
bool pf_share_unshare(PfMemory *memory, PfSlot page, bool *ret_copied);
/* Takes the frame from PAGE, which nobody else maps, if its bytes are all zero. Whatever touches
 * the page then, a read or a pin included, gives it a frame of its own. */
PfShareResult pf_share_give_back(PfMemory *memory, PfSlot page);

/* ---- the life of sharings (journal.c) ---- */

/* PAGE maps FRAME, which the policy is going to share. */
void pf_journal_keep(PfMemory *memory, PfMpn frame, PfSlot page);
/* The policy has moved PAGE to FRAME. */
void pf_journal_join(PfMemory *memory, PfSlot page, PfMpn frame);
/* PAGE, whose entry was LEFT, does not map that frame any more; BY_STORE: because a store copied
 * it. */
void pf_journal_leave(PfMemory *memory, PfSlot page, const PfEntry *left, bool by_store);
/* TARGET shares from now on as SOURCE does. */
void pf_journal_copy(PfMemory *memory, PfSlot source, PfSlot target);
/* Estimates the half-life of sharings, which takes a look at every page. */
void pf_journal_estimate(PfMemory *memory);

/* ---- verification (verify.c) ---- */

/* Whether the frame that SLOT maps holds the bytes that the image has for SLOT. */
bool pf_memory_verify_page(PfMemory *memory, PfSlot slot);

/* Recounts frames, references and pages from the entries and asserts that all counters agree. */
void pf_memory_check(const PfMemory *memory);

/* Bytes of bookkeeping that the run takes: entries and frames. */
uint64_t pf_memory_bytes(const PfMemory *memory);
