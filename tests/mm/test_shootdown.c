/* Who is told of a change of mappings, and what that costs. */
#include "shootdown.h"

#include "mmu_fixture.h"

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

static const PfCheck checks[] = {
    {"a shootdown interrupts the cores that may hold the page", test_shootdown},
    {"who cannot hold a page, or waits, is not interrupted", test_no_shootdown},
    {"a range beyond the ceiling flushes its space", test_ceiling},
    {"changes of mappings cost more where there are shadow page tables", test_shadow},
};

PF_CHECK_MAIN("shootdown", checks)
