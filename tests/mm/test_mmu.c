/* Translation: two levels of TLB and walks. */
#include "mmu.h"

#include "check.h"
#include "shootdown.h"

enum { CACHE_LATENCY = 1, MEMORY_LATENCY = 10, SECOND_LATENCY = 7, CORES = 3 };

typedef struct {
    PfStats *stats;
    PfMmuConfig config;
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

static void set_up_with(Fixture *fixture, const PfMmuConfig *config)
{
    const PfCacheConfig cache = {
        .name = (char *)(uintptr_t) "l1", .size_bytes = 4096, .ways = 64, .line_bytes = 64,
        .latency_cycles = CACHE_LATENCY};
    g_autoptr(GError) error = NULL;
    fixture->config = *config;
    fixture->stats = pf_stats_new();
    bool made =
        pf_mmu_init(&fixture->mmu, &fixture->config, CORES, 12, fixture->stats, &error);
    CU_ASSERT_TRUE_FATAL(made);
    fixture->cache = pf_cache_new(&cache, &memory_port, 1, NULL, NULL);
    for (uint32_t space = 0; space < 4; space++)
        pf_mmu_add_space(&fixture->mmu, space, space == 3 ? 1 : 0, space == 3);
}

/* Sides of two entries, and behind them some of four ways. */
static PfMmuConfig config_of(uint64_t second_entries)
{
    return (PfMmuConfig){
        .instruction = {.entries = 2, .ways = 2},
        .data = {.entries = 2, .ways = 2},
        .second = {.entries = second_entries, .ways = 4, .latency_cycles = SECOND_LATENCY},
        .walk = {.levels = 4, .host_levels = 4},
        .flush_ceiling_pages = 33,
        .virtual_ipi = 1.0};
}

static void set_up(Fixture *fixture, uint64_t second_entries)
{
    const PfMmuConfig config = config_of(second_entries);
    set_up_with(fixture, &config);
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
    /* A second level that holds huge pages in large pieces, before a first that holds them whole. */
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

/* CORE runs SPACE and translates its page SPACE. */
static void visit(Fixture *fixture, unsigned core, uint32_t space)
{
    PfTranslation translation = {.page = {space}, .space = space, .core = (uint16_t)core};
    pf_mmu_run(&fixture->mmu, core, space);
    pf_mmu_insert(&fixture->mmu, &translation, (PfMpn){space}, true);
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

/* Clocks and a card, for shootdowns; space 2 runs on cores 0 and 1, others where they began. */
typedef struct {
    Fixture fixture;
    PfLedger ledger;
    PfCosts costs;
    PfCore *cores[CORES];
    uint64_t paid[4]; /* by context */
    PfWork work;
} Scene;

static void set_scene(Scene *scene, const PfMmuConfig *config)
{
    static const PfCoreConfig core = {.cpi = 1.0, .window_instructions = 1, .mshrs = 1};
    *scene = (Scene){.costs = {.flush_local_cycles = 7,
                               .flush_remote_cycles = 1000,
                               .flush_ack_cycles = 100,
                               .flush_target_cycles = 30,
                               .shadow_cycles = 5}};
    set_up_with(&scene->fixture, config);
    for (unsigned i = 0; i < CORES; i++)
        scene->cores[i] = pf_core_new(&core, i, NULL, NULL);
    scene->work = (PfWork){.costs = &scene->costs,
                           .ledger = &scene->ledger,
                           .cores = scene->cores,
                           .daemon_core = CORES - 1,
                           .context_cycles = scene->paid};
    visit(&scene->fixture, 0, 1);
    visit(&scene->fixture, 0, 2);
    visit(&scene->fixture, 1, 2);
}

static void clear_scene(Scene *scene)
{
    pf_ledger_check(&scene->ledger);
    tear_down(&scene->fixture);
    for (unsigned i = 0; i < CORES; i++)
        pf_core_free(scene->cores[i]);
}

static void shoot(Scene *scene, unsigned core, PfShootdown what)
{
    PfPlace initiator = {.core = scene->cores[core],
                         .index = (uint16_t)core,
                         .payer = core == CORES - 1 ? PF_PAYER_POLICY : PF_PAYER_APP,
                         .context = 0};
    pf_shootdown(&scene->fixture.mmu, &scene->work, &initiator, &what);
}

static void test_shootdown(void)
{
    Scene scene;
    PfMmuConfig config = config_of(8);
    config.virtual_ipi = 2.5;
    set_scene(&scene, &config);
    /* From a core that never ran space 2 to the two that did: an interrupt and one more answer,
     * both 2.5 times; each target, running space 2, pays its part. */
    shoot(&scene, 2, (PfShootdown){.space = 2, .first = {2}, .pages = 1});
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[2]), (1000 + 100) * 5 / 2);
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[0]), 30);
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[1]), 30);
    CU_ASSERT_EQUAL(scene.paid[2], 60);
    CU_ASSERT_FALSE(knows(&scene.fixture, 2, 2));
    CU_ASSERT_FALSE(pf_tlb_holds(scene.fixture.mmu.cores[1].data, 2, (PfVpn){2}));
    CU_ASSERT_EQUAL(count(&scene.fixture, "shootdown.remote"), 1);
    CU_ASSERT_EQUAL(count(&scene.fixture, "shootdown.interrupts"), 2);
    /* From one of the two: it also drops its own. */
    shoot(&scene, 1, (PfShootdown){.space = 2, .first = {2}, .pages = 1});
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[1]), 30 + 7 + 1000 * 5 / 2);
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[0]), 60);
    clear_scene(&scene);
}

static void test_no_shootdown(void)
{
    Scene scene;
    PfMmuConfig config = config_of(8);
    set_scene(&scene, &config);
    /* Only core 0 has seen space 1. */
    shoot(&scene, 0, (PfShootdown){.space = 1, .first = {1}, .pages = 1});
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[0]), 7);
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[1]), 0);
    CU_ASSERT_FALSE(knows(&scene.fixture, 1, 1));
    /* Whose contexts wait is not interrupted, and forgets. */
    visit(&scene.fixture, 0, 2);
    shoot(&scene, 2, (PfShootdown){.space = 2, .first = {2}, .pages = 1, .is_quiet = true});
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[2]), 7);
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[0]), 7);
    CU_ASSERT_FALSE(knows(&scene.fixture, 2, 2));
    CU_ASSERT_EQUAL(count(&scene.fixture, "shootdown.local"), 2);
    /* Space 1 is dropped whole while core 0 runs another: from then on nobody sees it. */
    CU_ASSERT_TRUE(pf_mmu_sees(&scene.fixture.mmu, 0, 1));
    shoot(&scene, 2, (PfShootdown){.space = 1, .pages = UINT64_MAX});
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[2]), 7 + 1000);
    CU_ASSERT_EQUAL(scene.paid[2], 30); /* core 0 ran space 2 when it was interrupted */
    shoot(&scene, 2, (PfShootdown){.space = 1, .first = {1}, .pages = 1});
    CU_ASSERT_EQUAL(pf_core_now(scene.cores[2]), 7 + 1000 + 7);
    clear_scene(&scene);
}

static void test_ceiling(void)
{
    Scene scene;
    PfMmuConfig config = config_of(8);
    set_scene(&scene, &config);
    visit(&scene.fixture, 0, 1); /* page 1 */
    shoot(&scene, 0, (PfShootdown){.space = 1, .first = {100}, .pages = 33});
    CU_ASSERT_TRUE(knows(&scene.fixture, 1, 1));
    CU_ASSERT_EQUAL(count(&scene.fixture, "shootdown.whole_spaces"), 0);
    shoot(&scene, 0, (PfShootdown){.space = 1, .first = {100}, .pages = 34});
    CU_ASSERT_FALSE(knows(&scene.fixture, 1, 1));
    CU_ASSERT_TRUE(knows(&scene.fixture, 2, 2));
    CU_ASSERT_EQUAL(count(&scene.fixture, "shootdown.whole_spaces"), 1);
    clear_scene(&scene);
}

static void test_shadow(void)
{
    Scene scene;
    PfMmuConfig config = config_of(8);
    set_scene(&scene, &config);
    PfPlace place = {.core = scene.cores[1], .index = 1, .payer = PF_PAYER_APP, .context = 3};
    PfMmu *mmu = &scene.fixture.mmu;
    pf_shadow_change(mmu, &scene.work, &place, PF_ACCOUNT_FAULT, 2, 4); /* has none */
    CU_ASSERT_EQUAL(scene.ledger.total_cycles, 0);
    pf_shadow_change(mmu, &scene.work, &place, PF_ACCOUNT_FAULT, 3, 4);
    CU_ASSERT_EQUAL(scene.ledger.account_cycles[PF_ACCOUNT_FAULT], 4 * 5);
    CU_ASSERT_EQUAL(scene.paid[3], 20);
    CU_ASSERT_EQUAL(count(&scene.fixture, "walk.shadow_changes"), 4);
    clear_scene(&scene);
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
    {"a shootdown interrupts the cores that may hold the page", test_shootdown},
    {"who cannot hold a page, or waits, is not interrupted", test_no_shootdown},
    {"a range beyond the ceiling flushes its space", test_ceiling},
    {"changes of mappings cost more where there are shadow page tables", test_shadow},
    {"both sides of the first level have what neither says", test_common_keys},
};

PF_CHECK_MAIN("mmu", checks)
