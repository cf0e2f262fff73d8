#include "machine_memory.h"

#include <inttypes.h>

#include "error.h"

static bool build_drams(PfMachine *machine, const PfMachineUse *use, PfStats *stats, GError **error)
{
    const PfMachineConfig *config = machine->config;
    const PfNodes *nodes = use->nodes;
    uint64_t load = use->has_background ? config->background.bytes_per_second / nodes->count : 0;
    PfDram *drams[PF_NODES_MAX] = {0};
    bool built = true;
    for (unsigned node = 0; node < nodes->count && built; node++) {
        PfStatsGroup *group = node == 0 ? pf_stats_group(stats, "dram") : NULL;
        drams[node] = pf_dram_new(&config->dram, config->clock_hz, group, error);
        if (drams[node] != NULL && node > 0)
            pf_dram_count_into(drams[node], drams[0]);
        built = drams[node] != NULL &&
                pf_dram_set_load(drams[node], load, config->background.row_hits, error);
    }
    machine->dram = drams[0];
    pf_homes_init(&machine->homes, nodes, drams, use->page_shift);
    return built;
}

/* What a core waits for a line of its own node, in picoseconds: the last cache's latency, and the
 * read of a closed row. */
static uint64_t local_ps(const PfMachine *machine)
{
    const PfMachineConfig *config = machine->config;
    const PfDramPreset *timing = pf_dram_preset(machine->dram);
    uint64_t clocks = (uint64_t)timing->rcd + timing->cl + timing->burst;
    return clocks * timing->tck_ps + pf_ps_from_cycles(pf_machine_reach(config), config->clock_hz);
}

/* The distance of the two nearest nodes, less 10. */
static uint64_t least_distance(const PfNodes *nodes)
{
    uint64_t least = PF_DISTANCE_MAX;
    for (unsigned i = 0; i < nodes->count; i++)
        for (unsigned j = 0; j < nodes->count; j++)
            if (i != j)
                least = MIN(least, nodes->distance[i][j]);
    return least - PF_DISTANCE_LOCAL;
}

/* Distances are to each other as latencies, unless somebody says what the shortest way takes. */
static PfInterconnectConfig interconnect_of(const PfMachine *machine, const PfNodes *nodes)
{
    const PfMachineConfig *config = machine->config;
    uint64_t given_ps = config->numa.remote_latency_ps;
    uint64_t unit_ps = given_ps == PF_CONFIG_AUTO
                           ? local_ps(machine)
                           : given_ps * PF_DISTANCE_LOCAL / least_distance(nodes);
    return (PfInterconnectConfig){.clock_hz = config->clock_hz,
                                  .line_bytes = config->caches[0].line_bytes,
                                  .unit_ps = unit_ps,
                                  .link_bytes_per_second = config->numa.link_bandwidth};
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

bool machine_build_memory(PfMachine *machine, const PfMachineUse *use, PfStats *stats,
                          GError **error)
{
    const PfMachineConfig *config = machine->config;
    if (!check_ecc_line(config, (uint32_t)1 << use->page_shift, error) ||
        !build_drams(machine, use, stats, error))
        return false;
    machine->hash_engine = pf_hash_engine_new(&config->hash_engine, machine->core_count + 1,
                                              &machine->homes, (uint32_t)1 << use->page_shift,
                                              (uint32_t)config->caches[0].line_bytes,
                                              pf_stats_group(stats, "hash_engine"));
    PfInterconnectConfig between = interconnect_of(machine, use->nodes);
    machine->interconnect = pf_interconnect_new(
        &between, &machine->homes, pf_hash_engine_port(machine->hash_engine),
        (unsigned)config->cores, pf_stats_group(stats, "numa"));
    if (use->tells_write_backs)
        pf_tap_init(&machine->tap, machine_memory_port(machine));
    machine->table = pf_indirection_new(&config->remap, machine_memory_port(machine),
                                        use->page_shift, pf_stats_group(stats, "remap"), error);
    return machine->table != NULL;
}

void machine_free_memory(PfMachine *machine)
{
    pf_indirection_free(machine->table);
    pf_interconnect_free(machine->interconnect);
    pf_hash_engine_free(machine->hash_engine);
    for (unsigned node = 0; node < PF_NODES_MAX; node++)
        pf_dram_free(machine->homes.drams[node]);
}

void machine_check_memory(const PfMachine *machine)
{
    pf_dram_check(machine->dram);
    pf_interconnect_check(machine->interconnect);
    pf_indirection_check(machine->table);
    pf_hash_engine_check(machine->hash_engine);
}

void pf_machine_listen(PfMachine *machine, PfTapListener listener, void *user)
{
    g_assert(machine->tap.next != NULL);
    machine->tap.listener = listener;
    machine->tap.user = user;
}

PfPort *machine_memory_port(PfMachine *machine)
{
    if (machine->tap.next != NULL)
        return &machine->tap.port;
    return machine->homes.nodes->count > 1 ? pf_interconnect_port(machine->interconnect)
                                           : pf_hash_engine_port(machine->hash_engine);
}
