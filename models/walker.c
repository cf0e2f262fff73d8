#include "walker.h"

#include "error.h"

enum { LEVELS_MIN = 4, LEVELS_MAX = 5 };

enum { INDEX_BITS = 9, ENTRY_BYTES = 8, TABLE_SHIFT = 12 };

/* Guest table pages have guest-physical page numbers from 2^35 up, 2^27 for each level: in the
 * upper half of what four levels of host tables span. */
enum { GUEST_TABLES_SHIFT = 35, GUEST_LEVEL_SHIFT = 27 };

typedef enum { TABLES_OWN, TABLES_HOST } Tables;

struct PfWalker {
    unsigned levels;
    unsigned host_levels;
    PfWalkerStats stats;
};

/* A walk in progress. */
typedef struct {
    PfPort *port;
    PfRequest read;
    uint32_t space;
    unsigned references;
} Walk;

const PfConfigField pf_walker_fields[] = {
    {.key = "levels",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWalkerConfig, levels),
     .standard = "4",
     .min = LEVELS_MIN,
     .max = LEVELS_MAX,
     .unit = "levels",
     .description = "Levels of a context's own page tables."},
    {.key = "host_levels",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWalkerConfig, host_levels),
     .standard = "4",
     .min = LEVELS_MIN,
     .max = LEVELS_MAX,
     .unit = "levels",
     .description = "Levels of the host's page tables in a nested walk."},
};
const size_t pf_walker_field_count = G_N_ELEMENTS(pf_walker_fields);

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

static void read_entry(Walk *walk, PfMaddr address)
{
    walk->read.address = address;
    walk->read.now_cycles =
        pf_port_wait(walk->port, pf_port_access(walk->port, &walk->read));
    walk->references++;
}

/* The level that holds the leaf of a mapping of 2^SIZE_SHIFT base pages. */
static unsigned leaf_level(unsigned levels, unsigned size_shift)
{
    unsigned level = size_shift / INDEX_BITS;
    g_assert(level < levels);
    return level;
}

static void walk_host(const PfWalker *walker, Walk *walk, const PfWalkRequest *request,
                      uint64_t guest_page)
{
    unsigned leaf = leaf_level(walker->host_levels, request->host_size_shift);
    for (unsigned level = walker->host_levels; level-- > leaf;)
        read_entry(walk, entry_address(TABLES_HOST, walk->space, level, guest_page));
}

/* The guest-physical page in which the guest's table of LEVEL for PAGE lies. */
static uint64_t guest_table_page(const PfWalkRequest *request, unsigned level)
{
    uint64_t table = request->page.number >> INDEX_BITS * (level + 1);
    uint64_t number = ((uint64_t)1 << GUEST_TABLES_SHIFT) +
                      ((uint64_t)level << GUEST_LEVEL_SHIFT) + table;
    /* In base pages, of which a table may take several or a part of one. */
    return number << TABLE_SHIFT >> request->page_shift;
}

uint64_t pf_walker_walk(PfWalker *walker, PfPort *port, const PfWalkRequest *request)
{
    Walk walk = {
        .port = port,
        .read = {.now_cycles = request->now_cycles,
                 .size_bytes = ENTRY_BYTES,
                 .core = request->core,
                 .kind = PF_ACCESS_READ,
                 .actor = PF_ACTOR_WALKER},
        .space = request->space,
    };
    unsigned leaf = leaf_level(walker->levels, request->size_shift);
    for (unsigned level = walker->levels; level-- > leaf;) {
        if (request->nested)
            walk_host(walker, &walk, request, guest_table_page(request, level));
        read_entry(&walk, entry_address(TABLES_OWN, request->space, level, request->page.number));
    }
    if (request->nested)
        walk_host(walker, &walk, request, request->page.number);

    walker->stats.walks++;
    walker->stats.references += walk.references;
    pf_histogram_add(&walker->stats.cycles, walk.read.now_cycles - request->now_cycles);
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

PfWalker *pf_walker_new(const PfWalkerConfig *config, PfStatsGroup *stats, GError **error)
{
    if (config->levels < LEVELS_MIN || config->levels > LEVELS_MAX ||
        config->host_levels < LEVELS_MIN || config->host_levels > LEVELS_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "walk: levels = %" G_GUINT64_FORMAT " and host_levels = %" G_GUINT64_FORMAT
                    " must be within %d .. %d", config->levels, config->host_levels, LEVELS_MIN,
                    LEVELS_MAX);
        return NULL;
    }
    PfWalker *walker = g_new0(PfWalker, 1);
    walker->levels = (unsigned)config->levels;
    walker->host_levels = (unsigned)config->host_levels;
    if (stats != NULL) {
        pf_stats_counter(stats, "walks", "events", "Page walks after a miss of all TLB levels.",
                         &walker->stats.walks);
        pf_stats_counter(stats, "references", "events", "Page-table entries that walks read.",
                         &walker->stats.references);
        pf_stats_histogram(stats, "cycles_%s", "cycles", "Time of a page walk.",
                           &walker->stats.cycles, 1.0);
    }
    return walker;
}

void pf_walker_free(PfWalker *walker)
{
    g_free(walker);
}

const PfWalkerStats *pf_walker_stats(const PfWalker *walker)
{
    return &walker->stats;
}

void pf_walker_reset_state(PfWalker *walker)
{
    (void)walker;
}

void pf_walker_check(const PfWalker *walker)
{
    g_assert(walker->levels >= LEVELS_MIN && walker->levels <= LEVELS_MAX);
    g_assert(walker->host_levels >= LEVELS_MIN && walker->host_levels <= LEVELS_MAX);
    g_assert(walker->stats.walks == walker->stats.cycles.count);
    g_assert(walker->stats.references >= walker->stats.walks);
}
