/* Pages, one by one: most can be told where they are; the others are made on a scratch page, whose
 * frame they get. */
#include "tell_internal.h"

static const PfRegion *region_at(const Telling *telling, Spot at)
{
    const PfImageContext *context = pf_image_context(telling->image, at.context);
    return pf_region_list_find(&context->regions, at.page);
}

bool tell_is_natural(const Telling *telling, PfSlot page)
{
    Spot at = spot_of(telling, page);
    const PfRegion *region = region_at(telling, at);
    unsigned flags = pf_image_flags(telling->image, page);
    PfSlot object;
    if (region == NULL || ((region->flags ^ flags) & PF_IMAGE_SHMEM) != 0)
        return false;
    switch (pf_image_base(telling->image, page, NULL)) {
    case PF_BASE_NONE:
    case PF_BASE_ZERO:
        return region->file == 0;
    case PF_BASE_PRIVATE:
    case PF_BASE_GROUP:
        return (flags & PF_IMAGE_SHMEM) == 0;
    case PF_BASE_FILE:
        return pf_image_file_slot(telling->image, region, at.page, &object) &&
               pf_slot_equal(object, pf_image_object(telling->image, page));
    }
    return false;
}

static bool is_populated(const Telling *telling, PfSlot slot)
{
    return (pf_image_flags(telling->image, slot) & PF_IMAGE_POPULATED) != 0;
}

/* A page of a private mapping of a file, which is not the file's any more. `state` makes it so
 * where the file has other bytes. */
static void tell_copied(Telling *telling, Spot at, PfSlot page, PfSlot object)
{
    PfContent own;
    PfContent in_file;
    PfContentStore *store = pf_image_store(telling->image);
    bool is_known = pf_image_content(telling->image, &telling->reader, page, 0, &own);
    bool differs = !is_known;
    if (is_known && is_populated(telling, object) &&
        pf_image_content(telling->image, &telling->reader, object, 0, &in_file)) {
        differs = !pf_content_equal(own, in_file);
        pf_content_unref(store, in_file);
    }
    if (is_known)
        pf_content_unref(store, own);
    if (!differs)
        tell_access(telling, at, PF_RECORD_TOUCH);
    tell_content(telling, at, page);
}

/* AT gets the frame of scratch page FROM, which is no longer needed. */
static void hand_over(Telling *telling, Spot from, Spot at)
{
    tell_alias(telling, at, from);
    tell_unmap(telling, from, 1);
}

void tell_own(Telling *telling, Spot at, PfSlot page)
{
    const PfRegion *region = region_at(telling, spot_of(telling, page));
    PfSlot object;
    if (!tell_is_natural(telling, page)) {
        static const PfTraceDetail anon = {.backing = PF_BACKING_ANON};
        PfImageGroup frame = {.pins = 0};
        Spot scratch = scratch_spot(telling, at.context, SCRATCH_FIRST);
        tell_map(telling, scratch, &anon, 1);
        tell_content(telling, scratch, page);
        hand_over(telling, scratch, at);
        /* It was never shared, and has to be its own before it is pinned. */
        if (pf_image_base(telling->image, page, &frame) == PF_BASE_GROUP && frame.is_exclusive)
            tell_access(telling, at, PF_RECORD_TOUCH);
    } else if (region->file != 0 && telling->files_are_told &&
               pf_image_file_slot(telling->image, region, spot_of(telling, page).page, &object)) {
        tell_copied(telling, at, page, object);
    } else if (region->file != 0) {
        tell_access(telling, at, PF_RECORD_TOUCH);
        tell_content(telling, at, page);
    } else {
        tell_content(telling, at, page);
    }
}

static void tell_seen(Telling *telling, Spot at, PfSlot page)
{
    /* What is pinned by this address already would be let go. */
    if (pf_table_find(&telling->crooked, page.index, NULL))
        tell_access(telling, at, PF_RECORD_READ);
    else
        tell_read(telling, at);
}

static void map_file(Telling *telling, Spot at, PfSlot object)
{
    PfImageFile file = pf_image_file(telling->image, object);
    PfTraceDetail detail = {.backing = file.is_shmem ? PF_BACKING_SHMEM : PF_BACKING_FILE,
                            .name = file.name,
                            .number = file.page << telling->page_shift};
    tell_map(telling, at, &detail, 1);
}

/* A page that shows a page of a file which its mapping is not of. */
static void tell_foreign(Telling *telling, Spot at, PfSlot page)
{
    static const PfTraceDetail anon = {.backing = PF_BACKING_ANON};
    PfSlot object = pf_image_object(telling->image, page);
    Spot first = scratch_spot(telling, at.context, SCRATCH_FIRST);
    map_file(telling, first, object);
    if (is_populated(telling, page))
        tell_content(telling, first, object);
    else
        tell_read(telling, first);
    bool writes_through = (pf_image_flags(telling->image, page) & PF_IMAGE_SHMEM) != 0;
    if (writes_through || !pf_image_file(telling->image, object).is_shmem) {
        hand_over(telling, first, at);
        return;
    }
    /* By way of a page that is not written through. */
    Spot second = scratch_spot(telling, at.context, SCRATCH_SECOND);
    tell_map(telling, second, &anon, 1);
    hand_over(telling, first, second);
    hand_over(telling, second, at);
}

/* The zero page, where memory is not anonymous. */
static void tell_foreign_zero(Telling *telling, Spot at)
{
    static const PfTraceDetail anon = {.backing = PF_BACKING_ANON};
    Spot scratch = scratch_spot(telling, at.context, SCRATCH_FIRST);
    tell_map(telling, scratch, &anon, 1);
    tell_read(telling, scratch);
    hand_over(telling, scratch, at);
}

static void tell_shared(Telling *telling, Spot at, PfSlot page, const PfImageGroup *frame)
{
    uint64_t index;
    if (pf_table_find(&telling->stand_of, frame->number, &index)) {
        const Stand *stand = &g_array_index(telling->stands, Stand, index);
        if (stand->moves)
            tell_remap(telling, stand->spot, at);
        else
            tell_alias(telling, at, stand->spot);
    } else if (pf_table_find(&telling->leaders, frame->number, &index)) {
        tell_alias(telling, at, g_array_index(telling->spots, Spot, index));
    } else {
        tell_own(telling, at, page);
        pf_table_insert(&telling->leaders, frame->number, telling->spots->len);
        g_array_append_val(telling->spots, at);
    }
}

static void tell_page(Telling *telling, PfSlot page)
{
    Spot at = spot_of(telling, page);
    PfImageGroup frame = {.maps = 0};
    bool is_natural = tell_is_natural(telling, page);
    switch (pf_image_base(telling->image, page, &frame)) {
    case PF_BASE_NONE:
        return;
    case PF_BASE_ZERO:
        if (is_natural)
            tell_seen(telling, at, page);
        else
            tell_foreign_zero(telling, at);
        return;
    case PF_BASE_PRIVATE:
        tell_own(telling, at, page);
        return;
    case PF_BASE_GROUP:
        tell_shared(telling, at, page, &frame);
        return;
    case PF_BASE_FILE:
        if (!is_natural)
            tell_foreign(telling, at, page);
        return;
    }
}

static bool shows_file(const Telling *telling, PfSlot page)
{
    return pf_image_base(telling->image, page, NULL) == PF_BASE_FILE &&
           tell_is_natural(telling, page);
}

static void note_file(Telling *telling, PfSlot page)
{
    if (shows_file(telling, page) && is_populated(telling, page))
        pf_table_insert(&telling->told_files, pf_image_object(telling->image, page).index, 1);
}

static void tell_file_page(Telling *telling, PfSlot page)
{
    if (!shows_file(telling, page))
        return;
    if (is_populated(telling, page))
        tell_content(telling, spot_of(telling, page), page);
    else
        tell_seen(telling, spot_of(telling, page), page);
}

/* A frame that was shared once is not taken back by a store while it is pinned. */
static void forget_exclusive(Telling *telling, PfSlot page)
{
    PfImageGroup frame;
    if (pf_image_base(telling->image, page, &frame) == PF_BASE_GROUP && frame.maps == 1 &&
        !frame.is_exclusive)
        tell_shared_once(telling, spot_of(telling, page));
}

static void visit_pages(Telling *telling, void (*visit)(Telling *telling, PfSlot page))
{
    for (uint32_t c = 0; c < pf_image_context_count(telling->image); c++) {
        PfCpn from = {0};
        const PfLeaf *leaf;
        while (is_kept(telling, c) &&
               (leaf = pf_image_leaf_from(telling->image, c, from)) != NULL) {
            for (unsigned i = 0; i < PF_LEAF_PAGES; i++)
                if ((leaf->flags[i] & PF_IMAGE_MAPPED) != 0)
                    visit(telling, pf_leaf_slot(leaf, i));
            from = pf_cpn_plus(pf_leaf_page(leaf, 0), PF_LEAF_PAGES);
        }
    }
}

/* Bytes of files that no page tells. */
static void tell_hidden_files(Telling *telling)
{
    uint32_t context = 0;
    uint32_t count = pf_image_context_count(telling->image);
    while (context < count &&
           !(is_kept(telling, context) && pf_image_context(telling->image, context)->alive))
        context++;
    for (uint32_t l = 0; context < count && l < pf_image_file_leaf_count(telling->image); l++) {
        const PfLeaf *leaf = pf_image_file_leaf_nth(telling->image, l);
        for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
            PfSlot object = pf_leaf_slot(leaf, i);
            if ((leaf->flags[i] & PF_IMAGE_POPULATED) == 0 ||
                pf_table_find(&telling->told_files, object.index, NULL))
                continue;
            Spot scratch = scratch_spot(telling, context, SCRATCH_FIRST);
            map_file(telling, scratch, object);
            tell_content(telling, scratch, object);
            tell_unmap(telling, scratch, 1);
        }
    }
}

void tell_pages(Telling *telling)
{
    visit_pages(telling, note_file);
    tell_hidden_files(telling);
    visit_pages(telling, tell_file_page);
    telling->files_are_told = true;
    visit_pages(telling, tell_page);
    visit_pages(telling, forget_exclusive);
    tell_flush(telling);
}
