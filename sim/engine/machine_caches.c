/* The caches of a machine: levels, who asks whom, and coherence between the private ones. */
#include "machine.h"
#include "machine_memory.h"
#include "rng.h"

static bool serves(const PfCacheConfig *cache, PfCacheServes side)
{
    return cache->serves == PF_CACHE_SERVES_ALL || cache->serves == (int)side;
}

static PfCache **cache_at(const PfMachine *machine, unsigned core, unsigned level)
{
    return &machine->caches[core * machine->config->cache_count + level];
}

static unsigned node_of(const PfMachine *machine, unsigned core)
{
    return machine->config->numa.nodes.node_of_core[core];
}

/* The core whose cache of LEVEL CORE has: itself, or where that is shared the first of its node. */
static unsigned owner_of(const PfMachine *machine, unsigned core, unsigned level)
{
    unsigned owner = machine->config->caches[level].shared ? 0 : core;
    while (node_of(machine, owner) != node_of(machine, core))
        owner++;
    return owner;
}

/* The next level outward that serves all that LEVEL does, or cache_count. */
static unsigned next_level(const PfMachineConfig *config, unsigned level)
{
    unsigned next = level + 1;
    while (next < config->cache_count && config->caches[next].serves != PF_CACHE_SERVES_ALL &&
           config->caches[next].serves != config->caches[level].serves)
        next++;
    return next;
}

/* What a miss of LEVEL asks: the next level or memory, from a private level to what is not by way
 * of the filter. */
static PfPort *next_port(PfMachine *machine, unsigned core, unsigned level)
{
    const PfMachineConfig *config = machine->config;
    unsigned next = next_level(config, level);
    bool is_cache = next < config->cache_count;
    PfConflicts *conflicts = machine->conflicts[node_of(machine, core)];
    PfPort *port = machine->remaps ? pf_indirection_port(machine->table)
                                   : machine_memory_port(machine);
    if (is_cache)
        port = next + 1 == config->cache_count && conflicts != NULL
                   ? pf_conflicts_port(conflicts)
                   : pf_cache_port(*cache_at(machine, core, next));
    if (config->caches[level].shared || (is_cache && !config->caches[next].shared))
        return port;
    return pf_coherence_port(machine->coherence, port,
                             is_cache ? config->caches[next].latency_cycles : 0);
}

/* Stores to the first level for data of CORE, if that is its own, ask the filter. */
static void keep_coherent(PfMachine *machine, unsigned core, unsigned level)
{
    const PfMachineConfig *config = machine->config;
    if (config->caches[level].shared)
        return;
    PfCache *first = *cache_at(machine, core, level);
    uint64_t reach_cycles = 0;
    unsigned next = next_level(config, level);
    while (next < config->cache_count && !config->caches[next].shared) {
        reach_cycles += config->caches[next].latency_cycles;
        level = next;
        next = next_level(config, level);
    }
    if (next < config->cache_count)
        reach_cycles += config->caches[next].latency_cycles;
    pf_cache_keep_coherent(first, next_port(machine, core, level), reach_cycles);
}

static bool build_cache(PfMachine *machine, unsigned core, unsigned level, uint64_t seed,
                        PfStats *stats, GError **error)
{
    const PfCacheConfig *config = &machine->config->caches[level];
    PfCache **place = cache_at(machine, core, level);
    unsigned owner = owner_of(machine, core, level);
    if (owner != core) {
        *place = *cache_at(machine, owner, level);
        return true;
    }
    g_autofree char *name = g_strdup_printf("cache.%s", config->name);
    PfStatsGroup *group = core == 0 ? pf_stats_group(stats, name) : NULL;
    PfRng rng = pf_rng_derive(seed + core, name);
    *place = pf_cache_new(config, next_port(machine, core, level), pf_rng_next(&rng), group, error);
    if (*place == NULL)
        return false;
    if (core > 0)
        pf_cache_count_into(*place, *cache_at(machine, 0, level));
    unsigned next = next_level(machine->config, level);
    if (next < machine->config->cache_count)
        pf_cache_attach(*place, *cache_at(machine, core, next));
    if (config->shared)
        pf_coherence_add_shared(machine->coherence, node_of(machine, core), *place);
    else
        pf_coherence_add_private(machine->coherence, core, *place);
    return true;
}

/* Puts it before LEVEL of CORE, if that is the last one. Without it the statistic is null. */
static void tell_conflicts(PfMachine *machine, unsigned core, unsigned level, PfStats *stats)
{
    const PfCacheConfig *config = &machine->config->caches[level];
    if (level + 1 < machine->config->cache_count || owner_of(machine, core, level) != core)
        return;
    PfStatsGroup *group = core == 0 ? pf_stats_group(stats, "class") : NULL;
    if (machine->tells_conflicts && level > 0 && config->shared)
        machine->conflicts[node_of(machine, core)] =
            pf_conflicts_new(*cache_at(machine, core, level),
                             config->size_bytes / config->line_bytes, config->line_bytes, group,
                             machine->conflicts[node_of(machine, 0)]);
    else if (group != NULL)
        pf_conflicts_register_none(group);
}

/* The first levels of CORE for fetches and for data. */
static void find_first_levels(PfMachine *machine, unsigned core)
{
    unsigned first = 0;
    for (unsigned level = machine->config->cache_count; level-- > 0;) {
        const PfCacheConfig *config = &machine->config->caches[level];
        if (serves(config, PF_CACHE_SERVES_FETCH)) {
            machine->fetch[core] = *cache_at(machine, core, level);
            machine->fetch_hit_cycles = config->latency_cycles;
        }
        if (serves(config, PF_CACHE_SERVES_DATA)) {
            machine->data[core] = *cache_at(machine, core, level);
            machine->data_hit_cycles = config->latency_cycles;
            first = level;
        }
    }
    keep_coherent(machine, core, first);
    pf_core_set_port(machine->cores[core], pf_cache_port(machine->data[core]));
}

bool machine_build_caches(PfMachine *machine, uint64_t seed, PfStats *stats, GError **error)
{
    const PfMachineConfig *config = machine->config;
    machine->caches = g_new0(PfCache *, (size_t)machine->core_count * config->cache_count);
    machine->fetch = g_new0(PfCache *, machine->core_count);
    machine->data = g_new0(PfCache *, machine->core_count);
    machine->coherence = pf_coherence_new(&config->coherence, machine->core_count,
                                          (uint32_t)config->caches[0].line_bytes,
                                          pf_stats_group(stats, "coherence"));
    pf_coherence_set_nodes(machine->coherence, &config->numa.nodes);
    for (unsigned core = 0; core < machine->core_count; core++) {
        /* Outermost first: a level needs the next one's port. */
        for (unsigned level = config->cache_count; level-- > 0;) {
            if (!build_cache(machine, core, level, seed, stats, error))
                return false;
            tell_conflicts(machine, core, level, stats);
        }
        find_first_levels(machine, core);
    }
    return true;
}

unsigned pf_machine_cache_count(const PfMachine *machine, unsigned level, unsigned cores)
{
    unsigned count = 0;
    for (unsigned core = 0; core < cores; core++)
        count += owner_of(machine, core, level) == core;
    return count;
}

void machine_free_caches(PfMachine *machine)
{
    unsigned levels = machine->config->cache_count;
    for (unsigned core = 0; machine->caches != NULL && core < machine->core_count; core++)
        for (unsigned level = 0; level < levels; level++)
            if (owner_of(machine, core, level) == core)
                pf_cache_free(*cache_at(machine, core, level));
    pf_coherence_free(machine->coherence);
    g_free(machine->caches);
    g_free(machine->fetch);
    g_free(machine->data);
}
