/* Runs of frames that are kept together, for pages that are to be mapped as one. */
#include "frame.h"

static PfFrameBlock *block_at(const PfFramePool *pool, uint32_t number)
{
    return number < pool->blocks->len ? &g_array_index(pool->blocks, PfFrameBlock, number) : NULL;
}

static PfMpn first_frame(uint32_t number)
{
    return (PfMpn){number << PF_BLOCK_SHIFT};
}

/* Which block NODE has among those that lie free; the index in the list, or its length. */
static unsigned find_free(const PfFramePool *pool, unsigned node)
{
    unsigned count = pool->free_blocks->len;
    for (unsigned i = count; i-- > 0;) {
        uint32_t number = g_array_index(pool->free_blocks, uint32_t, i);
        if (pf_frame_node(pool, first_frame(number)) == node)
            return i;
    }
    return count;
}

/* Whether all frames from FIRST on, which was never used, to the end of a block are of NODE. */
static bool is_whole(const PfFramePool *pool, unsigned node, uint32_t first)
{
    const PfNodes *nodes = &pool->rules.nodes;
    uint64_t last = (uint64_t)first + PF_BLOCK_FRAMES - 1;
    if (nodes->is_limited)
        return last < nodes->first_frame[node + 1];
    return pf_frame_node(pool, (PfMpn){first}) == node &&
           pf_frame_node(pool, (PfMpn){(uint32_t)last}) == node;
}

/* The first block of NODE of numbers that were never used; those before it wait with the free. */
static bool take_fresh(PfFramePool *pool, unsigned node_number, uint32_t *ret_block)
{
    PfFrameNode *node = &pool->nodes[node_number];
    const PfNodes *nodes = &pool->rules.nodes;
    uint32_t first = node->next;
    while (first != 0 && (first % PF_BLOCK_FRAMES != 0 || !is_whole(pool, node_number, first)))
        first = pf_nodes_next(nodes, node_number, first);
    if (first == 0)
        return false;
    while (node->next != first) {
        uint32_t passed = node->next;
        pool->limit = MAX(pool->limit, passed + 1);
        pf_seg_array_reserve(&pool->frames, pool->limit);
        pf_frame_put_free(pool, passed);
        node->next = pf_nodes_next(nodes, node_number, passed);
    }
    node->next = pf_nodes_next(nodes, node_number, first + PF_BLOCK_FRAMES - 1);
    pool->limit = MAX(pool->limit, first + PF_BLOCK_FRAMES);
    pf_seg_array_reserve(&pool->frames, pool->limit);
    *ret_block = first >> PF_BLOCK_SHIFT;
    return true;
}

bool pf_frame_keep_block(PfFramePool *pool, unsigned node, uint32_t owner, uint32_t *ret_block)
{
    if (!pf_frame_has_room(pool, node, PF_BLOCK_FRAMES))
        return false;
    unsigned index = find_free(pool, node);
    if (index < pool->free_blocks->len) {
        *ret_block = g_array_index(pool->free_blocks, uint32_t, index);
        g_array_remove_index(pool->free_blocks, index);
    } else if (!take_fresh(pool, node, ret_block)) {
        return false;
    }
    if (*ret_block >= pool->blocks->len)
        g_array_set_size(pool->blocks, *ret_block + 1);
    *block_at(pool, *ret_block) = (PfFrameBlock){.owner = owner, .is_kept = true};
    return true;
}

const PfFrameBlock *pf_frame_block_of(const PfFramePool *pool, uint32_t number, uint32_t owner)
{
    const PfFrameBlock *block = block_at(pool, number);
    return block != NULL && block->is_kept && block->owner == owner ? block : NULL;
}

bool pf_frame_take(PfFramePool *pool, PfMpn mpn, PfSlot slot)
{
    PfFrameBlock *block = block_at(pool, mpn.number >> PF_BLOCK_SHIFT);
    g_assert(block != NULL && block->is_kept);
    if (pf_frame_is_used(pf_frame_at(pool, mpn)) ||
        !pf_frame_has_room(pool, pf_frame_node(pool, mpn), 1))
        return false;
    block->used_frames++;
    pf_frame_give(pool, mpn, slot);
    return true;
}

bool pf_frame_block_regains(PfFramePool *pool, PfMpn mpn)
{
    uint32_t number = mpn.number >> PF_BLOCK_SHIFT;
    PfFrameBlock *block = block_at(pool, number);
    if (block == NULL || !block->is_kept)
        return false;
    g_assert(block->used_frames > 0);
    if (--block->used_frames == 0) {
        block->owner = PF_BLOCK_NOBODY;
        g_array_append_val(pool->free_blocks, number);
    }
    return true;
}

/* The block of NODE to be given up: a free one, else the next that keeps frames it does not use. */
static uint32_t choose_given_up(PfFramePool *pool, unsigned node)
{
    unsigned index = find_free(pool, node);
    if (index < pool->free_blocks->len) {
        uint32_t number = g_array_index(pool->free_blocks, uint32_t, index);
        g_array_remove_index(pool->free_blocks, index);
        return number;
    }
    for (unsigned tried = 0; tried < pool->blocks->len; tried++) {
        pool->break_hand = (pool->break_hand + 1) % pool->blocks->len;
        const PfFrameBlock *block = block_at(pool, pool->break_hand);
        if (block->is_kept && block->used_frames < PF_BLOCK_FRAMES &&
            pf_frame_node(pool, first_frame(pool->break_hand)) == node)
            return pool->break_hand;
    }
    g_assert_not_reached();
}

void pf_frame_give_up_block(PfFramePool *pool, unsigned node)
{
    uint32_t number = choose_given_up(pool, node);
    *block_at(pool, number) = (PfFrameBlock){.is_kept = false};
    for (uint32_t i = PF_BLOCK_FRAMES; i-- > 0;) {
        PfMpn mpn = {first_frame(number).number + i};
        if (!pf_frame_is_used(pf_frame_at(pool, mpn)))
            pf_frame_put_free(pool, mpn.number);
    }
}

uint64_t pf_frame_blocks_bytes(const PfFramePool *pool)
{
    return pool->blocks->len * sizeof(PfFrameBlock) + pool->free_blocks->len * sizeof(uint32_t);
}

void pf_frame_blocks_check(const PfFramePool *pool)
{
    unsigned unused = 0;
    for (uint32_t number = 0; number < pool->blocks->len; number++) {
        const PfFrameBlock *block = block_at(pool, number);
        unsigned used = 0;
        for (uint32_t i = 0; block->is_kept && i < PF_BLOCK_FRAMES; i++)
            used += pf_frame_is_used(
                pf_frame_at(pool, (PfMpn){first_frame(number).number + i}));
        g_assert(block->used_frames == used);
        unused += block->is_kept && block->owner == PF_BLOCK_NOBODY;
        g_assert(!block->is_kept || (block->owner == PF_BLOCK_NOBODY) <= (used == 0));
    }
    g_assert(unused == pool->free_blocks->len);
}

uint64_t pf_frame_pool_bytes(const PfFramePool *pool)
{
    uint64_t bytes = (uint64_t)pool->limit * sizeof(PfFrame) + pf_table_bytes(&pool->pins) +
                     pf_table_bytes(&pool->file_object) + pf_seg_array_bytes(&pool->tags) +
                     pf_seg_array_bytes(&pool->classes) + pf_frame_blocks_bytes(pool);
    for (unsigned node = 0; node < pool->rules.nodes.count; node++)
        for (unsigned color = 0; color < pool->bin_count; color++)
            bytes += pool->nodes[node].free[color]->len * sizeof(uint32_t);
    return bytes;
}
