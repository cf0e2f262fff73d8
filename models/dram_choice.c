#include "dram_choice.h"

#include <string.h>

/* An entry that has waited so long goes before all others of its queue; clocks. A full queue of
 * single-line conflicts in one bank takes 32 * tRC, about 2000. */
enum { STARVED_CLOCKS = 8192 };

/* Commands are compared by one number: clocks from now, whether it is a row's (columns come first
 * at the same clock), age and bank, from high bits to low. Ages beyond their bits are all the
 * same. */
enum { TIME_SHIFT = 32, ROW_SHIFT = 31, AGE_SHIFT = 10 };
#define AGE_MAX ((uint64_t)(1 << (ROW_SHIFT - AGE_SHIFT)) - 1)

static inline bool is_column(PfDramNeed need)
{
    return need == PF_DRAM_NEEDS_READ || need == PF_DRAM_NEEDS_WRITE;
}

/* What entry INDEX needs next, and when its bank lets it. */
static inline PfDramCandidate candidate_of(const PfDramChannel *channel, uint16_t index)
{
    const PfDramEntry *entry = &channel->queue.entries[index];
    const PfDramBank *bank = &channel->banks.banks[entry->bank];
    PfDramNeed need;
    uint64_t ready;
    if (bank->open_row == entry->row) {
        need = entry->is_write ? PF_DRAM_NEEDS_WRITE : PF_DRAM_NEEDS_READ;
        ready = entry->is_write ? bank->write_ready : bank->read_ready;
    } else if (bank->open_row == PF_DRAM_NO_ROW) {
        need = PF_DRAM_NEEDS_ACT;
        ready = bank->activate_ready;
    } else {
        need = PF_DRAM_NEEDS_PRE;
        ready = bank->precharge_ready;
    }
    uint64_t age = MIN(entry->order - channel->age_origin, AGE_MAX);
    return (PfDramCandidate){.ready = MAX(ready, entry->arrival),
                             .low = (uint64_t)!is_column(need) << ROW_SHIFT | age << AGE_SHIFT |
                                    entry->bank,
                             .entry = index,
                             .of_group = (uint16_t)(bank->group * PF_DRAM_NEEDS + need),
                             .of_rank = (uint8_t)(bank->rank * PF_DRAM_NEEDS + need),
                             .need = (uint8_t)need};
}

static const PfDramBus *bus_of(const PfDramChannel *channel, PfDramNeed need)
{
    return is_column(need) ? pf_dram_columns_bus(&channel->banks) : &channel->banks.bus;
}

/* The first clock from AT on at which the bus has room for what NEED says. */
static uint64_t fit(const PfDramChannel *channel, PfDramNeed need, uint64_t at)
{
    const PfDramPreset *timing = channel->timing;
    const uint32_t slots[PF_DRAM_NEEDS] = {timing->column_slots, timing->column_slots, 1,
                                           timing->activate_slots};
    return pf_dram_bus_fit(bus_of(channel, need), at, slots[need]);
}

static inline void set_bit(uint64_t *words, uint32_t bank)
{
    words[bank / 64] |= (uint64_t)1 << bank % 64;
}

static inline void clear_bit(uint64_t *words, uint32_t bank)
{
    words[bank / 64] &= ~((uint64_t)1 << bank % 64);
}

static inline bool has_bit(const uint64_t *words, uint32_t bank)
{
    return (words[bank / 64] >> bank % 64 & 1) != 0;
}

/* Finds out what BANK needs next: of the queue whose turn it is a hit, unless too many have passed
 * the first; else the first column of a row that the turn before has opened; else the first. */
static void find_candidate(PfDramChannel *channel, uint32_t bank, bool is_write)
{
    const PfDramList *list = &channel->queue.sides[is_write].lists[bank];
    const PfDramList *other = &channel->queue.sides[!is_write].lists[bank];
    PfDramCandidate *candidate = &channel->candidates[bank];
    if (list->hit != PF_DRAM_NONE &&
        (list->hit == list->first || channel->passed[bank] < channel->settings->cap)) {
        *candidate = candidate_of(channel, list->hit);
    } else if (other->hit != PF_DRAM_NONE && has_bit(channel->left_open, bank) &&
               channel->is_fresh[bank]) {
        *candidate = candidate_of(channel, other->hit);
    } else if (list->first != PF_DRAM_NONE) {
        *candidate = candidate_of(channel, list->first);
    } else {
        clear_bit(channel->waiting, bank);
        return;
    }
    set_bit(channel->waiting, bank);
}

/* Brings up to date the candidates of banks that have changed. */
static void find_candidates(PfDramChannel *channel, bool is_write)
{
    if (channel->queue.arrivals - channel->age_origin > AGE_MAX) {
        channel->age_origin = pf_dram_queue_oldest(&channel->queue);
        memset(channel->changed, 0xff, sizeof(channel->changed));
    }
    for (uint32_t word = 0; word < channel->queue.busy_words; word++) {
        uint64_t changed = channel->changed[word];
        uint64_t busy = channel->queue.sides[0].busy[word] | channel->queue.sides[1].busy[word];
        channel->changed[word] = 0;
        channel->waiting[word] &= busy;
        for (changed &= busy; changed != 0; changed &= changed - 1)
            find_candidate(channel, word * 64 + (uint32_t)__builtin_ctzll(changed), is_write);
    }
}

/* When each rank and bus let be done what is needed, by rank and need. Whether that is so for
 * good: a bus may be taken behind its first free clock. */
static inline bool find_starts(const PfDramChannel *channel, uint64_t *ret_starts)
{
    const PfDramBanks *banks = &channel->banks;
    uint64_t row_start = pf_dram_bus_fit(&banks->bus, channel->now, 1);
    uint64_t column_start = row_start;
    bool is_free = banks->bus.end <= row_start;
    if (channel->timing->splits_bus) {
        column_start = pf_dram_bus_fit(&banks->column_bus, channel->now, 1);
        is_free &= banks->column_bus.end <= column_start;
    }
    for (uint32_t rank = 0; rank < banks->rank_count; rank++) {
        const PfDramRank *state = &banks->ranks[rank];
        uint64_t *starts = &ret_starts[rank * PF_DRAM_NEEDS];
        uint64_t window_ready = state->window_ready[state->window_oldest];
        starts[PF_DRAM_NEEDS_READ] = MAX(column_start, state->ready[PF_DRAM_NEEDS_READ]);
        starts[PF_DRAM_NEEDS_WRITE] = MAX(column_start, state->ready[PF_DRAM_NEEDS_WRITE]);
        starts[PF_DRAM_NEEDS_PRE] = MAX(row_start, state->ready[PF_DRAM_NEEDS_PRE]);
        starts[PF_DRAM_NEEDS_ACT] =
            MAX(row_start, MAX(window_ready, state->ready[PF_DRAM_NEEDS_ACT]));
    }
    return is_free;
}

/* The least of all candidates' numbers; UINT64_MAX where there are none. */
static inline uint64_t find_best(const PfDramChannel *channel)
{
    const uint64_t *of_groups = (const uint64_t *)channel->banks.groups; /* nothing else in them */
    uint64_t of_ranks[PF_DRAM_RANKS_MAX * PF_DRAM_NEEDS];
    bool is_free = find_starts(channel, of_ranks);
    uint64_t now = channel->now;
    uint64_t best = UINT64_MAX;
    for (uint32_t word = 0; word < channel->queue.busy_words; word++) {
        const PfDramCandidate *candidates = &channel->candidates[word * 64];
        for (uint64_t rest = channel->waiting[word]; rest != 0; rest &= rest - 1) {
            const PfDramCandidate *candidate = &candidates[__builtin_ctzll(rest)];
            uint64_t at = MAX(candidate->ready, of_ranks[candidate->of_rank]);
            at = MAX(at, of_groups[candidate->of_group]);
            if (G_UNLIKELY(!is_free))
                at = fit(channel, candidate->need, at);
            best = MIN(best, (at - now) << TIME_SHIFT | candidate->low);
        }
    }
    return best;
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
        return channel->turn_left > 0 &&
               pf_dram_queue_places(writes) >= channel->settings->low_writes;
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
    if (pf_dram_queue_places(writes) > channel->settings->high_writes)
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

static PfDramChoice choice_of(const PfDramChannel *channel, const PfDramCandidate *candidate,
                              uint64_t at)
{
    return (PfDramChoice){.at = at,
                          .order = channel->queue.entries[candidate->entry].order,
                          .entry = candidate->entry,
                          .need = candidate->need};
}

/* What CANDIDATE needs, as soon as it can be. */
static PfDramChoice choice_alone(const PfDramChannel *channel, const PfDramCandidate *candidate)
{
    PfDramNeed need = candidate->need;
    const PfDramBanks *banks = &channel->banks;
    const PfDramRank *rank = &banks->ranks[candidate->of_rank / PF_DRAM_NEEDS];
    uint64_t at = MAX(channel->now, rank->ready[need]);
    if (need == PF_DRAM_NEEDS_ACT)
        at = MAX(at, rank->window_ready[rank->window_oldest]);
    const PfDramGroup *group = &banks->groups[candidate->of_group / PF_DRAM_NEEDS];
    at = MAX(at, MAX(candidate->ready, group->ready[need]));
    return choice_of(channel, candidate, fit(channel, need, at));
}

/* Brings the turn up to date; whether writes have it. */
static bool take_turn(PfDramChannel *channel)
{
    bool was_write = channel->drain != PF_DRAM_DRAIN_NONE;
    choose_side(channel);
    bool is_write = channel->drain != PF_DRAM_DRAIN_NONE;
    if (is_write == was_write)
        return is_write;
    memset(channel->changed, 0xff, sizeof(channel->changed));
    memset(channel->left_open, 0xff, sizeof(channel->left_open));
    return is_write;
}

void pf_dram_choose(PfDramChannel *channel)
{
    channel->has_choice = true;
    channel->choice = (PfDramChoice){.at = UINT64_MAX};
    bool is_write = take_turn(channel);
    const PfDramSide *side = &channel->queue.sides[is_write];
    if (side->listed == 0)
        return;
    if (goes_in_order(channel, side)) {
        PfDramCandidate oldest = candidate_of(channel, side->oldest);
        channel->choice = choice_alone(channel, &oldest);
        return;
    }
    find_candidates(channel, is_write);
    uint64_t best = find_best(channel);
    g_assert(best != UINT64_MAX);
    channel->choice = choice_of(channel, &channel->candidates[best & ((1 << AGE_SHIFT) - 1)],
                                channel->now + (best >> TIME_SHIFT));
}

/* Whether what the bank of entry INDEX needs next is what it needed before that came. */
static bool is_behind(const PfDramChannel *channel, uint16_t index)
{
    const PfDramEntry *entry = &channel->queue.entries[index];
    const PfDramList *list = &channel->queue.sides[entry->is_write].lists[entry->bank];
    return list->first != index && list->hit != index;
}

/* Whether A is issued before B. */
static bool comes_before(const PfDramChoice *a, const PfDramChoice *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    if (is_column(a->need) != is_column(b->need))
        return is_column(a->need);
    return a->order < b->order;
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
    bool is_write = take_turn(channel);
    const PfDramSide *side = &channel->queue.sides[is_write];
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
    PfDramChoice choice = choice_alone(channel, &channel->candidates[entry->bank]);
    if (comes_before(&choice, &channel->choice))
        channel->choice = choice;
}
