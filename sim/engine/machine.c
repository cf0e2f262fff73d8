#include "machine.h"

#include "machine_memory.h"
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

PfMachine *pf_machine_new(const PfMachineConfig *config, const PfMachineUse *use, PfStats *stats,
                          GError **error)
{
    g_autoptr(PfMachine) machine = g_new0(PfMachine, 1);
    machine->config = config;
    machine->core_count = (unsigned)config->cores + 1;
    machine->cores = g_new0(PfCore *, machine->core_count);
    if (!build_cores(machine, use->seed, stats, error) ||
        !pf_mmu_init(&machine->mmu, &config->mmu, machine->core_count, use->page_shift, stats,
                     error))
        return NULL;
    machine->remaps = use->remaps;
    machine->tells_conflicts = use->tells_conflicts;
    if (!machine_build_memory(machine, use, stats, error) ||
        !machine_build_caches(machine, use->seed, stats, error) ||
        !build_cams(machine, use->page_shift, use->seed, stats, error) ||
        !build_controller(machine, use->seed, stats, error))
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
    machine_check_memory(machine);
    for (unsigned i = 0; i < machine->cam_count; i++)
        pf_cam_check(machine->cams[i]);
}
