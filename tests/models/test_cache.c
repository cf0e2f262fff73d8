#include "cache.h"

#include "check.h"
#include "error.h"
#include "mock_port.h"
#include "units.h"

enum { LINE = 64, LATENCY = 4, BELOW = 100 };

/* Two sets of two ways. */
static PfCacheConfig small_config(void)
{
    return (PfCacheConfig){
        .size_bytes = 4 * LINE, .ways = 2, .line_bytes = LINE, .latency_cycles = LATENCY};
}

static uint64_t ask(PfCache *cache, PfAccessKind kind, uint64_t address, uint64_t now_cycles)
{
    PfRequest request = {.address = {address},
                         .now_cycles = now_cycles,
                         .size_bytes = 8,
                         .core = 3,
                         .kind = (uint8_t)kind,
                         .actor = PF_ACTOR_DEMAND};
    return pf_cache_access(pf_cache_port(cache), &request);
}

static bool holds(PfCache *cache, uint64_t address)
{
    return pf_cache_holds(cache, (PfMaddr){address}, NULL);
}

static void miss_then_hit(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = small_config();
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);

    CU_ASSERT_EQUAL(ask(cache, PF_ACCESS_READ, 0x1048, 10), 10 + LATENCY + BELOW);
    CU_ASSERT_EQUAL(below->count, 1);
    const PfRequest *fill = &below->requests[0];
    CU_ASSERT_EQUAL(fill->address.bytes, 0x1040);
    CU_ASSERT_EQUAL(fill->size_bytes, LINE);
    CU_ASSERT_EQUAL(fill->now_cycles, 10 + LATENCY);
    CU_ASSERT_EQUAL(fill->core, 3);
    CU_ASSERT_EQUAL(fill->kind, PF_ACCESS_READ);
    CU_ASSERT_EQUAL(fill->actor, PF_ACTOR_DEMAND);

    CU_ASSERT_EQUAL(ask(cache, PF_ACCESS_READ, 0x1078, 500), 500 + LATENCY);
    CU_ASSERT_EQUAL(ask(cache, PF_ACCESS_READ, 0x1040, 500), 500 + LATENCY);
    CU_ASSERT_EQUAL(below->count, 1);
    ask(cache, PF_ACCESS_READ, 0x1080, 500);
    CU_ASSERT_EQUAL(below->count, 2);
    pf_cache_check(cache);
}

static void lru_victim(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = small_config();
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    /* Lines 0, 2 and 4 share set 0; line 1 is in set 1. */
    ask(cache, PF_ACCESS_READ, 0 * LINE, 0);
    ask(cache, PF_ACCESS_READ, 2 * LINE, 0);
    ask(cache, PF_ACCESS_READ, 1 * LINE, 0);
    ask(cache, PF_ACCESS_READ, 0 * LINE, 0);
    ask(cache, PF_ACCESS_READ, 4 * LINE, 0);
    CU_ASSERT_TRUE(holds(cache, 0 * LINE));
    CU_ASSERT_FALSE(holds(cache, 2 * LINE));
    CU_ASSERT_TRUE(holds(cache, 4 * LINE));
    CU_ASSERT_TRUE(holds(cache, 1 * LINE));
}

static void dirty_victim(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = small_config();
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    ask(cache, PF_ACCESS_WRITE, 0 * LINE + 8, 0);
    CU_ASSERT_EQUAL(below->requests[0].kind, PF_ACCESS_READ); /* for ownership */
    bool dirty = false;
    CU_ASSERT_TRUE(pf_cache_holds(cache, (PfMaddr){0}, &dirty));
    CU_ASSERT_TRUE(dirty);
    ask(cache, PF_ACCESS_READ, 2 * LINE, 0);
    CU_ASSERT_EQUAL(pf_cache_stats(cache)->writebacks, 0);

    /* A fetch for a policy evicts line 0: the fill first, then the write-back, both at 50 + 4. */
    PfRequest fetch = {.address = {4 * LINE},
                       .now_cycles = 50,
                       .size_bytes = LINE,
                       .kind = PF_ACCESS_FETCH,
                       .actor = PF_ACTOR_POLICY};
    CU_ASSERT_EQUAL(pf_cache_access(pf_cache_port(cache), &fetch), 50 + LATENCY + BELOW);
    CU_ASSERT_EQUAL(below->count, 4);
    CU_ASSERT_EQUAL(below->requests[2].kind, PF_ACCESS_FETCH);
    const PfRequest *writeback = &below->requests[3];
    CU_ASSERT_EQUAL(writeback->kind, PF_ACCESS_WRITE);
    CU_ASSERT_EQUAL(writeback->address.bytes, 0);
    CU_ASSERT_EQUAL(writeback->size_bytes, LINE);
    CU_ASSERT_EQUAL(writeback->now_cycles, 50 + LATENCY);
    CU_ASSERT_EQUAL(writeback->actor, PF_ACTOR_POLICY);
    CU_ASSERT_EQUAL(pf_cache_stats(cache)->writebacks, 1);

    /* Line 2, clean, goes without one. */
    ask(cache, PF_ACCESS_READ, 6 * LINE, 60);
    CU_ASSERT_EQUAL(pf_cache_stats(cache)->writebacks, 1);
    CU_ASSERT_EQUAL(below->count, 5);
}

static void writeback_time(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = small_config();
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    ask(cache, PF_ACCESS_WRITE, 0 * LINE, 0);
    ask(cache, PF_ACCESS_WRITE, 2 * LINE, 0);
    below->write_latency_cycles = BELOW;
    CU_ASSERT_EQUAL(ask(cache, PF_ACCESS_WRITE, 4 * LINE, 0), LATENCY + BELOW);
    below->write_latency_cycles = BELOW + 1;
    CU_ASSERT_EQUAL(ask(cache, PF_ACCESS_WRITE, 6 * LINE, 0), LATENCY + BELOW + 1);
}

static void whole_line_write(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = small_config();
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    PfRequest request = {.address = {0}, .size_bytes = LINE, .kind = PF_ACCESS_WRITE};
    CU_ASSERT_EQUAL(pf_cache_access(pf_cache_port(cache), &request), LATENCY);
    CU_ASSERT_EQUAL(below->count, 0);
    CU_ASSERT_EQUAL(pf_cache_stats(cache)->misses[PF_ACCESS_WRITE], 1);
    bool dirty = false;
    CU_ASSERT_TRUE(pf_cache_holds(cache, (PfMaddr){0}, &dirty) && dirty);
    /* One byte less has to read the rest. */
    request.address.bytes = LINE;
    request.size_bytes = LINE - 1;
    CU_ASSERT_EQUAL(pf_cache_access(pf_cache_port(cache), &request), LATENCY + BELOW);
    CU_ASSERT_EQUAL(below->count, 1);
}

static void two_levels(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = small_config();
    PfCacheConfig outer_config = {
        .size_bytes = 8 * LINE, .ways = 8, .line_bytes = LINE, .latency_cycles = 14};
    g_autoptr(PfCache) outer = pf_cache_new(&outer_config, &below->port, 1, NULL, NULL);
    g_autoptr(PfCache) inner = pf_cache_new(&config, pf_cache_port(outer), 1, NULL, NULL);
    CU_ASSERT_EQUAL(ask(inner, PF_ACCESS_WRITE, 0, 0), LATENCY + 14 + BELOW);
    ask(inner, PF_ACCESS_READ, 2 * LINE, 0);
    ask(inner, PF_ACCESS_READ, 4 * LINE, 0); /* evicts dirty line 0 into the outer level */
    CU_ASSERT_EQUAL(ask(inner, PF_ACCESS_READ, 0, 1000), 1000 + LATENCY + 14);
    /* The outer level saw a read for each miss of the inner one, and the write-back, a hit. */
    CU_ASSERT_EQUAL(pf_cache_stats(outer)->accesses[PF_ACCESS_READ], 4);
    CU_ASSERT_EQUAL(pf_cache_stats(outer)->misses[PF_ACCESS_READ], 3);
    CU_ASSERT_EQUAL(pf_cache_stats(outer)->accesses[PF_ACCESS_WRITE], 1);
    CU_ASSERT_EQUAL(pf_cache_stats(outer)->misses[PF_ACCESS_WRITE], 0);
}

static void tickets(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    below->gives_tickets = true;
    PfCacheConfig config = small_config();
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    uint64_t answer = ask(cache, PF_ACCESS_READ, 0, 7);
    CU_ASSERT_TRUE(pf_answer_is_ticket(answer));
    CU_ASSERT_EQUAL(below->resolved, 0);
    CU_ASSERT_EQUAL(pf_port_wait(pf_cache_port(cache), answer), 7 + LATENCY + BELOW);
    CU_ASSERT_EQUAL(below->resolved, 1);
}

static void run_of_lines(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = {
        .size_bytes = 16 * LINE, .ways = 4, .line_bytes = LINE, .latency_cycles = LATENCY};
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    PfRequest first = {.address = {2 * LINE + 5},
                       .now_cycles = 1000,
                       .size_bytes = 1,
                       .kind = PF_ACCESS_READ,
                       .actor = PF_ACTOR_POLICY};
    /* The eighth line is issued at 1000 + 7. */
    CU_ASSERT_EQUAL(pf_cache_run(cache, &first, 8), 1007 + LATENCY + BELOW);
    CU_ASSERT_EQUAL(below->count, 8);
    CU_ASSERT_EQUAL(below->requests[7].address.bytes, 9 * LINE);
    CU_ASSERT_EQUAL(pf_cache_stats(cache)->misses_by_actor[PF_ACTOR_POLICY], 8);
    CU_ASSERT_EQUAL(pf_cache_run(cache, &first, 8), 1007 + LATENCY);
    CU_ASSERT_EQUAL(pf_cache_run(cache, &first, 0), 1000);
    /* The first line of nine now misses and is done last, though it was issued first. */
    first.address.bytes = LINE;
    CU_ASSERT_EQUAL(pf_cache_run(cache, &first, 9), 1000 + LATENCY + BELOW);
}

static void invalidation(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    PfCacheConfig config = {
        .size_bytes = 16 * LINE, .ways = 4, .line_bytes = LINE, .latency_cycles = LATENCY};
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    for (uint64_t line = 0; line < 16; line++)
        ask(cache, line % 3 == 0 ? PF_ACCESS_WRITE : PF_ACCESS_READ, line * LINE, 0);
    /* From the last byte of line 1 to the first byte of line 4: dirty is 3. */
    CU_ASSERT_EQUAL(pf_cache_invalidate_range(cache, (PfMaddr){2 * LINE - 1}, 2 * LINE + 2), 1);
    for (uint64_t line = 0; line < 16; line++)
        CU_ASSERT_EQUAL(holds(cache, line * LINE), line < 1 || line > 4);
    pf_cache_check(cache);
    CU_ASSERT_EQUAL(pf_cache_invalidate_range(cache, (PfMaddr){0}, 0), 0);
    /* More lines than there are sets; left dirty are 0, 6, 9, 12, 15, of these 15 is outside. */
    CU_ASSERT_EQUAL(pf_cache_invalidate_range(cache, (PfMaddr){0}, 15 * LINE), 4);
    CU_ASSERT_TRUE(holds(cache, 15 * LINE));
    CU_ASSERT_FALSE(holds(cache, 14 * LINE));
    /* What was dropped is not written back. */
    CU_ASSERT_EQUAL(pf_cache_stats(cache)->writebacks, 0);
    pf_cache_check(cache);
}

static void straddling_touch(void)
{
    PfCacheConfig config = small_config();
    g_autoptr(PfCache) cache = pf_cache_new(&config, NULL, 1, NULL, NULL);
    const PfCacheStats *stats = pf_cache_stats(cache);
    /* Bytes 60 .. 67: lines 0 and 1. One access, one miss. */
    CU_ASSERT_FALSE(
        pf_cache_touch(cache, (PfMaddr){60}, 8, PF_ACCESS_READ, PF_ACTOR_DEMAND));
    CU_ASSERT_EQUAL(stats->accesses[PF_ACCESS_READ], 1);
    CU_ASSERT_EQUAL(stats->misses[PF_ACCESS_READ], 1);
    CU_ASSERT_TRUE(pf_cache_touch(cache, (PfMaddr){60}, 8, PF_ACCESS_WRITE, PF_ACTOR_DEMAND));
    /* Only one of the two lines is missing: a miss all the same. Byte 127 is line 1, 128 line 2. */
    CU_ASSERT_TRUE(pf_cache_touch(cache, (PfMaddr){120}, 8, PF_ACCESS_READ, PF_ACTOR_DEMAND));
    CU_ASSERT_FALSE(pf_cache_touch(cache, (PfMaddr){121}, 8, PF_ACCESS_READ, PF_ACTOR_DEMAND));
    CU_ASSERT_EQUAL(stats->accesses[PF_ACCESS_READ], 3);
    CU_ASSERT_EQUAL(stats->misses[PF_ACCESS_READ], 2);
    /* Line 4 evicts line 0, which the store made dirty. */
    CU_ASSERT_FALSE(
        pf_cache_touch(cache, (PfMaddr){4 * LINE}, 1, PF_ACCESS_FETCH, PF_ACTOR_DEMAND));
    CU_ASSERT_EQUAL(stats->writebacks, 1);
}

static void refuse(PfCacheConfig config)
{
    g_autoptr(GError) error = NULL;
    PfCache *cache = pf_cache_new(&config, NULL, 1, NULL, &error);
    CU_ASSERT_PTR_NULL(cache);
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    pf_cache_free(cache);
}

static void geometry(void)
{
    /* 48 KiB is no power of two, its 64 sets are. */
    PfCacheConfig config = {.size_bytes = 48 * PF_KIB, .ways = 12, .line_bytes = LINE};
    g_autoptr(PfCache) cache = pf_cache_new(&config, NULL, 1, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(cache);
    refuse((PfCacheConfig){.size_bytes = 48 * PF_KIB, .ways = 8, .line_bytes = LINE});
    refuse((PfCacheConfig){.size_bytes = 65 * LINE, .ways = 65, .line_bytes = LINE});
    refuse((PfCacheConfig){.size_bytes = 4 * LINE, .ways = 0, .line_bytes = LINE});
    refuse((PfCacheConfig){.size_bytes = 4 * 96, .ways = 4, .line_bytes = 96});
    refuse((PfCacheConfig){.size_bytes = 0, .ways = 4, .line_bytes = LINE});
    refuse((PfCacheConfig){.size_bytes = 4 * LINE + 1, .ways = 4, .line_bytes = LINE});
}

static uint64_t stat(const PfStats *stats, const char *name)
{
    PfStatValue value = {.kind = PF_STAT_NULL};
    CU_ASSERT_TRUE(pf_stats_find(stats, name, &value));
    CU_ASSERT_EQUAL(value.kind, PF_STAT_UINT);
    return value.u;
}

static void statistics(void)
{
    g_autofree Mock *below = mock_new(BELOW);
    g_autoptr(PfStats) stats = pf_stats_new();
    PfCacheConfig config = small_config();
    g_autoptr(PfCache) cache =
        pf_cache_new(&config, &below->port, 1, pf_stats_group(stats, "cache.l1d"), NULL);
    g_autoptr(PfCache) sibling = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    pf_cache_count_into(sibling, cache);
    pf_stats_freeze(stats);

    ask(cache, PF_ACCESS_FETCH, 0, 0);
    ask(cache, PF_ACCESS_READ, 0, 0);
    ask(cache, PF_ACCESS_WRITE, 0, 0);
    ask(sibling, PF_ACCESS_WRITE, 0, 0);
    ask(sibling, PF_ACCESS_READ, 2 * LINE, 0);
    ask(sibling, PF_ACCESS_READ, 4 * LINE, 0);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.fetches"), 1);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.fetch_misses"), 1);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.reads"), 3);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.read_misses"), 2);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.writes"), 2);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.write_misses"), 1);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.writebacks"), 1);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.misses_demand"), 4);
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.misses_policy"), 0);

    pf_cache_reset_state(cache);
    CU_ASSERT_FALSE(holds(cache, 0));
    CU_ASSERT_EQUAL(stat(stats, "cache.l1d.reads"), 3);
    pf_cache_check(cache);
}

static void defaults(void)
{
    g_autoptr(PfConfig) tree = pf_config_new(NULL);
    PfCacheConfig config;
    pf_config_bind(pf_config_section(tree, "machine.l1d"), pf_cache_fields,
                   pf_cache_field_count, &config);
    CU_ASSERT_TRUE(pf_config_finish(tree, NULL));
    CU_ASSERT_EQUAL(config.size_bytes, 32 * PF_KIB);
    CU_ASSERT_EQUAL(config.line_bytes, 64);
    CU_ASSERT_EQUAL(config.serves, PF_CACHE_SERVES_ALL);
    g_autoptr(PfCache) cache = pf_cache_new(&config, NULL, 1, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(cache);
}

static const PfCheck checks[] = {
    {"a miss asks for the whole line after the latency, a hit takes the latency", miss_then_hit},
    {"the least recently used line of the set makes room", lru_victim},
    {"a dirty victim is posted after the fill for the actor that evicts it", dirty_victim},
    {"a write-back delays a miss only beyond the time of its fill", writeback_time},
    {"a write of a whole line installs it without reading it", whole_line_write},
    {"a level below sees reads for misses and writes for write-backs", two_levels},
    {"a ticket of the level below is passed up and resolved when asked for", tickets},
    {"a run issues one line a cycle and is done with the last to finish", run_of_lines},
    {"a range is dropped from its first to its last byte, dirty lines counted", invalidation},
    {"a straddling touch is one access that misses if either line does", straddling_touch},
    {"impossible geometries are refused", geometry},
    {"statistics have their names and can be shared by private caches", statistics},
    {"the defaults bind and make a cache", defaults},
};

PF_CHECK_MAIN("cache", checks)
