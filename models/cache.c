#include "cache.h"

#include <assert.h>
#include <string.h>

#include "error.h"
#include "rng.h"
#include "units.h"

/* Of a run, under way at a time: a page. */
enum { RUN_LINES = 64 };

/* An entry is a line number, shifted, and these bits; 0 is an empty place. */
enum { ENTRY_VALID = 1, ENTRY_DIRTY = 2, ENTRY_SHIFT = 2 };

static_assert(PF_CACHE_LINE_BYTES_MIN >= 1 << ENTRY_SHIFT, "bits of an entry beside the line");

struct PfCache {
    PfPort port;
    unsigned line_shift;
    uint32_t ways;
    uint64_t set_mask;
    /* Sets of `ways` entries, most recent first, empty places last. Moving to the front costs a
     * few stores of one host cache line and makes the victim of true LRU simply the last entry. */
    uint64_t *entries;
    uint64_t latency_cycles;
    PfCacheStats *stats;
    PfPort *next;
    uint32_t line_bytes;
    bool random;
    PfRng rng;
    PfCacheStats own_stats;
};

static uint64_t *set_of(const PfCache *cache, uint64_t line)
{
    return cache->entries + (line & cache->set_mask) * cache->ways;
}

/* Looks for KEY behind the first of the WAYS places of SET and moves it to the front, with DIRTY
 * added; the others move back by one as the search passes them. Where it is not found it is put in
 * front all the same, and *RET_VICTIM is the entry that fell out, the last, 0 if there was room. */
static inline bool renew_among(uint64_t *set, uint32_t ways, uint64_t key, uint64_t dirty,
                               uint64_t *ret_victim)
{
    uint64_t carried = set[0];
    for (uint32_t way = 1; way < ways; way++) {
        uint64_t entry = set[way];
        set[way] = carried;
        if ((entry & ~(uint64_t)ENTRY_DIRTY) == key) {
            set[0] = entry | dirty;
            return true;
        }
        carried = entry;
    }
    set[0] = key | dirty;
    *ret_victim = carried;
    return false;
}

/* Random replacement: the entry that falls out is any of those that stood there before. */
static bool renew_at_random(PfCache *cache, uint64_t *set, uint64_t key, uint64_t dirty,
                            uint64_t *ret_victim)
{
    if (renew_among(set, cache->ways, key, dirty, ret_victim))
        return true;
    if (*ret_victim == 0)
        return false;
    /* The entries stand one place behind where they stood, the last one outside. */
    uint64_t chosen = pf_rng_below(&cache->rng, cache->ways);
    if (chosen + 1 < cache->ways) {
        uint64_t last = *ret_victim;
        *ret_victim = set[chosen + 1];
        set[chosen + 1] = last;
    }
    return false;
}

/* Where KEY is not in front; with numbers of ways that the compiler knows, for those that most
 * caches have. */
static bool renew_behind_first(PfCache *cache, uint64_t *set, uint64_t key, uint64_t dirty,
                               uint64_t *ret_victim)
{
    if (G_UNLIKELY(cache->random))
        return renew_at_random(cache, set, key, dirty, ret_victim);
    switch (cache->ways) {
    case 8:
        return renew_among(set, 8, key, dirty, ret_victim);
    case 16:
        return renew_among(set, 16, key, dirty, ret_victim);
    default:
        return renew_among(set, cache->ways, key, dirty, ret_victim);
    }
}

static inline bool renew(PfCache *cache, uint64_t line, uint64_t dirty, uint64_t *ret_victim)
{
    uint64_t *set = set_of(cache, line);
    uint64_t key = line << ENTRY_SHIFT | ENTRY_VALID;
    if ((set[0] & ~(uint64_t)ENTRY_DIRTY) == key) {
        if (dirty != 0)
            set[0] |= dirty;
        return true;
    }
    return renew_behind_first(cache, set, key, dirty, ret_victim);
}

static void count_miss(PfCache *cache, PfAccessKind kind, PfActor actor)
{
    cache->stats->misses[kind]++;
    cache->stats->misses_by_actor[actor]++;
}

/* Posts VICTIM, which is dirty, to the next level, as long after FILL as that was sent; when it is
 * taken. */
static uint64_t write_back(PfCache *cache, const PfRequest *fill, uint64_t victim)
{
    PfRequest request = *fill;
    request.address.bytes = victim >> ENTRY_SHIFT << cache->line_shift;
    request.kind = PF_ACCESS_WRITE;
    cache->stats->writebacks++;
    return pf_port_wait(cache->next, pf_port_access(cache->next, &request));
}

/* The rest of a miss: the fill, then the victim's write-back. */
static uint64_t miss(PfCache *cache, const PfRequest *request, uint64_t line, uint64_t victim)
{
    uint64_t offset = request->address.bytes & (cache->line_bytes - 1);
    g_assert(request->size_bytes > 0 && offset + request->size_bytes <= cache->line_bytes);
    count_miss(cache, request->kind, request->actor);

    uint64_t issue_cycles = request->now_cycles + cache->latency_cycles;
    uint64_t done_cycles = issue_cycles;
    PfRequest below = {
        .address = {line << cache->line_shift},
        .now_cycles = issue_cycles,
        .size_bytes = cache->line_bytes,
        .core = request->core,
        .kind = request->kind == PF_ACCESS_FETCH ? PF_ACCESS_FETCH : PF_ACCESS_READ,
        .actor = request->actor,
    };
    if (request->kind != PF_ACCESS_WRITE || request->size_bytes < cache->line_bytes)
        done_cycles = pf_port_access(cache->next, &below);
    if ((victim & ENTRY_DIRTY) == 0)
        return done_cycles;
    uint64_t taken_cycles = write_back(cache, &below, victim);
    return MAX(done_cycles, taken_cycles); /* a ticket is later than that */
}

static uint64_t resolve(PfPort *port, uint64_t ticket)
{
    return pf_port_wait(((PfCache *)port)->next, ticket);
}

uint64_t pf_cache_access(PfPort *port, const PfRequest *request)
{
    PfCache *cache = (PfCache *)port;
    uint64_t line = request->address.bytes >> cache->line_shift;
    uint64_t dirty = request->kind == PF_ACCESS_WRITE ? ENTRY_DIRTY : 0;
    uint64_t victim;
    cache->stats->accesses[request->kind]++;
    if (renew(cache, line, dirty, &victim))
        return request->now_cycles + cache->latency_cycles;
    return miss(cache, request, line, victim);
}

static const PfPortOps port_ops = {.access = pf_cache_access, .resolve = resolve};

static void register_stats(const PfCacheStats *stats, PfStatsGroup *group)
{
    pf_stats_counter(group, "fetches", "events", "Instruction fetches that asked this level.",
                     &stats->accesses[PF_ACCESS_FETCH]);
    pf_stats_counter(group, "fetch_misses", "events", "Fetches whose line was not held.",
                     &stats->misses[PF_ACCESS_FETCH]);
    pf_stats_counter(group, "reads", "events",
                     "Reads that asked this level, misses of stores above it included.",
                     &stats->accesses[PF_ACCESS_READ]);
    pf_stats_counter(group, "read_misses", "events", "Reads whose line was not held.",
                     &stats->misses[PF_ACCESS_READ]);
    pf_stats_counter(group, "writes", "events",
                     "Stores of a core, or write-backs from the level above.",
                     &stats->accesses[PF_ACCESS_WRITE]);
    pf_stats_counter(group, "write_misses", "events", "Writes whose line was not held.",
                     &stats->misses[PF_ACCESS_WRITE]);
    pf_stats_counter(group, "writebacks", "events", "Dirty lines evicted to the next level.",
                     &stats->writebacks);
    pf_stats_counter(group, "misses_demand", "events", "Misses of what contexts themselves do.",
                     &stats->misses_by_actor[PF_ACTOR_DEMAND]);
    pf_stats_counter(group, "misses_walker", "events", "Misses of page walks.",
                     &stats->misses_by_actor[PF_ACTOR_WALKER]);
    pf_stats_counter(group, "misses_policy", "events", "Misses of work done for a policy.",
                     &stats->misses_by_actor[PF_ACTOR_POLICY]);
}

PfCache *pf_cache_new(const PfCacheConfig *config, PfPort *next, uint64_t seed,
                      PfStatsGroup *stats, GError **error)
{
    uint64_t sets;
    if (!pf_cache_check_geometry(config, &sets, error))
        return NULL;

    PfCache *cache = g_new0(PfCache, 1);
    cache->port.ops = &port_ops;
    cache->line_shift = pf_log2(config->line_bytes);
    cache->line_bytes = (uint32_t)config->line_bytes;
    cache->ways = (uint32_t)config->ways;
    cache->set_mask = sets - 1;
    cache->latency_cycles = config->latency_cycles;
    cache->random = config->replacement == PF_CACHE_RANDOM;
    cache->rng = pf_rng_derive(seed, "cache-replacement");
    cache->next = next;
    cache->stats = &cache->own_stats;
    /* Eight ways are then just one cache line of the host. */
    cache->entries = g_aligned_alloc0(sets * config->ways, sizeof(uint64_t), 64);
    if (stats != NULL)
        register_stats(cache->stats, stats);
    return cache;
}

void pf_cache_free(PfCache *cache)
{
    if (cache == NULL)
        return;
    g_aligned_free(cache->entries);
    g_free(cache);
}

void pf_cache_count_into(PfCache *cache, PfCache *owner)
{
    g_assert(owner->stats == &owner->own_stats);
    cache->stats = &owner->own_stats;
}

const PfCacheStats *pf_cache_stats(const PfCache *cache)
{
    return cache->stats;
}

PfPort *pf_cache_port(PfCache *cache)
{
    return &cache->port;
}

/* *DONE_CYCLES is not before any of the ANSWERS of the next level, of which none are left. */
static void wait_for_all(const PfCache *cache, const uint64_t *answers, unsigned *count,
                         uint64_t *done_cycles)
{
    for (unsigned i = 0; i < *count; i++) {
        uint64_t answer = pf_port_wait(cache->next, answers[i]);
        *done_cycles = MAX(*done_cycles, answer);
    }
    *count = 0;
}

uint64_t pf_cache_run(PfCache *cache, const PfRequest *first, uint32_t lines)
{
    uint64_t line = first->address.bytes >> cache->line_shift;
    uint64_t dirty = first->kind == PF_ACCESS_WRITE ? ENTRY_DIRTY : 0;
    PfRequest below = {
        .size_bytes = cache->line_bytes,
        .core = first->core,
        .kind = first->kind == PF_ACCESS_FETCH ? PF_ACCESS_FETCH : PF_ACCESS_READ,
        .actor = first->actor,
    };
    uint64_t done_cycles = first->now_cycles;
    if (lines > 0)
        done_cycles += lines - 1 + cache->latency_cycles;
    uint64_t misses = 0;
    uint64_t answers[RUN_LINES];
    unsigned answer_count = 0;
    for (uint32_t i = 0; i < lines; i++) {
        uint64_t victim;
        if (renew(cache, line + i, dirty, &victim))
            continue;
        misses++;
        below.now_cycles = first->now_cycles + i + cache->latency_cycles;
        if (dirty == 0) {
            below.address.bytes = (line + i) << cache->line_shift;
            answers[answer_count++] = pf_port_access(cache->next, &below);
            if (answer_count == RUN_LINES)
                wait_for_all(cache, answers, &answer_count, &done_cycles);
        }
        if ((victim & ENTRY_DIRTY) != 0) {
            uint64_t taken_cycles = write_back(cache, &below, victim);
            done_cycles = MAX(done_cycles, taken_cycles);
        }
    }
    wait_for_all(cache, answers, &answer_count, &done_cycles);
    cache->stats->accesses[first->kind] += lines;
    cache->stats->misses[first->kind] += misses;
    cache->stats->misses_by_actor[first->actor] += misses;
    return done_cycles;
}

bool pf_cache_touch(PfCache *cache, PfMaddr address, uint32_t size_bytes, PfAccessKind kind,
                    PfActor actor)
{
    g_assert(size_bytes > 0);
    uint64_t last = (address.bytes + size_bytes - 1) >> cache->line_shift;
    uint64_t dirty = kind == PF_ACCESS_WRITE ? ENTRY_DIRTY : 0;
    bool hit = true;
    for (uint64_t line = address.bytes >> cache->line_shift; line <= last; line++) {
        uint64_t victim = 0;
        hit &= renew(cache, line, dirty, &victim);
        cache->stats->writebacks += (victim & ENTRY_DIRTY) != 0;
    }
    cache->stats->accesses[kind]++;
    if (!hit)
        count_miss(cache, kind, actor);
    return hit;
}

/* Drops the lines first .. last that stand in SET; returns how many were dirty. */
static uint64_t invalidate_in_set(const PfCache *cache, uint64_t *set, uint64_t first,
                                  uint64_t last)
{
    uint64_t dirty = 0;
    uint32_t way = 0;
    while (way < cache->ways && set[way] != 0) {
        uint64_t line = set[way] >> ENTRY_SHIFT;
        if (line < first || line > last) {
            way++;
            continue;
        }
        dirty += (set[way] & ENTRY_DIRTY) != 0;
        memmove(set + way, set + way + 1, (cache->ways - way - 1) * sizeof(*set));
        set[cache->ways - 1] = 0;
    }
    return dirty;
}

uint64_t pf_cache_invalidate_range(PfCache *cache, PfMaddr address, uint64_t bytes)
{
    if (bytes == 0)
        return 0;
    uint64_t first = address.bytes >> cache->line_shift;
    uint64_t last = (address.bytes + bytes - 1) >> cache->line_shift;
    /* Each line of a short range has its own set; a long range comes by every set once. */
    uint64_t sets = MIN(last - first, cache->set_mask) + 1;
    uint64_t dirty = 0;
    for (uint64_t i = 0; i < sets; i++)
        dirty += invalidate_in_set(cache, set_of(cache, first + i), first, last);
    return dirty;
}

bool pf_cache_holds(const PfCache *cache, PfMaddr address, bool *ret_dirty)
{
    uint64_t line = address.bytes >> cache->line_shift;
    const uint64_t *set = set_of(cache, line);
    for (uint32_t way = 0; way < cache->ways; way++)
        if (set[way] != 0 && set[way] >> ENTRY_SHIFT == line) {
            if (ret_dirty != NULL)
                *ret_dirty = (set[way] & ENTRY_DIRTY) != 0;
            return true;
        }
    return false;
}

void pf_cache_reset_state(PfCache *cache)
{
    memset(cache->entries, 0, (cache->set_mask + 1) * cache->ways * sizeof(*cache->entries));
}

void pf_cache_check(const PfCache *cache)
{
    for (uint64_t index = 0; index <= cache->set_mask; index++) {
        const uint64_t *set = cache->entries + index * cache->ways;
        for (uint32_t way = 0; way < cache->ways; way++) {
            if (set[way] == 0) {
                g_assert(way + 1 == cache->ways || set[way + 1] == 0);
                continue;
            }
            g_assert((set[way] & ENTRY_VALID) != 0);
            g_assert((set[way] >> ENTRY_SHIFT & cache->set_mask) == index);
            for (uint32_t other = 0; other < way; other++)
                g_assert(set[other] >> ENTRY_SHIFT != set[way] >> ENTRY_SHIFT);
        }
    }
}
