#include "indirection.h"

#include "check.h"
#include "error.h"
#include "mock_port.h"

enum { SHIFT = 12, DRAM = 100, WRITE = 7, LATENCY = 4 };

#define TABLE ((uint64_t)1 << 45)

static PfIndirection *table_of(Mock *dram, uint64_t entries, uint64_t ways, uint64_t bits)
{
    const PfIndirectionConfig config = {.cache_entries = entries,
                                        .ways = ways,
                                        .latency_cycles = LATENCY,
                                        .entry_bits = bits};
    dram->write_latency_cycles = WRITE;
    return pf_indirection_new(&config, &dram->port, SHIFT, NULL, NULL);
}

static uint64_t ask(PfIndirection *table, uint64_t address, PfAccessKind kind)
{
    const PfRequest request = {.address = {address},
                               .now_cycles = 1000,
                               .size_bytes = 64,
                               .core = 3,
                               .kind = (uint8_t)kind,
                               .actor = PF_ACTOR_WALKER};
    return pf_port_access(pf_indirection_port(table), &request);
}

static void test_read(void)
{
    g_autofree Mock *dram = mock_new(DRAM);
    g_autoptr(PfIndirection) table = table_of(dram, 4, 4, 32);
    pf_indirection_map(table, (PfBpn){37}, (PfMpn){5});
    /* A miss reads the 64 bytes with the entry, then the line. */
    CU_ASSERT_EQUAL(ask(table, 37 * 4096 + 192, PF_ACCESS_READ), 1000 + LATENCY + DRAM + DRAM);
    CU_ASSERT_EQUAL(dram->count, 2);
    /* Entry 37 is at byte 37 * 4 = 148, in the 64 bytes from 128 on. */
    CU_ASSERT_EQUAL(dram->requests[0].address.bytes, TABLE + 128);
    CU_ASSERT_EQUAL(dram->requests[0].now_cycles, 1000 + LATENCY);
    CU_ASSERT_EQUAL(dram->requests[0].size_bytes, 64);
    CU_ASSERT_EQUAL(dram->requests[0].actor, PF_ACTOR_WALKER);
    CU_ASSERT_EQUAL(dram->requests[0].core, 3);
    CU_ASSERT_EQUAL(dram->requests[1].address.bytes, 5 * 4096 + 192);
    CU_ASSERT_EQUAL(dram->requests[1].now_cycles, 1000 + LATENCY + DRAM);
    /* Now the cache has the entry, for any line of the page. */
    CU_ASSERT_EQUAL(ask(table, 37 * 4096, PF_ACCESS_FETCH), 1000 + LATENCY + DRAM);
    CU_ASSERT_EQUAL(dram->count, 3);
    CU_ASSERT_EQUAL(dram->requests[2].address.bytes, 5 * 4096);
    CU_ASSERT_EQUAL(dram->requests[2].kind, PF_ACCESS_FETCH);
    pf_indirection_map(table, (PfBpn){37}, (PfMpn){6}); /* the cache is kept right */
    CU_ASSERT_EQUAL(ask(table, 37 * 4096, PF_ACCESS_READ), 1000 + LATENCY + DRAM);
    CU_ASSERT_EQUAL(dram->requests[3].address.bytes, 6 * 4096);
    const PfIndirectionStats *stats = pf_indirection_stats(table);
    CU_ASSERT_EQUAL(stats->lookups, 3);
    CU_ASSERT_EQUAL(stats->hits, 2);
    CU_ASSERT_EQUAL(stats->misses, 1);
    CU_ASSERT_EQUAL(stats->updates, 2);
    pf_indirection_check(table);
}

static void test_write(void)
{
    g_autofree Mock *dram = mock_new(DRAM);
    g_autoptr(PfIndirection) table = table_of(dram, 4, 4, 32);
    pf_indirection_map(table, (PfBpn){1}, (PfMpn){2});
    /* The data goes out when its entry is known; who wrote waits for the queue only. */
    CU_ASSERT_EQUAL(ask(table, 4096, PF_ACCESS_WRITE), 1000 + WRITE);
    CU_ASSERT_EQUAL(dram->requests[0].kind, PF_ACCESS_READ);
    CU_ASSERT_EQUAL(dram->requests[1].kind, PF_ACCESS_WRITE);
    CU_ASSERT_EQUAL(dram->requests[1].now_cycles, 1000 + LATENCY + DRAM);
    CU_ASSERT_EQUAL(ask(table, 4096, PF_ACCESS_WRITE), 1000 + WRITE);
    CU_ASSERT_EQUAL(dram->requests[2].now_cycles, 1000 + LATENCY);
}

/* True LRU in sets by the low bits of the page number. */
static void test_replacement(void)
{
    static const struct {
        uint64_t page;
        bool hit;
    } row[] = {
        {0, false}, {2, false}, {0, true}, {4, false}, /* 2 falls out of the even pages' set */
        {2, false}, {1, false}, {4, true}, {0, false}, {1, true},
    };
    g_autofree Mock *dram = mock_new(DRAM);
    g_autoptr(PfIndirection) table = table_of(dram, 4, 2, 32);
    for (unsigned i = 0; i < G_N_ELEMENTS(row); i++) {
        uint64_t done = ask(table, row[i].page << SHIFT, PF_ACCESS_READ);
        CU_ASSERT_EQUAL(done, 1000 + LATENCY + (row[i].hit ? 1U : 2U) * DRAM);
    }
    pf_indirection_check(table);
}

static void test_window(void)
{
    g_autofree Mock *dram = mock_new(DRAM);
    g_autoptr(PfIndirection) table = table_of(dram, 4, 2, 32);
    uint64_t window = (uint64_t)PF_INDIRECTION_DIRECT << SHIFT;
    CU_ASSERT_EQUAL(ask(table, window + 9 * 4096 + 64, PF_ACCESS_READ), 1000 + DRAM);
    CU_ASSERT_EQUAL(dram->requests[0].address.bytes, 9 * 4096 + 64);
    CU_ASSERT_EQUAL(pf_indirection_look_up(table, (PfMaddr){window}, 50), 0);
    CU_ASSERT_EQUAL(pf_indirection_stats(table)->lookups, 0);
    /* The first page before it, and the first that is too high for it, are looked up. */
    ask(table, window - 4096, PF_ACCESS_READ);
    uint64_t page_tables = (uint64_t)1 << 46;
    CU_ASSERT_EQUAL(ask(table, page_tables, PF_ACCESS_READ), 1000 + LATENCY + DRAM + DRAM);
    CU_ASSERT_EQUAL(dram->requests[dram->count - 1].address.bytes, page_tables);
    CU_ASSERT_EQUAL(pf_indirection_stats(table)->lookups, 2);
}

static void test_costs(void)
{
    g_autofree Mock *dram = mock_new(DRAM);
    g_autoptr(PfIndirection) table = table_of(dram, 4, 2, 32);
    CU_ASSERT_EQUAL(pf_indirection_look_up(table, (PfMaddr){4096}, 50), LATENCY + 50);
    CU_ASSERT_EQUAL(pf_indirection_look_up(table, (PfMaddr){4096 + 4095}, 50), LATENCY);
    CU_ASSERT_EQUAL(dram->count, 0);
}

static void test_size(void)
{
    g_autofree Mock *dram = mock_new(DRAM);
    g_autoptr(PfIndirection) table = table_of(dram, 4, 2, 13);
    CU_ASSERT_EQUAL(pf_indirection_table_bytes(table), 0);
    pf_indirection_size(table, 8);
    CU_ASSERT_EQUAL(pf_indirection_table_bytes(table), 13); /* 104 bits */
    pf_indirection_size(table, 9);
    CU_ASSERT_EQUAL(pf_indirection_table_bytes(table), 15); /* 117 bits in 14.6 bytes */
}

static void test_refusal(void)
{
    g_autofree Mock *dram = mock_new(DRAM);
    g_autoptr(GError) error = NULL;
    const PfIndirectionConfig config = {.cache_entries = 12, .ways = 4, .entry_bits = 32};
    CU_ASSERT_PTR_NULL(pf_indirection_new(&config, &dram->port, SHIFT, NULL, &error));
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
}

static const PfCheck checks[] = {
    {"an access waits for its page's entry: in the cache, or read from DRAM first", test_read},
    {"a write waits for its entry, who writes does not", test_write},
    {"entries are replaced least recently used first", test_replacement},
    {"the window on frames needs no entry", test_window},
    {"without DRAM a look-up takes the latency, and a miss what it is told", test_costs},
    {"the table takes its entries' bits, to the byte", test_size},
    {"an impossible cache is refused", test_refusal},
};

PF_CHECK_MAIN("indirection", checks)
