#include "dram_choice.h"

/* An entry that has waited so long goes before all others of its queue; clocks. A full queue of
 * single-line conflicts in one bank takes 32 * tRC, about 2000. */
enum { STARVED_CLOCKS = 8192 };

static inline bool is_before(const PfDramChoice *a, const PfDramChoice *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    bool a_column = a->kind == PF_DRAM_RD;
    bool b_column = b->kind == PF_DRAM_RD;
    return a_column != b_column ? a_column : a->order < b->order;
}

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

/* When CANDIDATE can be issued; UINT64_MAX if that is certainly after LIMIT. */
static inline uint64_t time_of(const PfDramChannel *channel, const PfDramCandidate *candidate,
                               bool is_write, uint64_t limit)
{
    const PfDramBanks *banks = &channel->banks;
    const PfDramGroup *group = &banks->groups[candidate->group];
    const PfDramRank *rank = &banks->ranks[candidate->rank];
    const PfDramBus *bus = &banks->bus;
    uint64_t at = MAX(channel->now, candidate->ready);
    uint32_t slots = 1;
    if (candidate->kind == PF_DRAM_RD) {
        at = MAX(at, is_write ? MAX(group->write_ready, rank->write_ready)
                              : MAX(group->read_ready, rank->read_ready));
        slots = banks->timing->column_slots;
        bus = pf_dram_columns_bus(banks);
    } else if (candidate->kind == PF_DRAM_ACT) {
        at = MAX(at, MAX(group->activate_ready, rank->activate_ready));
        at = MAX(at, rank->window_ready[rank->window_oldest]);
        slots = banks->timing->activate_slots;
    } else {
        at = MAX(at, rank->precharge_ready);
    }
    return at > limit ? UINT64_MAX : pf_dram_bus_fit(bus, at, slots);
}

/* Makes CANDIDATE the choice if it comes before that. */
static inline void consider(PfDramChannel *channel, const PfDramCandidate *candidate, bool is_write)
{
    const PfDramChoice choice = {.at = time_of(channel, candidate, is_write, channel->choice.at),
                                 .order = candidate->order,
                                 .entry = candidate->entry,
                                 .kind = candidate->kind};
    if (choice.at != UINT64_MAX && is_before(&choice, &channel->choice))
        channel->choice = choice;
}

/* Finds out what BANK, with a list that is not empty, needs next: a hit, unless too many have
 * passed the first of the list. */
static inline const PfDramCandidate *candidate_of_bank(PfDramChannel *channel, uint32_t bank,
                                                       bool is_write)
{
    PfDramCandidate *candidate = &channel->candidates[bank];
    if (!candidate->is_known) {
        const PfDramList *list = &channel->queue.sides[is_write].lists[bank];
        bool in_turn = list->hit != PF_DRAM_NONE &&
                       (list->hit == list->first ||
                        channel->passed[bank] < channel->settings->cap);
        *candidate = candidate_of(channel, in_turn ? list->hit : list->first);
        candidate->is_known = true;
    }
    return candidate;
}

static void forget_candidates(PfDramChannel *channel)
{
    for (uint32_t bank = 0; bank < channel->banks.bank_count; bank++)
        channel->candidates[bank].is_known = false;
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

void pf_dram_choose(PfDramChannel *channel)
{
    channel->has_choice = true;
    channel->choice = (PfDramChoice){.at = UINT64_MAX};
    bool was_write = channel->drain != PF_DRAM_DRAIN_NONE;
    choose_side(channel);
    bool is_write = channel->drain != PF_DRAM_DRAIN_NONE;
    if (is_write != was_write)
        forget_candidates(channel);
    const PfDramSide *side = &channel->queue.sides[is_write];
    if (side->listed == 0)
        return;
    if (goes_in_order(channel, side)) {
        PfDramCandidate oldest = candidate_of(channel, side->oldest);
        consider(channel, &oldest, is_write);
        return;
    }
    for (uint32_t word = 0; word < channel->queue.busy_words; word++)
        for (uint64_t busy = side->busy[word]; busy != 0; busy &= busy - 1) {
            uint32_t bank = word * 64 + (uint32_t)__builtin_ctzll(busy);
            consider(channel, candidate_of_bank(channel, bank, is_write), is_write);
        }
}

void pf_dram_choose_again(PfDramChannel *channel, uint32_t bank, uint64_t arrival)
{
    bool was_write = channel->drain != PF_DRAM_DRAIN_NONE;
    channel->candidates[bank].is_known = false;
    bool late = arrival < channel->now;
    channel->now = arrival;
    if (!channel->has_choice || late || channel->choice.at == UINT64_MAX ||
        channel->queue.entries[channel->choice.entry].bank == bank) {
        channel->has_choice = false;
        return;
    }
    choose_side(channel);
    bool is_write = channel->drain != PF_DRAM_DRAIN_NONE;
    const PfDramSide *side = &channel->queue.sides[is_write];
    if (is_write != was_write || goes_in_order(channel, side)) {
        forget_candidates(channel);
        channel->has_choice = false;
        return;
    }
    if ((side->busy[bank / 64] >> bank % 64 & 1) != 0)
        consider(channel, candidate_of_bank(channel, bank, is_write), is_write);
}
