/* Pages as store after store leaves them, for readers that ask after each. */
#include <string.h>

#include "image_internal.h"

/* COPY has the bytes NEW of its units from FIRST to before END now, and had OLD of them, which
 * begin at FIRST too. */
static void tell(const PfImageFollower *follower, const PfImageCopy *copy, uint32_t first,
                 uint32_t end, const uint8_t *old)
{
    /* Most of a page has not changed: that is passed over by so much at a time. */
    enum { STRIDE_BYTES = 128 };
    uint32_t at = first;
    while (at < end) {
        if (end - at >= STRIDE_BYTES && follower->unit_bytes < STRIDE_BYTES &&
            memcmp(old, copy->bytes + at, STRIDE_BYTES) == 0) {
            at += STRIDE_BYTES;
            old += STRIDE_BYTES;
            continue;
        }
        uint32_t stop = MIN(end, at + MAX(STRIDE_BYTES, follower->unit_bytes));
        for (; at < stop; at += follower->unit_bytes, old += follower->unit_bytes)
            if (memcmp(old, copy->bytes + at, follower->unit_bytes) != 0)
                follower->change(follower->user, copy->state, at, old, copy->bytes + at);
    }
}

/* Puts the store EVENT into COPY. */
static void put_store(const PfImage *image, PfImageReader *reader, PfImageCopy *copy,
                      const PfEvent *event, const PfImageFollower *follower)
{
    if (follower->state_bytes == 0) {
        image_write_part(image, event, copy->bytes);
        return;
    }
    PfByteSpan part = image_part(image, event);
    uint32_t beside = follower->unit_bytes - 1;
    uint32_t first = part.first_bytes & ~beside;
    uint32_t end = (part.end_bytes + beside) & ~beside;
    memcpy(reader->page, copy->bytes + first, end - first);
    image_write_part(image, event, copy->bytes);
    tell(follower, copy, first, end, reader->page);
}

/* COPY becomes what SLOT holds at POSITION; false if that is not known. */
static bool make_copy(PfImage *image, PfImageReader *reader, PfImageCopy *copy, PfSlot slot,
                      uint32_t position, const PfImageFollower *follower)
{
    bool is_new = copy->slot != slot.index + 1;
    copy->range = 0;
    if (!image_copy_page(image, reader, slot, position, reader->page))
        return false;
    if (copy->bytes == NULL) {
        copy->bytes = g_malloc(image->page_bytes);
        copy->state = g_malloc(follower->state_bytes);
    }
    /* The page that is made becomes the copy, and what was the copy is scratch. */
    uint8_t *old = copy->bytes;
    copy->bytes = reader->page;
    reader->page = old;
    copy->slot = slot.index + 1;
    copy->newest = position - 1;
    copy->range = image->range_number;
    if (follower->state_bytes == 0)
        return true;
    if (is_new)
        follower->begin(follower->user, copy->state, copy->bytes);
    else if (memcmp(old, copy->bytes, image->page_bytes) != 0)
        tell(follower, copy, 0, image->page_bytes, old);
    return true;
}

/* Whether COPY is that of SLOT in this range: as some event of it left the page, or as it begins,
 * with the last store of an earlier one. */
static bool is_kept(const PfImage *image, PfImageCopy *copy, PfSlot slot)
{
    if (copy->slot != slot.index + 1)
        return false;
    if (copy->range == image->range_number)
        return true;
    if (!image_is_written_last(image, slot.index, copy->range, copy->newest))
        return false;
    copy->range = image->range_number;
    copy->newest = NO_EVENT;
    return true;
}

/* Puts the stores up to NEWEST into COPY, which has those of the range up to some before; false if
 * it has not, or what came since was more than stores. */
static bool bring_up(const PfImage *image, PfImageReader *reader, PfImageCopy *copy,
                     uint32_t newest, const PfImageFollower *follower)
{
    const PfEvent *event = pf_image_event(image, newest);
    if (event->kind == PF_EVENT_WRITE && event->previous == copy->newest) {
        put_store(image, reader, copy, event, follower);
        copy->newest = newest;
        return true;
    }
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
        put_store(image, reader, copy,
                  pf_image_event(image, g_array_index(reader->chain, uint32_t, i)), follower);
    copy->newest = newest;
    return true;
}

const uint8_t *pf_image_result(PfImage *image, PfImageReader *reader, PfSlot slot,
                               uint32_t position, const PfImageFollower *follower,
                               const void **ret_state)
{
    if (position == 0 || pf_image_event(image, position - 1)->object != slot.index)
        return NULL;
    if (reader->copies == NULL)
        reader->copies = g_new0(PfImageCopy, PF_IMAGE_COPIES);
    PfImageCopy *copy = &reader->copies[slot.index % PF_IMAGE_COPIES];
    bool is_made = is_kept(image, copy, slot) &&
                   bring_up(image, reader, copy, position - 1, follower);
    if (!is_made && !make_copy(image, reader, copy, slot, position, follower))
        return NULL;
    *ret_state = copy->state;
    return copy->bytes;
}
