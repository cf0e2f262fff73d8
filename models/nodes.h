/* NUMA nodes: which frames and cores each has, and how far they are from each other.
 *
 * Frame numbers 1, 2, ... are divided among the nodes. With a limit each node has as many as its
 * capacity, in order of node. Without one the nodes take turns by `turn_frames` numbers. Frame 0,
 * the zero page, is on node 0.
 *
 * Distances are those of firmware (ACPI specification, "System Locality Information Table"): 10
 * from a node to itself, 20 where an access takes twice as long.
 *
 * What is not a frame (page tables, a controller's own table) lies from PF_NODES_TABLES up. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

enum {
    PF_NODES_MAX = 64,
    PF_NODES_CORES_MAX = 1026, /* those of contexts, the policy's own, an engine */
    PF_DISTANCE_LOCAL = 10,
    PF_DISTANCE_REMOTE = 21, /* what firmware says of most machines with two sockets */
    PF_DISTANCE_MAX = 254    /* 255 means that a node cannot be reached */
};

/* Addresses below this are frames'. */
#define PF_NODES_TABLES ((uint64_t)1 << 45)

typedef struct {
    unsigned count;
    bool is_limited;
    uint32_t turn_frames;
    uint64_t capacity_frames[PF_NODES_MAX]; /* without a limit: 0 */
    uint64_t first_frame[PF_NODES_MAX + 1]; /* with a limit; behind the last node: the end */
    uint8_t distance[PF_NODES_MAX][PF_NODES_MAX];
    uint8_t nearest[PF_NODES_MAX][PF_NODES_MAX]; /* of each node: all, by distance from it */
    uint8_t node_of_core[PF_NODES_CORES_MAX];
} PfNodes;

/* COUNT nodes without a limit, each as far from every other, with all cores on node 0. */
void pf_nodes_init(PfNodes *nodes, unsigned count);

/* Each node has so many FRAMES (an element for each) and no more. */
void pf_nodes_limit(PfNodes *nodes, const uint64_t *frames);

/* Likewise FRAMES (not 0) in all, as evenly as can be: the last nodes may have fewer. */
void pf_nodes_divide(PfNodes *nodes, uint64_t frames);

/* Puts the nodes in order after distances were set; of equally distant ones the next in number goes
 * first. */
void pf_nodes_sort(PfNodes *nodes);

/* The node of frame MPN. */
static inline unsigned pf_nodes_of_frame(const PfNodes *nodes, PfMpn mpn)
{
    if (nodes->count == 1 || mpn.number == 0)
        return 0;
    if (!nodes->is_limited)
        return (mpn.number - 1) / nodes->turn_frames % nodes->count;
    unsigned node = 0;
    while (node + 1 < nodes->count && mpn.number >= nodes->first_frame[node + 1])
        node++;
    return node;
}

/* The first frame number of NODE; and the one of it that follows NUMBER, 0 if there is none. */
uint32_t pf_nodes_first(const PfNodes *nodes, unsigned node);
uint32_t pf_nodes_next(const PfNodes *nodes, unsigned node, uint32_t number);
