#include "tlb.h"

#include "error.h"
#include "units.h"

/* How entries of one size are held. */
typedef struct {
    PfTlbArray *array; /* NULL: nowhere */
    uint8_t page_shift; /* of the entries; less than the size's if it is held in pieces */
    uint8_t latency_cycles;
} Holding;

struct PfTlb {
    PfTlbPlace *last; /* of the last hit or insertion: asked first */
    PfTlbStats *stats;
    Holding sizes[PF_TLB_SIZES];
    uint32_t present[PF_TLB_SIZES]; /* entries that cover so much */
    PfTlbArray arrays[PF_TLB_SIZES];
    uint64_t miss_cycles;
    PfTlbStats own_stats;
};

static inline unsigned size_of_shift(unsigned shift)
{
    return shift / PF_TLB_SIZE_BITS;
}

static inline uint64_t owner_of(uint32_t space, unsigned page_shift)
{
    return (uint64_t)space << PF_TLB_OWNER_SHIFT | page_shift << 1 | 1;
}

static unsigned owner_size(uint64_t owner)
{
    return size_of_shift(owner >> 1 & 0x7f);
}

/* The place of an entry of SIZE that covers PAGE, or PF_TLB_NO_PLACE. An entry that is there is in
 * the array in which the level would put it. */
static inline uint32_t find(const PfTlb *tlb, unsigned size, uint32_t space, PfVpn page)
{
    unsigned shift = size * PF_TLB_SIZE_BITS;
    return pf_tlb_array_find(tlb->sizes[size].array, page.number >> shift,
                             owner_of(space, shift));
}

static const PfTlbEntry *lookup_behind_last(PfTlb *tlb, uint32_t space, PfVpn page)
{
    for (unsigned size = 0; size < PF_TLB_SIZES; size++) {
        if (tlb->present[size] == 0)
            continue;
        uint32_t place = find(tlb, size, space, page);
        if (place == PF_TLB_NO_PLACE)
            continue;
        PfTlbArray *array = tlb->sizes[size].array;
        pf_tlb_array_touch(array, place);
        tlb->stats->hits++;
        tlb->last = &array->places[place];
        return &tlb->last->entry;
    }
    tlb->stats->misses++;
    return NULL;
}

const PfTlbEntry *pf_tlb_lookup(PfTlb *tlb, uint32_t space, PfVpn page)
{
    const PfTlbPlace *last = tlb->last;
    unsigned shift = last->entry.page_shift;
    if (pf_tlb_place_is(last, page.number >> shift, owner_of(space, shift))) {
        tlb->stats->hits++;
        return &last->entry;
    }
    return lookup_behind_last(tlb, space, page);
}

bool pf_tlb_holds(const PfTlb *tlb, uint32_t space, PfVpn page)
{
    for (unsigned size = 0; size < PF_TLB_SIZES; size++)
        if (tlb->present[size] > 0 && find(tlb, size, space, page) != PF_TLB_NO_PLACE)
            return true;
    return false;
}

void pf_tlb_insert(PfTlb *tlb, uint32_t space, PfVpn page, PfMpn mpn, bool writable,
                   unsigned size_shift)
{
    unsigned size = size_of_shift(size_shift);
    g_assert(size < PF_TLB_SIZES && size * PF_TLB_SIZE_BITS == size_shift);
    const Holding *holding = &tlb->sizes[size];
    if (holding->array == NULL)
        return;
    unsigned shift = holding->page_shift;
    uint32_t offset = (uint32_t)page.number & (((uint32_t)1 << shift) - 1);
    g_assert(mpn.number >= offset);
    PfTlbEntry entry = {.mpn = {mpn.number - offset},
                        .writable = writable,
                        .page_shift = (uint8_t)shift,
                        .size_shift = (uint8_t)size_shift,
                        .latency_cycles = holding->latency_cycles};
    uint64_t owner = owner_of(space, shift);
    uint64_t number = page.number >> shift;
    bool is_new = pf_tlb_array_find(holding->array, number, owner) == PF_TLB_NO_PLACE;
    uint64_t evicted;
    uint32_t place = pf_tlb_array_insert(holding->array, number, owner, entry, &evicted);
    tlb->present[size_of_shift(shift)] += is_new;
    if (evicted != 0)
        tlb->present[owner_size(evicted)]--;
    tlb->last = &holding->array->places[place];
}

static void drop(PfTlb *tlb, PfTlbArray *array, uint32_t place)
{
    tlb->present[owner_size(array->places[place].owner)]--;
    pf_tlb_array_empty(array, place);
}

static uint64_t drop_page(PfTlb *tlb, uint32_t space, PfVpn page)
{
    uint64_t dropped = 0;
    for (unsigned size = 0; size < PF_TLB_SIZES; size++) {
        if (tlb->present[size] == 0)
            continue;
        uint32_t place = find(tlb, size, space, page);
        if (place == PF_TLB_NO_PLACE)
            continue;
        drop(tlb, tlb->sizes[size].array, place);
        dropped++;
    }
    tlb->stats->invalidations += dropped;
    return dropped;
}

bool pf_tlb_invalidate_page(PfTlb *tlb, uint32_t space, PfVpn page)
{
    return drop_page(tlb, space, page) > 0;
}

/* Whether PLACE belongs to SPACE and covers a page of first .. last. */
static bool place_overlaps(const PfTlbPlace *place, uint32_t space, uint64_t first, uint64_t last)
{
    if (place->owner == 0 || place->owner >> PF_TLB_OWNER_SHIFT != space)
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
    if (pages <= tlb->arrays[0].entries / 16) {
        for (uint64_t i = 0; i < pages; i++)
            dropped += drop_page(tlb, space, (PfVpn){first.number + i});
        return dropped;
    }
    uint64_t last = pages - 1 > UINT64_MAX - first.number ? UINT64_MAX : first.number + pages - 1;
    for (unsigned i = 0; i < PF_TLB_SIZES; i++) {
        PfTlbArray *array = &tlb->arrays[i];
        for (uint32_t place = 0; place < array->entries; place++)
            if (place_overlaps(&array->places[place], space, first.number, last)) {
                drop(tlb, array, place);
                dropped++;
            }
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
    for (unsigned size = 0; size < PF_TLB_SIZES; size++)
        dropped += tlb->present[size];
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

static bool build_array(PfTlb *tlb, unsigned size, const char *name, const PfTlbConfig *config,
                        uint64_t entries, uint64_t ways, GError **error)
{
    static const char *const keys[PF_TLB_SIZES] = {"", "large.", "huge."};
    const char *wrong = pf_tlb_array_refuse(entries, ways, config->replacement);
    if (entries == 0)
        wrong = "must be at least 1";
    if (wrong == NULL) {
        pf_tlb_array_init(&tlb->arrays[size], entries, ways, config->replacement);
        return true;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                "tlb.%s: %sentries = %" G_GUINT64_FORMAT " (at most %d) with ways = "
                "%" G_GUINT64_FORMAT " %s", name, keys[size], entries, PF_TLB_ENTRIES_MAX, ways,
                wrong);
    return false;
}

static bool build_size(PfTlb *tlb, unsigned size, const char *name, const PfTlbConfig *config,
                       GError **error)
{
    const PfTlbSizeConfig *own = size == 1 ? &config->large : &config->huge;
    Holding *holding = &tlb->sizes[size];
    const Holding *smaller = &tlb->sizes[size - 1];
    switch ((PfTlbHeld)own->held) {
    case PF_TLB_SHARED:
        *holding = *smaller;
        holding->page_shift = (uint8_t)(size * PF_TLB_SIZE_BITS);
        return true;
    case PF_TLB_PIECES:
        *holding = *smaller;
        return true;
    case PF_TLB_OWN:
        *holding = (Holding){.array = &tlb->arrays[size],
                             .page_shift = (uint8_t)(size * PF_TLB_SIZE_BITS),
                             .latency_cycles = (uint8_t)own->latency_cycles};
        tlb->miss_cycles = MAX(tlb->miss_cycles, own->latency_cycles);
        return build_array(tlb, size, name, config, own->entries, own->ways, error);
    case PF_TLB_NOWHERE:
        return true;
    }
    g_assert_not_reached();
}

PfTlb *pf_tlb_new(const char *name, const PfTlbConfig *config, PfStatsGroup *stats,
                  GError **error)
{
    g_autoptr(PfTlb) tlb = g_new0(PfTlb, 1);
    tlb->stats = &tlb->own_stats;
    tlb->miss_cycles = config->latency_cycles;
    tlb->sizes[0] = (Holding){.array = &tlb->arrays[0],
                              .latency_cycles = (uint8_t)config->latency_cycles};
    if (!build_array(tlb, 0, name, config, config->entries, config->ways, error))
        return NULL;
    for (unsigned size = 1; size < PF_TLB_SIZES; size++)
        if (!build_size(tlb, size, name, config, error))
            return NULL;
    pf_tlb_reset_state(tlb);
    if (stats != NULL)
        register_stats(tlb->stats, stats);
    return g_steal_pointer(&tlb);
}

void pf_tlb_free(PfTlb *tlb)
{
    if (tlb == NULL)
        return;
    for (unsigned i = 0; i < PF_TLB_SIZES; i++)
        pf_tlb_array_clear(&tlb->arrays[i]);
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

uint64_t pf_tlb_miss_cycles(const PfTlb *tlb)
{
    return tlb->miss_cycles;
}

void pf_tlb_reset_state(PfTlb *tlb)
{
    for (unsigned i = 0; i < PF_TLB_SIZES; i++) {
        pf_tlb_array_reset(&tlb->arrays[i]);
        tlb->present[i] = 0;
    }
    tlb->last = tlb->arrays[0].places;
}

void pf_tlb_check(const PfTlb *tlb)
{
    uint32_t counted[PF_TLB_SIZES] = {0};
    uint32_t all = 0;
    for (unsigned i = 0; i < PF_TLB_SIZES; i++) {
        const PfTlbArray *array = &tlb->arrays[i];
        all += pf_tlb_array_check(array);
        for (uint32_t j = 0; j < array->entries; j++) {
            const PfTlbPlace *place = &array->places[j];
            if (place->owner == 0)
                continue;
            unsigned size = owner_size(place->owner);
            g_assert(size_of_shift(place->entry.page_shift) == size);
            g_assert(tlb->sizes[size].array == array);
            counted[size]++;
        }
    }
    for (unsigned i = 0; i < PF_TLB_SIZES; i++) {
        g_assert(counted[i] == tlb->present[i]);
        all -= counted[i];
    }
    g_assert(all == 0);
}
