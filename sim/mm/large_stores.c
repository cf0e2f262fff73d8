/* What stores do to runs after a fork, and runs that are joined. */
#include "large_internal.h"

/* ---- stores after a fork ---- */

/* Whether the frame of SLOT is one that other pages map too (SHARED), or one that nobody else maps
 * or pins; and the policy has no part in it. See image_large.c. */
static bool is_alike(const PfMemory *memory, PfSlot slot, bool shared)
{
    const PfFrame *frame =
        pf_frame_at(&memory->frames, (PfMpn){pf_memory_entry(memory, slot)->mpn});
    if (!large_is_plain(memory, slot))
        return false;
    return shared ? pf_frame_refs(frame) > 1
                  : pf_frame_refs(frame) == 1 && (frame->count & PF_FRAME_PINNED) == 0;
}

static bool are_alike(const PfMemory *memory, const PfRunPages *pages, bool shared)
{
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        if (!is_alike(memory, pf_run_slot(pages, i), shared))
            return false;
    return true;
}

bool pf_large_take_back(PfMemory *memory, PfSlot slot)
{
    PfRunPages pages;
    if (memory->large == NULL || !large_wants(memory, slot) ||
        !pf_image_run(memory->image, slot, &pages) || !are_alike(memory, &pages, false))
        return false;
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        pf_memory_take_back(memory, pf_run_slot(&pages, i));
    memory->large->stats.taken_back++;
    pf_large_note(memory, slot);
    return true;
}

bool pf_large_copies(const PfMemory *memory, PfSlot slot)
{
    PfRunPages pages;
    return memory->large != NULL && pf_image_copies_whole(memory->image) &&
           large_wants(memory, slot) && pf_image_run(memory->image, slot, &pages) &&
           are_alike(memory, &pages, true);
}

bool pf_large_copy(PfMemory *memory, PfSlot slot)
{
    PfLarge *large = memory->large;
    PfRunPages pages;
    uint32_t index;
    bool found = pf_image_run(memory->image, slot, &pages);
    g_assert(found);
    if (pf_frame_pool_free(&memory->frames) < PF_LARGE_PAGES)
        return false;
    if ((pf_memory_entry(memory, slot)->flags & PF_ENTRY_LARGE) != 0)
        large_unmap(memory, slot);
    unsigned node = pf_memory_home(memory, slot);
    if (large->maps_runs && large_know_run(memory, slot, &index))
        large_keep_block(memory, index, node); /* the others have the frames of the old one */
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++) {
        large->old_frames[i] = pf_memory_entry(memory, pf_run_slot(&pages, i))->mpn;
        if (!pf_memory_map_new(memory, pf_run_slot(&pages, i)))
            return false;
    }
    large->stats.copies++;
    return true;
}

/* ---- joining ---- */

/* Moves PAGES, all open, to a new block of the run at INDEX. */
static bool move_pages(PfMemory *memory, uint32_t index, const PfRunPages *pages)
{
    PfLarge *large = memory->large;
    uint32_t old_block = large_run_at(memory, index)->block;
    if (!large_keep_block(memory, index, pf_memory_home(memory, pf_run_slot(pages, 0)))) {
        large_run_at(memory, index)->block = old_block;
        return false;
    }
    uint32_t first = large_run_at(memory, index)->block << PF_BLOCK_SHIFT;
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++) {
        PfSlot slot = pf_run_slot(pages, i);
        PfEntry *entry = pf_memory_entry(memory, slot);
        bool is_taken = pf_frame_take(&memory->frames, (PfMpn){first + i}, slot);
        g_assert(is_taken); /* there was room for all */
        pf_swap_unlink(memory, slot);
        pf_frame_unref(&memory->frames, (PfMpn){entry->mpn});
        large->old_frames[i] = entry->mpn;
        entry->mpn = first + i;
        pf_swap_link(memory, slot);
    }
    memory->changes++;
    large->stats.joined_copied++;
    return true;
}

/* Whether the run at the hand may be mapped large; its pages. */
static bool may_join(const PfMemory *memory, PfRunPages *ret_pages)
{
    const PfLargeRun *run = large_run_at(memory, memory->large->hand);
    PfSlot slot;
    return pf_image_slot(memory->image, run->context, run->first, &slot) &&
           large_is_open(memory, slot) && pf_image_run(memory->image, slot, ret_pages) &&
           large_are_open(memory, ret_pages) && are_alike(memory, ret_pages, false);
}

PfJoin pf_large_next(PfMemory *memory, PfLargeRun *ret_run)
{
    PfLarge *large = memory->large;
    PfRunPages pages;
    if (large->runs->len == 0)
        return PF_JOIN_NOTHING;
    large->hand = (large->hand + 1) % large->runs->len;
    *ret_run = *large_run_at(memory, large->hand);
    if (!may_join(memory, &pages))
        return PF_JOIN_NOTHING;
    return large_are_in_row(memory, &pages) ? PF_JOIN_DONE : PF_JOIN_COPIED;
}

bool pf_large_join(PfMemory *memory)
{
    PfRunPages pages;
    bool may = may_join(memory, &pages);
    g_assert(may);
    pf_memory_integrate(memory);
    if (!large_are_in_row(memory, &pages) && !move_pages(memory, memory->large->hand, &pages))
        return false;
    large_map(memory, &pages);
    memory->large->stats.joined++;
    return true;
}
