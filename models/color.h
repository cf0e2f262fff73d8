/* Page colours: which frames compete for the same sets of a physically indexed cache, or for the
 * same banks of DRAM.
 *
 * The sets of one way span size / ways bytes of consecutive addresses. Where that is more than a
 * page, the low bits of the frame number choose among as many groups of sets as pages fit in; that
 * group is the frame's colour (Kessler and Hill, "Page placement algorithms for large
 * real-indexed caches", ACM TOCS 10(4), 1992). A bank of DRAM is chosen by exclusive ors of bits of
 * the address. Where such a choice depends on the frame number alone it is a bit of a colour too
 * (Liu et al., "A software memory partition approach for eliminating bank-level interference in
 * multicore systems", PACT 2012); where bits within the page have a part in it, a page lies in
 * several banks and there is nothing to choose.
 *
 * What it cannot do: last-level caches that hash their set index (Intel since Sandy Bridge) have no
 * such colours. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "dram.h"
#include "units.h"

enum { PF_COLOR_BITS_MAX = 20 };

/* Bit i of a colour is the exclusive or of those bits of the frame number that masks[i] has. */
typedef struct {
    unsigned bits;
    bool is_low; /* the colour is the low bits of the frame number */
    uint32_t masks[PF_COLOR_BITS_MAX];
} PfColoring;

/* How many colours a cache of SIZE_BYTES and WAYS (not 0) gives pages of PAGE_BYTES (not 0); from 1
 * to 1 << PF_COLOR_BITS_MAX, a power of two where the number of sets and the page are. */
static inline unsigned pf_color_count(uint64_t size_bytes, uint64_t ways, uint64_t page_bytes)
{
    g_assert(ways > 0 && page_bytes > 0);
    uint64_t colors = size_bytes / ways / page_bytes;
    return (unsigned)CLAMP(colors, 1, (uint64_t)1 << PF_COLOR_BITS_MAX);
}

/* COUNT colours, a power of two, that are the low bits of the frame number. */
PfColoring pf_coloring_low(unsigned count);

/* Adds to COLORING what tells apart the banks of DRAM that pages of 1 << PAGE_SHIFT bytes lie in,
 * as far as each colour still has a frame among any 4096, or as many as there were colours, that
 * follow each other. */
void pf_coloring_add_banks(PfColoring *coloring, const PfDram *dram, unsigned page_shift);

/* How many colours there are. */
static inline unsigned pf_coloring_count(const PfColoring *coloring)
{
    return 1U << coloring->bits;
}

/* The colour of frame MPN. */
static inline unsigned pf_color_of(const PfColoring *coloring, PfMpn mpn)
{
    if (coloring->is_low)
        return mpn.number & ((1U << coloring->bits) - 1);
    unsigned color = 0;
    for (unsigned i = 0; i < coloring->bits; i++)
        color |= (unsigned)__builtin_parity(mpn.number & coloring->masks[i]) << i;
    return color;
}
