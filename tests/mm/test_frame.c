/* The pool of machine frames. */
#include "frame.h"

#include "check.h"

typedef struct {
    PfContentStore *store;
    PfFramePool pool;
} Fixture;

static void set_up_nodes(Fixture *fixture, uint64_t capacity_frames, unsigned nodes)
{
    fixture->store = pf_content_store_new(64);
    pf_frame_pool_init(&fixture->pool, fixture->store, capacity_frames, nodes);
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
    CU_ASSERT_TRUE(pf_frame_alloc(&fixture->pool, (PfSlot){slot}, node, &mpn));
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
    CU_ASSERT_FALSE(pf_frame_alloc(&fixture.pool, (PfSlot){4}, 0, &untouched));
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
    CU_ASSERT_FALSE(pf_frame_alloc(&fixture.pool, (PfSlot){9}, 0, &none));
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
    {"a frame takes 8 bytes", test_bytes},
};

PF_CHECK_MAIN("frame", checks)
