/* What the parts of `collapse` share. */
#pragma once

#include "collapse_config.h"
#include "collapse_pages.h"

/* A list of pages of the table, oldest first. */
typedef struct {
    uint32_t first;
    uint32_t last;
    uint64_t count;
} PfCollapseLine;

/* What is known of a store that was told of before it was made, until it is told of as made. */
typedef enum {
    PF_COLLAPSE_NOT_INTENDED,
    PF_COLLAPSE_LOOKED_UP,  /* `number` is the key of its result, which nothing equals */
    PF_COLLAPSE_PATTERN,    /* it makes the page of pattern `number` */
} PfCollapseIntentKind;

typedef struct {
    PfPage page;
    PfCollapseIntentKind kind;
    uint64_t number;
} PfCollapseIntent;

/* The frame that holds a pattern for all pages of one class. */
typedef struct {
    uint32_t class;
    PfMpn frame;
    uint64_t born; /* of that frame; another one has taken its number if this differs */
} PfCollapseHolder;

/* A content that processes ask for. */
typedef struct {
    uint8_t *bytes;
    GArray *holders; /* of PfCollapseHolder, one a class */
} PfCollapsePattern;

/* A page whose frame is to stay. */
typedef struct {
    char *context;
    PfCpn cpn;
} PfCollapseGiven;

/* An allocation group whose first pages were looked up. */
typedef struct {
    PfPage first;
    uint64_t pages;
    PfPage partner;   /* the first page of the group that it was found equal to */
    uint64_t matched; /* of its first pages, in order */
} PfCollapseGroup;

typedef struct {
    PfHost *host; /* borrowed */
    PfCollapseConfig config;
    PfCollapsePages pages;
    PfCollapseLine lines[PF_COLLAPSE_LISTS]; /* by PfCollapseList; that of KNOWN is not used */
    PfCollapseIntent intents[2]; /* of a store, which may go across two pages */
    unsigned intent_count;
    GArray *patterns; /* of PfCollapsePattern */
    GArray *given;    /* of PfCollapseGiven */
    GArray *groups;   /* of PfCollapseGroup */
    uint64_t settle_cycles;
    uint64_t sleep_cycles;
    uint64_t gc_cycles;
    uint64_t next_gc_cycles;
    uint64_t group_missed; /* when it was last counted */
    struct {
        uint64_t stores;   /* told of, and stores that were not made */
        uint64_t searches;
        uint64_t lines; /* written back */
        uint64_t collapsed;
        uint64_t redirected;
        uint64_t silent;
        uint64_t transient;
        uint64_t false_matches;
        uint64_t stale;
        uint64_t requested;
        uint64_t provided;
        uint64_t collections;
        uint64_t group_compares;
        uint64_t skipped;
    } stats;
} PfCollapse;

/* ---- looking up and collapsing (collapse_look.c) ---- */

/* Looks page NUMBER up: it is collapsed (AT_ONCE) or found to be a duplicate, or filed. */
void pf_collapse_look(PfCollapse *self, uint32_t number, bool at_once);
/* Page NUMBER is a duplicate of FRAME, to be collapsed later. */
void pf_collapse_put_off(PfCollapse *self, uint32_t number, PfMpn frame);
/* Collapses page NUMBER, which was found to be a duplicate, if it still is one. */
void pf_collapse_duplicate(PfCollapse *self, uint32_t number);
/* Looks the result of the store to PAGE up, and redirects it if that exists. */
void pf_collapse_intend(PfCollapse *self, PfPage page);
/* PAGE is asked for with the bytes PATTERN: the page that has them is shared. */
void pf_collapse_provide(PfCollapse *self, PfPage page, const uint8_t *pattern);
/* PAGE holds new bytes. */
void pf_collapse_written(PfCollapse *self, PfPage page, PfChange how);
/* A line of FRAME was written back. */
void pf_collapse_line_left(PfCollapse *self, PfMpn frame);

/* Page NUMBER shares the frame that it maps with others, or all of its frame go over to FRAME or
 * those of FRAME to its own; what the bytes say. */
PfMergeResult pf_collapse_join(PfCollapse *self, uint32_t number, PfMpn frame);

/* ---- allocation groups (collapse_groups.c) ---- */

/* Whether page NUMBER is one of a group that its first pages decide about: it has been dealt with
 * then, collapsed AT_ONCE or to be so later. */
bool pf_collapse_group_look(PfCollapse *self, uint32_t number, bool at_once);
/* Page NUMBER was looked up, and is in one frame with what it is equal to, if anything is. */
void pf_collapse_group_probed(PfCollapse *self, uint32_t number);
/* Frames that skipped pages take and that another one equals; looks at all pages. */
uint64_t pf_collapse_group_missed(const PfCollapse *self);

/* ---- when (collapse_queue.c) ---- */

/* Page NUMBER leaves the list that it is in, and enters the end of LIST unless that is KNOWN. */
void pf_collapse_list(PfCollapse *self, uint32_t number, PfCollapseList list);
/* Page NUMBER waits to be looked up when it is time. */
void pf_collapse_wait(PfCollapse *self, uint32_t number);
/* Page NUMBER, unless memory has all of it, waits for its lines to be written back, if that is when
 * pages are looked up; whether it does. */
bool pf_collapse_await_lines(PfCollapse *self, uint32_t number);
/* Something is to be done later that was not before: asks for the wake-up that this needs. */
void pf_collapse_rouse(PfCollapse *self);
/* Does what it is time for; when it is to be done again. */
uint64_t pf_collapse_wake(PfCollapse *self, uint64_t now_cycles);
/* Looks up to PAGES pages up, whatever the time, and collapses what was put off; true if no page
 * waits after that. */
bool pf_collapse_drain(PfCollapse *self, uint64_t pages);
/* There is no free frame: frees what can be freed. */
void pf_collapse_free_frames(PfCollapse *self);
/* What the simulated system spends on the lists of the queue and of the collector. */
uint64_t pf_collapse_queue_bytes(const PfCollapse *self);
/* Whether stores are looked up before they are made. */
static inline bool pf_collapse_is_immediate(const PfCollapse *self)
{
    return self->config.when == PF_COLLAPSE_IMMEDIATE &&
           self->config.grain == PF_COLLAPSE_EACH_STORE;
}

/* Whether pages are looked up when lines of them are written back. */
static inline bool pf_collapse_follows_lines(const PfCollapse *self)
{
    return self->config.when == PF_COLLAPSE_WRITE_BACK ||
           (self->config.when == PF_COLLAPSE_IMMEDIATE &&
            self->config.grain == PF_COLLAPSE_EACH_LINE);
}

/* ---- what is identical (collapse_identical.c) ---- */

/* Tells the host what the configuration deems identical; false with an error if it cannot be. */
bool pf_collapse_set_identical(PfCollapse *self, GError **error);

/* ---- statistics and checks (collapse_stats.c) ---- */
void pf_collapse_register(PfCollapse *self);
