/* Parameters of a level of cache, and its making. */
#include <string.h>

#include "cache_internal.h"
#include "error.h"
#include "seg_array.h"
#include "units.h"

/* The shortest line: addresses then have 60 bits in an entry, more than machines' have. */
enum { LINE_BYTES_MIN = 4, LINE_BYTES_MAX = 4096, MSHRS_MAX = 1024 };

/* Above any machine; it keeps products of the geometry far from 64 bits. */
#define SIZE_BYTES_MAX (64 * PF_GIB)

static const char *const serves_names[] = {"all", "data", "fetch", NULL};
static const char *const replacement_names[] = {"lru", "random", "tree-plru", "srrip", NULL};
static const char *const write_names[] = {"back", "through", NULL};
static const char *const write_miss_names[] = {"allocate", "around", NULL};
static const char *const inclusion_names[] = {"none", "inclusive", "exclusive", NULL};

const PfConfigField pf_cache_fields[] = {
    {.key = "name",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfCacheConfig, name),
     .description = "What the level is called in statistics: cache.NAME."},
    {.key = "serves",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfCacheConfig, serves),
     .standard = "all",
     .choices = serves_names,
     .description = "Which requests of a core enter the hierarchy at this level."},
    {.key = "size",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(PfCacheConfig, size_bytes),
     .standard = "32KiB",
     .min = LINE_BYTES_MIN,
     .max = SIZE_BYTES_MAX,
     .unit = "bytes",
     .description = "Capacity; divided by ways and line it must give a power of two of sets."},
    {.key = "ways",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCacheConfig, ways),
     .standard = "8",
     .min = 1,
     .max = PF_CACHE_WAYS_MAX,
     .unit = "lines",
     .description = "Lines in a set."},
    {.key = "line",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(PfCacheConfig, line_bytes),
     .standard = "64",
     .min = LINE_BYTES_MIN,
     .max = LINE_BYTES_MAX,
     .power_of_two = true,
     .unit = "bytes",
     .description = "Bytes of a line, not more than a line of the level below has."},
    {.key = "latency",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCacheConfig, latency_cycles),
     .standard = "4",
     .max = 1000000,
     .unit = "cycles",
     .description = "Time of a hit, and of finding out that it is a miss."},
    {.key = "shared",
     .type = PF_CONFIG_BOOL,
     .offset = offsetof(PfCacheConfig, shared),
     .standard = "false",
     .description = "One for all cores of a node instead of one for each core."},
    {.key = "replacement",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfCacheConfig, replacement),
     .standard = "lru",
     .choices = replacement_names,
     .description = "Which line of a full set makes room."},
    {.key = "write",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfCacheConfig, write),
     .standard = "back",
     .choices = write_names,
     .description = "back: a store makes its line dirty; through: it goes on to the level below."},
    {.key = "write_miss",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfCacheConfig, write_miss),
     .standard = "allocate",
     .choices = write_miss_names,
     .description = "What a store does whose line is not held: bring it in, or go around."},
    {.key = "inclusion",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfCacheConfig, inclusion),
     .standard = "none",
     .choices = inclusion_names,
     .description = "inclusive: what levels above hold is held here, too, and leaves them when it "
                    "leaves here; exclusive: holds what has left the level above."},
    {.key = "mshrs",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCacheConfig, mshrs),
     .standard = "0",
     .max = MSHRS_MAX,
     .unit = "misses",
     .description = "Misses that the level may have outstanding; 0: any number."},
    {.key = "read_pJ",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfCacheConfig, read_pJ),
     .standard = "auto",
     .automatic = true,
     .unit = "pJ",
     .description = "Energy of a read or fetch that asks the level; auto: not known, and so is the "
                    "energy."},
    {.key = "write_pJ",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfCacheConfig, write_pJ),
     .standard = "auto",
     .automatic = true,
     .unit = "pJ",
     .description = "Energy of a write; auto: not known."},
    {.key = "leakage_mW",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfCacheConfig, leakage_mW),
     .standard = "auto",
     .automatic = true,
     .unit = "mW",
     .description = "Power that one such cache takes always; auto: not known."},
};
const size_t pf_cache_field_count = G_N_ELEMENTS(pf_cache_fields);

static uint64_t sets_of(const PfCacheConfig *config)
{
    return config->size_bytes / (config->ways * config->line_bytes);
}

bool pf_cache_is_possible(const PfCacheConfig *config, GError **error)
{
    const char *name = config->name != NULL ? config->name : "(unnamed)";
    if (config->ways < 1 || config->ways > PF_CACHE_WAYS_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "cache %s: ways = %" G_GUINT64_FORMAT " is not within 1 .. %d", name,
                    config->ways, PF_CACHE_WAYS_MAX);
        return false;
    }
    if (!pf_is_power_of_two(config->line_bytes) || config->line_bytes < LINE_BYTES_MIN ||
        config->line_bytes > LINE_BYTES_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "cache %s: line = %" G_GUINT64_FORMAT " is not a power of two within %d .. %d",
                    name, config->line_bytes, LINE_BYTES_MIN, LINE_BYTES_MAX);
        return false;
    }
    if (config->replacement == PF_CACHE_TREE_PLRU && !pf_is_power_of_two(config->ways)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "cache %s: a tree needs a power of two of ways, not %" G_GUINT64_FORMAT, name,
                    config->ways);
        return false;
    }
    if (config->size_bytes > SIZE_BYTES_MAX || !pf_is_power_of_two(sets_of(config)) ||
        config->size_bytes % (config->ways * config->line_bytes) != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "cache %s: size = %" G_GUINT64_FORMAT " is not a power of two of sets of %"
                    G_GUINT64_FORMAT " ways of %" G_GUINT64_FORMAT
                    " bytes; change size or ways", name, config->size_bytes, config->ways,
                    config->line_bytes);
        return false;
    }
    return true;
}

static void register_stats(const PfCacheStats *stats, PfStatsGroup *group)
{
    const PfStatCounter counters[] = {
        {"fetches", "events", &stats->accesses[PF_ACCESS_FETCH],
         "Instruction fetches that asked this level."},
        {"fetch_misses", "events", &stats->misses[PF_ACCESS_FETCH],
         "Fetches whose line was not held."},
        {"reads", "events", &stats->accesses[PF_ACCESS_READ],
         "Reads that asked this level, misses of stores above it included."},
        {"read_misses", "events", &stats->misses[PF_ACCESS_READ], "Reads whose line was not held."},
        {"writes", "events", &stats->accesses[PF_ACCESS_WRITE],
         "Stores of a core, or write-backs from the level above."},
        {"write_misses", "events", &stats->misses[PF_ACCESS_WRITE],
         "Writes whose line was not held."},
        {"writebacks", "events", &stats->writebacks, "Dirty lines evicted to the next level."},
        {"writes_through", "events", &stats->writes_through, "Stores passed on to the next level."},
        {"victim_fills", "events", &stats->victim_fills,
         "Clean lines taken in that the level above evicted."},
        {"invalidations", "events", &stats->invalidations,
         "Lines dropped because another core stored to them."},
        {"back_invalidations", "events", &stats->back_invalidations,
         "Lines dropped because an inclusive level behind evicted them."},
        {"mshr_stall_cycles", "cycles", &stats->mshr_stall_cycles,
         "Time that misses waited for one of the level's MSHRs."},
        {"hits_on_shared_frames", "events", &stats->hits_on_shared_frames,
         "Last level: hits on lines of frames that several pages map."},
        {"demand_evicted_by_policy", "events", &stats->demand_evicted_by_policy,
         "Lines that came for others and made room for a policy's."},
        {"accesses_demand", "events", &stats->accesses_by_actor[PF_ACTOR_DEMAND],
         "What contexts themselves asked."},
        {"accesses_walker", "events", &stats->accesses_by_actor[PF_ACTOR_WALKER],
         "What page walks asked."},
        {"accesses_policy", "events", &stats->accesses_by_actor[PF_ACTOR_POLICY],
         "What work for a policy asked."},
        {"misses_demand", "events", &stats->misses_by_actor[PF_ACTOR_DEMAND],
         "Misses of what contexts themselves do."},
        {"misses_walker", "events", &stats->misses_by_actor[PF_ACTOR_WALKER],
         "Misses of page walks."},
        {"misses_policy", "events", &stats->misses_by_actor[PF_ACTOR_POLICY],
         "Misses of work done for a policy."},
    };
    pf_stats_counters(group, counters, G_N_ELEMENTS(counters));
}

static const PfPortOps port_ops = {.access = pf_cache_access, .resolve = pf_cache_resolve};

PfCache *pf_cache_new(const PfCacheConfig *config, PfPort *next, uint64_t seed,
                      PfStatsGroup *stats, GError **error)
{
    if (!pf_cache_is_possible(config, error))
        return NULL;

    uint64_t sets = sets_of(config);
    PfCache *cache = g_new0(PfCache, 1);
    cache->port.ops = &port_ops;
    cache->line_shift = pf_log2(config->line_bytes);
    cache->line_bytes = (uint32_t)config->line_bytes;
    cache->ways = (uint32_t)config->ways;
    cache->set_mask = sets - 1;
    cache->latency_cycles = config->latency_cycles;
    cache->replacement = (uint8_t)config->replacement;
    cache->inclusion = (uint8_t)config->inclusion;
    cache->writes_through = config->write == PF_CACHE_WRITE_THROUGH;
    cache->write_allocates = config->write_miss == PF_CACHE_WRITE_ALLOCATE;
    if (cache->replacement == PF_CACHE_TREE_PLRU || cache->inclusion == PF_CACHE_EXCLUSIVE)
        cache->entry_bits = ENTRY_BUSY;
    cache->serves_cores = config->shared;
    cache->is_plain = cache->replacement == PF_CACHE_LRU && cache->write_allocates &&
                      !cache->writes_through && cache->inclusion != PF_CACHE_EXCLUSIVE;
    cache->rng = pf_rng_derive(seed, "cache-replacement");
    cache->next = next;
    cache->upper = g_ptr_array_new();
    cache->mshrs = (uint32_t)config->mshrs;
    cache->busy_until = g_new0(uint64_t, MAX(config->mshrs, 1));
    cache->stats = &cache->own_stats;
    /* Eight ways are then just one cache line of the host. */
    cache->entries_bytes = sets * config->ways * sizeof(uint64_t);
    cache->entries = pf_map_zeroed(cache->entries_bytes);
    if (stats != NULL)
        register_stats(cache->stats, stats);
    return cache;
}

void pf_cache_free(PfCache *cache)
{
    if (cache == NULL)
        return;
    g_ptr_array_free(cache->upper, TRUE);
    g_free(cache->busy_until);
    pf_unmap_zeroed(cache->entries, cache->entries_bytes);
    g_free(cache);
}

void pf_cache_count_into(PfCache *cache, PfCache *owner)
{
    g_assert(owner->stats == &owner->own_stats);
    cache->stats = &owner->own_stats;
}

/* Tells those above CACHE that some level below is inclusive. */
static void keep_included(PfCache *cache)
{
    for (guint i = 0; i < cache->upper->len; i++) {
        PfCache *upper = g_ptr_array_index(cache->upper, i);
        upper->keeps_included = true;
        keep_included(upper);
    }
}

void pf_cache_attach(PfCache *upper, PfCache *lower)
{
    g_assert(upper->lower == NULL && upper->line_bytes <= lower->line_bytes);
    g_assert(lower->inclusion != PF_CACHE_EXCLUSIVE || upper->line_bytes == lower->line_bytes);
    upper->lower = lower;
    upper->feeds_exclusive = lower->inclusion == PF_CACHE_EXCLUSIVE;
    g_ptr_array_add(lower->upper, upper);
    if (lower->inclusion == PF_CACHE_INCLUSIVE || lower->keeps_included)
        keep_included(lower);
}

void pf_cache_watch_hits(PfCache *cache, PfCacheIsShared is_shared, const void *user)
{
    cache->is_shared = is_shared;
    cache->is_shared_user = user;
    cache->entry_bits = ENTRY_BUSY;
}
