#include "walker.h"

#include "error.h"
#include "tlb_array.h"

enum { LEVELS_MIN = 4, CACHES = PF_WALKER_LEVELS_MAX - 1 };

enum { INDEX_BITS = 9, ENTRY_BYTES = 8, TABLE_SHIFT = 12 };

/* Guest table pages have guest-physical page numbers from 2^35 up, 2^27 for each level: in the
 * upper half of what four levels of host tables span. */
enum { GUEST_TABLES_SHIFT = 35, GUEST_LEVEL_SHIFT = 27 };

typedef enum { TABLES_OWN, TABLES_HOST } Tables;

struct PfWalker {
    unsigned levels;
    unsigned host_levels;
    unsigned walkers;
    uint64_t latency_cycles;
    uint64_t free_at_cycles[PF_WALKERS_MAX];
    PfTlbArray caches[CACHES]; /* [i]: entries of level i + 1, leaves being level 0 */
    PfTlbArray nested;
    bool is_filled; /* something is in one of these */
    PfWalkerStats *stats;
    PfWalkerStats own_stats;
};

/* A walk in progress. */
typedef struct {
    PfWalker *walker;
    const PfWalkRequest *request;
    PfPort *port;
    PfRequest read;
    unsigned references;
} Walk;

/* The finaliser of MurmurHash3 (Appleby), which is a permutation: equal results mean equal keys. */
static uint64_t mix(uint64_t key)
{
    key = (key ^ key >> 33) * 0xff51afd7ed558ccdU;
    key = (key ^ key >> 33) * 0xc4ceb9fe1a85ec53U;
    return key ^ key >> 33;
}

/* Machine address of the entry for page number PAGE at LEVEL (0 holds the leaves of base pages). */
static PfMaddr entry_address(Tables tables, uint32_t space, unsigned level, uint64_t page)
{
    uint64_t entry = page >> INDEX_BITS * level;
    uint64_t tree = (uint64_t)space << 4 | level << 1 | (tables == TABLES_HOST);
    uint64_t table = mix(mix(tree) ^ entry >> INDEX_BITS) >> (64 + TABLE_SHIFT -
                                                              PF_WALKER_REGION_SHIFT);
    uint64_t index = entry & ((1U << INDEX_BITS) - 1);
    return (PfMaddr){PF_WALKER_REGION | table << TABLE_SHIFT | index * ENTRY_BYTES};
}

static uint64_t owner_of(uint32_t space, Tables tables)
{
    return (uint64_t)space << PF_TLB_OWNER_SHIFT | (unsigned)tables << 1 | 1;
}

/* Whether CACHE has NUMBER, which then was used. */
static bool cache_has(PfTlbArray *cache, uint64_t number, uint64_t owner)
{
    if (cache->entries == 0)
        return false;
    uint32_t place = pf_tlb_array_find(cache, number, owner);
    if (place == PF_TLB_NO_PLACE)
        return false;
    pf_tlb_array_touch(cache, place);
    return true;
}

static void cache_put(PfWalker *walker, PfTlbArray *cache, uint64_t number, uint64_t owner)
{
    uint64_t evicted;
    if (cache->entries == 0)
        return;
    pf_tlb_array_insert(cache, number, owner, (PfTlbEntry){0}, &evicted);
    walker->is_filled = true;
}

static void read_entry(Walk *walk, Tables tables, unsigned level, unsigned leaf, uint64_t page)
{
    PfWalker *walker = walk->walker;
    uint32_t space = walk->request->space;
    walk->read.address = entry_address(tables, space, level, page);
    walk->read.now_cycles =
        pf_port_wait(walk->port, pf_port_access(walk->port, &walk->read));
    walk->references++;
    if (level > leaf)
        cache_put(walker, &walker->caches[level - 1], page >> INDEX_BITS * level,
                  owner_of(space, tables));
}

/* The level that holds the leaf of a mapping of 2^SIZE_SHIFT base pages. */
static unsigned leaf_level(unsigned levels, unsigned size_shift)
{
    unsigned level = size_shift / INDEX_BITS;
    g_assert(level < levels);
    return level;
}

/* How many of LEVELS a walk to LEAF has to read: all to the leaf, or those below an entry that a
 * cache has. */
static unsigned first_level(Walk *walk, Tables tables, unsigned levels, unsigned leaf,
                            uint64_t page)
{
    uint64_t owner = owner_of(walk->request->space, tables);
    for (unsigned level = leaf + 1; level < levels; level++)
        if (cache_has(&walk->walker->caches[level - 1], page >> INDEX_BITS * level, owner))
            return level;
    return levels;
}

static void walk_host(Walk *walk, uint64_t guest_page)
{
    unsigned levels = walk->walker->host_levels;
    unsigned leaf = leaf_level(levels, walk->request->host_size_shift);
    for (unsigned level = first_level(walk, TABLES_HOST, levels, leaf, guest_page);
         level-- > leaf;)
        read_entry(walk, TABLES_HOST, level, leaf, guest_page);
}

/* The guest-physical page in which the guest's table of LEVEL lies. */
static uint64_t guest_table_page(const PfWalkRequest *request, unsigned level)
{
    uint64_t table = request->page.number >> INDEX_BITS * (level + 1);
    uint64_t number = ((uint64_t)1 << GUEST_TABLES_SHIFT) +
                      ((uint64_t)level << GUEST_LEVEL_SHIFT) + table;
    /* In base pages, of which a table may take several or a part of one. */
    return number << TABLE_SHIFT >> request->page_shift;
}

/* Finds the machine address of the guest's table of LEVEL. */
static void find_table(Walk *walk, unsigned level)
{
    uint64_t page = guest_table_page(walk->request, level);
    uint64_t owner = owner_of(walk->request->space, TABLES_HOST);
    if (cache_has(&walk->walker->nested, page, owner))
        return;
    walk_host(walk, page);
    cache_put(walk->walker, &walk->walker->nested, page, owner);
}

static void walk_tables(Walk *walk)
{
    const PfWalkRequest *request = walk->request;
    unsigned levels = walk->walker->levels;
    unsigned leaf = leaf_level(levels, request->size_shift);
    uint64_t page = request->page.number;
    unsigned first = first_level(walk, TABLES_OWN, levels, leaf, page);
    for (unsigned level = first; level-- > leaf;) {
        /* An entry that a cache had says where the table below it is. */
        if (request->nested && (level + 1 < first || first == levels))
            find_table(walk, level);
        read_entry(walk, TABLES_OWN, level, leaf, page);
    }
    if (request->nested)
        walk_host(walk, page);
}

/* The walker that is free first. */
static uint64_t *next_walker(PfWalker *walker)
{
    uint64_t *next = &walker->free_at_cycles[0];
    for (unsigned i = 1; i < walker->walkers; i++)
        if (walker->free_at_cycles[i] < *next)
            next = &walker->free_at_cycles[i];
    return next;
}

uint64_t pf_walker_walk(PfWalker *walker, PfPort *port, const PfWalkRequest *request)
{
    uint64_t *free_at = next_walker(walker);
    uint64_t start = request->now_cycles;
    if (walker->walkers > 0)
        start = MAX(start, *free_at);
    Walk walk = {
        .walker = walker,
        .request = request,
        .port = port,
        .read = {.now_cycles = start + walker->latency_cycles,
                 .size_bytes = ENTRY_BYTES,
                 .core = request->core,
                 .kind = PF_ACCESS_READ,
                 .actor = PF_ACTOR_WALKER},
    };
    walk_tables(&walk);
    *free_at = walk.read.now_cycles;

    PfWalkerStats *stats = walker->stats;
    stats->walks++;
    stats->references += walk.references;
    stats->spared += pf_walker_references(walker, request) - walk.references;
    stats->wait_cycles += start - request->now_cycles;
    pf_histogram_add(&stats->cycles, walk.read.now_cycles - request->now_cycles);
    return walk.read.now_cycles;
}

unsigned pf_walker_references(const PfWalker *walker, const PfWalkRequest *request)
{
    unsigned own = walker->levels - leaf_level(walker->levels, request->size_shift);
    if (!request->nested)
        return own;
    unsigned host = walker->host_levels - leaf_level(walker->host_levels, request->host_size_shift);
    return (own + 1) * (host + 1) - 1;
}

static bool check_config(const PfWalkerConfig *config, GError **error)
{
    if (config->levels < LEVELS_MIN || config->levels > PF_WALKER_LEVELS_MAX ||
        config->host_levels < LEVELS_MIN || config->host_levels > PF_WALKER_LEVELS_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "walk: levels = %" G_GUINT64_FORMAT " and host_levels = %" G_GUINT64_FORMAT
                    " must be within %d .. %d", config->levels, config->host_levels, LEVELS_MIN,
                    PF_WALKER_LEVELS_MAX);
        return false;
    }
    static const char *const names[CACHES + 1] = {"l2", "l3", "l4", "l5", "nested"};
    for (unsigned i = 0; i <= CACHES; i++) {
        const PfWalkCacheConfig *cache = i < CACHES ? &config->caches[i] : &config->nested;
        const char *wrong = pf_tlb_array_refuse(cache->entries, cache->ways, PF_TLB_LRU);
        if (wrong == NULL)
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "walk.cache: %s_entries = %" G_GUINT64_FORMAT " with %s_ways = "
                    "%" G_GUINT64_FORMAT " %s", names[i], cache->entries, names[i], cache->ways,
                    wrong);
        return false;
    }
    return true;
}

static void register_stats(PfWalkerStats *own, PfStatsGroup *stats)
{
    pf_stats_counter(stats, "walks", "events", "Page walks after a miss of all TLB levels.",
                     &own->walks);
    pf_stats_counter(stats, "references", "events", "Page-table entries that walks read.",
                     &own->references);
    pf_stats_counter(stats, "spared", "events",
                     "Page-table entries that they would have read without walk caches, too.",
                     &own->spared);
    pf_stats_counter(stats, "wait_cycles", "cycles", "Time that walks waited for a walker.",
                     &own->wait_cycles);
    pf_stats_histogram(stats, "cycles_%s", "cycles", "Time of a page walk.", &own->cycles, 1.0);
}

PfWalker *pf_walker_new(const PfWalkerConfig *config, PfStatsGroup *stats, GError **error)
{
    if (!check_config(config, error))
        return NULL;
    PfWalker *walker = g_new0(PfWalker, 1);
    walker->stats = &walker->own_stats;
    walker->levels = (unsigned)config->levels;
    walker->host_levels = (unsigned)config->host_levels;
    walker->walkers = (unsigned)config->walkers;
    walker->latency_cycles = config->latency_cycles;
    for (unsigned i = 0; i < CACHES; i++)
        pf_tlb_array_init(&walker->caches[i], config->caches[i].entries, config->caches[i].ways,
                          PF_TLB_LRU);
    pf_tlb_array_init(&walker->nested, config->nested.entries, config->nested.ways, PF_TLB_LRU);
    if (stats != NULL)
        register_stats(walker->stats, stats);
    return walker;
}

void pf_walker_free(PfWalker *walker)
{
    if (walker == NULL)
        return;
    for (unsigned i = 0; i < CACHES; i++)
        pf_tlb_array_clear(&walker->caches[i]);
    pf_tlb_array_clear(&walker->nested);
    g_free(walker);
}

void pf_walker_count_into(PfWalker *walker, PfWalker *owner)
{
    g_assert(owner->stats == &owner->own_stats);
    walker->stats = &owner->own_stats;
}

const PfWalkerStats *pf_walker_stats(const PfWalker *walker)
{
    return walker->stats;
}

void pf_walker_forget(PfWalker *walker, uint32_t space)
{
    if (!walker->is_filled)
        return;
    for (unsigned i = 0; i < CACHES; i++)
        pf_tlb_array_forget(&walker->caches[i], space);
    pf_tlb_array_forget(&walker->nested, space);
}

void pf_walker_flush(PfWalker *walker)
{
    walker->is_filled = false;
    for (unsigned i = 0; i < CACHES; i++)
        pf_tlb_array_reset(&walker->caches[i]);
    pf_tlb_array_reset(&walker->nested);
}

void pf_walker_reset_state(PfWalker *walker)
{
    pf_walker_flush(walker);
    for (unsigned i = 0; i < PF_WALKERS_MAX; i++)
        walker->free_at_cycles[i] = 0;
}

void pf_walker_check(const PfWalker *walker)
{
    for (unsigned i = 0; i < CACHES; i++)
        pf_tlb_array_check(&walker->caches[i]);
    pf_tlb_array_check(&walker->nested);
    g_assert(walker->stats->walks == walker->stats->cycles.count);
    g_assert(walker->stats->references >= walker->stats->walks);
}
