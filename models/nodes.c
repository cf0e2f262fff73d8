#include "nodes.h"

/* Without a limit: numbers of a node that lie together. */
enum { TURN_FRAMES = 4096 };

void pf_nodes_init(PfNodes *nodes, unsigned count)
{
    g_assert(count > 0 && count <= PF_NODES_MAX);
    *nodes = (PfNodes){.count = count, .turn_frames = TURN_FRAMES};
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < count; j++)
            nodes->distance[i][j] = i == j ? PF_DISTANCE_LOCAL : PF_DISTANCE_REMOTE;
    pf_nodes_sort(nodes);
}

void pf_nodes_limit(PfNodes *nodes, const uint64_t *frames)
{
    nodes->is_limited = true;
    uint64_t first = 1;
    for (unsigned node = 0; node < nodes->count; node++) {
        nodes->capacity_frames[node] = frames[node];
        nodes->first_frame[node] = first;
        first += frames[node];
    }
    nodes->first_frame[nodes->count] = first;
}

void pf_nodes_divide(PfNodes *nodes, uint64_t frames)
{
    uint64_t share = (frames + nodes->count - 1) / nodes->count;
    uint64_t shares[PF_NODES_MAX];
    for (unsigned node = 0; node < nodes->count; node++) {
        shares[node] = MIN(share, frames);
        frames -= shares[node];
    }
    pf_nodes_limit(nodes, shares);
}

void pf_nodes_sort(PfNodes *nodes)
{
    for (unsigned home = 0; home < nodes->count; home++) {
        uint8_t *order = nodes->nearest[home];
        for (unsigned i = 0; i < nodes->count; i++) {
            uint8_t node = (uint8_t)((home + i) % nodes->count);
            unsigned place = i;
            while (place > 0 &&
                   nodes->distance[home][order[place - 1]] > nodes->distance[home][node]) {
                order[place] = order[place - 1];
                place--;
            }
            order[place] = node;
        }
    }
}

uint32_t pf_nodes_first(const PfNodes *nodes, unsigned node)
{
    if (!nodes->is_limited)
        return 1 + node * nodes->turn_frames;
    return nodes->capacity_frames[node] > 0 ? (uint32_t)nodes->first_frame[node] : 0;
}

uint32_t pf_nodes_next(const PfNodes *nodes, unsigned node, uint32_t number)
{
    uint32_t next = number + 1;
    g_assert(next < UINT32_MAX - nodes->count * nodes->turn_frames);
    if (nodes->is_limited)
        return next < nodes->first_frame[node + 1] ? next : 0;
    bool ends = nodes->count > 1 && number % nodes->turn_frames == 0;
    return ends ? next + (nodes->count - 1) * nodes->turn_frames : next;
}
