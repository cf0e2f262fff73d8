/* Pages that are moved to the node that reads them: frames are watched at the interconnect, and
 * what has been read from afar often enough moves before the next record. */
#include "host_nodes.h"
#include "run.h"

/* Reads from another node of what a frame holds, since the last one by a core of its own. */
typedef struct {
    uint32_t holds;
    uint32_t remote;
} FrameReads;

/* A frame that is to move. */
typedef struct {
    PfMpn frame;
    uint32_t node;
} Move;

/* A level of one node. */
typedef struct {
    const PfRun *run;
    unsigned node;
} NodeLevel;

struct PfRunNodes {
    PfRun *run;
    NodeLevel levels[PF_NODES_MAX];
    PfSegArray reads; /* of FrameReads, by frame */
    GArray *moves;    /* of Move */
    bool is_moving;   /* copies of pages are no reads of contexts */
    uint64_t moved;
    uint64_t refused;
};

static PfStatValue read_used(const void *user)
{
    const NodeLevel *level = user;
    return pf_stat_uint(level->run->memory.frames.nodes[level->node].used_frames);
}

static void watch(void *user, PfMpn frame, uint16_t core, bool is_local)
{
    struct PfRunNodes *nodes = user;
    PfRun *run = nodes->run;
    if (nodes->is_moving)
        return;
    pf_seg_array_reserve(&nodes->reads, run->memory.frames.limit);
    FrameReads *reads = pf_seg_array_at(&nodes->reads, frame.number);
    uint32_t holds = pf_frame_at(&run->memory.frames, frame)->holds;
    if (is_local || reads->holds != holds)
        *reads = (FrameReads){.holds = holds};
    if (is_local || ++reads->remote < run->machine_config->numa.migrate_after)
        return;
    reads->remote = 0;
    Move move = {frame, run->machine_config->numa.nodes.node_of_core[core]};
    g_array_append_val(nodes->moves, move);
    run->due_cycles = 0; /* to be looked at before the next record */
}

/* The page that FRAME is live for. */
static bool page_of(const PfRun *run, PfMpn frame, PfPage *ret_page)
{
    const PfFrame *held = pf_frame_at(&run->memory.frames, frame);
    if (!pf_frame_is_used(held) || (held->holds & PF_FRAME_LIVE) == 0)
        return false;
    PfSlot slot = {held->holds & ~PF_FRAME_LIVE};
    const PfLeaf *leaf = pf_image_leaf_of(run->image, slot);
    if (leaf->context >= run->places->len)
        return false; /* a file's */
    *ret_page = (PfPage){leaf->context, pf_leaf_page(leaf, slot.index % PF_LEAF_PAGES)};
    return true;
}

void run_migrate(PfRun *run)
{
    struct PfRunNodes *nodes = run->nodes;
    nodes->is_moving = true;
    for (unsigned i = 0; i < nodes->moves->len; i++) {
        Move move = g_array_index(nodes->moves, Move, i);
        PfPage page;
        bool is_page = page_of(run, move.frame, &page);
        if (is_page && pf_frame_node(&run->memory.frames, move.frame) == move.node)
            continue;
        bool is_moved = is_page && pf_host_migrate(run->host, page, move.node);
        nodes->moved += is_moved;
        nodes->refused += !is_moved;
    }
    nodes->is_moving = false;
    g_array_set_size(nodes->moves, 0);
}

void run_open_nodes(PfRun *run)
{
    struct PfRunNodes *nodes = g_new0(struct PfRunNodes, 1);
    nodes->run = run;
    run->nodes = nodes;
    pf_seg_array_init(&nodes->reads, sizeof(FrameReads));
    nodes->moves = g_array_new(FALSE, FALSE, sizeof(Move));
    PfStatsGroup *group = pf_stats_group(run->stats, "numa");
    pf_stats_counter(group, "migrations", "pages",
                     "Pages moved to the node whose core reads them.", &nodes->moved);
    pf_stats_counter(group, "migrations_refused", "events",
                     "Pages that did not move as they are not one page's alone, or the node is "
                     "full.", &nodes->refused);
    unsigned count = run->memory.frames.rules.nodes.count;
    for (unsigned i = 0; count > 1 && i < count; i++) {
        g_autofree char *name = g_strdup_printf("node%u_used_frames", i);
        nodes->levels[i] = (NodeLevel){run, i};
        pf_stats_level(group, name, "frames",
                       "Used frames of that node; a zero page that is mapped is one of node 0.",
                       read_used, &nodes->levels[i]);
    }
    if (count > 1 && run->machine_config->numa.migrate != PF_MIGRATE_NONE)
        pf_interconnect_watch(run->machine->interconnect, watch, nodes);
}

void run_close_nodes(PfRun *run)
{
    if (run->nodes == NULL)
        return;
    pf_seg_array_clear(&run->nodes->reads);
    g_array_unref(run->nodes->moves);
    g_clear_pointer(&run->nodes, g_free);
}
