/* Which NUMA node a page's frame is on. */
#include "memory.h"

void pf_memory_set_home(PfMemory *memory, uint32_t context, unsigned node)
{
    g_assert(node < memory->frames.rules.nodes.count);
    if (context >= memory->homes->len)
        g_array_set_size(memory->homes, context + 1);
    g_array_index(memory->homes, uint8_t, context) = (uint8_t)node;
}

/* What a frame for SLOT that holds OBJECT is wanted for. */
static PfFrameWish wish_of(const PfMemory *memory, PfSlot slot, PfSlot object)
{
    uint32_t context = pf_image_leaf_of(memory->image, slot)->context;
    const PfLeaf *leaf = pf_image_leaf_of(memory->image, object);
    unsigned node =
        context < memory->homes->len ? g_array_index(memory->homes, uint8_t, context) : 0;
    return (PfFrameWish){node, pf_leaf_page(leaf, object.index % PF_LEAF_PAGES).number};
}

unsigned pf_memory_home(const PfMemory *memory, PfSlot slot)
{
    return pf_frame_home(&memory->frames, wish_of(memory, slot, slot));
}

bool pf_memory_alloc(PfMemory *memory, PfSlot slot, PfSlot object, PfMpn *ret_mpn)
{
    PfFrameWish wish = wish_of(memory, slot, object);
    unsigned node = pf_frame_home(&memory->frames, wish);
    return (pf_slot_equal(slot, object) && pf_large_alloc(memory, slot, node, ret_mpn)) ||
           pf_frame_alloc(&memory->frames, object, wish, ret_mpn);
}

/* Whether the frame of SLOT is its own, of unfixed bytes, and nothing of the policy's. */
static bool may_migrate(const PfMemory *memory, PfSlot slot)
{
    const PfEntry *entry = pf_memory_entry(memory, slot);
    unsigned unwanted = PF_ENTRY_ZERO | PF_ENTRY_FILE | PF_ENTRY_MERGED | PF_ENTRY_LARGE;
    if ((entry->flags & (PF_ENTRY_PRESENT | unwanted)) != PF_ENTRY_PRESENT)
        return false;
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    /* One reference, and nothing else is said of it. */
    return frame->count == 1 && frame->holds == (PF_FRAME_LIVE | slot.index);
}

bool pf_memory_migrate(PfMemory *memory, PfSlot slot, unsigned node)
{
    PfEntry *entry = pf_memory_entry(memory, slot);
    PfFrameWish wish = wish_of(memory, slot, slot);
    wish.node = node;
    PfMpn frame;
    if (!may_migrate(memory, slot))
        return false;
    pf_memory_integrate(memory);
    if (!pf_frame_alloc_on(&memory->frames, slot, wish, &frame))
        return false;
    pf_swap_unlink(memory, slot);
    pf_frame_unref(&memory->frames, (PfMpn){entry->mpn});
    entry->mpn = frame.number;
    pf_swap_link(memory, slot);
    pf_bus_map(memory, slot);
    memory->changes++;
    return true;
}
