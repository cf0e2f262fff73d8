/* Private caches of several cores over a shared one. */
#include "coherence.h"

#include <string.h>

#include "check.h"
#include "mock_port.h"
#include "rng.h"

enum { LINE = 64, FIRST = 4, SECOND = 14, SHARED = 45, PROBE = 30, BELOW = 100, CORES_MAX = 70 };

/* Each core has a first level for data and one for fetches, and a second; the third is shared. */
typedef struct {
    Mock *memory;
    PfCoherence *coherence;
    PfCache *shared;
    unsigned cores;
    PfCache *data[CORES_MAX];
    PfCache *fetch[CORES_MAX];
    PfCache *second[CORES_MAX];
} System;

static PfCache *new_cache(uint64_t lines, uint64_t latency, int inclusion, PfPort *next)
{
    PfCacheConfig config = {.size_bytes = lines * LINE,
                            .ways = 2,
                            .line_bytes = LINE,
                            .latency_cycles = latency,
                            .shared = latency == SHARED,
                            .inclusion = inclusion};
    return pf_cache_new(&config, next, 1, NULL, NULL);
}

static System *system_new(unsigned cores, int inclusion)
{
    const PfCoherenceConfig config = {.kept = true, .probe_cycles = PROBE};
    System *system = g_new0(System, 1);
    system->cores = cores;
    system->memory = mock_new(BELOW);
    system->coherence = pf_coherence_new(&config, cores, LINE, NULL);
    system->shared = new_cache(32, SHARED, inclusion, &system->memory->port);
    PfPort *gate =
        pf_coherence_port(system->coherence, pf_cache_port(system->shared), SHARED);
    for (unsigned i = 0; i < cores; i++) {
        system->second[i] = new_cache(8, SECOND, PF_CACHE_UNRELATED, gate);
        system->data[i] = new_cache(4, FIRST, PF_CACHE_UNRELATED, pf_cache_port(system->second[i]));
        system->fetch[i] =
            new_cache(4, FIRST, PF_CACHE_UNRELATED, pf_cache_port(system->second[i]));
        pf_cache_attach(system->second[i], system->shared);
        pf_cache_attach(system->data[i], system->second[i]);
        pf_cache_attach(system->fetch[i], system->second[i]);
        pf_cache_keep_coherent(system->data[i], gate, SECOND + SHARED);
        pf_coherence_add_private(system->coherence, i, system->data[i]);
        pf_coherence_add_private(system->coherence, i, system->fetch[i]);
        pf_coherence_add_private(system->coherence, i, system->second[i]);
    }
    pf_coherence_add_shared(system->coherence, 0, system->shared);
    return system;
}

static void system_free(System *system)
{
    for (unsigned i = 0; i < system->cores; i++) {
        pf_cache_free(system->data[i]);
        pf_cache_free(system->fetch[i]);
        pf_cache_free(system->second[i]);
    }
    pf_cache_free(system->shared);
    pf_coherence_free(system->coherence);
    g_free(system->memory);
    g_free(system);
}

/* What it takes CORE, at cycle 1000. */
static uint64_t ask(System *system, unsigned core, PfAccessKind kind, uint64_t line, uint32_t bytes)
{
    PfRequest request = {.address = {line * LINE},
                         .now_cycles = 1000,
                         .size_bytes = bytes,
                         .core = (uint16_t)core,
                         .kind = (uint8_t)kind,
                         .actor = PF_ACTOR_DEMAND};
    PfCache *cache = kind == PF_ACCESS_FETCH ? system->fetch[core] : system->data[core];
    return pf_cache_access(pf_cache_port(cache), &request) - 1000;
}

static uint64_t read_line(System *system, unsigned core, uint64_t line)
{
    return ask(system, core, PF_ACCESS_READ, line, 8);
}

static uint64_t write_line(System *system, unsigned core, uint64_t line)
{
    return ask(system, core, PF_ACCESS_WRITE, line, 8);
}

static bool has(const PfCache *cache, uint64_t line)
{
    return pf_cache_holds(cache, (PfMaddr){line * LINE}, NULL);
}

static bool has_dirty(const PfCache *cache, uint64_t line)
{
    bool dirty = false;
    return pf_cache_holds(cache, (PfMaddr){line * LINE}, &dirty) && dirty;
}

static void invalidation(void)
{
    System *system = system_new(3, PF_CACHE_UNRELATED);
    const PfCoherenceStats *stats = pf_coherence_stats(system->coherence);
    CU_ASSERT_EQUAL(read_line(system, 0, 5), FIRST + SECOND + SHARED + BELOW);
    CU_ASSERT_EQUAL(read_line(system, 1, 5), FIRST + SECOND + SHARED);
    ask(system, 2, PF_ACCESS_FETCH, 5, 8);
    CU_ASSERT_EQUAL(stats->probes, 0);
    /* Core 1 has it clean: it asks the filter, which probes the others. */
    CU_ASSERT_EQUAL(write_line(system, 1, 5), FIRST + SECOND + SHARED + PROBE);
    CU_ASSERT_FALSE(has(system->data[0], 5) || has(system->second[0], 5));
    CU_ASSERT_FALSE(has(system->fetch[2], 5) || has(system->second[2], 5));
    CU_ASSERT_TRUE(has_dirty(system->data[1], 5));
    CU_ASSERT_EQUAL(stats->invalidations, 2);
    CU_ASSERT_EQUAL(stats->probes, 1);
    CU_ASSERT_EQUAL(pf_cache_stats(system->data[0])->invalidations, 1);
    CU_ASSERT_EQUAL(pf_cache_stats(system->second[0])->invalidations, 1);
    CU_ASSERT_EQUAL(pf_cache_stats(system->fetch[2])->invalidations, 1);
    /* Now it is its own. */
    CU_ASSERT_EQUAL(write_line(system, 1, 5), FIRST);
    CU_ASSERT_EQUAL(stats->writebacks, 0);
    pf_coherence_check(system->coherence);
    system_free(system);
}

static void forwarding(void)
{
    System *system = system_new(2, PF_CACHE_UNRELATED);
    const PfCoherenceStats *stats = pf_coherence_stats(system->coherence);
    write_line(system, 0, 5);
    uint64_t reads = pf_cache_stats(system->shared)->accesses[PF_ACCESS_READ];
    CU_ASSERT_EQUAL(read_line(system, 1, 5), FIRST + SECOND + SHARED + PROBE);
    CU_ASSERT_EQUAL(pf_cache_stats(system->shared)->accesses[PF_ACCESS_READ], reads);
    CU_ASSERT_EQUAL(pf_cache_stats(system->shared)->accesses[PF_ACCESS_WRITE], 1);
    CU_ASSERT_TRUE(has(system->data[0], 5) && !has_dirty(system->data[0], 5));
    CU_ASSERT_TRUE(has(system->data[1], 5) && !has_dirty(system->data[1], 5));
    CU_ASSERT_TRUE(has_dirty(system->shared, 5));
    CU_ASSERT_EQUAL(stats->forwards, 1);
    CU_ASSERT_EQUAL(stats->writebacks, 1);
    /* A line that has gone to the second level is found there; then nobody has it dirty. */
    write_line(system, 0, 6);
    read_line(system, 0, 8);
    read_line(system, 0, 10);
    CU_ASSERT_TRUE(!has(system->data[0], 6) && has_dirty(system->second[0], 6));
    CU_ASSERT_EQUAL(read_line(system, 1, 6), FIRST + SECOND + SHARED + PROBE);
    CU_ASSERT_FALSE(has_dirty(system->second[0], 6));
    CU_ASSERT_EQUAL(stats->forwards, 2);
    pf_coherence_check(system->coherence);
    system_free(system);
}

static void dirty_to_dirty(void)
{
    System *system = system_new(2, PF_CACHE_UNRELATED);
    const PfCoherenceStats *stats = pf_coherence_stats(system->coherence);
    write_line(system, 0, 5);
    /* The probe, then the line from the shared level, which got it. */
    CU_ASSERT_EQUAL(write_line(system, 1, 5), PROBE + FIRST + SECOND + SHARED);
    CU_ASSERT_FALSE(has(system->data[0], 5) || has(system->second[0], 5));
    CU_ASSERT_TRUE(has_dirty(system->data[1], 5));
    CU_ASSERT_EQUAL(stats->writebacks, 1);
    CU_ASSERT_EQUAL(stats->forwards, 0);
    /* A whole line needs no fill, but the way to the filter. */
    CU_ASSERT_EQUAL(ask(system, 0, PF_ACCESS_WRITE, 5, LINE), FIRST + SECOND + SHARED + PROBE);
    CU_ASSERT_EQUAL(ask(system, 0, PF_ACCESS_WRITE, 5, LINE), FIRST);
    CU_ASSERT_FALSE(has(system->data[1], 5));
    pf_coherence_check(system->coherence);
    system_free(system);
}

static void nobody_else(void)
{
    System *system = system_new(2, PF_CACHE_UNRELATED);
    const PfCoherenceStats *stats = pf_coherence_stats(system->coherence);
    read_line(system, 0, 5);
    CU_ASSERT_TRUE(pf_coherence_is_alone(
        pf_coherence_port(system->coherence, pf_cache_port(system->shared), SHARED), 0));
    CU_ASSERT_EQUAL(write_line(system, 0, 5), FIRST);
    /* Core 1 comes: what core 0 did before is known. */
    read_line(system, 1, 6);
    pf_coherence_check(system->coherence);
    CU_ASSERT_EQUAL(read_line(system, 1, 5), FIRST + SECOND + SHARED + PROBE);
    /* Core 1 drops 5 without a word (7, 9 and so on take its sets); then nobody is probed. */
    for (uint64_t line = 7; line < 40; line++)
        read_line(system, 1, line);
    CU_ASSERT_FALSE(has(system->data[1], 5) || has(system->second[1], 5));
    uint64_t probes = stats->probes;
    CU_ASSERT_EQUAL(write_line(system, 0, 5), FIRST);
    CU_ASSERT_EQUAL(stats->probes, probes);
    system_free(system);
}

static void dropped(void)
{
    System *system = system_new(2, PF_CACHE_UNRELATED);
    write_line(system, 0, 0);
    read_line(system, 1, 1);
    CU_ASSERT_TRUE(pf_coherence_is_dirty(system->coherence, (PfMaddr){0}));
    CU_ASSERT_FALSE(pf_coherence_is_dirty(system->coherence, (PfMaddr){LINE}));
    pf_coherence_drop(system->coherence, (PfMaddr){0}, 2 * LINE);
    CU_ASSERT_FALSE(pf_coherence_is_dirty(system->coherence, (PfMaddr){0}));
    for (uint64_t line = 0; line < 2; line++)
        CU_ASSERT_FALSE(has(system->data[0], line) || has(system->second[1], line) ||
                        has(system->shared, line));
    system_free(system);
}

/* Who wrote each line last, and who has read it since, decides what each core may hold. */
static void one_writer_or_readers(unsigned cores, int inclusion)
{
    enum { LINES = 40, ACCESSES = 20000 };
    System *system = system_new(cores, inclusion);
    uint64_t allowed[LINES][2]; /* bits: who may hold a copy */
    unsigned stale = 0;
    unsigned lost = 0;
    bool pending[LINES] = {false};
    memset(allowed, 0, sizeof allowed);
    PfRng rng = pf_rng_derive(cores, "coherence");
    for (unsigned i = 0; i < ACCESSES; i++) {
        unsigned core = (unsigned)pf_rng_below(&rng, cores);
        uint64_t line = pf_rng_below(&rng, LINES);
        unsigned kind = (unsigned)pf_rng_below(&rng, PF_ACCESS_KINDS);
        PfCache *first = kind == PF_ACCESS_FETCH ? system->fetch[core] : system->data[core];
        bool may_hold = (allowed[line][core / 64] >> core % 64 & 1) != 0;
        stale += !may_hold && (has(first, line) || has(system->second[core], line));
        bool written[LINES] = {false};
        system->memory->count = 0;
        ask(system, core, (PfAccessKind)kind, line, pf_rng_below(&rng, 4) == 0 ? LINE : 8);
        if (kind == PF_ACCESS_WRITE)
            memset(allowed[line], 0, sizeof allowed[line]);
        allowed[line][core / 64] |= (uint64_t)1 << core % 64;
        pending[line] |= kind == PF_ACCESS_WRITE;
        for (uint32_t j = 0; j < system->memory->count; j++)
            if (system->memory->requests[j].kind == PF_ACCESS_WRITE)
                written[system->memory->requests[j].address.bytes / LINE] = true;
        for (uint64_t j = 0; j < LINES; j++) {
            bool dirty = pf_coherence_is_dirty(system->coherence, (PfMaddr){j * LINE});
            lost += pending[j] && !dirty && !written[j];
            pending[j] = dirty;
        }
        if (i % 16 == 0)
            pf_coherence_check(system->coherence);
    }
    CU_ASSERT_EQUAL(stale, 0);
    CU_ASSERT_EQUAL(lost, 0);
    pf_cache_check(system->shared);
    system_free(system);
}

static void properties(void)
{
    for (unsigned inclusion = PF_CACHE_UNRELATED; inclusion <= PF_CACHE_EXCLUSIVE; inclusion++) {
        one_writer_or_readers(2, (int)inclusion);
        one_writer_or_readers(5, (int)inclusion);
    }
    one_writer_or_readers(CORES_MAX, PF_CACHE_UNRELATED); /* a bit of the filter for two cores */
}

static const PfCheck checks[] = {
    {"a store takes the line from all other cores, and waits for that", invalidation},
    {"a read gets the line that another core has dirty from there, and both have it clean",
     forwarding},
    {"a store to a line that another core has dirty gets it by way of the shared level",
     dirty_to_dirty},
    {"what no other core holds costs nothing, whoever had it before", nobody_else},
    {"a range is dropped from the caches of all cores", dropped},
    {"one writer or many readers, never a stale copy, no store lost, on random streams",
     properties},
};

PF_CHECK_MAIN("coherence", checks)
