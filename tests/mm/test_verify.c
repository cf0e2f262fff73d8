/* Verification can fail: what is damaged on purpose is found, whatever holds the bytes. */
#include "check.h"

#include <string.h>

#include "world.h"

enum { PAGE = 16 };

static World *start(void)
{
    World *world = world_new(PAGE, 0, PF_SCOPE_ALL);
    world_play(world, "context a process\nmap a 0x0 32 anon\nmap a 0x400 8 file=f:0\n"
                      "fill a 0x0 4 id:1\nread a 0x100 1\nread a 0x400 1\nwrite a 0x50 1\n");
    return world;
}

static bool is_fine(World *world, uint64_t page)
{
    return pf_memory_verify_page(&world->memory, world_slot(world, 0, page));
}

/* The frame of PAGE now holds SPEC, whatever the page holds. */
static void damage(World *world, uint64_t page, uint64_t id)
{
    PfContentSpec spec = {.form = PF_CONTENT_ID, .number = id};
    pf_frame_hold_content(&world->memory.frames, (PfMpn){world_frame(world, 0, page)},
                          pf_content_intern_spec(world->store, &spec));
}

static void test_content(void)
{
    World *world = start();
    for (uint64_t page = 0; page < 4; page++)
        CU_ASSERT_TRUE(is_fine(world, page));
    damage(world, 1, 2);
    CU_ASSERT_FALSE(is_fine(world, 1));
    CU_ASSERT_TRUE(is_fine(world, 0));
    damage(world, 1, 1);
    CU_ASSERT_TRUE(is_fine(world, 1));
    world_free(world);
}

static void test_other_slot(void)
{
    World *world = start();
    /* Live for a page of other bytes, then for one of the same. */
    world_play(world, "fill a 0x20 1 id:2\n");
    pf_frame_hold_slot(&world->memory.frames, (PfMpn){world_frame(world, 0, 0)},
                       world_slot(world, 0, 2));
    CU_ASSERT_FALSE(is_fine(world, 0));
    pf_frame_hold_slot(&world->memory.frames, (PfMpn){world_frame(world, 0, 0)},
                       world_slot(world, 0, 1));
    CU_ASSERT_TRUE(is_fine(world, 0));
    world_free(world);
}

static void test_unknown(void)
{
    World *world = start();
    CU_ASSERT_TRUE(is_fine(world, 5));
    damage(world, 5, 1); /* bytes where none are known */
    CU_ASSERT_FALSE(is_fine(world, 5));
    pf_frame_hold_unknown(&world->memory.frames, (PfMpn){world_frame(world, 0, 0)});
    CU_ASSERT_FALSE(is_fine(world, 0));
    world_free(world);
}

static void test_file(void)
{
    World *world = start();
    CU_ASSERT_TRUE(is_fine(world, 64));
    damage(world, 64, 3);
    CU_ASSERT_FALSE(is_fine(world, 64));
    world_free(world);
}

static void test_lost_store(void)
{
    World *world = start();
    /* A frame that is frozen by mistake does not see the store that comes after. */
    pf_memory_freeze(&world->memory, (PfMpn){world_frame(world, 0, 0)});
    CU_ASSERT_TRUE(is_fine(world, 0));
    pf_memory_entry(&world->memory, world_slot(world, 0, 0))->flags &=
        ~(unsigned)PF_ENTRY_WRITABLE;
    world_play(world, "write a 0x0 1 0x1\n"); /* mended: the store takes the frame back */
    CU_ASSERT_TRUE(is_fine(world, 0));
    world_free(world);
}

static void test_not_present(void)
{
    World *world = start();
    CU_ASSERT_TRUE(is_fine(world, 20)); /* nothing there that could be wrong */
    damage(world, 0, 9);
    world_play(world, "advise a 0x0 1 dontneed\n");
    CU_ASSERT_TRUE(is_fine(world, 0));
    world_free(world);
}

static const PfCheck checks[] = {
    {"a frame of other bytes is found", test_content},
    {"a frame that shows another page is found", test_other_slot},
    {"bytes where none are known, and none where some are, are found", test_unknown},
    {"a page of the page cache with other bytes is found", test_file},
    {"a frozen frame is right until the next store", test_lost_store},
    {"a page that is not present is not wrong", test_not_present},
};

PF_CHECK_MAIN("verify", checks)
