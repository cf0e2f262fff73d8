/* Which ranks of a DRAM hold pages that are in use; it lets those that hold none sleep.
 *
 * A page lies in several ranks and channels if bits of its address within the page choose them.
 * Such ranks fill and empty together: all at once, where only such bits choose the rank.
 *
 * What it cannot do: what is no page (page tables, a controller's own table) holds no rank awake
 * but wakes it when it is asked for. */
#pragma once

#include <stdint.h>

#include "addr.h"
#include "dram.h"

typedef struct {
    PfDram *dram; /* borrowed */
    unsigned page_shift;
    uint32_t count;  /* of ranks in all channels, numbered rank * channels + channel */
    uint32_t within; /* bits of those numbers that differ within a page */
    uint64_t *pages; /* by number without these bits: in use there */
} PfRankUse;

/* No page of DRAM (borrowed) is in use; they have 1 << PAGE_SHIFT bytes. */
void pf_rank_use_init(PfRankUse *use, PfDram *dram, unsigned page_shift);
void pf_rank_use_clear(PfRankUse *use);

/* PAGE, whose number gives its address, comes into use, or goes out of it, at NOW_CYCLES. */
void pf_rank_use_change(PfRankUse *use, PfMpn page, bool is_used, uint64_t now_cycles);

/* How many pages in use have some of their bytes in a rank RANK of any channel. */
uint64_t pf_rank_use_pages(const PfRankUse *use, unsigned rank);

/* How many ranks, of all channels, hold no page in use. */
uint64_t pf_rank_use_empty(const PfRankUse *use);
