/* What the tests of snapshots share: children that show whether they run, and a trace of their
 * memory played back. */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "snapshot.h"

enum { PAGES = 64, THREADS = 4, CONTEXTS = 4 };

/* Shared with the children, so that it can be seen whether they run. */
typedef struct {
    atomic_uint ready;
    atomic_uint epochs; /* recorded by now, as record_to tells */
    atomic_uint changed;
    pid_t leaver; /* the child that ends between the first epoch and the second; 0: none */
    atomic_uint ticks[THREADS];
    atomic_int pids[THREADS];
} Board;

/* Shared memory for a board, all zero. */
Board *make_board(void);
void free_board(Board *board);

/* PAGES pages of private memory, untouched. */
uint8_t *make_region(void);
void free_region(uint8_t *region);
uint8_t *page_at(uint8_t *region, unsigned index);

/* Every byte depends on the page and on WHO wrote it. */
void fill_page(uint8_t *page, unsigned index, unsigned who);

/* Waits up to half a minute. */
bool wait_until(atomic_uint *number, unsigned least);
bool is_running(atomic_uint *ticks);

G_NORETURN void tick_for_ever(Board *board, unsigned number);
void end_child(pid_t pid);

/* Whether processes may be traced here at all. */
bool may_trace(void);

/* What a trace says of a region at `base`, for the contexts in their order. */
typedef struct {
    uint64_t base;
    GPtrArray *contents; /* bytes of each content of the trace, owned */
    bool mapped[CONTEXTS][PAGES];
    bool mergeable[CONTEXTS][PAGES];
    PfBacking backing[CONTEXTS][PAGES];
    const uint8_t *bytes[CONTEXTS][PAGES]; /* NULL: not populated */
    unsigned aliases;
    unsigned states[CONTEXTS];
    unsigned exits;
    unsigned marks;
    uint64_t time_ps;
} Replay;

/* Plays the trace at PATH up to and with mark number MARKS. */
void replay_init(Replay *replay, uint64_t base, const char *path, unsigned marks);
void replay_clear(Replay *replay);

/* Asserts that PAGE of CONTEXT is what fill_page made of it. */
void expect_page(const Replay *replay, unsigned context, unsigned page, unsigned who);

/* Records EPOCHS epochs, a second apart, to PATH. With a BOARD, what shall happen behind the first
 * does: it waits until BOARD tells `changed`, or the leaver is gone. */
bool record_to(const char *path, const pid_t *pids, size_t count, unsigned epochs, Board *board,
               PfSnapshotSummary *ret_summary, GError **error);
