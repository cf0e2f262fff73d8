/* The cost card: what the steps of memory management cost in cycles, beside what the models of
 * caches and DRAM say.
 *
 * Rows of the first kind (residuals) are spent always: trap, allocation, locking. Rows of the
 * second kind stand for moving bytes and are spent only with `timing = "costs"`; with `timing =
 * "full"` the bytes go through the models instead, never both. Page rows are for 4096 bytes and
 * scale with the page size. Defaults: medians measured on a virtual machine of an AMD EPYC (Zen 4)
 * at a 2.6 GHz time stamp clock, Linux 6.18; docs/model.md has the table. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config.h"

typedef struct {
    /* Residuals. */
    uint64_t trap_cycles;         /* a fault's way into the kernel and back: re-use of a frame */
    uint64_t allocate_cycles;     /* a new frame for a first touch */
    uint64_t map_zero_cycles;     /* a read fault maps the zero page */
    uint64_t map_file_cycles;     /* a fault maps a page of the page cache */
    uint64_t copy_extra_cycles;   /* a copying fault, beside trap and copy */
    uint64_t fork_page_cycles;    /* fork, a page */
    uint64_t unmap_page_cycles;   /* unmap, a page */
    uint64_t remap_page_cycles;   /* remap, a page */
    uint64_t merge_cycles;        /* protect, remap and free, a merged page, beside the flush */
    uint64_t visit_cycles;        /* a policy chooses a candidate and looks its page up */
    uint64_t flush_local_cycles;  /* invalidate one page on the own core */
    uint64_t flush_remote_cycles; /* send an invalidation and wait for the answer */
    uint64_t flush_target_cycles; /* of that, on each target */
    /* Moving bytes. */
    uint64_t fill_page_cycles;
    uint64_t copy_page_cycles;
    uint64_t read_page_cycles;
    uint64_t compare_page_cycles; /* two equal pages */
    uint64_t line_cycles;         /* one line from DRAM: a table's, or a comparison's first */
} PfCosts;

extern const PfConfigField pf_costs_fields[];
extern const size_t pf_costs_field_count;

/* PAGE_CYCLES, a row for 4096 bytes, for BYTES; at least 1 where PAGE_CYCLES is not 0. */
static inline uint64_t pf_costs_scale(uint64_t page_cycles, uint64_t bytes)
{
    return (page_cycles * bytes + 4095) / 4096;
}
