/* The services of policy.h that are free of charge: bookkeeping. */
#include "host.h"
#include "host_classes.h"
#include "host_large.h"

/* ---- free of charge ---- */

bool pf_host_slot(const PfHost *host, PfPage page, PfSlot *ret_slot)
{
    const PfImage *image = host->base.memory->image;
    return page.context < pf_image_context_count(image) &&
           pf_image_slot(image, page.context, page.cpn, ret_slot);
}

bool pf_host_present_slot(const PfHost *host, PfPage page, PfSlot *ret_slot)
{
    return pf_host_slot(host, page, ret_slot) &&
           (pf_memory_entry(host->base.memory, *ret_slot)->flags & PF_ENTRY_PRESENT) != 0;
}

uint64_t pf_host_now(const PfHost *host)
{
    return MAX(host->place->core->now_cycles, host->wake_cycles);
}

uint64_t pf_host_cycles(const PfHost *host, uint64_t picoseconds)
{
    uint64_t cycles = pf_cycles_from_ps(picoseconds, host->base.clock_hz);
    if (cycles == 0 || host->base.dilation == 1.0)
        return cycles;
    /* A sleep without end, which leaves room for the time at which it begins. */
    const double most = 0x1p62;
    double scaled = (double)cycles / host->base.dilation;
    return scaled < 1.0 ? 1 : (uint64_t)MIN(scaled, most);
}

void pf_host_wake_at(PfHost *host, uint64_t cycle)
{
    host->wake_at_cycles = cycle;
    *host->base.due_cycles = MIN(*host->base.due_cycles, cycle);
}

static bool in_scope(const PfHost *host, unsigned flags)
{
    switch ((PfScope)host->setup->common.scope) {
    case PF_SCOPE_ALL:
        return true;
    case PF_SCOPE_ANON:
        return (flags & PF_FLAG_ANON) != 0;
    case PF_SCOPE_MERGEABLE:
        return (flags & PF_FLAG_ANON) != 0 && (flags & PF_FLAG_MERGEABLE) != 0;
    }
    return false;
}

/* What is known of PAGE, which is at SLOT and present. */
static unsigned look_at(const PfHost *host, PfPage page, PfSlot slot, PfMpn *ret_frame)
{
    const PfMemory *memory = host->base.memory;
    const PfEntry *entry = pf_memory_entry(memory, slot);
    *ret_frame = (PfMpn){entry->mpn};
    pf_host_note_class(host, page, *ret_frame);
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    unsigned image = pf_image_flags(memory->image, slot);
    unsigned flags = PF_FLAG_PRESENT;
    flags |= pf_frame_refs(frame) > 1 ? PF_FLAG_SHARED : 0U;
    flags |= (entry->flags & PF_ENTRY_WRITABLE) != 0 ? PF_FLAG_WRITABLE : 0U;
    flags |= (entry->flags & PF_ENTRY_ZERO) != 0 ? PF_FLAG_ZERO : 0U;
    flags |= (entry->flags & PF_ENTRY_FILE) != 0 ? PF_FLAG_FILE : PF_FLAG_ANON;
    flags |= (entry->flags & PF_ENTRY_MERGED) != 0 ? PF_FLAG_MERGED : 0U;
    flags |= (image & PF_IMAGE_MERGEABLE) != 0 ? PF_FLAG_MERGEABLE : 0U;
    flags |= (frame->count & PF_FRAME_PINNED) != 0 ? PF_FLAG_PINNED : 0U;
    flags |= (image & PF_IMAGE_LOCKED) != 0 ? PF_FLAG_LOCKED : 0U;
    flags |= (image & PF_IMAGE_EXECUTED) != 0 ? PF_FLAG_EXECUTED : 0U;
    flags |= (image & PF_IMAGE_READONLY) != 0 ? PF_FLAG_READONLY : 0U;
    flags |= (entry->flags & PF_ENTRY_OPEN) != 0 ? PF_FLAG_OPEN : 0U;
    flags |= in_scope(host, flags) ? PF_FLAG_IN_SCOPE : 0U;
    return flags;
}

unsigned pf_host_look(const PfHost *host, PfPage page, PfMpn *ret_frame)
{
    PfSlot slot;
    return pf_host_present_slot(host, page, &slot) ? look_at(host, page, slot, ret_frame) : 0;
}

unsigned pf_host_flags(const PfHost *host, PfPage page)
{
    PfMpn frame;
    return pf_host_look(host, page, &frame);
}

uint64_t pf_host_changes(const PfHost *host)
{
    return host->base.memory->changes;
}

bool pf_host_frame(const PfHost *host, PfPage page, PfMpn *ret_frame)
{
    PfSlot slot;
    if (!pf_host_present_slot(host, page, &slot))
        return false;
    *ret_frame = (PfMpn){pf_memory_entry(host->base.memory, slot)->mpn};
    pf_host_note_class(host, page, *ret_frame);
    return true;
}

uint64_t pf_host_frame_refs(const PfHost *host, PfMpn frame)
{
    if (frame.number >= host->base.memory->frames.limit)
        return 0;
    return pf_frame_refs(pf_frame_at(&host->base.memory->frames, frame));
}

bool pf_host_admits(PfHost *host, PfPage page)
{
    PfSlot slot;
    PfMpn frame;
    if (!pf_host_present_slot(host, page, &slot))
        return false;
    unsigned flags = look_at(host, page, slot, &frame);
    bool held = (flags & PF_FLAG_PINNED) != 0 && (flags & PF_FLAG_OPEN) != 0;
    return (flags & PF_FLAG_IN_SCOPE) != 0 && !held &&
           pf_share_possible(host->base.memory, slot) && pf_host_may_split(host, slot) &&
           !pf_host_is_left_out(host, page) && !pf_host_engine_leaves_out(host, page);
}

unsigned pf_host_color(const PfHost *host, PfMpn frame)
{
    return pf_color_of(&host->base.memory->frames.rules.coloring, frame);
}

unsigned pf_host_node(const PfHost *host, PfMpn frame)
{
    return pf_frame_node(&host->base.memory->frames, frame);
}

uint32_t pf_host_frame_tag(const PfHost *host, PfMpn frame)
{
    return pf_frame_tag(&host->base.memory->frames, frame);
}

bool pf_host_next_region(const PfHost *host, PfPage from, PfPage *ret_first, PfCpn *ret_end)
{
    const PfImage *image = host->base.memory->image;
    if (from.context >= pf_image_context_count(image))
        return false;
    const PfRegionList *regions = &pf_image_context(image, from.context)->regions;
    bool mergeable = host->setup->common.scope == PF_SCOPE_MERGEABLE;
    for (unsigned i = pf_region_list_lower(regions, from.cpn); i < pf_region_list_count(regions);
         i++) {
        const PfRegion *region = pf_region_list_at(regions, i);
        if ((region->flags & PF_IMAGE_SHMEM) != 0 ||
            (mergeable && (region->flags & PF_IMAGE_MERGEABLE) == 0))
            continue;
        *ret_first = (PfPage){from.context, {MAX(from.cpn.number, region->first.number)}};
        *ret_end = region->end;
        return true;
    }
    return false;
}

uint64_t pf_host_merged_zeros(const PfHost *host, uint32_t context)
{
    const PfMemory *memory = host->base.memory;
    return context == UINT32_MAX ? memory->merged_zeros_total
                                 : pf_memory_merged_zeros(memory, context);
}

uint64_t pf_host_spent(const PfHost *host)
{
    return host->base.work->ledger->payer_cycles[PF_PAYER_POLICY];
}

bool pf_host_cursor_next(const PfHost *host, PfPage page, PfPage *ret_page)
{
    const PfMemory *memory = host->base.memory;
    uint32_t contexts = pf_image_context_count(memory->image);
    PfCpn from = page.cpn;
    for (uint32_t context = page.context; context < contexts; context++) {
        /* Mostly the next page lies in the leaf of this one, which is found without the index. */
        const PfLeaf *leaf = pf_image_leaf(memory->image, context, from);
        while (leaf != NULL || (leaf = pf_image_leaf_from(memory->image, context, from)) != NULL) {
            uint64_t base = pf_leaf_page(leaf, 0).number;
            unsigned first = from.number > base ? (unsigned)(from.number - base) : 0;
            for (unsigned i = first; i < PF_LEAF_PAGES; i++) {
                const PfEntry *entry = pf_memory_entry(memory, pf_leaf_slot(leaf, i));
                if ((entry->flags & PF_ENTRY_PRESENT) == 0)
                    continue;
                *ret_page = (PfPage){context, pf_leaf_page(leaf, i)};
                pf_host_attend(host, context);
                return true;
            }
            from = (PfCpn){base + PF_LEAF_PAGES};
            leaf = pf_image_leaf(memory->image, context, from);
        }
        from = (PfCpn){0};
    }
    return false;
}

uint32_t pf_host_context_count(const PfHost *host)
{
    return pf_image_context_count(host->base.memory->image);
}

uint64_t pf_host_context_pages(const PfHost *host, uint32_t context)
{
    return pf_memory_present_pages(host->base.memory, context);
}

/* Draws a leaf and a page of it until a present one is hit: every present page is equally likely.
 * After so many misses memory is so sparse that the next page from the last draw has to do. */
enum { SAMPLE_TRIES_MAX = 64 * PF_LEAF_PAGES };

bool pf_host_sample(PfHost *host, uint32_t context, PfPage *ret_page)
{
    const PfMemory *memory = host->base.memory;
    if (pf_memory_present_pages(memory, context) == 0)
        return false;
    pf_host_follow(host, context);
    uint32_t leaves = pf_image_leaf_count(memory->image, context);
    PfPage page = {context, {0}};
    for (unsigned i = 0; i < SAMPLE_TRIES_MAX; i++) {
        uint64_t draw = pf_rng_below(&host->rng, (uint64_t)leaves * PF_LEAF_PAGES);
        const PfLeaf *leaf =
            pf_image_leaf_nth(memory->image, context, (uint32_t)(draw / PF_LEAF_PAGES));
        unsigned index = draw % PF_LEAF_PAGES;
        page.cpn = pf_leaf_page(leaf, index);
        if ((pf_memory_entry(memory, pf_leaf_slot(leaf, index))->flags & PF_ENTRY_PRESENT) != 0) {
            *ret_page = page;
            return true;
        }
    }
    return pf_host_next_page(host, page, ret_page);
}

bool pf_host_next_page(PfHost *host, PfPage page, PfPage *ret_page)
{
    if (pf_memory_present_pages(host->base.memory, page.context) == 0)
        return false;
    pf_host_follow(host, page.context);
    if (pf_host_cursor_next(host, page, ret_page) && ret_page->context == page.context)
        return true;
    return pf_host_cursor_next(host, (PfPage){page.context, {0}}, ret_page);
}

bool pf_host_is_idle(const PfHost *host, uint32_t context)
{
    if (host->base.ready_cycles[context] > host->wake_cycles)
        return true;
    return *host->base.is_barrier &&
           host->base.contexts[context].core->now_cycles <= host->wake_cycles;
}

void pf_host_block(PfHost *host, uint32_t context, uint64_t until)
{
    uint64_t *ready = &host->base.ready_cycles[context];
    *ready = MAX(*ready, until);
}

bool pf_host_group(const PfHost *host, PfPage page, PfPage *ret_first, uint64_t *ret_pages)
{
    const PfImage *image = host->base.memory->image;
    const PfRegionList *regions = &pf_image_context(image, page.context)->regions;
    unsigned first = pf_region_list_lower(regions, page.cpn);
    unsigned count = pf_region_list_count(regions);
    const PfRegion *region = first < count ? pf_region_list_at(regions, first) : NULL;
    if (region == NULL || region->group == 0 || region->first.number > page.cpn.number)
        return false;
    unsigned last = first;
    uint64_t group = region->group;
    /* Advice and holes may have cut the region in several. */
    while (first > 0 && pf_region_list_at(regions, first - 1)->group == group)
        first--;
    while (last + 1 < count && pf_region_list_at(regions, last + 1)->group == group)
        last++;
    *ret_first = (PfPage){page.context, pf_region_list_at(regions, first)->first};
    *ret_pages = pf_region_list_at(regions, last)->end.number - ret_first->cpn.number;
    return true;
}

const char *pf_host_context_name(const PfHost *host, uint32_t context)
{
    return pf_image_context(host->base.memory->image, context)->name;
}

const char *pf_host_label(const PfHost *host, uint32_t context)
{
    const char *label = pf_image_context(host->base.memory->image, context)->label;
    return label != NULL ? label : "";
}

uint64_t pf_host_machine_hz(const PfHost *host)
{
    return host->base.clock_hz * host->base.core_count;
}

PfRng *pf_host_rng(PfHost *host)
{
    return &host->rng;
}

uint64_t pf_host_frame_capacity(const PfHost *host)
{
    const PfFramePool *pool = &host->base.memory->frames;
    uint64_t capacity = pf_frame_pool_capacity(pool);
    return capacity != 0 ? capacity : host->base.frame_capacity;
}

uint64_t pf_host_free_frames(const PfHost *host)
{
    return pf_frame_pool_free(&host->base.memory->frames);
}

uint32_t pf_host_page_bytes(const PfHost *host)
{
    return host->base.work->page_bytes;
}

uint64_t pf_host_distinct_contents(PfHost *host)
{
    PfMemory *memory = host->base.memory;
    g_assert((host->setup->ops->flags & PF_POLICY_BOUND) != 0);
    return pf_image_distinct(memory->image, &memory->reader, memory->position);
}

PfStatsGroup *pf_host_stats(PfHost *host)
{
    return host->group;
}

/* What cannot be found any more is not known to be the only one. */
static PfWhy weigh(const PfHost *host, PfPage page, PfWhy why)
{
    bool is_lost = host->has_lost && pf_page_equal(page, host->match_page);
    return why == PF_WHY_UNIQUE && is_lost ? PF_WHY_LIMIT : why;
}

void pf_host_note_verdict(PfHost *host, PfPage page, PfWhy why)
{
    PfSlot slot;
    if (!pf_host_present_slot(host, page, &slot))
        return;
    PfEntry *entry = pf_memory_entry(host->base.memory, slot);
    entry->flags = (entry->flags & ~(uint32_t)PF_ENTRY_WHY_MASK) |
                   ((uint32_t)weigh(host, page, why) << PF_ENTRY_WHY_SHIFT);
}

void pf_host_verdict(PfHost *host, PfPage page, PfWhy why)
{
    pf_host_tell(host, (PfStep){.kind = PF_STEP_VERDICT,
                                .page = page,
                                .number = weigh(host, page, why)});
    pf_host_note_verdict(host, page, why);
}

void pf_host_count_scanned(PfHost *host)
{
    host->stats.scanned++;
    pf_host_charge(host, PF_ACCOUNT_SCAN, host->base.work->costs->visit_cycles);
}

void pf_host_count_pass(PfHost *host)
{
    host->stats.passes++;
    pf_host_tell(host, (PfStep){.kind = PF_STEP_PASS});
}
