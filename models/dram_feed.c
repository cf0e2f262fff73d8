#include "dram_feed.h"

#include "dram_internal.h"

struct PfDramFeed {
    PfDram *dram;
    uint32_t outstanding; /* 0: no bound */
    uint32_t in_flight;   /* reads sent and not known to have ended */
    uint64_t clock;       /* of the last request's arrival */
    uint64_t end;         /* of the last data known */
    GArray *ends;         /* of uint64_t, the ends known, not yet waited for: a heap */
};

static void push(GArray *heap, uint64_t value)
{
    g_array_append_val(heap, value);
    uint64_t *values = (uint64_t *)(void *)heap->data;
    for (uint32_t at = heap->len - 1; at > 0 && values[(at - 1) / 2] > values[at];
         at = (at - 1) / 2) {
        uint64_t above = values[(at - 1) / 2];
        values[(at - 1) / 2] = values[at];
        values[at] = above;
    }
}

static uint64_t pop(GArray *heap)
{
    uint64_t *values = (uint64_t *)(void *)heap->data;
    uint64_t least = values[0];
    uint32_t count = heap->len - 1;
    uint64_t moved = values[count];
    uint32_t at = 0;
    for (uint32_t child = 1; child < count; child = 2 * at + 1) {
        child += child + 1 < count && values[child + 1] < values[child];
        if (values[child] >= moved)
            break;
        values[at] = values[child];
        at = child;
    }
    values[at] = moved;
    g_array_set_size(heap, count);
    return least;
}

static void note_end(void *user, uint64_t tag, uint64_t end)
{
    PfDramFeed *feed = user;
    (void)tag;
    feed->end = MAX(feed->end, end);
    if (feed->outstanding > 0)
        push(feed->ends, end);
}

PfDramFeed *pf_dram_feed_new(PfDram *dram, uint32_t outstanding)
{
    PfDramFeed *feed = g_new0(PfDramFeed, 1);
    feed->dram = dram;
    feed->outstanding = outstanding;
    feed->ends = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (uint32_t i = 0; i < dram->channels; i++) {
        dram->all_channels[i].done = note_end;
        dram->all_channels[i].done_user = feed;
    }
    return feed;
}

void pf_dram_feed_free(PfDramFeed *feed)
{
    if (feed == NULL)
        return;
    g_array_unref(feed->ends);
    g_free(feed);
}

/* The channel in which something happens next, and when. */
static PfDramChannel *earliest(PfDram *dram, uint64_t *ret_clock)
{
    PfDramChannel *first = &dram->all_channels[0];
    *ret_clock = pf_dram_channel_next(first);
    for (uint32_t i = 1; i < dram->channels; i++) {
        uint64_t next = pf_dram_channel_next(&dram->all_channels[i]);
        if (next < *ret_clock) {
            first = &dram->all_channels[i];
            *ret_clock = next;
        }
    }
    return first;
}

/* Runs on until a read ends that no later command can still be ahead of; that clock. */
static uint64_t wait_for_read(PfDramFeed *feed)
{
    const PfDramPreset *timing = &feed->dram->timing;
    for (;;) {
        uint64_t next;
        PfDramChannel *channel = earliest(feed->dram, &next);
        if (feed->ends->len > 0 &&
            (next == UINT64_MAX ||
             g_array_index(feed->ends, uint64_t, 0) <= next + timing->cl + timing->burst))
            return pop(feed->ends);
        pf_dram_channel_step(channel);
    }
}

void pf_dram_feed_send(PfDramFeed *feed, PfMaddr address, bool is_write, uint64_t not_before)
{
    PfDramEntry entry = {.line = address.bytes / feed->dram->timing.transaction_bytes,
                         .is_write = is_write};
    PfDramChannel *channel = pf_dram_place(feed->dram, &entry);
    uint64_t sent = MAX(feed->clock, not_before);
    uint64_t at = sent;
    while (feed->outstanding > 0 && feed->in_flight >= feed->outstanding) {
        uint64_t end = wait_for_read(feed);
        feed->in_flight--;
        sent = MAX(sent, end);
        at = MAX(at, end + 1);
    }
    pf_dram_channel_run(channel, at);
    while (!pf_dram_queue_has_room(&channel->queue, is_write)) {
        pf_dram_channel_step(channel);
        at = MAX(at, channel->now + 1);
        sent = at;
    }
    pf_dram_channel_run(channel, at);
    entry.arrival = at;
    entry.sent = not_before > 0 ? not_before : sent;
    feed->in_flight += !is_write && feed->outstanding > 0;
    pf_dram_channel_submit(channel, &entry);
    feed->clock = at;
    feed->dram->latest_clock = MAX(feed->dram->latest_clock, at);
}

uint64_t pf_dram_feed_clock(const PfDramFeed *feed)
{
    return feed->clock;
}

uint64_t pf_dram_feed_finish(PfDramFeed *feed)
{
    PfDram *dram = feed->dram;
    uint64_t end = MAX(feed->end, feed->clock);
    for (uint32_t i = 0; i < dram->channels; i++) {
        PfDramChannel *channel = &dram->all_channels[i];
        while (pf_dram_channel_next(channel) != UINT64_MAX)
            pf_dram_channel_step(channel);
        end = MAX(end, MAX(feed->end, channel->now));
    }
    dram->latest_clock = MAX(dram->latest_clock, end);
    feed->clock = end;
    feed->in_flight = 0;
    g_array_set_size(feed->ends, 0);
    return end;
}
