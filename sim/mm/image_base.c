/* What `none` maps at each page, and so how many frames it uses: the baseline. Frames that several
 * pages share (by fork or alias, or through the page cache), and pinned ones, are groups; all other
 * frames belong to one page and need no more than its state. */
#include "image_internal.h"

static void set_state(PfImage *image, uint32_t slot, PfBaseState state)
{
    uint16_t *flags = image_flags(image, slot);
    *flags = (uint16_t)((*flags & ~(7U << PF_IMAGE_STATE_SHIFT)) |
                        ((unsigned)state << PF_IMAGE_STATE_SHIFT));
}

static BaseGroup *group_at(const PfImage *image, uint32_t group)
{
    return &g_array_index(image->groups, BaseGroup, group);
}

static uint32_t new_group(PfImage *image)
{
    if (image->free_groups->len > 0) {
        uint32_t group = g_array_index(image->free_groups, uint32_t, image->free_groups->len - 1);
        g_array_set_size(image->free_groups, image->free_groups->len - 1);
        return group;
    }
    g_array_set_size(image->groups, image->groups->len + 1);
    return image->groups->len - 1;
}

static void release_zero(PfImage *image)
{
    g_assert(image->zero_maps > 0);
    if (--image->zero_maps == 0)
        image->baseline_frames--;
}

static void map_zero(PfImage *image)
{
    if (image->zero_maps++ == 0)
        image->baseline_frames++;
}

/* A group that nobody maps or pins any more is a free frame. */
static void settle_group(PfImage *image, uint32_t group)
{
    BaseGroup *state = group_at(image, group);
    if (state->maps + state->pins > 0)
        return;
    image->baseline_frames--;
    g_array_append_val(image->free_groups, group);
}

static uint32_t group_of(const PfImage *image, uint32_t slot)
{
    uint64_t group;
    bool found = pf_table_find(&image->group_of, slot, &group);
    g_assert(found);
    return (uint32_t)group;
}

/* The group of a file's page; made when it is first mapped, forgotten when it is free. */
static uint32_t file_group(PfImage *image, uint32_t object)
{
    uint64_t group;
    if (pf_table_find(&image->group_of, object, &group))
        return (uint32_t)group;
    uint32_t made = new_group(image);
    *group_at(image, made) = (BaseGroup){.maps = 0};
    image->baseline_frames++;
    pf_table_insert(&image->group_of, object, made);
    return made;
}

static void release_group(PfImage *image, uint32_t key, bool forget)
{
    uint32_t group = group_of(image, key);
    BaseGroup *state = group_at(image, group);
    g_assert(state->maps > 0);
    state->maps--;
    bool last = state->maps + state->pins == 0;
    settle_group(image, group);
    if (forget || last)
        pf_table_remove(&image->group_of, key);
}

void image_base_release(PfImage *image, uint32_t slot)
{
    switch (image_base_state(image, slot)) {
    case PF_BASE_NONE:
        break;
    case PF_BASE_ZERO:
        release_zero(image);
        break;
    case PF_BASE_PRIVATE:
        image->baseline_frames--;
        break;
    case PF_BASE_GROUP:
        release_group(image, slot, true);
        break;
    case PF_BASE_FILE: {
        uint32_t object = pf_image_object(image, (PfSlot){slot}).index;
        release_group(image, object, false);
        image_distinct_touch(image, object);
        break;
    }
    }
    set_state(image, slot, PF_BASE_NONE);
}

void image_base_map_file(PfImage *image, uint32_t slot, uint32_t object)
{
    if (image_base_state(image, slot) == PF_BASE_FILE)
        return;
    image_base_release(image, slot);
    uint32_t group = file_group(image, object);
    group_at(image, group)->maps++;
    set_state(image, slot, PF_BASE_FILE);
    image_distinct_touch(image, object);
}

void image_base_read(PfImage *image, uint32_t slot)
{
    if (image_base_state(image, slot) != PF_BASE_NONE)
        return;
    PfSlot object = pf_image_object(image, (PfSlot){slot});
    if (object.index != slot) {
        image_base_map_file(image, slot, object.index);
        return;
    }
    map_zero(image);
    set_state(image, slot, PF_BASE_ZERO);
}

const BaseGroup *image_base_group(const PfImage *image, uint32_t slot)
{
    return group_at(image, group_of(image, slot));
}

void image_base_store_page(PfImage *image, uint32_t slot)
{
    PfBaseState state = image_base_state(image, slot);
    if (state == PF_BASE_PRIVATE)
        return;
    /* The last one that has a frame takes it back without a copy. */
    if (state == PF_BASE_GROUP) {
        BaseGroup *group = group_at(image, group_of(image, slot));
        bool alone = group->maps == 1 && (group->exclusive || group->pins == 0);
        group->exclusive |= alone;
        if (alone)
            return;
    }
    image_base_release(image, slot);
    image->baseline_frames++;
    set_state(image, slot, PF_BASE_PRIVATE);
}

static uint32_t make_group(PfImage *image, uint32_t slot)
{
    g_assert(image_base_state(image, slot) == PF_BASE_PRIVATE);
    uint32_t group = new_group(image);
    *group_at(image, group) = (BaseGroup){.maps = 1, .exclusive = true};
    pf_table_insert(&image->group_of, slot, group);
    set_state(image, slot, PF_BASE_GROUP);
    return group;
}

void image_base_share(PfImage *image, uint32_t source, uint32_t target)
{
    g_assert(image_base_state(image, target) == PF_BASE_NONE);
    PfBaseState state = image_base_state(image, source);
    if (state == PF_BASE_PRIVATE || state == PF_BASE_GROUP) {
        uint32_t group =
            state == PF_BASE_PRIVATE ? make_group(image, source) : group_of(image, source);
        group_at(image, group)->maps++;
        group_at(image, group)->exclusive = false;
        pf_table_insert(&image->group_of, target, group);
        set_state(image, target, PF_BASE_GROUP);
    } else if (state == PF_BASE_ZERO) {
        map_zero(image);
        set_state(image, target, PF_BASE_ZERO);
    } else if (state == PF_BASE_FILE) {
        image_base_map_file(image, target, pf_image_object(image, (PfSlot){source}).index);
    }
}

void image_base_move(PfImage *image, uint32_t source, uint32_t target)
{
    PfBaseState state = image_base_state(image, source);
    if (state == PF_BASE_GROUP) {
        uint32_t group = group_of(image, source);
        pf_table_remove(&image->group_of, source);
        pf_table_insert(&image->group_of, target, group);
    }
    set_state(image, source, PF_BASE_NONE);
    set_state(image, target, state);
}

uint64_t pf_image_baseline_sharers(const PfImage *image, PfSlot slot)
{
    switch (image_base_state(image, slot.index)) {
    case PF_BASE_NONE:
        return 0;
    case PF_BASE_ZERO:
        return image->zero_maps - image->zero_pins;
    case PF_BASE_PRIVATE:
        return 1;
    case PF_BASE_GROUP:
        return group_at(image, group_of(image, slot.index))->maps;
    case PF_BASE_FILE:
        return group_at(image, group_of(image, pf_image_object(image, slot).index))->maps;
    }
    g_assert_not_reached();
}

void image_base_pin(PfImage *image, uint32_t slot)
{
    image_base_read(image, slot);
    PfBaseState state = image_base_state(image, slot);
    BasePin pin = {.slot = slot, .group = UINT32_MAX, .object = PF_NO_SLOT};
    if (state == PF_BASE_ZERO) {
        map_zero(image);
        image->zero_pins++;
    } else {
        if (state == PF_BASE_PRIVATE)
            pin.group = make_group(image, slot);
        else if (state == PF_BASE_GROUP)
            pin.group = group_of(image, slot);
        else
            pin.object = pf_image_object(image, (PfSlot){slot}).index;
        if (pin.object != PF_NO_SLOT)
            pin.group = group_of(image, pin.object);
        group_at(image, pin.group)->pins++;
    }
    g_array_append_val(image->pins, pin);
}

static void drop_pin(PfImage *image, unsigned index)
{
    BasePin pin = g_array_index(image->pins, BasePin, index);
    g_array_remove_index(image->pins, index);
    if (pin.group == UINT32_MAX) {
        image->zero_pins--;
        release_zero(image);
        return;
    }
    BaseGroup *state = group_at(image, pin.group);
    state->pins--;
    if (state->maps + state->pins == 0 && pin.object != PF_NO_SLOT)
        pf_table_remove(&image->group_of, pin.object);
    settle_group(image, pin.group);
}

void image_base_unpin(PfImage *image, uint32_t slot)
{
    for (unsigned i = 0; i < image->pins->len; i++) {
        if (g_array_index(image->pins, BasePin, i).slot == slot) {
            drop_pin(image, i);
            return;
        }
    }
}

void image_base_unpin_all(PfImage *image, uint32_t context)
{
    for (unsigned i = image->pins->len; i-- > 0;) {
        uint32_t slot = g_array_index(image->pins, BasePin, i).slot;
        if (image_leaf_by_id(image, slot / PF_LEAF_PAGES)->context == context)
            drop_pin(image, i);
    }
}
