#include "large.h"

#include "memory.h"

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

static PfLargeRun *run_at(const PfMemory *memory, uint32_t index)
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

static bool find_run(const PfMemory *memory, PfSlot slot, uint32_t *ret_index)
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

static bool wants(const PfMemory *memory, PfSlot slot)
{
    const unsigned looked_at = PF_IMAGE_LARGE | PF_IMAGE_FILE | PF_IMAGE_SHMEM;
    return (pf_image_flags(memory->image, slot) & looked_at) == PF_IMAGE_LARGE;
}

/* The run at INDEX gets a block of NODE or, unless it is bound to that, of the nearest that has
 * one. */
static bool keep_block(PfMemory *memory, uint32_t index, unsigned node)
{
    const PfFrameRules *rules = &memory->frames.rules;
    unsigned choices = rules->placement == PF_PLACEMENT_BIND ? 1 : rules->nodes.count;
    uint32_t block;
    for (unsigned i = 0; i < choices; i++)
        if (pf_frame_keep_block(&memory->frames, rules->nodes.nearest[node][i], index, &block)) {
            run_at(memory, index)->block = block;
            memory->frames.turns++;
            return true;
        }
    memory->large->stats.without_block++;
    run_at(memory, index)->block = NO_BLOCK;
    return false;
}

/* The run of SLOT, with a block if it is new. */
static bool take_run(PfMemory *memory, PfSlot slot, unsigned node, uint32_t *ret_index)
{
    PfLarge *large = memory->large;
    PfLargeRun run = run_of(memory, slot);
    uint64_t key;
    if (find_run(memory, slot, ret_index))
        return true;
    if (!find_key(&run, &key) || !is_wanted(memory, &run))
        return false;
    *ret_index = large->runs->len;
    g_array_append_val(large->runs, run);
    pf_table_insert(&large->index, key, *ret_index);
    keep_block(memory, *ret_index, node);
    return true;
}

bool pf_large_alloc(PfMemory *memory, PfSlot slot, unsigned node, PfMpn *ret_mpn)
{
    uint32_t index;
    if (memory->large == NULL || !memory->large->maps_runs || !wants(memory, slot) ||
        !take_run(memory, slot, node, &index))
        return false;
    uint32_t block = run_at(memory, index)->block;
    if (pf_frame_block_of(&memory->frames, block, index) == NULL)
        return false;
    *ret_mpn = (PfMpn){(block << PF_BLOCK_SHIFT) + index_in_run(memory, slot)};
    return pf_frame_take(&memory->frames, *ret_mpn, slot);
}

/* The block that the frame of SLOT lies in, if that is kept for its run; else NULL. */
static const PfFrameBlock *own_block(const PfMemory *memory, PfSlot slot)
{
    uint32_t index;
    if (memory->large == NULL || !wants(memory, slot) || !find_run(memory, slot, &index))
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
static bool is_plain(const PfMemory *memory, PfSlot slot)
{
    const unsigned wanted = PF_ENTRY_PRESENT | PF_ENTRY_POPULATED;
    const unsigned unwanted = PF_ENTRY_ZERO | PF_ENTRY_FILE | PF_ENTRY_MERGED;
    const PfEntry *entry = pf_memory_entry(memory, slot);
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    return (entry->flags & (wanted | unwanted)) == wanted &&
           (frame->count & (PF_FRAME_CLAIMED | PF_FRAME_FILE)) == 0;
}

/* Whether it may be stored to, and is not mapped large. */
static bool is_open(const PfMemory *memory, PfSlot slot)
{
    unsigned flags = pf_memory_entry(memory, slot)->flags;
    return is_plain(memory, slot) &&
           (flags & (PF_ENTRY_WRITABLE | PF_ENTRY_LARGE)) == PF_ENTRY_WRITABLE;
}

static void map_large(PfMemory *memory, const PfRunPages *pages)
{
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        pf_memory_entry(memory, pf_run_slot(pages, i))->flags |= PF_ENTRY_LARGE;
    memory->large->pages += PF_LARGE_PAGES;
}

/* The frames of PAGES, all open, follow each other from the first of a block on. */
static bool are_in_row(const PfMemory *memory, const PfRunPages *pages)
{
    uint32_t first = pf_memory_entry(memory, pf_run_slot(pages, 0))->mpn;
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        if (pf_memory_entry(memory, pf_run_slot(pages, i))->mpn != first + i)
            return false;
    return first % PF_LARGE_PAGES == 0;
}

static bool are_open(const PfMemory *memory, const PfRunPages *pages)
{
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        if (!is_open(memory, pf_run_slot(pages, i)))
            return false;
    return true;
}

bool pf_large_offer(PfMemory *memory, PfSlot slot)
{
    const PfFrameBlock *block = own_block(memory, slot);
    PfRunPages pages;
    if (block == NULL || block->used_frames < PF_LARGE_PAGES ||
        !pf_image_run(memory->image, slot, &pages) || !are_open(memory, &pages) ||
        !are_in_row(memory, &pages))
        return false;
    map_large(memory, &pages);
    memory->large->stats.filled++;
    return true;
}

/* The pages of a run that is mapped large are mapped one by one. */
static void unmap_large(PfMemory *memory, PfSlot slot)
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
    unmap_large(memory, slot);
    g_array_append_val(memory->large->split, run);
}

/* Whether a page of RUN has a mapping. */
static bool is_present(const PfMemory *memory, const PfLargeRun *run)
{
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++) {
        PfSlot page;
        if (pf_image_slot(memory->image, run->context, pf_cpn_plus(run->first, i), &page) &&
            (pf_memory_entry(memory, page)->flags & PF_ENTRY_PRESENT) != 0)
            return true;
    }
    return false;
}

uint64_t pf_large_settle(PfMemory *memory)
{
    PfLarge *large = memory->large;
    uint64_t splits = 0;
    for (unsigned i = 0; large != NULL && i < large->split->len; i++)
        splits += is_present(memory, &g_array_index(large->split, PfLargeRun, i));
    if (large != NULL) {
        g_array_set_size(large->split, 0);
        large->stats.splits += splits;
    }
    return splits;
}

/* ---- stores after a fork ---- */

/* Whether the frame of SLOT is one that other pages map too (SHARED), or one that nobody else maps
 * or pins; and the policy has no part in it. See image_large.c. */
static bool is_alike(const PfMemory *memory, PfSlot slot, bool shared)
{
    const PfFrame *frame =
        pf_frame_at(&memory->frames, (PfMpn){pf_memory_entry(memory, slot)->mpn});
    if (!is_plain(memory, slot))
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
    if (memory->large == NULL || !wants(memory, slot) ||
        !pf_image_run(memory->image, slot, &pages) || !are_alike(memory, &pages, false))
        return false;
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        pf_memory_take_back(memory, pf_run_slot(&pages, i));
    memory->large->stats.taken_back++;
    return true;
}

bool pf_large_copies(const PfMemory *memory, PfSlot slot)
{
    PfRunPages pages;
    return memory->large != NULL && pf_image_copies_whole(memory->image) && wants(memory, slot) &&
           pf_image_run(memory->image, slot, &pages) && are_alike(memory, &pages, true);
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
        unmap_large(memory, slot);
    unsigned node = pf_memory_home(memory, slot);
    if (find_run(memory, slot, &index))
        keep_block(memory, index, node); /* the others have the frames of the old one */
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
    uint32_t old_block = run_at(memory, index)->block;
    if (!keep_block(memory, index, pf_memory_home(memory, pf_run_slot(pages, 0)))) {
        run_at(memory, index)->block = old_block;
        return false;
    }
    uint32_t first = run_at(memory, index)->block << PF_BLOCK_SHIFT;
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++) {
        PfSlot slot = pf_run_slot(pages, i);
        PfEntry *entry = pf_memory_entry(memory, slot);
        bool is_taken = pf_frame_take(&memory->frames, (PfMpn){first + i}, slot);
        g_assert(is_taken); /* there was room for all */
        pf_frame_unref(&memory->frames, (PfMpn){entry->mpn});
        large->old_frames[i] = entry->mpn;
        entry->mpn = first + i;
    }
    memory->changes++;
    large->stats.joined_copied++;
    return true;
}

/* Whether the run at the hand may be mapped large; its pages. */
static bool may_join(const PfMemory *memory, PfRunPages *ret_pages)
{
    const PfLargeRun *run = run_at(memory, memory->large->hand);
    PfSlot slot;
    return pf_image_slot(memory->image, run->context, run->first, &slot) &&
           is_open(memory, slot) && pf_image_run(memory->image, slot, ret_pages) &&
           are_open(memory, ret_pages) && are_alike(memory, ret_pages, false);
}

PfJoin pf_large_next(PfMemory *memory, PfLargeRun *ret_run)
{
    PfLarge *large = memory->large;
    PfRunPages pages;
    if (large->runs->len == 0)
        return PF_JOIN_NOTHING;
    large->hand = (large->hand + 1) % large->runs->len;
    *ret_run = *run_at(memory, large->hand);
    if (!may_join(memory, &pages))
        return PF_JOIN_NOTHING;
    return are_in_row(memory, &pages) ? PF_JOIN_DONE : PF_JOIN_COPIED;
}

bool pf_large_join(PfMemory *memory)
{
    PfRunPages pages;
    bool may = may_join(memory, &pages);
    g_assert(may);
    pf_memory_integrate(memory);
    if (!are_in_row(memory, &pages) && !move_pages(memory, memory->large->hand, &pages))
        return false;
    map_large(memory, &pages);
    memory->large->stats.joined++;
    return true;
}
