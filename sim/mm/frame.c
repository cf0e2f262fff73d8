#include "frame.h"

/* Without a limit: numbers of a node that lie together. Enough for every page colour. */
enum { NODE_TURN_FRAMES = 4096 };

void pf_frame_pool_init(PfFramePool *pool, PfContentStore *store, uint64_t capacity_frames,
                        unsigned node_count)
{
    g_assert(node_count > 0);
    *pool = (PfFramePool){.store = store,
                          .capacity_frames = capacity_frames,
                          .limit = 1,
                          .nodes = g_new(PfFrameNode, node_count),
                          .node_count = node_count,
                          .node_frames = NODE_TURN_FRAMES};
    if (capacity_frames > 0)
        pool->node_frames = (uint32_t)((capacity_frames + node_count - 1) / node_count);
    pf_seg_array_init(&pool->frames, sizeof(PfFrame));
    pf_seg_array_reserve(&pool->frames, 1);
    for (unsigned node = 0; node < node_count; node++)
        pool->nodes[node] = (PfFrameNode){.free = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                                          .next = 1 + node * pool->node_frames};
    pf_table_init(&pool->pins);
    pf_table_init(&pool->file_object);
    pf_seg_array_init(&pool->tags, sizeof(uint32_t));
    pf_seg_array_init(&pool->classes, sizeof(uint32_t));
}

void pf_frame_pool_clear(PfFramePool *pool)
{
    pf_seg_array_clear(&pool->frames);
    for (unsigned node = 0; pool->nodes != NULL && node < pool->node_count; node++)
        g_array_unref(pool->nodes[node].free);
    g_clear_pointer(&pool->nodes, g_free);
    pf_table_clear(&pool->pins);
    pf_table_clear(&pool->file_object);
    pf_seg_array_clear(&pool->tags);
    pf_seg_array_clear(&pool->classes);
}

static void release_held(PfFramePool *pool, PfFrame *frame)
{
    if ((frame->holds & PF_FRAME_LIVE) == 0 && frame->holds != PF_FRAME_UNKNOWN)
        pf_content_unref(pool->store, (PfContent){frame->holds});
    frame->holds = 0;
}

/* A number of NODE that is not in use; false if the node is full. */
static bool take_number(PfFramePool *pool, PfFrameNode *node, uint32_t *ret_number)
{
    if (node->free->len > 0) {
        *ret_number = g_array_index(node->free, uint32_t, node->free->len - 1);
        g_array_set_size(node->free, node->free->len - 1);
        return true;
    }
    if (node->next == 0)
        return false;
    uint32_t number = node->next++;
    g_assert(number < UINT32_MAX - pool->node_count * NODE_TURN_FRAMES);
    if (pool->node_count > 1 && (node->next - 1) % pool->node_frames == 0)
        node->next = pool->capacity_frames > 0
                         ? 0
                         : node->next + (pool->node_count - 1) * pool->node_frames;
    pool->limit = MAX(pool->limit, number + 1);
    pf_seg_array_reserve(&pool->frames, pool->limit);
    *ret_number = number;
    return true;
}

bool pf_frame_alloc(PfFramePool *pool, PfSlot slot, unsigned node, PfMpn *ret_mpn)
{
    if (pf_frame_pool_free(pool) == 0)
        return false;
    uint32_t number = 0;
    bool is_taken = false;
    for (unsigned i = 0; i < pool->node_count && !is_taken; i++)
        is_taken = take_number(pool, &pool->nodes[(node + i) % pool->node_count], &number);
    g_assert(is_taken);
    PfMpn mpn = {number};
    bool was_used = pf_frame_at(pool, mpn)->holds != 0;
    *pf_frame_at(pool, mpn) = (PfFrame){.holds = PF_FRAME_LIVE | slot.index, .count = 1};
    if (number < pool->classes.count)
        pf_frame_set_class(pool, mpn, 0);
    pool->used_frames++;
    pool->peak_frames = MAX(pool->peak_frames, pool->used_frames);
    if (was_used && pool->reused.tell != NULL)
        pool->reused.tell(pool->reused.user, mpn);
    *ret_mpn = mpn;
    return true;
}

void pf_frame_ref(PfFramePool *pool, PfMpn mpn)
{
    PfFrame *frame = pf_frame_at(pool, mpn);
    g_assert(pf_frame_refs(frame) < PF_FRAME_REFS_MASK);
    bool in_use = pf_frame_is_used(frame);
    g_assert(in_use || mpn.number == 0);
    if (!in_use) {
        pool->used_frames++;
        pool->peak_frames = MAX(pool->peak_frames, pool->used_frames);
    }
    frame->count++;
}

/* Nobody maps or pins MPN any more. */
static void release_frame(PfFramePool *pool, PfMpn mpn)
{
    PfFrame *frame = pf_frame_at(pool, mpn);
    pool->used_frames--;
    if (mpn.number == 0)
        return;
    if ((frame->count & PF_FRAME_FILE) != 0)
        pf_table_remove(&pool->file_object, mpn.number);
    release_held(pool, frame);
    *frame = (PfFrame){.holds = PF_FRAME_UNKNOWN}; /* so it is no new one */
    g_array_append_val(pool->nodes[pf_frame_node(pool, mpn)].free, mpn.number);
}

void pf_frame_unref(PfFramePool *pool, PfMpn mpn)
{
    PfFrame *frame = pf_frame_at(pool, mpn);
    g_assert(pf_frame_refs(frame) > 0);
    frame->count--;
    if (pf_frame_refs(frame) > 0)
        return;
    if ((frame->count & PF_FRAME_PINNED) == 0)
        release_frame(pool, mpn);
    else if ((frame->holds & PF_FRAME_LIVE) != 0 && (frame->count & PF_FRAME_FILE) == 0)
        frame->holds = 0; /* its slot is going, and nobody can map it again; a file's page stays */
}

void pf_frame_pin(PfFramePool *pool, PfMpn mpn)
{
    uint64_t pins = 0;
    pf_table_find(&pool->pins, mpn.number, &pins);
    pf_table_insert(&pool->pins, mpn.number, pins + 1);
    pf_frame_at(pool, mpn)->count |= PF_FRAME_PINNED;
}

void pf_frame_unpin(PfFramePool *pool, PfMpn mpn)
{
    uint64_t pins = 0;
    bool found = pf_table_find(&pool->pins, mpn.number, &pins);
    g_assert(found && pins > 0);
    if (pins > 1) {
        pf_table_insert(&pool->pins, mpn.number, pins - 1);
        return;
    }
    pf_table_remove(&pool->pins, mpn.number);
    PfFrame *frame = pf_frame_at(pool, mpn);
    frame->count &= ~PF_FRAME_PINNED;
    if (pf_frame_refs(frame) == 0)
        release_frame(pool, mpn);
}

void pf_frame_hold_content(PfFramePool *pool, PfMpn mpn, PfContent content)
{
    g_assert(mpn.number != 0 && content.index < PF_FRAME_LIVE);
    PfFrame *frame = pf_frame_at(pool, mpn);
    release_held(pool, frame);
    frame->holds = content.index;
}

void pf_frame_hold_unknown(PfFramePool *pool, PfMpn mpn)
{
    g_assert(mpn.number != 0);
    PfFrame *frame = pf_frame_at(pool, mpn);
    release_held(pool, frame);
    frame->holds = PF_FRAME_UNKNOWN;
}

void pf_frame_hold_slot(PfFramePool *pool, PfMpn mpn, PfSlot slot)
{
    g_assert(mpn.number != 0 && slot.index < PF_FRAME_LIVE);
    PfFrame *frame = pf_frame_at(pool, mpn);
    release_held(pool, frame);
    frame->holds = PF_FRAME_LIVE | slot.index;
}

void pf_frame_claim(PfFramePool *pool, PfMpn mpn, uint32_t tag)
{
    PfFrame *frame = pf_frame_at(pool, mpn);
    g_assert(mpn.number != 0 && tag != 0);
    g_assert(pf_frame_is_used(frame));
    pf_seg_array_reserve(&pool->tags, pool->limit);
    frame->count |= PF_FRAME_CLAIMED;
    *(uint32_t *)pf_seg_array_at(&pool->tags, mpn.number) = tag;
}

uint32_t pf_frame_tag(const PfFramePool *pool, PfMpn mpn)
{
    if ((pf_frame_at(pool, mpn)->count & PF_FRAME_CLAIMED) == 0)
        return 0;
    return *(const uint32_t *)pf_seg_array_at(&pool->tags, mpn.number);
}

void pf_frame_set_class(PfFramePool *pool, PfMpn mpn, uint32_t class)
{
    pf_seg_array_reserve(&pool->classes, pool->limit);
    *(uint32_t *)pf_seg_array_at(&pool->classes, mpn.number) = class;
}

uint32_t pf_frame_class(const PfFramePool *pool, PfMpn mpn)
{
    if (mpn.number >= pool->classes.count)
        return 0;
    return *(const uint32_t *)pf_seg_array_at(&pool->classes, mpn.number);
}

uint64_t pf_frame_pool_free(const PfFramePool *pool)
{
    if (pool->capacity_frames == 0)
        return UINT64_MAX;
    return pool->capacity_frames > pool->used_frames ? pool->capacity_frames - pool->used_frames
                                                     : 0;
}

uint64_t pf_frame_pool_bytes(const PfFramePool *pool)
{
    uint64_t bytes = (uint64_t)pool->limit * sizeof(PfFrame) + pf_table_bytes(&pool->pins) +
                     pf_table_bytes(&pool->file_object) + pf_seg_array_bytes(&pool->tags) +
                     pf_seg_array_bytes(&pool->classes);
    for (unsigned node = 0; node < pool->node_count; node++)
        bytes += pool->nodes[node].free->len * sizeof(uint32_t);
    return bytes;
}
