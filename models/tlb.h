/* One translation buffer: which frame a page of an address space lies in, for the pages used
 * last.
 *
 * Entries are keyed by address space (as by an ASID or PCID), page number and size, so a switch of
 * spaces needs no flush. An entry covers 2^page_shift base pages; base pages and larger ones share
 * the places. Replacement is true LRU within the set.
 *
 * What the model cannot do: it holds translations, not permissions other than `writable`; entries
 * of different sizes that cover the same page are not detected (invalidate before a page's size
 * changes); at most four sizes at a time; no partitioning of places by page size; no limit on the
 * number of spaces told apart. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"
#include "stats.h"

typedef struct {
    char *name; /* borrowed by pf_tlb_new for its error messages only */
    uint64_t entries;
    uint64_t ways; /* 0: fully associative */
    uint64_t latency_cycles;
    int replacement; /* only "lru" (0) */
} PfTlbConfig;

extern const PfConfigField pf_tlb_fields[];
extern const size_t pf_tlb_field_count;

/* What an entry says. */
typedef struct {
    PfMpn mpn; /* frame of the first base page that the entry covers */
    bool writable;
    uint8_t page_shift; /* log2 of the base pages that the entry covers; 0 for a base page */
} PfTlbEntry;

typedef struct {
    uint64_t hits;
    uint64_t misses;
    uint64_t invalidations; /* entries dropped by the invalidate functions and the flush */
} PfTlbStats;

typedef struct PfTlb PfTlb;

/* An empty buffer. Counters are registered in STATS, which may be NULL. NULL with PF_ERROR_CONFIG
 * where the geometry is impossible. */
PfTlb *pf_tlb_new(const PfTlbConfig *config, PfStatsGroup *stats, GError **error);
void pf_tlb_free(PfTlb *tlb);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfTlb, pf_tlb_free)

/* From now on TLB adds to the counters of OWNER, so that the buffers of several cores are told as
 * one. OWNER must live as long as TLB is used and must count for itself. */
void pf_tlb_count_into(PfTlb *tlb, PfTlb *owner);

/* Borrowed. */
const PfTlbStats *pf_tlb_stats(const PfTlb *tlb);

/* The time of a lookup, hit or miss; for who adds it up. */
uint64_t pf_tlb_latency_cycles(const PfTlb *tlb);

/* The entry that covers base page PAGE of SPACE, now the most recent of its set, or NULL. Counts a
 * hit or a miss. Borrowed until the next call that changes TLB. */
const PfTlbEntry *pf_tlb_lookup(PfTlb *tlb, uint32_t space, PfVpn page);

/* Whether an entry covers PAGE; neither counts nor disturbs. */
bool pf_tlb_holds(const PfTlb *tlb, uint32_t space, PfVpn page);

/* Puts in the translation of the 2^SIZE_SHIFT base pages around PAGE, of which PAGE itself lies in
 * frame MPN; the least recent entry of the set goes, or the one with the same key. SIZE_SHIFT is
 * at most PF_TLB_SIZE_SHIFT_MAX, and MPN must lie in its run of frames where PAGE lies in its run
 * of pages. */
void pf_tlb_insert(PfTlb *tlb, uint32_t space, PfVpn page, PfMpn mpn, bool writable,
                   unsigned size_shift);

enum { PF_TLB_SIZE_SHIFT_MAX = 31 };

/* The frame of PAGE, which ENTRY covers. */
static inline PfMpn pf_tlb_entry_frame(const PfTlbEntry *entry, PfVpn page)
{
    uint32_t mask = ((uint32_t)1 << entry->page_shift) - 1;
    return (PfMpn){entry->mpn.number + ((uint32_t)page.number & mask)};
}

/* Drops what covers PAGE of SPACE; whether there was anything. */
bool pf_tlb_invalidate_page(PfTlb *tlb, uint32_t space, PfVpn page);

/* Drop all entries that cover one of PAGES base pages from FIRST on, all entries of SPACE, all
 * entries. Return how many were dropped. */
uint64_t pf_tlb_invalidate_range(PfTlb *tlb, uint32_t space, PfVpn first, uint64_t pages);
uint64_t pf_tlb_invalidate_space(PfTlb *tlb, uint32_t space);
uint64_t pf_tlb_flush(PfTlb *tlb);

/* Empties the buffer; statistics stay. */
void pf_tlb_reset_state(PfTlb *tlb);

/* Asserts: no key twice, each entry in its set and in the index, the sizes counted right. */
void pf_tlb_check(const PfTlb *tlb);
