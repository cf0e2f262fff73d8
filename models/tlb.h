/* One level of translation buffer: which frame a page of an address space lies in, for the pages
 * used last.
 *
 * Entries are keyed by address space (as by an ASID, PCID or VMID), page number and size, so a
 * switch of spaces needs no flush; how many spaces a core tells apart is mmu.h's business. There
 * are three sizes of page: a base page, a large one of 2^9 base pages (2 MiB of 4 KiB pages) and a
 * huge one of 2^18 (1 GiB). A level has an array for base pages, and for each greater size either
 * an array of its own, or the places of the next smaller size, which hold it whole or in pieces of
 * that size, or nothing. All arrays are asked at once; a lookup probes one set of each array that
 * has an entry.
 *
 * What the model cannot do: it holds translations, not permissions other than `writable`; entries
 * of different sizes that cover the same page are not detected (invalidate before a page's size
 * changes); one entry of a page is not told from another of the same page by who brought it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"
#include "stats.h"
#include "tlb_array.h"

enum { PF_TLB_SIZES = 3, PF_TLB_SIZE_BITS = 9 }; /* size i covers 2^(9 i) base pages */

/* Where a level holds entries of a size. */
typedef enum {
    PF_TLB_SHARED, /* in the places of the next smaller size */
    PF_TLB_OWN,    /* in an array of its own */
    PF_TLB_PIECES, /* as entries of the next smaller size, one for each piece that is used */
    PF_TLB_NOWHERE
} PfTlbHeld;

typedef struct {
    int held; /* PfTlbHeld; the others count for PF_TLB_OWN only */
    uint64_t entries;
    uint64_t ways;
    uint64_t latency_cycles;
} PfTlbSizeConfig;

typedef struct {
    uint64_t entries; /* of the array for base pages */
    uint64_t ways;    /* 0: fully associative */
    uint64_t latency_cycles;
    int replacement; /* PfTlbReplacement, of all arrays */
    double lookup_pJ; /* energy of asking all arrays; NaN: not known */
    double leakage_mW; /* of all arrays; likewise */
    PfTlbSizeConfig large;
    PfTlbSizeConfig huge;
} PfTlbConfig;

/* Binds SECTION and its `large` and `huge`; what is not given is as STANDARD has it (read before
 * CONFIG is written, so they may be the same). */
void pf_tlb_bind(PfConfigSection *section, const PfTlbConfig *standard, PfTlbConfig *config);

typedef struct {
    uint64_t hits;
    uint64_t misses;
    uint64_t invalidations; /* entries dropped by the invalidate functions and the flush */
} PfTlbStats;

typedef struct PfTlb PfTlb;

/* An empty buffer. Counters are registered in STATS, which may be NULL. NULL with PF_ERROR_CONFIG
 * where the geometry is impossible, which NAME is said to have. */
PfTlb *pf_tlb_new(const char *name, const PfTlbConfig *config, PfStatsGroup *stats,
                  GError **error);
void pf_tlb_free(PfTlb *tlb);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfTlb, pf_tlb_free)

/* From now on TLB adds to the counters of OWNER, so that the buffers of several cores are told as
 * one. OWNER must live as long as TLB is used and must count for itself. */
void pf_tlb_count_into(PfTlb *tlb, PfTlb *owner);

/* Borrowed. */
const PfTlbStats *pf_tlb_stats(const PfTlb *tlb);

/* The time that it takes to know that nothing is there: that of the slowest array. */
uint64_t pf_tlb_miss_cycles(const PfTlb *tlb);

/* The entry that covers base page PAGE of SPACE, just used, or NULL. Counts a hit or a miss.
 * Borrowed until the next call that changes TLB. */
const PfTlbEntry *pf_tlb_lookup(PfTlb *tlb, uint32_t space, PfVpn page);

/* Whether an entry covers PAGE; neither counts nor disturbs. */
bool pf_tlb_holds(const PfTlb *tlb, uint32_t space, PfVpn page);

/* Puts in the translation of base page PAGE, in frame MPN, of a mapping of 2^SIZE_SHIFT base pages,
 * as the level holds that size; it takes the place of an entry with the same key, else of the one
 * whose turn it is. SIZE_SHIFT is that of a size, and MPN must lie in its run of frames where PAGE
 * lies in its run of pages. */
void pf_tlb_insert(PfTlb *tlb, uint32_t space, PfVpn page, PfMpn mpn, bool writable,
                   unsigned size_shift);

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
