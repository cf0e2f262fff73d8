/* Bus pages: what translations give where the memory controller shares. */
#include "bus.h"

#include "check.h"
#include "world.h"

enum { PAGE = 16 };

typedef struct {
    World *world;
    PfIndirection *table;
} Fixture;

/* Three pages of each context hold id:1, id:2 and zeros. */
static void set_up(Fixture *fixture)
{
    const PfIndirectionConfig config = {.cache_entries = 4, .ways = 4, .entry_bits = 32};
    fixture->table = pf_indirection_new(&config, NULL, 4, NULL, NULL);
    fixture->world = world_new(PAGE, 0, PF_SCOPE_ALL);
    pf_bus_open(&fixture->world->memory, fixture->table);
    world_play(fixture->world, "context a process\ncontext b process\n"
                               "map a 0x0 32 anon\nmap b 0x0 32 anon\n"
                               "map a 0x400 8 file=f:0\nmap b 0x400 8 file=f:0\n"
                               "map a 0x800 8 shmem=s:0\nmap b 0x800 8 shmem=s:0\n"
                               "fill a 0x0 1 id:1\nfill a 0x10 1 id:2\nfill a 0x20 1 zero\n"
                               "fill b 0x0 1 id:1\nfill b 0x10 1 id:2\nfill b 0x20 1 zero\n");
}

static void tear_down(Fixture *fixture)
{
    world_check(fixture->world);
    world_free(fixture->world);
    pf_indirection_free(fixture->table);
}

static uint32_t bus_page(const Fixture *fixture, uint32_t context, uint64_t page)
{
    return pf_bus_translation(&fixture->world->memory, world_slot(fixture->world, context, page))
        .number;
}

/* The frame that the controller finds for the page. */
static uint32_t resolved(const Fixture *fixture, uint32_t context, uint64_t page)
{
    PfMaddr address = {(uint64_t)bus_page(fixture, context, page) * PAGE};
    return (uint32_t)(pf_indirection_translate(fixture->table, address).bytes / PAGE);
}

static void merge(const Fixture *fixture, uint64_t page)
{
    PfShareResult result =
        pf_share_merge(&fixture->world->memory, world_slot(fixture->world, 1, page),
                       world_slot(fixture->world, 0, page), false);
    CU_ASSERT_EQUAL(result, PF_SHARE_DONE);
    world_check(fixture->world);
}

static PfStoreOutcome store(Fixture *fixture, uint32_t context, uint64_t page)
{
    PfSlot slot = world_slot(fixture->world, context, page);
    return pf_memory_store(&fixture->world->memory, slot, slot);
}

static void test_merge(void)
{
    Fixture fixture;
    set_up(&fixture);
    uint32_t a = bus_page(&fixture, 0, 0);
    uint32_t b = bus_page(&fixture, 1, 0);
    CU_ASSERT_NOT_EQUAL(a, b);
    merge(&fixture, 0);
    CU_ASSERT_EQUAL(bus_page(&fixture, 0, 0), a);
    CU_ASSERT_EQUAL(bus_page(&fixture, 1, 0), b);
    CU_ASSERT_EQUAL(resolved(&fixture, 1, 0), world_frame(fixture.world, 0, 0));
    PfMpn frame = {world_frame(fixture.world, 0, 0)};
    /* Frozen for two: nobody's bus page. A live one is seen as its page's. */
    CU_ASSERT_EQUAL(pf_bus_of_frame(&fixture.world->memory, frame).number,
                    PF_INDIRECTION_DIRECT + frame.number);
    frame.number = world_frame(fixture.world, 1, 1);
    CU_ASSERT_EQUAL(pf_bus_of_frame(&fixture.world->memory, frame).number,
                    bus_page(&fixture, 1, 1));
    tear_down(&fixture);
}

static void test_break(void)
{
    Fixture fixture;
    set_up(&fixture);
    uint32_t b = bus_page(&fixture, 1, 0);
    merge(&fixture, 0);
    PfStoreOutcome outcome = store(&fixture, 1, 0);
    CU_ASSERT_TRUE(outcome.by_controller);
    CU_ASSERT_EQUAL(outcome.fault, PF_FAULT_COPY);
    CU_ASSERT_EQUAL(outcome.old_page.number, b);
    CU_ASSERT_EQUAL(bus_page(&fixture, 1, 0), b);
    CU_ASSERT_EQUAL(resolved(&fixture, 1, 0), world_frame(fixture.world, 1, 0));
    CU_ASSERT_NOT_EQUAL(world_frame(fixture.world, 1, 0), world_frame(fixture.world, 0, 0));
    outcome = store(&fixture, 0, 0);
    CU_ASSERT_TRUE(outcome.by_controller);
    CU_ASSERT_EQUAL(outcome.fault, PF_FAULT_REUSE);
    tear_down(&fixture);
}

static void test_fork(void)
{
    Fixture fixture;
    set_up(&fixture);
    world_play(fixture.world, "fork a c\n");
    uint32_t shared = bus_page(&fixture, 0, 0);
    CU_ASSERT_EQUAL(bus_page(&fixture, 2, 0), shared);
    PfStoreOutcome outcome = store(&fixture, 0, 0);
    CU_ASSERT_FALSE(outcome.by_controller);
    CU_ASSERT_EQUAL(bus_page(&fixture, 2, 0), shared);
    CU_ASSERT_NOT_EQUAL(bus_page(&fixture, 0, 0), shared);
    outcome = store(&fixture, 2, 0); /* the last one that has it keeps it */
    CU_ASSERT_FALSE(outcome.by_controller);
    CU_ASSERT_EQUAL(outcome.fault, PF_FAULT_REUSE);
    CU_ASSERT_EQUAL(bus_page(&fixture, 2, 0), shared);
    tear_down(&fixture);
}

/* The page table of a page that a fork has made read-only traps, whoever has moved it since. */
static void test_fork_then_merge(void)
{
    Fixture fixture;
    set_up(&fixture);
    world_play(fixture.world, "fork b c\n");
    merge(&fixture, 0);
    PfStoreOutcome outcome = store(&fixture, 1, 0);
    CU_ASSERT_TRUE(outcome.was_merged);
    CU_ASSERT_FALSE(outcome.by_controller);
    CU_ASSERT_NOT_EQUAL(bus_page(&fixture, 1, 0), bus_page(&fixture, 2, 0));
    tear_down(&fixture);
}

static void test_files(void)
{
    Fixture fixture;
    set_up(&fixture);
    world_play(fixture.world, "read a 0x400 4\nread b 0x400 4\nread a 0x100 4\n");
    CU_ASSERT_NOT_EQUAL(bus_page(&fixture, 0, 0x40), 0);
    CU_ASSERT_EQUAL(bus_page(&fixture, 0, 0x40), bus_page(&fixture, 1, 0x40));
    CU_ASSERT_EQUAL(resolved(&fixture, 1, 0x40), world_frame(fixture.world, 0, 0x40));
    world_play(fixture.world, "write b 0x400 4 \"abcd\"\n"); /* a private copy */
    CU_ASSERT_NOT_EQUAL(bus_page(&fixture, 0, 0x40), bus_page(&fixture, 1, 0x40));
    world_play(fixture.world, "write a 0x800 4 \"abcd\"\nwrite b 0x800 4 \"efgh\"\n");
    CU_ASSERT_EQUAL(bus_page(&fixture, 0, 0x80), bus_page(&fixture, 1, 0x80));
    /* What was only read maps the zero page. */
    CU_ASSERT_EQUAL(bus_page(&fixture, 0, 0x10), 0);
    tear_down(&fixture);
}

static void test_give_back(void)
{
    Fixture fixture;
    set_up(&fixture);
    uint32_t zero = bus_page(&fixture, 0, 2);
    PfSlot slot = world_slot(fixture.world, 0, 2);
    CU_ASSERT_EQUAL(pf_share_give_back(&fixture.world->memory, slot), PF_SHARE_DONE);
    CU_ASSERT_EQUAL(bus_page(&fixture, 0, 2), zero);
    PfStoreOutcome outcome = store(&fixture, 0, 2);
    CU_ASSERT_TRUE(outcome.by_controller && outcome.was_given_back);
    CU_ASSERT_EQUAL(bus_page(&fixture, 0, 2), zero);
    CU_ASSERT_EQUAL(resolved(&fixture, 0, 2), world_frame(fixture.world, 0, 2));
    tear_down(&fixture);
}

static void test_reuse(void)
{
    Fixture fixture;
    set_up(&fixture);
    uint32_t last = bus_page(&fixture, 1, 2);
    merge(&fixture, 2);
    world_play(fixture.world, "unmap b 0x20 1\nmap b 0x20 1 anon\nfill b 0x20 1 id:9\n");
    CU_ASSERT_EQUAL(bus_page(&fixture, 1, 2), last);
    CU_ASSERT_EQUAL(resolved(&fixture, 1, 2), world_frame(fixture.world, 1, 2));
    world_play(fixture.world, "remap b 0x20 1 0x30\n");
    CU_ASSERT_EQUAL(bus_page(&fixture, 1, 3), last);
    uint32_t used = fixture.world->memory.bus->next - fixture.world->memory.bus->free->len;
    world_play(fixture.world, "exit b\n");
    CU_ASSERT_EQUAL(fixture.world->memory.bus->next - fixture.world->memory.bus->free->len,
                    used - 3);
    tear_down(&fixture);
}

static const PfCheck checks[] = {
    {"a page keeps its bus page when the controller moves it to another frame", test_merge},
    {"a store to what the controller shares traps nowhere and keeps the bus page", test_break},
    {"a fork shares bus pages, and a store gets one of its own by a trap", test_fork},
    {"a page that a fork made read-only traps, merged or not", test_fork_then_merge},
    {"pages of one file have one bus page, untouched ones that of zeros", test_files},
    {"a page whose frame was given back keeps its bus page", test_give_back},
    {"bus pages move with pages and are used again", test_reuse},
};

PF_CHECK_MAIN("bus", checks)
