#include "machine.h"

#include <inttypes.h>

#include "error.h"
#include "numa.h"
#include "rng.h"

static bool serves(const PfCacheConfig *cache, PfCacheServes side)
{
    return cache->serves == PF_CACHE_SERVES_ALL || cache->serves == (int)side;
}

static PfCache **cache_at(const PfMachine *machine, unsigned core, unsigned level)
{
    return &machine->caches[core * machine->config->cache_count + level];
}

/* What a miss of LEVEL asks: the next level outward that serves all that LEVEL does, else DRAM. */
static PfPort *next_port(const PfMachine *machine, unsigned core, unsigned level)
{
    const PfMachineConfig *config = machine->config;
    for (unsigned next = level + 1; next < config->cache_count; next++)
        if (config->caches[next].serves == PF_CACHE_SERVES_ALL ||
            config->caches[next].serves == config->caches[level].serves)
            return next + 1 == config->cache_count && machine->conflicts != NULL
                       ? pf_conflicts_port(machine->conflicts)
                       : pf_cache_port(*cache_at(machine, core, next));
    return machine->remaps ? pf_indirection_port(machine->table) : pf_numa_port(machine->numa);
}

static bool build_cache(PfMachine *machine, unsigned core, unsigned level, uint64_t seed,
                        PfStats *stats, GError **error)
{
    const PfCacheConfig *config = &machine->config->caches[level];
    PfCache **place = cache_at(machine, core, level);
    if (config->shared && core > 0) {
        *place = *cache_at(machine, 0, level);
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

/* Puts it before LEVEL, if that is the last one. Without it the statistic is null. */
static void tell_conflicts(PfMachine *machine, unsigned level, PfStats *stats)
{
    const PfCacheConfig *config = &machine->config->caches[level];
    if (level + 1 < machine->config->cache_count)
        return;
    PfStatsGroup *group = pf_stats_group(stats, "class");
    if (machine->tells_conflicts && level > 0 && config->shared)
        machine->conflicts = pf_conflicts_new(*cache_at(machine, 0, level),
                                              config->size_bytes / config->line_bytes,
                                              config->line_bytes, group);
    else
        pf_conflicts_register_none(group);
}

static bool build_caches(PfMachine *machine, uint64_t seed, PfStats *stats, GError **error)
{
    for (unsigned core = 0; core < machine->core_count; core++) {
        /* Outermost first: a level needs the next one's port. */
        for (unsigned level = machine->config->cache_count; level-- > 0;) {
            if (!build_cache(machine, core, level, seed, stats, error))
                return false;
            if (core == 0)
                tell_conflicts(machine, level, stats);
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
        pf_core_set_port(machine->cores[core], pf_cache_port(machine->data[core]));
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
    machine->cam_count = config->cam.is_ideal ? 1 : (unsigned)config->nodes;
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
            if (core == 0 || !config->caches[level].shared)
                pf_controller_add_cache(machine->controller, *cache_at(machine, core, level));
    pf_hash_engine_attach(machine->hash_engine, machine->controller);
    machine->engine = pf_core_new(&config->core, seed, NULL, error);
    return machine->engine != NULL;
}

/* Whether a quarter of a page has the line that the engine is to take the check bits of. */
static bool check_ecc_line(const PfMachineConfig *config, uint32_t page_bytes, GError **error)
{
    const PfHashEngineConfig *engine = &config->hash_engine;
    uint32_t line_bytes = MIN((uint32_t)config->caches[0].line_bytes, page_bytes);
    uint32_t last = pf_ecc_offset(page_bytes, line_bytes, UINT32_MAX, 0) / line_bytes;
    if (engine->kind != PF_HASH_ECC || engine->ecc_line <= last)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                "machine.hash_engine.ecc_line: %" PRIu64 " is above %" PRIu32
                ", the last line of a quarter of the trace's pages",
                engine->ecc_line, last);
    return false;
}

static bool build_memory(PfMachine *machine, unsigned page_shift, PfStats *stats, GError **error)
{
    const PfMachineConfig *config = machine->config;
    if (!check_ecc_line(config, (uint32_t)1 << page_shift, error))
        return false;
    machine->dram = pf_dram_new(&config->dram, config->clock_hz, pf_stats_group(stats, "dram"),
                                error);
    if (machine->dram == NULL)
        return false;
    machine->hash_engine = pf_hash_engine_new(&config->hash_engine, machine->core_count + 1,
                                              machine->dram, (uint32_t)1 << page_shift,
                                              (uint32_t)config->caches[0].line_bytes,
                                              pf_stats_group(stats, "hash_engine"));
    machine->numa =
        pf_numa_new(config, pf_hash_engine_port(machine->hash_engine), page_shift, stats);
    machine->table = pf_indirection_new(&config->remap, pf_numa_port(machine->numa), page_shift,
                                        pf_stats_group(stats, "remap"), error);
    return machine->table != NULL;
}

PfMachine *pf_machine_new(const PfMachineConfig *config, unsigned page_shift, bool remaps,
                          bool tells_conflicts, uint64_t seed, PfStats *stats, GError **error)
{
    g_autoptr(PfMachine) machine = g_new0(PfMachine, 1);
    machine->config = config;
    machine->core_count = (unsigned)config->cores + 1;
    machine->cores = g_new0(PfCore *, machine->core_count);
    machine->caches = g_new0(PfCache *, (size_t)machine->core_count * config->cache_count);
    machine->fetch = g_new0(PfCache *, machine->core_count);
    machine->data = g_new0(PfCache *, machine->core_count);
    if (!build_cores(machine, seed, stats, error) ||
        !pf_mmu_init(&machine->mmu, &config->mmu, machine->core_count, page_shift, stats, error))
        return NULL;
    machine->remaps = remaps;
    machine->tells_conflicts = tells_conflicts;
    if (!build_memory(machine, page_shift, stats, error) ||
        !build_caches(machine, seed, stats, error) ||
        !build_cams(machine, page_shift, seed, stats, error) ||
        !build_controller(machine, seed, stats, error))
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
            if (core == 0 || !machine->config->caches[level].shared)
                pf_cache_free(*cache_at(machine, core, level));
        pf_core_free(machine->cores[core]);
    }
    pf_conflicts_free(machine->conflicts);
    pf_mmu_clear(&machine->mmu);
    pf_hash_engine_free(machine->hash_engine);
    pf_core_free(machine->engine);
    pf_controller_free(machine->controller);
    pf_indirection_free(machine->table);
    pf_numa_free(machine->numa);
    pf_dram_free(machine->dram);
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
    pf_dram_check(machine->dram);
    pf_indirection_check(machine->table);
    pf_hash_engine_check(machine->hash_engine);
    for (unsigned i = 0; i < machine->cam_count; i++)
        pf_cam_check(machine->cams[i]);
}
