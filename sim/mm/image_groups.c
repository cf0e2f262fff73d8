#include "image_groups.h"

#include <string.h>

#include "image_internal.h"

/* Pages of files have the file's number above these bits (image_file_object). */
enum { FILE_PAGE_BITS = 40 };

static PfImageGroup frame_of(const PfImage *image, uint32_t number)
{
    const BaseGroup *group = &g_array_index(image->groups, BaseGroup, number);
    return (PfImageGroup){.number = number,
                          .maps = group->maps,
                          .pins = group->pins,
                          .is_exclusive = group->exclusive};
}

PfBaseState pf_image_base(const PfImage *image, PfSlot slot, PfImageGroup *ret_frame)
{
    PfBaseState state = image_base_state(image, slot.index);
    uint64_t number;
    if (ret_frame != NULL && state == PF_BASE_GROUP &&
        pf_table_find(&image->group_of, slot.index, &number))
        *ret_frame = frame_of(image, (uint32_t)number);
    return state;
}

uint32_t pf_image_pin_count(const PfImage *image)
{
    return image->pins->len;
}

PfImagePin pf_image_pin(const PfImage *image, uint32_t index)
{
    const BasePin *pin = &g_array_index(image->pins, BasePin, index);
    PfImagePin told = {.slot = {pin->slot}, .state = PF_BASE_ZERO, .object = {pin->object}};
    if (pin->object != PF_NO_SLOT)
        told.state = PF_BASE_FILE;
    else if (pin->group != UINT32_MAX)
        told.state = PF_BASE_GROUP;
    if (told.state == PF_BASE_GROUP)
        told.frame = frame_of(image, pin->group);
    return told;
}

PfImageFile pf_image_file(const PfImage *image, PfSlot object)
{
    const PfLeaf *leaf = image_leaf_by_id(image, object.index / PF_LEAF_PAGES);
    g_assert(leaf->context == PAGE_CACHE_CONTEXT);
    uint64_t page = pf_leaf_page(leaf, object.index % PF_LEAF_PAGES).number;
    uint64_t number = page >> FILE_PAGE_BITS;
    const char *key = g_ptr_array_index(image->file_names, number / 2 - 1);
    return (PfImageFile){.name = strchr(key, '=') + 1,
                         .is_shmem = number % 2 != 0,
                         .page = page & (((uint64_t)1 << FILE_PAGE_BITS) - 1)};
}

bool pf_image_file_slot(const PfImage *image, const PfRegion *region, PfCpn page,
                        PfSlot *ret_object)
{
    if (region->file == 0)
        return false;
    uint64_t in_file = region->file_page + (page.number - region->first.number);
    uint64_t number = (uint64_t)region->file << FILE_PAGE_BITS |
                      (in_file & (((uint64_t)1 << FILE_PAGE_BITS) - 1));
    const PfLeaf *leaf = image_find_leaf(image, image->page_cache, number / PF_LEAF_PAGES);
    if (leaf == NULL)
        return false;
    *ret_object = pf_leaf_slot(leaf, number % PF_LEAF_PAGES);
    return true;
}

uint32_t pf_image_file_leaf_count(const PfImage *image)
{
    return image->page_cache->leaves->made->len;
}

const PfLeaf *pf_image_file_leaf_nth(const PfImage *image, uint32_t index)
{
    g_assert(index < image->page_cache->leaves->made->len);
    return image_leaf_by_id(image, g_array_index(image->page_cache->leaves->made, uint32_t, index));
}

PfContentSpec pf_image_given_content(const PfImage *image, uint32_t number)
{
    uint64_t id;
    g_assert(number < image->contents->len);
    if (pf_table_find(&image->id_specs, number, &id))
        return g_array_index(image->ids, PfContentSpec, id);
    return pf_content_spec(image->store, g_array_index(image->contents, PfContent, number));
}
