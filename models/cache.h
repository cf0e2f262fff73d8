/* One level of set-associative cache. Physically indexed: addresses are the machine's.
 *
 * Semantics of the corner cases:
 *   - A hit is done at now + latency. On a miss the next level is asked for the whole line at
 *     now + latency. It is asked with FETCH for a fetch and with READ else: a store miss reads for
 *     ownership, so the writes that a lower level counts are write-backs from above.
 *   - A WRITE of a whole line (a write-back from above, a line of a page fill) that misses installs
 *     the line without reading it from the next level. Where some level below is inclusive, it is
 *     passed on as well, so that they have the line.
 *   - A dirty victim is posted to the next level as a WRITE of a line, after the fill was asked
 *     for, at the same time, on behalf of the actor that evicts it. It delays the miss only where
 *     the next level cannot take it at once (its write queue is full).
 *   - `write = through`: a store goes on to the next level, when this one has been asked, and is
 *     done when that has it; no line is ever dirty. `write_miss = around`: a store whose line is
 *     not held goes on likewise, and no line comes in, but for whole ones into an inclusive level.
 *   - `inclusion = inclusive`: a line that leaves this level leaves the levels above it, too; if
 *     one of them had it dirty it is written back. `exclusive`: a line comes in when the level
 *     above evicts it, dirty or clean, and leaves, with its dirt, when that reads it; what is not
 *     held goes from the next level straight up. If it is shared by cores a dirty line stays, and
 *     a clean copy goes up, as other cores may have such; a level above that writes through sends
 *     a dirty line back at once.
 *   - Tree-PLRU, SRRIP (two bits, hit priority) and random use empty places first, in their order.
 *   - `mshrs`: a miss that finds all of them taken is sent when the first becomes free.
 *   - The answer of the next level to a fill goes up as it is, also if it is a ticket; a level with
 *     a limit of MSHRs has to know the time and resolves it at once.
 *   - A request must not cross a line: who asks has split it. A line of this level must not be
 *     longer than one of the level below.
 *
 * What the model cannot do: no prefetch, and no contention for ports or banks. A line counts as
 * held from the moment that it is asked for, so a second access to a line in flight is a hit: too
 * fast by what is left of the fill. */
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
    PF_CACHE_LRU,       /* true least recently used */
    PF_CACHE_RANDOM,    /* each line of the set equally likely */
    PF_CACHE_TREE_PLRU, /* a binary tree whose nodes point away from what was used last */
    PF_CACHE_SRRIP      /* static re-reference interval prediction */
} PfCacheReplacement;

typedef enum { PF_CACHE_WRITE_BACK, PF_CACHE_WRITE_THROUGH } PfCacheWrite;
typedef enum { PF_CACHE_WRITE_ALLOCATE, PF_CACHE_WRITE_AROUND } PfCacheWriteMiss;

/* How what a level holds is related to what the levels above it hold. */
typedef enum { PF_CACHE_UNRELATED, PF_CACHE_INCLUSIVE, PF_CACHE_EXCLUSIVE } PfCacheInclusion;

/* Parameters of one level. `serves` is for who assembles the machine. */
typedef struct {
    char *name; /* borrowed by pf_cache_new for its error messages only */
    int serves; /* PfCacheServes */
    uint64_t size_bytes;
    uint64_t ways;
    uint64_t line_bytes;
    uint64_t latency_cycles;
    bool shared;
    int replacement; /* PfCacheReplacement */
    int write;       /* PfCacheWrite */
    int write_miss;  /* PfCacheWriteMiss */
    int inclusion;   /* PfCacheInclusion */
    uint64_t mshrs;  /* 0: no limit */
    double read_pJ;  /* energy of an access; NaN: not known */
    double write_pJ;
    double leakage_mW; /* likewise */
} PfCacheConfig;

extern const PfConfigField pf_cache_fields[];
extern const size_t pf_cache_field_count;

/* What a level counts: each access and each miss by its kind and by its actor. */
typedef struct {
    uint64_t accesses[PF_ACCESS_KINDS];
    uint64_t accesses_by_actor[PF_ACTOR_COUNT];
    uint64_t misses[PF_ACCESS_KINDS];
    uint64_t misses_by_actor[PF_ACTOR_COUNT];
    uint64_t writebacks;
    uint64_t writes_through;
    uint64_t victim_fills;
    uint64_t invalidations;      /* by another core's store */
    uint64_t back_invalidations; /* by an inclusive level */
    uint64_t mshr_stall_cycles;
    uint64_t hits_on_shared_frames;
    uint64_t demand_evicted_by_policy; /* lines that did not come for a policy */
} PfCacheStats;

/* Starts with its PfPort: (PfPort *)cache is the level's port. */
typedef struct PfCache PfCache;

/* Whether there can be such a level; else PF_ERROR_CONFIG. */
bool pf_cache_is_possible(const PfCacheConfig *config, GError **error);

/* An empty level in front of NEXT (borrowed; NULL if only pf_cache_touch is to be used). SEED
 * feeds random replacement. Counters are registered in STATS, which may be NULL. NULL with
 * PF_ERROR_CONFIG where the geometry is impossible. */
PfCache *pf_cache_new(const PfCacheConfig *config, PfPort *next, uint64_t seed,
                      PfStatsGroup *stats, GError **error);
void pf_cache_free(PfCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfCache, pf_cache_free)

/* UPPER's misses go to LOWER, by whatever port stands between them. Before either is used; lines of
 * UPPER are not longer. Each has one level below at most. */
void pf_cache_attach(PfCache *upper, PfCache *lower);

/* Stores to CACHE, a first level for data, ask GATE (of coherence.h, borrowed) for their lines from
 * now on. From here to there it takes REACH_CYCLES. */
void pf_cache_keep_coherent(PfCache *cache, PfPort *gate, uint64_t reach_cycles);

/* Whether several pages map the frame at ADDRESS. */
typedef bool (*PfCacheIsShared)(const void *user, PfMaddr address);

/* Reads and fetches that hit in CACHE, which is still empty, are counted in hits_on_shared_frames
 * where IS_SHARED says so of USER (borrowed). */
void pf_cache_watch_hits(PfCache *cache, PfCacheIsShared is_shared, const void *user);

/* From now on CACHE adds to the counters of OWNER, so that the private caches of several cores are
 * told as one. OWNER must live as long as CACHE is used and must count for itself. */
void pf_cache_count_into(PfCache *cache, PfCache *owner);

/* Borrowed; what CACHE counted, or what all that count into the same level did. */
const PfCacheStats *pf_cache_stats(const PfCache *cache);

/* What the level above sends its requests to; borrowed, lives as long as CACHE. */
PfPort *pf_cache_port(PfCache *cache);

/* The port's operation, which may be called without the detour over the table. PORT must be that of
 * a PfCache with a next level. */
uint64_t pf_cache_access(PfPort *port, const PfRequest *request);

/* LINES whole lines, from the one that FIRST->address lies in upward, as one piece of page work:
 * one line is issued each cycle from FIRST->now_cycles on, without waiting for the one before.
 * Tickets are resolved when 64 lines are sent, or all.
 * Returns when the last to finish is done (FIRST->now_cycles for no lines). */
uint64_t pf_cache_run(PfCache *cache, const PfRequest *first, uint32_t lines);

/* State and counters only, no time, no next level: ONE access of SIZE_BYTES (not 0) at ADDRESS,
 * which touches each line that it covers, low ones first, and hits only if all of them were held.
 * Dirty victims are counted and dropped. Not for an exclusive level. */
bool pf_cache_touch(PfCache *cache, PfMaddr address, uint32_t size_bytes, PfAccessKind kind,
                    PfActor actor);

/* Drops every line that has a byte in BYTES bytes from ADDRESS on, dirty ones without writing them
 * back: the frames were freed and their bytes are dead. Returns the number of dirty lines. */
uint64_t pf_cache_invalidate_range(PfCache *cache, PfMaddr address, uint64_t bytes);

/* The same; returns the number of lines, and *DIRTY is that of dirty ones. */
uint64_t pf_cache_drop(PfCache *cache, PfMaddr address, uint64_t bytes, uint64_t *dirty);

/* Another core stores to the line of ADDRESS, or takes it away, which leaves; from an inclusive
 * level the levels above it as well. Whether it was held here, and dirty anywhere. */
bool pf_cache_revoke(PfCache *cache, PfMaddr address, bool *ret_dirty);

/* The line of ADDRESS, if it is held and dirty, is clean from now on: its bytes were written back.
 * Whether it was. */
bool pf_cache_clean(PfCache *cache, PfMaddr address);

/* Whether stores go on to the next level; that level, or NULL; bytes of a line. */
bool pf_cache_writes_through(const PfCache *cache);
PfCache *pf_cache_lower(const PfCache *cache);
uint32_t pf_cache_line_bytes(const PfCache *cache);

/* Visits each line that is held, by set and way. */
typedef void (*PfCacheVisitor)(PfMaddr address, bool is_dirty, void *user);
void pf_cache_visit(const PfCache *cache, PfCacheVisitor visit, void *user);

/* Whether the line of ADDRESS is held; disturbs nothing. RET_DIRTY may be NULL. */
bool pf_cache_holds(const PfCache *cache, PfMaddr address, bool *ret_dirty);

/* Empties the level without write-backs; statistics stay. */
void pf_cache_reset_state(PfCache *cache);

/* Asserts: no line twice, each in its set; under LRU empty places last; an inclusive level holds
 * what levels above hold. */
void pf_cache_check(const PfCache *cache);
