/* Private caches of cores on two nodes, each with a shared level of its own. */
#include "coherence.h"

#include "check.h"
#include "mock_port.h"
#include "rng.h"

enum { LINE = 64, FIRST = 4, SHARED = 45, PROBE = 30, BELOW = 100, NODES = 2, CORES = 4 };

/* Cores 0 and 1 are on node 0, 2 and 3 on node 1. */
typedef struct {
    Mock *memory;
    PfNodes nodes;
    PfCoherence *coherence;
    PfCache *shared[NODES];
    PfCache *data[CORES];
} System;

static PfCache *new_cache(uint64_t lines, uint64_t latency, PfCacheInclusion inclusion,
                          PfPort *next)
{
    PfCacheConfig config = {.size_bytes = lines * LINE,
                            .ways = 2,
                            .line_bytes = LINE,
                            .latency_cycles = latency,
                            .inclusion = (int)inclusion,
                            .shared = latency == SHARED};
    return pf_cache_new(&config, next, 1, NULL, NULL);
}

/* Shared levels are as INCLUSION says. */
static System *system_with(PfCacheInclusion inclusion)
{
    const PfCoherenceConfig config = {.kept = true, .probe_cycles = PROBE};
    System *system = g_new0(System, 1);
    system->memory = mock_new(BELOW);
    pf_nodes_init(&system->nodes, NODES);
    system->coherence = pf_coherence_new(&config, CORES, LINE, NULL);
    for (unsigned core = 0; core < CORES; core++)
        system->nodes.node_of_core[core] = (uint8_t)(core / 2);
    pf_coherence_set_nodes(system->coherence, &system->nodes);
    for (unsigned node = 0; node < NODES; node++) {
        system->shared[node] = new_cache(32, SHARED, inclusion, &system->memory->port);
        pf_coherence_add_shared(system->coherence, node, system->shared[node]);
    }
    for (unsigned core = 0; core < CORES; core++) {
        PfCache *shared = system->shared[core / 2];
        PfPort *gate = pf_coherence_port(system->coherence, pf_cache_port(shared), SHARED);
        system->data[core] = new_cache(4, FIRST, PF_CACHE_UNRELATED, gate);
        pf_cache_attach(system->data[core], shared);
        pf_cache_keep_coherent(system->data[core], gate, SHARED);
        pf_coherence_add_private(system->coherence, core, system->data[core]);
    }
    return system;
}

static System *system_new(void)
{
    return system_with(PF_CACHE_UNRELATED);
}

static void system_free(System *system)
{
    for (unsigned core = 0; core < CORES; core++)
        pf_cache_free(system->data[core]);
    for (unsigned node = 0; node < NODES; node++)
        pf_cache_free(system->shared[node]);
    pf_coherence_free(system->coherence);
    g_free(system->memory);
    g_free(system);
}

/* What it takes CORE, at cycle 1000. */
static uint64_t ask(System *system, unsigned core, PfAccessKind kind, uint64_t line)
{
    PfRequest request = {.address = {line * LINE},
                         .now_cycles = 1000,
                         .size_bytes = 8,
                         .core = (uint16_t)core,
                         .kind = (uint8_t)kind,
                         .actor = PF_ACTOR_DEMAND};
    return pf_cache_access(pf_cache_port(system->data[core]), &request) - 1000;
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

/* Reading it brings a line to the node of the reader; a store leaves it there alone. */
static void a_store_takes_the_line_from_other_nodes(void)
{
    System *system = system_new();
    CU_ASSERT_EQUAL(ask(system, 0, PF_ACCESS_READ, 5), FIRST + SHARED + BELOW);
    CU_ASSERT_EQUAL(ask(system, 2, PF_ACCESS_READ, 5), FIRST + SHARED + BELOW);
    CU_ASSERT(has(system->shared[0], 5) && has(system->shared[1], 5));
    CU_ASSERT_EQUAL(ask(system, 1, PF_ACCESS_WRITE, 5), FIRST + SHARED + PROBE);
    CU_ASSERT(has_dirty(system->data[1], 5));
    CU_ASSERT(has(system->shared[0], 5) && !has(system->shared[1], 5));
    CU_ASSERT(!has(system->data[0], 5) && !has(system->data[2], 5));
    /* Core 0 and core 2 had it, and the shared level of node 1. */
    CU_ASSERT_EQUAL(pf_coherence_stats(system->coherence)->invalidations, 3);
    CU_ASSERT_EQUAL(pf_coherence_stats(system->coherence)->writebacks, 0);
    pf_coherence_check(system->coherence);
    system_free(system);
}

/* Core 0's first level has two sets: lines 5, 7 and 9 are of one, so the third drives out line 5,
 * dirty, to the shared level of its node. From there it moves to that of the reader. */
static void a_dirty_line_moves_to_the_node_that_reads_it(void)
{
    System *system = system_new();
    ask(system, 0, PF_ACCESS_WRITE, 5);
    ask(system, 0, PF_ACCESS_READ, 7);
    CU_ASSERT(has_dirty(system->data[0], 5));
    ask(system, 0, PF_ACCESS_READ, 9);
    CU_ASSERT(!has(system->data[0], 5) && has_dirty(system->shared[0], 5));
    uint32_t asked = system->memory->count;
    CU_ASSERT_EQUAL(ask(system, 3, PF_ACCESS_READ, 5), FIRST + SHARED + PROBE);
    CU_ASSERT_EQUAL(system->memory->count, asked);
    CU_ASSERT(!has(system->shared[0], 5) && has_dirty(system->shared[1], 5));
    CU_ASSERT_EQUAL(pf_coherence_stats(system->coherence)->forwards, 1);
    /* A core of the same node finds it there without a probe. */
    CU_ASSERT_EQUAL(ask(system, 2, PF_ACCESS_READ, 5), FIRST + SHARED);
    pf_coherence_check(system->coherence);
    system_free(system);
}

/* Of a line that a core of the other node has dirty, what that node's shared level has is old. */
static void what_another_node_had_before_is_not_met_again(void)
{
    System *system = system_new();
    ask(system, 0, PF_ACCESS_READ, 5);
    ask(system, 0, PF_ACCESS_WRITE, 5);
    CU_ASSERT(has(system->shared[0], 5) && has_dirty(system->data[0], 5));
    CU_ASSERT_EQUAL(ask(system, 2, PF_ACCESS_READ, 5), FIRST + SHARED + PROBE);
    CU_ASSERT(!has(system->shared[0], 5) && has_dirty(system->shared[1], 5));
    CU_ASSERT(has(system->data[0], 5) && !has_dirty(system->data[0], 5));
    system_free(system);
}

/* An inclusive shared level that loses a line to another node takes it from its cores, too. */
static void a_line_that_moves_leaves_the_caches_above(void)
{
    System *system = system_with(PF_CACHE_INCLUSIVE);
    ask(system, 0, PF_ACCESS_WRITE, 5);
    ask(system, 1, PF_ACCESS_READ, 5);
    CU_ASSERT(has(system->data[0], 5) && has(system->data[1], 5) && has(system->shared[0], 5));
    ask(system, 2, PF_ACCESS_READ, 5);
    CU_ASSERT(!has(system->data[0], 5) && !has(system->data[1], 5) && !has(system->shared[0], 5));
    CU_ASSERT(has(system->data[2], 5) && has_dirty(system->shared[1], 5));
    system_free(system);
}

/* Whoever stored last, no cache of the other node keeps the line; and at most one is dirty. */
static void properties_with(PfCacheInclusion inclusion)
{
    System *system = system_with(inclusion);
    PfRng rng = pf_rng_derive(3, "nodes");
    for (unsigned i = 0; i < 20000; i++) {
        unsigned core = (unsigned)pf_rng_below(&rng, CORES);
        uint64_t line = pf_rng_below(&rng, 60);
        bool is_store = pf_rng_below(&rng, 3) == 0;
        ask(system, core, is_store ? PF_ACCESS_WRITE : PF_ACCESS_READ, line);
        unsigned dirty = has_dirty(system->shared[0], line) + has_dirty(system->shared[1], line);
        g_assert(dirty <= 1);
        if (is_store) {
            g_assert(has_dirty(system->data[core], line));
            g_assert(!has(system->shared[1 - core / 2], line));
            for (unsigned other = 0; other < CORES; other++)
                g_assert(other == core || !has(system->data[other], line));
        }
        if (i % 100 == 0)
            pf_coherence_check(system->coherence);
        for (unsigned node = 0; i % 100 == 0 && node < NODES; node++)
            pf_cache_check(system->shared[node]);
    }
    const PfCoherenceStats *stats = pf_coherence_stats(system->coherence);
    CU_ASSERT(stats->forwards > 0 && stats->invalidations > 0 && stats->writebacks > 0);
    system_free(system);
}

static void properties(void)
{
    properties_with(PF_CACHE_UNRELATED);
    properties_with(PF_CACHE_INCLUSIVE);
}

static const PfCheck checks[] = {
    {"a store takes the line from other nodes", a_store_takes_the_line_from_other_nodes},
    {"a dirty line moves to the node that reads it", a_dirty_line_moves_to_the_node_that_reads_it},
    {"what another node had before is not met again",
     what_another_node_had_before_is_not_met_again},
    {"a line that moves leaves the caches above an inclusive level",
     a_line_that_moves_leaves_the_caches_above},
    {"one writer, and no copy on another node, on random streams", properties},
};

PF_CHECK_MAIN("coherence of nodes", checks)
