/* Energy of a run: an account for each piece of hardware that takes some, and what of it is known.
 * An account without a figure is null, and so is the total. */
#include "run.h"

#include <math.h>

#define JOULES_PER_FJ 1e-15
#define JOULES_PER_PJ 1e-12

static const PfCamFigures *cam_figures(const PfRun *run)
{
    return pf_cam_figures_of(run->machine->cams[0]);
}

static PfStatValue read_cam_energy(const void *user)
{
    const PfRun *run = user;
    uint64_t spent_fJ = pf_cam_stats(run->machine->cams[0])->energy_fJ - run->cam_fJ_origin;
    double seconds =
        (double)(run->now_cycles - run->cycles_origin) / (double)run->machine_config->clock_hz;
    double leakage_W =
        pf_host_uses_cam(run->host) ? cam_figures(run)->leakage_W * run->machine->cam_count : 0;
    return pf_stat_double((double)spent_fJ * JOULES_PER_FJ + leakage_W * seconds);
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
    double picojoules = run->machine_config->hash_engine.energy_per_byte_pj;
    if (bytes == 0)
        return pf_stat_double(0);
    return isnan(picojoules) ? pf_stat_null()
                             : pf_stat_double((double)bytes * picojoules * JOULES_PER_PJ);
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

/* Used by every run, and no figure for it. */
static PfStatValue read_unknown(const void *user)
{
    (void)user;
    return pf_stat_null();
}

static const struct {
    const char *name;
    const char *description;
    PfStatRead read;
} accounts[] = {
    {"cam_J", "Searches and updates of CAMs, and what they leak.", read_cam_energy},
    {"hash_engine_J", "Bytes that hash engines took; null without a figure for them.",
     read_hash_engine_energy},
    {"cores_J", "Cores: not known.", read_unknown},
    {"caches_J", "Caches and TLBs: not known.", read_unknown},
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
