/* One level of set-associative cache: write-back, write-allocate.
 *
 * Semantics of the corner cases:
 *   - A hit is done at now + latency. On a miss the next level is asked for the whole line at
 *     now + latency. It is asked with FETCH for a fetch and with READ else: a store miss reads for
 *     ownership, so the writes that a lower level counts are write-backs from above.
 *   - A WRITE of a whole line (a write-back from above, a line of a page fill) that misses installs
 *     the line without reading it from the next level.
 *   - A dirty victim is posted to the next level as a WRITE of a line, after the fill was asked
 *     for, at the same time, on behalf of the actor that evicts it. It delays the miss only where
 *     the next level cannot take it at once (its write queue is full).
 *   - An answer of the next level that is a ticket is resolved at once.
 *   - A request must not cross a line: who asks has split it. A line of this level must not be
 *     longer than one of the level below.
 *
 * What the model cannot do: no prefetch, no coherence between the caches of several cores, neither
 * inclusive nor exclusive (no back-invalidation), no limit on outstanding misses and no contention
 * for ports or banks (a core's limit is in core.h). A line counts as held from the moment that it
 * is asked for, so a second access to a line in flight is a hit: too fast by what is left of the
 * fill. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"
#include "port.h"
#include "stats.h"

typedef enum {
    PF_CACHE_SERVES_ALL,
    PF_CACHE_SERVES_DATA,
    PF_CACHE_SERVES_FETCH
} PfCacheServes;

typedef enum {
    PF_CACHE_LRU,   /* true least recently used */
    PF_CACHE_RANDOM /* each line of the set equally likely, empty places first */
} PfCacheReplacement;

/* Parameters of one level. `serves` and `shared` are for who assembles the machine. */
typedef struct {
    char *name; /* borrowed by pf_cache_new for its error messages only */
    int serves; /* PfCacheServes */
    uint64_t size_bytes;
    uint64_t ways;
    uint64_t line_bytes;
    uint64_t latency_cycles;
    bool shared;
    int replacement; /* PfCacheReplacement */
} PfCacheConfig;

extern const PfConfigField pf_cache_fields[];
extern const size_t pf_cache_field_count;

enum { PF_CACHE_LINE_BYTES_MIN = 4 };

/* Whether a level can be as CONFIG says: RET_SETS, a power of two. PF_ERROR_CONFIG if not. */
bool pf_cache_check_geometry(const PfCacheConfig *config, uint64_t *ret_sets, GError **error);

/* What a level counts. An access is counted once, a miss also with the actor that caused it. */
typedef struct {
    uint64_t accesses[PF_ACCESS_KINDS];
    uint64_t misses[PF_ACCESS_KINDS];
    uint64_t misses_by_actor[PF_ACTOR_COUNT];
    uint64_t writebacks;
} PfCacheStats;

/* Starts with its PfPort: (PfPort *)cache is the level's port. */
typedef struct PfCache PfCache;

/* An empty level in front of NEXT (borrowed; NULL if only pf_cache_touch is to be used). SEED
 * feeds random replacement. Counters are registered in STATS, which may be NULL. NULL with
 * PF_ERROR_CONFIG where the geometry is impossible. */
PfCache *pf_cache_new(const PfCacheConfig *config, PfPort *next, uint64_t seed,
                      PfStatsGroup *stats, GError **error);
void pf_cache_free(PfCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfCache, pf_cache_free)

/* From now on CACHE adds to the counters of OWNER, so that the private caches of several cores are
 * told as one. OWNER must live as long as CACHE is used and must count for itself. */
void pf_cache_count_into(PfCache *cache, PfCache *owner);

/* Borrowed; what CACHE counted, or what all that count into the same level did. */
const PfCacheStats *pf_cache_stats(const PfCache *cache);

/* What the level above sends its requests to; borrowed, lives as long as CACHE. */
PfPort *pf_cache_port(PfCache *cache);

/* The port's operation, which may be called without the detour over the table. PORT must be that of
 * a PfCache with a next level. Completion cycle; never a ticket. */
uint64_t pf_cache_access(PfPort *port, const PfRequest *request);

/* LINES whole lines, from the one that FIRST->address lies in upward, as one piece of page work:
 * one line is issued each cycle from FIRST->now_cycles on, without waiting for the one before.
 * Returns when the last to finish is done (FIRST->now_cycles for no lines). */
uint64_t pf_cache_run(PfCache *cache, const PfRequest *first, uint32_t lines);

/* State and counters only, no time, no next level: ONE access of SIZE_BYTES (not 0) at ADDRESS,
 * which touches each line that it covers, low ones first, and hits only if all of them were held.
 * Dirty victims are counted and dropped. */
bool pf_cache_touch(PfCache *cache, PfMaddr address, uint32_t size_bytes, PfAccessKind kind,
                    PfActor actor);

/* Drops every line that has a byte in BYTES bytes from ADDRESS on, dirty ones without writing them
 * back: the frames were freed and their bytes are dead. Returns the number of dirty lines. */
uint64_t pf_cache_invalidate_range(PfCache *cache, PfMaddr address, uint64_t bytes);

/* Whether the line of ADDRESS is held; disturbs nothing. RET_DIRTY may be NULL. */
bool pf_cache_holds(const PfCache *cache, PfMaddr address, bool *ret_dirty);

/* Empties the level without write-backs; statistics stay. */
void pf_cache_reset_state(PfCache *cache);

/* Asserts: no line twice, each in its set, empty places last. */
void pf_cache_check(const PfCache *cache);
