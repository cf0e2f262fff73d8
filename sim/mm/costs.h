/* The cost card: what the steps of memory management cost in cycles, beside what the models of
 * caches and DRAM say.
 *
 * A cost is either structural, so many bytes, lines, locks or interrupts, or a residual: what a
 * step takes beside them. Residuals and the rows of the second kind are spent always. Rows of the
 * third kind stand for moving bytes and are spent only with `timing = "costs"`; with `timing =
 * "full"` the bytes go through the models instead, never both. Page rows are for 4096 bytes and
 * scale with the page size. The values are data: configs/presets/costs; docs/model.md says where
 * each comes from. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config.h"

typedef struct {
    /* Residuals. */
    uint64_t trap_cycles;       /* a fault's way into the kernel and back: re-use of a frame */
    uint64_t allocate_cycles;   /* a new frame */
    uint64_t map_zero_cycles;   /* a read fault maps the zero page */
    uint64_t map_file_cycles;   /* a fault maps a page of the page cache */
    uint64_t fork_page_cycles;  /* fork, a page */
    uint64_t unmap_page_cycles; /* unmap, a page */
    uint64_t remap_page_cycles; /* remap, a page */
    uint64_t merge_cycles;      /* replace a mapping and free the frame, beside flushes */
    uint64_t wake_cycles;       /* a policy's daemon comes back from sleep */
    uint64_t visit_cycles;      /* a policy chooses a candidate and looks its page up */
    /* Structural, under both timings. */
    uint64_t flush_local_cycles;  /* invalidate one page, no other core concerned */
    uint64_t flush_remote_cycles; /* interrupt other cores and wait for the answer */
    uint64_t flush_target_cycles; /* of that, on each target */
    uint64_t flush_ack_cycles;    /* wait for each target after the first */
    uint64_t shadow_cycles;       /* repeat a change of a mapping in shadow page tables */
    uint64_t lock_cycles;         /* a lock or a reference taken and let go */
    uint64_t near_line_cycles;    /* a line of a table in use: the last level of cache has it */
    /* Moving bytes. */
    uint64_t fill_page_cycles;
    uint64_t copy_page_cycles;
    uint64_t read_page_cycles;
    uint64_t compare_page_cycles; /* two equal pages that no cache holds */
    uint64_t compare_near_cycles; /* two equal pages that were read shortly before */
    uint64_t line_cycles;         /* one line from DRAM: a table's, or a comparison's first */
} PfCosts;

/* The rows, without values: those are a preset's. */
enum { PF_COSTS_FIELDS = sizeof(PfCosts) / sizeof(uint64_t) };
extern const PfConfigField pf_costs_fields[PF_COSTS_FIELDS];

/* PAGE_CYCLES, a row for 4096 bytes, for BYTES; at least 1 where PAGE_CYCLES is not 0. */
static inline uint64_t pf_costs_scale(uint64_t page_cycles, uint64_t bytes)
{
    return (page_cycles * bytes + 4095) / 4096;
}
