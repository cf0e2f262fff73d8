#include "dram_queue.h"

#include <glib.h>
#include <string.h>

#include "dram_banks.h"

static uint32_t bucket_of(const PfDramQueue *queue, uint64_t line)
{
    return (uint32_t)(line * UINT64_C(0x9e3779b97f4a7c15) >> 40) & queue->bucket_mask;
}

/* The first entry from INDEX on, in its bank's list, for OPEN_ROW. */
static uint16_t next_hit(const PfDramQueue *queue, uint16_t index, uint32_t open_row)
{
    if (open_row == PF_DRAM_NO_ROW)
        return PF_DRAM_NONE;
    while (index != PF_DRAM_NONE && queue->entries[index].row != open_row)
        index = queue->entries[index].next;
    return index;
}

static void list_append(PfDramQueue *queue, uint16_t index, uint32_t open_row)
{
    PfDramEntry *entry = &queue->entries[index];
    PfDramSide *side = &queue->sides[entry->is_write];
    PfDramList *list = &side->lists[entry->bank];
    entry->next = PF_DRAM_NONE;
    entry->previous = list->last;
    if (list->last == PF_DRAM_NONE) {
        list->first = index;
        side->busy[entry->bank / 64] |= (uint64_t)1 << entry->bank % 64;
    } else {
        queue->entries[list->last].next = index;
    }
    list->last = index;
    side->listed++;
    if (list->hit == PF_DRAM_NONE && entry->row == open_row)
        list->hit = index;
}

static void list_remove(PfDramQueue *queue, uint16_t index, uint32_t open_row)
{
    PfDramEntry *entry = &queue->entries[index];
    PfDramSide *side = &queue->sides[entry->is_write];
    PfDramList *list = &side->lists[entry->bank];
    if (list->hit == index)
        list->hit = next_hit(queue, entry->next, open_row);
    if (entry->previous == PF_DRAM_NONE)
        list->first = entry->next;
    else
        queue->entries[entry->previous].next = entry->next;
    if (entry->next == PF_DRAM_NONE)
        list->last = entry->previous;
    else
        queue->entries[entry->next].previous = entry->previous;
    if (list->first == PF_DRAM_NONE)
        side->busy[entry->bank / 64] &= ~((uint64_t)1 << entry->bank % 64);
    side->listed--;
}

static void age_append(PfDramQueue *queue, uint16_t index)
{
    PfDramEntry *entry = &queue->entries[index];
    PfDramSide *side = &queue->sides[entry->is_write];
    entry->newer = PF_DRAM_NONE;
    entry->older = side->newest;
    if (side->newest == PF_DRAM_NONE)
        side->oldest = index;
    else
        queue->entries[side->newest].newer = index;
    side->newest = index;
    side->count++;
}

static void age_remove(PfDramQueue *queue, uint16_t index)
{
    PfDramEntry *entry = &queue->entries[index];
    PfDramSide *side = &queue->sides[entry->is_write];
    if (entry->older == PF_DRAM_NONE)
        side->oldest = entry->newer;
    else
        queue->entries[entry->older].newer = entry->newer;
    if (entry->newer == PF_DRAM_NONE)
        side->newest = entry->older;
    else
        queue->entries[entry->newer].older = entry->older;
    side->count--;
}

uint16_t pf_dram_queue_find_write(const PfDramQueue *queue, uint64_t line)
{
    uint16_t index = queue->buckets[bucket_of(queue, line)];
    while (index != PF_DRAM_NONE &&
           (queue->entries[index].line != line || !queue->entries[index].is_write))
        index = queue->entries[index].same_hash;
    return index;
}

/* Makes the reads of write INDEX's line, which all came before it, hold it up. */
static void find_blockers(PfDramQueue *queue, uint16_t index)
{
    PfDramEntry *write = &queue->entries[index];
    uint16_t other = queue->buckets[bucket_of(queue, write->line)];
    for (; other != PF_DRAM_NONE; other = queue->entries[other].same_hash) {
        PfDramEntry *entry = &queue->entries[other];
        if (entry->line != write->line || entry->is_write)
            continue;
        entry->blocked_write = index;
        write->blockers++;
    }
}

uint16_t pf_dram_queue_add(PfDramQueue *queue, const PfDramEntry *new_entry, uint32_t open_row)
{
    g_assert(pf_dram_queue_has_room(queue, new_entry->is_write));
    uint16_t index = queue->free;
    PfDramEntry *entry = &queue->entries[index];
    queue->free = entry->next;
    *entry = *new_entry;
    entry->order = queue->arrivals++;
    entry->has_begun = false;
    entry->has_opened = false;
    entry->blocked_write = PF_DRAM_NONE;
    entry->blockers = 0;
    if (entry->is_write)
        find_blockers(queue, index);
    uint16_t *bucket = &queue->buckets[bucket_of(queue, entry->line)];
    entry->same_hash = *bucket;
    *bucket = index;
    age_append(queue, index);
    if (entry->blockers == 0)
        list_append(queue, index, open_row);
    return index;
}

void pf_dram_queue_open(PfDramQueue *queue, uint16_t index)
{
    PfDramEntry *entry = &queue->entries[index];
    if (entry->has_opened || queue->sides[0].opened + queue->sides[1].opened == queue->banks)
        return;
    entry->has_opened = true;
    queue->sides[entry->is_write].opened++;
}

void pf_dram_queue_remove(PfDramQueue *queue, uint16_t index, uint32_t open_row)
{
    PfDramEntry *entry = &queue->entries[index];
    g_assert(entry->blockers == 0);
    list_remove(queue, index, open_row);
    age_remove(queue, index);
    queue->sides[entry->is_write].opened -= entry->has_opened;
    uint16_t *link = &queue->buckets[bucket_of(queue, entry->line)];
    while (*link != index)
        link = &queue->entries[*link].same_hash;
    *link = entry->same_hash;
    uint16_t write = entry->blocked_write;
    if (write != PF_DRAM_NONE && --queue->entries[write].blockers == 0)
        list_append(queue, write, open_row); /* the same line, so the same bank */
    entry->next = queue->free;
    queue->free = index;
}

void pf_dram_queue_row_changed(PfDramQueue *queue, uint32_t bank, uint32_t open_row)
{
    for (int i = 0; i < 2; i++) {
        PfDramList *list = &queue->sides[i].lists[bank];
        list->hit = next_hit(queue, list->first, open_row);
    }
}

void pf_dram_queue_init(PfDramQueue *queue, uint32_t banks, uint32_t reads, uint32_t writes)
{
    uint32_t entries = reads + writes + banks;
    uint32_t buckets = 64;
    while (buckets < 4 * entries)
        buckets *= 2;
    g_assert(entries < PF_DRAM_NONE && banks < PF_DRAM_NONE);
    *queue = (PfDramQueue){.entries = g_new0(PfDramEntry, entries),
                           .buckets = g_new(uint16_t, buckets),
                           .bucket_mask = buckets - 1,
                           .banks = banks,
                           .busy_words = (banks + 63) / 64};
    for (int i = 0; i < 2; i++)
        queue->sides[i] = (PfDramSide){.entries = i == 0 ? reads : writes,
                                       .lists = g_new(PfDramList, banks),
                                       .busy = g_new(uint64_t, queue->busy_words)};
    pf_dram_queue_reset(queue);
}

void pf_dram_queue_clear(PfDramQueue *queue)
{
    g_free(queue->entries);
    g_free(queue->buckets);
    for (int i = 0; i < 2; i++) {
        g_free(queue->sides[i].lists);
        g_free(queue->sides[i].busy);
    }
}

void pf_dram_queue_reset(PfDramQueue *queue)
{
    memset(queue->buckets, 0xff, (queue->bucket_mask + 1) * sizeof(*queue->buckets));
    uint32_t entries = queue->sides[0].entries + queue->sides[1].entries + queue->banks;
    for (uint32_t i = 0; i < entries; i++)
        queue->entries[i].next = (uint16_t)(i + 1 < entries ? i + 1 : PF_DRAM_NONE);
    queue->free = 0;
    for (int i = 0; i < 2; i++) {
        PfDramSide *side = &queue->sides[i];
        side->count = 0;
        side->opened = 0;
        side->listed = 0;
        side->oldest = PF_DRAM_NONE;
        side->newest = PF_DRAM_NONE;
        memset(side->lists, 0xff, queue->banks * sizeof(*side->lists));
        memset(side->busy, 0, queue->busy_words * sizeof(*side->busy));
    }
}
