/* Power-down of ranks that hold nothing. */
#include "dram_channel.h"

/* What ends the power-down of a rank: tXP, or tRFC and 10 ns where it refreshed itself (tXS of
 * JESD79-4). */
static uint64_t exit_clocks(const PfDramChannel *channel)
{
    enum { EXIT_PS = 10000 };
    const PfDramPreset *timing = channel->timing;
    return channel->settings->power_down == PF_DRAM_POWER_DOWN_SELF_REFRESH
               ? timing->rfc + (EXIT_PS + timing->tck_ps - 1) / timing->tck_ps
               : timing->xp;
}

void pf_dram_channel_wake(PfDramChannel *channel, uint32_t rank, uint64_t at)
{
    if (pf_dram_rank_sleeps(&channel->banks, rank))
        pf_dram_rank_wake(&channel->banks, rank, at, exit_clocks(channel));
}

/* Whether something waits for RANK. */
static bool is_wanted(const PfDramChannel *channel, uint32_t rank)
{
    uint32_t in_rank = channel->banks.bank_count / channel->banks.rank_count;
    for (uint32_t bank = rank * in_rank; bank < (rank + 1) * in_rank; bank++)
        for (int side = 0; side < 2; side++)
            if (channel->queue.sides[side].lists[bank].first != PF_DRAM_NONE)
                return true;
    return false;
}

void pf_dram_channel_sleep(PfDramChannel *channel, uint32_t rank, uint64_t at)
{
    if (channel->settings->power_down == PF_DRAM_POWER_DOWN_OFF ||
        channel->load.period_parts > 0 || pf_dram_rank_sleeps(&channel->banks, rank))
        return;
    pf_dram_channel_run(channel, at);
    while (is_wanted(channel, rank))
        pf_dram_channel_step(channel);
    channel->has_choice = false;
    pf_dram_rank_sleep(&channel->banks, rank, MAX(at, channel->now));
}

bool pf_dram_count_refreshes(PfDramChannel *channel, uint32_t rank, uint64_t count,
                             uint32_t clocks)
{
    bool sleeps = pf_dram_rank_sleeps(&channel->banks, rank);
    if (sleeps && channel->settings->power_down == PF_DRAM_POWER_DOWN_SELF_REFRESH)
        return false;
    if (sleeps)
        pf_dram_rank_refreshed(&channel->banks, rank, count, clocks);
    channel->stats->refreshes += count;
    return true;
}
