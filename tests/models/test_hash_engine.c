/* The times of a hash engine, by the rule: 16 bytes a cycle, 8 cycles deep; a page has 64 lines. */
#include "check.h"

#include "dram_fixture.h"
#include "hash_engine.h"

enum { PAGE = 4096, LINE = 64, LINES = PAGE / LINE, RATE = 16, DEPTH = 8, MESSAGE = 20 };
enum { SNOOP = 1000000, CORES = 2 };

static PfHashEngineConfig config_of(PfHashPlace at, PfHashKind kind)
{
    return (PfHashEngineConfig){.at = (int)at,
                                .kind = (int)kind,
                                .bytes_per_cycle = RATE,
                                .depth_cycles = DEPTH,
                                .queue = 2,
                                .dirty = kind == PF_HASH_INCREMENTAL ? PF_DIRTY_STALE
                                                                     : PF_DIRTY_SNOOP,
                                .message_cycles = MESSAGE};
}

static PfDram *dram_with(unsigned channels)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.channels = channels;
    return dram_of(config);
}

/* An engine with the memory that it stands at. */
typedef struct {
    PfDram *dram;
    PfNodes nodes;
    PfHomes homes;
    PfCoherence *coherence;
    PfController *controller;
    PfHashEngine *engine;
} Rig;

/* CACHE, which may be NULL, is in front of that memory. */
static Rig *rig_new(const PfHashEngineConfig *config, unsigned channels, PfCache *cache)
{
    Rig *rig = g_new0(Rig, 1);
    PfControllerConfig controller = {.snoop_cycles = SNOOP};
    rig->dram = dram_with(channels);
    PfCoherenceConfig coherence = {.kept = true};
    rig->coherence = pf_coherence_new(&coherence, 1, LINE, NULL);
    rig->controller = pf_controller_new(&controller, pf_dram_port(rig->dram), rig->coherence,
                                        LINE, NULL);
    if (cache != NULL)
        pf_coherence_add_shared(rig->coherence, 0, cache);
    pf_nodes_init(&rig->nodes, 1);
    pf_homes_init(&rig->homes, &rig->nodes, &rig->dram, 12);
    rig->engine = pf_hash_engine_new(config, CORES, &rig->homes, PAGE, LINE, NULL);
    pf_hash_engine_attach(rig->engine, rig->controller);
    pf_hash_engine_start(rig->engine);
    return rig;
}

static void rig_free(Rig *rig)
{
    pf_hash_engine_free(rig->engine);
    pf_controller_free(rig->controller);
    pf_coherence_free(rig->coherence);
    pf_dram_free(rig->dram);
    g_free(rig);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rig, rig_free)

/* A page whose bytes are there at READY. */
static uint64_t page_at(PfHashEngine *engine, unsigned core, uint64_t now, uint64_t ready)
{
    PfHashJob job = {.first = {.now_cycles = now, .core = (uint16_t)core},
                     .bytes = PAGE,
                     .ready_cycles = ready};
    return pf_hash_engine_page(engine, &job);
}

/* The same, read by the engine from ADDRESS. */
static uint64_t page_from(PfHashEngine *engine, uint64_t address, uint64_t now)
{
    PfHashJob job = {.first = {.address = {address}, .now_cycles = now},
                     .bytes = PAGE,
                     .reads_dram = true};
    return pf_hash_engine_page(engine, &job);
}

static void page_takes_its_bytes_and_the_depth(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CORE, PF_HASH_FULL);
    g_autoptr(Rig) rig = rig_new(&config, 1, NULL);
    PfHashEngine *engine = rig->engine;
    const uint64_t busy = PAGE / RATE;
    CU_ASSERT_EQUAL(page_at(engine, 0, 1000, 1000 + busy), 1000 + busy + DEPTH);
    CU_ASSERT_EQUAL(page_at(engine, 0, 3000, 3000 + busy + 1), 3000 + busy + 1 + DEPTH);
    /* The unit is free at 3000 + busy: one cycle before that a page waits for one cycle. */
    CU_ASSERT_EQUAL(page_at(engine, 0, 3000 + busy, 0), 3000 + 2 * busy + DEPTH);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->conflicts, 0);
    CU_ASSERT_EQUAL(page_at(engine, 0, 3000 + 2 * busy - 1, 0), 3000 + 3 * busy + DEPTH);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->conflicts, 1);
    /* The other core has a unit of its own. */
    CU_ASSERT_EQUAL(page_at(engine, 1, 3000, 0), 3000 + busy + DEPTH);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->pages, 5);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->bytes, 5 * PAGE);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->busy_cycles, 5 * busy);
    pf_hash_engine_check(engine);
}

/* Clocks of cores may be far apart: an old job does not wait for the newest one's time. */
static void late_core_waits_for_work_not_for_time(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_FULL);
    g_autoptr(Rig) rig = rig_new(&config, 1, NULL);
    PfHashEngine *engine = rig->engine;
    page_at(engine, 0, 1000000, 0);
    CU_ASSERT_EQUAL(page_at(engine, 1, 10, 0), 10 + 2 * PAGE / RATE + DEPTH);
    CU_ASSERT_EQUAL(page_at(engine, 0, 2000000, 0), 2000000 + PAGE / RATE + DEPTH);
}

static uint64_t store(PfHashEngine *engine, uint64_t address, uint64_t now, uint64_t bytes)
{
    PfRequest request = {.address = {address}, .now_cycles = now};
    return pf_hash_engine_store(engine, &request, bytes, now, true);
}

/* Four bytes a cycle and two places. Stores of two words at cycle 0 begin at 0, 2, 4: the third
 * takes the place of the first, which has begun. The fourth has to wait until 2. */
static void full_queue_holds_up_the_core(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CORE, PF_HASH_INCREMENTAL);
    config.bytes_per_cycle = 4;
    g_autoptr(Rig) rig = rig_new(&config, 1, NULL);
    PfHashEngine *engine = rig->engine;
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(store(engine, 0, 0, 8), 0);
    CU_ASSERT_EQUAL(store(engine, 0, 0, 8), 2);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->conflicts, 1);
    /* That one begins at 6 and ends at 8. A key asked for at 7 waits for that; no page is read. */
    CU_ASSERT_EQUAL(page_at(engine, 0, 7, 7), 8 + DEPTH);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->bytes, 4 * 8);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->stores, 4);
}

/* A miss: the old bytes come with the fill at 100. Of two places, the second is free for one more
 * store; the third waits for the first to begin. A store takes a cycle, so the second begins at 101
 * and leaves its place to a fourth. */
static void store_that_misses_keeps_its_place(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CORE, PF_HASH_INCREMENTAL);
    g_autoptr(Rig) rig = rig_new(&config, 1, NULL);
    PfHashEngine *engine = rig->engine;
    PfRequest request = {.now_cycles = 10};
    CU_ASSERT_EQUAL(pf_hash_engine_store(engine, &request, 8, 100, true), 0);
    CU_ASSERT_EQUAL(store(engine, 8, 11, 8), 0);
    CU_ASSERT_EQUAL(store(engine, 16, 12, 8), 100 - 12);
    CU_ASSERT_EQUAL(store(engine, 24, 101, 8), 0); /* the second has begun at 101 */
}

static void store_counts_its_words_line_by_line(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CORE, PF_HASH_INCREMENTAL);
    g_autoptr(Rig) rig = rig_new(&config, 1, NULL);
    PfHashEngine *engine = rig->engine;
    const PfHashEngineStats *stats = pf_hash_engine_stats(engine);
    store(engine, 3, 0, 1); /* in word 0 */
    CU_ASSERT_EQUAL(stats->bytes, 4);
    store(engine, 3, 100, 2); /* words 0 and 1 */
    CU_ASSERT_EQUAL(stats->bytes, 4 + 8);
    store(engine, 60, 200, 8); /* a word of each of two lines */
    CU_ASSERT_EQUAL(stats->bytes, 4 + 8 + 8);
    CU_ASSERT_EQUAL(stats->stores, 4);
    /* A page, a line of 4 cycles each cycle, through 2 places: line i begins at 4 i, and is taken
     * when line i - 2 begins, so the last at 4 * 61. */
    CU_ASSERT_EQUAL(store(engine, 0, 1000, PAGE), 4 * (LINES - 3));
    PfRequest request = {.now_cycles = 2000};
    CU_ASSERT_EQUAL(pf_hash_engine_store(engine, &request, PAGE, 0, false), 0);
    CU_ASSERT_EQUAL(stats->bytes, 20 + 2 * PAGE);
    CU_ASSERT_EQUAL(store(engine, 0, 2000, 4), 0); /* untimed, a page leaves nothing behind */
}

/* The same reads of a twin of that DRAM, and the depth. */
static void controller_reads_dram(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_FULL);
    g_autoptr(Rig) rig = rig_new(&config, 1, NULL);
    PfHashEngine *engine = rig->engine;
    g_autoptr(PfDram) twin = dram_with(1);
    uint64_t last = 0;
    for (unsigned i = 0; i < LINES; i++) {
        PfRequest request = {.address = {PAGE + i * LINE}, .now_cycles = 5 + i, .size_bytes = LINE};
        PfPort *port = pf_dram_port(twin);
        uint64_t done = pf_port_wait(port, pf_port_access(port, &request));
        last = MAX(last, done);
    }
    CU_ASSERT_EQUAL(page_from(engine, PAGE, 5), last + DEPTH);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->reads, LINES);
}

static void check_bits_are_four_reads(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_ECC);
    config.ecc_line = 2;
    g_autoptr(Rig) rig = rig_new(&config, 1, NULL);
    PfHashEngine *engine = rig->engine;
    g_autoptr(PfDram) twin = dram_with(1);
    uint64_t last = 0;
    for (unsigned i = 0; i < 4; i++) {
        PfRequest request = {
            .address = {i * 1024 + 128}, .now_cycles = 5 + i, .size_bytes = LINE};
        PfPort *port = pf_dram_port(twin);
        uint64_t done = pf_port_wait(port, pf_port_access(port, &request));
        last = MAX(last, done);
    }
    CU_ASSERT_EQUAL(page_from(engine, 0, 5), last + DEPTH);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->reads, 4);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->bytes, 4);
}

/* ADDRESS is dirty there, the line after it clean. */
static PfCache *cache_with_dirty(uint64_t address)
{
    PfCacheConfig config = {.size_bytes = 1024, .ways = 2, .line_bytes = LINE};
    PfCache *cache = pf_cache_new(&config, NULL, 0, NULL, NULL);
    pf_cache_touch(cache, (PfMaddr){address}, 1, PF_ACCESS_WRITE, PF_ACTOR_DEMAND);
    pf_cache_touch(cache, (PfMaddr){address + LINE}, 1, PF_ACCESS_READ, PF_ACTOR_DEMAND);
    return cache;
}

/* Line 63 is dirty: it is asked for 63 cycles after the first. Nothing else takes any time where
 * the cost card has timed the reads. */
static void dirty_line_comes_from_its_cache(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_FULL);
    PfCache *cache = cache_with_dirty(PAGE - LINE);
    g_autoptr(Rig) rig = rig_new(&config, 1, cache);
    PfHashEngine *engine = rig->engine;
    CU_ASSERT_EQUAL(page_from(engine, 0, 5), 5 + 63 + SNOOP + DEPTH);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->reads, LINES - 1);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->snoops, 1);
    CU_ASSERT_FALSE(pf_hash_engine_leaves_out(engine, (PfMaddr){0}));
    pf_cache_free(cache);
}

static void page_with_dirty_line_is_left_out(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_FULL);
    config.dirty = PF_DIRTY_SKIP;
    PfCache *cache = cache_with_dirty(PAGE - LINE); /* and the next page's first line, clean */
    g_autoptr(Rig) rig = rig_new(&config, 1, cache);
    PfHashEngine *engine = rig->engine;
    CU_ASSERT_TRUE(pf_hash_engine_leaves_out(engine, (PfMaddr){0}));
    CU_ASSERT_FALSE(pf_hash_engine_leaves_out(engine, (PfMaddr){PAGE}));
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->skipped_pages, 1);
    /* One that reads four lines does not mind others. */
    config.kind = PF_HASH_ECC;
    CU_ASSERT_FALSE(pf_hash_engine_leaves_out(engine, (PfMaddr){0}));
    config.ecc_line = 15;
    CU_ASSERT_TRUE(pf_hash_engine_leaves_out(engine, (PfMaddr){0}));
    pf_cache_free(cache);
}

/* Neighbouring lines are on neighbouring channels: 16 lines, 1024 bytes, 64 cycles on each of
 * four. */
static void channels_share_a_page(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_FULL);
    config.slices = PF_SLICES_CHANNEL;
    g_autoptr(Rig) rig = rig_new(&config, 4, NULL);
    PfHashEngine *engine = rig->engine;
    CU_ASSERT_EQUAL(page_at(engine, 0, 0, 0), PAGE / 4 / RATE + DEPTH + MESSAGE);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->combine_messages, 3);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->cross_reads, 0);
    CU_ASSERT_EQUAL(page_at(engine, 0, 1000, 2000), 2000 + DEPTH + MESSAGE);
}

static void home_gets_lines_of_other_channels(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_FULL);
    g_autoptr(Rig) rig = rig_new(&config, 4, NULL);
    PfHashEngine *engine = rig->engine;
    CU_ASSERT_EQUAL(page_at(engine, 0, 0, 0), PAGE / RATE + DEPTH);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->combine_messages, 0);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->cross_reads, LINES * 3 / 4);
    CU_ASSERT_EQUAL(page_at(engine, 0, 1000, 2000), 2000 + MESSAGE + DEPTH);
}

typedef struct {
    unsigned stored;
    unsigned written_back;
} Told;

static void count_stored(void *user, PfMaddr address, uint64_t bytes)
{
    CU_ASSERT_EQUAL(address.bytes + bytes, 72);
    ((Told *)user)->stored++;
}

static void count_written_back(void *user, PfMaddr address, uint32_t bytes)
{
    CU_ASSERT_EQUAL(address.bytes, 64);
    CU_ASSERT_EQUAL(bytes, LINE);
    ((Told *)user)->written_back++;
}

static void controller_reads_old_lines_of_write_backs(void)
{
    static const PfHashWatcher watcher = {.stored = count_stored,
                                          .written_back = count_written_back};
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_INCREMENTAL);
    g_autoptr(Rig) rig = rig_new(&config, 1, NULL);
    PfHashEngine *engine = rig->engine;
    Told told = {0};
    pf_hash_engine_watch(engine, &watcher, &told);
    PfPort *port = pf_hash_engine_port(engine);
    CU_ASSERT_PTR_NOT_EQUAL(port, pf_dram_port(rig->dram));
    PfRequest request = {.address = {64}, .size_bytes = LINE, .kind = PF_ACCESS_READ};
    pf_port_access(port, &request);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->reads, 1);
    pf_hash_engine_announce(engine, (PfMaddr){64}, 8);
    CU_ASSERT_EQUAL(told.stored, 1);
    CU_ASSERT_EQUAL(store(engine, 64, 0, 8), 0);
    request.kind = PF_ACCESS_WRITE;
    pf_port_access(port, &request);
    CU_ASSERT_EQUAL(told.written_back, 1);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->writes, 1);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->reads, 2);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->reads_by_actor[PF_ACTOR_POLICY], 1);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->old_line_reads, 1);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->bytes, LINE); /* the store was none */
    config.digest_bits = 16;
    pf_port_access(port, &request);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->reads, 2);
    CU_ASSERT_EQUAL(pf_dram_stats(rig->dram)->writes, 2);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->stores, 2);
    pf_hash_engine_check(engine);
}

/* A key of 64 bits, or one of each slice, and a digest of each line. */
static void metadata_are_keys_and_digests(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_INCREMENTAL);
    g_autoptr(Rig) rig = rig_new(&config, 4, NULL);
    PfHashEngine *engine = rig->engine;
    CU_ASSERT_EQUAL(pf_hash_engine_bits_per_page(engine), 64);
    config.digest_bits = 16;
    CU_ASSERT_EQUAL(pf_hash_engine_bits_per_page(engine), 64 + 16 * 64);
    config.slices = PF_SLICES_CHANNEL;
    CU_ASSERT_EQUAL(pf_hash_engine_bits_per_page(engine), 4 * 64 + 16 * 64);
    config.kind = PF_HASH_FULL;
    CU_ASSERT_EQUAL(pf_hash_engine_bits_per_page(engine), 0);
}

static void engine_that_is_off_does_nothing(void)
{
    PfHashEngineConfig config = config_of(PF_HASH_AT_CONTROLLER, PF_HASH_INCREMENTAL);
    g_autoptr(PfDram) dram = dram_with(1);
    PfNodes nodes;
    PfHomes homes;
    pf_nodes_init(&nodes, 1);
    pf_homes_init(&homes, &nodes, &dram, 12);
    g_autoptr(PfHashEngine) engine = pf_hash_engine_new(&config, CORES, &homes, PAGE, LINE, NULL);
    PfRequest request = {.size_bytes = LINE, .kind = PF_ACCESS_WRITE};
    pf_port_access(pf_hash_engine_port(engine), &request);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->writes, 1);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->reads, 0);
    config.at = PF_HASH_AT_CORE;
    CU_ASSERT_EQUAL(store(engine, 0, 0, PAGE), 0);
    CU_ASSERT_EQUAL(pf_hash_engine_stats(engine)->stores, 0);
    CU_ASSERT_PTR_EQUAL(pf_hash_engine_port(engine), pf_dram_port(dram));
}

static const PfCheck checks[] = {
    {"a page takes its bytes and the depth, after pages before it",
     page_takes_its_bytes_and_the_depth},
    {"a core whose clock is behind waits for work, not for time",
     late_core_waits_for_work_not_for_time},
    {"a core waits when the queue for its stores is full", full_queue_holds_up_the_core},
    {"a store that misses keeps its place until the fill has come",
     store_that_misses_keeps_its_place},
    {"a store counts its words, line by line", store_counts_its_words_line_by_line},
    {"at the controller a page is read from DRAM", controller_reads_dram},
    {"check bits cost four reads", check_bits_are_four_reads},
    {"a dirty line comes from its cache", dirty_line_comes_from_its_cache},
    {"a page with a dirty line is left out if told so", page_with_dirty_line_is_left_out},
    {"slices of channels share a page and combine their parts", channels_share_a_page},
    {"a home gets the lines of other channels", home_gets_lines_of_other_channels},
    {"a write-back costs a read of the old line unless its digest is kept",
     controller_reads_old_lines_of_write_backs},
    {"metadata are keys and digests of lines", metadata_are_keys_and_digests},
    {"an engine that is off does nothing", engine_that_is_off_does_nothing},
};

PF_CHECK_MAIN("hash_engine", checks)
