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

/* PAGE's mapping goes over to FRAME. */
static void remap(PfMemory *memory, PfSlot page, PfMpn frame, unsigned flags)
{
    PfEntry *entry = pf_memory_entry(memory, page);
    PfEntry left = *entry;
    pf_memory_integrate(memory);
    pf_frame_ref(&memory->frames, frame);
    pf_frame_unref(&memory->frames, (PfMpn){entry->mpn});
    unsigned was_zero = entry->flags & PF_ENTRY_ZERO_MERGED;
    entry->mpn = frame.number;
    entry->flags &= PF_ENTRY_OF_PAGE | PF_ENTRY_BUS_WRITABLE;
    entry->flags |= PF_ENTRY_PRESENT | PF_ENTRY_MERGED | flags;
    pf_bus_map(memory, page);
    int change = ((entry->flags & PF_ENTRY_ZERO_MERGED) != 0) - (was_zero != 0);
    if (change != 0)
        pf_memory_count_merged_zero(memory, page, change);
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

PfShareResult pf_share_merge(PfMemory *memory, PfSlot page, PfSlot keeper, bool lossy)
{
    PfEntry *kept = pf_memory_entry(memory, keeper);
    if (!is_present(memory, keeper))
        return PF_SHARE_BUSY;
    if (!pf_share_possible(memory, keeper))
        return PF_SHARE_REFUSED;
    PfMpn frame = {kept->mpn};
    PfShareResult result = may_merge(memory, page, frame, lossy);
    if (result != PF_SHARE_DONE)
        return result;
    bool zero = (kept->flags & PF_ENTRY_ZERO) != 0;
    if (!zero)
        pf_memory_freeze(memory, frame);
    kept->flags &= ~(unsigned)(PF_ENTRY_WRITABLE | PF_ENTRY_EXCLUSIVE);
    kept->flags |= PF_ENTRY_MERGED;
    pf_journal_keep(memory, frame, keeper);
    remap(memory, page, frame, zero ? zero_flags : PF_ENTRY_SHARING);
    return PF_SHARE_DONE;
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
    if (*ret_copied) {
        PfMpn copy;
        pf_memory_integrate(memory);
        if (!pf_frame_alloc(&memory->frames, page, pf_memory_home(memory, page), &copy))
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

PfShareResult pf_share_map_zero(PfMemory *memory, PfSlot page)
{
    return pf_share_merge_frame(memory, page, PF_ZERO_FRAME, false);
}
