/* The frames of `none` and what is known of their bytes, told to those who count them. */
#include "image_internal.h"

/* Frames of their own are numbered by their slot, behind all groups. */
#define FRAME_PRIVATE ((uint64_t)1 << 32)
#define FRAME_ZERO    ((uint64_t)2 << 32)

static uint64_t frame_number(const PfImage *image, PfBaseState state, uint32_t slot,
                             uint32_t object)
{
    if (state == PF_BASE_ZERO)
        return FRAME_ZERO;
    if (state == PF_BASE_PRIVATE)
        return FRAME_PRIVATE | slot;
    uint64_t group;
    bool found = pf_table_find(&image->group_of, state == PF_BASE_FILE ? object : slot, &group);
    g_assert(found);
    return group;
}

bool pf_image_frame(const PfImage *image, PfSlot slot, PfImageFrame *ret_frame)
{
    PfBaseState state = image_base_state(image, slot.index);
    if (state == PF_BASE_NONE)
        return false;
    PfSlot object = state == PF_BASE_FILE ? pf_image_object(image, slot) : slot;
    uint16_t flags = *image_flags(image, object.index);
    *ret_frame = (PfImageFrame){
        .number = frame_number(image, state, slot.index, object.index),
        .object = object,
        .state = state,
        .is_shmem = state == PF_BASE_FILE && (flags & PF_IMAGE_SHMEM) != 0,
    };
    /* Shared memory begins as zeros, a file with bytes that the trace may never tell. */
    ret_frame->is_untold =
        state == PF_BASE_FILE && !ret_frame->is_shmem && (flags & PF_IMAGE_POPULATED) == 0;
    return true;
}
