/* Ranks of DRAM as frames fill and empty them. */
#include "run.h"

#include "rank_use.h"

/* What a statistic of ranks RANK reads. */
typedef struct {
    const PfRun *run;
    unsigned rank;
} RankStatistic;

struct PfRunRanks {
    PfRankUse use[PF_NODES_MAX]; /* by node */
    RankStatistic statistics[PF_DRAM_RANKS_MAX];
};

static void frame_changes(void *user, PfMpn frame, bool is_used)
{
    PfRun *run = user;
    unsigned node = pf_frame_node(&run->memory.frames, frame);
    pf_rank_use_change(&run->ranks->use[node], frame, is_used, run->now_cycles);
}

static PfStatValue read_empty(const void *user)
{
    const PfRun *run = user;
    uint64_t empty = 0;
    for (unsigned node = 0; node < run->machine_config->numa.count; node++)
        empty += pf_rank_use_empty(&run->ranks->use[node]);
    return pf_stat_uint(empty);
}

static PfStatValue read_frames(const void *user)
{
    const RankStatistic *of = user;
    uint64_t frames = 0;
    for (unsigned node = 0; node < of->run->machine_config->numa.count; node++)
        frames += pf_rank_use_pages(&of->run->ranks->use[node], of->rank);
    return pf_stat_uint(frames);
}

static PfStatValue read_asleep(const void *user)
{
    const RankStatistic *of = user;
    return pf_stat_double((double)pf_dram_asleep_ps(of->run->machine->dram, of->rank) * 1e-12);
}

void run_open_ranks(PfRun *run)
{
    const PfMachine *machine = run->machine;
    PfStatsGroup *group = pf_stats_group(run->stats, "dram");
    run->ranks = g_new0(struct PfRunRanks, 1);
    for (unsigned node = 0; node < run->machine_config->numa.count; node++)
        pf_rank_use_init(&run->ranks->use[node], machine->homes.drams[node],
                         machine->mmu.page_shift);
    pf_stats_level(group, "empty_ranks", "ranks",
                   "Ranks, of all channels and nodes, in which no frame in use lies.", read_empty,
                   run);
    for (unsigned rank = 0; rank < pf_dram_ranks(machine->dram); rank++) {
        RankStatistic *of = &run->ranks->statistics[rank];
        *of = (RankStatistic){run, rank};
        g_autofree char *frames = g_strdup_printf("rank%u_frames", rank);
        g_autofree char *asleep = g_strdup_printf("rank%u_asleep_s", rank);
        pf_stats_level(group, frames, "frames",
                       "Frames in use that lie, with some of their bytes, in ranks of this number.",
                       read_frames, of);
        pf_stats_level(group, asleep, "s",
                       "Time that ranks of this number slept (power_down), in all channels.",
                       read_asleep, of);
    }
    run->memory.frames.use = (PfFrameUse){frame_changes, run};
}

void run_check_ranks(const PfRun *run)
{
    for (unsigned node = 0; run->ranks != NULL && node < run->machine_config->numa.count; node++) {
        const PfRankUse *use = &run->ranks->use[node];
        uint64_t pages = 0;
        for (uint32_t i = 0; i < use->count; i++)
            pages += use->pages[i];
        g_assert(pages == run->memory.frames.nodes[node].used_frames);
    }
}

void run_close_ranks(PfRun *run)
{
    for (unsigned node = 0; run->ranks != NULL && node < PF_NODES_MAX; node++)
        pf_rank_use_clear(&run->ranks->use[node]);
    g_clear_pointer(&run->ranks, g_free);
    run->memory.frames.use = (PfFrameUse){0};
}
