/* The indirection table at the memory controller: which frame each page of bus addresses has.
 *
 * It stands between the last level of cache and DRAM. Cores, TLBs and caches know bus addresses;
 * pages of equal bytes may have one frame, which nobody above the controller can see. IBM's memory
 * expansion technology translates so (Tremaine et al., "IBM Memory Expansion Technology", IBM
 * Journal of Research and Development 45(2), 2001).
 *
 * Semantics of the corner cases:
 *   - Every access looks its page's entry up, shared or not: in a cache of entries, and where that
 *     has none, in DRAM by a read of the 64 bytes that hold the entry, which then comes into the
 *     cache. The access goes on when its entry is known.
 *   - A write is posted: who writes waits for DRAM's queue as ever, not for the look-up, which the
 *     data itself waits for.
 *   - Pages from PF_INDIRECTION_DIRECT on are a window on the frames themselves and need no entry.
 *   - Pages beyond 32 bits (page tables) are looked up like others and lie where they say.
 *   - Where a line is longer than a page, the entry of its first page counts for all of it.
 *
 * What the model cannot do: look-ups of one entry that is on its way are hits; changes of entries
 * are counted, the caller charges for them. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"
#include "port.h"
#include "stats.h"

typedef struct {
    uint64_t cache_entries;
    uint64_t ways;
    uint64_t latency_cycles;
    uint64_t entry_bits;
    uint64_t pages; /* PF_CONFIG_AUTO: the machine's frames */
} PfIndirectionConfig;

extern const PfConfigField pf_indirection_fields[];
extern const size_t pf_indirection_field_count;

typedef struct {
    uint64_t lookups;
    uint64_t hits;
    uint64_t misses;
    uint64_t updates;
    uint64_t copies;
} PfIndirectionStats;

/* Starts with its PfPort. */
typedef struct PfIndirection PfIndirection;

/* The first page of the window on frames: page PF_INDIRECTION_DIRECT + n is frame n. */
#define PF_INDIRECTION_DIRECT ((uint32_t)1 << 31)

/* A table in front of DRAM (borrowed), for pages of 2^PAGE_SHIFT bytes, that has no entries yet.
 * STATS may be NULL. NULL with PF_ERROR_CONFIG where the cache's geometry is impossible. */
PfIndirection *pf_indirection_new(const PfIndirectionConfig *config, PfPort *dram,
                                  unsigned page_shift, PfStatsGroup *stats, GError **error);
void pf_indirection_free(PfIndirection *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfIndirection, pf_indirection_free)

/* What the last level of cache sends its requests to; borrowed. */
PfPort *pf_indirection_port(PfIndirection *table);

/* Has entries for PAGES pages, whether they are used or not. */
void pf_indirection_size(PfIndirection *table, uint64_t pages);

/* Bytes of DRAM that the entries take. */
uint64_t pf_indirection_table_bytes(const PfIndirection *table);

/* PAGE has FRAME from now on. */
void pf_indirection_map(PfIndirection *table, PfBpn page, PfMpn frame);

/* Where ADDRESS lies in DRAM; free of charge. */
PfMaddr pf_indirection_translate(const PfIndirection *table, PfMaddr address);

/* Looks the entry for ADDRESS up without DRAM: the cycles that it takes, MISS_CYCLES being those of
 * a read from DRAM. */
uint64_t pf_indirection_look_up(PfIndirection *table, PfMaddr address, uint64_t miss_cycles);

/* The controller gave a page a frame by itself, with a copy of another or filled with zeros. */
void pf_indirection_count_copy(PfIndirection *table);

/* Borrowed. */
const PfIndirectionStats *pf_indirection_stats(const PfIndirection *table);

/* Asserts the invariants. */
void pf_indirection_check(const PfIndirection *table);
