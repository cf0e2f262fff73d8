/* What would be shareable in blocks of other sizes than a page: S. Barker and others, "An Empirical
 * Study of Memory Sharing in Virtual Machines", USENIX ATC 2012, take 0.4 to 2.4 pages by steps of
 * 0.1; and 2 MiB at addresses that are a multiple of that, the next page size of x86-64.
 *
 * Blocks lie back to back from the start of each stretch of pages that are neighbours, whose bytes
 * are known, and whose frames were not told before; the rest of a stretch is a block, too. Blocks
 * of 2 MiB are whole, of pages told one after the other; they are compared by the pages'
 * identities. */
#pragma once

#include <stdint.h>
#include <xxhash.h>

#include "potential_contents.h"
#include "table.h"

enum {
    PF_SIZE_TENTHS_MIN = 4,
    PF_SIZE_TENTHS_MAX = 24,
    PF_SIZES = PF_SIZE_TENTHS_MAX - PF_SIZE_TENTHS_MIN + 1,
    PF_LARGE_BLOCK_BYTES = 2 << 20,
};

/* The blocks of one size. */
typedef struct {
    uint64_t block_bytes;
    uint64_t blocks;
    uint64_t distinct_blocks;
    uint64_t bytes;
    uint64_t distinct_bytes;
} PfSizeCount;

typedef struct {
    PfSizeCount count;
    PfTable seen; /* hashes of blocks */
    XXH3_state_t *state;
    uint64_t filled_bytes; /* of the current block */
} PfSizeScan;

typedef struct {
    uint32_t page_bytes;
    uint64_t next_address; /* behind the page told last, in the context told last */
    uint32_t context;
    bool in_stretch;
    PfSizeScan scans[PF_SIZES];
    PfSizeScan large;
} PfSizes;

/* For pages of PAGE_BYTES. Free with pf_sizes_free. */
PfSizes *pf_sizes_new(uint32_t page_bytes);
void pf_sizes_free(PfSizes *sizes);

/* The next frame. */
void pf_sizes_add(PfSizes *sizes, const PfContentSighting *sighting);

/* No more pages: counts the rest of the last stretch. */
void pf_sizes_finish(PfSizes *sizes);

/* The memory taken for blocks seen. */
uint64_t pf_sizes_bytes(const PfSizes *sizes);
