/* Sharing: it compares bytes itself, and a store breaks it. */
#include "check.h"

#include "world.h"

enum { PAGE = 16 };

/* Four pages of each context hold id:1, id:1, id:2 and zeros. */
static World *start(void)
{
    World *world = world_new(PAGE, 0, PF_SCOPE_ALL);
    world_play(world, "context a process\ncontext b process\n"
                      "map a 0x0 32 anon\nmap b 0x0 32 anon\n"
                      "map a 0x400 8 file=f:0\nmap b 0x400 8 file=f:0\n"
                      "map a 0x800 8 shmem=s:0\nmap b 0x800 8 shmem=s:0\n"
                      "fill a 0x0 2 id:1\nfill a 0x20 1 id:2\nfill a 0x30 1 zero\n"
                      "fill b 0x0 2 id:1\nfill b 0x20 1 id:2\nfill b 0x30 1 zero\n");
    return world;
}

static PfShareResult merge(World *world, uint32_t context, uint64_t page, uint32_t keeper_context,
                           uint64_t keeper)
{
    PfShareResult result = pf_share_merge(&world->memory, world_slot(world, context, page),
                                          world_slot(world, keeper_context, keeper), false);
    world_check(world);
    return result;
}

static PfShareResult merge_frame(World *world, uint32_t context, uint64_t page, uint32_t frame)
{
    PfShareResult result = pf_share_merge_frame(
        &world->memory, world_slot(world, context, page), (PfMpn){frame}, false);
    world_check(world);
    return result;
}

static uint64_t used(const World *world)
{
    return world->memory.frames.used_frames;
}

static void test_merge(void)
{
    World *world = start();
    CU_ASSERT_EQUAL(used(world), 8);
    CU_ASSERT_EQUAL(merge(world, 1, 0, 0, 0), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(used(world), 7);
    CU_ASSERT_EQUAL(world_frame(world, 1, 0), world_frame(world, 0, 0));
    CU_ASSERT_EQUAL(merge(world, 1, 0, 0, 0), PF_SHARE_SAME);
    CU_ASSERT_EQUAL(merge(world, 1, 1, 1, 0), PF_SHARE_DONE); /* onto a frame shared already */
    CU_ASSERT_EQUAL(merge(world, 1, 2, 0, 0), PF_SHARE_DIFFERS);
    CU_ASSERT_EQUAL(merge(world, 1, 3, 0, 3), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(used(world), 5);
    CU_ASSERT_TRUE((world_entry(world, 0, 0) & PF_ENTRY_WRITABLE) == 0);
    CU_ASSERT_TRUE((world_entry(world, 0, 0) & PF_ENTRY_MERGED) != 0);
    world_free(world);
}

static void test_break(void)
{
    World *world = start();
    merge(world, 1, 0, 0, 0);
    uint32_t frame = world_frame(world, 0, 0);
    world_play(world, "write b 0x0 1 0x9\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_COPY);
    CU_ASSERT_TRUE(world->was_merged);
    CU_ASSERT_EQUAL(used(world), 8);
    CU_ASSERT_TRUE(world_holds(world, 0, 0, "id:1"));
    /* The last one takes the frame back; nothing is copied. */
    world_play(world, "write a 0x0 1 0x9\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_REUSE);
    CU_ASSERT_TRUE(world->was_merged);
    CU_ASSERT_EQUAL(world_frame(world, 0, 0), frame);
    world_play(world, "write a 0x0 1 0x9\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_NONE);
    world_free(world);
}

static void test_keeper_first(void)
{
    World *world = start();
    merge(world, 1, 0, 0, 0);
    /* The store of the page whose frame was kept must not reach the other. */
    world_play(world, "write a 0x0 1 0x9\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_COPY);
    CU_ASSERT_TRUE(world_holds(world, 1, 0, "id:1"));
    world_play(world, "unmap a 0x0 1\n");
    CU_ASSERT_TRUE(world_holds(world, 1, 0, "id:1"));
    world_free(world);
}

static void test_within_a_range(void)
{
    World *world = start();
    /* The keeper goes away, its frame stays with what it held then. */
    merge(world, 1, 0, 0, 0);
    world_play(world, "fill a 0x0 1 id:7\nwrite a 0x0 1 0x1\nfill a 0x0 1 id:8\nread b 0x0 1\n");
    CU_ASSERT_TRUE(world_holds(world, 1, 0, "id:1"));
    merge(world, 1, 1, 1, 0);
    world_play(world, "write b 0x10 1 0x1\nwrite b 0x0 1 0x1\nfill b 0x10 1 id:1\n");
    world_free(world);
}

static void test_protect(void)
{
    World *world = start();
    CU_ASSERT_TRUE(pf_share_protect(&world->memory, world_slot(world, 0, 0)));
    world_check(world);
    CU_ASSERT_EQUAL(merge_frame(world, 1, 0, world_frame(world, 0, 0)), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(used(world), 7);
    world_play(world, "write a 0x0 1 0x9\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_COPY);
    CU_ASSERT_TRUE(world_holds(world, 1, 0, "id:1"));
    pf_share_protect(&world->memory, world_slot(world, 0, 2));
    world_play(world, "write a 0x20 1 0x9\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_REUSE);
    CU_ASSERT_TRUE(world->was_merged);
    /* A protected page that is gone or moved. */
    pf_share_protect(&world->memory, world_slot(world, 0, 1));
    world_play(world, "remap a 0x10 1 0x100\nread a 0x100 1\n");
    CU_ASSERT_EQUAL(merge_frame(world, 1, 1, world_frame(world, 0, 16)), PF_SHARE_DONE);
    CU_ASSERT_TRUE(world_holds(world, 0, 16, "id:1"));
    world_free(world);
}

static void test_wrong_frame(void)
{
    World *world = start();
    /* Nobody protected it: its page could go on to store there. */
    uint32_t frame = world_frame(world, 0, 0);
    CU_ASSERT_NOT_EQUAL(merge_frame(world, 1, 0, frame), PF_SHARE_DONE);
    world_play(world, "write a 0x0 1 0x9\n");
    CU_ASSERT_TRUE(world_holds(world, 1, 0, "id:1"));
    /* A frame that is free. */
    frame = world_frame(world, 0, 1);
    world_play(world, "unmap a 0x10 1\n");
    CU_ASSERT_EQUAL(merge_frame(world, 1, 1, frame), PF_SHARE_BUSY);
    CU_ASSERT_EQUAL(merge_frame(world, 1, 2, world_frame(world, 1, 2)), PF_SHARE_SAME);
    world_free(world);
}

static PfShareResult map_zero(World *world, PfSlot slot)
{
    return pf_share_merge_frame(&world->memory, slot, PF_ZERO_FRAME, false);
}

static void test_zero(void)
{
    World *world = start();
    PfSlot slot = world_slot(world, 0, 3);
    CU_ASSERT_EQUAL(map_zero(world, slot), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(map_zero(world, slot), PF_SHARE_SAME);
    CU_ASSERT_EQUAL(map_zero(world, world_slot(world, 0, 0)), PF_SHARE_DIFFERS);
    world_check(world);
    CU_ASSERT_EQUAL(world_frame(world, 0, 3), 0);
    CU_ASSERT_EQUAL(used(world), 8); /* the zero page is in use now */
    CU_ASSERT_EQUAL(map_zero(world, world_slot(world, 1, 3)), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(used(world), 7);
    world_play(world, "write a 0x30 1 0x0\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_COPY_ZERO);
    CU_ASSERT_TRUE(world->was_merged);
    /* Onto a page that was only read, and so maps the zero page. */
    world_play(world, "read b 0x100 1\n");
    CU_ASSERT_EQUAL(merge(world, 0, 3, 1, 16), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(world_frame(world, 0, 3), 0);
    world_free(world);
}

static void test_give_back(void)
{
    World *world = start();
    PfMemory *memory = &world->memory;
    uint64_t before = used(world);
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 0)), PF_SHARE_DIFFERS);
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 3)), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 3)), PF_SHARE_BUSY);
    CU_ASSERT_EQUAL(used(world), before - 1);
    world_check(world);
    /* A read makes a page of its own, not one that maps the zero page; a store finds it there. */
    world_play(world, "read a 0x30 1\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_FIRST);
    CU_ASSERT_NOT_EQUAL(world_frame(world, 0, 3), 0);
    CU_ASSERT_EQUAL(used(world), before);
    world_play(world, "write a 0x30 1 0x1\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_NONE);
    /* A store makes one likewise, whose other bytes are zeros. */
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 1, 3)), PF_SHARE_DONE);
    world_play(world, "write b 0x30 1 0x41\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_FIRST);
    CU_ASSERT_TRUE(world_holds(world, 1, 3, "A"));
    world_free(world);
}

static void test_no_give_back(void)
{
    World *world = start();
    PfMemory *memory = &world->memory;
    /* A page that maps the zero page has no frame of its own. */
    world_play(world, "read b 0x100 1\n");
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 1, 16)), PF_SHARE_REFUSED);
    world_play(world, "attr a 0x30 1 pinned\n");
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 3)), PF_SHARE_REFUSED);
    world_play(world, "attr a 0x30 1 unpinned\nfork a c\n");
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 3)), PF_SHARE_REFUSED);
    world_play(world, "exit c\n");
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 3)), PF_SHARE_DONE);
    world_free(world);
}

static void test_given_back_and_on(void)
{
    World *world = start();
    PfMemory *memory = &world->memory;
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 3)), PF_SHARE_DONE);
    uint64_t before = used(world);
    world_play(world, "fork a c\nremap a 0x30 1 0x200\nread c 0x30 1\nread a 0x200 1\n");
    CU_ASSERT_EQUAL(used(world), before + 2); /* both have one of their own */
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 32)), PF_SHARE_DONE);
    world_play(world, "attr a 0x200 1 pinned\n");
    CU_ASSERT_EQUAL(world->fault, PF_FAULT_FIRST);
    world_play(world, "attr a 0x200 1 unpinned\n");
    CU_ASSERT_EQUAL(pf_share_give_back(memory, world_slot(world, 0, 32)), PF_SHARE_DONE);
    world_play(world, "unmap a 0x200 1\n");
    CU_ASSERT_EQUAL(used(world), before + 1);
    world_free(world);
}

static void test_pinned(void)
{
    World *world = start();
    world_play(world, "attr a 0x0 1 pinned\n");
    CU_ASSERT_EQUAL(merge(world, 0, 0, 1, 0), PF_SHARE_BUSY);
    CU_ASSERT_EQUAL(merge(world, 1, 0, 0, 0), PF_SHARE_DONE); /* its frame may be kept */
    world_play(world, "attr a 0x0 1 unpinned\nwrite a 0x0 1 0x1\n");
    CU_ASSERT_TRUE(world_holds(world, 1, 0, "id:1"));
    world_free(world);
}

static void test_fork(void)
{
    World *world = start();
    merge(world, 1, 0, 0, 0);
    world_play(world, "fork b c\n");
    CU_ASSERT_TRUE((world_entry(world, 2, 0) & PF_ENTRY_MERGED) != 0);
    CU_ASSERT_EQUAL(pf_frame_refs(pf_frame_at(&world->memory.frames,
                                              (PfMpn){world_frame(world, 0, 0)})),
                    3);
    world_play(world, "write c 0x0 1 0x1\n");
    CU_ASSERT_TRUE(world->was_merged);
    world_play(world, "exit a\nexit b\n");
    CU_ASSERT_FALSE(world_holds(world, 2, 0, "id:1"));
    CU_ASSERT_EQUAL(used(world), 4);
    /* A page shared by a fork is merged, and its sibling keeps the frame. */
    world_play(world, "fill c 0x0 2 id:5\nfork c d\n");
    uint32_t old = world_frame(world, 3, 0);
    CU_ASSERT_EQUAL(merge(world, 3, 0, 3, 1), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(world_frame(world, 2, 0), old);
    CU_ASSERT_EQUAL(used(world), 4);
    world_free(world);
}

static void test_refused(void)
{
    World *world = start();
    world_play(world, "fill a 0x800 1 id:1\nread b 0x400 1\nalias b 0x100 1 a 0x800\n");
    CU_ASSERT_EQUAL(merge(world, 0, 128, 0, 0), PF_SHARE_REFUSED); /* shared memory */
    CU_ASSERT_EQUAL(merge(world, 0, 0, 0, 128), PF_SHARE_REFUSED);
    CU_ASSERT_EQUAL(merge(world, 1, 64, 0, 3), PF_SHARE_REFUSED); /* a file of unknown bytes */
    CU_ASSERT_EQUAL(merge(world, 0, 3, 1, 64), PF_SHARE_REFUSED);
    CU_ASSERT_EQUAL(merge(world, 1, 16, 1, 0), PF_SHARE_REFUSED); /* others write it */
    CU_ASSERT_FALSE(pf_share_protect(&world->memory, world_slot(world, 0, 128)));
    world_play(world, "write a 0x800 1 0x5\n");
    CU_ASSERT_FALSE(world_holds(world, 1, 16, "id:1"));
    CU_ASSERT_EQUAL(merge(world, 0, 20, 0, 0), PF_SHARE_BUSY); /* not present */
    CU_ASSERT_EQUAL(merge(world, 0, 0, 0, 20), PF_SHARE_BUSY);
    world_free(world);
}

static void test_file(void)
{
    World *world = start();
    world_play(world, "state a 0x400 1 id:1\nstate a 0x410 1 id:2\nread b 0x410 1\n");
    CU_ASSERT_EQUAL(merge(world, 0, 64, 0, 0), PF_SHARE_DONE); /* the file's frame is free */
    CU_ASSERT_EQUAL(used(world), 9);
    world_play(world, "state a 0x400 1 id:1\n"); /* told again: still shared */
    CU_ASSERT_EQUAL(world_frame(world, 0, 64), world_frame(world, 0, 0));
    CU_ASSERT_EQUAL(merge(world, 0, 2, 0, 65), PF_SHARE_DONE); /* onto the page cache's */
    CU_ASSERT_EQUAL(used(world), 8);
    world_play(world, "write a 0x20 1 0x1\nwrite a 0x410 1 0x1\nwrite a 0x400 1 0x1\n");
    CU_ASSERT_TRUE(world_holds(world, 1, 65, "id:2"));
    world_free(world);
}

static void test_unknown(void)
{
    World *world = start();
    world_play(world, "write a 0x0 1\nwrite b 0x0 1\nfill a 0x100 2 hash:0x7\n");
    CU_ASSERT_EQUAL(merge(world, 1, 0, 0, 0), PF_SHARE_DIFFERS);
    CU_ASSERT_EQUAL(merge(world, 0, 16, 0, 17), PF_SHARE_DONE); /* equal identities */
    world_play(world, "fork a c\n");
    CU_ASSERT_EQUAL(merge(world, 2, 0, 0, 0), PF_SHARE_SAME);
    world_play(world, "touch c 0x0 1\n");
    CU_ASSERT_EQUAL(merge(world, 2, 0, 0, 0), PF_SHARE_DIFFERS);
    world_free(world);
}

static void test_lossy(void)
{
    World *world = start();
    CU_ASSERT_EQUAL(pf_share_merge(&world->memory, world_slot(world, 0, 2),
                                   world_slot(world, 0, 0), true),
                    PF_SHARE_DONE);
    pf_memory_check(&world->memory);
    CU_ASSERT_FALSE(pf_memory_verify_page(&world->memory, world_slot(world, 0, 2)));
    CU_ASSERT_TRUE(pf_memory_verify_page(&world->memory, world_slot(world, 0, 0)));
    world_free(world);
}

static const PfCheck checks[] = {
    {"equal pages share a frame, others do not", test_merge},
    {"a store to a shared page copies it, the last one takes it back", test_break},
    {"a store to the page whose frame was kept does not reach the others", test_keeper_first},
    {"a shared frame keeps its bytes whatever becomes of its first page", test_within_a_range},
    {"a protected page is kept for others until it is stored to", test_protect},
    {"a frame that its page may store to is not shared", test_wrong_frame},
    {"pages of zeros share the zero page", test_zero},
    {"a page of zeros without a frame gets one at its next access", test_give_back},
    {"only a frame of its own can be taken from a page", test_no_give_back},
    {"a page without a frame is forked, moved, pinned and unmapped", test_given_back_and_on},
    {"a pinned page stays where it is", test_pinned},
    {"forks of shared pages share them, too", test_fork},
    {"memory that others write, and files of unknown bytes, are not shared", test_refused},
    {"pages of files are shared once their bytes are known", test_file},
    {"unknown bytes equal nothing, identities each other", test_unknown},
    {"without the comparison the difference is found by verification", test_lossy},
};

PF_CHECK_MAIN("share", checks)
