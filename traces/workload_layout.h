/* Which page of a context has which rank. Ranks stand in the order of kinds of pages (first all
 * zero pages, then ...); a layout is a permutation that needs no memory for its pages. */
#pragma once

#include <stdint.h>

enum { PF_LAYOUT_ROUNDS = 4 };

typedef struct {
    uint64_t chunk; /* pages that stay together; 0: pages are in the order of their ranks */
    uint64_t
        chunks; /* whole ones, which are permuted; what is left of the pages stays at the end */
    unsigned half_bits;
    uint64_t keys[PF_LAYOUT_ROUNDS];
} PfLayout;

/* The layout of PAGES pages in chunks of CHUNK that SEED and NAME choose. */
PfLayout pf_layout_make(uint64_t seed, const char *name, uint64_t pages, uint64_t chunk);

/* The rank of PAGE, and the page of RANK; both below the number of pages. */
uint64_t pf_layout_rank(const PfLayout *layout, uint64_t page);
uint64_t pf_layout_page(const PfLayout *layout, uint64_t rank);
