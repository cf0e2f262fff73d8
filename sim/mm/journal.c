#include "journal.h"

#include "memory.h"

void pf_journal_init(PfJournal *journal)
{
    *journal = (PfJournal){.half_life = pf_stat_null()};
    pf_seg_array_init(&journal->starts, sizeof(uint32_t));
    pf_seg_array_init(&journal->frames, sizeof(PfJournalFrame));
    pf_seg_array_init(&journal->mappers, sizeof(PfJournalMappers));
}

void pf_journal_clear(PfJournal *journal)
{
    pf_seg_array_clear(&journal->starts);
    pf_seg_array_clear(&journal->frames);
    pf_seg_array_clear(&journal->mappers);
}

/* ---- Statistics ---- */

static PfStatValue read_first(const void *user)
{
    const PfJournal *journal = user;
    return journal->made > 0 ? pf_stat_uint(journal->first_cycles) : pf_stat_null();
}

static PfStatValue read_alive(const void *user)
{
    const PfJournal *journal = user;
    return pf_stat_uint(journal->made - journal->broken - journal->ended);
}

static PfStatValue read_longest(const void *user)
{
    const PfJournal *journal = user;
    return journal->broken > 0 ? pf_stat_uint(journal->longest_cycles) : pf_stat_null();
}

static PfStatValue read_half_life(const void *user)
{
    return ((const PfJournal *)user)->half_life;
}

void pf_journal_register(PfJournal *journal, PfStats *stats)
{
    PfStatsGroup *group = pf_stats_group(stats, "sharing");
    pf_stats_level(group, "alive", "sharings", "Sharings that are neither broken nor ended.",
                   read_alive, journal);
    pf_stats_counter(group, "broken", "events", "Sharings undone by a store that had to copy.",
                     &journal->broken);
    pf_stats_counter(group, "ended", "events",
                     "Sharings that ended otherwise: unmapped, given back, merged elsewhere.",
                     &journal->ended);
    pf_stats_level(group, "first_merge_cycles", "cycles", "When the first sharing was made.",
                   read_first, journal);
    pf_stats_histogram(group, "lifetime_%s_cycles", "cycles",
                       "How long the broken sharings had lasted.", &journal->broken_cycles, 1.0);
    pf_stats_distribution(group, "outlived_cycles", "cycles",
                          "Ages of the sharings that are alive, and at which others ended without "
                          "a store.",
                          &journal->outlived_cycles, 1.0);
    pf_stats_level(group, "lifetime_max_cycles", "cycles",
                   "How long the longest of the broken sharings had lasted.", read_longest,
                   journal);
    pf_stats_level(group, "half_life_cycles", "cycles",
                   "Age by which half of the sharings are broken (Kaplan-Meier); null if never.",
                   read_half_life, journal);
    pf_stats_counter(group, "wasted", "events", "Sharings broken within `wasted_within`.",
                     &journal->wasted);
    pf_stats_ratio(group, "wasted_share", "ratio", "Wasted ones of the sharings made.",
                   &journal->wasted, &journal->made, 1.0);
}

/* ---- Times ---- */

static void halve(uint32_t *units)
{
    if (*units != 0) /* what was never used is not to take memory */
        *units /= 2;
}

/* The run's clock in units, which are doubled until it fits. */
static uint32_t now_units(PfMemory *memory)
{
    PfJournal *journal = &memory->journal;
    while (*memory->now_cycles >> journal->unit_shift > UINT32_MAX) {
        journal->unit_shift++;
        for (uint64_t i = 0; i < journal->starts.count; i++)
            halve(pf_seg_array_at(&journal->starts, (uint32_t)i));
        for (uint64_t i = 0; i < journal->frames.count; i++)
            halve(&((PfJournalFrame *)pf_seg_array_at(&journal->frames, (uint32_t)i))->since);
    }
    return (uint32_t)(*memory->now_cycles >> journal->unit_shift);
}

/* Cycles since a time given in units. */
static uint64_t cycles_since(const PfMemory *memory, uint32_t units)
{
    return *memory->now_cycles - ((uint64_t)units << memory->journal.unit_shift);
}

/* ---- What happens ---- */

static PfJournalFrame *frame_at(PfMemory *memory, PfMpn frame)
{
    PfSegArray *frames = &memory->journal.frames;
    if (frame.number >= frames->count)
        pf_seg_array_reserve(frames, memory->frames.limit);
    return pf_seg_array_at(frames, frame.number);
}

static PfJournalMappers *mappers_at(PfMemory *memory, PfMpn frame)
{
    PfSegArray *mappers = &memory->journal.mappers;
    if (frame.number >= mappers->count)
        pf_seg_array_reserve(mappers, memory->frames.limit);
    return pf_seg_array_at(mappers, frame.number);
}

static uint32_t *start_at(PfMemory *memory, PfSlot slot)
{
    PfSegArray *starts = &memory->journal.starts;
    if (slot.index >= starts->count)
        pf_seg_array_reserve(starts, memory->entry_limit);
    return pf_seg_array_at(starts, slot.index);
}

/* Whether the page MAPPER (slot + 1) maps FRAME still. */
static bool is_mapping(const PfMemory *memory, uint32_t mapper, PfMpn frame)
{
    if (mapper == 0)
        return false;
    const PfEntry *entry = pf_memory_entry(memory, (PfSlot){mapper - 1});
    return (entry->flags & PF_ENTRY_PRESENT) != 0 && entry->mpn == frame.number;
}

static void tell(PfMemory *memory, PfSharingEventKind kind, PfSlot page, PfMpn frame,
                 uint64_t lifetime_cycles)
{
    const PfJournal *journal = &memory->journal;
    if (journal->listener == NULL)
        return;
    PfSharingEvent event = {.kind = kind,
                            .page = page,
                            .frame = frame,
                            .cycle = *memory->now_cycles,
                            .lifetime_cycles = lifetime_cycles};
    PfJournalMappers *mappers = mappers_at(memory, frame);
    if (!is_mapping(memory, mappers->first, frame))
        mappers->first = mappers->latest;
    uint32_t partner = mappers->first != page.index + 1 ? mappers->first : mappers->latest;
    event.has_partner = partner != page.index + 1 && is_mapping(memory, partner, frame);
    if (event.has_partner)
        event.partner = (PfSlot){partner - 1};
    journal->listener(journal->listener_user, &event);
    if (kind == PF_SHARING_MADE)
        pf_journal_keep(memory, frame, page);
}

void pf_journal_keep(PfMemory *memory, PfMpn frame, PfSlot page)
{
    if (memory->journal.listener == NULL)
        return;
    PfJournalMappers *mappers = mappers_at(memory, frame);
    if (!is_mapping(memory, mappers->first, frame))
        mappers->first = page.index + 1;
    mappers->latest = page.index + 1;
}

void pf_journal_join(PfMemory *memory, PfSlot page, PfMpn frame)
{
    PfJournal *journal = &memory->journal;
    uint32_t now = now_units(memory);
    if (journal->made++ == 0)
        journal->first_cycles = *memory->now_cycles;
    PfJournalFrame *record = frame_at(memory, frame);
    if (record->sharings++ == 0)
        record->since = now;
    *start_at(memory, page) = now;
    tell(memory, PF_SHARING_MADE, page, frame, 0);
}

void pf_journal_leave(PfMemory *memory, PfSlot page, const PfEntry *left, bool by_store)
{
    PfJournal *journal = &memory->journal;
    if (left->mpn >= journal->frames.count)
        return;
    PfMpn frame = {left->mpn};
    PfJournalFrame *record = frame_at(memory, frame);
    if (record->sharings == 0)
        return;
    bool was_moved = (left->flags & PF_ENTRY_SHARING) != 0;
    /* Those left to share with; the zero page is there without anybody. */
    uint32_t refs = pf_frame_refs(pf_frame_at(&memory->frames, frame));
    uint32_t others = frame.number == 0 || refs == 0 ? refs : refs - 1;
    if (!was_moved && record->sharings <= others)
        return;
    record->sharings--;
    uint32_t start = was_moved ? *start_at(memory, page) : 0;
    uint64_t lifetime = cycles_since(memory, MAX(start, record->since));
    pf_histogram_add(by_store ? &journal->broken_cycles : &journal->ended_cycles, lifetime);
    if (by_store) {
        journal->broken++;
        journal->wasted += lifetime <= journal->wasted_within_cycles;
        journal->longest_cycles = MAX(journal->longest_cycles, lifetime);
    } else {
        journal->ended++;
    }
    tell(memory, by_store ? PF_SHARING_BROKEN : PF_SHARING_ENDED, page, frame, lifetime);
}

void pf_journal_copy(PfMemory *memory, PfSlot source, PfSlot target)
{
    if ((pf_memory_entry(memory, source)->flags & PF_ENTRY_SHARING) != 0)
        *start_at(memory, target) = *start_at(memory, source);
}

/* ---- Half-life ---- */

/* Ages of the sharings that are alive. Of a frame with more moved pages than sharings (the page
 * that they were moved to has gone) the first ones stand for them. */
static void add_ages(PfMemory *memory, PfHistogram *ages)
{
    const PfJournal *journal = &memory->journal;
    g_autofree uint32_t *told = g_new0(uint32_t, journal->frames.count + 1);
    uint64_t limit = MIN(memory->entry_limit, journal->starts.count);
    for (uint64_t i = 0; i < limit; i++) {
        PfSlot slot = {(uint32_t)i};
        const PfEntry *entry = pf_memory_entry(memory, slot);
        if ((entry->flags & PF_ENTRY_SHARING) == 0)
            continue;
        const PfJournalFrame *record = frame_at(memory, (PfMpn){entry->mpn});
        if (told[entry->mpn] == record->sharings)
            continue;
        told[entry->mpn]++;
        pf_histogram_add(ages, cycles_since(memory, MAX(*start_at(memory, slot), record->since)));
    }
}

/* The estimator is the product-limit of Kaplan and Meier ("Nonparametric estimation from
 * incomplete observations", J. American Statistical Association 53(282), 1958): at each age at
 * which sharings were broken, the share of those that had come to that age that were not is a
 * factor. A sharing that ended otherwise, or is alive, says only that it came to its age. Ages are
 * buckets of the histogram, so the answer is at most 1/64 too high. */
void pf_journal_estimate(PfMemory *memory)
{
    PfJournal *journal = &memory->journal;
    PfHistogram *censored = &journal->outlived_cycles;
    *censored = journal->ended_cycles;
    add_ages(memory, censored);
    journal->half_life = pf_stat_null();
    if (journal->broken == 0)
        return;
    const double slack = 1e-12; /* of a product of rounded factors */
    uint64_t at_risk = journal->broken_cycles.count + censored->count;
    double surviving = 1.0;
    for (unsigned i = 0; i < PF_HISTOGRAM_BUCKETS && at_risk > 0; i++) {
        uint64_t broken = journal->broken_cycles.bucket[i];
        surviving *= (double)(at_risk - broken) / (double)at_risk;
        if (surviving <= 0.5 + slack) {
            journal->half_life = pf_stat_uint(pf_histogram_bucket_last(i));
            return;
        }
        at_risk -= broken + censored->bucket[i];
    }
}
