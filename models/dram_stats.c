#include "dram_stats.h"

#include "dram_internal.h"

uint64_t pf_dram_transfers(const PfDram *dram)
{
    const PfDramStats *stats = &dram->stats;
    return stats->reads + stats->writes - stats->forwarded_reads - stats->absorbed_writes;
}

uint64_t pf_dram_bytes_by(const PfDram *dram, unsigned actor)
{
    return (dram->stats.reads_by_actor[actor] + dram->stats.writes_by_actor[actor]) *
           dram->timing.transaction_bytes;
}

/* The clock up to which something is known to have happened anywhere. */
static uint64_t latest_clock(const PfDram *dram)
{
    uint64_t latest = 0;
    for (const PfDram *part = dram; part != NULL; part = part->next)
        latest = MAX(latest, part->latest_clock);
    return latest;
}

/* Of all ranks of BANKS in TOTAL clocks, each as it was: a row open, none, asleep. */
static double standing_ma_clocks(const PfDram *dram, const PfDramBanks *banks, uint64_t total)
{
    const PfDramCurrents *current = &dram->timing.current;
    bool refreshes_itself = dram->settings.power_down == PF_DRAM_POWER_DOWN_SELF_REFRESH;
    double asleep_ma = refreshes_itself ? current->idd6_ma : current->idd2p_ma;
    double sum = 0;
    for (uint32_t rank = 0; rank < banks->rank_count; rank++) {
        uint64_t active = MIN(total, pf_dram_active_clocks(banks, rank, total));
        uint64_t asleep = MIN(total - active, pf_dram_rank_asleep_clocks(banks, rank, total));
        sum += current->idd3n_ma * (double)active + asleep_ma * (double)asleep +
               current->idd2n_ma * (double)(total - active - asleep);
    }
    return sum;
}

/* Method of the data sheets (Micron TN-41-01), as DRAMsim3 has it: what a command takes beyond the
 * background, for all devices of a rank. Millivolts, milliamperes and picoseconds make 1e-18 J. */
bool pf_dram_energy(const PfDram *dram, PfDramEnergy *ret_energy)
{
    const PfDramPreset *timing = &dram->timing;
    const PfDramCurrents *current = &timing->current;
    if (current->vdd_mv == 0)
        return false;
    double clock = 1e-18 * current->vdd_mv * timing->devices * timing->tck_ps;
    double idd0 = current->idd0_ma, idd2n = current->idd2n_ma, idd3n = current->idd3n_ma;
    double activate = idd0 * timing->rc - idd3n * timing->ras - idd2n * (timing->rc - timing->ras);
    PfDramEnergy energy = {0};
    uint64_t total = latest_clock(dram);
    for (const PfDram *part = dram; part != NULL; part = part->next)
        for (uint32_t i = 0; i < part->channels; i++) {
            const PfDramBanks *banks = &part->all_channels[i].banks;
            const uint64_t *commands = banks->commands;
            double reads = (double)(commands[PF_DRAM_RD] + commands[PF_DRAM_RDA]);
            double writes = (double)(commands[PF_DRAM_WR] + commands[PF_DRAM_WRA]);
            energy.activate += clock * activate * (double)commands[PF_DRAM_ACT];
            energy.read += clock * (current->idd4r_ma - idd3n) * timing->burst * reads;
            energy.write += clock * (current->idd4w_ma - idd3n) * timing->burst * writes;
            energy.refresh += clock * (current->idd5b_ma - idd3n) * timing->rfc *
                              (double)commands[PF_DRAM_REF];
            energy.background += clock * standing_ma_clocks(part, banks, total);
        }
    *ret_energy = energy;
    return true;
}

uint64_t pf_dram_asleep_ps(const PfDram *dram, unsigned rank)
{
    uint64_t clocks = 0;
    for (const PfDram *part = dram; part != NULL; part = part->next)
        for (uint32_t i = 0; i < part->channels; i++)
            clocks += pf_dram_rank_asleep_clocks(&part->all_channels[i].banks, rank,
                                                 latest_clock(dram));
    return clocks * dram->timing.tck_ps;
}

#define READ_ENERGY(function, expression)                                                          \
    static PfStatValue function(const void *user)                                                  \
    {                                                                                              \
        PfDramEnergy energy;                                                                       \
        return pf_dram_energy(user, &energy) ? pf_stat_double(expression) : pf_stat_null();        \
    }
READ_ENERGY(read_total, pf_dram_energy_total(&energy))
READ_ENERGY(read_activate, energy.activate)
READ_ENERGY(read_read, energy.read)
READ_ENERGY(read_write, energy.write)
READ_ENERGY(read_refresh, energy.refresh)
READ_ENERGY(read_background, energy.background)

static void register_energy(const PfDram *dram, PfStatsGroup *group)
{
    static const struct {
        const char *name;
        PfStatRead read;
        const char *description;
    } levels[] = {
        {"energy_J", read_total, "Energy of the devices since the start; null without figures."},
        {"energy_activate_J", read_activate, "... of opening and closing rows."},
        {"energy_read_J", read_read, "... of reading."},
        {"energy_write_J", read_write, "... of writing."},
        {"energy_refresh_J", read_refresh, "... of refreshing."},
        {"energy_background_J", read_background, "... of standing by."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        pf_stats_level(group, levels[i].name, "J", levels[i].description, levels[i].read, dram);
}

static void register_banks(const PfDram *dram, PfStatsGroup *group)
{
    uint32_t count = dram->timing.bank_groups * dram->timing.banks;
    g_assert(count <= PF_DRAM_BANKS_TOLD);
    for (uint32_t bank = 0; bank < count; bank++) {
        g_autofree char *name = g_strdup_printf("bank%u_accesses", bank);
        pf_stats_counter(group, name, "events",
                         "RD and WR to banks of this number (group * banks + bank) of all ranks.",
                         &dram->stats.bank_accesses[bank]);
    }
}

void pf_dram_register(const PfDram *dram, PfStatsGroup *group)
{
    const PfDramStats *stats = &dram->stats;
    double ns = dram->timing.tck_ps / 1000.0;
    const struct {
        const char *name;
        const uint64_t *value;
        const char *description;
    } counters[] = {
        {"reads", &stats->reads, "Reads, of a transaction each (64 bytes, or 32)."},
        {"writes", &stats->writes, "Writes, likewise."},
        {"reads_policy", &stats->reads_by_actor[PF_ACTOR_POLICY],
         "Reads of work done for a policy."},
        {"writes_policy", &stats->writes_by_actor[PF_ACTOR_POLICY],
         "Writes of work done for a policy."},
        {"forwarded_reads", &stats->forwarded_reads, "Reads answered from the write queue."},
        {"absorbed_writes", &stats->absorbed_writes,
         "Writes to a line that still waited to be written."},
        {"row_hits", &stats->row_hits,
         "Transactions that found their row open, by the first command needed."},
        {"row_misses", &stats->row_misses, "Transactions that found the bank closed."},
        {"row_conflicts", &stats->row_conflicts, "Transactions that found another row open."},
        {"background_requests", &stats->background_requests,
         "Reads of machine.background, which no other statistic of DRAM but energy counts."},
        {"refreshes", &stats->refreshes, "Refreshes of a rank, or of a bank where it is by bank."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
        pf_stats_counter(group, counters[i].name, "events", counters[i].description,
                         counters[i].value);
    pf_stats_histogram(group, "read_latency_%s_ns", "ns",
                       "Time from a read's arrival to the end of its data.",
                       &stats->read_latency_clocks, ns);
    pf_stats_histogram(group, "write_latency_%s_ns", "ns",
                       "Time from a write's arrival to the end of its data.",
                       &stats->write_latency_clocks, ns);
    register_energy(dram, group);
    register_banks(dram, group);
}
