#include "machine.h"

#include "machine_memory.h"
#include "rng.h"

static bool serves(const PfCacheConfig *cache, PfCacheServes side)
{
    return cache->serves == PF_CACHE_SERVES_ALL || cache->serves == (int)side;
}

/* The core whose cache of LEVEL CORE has: itself, or where that is shared the first of its node. */
static unsigned owner_of(const PfMachine *machine, unsigned core, unsigned level)
{
    const uint8_t *node_of_core = machine->config->numa.nodes.node_of_core;
    unsigned owner = machine->config->caches[level].shared ? 0 : core;
    while (node_of_core[owner] != node_of_core[core])
        owner++;
    return owner;
}

static PfCache **cache_at(const PfMachine *machine, unsigned core, unsigned level)
{
    return &machine->caches[core * machine->config->cache_count + level];
}

/* What a miss of LEVEL asks: the next level outward that serves all that LEVEL does, else DRAM. */
static PfPort *next_port(PfMachine *machine, unsigned core, unsigned level)
{
    const PfMachineConfig *config = machine->config;
    unsigned node = config->numa.nodes.node_of_core[core];
    for (unsigned next = level + 1; next < config->cache_count; next++)
        if (config->caches[next].serves == PF_CACHE_SERVES_ALL ||
            config->caches[next].serves == config->caches[level].serves)
            return next + 1 == config->cache_count && machine->conflicts[node] != NULL
                       ? pf_conflicts_port(machine->conflicts[node])
                       : pf_cache_port(*cache_at(machine, core, next));
    return machine->remaps ? pf_indirection_port(machine->table) : machine_memory_port(machine);
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
    if (*place != NULL && core > 0)
        pf_cache_count_into(*place, *cache_at(machine, 0, level));
    return *place != NULL;
}

/* Puts it before LEVEL of CORE, if that is the last one. Without it the statistic is null. */
static void tell_conflicts(PfMachine *machine, unsigned core, unsigned level, PfStats *stats)
{
    const PfCacheConfig *config = &machine->config->caches[level];
    if (level + 1 < machine->config->cache_count || owner_of(machine, core, level) != core)
        return;
    unsigned node = machine->config->numa.nodes.node_of_core[core];
    PfStatsGroup *group = core == 0 ? pf_stats_group(stats, "class") : NULL;
    if (machine->tells_conflicts && level > 0 && config->shared)
        machine->conflicts[node] =
            pf_conflicts_new(*cache_at(machine, core, level),
                             config->size_bytes / config->line_bytes, config->line_bytes, group,
                             machine->conflicts[machine->config->numa.nodes.node_of_core[0]]);
    else if (group != NULL)
        pf_conflicts_register_none(group);
}

static bool build_caches(PfMachine *machine, uint64_t seed, PfStats *stats, GError **error)
{
    for (unsigned core = 0; core < machine->core_count; core++) {
        /* Outermost first: a level needs the next one's port. */
        for (unsigned level = machine->config->cache_count; level-- > 0;) {
            if (!build_cache(machine, core, level, seed, stats, error))
                return false;
            tell_conflicts(machine, core, level, stats);
        }
        for (unsigned level = machine->config->cache_count; level-- > 0;) {
            const PfCacheConfig *config = &machine->config->caches[level];
            if (serves(config, PF_CACHE_SERVES_FETCH)) {
                machine->fetch[core] = *cache_at(machine, core, level);
                machine->fetch_hit_cycles = config->latency_cycles;
            }
            if (serves(config, PF_CACHE_SERVES_DATA)) {
                machine->data[core] = *cache_at(machine, core, level);
                machine->data_hit_cycles = config->latency_cycles;
            }
        }
    }
    return true;
}

static bool build_cores(PfMachine *machine, uint64_t seed, PfStats *stats, GError **error)
{
    for (unsigned i = 0; i < machine->core_count; i++) {
        bool daemon = i + 1 == machine->core_count;
        g_autofree char *name =
            daemon ? g_strdup("daemon_core") : g_strdup_printf("core%u", i);
        PfRng rng = pf_rng_derive(seed, name);
        machine->cores[i] = pf_core_new(&machine->config->core, pf_rng_next(&rng),
                                        pf_stats_group(stats, name), error);
        if (machine->cores[i] == NULL)
            return false;
    }
    return true;
}

static bool build_cams(PfMachine *machine, unsigned page_shift, uint64_t seed, PfStats *stats,
                       GError **error)
{
    const PfMachineConfig *config = machine->config;
    machine->cam_count = config->cam.is_ideal ? 1 : (unsigned)config->numa.count;
    machine->cams = g_new0(PfCam *, machine->cam_count);
    PfRng rng = pf_rng_derive(seed, "cam");
    for (unsigned i = 0; i < machine->cam_count; i++) {
        machine->cams[i] = pf_cam_new(&config->cam, config->clock_hz, (uint32_t)1 << page_shift,
                                      pf_rng_next(&rng),
                                      i == 0 ? pf_stats_group(stats, "cam") : NULL, error);
        if (machine->cams[i] == NULL)
            return false;
        if (i > 0)
            pf_cam_count_into(machine->cams[i], machine->cams[0]);
    }
    return true;
}

/* The controller snoops every cache once. */
static bool build_controller(PfMachine *machine, uint64_t seed, PfStats *stats, GError **error)
{
    const PfMachineConfig *config = machine->config;
    machine->controller = pf_controller_new(&config->controller,
                                            pf_hash_engine_port(machine->hash_engine),
                                            (uint32_t)config->caches[0].line_bytes,
                                            pf_stats_group(stats, "controller"));
    if (machine->remaps)
        pf_controller_set_table(machine->controller, machine->table);
    for (unsigned core = 0; core < machine->core_count; core++)
        for (unsigned level = 0; level < config->cache_count; level++)
            if (owner_of(machine, core, level) == core)
                pf_controller_add_cache(machine->controller, *cache_at(machine, core, level));
    pf_hash_engine_attach(machine->hash_engine, machine->controller);
    machine->engine = pf_core_new(&config->core, seed, NULL, error);
    return machine->engine != NULL;
}

PfMachine *pf_machine_new(const PfMachineConfig *config, const PfMachineUse *use, PfStats *stats,
                          GError **error)
{
    g_autoptr(PfMachine) machine = g_new0(PfMachine, 1);
    machine->config = config;
    machine->core_count = (unsigned)config->cores + 1;
    machine->cores = g_new0(PfCore *, machine->core_count);
    machine->caches = g_new0(PfCache *, (size_t)machine->core_count * config->cache_count);
    machine->fetch = g_new0(PfCache *, machine->core_count);
    machine->data = g_new0(PfCache *, machine->core_count);
    if (!build_cores(machine, use->seed, stats, error) ||
        !pf_mmu_init(&machine->mmu, &config->mmu, machine->core_count, use->page_shift, stats,
                     error))
        return NULL;
    machine->remaps = use->remaps;
    machine->tells_conflicts = use->tells_conflicts;
    if (!machine_build_memory(machine, use, stats, error) ||
        !build_caches(machine, use->seed, stats, error) ||
        !build_cams(machine, use->page_shift, use->seed, stats, error) ||
        !build_controller(machine, use->seed, stats, error))
        return NULL;
    return g_steal_pointer(&machine);
}

void pf_machine_free(PfMachine *machine)
{
    if (machine == NULL)
        return;
    unsigned levels = machine->config->cache_count;
    for (unsigned core = 0; core < machine->core_count; core++) {
        for (unsigned level = 0; level < levels; level++)
            if (owner_of(machine, core, level) == core)
                pf_cache_free(*cache_at(machine, core, level));
        pf_core_free(machine->cores[core]);
    }
    for (unsigned node = 0; node < PF_NODES_MAX; node++)
        pf_conflicts_free(machine->conflicts[node]);
    pf_mmu_clear(&machine->mmu);
    pf_core_free(machine->engine);
    pf_controller_free(machine->controller);
    machine_free_memory(machine);
    for (unsigned i = 0; i < machine->cam_count; i++)
        pf_cam_free(machine->cams[i]);
    g_free(machine->cams);
    g_free(machine->cores);
    g_free(machine->caches);
    g_free(machine->fetch);
    g_free(machine->data);
    g_free(machine);
}

void pf_machine_check(const PfMachine *machine)
{
    for (unsigned core = 0; core < machine->core_count; core++) {
        for (unsigned level = 0; level < machine->config->cache_count; level++)
            pf_cache_check(*cache_at(machine, core, level));
        pf_core_check(machine->cores[core]);
    }
    pf_mmu_check(&machine->mmu);
    machine_check_memory(machine);
    for (unsigned i = 0; i < machine->cam_count; i++)
        pf_cam_check(machine->cams[i]);
}
