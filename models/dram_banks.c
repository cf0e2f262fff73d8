#include "dram_banks.h"

#include <string.h>

static inline void hold_until(uint64_t *ready, uint64_t clock)
{
    *ready = MAX(*ready, clock);
}

static void tell(const PfDramBanks *banks, PfDramCommandKind kind, const PfDramBank *bank,
                 uint32_t row, uint64_t at)
{
    uint32_t index = (uint32_t)(bank - banks->banks);
    const PfDramCommand command = {.clock = at,
                                   .channel = banks->channel,
                                   .rank = bank->rank,
                                   .group = bank->group % banks->timing->bank_groups,
                                   .bank = index % banks->timing->banks,
                                   .row = row,
                                   .kind = (uint8_t)kind};
    banks->observe(&command, banks->observe_user);
}

/* Puts a command on its bus. */
static inline void issue(PfDramBanks *banks, PfDramCommandKind kind, const PfDramBank *bank,
                         uint32_t slots, uint64_t at)
{
    bool column = kind >= PF_DRAM_RD && kind <= PF_DRAM_WRA;
    pf_dram_bus_take(column && banks->timing->splits_bus ? &banks->column_bus : &banks->bus, at,
                     slots);
    banks->commands[kind]++;
    if (G_UNLIKELY(banks->observe != NULL))
        tell(banks, kind, bank, bank->open_row, at);
}

static void note_open(PfDramRank *rank, uint64_t at)
{
    if (rank->open_banks++ == 0)
        rank->active_since = at;
}

static void note_closed(PfDramRank *rank, uint64_t at)
{
    g_assert(rank->open_banks > 0);
    if (--rank->open_banks == 0 && at > rank->active_since)
        rank->active_clocks += at - rank->active_since;
}

/* BANK's row is closed by a precharge at AT, told or automatic. */
static void close_row(PfDramBanks *banks, PfDramBank *bank, uint64_t at, uint32_t rp)
{
    bank->open_row = PF_DRAM_NO_ROW;
    hold_until(&bank->activate_ready, at + rp);
    note_closed(&banks->ranks[bank->rank], at);
}

void pf_dram_activate(PfDramBanks *banks, uint32_t index, uint32_t row, uint64_t at)
{
    const PfDramPreset *timing = banks->timing;
    PfDramBank *bank = &banks->banks[index];
    PfDramRank *rank = &banks->ranks[bank->rank];
    g_assert(bank->open_row == PF_DRAM_NO_ROW);
    bank->open_row = row;
    issue(banks, PF_DRAM_ACT, bank, timing->activate_slots, at);
    note_open(rank, at);
    rank->window_ready[rank->window_oldest] = at + timing->faw;
    rank->window_oldest = (rank->window_oldest + 1) % G_N_ELEMENTS(rank->window_ready);
    rank->ready[PF_DRAM_NEEDS_ACT] = at + timing->rrd_s;
    banks->groups[bank->group].ready[PF_DRAM_NEEDS_ACT] = at + timing->rrd_l;
    bank->read_ready = at + timing->rcd;
    bank->write_ready = at + timing->rcd_write;
    bank->precharge_ready = at + timing->ras;
    bank->activate_ready = at + timing->rc;
}

void pf_dram_precharge(PfDramBanks *banks, uint32_t index, uint64_t at)
{
    PfDramBank *bank = &banks->banks[index];
    g_assert(bank->open_row != PF_DRAM_NO_ROW);
    issue(banks, PF_DRAM_PRE, bank, 1, at);
    hold_until(&banks->ranks[bank->rank].ready[PF_DRAM_NEEDS_PRE], at + banks->timing->ppd);
    close_row(banks, bank, at, banks->timing->rp);
}

/* What a RD at AT forbids, and until when. */
static void reserve_read(const PfDramBanks *banks, PfDramBank *bank, uint64_t at)
{
    const PfDramPreset *timing = banks->timing;
    PfDramRank *own = &banks->ranks[bank->rank];
    PfDramGroup *group = &banks->groups[bank->group];
    hold_until(&bank->precharge_ready, at + timing->rtp);
    hold_until(&group->ready[PF_DRAM_NEEDS_READ], at + MAX(timing->burst, timing->ccd_l));
    hold_until(&own->ready[PF_DRAM_NEEDS_READ], at + MAX(timing->burst, timing->ccd_s));
    hold_until(&own->ready[PF_DRAM_NEEDS_WRITE], at + pf_dram_read_to_write(timing));
    for (uint32_t i = 0; i < banks->rank_count; i++) {
        PfDramRank *other = &banks->ranks[i];
        if (other == own)
            continue;
        hold_until(&other->ready[PF_DRAM_NEEDS_READ], at + timing->burst + timing->rank_bubble);
        hold_until(&other->ready[PF_DRAM_NEEDS_WRITE], at + pf_dram_read_to_write_rank(timing));
    }
}

/* What a WR at AT forbids, and until when. */
static void reserve_write(const PfDramBanks *banks, PfDramBank *bank, uint64_t at)
{
    const PfDramPreset *timing = banks->timing;
    PfDramRank *own = &banks->ranks[bank->rank];
    PfDramGroup *group = &banks->groups[bank->group];
    uint64_t data_end = at + timing->cwl + timing->burst;
    hold_until(&bank->precharge_ready, data_end + timing->wr);
    hold_until(&group->ready[PF_DRAM_NEEDS_WRITE], at + MAX(timing->burst, timing->ccd_l_write));
    hold_until(&group->ready[PF_DRAM_NEEDS_READ], data_end + timing->wtr_l);
    hold_until(&own->ready[PF_DRAM_NEEDS_WRITE], at + MAX(timing->burst, timing->ccd_s));
    hold_until(&own->ready[PF_DRAM_NEEDS_READ], data_end + timing->wtr_s);
    for (uint32_t i = 0; i < banks->rank_count; i++) {
        PfDramRank *other = &banks->ranks[i];
        if (other == own)
            continue;
        hold_until(&other->ready[PF_DRAM_NEEDS_WRITE], at + timing->burst);
        hold_until(&other->ready[PF_DRAM_NEEDS_READ], at + pf_dram_write_to_read_rank(timing));
    }
}

void pf_dram_column(PfDramBanks *banks, uint32_t index, bool is_write, bool closes, uint64_t at)
{
    PfDramBank *bank = &banks->banks[index];
    g_assert(bank->open_row != PF_DRAM_NO_ROW);
    static const PfDramCommandKind kinds[2][2] = {{PF_DRAM_RD, PF_DRAM_RDA},
                                                  {PF_DRAM_WR, PF_DRAM_WRA}};
    issue(banks, kinds[is_write][closes], bank, banks->timing->column_slots, at);
    if (is_write)
        reserve_write(banks, bank, at);
    else
        reserve_read(banks, bank, at);
    if (closes)
        close_row(banks, bank, bank->precharge_ready, banks->timing->rp);
}

static uint32_t banks_in_rank(const PfDramBanks *banks)
{
    return banks->bank_count / banks->rank_count;
}

/* Closes all rows of a rank, no earlier than DUE. The first clock from DUE on at which all of its
 * banks are ready for what needs them closed. */
static uint64_t close_rank(PfDramBanks *banks, uint32_t rank_index, uint64_t due)
{
    const PfDramPreset *timing = banks->timing;
    PfDramRank *rank = &banks->ranks[rank_index];
    uint32_t count = banks_in_rank(banks);
    PfDramBank *first = &banks->banks[rank_index * count];
    if (rank->open_banks > 0) {
        uint64_t at = MAX(due, rank->ready[PF_DRAM_NEEDS_PRE]);
        for (uint32_t i = 0; i < count; i++) /* those that close by themselves too */
            at = MAX(at, first[i].precharge_ready);
        at = pf_dram_bus_fit(&banks->bus, at, 1);
        issue(banks, PF_DRAM_PREA, first, 1, at);
        hold_until(&rank->ready[PF_DRAM_NEEDS_PRE], at + timing->ppd);
        for (uint32_t i = 0; i < count; i++) {
            hold_until(&first[i].activate_ready, at + timing->rp_all);
            if (first[i].open_row != PF_DRAM_NO_ROW)
                close_row(banks, &first[i], at, timing->rp_all);
        }
    }
    uint64_t at = due;
    for (uint32_t i = 0; i < count; i++)
        at = MAX(at, first[i].activate_ready);
    return at;
}

uint64_t pf_dram_refresh_rank(PfDramBanks *banks, uint32_t rank_index, uint64_t due)
{
    const PfDramPreset *timing = banks->timing;
    uint32_t count = banks_in_rank(banks);
    PfDramBank *first = &banks->banks[rank_index * count];
    uint64_t at = pf_dram_bus_fit(&banks->bus, close_rank(banks, rank_index, due), 1);
    issue(banks, PF_DRAM_REF, first, 1, at);
    for (uint32_t i = 0; i < count; i++)
        first[i].activate_ready = at + timing->rfc;
    return at;
}

uint64_t pf_dram_refresh_bank(PfDramBanks *banks, uint32_t index, uint64_t due)
{
    const PfDramPreset *timing = banks->timing;
    PfDramBank *bank = &banks->banks[index];
    PfDramRank *rank = &banks->ranks[bank->rank];
    if (bank->open_row != PF_DRAM_NO_ROW)
        pf_dram_precharge(banks, index, pf_dram_precharge_ready(banks, bank, due));
    uint64_t at = MAX(due, MAX(bank->activate_ready, rank->ready[PF_DRAM_NEEDS_ACT]));
    at = pf_dram_bus_fit(&banks->bus, at, 1);
    issue(banks, PF_DRAM_REFB, bank, 1, at);
    bank->activate_ready = at + timing->rfc_bank;
    hold_until(&rank->ready[PF_DRAM_NEEDS_ACT], at + timing->rrefd);
    return at;
}

uint64_t pf_dram_active_clocks(const PfDramBanks *banks, uint32_t index, uint64_t now)
{
    const PfDramRank *rank = &banks->ranks[index];
    bool open = rank->open_banks > 0 && now > rank->active_since;
    return rank->active_clocks + (open ? now - rank->active_since : 0);
}

void pf_dram_rank_sleep(PfDramBanks *banks, uint32_t rank, uint64_t at)
{
    g_assert(!pf_dram_rank_sleeps(banks, rank));
    uint32_t first = rank * banks_in_rank(banks);
    for (uint32_t i = first; i < first + banks_in_rank(banks); i++) /* which may be refreshed */
        if (banks->banks[i].open_row == PF_DRAM_NO_ROW)
            at = MAX(at, banks->banks[i].activate_ready);
    banks->ranks[rank].asleep_since = close_rank(banks, rank, at);
    banks->asleep |= (uint32_t)1 << rank;
}

void pf_dram_rank_wake(PfDramBanks *banks, uint32_t index, uint64_t at, uint64_t exit_clocks)
{
    g_assert(pf_dram_rank_sleeps(banks, index));
    PfDramRank *rank = &banks->ranks[index];
    at = MAX(at, rank->asleep_since);
    rank->asleep_clocks += at - rank->asleep_since;
    banks->asleep &= ~((uint32_t)1 << index);
    for (int need = 0; need < PF_DRAM_NEEDS; need++)
        hold_until(&rank->ready[need], at + exit_clocks);
}

void pf_dram_rank_refreshed(PfDramBanks *banks, uint32_t rank, uint64_t refreshes, uint32_t clocks)
{
    banks->ranks[rank].asleep_since += refreshes * (banks->timing->xp + clocks);
}

uint64_t pf_dram_rank_asleep_clocks(const PfDramBanks *banks, uint32_t index, uint64_t now)
{
    const PfDramRank *rank = &banks->ranks[index];
    bool asleep = pf_dram_rank_sleeps(banks, index) && now > rank->asleep_since;
    return rank->asleep_clocks + (asleep ? now - rank->asleep_since : 0);
}

void pf_dram_banks_init(PfDramBanks *banks, const PfDramPreset *timing, uint32_t ranks)
{
    uint32_t groups = ranks * timing->bank_groups;
    *banks = (PfDramBanks){
        .timing = timing,
        .rank_count = ranks,
        .bank_count = groups * timing->banks,
        .ranks = g_new0(PfDramRank, ranks),
        .groups = g_new0(PfDramGroup, groups),
        .banks = g_new0(PfDramBank, groups * timing->banks),
    };
    pf_dram_banks_reset_state(banks);
}

void pf_dram_banks_clear(PfDramBanks *banks)
{
    g_free(banks->ranks);
    g_free(banks->groups);
    g_free(banks->banks);
}

void pf_dram_banks_reset_state(PfDramBanks *banks)
{
    const PfDramPreset *timing = banks->timing;
    memset(banks->ranks, 0, banks->rank_count * sizeof(*banks->ranks));
    memset(banks->groups, 0,
           banks->rank_count * timing->bank_groups * sizeof(*banks->groups));
    banks->asleep = 0;
    banks->bus = (PfDramBus){0};
    banks->column_bus = (PfDramBus){0};
    for (uint32_t i = 0; i < banks->bank_count; i++)
        banks->banks[i] = (PfDramBank){
            .open_row = PF_DRAM_NO_ROW,
            .rank = (uint16_t)(i / banks_in_rank(banks)),
            .group = (uint16_t)(i / timing->banks)};
}

void pf_dram_banks_check(const PfDramBanks *banks)
{
    for (uint32_t i = 0; i < banks->rank_count; i++) {
        uint32_t open = 0;
        for (uint32_t j = 0; j < banks_in_rank(banks); j++)
            open += banks->banks[i * banks_in_rank(banks) + j].open_row != PF_DRAM_NO_ROW;
        g_assert(open == banks->ranks[i].open_banks);
        g_assert(open == 0 || !pf_dram_rank_sleeps(banks, i));
    }
    for (uint32_t i = 0; i < banks->bank_count; i++) {
        const PfDramBank *bank = &banks->banks[i];
        g_assert(bank->open_row == PF_DRAM_NO_ROW || bank->open_row < banks->timing->rows);
    }
}
