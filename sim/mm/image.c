#include <string.h>

#include "image_internal.h"
#include "units.h"

static_assert(sizeof(gpointer) == sizeof(uint64_t), "leaf numbers are kept in pointers");

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
    uint64_t left = (uint64_t)(uintptr_t)a;
    uint64_t right = (uint64_t)(uintptr_t)b;
    return (left > right) - (left < right);
}

PfImageContext *image_context_new(const char *name)
{
    PfImageContext *context = g_new0(PfImageContext, 1);
    context->name = g_strdup(name);
    context->alive = true;
    pf_region_list_init(&context->regions);
    context->leaves = g_new0(struct PfLeafIndex, 1);
    pf_table_init(&context->leaves->by_number);
    context->leaves->order = g_tree_new(compare_numbers);
    context->leaves->made = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return context;
}

void image_context_free(PfImageContext *context)
{
    if (context == NULL)
        return;
    pf_region_list_clear(&context->regions);
    pf_table_clear(&context->leaves->by_number);
    g_tree_unref(context->leaves->order);
    g_array_unref(context->leaves->made);
    g_free(context->leaves);
    g_free(context->name);
    g_free(context);
}

PfImage *pf_image_new(PfContentStore *store, uint32_t page_bytes)
{
    g_assert(pf_is_power_of_two(page_bytes));
    PfImage *image = g_new0(PfImage, 1);
    image->store = store;
    image->page_bytes = page_bytes;
    image->page_shift = pf_log2(page_bytes);
    image->contexts = g_ptr_array_new_with_free_func((GDestroyNotify)image_context_free);
    image->page_cache = image_context_new("page cache");
    pf_seg_array_init(&image->leaves, sizeof(PfLeaf));
    image->free_leaves = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    image->exited = g_ptr_array_new();
    image->contents = g_array_new(FALSE, FALSE, sizeof(PfContent));
    pf_table_init(&image->id_specs);
    image->ids = g_array_new(FALSE, FALSE, sizeof(PfContentSpec));
    image->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    image->file_names = g_ptr_array_new();
    pf_table_init(&image->file_pages);
    image->notes = g_new(PfNote, PF_TRACE_BLOCK_RECORDS);
    image->events = g_array_new(FALSE, FALSE, sizeof(PfEvent));
    image->last_events_mask = 1023;
    image->last_events = g_new0(LastEvent, image->last_events_mask + 1);
    pf_seg_array_init(&image->buffers, sizeof(PageBuffer));
    image->free_buffers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_mutex_init(&image->settle_lock);
    image->settle = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    pf_table_init(&image->group_of);
    image->groups = g_array_new(FALSE, TRUE, sizeof(BaseGroup));
    image->free_groups = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    image->pins = g_array_new(FALSE, FALSE, sizeof(BasePin));
    image->user_changes = g_array_new(FALSE, FALSE, sizeof(UserChange));
    pf_image_reader_init(&image->reader, image);
    return image;
}

void pf_image_free(PfImage *image)
{
    if (image == NULL)
        return;
    for (uint32_t i = 0; i < image->buffer_count; i++)
        g_free(((PageBuffer *)pf_seg_array_at(&image->buffers, i))->bytes);
    image_distinct_free(image->distinct);
    g_ptr_array_unref(image->contexts);
    image_context_free(image->page_cache);
    pf_seg_array_clear(&image->leaves);
    g_array_unref(image->free_leaves);
    g_ptr_array_unref(image->exited);
    g_array_unref(image->contents);
    pf_table_clear(&image->id_specs);
    g_array_unref(image->ids);
    g_hash_table_unref(image->files);
    g_ptr_array_unref(image->file_names);
    pf_table_clear(&image->file_pages);
    g_free(image->notes);
    g_array_unref(image->events);
    g_free(image->last_events);
    pf_seg_array_clear(&image->buffers);
    g_array_unref(image->free_buffers);
    g_mutex_clear(&image->settle_lock);
    g_array_unref(image->settle);
    pf_table_clear(&image->group_of);
    g_array_unref(image->groups);
    g_array_unref(image->free_groups);
    g_array_unref(image->pins);
    g_array_unref(image->user_changes);
    pf_image_reader_clear(&image->reader);
    g_free(image);
}

void pf_image_add_contents(PfImage *image, const PfRecordBlock *block)
{
    g_assert(block->first_content == image->contents->len || block->contents->len == 0);
    for (unsigned i = 0; i < block->contents->len; i++) {
        PfContentSpec spec = g_array_index(block->contents, PfContentSpec, i);
        PfContent content = pf_content_intern_spec(image->store, &spec);
        if (spec.form == PF_CONTENT_ID) {
            pf_table_insert(&image->id_specs, image->contents->len, image->ids->len);
            g_array_append_val(image->ids, spec);
        }
        g_array_append_val(image->contents, content);
    }
}

PfLeaf *image_find_leaf(const PfImage *image, const PfImageContext *context, uint64_t number)
{
    PfLeaf *cached = context->leaves->cache[number % LEAF_CACHE_ENTRIES];
    if (cached != NULL && cached->number == number)
        return cached;
    uint64_t id;
    if (!pf_table_find(&context->leaves->by_number, number, &id))
        return NULL;
    return image_leaf_by_id(image, (uint32_t)id);
}

static void inherit_regions(const PfImageContext *context, PfLeaf *leaf)
{
    PfCpn first = pf_leaf_page(leaf, 0);
    unsigned index = pf_region_list_lower(&context->regions, first);
    for (; index < pf_region_list_count(&context->regions); index++) {
        const PfRegion *region = pf_region_list_at(&context->regions, index);
        if (region->first.number >= first.number + PF_LEAF_PAGES)
            break;
        uint64_t from = MAX(region->first.number, first.number);
        uint64_t to = MIN(region->end.number, first.number + PF_LEAF_PAGES);
        for (uint64_t page = from; page < to; page++)
            leaf->flags[page - first.number] = region->flags;
    }
}

PfLeaf *image_make_leaf(PfImage *image, PfImageContext *context, uint32_t number_of_context,
                        PfCpn page)
{
    uint64_t number = page.number / PF_LEAF_PAGES;
    PfLeaf *leaf = image_find_leaf(image, context, number);
    if (leaf == NULL) {
        uint32_t id;
        if (image->free_leaves->len > 0) {
            id = g_array_index(image->free_leaves, uint32_t, image->free_leaves->len - 1);
            g_array_set_size(image->free_leaves, image->free_leaves->len - 1);
        } else {
            id = image->leaf_count++;
            pf_seg_array_reserve(&image->leaves, image->leaf_count);
        }
        leaf = image_leaf_by_id(image, id);
        memset(leaf, 0, sizeof *leaf);
        leaf->number = number;
        leaf->context = number_of_context;
        leaf->id = id;
        inherit_regions(context, leaf);
        pf_table_insert(&context->leaves->by_number, number, id);
        g_tree_insert(context->leaves->order, (gpointer)(uintptr_t)number, leaf);
        g_array_append_val(context->leaves->made, id);
    }
    context->leaves->cache[number % LEAF_CACHE_ENTRIES] = leaf;
    return leaf;
}

const PfLeaf *pf_image_leaf(const PfImage *image, uint32_t context, PfCpn page)
{
    return image_find_leaf(image, image_context(image, context), page.number / PF_LEAF_PAGES);
}

const PfLeaf *pf_image_leaf_from(const PfImage *image, uint32_t context, PfCpn page)
{
    const PfImageContext *owner = image_context(image, context);
    GTreeNode *node = g_tree_lower_bound(owner->leaves->order,
                                         (gpointer)(uintptr_t)(page.number / PF_LEAF_PAGES));
    return node != NULL ? g_tree_node_value(node) : NULL;
}

uint32_t pf_image_leaf_count(const PfImage *image, uint32_t context)
{
    return image_context(image, context)->leaves->made->len;
}

const PfLeaf *pf_image_leaf_nth(const PfImage *image, uint32_t context, uint32_t index)
{
    const GArray *made = image_context(image, context)->leaves->made;
    g_assert(index < made->len);
    return image_leaf_by_id(image, g_array_index(made, uint32_t, index));
}

const PfLeaf *pf_image_leaf_of(const PfImage *image, PfSlot slot)
{
    return image_leaf_by_id(image, slot.index / PF_LEAF_PAGES);
}

uint64_t pf_image_slot_limit(const PfImage *image)
{
    return (uint64_t)image->leaf_count * PF_LEAF_PAGES;
}

bool pf_image_slot(const PfImage *image, uint32_t context, PfCpn page, PfSlot *ret_slot)
{
    const PfLeaf *leaf = pf_image_leaf(image, context, page);
    if (leaf == NULL)
        return false;
    *ret_slot = pf_leaf_slot(leaf, page.number % PF_LEAF_PAGES);
    return true;
}

uint16_t pf_image_flags(const PfImage *image, PfSlot slot)
{
    return *image_flags(image, slot.index);
}

PfSlot pf_image_object(const PfImage *image, PfSlot slot)
{
    uint32_t handle = *image_handle(image, slot.index);
    return (handle & HANDLE_TAG) == HANDLE_FILE ? (PfSlot){handle & ~HANDLE_TAG} : slot;
}

const PfNote *pf_image_notes(const PfImage *image)
{
    return image->notes;
}

const PfEvent *pf_image_events(const PfImage *image)
{
    return (const PfEvent *)(const void *)image->events->data;
}

const PfEvent *pf_image_event(const PfImage *image, uint32_t index)
{
    return &g_array_index(image->events, PfEvent, index);
}

uint64_t pf_image_baseline_frames(const PfImage *image)
{
    return (uint64_t)image->baseline_at_start;
}

uint64_t pf_image_populated_pages(const PfImage *image)
{
    return image->populated_pages;
}

uint32_t pf_image_context_count(const PfImage *image)
{
    return image->contexts->len;
}

const PfImageContext *pf_image_context(const PfImage *image, uint32_t context)
{
    return image_context(image, context);
}

uint32_t pf_image_page_bytes(const PfImage *image)
{
    return image->page_bytes;
}

unsigned pf_image_page_shift(const PfImage *image)
{
    return image->page_shift;
}

PfContentStore *pf_image_store(const PfImage *image)
{
    return image->store;
}

uint64_t pf_image_bytes(const PfImage *image)
{
    return (uint64_t)image->leaf_count * sizeof(PfLeaf) + pf_table_bytes(&image->file_pages) +
           pf_table_bytes(&image->group_of) + image->buffers_alive * image->page_bytes;
}
