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
    pf_config_bind(pf_config_section(tree, "machine.walk"), pf_walker_fields,
                   pf_walker_field_count, &config);
    CU_ASSERT_TRUE(pf_config_finish(tree, NULL));
    g_autoptr(PfWalker) walker = pf_walker_new(&config, pf_stats_group(stats, "walk"), NULL);
    pf_stats_freeze(stats);
    PfWalkRequest request = {.page = {1}, .page_shift = 12};
    pf_walker_walk(walker, &memory->port, &request);
    request.size_shift = 9;
    pf_walker_walk(walker, &memory->port, &request);
    PfStatValue value;
    CU_ASSERT_TRUE(pf_stats_find(stats, "walk.walks", &value) && value.u == 2);
    CU_ASSERT_TRUE(pf_stats_find(stats, "walk.references", &value) && value.u == 7);
    CU_ASSERT_TRUE(pf_stats_find(stats, "walk.cycles_mean", &value));
    CU_ASSERT_DOUBLE_EQUAL(value.d, 35.0, 0.0); /* (40 + 30) / 2 */
}

static void refusals(void)
{
    g_autoptr(GError) error = NULL;
    PfWalkerConfig config = {.levels = 3, .host_levels = 4};
    PfWalker *walker = pf_walker_new(&config, NULL, &error);
    CU_ASSERT_PTR_NULL(walker);
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    pf_walker_free(walker);
}

static const PfCheck checks[] = {
    {"a native walk reads four entries, each after the one before", native_walk},
    {"neighbouring pages have neighbouring entries, other spaces other tables", neighbours},
    {"a native walk reads one entry a level down to its leaf", native_counts},
    {"a nested walk reads (n + 1)(m + 1) - 1 entries", nested_counts},
    {"a nested walk translates each guest entry and then the data", nested_order},
    {"tickets are resolved before the next read", tickets},
    {"statistics have their names and mean", statistics},
    {"impossible levels are refused", refusals},
};

PF_CHECK_MAIN("walker", checks)
