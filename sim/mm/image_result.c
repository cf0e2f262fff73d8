/* Pages as store after store leaves them, for readers that ask after each. */
#include <string.h>

#include "image_internal.h"

/* COPY becomes what SLOT holds at POSITION. */
static bool make_copy(PfImage *image, PfImageReader *reader, PfImageCopy *copy, PfSlot slot,
                      uint32_t position)
{
    PfContent content;
    copy->range = 0;
    if (!pf_image_content(image, reader, slot, position, &content))
        return false;
    const uint8_t *bytes = pf_content_bytes(image->store, content, reader->page);
    if (bytes != NULL) {
        if (copy->bytes == NULL)
            copy->bytes = g_malloc(image->page_bytes);
        memcpy(copy->bytes, bytes, image->page_bytes);
        copy->slot = slot.index;
        copy->range = image->range_number;
        copy->newest = position - 1;
    }
    pf_content_unref(image->store, content);
    return bytes != NULL;
}

/* Puts the stores up to NEWEST into COPY, which has those of the range up to some before; false if
 * it has not, or what came since was more than stores. */
static bool bring_up(const PfImage *image, PfImageReader *reader, PfImageCopy *copy,
                     uint32_t newest)
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
    for (unsigned i = reader->chain->len; i-- > 0;)
        image_write_part(image,
                         pf_image_event(image, g_array_index(reader->chain, uint32_t, i)),
                         copy->bytes);
    copy->newest = newest;
    return true;
}

const uint8_t *pf_image_result(PfImage *image, PfImageReader *reader, PfSlot slot,
                               uint32_t position)
{
    if (position == 0 || pf_image_event(image, position - 1)->object != slot.index)
        return NULL;
    if (reader->copies == NULL)
        reader->copies = g_new0(PfImageCopy, PF_IMAGE_COPIES);
    PfImageCopy *copy = &reader->copies[slot.index % PF_IMAGE_COPIES];
    bool is_kept = copy->range == image->range_number && copy->slot == slot.index &&
                   bring_up(image, reader, copy, position - 1);
    return is_kept || make_copy(image, reader, copy, slot, position) ? copy->bytes : NULL;
}
