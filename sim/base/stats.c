#include "stats.h"

#include <string.h>

#include "units.h"

/* 64 = 2^6 sub-buckets; see PF_HISTOGRAM_BUCKETS. */
enum { SUB_SHIFT = 6, SUB_BUCKETS = 1 << SUB_SHIFT };

typedef enum {
    ENTRY_COUNTER,
    ENTRY_LEVEL,
    ENTRY_RATIO,
    ENTRY_MEAN,
    ENTRY_QUANTILE,
} EntryKind;

/* A histogram and what it was at the last restart; the four entries of one share it. */
typedef struct {
    char *name; /* owned; the same as in */
    PfStatInfo info;
    double scale;
    bool is_level;
    const PfHistogram *live;
    PfHistogram *origin; /* NULL until a restart */
    PfHistogram *held;   /* NULL until a hold: live less origin */
} HistogramState;

typedef struct {
    PfStatInfo info; /* name is owned by the registry */
    EntryKind kind;
    unsigned permille;         /* QUANTILE */
    double scale;              /* RATIO, MEAN, QUANTILE */
    const uint64_t *numerator; /* COUNTER, RATIO */
    const uint64_t *denominator;
    uint64_t numerator_origin;
    uint64_t denominator_origin;
    PfStatRead read;
    const void *user;
    const HistogramState *histogram;
    PfStatValue held;
} Entry;

struct PfStatsGroup {
    PfStats *stats;
    char *prefix;
};

struct PfStats {
    GArray *entries;       /* Entry */
    GPtrArray *groups;     /* PfStatsGroup, owned */
    GPtrArray *histograms; /* HistogramState, owned */
    GHashTable *indices;   /* name (owned) to index in `entries`; only ever looked up */
    bool frozen;
    bool holding;
};

static unsigned bucket_of(uint64_t value)
{
    if (value < SUB_BUCKETS)
        return (unsigned)value;
    unsigned shift = pf_log2(value) - SUB_SHIFT;
    uint64_t bucket = (uint64_t)shift * SUB_BUCKETS + (value >> shift);
    return bucket < PF_HISTOGRAM_BUCKETS ? (unsigned)bucket : PF_HISTOGRAM_BUCKETS - 1;
}

uint64_t pf_histogram_bucket_last(unsigned bucket)
{
    if (bucket < SUB_BUCKETS)
        return bucket;
    unsigned shift = bucket / SUB_BUCKETS - 1;
    uint64_t step = bucket % SUB_BUCKETS + SUB_BUCKETS;
    return ((step + 1) << shift) - 1;
}

void pf_histogram_add(PfHistogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->sum += value;
    histogram->bucket[bucket_of(value)]++;
}

static uint64_t quantile_since(const PfHistogram *histogram, const PfHistogram *origin,
                               unsigned permille)
{
    g_assert(permille <= 1000);
    uint64_t count = histogram->count - (origin != NULL ? origin->count : 0);
    g_assert(count > 0);
    uint64_t rank = (uint64_t)(((PfUint128)count * permille + 999) / 1000);
    rank = MAX(rank, 1);
    uint64_t seen = 0;
    for (unsigned i = 0; i < PF_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->bucket[i] - (origin != NULL ? origin->bucket[i] : 0);
        if (seen >= rank)
            return pf_histogram_bucket_last(i);
    }
    g_assert_not_reached();
}

uint64_t pf_histogram_quantile(const PfHistogram *histogram, unsigned permille)
{
    return quantile_since(histogram, NULL, permille);
}

static void group_free(void *data)
{
    PfStatsGroup *group = data;
    g_free(group->prefix);
    g_free(group);
}

static void histogram_state_free(void *data)
{
    HistogramState *state = data;
    g_free(state->name);
    g_free(state->origin);
    g_free(state->held);
    g_free(state);
}

PfStats *pf_stats_new(void)
{
    PfStats *stats = g_new0(PfStats, 1);
    stats->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    stats->groups = g_ptr_array_new_with_free_func(group_free);
    stats->histograms = g_ptr_array_new_with_free_func(histogram_state_free);
    stats->indices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return stats;
}

void pf_stats_free(PfStats *stats)
{
    if (stats == NULL)
        return;
    g_array_unref(stats->entries);
    g_ptr_array_unref(stats->groups);
    g_ptr_array_unref(stats->histograms);
    g_hash_table_unref(stats->indices);
    g_free(stats);
}

PfStatsGroup *pf_stats_group(PfStats *stats, const char *prefix)
{
    for (unsigned i = 0; i < stats->groups->len; i++) {
        PfStatsGroup *group = stats->groups->pdata[i];
        if (strcmp(group->prefix, prefix) == 0)
            return group;
    }
    PfStatsGroup *group = g_new(PfStatsGroup, 1);
    *group = (PfStatsGroup){.stats = stats, .prefix = g_strdup(prefix)};
    g_ptr_array_add(stats->groups, group);
    return group;
}

static void add_entry(PfStatsGroup *group, const char *name, Entry entry)
{
    PfStats *stats = group->stats;
    g_assert(!stats->frozen);
    g_assert(name[0] != '\0');
    g_assert(entry.info.unit != NULL);
    g_assert(entry.info.description != NULL);
    char *full =
        group->prefix[0] == '\0' ? g_strdup(name) : g_strconcat(group->prefix, ".", name, NULL);
    g_assert(!g_hash_table_contains(stats->indices, full));
    entry.info.name = full;
    g_hash_table_insert(stats->indices, full, GUINT_TO_POINTER(stats->entries->len));
    g_array_append_val(stats->entries, entry);
}

void pf_stats_counter(PfStatsGroup *group, const char *name, const char *unit,
                      const char *description, const uint64_t *value)
{
    g_assert(value != NULL);
    add_entry(group, name,
              (Entry){.info = {.unit = unit, .description = description},
                      .kind = ENTRY_COUNTER,
                      .numerator = value});
}

void pf_stats_counters(PfStatsGroup *group, const PfStatCounter *counters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pf_stats_counter(group, counters[i].name, counters[i].unit, counters[i].description,
                         counters[i].value);
}

void pf_stats_level(PfStatsGroup *group, const char *name, const char *unit,
                    const char *description, PfStatRead read, const void *user)
{
    g_assert(read != NULL);
    add_entry(group, name,
              (Entry){.info = {.unit = unit, .description = description},
                      .kind = ENTRY_LEVEL,
                      .read = read,
                      .user = user});
}

void pf_stats_ratio(PfStatsGroup *group, const char *name, const char *unit,
                    const char *description, const uint64_t *numerator, const uint64_t *denominator,
                    double scale)
{
    g_assert(numerator != NULL);
    g_assert(denominator != NULL);
    add_entry(group, name,
              (Entry){.info = {.unit = unit, .description = description},
                      .kind = ENTRY_RATIO,
                      .numerator = numerator,
                      .denominator = denominator,
                      .scale = scale});
}

/* NAME with PART at its "%s", or behind it. */
static char *histogram_name(const char *name, const char *part)
{
    const char *place = strstr(name, "%s");
    if (place == NULL)
        return g_strconcat(name, "_", part, NULL);
    g_assert(strstr(place + 2, "%s") == NULL);
    g_autofree char *head = g_strndup(name, (gsize)(place - name));
    return g_strconcat(head, part, place + 2, NULL);
}

static HistogramState *add_histogram(PfStatsGroup *group, const char *name, const char *unit,
                                     const char *description, const PfHistogram *histogram,
                                     double scale)
{
    g_assert(histogram != NULL && !group->stats->frozen);
    HistogramState *state = g_new0(HistogramState, 1);
    state->live = histogram;
    state->scale = scale;
    state->name = g_strconcat(group->prefix, ".", name, NULL);
    state->info = (PfStatInfo){state->name, unit, description};
    g_ptr_array_add(group->stats->histograms, state);
    return state;
}

void pf_stats_distribution(PfStatsGroup *group, const char *name, const char *unit,
                           const char *description, const PfHistogram *histogram, double scale)
{
    add_histogram(group, name, unit, description, histogram, scale)->is_level = true;
}

void pf_stats_histogram(PfStatsGroup *group, const char *name, const char *unit,
                        const char *description, const PfHistogram *histogram, double scale)
{
    static const struct {
        const char *part;
        unsigned permille;
    } quantiles[] = {{"p50", 500}, {"p95", 950}, {"p99", 990}};

    g_auto(GStrv) parts = g_strsplit(name, "_%s", 2); /* "latency_%s_ns" is all of latency_ns */
    g_autofree char *joined = g_strjoinv("", parts);
    const char *whole = g_str_has_prefix(joined, "%s_") ? joined + strlen("%s_") : joined;
    HistogramState *state = add_histogram(group, whole, unit, description, histogram, scale);
    Entry entry = {.info = {.unit = unit, .description = description},
                   .kind = ENTRY_MEAN,
                   .histogram = state,
                   .scale = scale};
    g_autofree char *mean = histogram_name(name, "mean");
    add_entry(group, mean, entry);
    entry.kind = ENTRY_QUANTILE;
    for (unsigned i = 0; i < G_N_ELEMENTS(quantiles); i++) {
        g_autofree char *full = histogram_name(name, quantiles[i].part);
        entry.permille = quantiles[i].permille;
        add_entry(group, full, entry);
    }
}

void pf_stats_freeze(PfStats *stats)
{
    stats->frozen = true;
}

void pf_stats_restart(PfStats *stats)
{
    for (unsigned i = 0; i < stats->entries->len; i++) {
        Entry *entry = &g_array_index(stats->entries, Entry, i);
        if (entry->numerator != NULL)
            entry->numerator_origin = *entry->numerator;
        if (entry->denominator != NULL)
            entry->denominator_origin = *entry->denominator;
    }
    for (unsigned i = 0; i < stats->histograms->len; i++) {
        HistogramState *state = stats->histograms->pdata[i];
        g_clear_pointer(&state->held, g_free);
        if (state->is_level)
            continue;
        if (state->origin == NULL)
            state->origin = g_new(PfHistogram, 1);
        *state->origin = *state->live;
    }
    stats->holding = false;
}

static PfStatValue ratio_value(uint64_t numerator, uint64_t denominator, double scale)
{
    if (denominator == 0)
        return pf_stat_null();
    return pf_stat_double(scale * (double)numerator / (double)denominator);
}

static PfStatValue histogram_value(const Entry *entry)
{
    const PfHistogram *live = entry->histogram->live;
    const PfHistogram *origin = entry->histogram->origin;
    uint64_t count = live->count - (origin != NULL ? origin->count : 0);
    uint64_t sum = live->sum - (origin != NULL ? origin->sum : 0);
    if (entry->kind == ENTRY_MEAN || count == 0)
        return ratio_value(sum, count, entry->scale);
    return pf_stat_double(entry->scale * (double)quantile_since(live, origin, entry->permille));
}

static PfStatValue entry_value(const Entry *entry)
{
    switch (entry->kind) {
    case ENTRY_COUNTER:
        return pf_stat_uint(*entry->numerator - entry->numerator_origin);
    case ENTRY_LEVEL:
        return entry->read(entry->user);
    case ENTRY_RATIO:
        return ratio_value(*entry->numerator - entry->numerator_origin,
                           *entry->denominator - entry->denominator_origin, entry->scale);
    case ENTRY_MEAN:
    case ENTRY_QUANTILE:
        return histogram_value(entry);
    }
    g_assert_not_reached();
}

static PfStatValue value_now(const PfStats *stats, const Entry *entry)
{
    return stats->holding ? entry->held : entry_value(entry);
}

void pf_stats_hold(PfStats *stats)
{
    if (stats->holding)
        return;
    for (unsigned i = 0; i < stats->entries->len; i++) {
        Entry *entry = &g_array_index(stats->entries, Entry, i);
        entry->held = entry_value(entry);
    }
    for (unsigned i = 0; i < stats->histograms->len; i++) {
        HistogramState *state = stats->histograms->pdata[i];
        if (state->held == NULL)
            state->held = g_new(PfHistogram, 1);
        *state->held = *state->live;
        for (unsigned b = 0; state->origin != NULL && b < PF_HISTOGRAM_BUCKETS; b++)
            state->held->bucket[b] -= state->origin->bucket[b];
    }
    stats->holding = true;
}

void pf_stats_visit_buckets(const PfStats *stats, PfStatBucketVisitor visit, void *user)
{
    for (unsigned i = 0; i < stats->histograms->len; i++) {
        const HistogramState *state = stats->histograms->pdata[i];
        const PfHistogram *histogram = stats->holding ? state->held : state->live;
        const PfHistogram *origin = stats->holding ? NULL : state->origin;
        for (unsigned b = 0; b < PF_HISTOGRAM_BUCKETS; b++) {
            uint64_t count = histogram->bucket[b] - (origin != NULL ? origin->bucket[b] : 0);
            if (count > 0)
                visit(&state->info, state->scale * (double)pf_histogram_bucket_last(b), count,
                      user);
        }
    }
}

void pf_stats_amend(PfStats *stats, const char *name, PfStatValue value)
{
    void *index;
    bool found = g_hash_table_lookup_extended(stats->indices, name, NULL, &index);
    g_assert(found && stats->holding);
    Entry *entry = &g_array_index(stats->entries, Entry, GPOINTER_TO_UINT(index));
    g_assert(entry->kind == ENTRY_LEVEL);
    entry->held = value;
}

void pf_stats_visit(const PfStats *stats, PfStatVisitor visit, void *user)
{
    for (unsigned i = 0; i < stats->entries->len; i++) {
        const Entry *entry = &g_array_index(stats->entries, Entry, i);
        visit(&entry->info, value_now(stats, entry), user);
    }
}

bool pf_stats_find(const PfStats *stats, const char *name, PfStatValue *ret_value)
{
    void *index;
    if (!g_hash_table_lookup_extended(stats->indices, name, NULL, &index)) {
        *ret_value = pf_stat_null();
        return false;
    }
    *ret_value = value_now(stats, &g_array_index(stats->entries, Entry, GPOINTER_TO_UINT(index)));
    return true;
}
