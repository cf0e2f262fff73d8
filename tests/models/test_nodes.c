#include "nodes.h"

#include "check.h"
#include "homes.h"

/* 10 frames on 4 nodes: 3, 3, 3, 1. Each number is on the node whose range it is in. */
static void even_shares(void)
{
    PfNodes nodes;
    pf_nodes_init(&nodes, 4);
    pf_nodes_divide(&nodes, 10);
    static const uint64_t shares[] = {3, 3, 3, 1};
    static const uint8_t node_of[] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3};
    for (unsigned node = 0; node < 4; node++)
        CU_ASSERT_EQUAL(nodes.capacity_frames[node], shares[node]);
    for (uint32_t frame = 0; frame <= 10; frame++)
        CU_ASSERT_EQUAL(pf_nodes_of_frame(&nodes, (PfMpn){frame}), node_of[frame]);
    CU_ASSERT_EQUAL(pf_nodes_first(&nodes, 2), 7);
    CU_ASSERT_EQUAL(pf_nodes_next(&nodes, 2, 8), 9);
    CU_ASSERT_EQUAL(pf_nodes_next(&nodes, 2, 9), 0);
    /* Two frames: two nodes have none. */
    pf_nodes_divide(&nodes, 2);
    CU_ASSERT_EQUAL(pf_nodes_first(&nodes, 1), 2);
    CU_ASSERT_EQUAL(pf_nodes_first(&nodes, 2), 0);
}

static void turns(void)
{
    PfNodes nodes;
    pf_nodes_init(&nodes, 3);
    CU_ASSERT_EQUAL(pf_nodes_first(&nodes, 2), 2 * 4096 + 1);
    CU_ASSERT_EQUAL(pf_nodes_next(&nodes, 0, 4095), 4096);
    CU_ASSERT_EQUAL(pf_nodes_next(&nodes, 0, 4096), 3 * 4096 + 1);
    CU_ASSERT_EQUAL(pf_nodes_of_frame(&nodes, (PfMpn){3 * 4096}), 2);
    CU_ASSERT_EQUAL(pf_nodes_of_frame(&nodes, (PfMpn){3 * 4096 + 1}), 0);
    /* One node has all. */
    pf_nodes_init(&nodes, 1);
    CU_ASSERT_EQUAL(pf_nodes_next(&nodes, 0, 4096), 4097);
}

/* From node 1: itself, then 2 and 3, which are as far, in order of number behind it, then 0. */
static void order(void)
{
    PfNodes nodes;
    pf_nodes_init(&nodes, 4);
    nodes.distance[1][0] = 32;
    nodes.distance[3][1] = 12;
    pf_nodes_sort(&nodes);
    static const uint8_t expected[4][4] = {{0, 1, 2, 3}, {1, 2, 3, 0}, {2, 3, 0, 1}, {3, 1, 0, 2}};
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < 4; j++)
            CU_ASSERT_EQUAL(nodes.nearest[i][j], expected[i][j]);
}

/* Each node's DRAM serves its own frames, and all count as one. */
static void homes(void)
{
    static const uint64_t frames[] = {4, 4};
    PfNodes nodes;
    pf_nodes_init(&nodes, 2);
    pf_nodes_limit(&nodes, frames);
    nodes.node_of_core[1] = 1;
    PfDramConfig config = pf_dram_config_standard();
    config.channels = 2;
    PfDram *drams[2];
    for (unsigned i = 0; i < 2; i++)
        drams[i] = pf_dram_new(&config, 1000000000, NULL, NULL);
    pf_dram_count_into(drams[1], drams[0]);
    PfHomes both;
    pf_homes_init(&both, &nodes, drams, 12);
    CU_ASSERT_EQUAL(pf_homes_channels(&both), 4);
    /* The line behind the first of a page is on the other channel. */
    CU_ASSERT_EQUAL(pf_homes_channel(&both, (PfMaddr){4 << 12}, 0), 0);
    CU_ASSERT_EQUAL(pf_homes_channel(&both, (PfMaddr){(4 << 12) + 64}, 0), 1);
    CU_ASSERT_EQUAL(pf_homes_channel(&both, (PfMaddr){(5 << 12) + 64}, 0), 3);
    CU_ASSERT_EQUAL(pf_homes_node(&both, (PfMaddr){PF_NODES_TABLES - 1}, 0), 1);
    CU_ASSERT_EQUAL(pf_homes_node(&both, (PfMaddr){PF_NODES_TABLES}, 0), 0);
    CU_ASSERT_EQUAL(pf_homes_node(&both, (PfMaddr){PF_NODES_TABLES}, 1), 1);
    /* Two reads of one row of one node: the second hits. The same row of the other node is shut. */
    static const uint32_t asked[] = {1, 1, 5};
    for (unsigned i = 0; i < 3; i++) {
        PfRequest request = {.address = {(uint64_t)asked[i] << 12}, .size_bytes = 64,
                             .now_cycles = 1000 * i};
        pf_port_wait(pf_homes_port(&both), pf_port_access(pf_homes_port(&both), &request));
    }
    CU_ASSERT_EQUAL(pf_dram_stats(drams[0])->reads, 3);
    CU_ASSERT_EQUAL(pf_dram_stats(drams[0])->row_hits, 1);
    CU_ASSERT_EQUAL(pf_dram_stats(drams[0])->row_misses, 2);
    pf_dram_check(drams[0]);
    PfDramEnergy energy;
    CU_ASSERT_TRUE(pf_dram_energy(drams[0], &energy));
    CU_ASSERT_TRUE(energy.activate > 0 && energy.background > 0);
    for (unsigned i = 0; i < 2; i++)
        pf_dram_free(drams[i]);
}

static const PfCheck checks[] = {
    {"frames are divided as evenly as can be, the last nodes have fewer", even_shares},
    {"without a limit nodes take turns by 4096 numbers", turns},
    {"the nearest go first, of equally near ones the next in number", order},
    {"each node's DRAM serves its own frames, and all count as one", homes},
};

PF_CHECK_MAIN("nodes", checks)
