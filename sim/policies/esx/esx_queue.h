/* A bounded queue of pages to be looked at later. */
#pragma once

#include "policy.h"

typedef struct {
    PfPage page;
    uint64_t key;
    uint64_t due_cycles;
} PfEsxEntry;

typedef struct {
    GQueue entries; /* of PfEsxEntry */
    uint64_t limit; /* entries at most */
} PfEsxQueue;

/* Makes QUEUE empty. */
void pf_esx_queue_init(PfEsxQueue *queue, uint64_t limit);
void pf_esx_queue_clear(PfEsxQueue *queue);

/* Appends ENTRY; false if the queue is full. */
bool pf_esx_queue_push(PfEsxQueue *queue, PfEsxEntry entry);

/* Takes the oldest entry if it is due at NOW_CYCLES. */
bool pf_esx_queue_pop(PfEsxQueue *queue, uint64_t now_cycles, PfEsxEntry *ret_entry);

/* What the simulated system would spend on it: a page number, a key and a time each. */
uint64_t pf_esx_queue_bytes(const PfEsxQueue *queue);
