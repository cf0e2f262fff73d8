/* The pointer table: which pages map which frame, as the policy has been told, and what it knows of
 * each. A page is there while it is present; a frame's record counts while pages map it.
 *
 * Pages are numbered from 1; frames are records by MPN. */
#pragma once

#include "policy.h"
#include "seg_array.h"
#include "table.h"

/* In which list of the queue a page stands. */
typedef enum {
    PF_COLLAPSE_KNOWN,     /* in none: looked up since it was written, or not to be shared */
    PF_COLLAPSE_WAITING,   /* to be looked up */
    PF_COLLAPSE_DUPLICATE, /* found, to be collapsed */
    PF_COLLAPSE_DIRTY,     /* to be looked up when lines of it are written back */
    PF_COLLAPSE_LISTS,
} PfCollapseList;

typedef struct {
    PfPage page;
    uint64_t due_cycles;    /* WAITING: not looked up before */
    uint64_t merged_stores; /* stores there had been when it was collapsed, + 1; 0: it was not */
    PfMpn frame;
    uint32_t next; /* of the pages that map the frame */
    uint32_t previous;
    uint32_t list_next;
    uint32_t list_previous;
    PfMpn target; /* DUPLICATE: the frame that it is equal to */
    uint8_t list;    /* PfCollapseList */
    bool is_skipped; /* the first pages of its group were not equal to those of another */
} PfCollapsePage;

typedef struct {
    uint64_t key;  /* that it is filed under */
    uint64_t born; /* how many frames had been met before */
    uint32_t first;
    uint32_t pages;
    bool is_filed;
    bool is_stale; /* written since */
} PfCollapseFrame;

typedef struct {
    PfHost *host; /* borrowed */
    PfSegArray pages;
    PfSegArray frames;
    GArray *by_context; /* of PfTable: CPN -> number */
    uint32_t limit;     /* highest number of a page */
    uint32_t first_free;
    uint64_t page_count;
    uint64_t frame_count; /* that pages map */
    uint64_t filed_count;
    uint64_t frames_met;
} PfCollapsePages;

/* An empty table. */
void pf_collapse_pages_init(PfCollapsePages *pages, PfHost *host);
/* Frees what PAGES holds. */
void pf_collapse_pages_clear(PfCollapsePages *pages);

/* Page NUMBER of the table. */
static inline PfCollapsePage *pf_collapse_page(const PfCollapsePages *pages, uint32_t number)
{
    return pf_seg_array_at(&pages->pages, number);
}

/* The record of FRAME; made if there is none. */
PfCollapseFrame *pf_collapse_frame(PfCollapsePages *pages, PfMpn frame);

/* The number of PAGE; 0 if it is not in the table. */
uint32_t pf_collapse_pages_find(const PfCollapsePages *pages, PfPage page);

/* Brings the table up to what PAGE maps now and returns its number; 0 if it is not present, and not
 * in the table then. */
uint32_t pf_collapse_pages_sync(PfCollapsePages *pages, PfPage page);

/* Takes PAGE, which is in none of the queue's lists, out of the table. */
void pf_collapse_pages_remove(PfCollapsePages *pages, uint32_t number);

/* Pages of CONTEXT in the table moved with their mappings. */
void pf_collapse_pages_move(PfCollapsePages *pages, const PfContextEvent *event);

/* Files the frame of page NUMBER under KEY; false if as many are filed as the machine has
 * frames. */
bool pf_collapse_pages_file(PfCollapsePages *pages, uint32_t number, uint64_t key);
/* Takes FRAME out of the finder, if it is filed. */
void pf_collapse_pages_unfile(PfCollapsePages *pages, PfMpn frame);

/* What the simulated system spends on it; HAS_AGES: it is to know which frame was met first. */
uint64_t pf_collapse_pages_bytes(const PfCollapsePages *pages, bool has_ages);

/* Asserts that the table agrees with the mappings. */
void pf_collapse_pages_check(const PfCollapsePages *pages);
