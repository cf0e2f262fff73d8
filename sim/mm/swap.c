#include "swap.h"

#include "memory.h"

static uint32_t *next_at(const PfMemory *memory, uint32_t slot)
{
    return pf_seg_array_at(&memory->swap->next, slot);
}

static uint32_t *previous_at(const PfMemory *memory, uint32_t slot)
{
    return pf_seg_array_at(&memory->swap->previous, slot);
}

static uint32_t *first_at(const PfMemory *memory, PfMpn frame)
{
    PfSegArray *first = &memory->swap->first;
    if (frame.number >= first->count)
        pf_seg_array_reserve(first, memory->frames.limit);
    return pf_seg_array_at(first, frame.number);
}

void pf_swap_open(PfMemory *memory)
{
    g_assert(memory->frames.rules.nodes.is_limited);
    memory->swap = g_new0(PfSwap, 1);
    pf_seg_array_init(&memory->swap->next, sizeof(uint32_t));
    pf_seg_array_init(&memory->swap->previous, sizeof(uint32_t));
    pf_seg_array_init(&memory->swap->first, sizeof(uint32_t));
    pf_swap_sync(memory);
}

void pf_swap_close(PfMemory *memory)
{
    if (memory->swap == NULL)
        return;
    pf_seg_array_clear(&memory->swap->next);
    pf_seg_array_clear(&memory->swap->previous);
    pf_seg_array_clear(&memory->swap->first);
    g_clear_pointer(&memory->swap, g_free);
}

void pf_swap_sync(PfMemory *memory)
{
    if (memory->swap == NULL)
        return;
    pf_seg_array_reserve(&memory->swap->next, memory->entry_limit);
    pf_seg_array_reserve(&memory->swap->previous, memory->entry_limit);
}

/* ---- Pages of a frame ---- */

static bool is_linked(const PfEntry *entry)
{
    return entry->mpn != 0 && (entry->flags & (PF_ENTRY_PRESENT | PF_ENTRY_SWAPPED)) != 0;
}

void pf_swap_link(PfMemory *memory, PfSlot slot)
{
    if (memory->swap == NULL)
        return;
    const PfEntry *entry = pf_memory_entry(memory, slot);
    if (!is_linked(entry))
        return;
    uint32_t *first = first_at(memory, (PfMpn){entry->mpn});
    *next_at(memory, slot.index) = *first;
    *previous_at(memory, slot.index) = 0;
    if (*first != 0)
        *previous_at(memory, *first - 1) = slot.index + 1;
    *first = slot.index + 1;
    memory->swap->pages += (entry->flags & PF_ENTRY_SWAPPED) != 0;
}

void pf_swap_unlink(PfMemory *memory, PfSlot slot)
{
    if (memory->swap == NULL)
        return;
    const PfEntry *entry = pf_memory_entry(memory, slot);
    if (!is_linked(entry))
        return;
    uint32_t next = *next_at(memory, slot.index);
    uint32_t previous = *previous_at(memory, slot.index);
    if (next != 0)
        *previous_at(memory, next - 1) = previous;
    if (previous != 0)
        *next_at(memory, previous - 1) = next;
    else
        *first_at(memory, (PfMpn){entry->mpn}) = next;
    memory->swap->pages -= (entry->flags & PF_ENTRY_SWAPPED) != 0;
}

void pf_swap_pages(const PfMemory *memory, PfMpn frame, GArray *slots)
{
    unsigned begin = slots->len;
    for (uint32_t slot = *first_at(memory, frame); slot != 0; slot = *next_at(memory, slot - 1)) {
        PfSlot page = {slot - 1};
        g_array_append_val(slots, page);
    }
    for (unsigned i = begin, j = slots->len; i + 1 < j; i++) {
        PfSlot swapped = g_array_index(slots, PfSlot, i);
        g_array_index(slots, PfSlot, i) = g_array_index(slots, PfSlot, --j);
        g_array_index(slots, PfSlot, j) = swapped;
    }
}

bool pf_swap_is_out(const PfMemory *memory, PfSlot slot)
{
    const PfEntry *entry = pf_memory_entry(memory, slot);
    PfMpn frame = {entry->mpn};
    uint64_t object;
    if ((entry->flags & PF_ENTRY_SWAPPED) != 0)
        return true;
    return pf_frame_is_out(&memory->frames, frame) &&
           pf_table_find(&memory->frames.file_object, frame.number, &object) &&
           object == slot.index;
}

/* ---- The clock ---- */

/* Whether FRAME stays this time; takes the marks of accesses away. */
static bool stays(PfMemory *memory, PfMpn frame)
{
    bool is_locked = false;
    bool is_accessed = false;
    for (uint32_t slot = *first_at(memory, frame); slot != 0; slot = *next_at(memory, slot - 1)) {
        PfEntry *entry = pf_memory_entry(memory, (PfSlot){slot - 1});
        is_accessed |= (entry->flags & PF_ENTRY_ACCESSED) != 0;
        entry->flags &= ~(unsigned)PF_ENTRY_ACCESSED;
        is_locked |= (pf_image_flags(memory->image, (PfSlot){slot - 1}) & PF_IMAGE_LOCKED) != 0;
    }
    return is_locked || is_accessed;
}

static bool is_wanted(const PfMemory *memory, const PfSwapWish *wish, PfMpn frame)
{
    const PfFrame *victim = pf_frame_at(&memory->frames, frame);
    if (pf_frame_refs(victim) == 0 || (victim->count & PF_FRAME_PINNED) != 0)
        return false;
    if (wish->node >= 0 && pf_frame_node(&memory->frames, frame) != (unsigned)wish->node)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(wish->kept); i++)
        if (wish->kept[i].index != PF_NO_SLOT &&
            pf_memory_entry(memory, wish->kept[i])->mpn == frame.number)
            return false;
    return true;
}

bool pf_swap_choose(PfMemory *memory, const PfSwapWish *wish, PfMpn *ret_victim)
{
    uint32_t *hand = &memory->swap->hand;
    uint64_t frames =
        MIN(memory->frames.limit - 1, pf_frame_pool_capacity(&memory->frames));
    /* The first time round takes the marks away. */
    for (uint64_t i = 0; i < 2 * frames; i++) {
        *hand = *hand >= frames ? 1 : *hand + 1;
        if (!is_wanted(memory, wish, (PfMpn){*hand}) || stays(memory, (PfMpn){*hand}))
            continue;
        *ret_victim = (PfMpn){*hand};
        return true;
    }
    return false;
}

bool pf_swap_is_clean(const PfMemory *memory, PfMpn frame)
{
    uint64_t object;
    if (!pf_table_find(&memory->frames.file_object, frame.number, &object))
        return false;
    return (pf_image_flags(memory->image, (PfSlot){(uint32_t)object}) & PF_IMAGE_SHMEM) == 0;
}

/* ---- Out and in ---- */

/* The page of a file is wherever its frame is. */
static void follow_object(PfMemory *memory, PfMpn frame)
{
    uint64_t object;
    if (!pf_table_find(&memory->frames.file_object, frame.number, &object))
        return;
    pf_memory_entry(memory, (PfSlot){(uint32_t)object})->mpn = frame.number;
    pf_bus_map(memory, (PfSlot){(uint32_t)object});
}

void pf_swap_out(PfMemory *memory, PfMpn frame)
{
    /* What it is by the policy's doing it is no longer. */
    const unsigned kept = PF_ENTRY_OF_PAGE | PF_ENTRY_OPEN | PF_ENTRY_FILE | PF_ENTRY_BUS_WRITABLE;
    g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(PfSlot));
    pf_memory_integrate(memory);
    pf_swap_pages(memory, frame, slots);
    g_assert(slots->len == pf_frame_refs(pf_frame_at(&memory->frames, frame)));
    for (unsigned i = 0; i < slots->len; i++) {
        PfSlot slot = g_array_index(slots, PfSlot, i);
        PfEntry *entry = pf_memory_entry(memory, slot);
        pf_large_leave(memory, slot);
        PfEntry left = *entry;
        pf_swap_unlink(memory, slot);
        pf_memory_count_present(memory, slot, -1);
        pf_frame_at(&memory->frames, frame)->count -= i > 0; /* as the journal counts */
        entry->flags &= kept;
        pf_journal_leave(memory, slot, &left, false);
    }
    pf_frame_at(&memory->frames, frame)->count += slots->len - 1;
    PfMpn out = pf_frame_put_out(&memory->frames, frame);
    for (unsigned i = 0; i < slots->len; i++) {
        PfSlot slot = g_array_index(slots, PfSlot, i);
        *pf_memory_entry(memory, slot) = (PfEntry){
            .mpn = out.number, .flags = pf_memory_entry(memory, slot)->flags | PF_ENTRY_SWAPPED};
        pf_swap_link(memory, slot);
    }
    follow_object(memory, out);
}

bool pf_swap_in(PfMemory *memory, PfSlot slot, PfSlot object, PfMpn *ret_frame)
{
    PfMpn out = {pf_memory_entry(memory, object)->mpn};
    pf_memory_integrate(memory);
    memory->frames.out_frames--; /* one for the other: no more are in use at any time */
    bool found = pf_memory_alloc(memory, slot, object, ret_frame);
    memory->frames.out_frames++;
    if (!found)
        return false;
    PfMpn frame = *ret_frame;
    g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(PfSlot));
    pf_swap_pages(memory, out, slots);
    for (unsigned i = 0; i < slots->len; i++)
        pf_swap_unlink(memory, g_array_index(slots, PfSlot, i));
    pf_frame_bring_in(&memory->frames, out, frame);
    for (unsigned i = 0; i < slots->len; i++) {
        PfSlot page = g_array_index(slots, PfSlot, i);
        PfEntry *entry = pf_memory_entry(memory, page);
        entry->mpn = frame.number;
        entry->flags ^= PF_ENTRY_SWAPPED | PF_ENTRY_PRESENT;
        pf_memory_count_present(memory, page, 1);
        pf_swap_link(memory, page);
        pf_bus_map(memory, page);
    }
    follow_object(memory, frame);
    return true;
}

void pf_swap_check(const PfMemory *memory)
{
    if (memory->swap == NULL)
        return;
    uint64_t pages = 0;
    g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(PfSlot));
    for (uint32_t i = 1; i < memory->frames.limit; i++) {
        PfMpn frame = {i};
        g_array_set_size(slots, 0);
        pf_swap_pages(memory, frame, slots);
        g_assert(slots->len == pf_frame_refs(pf_frame_at(&memory->frames, frame)));
        pages += pf_frame_is_out(&memory->frames, frame) ? slots->len : 0;
        for (unsigned j = 0; j < slots->len; j++)
            g_assert(pf_memory_entry(memory, g_array_index(slots, PfSlot, j))->mpn == i);
    }
    g_assert(pages == memory->swap->pages);
}
