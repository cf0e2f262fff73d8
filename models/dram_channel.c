#include "dram_channel.h"

#include <string.h>

#include "dram_choice.h"
#include "units.h"

/* A channel that issues so many commands without serving anything is caught in a loop. */
enum { FRUITLESS_MAX = 100000 };

/* The row of BANK is ROW from now on. */
static void note_row(PfDramChannel *channel, uint32_t bank, uint32_t row)
{
    pf_dram_queue_row_changed(&channel->queue, bank, row);
    channel->left_open[bank / 64] &= ~((uint64_t)1 << bank % 64);
    pf_dram_bank_changed(channel, bank);
}

/* Whether the row of ENTRY, just served and gone, is closed behind it. */
static bool closes_row(const PfDramChannel *channel, const PfDramEntry *entry)
{
    if (channel->settings->page_policy == PF_DRAM_PAGE_CLOSED)
        return true;
    if (channel->settings->page_policy != PF_DRAM_PAGE_ADAPTIVE)
        return false;
    const PfDramList *reads = &channel->queue.sides[false].lists[entry->bank];
    const PfDramList *writes = &channel->queue.sides[true].lists[entry->bank];
    bool wanted = reads->hit != PF_DRAM_NONE || writes->hit != PF_DRAM_NONE;
    bool in_the_way = reads->first != PF_DRAM_NONE || writes->first != PF_DRAM_NONE;
    return !wanted && in_the_way;
}

/* Counts how ENTRY found its row, by the first command issued for it. */
static void begin(PfDramChannel *channel, PfDramEntry *entry, uint8_t need)
{
    if (entry->has_begun)
        return;
    entry->has_begun = true;
    if (entry->actor == PF_DRAM_LOAD_ACTOR)
        return;
    channel->stats->row_hits += need == PF_DRAM_NEEDS_READ || need == PF_DRAM_NEEDS_WRITE;
    channel->stats->row_misses += need == PF_DRAM_NEEDS_ACT;
    channel->stats->row_conflicts += need == PF_DRAM_NEEDS_PRE;
}

/* The column access of entry INDEX at clock AT, which ends it. */
static void serve(PfDramChannel *channel, uint16_t index, uint64_t at)
{
    PfDramQueue *queue = &channel->queue;
    const PfDramEntry entry = queue->entries[index];
    const PfDramPreset *timing = channel->timing;
    uint32_t open_row = channel->banks.banks[entry.bank].open_row;
    channel->passed[entry.bank] += queue->sides[entry.is_write].lists[entry.bank].first != index;
    channel->last_columns[entry.bank] = at;
    channel->is_fresh[entry.bank] = false;
    channel->fruitless = 0;
    channel->turn_left -= channel->turn_left > 0;
    pf_dram_queue_remove(queue, index, open_row);
    bool closes = closes_row(channel, &entry);
    pf_dram_column(&channel->banks, entry.bank, entry.is_write, closes, at);
    if (closes)
        note_row(channel, entry.bank, PF_DRAM_NO_ROW);
    if (entry.actor == PF_DRAM_LOAD_ACTOR) {
        channel->load.waiting--;
        return;
    }
    PfDramStats *stats = channel->stats;
    stats->bank_accesses[entry.bank % (timing->bank_groups * timing->banks)]++;
    if (entry.is_write) {
        pf_histogram_add(&stats->write_latency_clocks,
                         at + timing->cwl + timing->burst - entry.sent);
        return;
    }
    uint64_t done = at + timing->cl + timing->burst;
    pf_histogram_add(&stats->read_latency_clocks, done - entry.sent);
    if (channel->done != NULL)
        channel->done(channel->done_user, entry.tag, done);
}

static void issue(PfDramChannel *channel)
{
    const PfDramChoice choice = channel->choice;
    PfDramEntry *entry = &channel->queue.entries[choice.entry];
    channel->has_choice = false;
    pf_dram_bank_changed(channel, entry->bank);
    channel->now = choice.at;
    channel->fruitless++;
    g_assert(channel->fruitless < FRUITLESS_MAX);
    begin(channel, entry, choice.need);
    switch (choice.need) {
    case PF_DRAM_NEEDS_READ:
    case PF_DRAM_NEEDS_WRITE:
        serve(channel, choice.entry, choice.at);
        return;
    case PF_DRAM_NEEDS_ACT:
        pf_dram_activate(&channel->banks, entry->bank, entry->row, choice.at);
        pf_dram_queue_open(&channel->queue, choice.entry);
        channel->passed[entry->bank] = 0;
        channel->is_fresh[entry->bank] = true;
        note_row(channel, entry->bank, entry->row);
        return;
    case PF_DRAM_NEEDS_PRE:
        pf_dram_precharge(&channel->banks, entry->bank, choice.at);
        note_row(channel, entry->bank, PF_DRAM_NO_ROW);
        return;
    default:
        g_assert_not_reached();
    }
}

/* A row of BANK that was opened and not used is, before it has to be closed. */
static void use_row(PfDramChannel *channel, uint32_t bank)
{
    bool is_write = channel->drain != PF_DRAM_DRAIN_NONE;
    uint16_t hit = channel->queue.sides[is_write].lists[bank].hit;
    if (!channel->is_fresh[bank] || hit == PF_DRAM_NONE)
        return;
    PfDramBanks *banks = &channel->banks;
    const PfDramEntry *entry = &channel->queue.entries[hit];
    begin(channel, &channel->queue.entries[hit],
          is_write ? PF_DRAM_NEEDS_WRITE : PF_DRAM_NEEDS_READ);
    serve(channel, hit,
          pf_dram_column_ready(banks, &banks->banks[bank], is_write,
                               MAX(channel->now, entry->arrival)));
}

/* The refresh that is due, of all ranks or of a bank in each. */
static void refresh(PfDramChannel *channel)
{
    PfDramBanks *banks = &channel->banks;
    const PfDramPreset *timing = channel->timing;
    bool all = channel->settings->refresh == PF_DRAM_REFRESH_ALL_BANK;
    uint64_t due = channel->refresh_due;
    uint32_t in_rank = banks->bank_count / banks->rank_count;
    channel->has_choice = false;
    for (uint32_t rank = 0; rank < banks->rank_count; rank++) {
        uint32_t first = rank * in_rank;
        if (!pf_dram_count_refreshes(channel, rank, 1, all ? timing->rfc : timing->rfc_bank))
            continue;
        uint64_t at = due + (pf_dram_rank_sleeps(banks, rank) ? timing->xp : 0);
        if (all) {
            for (uint32_t bank = first; bank < first + in_rank; bank++)
                use_row(channel, bank);
            pf_dram_refresh_rank(banks, rank, at);
            for (uint32_t bank = first; bank < first + in_rank; bank++)
                note_row(channel, bank, PF_DRAM_NO_ROW);
        } else {
            uint32_t bank = first + (uint32_t)(channel->refreshes % in_rank);
            use_row(channel, bank);
            pf_dram_refresh_bank(banks, bank, at);
            note_row(channel, bank, PF_DRAM_NO_ROW);
        }
    }
    channel->now = MAX(channel->now, due);
    channel->refreshes++;
    channel->refresh_due += channel->settings->refresh_interval;
}

/* Nothing waits until UNTIL: once all rows are closed, counts the refreshes of which nothing will
 * be seen, as each bank has one after them. */
static void skip_refreshes(PfDramChannel *channel, uint64_t until)
{
    for (uint32_t rank = 0; rank < channel->banks.rank_count; rank++)
        if (channel->banks.ranks[rank].open_banks > 0)
            return;
    uint64_t interval = channel->settings->refresh_interval;
    uint64_t due = (until - channel->refresh_due + interval - 1) / interval;
    bool all = channel->settings->refresh == PF_DRAM_REFRESH_ALL_BANK;
    uint64_t kept = all ? 1 : channel->banks.bank_count / channel->banks.rank_count;
    if (due <= kept)
        return;
    uint64_t count = due - kept;
    channel->refresh_due += count * interval;
    channel->refreshes += count;
    const PfDramPreset *timing = channel->timing;
    for (uint32_t rank = 0; rank < channel->banks.rank_count; rank++)
        if (pf_dram_count_refreshes(channel, rank, count, all ? timing->rfc : timing->rfc_bank))
            channel->banks.commands[all ? PF_DRAM_REF : PF_DRAM_REFB] += count;
}

uint64_t pf_dram_channel_next(PfDramChannel *channel)
{
    if (!channel->has_choice)
        pf_dram_choose(channel);
    return channel->choice.at;
}

/* Closes the row of BANK if it has been open and unused for long enough before AT. */
static void apply_timeout(PfDramChannel *channel, uint32_t bank, uint64_t at)
{
    const PfDramBank *state = &channel->banks.banks[bank];
    uint64_t deadline = channel->last_columns[bank] + channel->settings->timeout;
    if (state->open_row == PF_DRAM_NO_ROW || deadline >= at ||
        channel->queue.sides[false].lists[bank].hit != PF_DRAM_NONE ||
        channel->queue.sides[true].lists[bank].hit != PF_DRAM_NONE)
        return;
    pf_dram_precharge(&channel->banks, bank,
                      pf_dram_precharge_ready(&channel->banks, state, deadline));
    channel->has_choice = false;
    note_row(channel, bank, PF_DRAM_NO_ROW);
}

/* ENTRY waits for its turn from now on. */
static void take_in(PfDramChannel *channel, const PfDramEntry *entry)
{
    if (channel->settings->page_policy == PF_DRAM_PAGE_TIMEOUT)
        apply_timeout(channel, entry->bank, entry->arrival);
    const PfDramBank *bank = &channel->banks.banks[entry->bank];
    if (G_UNLIKELY(channel->banks.asleep != 0))
        pf_dram_channel_wake(channel, bank->rank, entry->arrival);
    pf_dram_choose_again(channel, pf_dram_queue_add(&channel->queue, entry, bank->open_row));
}

/* Takes in the load's next read, if it is due no later than FIRST and finds a place. */
static bool take_load(PfDramChannel *channel, uint64_t first)
{
    if (pf_dram_load_due(&channel->load) > first ||
        !pf_dram_queue_has_room(&channel->queue, false))
        return false;
    PfDramEntry entry =
        pf_dram_load_next(&channel->load, channel->banks.bank_count, channel->timing->rows);
    channel->stats->background_requests++;
    take_in(channel, &entry);
    return true;
}

/* Counts the load's reads of which nothing will be seen. */
static void skip_load(PfDramChannel *channel, uint64_t until)
{
    uint64_t reads = pf_dram_load_skip(&channel->load, until);
    channel->stats->background_requests += reads;
    channel->banks.commands[PF_DRAM_RD] += reads;
    channel->banks.commands[PF_DRAM_ACT] +=
        (uint64_t)((PfUint128)reads * channel->load.miss_parts >> 16);
}

void pf_dram_channel_step(PfDramChannel *channel)
{
    uint64_t next = pf_dram_channel_next(channel);
    if (take_load(channel, MIN(next, channel->refresh_due)))
        return;
    if (channel->refresh_due <= next)
        refresh(channel);
    else
        issue(channel);
}

/* Whether nothing can happen before UNTIL as the command buses are taken up to there; then there
 * is no need to find out what comes next. */
static bool is_taken_until(const PfDramChannel *channel, uint64_t until)
{
    const PfDramBanks *banks = &channel->banks;
    return !channel->has_choice && channel->refresh_due >= until &&
           pf_dram_bus_fit(&banks->bus, channel->now, 1) >= until &&
           pf_dram_bus_fit(pf_dram_columns_bus(banks), channel->now, 1) >= until;
}

void pf_dram_channel_run(PfDramChannel *channel, uint64_t until)
{
    if (until == 0 || is_taken_until(channel, until))
        return;
    skip_load(channel, until);
    for (;;) {
        uint64_t next = pf_dram_channel_next(channel);
        if (take_load(channel, MIN(MIN(next, channel->refresh_due), until - 1)))
            continue;
        if (channel->refresh_due < until && channel->refresh_due <= next) {
            if (next == UINT64_MAX)
                skip_refreshes(channel, MIN(until, pf_dram_load_due(&channel->load)));
            refresh(channel);
        } else if (next < until) {
            issue(channel);
        } else {
            return;
        }
    }
}

void pf_dram_channel_submit(PfDramChannel *channel, const PfDramEntry *entry)
{
    PfDramStats *stats = channel->stats;
    uint64_t *count = entry->is_write ? &stats->writes : &stats->reads;
    uint64_t *by_actor = entry->is_write ? stats->writes_by_actor : stats->reads_by_actor;
    (*count)++;
    by_actor[entry->actor]++;
    if (pf_dram_queue_find_write(&channel->queue, entry->line) != PF_DRAM_NONE) {
        uint64_t done = entry->arrival + 1;
        stats->forwarded_reads += !entry->is_write;
        stats->absorbed_writes += entry->is_write;
        pf_histogram_add(entry->is_write ? &stats->write_latency_clocks
                                         : &stats->read_latency_clocks,
                         done - entry->sent);
        if (!entry->is_write && channel->done != NULL)
            channel->done(channel->done_user, entry->tag, done);
        return;
    }
    take_in(channel, entry);
}

void pf_dram_channel_init(PfDramChannel *channel, const PfDramPreset *timing,
                          const PfDramSettings *settings, PfDramStats *stats)
{
    *channel = (PfDramChannel){.timing = timing, .settings = settings, .stats = stats};
    pf_dram_banks_init(&channel->banks, timing, settings->ranks);
    uint32_t banks = channel->banks.bank_count;
    pf_dram_queue_init(&channel->queue, banks, settings->reads, settings->writes);
    channel->candidates = g_new0(PfDramCandidate, banks);
    channel->passed = g_new0(uint32_t, banks);
    channel->is_fresh = g_new0(bool, banks);
    channel->last_columns = g_new0(uint64_t, banks);
    channel->refresh_due = settings->refresh_interval;
}

void pf_dram_channel_clear(PfDramChannel *channel)
{
    pf_dram_banks_clear(&channel->banks);
    pf_dram_queue_clear(&channel->queue);
    g_free(channel->candidates);
    g_free(channel->passed);
    g_free(channel->is_fresh);
    g_free(channel->last_columns);
}

void pf_dram_channel_reset_state(PfDramChannel *channel)
{
    pf_dram_banks_reset_state(&channel->banks);
    pf_dram_queue_reset(&channel->queue);
    memset(channel->changed, 0xff, sizeof(channel->changed));
    channel->has_choice = false;
    channel->load.waiting = 0;
    channel->drain = PF_DRAM_DRAIN_NONE;
}

void pf_dram_channel_check(const PfDramChannel *channel)
{
    pf_dram_banks_check(&channel->banks);
    for (int i = 0; i < 2; i++) {
        const PfDramSide *side = &channel->queue.sides[i];
        uint32_t count = 0;
        uint32_t listed = 0;
        uint64_t order = 0;
        for (uint16_t at = side->oldest; at != PF_DRAM_NONE; count++) {
            const PfDramEntry *entry = &channel->queue.entries[at];
            g_assert(entry->is_write == (i == 1) && entry->order >= order);
            order = entry->order;
            listed += entry->blockers == 0;
            at = entry->newer;
        }
        g_assert(count == side->count && listed == side->listed &&
                 pf_dram_queue_places(side) <= side->entries);
    }
}
