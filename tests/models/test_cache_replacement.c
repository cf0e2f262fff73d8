/* Which line makes room, against independent models. */
#include "cache.h"

#include "check.h"
#include "mock_port.h"
#include "rng.h"

enum { LINE = 64, LATENCY = 4, BELOW = 100 };

static bool holds(PfCache *cache, uint64_t address)
{
    return pf_cache_holds(cache, (PfMaddr){address}, NULL);
}

static void random_replacement(void)
{
    enum { WAYS = 4, MISSES = 4000 };
    PfCacheConfig config = {.size_bytes = WAYS * LINE,
                            .ways = WAYS,
                            .line_bytes = LINE,
                            .replacement = PF_CACHE_RANDOM};
    g_autoptr(PfCache) cache = pf_cache_new(&config, NULL, 7, NULL, NULL);
    uint64_t held[WAYS]; /* oldest first */
    uint32_t evicted[WAYS] = {0};
    for (uint64_t line = 0; line < WAYS; line++) {
        held[line] = line;
        pf_cache_touch(cache, (PfMaddr){line * LINE}, 1, PF_ACCESS_READ, PF_ACTOR_DEMAND);
    }
    for (unsigned i = 0; i < WAYS; i++) /* empty places were used first */
        CU_ASSERT_TRUE(holds(cache, i * LINE));
    for (uint64_t line = WAYS; line < WAYS + MISSES; line++) {
        pf_cache_touch(cache, (PfMaddr){line * LINE}, 1, PF_ACCESS_READ, PF_ACTOR_DEMAND);
        unsigned gone = 0;
        while (gone < WAYS - 1 && holds(cache, held[gone] * LINE))
            gone++;
        evicted[gone]++;
        for (unsigned i = gone; i + 1 < WAYS; i++)
            held[i] = held[i + 1];
        held[WAYS - 1] = line;
        for (unsigned i = 0; i < WAYS; i++)
            CU_ASSERT_TRUE(holds(cache, held[i] * LINE));
    }
    /* Each age goes 1000 times of 4000, deviation sqrt(4000 * 1/4 * 3/4) = 27; five of them. */
    for (unsigned i = 0; i < WAYS; i++)
        CU_ASSERT_TRUE(evicted[i] > 1000 - 5 * 27 && evicted[i] < 1000 + 5 * 27);
    pf_cache_check(cache);
}

/* LRU by time stamps, written from the definition. */
typedef struct {
    uint64_t line, used;
    bool valid, dirty;
} NaiveLine;

/* True for a hit; RET_DIRTY_VICTIM is the line written back, UINT64_MAX for none. */
static bool naive_access(NaiveLine *set, uint32_t ways, uint64_t line, bool is_write,
                         uint64_t time, uint64_t *ret_dirty_victim)
{
    *ret_dirty_victim = UINT64_MAX;
    NaiveLine *victim = &set[0];
    for (uint32_t i = 0; i < ways; i++) {
        if (set[i].valid && set[i].line == line) {
            set[i].used = time;
            set[i].dirty |= is_write;
            return true;
        }
        if (victim->valid && (!set[i].valid || set[i].used < victim->used))
            victim = &set[i];
    }
    if (victim->valid && victim->dirty)
        *ret_dirty_victim = victim->line;
    *victim = (NaiveLine){.line = line, .used = time, .valid = true, .dirty = is_write};
    return false;
}

static void compare_with_naive(uint32_t sets, uint32_t ways, uint64_t seed)
{
    enum { ACCESSES = 20000 };
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = {.size_bytes = (uint64_t)sets * ways * LINE,
                            .ways = ways,
                            .line_bytes = LINE,
                            .latency_cycles = LATENCY};
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    g_autofree NaiveLine *naive = g_new0(NaiveLine, sets * ways);
    PfRng rng = pf_rng_derive(seed, "naive");
    uint32_t wrong = 0;
    for (uint64_t time = 1; time <= ACCESSES; time++) {
        /* Half as many lines again as there is room for: hits and misses. */
        uint64_t line = pf_rng_below(&rng, (uint64_t)sets * ways * 3 / 2 + 1);
        bool is_write = pf_rng_below(&rng, 3) == 0;
        uint64_t dirty_victim;
        bool hit = naive_access(&naive[line % sets * ways], ways, line, is_write, time,
                                &dirty_victim);
        below->count = 0;
        PfRequest request = {.address = {line * LINE},
                             .now_cycles = time,
                             .size_bytes = 8,
                             .kind = is_write ? PF_ACCESS_WRITE : PF_ACCESS_READ};
        uint64_t done_cycles = pf_cache_access(pf_cache_port(cache), &request);
        wrong += done_cycles != time + LATENCY + (hit ? 0 : BELOW);
        uint32_t expected = (hit ? 0U : 1U) + (dirty_victim != UINT64_MAX ? 1U : 0U);
        wrong += below->count != expected;
        if (dirty_victim != UINT64_MAX)
            wrong += below->requests[1].address.bytes != dirty_victim * LINE;
        if (pf_rng_below(&rng, 64) == 0) {
            uint64_t dropped = pf_rng_below(&rng, (uint64_t)sets * ways);
            NaiveLine *set = &naive[dropped % sets * ways];
            uint64_t dirty = 0;
            for (uint32_t i = 0; i < ways; i++)
                if (set[i].valid && set[i].line == dropped) {
                    dirty = set[i].dirty;
                    set[i] = (NaiveLine){0};
                }
            wrong += pf_cache_invalidate_range(cache, (PfMaddr){dropped * LINE}, LINE) != dirty;
        }
    }
    pf_cache_check(cache);
    CU_ASSERT_EQUAL(wrong, 0);
}

static void naive_model(void)
{
    static const struct {
        uint32_t sets, ways;
    } geometries[] = {{1, 1}, {8, 1}, {1, 3}, {4, 2}, {16, 8}, {8, 12}, {1, 64}};
    for (uint64_t i = 0; i < G_N_ELEMENTS(geometries); i++) {
        printf("# seed %u, %u sets, %u ways\n", (unsigned)i, geometries[i].sets,
               geometries[i].ways);
        compare_with_naive(geometries[i].sets, geometries[i].ways, i);
    }
}

static const PfCheck checks[] = {
    {"random replacement fills empty places first and evicts every age alike",
     random_replacement},
    {"a naive LRU model agrees on hits, victims and write-backs", naive_model},
};

PF_CHECK_MAIN("cache_replacement", checks)
