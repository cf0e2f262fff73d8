/* Checks on a run's memory: against the image, and of its own books. */
#include "memory.h"

bool pf_memory_verify_page(PfMemory *memory, PfSlot slot)
{
    const PfEntry *entry = pf_memory_entry(memory, slot);
    bool given_back = (entry->flags & PF_ENTRY_GIVEN_BACK) != 0;
    if ((entry->flags & (PF_ENTRY_PRESENT | PF_ENTRY_SWAPPED)) == 0 && !given_back)
        return true;
    PfContent held;
    PfContent wanted;
    PfMpn frame = given_back ? PF_ZERO_FRAME : (PfMpn){entry->mpn};
    bool held_known = pf_memory_frame_content(memory, frame, &held);
    bool wanted_known =
        pf_image_content(memory->image, &memory->reader, slot, memory->position, &wanted);
    bool equal = held_known == wanted_known;
    if (held_known && wanted_known)
        equal = pf_content_equal(held, wanted);
    if (held_known)
        pf_content_unref(memory->frames.store, held);
    if (wanted_known)
        pf_content_unref(memory->frames.store, wanted);
    return equal;
}

/* What a recount from the entries finds. */
typedef struct {
    uint32_t *refs;
    uint64_t populated;
    uint64_t eligible;
} Recount;

static void recount_page(const PfMemory *memory, Recount *recount, PfSlot slot)
{
    const PfEntry *entry = pf_memory_entry(memory, slot);
    recount->populated += (entry->flags & PF_ENTRY_POPULATED) != 0;
    recount->eligible += (entry->flags & PF_ENTRY_ELIGIBLE) != 0;
    bool is_out = (entry->flags & PF_ENTRY_SWAPPED) != 0;
    if ((entry->flags & PF_ENTRY_PRESENT) == 0 && !is_out)
        return;
    g_assert((entry->flags & PF_ENTRY_GIVEN_BACK) == 0);
    g_assert(!is_out || (entry->flags & PF_ENTRY_PRESENT) == 0);
    g_assert(is_out == pf_frame_is_out(&memory->frames, (PfMpn){entry->mpn}));
    g_assert(entry->mpn < memory->frames.limit);
    g_assert(((entry->flags & PF_ENTRY_ZERO) != 0) == (entry->mpn == 0));
    recount->refs[entry->mpn]++;
    bool writable = (entry->flags & PF_ENTRY_WRITABLE) != 0;
    if (!writable || (entry->flags & PF_ENTRY_FILE) != 0)
        return;
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    g_assert(pf_frame_refs(frame) == 1);
    g_assert(frame->holds == (PF_FRAME_LIVE | slot.index));
}

/* Runs are mapped large as a whole or not at all. */
static void check_large(const PfMemory *memory)
{
    uint64_t pages = 0;
    for (uint64_t i = 0; memory->large != NULL && i < memory->entry_limit; i++) {
        PfSlot slot = {(uint32_t)i};
        const PfEntry *entry = pf_memory_entry(memory, slot);
        if ((entry->flags & PF_ENTRY_LARGE) == 0)
            continue;
        const PfLeaf *leaf = pf_image_leaf_of(memory->image, slot);
        PfCpn page = pf_leaf_page(leaf, slot.index % PF_LEAF_PAGES);
        uint32_t index = page.number % PF_LARGE_PAGES;
        PfSlot first;
        bool found = pf_image_slot(memory->image, leaf->context,
                                   (PfCpn){page.number - index}, &first);
        g_assert(found && (entry->flags & PF_ENTRY_PRESENT) != 0);
        const PfEntry *head = pf_memory_entry(memory, first);
        unsigned differs = (head->flags ^ entry->flags) & (PF_ENTRY_LARGE | PF_ENTRY_WRITABLE);
        g_assert(differs == 0);
        g_assert(head->mpn % PF_LARGE_PAGES == 0 && entry->mpn == head->mpn + index);
        pages++;
    }
    g_assert(memory->large == NULL || pages == memory->large->pages);
    g_assert(pages % PF_LARGE_PAGES == 0);
}

void pf_memory_check(const PfMemory *memory)
{
    Recount recount = {.refs = g_new0(uint32_t, memory->frames.limit)};
    uint32_t contexts = pf_image_context_count(memory->image);
    for (uint32_t context = 0; context < contexts; context++) {
        PfCpn page = {0};
        const PfLeaf *leaf;
        while ((leaf = pf_image_leaf_from(memory->image, context, page)) != NULL) {
            for (unsigned i = 0; i < PF_LEAF_PAGES; i++)
                recount_page(memory, &recount, pf_leaf_slot(leaf, i));
            page = pf_cpn_plus(pf_leaf_page(leaf, 0), PF_LEAF_PAGES);
        }
    }
    uint64_t used = 0;
    uint64_t sharings = 0;
    for (uint32_t i = 0; i < memory->frames.limit; i++) {
        const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){i});
        g_assert(pf_frame_refs(frame) == recount.refs[i]);
        if (i < memory->journal.frames.count) {
            const PfJournalFrame *record = pf_seg_array_at(&memory->journal.frames, i);
            g_assert(record->sharings <= recount.refs[i]);
            sharings += record->sharings;
        }
        bool is_used = recount.refs[i] > 0 || (frame->count & PF_FRAME_PINNED) != 0;
        used += is_used && !pf_frame_is_out(&memory->frames, (PfMpn){i});
    }
    g_free(recount.refs);
    const PfJournal *journal = &memory->journal;
    g_assert(sharings == journal->made - journal->broken - journal->ended);
    g_assert(used == memory->frames.used_frames);
    pf_frame_pool_check(&memory->frames);
    pf_bus_check(memory);
    check_large(memory);
    pf_swap_check(memory);
    g_assert(recount.populated == memory->populated_pages);
    g_assert(recount.eligible == memory->eligible_pages);
}
