#include "tlb.h"

#include "check.h"
#include "error.h"
#include "rng.h"

static PfTlb *tlb_of(uint64_t entries, uint64_t ways)
{
    PfTlbConfig config = {.entries = entries, .ways = ways, .latency_cycles = 1};
    return pf_tlb_new("tlb", &config, NULL, NULL);
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
    CU_ASSERT_EQUAL(entry->latency_cycles, 1);
    CU_ASSERT_EQUAL(pf_tlb_miss_cycles(tlb), 1);
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

static void refuse(uint64_t entries, uint64_t ways, int replacement)
{
    g_autoptr(GError) error = NULL;
    PfTlbConfig config = {.entries = entries, .ways = ways, .replacement = replacement};
    PfTlb *tlb = pf_tlb_new("tlb", &config, NULL, &error);
    CU_ASSERT_PTR_NULL(tlb);
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    pf_tlb_free(tlb);
}

static void geometry(void)
{
    g_autoptr(PfTlb) tlb = tlb_of(1536, 12); /* 128 sets */
    CU_ASSERT_PTR_NOT_NULL(tlb);
    refuse(0, 0, PF_TLB_LRU);
    refuse(0, 4, PF_TLB_LRU);
    refuse(64, 5, PF_TLB_LRU);   /* no whole number of sets */
    refuse(3072, 8, PF_TLB_LRU); /* 384 sets */
    refuse((1 << 20) + 1, 0, PF_TLB_LRU);
    refuse(24, 12, PF_TLB_PLRU); /* no tree of 12 leaves */
    refuse(128, 128, PF_TLB_PLRU);
}

static void statistics(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    PfTlbConfig config = {.entries = 4, .ways = 0};
    g_autoptr(PfTlb) tlb = pf_tlb_new("l1d", &config, pf_stats_group(stats, "tlb.l1d"), NULL);
    g_autoptr(PfTlb) sibling = pf_tlb_new("l1d", &config, NULL, NULL);
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
    const PfTlbConfig standard = {
        .entries = 64, .ways = 4, .huge = {.held = PF_TLB_OWN, .entries = 4, .ways = 2}};
    PfTlbConfig config;
    CU_ASSERT_TRUE(pf_config_override(tree, "machine.tlb.l1.ways=8", NULL));
    CU_ASSERT_TRUE(pf_config_override(tree, "machine.tlb.l1.large.held=pieces", NULL));
    pf_tlb_bind(pf_config_section(tree, "machine.tlb.l1"), &standard, &config);
    CU_ASSERT_TRUE(pf_config_finish(tree, NULL));
    CU_ASSERT_EQUAL(config.entries, 64);
    CU_ASSERT_EQUAL(config.ways, 8);
    CU_ASSERT_EQUAL(config.large.held, PF_TLB_PIECES);
    CU_ASSERT_EQUAL(config.huge.held, PF_TLB_OWN);
    CU_ASSERT_EQUAL(config.huge.ways, 2);
}

/* A level of 8 base pages, all in one set. */
static PfTlb *tlb_holding(PfTlbHeld large, PfTlbHeld huge)
{
    PfTlbConfig config = {
        .entries = 8,
        .latency_cycles = 1,
        .large = {.held = (int)large, .entries = 2, .ways = 1, .latency_cycles = 3},
        .huge = {.held = (int)huge, .entries = 1, .latency_cycles = 2}};
    return pf_tlb_new("l2", &config, NULL, NULL);
}

static uint64_t page_of(unsigned size_shift, uint64_t number)
{
    return number << size_shift;
}

static void own_arrays(void)
{
    g_autoptr(PfTlb) tlb = tlb_holding(PF_TLB_OWN, PF_TLB_OWN);
    for (uint64_t i = 0; i < 8; i++)
        insert(tlb, 1, page_of(18, 40) + i, 0);
    for (uint64_t i = 0; i < 2; i++)
        insert(tlb, 1, page_of(9, 20 + i), 9);
    insert(tlb, 1, page_of(18, 7), 18);
    /* Nobody drove anybody out: 8, 2 and 1 places. */
    for (uint64_t i = 0; i < 8; i++)
        CU_ASSERT_TRUE(holds(tlb, 1, page_of(18, 40) + i));
    CU_ASSERT_TRUE(holds(tlb, 1, page_of(9, 20)) && holds(tlb, 1, page_of(9, 21)));
    CU_ASSERT_TRUE(holds(tlb, 1, page_of(18, 7)));
    /* Each array has its latency, and a miss has waited for the slowest. */
    CU_ASSERT_EQUAL(pf_tlb_lookup(tlb, 1, (PfVpn){page_of(18, 40)})->latency_cycles, 1);
    CU_ASSERT_EQUAL(pf_tlb_lookup(tlb, 1, (PfVpn){page_of(9, 20)})->latency_cycles, 3);
    CU_ASSERT_EQUAL(pf_tlb_lookup(tlb, 1, (PfVpn){page_of(18, 7)})->latency_cycles, 2);
    CU_ASSERT_EQUAL(pf_tlb_miss_cycles(tlb), 3);
    /* Two sets of one: the third large page takes the place of the first, and of no other. */
    insert(tlb, 1, page_of(9, 22), 9);
    CU_ASSERT_FALSE(holds(tlb, 1, page_of(9, 20)));
    CU_ASSERT_TRUE(holds(tlb, 1, page_of(9, 21)));
    insert(tlb, 1, page_of(18, 8), 18);
    CU_ASSERT_FALSE(holds(tlb, 1, page_of(18, 7)));
    pf_tlb_check(tlb);
    CU_ASSERT_EQUAL(pf_tlb_invalidate_space(tlb, 1), 8 + 2 + 1);
}

static void shared_places(void)
{
    g_autoptr(PfTlb) tlb = tlb_holding(PF_TLB_SHARED, PF_TLB_SHARED);
    for (uint64_t i = 0; i < 6; i++)
        insert(tlb, 1, i, 0);
    insert(tlb, 1, page_of(9, 1), 9);
    insert(tlb, 1, page_of(18, 1), 18);
    for (uint64_t i = 0; i < 6; i++)
        CU_ASSERT_TRUE(holds(tlb, 1, i));
    /* All 8 places are taken: the next one, of whatever size, drives out the oldest. */
    insert(tlb, 1, page_of(9, 2), 9);
    CU_ASSERT_FALSE(holds(tlb, 1, 0));
    CU_ASSERT_TRUE(holds(tlb, 1, 1));
    pf_tlb_check(tlb);
}

static void pieces(void)
{
    g_autoptr(PfTlb) tlb = tlb_holding(PF_TLB_OWN, PF_TLB_PIECES);
    uint64_t first = page_of(18, 3);
    insert(tlb, 1, first + 5 * 512 + 17, 18); /* the sixth piece of 512 pages */
    CU_ASSERT_FALSE(holds(tlb, 1, first + 5 * 512 - 1));
    CU_ASSERT_TRUE(holds(tlb, 1, first + 5 * 512));
    CU_ASSERT_TRUE(holds(tlb, 1, first + 6 * 512 - 1));
    CU_ASSERT_FALSE(holds(tlb, 1, first + 6 * 512));
    const PfTlbEntry *entry = pf_tlb_lookup(tlb, 1, (PfVpn){first + 5 * 512});
    CU_ASSERT_EQUAL(entry->page_shift, 9);
    CU_ASSERT_EQUAL(entry->size_shift, 18); /* another level may hold it whole */
    CU_ASSERT_EQUAL(entry->mpn.number, first + 5 * 512);
    pf_tlb_check(tlb);
    g_autoptr(PfTlb) small = tlb_holding(PF_TLB_PIECES, PF_TLB_PIECES);
    insert(small, 1, first, 18);
    CU_ASSERT_TRUE(holds(small, 1, first));
    CU_ASSERT_FALSE(holds(small, 1, first + 1));
}

static void nowhere(void)
{
    g_autoptr(PfTlb) tlb = tlb_holding(PF_TLB_NOWHERE, PF_TLB_NOWHERE);
    insert(tlb, 1, page_of(9, 4), 9);
    insert(tlb, 1, page_of(18, 4), 18);
    CU_ASSERT_FALSE(holds(tlb, 1, page_of(9, 4)));
    CU_ASSERT_FALSE(holds(tlb, 1, page_of(18, 4)));
    insert(tlb, 1, page_of(9, 4), 0);
    CU_ASSERT_TRUE(holds(tlb, 1, page_of(9, 4)));
    pf_tlb_check(tlb);
}

static void tree_replacement(void)
{
    PfTlbConfig config = {.entries = 4, .replacement = PF_TLB_PLRU};
    g_autoptr(PfTlb) tlb = pf_tlb_new("l1", &config, NULL, NULL);
    for (uint64_t page = 0; page < 4; page++)
        insert(tlb, 1, page, 0);
    /* Pages 0 .. 3 lie in ways 0 .. 3. The last use, of 3, leaves the root pointing left and the
     * left node, last used for 1, pointing to 0. Using 0 turns the root right, where the node
     * points to 2, though 1 was not used for longer. */
    pf_tlb_lookup(tlb, 1, (PfVpn){0});
    insert(tlb, 1, 4, 0);
    CU_ASSERT_FALSE(holds(tlb, 1, 2));
    CU_ASSERT_TRUE(holds(tlb, 1, 0) && holds(tlb, 1, 1) && holds(tlb, 1, 3));
    /* Now the root points left, and the left node away from 0. */
    insert(tlb, 1, 5, 0);
    CU_ASSERT_FALSE(holds(tlb, 1, 1));
    /* An empty place comes first. */
    pf_tlb_invalidate_page(tlb, 1, (PfVpn){3});
    insert(tlb, 1, 6, 0);
    CU_ASSERT_TRUE(holds(tlb, 1, 0) && holds(tlb, 1, 4) && holds(tlb, 1, 5));
    pf_tlb_check(tlb);
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
    {"what is not configured is as the standard has it", defaults},
    {"each size has places and a latency of its own", own_arrays},
    {"sizes that share places drive each other out", shared_places},
    {"a page held in pieces is held where it was used", pieces},
    {"a size that is held nowhere is not held", nowhere},
    {"a tree of bits points away from the last uses", tree_replacement},
};

PF_CHECK_MAIN("tlb", checks)
