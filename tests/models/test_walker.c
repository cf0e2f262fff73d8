#include "walker.h"

#include "check.h"
#include "error.h"
#include "mock_port.h"

enum { STEP = 10 };

static PfWalker *walker_of(uint64_t levels, uint64_t host_levels)
{
    PfWalkerConfig config = {.levels = levels, .host_levels = host_levels};
    return pf_walker_new(&config, NULL, NULL);
}

static void native_walk(void)
{
    g_autofree Mock *memory = mock_new(STEP);
    g_autoptr(PfWalker) walker = walker_of(4, 4);
    PfWalkRequest request = {
        .page = {0x12345678}, .now_cycles = 1000, .space = 7, .core = 2, .page_shift = 12};
    CU_ASSERT_EQUAL(pf_walker_walk(walker, &memory->port, &request), 1000 + 4 * STEP);
    CU_ASSERT_EQUAL(memory->count, 4);
    for (unsigned i = 0; i < 4; i++) {
        const PfRequest *read = &memory->requests[i];
        CU_ASSERT_EQUAL(read->now_cycles, 1000 + i * STEP); /* each waits for the one before */
        CU_ASSERT_EQUAL(read->size_bytes, 8);
        CU_ASSERT_EQUAL(read->kind, PF_ACCESS_READ);
        CU_ASSERT_EQUAL(read->actor, PF_ACTOR_WALKER);
        CU_ASSERT_EQUAL(read->core, 2);
        /* The entry's place in its table is nine bits of the page number, the root's first. */
        uint64_t index = request.page.number >> 9 * (3 - i) & 511;
        CU_ASSERT_EQUAL(read->address.bytes & 4095, index * 8);
        CU_ASSERT_EQUAL(read->address.bytes >> PF_WALKER_REGION_SHIFT, 1);
    }
    pf_walker_check(walker);
}

/* The addresses of a walk of 4 native levels for PAGE of SPACE. */
static void addresses_of(uint32_t space, uint64_t page, uint64_t *ret_addresses)
{
    g_autofree Mock *memory = mock_new(STEP);
    g_autoptr(PfWalker) walker = walker_of(4, 4);
    PfWalkRequest request = {.page = {page}, .space = space, .page_shift = 12};
    pf_walker_walk(walker, &memory->port, &request);
    for (unsigned i = 0; i < 4; i++)
        ret_addresses[i] = memory->requests[i].address.bytes;
}

static void neighbours(void)
{
    uint64_t at[4], next[4], far[4], other[4];
    addresses_of(1, 510, at);
    addresses_of(1, 511, next);
    addresses_of(1, 512, far);
    addresses_of(2, 510, other);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(at[i], next[i]);
    CU_ASSERT_EQUAL(at[3] + 8, next[3]);
    /* Page 512 is the first of the next leaf table, whose entry follows in the level above. */
    CU_ASSERT_EQUAL(at[1], far[1]);
    CU_ASSERT_EQUAL(at[2] + 8, far[2]);
    CU_ASSERT_NOT_EQUAL(at[3] >> 12, far[3] >> 12);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_NOT_EQUAL(at[i], other[i]);
}

static void expect(uint64_t levels, uint64_t host_levels, bool nested, uint8_t size_shift,
                   uint8_t host_size_shift, unsigned references)
{
    g_autofree Mock *memory = mock_new(STEP);
    g_autoptr(PfWalker) walker = walker_of(levels, host_levels);
    PfWalkRequest request = {.page = {123456},
                             .nested = nested,
                             .page_shift = 12,
                             .size_shift = size_shift,
                             .host_size_shift = host_size_shift};
    CU_ASSERT_EQUAL(pf_walker_references(walker, &request), references);
    CU_ASSERT_EQUAL(pf_walker_walk(walker, &memory->port, &request), references * STEP);
    CU_ASSERT_EQUAL(memory->count, references);
    CU_ASSERT_EQUAL(pf_walker_stats(walker)->references, references);
}

static void native_counts(void)
{
    expect(4, 4, false, 0, 0, 4);
    expect(5, 4, false, 0, 0, 5);
    expect(4, 4, false, 9, 0, 3);
    expect(4, 4, false, 18, 0, 2);
    expect(5, 4, false, 9, 0, 4);
}

static void nested_counts(void)
{
    expect(4, 4, true, 0, 0, 24); /* (4 + 1)(4 + 1) - 1 */
    expect(4, 5, true, 0, 0, 29);
    expect(5, 4, true, 0, 0, 29);
    expect(5, 5, true, 0, 0, 35);
    expect(4, 4, true, 9, 0, 19); /* (3 + 1)(4 + 1) - 1 */
    expect(4, 4, true, 0, 9, 19);
    expect(4, 4, true, 9, 9, 15);
}

static void nested_order(void)
{
    g_autofree Mock *nested = mock_new(STEP);
    g_autoptr(PfWalker) walker = walker_of(4, 4);
    PfWalkRequest request = {.page = {98765}, .space = 1, .nested = true, .page_shift = 12};
    pf_walker_walk(walker, &nested->port, &request);
    uint64_t own[4];
    addresses_of(1, 98765, own);
    /* Each fifth read is the guest's own entry, as a native walk reads it; the last four are the
     * host's for the data, by the same nine-bit steps. */
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(nested->requests[5 * i + 4].address.bytes, own[i]);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(nested->requests[20 + i].address.bytes & 4095,
                        (request.page.number >> 9 * (3 - i) & 511) * 8);
    CU_ASSERT_NOT_EQUAL(nested->requests[23].address.bytes, own[3]);
}

static void tickets(void)
{
    g_autofree Mock *memory = mock_new(STEP);
    memory->gives_tickets = true;
    g_autoptr(PfWalker) walker = walker_of(4, 4);
    PfWalkRequest request = {.page = {1}, .page_shift = 12};
    CU_ASSERT_EQUAL(pf_walker_walk(walker, &memory->port, &request), 4 * STEP);
    CU_ASSERT_EQUAL(memory->resolved, 4);
}

static void statistics(void)
{
    g_autofree Mock *memory = mock_new(STEP);
    g_autoptr(PfStats) stats = pf_stats_new();
    g_autoptr(PfConfig) tree = pf_config_new(NULL);
    PfWalkerConfig config;
    CU_ASSERT_TRUE(pf_config_override(tree, "machine.walk.cache.l2_entries=0", NULL));
    pf_walker_bind(pf_config_section(tree, "machine.walk"), &config);
    CU_ASSERT_EQUAL(config.caches[0].entries, 0);
    CU_ASSERT_TRUE(pf_config_finish(tree, NULL));
    g_autoptr(PfWalker) walker = pf_walker_new(&config, pf_stats_group(stats, "walk"), NULL);
    pf_stats_freeze(stats);
    PfWalkRequest request = {.page = {1}, .page_shift = 12};
    pf_walker_walk(walker, &memory->port, &request);
    request.space = 1;
    request.size_shift = 9;
    pf_walker_walk(walker, &memory->port, &request);
    PfStatValue value;
    CU_ASSERT_TRUE(pf_stats_find(stats, "walk.walks", &value) && value.u == 2);
    CU_ASSERT_TRUE(pf_stats_find(stats, "walk.references", &value) && value.u == 7);
    CU_ASSERT_TRUE(pf_stats_find(stats, "walk.cycles_mean", &value));
    CU_ASSERT_DOUBLE_EQUAL(value.d, 35.0, 0.0); /* (40 + 30) / 2 */
    /* Without an entry of level 2, one of level 3 is found: two reads of four. */
    request = (PfWalkRequest){.page = {2}, .now_cycles = 1000, .page_shift = 12};
    g_autoptr(PfWalker) sibling = pf_walker_new(&config, NULL, NULL);
    pf_walker_count_into(sibling, walker);
    pf_walker_walk(walker, &memory->port, &request);
    pf_walker_walk(sibling, &memory->port, &request); /* its own caches are empty */
    CU_ASSERT_TRUE(pf_stats_find(stats, "walk.references", &value) && value.u == 7 + 2 + 4);
    CU_ASSERT_TRUE(pf_stats_find(stats, "walk.spared", &value) && value.u == 2);
    pf_walker_check(walker);
}

static void refuse(const PfWalkerConfig *config)
{
    g_autoptr(GError) error = NULL;
    PfWalker *walker = pf_walker_new(config, NULL, &error);
    CU_ASSERT_PTR_NULL(walker);
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    pf_walker_free(walker);
}

static void refusals(void)
{
    PfWalkerConfig config = {.levels = 3, .host_levels = 4};
    refuse(&config);
    config = (PfWalkerConfig){.levels = 4, .host_levels = 6};
    refuse(&config);
    config = (PfWalkerConfig){.levels = 4, .host_levels = 4, .nested = {.entries = 12, .ways = 4}};
    refuse(&config); /* three sets */
}

/* Four levels each, and walk caches of as many entries: of levels 2 to 5, and of guest tables. */
static PfWalker *walker_with(uint64_t second, uint64_t third, uint64_t fourth, uint64_t fifth,
                             uint64_t nested)
{
    PfWalkerConfig config = {
        .levels = 4,
        .host_levels = 4,
        .caches = {{.entries = second}, {.entries = third}, {.entries = fourth},
                   {.entries = fifth}},
        .nested = {.entries = nested}};
    return pf_walker_new(&config, NULL, NULL);
}

/* How many entries a walk for PAGE of SPACE reads now. */
static uint64_t reads_of(PfWalker *walker, bool nested, uint32_t space, uint64_t page,
                         unsigned size_shift)
{
    g_autofree Mock *memory = mock_new(STEP);
    PfWalkRequest request = {.page = {page},
                             .space = space,
                             .nested = nested,
                             .page_shift = 12,
                             .size_shift = (uint8_t)size_shift};
    CU_ASSERT_EQUAL(pf_walker_walk(walker, &memory->port, &request), memory->count * STEP);
    return memory->count;
}

static void native_caches(void)
{
    g_autoptr(PfWalker) walker = walker_with(2, 2, 1, 0, 0);
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 0, 0), 4);
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 511, 0), 1);        /* below the same level 2 */
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 512, 0), 2);        /* level 3 */
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 1 << 18, 0), 3);    /* level 4 */
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, (uint64_t)1 << 27, 0), 4);
    /* Two entries of level 2: those of pages 1 << 18 and 1 << 27; of level 3 likewise. */
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, (1 << 18) + 1, 0), 1);
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 0, 0), 4);
    /* Other spaces have other entries. */
    CU_ASSERT_EQUAL(reads_of(walker, false, 2, 0, 0), 4);
    pf_walker_check(walker);
    /* The leaf of a large page is of level 2 and no table: it is read. */
    pf_walker_flush(walker);
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 0, 9), 3);
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 0, 9), 1);
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 512, 9), 1);
}

static void forgetting(void)
{
    g_autoptr(PfWalker) walker = walker_with(8, 8, 8, 8, 8);
    reads_of(walker, false, 1, 0, 0);
    reads_of(walker, true, 2, 0, 0);
    pf_walker_forget(walker, 1);
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 0, 0), 4);
    CU_ASSERT_EQUAL(reads_of(walker, true, 2, 0, 0), 2);
    pf_walker_flush(walker);
    CU_ASSERT_EQUAL(reads_of(walker, false, 1, 0, 0), 4);
    pf_walker_check(walker);
}

static void nested_caches(void)
{
    /* Nothing but the nested TLB: each guest's table costs no host walk the second time, so there
     * are the four entries of the guest and a host walk of four for the data. */
    g_autoptr(PfWalker) tables = walker_with(0, 0, 0, 0, 4);
    CU_ASSERT_EQUAL(reads_of(tables, true, 1, 0, 0), 24);
    CU_ASSERT_EQUAL(reads_of(tables, true, 1, 0, 0), 4 + 4);
    /* A page of another leaf table: its host walk is needed, too. */
    CU_ASSERT_EQUAL(reads_of(tables, true, 1, 512, 0), 4 + 4 + 4);
    /* Entries of level 2 of both dimensions: the guest's says where its table is; a leaf each. */
    g_autoptr(PfWalker) both = walker_with(64, 0, 0, 0, 0);
    reads_of(both, true, 1, 0, 0);
    CU_ASSERT_EQUAL(reads_of(both, true, 1, 1, 0), 2);
    /* With all, a neighbouring leaf table costs: entries of guest level 2 and 1; the host's leaf
     * for the new table, found by the host's entry of level 2 for its neighbours; for the data the
     * host's of level 2 and 1. */
    g_autoptr(PfWalker) all = walker_with(64, 64, 64, 64, 64);
    reads_of(all, true, 1, 0, 0);
    CU_ASSERT_EQUAL(reads_of(all, true, 1, 512, 0), 2 + 1 + 2);
}

static void walkers_at_a_time(void)
{
    g_autofree Mock *memory = mock_new(STEP);
    PfWalkerConfig config = {.levels = 4, .host_levels = 4, .walkers = 2, .latency_cycles = 5};
    g_autoptr(PfWalker) walker = pf_walker_new(&config, NULL, NULL);
    PfWalkRequest request = {.now_cycles = 100, .page_shift = 12};
    /* Two at once, each 5 + 4 * 10; the third when the first is done. */
    CU_ASSERT_EQUAL(pf_walker_walk(walker, &memory->port, &request), 145);
    request.now_cycles = 110;
    CU_ASSERT_EQUAL(pf_walker_walk(walker, &memory->port, &request), 155);
    request.now_cycles = 120;
    CU_ASSERT_EQUAL(pf_walker_walk(walker, &memory->port, &request), 145 + 45);
    CU_ASSERT_EQUAL(memory->requests[8].now_cycles, 150);
    CU_ASSERT_EQUAL(pf_walker_stats(walker)->wait_cycles, 25);
    pf_walker_reset_state(walker);
    CU_ASSERT_EQUAL(pf_walker_walk(walker, &memory->port, &request), 165);
}

static const PfCheck checks[] = {
    {"a native walk reads four entries, each after the one before", native_walk},
    {"neighbouring pages have neighbouring entries, other spaces other tables", neighbours},
    {"a native walk reads one entry a level down to its leaf", native_counts},
    {"a nested walk reads (n + 1)(m + 1) - 1 entries", nested_counts},
    {"a nested walk translates each guest entry and then the data", nested_order},
    {"tickets are resolved before the next read", tickets},
    {"statistics have their names and mean", statistics},
    {"impossible levels and caches are refused", refusals},
    {"a walk begins below the deepest entry that a cache has", native_caches},
    {"caches forget one space, or all", forgetting},
    {"cached tables spare the walks of the host", nested_caches},
    {"a core has so many walks under way at a time", walkers_at_a_time},
};

PF_CHECK_MAIN("walker", checks)
