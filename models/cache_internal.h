/* Between the files of the cache model: what a level is, and its sets. */
#pragma once

#include "cache.h"
#include "rng.h"

/* An entry is a line number, shifted, and these bits. */
enum {
    ENTRY_VALID = 1,
    ENTRY_DIRTY = 2,
    ENTRY_POLICY = 4, /* the line came for a policy */
    ENTRY_BUSY = 8,   /* there is more to do at a hit than to tell its time */
    ENTRY_AGE = 1 << 4,
    ENTRY_AGES = 3 * ENTRY_AGE, /* SRRIP: the prediction; tree-PLRU: see cache_replacement.c */
    ENTRY_SHIFT = 6
};

/* What identifies a line in an entry, and what must agree for a hit that changes nothing. */
#define ENTRY_KEY   (~(uint64_t)(ENTRY_DIRTY | ENTRY_POLICY | ENTRY_BUSY | ENTRY_AGES))
#define ENTRY_QUIET (~(uint64_t)(ENTRY_DIRTY | ENTRY_POLICY))

enum { PF_CACHE_WAYS_MAX = 64 };

struct PfCache {
    PfPort port;
    unsigned line_shift;
    uint32_t ways;
    uint64_t set_mask;
    /* Sets of `ways` entries. Under LRU most recent first, empty places last: moving to the front
     * costs a few stores of one or two host cache lines, and the victim is simply the last. Under
     * the other policies an entry stays at its place. */
    uint64_t *entries;
    size_t entries_bytes;
    uint64_t latency_cycles;
    PfCacheStats *stats;
    PfPort *next;
    uint32_t line_bytes;
    uint8_t replacement; /* PfCacheReplacement */
    uint8_t inclusion;   /* PfCacheInclusion */
    bool writes_through;
    bool write_allocates;
    bool keeps_included;   /* some level below is inclusive */
    bool feeds_exclusive;  /* the level below is */
    bool is_plain;         /* LRU, and a line that is asked for always comes in and stays */
    bool serves_cores;     /* several of them */
    bool hands_dirty;      /* exclusive: the line just handed up was dirty */
    uint8_t entry_bits;    /* ENTRY_BUSY or 0: of every entry */
    PfCache *lower;        /* the level below; borrowed, NULL: none */
    GPtrArray *upper;      /* of PfCache, borrowed */
    PfPort *gate;          /* of coherence.h, for a first level for data; borrowed, NULL: none */
    uint64_t reach_cycles; /* from this level to there */
    PfCacheIsShared is_shared;
    const void *is_shared_user;
    uint64_t *busy_until; /* by MSHR */
    uint32_t mshrs;
    PfRng rng;
    PfCacheStats own_stats;
};

/* The first entry of the set that LINE belongs to. */
static inline uint64_t *pf_cache_set_of(const PfCache *cache, uint64_t line)
{
    return cache->entries + (line & cache->set_mask) * cache->ways;
}

/* What identifies LINE in an entry. */
static inline uint64_t pf_cache_key(uint64_t line)
{
    return line << ENTRY_SHIFT | ENTRY_VALID;
}

/* The way of SET that holds KEY, or `ways`. */
static inline uint32_t pf_cache_find(const PfCache *cache, const uint64_t *set, uint64_t key)
{
    uint32_t way = 0;
    while (way < cache->ways && (set[way] & ENTRY_KEY) != key)
        way++;
    return way;
}

/* The entry at WAY of SET is used: notes that for the replacement, and returns its new place. */
uint64_t *pf_cache_renew(const PfCache *cache, uint64_t *set, uint32_t way);

/* Puts ENTRY into SET, for a line that it does not hold. What was at its place: without ENTRY_VALID
 * nothing was. */
uint64_t pf_cache_insert(PfCache *cache, uint64_t *set, uint64_t entry);

/* Empties WAY of SET. */
void pf_cache_remove(const PfCache *cache, uint64_t *set, uint32_t way);

/* ACTOR brings the line of KEY into SET, with BITS. What had to make room, as an entry, or 0; dirty
 * also where an inclusive level has taken a dirty copy from above. */
uint64_t pf_cache_put(PfCache *cache, uint64_t *set, uint64_t key, uint64_t bits, PfActor actor);

/* Whether CACHE may take in VICTIM, an entry of the level above. What it made room for there has
 * been asked for already, and an inclusive level below may have dropped the victim for that. */
bool pf_cache_may_take(const PfCache *cache, uint64_t victim);

/* Drops BYTES at ADDRESS, a line that leaves CACHE, from all levels above. Was one dirty? */
bool pf_cache_back_invalidate(const PfCache *cache, PfMaddr address, uint32_t bytes);

/* The port's other operation. */
uint64_t pf_cache_resolve(PfPort *port, uint64_t ticket);

/* Looks for KEY in the WAYS places of SET, the most recent first, and moves it to the front; the
 * others move back by one as the search passes them. Where it is not found ENTRY is put in front
 * all the same, and *RET_VICTIM is what fell out. */
static inline bool pf_cache_turn_among(uint64_t *set, uint32_t ways, uint64_t key, uint64_t entry,
                                       uint64_t *ret_victim)
{
    uint64_t carried = set[0];
    if ((carried & ENTRY_KEY) == key)
        return true;
    for (uint32_t way = 1; way < ways; way++) {
        uint64_t next = set[way];
        set[way] = carried;
        if ((next & ENTRY_KEY) == key) {
            set[0] = next;
            return true;
        }
        carried = next;
    }
    set[0] = entry;
    *ret_victim = carried;
    return false;
}

/* The same with numbers of ways that the compiler knows, for those that most caches have. */
static inline bool pf_cache_turn(const PfCache *cache, uint64_t *set, uint64_t key, uint64_t entry,
                                 uint64_t *ret_victim)
{
    switch (cache->ways) {
    case 8:
        return pf_cache_turn_among(set, 8, key, entry, ret_victim);
    case 16:
        return pf_cache_turn_among(set, 16, key, entry, ret_victim);
    default:
        return pf_cache_turn_among(set, cache->ways, key, entry, ret_victim);
    }
}
