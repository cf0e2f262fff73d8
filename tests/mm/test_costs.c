/* Work on pages: what it costs and who is charged. */
#include "work.h"

#include "check.h"

#include <string.h>

enum { LINE = 64, LATENCY = 5 };

typedef struct {
    PfCosts costs;
    PfLedger ledger;
    PfCore *core;
    PfCache *cache;
    PfWork work;
    PfPlace place;
} Fixture;

/* Behind the cache: every line takes LATENCY more. */
static uint64_t answer(PfPort *port, const PfRequest *request)
{
    (void)port;
    return request->now_cycles + LATENCY;
}

static const PfPortOps next_ops = {.access = answer};
static PfPort next_port = {&next_ops};

static void set_up(Fixture *fixture, uint32_t page_bytes, bool full)
{
    const PfCoreConfig core = {.cpi = 1, .window_instructions = 1, .mshrs = 1};
    const PfCacheConfig cache = {.name = (char *)(uintptr_t) "l1",
                                 .size_bytes = 1024,
                                 .ways = 2,
                                 .line_bytes = LINE,
                                 .latency_cycles = 1};
    *fixture = (Fixture){.costs = {.fill_page_cycles = 1800,
                                   .copy_page_cycles = 2300,
                                   .read_page_cycles = 1500,
                                   .compare_page_cycles = 2200,
                                   .compare_near_cycles = 200,
                                   .line_cycles = 450,
                                   .near_line_cycles = 40,
                                   .lock_cycles = 30}};
    fixture->core = pf_core_new(&core, 1, NULL, NULL);
    fixture->cache = pf_cache_new(&cache, &next_port, 1, NULL, NULL);
    fixture->work = (PfWork){.costs = &fixture->costs,
                             .ledger = &fixture->ledger,
                             .page_bytes = page_bytes,
                             .line_bytes = LINE,
                             .full = full,
                             .daemon_core = 9,
                             .cache_bytes = (uint64_t)page_bytes * 4};
    pf_work_init(&fixture->work);
    fixture->place = (PfPlace){.core = fixture->core,
                               .cache = fixture->cache,
                               .index = 0,
                               .actor = PF_ACTOR_DEMAND,
                               .payer = PF_PAYER_APP};
}

static void tear_down(Fixture *fixture)
{
    pf_ledger_check(&fixture->ledger);
    pf_work_clear(&fixture->work);
    pf_core_free(fixture->core);
    pf_cache_free(fixture->cache);
}

static void test_scale(void)
{
    CU_ASSERT_EQUAL(pf_costs_scale(2300, 4096), 2300);
    CU_ASSERT_EQUAL(pf_costs_scale(2300, 8192), 4600);
    CU_ASSERT_EQUAL(pf_costs_scale(2300, 2048), 1150);
    /* Rounded up: 2300 * 16 / 4096 = 8.98, 2300 * 1 / 4096 = 0.56. */
    CU_ASSERT_EQUAL(pf_costs_scale(2300, 16), 9);
    CU_ASSERT_EQUAL(pf_costs_scale(2300, 1), 1);
    CU_ASSERT_EQUAL(pf_costs_scale(0, 4096), 0);
    CU_ASSERT_EQUAL(pf_costs_scale(2300, 0), 0);
}

static void test_card(void)
{
    Fixture fixture;
    set_up(&fixture, 4096, false);
    const PfMaddr a = {0};
    const PfMaddr b = {4096};
    pf_work_read(&fixture.work, &fixture.place, PF_ACCOUNT_HASH, a, 4096);
    CU_ASSERT_EQUAL(fixture.core->now_cycles, 1500);
    pf_work_fill(&fixture.work, &fixture.place, PF_ACCOUNT_FAULT, a, 2048);
    CU_ASSERT_EQUAL(fixture.core->now_cycles, 1500 + 900);
    pf_work_copy_page(&fixture.work, &fixture.place, PF_ACCOUNT_BREAK, a, b);
    CU_ASSERT_EQUAL(fixture.core->now_cycles, 2400 + 2300);
    CU_ASSERT_EQUAL(fixture.ledger.account_cycles[PF_ACCOUNT_HASH], 1500);
    CU_ASSERT_EQUAL(fixture.ledger.account_cycles[PF_ACCOUNT_FAULT], 900);
    CU_ASSERT_EQUAL(fixture.ledger.account_cycles[PF_ACCOUNT_BREAK], 2300);
    CU_ASSERT_EQUAL(fixture.ledger.total_cycles, 4700);
    tear_down(&fixture);
}

static void test_compare(void)
{
    static const struct {
        uint64_t equal_bytes;
        uint64_t cycles;
    } cases[] = {
        {4096, 2200}, /* the whole page, no byte more */
        {4095, 2200}, /* the last byte differs: all 4096 are read */
        {2047, 1100}, /* 2048 bytes: half */
        {0, 450},     /* at least the line that is fetched */
        {836, 450},   /* 837 bytes: 2200 * 837 / 4096 = 449.6 */
        {838, 451},   /* 839 bytes: 450.6 */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture fixture;
        set_up(&fixture, 4096, false);
        pf_work_compare(&fixture.work, &fixture.place, PF_ACCOUNT_COMPARE, (PfMaddr){0},
                        (PfMaddr){4096}, cases[i].equal_bytes);
        CU_ASSERT_EQUAL(fixture.ledger.account_cycles[PF_ACCOUNT_COMPARE], cases[i].cycles);
        tear_down(&fixture);
    }
}

static void test_full(void)
{
    Fixture fixture;
    set_up(&fixture, 256, true);
    /* Four lines, one issued a cycle, each a miss of 1 + LATENCY: the last is done at 3 + 6. */
    pf_work_read(&fixture.work, &fixture.place, PF_ACCOUNT_HASH, (PfMaddr){0}, 256);
    CU_ASSERT_EQUAL(fixture.core->now_cycles, 3 + 1 + LATENCY);
    CU_ASSERT_EQUAL(pf_cache_stats(fixture.cache)->accesses[PF_ACCESS_READ], 4);
    /* They are held now: 3 + 1. The card's 1500 cycles a page are not charged as well. */
    pf_work_read(&fixture.work, &fixture.place, PF_ACCOUNT_HASH, (PfMaddr){0}, 256);
    CU_ASSERT_EQUAL(fixture.core->now_cycles, 9 + 4);
    /* One byte on either side of a line's edge is two lines. */
    pf_work_fill(&fixture.work, &fixture.place, PF_ACCOUNT_FAULT, (PfMaddr){63}, 2);
    CU_ASSERT_EQUAL(pf_cache_stats(fixture.cache)->accesses[PF_ACCESS_WRITE], 2);
    /* A copy reads the one page and then stores the other. */
    pf_work_copy_page(&fixture.work, &fixture.place, PF_ACCOUNT_BREAK, (PfMaddr){0},
                      (PfMaddr){1 << 20});
    CU_ASSERT_EQUAL(pf_cache_stats(fixture.cache)->accesses[PF_ACCESS_READ], 12);
    CU_ASSERT_EQUAL(pf_cache_stats(fixture.cache)->accesses[PF_ACCESS_WRITE], 6);
    CU_ASSERT_EQUAL(fixture.ledger.total_cycles, fixture.core->now_cycles);
    tear_down(&fixture);
}

static void test_compare_full(void)
{
    Fixture fixture;
    set_up(&fixture, 256, true);
    /* 64 equal bytes: the 65th lies in the second line of each page. */
    pf_work_compare(&fixture.work, &fixture.place, PF_ACCOUNT_COMPARE, (PfMaddr){0},
                    (PfMaddr){4096}, 64);
    CU_ASSERT_EQUAL(pf_cache_stats(fixture.cache)->accesses[PF_ACCESS_READ], 4);
    pf_work_compare(&fixture.work, &fixture.place, PF_ACCOUNT_COMPARE, (PfMaddr){0},
                    (PfMaddr){4096}, 63);
    CU_ASSERT_EQUAL(pf_cache_stats(fixture.cache)->accesses[PF_ACCESS_READ], 4 + 2);
    tear_down(&fixture);
}

static void test_payer(void)
{
    Fixture fixture;
    set_up(&fixture, 4096, false);
    pf_work_charge(&fixture.work, &fixture.place, PF_ACCOUNT_FAULT, 10);
    fixture.place.payer = PF_PAYER_POLICY;
    pf_work_charge(&fixture.work, &fixture.place, PF_ACCOUNT_SCAN, 20);
    /* On the daemon's own core nothing is stolen, nor by an engine, which is no core. */
    fixture.place.index = 9;
    pf_work_charge(&fixture.work, &fixture.place, PF_ACCOUNT_SCAN, 40);
    fixture.place.index = 10;
    pf_work_charge(&fixture.work, &fixture.place, PF_ACCOUNT_SCAN, 80);
    CU_ASSERT_EQUAL(fixture.ledger.payer_cycles[PF_PAYER_APP], 10);
    CU_ASSERT_EQUAL(fixture.ledger.payer_cycles[PF_PAYER_POLICY], 140);
    CU_ASSERT_EQUAL(fixture.work.stolen_cycles, 20);
    CU_ASSERT_EQUAL(fixture.work.engine_cycles, 80);
    CU_ASSERT_EQUAL(fixture.core->now_cycles, 150);
    tear_down(&fixture);
}

/* Without a cache bytes go to DRAM, which takes LATENCY a line, and nothing is near. */
static void test_controller(void)
{
    Fixture fixture;
    set_up(&fixture, 256, true);
    const PfControllerConfig config = {.snoop_cycles = 50};
    const PfCoherenceConfig kept = {.kept = true};
    g_autoptr(PfCoherence) coherence = pf_coherence_new(&kept, 1, LINE, NULL);
    g_autoptr(PfController) controller =
        pf_controller_new(&config, &next_port, coherence, LINE, NULL);
    pf_coherence_add_shared(coherence, 0, fixture.cache);
    fixture.work.controller = controller;
    PfPlace engine = fixture.place;
    engine.cache = NULL;
    pf_work_read(&fixture.work, &engine, PF_ACCOUNT_HASH, (PfMaddr){0}, 256);
    /* Four lines, one a cycle: the last is asked for at 3. */
    CU_ASSERT_EQUAL(fixture.core->now_cycles, 3 + LATENCY);
    CU_ASSERT_EQUAL(pf_cache_stats(fixture.cache)->accesses[PF_ACCESS_READ], 0);
    pf_work_fill(&fixture.work, &fixture.place, PF_ACCOUNT_FAULT, (PfMaddr){64}, 64);
    uint64_t before = fixture.core->now_cycles;
    pf_work_read(&fixture.work, &engine, PF_ACCOUNT_HASH, (PfMaddr){0}, 256);
    CU_ASSERT_EQUAL(fixture.core->now_cycles, before + 1 + 50); /* the second line is dirty */
    const PfTouch touch = {.own_lines = 2, .common_lines = 3, .locks = 1};
    before = fixture.core->now_cycles;
    pf_work_touch(&fixture.work, &engine, PF_ACCOUNT_SCAN, (PfMaddr){0}, touch);
    CU_ASSERT_EQUAL(fixture.core->now_cycles, before + 5 * 450 + 30);
    fixture.work.full = false;
    for (unsigned i = 0; i < 2; i++) {
        before = fixture.core->now_cycles;
        pf_work_compare(&fixture.work, &engine, PF_ACCOUNT_COMPARE, (PfMaddr){0}, (PfMaddr){4096},
                        256);
        CU_ASSERT_EQUAL(fixture.core->now_cycles, before + 450); /* 2200 / 16, a line at least */
    }
    tear_down(&fixture);
}

/* What a comparison of two pages of 4096 bytes, EQUAL_BYTES of which are equal, costs now. */
static uint64_t compare_cycles(Fixture *fixture, uint64_t a, uint64_t b, uint64_t equal_bytes)
{
    uint64_t before = fixture->ledger.total_cycles;
    pf_work_compare(&fixture->work, &fixture->place, PF_ACCOUNT_COMPARE, (PfMaddr){a}, (PfMaddr){b},
                    equal_bytes);
    return fixture->ledger.total_cycles - before;
}

static void test_near(void)
{
    enum { A = 0, B = 4096, C = 8192 };
    Fixture fixture;
    set_up(&fixture, 4096, false);
    pf_work_read(&fixture.work, &fixture.place, PF_ACCOUNT_HASH, (PfMaddr){A}, 4096);
    CU_ASSERT_EQUAL(compare_cycles(&fixture, A, B, 0), 450); /* B comes from memory */
    CU_ASSERT_EQUAL(compare_cycles(&fixture, A, B, 0), 40);
    CU_ASSERT_EQUAL(compare_cycles(&fixture, A, B, 4096), 200);
    CU_ASSERT_EQUAL(compare_cycles(&fixture, A, B, 2047), 100); /* 200 * 2048 / 4096 */
    /* The cache holds four pages, 16384 bytes. The last comparison read 2048 bytes of A and then
     * 2048 of B; with three more pages and 2048 - 64 bytes A is the one that is 16384 - 64 bytes
     * back. */
    for (unsigned i = 0; i < 3; i++)
        pf_work_read(&fixture.work, &fixture.place, PF_ACCOUNT_HASH, (PfMaddr){C}, 4096);
    pf_work_read(&fixture.work, &fixture.place, PF_ACCOUNT_HASH, (PfMaddr){C}, 2048 - LINE);
    CU_ASSERT_EQUAL(compare_cycles(&fixture, A, B, 0), 40);
    for (unsigned i = 0; i < 4; i++)
        pf_work_read(&fixture.work, &fixture.place, PF_ACCOUNT_HASH, (PfMaddr){C}, 4096);
    CU_ASSERT_EQUAL(compare_cycles(&fixture, A, B, 0), 450);
    tear_down(&fixture);
}

static void test_forget(void)
{
    Fixture fixture;
    set_up(&fixture, 4096, false);
    CU_ASSERT_EQUAL(compare_cycles(&fixture, 0, 4096, 0), 450);
    CU_ASSERT_EQUAL(compare_cycles(&fixture, 0, 4096, 0), 40);
    pf_work_forget(&fixture.work);
    CU_ASSERT_EQUAL(compare_cycles(&fixture, 0, 4096, 0), 450);
    tear_down(&fixture);
}

static void test_touch(void)
{
    Fixture fixture;
    set_up(&fixture, 4096, false);
    const PfTouch touch = {.own_lines = 2, .common_lines = 10, .locks = 3};
    const uint64_t *cycles = &fixture.ledger.account_cycles[PF_ACCOUNT_LOOKUP];
    pf_work_touch(&fixture.work, &fixture.place, PF_ACCOUNT_LOOKUP, (PfMaddr){4096}, touch);
    CU_ASSERT_EQUAL(*cycles, 2 * 450 + 10 * 40 + 3 * 30);
    /* A touch is no reading of the page: they are as far as before. */
    pf_work_touch(&fixture.work, &fixture.place, PF_ACCOUNT_LOOKUP, (PfMaddr){4096}, touch);
    CU_ASSERT_EQUAL(*cycles, 2 * (2 * 450 + 10 * 40 + 3 * 30));
    compare_cycles(&fixture, 0, 4096, 0);
    pf_work_touch(&fixture.work, &fixture.place, PF_ACCOUNT_LOOKUP, (PfMaddr){4096}, touch);
    CU_ASSERT_EQUAL(*cycles, 2 * (2 * 450 + 10 * 40 + 3 * 30) + 12 * 40 + 3 * 30);
    tear_down(&fixture);
}

static void test_fields(void)
{
    /* No row has a value in the program, and no two rows go to one member. */
    for (size_t i = 0; i < PF_COSTS_FIELDS; i++) {
        CU_ASSERT_PTR_NULL(pf_costs_fields[i].standard);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_NOT_EQUAL(pf_costs_fields[i].offset, pf_costs_fields[j].offset);
    }
}

static const PfCheck checks[] = {
    {"a row for 4096 bytes scales with the bytes, rounded up", test_scale},
    {"by the card, page work costs what its rows say, to its account", test_card},
    {"a comparison is charged up to the first difference, at least a line", test_compare},
    {"in full, the lines go through the cache and the card's rows are not charged", test_full},
    {"in full, a comparison reads the line of the first difference", test_compare_full},
    {"what a policy spends on the core of a context is stolen", test_payer},
    {"at the controller bytes go to DRAM directly, and nothing is near", test_controller},
    {"pages read since the cache was last read full are near", test_near},
    {"after others have had the caches nothing is near", test_forget},
    {"a step costs its lines and its locks", test_touch},
    {"each row of the card has a member of its own and no value in the program", test_fields},
};

PF_CHECK_MAIN("costs", checks)
