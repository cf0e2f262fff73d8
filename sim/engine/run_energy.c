/* Energy of a run: an account for each piece of hardware that takes some, and what of it is known.
 * An account without a figure is null, and so is the total. */
#include "run.h"

#include <math.h>

#define JOULES_PER_FJ 1e-15
#define JOULES_PER_PJ 1e-12
#define WATTS_PER_MW 1e-3

/* Since statistics count. */
static double seconds_of(const PfRun *run)
{
    return (double)(run->now_cycles - run->cycles_origin) /
           (double)run->machine_config->clock_hz;
}

/* JOULES, not a number where some of them are not known. */
static PfStatValue told(double joules)
{
    return isnan(joules) ? pf_stat_null() : pf_stat_double(joules);
}

/* Nothing where nothing happens, whatever it would take. */
static double spent_J(uint64_t events, double event_pJ)
{
    return events == 0 ? 0 : (double)events * event_pJ * JOULES_PER_PJ;
}

static const PfCamFigures *cam_figures(const PfRun *run)
{
    return pf_cam_figures_of(run->machine->cams[0]);
}

static double cam_dynamic_J(const PfRun *run)
{
    uint64_t spent_fJ = pf_cam_stats(run->machine->cams[0])->energy_fJ - run->cam_fJ_origin;
    return (double)spent_fJ * JOULES_PER_FJ;
}

static double cam_leakage_J(const PfRun *run)
{
    double leakage_W =
        pf_host_uses_cam(run->host) ? cam_figures(run)->leakage_W * run->machine->cam_count : 0;
    return leakage_W * seconds_of(run);
}

static PfStatValue read_cam_energy(const void *user)
{
    return pf_stat_double(cam_dynamic_J(user) + cam_leakage_J(user));
}

static PfStatValue read_cam_dynamic(const void *user)
{
    return pf_stat_double(cam_dynamic_J(user));
}

static PfStatValue read_cam_leaked(const void *user)
{
    return pf_stat_double(cam_leakage_J(user));
}

static PfStatValue read_cam_leakage(const void *user)
{
    const PfRun *run = user;
    double watts = cam_figures(run)->leakage_W * run->machine->cam_count;
    return pf_host_uses_cam(run->host) ? pf_stat_double(watts * 1e3) : pf_stat_null();
}

static PfStatValue read_cam_area(const void *user)
{
    const PfRun *run = user;
    double area = cam_figures(run)->area_mm2 * run->machine->cam_count;
    return pf_host_uses_cam(run->host) ? pf_stat_double(area) : pf_stat_null();
}

static PfStatValue read_cam_storage(const void *user)
{
    enum { BITS_PER_BYTE = 8 };
    const PfRun *run = user;
    if (!pf_host_uses_cam(run->host) || run->machine_config->cam.is_ideal)
        return pf_stat_null();
    return pf_stat_uint(run->machine_config->cam.entries * run->machine->cam_count *
                        cam_figures(run)->entry_bits / BITS_PER_BYTE);
}

bool run_cam_is_extrapolated(const PfRun *run)
{
    return pf_host_uses_cam(run->host) && cam_figures(run)->is_extrapolated;
}

static PfStatValue read_cam_extrapolated(const void *user)
{
    const PfRun *run = user;
    return pf_host_uses_cam(run->host) ? pf_stat_uint(run_cam_is_extrapolated(run))
                                       : pf_stat_null();
}

/* No bytes, no energy; else null without a figure. */
static PfStatValue read_hash_engine_energy(const void *user)
{
    const PfRun *run = user;
    uint64_t bytes =
        pf_hash_engine_stats(run->machine->hash_engine)->bytes - run->hash_bytes_origin;
    return told(spent_J(bytes, run->machine_config->hash_engine.energy_per_byte_pj));
}

/* Of an engine that no key is asked of, nothing. */
static PfStatValue read_hash_engine_leakage(const void *user)
{
    const PfRun *run = user;
    const PfHashEngine *engine = run->machine->hash_engine;
    if (!pf_hash_engine_is_on(engine))
        return pf_stat_double(0);
    double watts = run->machine_config->hash_engine.leakage_mW * WATTS_PER_MW;
    return told(watts * pf_hash_engine_units(engine) * seconds_of(run));
}

/* What DRAM has spent since statistics count. False where its preset has no currents, or where only
 * time is known, but not what it did, and NEEDS_REQUESTS. */
static bool find_dram_energy(const PfRun *run, bool needs_requests, PfDramEnergy *ret_spent)
{
    const PfDramEnergy *origin = &run->dram_origin;
    if (!pf_dram_energy(run->machine->dram, ret_spent) || (needs_requests && !run->work.full))
        return false;
    ret_spent->activate -= origin->activate;
    ret_spent->read -= origin->read;
    ret_spent->write -= origin->write;
    ret_spent->refresh -= origin->refresh;
    ret_spent->background -= origin->background;
    return true;
}

#define READ_DRAM(function, needs_requests, expression)                                            \
    static PfStatValue function(const void *user)                                                  \
    {                                                                                              \
        PfDramEnergy spent;                                                                        \
        return find_dram_energy(user, needs_requests, &spent) ? pf_stat_double(expression)         \
                                                              : pf_stat_null();                    \
    }
READ_DRAM(read_dram_activate, true, spent.activate)
READ_DRAM(read_dram_read_write, true, spent.read + spent.write)
READ_DRAM(read_dram_refresh, false, spent.refresh)
READ_DRAM(read_dram_background, false, spent.background)

/* What COUNTER of GROUP tells, as it tells it: since statistics count. */
static uint64_t count_of(const PfRun *run, const char *group, const char *counter)
{
    g_autofree char *name = g_strconcat(group, ".", counter, NULL);
    PfStatValue value;
    bool is_there = pf_stats_find(run->stats, name, &value);
    g_assert(is_there && value.kind == PF_STAT_UINT);
    return value.u;
}

/* Those of contexts, and the policy's own once it has worked there. */
static unsigned cores_of(const PfRun *run)
{
    const PfMachine *machine = run->machine;
    return machine->core_count - (machine->cores[machine->core_count - 1]->now_cycles == 0);
}

/* The dynamic energy of cores, caches and TLBs is known only if their work is simulated. */
static PfStatValue told_if_full(const PfRun *run, double joules)
{
    return run->work.full ? told(joules) : pf_stat_null();
}

static PfStatValue read_cores_dynamic(const void *user)
{
    const PfRun *run = user;
    uint64_t instructions = count_of(run, "daemon_core", "instructions");
    for (unsigned i = 0; i + 1 < run->machine->core_count; i++) {
        g_autofree char *core = g_strdup_printf("core%u", i);
        instructions += count_of(run, core, "instructions");
    }
    return told_if_full(run, spent_J(instructions, run->machine_config->core.instruction_pJ));
}

static PfStatValue read_cores_leakage(const void *user)
{
    const PfRun *run = user;
    double watts = run->machine_config->core.leakage_mW * WATTS_PER_MW;
    return told(watts * cores_of(run) * seconds_of(run));
}

static PfStatValue read_caches_dynamic(const void *user)
{
    const PfRun *run = user;
    double joules = 0;
    for (unsigned i = 0; i < run->machine_config->cache_count; i++) {
        const PfCacheConfig *cache = &run->machine_config->caches[i];
        g_autofree char *group = g_strconcat("cache.", cache->name, NULL);
        uint64_t reads = count_of(run, group, "reads") + count_of(run, group, "fetches");
        joules += spent_J(reads, cache->read_pJ) +
                  spent_J(count_of(run, group, "writes"), cache->write_pJ);
    }
    return told_if_full(run, joules);
}

static PfStatValue read_caches_leakage(const void *user)
{
    const PfRun *run = user;
    double watts = 0;
    for (unsigned i = 0; i < run->machine_config->cache_count; i++)
        watts += run->machine_config->caches[i].leakage_mW * WATTS_PER_MW *
                 pf_machine_cache_count(run->machine, i, cores_of(run));
    return told(watts * seconds_of(run));
}

static PfStatValue read_tlbs_dynamic(const void *user)
{
    const PfRun *run = user;
    const PfMmuConfig *mmu = &run->machine_config->mmu;
    const struct {
        const char *group;
        const PfTlbConfig *tlb;
    } tlbs[] = {{"tlb.l1i", &mmu->instruction}, {"tlb.l1d", &mmu->data}, {"tlb.l2", &mmu->second}};
    double joules = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbs); i++) {
        if (tlbs[i].tlb->entries == 0)
            continue;
        uint64_t lookups =
            count_of(run, tlbs[i].group, "hits") + count_of(run, tlbs[i].group, "misses");
        joules += spent_J(lookups, tlbs[i].tlb->lookup_pJ);
    }
    return told_if_full(run, joules);
}

static PfStatValue read_tlbs_leakage(const void *user)
{
    const PfRun *run = user;
    const PfMmuConfig *mmu = &run->machine_config->mmu;
    double milliwatts = mmu->instruction.leakage_mW + mmu->data.leakage_mW +
                        (mmu->second.entries > 0 ? mmu->second.leakage_mW : 0);
    return told(milliwatts * WATTS_PER_MW * cores_of(run) * seconds_of(run));
}

/* Lines that go from one node to another. */
static PfStatValue read_interconnect(const void *user)
{
    enum { BITS_PER_BYTE = 8 };
    const PfRun *run = user;
    const PfMachineConfig *config = run->machine_config;
    uint64_t lines = 0;
    if (config->numa.count == 1)
        return pf_stat_double(0);
    for (unsigned i = 0; i < config->numa.count; i++)
        for (unsigned j = 0; j < config->numa.count; j++) {
            g_autofree char *counter = g_strdup_printf("lines_%u_%u", i, j);
            lines += i != j ? count_of(run, "numa", counter) : 0;
        }
    uint64_t bits = lines * BITS_PER_BYTE * config->caches[config->cache_count - 1].line_bytes;
    return told_if_full(run, spent_J(bits, config->numa.link_bit_pJ));
}

static const struct {
    const char *name;
    const char *description;
    PfStatRead read;
} accounts[] = {
    {"cores.dynamic_J",
     "Instructions that cores executed; null without a figure, and where they are not simulated "
     "(timing = \"costs\").",
     read_cores_dynamic},
    {"cores.leakage_J", "Cores, in the simulated time; null without a figure.",
     read_cores_leakage},
    {"caches.dynamic_J", "Accesses to all levels of cache; null as of cores.",
     read_caches_dynamic},
    {"caches.leakage_J", "Caches, in the simulated time; null without figures.",
     read_caches_leakage},
    {"tlbs.dynamic_J", "Lookups of TLBs; null as of cores.", read_tlbs_dynamic},
    {"tlbs.leakage_J", "TLBs, in the simulated time; null without figures.", read_tlbs_leakage},
    {"interconnect_J", "Lines that went from node to node; null as of cores.", read_interconnect},
    {"cam.dynamic_J", "Searches and updates of CAMs.", read_cam_dynamic},
    {"cam.leakage_J", "CAMs, in the simulated time; 0 if unused.", read_cam_leaked},
    {"hash_engine.dynamic_J", "Bytes that hash engines took; null without a figure for them.",
     read_hash_engine_energy},
    {"hash_engine.leakage_J",
     "Units of hash engines, in the simulated time; 0 if unused, null without a figure.",
     read_hash_engine_leakage},
    {"dram.activate_J",
     "DRAM's rows opened and closed; null where its preset has no currents, or requests cost no "
     "time (timing = \"costs\").",
     read_dram_activate},
    {"dram.read_write_J", "What DRAM read and wrote; null likewise.", read_dram_read_write},
    {"dram.refresh_J", "DRAM's refreshes; null where its preset has no currents.",
     read_dram_refresh},
    {"dram.background_J", "DRAM standing by; null likewise.", read_dram_background},
};

static PfStatValue read_total(const void *user)
{
    double total = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(accounts); i++) {
        PfStatValue value = accounts[i].read(user);
        if (value.kind == PF_STAT_NULL)
            return value;
        total += value.d;
    }
    return pf_stat_double(total);
}

void run_register_energy(PfRun *run)
{
    PfStatsGroup *cam = pf_stats_group(run->stats, "cam");
    pf_stats_level(cam, "energy_J", "J", "Energy of searches and updates, and leakage.",
                   read_cam_energy, run);
    pf_stats_level(cam, "leakage_mW", "mW", "Power that the CAMs take always; null if unused.",
                   read_cam_leakage, run);
    pf_stats_level(cam, "area_mm2", "mm2", "Area of the CAMs; null if unused.", read_cam_area, run);
    pf_stats_level(cam, "storage_bytes", "bytes", "Bits of all entries; null if unused or ideal.",
                   read_cam_storage, run);
    pf_stats_level(cam, "extrapolated", "ratio",
                   "1 if figures of the CAM lie outside of the card's table; null if unused.",
                   read_cam_extrapolated, run);
    pf_stats_level(pf_stats_group(run->stats, "hash_engine"), "energy_J", "J",
                   "Energy of the bytes that units took; null without a figure for it.",
                   read_hash_engine_energy, run);
    PfStatsGroup *energy = pf_stats_group(run->stats, "energy");
    pf_stats_level(energy, "total_J", "J", "All accounts; null if one of them is not known.",
                   read_total, run);
    PfStatsGroup *group = pf_stats_group(run->stats, "energy.account");
    for (unsigned i = 0; i < G_N_ELEMENTS(accounts); i++)
        pf_stats_level(group, accounts[i].name, "J", accounts[i].description, accounts[i].read,
                       run);
}
