#include "esx_queue.h"

enum { ENTRY_BYTES = 24 };

void pf_esx_queue_init(PfEsxQueue *queue, uint64_t limit)
{
    g_queue_init(&queue->entries);
    queue->limit = limit;
}

void pf_esx_queue_clear(PfEsxQueue *queue)
{
    g_queue_clear_full(&queue->entries, g_free);
}

bool pf_esx_queue_push(PfEsxQueue *queue, PfEsxEntry entry)
{
    if (queue->entries.length >= queue->limit)
        return false;
    PfEsxEntry *pushed = g_new(PfEsxEntry, 1);
    *pushed = entry;
    g_queue_push_tail(&queue->entries, pushed);
    return true;
}

bool pf_esx_queue_pop(PfEsxQueue *queue, uint64_t now_cycles, PfEsxEntry *ret_entry)
{
    const PfEsxEntry *oldest = g_queue_peek_head(&queue->entries);
    if (oldest == NULL || oldest->due_cycles > now_cycles)
        return false;
    g_autofree PfEsxEntry *popped = g_queue_pop_head(&queue->entries);
    *ret_entry = *popped;
    return true;
}

uint64_t pf_esx_queue_bytes(const PfEsxQueue *queue)
{
    return (uint64_t)queue->entries.length * ENTRY_BYTES;
}
