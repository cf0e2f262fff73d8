/* Coherence between the private caches of several cores: MESI, kept by a filter at the first level
 * that they share, or where there is none before memory.
 *
 * Semantics of the corner cases:
 *   - A store to a line that the core's first level does not hold dirty makes it the core's alone:
 *     the private caches of all other cores drop it, and if one had it dirty it is written to the
 *     level that is shared. If any had it the store waits `probe` cycles; and if it needs no fill,
 *     also for the way to the filter.
 *   - A read that misses a core's private caches, of a line that another core has dirty, is
 *     answered by that core `probe` cycles after the shared level's latency, and the shared level
 *     is not asked. It gets the line written back; both cores then hold it clean.
 *   - Lines that other cores hold clean come from the level below as ever.
 *   - Each NUMA node may have shared levels of its own. A store by a core of another node drops the
 *     line from them. A line that they, or cores of their node, have dirty moves to those of the
 *     node that reads it, after the same `probe` whatever the distance, and leaves theirs; where
 *     these are inclusive also the caches of their cores.
 *   - The filter never overflows and knows at once what has left a core's caches: nobody is probed
 *     in vain, and a store to a clean line that no other core holds costs nothing (E becomes M).
 *   - While only one core has ever sent a request, nothing is kept and nothing costs.
 *   - Page walks, policies and fetches are requests like others. A store does not reach its own
 *     core's instruction cache.
 *
 * What the model cannot do: no transient states, no races, no traffic of probes on an interconnect
 * and no longer way to those of another node, no forwarding of clean lines, no false evictions by a
 * small filter. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "config.h"
#include "nodes.h"
#include "port.h"
#include "stats.h"

typedef struct {
    bool kept; /* else private caches do not know of each other */
    uint64_t probe_cycles;
} PfCoherenceConfig;

extern const PfConfigField pf_coherence_fields[];
extern const size_t pf_coherence_field_count;

typedef struct {
    uint64_t probes;
    uint64_t invalidations;
    uint64_t forwards;
    uint64_t writebacks;
} PfCoherenceStats;

/* Registers what COUNTED (borrowed) has in STATS, which may be NULL. */
void pf_coherence_register(PfStatsGroup *stats, const PfCoherenceStats *counted);

typedef struct PfCoherence PfCoherence;

/* For CORE_COUNT cores, whose requests have their numbers, and lines of LINE_BYTES. STATS may be
 * NULL. */
PfCoherence *pf_coherence_new(const PfCoherenceConfig *config, unsigned core_count,
                              uint32_t line_bytes, PfStatsGroup *stats);
void pf_coherence_free(PfCoherence *coherence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfCoherence, pf_coherence_free)

/* Which cores are on which of NODES (borrowed); without, all are on node 0. */
void pf_coherence_set_nodes(PfCoherence *coherence, const PfNodes *nodes);

/* CACHE (borrowed) is one of CORE's own; or one of all cores of NODE. */
void pf_coherence_add_private(PfCoherence *coherence, unsigned core, PfCache *cache);
void pf_coherence_add_shared(PfCoherence *coherence, unsigned node, PfCache *cache);

/* What the last of a core's own levels asks in place of NEXT (borrowed), which finds out in
 * LOOKUP_CYCLES that it does not hold a line. The same each time for the same NEXT. */
PfPort *pf_coherence_port(PfCoherence *coherence, PfPort *next, uint64_t lookup_cycles);

/* Whether no other core than CORE has ever sent a request. False before CORE has sent one. */
bool pf_coherence_is_alone(const PfPort *gate, uint16_t core);

/* REQUEST's core, whose misses go to GATE, is about to store to its line. How long it has to wait
 * for that. */
uint64_t pf_coherence_own(PfPort *gate, const PfRequest *request);

/* Whether some cache holds the line of ADDRESS dirty; disturbs nothing. */
bool pf_coherence_is_dirty(const PfCoherence *coherence, PfMaddr address);

/* Whether some cache holds it at all. */
bool pf_coherence_holds(const PfCoherence *coherence, PfMaddr address);

/* Drops all lines of BYTES from ADDRESS on from all caches, dirty ones too. */
void pf_coherence_drop(const PfCoherence *coherence, PfMaddr address, uint64_t bytes);

/* Borrowed. */
const PfCoherenceStats *pf_coherence_stats(const PfCoherence *coherence);

/* Asserts: what one core holds dirty no other holds at all, nor do the shared levels of other
 * nodes; the filter knows all holders. */
void pf_coherence_check(const PfCoherence *coherence);
