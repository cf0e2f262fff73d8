/* The memory image: what each structural record does to pages, to what `none` uses, to slots. */
#include "check.h"

#include <string.h>

#include "world.h"

enum { PAGE = 16 };

static World *two_processes(void)
{
    World *world = world_new(PAGE, 0, PF_SCOPE_ALL);
    world_play(world, "context a process\ncontext b process\n"
                      "map a 0x0 64 anon\nmap b 0x0 64 anon\n");
    return world;
}

static unsigned flags(const World *world, uint32_t context, uint64_t page)
{
    return pf_image_flags(world->image, world_slot(world, context, page));
}

static uint64_t baseline(const World *world)
{
    return pf_image_baseline_frames(world->image);
}

static uint64_t populated(const World *world)
{
    return pf_image_populated_pages(world->image);
}

static void test_populate(void)
{
    World *world = two_processes();
    CU_ASSERT_EQUAL(populated(world), 0);
    CU_ASSERT_EQUAL(baseline(world), 0);
    world_play(world, "read a 0x0 4\nread a 0x10 4\n"); /* two reads: one zero page */
    CU_ASSERT_EQUAL(populated(world), 0);
    CU_ASSERT_EQUAL(baseline(world), 1);
    world_play(world, "write a 0x0 1 0x0\n"); /* zeros are bytes, too */
    CU_ASSERT_EQUAL(populated(world), 1);
    CU_ASSERT_EQUAL(baseline(world), 2);
    world_play(world, "touch a 0x20 2\nstate a 0x40 1 zero\ninit a 0x50 1 zero\n"
                      "dma a 0x60 1 disk:1 ones\nfill a 0x70 2 id:1\n");
    CU_ASSERT_EQUAL(populated(world), 1 + 2 + 1 + 1 + 1 + 2);
    CU_ASSERT_EQUAL(baseline(world), 2 + 2 + 1 + 1 + 1 + 2);
    CU_ASSERT_EQUAL(pf_image_context(world->image, 0)->populated_pages, 8);
    CU_ASSERT_TRUE(world_holds(world, 0, 2, "zero"));
    CU_ASSERT_TRUE(world_holds(world, 0, 6, "ones"));
    CU_ASSERT_TRUE(world_holds(world, 0, 8, "id:1"));
    world_free(world);
}

static void test_step(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 3 id:7 step=2\nstate b 0x0 2 \"x\" step=2\n");
    CU_ASSERT_TRUE(world_holds(world, 0, 0, "id:7"));
    CU_ASSERT_TRUE(world_holds(world, 0, 1, "id:9"));
    CU_ASSERT_TRUE(world_holds(world, 0, 2, "id:11"));
    CU_ASSERT_TRUE(world_holds(world, 1, 1, "x"));
    world_free(world);
}

static void test_straddle(void)
{
    World *world = two_processes();
    /* 8 bytes at offset 13: three go to the first page. */
    world_play(world, "write a 0xd 8 0x0807060504030201\n");
    uint8_t first[PAGE] = {[13] = 1, 2, 3};
    uint8_t second[PAGE] = {4, 5, 6, 7, 8};
    uint8_t scratch[PAGE];
    const uint8_t *wanted[] = {first, second};
    for (uint64_t page = 0; page < 2; page++) {
        PfContent content;
        CU_ASSERT_TRUE(pf_image_content(world->image, &world->memory.reader,
                                        world_slot(world, 0, page), 0, &content));
        const uint8_t *bytes = pf_content_bytes(world->store, content, scratch);
        CU_ASSERT_EQUAL(memcmp(bytes, wanted[page], PAGE), 0);
        pf_content_unref(world->store, content);
    }
    CU_ASSERT_EQUAL(populated(world), 2);
    /* Ending with the page's last byte is not across. */
    world_play(world, "write a 0x28 8 0x1\n");
    CU_ASSERT_EQUAL(populated(world), 3);
    world_free(world);
}

static void test_map_again(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 4 id:1\nmap a 0x10 2 anon mergeable\n");
    CU_ASSERT_EQUAL(populated(world), 2);
    CU_ASSERT_EQUAL(baseline(world), 2);
    CU_ASSERT_TRUE(world_holds(world, 0, 1, "zero"));
    CU_ASSERT_TRUE((flags(world, 0, 2) & PF_IMAGE_MERGEABLE) != 0);
    CU_ASSERT_TRUE((flags(world, 0, 3) & PF_IMAGE_MERGEABLE) == 0);
    world_free(world);
}

static void test_unmap(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 4 id:1\nunmap a 0x10 2\nunmap a 0x10 1\nunmap a 0x400 9\n");
    CU_ASSERT_EQUAL(populated(world), 2);
    CU_ASSERT_FALSE(world_play(world, "read a 0x0 1\nread a 0x10 1\n"));
    CU_ASSERT_EQUAL(world->bad_record, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(world->error, "read of 0x10 in context 'a'"));
    world_free(world);
}

static void test_unmapped(void)
{
    static const char *const lines[] = {
        "read a 0x400 1\n",           /* one page behind the last */
        "write a 0x3ff 2\n",          /* the second half of it */
        "fetch a 0x3ff 2\n",
        "touch a 0x3f0 2\n",
        "fill a 0x3f0 2 zero\n",
        "state a 0x3f0 2 zero\n",
        "alias a 0x400 1 b 0x0\n",
        "alias a 0x0 1 b 0x400\n",
        "alias a 0x0 2 a 0x10\n",     /* onto itself */
        "alias a 0x10 2 a 0x0\n",
        "remap a 0x0 2 0x10\n",
        "remap a 0x10 2 0x0\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        World *world = two_processes();
        /* A leaf beside the hole must make no difference. */
        world_play(world, i % 2 == 0 ? "read a 0x3f0 1\n" : "map a 0x500 1 anon\nread a 0x500 1\n");
        CU_ASSERT_FALSE(world_play(world, lines[i]));
        world_free(world);
    }
}

static void test_limit(void)
{
    World *world = world_new(PAGE, 0, PF_SCOPE_ALL);
    /* 33 bytes are two whole pages. */
    world_play(world, "context a vm memory=33\nmap a 0x0 9 anon\nread a 0x0 1\nread a 0x10 1\n"
                      "fill a 0x20 2 zero\nwrite a 0x20 1\n");
    CU_ASSERT_EQUAL(populated(world), 2);
    CU_ASSERT_FALSE(world_play(world, "write a 0x0 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world->error, "'a' uses more than its memory of 33 bytes"));
    world_free(world);
}

static void test_fork(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 2 id:1\nread a 0x20 1\nwrite a 0x30 1 0x5\nfork a c\n");
    /* Three frames and the zero page for both. */
    CU_ASSERT_EQUAL(baseline(world), 4);
    CU_ASSERT_EQUAL(populated(world), 6);
    world_play(world, "write c 0x0 1 0x1\n"); /* a copy */
    CU_ASSERT_EQUAL(baseline(world), 5);
    world_play(world, "write a 0x0 1 0x1\n"); /* the last one: taken back */
    CU_ASSERT_EQUAL(baseline(world), 5);
    CU_ASSERT_TRUE(world_holds(world, 2, 1, "id:1"));
    world_play(world, "exit a\n"); /* b has nothing */
    CU_ASSERT_EQUAL(baseline(world), 4);
    CU_ASSERT_EQUAL(populated(world), 3);
    world_play(world, "fork c d\nfork d e\nwrite e 0x10 1 0x7\nexit c\nexit d\n");
    CU_ASSERT_EQUAL(baseline(world), 4);
    CU_ASSERT_FALSE(world_holds(world, 4, 1, "id:1"));
    world_free(world);
}

static void test_alias(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 2 id:1\nfill b 0x100 2 id:2\nalias b 0x100 3 a 0x0\n");
    CU_ASSERT_EQUAL(baseline(world), 2);
    CU_ASSERT_EQUAL(populated(world), 4);
    CU_ASSERT_TRUE(world_holds(world, 1, 16, "id:1"));
    world_play(world, "touch b 0x100 1\n"); /* changes nothing, and copies */
    CU_ASSERT_EQUAL(baseline(world), 3);
    CU_ASSERT_TRUE(world_holds(world, 1, 16, "id:1"));
    world_play(world, "alias b 0x110 1 b 0x110\n"); /* itself: nothing */
    CU_ASSERT_EQUAL(baseline(world), 3);
    world_free(world);
}

static void test_alias_of_shared_memory(void)
{
    World *world = two_processes();
    world_play(world, "map a 0x0 4 shmem=s:0\nmap b 0x0 2 shmem=t:0\n"
                      "write a 0x0 1 0x1\nalias b 0x0 1 a 0x0\nalias b 0x100 1 a 0x0\n");
    CU_ASSERT_EQUAL(baseline(world), 1);
    /* Shared memory on both sides is one memory; on one side it is a copy to be. */
    world_play(world, "write b 0x0 1 0x2\n");
    CU_ASSERT_EQUAL(baseline(world), 1);
    CU_ASSERT_TRUE(world_holds(world, 0, 0, "\x02"));
    world_play(world, "write b 0x100 1 0x3\n");
    CU_ASSERT_EQUAL(baseline(world), 2);
    CU_ASSERT_TRUE(world_holds(world, 0, 0, "\x02"));
    CU_ASSERT_TRUE(world_holds(world, 1, 16, "\x03"));
    /* An anonymous page in a region of shared memory is nobody else's, until it is let go. */
    world_play(world, "write a 0x100 1 0x4\nalias b 0x10 1 a 0x100\nwrite b 0x10 1 0x5\n");
    CU_ASSERT_TRUE(world_holds(world, 0, 16, "\x04"));
    world_play(world, "advise b 0x10 1 dontneed\nwrite b 0x10 1 0x6\nread a 0x0 1\n");
    world_play(world, "context c process\nmap c 0x0 2 shmem=t:0\nread c 0x10 1\n");
    CU_ASSERT_TRUE(world_holds(world, 2, 1, "\x06"));
    world_free(world);
}

static void test_files(void)
{
    World *world = two_processes();
    world_play(world, "map a 0x0 4 file=f:16\nmap b 0x0 4 file=f:16\nread a 0x0 1\nread b 0x0 1\n");
    CU_ASSERT_EQUAL(baseline(world), 1);
    CU_ASSERT_EQUAL(populated(world), 0);
    /* What the file holds is told by one of them and seen by all. */
    world_play(world, "state a 0x0 1 id:1\n");
    CU_ASSERT_EQUAL(baseline(world), 1);
    CU_ASSERT_EQUAL(populated(world), 1);
    CU_ASSERT_TRUE(world_holds(world, 1, 0, "id:1"));
    /* Other bytes of the same page can only be a copy of one's own. */
    world_play(world, "state b 0x0 1 id:2\n");
    CU_ASSERT_EQUAL(baseline(world), 2);
    CU_ASSERT_TRUE(world_holds(world, 0, 0, "id:1"));
    world_play(world, "write a 0x3 1 0x1\n"); /* the file's frame is free now */
    CU_ASSERT_EQUAL(baseline(world), 2);
    world_play(world, "context c process\nmap c 0x100 1 file=f:16\nread c 0x100 1\n");
    CU_ASSERT_EQUAL(baseline(world), 3);
    CU_ASSERT_TRUE(world_holds(world, 2, 16, "id:1")); /* its bytes were not */
    /* Page 1 of the file and page 0 of another one, and shared memory of the same name. */
    world_play(world, "map c 0x200 1 file=f:0\nmap c 0x210 1 file=g:16\nmap c 0x220 1 shmem=f:16\n"
                      "read c 0x200 1\nread c 0x210 1\nread c 0x220 1\n");
    CU_ASSERT_EQUAL(baseline(world), 6);
    CU_ASSERT_TRUE(world_holds(world, 2, 34, "zero"));
    world_free(world);
}

static void test_shared_memory(void)
{
    World *world = two_processes();
    world_play(world, "map a 0x0 2 shmem=s:0\nmap b 0x50 2 shmem=s:0\nwrite a 0x0 1 0x9\n"
                      "read b 0x50 1\n");
    CU_ASSERT_EQUAL(baseline(world), 1);
    CU_ASSERT_EQUAL(populated(world), 1);
    CU_ASSERT_TRUE(world_holds(world, 1, 5, "\x09"));
    world_play(world, "fork a c\nwrite c 0x0 1 0x8\n"); /* a fork does not part it */
    CU_ASSERT_TRUE(world_holds(world, 0, 0, "\x08"));
    CU_ASSERT_EQUAL(baseline(world), 1);
    world_play(world, "exit a\nexit b\nexit c\n");
    CU_ASSERT_EQUAL(baseline(world), 0);
    world_play(world, "context d process\nmap d 0x0 1 shmem=s:0\nread d 0x0 1\n");
    CU_ASSERT_TRUE(world_holds(world, 3, 0, "\x08"));
    world_free(world);
}

static void test_remap(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 2 id:1\nwrite a 0x20 1 0x7\nfill a 0x200 8 ones\nfork a c\n"
                      "advise a 0x0 1 mergeable\nremap a 0x0 4 0x200\n");
    /* Four pages of ones are replaced (c still has theirs), the rest keep their frames. */
    CU_ASSERT_EQUAL(baseline(world), 2 + 1 + 8);
    CU_ASSERT_TRUE(world_holds(world, 0, 32, "id:1"));
    CU_ASSERT_TRUE(world_holds(world, 0, 34, "\x07"));
    CU_ASSERT_TRUE(world_holds(world, 0, 36, "ones"));
    CU_ASSERT_TRUE((flags(world, 0, 32) & PF_IMAGE_MERGEABLE) != 0);
    CU_ASSERT_TRUE((flags(world, 0, 33) & PF_IMAGE_MERGEABLE) == 0);
    /* A page that was never touched has come along. */
    world_play(world, "write a 0x230 1 0x1\n");
    CU_ASSERT_FALSE(world_play(world, "read a 0x0 1\n"));
    world_free(world);
}

static void test_remap_of_holes(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x100 4 ones\nunmap a 0x10 1\nremap a 0x0 3 0x100\n"
                      "write a 0x100 1\nwrite a 0x120 1\n");
    CU_ASSERT_FALSE(world_play(world, "read a 0x110 1\n"));
    world_free(world);
}

static void test_advice(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 4 id:1\nattr a 0x0 1 executed\nattr a 0x0 2 locked\n"
                      "attr a 0x10 1 unlocked\nadvise a 0x0 40 mergeable\n"
                      "advise a 0x20 1 unmergeable\n");
    unsigned wanted = PF_IMAGE_EXECUTED | PF_IMAGE_LOCKED | PF_IMAGE_MERGEABLE;
    CU_ASSERT_EQUAL(flags(world, 0, 0) & PF_IMAGE_ADVISED, wanted);
    CU_ASSERT_EQUAL(flags(world, 0, 1) & PF_IMAGE_ADVISED, PF_IMAGE_MERGEABLE);
    CU_ASSERT_EQUAL(flags(world, 0, 2) & PF_IMAGE_ADVISED, 0);
    /* Pages that are used later inherit it; a fork keeps it. */
    world_play(world, "read a 0x270 1\nread a 0x280 1\nfork a c\n");
    CU_ASSERT_EQUAL(flags(world, 0, 39) & PF_IMAGE_ADVISED, PF_IMAGE_MERGEABLE);
    CU_ASSERT_EQUAL(flags(world, 0, 40) & PF_IMAGE_ADVISED, 0);
    CU_ASSERT_EQUAL(flags(world, 2, 0) & PF_IMAGE_ADVISED, wanted);
    world_play(world, "advise a 0x0 4 dontneed\n");
    CU_ASSERT_TRUE(world_holds(world, 0, 0, "zero"));
    CU_ASSERT_EQUAL(flags(world, 0, 0) & PF_IMAGE_ADVISED, wanted);
    CU_ASSERT_EQUAL(populated(world), 4); /* the child's */
    world_free(world);
}

static void test_exit(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 64 id:1\nfill b 0x0 1 id:2\n");
    uint64_t slots = pf_image_slot_limit(world->image);
    world_play(world, "exit a\ncontext c process\nmap c 0x7000 64 anon\nread c 0x7000 1\n"
                      "write c 0x7010 1 0x1\n");
    /* The slots of a are used again, and as good as new. */
    CU_ASSERT_EQUAL(pf_image_slot_limit(world->image), slots);
    CU_ASSERT_TRUE(world_holds(world, 2, 0x700, "zero"));
    CU_ASSERT_TRUE(world_holds(world, 2, 0x701, "\x01"));
    CU_ASSERT_EQUAL(populated(world), 2);
    CU_ASSERT_EQUAL(baseline(world), 3);
    world_free(world);
}

static void test_unknown(void)
{
    World *world = two_processes();
    PfContent content;
    world_play(world, "write a 0x0 4\nfill a 0x10 1 hash:0x5\nwrite a 0x10 1 0x1\n"
                      "fill a 0x20 1 hash:0x5\nwrite a 0x30 4\nwrite a 0x38 4 0x1\n");
    for (uint64_t page = 0; page < 4; page++)
        CU_ASSERT_EQUAL(pf_image_content(world->image, &world->memory.reader,
                                         world_slot(world, 0, page), 0, &content),
                        page == 2);
    CU_ASSERT_TRUE(world_holds(world, 0, 2, "hash:0x5"));
    /* A store of all bytes makes them known. */
    world_play(world, "write a 0x0 16 hex:78000000000000000000000000000000\nfill a 0x10 1 ones\n");
    CU_ASSERT_TRUE(world_holds(world, 0, 0, "x"));
    CU_ASSERT_TRUE(world_holds(world, 0, 1, "ones"));
    world_free(world);
}

static void test_state_of_equal_bytes(void)
{
    World *world = two_processes();
    world_play(world, "fill a 0x0 2 id:1\nfork a c\nstate c 0x0 1 id:1\nstate c 0x10 1 id:2\n");
    /* Told again, it changes nothing: the fork's frame is still shared. */
    CU_ASSERT_EQUAL(baseline(world), 3);
    CU_ASSERT_EQUAL(world_frame(world, 2, 0), world_frame(world, 0, 0));
    world_free(world);
}

static void test_far_apart(void)
{
    World *world = world_new(4, 0, PF_SCOPE_ALL);
    /* The last pages of an address space of 2^64 bytes, and the first. */
    world_play(world, "context a process\nmap a 0xfffffffffffffff0 4 anon\nmap a 0x0 1 anon\n"
                      "fill a 0xfffffffffffffff8 2 id:3\nwrite a 0xfffffffffffffff3 2 0x201\n"
                      "fork a b\nexit a\n");
    CU_ASSERT_EQUAL(populated(world), 4);
    CU_ASSERT_TRUE(world_holds(world, 1, UINT64_MAX / 4, "id:3"));
    world_free(world);
}

static const PfCheck checks[] = {
    {"stores, state, init and dma populate; reads and maps do not", test_populate},
    {"with a step, an id grows from page to page", test_step},
    {"a write across two pages puts its bytes into both", test_straddle},
    {"a map replaces the pages that were there", test_map_again},
    {"an unmap leaves a hole, and holes are fine", test_unmap},
    {"what is not mapped cannot be used, and nothing goes onto itself", test_unmapped},
    {"a context keeps to its memory", test_limit},
    {"a fork shares all frames until one of them is stored to", test_fork},
    {"an alias shares frames, copy-on-write", test_alias},
    {"an alias is written through only from shared memory to shared memory",
     test_alias_of_shared_memory},
    {"pages of a file are one frame until they are stored to", test_files},
    {"shared memory is one memory, and outlives who maps it", test_shared_memory},
    {"a remap takes pages along with all they have", test_remap},
    {"a remap takes holes along", test_remap_of_holes},
    {"advice and attributes hold for pages used now and later", test_advice},
    {"the slots of a context that exited are used again", test_exit},
    {"bytes that nobody knows stay unknown until all are stored", test_unknown},
    {"a state that repeats what is there changes nothing", test_state_of_equal_bytes},
    {"both ends of the largest address space work", test_far_apart},
};

PF_CHECK_MAIN("image", checks)
