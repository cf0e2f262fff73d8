#include "machine.h"

#include <inttypes.h>

#include "error.h"
#include "numa.h"
#include "rng.h"

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

static bool build_controller(PfMachine *machine, uint64_t seed, PfStats *stats, GError **error)
{
    const PfMachineConfig *config = machine->config;
    machine->controller = pf_controller_new(&config->controller,
                                            pf_hash_engine_port(machine->hash_engine),
                                            machine->coherence,
                                            (uint32_t)config->caches[0].line_bytes,
                                            pf_stats_group(stats, "controller"));
    if (machine->remaps)
        pf_controller_set_table(machine->controller, machine->table);
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
    if (!build_cores(machine, seed, stats, error) ||
        !pf_mmu_init(&machine->mmu, &config->mmu, machine->core_count, page_shift, stats, error))
        return NULL;
    machine->remaps = remaps;
    machine->tells_conflicts = tells_conflicts;
    if (!build_memory(machine, page_shift, stats, error) ||
        !machine_build_caches(machine, seed, stats, error) ||
        !build_cams(machine, page_shift, seed, stats, error) ||
        !build_controller(machine, seed, stats, error))
        return NULL;
    return g_steal_pointer(&machine);
}

void pf_machine_free(PfMachine *machine)
{
    if (machine == NULL)
        return;
    for (unsigned core = 0; core < machine->core_count; core++)
        pf_core_free(machine->cores[core]);
    machine_free_caches(machine);
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
    g_free(machine);
}

void pf_machine_check(const PfMachine *machine)
{
    for (unsigned core = 0; core < machine->core_count; core++)
        pf_core_check(machine->cores[core]);
    for (unsigned i = 0; i < machine->core_count * machine->config->cache_count; i++)
        pf_cache_check(machine->caches[i]);
    pf_coherence_check(machine->coherence);
    pf_mmu_check(&machine->mmu);
    pf_dram_check(machine->dram);
    pf_indirection_check(machine->table);
    pf_hash_engine_check(machine->hash_engine);
    for (unsigned i = 0; i < machine->cam_count; i++)
        pf_cam_check(machine->cams[i]);
}
