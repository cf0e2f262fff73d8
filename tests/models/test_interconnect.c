#include "interconnect.h"

#include "check.h"
#include "mock_port.h"

enum { MEMORY = 100, WRITE = 7, PAGE_SHIFT = 12, LINE = 64 };

/* Three nodes of ten frames each; core n is on node n, and core 3 on node 0. Node 2 is twice as far
 * from node 0 as node 1 is. */
typedef struct {
    PfNodes nodes;
    PfHomes homes;
    Mock *memory;
    PfStats *stats;
    PfInterconnect *interconnect;
} Fixture;

static void set_up(Fixture *fixture, uint64_t bytes_per_second)
{
    static const uint64_t frames[] = {10, 10, 10};
    static PfDram *const none[3] = {NULL};
    pf_nodes_init(&fixture->nodes, 3);
    pf_nodes_limit(&fixture->nodes, frames);
    fixture->nodes.distance[0][1] = fixture->nodes.distance[1][0] = 20;
    fixture->nodes.distance[0][2] = fixture->nodes.distance[2][0] = 30;
    for (uint8_t core = 0; core < 3; core++)
        fixture->nodes.node_of_core[core] = core;
    pf_homes_init(&fixture->homes, &fixture->nodes, none, PAGE_SHIFT);
    fixture->memory = mock_new(MEMORY);
    fixture->memory->write_latency_cycles = WRITE;
    fixture->stats = pf_stats_new();
    /* A distance of 10 more is 61 ns: 61 cycles. */
    PfInterconnectConfig config = {.clock_hz = 1000000000,
                                   .line_bytes = LINE,
                                   .unit_ps = 61000,
                                   .link_bytes_per_second = bytes_per_second};
    fixture->interconnect =
        pf_interconnect_new(&config, &fixture->homes, &fixture->memory->port, 3,
                            pf_stats_group(fixture->stats, "numa"));
}

static void tear_down(Fixture *fixture)
{
    pf_interconnect_check(fixture->interconnect);
    pf_interconnect_free(fixture->interconnect);
    pf_stats_free(fixture->stats);
    g_free(fixture->memory);
}

static PfRequest request_of(uint16_t core, uint32_t frame, PfAccessKind kind, uint64_t now)
{
    return (PfRequest){.address = pf_mpn_address((PfMpn){frame}, PAGE_SHIFT, 64),
                       .now_cycles = now,
                       .size_bytes = LINE,
                       .core = core,
                       .kind = (uint8_t)kind,
                       .actor = PF_ACTOR_DEMAND};
}

static uint64_t ask(Fixture *fixture, PfRequest request)
{
    PfPort *port = pf_interconnect_port(fixture->interconnect);
    return pf_port_wait(port, pf_port_access(port, &request));
}

static uint64_t stat(const Fixture *fixture, const char *name)
{
    PfStatValue value = {0};
    CU_ASSERT_TRUE(pf_stats_find(fixture->stats, name, &value));
    return value.u;
}

/* Frames 1 to 10 are node 0's, 11 to 20 node 1's, 21 to 30 node 2's. */
static void reads(void)
{
    Fixture fixture;
    set_up(&fixture, 0);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 10, PF_ACCESS_READ, 1000)), 1000 + MEMORY);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 11, PF_ACCESS_READ, 1000)), 1000 + MEMORY + 61);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 20, PF_ACCESS_FETCH, 1000)), 1000 + MEMORY + 61);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 21, PF_ACCESS_READ, 1000)), 1000 + MEMORY + 122);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(2, 21, PF_ACCESS_READ, 1000)), 1000 + MEMORY);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(2, 0, PF_ACCESS_READ, 1000)), 1000 + MEMORY + 122);
    /* Memory was asked half of the way later. */
    CU_ASSERT_EQUAL(fixture.memory->requests[0].now_cycles, 1000);
    CU_ASSERT_EQUAL(fixture.memory->requests[1].now_cycles, 1030);
    CU_ASSERT_EQUAL(fixture.memory->requests[3].now_cycles, 1061);
    CU_ASSERT_EQUAL(pf_interconnect_way_cycles(fixture.interconnect, 0, 2), 122);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.local"), 2);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.remote"), 4);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.lines_0_1"), 2);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.lines_2_0"), 1);
    tear_down(&fixture);
}

/* Page tables are read from the node of the core that walks. */
static void tables(void)
{
    Fixture fixture;
    set_up(&fixture, 0);
    PfRequest walk = request_of(2, 0, PF_ACCESS_READ, 5);
    walk.address.bytes = PF_NODES_TABLES + 4096;
    walk.actor = PF_ACTOR_WALKER;
    CU_ASSERT_EQUAL(ask(&fixture, walk), 5 + MEMORY);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.local_walker"), 1);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.lines_2_2"), 1);
    tear_down(&fixture);
}

/* 64 bytes at 6.4 GB/s: 10 cycles. The first line comes after memory and the way, each other one 10
 * cycles behind the last; the tenth has waited 90. The other direction and other pairs are free. */
static void bandwidth(void)
{
    Fixture fixture;
    set_up(&fixture, 6400000000);
    uint64_t first = 1000 + MEMORY + 61;
    for (uint64_t i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 11, PF_ACCESS_READ, 1000)), first + 10 * i);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.link_wait_cycles"), 10 * 9 * 10 / 2);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(1, 1, PF_ACCESS_READ, 1000)), first);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 21, PF_ACCESS_READ, 1000)), first + 61);
    tear_down(&fixture);
}

/* Two write-backs at once: the second waits 10 cycles for the link, and neither for the way. Memory
 * takes them half a way after they were sent, and has a place WRITE cycles later. */
static void writes(void)
{
    Fixture fixture;
    set_up(&fixture, 6400000000);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 11, PF_ACCESS_WRITE, 1000)), 1000 + WRITE);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 11, PF_ACCESS_WRITE, 1000)), 1010 + WRITE);
    CU_ASSERT_EQUAL(fixture.memory->requests[1].now_cycles, 1010 + 30);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(1, 11, PF_ACCESS_WRITE, 1000)), 1000 + WRITE);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.lines_0_1"), 2);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.remote"), 0); /* of reads */
    tear_down(&fixture);
}

/* Memory that answers later is waited for later; answers may be taken in any order. */
static void tickets(void)
{
    Fixture fixture;
    set_up(&fixture, 0);
    fixture.memory->gives_tickets = true;
    PfPort *port = pf_interconnect_port(fixture.interconnect);
    PfRequest near = request_of(0, 1, PF_ACCESS_READ, 10);
    PfRequest far = request_of(0, 21, PF_ACCESS_READ, 20);
    uint64_t tickets[] = {pf_port_access(port, &near), pf_port_access(port, &far)};
    CU_ASSERT_TRUE(pf_answer_is_ticket(tickets[0]) && pf_answer_is_ticket(tickets[1]));
    CU_ASSERT_EQUAL(fixture.memory->resolved, 0);
    CU_ASSERT_EQUAL(pf_port_wait(port, tickets[1]), 20 + MEMORY + 122);
    CU_ASSERT_EQUAL(pf_port_wait(port, tickets[0]), 10 + MEMORY);
    CU_ASSERT_EQUAL(ask(&fixture, request_of(0, 11, PF_ACCESS_READ, 30)), 30 + MEMORY + 61);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.local"), 1);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.remote"), 2);
    tear_down(&fixture);
}

/* Core 0 works for context 7. What the policy reads there is not the context's, nor is anything
 * that core 3, which runs none, reads. */
static void contexts(void)
{
    static const uint32_t context_of_core[] = {7, 1, 2};
    Fixture fixture;
    set_up(&fixture, 0);
    pf_interconnect_tell_contexts(fixture.interconnect, context_of_core);
    ask(&fixture, request_of(0, 1, PF_ACCESS_READ, 0));
    ask(&fixture, request_of(0, 2, PF_ACCESS_READ, 0));
    ask(&fixture, request_of(0, 12, PF_ACCESS_READ, 0));
    PfRequest policy = request_of(0, 12, PF_ACCESS_READ, 0);
    policy.actor = PF_ACTOR_POLICY;
    ask(&fixture, policy);
    policy.core = 3;
    ask(&fixture, policy);
    PfNearCounts counts = pf_interconnect_counts(fixture.interconnect, 7);
    CU_ASSERT_EQUAL(counts.reads[PF_NEAR_LOCAL], 2);
    CU_ASSERT_EQUAL(counts.cycles[PF_NEAR_LOCAL], 2 * MEMORY);
    CU_ASSERT_EQUAL(counts.reads[PF_NEAR_REMOTE], 1);
    CU_ASSERT_EQUAL(counts.cycles[PF_NEAR_REMOTE], MEMORY + 61);
    CU_ASSERT_EQUAL(pf_interconnect_counts(fixture.interconnect, 1).reads[PF_NEAR_LOCAL], 0);
    CU_ASSERT_EQUAL(stat(&fixture, "numa.remote_policy"), 2);
    pf_interconnect_restart(fixture.interconnect);
    CU_ASSERT_EQUAL(pf_interconnect_counts(fixture.interconnect, 7).reads[PF_NEAR_LOCAL], 0);
    tear_down(&fixture);
}

static const PfCheck checks[] = {
    {"a read of another node takes the way more", reads},
    {"what is no frame is at home with who asks", tables},
    {"n lines over a link take n times their bytes over the bandwidth", bandwidth},
    {"a write-back waits for the link, not for the way", writes},
    {"tickets are passed on, and the way is added when they are resolved", tickets},
    {"reads are put down to the context of the core", contexts},
};

PF_CHECK_MAIN("interconnect", checks)
