/* The life of sharings: when each was made, how long it lasted and what ended it.
 *
 * A sharing is a frame that is not needed: a page was moved from a frame of its own to one that
 * others map. N pages on a frame that the policy brought together are N - 1 sharings, whoever
 * leaves first. A page that the policy moved there ends its own sharing when it leaves; any other
 * page that leaves ends one if there are more sharings than pages left to share with. So each
 * sharing ends at most once, and made = broken + ended + alive.
 *
 * Times are those of the run's clock, kept in units of a power of two cycles that is 1 up to cycle
 * 2^32 and doubles when the clock does; 4 bytes a page and 8 a frame, in whose neighbourhood
 * somebody shares. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "seg_array.h"
#include "stats.h"

typedef struct {
    uint32_t since;    /* when it came to have sharings, in units; while it has */
    uint32_t sharings; /* that are alive */
} PfJournalFrame;

static_assert(sizeof(PfJournalFrame) == 8, "8 bytes a frame, where there are sharings");

/* Pages that may map a frame still: slot + 1, 0 if not known. */
typedef struct {
    uint32_t first;
    uint32_t latest;
} PfJournalMappers;

typedef enum {
    PF_SHARING_MADE,
    PF_SHARING_BROKEN, /* by a store that had to copy */
    PF_SHARING_ENDED,  /* the page went, or shares with others now */
} PfSharingEventKind;

/* What happened to a sharing. */
typedef struct {
    PfSharingEventKind kind;
    PfSlot page;
    PfMpn frame;
    bool has_partner;
    PfSlot partner;           /* another page that maps the frame, where one is known */
    uint64_t cycle;
    uint64_t lifetime_cycles; /* BROKEN, ENDED */
} PfSharingEvent;

/* Is told of each event, in order. */
typedef void (*PfSharingListener)(void *user, const PfSharingEvent *event);

typedef struct {
    PfSegArray starts;  /* uint32_t by slot: when the page was merged, in units; if it shares */
    PfSegArray frames;  /* PfJournalFrame by MPN */
    PfSegArray mappers; /* PfJournalMappers by MPN; for a listener */
    unsigned unit_shift;
    PfSharingListener listener; /* NULL: nobody listens */
    void *listener_user;
    uint64_t wasted_within_cycles; /* a sharing broken within this time was not worth it */
    uint64_t first_cycles; /* of the first one; valid if one was made */
    uint64_t made;
    uint64_t broken;
    uint64_t ended;
    uint64_t wasted;
    uint64_t longest_cycles; /* of the broken */
    PfHistogram broken_cycles;
    PfHistogram ended_cycles;
    PfHistogram outlived_cycles; /* of the ended and the living; as of the last estimate */
    PfStatValue half_life;       /* likewise */
} PfJournal;

/* Nothing has happened yet. */
void pf_journal_init(PfJournal *journal);

/* Frees what JOURNAL holds. */
void pf_journal_clear(PfJournal *journal);

/* Registers sharing.*. */
void pf_journal_register(PfJournal *journal, PfStats *stats);
