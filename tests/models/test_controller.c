#include "controller.h"

#include "check.h"
#include "mock_port.h"

enum { LINE = 64, DRAM = 100, WRITE = 7, SNOOP = 30 };

typedef struct {
    Mock *dram;
    PfCache *caches[2];
    PfCoherence *coherence;
    PfController *controller;
} Fixture;

static void set_up(Fixture *fixture)
{
    const PfCacheConfig cache = {.name = (char *)(uintptr_t) "l1",
                                 .size_bytes = 1024,
                                 .ways = 2,
                                 .line_bytes = LINE,
                                 .latency_cycles = 3};
    const PfControllerConfig config = {.snoop_cycles = SNOOP};
    fixture->dram = mock_new(DRAM);
    fixture->dram->write_latency_cycles = WRITE;
    const PfCoherenceConfig coherence = {.kept = true};
    fixture->coherence = pf_coherence_new(&coherence, 1, LINE, NULL);
    fixture->controller =
        pf_controller_new(&config, &fixture->dram->port, fixture->coherence, LINE, NULL);
    for (unsigned i = 0; i < 2; i++) {
        fixture->caches[i] = pf_cache_new(&cache, &fixture->dram->port, 1, NULL, NULL);
        pf_coherence_add_shared(fixture->coherence, 0, fixture->caches[i]);
    }
}

static void tear_down(Fixture *fixture)
{
    pf_controller_free(fixture->controller);
    pf_coherence_free(fixture->coherence);
    pf_cache_free(fixture->caches[0]);
    pf_cache_free(fixture->caches[1]);
    g_free(fixture->dram);
}

static void use_line(Fixture *fixture, unsigned cache, uint64_t address, PfAccessKind kind)
{
    const PfRequest request = {.address = {address}, .size_bytes = LINE, .kind = (uint8_t)kind};
    pf_cache_access(pf_cache_port(fixture->caches[cache]), &request);
}

static uint64_t run(Fixture *fixture, uint64_t address, PfAccessKind kind, uint32_t lines)
{
    const PfRequest request = {.address = {address},
                               .now_cycles = 1000,
                               .size_bytes = LINE,
                               .core = 5,
                               .kind = (uint8_t)kind,
                               .actor = PF_ACTOR_POLICY};
    return pf_controller_run(fixture->controller, &request, lines);
}

static void test_reads(void)
{
    Fixture fixture;
    set_up(&fixture);
    CU_ASSERT_EQUAL(run(&fixture, 70, PF_ACCESS_READ, 0), 1000);
    CU_ASSERT_EQUAL(run(&fixture, 70, PF_ACCESS_READ, 3), 1002 + DRAM);
    CU_ASSERT_EQUAL(fixture.dram->count, 3);
    for (unsigned i = 0; i < 3; i++) {
        const PfRequest *request = &fixture.dram->requests[i];
        CU_ASSERT_EQUAL(request->address.bytes, 64 + 64 * i);
        CU_ASSERT_EQUAL(request->now_cycles, 1000 + i);
        CU_ASSERT_EQUAL(request->size_bytes, LINE);
        CU_ASSERT_EQUAL(request->core, 5);
        CU_ASSERT_EQUAL(request->actor, PF_ACTOR_POLICY);
        CU_ASSERT_FALSE(pf_cache_holds(fixture.caches[0], request->address, NULL));
    }
    CU_ASSERT_EQUAL(pf_controller_stats(fixture.controller)->reads, 3);
    tear_down(&fixture);
}

static void test_snoops(void)
{
    Fixture fixture;
    bool dirty;
    set_up(&fixture);
    use_line(&fixture, 0, 0, PF_ACCESS_READ); /* clean: DRAM has the same */
    use_line(&fixture, 1, 64, PF_ACCESS_WRITE);
    uint32_t before = fixture.dram->count;
    CU_ASSERT_EQUAL(run(&fixture, 64, PF_ACCESS_READ, 1), 1000 + SNOOP);
    CU_ASSERT_EQUAL(fixture.dram->count, before);
    CU_ASSERT_TRUE(pf_cache_holds(fixture.caches[1], (PfMaddr){64}, &dirty) && dirty);
    CU_ASSERT_EQUAL(run(&fixture, 0, PF_ACCESS_READ, 2), 1000 + DRAM);
    CU_ASSERT_EQUAL(fixture.dram->count, before + 1);
    CU_ASSERT_EQUAL(pf_controller_stats(fixture.controller)->reads, 3);
    CU_ASSERT_EQUAL(pf_controller_stats(fixture.controller)->snoops, 2);
    tear_down(&fixture);
}

static void test_writes(void)
{
    Fixture fixture;
    set_up(&fixture);
    use_line(&fixture, 0, 0, PF_ACCESS_READ);
    use_line(&fixture, 1, 64, PF_ACCESS_WRITE);
    use_line(&fixture, 1, 128, PF_ACCESS_WRITE);
    CU_ASSERT_EQUAL(run(&fixture, 0, PF_ACCESS_WRITE, 2), 1001 + WRITE);
    CU_ASSERT_FALSE(pf_cache_holds(fixture.caches[0], (PfMaddr){0}, NULL));
    CU_ASSERT_FALSE(pf_cache_holds(fixture.caches[1], (PfMaddr){64}, NULL));
    CU_ASSERT_TRUE(pf_cache_holds(fixture.caches[1], (PfMaddr){128}, NULL));
    CU_ASSERT_EQUAL(pf_controller_stats(fixture.controller)->writes, 2);
    tear_down(&fixture);
}

static void test_flush(void)
{
    Fixture fixture;
    set_up(&fixture);
    use_line(&fixture, 0, 0, PF_ACCESS_READ);
    use_line(&fixture, 1, 64, PF_ACCESS_WRITE);
    use_line(&fixture, 1, 128, PF_ACCESS_WRITE);
    uint32_t before = fixture.dram->count;
    const PfRequest request = {.now_cycles = 1000};
    /* The second of two lines is dirty: fetched from 1001 on, then written. */
    CU_ASSERT_EQUAL(pf_controller_flush(fixture.controller, &request, 2, true),
                    1001 + SNOOP + WRITE);
    CU_ASSERT_EQUAL(fixture.dram->count, before + 1);
    CU_ASSERT_EQUAL(fixture.dram->requests[before].kind, PF_ACCESS_WRITE);
    CU_ASSERT_EQUAL(fixture.dram->requests[before].address.bytes, 64);
    CU_ASSERT_FALSE(pf_cache_holds(fixture.caches[0], (PfMaddr){0}, NULL));
    CU_ASSERT_FALSE(pf_cache_holds(fixture.caches[1], (PfMaddr){64}, NULL));
    CU_ASSERT_TRUE(pf_cache_holds(fixture.caches[1], (PfMaddr){128}, NULL));
    /* Without writing back the third line is dropped in its cycle. */
    CU_ASSERT_EQUAL(pf_controller_flush(fixture.controller, &request, 3, false), 1002);
    CU_ASSERT_EQUAL(fixture.dram->count, before + 1);
    CU_ASSERT_FALSE(pf_cache_holds(fixture.caches[1], (PfMaddr){128}, NULL));
    tear_down(&fixture);
}

static void test_table(void)
{
    Fixture fixture;
    set_up(&fixture);
    const PfIndirectionConfig config = {.cache_entries = 4, .ways = 4, .entry_bits = 32};
    g_autoptr(PfIndirection) table =
        pf_indirection_new(&config, &fixture.dram->port, 12, NULL, NULL);
    pf_indirection_map(table, (PfBpn){3}, (PfMpn){8});
    pf_controller_set_table(fixture.controller, table);
    use_line(&fixture, 1, 3 * 4096 + 64, PF_ACCESS_WRITE); /* caches hold bus addresses */
    uint32_t before = fixture.dram->count;
    CU_ASSERT_EQUAL(run(&fixture, 3 * 4096, PF_ACCESS_READ, 2), 1000 + DRAM);
    CU_ASSERT_EQUAL(fixture.dram->count, before + 1);
    CU_ASSERT_EQUAL(fixture.dram->requests[before].address.bytes, 8 * 4096);
    CU_ASSERT_EQUAL(pf_controller_stats(fixture.controller)->snoops, 1);
    CU_ASSERT_EQUAL(pf_indirection_stats(table)->lookups, 0);
    tear_down(&fixture);
}

static const PfCheck checks[] = {
    {"lines are read from DRAM one a cycle, and no cache gets them", test_reads},
    {"a dirty line comes from its cache, which keeps it, and DRAM is not read", test_snoops},
    {"a line that is written is dropped from all caches", test_writes},
    {"a flush takes lines from all caches and writes dirty ones to DRAM if asked", test_flush},
    {"with a table the controller takes bus addresses, and looks nothing up", test_table},
};

PF_CHECK_MAIN("controller", checks)
