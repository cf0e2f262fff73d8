/* A hash table from 64-bit keys to 64-bit values, for paths that are taken for each access: open
 * addressing with linear probing in one block of memory, 16 bytes a slot, at most three quarters
 * full. It cannot be iterated, since the order of a hash table must never reach a result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t key; /* 0: the slot is empty */
    uint64_t value;
} PfTableSlot;

typedef struct {
    PfTableSlot *slots; /* NULL until the first key that is not 0 */
    uint64_t mask;      /* slots - 1; a power of two of slots */
    uint64_t count;     /* keys, 0 included */
    uint64_t zero_value;
    bool has_zero; /* key 0 stands outside the slots, where it means empty */
} PfTable;

/* Makes TABLE empty. A table that is all zero is one too. */
void pf_table_init(PfTable *table);

/* Frees what TABLE holds; it is then as after _init. */
void pf_table_clear(PfTable *table);

/* Makes room for COUNT keys, so that inserting that many does not rehash. */
void pf_table_reserve(PfTable *table, uint64_t count);

/* Sets the value of KEY (any value, 0 included). True if the key is new. */
bool pf_table_insert(PfTable *table, uint64_t key, uint64_t value);

/* Where the value of KEY, which is not 0, stands: good until the table changes. A new key has 0. */
uint64_t *pf_table_at(PfTable *table, uint64_t key);

/* Removes KEY. False if it was not there. */
bool pf_table_remove(PfTable *table, uint64_t key);

/* The number of keys. */
static inline uint64_t pf_table_count(const PfTable *table)
{
    return table->count;
}

/* The bytes of memory that TABLE's slots take. */
static inline uint64_t pf_table_bytes(const PfTable *table)
{
    return table->slots == NULL ? 0 : (table->mask + 1) * sizeof(PfTableSlot);
}

/* The slot where the search for KEY begins: the finaliser of splitmix64 (see rng.h), since keys
 * are page numbers and addresses, whose low bits repeat. */
static inline uint64_t pf_table_home(const PfTable *table, uint64_t key)
{
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9U;
    key = (key ^ (key >> 27)) * 0x94d049bb133111ebU;
    return (key ^ (key >> 31)) & table->mask;
}

/* Whether KEY is there; if so RET_VALUE (may be NULL) gets its value. */
static inline bool pf_table_find(const PfTable *table, uint64_t key, uint64_t *ret_value)
{
    if (key == 0) {
        if (table->has_zero && ret_value != NULL)
            *ret_value = table->zero_value;
        return table->has_zero;
    }
    if (table->slots == NULL)
        return false;
    for (uint64_t i = pf_table_home(table, key);; i = (i + 1) & table->mask) {
        const PfTableSlot *slot = &table->slots[i];
        if (slot->key == key) {
            if (ret_value != NULL)
                *ret_value = slot->value;
            return true;
        }
        if (slot->key == 0)
            return false;
    }
}
