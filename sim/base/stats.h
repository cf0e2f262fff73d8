/* Statistics registry.
 *
 * A model keeps its counters as plain uint64_t members and increments them; at construction it
 * registers where they are, with a unit and a sentence. The registry is frozen when the machine is
 * built; visiting it in order of registration is the only way to a report.
 *
 * Statistics can be restarted (warm-up, region of interest) without touching a model: the registry
 * remembers the counters' values of that moment and subtracts them. Levels, which say how things
 * stand and not what happened, are not affected. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct PfStats PfStats;

/* Where a model registers: a registry and a dotted prefix. Borrowed; lives as long as the
 * registry. */
typedef struct PfStatsGroup PfStatsGroup;

typedef enum {
    PF_STAT_NULL,   /* unknown or undefined */
    PF_STAT_UINT,   /* u */
    PF_STAT_INT,    /* i */
    PF_STAT_DOUBLE, /* d */
} PfStatKind;

typedef struct {
    PfStatKind kind;
    union {
        uint64_t u;
        int64_t i;
        double d;
    };
} PfStatValue;

/* Buckets of a histogram: 64 linear sub-buckets in each power of two, so a quantile is at most
 * 1/64 (1.6 %) too high. Values below 64 have a bucket each; those of 2^45 and more count in the
 * last bucket, whose largest value is 2^45 - 1. */
enum { PF_HISTOGRAM_BUCKETS = 64 * 40 };

typedef struct {
    uint64_t count;
    uint64_t sum;
    uint64_t bucket[PF_HISTOGRAM_BUCKETS];
} PfHistogram;

/* Counts VALUE in its bucket. */
void pf_histogram_add(PfHistogram *histogram, uint64_t value);

/* The largest value of the bucket that holds the value of rank ceil(PERMILLE/1000 * count), so
 * that at least that share of values is not above it. The histogram must not be empty. */
uint64_t pf_histogram_quantile(const PfHistogram *histogram, unsigned permille);

/* The largest value that counts in BUCKET. */
uint64_t pf_histogram_bucket_last(unsigned bucket);

/* Reads a level at the time of the visit; returns PF_STAT_NULL where it has none. */
typedef PfStatValue (*PfStatRead)(const void *user);

typedef struct {
    const char *name;        /* full dotted name */
    const char *unit;        /* "pages", "bytes", "cycles", "events", "ratio", "ns", "J", "GB/s" */
    const char *description; /* one sentence */
} PfStatInfo;

typedef void (*PfStatVisitor)(const PfStatInfo *info, PfStatValue value, void *user);

/* An empty registry. */
PfStats *pf_stats_new(void);
void pf_stats_free(PfStats *stats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfStats, pf_stats_free)

/* The group with dotted PREFIX ("" for the root); the same group each time. */
PfStatsGroup *pf_stats_group(PfStats *stats, const char *prefix);

/* Registers VALUE, a counter that only grows. NAME is copied, UNIT and DESCRIPTION are borrowed and
 * must be string constants; VALUE must outlive the registry's last visit. Registering after the
 * freeze or a name twice is a programmer's error; so it is for the functions below. */
void pf_stats_counter(PfStatsGroup *group, const char *name, const char *unit,
                      const char *description, const uint64_t *value);

/* The same for COUNT of them, in order. */
typedef struct {
    const char *name;
    const char *unit;
    const uint64_t *value;
    const char *description;
} PfStatCounter;
void pf_stats_counters(PfStatsGroup *group, const PfStatCounter *counters, size_t count);

/* Registers a level or a figure that READ derives from USER (borrowed). */
void pf_stats_level(PfStatsGroup *group, const char *name, const char *unit,
                    const char *description, PfStatRead read, const void *user);

/* Registers SCALE * NUMERATOR / DENOMINATOR, null while the denominator is 0. */
void pf_stats_ratio(PfStatsGroup *group, const char *name, const char *unit,
                    const char *description, const uint64_t *numerator,
                    const uint64_t *denominator, double scale);

/* Registers NAME_mean, NAME_p50, NAME_p95 and NAME_p99 of HISTOGRAM, each times SCALE; NAME may
 * contain one "%s", which is then where mean, p50 ... go ("read_latency_%s_ns"). */
void pf_stats_histogram(PfStatsGroup *group, const char *name, const char *unit,
                        const char *description, const PfHistogram *histogram, double scale);

/* Registers HISTOGRAM, each value times SCALE, as a distribution alone: it is told value by value
 * and has no mean and quantiles among the statistics. It is a level: a restart leaves it. */
void pf_stats_distribution(PfStatsGroup *group, const char *name, const char *unit,
                           const char *description, const PfHistogram *histogram, double scale);

/* No further registration; called once, by the machine. */
void pf_stats_freeze(PfStats *stats);

/* From now on counters, ratios and histograms are told as since this call. */
void pf_stats_restart(PfStats *stats);

/* Stops the clock of the region of interest: from now on visits repeat the values of this call
 * (levels too). A restart ends this state. */
void pf_stats_hold(PfStats *stats);

/* While values are held: that of the level called NAME is VALUE after all, because it takes more
 * than this registry to know it (a comparison with another run). */
void pf_stats_amend(PfStats *stats, const char *name, PfStatValue value);

/* How often there were values above the bucket before and up to MOST. INFO's name is that of the
 * histogram without mean and quantiles ("dram.read_latency_ns"). */
typedef void (*PfStatBucketVisitor)(const PfStatInfo *info, double most, uint64_t count,
                                    void *user);

/* Calls VISIT for each bucket that is not empty of each histogram and distribution, in order of
 * registration, as of the latest hold or else as they stand. */
void pf_stats_visit_buckets(const PfStats *stats, PfStatBucketVisitor visit, void *user);

/* Calls VISIT for each statistic in order of registration. */
void pf_stats_visit(const PfStats *stats, PfStatVisitor visit, void *user);

/* The value of the statistic called NAME; PF_STAT_NULL, and false, where there is none. */
bool pf_stats_find(const PfStats *stats, const char *name, PfStatValue *ret_value);

/* Values of statistics: undefined, and of each type. */
static inline PfStatValue pf_stat_null(void)
{
    return (PfStatValue){.kind = PF_STAT_NULL, .u = 0};
}

static inline PfStatValue pf_stat_uint(uint64_t value)
{
    return (PfStatValue){.kind = PF_STAT_UINT, .u = value};
}

static inline PfStatValue pf_stat_int(int64_t value)
{
    return (PfStatValue){.kind = PF_STAT_INT, .i = value};
}

static inline PfStatValue pf_stat_double(double value)
{
    return (PfStatValue){.kind = PF_STAT_DOUBLE, .d = value};
}
