#include "tlb_array.h"

#include <string.h>

#include "units.h"

/* Up to here the ways of a set are compared one by one; more are found through the index, which
 * is then faster. */
enum { WAYS_SCANNED_MAX = 4 };

const char *pf_tlb_array_refuse(uint64_t entries, uint64_t ways, int replacement)
{
    if (entries == 0)
        return NULL;
    ways = ways == 0 ? entries : ways;
    if (entries > PF_TLB_ENTRIES_MAX || entries % ways != 0 || !pf_is_power_of_two(entries / ways))
        return "is not a power of two of sets of so many ways; change entries or ways";
    if (replacement == PF_TLB_PLRU && (ways > PF_TLB_PLRU_WAYS_MAX || !pf_is_power_of_two(ways)))
        return "has no tree of bits; plru needs ways that are a power of two, at most 64";
    return NULL;
}

void pf_tlb_array_init(PfTlbArray *array, uint64_t entries, uint64_t ways, int replacement)
{
    g_assert(pf_tlb_array_refuse(entries, ways, replacement) == NULL);
    *array = (PfTlbArray){.entries = (uint32_t)entries};
    if (entries == 0)
        return;
    array->ways = (uint32_t)(ways == 0 ? entries : ways);
    uint64_t sets = entries / array->ways;
    array->set_mask = sets - 1;
    array->places = g_new0(PfTlbPlace, entries);
    if (replacement == PF_TLB_PLRU)
        array->trees = g_new0(uint64_t, sets);
    if (array->ways > WAYS_SCANNED_MAX) {
        uint64_t heads = pf_next_power_of_two(2 * entries);
        array->chain_heads = g_new(uint32_t, heads);
        array->chain_next = g_new(uint32_t, entries);
        array->chain_shift = 64 - pf_log2(heads);
    }
    pf_tlb_array_reset(array);
}

void pf_tlb_array_clear(PfTlbArray *array)
{
    g_clear_pointer(&array->places, g_free);
    g_clear_pointer(&array->trees, g_free);
    g_clear_pointer(&array->chain_heads, g_free);
    g_clear_pointer(&array->chain_next, g_free);
}

/* Nodes of a tree are bits 1 .. ways - 1, the children of node n are 2n and 2n + 1, and its leaves
 * are the ways. A bit that is set points to the right. */
void pf_tlb_array_point_away(PfTlbArray *array, uint32_t place)
{
    uint64_t *tree = &array->trees[place / array->ways];
    for (uint32_t node = place % array->ways + array->ways; node > 1; node /= 2) {
        bool is_right = node % 2 != 0;
        uint64_t bit = (uint64_t)1 << node / 2;
        *tree = is_right ? *tree & ~bit : *tree | bit;
    }
}

/* Which place of the full set that starts at START makes room. */
static uint32_t choose(const PfTlbArray *array, uint32_t start)
{
    if (array->trees != NULL) {
        uint64_t tree = array->trees[start / array->ways];
        uint32_t node = 1;
        while (node < array->ways)
            node = 2 * node + (uint32_t)(tree >> node & 1);
        return start + node - array->ways;
    }
    uint32_t oldest = start;
    for (uint32_t place = start + 1; place < start + array->ways; place++)
        if (array->places[place].stamp < array->places[oldest].stamp)
            oldest = place;
    return oldest;
}

static uint32_t make_room(PfTlbArray *array, uint32_t start, uint64_t *ret_evicted)
{
    /* An empty place has the least of stamps. */
    for (uint32_t i = 0; array->trees != NULL && i < array->ways; i++)
        if (array->places[start + i].owner == 0)
            return start + i;
    uint32_t place = choose(array, start);
    *ret_evicted = array->places[place].owner;
    if (*ret_evicted != 0)
        pf_tlb_array_empty(array, place);
    return place;
}

uint32_t pf_tlb_array_insert(PfTlbArray *array, uint64_t number, uint64_t owner, PfTlbEntry entry,
                             uint64_t *ret_evicted)
{
    *ret_evicted = 0;
    uint32_t index = pf_tlb_array_find(array, number, owner);
    if (index == PF_TLB_NO_PLACE) {
        uint32_t start = (uint32_t)(number & array->set_mask) * array->ways;
        index = make_room(array, start, ret_evicted);
        if (array->chain_heads != NULL) {
            uint32_t *head = pf_tlb_array_chain(array, number, owner);
            array->chain_next[index] = *head;
            *head = index;
        }
    }
    PfTlbPlace *place = &array->places[index];
    place->number = number;
    place->owner = owner;
    place->entry = entry;
    pf_tlb_array_touch(array, index);
    return index;
}

void pf_tlb_array_empty(PfTlbArray *array, uint32_t index)
{
    PfTlbPlace *place = &array->places[index];
    if (array->chain_heads != NULL) {
        uint32_t *link = pf_tlb_array_chain(array, place->number, place->owner);
        while (*link != index)
            link = &array->chain_next[*link];
        *link = array->chain_next[index];
    }
    *place = (PfTlbPlace){0};
}

void pf_tlb_array_forget(PfTlbArray *array, uint32_t space)
{
    for (uint32_t i = 0; i < array->entries; i++) {
        uint64_t owner = array->places[i].owner;
        if (owner != 0 && owner >> PF_TLB_OWNER_SHIFT == space)
            pf_tlb_array_empty(array, i);
    }
}

void pf_tlb_array_reset(PfTlbArray *array)
{
    if (array->entries == 0)
        return;
    memset(array->places, 0, array->entries * sizeof *array->places);
    if (array->trees != NULL)
        memset(array->trees, 0, array->entries / array->ways * sizeof *array->trees);
    if (array->chain_heads != NULL)
        memset(array->chain_heads, 0xff, sizeof(uint32_t) << (64 - array->chain_shift));
}

uint32_t pf_tlb_array_check(const PfTlbArray *array)
{
    uint32_t present = 0;
    for (uint32_t i = 0; i < array->entries; i++) {
        const PfTlbPlace *place = &array->places[i];
        if (place->owner == 0)
            continue;
        present++;
        g_assert(place->stamp > 0 && place->stamp <= array->stamp);
        g_assert(i / array->ways == (place->number & array->set_mask));
        g_assert(pf_tlb_array_find(array, place->number, place->owner) == i);
    }
    return present;
}
