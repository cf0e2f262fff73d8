/* The list of what the current range does to bytes, and each object's last event in it. */
#include "image_internal.h"

void image_events_begin(PfImage *image, const PfRecordBlock *block, uint32_t from)
{
    image->block = block;
    image->range_from = from;
    image->range_to = from;
    image->range_number++;
    image->baseline_at_start = image->baseline_frames;
    g_array_set_size(image->events, 0);
}

static uint32_t event_bucket(const PfImage *image, uint32_t object)
{
    return (uint32_t)((object * 0x9e3779b97f4a7c15U) >> 32) & image->last_events_mask;
}

uint32_t image_last_event(const PfImage *image, uint32_t object)
{
    if (image->events->len == 0)
        return NO_EVENT;
    uint32_t bucket = event_bucket(image, object);
    while (image->last_events[bucket].range == image->range_number) {
        if (image->last_events[bucket].object == object)
            return image->last_events[bucket].last;
        bucket = (bucket + 1) & image->last_events_mask;
    }
    return NO_EVENT;
}

static void set_last_event(PfImage *image, uint32_t object, uint32_t event)
{
    uint32_t bucket = event_bucket(image, object);
    while (image->last_events[bucket].range == image->range_number &&
           image->last_events[bucket].object != object)
        bucket = (bucket + 1) & image->last_events_mask;
    image->last_events[bucket] = (LastEvent){object, image->range_number, event};
}

/* The table is at most half full; entries of earlier ranges count as empty. */
static void make_room_for_events(PfImage *image)
{
    if (image->events->len * 2 <= image->last_events_mask)
        return;
    image->last_events_mask = image->last_events_mask * 2 + 1;
    g_free(image->last_events);
    image->last_events = g_new0(LastEvent, (size_t)image->last_events_mask + 1);
    for (uint32_t i = 0; i < image->events->len; i++)
        set_last_event(image, pf_image_event(image, i)->object, i);
}

void image_add_event(PfImage *image, const PfEvent *event)
{
    make_room_for_events(image);
    PfEvent copy = *event;
    copy.previous = image_last_event(image, event->object);
    copy.baseline_delta = (int32_t)(image->baseline_frames - image->baseline_at_start);
    set_last_event(image, event->object, image->events->len);
    g_array_append_val(image->events, copy);
}
