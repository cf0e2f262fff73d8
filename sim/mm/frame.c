#include "frame.h"

PfFrameRules pf_frame_rules_plain(unsigned count, uint64_t capacity_frames)
{
    PfFrameRules rules = {.coloring = pf_coloring_low(1)};
    pf_nodes_init(&rules.nodes, count);
    if (capacity_frames > 0)
        pf_nodes_divide(&rules.nodes, capacity_frames);
    return rules;
}

void pf_frame_pool_init(PfFramePool *pool, PfContentStore *store, const PfFrameRules *rules)
{
    *pool = (PfFramePool){.store = store, .rules = *rules, .limit = 1};
    unsigned colors = pf_coloring_count(&rules->coloring);
    pool->bin_count = rules->allocator == PF_ALLOCATE_FIRST_TOUCH ? 1 : colors;
    pool->rules.nodes.turn_frames = MAX(rules->nodes.turn_frames, colors);
    pool->rng = pf_rng_derive(rules->seed, "frames");
    pf_seg_array_init(&pool->frames, sizeof(PfFrame));
    pf_seg_array_reserve(&pool->frames, 1);
    pool->nodes = g_new0(PfFrameNode, rules->nodes.count);
    for (unsigned i = 0; i < rules->nodes.count; i++) {
        PfFrameNode *node = &pool->nodes[i];
        node->next = pf_nodes_first(&pool->rules.nodes, i);
        node->free = g_new(GArray *, pool->bin_count);
        for (unsigned color = 0; color < pool->bin_count; color++)
            node->free[color] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    }
    pf_table_init(&pool->pins);
    pf_table_init(&pool->file_object);
    pf_seg_array_init(&pool->tags, sizeof(uint32_t));
    pf_seg_array_init(&pool->classes, sizeof(uint32_t));
    pool->blocks = g_array_new(FALSE, TRUE, sizeof(PfFrameBlock));
    pool->free_blocks = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    pool->out_free = g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

void pf_frame_pool_clear(PfFramePool *pool)
{
    pf_seg_array_clear(&pool->frames);
    for (unsigned node = 0; pool->nodes != NULL && node < pool->rules.nodes.count; node++) {
        for (unsigned color = 0; color < pool->bin_count; color++)
            g_array_unref(pool->nodes[node].free[color]);
        g_free(pool->nodes[node].free);
    }
    g_clear_pointer(&pool->nodes, g_free);
    pf_table_clear(&pool->pins);
    pf_table_clear(&pool->file_object);
    pf_seg_array_clear(&pool->tags);
    pf_seg_array_clear(&pool->classes);
    g_clear_pointer(&pool->blocks, g_array_unref);
    g_clear_pointer(&pool->free_blocks, g_array_unref);
    g_clear_pointer(&pool->out_free, g_array_unref);
}

static void release_held(PfFramePool *pool, PfFrame *frame)
{
    if ((frame->holds & PF_FRAME_LIVE) == 0 && frame->holds != PF_FRAME_UNKNOWN)
        pf_content_unref(pool->store, (PfContent){frame->holds});
    frame->holds = 0;
}

/* ---- Which frame ---- */

static unsigned bin_of(const PfFramePool *pool, uint32_t number)
{
    return pool->bin_count == 1 ? 0 : pf_color_of(&pool->rules.coloring, (PfMpn){number});
}

/* The colour that the next frame should have, for page number PAGE. */
static unsigned choose_bin(PfFramePool *pool, uint64_t page)
{
    switch (pool->rules.allocator) {
    case PF_ALLOCATE_FIRST_TOUCH:
        return 0;
    case PF_ALLOCATE_COLOR_PRESERVING:
        return (unsigned)(page % pool->bin_count);
    case PF_ALLOCATE_BIN_HOPPING:
        return (unsigned)(pool->hops++ % pool->bin_count);
    case PF_ALLOCATE_RANDOM:
        return (unsigned)pf_rng_below(&pool->rng, pool->bin_count);
    }
    g_assert_not_reached();
}

void pf_frame_put_free(PfFramePool *pool, uint32_t number)
{
    PfFrameNode *node = &pool->nodes[pf_frame_node(pool, (PfMpn){number})];
    g_array_append_val(node->free[bin_of(pool, number)], number);
}

static uint32_t take_freed(GArray *freed)
{
    uint32_t number = g_array_index(freed, uint32_t, freed->len - 1);
    g_array_set_size(freed, freed->len - 1);
    return number;
}

/* A number of node NODE_NUMBER, which is not full: of colour BIN, else of the next colour that has
 * one. Numbers that are passed by on the way to the colour wait with those that were freed. */
static uint32_t take_number(PfFramePool *pool, unsigned node_number, unsigned bin)
{
    PfFrameNode *node = &pool->nodes[node_number];
    /* Among so many numbers in a row there is one of each colour. */
    uint32_t window = MAX(pool->rules.nodes.turn_frames, pool->bin_count);
    if (node->free[bin]->len > 0)
        return take_freed(node->free[bin]);
    for (uint32_t i = 0; i < 2 * window && node->next != 0; i++) {
        uint32_t number = node->next;
        node->next = pf_nodes_next(&pool->rules.nodes, node_number, number);
        pool->limit = MAX(pool->limit, number + 1);
        pf_seg_array_reserve(&pool->frames, pool->limit);
        unsigned found = bin_of(pool, number);
        if (found == bin)
            return number;
        g_array_append_val(node->free[found], number);
    }
    for (unsigned tried = 1; node->free[bin]->len == 0; tried++) {
        bin = (bin + 1) % pool->bin_count;
        if (tried % pool->bin_count == 0)
            pf_frame_give_up_block(pool, node_number);
    }
    return take_freed(node->free[bin]);
}

bool pf_frame_has_room(const PfFramePool *pool, unsigned node, uint64_t count)
{
    const PfNodes *nodes = &pool->rules.nodes;
    return !nodes->is_limited ||
           pool->nodes[node].used_frames + count <= nodes->capacity_frames[node];
}

static void count_used(PfFramePool *pool, PfMpn mpn, bool is_used)
{
    uint64_t step = is_used ? 1 : UINT64_MAX;
    pool->nodes[pf_frame_node(pool, mpn)].used_frames += step;
    pool->used_frames += step;
    pool->peak_frames = MAX(pool->peak_frames, pool->used_frames + pool->out_frames);
    if (pool->use.tell != NULL)
        pool->use.tell(pool->use.user, mpn, is_used);
}

bool pf_frame_alloc_on(PfFramePool *pool, PfSlot slot, PfFrameWish wish, PfMpn *ret_mpn)
{
    if (!pf_frame_has_room(pool, wish.node, 1))
        return false;
    *ret_mpn = (PfMpn){take_number(pool, wish.node, choose_bin(pool, wish.page))};
    pf_frame_give(pool, *ret_mpn, slot);
    return true;
}

void pf_frame_give(PfFramePool *pool, PfMpn mpn, PfSlot slot)
{
    bool was_used = pf_frame_at(pool, mpn)->holds != 0;
    *pf_frame_at(pool, mpn) = (PfFrame){.holds = PF_FRAME_LIVE | slot.index, .count = 1};
    if (mpn.number < pool->classes.count)
        pf_frame_set_class(pool, mpn, 0);
    count_used(pool, mpn, true);
    if (was_used && pool->reused.tell != NULL)
        pool->reused.tell(pool->reused.user, mpn);
}

unsigned pf_frame_home(const PfFramePool *pool, PfFrameWish wish)
{
    bool takes_turns = pool->rules.placement == PF_PLACEMENT_INTERLEAVE;
    return takes_turns ? (unsigned)(pool->turns % pool->rules.nodes.count) : wish.node;
}

bool pf_frame_alloc(PfFramePool *pool, PfSlot slot, PfFrameWish wish, PfMpn *ret_mpn)
{
    const PfNodes *nodes = &pool->rules.nodes;
    unsigned home = pf_frame_home(pool, wish);
    unsigned choices = pool->rules.placement == PF_PLACEMENT_BIND ? 1 : nodes->count;
    for (unsigned i = 0; i < choices; i++) {
        wish.node = nodes->nearest[home][i];
        if (pf_frame_alloc_on(pool, slot, wish, ret_mpn)) {
            pool->turns++;
            return true;
        }
    }
    return false;
}

/* ---- References ---- */

void pf_frame_ref(PfFramePool *pool, PfMpn mpn)
{
    PfFrame *frame = pf_frame_at(pool, mpn);
    g_assert(pf_frame_refs(frame) < PF_FRAME_REFS_MASK);
    bool in_use = pf_frame_is_used(frame);
    g_assert(in_use || mpn.number == 0);
    if (!in_use)
        count_used(pool, mpn, true);
    frame->count++;
}

/* Nobody maps or pins MPN any more. */
static void release_frame(PfFramePool *pool, PfMpn mpn)
{
    PfFrame *frame = pf_frame_at(pool, mpn);
    bool is_out = pf_frame_is_out(pool, mpn);
    pool->out_frames -= is_out;
    if (!is_out)
        count_used(pool, mpn, false);
    if (mpn.number == 0)
        return;
    if ((frame->count & PF_FRAME_FILE) != 0)
        pf_table_remove(&pool->file_object, mpn.number);
    release_held(pool, frame);
    *frame = (PfFrame){.holds = PF_FRAME_UNKNOWN}; /* so it is no new one */
    if (is_out)
        g_array_append_val(pool->out_free, mpn.number);
    else if (!pf_frame_block_regains(pool, mpn))
        pf_frame_put_free(pool, mpn.number);
}

/* FROM becomes free, TO is what it was. */
static void carry(PfFramePool *pool, PfMpn from, PfMpn to)
{
    PfFrame *source = pf_frame_at(pool, from);
    uint64_t object = 0;
    *pf_frame_at(pool, to) = (PfFrame){
        .holds = source->holds, .count = source->count & (PF_FRAME_REFS_MASK | PF_FRAME_FILE)};
    if (pf_table_find(&pool->file_object, from.number, &object)) {
        pf_table_remove(&pool->file_object, from.number);
        pf_table_insert(&pool->file_object, to.number, object);
    }
    uint32_t class = pf_frame_class(pool, from);
    if (class != 0 || to.number < pool->classes.count)
        pf_frame_set_class(pool, to, class);
    *source = (PfFrame){.holds = PF_FRAME_UNKNOWN};
    release_frame(pool, from);
}

PfMpn pf_frame_put_out(PfFramePool *pool, PfMpn mpn)
{
    g_assert(mpn.number != 0 && (pf_frame_at(pool, mpn)->count & PF_FRAME_PINNED) == 0);
    PfMpn out;
    if (pool->out_free->len > 0)
        out.number = take_freed(pool->out_free);
    else
        out.number = (uint32_t)(pf_frame_pool_capacity(pool) + 1 + pool->out_count++);
    pool->limit = MAX(pool->limit, out.number + 1);
    pf_seg_array_reserve(&pool->frames, pool->limit);
    pool->out_frames++;
    carry(pool, mpn, out);
    return out;
}

void pf_frame_bring_in(PfFramePool *pool, PfMpn out, PfMpn mpn)
{
    g_assert(pf_frame_is_out(pool, out) && !pf_frame_is_out(pool, mpn));
    carry(pool, out, mpn);
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

uint64_t pf_frame_pool_capacity(const PfFramePool *pool)
{
    const PfNodes *nodes = &pool->rules.nodes;
    return nodes->is_limited ? nodes->first_frame[nodes->count] - 1 : 0;
}

uint64_t pf_frame_pool_free(const PfFramePool *pool)
{
    const PfNodes *nodes = &pool->rules.nodes;
    if (!nodes->is_limited)
        return UINT64_MAX;
    uint64_t frames = 0;
    for (unsigned node = 0; node < nodes->count; node++)
        if (pf_frame_has_room(pool, node, 1))
            frames += nodes->capacity_frames[node] - pool->nodes[node].used_frames;
    return frames;
}

void pf_frame_pool_check(const PfFramePool *pool)
{
    const PfNodes *nodes = &pool->rules.nodes;
    uint64_t used[PF_NODES_MAX] = {0};
    uint64_t sum = 0;
    uint64_t out = 0;
    for (uint32_t i = 0; i < pool->limit; i++) {
        if (!pf_frame_is_used(pf_frame_at(pool, (PfMpn){i})))
            continue;
        if (pf_frame_is_out(pool, (PfMpn){i}))
            out++;
        else
            used[pf_frame_node(pool, (PfMpn){i})]++;
    }
    g_assert(out == pool->out_frames);
    bool has_zero = pf_frame_is_used(pf_frame_at(pool, PF_ZERO_FRAME));
    for (unsigned node = 0; node < nodes->count; node++) {
        g_assert(used[node] == pool->nodes[node].used_frames);
        g_assert(!nodes->is_limited ||
                 used[node] <= nodes->capacity_frames[node] + (node == 0 && has_zero));
        sum += used[node];
    }
    g_assert(sum == pool->used_frames);
    pf_frame_blocks_check(pool);
}
