/* The bytes of pages: as of any event of the range (readers), and after it (commit). */
#include <string.h>

#include "image_internal.h"

/* Pages with buffers of their own beyond which quiet ones are interned, and how many are looked at
 * after each range. */
enum { BUFFERS_AT_EASE = 16384, SETTLE_STEPS = 64, SETTLE_AGE_RANGES = 4 };

static PageBuffer *buffer_at(const PfImage *image, uint32_t index)
{
    return pf_seg_array_at(&image->buffers, index);
}

static PageBuffer *new_buffer(PfImage *image, uint32_t slot, uint32_t *ret_index)
{
    uint32_t index;
    if (image->free_buffers->len > 0) {
        index = g_array_index(image->free_buffers, uint32_t, image->free_buffers->len - 1);
        g_array_set_size(image->free_buffers, image->free_buffers->len - 1);
    } else {
        index = image->buffer_count++;
        pf_seg_array_reserve(&image->buffers, image->buffer_count);
    }
    PageBuffer *buffer = buffer_at(image, index);
    buffer->bytes = g_malloc(image->page_bytes);
    buffer->slot = slot;
    image->buffers_alive++;
    *ret_index = index;
    return buffer;
}

/* Lets go of whatever the handle of SLOT holds; the handle then means zeros. */
void image_drop_bytes(PfImage *image, uint32_t slot)
{
    uint32_t *handle = image_handle(image, slot);
    uint32_t value = *handle & ~HANDLE_TAG;
    if ((*handle & HANDLE_TAG) == HANDLE_CONTENT) {
        pf_content_unref(image->store, (PfContent){value});
    } else if ((*handle & HANDLE_TAG) == HANDLE_BYTES) {
        g_clear_pointer(&buffer_at(image, value)->bytes, g_free);
        g_array_append_val(image->free_buffers, value);
        image->buffers_alive--;
    }
    *handle = HANDLE_CONTENT;
}

void image_intern_slot(PfImage *image, uint32_t slot)
{
    uint32_t *handle = image_handle(image, slot);
    if ((*handle & HANDLE_TAG) != HANDLE_BYTES)
        return;
    const uint8_t *bytes = buffer_at(image, *handle & ~HANDLE_TAG)->bytes;
    PfContent content = pf_content_intern(image->store, bytes);
    image_drop_bytes(image, slot);
    *image_handle(image, slot) = HANDLE_CONTENT | content.index;
}

uint32_t image_shared_handle(PfImage *image, uint32_t slot)
{
    image_intern_slot(image, slot);
    uint32_t *handle = image_handle(image, slot);
    if ((*handle & HANDLE_TAG) == HANDLE_CONTENT)
        pf_content_ref(image->store, (PfContent){*handle & ~HANDLE_TAG});
    else if (*handle == HANDLE_UNKNOWN)
        *handle |= ++image->unknown_ids & ~HANDLE_TAG;
    return *handle;
}

/* Makes the bytes of SLOT a buffer that can be written; NULL if they are unknown. */
static PageBuffer *writable_buffer(PfImage *image, uint32_t slot)
{
    uint32_t handle = *image_handle(image, slot);
    uint32_t value = handle & ~HANDLE_TAG;
    if ((handle & HANDLE_TAG) == HANDLE_BYTES)
        return buffer_at(image, value);
    if ((handle & HANDLE_TAG) == HANDLE_UNKNOWN) {
        *image_handle(image, slot) = HANDLE_UNKNOWN; /* others than those it shared */
        return NULL;
    }
    g_assert((handle & HANDLE_TAG) == HANDLE_CONTENT);
    if (!pf_content_has_bytes(image->store, (PfContent){value})) {
        image_drop_bytes(image, slot);
        *image_handle(image, slot) = HANDLE_UNKNOWN;
        return NULL;
    }
    uint32_t index;
    PageBuffer *buffer = new_buffer(image, slot, &index);
    const uint8_t *bytes = pf_content_bytes(image->store, (PfContent){value}, buffer->bytes);
    if (bytes != buffer->bytes)
        memcpy(buffer->bytes, bytes, image->page_bytes);
    image_drop_bytes(image, slot);
    *image_handle(image, slot) = HANDLE_BYTES | index;
    return buffer;
}

/* The store EVENT_NUMBER takes effect. */
static void commit_write(PfImage *image, uint32_t event_number)
{
    const PfEvent *event = pf_image_event(image, event_number);
    PageBuffer *buffer = writable_buffer(image, event->object);
    if (buffer == NULL)
        return;
    image_write_part(image, event, buffer->bytes);
    buffer->written = image->range_number;
    buffer->newest = event_number;
}

bool image_is_written_last(const PfImage *image, uint32_t slot, uint64_t range, uint32_t event)
{
    uint32_t handle = *image_handle(image, slot);
    if ((handle & HANDLE_TAG) != HANDLE_BYTES)
        return false;
    const PageBuffer *buffer = buffer_at(image, handle & ~HANDLE_TAG);
    return buffer->written == range && buffer->newest == event;
}

/* Puts the COUNT low bytes of VALUE, first byte first. */
static void put_value(uint8_t *at, uint64_t value, uint64_t count)
{
    uint64_t little = GUINT64_TO_LE(value);
    /* A constant length becomes one store. */
    if (count == sizeof little)
        memcpy(at, &little, sizeof little);
    else if (count == sizeof(uint32_t))
        memcpy(at, &little, sizeof(uint32_t));
    else
        for (uint64_t i = 0; i < count; i++)
            at[i] = (uint8_t)(value >> (8 * i));
}

PfByteSpan image_part(const PfImage *image, const PfEvent *event)
{
    const PfRecord *record = &image->block->records[event->record];
    uint32_t offset = (uint32_t)(record->address & (image->page_bytes - 1));
    uint32_t in_first = (uint32_t)MIN(record->count, image->page_bytes - offset);
    return event->part == 0 ? (PfByteSpan){offset, offset + in_first}
                            : (PfByteSpan){0, (uint32_t)record->count - in_first};
}

void image_write_part(const PfImage *image, const PfEvent *event, uint8_t *page)
{
    const PfRecord *record = &image->block->records[event->record];
    PfByteSpan part = image_part(image, event);
    uint32_t length = part.end_bytes - part.first_bytes;
    uint64_t skipped = event->part == 0 ? 0 : record->count - length;
    uint8_t *at = page + part.first_bytes;
    if (record->count <= sizeof record->value)
        put_value(at, record->value >> (8 * skipped), length);
    else
        memcpy(at, record->bytes + skipped, length);
}

void pf_image_reader_init(PfImageReader *reader, const PfImage *image)
{
    reader->copies = NULL;
    reader->page = g_malloc(image->page_bytes);
    reader->chain = g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

void pf_image_reader_clear(PfImageReader *reader)
{
    for (unsigned i = 0; reader->copies != NULL && i < PF_IMAGE_COPIES; i++) {
        g_free(reader->copies[i].bytes);
        g_free(reader->copies[i].state);
    }
    g_clear_pointer(&reader->copies, g_free);
    g_clear_pointer(&reader->page, g_free);
    g_clear_pointer(&reader->chain, g_array_unref);
}

/* The last event of OBJECT before POSITION. */
static uint32_t event_before(const PfImage *image, uint32_t object, uint32_t position)
{
    uint32_t event = image_last_event(image, object);
    while (event != NO_EVENT && event >= position)
        event = pf_image_event(image, event)->previous;
    return event;
}

/* What SLOT holds at the start of the range, not a file's page. */
static bool handle_content(PfImage *image, uint32_t slot, PfContent *ret_content)
{
    uint32_t handle = *image_handle(image, slot);
    uint32_t value = handle & ~HANDLE_TAG;
    if ((handle & HANDLE_TAG) == HANDLE_UNKNOWN)
        return false;
    if ((handle & HANDLE_TAG) == HANDLE_CONTENT) {
        *ret_content = (PfContent){value};
        pf_content_ref(image->store, *ret_content);
        return true;
    }
    *ret_content = pf_content_intern(image->store, buffer_at(image, value)->bytes);
    g_mutex_lock(&image->settle_lock);
    g_array_append_val(image->settle, slot);
    g_mutex_unlock(&image->settle_lock);
    return true;
}

/* What OBJECT holds before the events that follow OLDEST, or from OLDEST on if that sets the whole
 * page; with a reference. False if unknown. */
static bool chain_base(PfImage *image, uint32_t object, uint32_t oldest, PfContent *ret_base)
{
    const PfEvent *event = pf_image_event(image, oldest);
    if (event->kind == PF_EVENT_CONTENT) {
        *ret_base = (PfContent){event->content};
        pf_content_ref(image->store, *ret_base);
        return true;
    }
    uint32_t handle = *image_handle(image, object);
    if ((handle & HANDLE_TAG) != HANDLE_FILE)
        return handle_content(image, object, ret_base);
    PfImageReader inner;
    pf_image_reader_init(&inner, image);
    bool known =
        pf_image_content(image, &inner, (PfSlot){handle & ~HANDLE_TAG}, oldest, ret_base);
    pf_image_reader_clear(&inner);
    return known;
}

/* Collects the writes up to NEWEST, an event, in the reader's chain, newest first. Sets RET_OLDEST
 * to the event that is as far back as there is need to look; false if one of them makes the bytes
 * unknown. */
static bool collect_chain(const PfImage *image, PfImageReader *reader, uint32_t newest,
                          uint32_t *ret_oldest)
{
    g_array_set_size(reader->chain, 0);
    for (uint32_t i = newest; i != NO_EVENT; i = pf_image_event(image, i)->previous) {
        *ret_oldest = i;
        PfEventKind kind = (PfEventKind)pf_image_event(image, i)->kind;
        if (kind == PF_EVENT_UNKNOWN)
            return false;
        if (kind == PF_EVENT_WRITE)
            g_array_append_val(reader->chain, i);
        if (kind == PF_EVENT_CONTENT || kind == PF_EVENT_PRIVATE)
            break;
    }
    return true;
}

/* Puts what OBJECT holds before the events that follow OLDEST (see chain_base) into PAGE; false if
 * that has no bytes. */
static bool copy_base(PfImage *image, uint32_t object, uint32_t oldest, uint8_t *page)
{
    uint32_t handle = *image_handle(image, object);
    if ((handle & HANDLE_TAG) == HANDLE_BYTES &&
        pf_image_event(image, oldest)->kind != PF_EVENT_CONTENT) {
        memcpy(page, buffer_at(image, handle & ~HANDLE_TAG)->bytes, image->page_bytes);
        return true;
    }
    PfContent base;
    if (!chain_base(image, object, oldest, &base))
        return false;
    const uint8_t *bytes = pf_content_bytes(image->store, base, page);
    if (bytes != NULL && bytes != page)
        memcpy(page, bytes, image->page_bytes);
    pf_content_unref(image->store, base);
    return bytes != NULL;
}

/* Likewise with the writes of the reader's chain on it. */
static bool copy_chain(PfImage *image, const PfImageReader *reader, uint32_t object,
                       uint32_t oldest, uint8_t *page)
{
    if (!copy_base(image, object, oldest, page))
        return false;
    for (unsigned i = reader->chain->len; i-- > 0;)
        image_write_part(image,
                         pf_image_event(image, g_array_index(reader->chain, uint32_t, i)), page);
    return true;
}

bool image_copy_page(PfImage *image, PfImageReader *reader, PfSlot slot, uint32_t position,
                     uint8_t *page)
{
    uint32_t newest = event_before(image, slot.index, position);
    uint32_t oldest;
    g_assert(newest != NO_EVENT);
    return collect_chain(image, reader, newest, &oldest) &&
           copy_chain(image, reader, slot.index, oldest, page);
}

bool pf_image_peek(const PfImage *image, PfSlot slot, PfContent *ret_content)
{
    uint32_t handle = *image_handle(image, slot.index);
    if ((handle & HANDLE_TAG) != HANDLE_CONTENT ||
        image_last_event(image, slot.index) != NO_EVENT)
        return false;
    *ret_content = (PfContent){handle & ~HANDLE_TAG};
    return true;
}

bool pf_image_content(PfImage *image, PfImageReader *reader, PfSlot slot, uint32_t position,
                      PfContent *ret_content)
{
    uint32_t object = slot.index;
    uint32_t newest = event_before(image, object, position);
    if (newest == NO_EVENT) {
        uint32_t handle = *image_handle(image, object);
        if ((handle & HANDLE_TAG) != HANDLE_FILE)
            return handle_content(image, object, ret_content);
        return pf_image_content(image, reader, (PfSlot){handle & ~HANDLE_TAG}, position,
                                ret_content);
    }
    uint32_t oldest;
    if (!collect_chain(image, reader, newest, &oldest))
        return false;
    /* Nothing but touches: the page keeps even a content without bytes. */
    if (reader->chain->len == 0)
        return chain_base(image, object, oldest, ret_content);
    if (!copy_chain(image, reader, object, oldest, reader->page))
        return false;
    *ret_content = pf_content_intern(image->store, reader->page);
    return true;
}

/* The page of a private file mapping takes over the bytes that the file's page has now. */
static void commit_private(PfImage *image, uint32_t slot)
{
    uint32_t handle = *image_handle(image, slot);
    if ((handle & HANDLE_TAG) != HANDLE_FILE)
        return;
    uint32_t object = handle & ~HANDLE_TAG;
    *image_handle(image, slot) = image_shared_handle(image, object);
    image_distinct_touch(image, object);
}

static void commit_event(PfImage *image, uint32_t event_number)
{
    const PfEvent *event = pf_image_event(image, event_number);
    uint16_t *flags = image_flags(image, event->object);
    switch ((PfEventKind)event->kind) {
    case PF_EVENT_SAME:
        if ((*flags & PF_IMAGE_FRESH) == 0)
            return;
        break;
    case PF_EVENT_CONTENT:
        image_drop_bytes(image, event->object);
        *image_handle(image, event->object) = HANDLE_CONTENT | event->content;
        break;
    case PF_EVENT_UNKNOWN:
        image_drop_bytes(image, event->object);
        *image_handle(image, event->object) = HANDLE_UNKNOWN;
        break;
    case PF_EVENT_PRIVATE:
        commit_private(image, event->object);
        break;
    case PF_EVENT_WRITE:
        commit_write(image, event_number);
        break;
    }
    *flags &= (uint16_t)~PF_IMAGE_FRESH;
    image_distinct_touch(image, event->object);
}

/* Pages that nobody has written for some ranges need no buffer of their own. */
static void settle_quiet_pages(PfImage *image)
{
    for (unsigned i = 0; i < SETTLE_STEPS && image->buffers_alive > BUFFERS_AT_EASE; i++) {
        image->settle_hand = (image->settle_hand + 1) % image->buffer_count;
        const PageBuffer *buffer = buffer_at(image, image->settle_hand);
        if (buffer->bytes != NULL && image->range_number - buffer->written > SETTLE_AGE_RANGES)
            image_intern_slot(image, buffer->slot);
    }
}

/* The leaves of a context that has exited may be used for others. */
static void free_leaves(PfImage *image, PfImageContext *context)
{
    GTreeNode *node = g_tree_node_first(context->leaves->order);
    for (; node != NULL; node = g_tree_node_next(node)) {
        const PfLeaf *leaf = g_tree_node_value(node);
        g_array_append_val(image->free_leaves, leaf->id);
    }
    g_tree_remove_all(context->leaves->order);
    g_array_set_size(context->leaves->made, 0);
    pf_table_clear(&context->leaves->by_number);
    pf_table_init(&context->leaves->by_number);
    memset(context->leaves->cache, 0, sizeof context->leaves->cache);
}

void pf_image_commit(PfImage *image)
{
    for (uint32_t i = 0; i < image->events->len; i++)
        commit_event(image, i);
    for (unsigned i = 0; i < image->settle->len; i++) {
        uint32_t slot = g_array_index(image->settle, uint32_t, i);
        if (image_last_event(image, slot) == NO_EVENT)
            image_intern_slot(image, slot);
    }
    g_array_set_size(image->settle, 0);
    image_distinct_commit(image);
    settle_quiet_pages(image);
    for (unsigned i = 0; i < image->exited->len; i++)
        free_leaves(image, g_ptr_array_index(image->exited, i));
    g_ptr_array_set_size(image->exited, 0);
    g_array_set_size(image->events, 0);
    image->range_number++;
    image->baseline_at_start = image->baseline_frames;
}
