#include "table.h"

#include <glib.h>

#include "units.h"

enum { SLOTS_MIN = 16 };

/* The slot that holds KEY, or the empty one where it belongs. */
static PfTableSlot *slot_of(const PfTable *table, uint64_t key)
{
    uint64_t i = pf_table_home(table, key);
    while (table->slots[i].key != key && table->slots[i].key != 0)
        i = (i + 1) & table->mask;
    return &table->slots[i];
}

static void resize(PfTable *table, uint64_t slots)
{
    g_assert(pf_is_power_of_two(slots));
    PfTable old = *table;
    table->slots = g_new0(PfTableSlot, slots);
    table->mask = slots - 1;
    if (old.slots == NULL)
        return;
    for (uint64_t i = 0; i <= old.mask; i++)
        if (old.slots[i].key != 0)
            *slot_of(table, old.slots[i].key) = old.slots[i];
    g_free(old.slots);
}

void pf_table_init(PfTable *table)
{
    *table = (PfTable){.slots = NULL};
}

void pf_table_clear(PfTable *table)
{
    g_free(table->slots);
    pf_table_init(table);
}

void pf_table_reserve(PfTable *table, uint64_t count)
{
    g_assert(count < (uint64_t)1 << 56);
    uint64_t slots = pf_next_power_of_two(MAX(SLOTS_MIN, count + count / 3 + 1));
    if (table->slots == NULL || slots > table->mask + 1)
        resize(table, slots);
}

uint64_t *pf_table_at(PfTable *table, uint64_t key)
{
    g_assert(key != 0);
    if (table->slots == NULL)
        resize(table, SLOTS_MIN);
    PfTableSlot *slot = slot_of(table, key);
    if (slot->key == key)
        return &slot->value;
    if (table->count + 1 > (table->mask + 1) / 4 * 3) {
        resize(table, (table->mask + 1) * 2);
        slot = slot_of(table, key);
    }
    *slot = (PfTableSlot){.key = key};
    table->count++;
    return &slot->value;
}

bool pf_table_insert(PfTable *table, uint64_t key, uint64_t value)
{
    if (key == 0) {
        bool is_new = !table->has_zero;
        table->has_zero = true;
        table->zero_value = value;
        table->count += is_new;
        return is_new;
    }
    uint64_t count = table->count;
    *pf_table_at(table, key) = value;
    return table->count > count;
}

/* Backward shift (Knuth, The Art of Computer Programming 3, 6.4, algorithm R): moves later keys of
 * the run into the hole as long as that does not put one before its home, so no mark of a deleted
 * key is needed. */
static void close_hole(PfTable *table, uint64_t hole)
{
    for (uint64_t i = (hole + 1) & table->mask; table->slots[i].key != 0;
         i = (i + 1) & table->mask) {
        uint64_t home = pf_table_home(table, table->slots[i].key);
        if (((i - home) & table->mask) >= ((i - hole) & table->mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = (PfTableSlot){0, 0};
}

bool pf_table_remove(PfTable *table, uint64_t key)
{
    if (key == 0) {
        table->count -= table->has_zero;
        bool was_there = table->has_zero;
        table->has_zero = false;
        return was_there;
    }
    PfTableSlot *slot = table->slots != NULL ? slot_of(table, key) : NULL;
    if (slot == NULL || slot->key == 0)
        return false;
    close_hole(table, (uint64_t)(slot - table->slots));
    table->count--;
    return true;
}
