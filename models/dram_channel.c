#include "dram_channel.h"

#include <string.h>

/* Clocks between read and write data on the bus, as Ramulator 2 (ddr4.py) has it. */
enum { READ_WRITE_GAP = 2 };

static inline void hold_until(uint64_t *ready, uint64_t clock)
{
    *ready = MAX(*ready, clock);
}

/* What the commands of one transaction concern. */
typedef struct {
    PfDramRank *rank;
    PfDramGroup *group;
    PfDramBank *bank;
} Place;

static Place place_of(const PfDramChannel *channel, const PfDramTarget *target)
{
    uint32_t group = target->rank * channel->timing->bank_groups + target->group;
    return (Place){
        .rank = &channel->ranks[target->rank],
        .group = &channel->groups[group],
        .bank = &channel->banks[group * channel->timing->banks + target->bank],
    };
}

/* Opens ROW of PLACE, at AT at the earliest. */
static void activate(const PfDramPreset *timing, const Place *place, uint32_t row, uint64_t at)
{
    PfDramBank *bank = place->bank;
    PfDramRank *rank = place->rank;
    uint64_t *window = &rank->window_ready[rank->window_oldest];
    at = MAX(at, bank->activate_ready);
    at = MAX(at, place->group->activate_ready);
    at = MAX(at, rank->activate_ready);
    at = MAX(at, *window);

    *window = at + timing->faw;
    rank->window_oldest = (rank->window_oldest + 1) % G_N_ELEMENTS(rank->window_ready);
    rank->activate_ready = at + timing->rrd_s;
    place->group->activate_ready = at + timing->rrd_l;
    bank->open_row = row;
    bank->column_ready = at + timing->rcd;
    bank->precharge_ready = at + timing->ras;
    bank->activate_ready = at + timing->rc;
}

/* What a RD at AT forbids, and until when. */
static void reserve_read(const PfDramChannel *channel, const Place *place, uint64_t at)
{
    const PfDramPreset *timing = channel->timing;
    hold_until(&place->bank->precharge_ready, at + timing->rtp);
    hold_until(&place->group->read_ready, at + MAX(timing->burst, timing->ccd_l));
    hold_until(&place->rank->read_ready, at + MAX(timing->burst, timing->ccd_s));
    for (uint32_t i = 0; i < channel->rank_count; i++) {
        PfDramRank *rank = &channel->ranks[i];
        hold_until(&rank->write_ready,
                   at + timing->cl + timing->burst + READ_WRITE_GAP - timing->cwl);
        if (rank != place->rank)
            hold_until(&rank->read_ready, at + timing->burst + timing->rank_bubble);
    }
}

/* What a WR at AT forbids, and until when. */
static void reserve_write(const PfDramChannel *channel, const Place *place, uint64_t at)
{
    const PfDramPreset *timing = channel->timing;
    uint64_t data_end = at + timing->cwl + timing->burst;
    hold_until(&place->bank->precharge_ready, data_end + timing->wr);
    hold_until(&place->group->write_ready, at + MAX(timing->burst, timing->ccd_l));
    hold_until(&place->group->read_ready, data_end + timing->wtr_l);
    hold_until(&place->rank->write_ready, at + MAX(timing->burst, timing->ccd_s));
    hold_until(&place->rank->read_ready, data_end + timing->wtr_s);
    for (uint32_t i = 0; i < channel->rank_count; i++) {
        PfDramRank *rank = &channel->ranks[i];
        if (rank == place->rank)
            continue;
        hold_until(&rank->write_ready, at + timing->burst);
        hold_until(&rank->read_ready, data_end + timing->rank_bubble - timing->cl);
    }
}

uint64_t pf_dram_channel_schedule(PfDramChannel *channel, const PfDramTarget *target,
                                  bool is_write, uint64_t at, PfDramRowState *ret_state)
{
    const PfDramPreset *timing = channel->timing;
    Place place = place_of(channel, target);
    PfDramBank *bank = place.bank;
    if (bank->open_row == target->row) {
        *ret_state = PF_DRAM_ROW_HIT;
    } else if (bank->open_row == PF_DRAM_NO_ROW) {
        *ret_state = PF_DRAM_ROW_MISS;
        activate(timing, &place, target->row, at);
    } else {
        *ret_state = PF_DRAM_ROW_CONFLICT;
        activate(timing, &place, target->row, MAX(at, bank->precharge_ready) + timing->rp);
    }

    uint64_t command = MAX(at, bank->column_ready);
    if (is_write) {
        command = MAX(command, MAX(place.group->write_ready, place.rank->write_ready));
        reserve_write(channel, &place, command);
    } else {
        command = MAX(command, MAX(place.group->read_ready, place.rank->read_ready));
        reserve_read(channel, &place, command);
    }
    if (channel->closes_rows) {
        bank->open_row = PF_DRAM_NO_ROW;
        hold_until(&bank->activate_ready, bank->precharge_ready + timing->rp);
    }
    return command;
}

static uint32_t banks_in_rank(const PfDramChannel *channel)
{
    return channel->timing->bank_groups * channel->timing->banks;
}

void pf_dram_channel_refresh(PfDramChannel *channel, uint64_t first, uint64_t last, uint64_t count)
{
    const PfDramPreset *timing = channel->timing;
    uint32_t bank_count = banks_in_rank(channel);
    for (uint32_t rank = 0; rank < channel->rank_count; rank++) {
        PfDramBank *banks = &channel->banks[rank * bank_count];
        uint64_t start = first;
        for (uint32_t i = 0; i < bank_count; i++)
            start = MAX(start, banks[i].open_row == PF_DRAM_NO_ROW
                                   ? banks[i].activate_ready
                                   : banks[i].precharge_ready + timing->rp);
        uint64_t end = MAX(last + timing->rfc, start + count * timing->rfc);
        for (uint32_t i = 0; i < bank_count; i++) {
            banks[i].open_row = PF_DRAM_NO_ROW;
            hold_until(&banks[i].activate_ready, end);
        }
    }
}

void pf_dram_channel_init(PfDramChannel *channel, const PfDramPreset *timing, uint32_t ranks,
                          bool closes_rows)
{
    *channel = (PfDramChannel){
        .timing = timing,
        .rank_count = ranks,
        .closes_rows = closes_rows,
        .ranks = g_new0(PfDramRank, ranks),
        .groups = g_new0(PfDramGroup, ranks * timing->bank_groups),
        .banks = g_new0(PfDramBank, ranks * timing->bank_groups * timing->banks),
    };
    pf_dram_channel_reset_state(channel);
}

void pf_dram_channel_clear(PfDramChannel *channel)
{
    g_free(channel->ranks);
    g_free(channel->groups);
    g_free(channel->banks);
}

void pf_dram_channel_reset_state(PfDramChannel *channel)
{
    uint32_t groups = channel->rank_count * channel->timing->bank_groups;
    memset(channel->ranks, 0, channel->rank_count * sizeof(*channel->ranks));
    memset(channel->groups, 0, groups * sizeof(*channel->groups));
    for (uint32_t i = 0; i < groups * channel->timing->banks; i++)
        channel->banks[i] = (PfDramBank){.open_row = PF_DRAM_NO_ROW};
}

void pf_dram_channel_check(const PfDramChannel *channel)
{
    enum { WINDOW = G_N_ELEMENTS(channel->ranks->window_ready) };
    for (uint32_t i = 0; i < channel->rank_count; i++) {
        const PfDramRank *rank = &channel->ranks[i];
        /* The ring holds the last activations in order, tRRD_S or more apart. */
        for (uint32_t step = 1; step < WINDOW; step++)
            g_assert(rank->window_ready[(rank->window_oldest + step - 1) % WINDOW] <=
                     rank->window_ready[(rank->window_oldest + step) % WINDOW]);
    }
    for (uint32_t i = 0; i < channel->rank_count * banks_in_rank(channel); i++) {
        const PfDramBank *bank = &channel->banks[i];
        g_assert(bank->open_row == PF_DRAM_NO_ROW || bank->open_row < channel->timing->rows);
        g_assert(!channel->closes_rows || bank->open_row == PF_DRAM_NO_ROW);
    }
}
