/* Telling what the pages of a context hold at an epoch, by what has changed since the one before.
 * Neighbours are told by one record. */
#pragma once

#include "trace.h"

typedef enum {
    PF_SEEN_CONTENT, /* the page has bytes of its own, or is the first seen of its frame */
    PF_SEEN_ALIAS,   /* it maps the frame of another page that was told before */
    PF_SEEN_ZERO,    /* it maps the zero page */
} PfSeenKind;

/* What one page held at an epoch. */
typedef struct {
    uint64_t address;
    uint64_t source_address; /* ALIAS: the page told before */
    uint32_t source_context;
    uint32_t content;
    PfSeenKind kind;
    bool is_own; /* anonymous within a mapping of a file: what a store left there */
} PfSeenPage;

/* Telling the pages of one context, in ascending order. */
typedef struct {
    PfTraceWriter *writer;
    const GArray *before; /* PfSeenPage of the epoch before; borrowed */
    GArray *pages;        /* PfSeenPage told now; owned until finish */
    bool keeps_pages;
    /* Writes that PAGE is anonymous from here on, or, unless it is its own, the file's again. Only
     * who has pages of their own sets it. */
    void (*tell_backing)(void *user, const PfSeenPage *page);
    void *user;
    uint64_t told_pages; /* of `state` records */
    uint32_t context;
    uint32_t page_bytes;
    guint old;    /* pages told before that are dealt with */
    PfRecord run; /* not written yet; `count` 0: none */
    PfTraceDetail detail;
} PfTelling;

/* WRITER and BEFORE are borrowed until finish. KEEPS_PAGES: finish returns what is added; else
 * none.
 */
void pf_telling_init(PfTelling *telling, PfTraceWriter *writer, uint32_t context,
                     uint32_t page_bytes, const GArray *before, bool keeps_pages);

/* PAGE is the next. SOURCE_IS_TOLD: it is an alias of a page that this epoch gave a `state`.
 * Returns whether it gets a `state` itself. */
bool pf_telling_add(PfTelling *telling, const PfSeenPage *page, bool source_is_told);

/* What was told before of addresses from START up to END is gone without being told, as a new
 * mapping does it; nothing from START on was added yet. All before stands written. */
void pf_telling_forget(PfTelling *telling, uint64_t start, uint64_t end);

/* Writes what waits. */
void pf_telling_flush(PfTelling *telling);

/* There are no more; those that were there before and were not added are gone. Returns what was
 * added; free with g_array_unref. */
GArray *pf_telling_finish(PfTelling *telling);
