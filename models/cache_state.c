/* A level without time: what it is, what it holds, what it forgets. */
#include <string.h>

#include "cache_internal.h"

const PfCacheStats *pf_cache_stats(const PfCache *cache)
{
    return cache->stats;
}

PfPort *pf_cache_port(PfCache *cache)
{
    return &cache->port;
}

bool pf_cache_writes_through(const PfCache *cache)
{
    return cache->writes_through;
}

PfCache *pf_cache_lower(const PfCache *cache)
{
    return cache->lower;
}

uint32_t pf_cache_line_bytes(const PfCache *cache)
{
    return cache->line_bytes;
}

void pf_cache_keep_coherent(PfCache *cache, PfPort *gate, uint64_t reach_cycles)
{
    cache->gate = gate;
    cache->reach_cycles = reach_cycles;
}

bool pf_cache_touch(PfCache *cache, PfMaddr address, uint32_t size_bytes, PfAccessKind kind,
                    PfActor actor)
{
    g_assert(size_bytes > 0);
    bool is_write = kind == PF_ACCESS_WRITE;
    uint64_t last = (address.bytes + size_bytes - 1) >> cache->line_shift;
    uint64_t dirty = is_write && !cache->writes_through ? ENTRY_DIRTY : 0;
    bool hit = true;
    for (uint64_t line = address.bytes >> cache->line_shift; line <= last; line++) {
        uint64_t *set = pf_cache_set_of(cache, line);
        uint64_t key = pf_cache_key(line);
        uint32_t way = pf_cache_find(cache, set, key);
        if (way < cache->ways) {
            *pf_cache_renew(cache, set, way) |= dirty;
            continue;
        }
        hit = false;
        if (!is_write || cache->write_allocates)
            pf_cache_put(cache, set, key, dirty, actor);
    }
    cache->stats->accesses[kind]++;
    cache->stats->accesses_by_actor[actor]++;
    if (!hit) {
        cache->stats->misses[kind]++;
        cache->stats->misses_by_actor[actor]++;
    }
    return hit;
}

/* Drops the lines first .. last that stand in SET; returns how many, and adds the dirty ones. */
static uint64_t drop_in_set(const PfCache *cache, uint64_t *set, uint64_t first, uint64_t last,
                            uint64_t *dirty)
{
    uint64_t dropped = 0;
    for (uint32_t way = 0; way < cache->ways;) {
        uint64_t line = set[way] >> ENTRY_SHIFT;
        if ((set[way] & ENTRY_VALID) == 0 || line < first || line > last) {
            way++;
            continue;
        }
        dropped++;
        *dirty += (set[way] & ENTRY_DIRTY) != 0;
        pf_cache_remove(cache, set, way);
    }
    return dropped;
}

uint64_t pf_cache_drop(PfCache *cache, PfMaddr address, uint64_t bytes, uint64_t *dirty)
{
    *dirty = 0;
    if (bytes == 0)
        return 0;
    uint64_t first = address.bytes >> cache->line_shift;
    uint64_t last = (address.bytes + bytes - 1) >> cache->line_shift;
    /* Each line of a short range has its own set; a long range comes by every set once. */
    uint64_t sets = MIN(last - first, cache->set_mask) + 1;
    uint64_t dropped = 0;
    for (uint64_t i = 0; i < sets; i++)
        dropped += drop_in_set(cache, pf_cache_set_of(cache, first + i), first, last, dirty);
    return dropped;
}

uint64_t pf_cache_invalidate_range(PfCache *cache, PfMaddr address, uint64_t bytes)
{
    uint64_t dirty;
    pf_cache_drop(cache, address, bytes, &dirty);
    return dirty;
}

bool pf_cache_back_invalidate(const PfCache *cache, PfMaddr address, uint32_t bytes)
{
    bool dirty = false;
    for (guint i = 0; i < cache->upper->len; i++) {
        PfCache *upper = g_ptr_array_index(cache->upper, i);
        uint64_t dirty_lines;
        upper->stats->back_invalidations += pf_cache_drop(upper, address, bytes, &dirty_lines);
        dirty |= dirty_lines > 0;
        dirty |= pf_cache_back_invalidate(upper, address, bytes);
    }
    return dirty;
}

bool pf_cache_may_take(const PfCache *cache, uint64_t victim)
{
    PfMaddr address = {victim >> ENTRY_SHIFT << cache->line_shift};
    for (; cache->keeps_included; cache = cache->lower)
        if (cache->lower->inclusion == PF_CACHE_INCLUSIVE &&
            !pf_cache_holds(cache->lower, address, NULL))
            return false;
    return true;
}

bool pf_cache_revoke(PfCache *cache, PfMaddr address, bool *ret_dirty)
{
    uint64_t dirty;
    bool held = pf_cache_drop(cache, address, 1, &dirty) > 0;
    cache->stats->invalidations += held;
    *ret_dirty = dirty > 0;
    PfMaddr line = {address.bytes >> cache->line_shift << cache->line_shift};
    if (held && cache->inclusion == PF_CACHE_INCLUSIVE)
        *ret_dirty |= pf_cache_back_invalidate(cache, line, cache->line_bytes);
    return held;
}

bool pf_cache_clean(PfCache *cache, PfMaddr address)
{
    uint64_t line = address.bytes >> cache->line_shift;
    uint64_t *set = pf_cache_set_of(cache, line);
    uint32_t way = pf_cache_find(cache, set, pf_cache_key(line));
    if (way == cache->ways || (set[way] & ENTRY_DIRTY) == 0)
        return false;
    set[way] &= ~(uint64_t)ENTRY_DIRTY;
    return true;
}

bool pf_cache_holds(const PfCache *cache, PfMaddr address, bool *ret_dirty)
{
    uint64_t line = address.bytes >> cache->line_shift;
    const uint64_t *set = pf_cache_set_of(cache, line);
    uint32_t way = pf_cache_find(cache, set, pf_cache_key(line));
    if (way == cache->ways)
        return false;
    if (ret_dirty != NULL)
        *ret_dirty = (set[way] & ENTRY_DIRTY) != 0;
    return true;
}

void pf_cache_visit(const PfCache *cache, PfCacheVisitor visit, void *user)
{
    uint64_t count = (cache->set_mask + 1) * cache->ways;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t entry = cache->entries[i];
        if ((entry & ENTRY_VALID) != 0)
            visit((PfMaddr){entry >> ENTRY_SHIFT << cache->line_shift}, (entry & ENTRY_DIRTY) != 0,
                  user);
    }
}

void pf_cache_reset_state(PfCache *cache)
{
    memset(cache->entries, 0, (cache->set_mask + 1) * cache->ways * sizeof(*cache->entries));
    memset(cache->busy_until, 0, cache->mshrs * sizeof(*cache->busy_until));
}

/* All that the levels above LEVEL hold CACHE holds, too. */
static void check_included(const PfCache *cache, const PfCache *level)
{
    for (guint i = 0; i < level->upper->len; i++) {
        const PfCache *upper = g_ptr_array_index(level->upper, i);
        uint64_t count = (upper->set_mask + 1) * upper->ways;
        for (uint64_t j = 0; j < count; j++) {
            PfMaddr address = {upper->entries[j] >> ENTRY_SHIFT << upper->line_shift};
            g_assert((upper->entries[j] & ENTRY_VALID) == 0 ||
                     pf_cache_holds(cache, address, NULL));
        }
        check_included(cache, upper);
    }
}

void pf_cache_check(const PfCache *cache)
{
    for (uint64_t index = 0; index <= cache->set_mask; index++) {
        const uint64_t *set = cache->entries + index * cache->ways;
        for (uint32_t way = 0; way < cache->ways; way++) {
            if ((set[way] & ENTRY_VALID) == 0) {
                g_assert(cache->replacement != PF_CACHE_LRU || way + 1 == cache->ways ||
                         set[way + 1] == 0);
                continue;
            }
            g_assert((set[way] >> ENTRY_SHIFT & cache->set_mask) == index);
            g_assert((set[way] & ENTRY_DIRTY) == 0 || !cache->writes_through);
            g_assert(pf_cache_find(cache, set, set[way] & ENTRY_KEY) == way);
        }
    }
    if (cache->inclusion == PF_CACHE_INCLUSIVE)
        check_included(cache, cache);
}
