/* Which line makes room. */
#include "cache_internal.h"

/* SRRIP with two bits: a line is predicted to be used again at once (0) .. in the distant future
 * (3), and put in with 2 (Jaleel et al., "High performance cache replacement using re-reference
 * interval prediction", ISCA 2010, with hit priority). */
enum { AGE_DISTANT = 3, AGE_LONG = 2 };

/* The tree of PLRU: node 1 is the root, nodes 2 n and 2 n + 1 are below node n, and node ways + w
 * is way w. Where an inner node points, 0 to the left, 1 to the right, stands in the age of the
 * entry with its number, whatever that entry holds. */
static void point(uint64_t *set, uint32_t node, bool right)
{
    set[node] = (set[node] & ~(uint64_t)ENTRY_AGES) | (right ? ENTRY_AGE : 0);
}

static void point_away(const PfCache *cache, uint64_t *set, uint32_t way)
{
    for (uint32_t node = cache->ways + way; node > 1; node /= 2)
        point(set, node / 2, node % 2 == 0);
}

static uint32_t follow_tree(const PfCache *cache, const uint64_t *set)
{
    uint32_t node = 1;
    while (node < cache->ways)
        node = 2 * node + ((set[node] & ENTRY_AGES) != 0);
    return node - cache->ways;
}

/* The first line of the most distant prediction; all grow as much older as that one lacks. */
static uint32_t oldest(const PfCache *cache, uint64_t *set)
{
    uint32_t chosen = 0;
    for (uint32_t way = 1; way < cache->ways; way++)
        if ((set[way] & ENTRY_AGES) > (set[chosen] & ENTRY_AGES))
            chosen = way;
    uint64_t lacking = AGE_DISTANT * ENTRY_AGE - (set[chosen] & ENTRY_AGES);
    for (uint32_t way = 0; lacking != 0 && way < cache->ways; way++)
        set[way] += lacking;
    return chosen;
}

/* Moves the entries before WAY back by one, over it. */
static void make_way(uint64_t *set, uint32_t way)
{
    for (; way > 0; way--)
        set[way] = set[way - 1];
}

uint64_t *pf_cache_renew(const PfCache *cache, uint64_t *set, uint32_t way)
{
    if (cache->replacement == PF_CACHE_LRU) {
        uint64_t entry = set[way];
        make_way(set, way);
        set[0] = entry;
        return set;
    }
    if (cache->replacement == PF_CACHE_TREE_PLRU)
        point_away(cache, set, way);
    if (cache->replacement == PF_CACHE_SRRIP)
        set[way] &= ~(uint64_t)ENTRY_AGES;
    return &set[way];
}

/* The way of SET, in which lines stay at their places, that a new line gets. */
static uint32_t choose(PfCache *cache, uint64_t *set)
{
    for (uint32_t way = 0; way < cache->ways; way++)
        if ((set[way] & ENTRY_VALID) == 0)
            return way;
    if (cache->replacement == PF_CACHE_TREE_PLRU)
        return follow_tree(cache, set);
    if (cache->replacement == PF_CACHE_SRRIP)
        return oldest(cache, set);
    return (uint32_t)pf_rng_below(&cache->rng, cache->ways);
}

uint64_t pf_cache_insert(PfCache *cache, uint64_t *set, uint64_t entry)
{
    if (cache->replacement == PF_CACHE_LRU) {
        uint64_t last = set[cache->ways - 1];
        make_way(set, cache->ways - 1);
        set[0] = entry;
        return last;
    }
    uint32_t way = choose(cache, set);
    uint64_t victim = set[way];
    if (cache->replacement == PF_CACHE_SRRIP)
        entry |= AGE_LONG * ENTRY_AGE;
    if (cache->replacement == PF_CACHE_TREE_PLRU)
        entry |= victim & ENTRY_AGES;
    set[way] = entry;
    if (cache->replacement == PF_CACHE_TREE_PLRU)
        point_away(cache, set, way);
    return victim;
}

void pf_cache_remove(const PfCache *cache, uint64_t *set, uint32_t way)
{
    if (cache->replacement != PF_CACHE_LRU) {
        set[way] = cache->replacement == PF_CACHE_TREE_PLRU ? set[way] & ENTRY_AGES : 0;
        return;
    }
    for (; way + 1 < cache->ways; way++)
        set[way] = set[way + 1];
    set[way] = 0;
}
