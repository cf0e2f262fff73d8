#include "tlb.h"

#include <string.h>

#include "error.h"
#include "units.h"

enum { ENTRIES_MAX = 1 << 20, SIZES_MAX = 4 };

/* Up to here the ways of a set are compared one by one; more are found through the index, which
 * is then faster. */
enum { WAYS_SCANNED_MAX = 4 };

#define NO_PLACE UINT32_MAX

/* A place of the buffer. `number` is the page number in pages of the entry's size; `owner` is 0
 * where the place is empty. `stamp` orders the entries of a set by last use. */
typedef struct {
    uint64_t number;
    uint64_t owner;
    uint64_t stamp;
    PfTlbEntry entry;
} Place;

struct PfTlb {
    Place *places; /* sets of `ways` */
    uint32_t last; /* place of the last hit or insertion: asked first */
    uint32_t ways;
    uint64_t set_mask;
    uint64_t stamp;
    PfTlbStats *stats;
    /* Sizes that are present, small ones first, each with the number of its entries. */
    uint32_t size_count;
    uint8_t sizes[SIZES_MAX];
    uint32_t size_entries[SIZES_MAX];
    /* Chains of places by hash of the key; NULL where ways are few enough to be compared. */
    uint32_t *chain_heads;
    uint32_t *chain_next;
    unsigned chain_shift;
    uint32_t entries;
    uint64_t latency_cycles;
    PfTlbStats own_stats;
};

static const char *const replacement_names[] = {"lru", NULL};

const PfConfigField pf_tlb_fields[] = {
    {.key = "name",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfTlbConfig, name),
     .description = "What the buffer is called in statistics: tlb.NAME."},
    {.key = "entries",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbConfig, entries),
     .standard = "64",
     .min = 1,
     .max = ENTRIES_MAX,
     .unit = "entries",
     .description = "Translations held; divided by ways it must give a power of two of sets."},
    {.key = "ways",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbConfig, ways),
     .standard = "4",
     .max = ENTRIES_MAX,
     .unit = "entries",
     .description = "Entries in a set; 0 is fully associative."},
    {.key = "latency",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbConfig, latency_cycles),
     .standard = "1",
     .max = 1000000,
     .unit = "cycles",
     .description = "Time of a lookup."},
    {.key = "replacement",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfTlbConfig, replacement),
     .standard = "lru",
     .choices = replacement_names,
     .description = "Which entry of a full set makes room."},
};
const size_t pf_tlb_field_count = G_N_ELEMENTS(pf_tlb_fields);

static inline uint64_t owner_of(uint32_t space, unsigned size_shift)
{
    return (uint64_t)space << 8 | size_shift << 1 | 1;
}

static inline bool place_is(const Place *place, uint64_t number, uint64_t owner)
{
    return place->number == number && place->owner == owner;
}

/* Fibonacci hashing: the high bits of a product with 2^64 over the golden ratio. */
static inline uint32_t *chain_of(const PfTlb *tlb, uint64_t number, uint64_t owner)
{
    uint64_t hash = (number ^ owner << 24) * 0x9e3779b97f4a7c15U;
    return &tlb->chain_heads[hash >> tlb->chain_shift];
}

static uint32_t set_start(const PfTlb *tlb, uint64_t number)
{
    return (uint32_t)(number & tlb->set_mask) * tlb->ways;
}

/* The place of the key, or NO_PLACE. */
static inline uint32_t find(const PfTlb *tlb, uint64_t number, uint64_t owner)
{
    if (tlb->chain_heads != NULL) {
        uint32_t place = *chain_of(tlb, number, owner);
        while (place != NO_PLACE && !place_is(&tlb->places[place], number, owner))
            place = tlb->chain_next[place];
        return place;
    }
    uint32_t start = set_start(tlb, number);
    for (uint32_t place = start; place < start + tlb->ways; place++)
        if (place_is(&tlb->places[place], number, owner))
            return place;
    return NO_PLACE;
}

static uint32_t find_page(const PfTlb *tlb, uint32_t space, PfVpn page)
{
    for (uint32_t i = 0; i < tlb->size_count; i++) {
        unsigned shift = tlb->sizes[i];
        uint32_t place = find(tlb, page.number >> shift, owner_of(space, shift));
        if (place != NO_PLACE)
            return place;
    }
    return NO_PLACE;
}

static const PfTlbEntry *lookup_behind_last(PfTlb *tlb, uint32_t space, PfVpn page)
{
    uint32_t place = find_page(tlb, space, page);
    if (place == NO_PLACE) {
        tlb->stats->misses++;
        return NULL;
    }
    tlb->stats->hits++;
    tlb->places[place].stamp = ++tlb->stamp;
    tlb->last = place;
    return &tlb->places[place].entry;
}

const PfTlbEntry *pf_tlb_lookup(PfTlb *tlb, uint32_t space, PfVpn page)
{
    const Place *last = &tlb->places[tlb->last];
    unsigned shift = last->entry.page_shift;
    if (place_is(last, page.number >> shift, owner_of(space, shift))) {
        tlb->stats->hits++;
        return &last->entry;
    }
    return lookup_behind_last(tlb, space, page);
}

bool pf_tlb_holds(const PfTlb *tlb, uint32_t space, PfVpn page)
{
    return find_page(tlb, space, page) != NO_PLACE;
}

static void size_added(PfTlb *tlb, unsigned size_shift)
{
    uint32_t i = 0;
    while (i < tlb->size_count && tlb->sizes[i] < size_shift)
        i++;
    if (i == tlb->size_count || tlb->sizes[i] != size_shift) {
        g_assert(tlb->size_count < SIZES_MAX);
        memmove(tlb->sizes + i + 1, tlb->sizes + i, tlb->size_count - i);
        memmove(tlb->size_entries + i + 1, tlb->size_entries + i,
                (tlb->size_count - i) * sizeof(*tlb->size_entries));
        tlb->sizes[i] = (uint8_t)size_shift;
        tlb->size_entries[i] = 0;
        tlb->size_count++;
    }
    tlb->size_entries[i]++;
}

static void size_removed(PfTlb *tlb, unsigned size_shift)
{
    uint32_t i = 0;
    while (tlb->sizes[i] != size_shift)
        i++;
    if (--tlb->size_entries[i] > 0)
        return;
    tlb->size_count--;
    memmove(tlb->sizes + i, tlb->sizes + i + 1, tlb->size_count - i);
    memmove(tlb->size_entries + i, tlb->size_entries + i + 1,
            (tlb->size_count - i) * sizeof(*tlb->size_entries));
}

static void empty_place(PfTlb *tlb, uint32_t index)
{
    Place *place = &tlb->places[index];
    if (tlb->chain_heads != NULL) {
        uint32_t *link = chain_of(tlb, place->number, place->owner);
        while (*link != index)
            link = &tlb->chain_next[*link];
        *link = tlb->chain_next[index];
    }
    size_removed(tlb, place->entry.page_shift);
    *place = (Place){0};
}

/* The place to use for a new entry of the set that starts at START: an empty one (stamp 0) before
 * the least recent. */
static uint32_t oldest_place(const PfTlb *tlb, uint32_t start)
{
    uint32_t oldest = start;
    for (uint32_t place = start + 1; place < start + tlb->ways; place++)
        if (tlb->places[place].stamp < tlb->places[oldest].stamp)
            oldest = place;
    return oldest;
}

void pf_tlb_insert(PfTlb *tlb, uint32_t space, PfVpn page, PfMpn mpn, bool writable,
                   unsigned size_shift)
{
    g_assert(size_shift <= PF_TLB_SIZE_SHIFT_MAX);
    uint32_t offset = (uint32_t)page.number & (((uint32_t)1 << size_shift) - 1);
    g_assert(mpn.number >= offset);
    uint64_t number = page.number >> size_shift;
    uint64_t owner = owner_of(space, size_shift);

    uint32_t index = find(tlb, number, owner);
    if (index == NO_PLACE) {
        index = oldest_place(tlb, set_start(tlb, number));
        if (tlb->places[index].owner != 0)
            empty_place(tlb, index);
        size_added(tlb, size_shift);
        if (tlb->chain_heads != NULL) {
            uint32_t *head = chain_of(tlb, number, owner);
            tlb->chain_next[index] = *head;
            *head = index;
        }
    }
    tlb->places[index] = (Place){
        .number = number,
        .owner = owner,
        .stamp = ++tlb->stamp,
        .entry = {.mpn = {mpn.number - offset},
                  .writable = writable,
                  .page_shift = (uint8_t)size_shift},
    };
    tlb->last = index;
}

static uint64_t drop_page(PfTlb *tlb, uint32_t space, PfVpn page)
{
    uint64_t dropped = 0;
    for (uint32_t place; (place = find_page(tlb, space, page)) != NO_PLACE; dropped++)
        empty_place(tlb, place);
    tlb->stats->invalidations += dropped;
    return dropped;
}

bool pf_tlb_invalidate_page(PfTlb *tlb, uint32_t space, PfVpn page)
{
    return drop_page(tlb, space, page) > 0;
}

/* Whether PLACE belongs to SPACE and covers a page of first .. last. */
static bool place_overlaps(const Place *place, uint32_t space, uint64_t first, uint64_t last)
{
    if (place->owner == 0 || place->owner >> 8 != space)
        return false;
    unsigned shift = place->entry.page_shift;
    return place->number >= first >> shift && place->number <= last >> shift;
}

uint64_t pf_tlb_invalidate_range(PfTlb *tlb, uint32_t space, PfVpn first, uint64_t pages)
{
    uint64_t dropped = 0;
    if (pages == 0)
        return 0;
    /* A probe touches a set of each size, a sweep all entries: this is about where they meet. */
    if (pages <= tlb->entries / 16) {
        for (uint64_t i = 0; i < pages; i++)
            dropped += drop_page(tlb, space, (PfVpn){first.number + i});
        return dropped;
    }
    for (uint32_t i = 0; i < tlb->entries; i++)
        if (place_overlaps(&tlb->places[i], space, first.number, first.number + pages - 1)) {
            empty_place(tlb, i);
            dropped++;
        }
    tlb->stats->invalidations += dropped;
    return dropped;
}

uint64_t pf_tlb_invalidate_space(PfTlb *tlb, uint32_t space)
{
    return pf_tlb_invalidate_range(tlb, space, (PfVpn){0}, UINT64_MAX);
}

uint64_t pf_tlb_flush(PfTlb *tlb)
{
    uint64_t dropped = 0;
    for (uint32_t i = 0; i < tlb->size_count; i++)
        dropped += tlb->size_entries[i];
    tlb->stats->invalidations += dropped;
    pf_tlb_reset_state(tlb);
    return dropped;
}

static void register_stats(const PfTlbStats *stats, PfStatsGroup *group)
{
    pf_stats_counter(group, "hits", "events", "Lookups that found a translation.", &stats->hits);
    pf_stats_counter(group, "misses", "events", "Lookups that found none.", &stats->misses);
    pf_stats_counter(group, "invalidations", "events",
                     "Entries dropped because their mapping changed or went away.",
                     &stats->invalidations);
}

PfTlb *pf_tlb_new(const PfTlbConfig *config, PfStatsGroup *stats, GError **error)
{
    const char *name = config->name != NULL ? config->name : "(unnamed)";
    uint64_t ways = config->ways == 0 ? config->entries : config->ways;
    if (config->entries < 1 || config->entries > ENTRIES_MAX || config->entries % ways != 0 ||
        !pf_is_power_of_two(config->entries / ways)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "tlb %s: entries = %" G_GUINT64_FORMAT " (at most %d) is not a power of two of "
                    "sets of %" G_GUINT64_FORMAT " ways; change entries or ways", name,
                    config->entries, ENTRIES_MAX, ways);
        return NULL;
    }

    PfTlb *tlb = g_new0(PfTlb, 1);
    tlb->entries = (uint32_t)config->entries;
    tlb->ways = (uint32_t)ways;
    tlb->set_mask = config->entries / ways - 1;
    tlb->latency_cycles = config->latency_cycles;
    tlb->places = g_new0(Place, tlb->entries);
    tlb->stats = &tlb->own_stats;
    if (tlb->ways > WAYS_SCANNED_MAX) {
        uint64_t heads = pf_next_power_of_two(2 * (uint64_t)tlb->entries);
        tlb->chain_heads = g_new(uint32_t, heads);
        tlb->chain_next = g_new(uint32_t, tlb->entries);
        tlb->chain_shift = 64 - pf_log2(heads);
    }
    pf_tlb_reset_state(tlb);
    if (stats != NULL)
        register_stats(tlb->stats, stats);
    return tlb;
}

void pf_tlb_free(PfTlb *tlb)
{
    if (tlb == NULL)
        return;
    g_free(tlb->places);
    g_free(tlb->chain_heads);
    g_free(tlb->chain_next);
    g_free(tlb);
}

void pf_tlb_count_into(PfTlb *tlb, PfTlb *owner)
{
    g_assert(owner->stats == &owner->own_stats);
    tlb->stats = &owner->own_stats;
}

const PfTlbStats *pf_tlb_stats(const PfTlb *tlb)
{
    return tlb->stats;
}

uint64_t pf_tlb_latency_cycles(const PfTlb *tlb)
{
    return tlb->latency_cycles;
}

void pf_tlb_reset_state(PfTlb *tlb)
{
    memset(tlb->places, 0, tlb->entries * sizeof(*tlb->places));
    if (tlb->chain_heads != NULL)
        memset(tlb->chain_heads, 0xff, sizeof(uint32_t) << (64 - tlb->chain_shift));
    tlb->size_count = 0;
    tlb->last = 0;
}

void pf_tlb_check(const PfTlb *tlb)
{
    uint32_t present = 0;
    for (uint32_t i = 0; i < tlb->entries; i++) {
        const Place *place = &tlb->places[i];
        if (place->owner == 0)
            continue;
        present++;
        g_assert(place->stamp > 0 && place->stamp <= tlb->stamp);
        g_assert(i / tlb->ways == (place->number & tlb->set_mask));
        g_assert((place->owner >> 1 & 0x7f) == place->entry.page_shift);
        g_assert(find(tlb, place->number, place->owner) == i);
    }
    for (uint32_t i = 0; i < tlb->size_count; i++) {
        g_assert(tlb->size_entries[i] > 0 && tlb->size_entries[i] <= present);
        g_assert(i == 0 || tlb->sizes[i - 1] < tlb->sizes[i]);
        present -= tlb->size_entries[i];
    }
    g_assert(present == 0);
}
