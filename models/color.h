/* Page colours: which frames compete for the same sets of a physically indexed cache.
 *
 * The sets of one way span size / ways bytes of consecutive addresses. Where that is more than a
 * page, the low bits of the frame number choose among as many groups of sets as pages fit in; that
 * group is the frame's colour (Kessler and Hill, "Page placement algorithms for large
 * real-indexed caches", ACM TOCS 10(4), 1992).
 *
 * What it cannot do: last-level caches that hash their set index (Intel since Sandy Bridge) have no
 * such colours; the colours of DRAM banks follow from pf_dram_locate. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "addr.h"
#include "units.h"

/* How many colours a cache of SIZE_BYTES and WAYS (not 0) gives pages of PAGE_BYTES (not 0); at
 * least 1, a power of two where the number of sets and the page are. */
static inline unsigned pf_color_count(uint64_t size_bytes, uint64_t ways, uint64_t page_bytes)
{
    g_assert(ways > 0 && page_bytes > 0);
    uint64_t colors = size_bytes / ways / page_bytes;
    return colors == 0 ? 1 : (unsigned)colors;
}

/* The colour, 0 .. COUNT - 1, of frame MPN. COUNT is a power of two. */
static inline unsigned pf_color_of(PfMpn mpn, unsigned count)
{
    g_assert(pf_is_power_of_two(count));
    return mpn.number & (count - 1);
}
