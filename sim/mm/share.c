/* Sharing: the mechanism that policies decide over. It compares bytes itself. */
#include "memory.h"

static bool is_present(const PfMemory *memory, PfSlot slot)
{
    return (pf_memory_entry(memory, slot)->flags & PF_ENTRY_PRESENT) != 0;
}

/* A page that shows a file may be shared only once it is known what the file holds there, and that
 * nobody writes it. */
bool pf_share_possible(const PfMemory *memory, PfSlot slot)
{
    const PfEntry *entry = pf_memory_entry(memory, slot);
    if ((entry->flags & PF_ENTRY_PRESENT) == 0)
        return false;
    if ((entry->flags & PF_ENTRY_FILE) == 0)
        return (pf_image_flags(memory->image, slot) & PF_IMAGE_SHMEM) == 0;
    PfSlot object = pf_image_object(memory->image, slot);
    return (pf_image_flags(memory->image, object) & PF_IMAGE_SHMEM) == 0 &&
           (entry->flags & PF_ENTRY_POPULATED) != 0;
}

/* Who holds a pin may store through it as long as the page itself could be stored to. */
static bool is_held(const PfMemory *memory, const PfEntry *entry)
{
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    return (frame->count & PF_FRAME_PINNED) != 0 && (entry->flags & PF_ENTRY_OPEN) != 0;
}

/* Of a page that the policy maps to the zero frame. */
static const unsigned zero_flags = PF_ENTRY_SHARING | PF_ENTRY_ZERO | PF_ENTRY_ZERO_MERGED;

/* The last page that maps FRAME is leaving it: a collector frees it later, if there is one. */
static void keep_garbage(PfMemory *memory, PfMpn frame)
{
    const unsigned other = PF_FRAME_FILE | PF_FRAME_PINNED;
    const PfFrame *left = pf_frame_at(&memory->frames, frame);
    if (memory->garbage == NULL || frame.number == 0 || pf_frame_refs(left) > 1 ||
        (left->count & other) != 0)
        return;
    pf_frame_pin(&memory->frames, frame);
    g_array_append_val(memory->garbage, frame);
}

void pf_memory_collect(PfMemory *memory)
{
    pf_memory_integrate(memory);
    for (unsigned i = 0; i < memory->garbage->len; i++)
        pf_frame_unpin(&memory->frames, g_array_index(memory->garbage, PfMpn, i));
    g_array_set_size(memory->garbage, 0);
}

/* PAGE's mapping, if it has one, goes over to FRAME. */
static void remap(PfMemory *memory, PfSlot page, PfMpn frame, unsigned flags)
{
    pf_large_leave(memory, page);
    PfEntry *entry = pf_memory_entry(memory, page);
    PfEntry left = *entry;
    bool was_present = is_present(memory, page);
    bool was_out = (entry->flags & PF_ENTRY_SWAPPED) != 0;
    pf_memory_integrate(memory);
    pf_swap_unlink(memory, page);
    pf_frame_ref(&memory->frames, frame);
    if (was_present)
        keep_garbage(memory, (PfMpn){entry->mpn});
    if (was_present || was_out)
        pf_frame_unref(&memory->frames, (PfMpn){entry->mpn});
    if (!was_present)
        pf_memory_count_present(memory, page, 1);
    unsigned was_zero = entry->flags & PF_ENTRY_ZERO_MERGED;
    entry->mpn = frame.number;
    entry->flags &= PF_ENTRY_OF_PAGE | PF_ENTRY_BUS_WRITABLE;
    entry->flags |= PF_ENTRY_PRESENT | PF_ENTRY_MERGED | flags;
    pf_swap_link(memory, page);
    pf_bus_map(memory, page);
    int change = ((entry->flags & PF_ENTRY_ZERO_MERGED) != 0) - (was_zero != 0);
    if (change != 0)
        pf_memory_count_merged_zero(memory, page, change);
    if (was_present)
        pf_journal_leave(memory, page, &left, false);
    if ((flags & PF_ENTRY_SHARING) != 0)
        pf_journal_join(memory, page, frame);
}

static bool bytes_equal(PfMemory *memory, PfMpn a, PfMpn b)
{
    PfContent left;
    PfContent right;
    if (!pf_memory_frame_content(memory, a, &left))
        return false;
    bool known = pf_memory_frame_content(memory, b, &right);
    /* Contents are interned: equal bytes are one object. */
    bool equal = known && pf_content_equal(left, right);
    pf_content_unref(memory->frames.store, left);
    if (known)
        pf_content_unref(memory->frames.store, right);
    return equal;
}

static PfShareResult may_merge(PfMemory *memory, PfSlot page, PfMpn frame, bool lossy)
{
    const PfEntry *entry = pf_memory_entry(memory, page);
    if (!is_present(memory, page))
        return PF_SHARE_BUSY;
    if (entry->mpn == frame.number)
        return PF_SHARE_SAME;
    if (!pf_share_possible(memory, page))
        return PF_SHARE_REFUSED;
    if (is_held(memory, entry))
        return PF_SHARE_BUSY;
    if (!lossy && !bytes_equal(memory, (PfMpn){entry->mpn}, frame))
        return PF_SHARE_DIFFERS;
    return PF_SHARE_DONE;
}

/* PAGE maps what KEEPER maps, copy-on-write for both. */
static void join(PfMemory *memory, PfSlot page, PfSlot keeper)
{
    PfEntry *kept = pf_memory_entry(memory, keeper);
    PfMpn frame = {kept->mpn};
    bool zero = (kept->flags & PF_ENTRY_ZERO) != 0;
    if (!zero)
        pf_memory_freeze(memory, frame);
    pf_large_leave(memory, keeper);
    kept->flags &= ~(unsigned)(PF_ENTRY_WRITABLE | PF_ENTRY_EXCLUSIVE);
    kept->flags |= PF_ENTRY_MERGED;
    pf_journal_keep(memory, frame, keeper);
    remap(memory, page, frame, zero ? zero_flags : PF_ENTRY_SHARING);
}

PfShareResult pf_share_merge(PfMemory *memory, PfSlot page, PfSlot keeper, bool lossy)
{
    const PfEntry *kept = pf_memory_entry(memory, keeper);
    if (!is_present(memory, keeper))
        return PF_SHARE_BUSY;
    if (!pf_share_possible(memory, keeper))
        return PF_SHARE_REFUSED;
    PfMpn frame = {kept->mpn};
    PfShareResult result = may_merge(memory, page, frame, lossy);
    if (result == PF_SHARE_DONE)
        join(memory, page, keeper);
    return result;
}

/* Whether PAGE is to hold what FRAME holds now. */
static bool result_equal(PfMemory *memory, PfSlot page, uint32_t result, PfMpn frame)
{
    PfContent wanted;
    PfContent held;
    if (!pf_image_content(memory->image, &memory->reader, page, result, &wanted))
        return false;
    bool known = pf_memory_frame_content(memory, frame, &held);
    bool equal = known && pf_content_equal(wanted, held);
    pf_content_unref(memory->frames.store, wanted);
    if (known)
        pf_content_unref(memory->frames.store, held);
    return equal;
}

/* The operating system has seen a store to PAGE. */
static void own_bus_page(PfMemory *memory, PfSlot page)
{
    PfEntry *entry = pf_memory_entry(memory, page);
    if ((entry->flags & PF_ENTRY_BUS_WRITABLE) == 0)
        pf_bus_drop(memory, page);
    pf_bus_take(memory, page);
    entry->flags |= PF_ENTRY_BUS_WRITABLE;
}

PfShareResult pf_share_redirect(PfMemory *memory, PfSlot page, PfSlot keeper, uint32_t result,
                                bool lossy)
{
    const PfEntry *entry = pf_memory_entry(memory, page);
    PfMpn frame = {pf_memory_entry(memory, keeper)->mpn};
    bool present = is_present(memory, page);
    if (!is_present(memory, keeper) || (present && is_held(memory, entry)))
        return PF_SHARE_BUSY;
    bool is_same = present && entry->mpn == frame.number;
    /* The store would have made a page of its own out of a file's. */
    bool is_file = is_same && (entry->flags & PF_ENTRY_FILE) != 0;
    if (is_file || !pf_share_possible(memory, keeper) ||
        (present && !pf_share_possible(memory, page)))
        return PF_SHARE_REFUSED;
    if (!lossy && !result_equal(memory, page, result, frame))
        return PF_SHARE_DIFFERS;
    if (!is_same) {
        own_bus_page(memory, page);
        join(memory, page, keeper);
    }
    pf_memory_populate(memory, page);
    return is_same ? PF_SHARE_SAME : PF_SHARE_DONE;
}

/* Whether somebody may store to FRAME without a fault. */
static bool is_written(const PfMemory *memory, PfMpn frame)
{
    const PfFrame *kept = pf_frame_at(&memory->frames, frame);
    if ((kept->holds & PF_FRAME_LIVE) == 0)
        return false;
    PfSlot slot = {kept->holds & ~PF_FRAME_LIVE};
    if ((kept->count & PF_FRAME_FILE) != 0)
        return (pf_image_flags(memory->image, slot) & PF_IMAGE_SHMEM) != 0;
    return (pf_memory_entry(memory, slot)->flags & PF_ENTRY_WRITABLE) != 0;
}

PfShareResult pf_share_merge_frame(PfMemory *memory, PfSlot page, PfMpn frame, bool lossy)
{
    const PfFrame *kept = pf_frame_at(&memory->frames, frame);
    if (!pf_frame_is_used(kept) && frame.number != 0)
        return PF_SHARE_BUSY;
    if (is_present(memory, page) && pf_memory_entry(memory, page)->mpn == frame.number)
        return PF_SHARE_SAME;
    if (is_written(memory, frame))
        return PF_SHARE_REFUSED;
    PfShareResult result = may_merge(memory, page, frame, lossy);
    if (result != PF_SHARE_DONE)
        return result;
    if (frame.number != 0)
        pf_memory_freeze(memory, frame);
    remap(memory, page, frame, frame.number == 0 ? zero_flags : PF_ENTRY_SHARING);
    return PF_SHARE_DONE;
}

bool pf_share_protect(PfMemory *memory, PfSlot page)
{
    if (!pf_share_possible(memory, page))
        return false;
    pf_large_leave(memory, page);
    PfEntry *entry = pf_memory_entry(memory, page);
    entry->flags &= ~(unsigned)PF_ENTRY_WRITABLE;
    entry->flags |= PF_ENTRY_MERGED;
    return true;
}

bool pf_share_isolate(PfMemory *memory, PfSlot page)
{
    PfEntry *entry = pf_memory_entry(memory, page);
    if (!pf_share_possible(memory, page) || is_held(memory, entry))
        return false;
    pf_large_leave(memory, page);
    entry->flags &= ~(unsigned)PF_ENTRY_OPEN;
    entry->flags |= PF_ENTRY_MERGED;
    return true;
}

bool pf_share_unshare(PfMemory *memory, PfSlot page, bool *ret_copied)
{
    PfEntry *entry = pf_memory_entry(memory, page);
    if (!is_present(memory, page))
        return false;
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    bool claimed = (frame->count & PF_FRAME_CLAIMED) != 0;
    if (!claimed && (entry->flags & PF_ENTRY_MERGED) == 0)
        return false;
    *ret_copied = claimed || entry->mpn == 0 || pf_frame_refs(frame) > 1 ||
                  (frame->count & (PF_FRAME_FILE | PF_FRAME_PINNED)) != 0;
    pf_large_leave(memory, page);
    if (*ret_copied) {
        PfMpn copy;
        pf_memory_integrate(memory);
        if (!pf_memory_alloc(memory, page, page, &copy))
            return false;
        remap(memory, page, copy, 0);
        pf_frame_unref(&memory->frames, copy); /* one reference was its birth's */
    }
    entry->flags &=
        ~(unsigned)(PF_ENTRY_MERGED | PF_ENTRY_SHARING | PF_ENTRY_WRITABLE | PF_ENTRY_DIRTY);
    entry->flags |= PF_ENTRY_EXCLUSIVE;
    return true;
}

PfShareResult pf_share_give_back(PfMemory *memory, PfSlot page)
{
    const PfEntry *entry = pf_memory_entry(memory, page);
    if (!is_present(memory, page))
        return PF_SHARE_BUSY;
    PfMpn mpn = {entry->mpn};
    const PfFrame *frame = pf_frame_at(&memory->frames, mpn);
    bool is_own = mpn.number != 0 && (entry->flags & PF_ENTRY_FILE) == 0 &&
                  frame->count == 1; /* one reference, and nothing else is said of it */
    if (!pf_share_possible(memory, page) || !is_own)
        return PF_SHARE_REFUSED;
    if (!bytes_equal(memory, mpn, PF_ZERO_FRAME))
        return PF_SHARE_DIFFERS;
    pf_memory_give_back(memory, page);
    return PF_SHARE_DONE;
}
