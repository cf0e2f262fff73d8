/* The pool of machine frames. */
#include "frame.h"

#include <string.h>

#include "check.h"

typedef struct {
    PfContentStore *store;
    PfFramePool pool;
} Fixture;

static void set_up_nodes(Fixture *fixture, uint64_t capacity_frames, unsigned nodes)
{
    PfFrameRules rules = pf_frame_rules_plain(nodes, capacity_frames);
    fixture->store = pf_content_store_new(64);
    pf_frame_pool_init(&fixture->pool, fixture->store, &rules);
}

static void set_up(Fixture *fixture, uint64_t capacity_frames)
{
    set_up_nodes(fixture, capacity_frames, 1);
}

static void tear_down(Fixture *fixture)
{
    pf_frame_pool_clear(&fixture->pool);
    pf_content_store_free(fixture->store);
}

static PfMpn alloc_on(Fixture *fixture, uint32_t slot, unsigned node)
{
    PfMpn mpn = {UINT32_MAX};
    CU_ASSERT_TRUE(pf_frame_alloc(&fixture->pool, (PfSlot){slot}, (PfFrameWish){node, 0}, &mpn));
    return mpn;
}

static PfMpn alloc(Fixture *fixture, uint32_t slot)
{
    return alloc_on(fixture, slot, 0);
}

static void test_order(void)
{
    Fixture fixture;
    set_up(&fixture, 0);
    /* 0 is the zero page; freed numbers come first, the last freed at once. */
    for (uint32_t i = 1; i <= 4; i++)
        CU_ASSERT_EQUAL(alloc(&fixture, i).number, i);
    pf_frame_unref(&fixture.pool, (PfMpn){2});
    pf_frame_unref(&fixture.pool, (PfMpn){4});
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 2);
    CU_ASSERT_EQUAL(fixture.pool.peak_frames, 4);
    CU_ASSERT_EQUAL(alloc(&fixture, 5).number, 4);
    CU_ASSERT_EQUAL(alloc(&fixture, 5).number, 2);
    CU_ASSERT_EQUAL(alloc(&fixture, 5).number, 5);
    CU_ASSERT_EQUAL(pf_frame_pool_free(&fixture.pool), UINT64_MAX);
    tear_down(&fixture);
}

static void test_capacity(void)
{
    Fixture fixture;
    set_up(&fixture, 3);
    alloc(&fixture, 1);
    alloc(&fixture, 2);
    CU_ASSERT_EQUAL(pf_frame_pool_free(&fixture.pool), 1);
    PfMpn third = alloc(&fixture, 3);
    PfMpn untouched = {77};
    CU_ASSERT_FALSE(pf_frame_alloc(&fixture.pool, (PfSlot){4}, (PfFrameWish){0}, &untouched));
    CU_ASSERT_EQUAL(untouched.number, 77);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 3);
    pf_frame_unref(&fixture.pool, third);
    CU_ASSERT_EQUAL(alloc(&fixture, 4).number, third.number);
    /* The zero page takes a frame while it is mapped. */
    pf_frame_unref(&fixture.pool, third);
    pf_frame_ref(&fixture.pool, PF_ZERO_FRAME);
    CU_ASSERT_EQUAL(pf_frame_pool_free(&fixture.pool), 0);
    pf_frame_unref(&fixture.pool, PF_ZERO_FRAME);
    CU_ASSERT_EQUAL(pf_frame_pool_free(&fixture.pool), 1);
    tear_down(&fixture);
}

static void test_references(void)
{
    Fixture fixture;
    set_up(&fixture, 0);
    PfMpn mpn = alloc(&fixture, 1);
    pf_frame_ref(&fixture.pool, mpn);
    CU_ASSERT_EQUAL(pf_frame_refs(pf_frame_at(&fixture.pool, mpn)), 2);
    pf_frame_unref(&fixture.pool, mpn);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 1);
    pf_frame_unref(&fixture.pool, mpn);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 0);
    for (unsigned i = 0; i < 3; i++)
        pf_frame_ref(&fixture.pool, PF_ZERO_FRAME);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 1);
    tear_down(&fixture);
}

static void test_pins(void)
{
    Fixture fixture;
    set_up(&fixture, 0);
    PfMpn mpn = alloc(&fixture, 1);
    pf_frame_pin(&fixture.pool, mpn);
    pf_frame_pin(&fixture.pool, mpn);
    pf_frame_unref(&fixture.pool, mpn);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 1);
    pf_frame_unpin(&fixture.pool, mpn);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 1);
    CU_ASSERT_TRUE((pf_frame_at(&fixture.pool, mpn)->count & PF_FRAME_PINNED) != 0);
    pf_frame_unpin(&fixture.pool, mpn);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 0);
    CU_ASSERT_EQUAL(alloc(&fixture, 2).number, mpn.number);
    /* The zero page's pin keeps it in use without a mapping. */
    pf_frame_ref(&fixture.pool, PF_ZERO_FRAME);
    pf_frame_pin(&fixture.pool, PF_ZERO_FRAME);
    pf_frame_unref(&fixture.pool, PF_ZERO_FRAME);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 2);
    pf_frame_ref(&fixture.pool, PF_ZERO_FRAME);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 2);
    pf_frame_unref(&fixture.pool, PF_ZERO_FRAME);
    pf_frame_unpin(&fixture.pool, PF_ZERO_FRAME);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 1);
    tear_down(&fixture);
}

static void test_contents(void)
{
    Fixture fixture;
    set_up(&fixture, 0);
    uint8_t page[64] = {1};
    PfMpn mpn = alloc(&fixture, 9);
    CU_ASSERT_EQUAL(pf_frame_at(&fixture.pool, mpn)->holds, PF_FRAME_LIVE | 9);
    /* The frame has the only reference, and drops it with what it held before. */
    PfContent content = pf_content_intern(fixture.store, page);
    pf_frame_hold_content(&fixture.pool, mpn, content);
    CU_ASSERT_EQUAL(pf_content_store_count(fixture.store), 2);
    pf_frame_hold_slot(&fixture.pool, mpn, (PfSlot){3});
    CU_ASSERT_EQUAL(pf_content_store_count(fixture.store), 1);
    pf_frame_hold_content(&fixture.pool, mpn, pf_content_intern(fixture.store, page));
    pf_frame_hold_unknown(&fixture.pool, mpn);
    CU_ASSERT_EQUAL(pf_content_store_count(fixture.store), 1);
    pf_frame_hold_content(&fixture.pool, mpn, pf_content_intern(fixture.store, page));
    pf_frame_unref(&fixture.pool, mpn);
    CU_ASSERT_EQUAL(pf_content_store_count(fixture.store), 1);
    tear_down(&fixture);
}

/* Six frames on two nodes: 1 to 3 and 4 to 6. */
static void test_nodes(void)
{
    static const struct {
        unsigned wanted;
        uint32_t number;
    } given[] = {{1, 4}, {0, 1}, {1, 5}, {1, 6}, {1, 2}, {1, 3}};
    Fixture fixture;
    set_up_nodes(&fixture, 6, 2);
    for (uint32_t i = 0; i < G_N_ELEMENTS(given); i++)
        CU_ASSERT_EQUAL(alloc_on(&fixture, i, given[i].wanted).number, given[i].number);
    PfMpn none;
    CU_ASSERT_FALSE(pf_frame_alloc(&fixture.pool, (PfSlot){9}, (PfFrameWish){0}, &none));
    for (uint32_t number = 0; number <= 6; number++)
        CU_ASSERT_EQUAL(pf_frame_node(&fixture.pool, (PfMpn){number}), number >= 4);
    /* What was freed goes back to its own node. */
    pf_frame_unref(&fixture.pool, (PfMpn){2});
    pf_frame_unref(&fixture.pool, (PfMpn){5});
    CU_ASSERT_EQUAL(alloc_on(&fixture, 9, 0).number, 2);
    CU_ASSERT_EQUAL(alloc_on(&fixture, 9, 0).number, 5);
    tear_down(&fixture);
}

/* Numbers 1 to 4096 are on node 0, 4097 to 8192 on node 1, 8193 to 12288 on node 2, and so on. */
static void test_nodes_without_a_limit(void)
{
    Fixture fixture;
    set_up_nodes(&fixture, 0, 3);
    CU_ASSERT_EQUAL(alloc_on(&fixture, 1, 2).number, 8193);
    for (uint32_t i = 0; i < 4096; i++)
        CU_ASSERT_EQUAL_FATAL(alloc_on(&fixture, 1, 1).number, 4097 + i);
    CU_ASSERT_EQUAL(alloc_on(&fixture, 1, 1).number, 4097 + 3 * 4096);
    CU_ASSERT_EQUAL(pf_frame_node(&fixture.pool, (PfMpn){8192}), 1);
    CU_ASSERT_EQUAL(pf_frame_node(&fixture.pool, (PfMpn){8193}), 2);
    CU_ASSERT_EQUAL(pf_frame_node(&fixture.pool, (PfMpn){12289}), 0);
    CU_ASSERT_EQUAL(pf_frame_node(&fixture.pool, (PfMpn){4097 + 3 * 4096}), 1);
    CU_ASSERT_EQUAL(fixture.pool.used_frames, 1 + 4096 + 1);
    tear_down(&fixture);
}

/* What POOL gives out for COUNT pages in a row from PAGE on, each wanted on node 0. */
static void give(Fixture *fixture, uint64_t page, uint32_t count, uint32_t *ret_numbers)
{
    for (uint32_t i = 0; i < count; i++) {
        PfMpn mpn = {0};
        CU_ASSERT_TRUE(pf_frame_alloc(&fixture->pool, (PfSlot){i}, (PfFrameWish){0, page + i},
                                      &mpn));
        ret_numbers[i] = mpn.number;
    }
}

static void set_up_rules(Fixture *fixture, const PfFrameRules *rules)
{
    fixture->store = pf_content_store_new(64);
    pf_frame_pool_init(&fixture->pool, fixture->store, rules);
}

static PfFrameRules rules_of(PfAllocator allocator, uint64_t frames, unsigned colors)
{
    PfFrameRules rules = pf_frame_rules_plain(1, frames);
    rules.allocator = allocator;
    rules.coloring = pf_coloring_low(colors);
    return rules;
}

/* Pages 6, 7, 8 of colours 2, 3, 0: frames 2, 3, 4 of 1 .. 4 are the first of these. Page 9, of
 * colour 1, then gets frame 1, which was passed by. */
static void test_color_preserving(void)
{
    static const uint32_t expected[] = {2, 3, 4, 1, 6, 7, 8, 5};
    Fixture fixture;
    PfFrameRules rules = rules_of(PF_ALLOCATE_COLOR_PRESERVING, 8, 4);
    set_up_rules(&fixture, &rules);
    uint32_t numbers[8];
    give(&fixture, 6, 8, numbers);
    CU_ASSERT_EQUAL(memcmp(numbers, expected, sizeof expected), 0);
    PfMpn none;
    CU_ASSERT_FALSE(pf_frame_alloc(&fixture.pool, (PfSlot){9}, (PfFrameWish){0}, &none));
    /* Only colour 2 is free: a page of colour 3 takes that, though it is three colours on. */
    pf_frame_unref(&fixture.pool, (PfMpn){6});
    give(&fixture, 3, 1, numbers);
    CU_ASSERT_EQUAL(numbers[0], 6);
    pf_frame_pool_check(&fixture.pool);
    tear_down(&fixture);
}

/* Colours 0, 1, 2, 3, 0 ... whatever the pages are: frame 4 is the first of colour 0. */
static void test_bin_hopping(void)
{
    static const uint32_t expected[] = {4, 1, 2, 3, 8, 5, 6, 7};
    Fixture fixture;
    PfFrameRules rules = rules_of(PF_ALLOCATE_BIN_HOPPING, 8, 4);
    set_up_rules(&fixture, &rules);
    uint32_t numbers[8];
    give(&fixture, 0, 3, numbers);
    give(&fixture, 400, 5, numbers + 3);
    CU_ASSERT_EQUAL(memcmp(numbers, expected, sizeof expected), 0);
    tear_down(&fixture);
}

/* 4000 draws of 8 colours: 500 of each, give or take five standard deviations of
 * sqrt(4000 * 1/8 * 7/8) = 21. The same seed draws the same. */
static void test_random(void)
{
    static uint32_t numbers[2][4000];
    PfFrameRules rules = rules_of(PF_ALLOCATE_RANDOM, 0, 8);
    for (unsigned i = 0; i < 2; i++) {
        Fixture fixture;
        set_up_rules(&fixture, &rules);
        give(&fixture, 0, 4000, numbers[i]);
        tear_down(&fixture);
    }
    CU_ASSERT_EQUAL(memcmp(numbers[0], numbers[1], sizeof numbers[0]), 0);
    unsigned of_color[8] = {0};
    unsigned steps = 0;
    for (unsigned i = 0; i < 4000; i++) {
        of_color[numbers[0][i] % 8]++;
        steps += i > 0 && numbers[0][i] == numbers[0][i - 1] + 1;
    }
    for (unsigned color = 0; color < 8; color++)
        CU_ASSERT_TRUE(of_color[color] >= 500 - 105 && of_color[color] <= 500 + 105);
    CU_ASSERT_TRUE(steps < 4000 / 4);
}

/* Capacities 2, 1, 3: frames 1 2, 3, 4 5 6. Node 2 is nearer to node 0 than node 1 is. */
static PfFrameRules uneven(PfPlacement placement)
{
    static const uint64_t frames[] = {2, 1, 3};
    PfFrameRules rules = pf_frame_rules_plain(3, 0);
    rules.placement = placement;
    pf_nodes_limit(&rules.nodes, frames);
    rules.nodes.distance[0][1] = rules.nodes.distance[1][0] = 31;
    pf_nodes_sort(&rules.nodes);
    return rules;
}

static void test_nearest(void)
{
    static const uint32_t expected[] = {1, 2, 4, 5, 6, 3};
    Fixture fixture;
    PfFrameRules rules = uneven(PF_PLACEMENT_FIRST_TOUCH);
    set_up_rules(&fixture, &rules);
    CU_ASSERT_EQUAL(pf_frame_pool_capacity(&fixture.pool), 6);
    uint32_t numbers[6];
    give(&fixture, 0, 6, numbers);
    CU_ASSERT_EQUAL(memcmp(numbers, expected, sizeof expected), 0);
    for (unsigned node = 0; node < 3; node++)
        CU_ASSERT_EQUAL(fixture.pool.nodes[node].used_frames, rules.nodes.capacity_frames[node]);
    CU_ASSERT_EQUAL(pf_frame_pool_free(&fixture.pool), 0);
    pf_frame_pool_check(&fixture.pool);
    tear_down(&fixture);
}

/* Turns 0, 1, 2, 0, 1 (full: the nearest to it with room is 2), 2. */
static void test_interleave(void)
{
    static const uint32_t expected[] = {1, 3, 4, 2, 5, 6};
    Fixture fixture;
    PfFrameRules rules = uneven(PF_PLACEMENT_INTERLEAVE);
    set_up_rules(&fixture, &rules);
    uint32_t numbers[6];
    give(&fixture, 0, 6, numbers);
    CU_ASSERT_EQUAL(memcmp(numbers, expected, sizeof expected), 0);
    tear_down(&fixture);
}

/* The zero page is a frame of node 0, which then has room for one other. */
static void test_bind(void)
{
    Fixture fixture;
    PfFrameRules rules = uneven(PF_PLACEMENT_BIND);
    set_up_rules(&fixture, &rules);
    pf_frame_ref(&fixture.pool, PF_ZERO_FRAME);
    CU_ASSERT_EQUAL(pf_frame_pool_free(&fixture.pool), 5);
    CU_ASSERT_EQUAL(alloc_on(&fixture, 1, 0).number, 1);
    PfMpn none;
    CU_ASSERT_FALSE(pf_frame_alloc(&fixture.pool, (PfSlot){9}, (PfFrameWish){0}, &none));
    pf_frame_unref(&fixture.pool, PF_ZERO_FRAME);
    CU_ASSERT_EQUAL(alloc_on(&fixture, 1, 0).number, 2);
    CU_ASSERT_EQUAL(alloc_on(&fixture, 1, 1).number, 3);
    CU_ASSERT_FALSE(pf_frame_alloc(&fixture.pool, (PfSlot){9}, (PfFrameWish){1, 0}, &none));
    CU_ASSERT_EQUAL(pf_frame_pool_free(&fixture.pool), 3);
    pf_frame_pool_check(&fixture.pool);
    tear_down(&fixture);
}

static void test_bytes(void)
{
    CU_ASSERT_EQUAL(sizeof(PfFrame), 8);
}

static const PfCheck checks[] = {
    {"frames are given out in order of number, freed ones first", test_order},
    {"no more frames are given out than there are", test_capacity},
    {"a frame is free when nobody maps it", test_references},
    {"a pinned frame is in use without a mapping, as often as it was pinned", test_pins},
    {"a frame owns a reference to what it holds", test_contents},
    {"a frame comes from the node that is wanted, or from the next one", test_nodes},
    {"without a limit nodes take turns", test_nodes_without_a_limit},
    {"colour-preserving: a frame has the colour of its page's number", test_color_preserving},
    {"bin-hopping: frames are of each colour in turn", test_bin_hopping},
    {"random: frames are of all colours alike, and the same again with the same seed",
     test_random},
    {"a full node's frames come from the nearest with room", test_nearest},
    {"interleave: nodes take turns, and the nearest stands in for a full one", test_interleave},
    {"bind: a full node has no frame though others have", test_bind},
    {"a frame takes 8 bytes", test_bytes},
};

PF_CHECK_MAIN("frame", checks)
