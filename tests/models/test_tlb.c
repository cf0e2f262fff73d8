#include "tlb.h"

#include "check.h"
#include "error.h"
#include "rng.h"

static PfTlb *tlb_of(uint64_t entries, uint64_t ways)
{
    PfTlbConfig config = {.entries = entries, .ways = ways, .latency_cycles = 1};
    return pf_tlb_new(&config, NULL, NULL);
}

static bool holds(const PfTlb *tlb, uint32_t space, uint64_t page)
{
    return pf_tlb_holds(tlb, space, (PfVpn){page});
}

static void insert(PfTlb *tlb, uint32_t space, uint64_t page, unsigned size_shift)
{
    pf_tlb_insert(tlb, space, (PfVpn){page}, (PfMpn){(uint32_t)page}, true, size_shift);
}

static void hit_and_miss(void)
{
    g_autoptr(PfTlb) tlb = tlb_of(64, 4);
    CU_ASSERT_PTR_NULL(pf_tlb_lookup(tlb, 1, (PfVpn){0}));
    pf_tlb_insert(tlb, 1, (PfVpn){0}, (PfMpn){42}, false, 0);
    const PfTlbEntry *entry = pf_tlb_lookup(tlb, 1, (PfVpn){0});
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CU_ASSERT_EQUAL(entry->mpn.number, 42);
    CU_ASSERT_FALSE(entry->writable);
    CU_ASSERT_EQUAL(entry->page_shift, 0);
    /* The same key again: the entry is replaced, not doubled. */
    pf_tlb_insert(tlb, 1, (PfVpn){0}, (PfMpn){43}, true, 0);
    entry = pf_tlb_lookup(tlb, 1, (PfVpn){0});
    CU_ASSERT_EQUAL(entry->mpn.number, 43);
    CU_ASSERT_TRUE(entry->writable);
    CU_ASSERT_PTR_NULL(pf_tlb_lookup(tlb, 1, (PfVpn){1}));
    CU_ASSERT_EQUAL(pf_tlb_stats(tlb)->hits, 2);
    CU_ASSERT_EQUAL(pf_tlb_stats(tlb)->misses, 2);
    CU_ASSERT_EQUAL(pf_tlb_latency_cycles(tlb), 1);
    pf_tlb_check(tlb);
    CU_ASSERT_TRUE(pf_tlb_invalidate_page(tlb, 1, (PfVpn){0}));
    CU_ASSERT_FALSE(pf_tlb_invalidate_page(tlb, 1, (PfVpn){0}));
}

static void spaces(void)
{
    g_autoptr(PfTlb) tlb = tlb_of(64, 0);
    pf_tlb_insert(tlb, 1, (PfVpn){5}, (PfMpn){10}, true, 0);
    pf_tlb_insert(tlb, UINT32_MAX, (PfVpn){5}, (PfMpn){20}, true, 0);
    CU_ASSERT_PTR_NULL(pf_tlb_lookup(tlb, 2, (PfVpn){5}));
    CU_ASSERT_EQUAL(pf_tlb_lookup(tlb, 1, (PfVpn){5})->mpn.number, 10);
    CU_ASSERT_EQUAL(pf_tlb_lookup(tlb, UINT32_MAX, (PfVpn){5})->mpn.number, 20);
    CU_ASSERT_EQUAL(pf_tlb_invalidate_space(tlb, 1), 1);
    CU_ASSERT_FALSE(holds(tlb, 1, 5));
    CU_ASSERT_TRUE(holds(tlb, UINT32_MAX, 5));
    pf_tlb_check(tlb);
}

static void large_pages(void)
{
    g_autoptr(PfTlb) tlb = tlb_of(64, 4);
    /* Page 1000 lies in the large page of 512 .. 1023; its frame 5 * 512 + 488 in that of 2560. */
    pf_tlb_insert(tlb, 1, (PfVpn){1000}, (PfMpn){2560 + 488}, true, 9);
    insert(tlb, 1, 1024, 0);
    CU_ASSERT_FALSE(holds(tlb, 1, 511));
    CU_ASSERT_TRUE(holds(tlb, 1, 512));
    CU_ASSERT_TRUE(holds(tlb, 1, 1023));
    const PfTlbEntry *entry = pf_tlb_lookup(tlb, 1, (PfVpn){1023});
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CU_ASSERT_EQUAL(entry->page_shift, 9);
    CU_ASSERT_EQUAL(entry->mpn.number, 2560);
    CU_ASSERT_EQUAL(pf_tlb_entry_frame(entry, (PfVpn){1023}).number, 2560 + 511);
    CU_ASSERT_EQUAL(pf_tlb_entry_frame(entry, (PfVpn){512}).number, 2560);
    CU_ASSERT_EQUAL(pf_tlb_lookup(tlb, 1, (PfVpn){1024})->page_shift, 0);
    insert(tlb, 1, (uint64_t)3 << 18, 18);
    CU_ASSERT_TRUE(holds(tlb, 1, ((uint64_t)4 << 18) - 1));
    pf_tlb_check(tlb);
    /* Any page of it drops it, once. */
    CU_ASSERT_TRUE(pf_tlb_invalidate_page(tlb, 1, (PfVpn){700}));
    CU_ASSERT_FALSE(pf_tlb_invalidate_page(tlb, 1, (PfVpn){701}));
    CU_ASSERT_TRUE(holds(tlb, 1, 1024));
    pf_tlb_check(tlb);
}

static void set_replacement(void)
{
    /* 16 sets of 4: pages 0, 16, 32 ... share set 0. */
    g_autoptr(PfTlb) tlb = tlb_of(64, 4);
    for (uint64_t i = 0; i < 4; i++)
        insert(tlb, 1, i * 16, 0);
    CU_ASSERT_TRUE(holds(tlb, 1, 0));
    pf_tlb_lookup(tlb, 1, (PfVpn){0});
    insert(tlb, 1, 4 * 16, 0);
    CU_ASSERT_TRUE(holds(tlb, 1, 0));
    CU_ASSERT_FALSE(holds(tlb, 1, 16));
    CU_ASSERT_TRUE(holds(tlb, 1, 32));
}

static void full_replacement(void)
{
    g_autoptr(PfTlb) tlb = tlb_of(72, 0);
    for (uint64_t page = 0; page < 72; page++)
        insert(tlb, 1, page * 1024, 0);
    for (uint64_t page = 0; page < 72; page++)
        CU_ASSERT_TRUE(holds(tlb, 1, page * 1024));
    pf_tlb_lookup(tlb, 1, (PfVpn){0});
    insert(tlb, 1, 72 * 1024, 0);
    CU_ASSERT_TRUE(holds(tlb, 1, 0));
    CU_ASSERT_FALSE(holds(tlb, 1, 1024));
    CU_ASSERT_TRUE(holds(tlb, 1, 2 * 1024));
    pf_tlb_check(tlb);
}

static void ranges(uint64_t entries, uint64_t ways)
{
    g_autoptr(PfTlb) tlb = tlb_of(entries, ways);
    for (uint64_t page = 0; page < 16; page++) {
        insert(tlb, 1, page, 0);
        insert(tlb, 2, page, 0);
    }
    insert(tlb, 1, 512, 9);
    CU_ASSERT_EQUAL(pf_tlb_invalidate_range(tlb, 1, (PfVpn){3}, 0), 0);
    CU_ASSERT_EQUAL(pf_tlb_invalidate_range(tlb, 1, (PfVpn){3}, 4), 4);
    for (uint64_t page = 0; page < 16; page++)
        CU_ASSERT_EQUAL(holds(tlb, 1, page), page < 3 || page > 6);
    CU_ASSERT_TRUE(holds(tlb, 2, 3));
    /* 10 .. 511 ends one before the large page, 10 .. 512 takes it along. */
    CU_ASSERT_EQUAL(pf_tlb_invalidate_range(tlb, 1, (PfVpn){15}, 497), 1);
    CU_ASSERT_EQUAL(pf_tlb_invalidate_range(tlb, 1, (PfVpn){10}, 503), 6);
    CU_ASSERT_FALSE(holds(tlb, 1, 512));
    CU_ASSERT_EQUAL(pf_tlb_flush(tlb), 6 + 16);
    CU_ASSERT_EQUAL(pf_tlb_flush(tlb), 0);
    CU_ASSERT_EQUAL(pf_tlb_stats(tlb)->invalidations, 4 + 1 + 6 + 22);
    pf_tlb_check(tlb);
}

static void range_invalidation(void)
{
    ranges(64, 0);   /* a sweep over the entries */
    ranges(1024, 4); /* a probe for each page of the short range */
}

/* Keys with time stamps, written from the definition. */
typedef struct {
    uint64_t page, used;
    uint32_t space;
    bool valid;
} NaiveEntry;

static void compare_with_naive(uint32_t sets, uint32_t ways, uint64_t seed)
{
    enum { STEPS = 20000 };
    g_autoptr(PfTlb) tlb = tlb_of((uint64_t)sets * ways, ways);
    g_autofree NaiveEntry *naive = g_new0(NaiveEntry, sets * ways);
    PfRng rng = pf_rng_derive(seed, "naive");
    uint32_t wrong = 0;
    for (uint64_t time = 1; time <= STEPS; time++) {
        uint64_t page = pf_rng_below(&rng, sets * ways);
        uint32_t space = (uint32_t)pf_rng_below(&rng, 2);
        NaiveEntry *set = &naive[page % sets * ways];
        NaiveEntry *found = NULL;
        NaiveEntry *oldest = set;
        for (NaiveEntry *entry = set; entry < set + ways; entry++) {
            if (entry->valid && entry->page == page && entry->space == space)
                found = entry;
            if (oldest->valid && (!entry->valid || entry->used < oldest->used))
                oldest = entry;
        }
        if (pf_rng_below(&rng, 32) == 0) {
            wrong += pf_tlb_invalidate_page(tlb, space, (PfVpn){page}) != (found != NULL);
            if (found != NULL)
                found->valid = false;
            continue;
        }
        const PfTlbEntry *entry = pf_tlb_lookup(tlb, space, (PfVpn){page});
        wrong += (entry != NULL) != (found != NULL);
        if (entry != NULL) {
            wrong += entry->mpn.number != page;
            if (found != NULL)
                found->used = time;
        } else {
            insert(tlb, space, page, 0);
            *oldest = (NaiveEntry){.page = page, .used = time, .space = space, .valid = true};
        }
    }
    pf_tlb_check(tlb);
    CU_ASSERT_EQUAL(wrong, 0);
}

static void naive_model(void)
{
    static const struct {
        uint32_t sets, ways;
    } geometries[] = {{1, 1}, {16, 1}, {16, 4}, {4, 5}, {128, 12}, {1, 64}, {1, 72}};
    for (uint64_t i = 0; i < G_N_ELEMENTS(geometries); i++) {
        printf("# seed %u, %u sets, %u ways\n", (unsigned)i, geometries[i].sets,
               geometries[i].ways);
        compare_with_naive(geometries[i].sets, geometries[i].ways, i);
    }
}

static void refuse(uint64_t entries, uint64_t ways)
{
    g_autoptr(GError) error = NULL;
    PfTlbConfig config = {.entries = entries, .ways = ways};
    PfTlb *tlb = pf_tlb_new(&config, NULL, &error);
    CU_ASSERT_PTR_NULL(tlb);
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    pf_tlb_free(tlb);
}

static void geometry(void)
{
    g_autoptr(PfTlb) tlb = tlb_of(1536, 12); /* 128 sets */
    CU_ASSERT_PTR_NOT_NULL(tlb);
    refuse(0, 0);
    refuse(0, 4);
    refuse(64, 5);   /* no whole number of sets */
    refuse(3072, 8); /* 384 sets */
    refuse((1 << 20) + 1, 0);
}

static void statistics(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    PfTlbConfig config = {.entries = 4, .ways = 0};
    g_autoptr(PfTlb) tlb = pf_tlb_new(&config, pf_stats_group(stats, "tlb.l1d"), NULL);
    g_autoptr(PfTlb) sibling = pf_tlb_new(&config, NULL, NULL);
    pf_tlb_count_into(sibling, tlb);
    pf_stats_freeze(stats);
    insert(tlb, 1, 0, 0);
    pf_tlb_lookup(tlb, 1, (PfVpn){0});
    pf_tlb_lookup(sibling, 1, (PfVpn){0});
    PfStatValue value;
    CU_ASSERT_TRUE(pf_stats_find(stats, "tlb.l1d.hits", &value) && value.u == 1);
    CU_ASSERT_TRUE(pf_stats_find(stats, "tlb.l1d.misses", &value) && value.u == 1);
    pf_tlb_reset_state(tlb);
    CU_ASSERT_FALSE(holds(tlb, 1, 0));
    CU_ASSERT_TRUE(pf_stats_find(stats, "tlb.l1d.hits", &value) && value.u == 1);
    pf_tlb_check(tlb);
}

static void defaults(void)
{
    g_autoptr(PfConfig) tree = pf_config_new(NULL);
    PfTlbConfig config;
    pf_config_bind(pf_config_section(tree, "machine.tlb"), pf_tlb_fields, pf_tlb_field_count,
                   &config);
    CU_ASSERT_TRUE(pf_config_finish(tree, NULL));
    CU_ASSERT_EQUAL(config.entries, 64);
    CU_ASSERT_EQUAL(config.ways, 4);
    g_autoptr(PfTlb) tlb = pf_tlb_new(&config, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(tlb);
}

static const PfCheck checks[] = {
    {"a lookup finds what was inserted last and counts", hit_and_miss},
    {"an entry is seen by its own space only", spaces},
    {"a large entry serves its first to its last page", large_pages},
    {"the least recent entry of the set makes room", set_replacement},
    {"the least recent of all makes room where there is one set", full_replacement},
    {"a range is dropped from its first to its last page, in its space", range_invalidation},
    {"a naive model agrees on hits and replacement", naive_model},
    {"impossible geometries are refused", geometry},
    {"statistics have their names and can be shared", statistics},
    {"the defaults bind and make a buffer", defaults},
};

PF_CHECK_MAIN("tlb", checks)
