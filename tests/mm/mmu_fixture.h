/* A translation with small TLBs, for tests of it and of shootdowns. */
#pragma once

#include "check.h"
#include "mmu.h"

enum { CACHE_LATENCY = 1, MEMORY_LATENCY = 10, SECOND_LATENCY = 7, CORES = 3 };

typedef struct {
    PfStats *stats;
    PfMmuConfig config;
    PfMmu mmu;
    PfCache *cache;
} Fixture;

static inline uint64_t answer(PfPort *port, const PfRequest *request)
{
    (void)port;
    return request->now_cycles + MEMORY_LATENCY;
}

static const PfPortOps memory_ops = {.access = answer};
static PfPort memory_port = {&memory_ops};

static inline void set_up_with(Fixture *fixture, const PfMmuConfig *config)
{
    const PfCacheConfig cache = {
        .name = (char *)(uintptr_t) "l1", .size_bytes = 4096, .ways = 64, .line_bytes = 64,
        .latency_cycles = CACHE_LATENCY};
    g_autoptr(GError) error = NULL;
    fixture->config = *config;
    fixture->stats = pf_stats_new();
    bool made =
        pf_mmu_init(&fixture->mmu, &fixture->config, CORES, 12, fixture->stats, &error);
    CU_ASSERT_TRUE_FATAL(made);
    fixture->cache = pf_cache_new(&cache, &memory_port, 1, NULL, NULL);
    for (uint32_t space = 0; space < 4; space++)
        pf_mmu_add_space(&fixture->mmu, space, space == 3 ? 1 : 0, space == 3);
}

/* Sides of two entries, and behind them some of four ways. */
static inline PfMmuConfig config_of(uint64_t second_entries)
{
    return (PfMmuConfig){
        .instruction = {.entries = 2, .ways = 2},
        .data = {.entries = 2, .ways = 2},
        .second = {.entries = second_entries, .ways = 4, .latency_cycles = SECOND_LATENCY},
        .walk = {.levels = 4, .host_levels = 4},
        .flush_ceiling_pages = 33,
        .virtual_ipi = 1.0};
}

static inline void set_up(Fixture *fixture, uint64_t second_entries)
{
    const PfMmuConfig config = config_of(second_entries);
    set_up_with(fixture, &config);
}

static inline void tear_down(Fixture *fixture)
{
    pf_mmu_check(&fixture->mmu);
    pf_mmu_clear(&fixture->mmu);
    pf_cache_free(fixture->cache);
    pf_stats_free(fixture->stats);
}

static inline uint64_t count(const Fixture *fixture, const char *name)
{
    PfStatValue value;
    CU_ASSERT_TRUE(pf_stats_find(fixture->stats, name, &value));
    return value.u;
}

static inline const PfTlbEntry *refill(Fixture *fixture, const PfTranslation *translation,
                                uint64_t *ret_cycles)
{
    return pf_mmu_refill(&fixture->mmu, translation, fixture->cache, 1000, ret_cycles);
}

/* Whether any level of core 0 knows PAGE of SPACE. */
static inline bool knows(Fixture *fixture, uint32_t space, uint64_t page)
{
    const PfMmuCore *core = &fixture->mmu.cores[0];
    PfTlb *const tlbs[] = {core->instruction, core->data, core->second};
    bool found = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbs); i++)
        found |= pf_tlb_holds(tlbs[i], space, (PfVpn){page});
    return found;
}

/* CORE runs SPACE and translates its page SPACE. */
static inline void visit(Fixture *fixture, unsigned core, uint32_t space)
{
    PfTranslation translation = {.page = {space}, .space = space, .core = (uint16_t)core};
    pf_mmu_run(&fixture->mmu, core, space);
    pf_mmu_insert(&fixture->mmu, &translation, (PfMpn){space}, true);
}
