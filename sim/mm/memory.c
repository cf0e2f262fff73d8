#include "memory.h"

void pf_memory_init(PfMemory *memory, PfImage *image, const PfFrameRules *rules, PfScope scope,
                    const uint64_t *now_cycles)
{
    *memory = (PfMemory){.image = image, .scope = scope, .now_cycles = now_cycles};
    pf_frame_pool_init(&memory->frames, pf_image_store(image), rules);
    pf_seg_array_init(&memory->entries, sizeof(PfEntry));
    memory->pins = g_array_new(FALSE, FALSE, sizeof(PfPin));
    memory->homes = g_array_new(FALSE, TRUE, sizeof(uint8_t));
    memory->present_pages = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    memory->merged_zeros = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    pf_journal_init(&memory->journal);
    pf_image_reader_init(&memory->reader, image);
}

void pf_memory_clear(PfMemory *memory)
{
    pf_frame_pool_clear(&memory->frames);
    pf_seg_array_clear(&memory->entries);
    g_clear_pointer(&memory->pins, g_array_unref);
    g_clear_pointer(&memory->garbage, g_array_unref);
    g_clear_pointer(&memory->homes, g_array_unref);
    g_clear_pointer(&memory->present_pages, g_array_unref);
    g_clear_pointer(&memory->merged_zeros, g_array_unref);
    pf_journal_clear(&memory->journal);
    pf_image_reader_clear(&memory->reader);
    pf_bus_close(memory);
    pf_large_close(memory);
    pf_swap_close(memory);
}

void pf_memory_sync(PfMemory *memory)
{
    memory->past_events += memory->position;
    memory->position = 0;
    memory->entry_limit = pf_image_slot_limit(memory->image);
    pf_seg_array_reserve(&memory->entries, memory->entry_limit);
    pf_bus_sync(memory);
    pf_swap_sync(memory);
    g_array_set_size(memory->present_pages, pf_image_context_count(memory->image));
    g_array_set_size(memory->merged_zeros, pf_image_context_count(memory->image));
}

uint64_t pf_memory_present_pages(const PfMemory *memory, uint32_t context)
{
    return context < memory->present_pages->len
               ? g_array_index(memory->present_pages, uint64_t, context)
               : 0;
}

void pf_memory_count_present(PfMemory *memory, PfSlot slot, int change)
{
    uint32_t context = pf_image_leaf_of(memory->image, slot)->context;
    g_array_index(memory->present_pages, uint64_t, context) += (uint64_t)(int64_t)change;
}

uint64_t pf_memory_merged_zeros(const PfMemory *memory, uint32_t context)
{
    return context < memory->merged_zeros->len
               ? g_array_index(memory->merged_zeros, uint64_t, context)
               : 0;
}

void pf_memory_count_merged_zero(PfMemory *memory, PfSlot slot, int change)
{
    uint32_t context = pf_image_leaf_of(memory->image, slot)->context;
    g_array_index(memory->merged_zeros, uint64_t, context) += (uint64_t)(int64_t)change;
    memory->merged_zeros_total += (uint64_t)(int64_t)change;
}

void pf_memory_integrate(PfMemory *memory)
{
    uint64_t now = *memory->now_cycles;
    if (now <= memory->integrated_to_cycles)
        return;
    int64_t saved = (int64_t)memory->baseline_frames - (int64_t)memory->frames.used_frames -
                    (int64_t)memory->frames.out_frames;
    memory->saved_page_cycles += saved * (int64_t)(now - memory->integrated_to_cycles);
    memory->integrated_to_cycles = now;
}

void pf_memory_set_baseline(PfMemory *memory, uint64_t frames)
{
    if (frames == memory->baseline_frames)
        return;
    pf_memory_integrate(memory);
    memory->baseline_frames = frames;
}

static bool in_scope(const PfMemory *memory, PfSlot slot, const PfEntry *entry)
{
    if (memory->scope == PF_SCOPE_ALL)
        return true;
    if ((entry->flags & PF_ENTRY_FILE) != 0)
        return false;
    return memory->scope == PF_SCOPE_ANON ||
           (pf_image_flags(memory->image, slot) & PF_IMAGE_MERGEABLE) != 0;
}

void pf_memory_update_eligible(PfMemory *memory, PfSlot slot)
{
    PfEntry *entry = pf_memory_entry(memory, slot);
    bool is = (entry->flags & PF_ENTRY_POPULATED) != 0 && in_scope(memory, slot, entry);
    bool was = (entry->flags & PF_ENTRY_ELIGIBLE) != 0;
    if (is == was)
        return;
    entry->flags ^= PF_ENTRY_ELIGIBLE;
    memory->eligible_pages += is ? 1U : UINT64_MAX;
}

void pf_memory_populate(PfMemory *memory, PfSlot slot)
{
    PfEntry *entry = pf_memory_entry(memory, slot);
    if ((entry->flags & PF_ENTRY_POPULATED) == 0) {
        entry->flags |= PF_ENTRY_POPULATED;
        memory->populated_pages++;
    }
    pf_memory_update_eligible(memory, slot);
}

/* Drops the mapping of SLOT, keeping what its entry says of the page itself. BY_STORE: a store gets
 * another frame for it. */
static void drop_mapping(PfMemory *memory, PfSlot slot, bool by_store)
{
    pf_large_leave(memory, slot);
    PfEntry *entry = pf_memory_entry(memory, slot);
    PfEntry left = *entry;
    pf_swap_unlink(memory, slot);
    if ((entry->flags & (PF_ENTRY_PRESENT | PF_ENTRY_SWAPPED)) != 0)
        pf_frame_unref(&memory->frames, (PfMpn){entry->mpn});
    if ((entry->flags & PF_ENTRY_PRESENT) != 0)
        pf_memory_count_present(memory, slot, -1);
    if ((entry->flags & PF_ENTRY_ZERO_MERGED) != 0)
        pf_memory_count_merged_zero(memory, slot, -1);
    entry->mpn = 0;
    entry->flags &= PF_ENTRY_OF_PAGE;
    if ((left.flags & PF_ENTRY_PRESENT) != 0)
        pf_journal_leave(memory, slot, &left, by_store);
}

/* Maps the frame of the file's page OBJECT, made if nobody has mapped it yet. */
static bool map_file(PfMemory *memory, PfSlot slot, PfSlot object)
{
    PfEntry *cached = pf_memory_entry(memory, object);
    PfMpn mpn = {cached->mpn};
    uint64_t holder;
    bool alive = (cached->flags & PF_ENTRY_PRESENT) != 0 &&
                 pf_table_find(&memory->frames.file_object, mpn.number, &holder) &&
                 holder == object.index;
    if (alive) {
        pf_frame_ref(&memory->frames, mpn);
    } else {
        if (!pf_memory_alloc(memory, slot, object, &mpn))
            return false;
        pf_frame_at(&memory->frames, mpn)->count |= PF_FRAME_FILE;
        pf_table_insert(&memory->frames.file_object, mpn.number, object.index);
        *cached = (PfEntry){.mpn = mpn.number, .flags = PF_ENTRY_PRESENT};
        pf_bus_take(memory, object);
        pf_bus_map(memory, object);
    }
    pf_bus_copy(memory, object, slot);
    PfEntry *entry = pf_memory_entry(memory, slot);
    if ((entry->flags & PF_ENTRY_PRESENT) == 0)
        pf_memory_count_present(memory, slot, 1);
    entry->mpn = mpn.number;
    entry->flags |= PF_ENTRY_PRESENT | PF_ENTRY_FILE;
    pf_swap_link(memory, slot);
    return true;
}

bool pf_memory_map_new(PfMemory *memory, PfSlot slot)
{
    PfMpn mpn;
    if (!pf_memory_alloc(memory, slot, slot, &mpn))
        return false;
    PfEntry *entry = pf_memory_entry(memory, slot);
    /* The operating system has given the page memory already, and nobody else. */
    bool is_known = (entry->flags & (PF_ENTRY_BUS_WRITABLE | PF_ENTRY_GIVEN_BACK)) != 0;
    drop_mapping(memory, slot, true);
    pf_memory_count_present(memory, slot, 1);
    entry->mpn = mpn.number;
    entry->flags |= PF_ENTRY_PRESENT | PF_ENTRY_OPEN | PF_ENTRY_BUS_WRITABLE;
    pf_swap_link(memory, slot);
    if (!is_known)
        pf_bus_drop(memory, slot);
    pf_bus_take(memory, slot);
    pf_bus_map(memory, slot);
    return true;
}

PfFault pf_memory_read(PfMemory *memory, PfSlot slot)
{
    PfEntry *entry = pf_memory_entry(memory, slot);
    if ((entry->flags & PF_ENTRY_PRESENT) != 0)
        return PF_FAULT_NONE;
    pf_memory_integrate(memory);
    if ((entry->flags & PF_ENTRY_GIVEN_BACK) != 0)
        return pf_memory_map_new(memory, slot) ? PF_FAULT_FIRST : PF_FAULT_NO_MEMORY;
    PfSlot object = pf_image_object(memory->image, slot);
    if (!pf_slot_equal(object, slot))
        return map_file(memory, slot, object) ? PF_FAULT_FILE : PF_FAULT_NO_MEMORY;
    pf_frame_ref(&memory->frames, PF_ZERO_FRAME);
    pf_memory_count_present(memory, slot, 1);
    entry->mpn = 0;
    entry->flags |= PF_ENTRY_PRESENT | PF_ENTRY_ZERO;
    return PF_FAULT_ZERO;
}

/* A store that goes to the page of a file: SLOT maps that page's frame. */
static PfStoreOutcome store_to_file(PfMemory *memory, PfSlot slot, PfSlot object)
{
    PfEntry *entry = pf_memory_entry(memory, slot);
    PfStoreOutcome outcome = {.old_frame = {entry->mpn}};
    unsigned wanted = PF_ENTRY_PRESENT | PF_ENTRY_FILE;
    if ((entry->flags & wanted) != wanted) {
        pf_memory_integrate(memory);
        outcome.was_merged = (entry->flags & PF_ENTRY_MERGED) != 0;
        drop_mapping(memory, slot, true);
        if (!map_file(memory, slot, object))
            return (PfStoreOutcome){.fault = PF_FAULT_NO_MEMORY};
        outcome.fault = PF_FAULT_FILE;
    }
    if ((pf_image_flags(memory->image, slot) & PF_IMAGE_SHMEM) != 0)
        entry->flags |= PF_ENTRY_WRITABLE | PF_ENTRY_BUS_WRITABLE;
    pf_memory_populate(memory, slot);
    return outcome;
}

/* Why a page that is not writable has to fault on a store. */
static PfFault store_fault(const PfMemory *memory, const PfEntry *entry)
{
    if ((entry->flags & PF_ENTRY_PRESENT) == 0)
        return PF_FAULT_FIRST;
    if ((entry->flags & PF_ENTRY_ZERO) != 0)
        return PF_FAULT_COPY_ZERO;
    if ((entry->flags & PF_ENTRY_FILE) != 0)
        return PF_FAULT_COPY_FILE;
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    bool exclusive = (entry->flags & PF_ENTRY_EXCLUSIVE) != 0;
    unsigned others = PF_FRAME_FILE | PF_FRAME_CLAIMED | (exclusive ? 0U : PF_FRAME_PINNED);
    bool alone = pf_frame_refs(frame) == 1 && (frame->count & others) == 0;
    return alone ? PF_FAULT_REUSE : PF_FAULT_COPY;
}

void pf_memory_take_back(PfMemory *memory, PfSlot slot)
{
    PfEntry *entry = pf_memory_entry(memory, slot);
    pf_frame_hold_slot(&memory->frames, (PfMpn){entry->mpn}, slot);
    entry->flags &= ~(unsigned)(PF_ENTRY_MERGED | PF_ENTRY_SHARING);
    entry->flags |= PF_ENTRY_OPEN | PF_ENTRY_BUS_WRITABLE;
    pf_bus_take(memory, slot);
    pf_bus_map(memory, slot);
}

/* Does what OUTCOME's fault asks for; false if there is no frame for that. */
static bool serve_fault(PfMemory *memory, PfSlot slot, PfStoreOutcome *outcome)
{
    if (outcome->fault == PF_FAULT_REUSE) {
        if (pf_large_take_back(memory, slot))
            return true;
        pf_large_leave(memory, slot);
        pf_memory_take_back(memory, slot);
        return true;
    }
    outcome->is_run = outcome->fault == PF_FAULT_COPY && pf_large_copies(memory, slot);
    if (outcome->is_run)
        return pf_large_copy(memory, slot);
    bool done = pf_memory_map_new(memory, slot);
    outcome->follows =
        done && outcome->fault == PF_FAULT_FIRST && pf_large_follows(memory, slot);
    return done;
}

PfStoreOutcome pf_memory_store(PfMemory *memory, PfSlot slot, PfSlot object)
{
    if (!pf_slot_equal(slot, object))
        return store_to_file(memory, slot, object);
    PfEntry *entry = pf_memory_entry(memory, slot);
    unsigned settled = PF_ENTRY_WRITABLE | PF_ENTRY_POPULATED;
    if ((entry->flags & settled) == settled)
        return (PfStoreOutcome){.fault = PF_FAULT_NONE};
    bool claimed =
        (pf_frame_at(&memory->frames, (PfMpn){entry->mpn})->count & PF_FRAME_CLAIMED) != 0;
    PfStoreOutcome outcome = {.fault = store_fault(memory, entry),
                              .was_merged = claimed || (entry->flags & PF_ENTRY_MERGED) != 0,
                              .was_given_back = (entry->flags & PF_ENTRY_GIVEN_BACK) != 0,
                              .was_claimed = claimed,
                              .was_exclusive = (entry->flags & PF_ENTRY_EXCLUSIVE) != 0,
                              .by_controller =
                                  memory->bus != NULL &&
                                  (entry->flags & PF_ENTRY_BUS_WRITABLE) != 0,
                              .old_frame = {entry->mpn},
                              .old_page = pf_bus_translation(memory, slot)};
    pf_memory_integrate(memory);
    if (!serve_fault(memory, slot, &outcome))
        return (PfStoreOutcome){.fault = PF_FAULT_NO_MEMORY};
    pf_memory_populate(memory, slot);
    outcome.is_filled = pf_large_offer(memory, slot);
    return outcome;
}

void pf_memory_give_back(PfMemory *memory, PfSlot slot)
{
    pf_memory_integrate(memory);
    PfEntry *entry = pf_memory_entry(memory, slot);
    unsigned kept = entry->flags & PF_ENTRY_BUS_WRITABLE;
    drop_mapping(memory, slot, false);
    entry->flags |= PF_ENTRY_GIVEN_BACK | kept;
}

void pf_memory_unmap(PfMemory *memory, PfSlot slot)
{
    PfEntry *entry = pf_memory_entry(memory, slot);
    pf_memory_integrate(memory);
    drop_mapping(memory, slot, false);
    memory->populated_pages -= (entry->flags & PF_ENTRY_POPULATED) != 0;
    memory->eligible_pages -= (entry->flags & PF_ENTRY_ELIGIBLE) != 0;
    *entry = (PfEntry){.mpn = 0, .flags = 0};
    pf_bus_drop(memory, slot);
}

void pf_memory_share(PfMemory *memory, PfSlot source, PfSlot target)
{
    PfEntry *from = pf_memory_entry(memory, source);
    PfEntry *to = pf_memory_entry(memory, target);
    g_assert((to->flags & PF_ENTRY_PRESENT) == 0);
    pf_memory_integrate(memory);
    if ((from->flags & (PF_ENTRY_PRESENT | PF_ENTRY_SWAPPED)) != 0) {
        PfMpn mpn = {from->mpn};
        unsigned own = PF_ENTRY_ZERO | PF_ENTRY_FILE;
        if ((from->flags & own) == 0) {
            pf_memory_freeze(memory, mpn);
            from->flags &= ~(unsigned)(PF_ENTRY_WRITABLE | PF_ENTRY_EXCLUSIVE |
                                       PF_ENTRY_BUS_WRITABLE);
        }
        pf_frame_ref(&memory->frames, mpn);
        unsigned kept = PF_ENTRY_PRESENT | PF_ENTRY_ZERO | PF_ENTRY_FILE | PF_ENTRY_MERGED |
                        PF_ENTRY_SHARING | PF_ENTRY_DIRTY | PF_ENTRY_ZERO_MERGED |
                        PF_ENTRY_LARGE | PF_ENTRY_SWAPPED;
        if ((from->flags & PF_ENTRY_FILE) != 0 &&
            (pf_image_flags(memory->image, target) & PF_IMAGE_SHMEM) != 0)
            kept |= PF_ENTRY_WRITABLE | PF_ENTRY_BUS_WRITABLE;
        if ((from->flags & PF_ENTRY_PRESENT) != 0)
            pf_memory_count_present(memory, target, 1);
        to->mpn = mpn.number;
        to->flags |= from->flags & kept;
        if ((to->flags & PF_ENTRY_LARGE) != 0)
            memory->large->pages++;
        pf_swap_link(memory, target);
        pf_journal_copy(memory, source, target);
        if ((to->flags & PF_ENTRY_ZERO_MERGED) != 0)
            pf_memory_count_merged_zero(memory, target, 1);
    }
    to->flags |= from->flags & PF_ENTRY_GIVEN_BACK;
    if ((from->flags & PF_ENTRY_GIVEN_BACK) != 0)
        from->flags &= ~(unsigned)PF_ENTRY_BUS_WRITABLE;
    pf_bus_copy(memory, source, target);
    if ((from->flags & PF_ENTRY_POPULATED) != 0)
        pf_memory_populate(memory, target);
}

void pf_memory_move(PfMemory *memory, PfSlot source, PfSlot target)
{
    PfEntry *from = pf_memory_entry(memory, source);
    PfEntry *to = pf_memory_entry(memory, target);
    g_assert((to->flags & PF_ENTRY_PRESENT) == 0);
    pf_large_leave(memory, source);
    pf_swap_unlink(memory, source);
    *to = *from;
    pf_swap_link(memory, target);
    pf_journal_copy(memory, source, target);
    pf_bus_copy(memory, source, target);
    pf_bus_drop(memory, source);
    *from = (PfEntry){.mpn = 0, .flags = 0};
    if ((to->flags & (PF_ENTRY_PRESENT | PF_ENTRY_SWAPPED)) != 0 &&
        pf_frame_at(&memory->frames, (PfMpn){to->mpn})->holds == (PF_FRAME_LIVE | source.index))
        pf_frame_hold_slot(&memory->frames, (PfMpn){to->mpn}, target);
    pf_large_note(memory, target);
}

uint64_t pf_memory_bytes(const PfMemory *memory)
{
    return memory->entry_limit * sizeof(PfEntry) + pf_frame_pool_bytes(&memory->frames) +
           pf_seg_array_bytes(&memory->journal.starts) +
           pf_seg_array_bytes(&memory->journal.frames) +
           pf_seg_array_bytes(&memory->journal.mappers) + pf_large_bytes(memory);
}
