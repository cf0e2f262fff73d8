/* Records that change which pages there are and what they map. */
#include "error.h"
#include "image_internal.h"

uint32_t image_file_object(PfImage *image, uint32_t file, uint64_t file_page)
{
    /* A file has at most 2^40 pages, by PF_TRACE_RECORD_PAGES_MAX and the offsets' range. */
    PfCpn page = {((uint64_t)file << 40) | (file_page & (((uint64_t)1 << 40) - 1))};
    PfLeaf *leaf = image_make_leaf(image, image->page_cache, PAGE_CACHE_CONTEXT, page);
    if (file % 2 != 0)
        leaf->flags[page.number % PF_LEAF_PAGES] |= PF_IMAGE_SHMEM;
    return pf_leaf_slot(leaf, page.number % PF_LEAF_PAGES).index;
}

/* The number of the file that DETAIL of a `map` names. Shared memory is another thing than a file
 * of the same name. */
static uint32_t file_number(PfImage *image, const PfTraceDetail *detail)
{
    bool is_shared = detail->backing == PF_BACKING_SHMEM;
    g_autofree char *key = g_strconcat(is_shared ? "shmem=" : "file=", detail->name, NULL);
    gpointer number = g_hash_table_lookup(image->files, key);
    if (number == NULL) {
        number = GUINT_TO_POINTER(2 * (g_hash_table_size(image->files) + 1) + is_shared);
        g_ptr_array_add(image->file_names, key);
        g_hash_table_insert(image->files, g_steal_pointer(&key), number);
    }
    return GPOINTER_TO_UINT(number);
}

/* Leaves of CONTEXT in [first, end), in order; VISIT gets each page's slot. */
typedef void (*PageVisitor)(PfImage *image, PfLeaf *leaf, unsigned index, const PfRecord *record);

static void visit_pages(PfImage *image, const PfImageContext *context, PfCpn first, PfCpn end,
                        const PfRecord *record, PageVisitor visit)
{
    GTreeNode *node = g_tree_lower_bound(context->leaves->order,
                                         (gpointer)(uintptr_t)(first.number / PF_LEAF_PAGES));
    for (; node != NULL; node = g_tree_node_next(node)) {
        PfLeaf *leaf = g_tree_node_value(node);
        uint64_t base = pf_leaf_page(leaf, 0).number;
        if (base >= end.number)
            break;
        uint64_t from = MAX(base, first.number);
        uint64_t to = MIN(base + PF_LEAF_PAGES, end.number);
        for (uint64_t page = from; page < to; page++)
            visit(image, leaf, (unsigned)(page - base), record);
    }
}

/* The page is as if never touched; it stays mapped. */
static void empty_page(PfImage *image, PfLeaf *leaf, unsigned index, const PfRecord *record)
{
    (void)record;
    uint32_t slot = pf_leaf_slot(leaf, index).index;
    image_base_release(image, slot);
    image_distinct_touch(image, slot);
    if ((leaf->handle[index] & HANDLE_TAG) == HANDLE_FILE) {
        if ((leaf->flags[index] & PF_IMAGE_POPULATED) != 0)
            image_distinct_use(image, leaf->handle[index] & ~HANDLE_TAG, -1);
        leaf->handle[index] = HANDLE_CONTENT;
    }
    image_drop_bytes(image, slot);
    if ((leaf->flags[index] & PF_IMAGE_POPULATED) != 0) {
        leaf->flags[index] &= (uint16_t)~(PF_IMAGE_POPULATED | PF_IMAGE_FRESH);
        image_context(image, leaf->context)->populated_pages--;
        image->populated_pages--;
    }
}

/* Likewise, and stores go again to where those of its region go. */
static void refresh_page(PfImage *image, PfLeaf *leaf, unsigned index, const PfRecord *record)
{
    empty_page(image, leaf, index, record);
    const PfImageContext *context = image_context(image, leaf->context);
    const PfRegion *region = pf_region_list_find(&context->regions, pf_leaf_page(leaf, index));
    if (region != NULL)
        leaf->flags[index] |= region->flags & PF_IMAGE_SHMEM;
}

static void unmap_page(PfImage *image, PfLeaf *leaf, unsigned index, const PfRecord *record)
{
    empty_page(image, leaf, index, record);
    leaf->flags[index] = 0;
}

static void unmap_range(PfImage *image, PfImageContext *context, PfCpn first, uint64_t pages)
{
    PfCpn end = pf_cpn_plus(first, pages);
    visit_pages(image, context, first, end, NULL, unmap_page);
    pf_region_list_cut(&context->regions, first, end);
}

static void inherit_page(PfImage *image, PfLeaf *leaf, unsigned index, const PfRecord *record)
{
    (void)record;
    const PfImageContext *context = image_context(image, leaf->context);
    const PfRegion *region = pf_region_list_find(&context->regions, pf_leaf_page(leaf, index));
    leaf->flags[index] = region->flags;
}

static bool apply_map(PfImage *image, const PfRecord *record, PfCpn first, GError **error)
{
    (void)error;
    PfImageContext *context = image_context(image, record->context);
    const PfTraceDetail *detail = record->detail;
    unmap_range(image, context, first, record->count);
    unsigned flags = PF_IMAGE_MAPPED | image_large_flag(image, detail);
    flags |= detail->backing == PF_BACKING_FILE ? PF_IMAGE_FILE : 0U;
    flags |= detail->backing == PF_BACKING_SHMEM ? PF_IMAGE_SHMEM : 0U;
    flags |= detail->mergeable ? PF_IMAGE_MERGEABLE : 0U;
    flags |= detail->protection == PF_PROTECTION_RX ? PF_IMAGE_EXECUTED : 0U;
    PfRegion region = {.first = first,
                       .end = pf_cpn_plus(first, record->count),
                       .flags = (uint16_t)flags,
                       .group = detail->group};
    if (detail->backing != PF_BACKING_ANON) {
        region.file = file_number(image, detail);
        region.file_page = detail->number >> image->page_shift;
    }
    pf_region_list_insert(&context->regions, &region);
    visit_pages(image, context, first, region.end, record, inherit_page);
    return true;
}

/* TARGET gets what SOURCE has, copy-on-write. */
static void share_page(PfImage *image, uint32_t source, uint32_t target)
{
    image_base_share(image, source, target);
    uint32_t handle = image_shared_handle(image, source);
    *image_handle(image, target) = handle;
    PfLeaf *leaf = image_leaf_by_id(image, target / PF_LEAF_PAGES);
    if ((*image_flags(image, source) & PF_IMAGE_POPULATED) != 0) {
        *image_flags(image, target) |= PF_IMAGE_POPULATED;
        image_context(image, leaf->context)->populated_pages++;
        image->populated_pages++;
        if ((handle & HANDLE_TAG) == HANDLE_FILE)
            image_distinct_use(image, handle & ~HANDLE_TAG, 1);
    }
    image_distinct_touch(image, source);
    image_distinct_touch(image, target);
}

static bool not_mapped(const PfImage *image, uint32_t context, PfCpn page, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "alias of 0x%" G_GINT64_MODIFIER "x in context '%s', where nothing is mapped; map "
                "it first",
                pf_cpn_address(page, image->page_shift).bytes, image_context(image, context)->name);
    return false;
}

/* Whether FIRST and TARGET, both of RECORD's pages, have pages in common. */
static bool overlap(const PfRecord *record, PfCpn first, PfCpn target)
{
    uint64_t distance = first.number > target.number ? first.number - target.number
                                                     : target.number - first.number;
    return distance < record->count;
}

static bool overlaps(const PfRecord *record, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s onto itself: source and target overlap",
                pf_record_kind_name((PfRecordKind)record->kind));
    return false;
}

static bool apply_alias(PfImage *image, const PfRecord *record, PfCpn first, GError **error)
{
    PfImageContext *context = image_context(image, record->context);
    PfImageContext *other = image_context(image, record->detail->other_context);
    PfCpn source = {record->detail->other_address >> image->page_shift};
    if (other == context && !pf_cpn_equal(source, first) && overlap(record, first, source))
        return overlaps(record, error);
    for (uint64_t i = 0; i < record->count; i++) {
        PfCpn from = pf_cpn_plus(source, i);
        PfCpn to = pf_cpn_plus(first, i);
        if (pf_region_list_find(&other->regions, from) == NULL)
            return not_mapped(image, record->detail->other_context, from, error);
        if (pf_region_list_find(&context->regions, to) == NULL)
            return not_mapped(image, record->context, to, error);
        PfLeaf *from_leaf =
            image_make_leaf(image, other, record->detail->other_context, from);
        PfLeaf *to_leaf = image_make_leaf(image, context, record->context, to);
        uint32_t from_slot = pf_leaf_slot(from_leaf, from.number % PF_LEAF_PAGES).index;
        uint32_t to_slot = pf_leaf_slot(to_leaf, to.number % PF_LEAF_PAGES).index;
        if (from_slot == to_slot)
            continue;
        refresh_page(image, to_leaf, to.number % PF_LEAF_PAGES, record);
        /* Only memory that is shared on both sides is written through. */
        if (image_base_state(image, from_slot) != PF_BASE_NONE &&
            (*image_flags(image, from_slot) & PF_IMAGE_SHMEM) == 0)
            *image_flags(image, to_slot) &= (uint16_t)~PF_IMAGE_SHMEM;
        share_page(image, from_slot, to_slot);
    }
    return true;
}

static void fork_page(PfImage *image, PfLeaf *leaf, unsigned index, const PfRecord *record)
{
    if ((leaf->flags[index] & PF_IMAGE_MAPPED) == 0)
        return;
    uint32_t child = record->detail->other_context;
    PfLeaf *copy =
        image_make_leaf(image, image_context(image, child), child, pf_leaf_page(leaf, index));
    unsigned kept = leaf->flags[index] & (unsigned)(PF_IMAGE_ADVISED | PF_IMAGE_FILE |
                                                    PF_IMAGE_SHMEM | PF_IMAGE_MAPPED);
    copy->flags[index] = (uint16_t)kept;
    share_page(image, pf_leaf_slot(leaf, index).index, pf_leaf_slot(copy, index).index);
}

static PfImageContext *add_context(PfImage *image, uint32_t number, const PfTraceDetail *detail)
{
    g_assert(number == image->contexts->len);
    PfImageContext *context = image_context_new(detail->name);
    context->kind = detail->context_kind;
    context->node = detail->node;
    context->core = detail->core;
    context->label = detail->text;
    context->user = detail->user;
    context->memory_bytes = detail->number;
    g_ptr_array_add(image->contexts, context);
    return context;
}

static void apply_fork(PfImage *image, const PfRecord *record)
{
    const PfImageContext *parent = image_context(image, record->context);
    PfTraceDetail detail = {.name = record->detail->name, .context_kind = parent->kind,
                            .text = parent->label,        .user = parent->user,
                            .number = parent->memory_bytes};
    detail.node = parent->node;
    detail.core = -1;
    PfImageContext *child = add_context(image, record->detail->other_context, &detail);
    pf_region_list_copy(&child->regions, &parent->regions);
    visit_pages(image, parent, (PfCpn){0}, (PfCpn){UINT64_MAX}, record, fork_page);
}

static void move_page(PfImage *image, PfLeaf *leaf, unsigned index, const PfRecord *record)
{
    if (leaf->flags[index] == 0)
        return;
    PfCpn page = pf_leaf_page(leaf, index);
    PfCpn target = {page.number - (record->address >> image->page_shift) +
                    (record->detail->other_address >> image->page_shift)};
    PfImageContext *context = image_context(image, record->context);
    PfLeaf *there = image_make_leaf(image, context, record->context, target);
    unsigned at = target.number % PF_LEAF_PAGES;
    uint32_t source_slot = pf_leaf_slot(leaf, index).index;
    uint32_t target_slot = pf_leaf_slot(there, at).index;
    there->flags[at] = leaf->flags[index];
    image_base_move(image, source_slot, target_slot);
    there->handle[at] = leaf->handle[index];
    if ((there->handle[at] & HANDLE_TAG) == HANDLE_BYTES) {
        PageBuffer *buffer = pf_seg_array_at(&image->buffers, there->handle[at] & ~HANDLE_TAG);
        buffer->slot = target_slot;
        buffer->written = image->range_number; /* new to the slot */
    }
    leaf->handle[index] = HANDLE_CONTENT;
    leaf->flags[index] = 0;
    image_distinct_touch(image, source_slot);
    image_distinct_touch(image, target_slot);
}

/* A page that nobody ever touched has come to where a leaf is. */
static void adopt_page(PfImage *image, PfLeaf *leaf, unsigned index, const PfRecord *record)
{
    (void)record;
    const PfImageContext *context = image_context(image, leaf->context);
    const PfRegion *region = pf_region_list_find(&context->regions, pf_leaf_page(leaf, index));
    if (region != NULL && leaf->flags[index] == 0)
        leaf->flags[index] = region->flags;
}

static bool apply_remap(PfImage *image, const PfRecord *record, PfCpn first, GError **error)
{
    PfImageContext *context = image_context(image, record->context);
    PfCpn target = {record->detail->other_address >> image->page_shift};
    if (overlap(record, first, target))
        return overlaps(record, error);
    unmap_range(image, context, target, record->count);
    visit_pages(image, context, first, pf_cpn_plus(first, record->count), record, move_page);
    pf_region_list_move(&context->regions, first, record->count, target);
    visit_pages(image, context, target, pf_cpn_plus(target, record->count), record, adopt_page);
    return true;
}

static void change_flags(PfImage *image, const PfRecord *record, PfCpn first, uint16_t clear,
                         uint16_t set)
{
    PfImageContext *context = image_context(image, record->context);
    PfCpn end = pf_cpn_plus(first, record->count);
    pf_region_list_change(&context->regions, first, end, clear, set);
    GTreeNode *node = g_tree_lower_bound(context->leaves->order,
                                         (gpointer)(uintptr_t)(first.number / PF_LEAF_PAGES));
    for (; node != NULL; node = g_tree_node_next(node)) {
        PfLeaf *leaf = g_tree_node_value(node);
        uint64_t base = pf_leaf_page(leaf, 0).number;
        if (base >= end.number)
            break;
        for (unsigned i = 0; i < PF_LEAF_PAGES; i++)
            if (base + i >= first.number && base + i < end.number &&
                (leaf->flags[i] & PF_IMAGE_MAPPED) != 0)
                leaf->flags[i] = (uint16_t)((leaf->flags[i] & ~clear) | set);
    }
}

static void apply_advise(PfImage *image, const PfRecord *record, PfCpn first)
{
    FlagChange change = image_advice_change(image, record->choice);
    if ((change.clear | change.set) != 0)
        change_flags(image, record, first, change.clear, change.set);
    else if (record->choice == PF_ADVICE_DONTNEED)
        visit_pages(image, image_context(image, record->context), first,
                    pf_cpn_plus(first, record->count), record, refresh_page);
}

static void pin_pages(PfImage *image, const PfRecord *record, PfCpn first)
{
    PfImageContext *context = image_context(image, record->context);
    for (uint64_t i = 0; i < record->count; i++) {
        PfCpn page = pf_cpn_plus(first, i);
        if (pf_region_list_find(&context->regions, page) == NULL)
            continue;
        PfLeaf *leaf = image_make_leaf(image, context, record->context, page);
        unsigned index = page.number % PF_LEAF_PAGES;
        const PfRegion *region = pf_region_list_find(&context->regions, page);
        uint32_t slot = pf_leaf_slot(leaf, index).index;
        if (region->file != 0 && leaf->handle[index] == HANDLE_CONTENT &&
            image_base_state(image, slot) == PF_BASE_NONE)
            leaf->handle[index] =
                HANDLE_FILE | image_file_object(image, region->file,
                                                region->file_page + page.number -
                                                    region->first.number);
        image_base_pin(image, slot);
    }
}

static void apply_attribute(PfImage *image, const PfRecord *record, PfCpn first)
{
    static const uint16_t sets[PF_ATTRIBUTE_COUNT] = {
        [PF_ATTRIBUTE_READONLY] = PF_IMAGE_READONLY,
        [PF_ATTRIBUTE_EXECUTED] = PF_IMAGE_EXECUTED,
        [PF_ATTRIBUTE_LOCKED] = PF_IMAGE_LOCKED,
    };
    if (record->choice == PF_ATTRIBUTE_PINNED) {
        pin_pages(image, record, first);
    } else if (record->choice == PF_ATTRIBUTE_UNPINNED) {
        for (uint64_t i = 0; i < record->count; i++) {
            PfSlot slot;
            if (pf_image_slot(image, record->context, pf_cpn_plus(first, i), &slot))
                image_base_unpin(image, slot.index);
        }
    } else if (record->choice == PF_ATTRIBUTE_UNLOCKED) {
        change_flags(image, record, first, PF_IMAGE_LOCKED, 0);
    } else {
        change_flags(image, record, first, 0, sets[record->choice]);
    }
}

static void apply_exit(PfImage *image, const PfRecord *record)
{
    PfImageContext *context = image_context(image, record->context);
    image_base_unpin_all(image, record->context);
    unmap_range(image, context, (PfCpn){0}, UINT64_MAX);
    g_ptr_array_add(image->exited, context);
    context->alive = false;
}

bool image_apply_structural(PfImage *image, const PfRecord *record, GError **error)
{
    PfCpn first = pf_caddr_page((PfCaddr){record->address}, image->page_shift);
    switch ((unsigned)record->kind) {
    case PF_RECORD_CONTEXT:
        add_context(image, record->context, record->detail);
        return true;
    case PF_RECORD_MAP:
        return apply_map(image, record, first, error);
    case PF_RECORD_ALIAS:
        return apply_alias(image, record, first, error);
    case PF_RECORD_FORK:
        apply_fork(image, record);
        return true;
    case PF_RECORD_UNMAP:
        unmap_range(image, image_context(image, record->context), first, record->count);
        return true;
    case PF_RECORD_REMAP:
        return apply_remap(image, record, first, error);
    case PF_RECORD_ADVISE:
        apply_advise(image, record, first);
        return true;
    case PF_RECORD_ATTR:
        apply_attribute(image, record, first);
        return true;
    case PF_RECORD_EXIT:
        apply_exit(image, record);
        return true;
    default:
        g_assert_not_reached();
    }
}
