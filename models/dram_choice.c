#include "dram_choice.h"

#include <string.h>

/* An entry that has waited so long goes before all others of its queue; clocks. A full queue of
 * single-line conflicts in one bank takes 32 * tRC, about 2000. */
enum { STARVED_CLOCKS = 8192 };

/* What entry INDEX needs next, and when its bank lets it. */
static PfDramCandidate candidate_of(const PfDramChannel *channel, uint16_t index)
{
    const PfDramEntry *entry = &channel->queue.entries[index];
    const PfDramBank *bank = &channel->banks.banks[entry->bank];
    PfDramCandidate candidate = {
        .order = entry->order, .entry = index, .group = bank->group, .rank = bank->rank};
    if (bank->open_row == entry->row) {
        candidate.kind = PF_DRAM_RD;
        candidate.ready = entry->is_write ? bank->write_ready : bank->read_ready;
    } else if (bank->open_row == PF_DRAM_NO_ROW) {
        candidate.kind = PF_DRAM_ACT;
        candidate.ready = bank->activate_ready;
    } else {
        candidate.kind = PF_DRAM_PRE;
        candidate.ready = bank->precharge_ready;
    }
    candidate.ready = MAX(candidate.ready, entry->arrival);
    return candidate;
}

/* When the rank, and the clock, let a command of KIND be issued. */
static inline uint64_t rank_ready(const PfDramChannel *channel, const PfDramRank *rank,
                                  uint8_t kind, bool is_write)
{
    uint64_t at = rank->precharge_ready;
    if (kind == PF_DRAM_RD)
        at = is_write ? rank->write_ready : rank->read_ready;
    else if (kind == PF_DRAM_ACT)
        at = MAX(rank->activate_ready, rank->window_ready[rank->window_oldest]);
    return MAX(channel->now, at);
}

/* Makes CANDIDATE, which is of KIND and not possible before AT, the choice if it comes before
 * that. */
static inline void consider(PfDramChannel *channel, const PfDramCandidate *candidate, uint8_t kind,
                            bool is_write, uint64_t at)
{
    const PfDramBanks *banks = &channel->banks;
    const PfDramGroup *group = &banks->groups[candidate->group];
    PfDramChoice *choice = &channel->choice;
    at = MAX(at, candidate->ready);
    if (at > choice->at)
        return;
    if (kind == PF_DRAM_RD) {
        at = MAX(at, is_write ? group->write_ready : group->read_ready);
        at = pf_dram_bus_fit(pf_dram_columns_bus(banks), at, banks->timing->column_slots);
    } else if (kind == PF_DRAM_ACT) {
        at = MAX(at, group->activate_ready);
        at = pf_dram_bus_fit(&banks->bus, at, banks->timing->activate_slots);
    } else {
        at = pf_dram_bus_fit(&banks->bus, at, 1);
    }
    bool is_column = kind == PF_DRAM_RD;
    bool was_column = choice->kind == PF_DRAM_RD;
    if (at > choice->at || (at == choice->at && (was_column > is_column ||
                                                 (was_column == is_column &&
                                                  choice->order < candidate->order))))
        return;
    *choice = (PfDramChoice){
        .at = at, .order = candidate->order, .entry = candidate->entry, .kind = kind};
}

/* Finds out what BANK, with a list that is not empty, needs next: a hit, unless too many have
 * passed the first of the list. */
static void find_candidate(PfDramChannel *channel, uint32_t bank, bool is_write)
{
    const PfDramList *list = &channel->queue.sides[is_write].lists[bank];
    bool in_turn =
        list->hit != PF_DRAM_NONE &&
        (list->hit == list->first || channel->passed[bank] < channel->settings->cap);
    channel->candidates[bank] = candidate_of(channel, in_turn ? list->hit : list->first);
}

/* Brings up to date the candidates of banks that have changed, and where there are which. */
static void find_candidates(PfDramChannel *channel, bool is_write)
{
    for (uint32_t word = 0; word < channel->queue.busy_words; word++) {
        uint64_t changed = channel->changed[word];
        if (changed == 0)
            continue;
        channel->changed[word] = 0;
        for (int kind = 0; kind <= PF_DRAM_RD; kind++)
            channel->wanted[kind][word] &= ~changed;
        changed &= channel->queue.sides[is_write].busy[word];
        for (; changed != 0; changed &= changed - 1) {
            uint32_t bank = word * 64 + (uint32_t)__builtin_ctzll(changed);
            find_candidate(channel, bank, is_write);
            channel->wanted[channel->candidates[bank].kind][word] |= changed & -changed;
        }
    }
}

/* Considers the commands of KIND that RANK's banks need. */
static inline void consider_kind(PfDramChannel *channel, uint32_t rank, uint8_t kind, bool is_write)
{
    uint32_t count = channel->banks.bank_count / channel->banks.rank_count;
    uint32_t first = rank * count;
    uint64_t of_rank = UINT64_MAX >> (64 - count) << first % 64;
    uint64_t wanted = channel->wanted[kind][first / 64] & of_rank;
    if (wanted == 0)
        return;
    uint64_t at = rank_ready(channel, &channel->banks.ranks[rank], kind, is_write);
    if (at > channel->choice.at)
        return;
    const PfDramCandidate *candidates = &channel->candidates[first / 64 * 64];
    for (; wanted != 0; wanted &= wanted - 1)
        consider(channel, &candidates[__builtin_ctzll(wanted)], kind, is_write, at);
}

/* Whether writes still have their turn. */
static bool drain_goes_on(const PfDramChannel *channel)
{
    const PfDramSide *reads = &channel->queue.sides[false];
    const PfDramSide *writes = &channel->queue.sides[true];
    if (writes->listed == 0)
        return false;
    if (reads->count == 0)
        return true;
    switch (channel->drain) {
    case PF_DRAM_DRAIN_FULL:
        return channel->turn_left > 0 && writes->count >= channel->settings->low_writes;
    case PF_DRAM_DRAIN_AGED:
        return channel->turn_left > 0;
    case PF_DRAM_DRAIN_IDLE:
    case PF_DRAM_DRAIN_NONE:
        return false;
    }
    g_assert_not_reached();
}

/* Decides whether reads or writes have their turn. A turn that was ended only because it got too
 * long is followed by one of the other side, for as many as wait then. */
static void choose_side(PfDramChannel *channel)
{
    const PfDramSide *reads = &channel->queue.sides[false];
    const PfDramSide *writes = &channel->queue.sides[true];
    if (channel->drain != PF_DRAM_DRAIN_NONE) {
        if (drain_goes_on(channel))
            return;
        channel->turn_left = channel->turn_left == 0 ? reads->count : 0;
        channel->drain = PF_DRAM_DRAIN_NONE;
    }
    if (writes->listed == 0 || (reads->count > 0 && channel->turn_left > 0))
        return;
    const PfDramEntry *oldest = &channel->queue.entries[writes->oldest];
    if (writes->count > channel->settings->high_writes)
        channel->drain = PF_DRAM_DRAIN_FULL;
    else if (reads->count == 0)
        channel->drain = PF_DRAM_DRAIN_IDLE;
    else if (oldest->arrival + STARVED_CLOCKS < channel->now && oldest->blockers == 0)
        channel->drain = PF_DRAM_DRAIN_AGED;
    if (channel->drain != PF_DRAM_DRAIN_NONE)
        channel->turn_left = writes->count;
}

/* Whether the oldest of SIDE goes before all others. */
static inline bool goes_in_order(const PfDramChannel *channel, const PfDramSide *side)
{
    const PfDramEntry *oldest = &channel->queue.entries[side->oldest];
    return (channel->settings->scheduler == PF_DRAM_FCFS ||
            oldest->arrival + STARVED_CLOCKS < channel->now) &&
           oldest->blockers == 0;
}

static void consider_entry(PfDramChannel *channel, uint16_t entry, bool is_write)
{
    PfDramCandidate candidate = candidate_of(channel, entry);
    const PfDramRank *rank = &channel->banks.ranks[candidate.rank];
    consider(channel, &candidate, candidate.kind, is_write,
             rank_ready(channel, rank, candidate.kind, is_write));
}

void pf_dram_choose(PfDramChannel *channel)
{
    channel->has_choice = true;
    channel->choice = (PfDramChoice){.at = UINT64_MAX};
    bool was_write = channel->drain != PF_DRAM_DRAIN_NONE;
    choose_side(channel);
    bool is_write = channel->drain != PF_DRAM_DRAIN_NONE;
    if (is_write != was_write)
        memset(channel->changed, 0xff, sizeof(channel->changed));
    const PfDramSide *side = &channel->queue.sides[is_write];
    if (side->listed == 0)
        return;
    if (goes_in_order(channel, side)) {
        consider_entry(channel, side->oldest, is_write);
        return;
    }
    find_candidates(channel, is_write);
    for (uint32_t rank = 0; rank < channel->banks.rank_count; rank++) {
        consider_kind(channel, rank, PF_DRAM_RD, is_write);
        consider_kind(channel, rank, PF_DRAM_PRE, is_write);
        consider_kind(channel, rank, PF_DRAM_ACT, is_write);
    }
}

/* Whether what BANK needs next is what it needed before entry INDEX came. */
static bool is_behind(const PfDramChannel *channel, uint16_t index)
{
    const PfDramEntry *entry = &channel->queue.entries[index];
    const PfDramList *list = &channel->queue.sides[entry->is_write].lists[entry->bank];
    return list->first != index && list->hit != index;
}

void pf_dram_choose_again(PfDramChannel *channel, uint16_t index)
{
    const PfDramEntry *entry = &channel->queue.entries[index];
    bool was_write = channel->drain != PF_DRAM_DRAIN_NONE;
    bool late = entry->arrival < channel->now;
    channel->now = entry->arrival;
    bool is_behind_another = is_behind(channel, index);
    if (!is_behind_another)
        pf_dram_bank_changed(channel, entry->bank);
    if (!channel->has_choice || late || channel->choice.at == UINT64_MAX) {
        channel->has_choice = false;
        return;
    }
    choose_side(channel);
    bool is_write = channel->drain != PF_DRAM_DRAIN_NONE;
    const PfDramSide *side = &channel->queue.sides[is_write];
    if (is_write != was_write)
        memset(channel->changed, 0xff, sizeof(channel->changed));
    if (is_write != was_write || goes_in_order(channel, side)) {
        channel->has_choice = false;
        return;
    }
    if (is_behind_another || entry->is_write != is_write || entry->blockers > 0)
        return;
    if (channel->queue.entries[channel->choice.entry].bank == entry->bank) {
        channel->has_choice = false;
        return;
    }
    find_candidates(channel, is_write);
    consider_entry(channel, channel->candidates[entry->bank].entry, is_write);
}
