/* Translation: two levels of TLB and walks. */
#include "mmu_fixture.h"

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
    pf_mmu_invalidate(&fixture.mmu, 1, 1, (PfVpn){0}, 1); /* another core's */
    CU_ASSERT_TRUE(knows(&fixture, 1, 0));
    pf_mmu_invalidate(&fixture.mmu, 0, 1, (PfVpn){0}, 1);
    CU_ASSERT_TRUE(!knows(&fixture, 1, 0) && knows(&fixture, 2, 1));
    pf_mmu_invalidate(&fixture.mmu, 0, 2, (PfVpn){0}, UINT64_MAX);
    CU_ASSERT_FALSE(knows(&fixture, 2, 1));
    fill(&fixture);
    pf_mmu_invalidate(&fixture.mmu, 0, 2, (PfVpn){2}, 5);
    CU_ASSERT_TRUE(knows(&fixture, 2, 1));
    pf_mmu_invalidate(&fixture.mmu, 0, 2, (PfVpn){0}, UINT64_MAX);
    CU_ASSERT_TRUE(knows(&fixture, 1, 0) && !knows(&fixture, 2, 1));
    pf_mmu_reset_state(&fixture.mmu);
    CU_ASSERT_FALSE(knows(&fixture, 1, 0));
    tear_down(&fixture);
}

static void test_bad_geometry(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    g_autoptr(GError) error = NULL;
    PfMmuConfig config = config_of(8);
    config.data.entries = 6;
    PfMmu mmu;
    CU_ASSERT_FALSE(pf_mmu_init(&mmu, &config, 2, 12, stats, &error));
    CU_ASSERT_PTR_NOT_NULL(error);
    pf_mmu_clear(&mmu);
}

static void test_splintering(void)
{
    Fixture fixture;
    set_up(&fixture, 8);
    PfTranslation nested = {
        .page = {700}, .space = 1, .nested = true, .size_shift = 9, .host_size_shift = 0};
    pf_mmu_insert(&fixture.mmu, &nested, (PfMpn){9000}, true);
    /* The guest's large page is mapped by the host in base pages: one of those is covered. */
    CU_ASSERT_PTR_NOT_NULL(pf_mmu_lookup(&fixture.mmu, &nested));
    nested.page.number = 701;
    CU_ASSERT_PTR_NULL(pf_mmu_lookup(&fixture.mmu, &nested));
    nested.host_size_shift = 18;
    pf_mmu_insert(&fixture.mmu, &nested, (PfMpn){5 * 512 + 701 - 512}, true);
    nested.page.number = 1023; /* 512 .. 1023 is the smaller of the two */
    const PfTlbEntry *entry = pf_mmu_lookup(&fixture.mmu, &nested);
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CU_ASSERT_EQUAL(pf_tlb_entry_frame(entry, nested.page).number, 5 * 512 + 511);
    nested.page.number = 1024;
    CU_ASSERT_PTR_NULL(pf_mmu_lookup(&fixture.mmu, &nested));
    /* A walk ends where each mapping does: 3 and 2 levels, (3 + 1)(2 + 1) - 1. */
    uint64_t cycles;
    refill(&fixture, &nested, &cycles);
    CU_ASSERT_EQUAL(count(&fixture, "walk.references"), 11);
    tear_down(&fixture);
}

static void test_pieces(void)
{
    /* A second level that holds huge pages in large pieces, a first that holds them whole. */
    PfMmuConfig config = config_of(8);
    config.second.huge.held = PF_TLB_PIECES;
    Fixture fixture;
    set_up_with(&fixture, &config);
    PfTranslation huge = {.page = {5 * 512}, .space = 1, .size_shift = 18};
    pf_mmu_insert(&fixture.mmu, &huge, (PfMpn){5 * 512}, true);
    pf_tlb_flush(fixture.mmu.cores[0].data);
    uint64_t cycles;
    CU_ASSERT_PTR_NOT_NULL(refill(&fixture, &huge, &cycles));
    huge.page.number = 17 * 512;
    const PfTlbEntry *entry = pf_mmu_lookup(&fixture.mmu, &huge);
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CU_ASSERT_EQUAL(pf_tlb_entry_frame(entry, huge.page).number, 17 * 512);
    tear_down(&fixture);
}

static void test_tags(void)
{
    PfMmuConfig config = config_of(8);
    config.tags = 2;
    Fixture fixture;
    set_up_with(&fixture, &config);
    visit(&fixture, 0, 0);
    visit(&fixture, 0, 1);
    visit(&fixture, 0, 0);
    CU_ASSERT_TRUE(knows(&fixture, 0, 0) && knows(&fixture, 1, 1));
    /* The third takes the tag of 1, which was left longer ago than 0. */
    visit(&fixture, 0, 2);
    CU_ASSERT_TRUE(knows(&fixture, 0, 0) && !knows(&fixture, 1, 1) && knows(&fixture, 2, 2));
    CU_ASSERT_FALSE(pf_mmu_sees(&fixture.mmu, 0, 1));
    CU_ASSERT_EQUAL(count(&fixture, "tlb.switch_flushes"), 1);
    tear_down(&fixture);
}

static void test_one_tag(void)
{
    PfMmuConfig config = config_of(8);
    config.tags = 1;
    Fixture fixture;
    set_up_with(&fixture, &config);
    visit(&fixture, 0, 0);
    visit(&fixture, 0, 0);
    CU_ASSERT_TRUE(knows(&fixture, 0, 0));
    visit(&fixture, 0, 1);
    CU_ASSERT_TRUE(!knows(&fixture, 0, 0) && knows(&fixture, 1, 1));
    CU_ASSERT_EQUAL(count(&fixture, "tlb.switch_flushes"), 1);
    tear_down(&fixture);
}

static void test_common_keys(void)
{
    g_autoptr(PfConfig) tree = pf_config_new(NULL);
    PfMmuConfig config;
    CU_ASSERT_TRUE(pf_config_override(tree, "machine.tlb.l1.entries=32", NULL));
    CU_ASSERT_TRUE(pf_config_override(tree, "machine.tlb.l1i.ways=8", NULL));
    PfConfigSection *machine = pf_config_section(tree, "machine");
    pf_mmu_bind(pf_config_subsection(machine, "tlb"), pf_config_subsection(machine, "walk"),
                &config);
    CU_ASSERT_TRUE(pf_config_finish(tree, NULL));
    CU_ASSERT_EQUAL(config.data.entries, 32);
    CU_ASSERT_EQUAL(config.data.ways, 4);
    CU_ASSERT_EQUAL(config.instruction.entries, 32);
    CU_ASSERT_EQUAL(config.instruction.ways, 8);
    CU_ASSERT_EQUAL(config.second.entries, 1536);
}

static const PfCheck checks[] = {
    {"a walk reads its entries one after the other through the data cache", test_walk_cycles},
    {"a nested walk of 4 and 4 levels reads 24 entries", test_nested_walk},
    {"the second level answers for its latency and refills the first", test_second_level},
    {"sides, spaces and cores do not share first-level entries", test_sides},
    {"an invalidation reaches every level of one core", test_invalidate},
    {"a TLB that cannot be built is an error", test_bad_geometry},
    {"an entry covers what guest and host both map as one page", test_splintering},
    {"a piece of a page in the second level is the page in the first", test_pieces},
    {"the space left longest ago gives up its tag", test_tags},
    {"with one tag a switch flushes everything", test_one_tag},
    {"both sides of the first level have what neither says", test_common_keys},
};

PF_CHECK_MAIN("mmu", checks)
