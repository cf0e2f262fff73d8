/* Translation: two levels of TLB and walks. */
#include "mmu.h"

#include "check.h"

enum { CACHE_LATENCY = 1, MEMORY_LATENCY = 10, SECOND_LATENCY = 7 };

typedef struct {
    PfStats *stats;
    PfMmu mmu;
    PfCache *cache;
} Fixture;

static uint64_t answer(PfPort *port, const PfRequest *request)
{
    (void)port;
    return request->now_cycles + MEMORY_LATENCY;
}

static const PfPortOps memory_ops = {.access = answer};
static PfPort memory_port = {&memory_ops};

static void set_up(Fixture *fixture, uint64_t second_entries)
{
    const PfMmuConfig config = {
        .first = {.entries = 2, .ways = 2, .latency_cycles = 1},
        .second = {.entries = second_entries, .ways = 4, .latency_cycles = SECOND_LATENCY},
        .walk = {.levels = 4, .host_levels = 4}};
    const PfCacheConfig cache = {
        .name = (char *)(uintptr_t) "l1", .size_bytes = 4096, .ways = 64, .line_bytes = 64,
        .latency_cycles = CACHE_LATENCY};
    g_autoptr(GError) error = NULL;
    fixture->stats = pf_stats_new();
    bool made = pf_mmu_init(&fixture->mmu, &config, 2, 12, fixture->stats, &error);
    CU_ASSERT_TRUE_FATAL(made);
    fixture->cache = pf_cache_new(&cache, &memory_port, 1, NULL, NULL);
}

static void tear_down(Fixture *fixture)
{
    pf_mmu_check(&fixture->mmu);
    pf_mmu_clear(&fixture->mmu);
    pf_cache_free(fixture->cache);
    pf_stats_free(fixture->stats);
}

static uint64_t count(const Fixture *fixture, const char *name)
{
    PfStatValue value;
    CU_ASSERT_TRUE(pf_stats_find(fixture->stats, name, &value));
    return value.u;
}

static const PfTlbEntry *refill(Fixture *fixture, const PfTranslation *translation,
                                uint64_t *ret_cycles)
{
    return pf_mmu_refill(&fixture->mmu, translation, fixture->cache, 1000, ret_cycles);
}

static void test_walk_cycles(void)
{
    Fixture fixture;
    set_up(&fixture, 8);
    PfTranslation native = {.page = {5}, .space = 1};
    uint64_t cycles;
    CU_ASSERT_PTR_NULL(pf_mmu_lookup(&fixture.mmu, &native));
    CU_ASSERT_PTR_NULL(refill(&fixture, &native, &cycles));
    /* Four entries, one after the other, each from memory; before that the second level. */
    CU_ASSERT_EQUAL(cycles, SECOND_LATENCY + 4 * (CACHE_LATENCY + MEMORY_LATENCY));
    CU_ASSERT_EQUAL(count(&fixture, "walk.walks"), 1);
    CU_ASSERT_EQUAL(count(&fixture, "walk.references"), 4);
    /* The neighbour's four entries lie in the same lines. */
    native.page.number = 6;
    CU_ASSERT_PTR_NULL(refill(&fixture, &native, &cycles));
    CU_ASSERT_EQUAL(cycles, SECOND_LATENCY + 4 * CACHE_LATENCY);
    tear_down(&fixture);
}

static void test_nested_walk(void)
{
    Fixture fixture;
    set_up(&fixture, 0);
    PfTranslation nested = {.page = {5}, .space = 1, .nested = true};
    uint64_t cycles;
    CU_ASSERT_PTR_NULL(refill(&fixture, &nested, &cycles));
    /* (4 + 1)(4 + 1) - 1; without a second level nothing comes before it. */
    CU_ASSERT_EQUAL(count(&fixture, "walk.references"), 24);
    CU_ASSERT_TRUE(cycles <= 24 * (CACHE_LATENCY + MEMORY_LATENCY));
    CU_ASSERT_TRUE(cycles >= 24 * CACHE_LATENCY);
    tear_down(&fixture);
}

static void test_second_level(void)
{
    Fixture fixture;
    set_up(&fixture, 8);
    PfTranslation translation = {.page = {0}, .space = 1};
    for (uint64_t page = 0; page < 3; page++) {
        translation.page.number = page;
        pf_mmu_insert(&fixture.mmu, &translation, (PfMpn){(uint32_t)page + 40}, page == 0);
    }
    /* Page 0 has left the first level, which has two places. */
    uint64_t cycles;
    translation.page.number = 0;
    CU_ASSERT_PTR_NULL(pf_mmu_lookup(&fixture.mmu, &translation));
    const PfTlbEntry *entry = refill(&fixture, &translation, &cycles);
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CU_ASSERT_EQUAL(entry->mpn.number, 40);
    CU_ASSERT_TRUE(entry->writable);
    CU_ASSERT_EQUAL(cycles, SECOND_LATENCY);
    CU_ASSERT_EQUAL(count(&fixture, "walk.walks"), 0);
    /* Now it is in the first level again, with its permission. */
    entry = pf_mmu_lookup(&fixture.mmu, &translation);
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CU_ASSERT_TRUE(entry->writable);
    tear_down(&fixture);
}

static void test_sides(void)
{
    Fixture fixture;
    set_up(&fixture, 8);
    PfTranslation translation = {.page = {3}, .space = 1};
    pf_mmu_insert(&fixture.mmu, &translation, (PfMpn){9}, true);
    CU_ASSERT_PTR_NOT_NULL(pf_mmu_lookup(&fixture.mmu, &translation));
    translation.is_fetch = true;
    CU_ASSERT_PTR_NULL(pf_mmu_lookup(&fixture.mmu, &translation));
    uint64_t cycles; /* the second level serves both sides */
    CU_ASSERT_PTR_NOT_NULL(refill(&fixture, &translation, &cycles));
    translation.space = 2;
    CU_ASSERT_PTR_NULL(pf_mmu_lookup(&fixture.mmu, &translation));
    translation.space = 1;
    translation.core = 1;
    CU_ASSERT_PTR_NULL(pf_mmu_lookup(&fixture.mmu, &translation));
    CU_ASSERT_PTR_NULL(refill(&fixture, &translation, &cycles));
    tear_down(&fixture);
}

/* Whether any level of core 0 knows PAGE of SPACE. */
static bool knows(Fixture *fixture, uint32_t space, uint64_t page)
{
    const PfMmuCore *core = &fixture->mmu.cores[0];
    PfTlb *const tlbs[] = {core->instruction, core->data, core->second};
    bool found = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbs); i++)
        found |= pf_tlb_holds(tlbs[i], space, (PfVpn){page});
    return found;
}

static void fill(Fixture *fixture)
{
    for (uint32_t i = 0; i < 4; i++) {
        PfTranslation translation = {
            .page = {i / 2}, .space = 1 + i / 2, .is_fetch = i % 2 != 0};
        pf_mmu_insert(&fixture->mmu, &translation, (PfMpn){i}, false);
    }
}

static void test_invalidate(void)
{
    Fixture fixture;
    set_up(&fixture, 8);
    fill(&fixture);
    CU_ASSERT_TRUE(knows(&fixture, 1, 0) && knows(&fixture, 2, 1));
    pf_mmu_invalidate(&fixture.mmu, 1, 1, (PfVpn){0}, false); /* another core's */
    CU_ASSERT_TRUE(knows(&fixture, 1, 0));
    pf_mmu_invalidate(&fixture.mmu, 0, 1, (PfVpn){0}, false);
    CU_ASSERT_TRUE(!knows(&fixture, 1, 0) && knows(&fixture, 2, 1));
    pf_mmu_invalidate(&fixture.mmu, 0, 2, (PfVpn){77}, true);
    CU_ASSERT_FALSE(knows(&fixture, 2, 1));
    fill(&fixture);
    pf_mmu_invalidate_range(&fixture.mmu, 0, 2, (PfVpn){2}, 5);
    CU_ASSERT_TRUE(knows(&fixture, 2, 1));
    pf_mmu_invalidate_range(&fixture.mmu, 0, 2, (PfVpn){0}, UINT64_MAX);
    CU_ASSERT_TRUE(knows(&fixture, 1, 0) && !knows(&fixture, 2, 1));
    pf_mmu_reset_state(&fixture.mmu);
    CU_ASSERT_FALSE(knows(&fixture, 1, 0));
    tear_down(&fixture);
}

static void test_bad_geometry(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    g_autoptr(GError) error = NULL;
    const PfMmuConfig config = {.first = {.entries = 6, .ways = 4, .latency_cycles = 1},
                                .walk = {.levels = 4, .host_levels = 4}};
    PfMmu mmu;
    CU_ASSERT_FALSE(pf_mmu_init(&mmu, &config, 2, 12, stats, &error));
    CU_ASSERT_PTR_NOT_NULL(error);
    pf_mmu_clear(&mmu);
}

static const PfCheck checks[] = {
    {"a walk reads its entries one after the other through the data cache", test_walk_cycles},
    {"a nested walk of 4 and 4 levels reads 24 entries", test_nested_walk},
    {"the second level answers for its latency and refills the first", test_second_level},
    {"sides, spaces and cores do not share first-level entries", test_sides},
    {"an invalidation reaches every level of one core", test_invalidate},
    {"a TLB that cannot be built is an error", test_bad_geometry},
};

PF_CHECK_MAIN("mmu", checks)
