/* An array of a TLB or of a walk cache: sets of places, each with a key and an entry.
 *
 * A key is a number (of a page, in pages of the entry's size) and an owner, which is not 0 and
 * says in its bits from PF_TLB_OWNER_SHIFT on which address space it is. The number's low bits
 * choose the set. A set of few ways is searched one by one, others by a hash of the key; that is
 * for speed only. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

/* What an entry says. */
typedef struct {
    PfMpn mpn; /* frame of the first base page that the entry covers */
    bool writable;
    uint8_t page_shift;     /* log2 of the base pages that the entry covers; 0 for a base page */
    uint8_t size_shift;     /* the same of the mapping that it is of, or of a piece of */
    uint8_t latency_cycles; /* of a hit */
} PfTlbEntry;

typedef enum {
    PF_TLB_LRU, /* true least recently used */
    PF_TLB_PLRU /* a tree of bits in each set, each pointing away from the last use */
} PfTlbReplacement;

enum { PF_TLB_ENTRIES_MAX = 1 << 20, PF_TLB_PLRU_WAYS_MAX = 64, PF_TLB_OWNER_SHIFT = 8 };

#define PF_TLB_NO_PLACE UINT32_MAX

/* `stamp` orders the places of a set by last use; `owner` is 0 where the place is empty. */
typedef struct {
    uint64_t number;
    uint64_t owner;
    uint64_t stamp;
    PfTlbEntry entry;
} PfTlbPlace;

/* Members are for tlb_array.c and the inline functions. */
typedef struct {
    PfTlbPlace *places; /* sets of `ways`; NULL: no entries */
    uint32_t entries;
    uint32_t ways;
    uint64_t set_mask;
    uint64_t stamp;
    uint64_t *trees; /* by set; NULL: true LRU */
    /* Chains of places by hash of the key; NULL where ways are few enough to be compared. */
    uint32_t *chain_heads;
    uint32_t *chain_next;
    unsigned chain_shift;
} PfTlbArray;

/* Why ENTRIES in WAYS (0: fully associative) with REPLACEMENT cannot be, or NULL. */
const char *pf_tlb_array_refuse(uint64_t entries, uint64_t ways, int replacement);

/* An empty array; of no entries if ENTRIES is 0. They must be possible. */
void pf_tlb_array_init(PfTlbArray *array, uint64_t entries, uint64_t ways, int replacement);
void pf_tlb_array_clear(PfTlbArray *array);

/* Fibonacci hashing: the high bits of a product with 2^64 over the golden ratio. */
static inline uint32_t *pf_tlb_array_chain(const PfTlbArray *array, uint64_t number,
                                           uint64_t owner)
{
    uint64_t hash = (number ^ owner << 24) * 0x9e3779b97f4a7c15U;
    return &array->chain_heads[hash >> array->chain_shift];
}

static inline bool pf_tlb_place_is(const PfTlbPlace *place, uint64_t number, uint64_t owner)
{
    return place->number == number && place->owner == owner;
}

/* The place of the key, or PF_TLB_NO_PLACE; disturbs nothing. ARRAY must have entries. */
static inline uint32_t pf_tlb_array_find(const PfTlbArray *array, uint64_t number, uint64_t owner)
{
    if (array->chain_heads != NULL) {
        uint32_t place = *pf_tlb_array_chain(array, number, owner);
        while (place != PF_TLB_NO_PLACE &&
               !pf_tlb_place_is(&array->places[place], number, owner))
            place = array->chain_next[place];
        return place;
    }
    uint32_t start = (uint32_t)(number & array->set_mask) * array->ways;
    for (uint32_t place = start; place < start + array->ways; place++)
        if (pf_tlb_place_is(&array->places[place], number, owner))
            return place;
    return PF_TLB_NO_PLACE;
}

/* Behind pf_tlb_array_touch: trees. */
void pf_tlb_array_point_away(PfTlbArray *array, uint32_t place);

/* PLACE was used. */
static inline void pf_tlb_array_touch(PfTlbArray *array, uint32_t place)
{
    array->places[place].stamp = ++array->stamp;
    if (array->trees != NULL)
        pf_tlb_array_point_away(array, place);
}

/* The place of the key, just used, with ENTRY in it: where it was, else an empty place of its set,
 * else that whose turn it is, whose owner goes to RET_EVICTED (0: none went). */
uint32_t pf_tlb_array_insert(PfTlbArray *array, uint64_t number, uint64_t owner, PfTlbEntry entry,
                             uint64_t *ret_evicted);

/* Empties PLACE, which has an entry; or all places of SPACE; or all. */
void pf_tlb_array_empty(PfTlbArray *array, uint32_t place);
void pf_tlb_array_forget(PfTlbArray *array, uint32_t space);
void pf_tlb_array_reset(PfTlbArray *array);

/* Asserts: no key twice, each entry in its set and in the index. How many entries there are. */
uint32_t pf_tlb_array_check(const PfTlbArray *array);
