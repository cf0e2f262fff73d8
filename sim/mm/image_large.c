/* Large pages: which memory wants them, and what `none` maps where a store meets a shared one.
 *
 * A store that takes back its frame, which nobody else maps any more, takes back those of the whole
 * run if nobody else maps them either. One that copies a frame copies all of the run, if that is
 * wished and all are shared. A run of mappings (large.c) does the same by the same rule, so that
 * the baseline is what `none` uses. */
#include "image_internal.h"

void pf_image_want_large(PfImage *image, PfLargeWish wish, bool copies_whole)
{
    image->large_wish = wish;
    image->copies_whole = copies_whole;
}

bool pf_image_copies_whole(const PfImage *image)
{
    return image->copies_whole;
}

unsigned image_large_flag(const PfImage *image, const PfTraceDetail *detail)
{
    if (detail->backing != PF_BACKING_ANON || image->large_wish == PF_LARGE_NEVER)
        return 0;
    bool is_asked = detail->huge_bytes >> image->page_shift >= PF_LARGE_PAGES;
    return is_asked || image->large_wish == PF_LARGE_ALWAYS ? PF_IMAGE_LARGE : 0;
}

FlagChange image_advice_change(const PfImage *image, unsigned advice)
{
    switch (advice) {
    case PF_ADVICE_MERGEABLE:
        return (FlagChange){.set = PF_IMAGE_MERGEABLE};
    case PF_ADVICE_UNMERGEABLE:
        return (FlagChange){.clear = PF_IMAGE_MERGEABLE};
    case PF_ADVICE_HUGE:
        return (FlagChange){.set = image->large_wish != PF_LARGE_NEVER ? PF_IMAGE_LARGE : 0};
    case PF_ADVICE_NOHUGE:
        return (FlagChange){.clear = PF_IMAGE_LARGE};
    default:
        return (FlagChange){.set = 0};
    }
}

bool pf_image_run(const PfImage *image, PfSlot slot, PfRunPages *ret_pages)
{
    const unsigned looked_at = PF_IMAGE_MAPPED | PF_IMAGE_LARGE | PF_IMAGE_FILE | PF_IMAGE_SHMEM;
    const unsigned wanted = PF_IMAGE_MAPPED | PF_IMAGE_LARGE;
    const PfLeaf *own = pf_image_leaf_of(image, slot);
    PfCpn first = {pf_leaf_page(own, 0).number & ~(uint64_t)(PF_LARGE_PAGES - 1)};
    for (unsigned i = 0; i < G_N_ELEMENTS(ret_pages->leaves); i++) {
        const PfLeaf *leaf = pf_image_leaf(image, own->context, pf_cpn_plus(first, i * 64U));
        ret_pages->leaves[i] = leaf;
        if (leaf == NULL)
            return false;
        for (unsigned j = 0; j < PF_LEAF_PAGES; j++)
            if ((leaf->flags[j] & looked_at) != wanted)
                return false;
    }
    return true;
}

/* Whether the frame of SLOT is one that other pages map too (SHARED), or one that nobody else maps
 * or pins. */
static bool is_alike(const PfImage *image, uint32_t slot, bool shared)
{
    PfBaseState state = image_base_state(image, slot);
    if (state != PF_BASE_GROUP)
        return state == PF_BASE_PRIVATE && !shared;
    const BaseGroup *group = image_base_group(image, slot);
    return shared ? group->maps > 1 : group->maps == 1 && group->pins == 0;
}

/* Whether a store to SLOT, whose frame is of a group, is one to all of its run. */
static bool concerns_run(const PfImage *image, uint32_t slot, PfRunPages *pages)
{
    const BaseGroup *group = image_base_group(image, slot);
    bool shared = group->maps > 1;
    if (group->exclusive || (shared && !image->copies_whole) ||
        !pf_image_run(image, (PfSlot){slot}, pages))
        return false;
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        if (!is_alike(image, pf_run_slot(pages, i).index, shared))
            return false;
    return true;
}

void image_base_store(PfImage *image, uint32_t slot)
{
    PfRunPages pages;
    if ((*image_flags(image, slot) & PF_IMAGE_LARGE) == 0 ||
        image_base_state(image, slot) != PF_BASE_GROUP || !concerns_run(image, slot, &pages)) {
        image_base_store_page(image, slot);
        return;
    }
    for (unsigned i = 0; i < PF_LARGE_PAGES; i++)
        image_base_store_page(image, pf_run_slot(&pages, i).index);
}
