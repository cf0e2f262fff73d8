#include "large_internal.h"

enum { NO_BLOCK = 0 }; /* the zero frame lies there: no block is ever kept in its place */

static_assert((int)PF_BLOCK_FRAMES == (int)PF_LARGE_PAGES, "a block of frames is a run's");

/* ---- runs ---- */

void pf_large_open(PfMemory *memory)
{
    PfLarge *large = g_new0(PfLarge, 1);
    large->maps_runs = memory->bus == NULL;
    large->runs = g_array_new(FALSE, FALSE, sizeof(PfLargeRun));
    large->split = g_array_new(FALSE, FALSE, sizeof(PfLargeRun));
    pf_table_init(&large->index);
    memory->large = large;
}

void pf_large_close(PfMemory *memory)
{
    if (memory->large == NULL)
        return;
    g_array_unref(memory->large->runs);
    g_array_unref(memory->large->split);
    pf_table_clear(&memory->large->index);
    g_clear_pointer(&memory->large, g_free);
}

uint64_t pf_large_bytes(const PfMemory *memory)
{
    const PfLarge *large = memory->large;
    return large == NULL ? 0
                         : sizeof(PfLarge) + large->runs->len * sizeof(PfLargeRun) +
                               pf_table_bytes(&large->index);
}

PfLargeRun *large_run_at(const PfMemory *memory, uint32_t index)
{
    return &g_array_index(memory->large->runs, PfLargeRun, index);
}

/* The run that SLOT lies in, without a block. */
static PfLargeRun run_of(const PfMemory *memory, PfSlot slot)
{
    const PfLeaf *leaf = pf_image_leaf_of(memory->image, slot);
    uint64_t page = pf_leaf_page(leaf, 0).number;
    return (PfLargeRun){.context = leaf->context,
                        .first = {page & ~(uint64_t)(PF_LARGE_PAGES - 1)}};
}

static unsigned index_in_run(const PfMemory *memory, PfSlot slot)
{
    uint64_t page = pf_leaf_page(pf_image_leaf_of(memory->image, slot), 0).number;
    return (unsigned)((page + slot.index % PF_LEAF_PAGES) % PF_LARGE_PAGES);
}

/* Contexts and addresses beyond this have no large pages. */
enum { KEY_CONTEXT_BITS = 20 };

static bool find_key(const PfLargeRun *run, uint64_t *ret_key)
{
    uint64_t number = run->first.number >> PF_LARGE_SHIFT;
    *ret_key = number << KEY_CONTEXT_BITS | run->context;
    return run->context >> KEY_CONTEXT_BITS == 0 && number >> (64 - KEY_CONTEXT_BITS) == 0;
}

bool large_find_run(const PfMemory *memory, PfSlot slot, uint32_t *ret_index)
{
    PfLargeRun run = run_of(memory, slot);
    uint64_t key;
    uint64_t index;
    if (!find_key(&run, &key) || !pf_table_find(&memory->large->index, key, &index))
        return false;
    *ret_index = (uint32_t)index;
    return true;
}

/* Whether all pages of RUN lie in memory that wants large pages. */
static bool is_wanted(const PfMemory *memory, const PfLargeRun *run)
{
    const PfRegionList *regions = &pf_image_context(memory->image, run->context)->regions;
    uint64_t page = run->first.number;
    uint64_t end = page + PF_LARGE_PAGES;
    while (page < end) {
        const PfRegion *region = pf_region_list_find(regions, (PfCpn){page});
        if (region == NULL || region->file != 0 || (region->flags & PF_IMAGE_LARGE) == 0)
            return false;
        page = region->end.number;
    }
    return true;
}

/* ---- frames ---- */

bool large_wants(const PfMemory *memory, PfSlot slot)
{
    const unsigned looked_at = PF_IMAGE_LARGE | PF_IMAGE_FILE | PF_IMAGE_SHMEM;
    return (pf_image_flags(memory->image, slot) & looked_at) == PF_IMAGE_LARGE;
}

/* The run at INDEX gets a block of NODE or, unless it is bound to that, of the nearest that has
 * one. */
bool large_keep_block(PfMemory *memory, uint32_t index, unsigned node)
{
    const PfFrameRules *rules = &memory->frames.rules;
    unsigned choices = rules->placement == PF_PLACEMENT_BIND ? 1 : rules->nodes.count;
    uint32_t block;
    for (unsigned i = 0; i < choices; i++)
        if (pf_frame_keep_block(&memory->frames, rules->nodes.nearest[node][i], index, &block)) {
            large_run_at(memory, index)->block = block;
            memory->frames.turns++;
            return true;
        }
    memory->large->stats.without_block++;
    large_run_at(memory, index)->block = NO_BLOCK;
    return false;
}

bool large_know_run(PfMemory *memory, PfSlot slot, uint32_t *ret_index)
{
    PfLarge *large = memory->large;
    PfLargeRun run = run_of(memory, slot);
    uint64_t key;
    if (large_find_run(memory, slot, ret_index))
        return true;
    if (!find_key(&run, &key) || !is_wanted(memory, &run))
        return false;
    *ret_index = large->runs->len;
    g_array_append_val(large->runs, run);
    pf_table_insert(&large->index, key, *ret_index);
    return true;
}

void pf_large_note(PfMemory *memory, PfSlot slot)
{
    uint32_t index;
    if (memory->large != NULL && memory->large->maps_runs && large_wants(memory, slot))
        large_know_run(memory, slot, &index);
}

/* Whether a page of RUN has a mapping or, if OWN, a frame that nobody else maps. */
static bool has_page(const PfMemory *memory, const PfLargeRun *run, bool own)
{
    const unsigned looked_at = PF_ENTRY_PRESENT | (own ? PF_ENTRY_ZERO : 0U);
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++) {
        PfSlot slot;
        if (!pf_image_slot(memory->image, run->context, pf_cpn_plus(run->first, i), &slot))
            continue;
        const PfEntry *entry = pf_memory_entry(memory, slot);
        if ((entry->flags & looked_at) == PF_ENTRY_PRESENT &&
            (!own || pf_frame_refs(pf_frame_at(&memory->frames, (PfMpn){entry->mpn})) == 1))
            return true;
    }
    return false;
}

bool pf_large_alloc(PfMemory *memory, PfSlot slot, unsigned node, PfMpn *ret_mpn)
{
    uint32_t index;
    if (memory->large == NULL || !memory->large->maps_runs || !large_wants(memory, slot) ||
        !large_know_run(memory, slot, &index))
        return false;
    const PfLargeRun *run = large_run_at(memory, index);
    bool has_block = pf_frame_block_of(&memory->frames, run->block, index) != NULL;
    if (!has_block && (has_page(memory, run, true) || !large_keep_block(memory, index, node)))
        return false;
    *ret_mpn = (PfMpn){(run->block << PF_BLOCK_SHIFT) + index_in_run(memory, slot)};
    return pf_frame_take(&memory->frames, *ret_mpn, slot);
}

/* The block that the frame of SLOT lies in, if that is kept for its run; else NULL. */
static const PfFrameBlock *own_block(const PfMemory *memory, PfSlot slot)
{
    uint32_t index;
    if (memory->large == NULL || !large_wants(memory, slot) ||
        !large_find_run(memory, slot, &index))
        return NULL;
    uint32_t block = pf_memory_entry(memory, slot)->mpn >> PF_BLOCK_SHIFT;
    return pf_frame_block_of(&memory->frames, block, index);
}

bool pf_large_follows(const PfMemory *memory, PfSlot slot)
{
    const PfFrameBlock *block = own_block(memory, slot);
    return block != NULL && block->used_frames > 1;
}

/* ---- mapped large or not ---- */

/* Whether the page at SLOT has an anonymous frame, by nobody's doing but its own. */
bool large_is_plain(const PfMemory *memory, PfSlot slot)
{
    const unsigned wanted = PF_ENTRY_PRESENT | PF_ENTRY_POPULATED;
    const unsigned unwanted = PF_ENTRY_ZERO | PF_ENTRY_FILE | PF_ENTRY_MERGED;
    const PfEntry *entry = pf_memory_entry(memory, slot);
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    return (entry->flags & (wanted | unwanted)) == wanted &&
           (frame->count & (PF_FRAME_CLAIMED | PF_FRAME_FILE)) == 0;
}

/* Whether it may be stored to, and is not mapped large. */
bool large_is_open(const PfMemory *memory, PfSlot slot)
{
    unsigned flags = pf_memory_entry(memory, slot)->flags;
    return large_is_plain(memory, slot) &&
           (flags & (PF_ENTRY_WRITABLE | PF_ENTRY_LARGE)) == PF_ENTRY_WRITABLE;
}

void large_map(PfMemory *memory, const PfRunPages *pages)
{
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        pf_memory_entry(memory, pf_run_slot(pages, i))->flags |= PF_ENTRY_LARGE;
    memory->large->pages += PF_LARGE_PAGES;
}

/* The frames of PAGES, all open, follow each other from the first of a block on. */
bool large_are_in_row(const PfMemory *memory, const PfRunPages *pages)
{
    uint32_t first = pf_memory_entry(memory, pf_run_slot(pages, 0))->mpn;
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        if (pf_memory_entry(memory, pf_run_slot(pages, i))->mpn != first + i)
            return false;
    return first % PF_LARGE_PAGES == 0;
}

bool large_are_open(const PfMemory *memory, const PfRunPages *pages)
{
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        if (!large_is_open(memory, pf_run_slot(pages, i)))
            return false;
    return true;
}

bool pf_large_offer(PfMemory *memory, PfSlot slot)
{
    const PfFrameBlock *block = own_block(memory, slot);
    PfRunPages pages;
    if (block == NULL || block->used_frames < PF_LARGE_PAGES ||
        !pf_image_run(memory->image, slot, &pages) || !large_are_open(memory, &pages) ||
        !large_are_in_row(memory, &pages))
        return false;
    large_map(memory, &pages);
    memory->large->stats.filled++;
    return true;
}

/* The pages of a run that is mapped large are mapped one by one. */
void large_unmap(PfMemory *memory, PfSlot slot)
{
    PfLargeRun run = run_of(memory, slot);
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++) {
        PfSlot page;
        bool found = pf_image_slot(memory->image, run.context, pf_cpn_plus(run.first, i), &page);
        g_assert(found && (pf_memory_entry(memory, page)->flags & PF_ENTRY_LARGE) != 0);
        pf_memory_entry(memory, page)->flags &= ~(unsigned)PF_ENTRY_LARGE;
    }
    memory->large->pages -= PF_LARGE_PAGES;
}

void pf_large_split(PfMemory *memory, PfSlot slot)
{
    PfLargeRun run = run_of(memory, slot);
    large_unmap(memory, slot);
    g_array_append_val(memory->large->split, run);
}

uint64_t pf_large_settle(PfMemory *memory)
{
    PfLarge *large = memory->large;
    uint64_t splits = 0;
    for (unsigned i = 0; large != NULL && i < large->split->len; i++)
        splits += has_page(memory, &g_array_index(large->split, PfLargeRun, i), false);
    if (large != NULL) {
        g_array_set_size(large->split, 0);
        large->stats.splits += splits;
    }
    return splits;
}
