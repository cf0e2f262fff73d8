/* The page walker: which page-table entries a TLB miss reads, and how long that takes.
 *
 * A native walk of n levels reads n entries, one after the other. A nested walk translates the
 * address of each guest entry, and at last that of the data, by a walk of the m host levels:
 * (n + 1)(m + 1) - 1 reads, 24 for 4 and 4 levels (Bhargava et al., "Accelerating two-dimensional
 * page walks for virtualized systems", ASPLOS 2008). A mapping of 2^9 base pages ends the walk of
 * its dimension one level early, one of 2^18 two levels.
 *
 * Each level is indexed by 9 bits of the page number and an entry has 8 bytes, whatever the page
 * size. Tables are not stored. A table page has an address computed from its space, level and
 * place in the tree, scattered over 64 TiB from 2^46 up as an allocator would scatter it; so
 * neighbouring entries share lines and different tables seldom meet. In a nested walk a guest table
 * page also has a guest-physical number, above all guest data, by which the host tables are
 * indexed; the data's guest-physical page number is taken to be the one that is walked for.
 *
 * What the model cannot do: no walk caches (PSC, nested TLB), so every walk starts at the root; no
 * limit on walks in flight; accessed and dirty bits are not written; table pages take no frames. */
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
    uint64_t levels;      /* of a space's own (guest) tables */
    uint64_t host_levels; /* of the tables that map guest-physical pages; only for nested walks */
} PfWalkerConfig;

extern const PfConfigField pf_walker_fields[];
extern const size_t pf_walker_field_count;

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
    PfHistogram cycles;
} PfWalkerStats;

/* Where the table pages lie: 2^PF_WALKER_REGION_SHIFT bytes from this address up. */
#define PF_WALKER_REGION       ((uint64_t)1 << PF_WALKER_REGION_SHIFT)
#define PF_WALKER_REGION_SHIFT 46

typedef struct PfWalker PfWalker;

/* A walker has no state but its statistics, so one serves any number of cores. Counters are
 * registered in STATS, which may be NULL. NULL with PF_ERROR_CONFIG where the levels are
 * impossible. */
PfWalker *pf_walker_new(const PfWalkerConfig *config, PfStatsGroup *stats, GError **error);
void pf_walker_free(PfWalker *walker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfWalker, pf_walker_free)

/* Borrowed. */
const PfWalkerStats *pf_walker_stats(const PfWalker *walker);

/* Reads the entries for REQUEST through PORT, each as 8 bytes for PF_ACTOR_WALKER when the one
 * before is there. The completion cycle of the last. */
uint64_t pf_walker_walk(PfWalker *walker, PfPort *port, const PfWalkRequest *request);

/* How many entries such a walk reads. */
unsigned pf_walker_references(const PfWalker *walker, const PfWalkRequest *request);

/* Nothing to empty: for symmetry with the other models. */
void pf_walker_reset_state(PfWalker *walker);

/* Asserts that the levels are possible and the statistics add up. */
void pf_walker_check(const PfWalker *walker);
