/* What waits in a DRAM channel: the entries of its read and its write queue, by bank in order of
 * arrival and by line. A part of dram.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PF_DRAM_NONE = UINT16_MAX };

typedef struct {
    uint64_t line;    /* number of the transaction in all memory */
    uint64_t arrival; /* clock */
    uint64_t sent;    /* clock from which its latency counts */
    uint64_t order;   /* of arrival */
    uint64_t tag;     /* the sender's */
    uint32_t row;
    uint16_t bank;
    uint16_t next; /* in the bank's list, newer */
    uint16_t previous;
    uint16_t newer; /* in the queue */
    uint16_t older;
    uint16_t same_hash;
    uint16_t blocked_write; /* of a read: the write to its line that must not pass it */
    uint16_t blockers;      /* of a write: such reads */
    uint8_t actor;
    bool is_write;
    bool has_begun;  /* a command was issued for it */
    bool has_opened; /* ... that opened its row; it takes no place in the queue any more */
} PfDramEntry;

/* Entries of one queue for one bank, in order. A write that is blocked is in none. */
typedef struct {
    uint16_t first;
    uint16_t last;
    uint16_t hit; /* the oldest for the open row */
} PfDramList;

typedef struct {
    uint32_t count;
    uint32_t opened; /* of COUNT, those that have opened their row */
    uint32_t entries; /* that the others may be */
    uint32_t listed; /* of COUNT, those that may be served */
    uint16_t oldest;
    uint16_t newest;
    PfDramList *lists; /* by bank */
    uint64_t *busy;    /* a bit for each bank with a list that is not empty */
} PfDramSide;

typedef struct {
    PfDramSide sides[2]; /* reads, writes */
    PfDramEntry *entries;
    uint16_t free; /* unused entries, linked by `next` */
    uint16_t *buckets;
    uint32_t bucket_mask;
    uint32_t banks;
    uint32_t busy_words;
    uint64_t arrivals;
} PfDramQueue;

/* Empty queues for so many READS and WRITES that have not opened their row. */
void pf_dram_queue_init(PfDramQueue *queue, uint32_t banks, uint32_t reads, uint32_t writes);
void pf_dram_queue_clear(PfDramQueue *queue);
/* Forgets all entries. */
void pf_dram_queue_reset(PfDramQueue *queue);

/* How many take a place in the queue of SIDE. */
static inline uint32_t pf_dram_queue_places(const PfDramSide *side)
{
    return side->count - side->opened;
}

/* Whether one more read or write can be added. */
static inline bool pf_dram_queue_has_room(const PfDramQueue *queue, bool is_write)
{
    return pf_dram_queue_places(&queue->sides[is_write]) < queue->sides[is_write].entries;
}

/* The order of the oldest entry, UINT64_MAX if there is none. */
static inline uint64_t pf_dram_queue_oldest(const PfDramQueue *queue)
{
    uint64_t oldest = UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        uint16_t index = queue->sides[i].oldest;
        if (index != PF_DRAM_NONE && queue->entries[index].order < oldest)
            oldest = queue->entries[index].order;
    }
    return oldest;
}

/* The write to LINE that waits, or PF_DRAM_NONE. */
uint16_t pf_dram_queue_find_write(const PfDramQueue *queue, uint64_t line);

/* Takes in a copy of ENTRY (its links and counts are set here), for which there is room; OPEN_ROW
 * is that of its bank. A write to a line with reads that wait is blocked until they are gone.
 * Where it is. */
uint16_t pf_dram_queue_add(PfDramQueue *queue, const PfDramEntry *entry, uint32_t open_row);

/* Entry INDEX has opened its row: it gives up its place, unless as many as there are banks have. */
void pf_dram_queue_open(PfDramQueue *queue, uint16_t index);

/* Drops entry INDEX, served; OPEN_ROW as above. */
void pf_dram_queue_remove(PfDramQueue *queue, uint16_t index, uint32_t open_row);

/* The row of BANK has been opened or closed: looks for hits. */
void pf_dram_queue_row_changed(PfDramQueue *queue, uint32_t bank, uint32_t open_row);
