/* The page walkers of a core: which page-table entries a TLB miss reads, and how long that takes.
 *
 * A native walk of n levels reads n entries, one after the other. A nested walk translates the
 * address of each guest entry, and at last that of the data, by a walk of the m host levels:
 * (n + 1)(m + 1) - 1 reads, 24 for 4 and 4 levels (Bhargava et al., "Accelerating two-dimensional
 * page walks for virtualized systems", ASPLOS 2008). A mapping of 2^9 base pages ends the walk of
 * its dimension one level early, one of 2^18 two levels.
 *
 * Walk caches spare reads. That of level k (2 .. 5, counted from the leaves) holds entries of that
 * level, of both dimensions, as a translation cache does (Barr, Cox and Rixner, "Translation
 * caching: skip, don't walk (the page table)", ISCA 2010): a walk begins below the deepest level
 * that it finds, and a guest's entry found there has the machine address of the table that it
 * points to, so that no host walk is needed for it. The nested TLB holds translations of the pages
 * that guest tables lie in; the data's own translation is what TLBs hold.
 *
 * A walker does one walk at a time. A walk that finds all of the core's walkers busy waits for the
 * first to be free.
 *
 * Each level is indexed by 9 bits of the page number and an entry has 8 bytes, whatever the page
 * size. Tables are not stored. A table page has an address computed from its space, level and
 * place in the tree, scattered over 64 TiB from 2^46 up as an allocator would scatter it; so
 * neighbouring entries share lines and different tables seldom meet. In a nested walk a guest table
 * page also has a guest-physical number, above all guest data, by which the host tables are
 * indexed; the data's guest-physical page number is taken to be the one that is walked for.
 *
 * What the model cannot do: looking into walk caches takes no time but `latency`; two walks for one
 * page do not become one; accessed and dirty bits are not written; table pages take no frames. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"
#include "port.h"
#include "stats.h"

enum { PF_WALKER_LEVELS_MAX = 5, PF_WALKERS_MAX = 16 };

typedef struct {
    uint64_t entries; /* 0: there is none */
    uint64_t ways;    /* 0: fully associative */
} PfWalkCacheConfig;

typedef struct {
    uint64_t levels;      /* of a space's own (guest) tables */
    uint64_t host_levels; /* of the tables that map guest-physical pages; only for nested walks */
    uint64_t walkers;     /* 0: as many as are wanted */
    uint64_t latency_cycles; /* of a walk, beside its reads */
    PfWalkCacheConfig caches[PF_WALKER_LEVELS_MAX - 1]; /* of entries of level 2 up */
    PfWalkCacheConfig nested;
} PfWalkerConfig;

/* Binds SECTION and its `cache`. */
void pf_walker_bind(PfConfigSection *section, PfWalkerConfig *config);

typedef struct {
    PfVpn page; /* in base pages */
    uint64_t now_cycles;
    uint32_t space;
    uint16_t core;
    bool nested;
    uint8_t page_shift;      /* log2 of the bytes of a base page */
    uint8_t size_shift;      /* log2 of the base pages that the space's own mapping covers */
    uint8_t host_size_shift; /* nested: the same of the host's mappings */
} PfWalkRequest;

typedef struct {
    uint64_t walks;
    uint64_t references;
    uint64_t spared;      /* references that a walk without caches would have made, too */
    uint64_t wait_cycles; /* for a walker */
    PfHistogram cycles;   /* waiting included */
} PfWalkerStats;

/* Where the table pages lie: 2^PF_WALKER_REGION_SHIFT bytes from this address up. */
#define PF_WALKER_REGION       ((uint64_t)1 << PF_WALKER_REGION_SHIFT)
#define PF_WALKER_REGION_SHIFT 46

typedef struct PfWalker PfWalker;

/* The walkers of a core, idle and with empty caches. Counters are registered in STATS, which may be
 * NULL. NULL with PF_ERROR_CONFIG where levels or caches are impossible. */
PfWalker *pf_walker_new(const PfWalkerConfig *config, PfStatsGroup *stats, GError **error);
void pf_walker_free(PfWalker *walker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfWalker, pf_walker_free)

/* From now on WALKER adds to the counters of OWNER, so that several cores are told as one. OWNER
 * must live as long as WALKER is used and must count for itself. */
void pf_walker_count_into(PfWalker *walker, PfWalker *owner);

/* Borrowed. */
const PfWalkerStats *pf_walker_stats(const PfWalker *walker);

/* Reads the entries for REQUEST through PORT, each as 8 bytes for PF_ACTOR_WALKER when the one
 * before is there. The completion cycle of the last. */
uint64_t pf_walker_walk(PfWalker *walker, PfPort *port, const PfWalkRequest *request);

/* How many entries such a walk reads with nothing in the caches. */
unsigned pf_walker_references(const PfWalker *walker, const PfWalkRequest *request);

/* The caches forget SPACE, as they do whenever a page of it is invalidated (for INVLPG: Intel 64
 * and IA-32 Architectures Software Developer's Manual, volume 3, "Invalidation of TLBs and
 * paging-structure caches"). */
void pf_walker_forget(PfWalker *walker, uint32_t space);
void pf_walker_flush(PfWalker *walker);

/* Empties the caches, ends all walks; statistics stay. */
void pf_walker_reset_state(PfWalker *walker);

/* Asserts that the caches are in order and the statistics add up. */
void pf_walker_check(const PfWalker *walker);
