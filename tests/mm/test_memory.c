/* Mappings of a run: faults, frames, pins, eligibility, the integral of savings. */
#include "check.h"

#include "world.h"

enum { PAGE = 16 };

static World *start(uint64_t capacity_frames, PfScope scope)
{
    World *world = world_new(PAGE, capacity_frames, scope);
    world_play(world, "context a process\ncontext b process\n"
                      "map a 0x0 32 anon\nmap b 0x0 32 anon\n"
                      "map a 0x400 8 file=f:0\nmap b 0x400 8 file=f:0\n"
                      "map a 0x800 8 shmem=s:0\nmap b 0x800 8 shmem=s:0\n");
    return world;
}

static PfFault fault_of(World *world, const char *line)
{
    world->fault = PF_FAULT_NONE;
    CU_ASSERT_TRUE(world_play(world, line));
    return world->fault;
}

static uint64_t used(const World *world)
{
    return world->memory.frames.used_frames;
}

static void test_faults(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    CU_ASSERT_EQUAL(fault_of(world, "read a 0x0 1\n"), PF_FAULT_ZERO);
    CU_ASSERT_EQUAL(fault_of(world, "read a 0x1 1\n"), PF_FAULT_NONE);
    CU_ASSERT_EQUAL(fault_of(world, "write a 0x0 1 0x1\n"), PF_FAULT_COPY_ZERO);
    CU_ASSERT_EQUAL(fault_of(world, "write a 0x0 1 0x2\n"), PF_FAULT_NONE);
    CU_ASSERT_EQUAL(fault_of(world, "write a 0x10 1 0x1\n"), PF_FAULT_FIRST);
    CU_ASSERT_EQUAL(fault_of(world, "read a 0x400 1\n"), PF_FAULT_FILE);
    CU_ASSERT_EQUAL(fault_of(world, "write a 0x400 1 0x1\n"), PF_FAULT_COPY_FILE);
    /* An untouched page of a file is read first, and then copied. */
    CU_ASSERT_EQUAL(fault_of(world, "touch a 0x410 1\n"), PF_FAULT_FIRST);
    CU_ASSERT_EQUAL(fault_of(world, "write a 0x800 1 0x1\n"), PF_FAULT_FILE);
    CU_ASSERT_EQUAL(fault_of(world, "write a 0x800 1 0x2\n"), PF_FAULT_NONE);
    CU_ASSERT_EQUAL(fault_of(world, "read b 0x800 1\n"), PF_FAULT_FILE);
    CU_ASSERT_EQUAL(fault_of(world, "write b 0x800 1 0x3\n"), PF_FAULT_NONE);
    CU_ASSERT_EQUAL(world_frame(world, 0, 128), world_frame(world, 1, 128));
    world_play(world, "fork a c\n");
    CU_ASSERT_EQUAL(fault_of(world, "write a 0x0 1 0x4\n"), PF_FAULT_COPY);
    CU_ASSERT_EQUAL(fault_of(world, "write c 0x0 1 0x4\n"), PF_FAULT_REUSE);
    CU_ASSERT_EQUAL(fault_of(world, "write c 0x0 1 0x4\n"), PF_FAULT_NONE);
    world_free(world);
}

static void test_out_of_frames(void)
{
    World *world = start(3, PF_SCOPE_ALL);
    CU_ASSERT_EQUAL(fault_of(world, "touch a 0x0 3\n"), PF_FAULT_FIRST);
    CU_ASSERT_EQUAL(used(world), 3);
    PfStoreOutcome outcome = pf_memory_store(&world->memory, world_slot(world, 0, 3),
                                             world_slot(world, 0, 3));
    CU_ASSERT_EQUAL(outcome.fault, PF_FAULT_NO_MEMORY);
    pf_memory_check(&world->memory);
    CU_ASSERT_EQUAL(used(world), 3);
    world_free(world);
}

static void test_present(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    world_play(world, "read a 0x0 1\ntouch a 0x10 3\nread a 0x400 1\ntouch a 0x800 1\n");
    CU_ASSERT_EQUAL(pf_memory_present_pages(&world->memory, 0), 6);
    CU_ASSERT_EQUAL(pf_memory_present_pages(&world->memory, 1), 0);
    CU_ASSERT_EQUAL(pf_memory_present_pages(&world->memory, 9), 0);
    world_play(world, "fork a c\nadvise a 0x0 2 dontneed\nunmap a 0x20 1\nremap a 0x30 1 0x100\n"
                      "alias b 0x0 2 c 0x10\n");
    CU_ASSERT_EQUAL(pf_memory_present_pages(&world->memory, 0), 3);
    CU_ASSERT_EQUAL(pf_memory_present_pages(&world->memory, 1), 2);
    CU_ASSERT_EQUAL(pf_memory_present_pages(&world->memory, 2), 6);
    world_play(world, "exit c\n");
    CU_ASSERT_EQUAL(pf_memory_present_pages(&world->memory, 2), 0);
    world_free(world);
}

static void test_pins(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    /* Pins nest, and the frame outlives the mapping. */
    world_play(world, "fill a 0x0 1 id:1\nattr a 0x0 1 pinned\nattr a 0x0 1 pinned\n"
                      "unmap a 0x0 1\n");
    CU_ASSERT_EQUAL(used(world), 1);
    world_play(world, "attr a 0x0 1 unpinned\n"); /* through an address that is mapped no more */
    CU_ASSERT_EQUAL(used(world), 1);
    world_play(world, "attr a 0x0 1 unpinned\nattr a 0x0 1 unpinned\n"); /* one too many is fine */
    CU_ASSERT_EQUAL(used(world), 0);
    /* The oldest goes first: the frame that was there before the page was replaced. */
    world_play(world, "map a 0x0 1 anon\nfill a 0x0 1 id:1\nattr a 0x0 1 pinned\n"
                      "map a 0x0 1 anon\nfill a 0x0 1 id:2\nattr a 0x0 1 pinned\n");
    uint32_t second = world_frame(world, 0, 0);
    CU_ASSERT_EQUAL(used(world), 2);
    world_play(world, "attr a 0x0 1 unpinned\nunmap a 0x0 1\n");
    CU_ASSERT_EQUAL(used(world), 1);
    world_play(world, "fill b 0x0 1 id:1\n");
    CU_ASSERT_NOT_EQUAL(world_frame(world, 1, 0), second);
    world_play(world, "attr b 0x10 2 pinned\n"); /* nothing there: mapped by a read */
    CU_ASSERT_EQUAL(used(world), 3);
    CU_ASSERT_EQUAL(world_frame(world, 1, 1), 0);
    world_play(world, "write b 0x10 1 0x1\n"); /* the pinned zero page stays */
    CU_ASSERT_EQUAL(used(world), 4);
    world_play(world, "exit a\n");
    CU_ASSERT_EQUAL(used(world), 3);
    world_play(world, "exit b\n");
    CU_ASSERT_EQUAL(used(world), 0);
    world_free(world);
}

static void test_pinned_file(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    world_play(world, "state a 0x400 1 id:1\nattr a 0x400 1 pinned\nunmap a 0x400 1\n");
    CU_ASSERT_EQUAL(used(world), 1);
    /* The page cache still has it, with its bytes. */
    world_play(world, "read b 0x400 1\n");
    CU_ASSERT_EQUAL(used(world), 1);
    CU_ASSERT_TRUE(world_holds(world, 1, 64, "id:1"));
    world_play(world, "write a 0x800 1 0x5\nattr a 0x800 1 pinned\nexit a\nread b 0x800 1\n");
    CU_ASSERT_TRUE(world_holds(world, 1, 128, "\x05"));
    world_free(world);
}

static void test_pin_of_shared(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    world_play(world, "fill a 0x0 1 id:1\nfork a c\nattr a 0x0 1 pinned\nwrite a 0x0 1 0x1\n");
    /* a has a copy, c and the pin the old frame. */
    CU_ASSERT_EQUAL(used(world), 2);
    CU_ASSERT_NOT_EQUAL(world_frame(world, 0, 0), world_frame(world, 2, 0));
    world_play(world, "exit c\n");
    CU_ASSERT_EQUAL(used(world), 2);
    world_play(world, "attr a 0x0 1 unpinned\n");
    CU_ASSERT_EQUAL(used(world), 1);
    world_free(world);
}

static void test_pin_of_once_shared(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    /* Whoever pinned it may have done so for another: the frame is not taken back. */
    world_play(world, "fill a 0x0 2 id:1\nfork a c\nexit c\nattr a 0x0 1 pinned\n"
                      "write a 0x0 1 0x1\nwrite a 0x10 1 0x1\n");
    CU_ASSERT_EQUAL(used(world), 3);
    /* Its own since the store: pinned again, it is written in place. */
    world_play(world, "attr a 0x0 2 pinned\nwrite a 0x0 1 0x2\nwrite a 0x10 1 0x2\n");
    CU_ASSERT_EQUAL(used(world), 3);
    world_free(world);
}

static void test_file_frame(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    world_play(world, "read a 0x400 2\nread b 0x400 2\nwrite a 0x800 1 0x1\n");
    CU_ASSERT_EQUAL(used(world), 2);
    world_play(world, "write a 0x400 1 0x1\nwrite b 0x400 1 0x2\n"); /* nobody has the file's */
    CU_ASSERT_EQUAL(used(world), 3);
    world_play(world, "unmap a 0x800 1\nread b 0x800 1\nread a 0x410 1\n"); /* made anew */
    CU_ASSERT_EQUAL(used(world), 4);
    CU_ASSERT_TRUE(world_holds(world, 1, 128, "\x01"));
    world_free(world);
}

static uint64_t eligible(PfScope scope)
{
    World *world = start(0, scope);
    world_play(world, "touch a 0x0 4\nread a 0x40 1\nadvise a 0x10 9 mergeable\n"
                      "state a 0x400 2 id:1\nwrite a 0x800 1 0x1\nadvise a 0x400 8 mergeable\n");
    uint64_t before = world->memory.eligible_pages;
    /* A private copy of a file's page is anonymous. */
    world_play(world, "write a 0x410 1 0x2\n");
    CU_ASSERT_EQUAL(world->memory.eligible_pages, scope == PF_SCOPE_ALL ? before : before + 1);
    world_play(world, "advise a 0x410 1 unmergeable\nfork a c\nexit a\n");
    uint64_t after = world->memory.eligible_pages;
    CU_ASSERT_EQUAL(after, scope == PF_SCOPE_MERGEABLE ? before : before + (scope != PF_SCOPE_ALL));
    world_free(world);
    return before;
}

static void test_scope(void)
{
    /* Four anonymous pages, three of them advised, two of a file, one of shared memory. */
    CU_ASSERT_EQUAL(eligible(PF_SCOPE_ALL), 7);
    CU_ASSERT_EQUAL(eligible(PF_SCOPE_ANON), 4);
    CU_ASSERT_EQUAL(eligible(PF_SCOPE_MERGEABLE), 3);
}

static void test_integral(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    world_play(world, "fill a 0x0 3 id:1\n");
    pf_memory_set_baseline(&world->memory, 3);
    world->now_cycles = 100;
    pf_share_merge(&world->memory, world_slot(world, 0, 1), world_slot(world, 0, 0), false);
    world->now_cycles = 150; /* one page for 50 cycles */
    pf_share_merge(&world->memory, world_slot(world, 0, 2), world_slot(world, 0, 0), false);
    world->now_cycles = 160; /* two for 10 */
    pf_memory_set_baseline(&world->memory, 1);
    world->now_cycles = 165; /* none for 5 */
    pf_memory_integrate(&world->memory);
    CU_ASSERT_EQUAL(world->memory.saved_page_cycles, 50 + 2 * 10);
    world_free(world);
}

static void test_peak(void)
{
    World *world = start(0, PF_SCOPE_ALL);
    world_play(world, "touch a 0x0 9\nunmap a 0x0 5\ntouch b 0x0 4\n");
    CU_ASSERT_EQUAL(used(world), 8);
    CU_ASSERT_EQUAL(world->memory.frames.peak_frames, 9);
    world_free(world);
}

static void test_bytes(void)
{
    World *world = world_new(4096, 0, PF_SCOPE_ALL);
    enum { MANY = 1 << 20 };
    world->unchecked = true;
    world_play(world, "context a vm\nmap a 0x0 1048576 anon\n");
    /* In parts, as the simulator plays a record of so many pages. */
    for (unsigned i = 0; i < 16; i++) {
        g_autofree char *line = g_strdup_printf("fill a 0x%x 65536 id:%u step=1\n",
                                                i << 28, 1 + (i << 16));
        CU_ASSERT_TRUE(world_play(world, line));
    }
    CU_ASSERT_EQUAL(world->plain.populated_pages, MANY);
    double bytes = (double)pf_memory_bytes(&world->plain) / MANY;
    printf("# %.2f bytes a page and run\n", bytes);
    CU_ASSERT_TRUE(bytes <= 16.01); /* 8 an entry, 8 a frame */
    printf("# %.2f bytes a page of the image, %.2f of contents\n",
           (double)pf_image_bytes(world->image) / MANY,
           (double)pf_content_store_bytes(world->store) / MANY);
    world_free(world);
}

static const PfCheck checks[] = {
    {"each store and read faults as it should", test_faults},
    {"without a free frame nothing changes", test_out_of_frames},
    {"pages that are present are counted by context", test_present},
    {"pins nest, outlive mappings, and go with the context", test_pins},
    {"a pinned page of a file keeps its bytes", test_pinned_file},
    {"a pin stays with its frame when the page is copied", test_pin_of_shared},
    {"a pinned frame that was shared once is not taken back", test_pin_of_once_shared},
    {"a file's frame is there while somebody maps it", test_file_frame},
    {"what is eligible depends on the scope", test_scope},
    {"savings are integrated over time", test_integral},
    {"the peak is the most there ever was", test_peak},
    {"a run takes 16 bytes a page", test_bytes},
};

PF_CHECK_MAIN("memory", checks)
