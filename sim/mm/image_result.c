/* Pages as store after store leaves them, for readers that ask after each. */
#include <string.h>

#include "image_internal.h"

/* COPY becomes what SLOT holds at POSITION; false if that is not known. */
static bool make_copy(PfImage *image, PfImageReader *reader, PfImageCopy *copy, PfSlot slot,
                      uint32_t position)
{
    if (copy->bytes == NULL)
        copy->bytes = g_malloc(image->page_bytes);
    copy->slot = slot.index;
    copy->newest = position - 1;
    bool is_known = image_copy_page(image, reader, slot, position, copy->bytes);
    copy->range = is_known ? image->range_number : 0;
    return is_known;
}

/* Puts the stores up to NEWEST into COPY, which has those of the range up to some before, and sets
 * RET_CHANGED to a span that they are in; false if it has not, or what came since was more than
 * stores. */
static bool bring_up(const PfImage *image, PfImageReader *reader, PfImageCopy *copy,
                     uint32_t newest, PfByteSpan *ret_changed)
{
    g_array_set_size(reader->chain, 0);
    for (uint32_t i = newest; i != copy->newest; i = pf_image_event(image, i)->previous) {
        if (i == NO_EVENT)
            return false;
        PfEventKind kind = (PfEventKind)pf_image_event(image, i)->kind;
        if (kind == PF_EVENT_WRITE)
            g_array_append_val(reader->chain, i);
        else if (kind != PF_EVENT_SAME)
            return false;
    }
    *ret_changed = (PfByteSpan){reader->chain->len > 0 ? image->page_bytes : 0, 0};
    for (unsigned i = reader->chain->len; i-- > 0;) {
        const PfEvent *event = pf_image_event(image, g_array_index(reader->chain, uint32_t, i));
        PfByteSpan part = image_write_part(image, event, copy->bytes);
        ret_changed->first_bytes = MIN(ret_changed->first_bytes, part.first_bytes);
        ret_changed->end_bytes = MAX(ret_changed->end_bytes, part.end_bytes);
    }
    copy->newest = newest;
    return true;
}

const uint8_t *pf_image_result(PfImage *image, PfImageReader *reader, PfSlot slot,
                               uint32_t position, PfByteSpan *ret_changed)
{
    if (position == 0 || pf_image_event(image, position - 1)->object != slot.index)
        return NULL;
    if (reader->copies == NULL)
        reader->copies = g_new0(PfImageCopy, PF_IMAGE_COPIES);
    PfImageCopy *copy = &reader->copies[slot.index % PF_IMAGE_COPIES];
    bool is_kept = copy->range == image->range_number && copy->slot == slot.index &&
                   bring_up(image, reader, copy, position - 1, ret_changed);
    if (is_kept)
        return copy->bytes;
    *ret_changed = (PfByteSpan){0, image->page_bytes};
    return make_copy(image, reader, copy, slot, position) ? copy->bytes : NULL;
}
