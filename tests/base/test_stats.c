#include <string.h>

#include "check.h"
#include "rng.h"
#include "stats.h"

static PfStatValue value_of(const PfStats *stats, const char *name)
{
    PfStatValue value = pf_stat_null();
    CU_ASSERT_TRUE(pf_stats_find(stats, name, &value));
    return value;
}

static void check_double(PfStatValue value, double expected)
{
    CU_ASSERT_EQUAL(value.kind, PF_STAT_DOUBLE);
    CU_ASSERT_DOUBLE_EQUAL(value.d, expected, 1e-12);
}

static PfStatValue read_level(const void *user)
{
    const int64_t *level = user;
    return *level < 0 ? pf_stat_null() : pf_stat_int(*level);
}

typedef struct {
    GString *names;
    unsigned nulls;
} Visit;

static void visit_one(const PfStatInfo *info, PfStatValue value, void *user)
{
    Visit *visit = user;
    g_string_append_printf(visit->names, "%s[%s] ", info->name, info->unit);
    visit->nulls += value.kind == PF_STAT_NULL;
}

static void test_order_and_names(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    uint64_t hits = 0;
    int64_t level = -1;
    PfHistogram *histogram = g_new0(PfHistogram, 1);
    PfStatsGroup *cache = pf_stats_group(stats, "cache.l1d");
    pf_stats_counter(cache, "hits", "events", "Hits.", &hits);
    pf_stats_level(pf_stats_group(stats, ""), "level", "pages", "Level.", read_level, &level);
    pf_stats_ratio(cache, "hit_rate", "ratio", "Rate.", &hits, &hits, 1);
    pf_stats_histogram(pf_stats_group(stats, "dram"), "read_latency_%s_ns", "ns", "Latency.",
                       histogram, 1);
    pf_stats_histogram(pf_stats_group(stats, "span"), "request", "cycles", "Span.", histogram, 1);
    CU_ASSERT_PTR_EQUAL(pf_stats_group(stats, "cache.l1d"), cache);
    pf_stats_freeze(stats);
    Visit visit = {g_string_new(NULL), 0};
    pf_stats_visit(stats, visit_one, &visit);
    CU_ASSERT_STRING_EQUAL(
        visit.names->str,
        "cache.l1d.hits[events] level[pages] cache.l1d.hit_rate[ratio] "
        "dram.read_latency_mean_ns[ns] dram.read_latency_p50_ns[ns] dram.read_latency_p95_ns[ns] "
        "dram.read_latency_p99_ns[ns] span.request_mean[cycles] span.request_p50[cycles] "
        "span.request_p95[cycles] span.request_p99[cycles] ");
    /* All but the counter: the level says so, the rest has nothing to divide by. */
    CU_ASSERT_EQUAL(visit.nulls, 10);
    g_string_free(visit.names, TRUE);
    g_free(histogram);
}

static void test_find(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    uint64_t hits = 5;
    pf_stats_counter(pf_stats_group(stats, "a"), "hits", "events", "Hits.", &hits);
    PfStatValue value = pf_stat_uint(1);
    CU_ASSERT_FALSE(pf_stats_find(stats, "a.misses", &value));
    CU_ASSERT_EQUAL(value.kind, PF_STAT_NULL);
    CU_ASSERT_FALSE(pf_stats_find(stats, "hits", &value));
    hits = 6;
    CU_ASSERT_EQUAL(value_of(stats, "a.hits").u, 6);
}

static void test_restart(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    uint64_t hits = 10;
    uint64_t all = 20;
    int64_t level = 5;
    PfStatsGroup *group = pf_stats_group(stats, "x");
    pf_stats_counter(group, "hits", "events", "Hits.", &hits);
    pf_stats_ratio(group, "rate", "percent", "Rate.", &hits, &all, 100);
    pf_stats_level(group, "level", "pages", "Level.", read_level, &level);
    pf_stats_freeze(stats);
    check_double(value_of(stats, "x.rate"), 50); /* 100 * 10 / 20 */
    pf_stats_restart(stats);
    CU_ASSERT_EQUAL(value_of(stats, "x.hits").u, 0);
    CU_ASSERT_EQUAL(value_of(stats, "x.rate").kind, PF_STAT_NULL);
    CU_ASSERT_EQUAL(value_of(stats, "x.level").i, 5);
    hits += 3;
    all += 4;
    level = 6;
    CU_ASSERT_EQUAL(value_of(stats, "x.hits").u, 3);
    check_double(value_of(stats, "x.rate"), 75); /* 100 * 3 / 4, not 100 * 13 / 24 */
    CU_ASSERT_EQUAL(value_of(stats, "x.level").i, 6);
    CU_ASSERT_EQUAL(hits, 13);
}

static void test_hold(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    uint64_t hits = 10;
    int64_t level = 5;
    PfStatsGroup *group = pf_stats_group(stats, "x");
    pf_stats_counter(group, "hits", "events", "Hits.", &hits);
    pf_stats_level(group, "level", "pages", "Level.", read_level, &level);
    pf_stats_freeze(stats);
    pf_stats_restart(stats);
    hits = 14;
    pf_stats_hold(stats);
    hits = 99;
    level = 7;
    CU_ASSERT_EQUAL(value_of(stats, "x.hits").u, 4);
    CU_ASSERT_EQUAL(value_of(stats, "x.level").i, 5);
    pf_stats_restart(stats);
    hits = 100;
    CU_ASSERT_EQUAL(value_of(stats, "x.hits").u, 1);
    CU_ASSERT_EQUAL(value_of(stats, "x.level").i, 7);
}

static void test_small_values_are_exact(void)
{
    PfHistogram *histogram = g_new0(PfHistogram, 1);
    /* 1 to 100, once each: the value of rank ceil(q * 100) is that rank. 100 is in the bucket of
     * one value too, as up to 127 buckets are one wide. */
    for (uint64_t i = 1; i <= 100; i++)
        pf_histogram_add(histogram, i);
    CU_ASSERT_EQUAL(histogram->count, 100);
    CU_ASSERT_EQUAL(histogram->sum, 5050);
    CU_ASSERT_EQUAL(pf_histogram_quantile(histogram, 500), 50);
    CU_ASSERT_EQUAL(pf_histogram_quantile(histogram, 501), 51);
    CU_ASSERT_EQUAL(pf_histogram_quantile(histogram, 950), 95);
    CU_ASSERT_EQUAL(pf_histogram_quantile(histogram, 990), 99);
    CU_ASSERT_EQUAL(pf_histogram_quantile(histogram, 1000), 100);
    CU_ASSERT_EQUAL(pf_histogram_quantile(histogram, 0), 1);
    g_free(histogram);
}

static void test_bucket_edges(void)
{
    /* From 128 on buckets are two wide: 128 and 129 share one, told as 129; from 256 on four. */
    static const uint64_t pairs[][2] = {
        {0, 0},     {63, 63},   {64, 64},   {127, 127}, {128, 129},
        {129, 129}, {130, 131}, {255, 255}, {256, 259}, {260, 263},
    };
    PfHistogram *histogram = g_new(PfHistogram, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        memset(histogram, 0, sizeof(*histogram));
        pf_histogram_add(histogram, pairs[i][0]);
        CU_ASSERT_EQUAL(pf_histogram_quantile(histogram, 500), pairs[i][1]);
    }
    uint64_t top = ((uint64_t)1 << 45) - 1;
    static const unsigned shifts[] = {44, 45, 63};
    for (unsigned i = 0; i < G_N_ELEMENTS(shifts); i++) {
        memset(histogram, 0, sizeof(*histogram));
        pf_histogram_add(histogram, ((uint64_t)1 << shifts[i]) - 1);
        uint64_t expected = shifts[i] >= 45 ? top : ((uint64_t)1 << 44) - 1;
        CU_ASSERT_EQUAL(pf_histogram_quantile(histogram, 1000), expected);
    }
    g_free(histogram);
}

static void test_quantile_error_is_bounded(void)
{
    PfHistogram *histogram = g_new(PfHistogram, 1);
    PfRng rng = pf_rng_derive(1, "histogram");
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t value = pf_rng_next(&rng) >> (19 + pf_rng_below(&rng, 45));
        histogram->count = 0;
        memset(histogram->bucket, 0, sizeof(histogram->bucket));
        pf_histogram_add(histogram, value);
        uint64_t told = pf_histogram_quantile(histogram, 500);
        CU_ASSERT_TRUE(told >= value);
        CU_ASSERT_TRUE((told - value) * 64 <= value);
    }
    g_free(histogram);
}

static void test_histogram_statistics(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    PfHistogram *histogram = g_new0(PfHistogram, 1);
    pf_stats_histogram(pf_stats_group(stats, "d"), "latency_%s_ns", "ns", "Latency.", histogram,
                       0.5);
    pf_stats_freeze(stats);
    pf_histogram_add(histogram, 10);
    pf_histogram_add(histogram, 20);
    check_double(value_of(stats, "d.latency_mean_ns"), 7.5); /* 0.5 * 30 / 2 */
    check_double(value_of(stats, "d.latency_p50_ns"), 5);    /* 0.5 * 10 */
    check_double(value_of(stats, "d.latency_p99_ns"), 10);   /* 0.5 * 20 */
    pf_stats_restart(stats);
    CU_ASSERT_EQUAL(value_of(stats, "d.latency_mean_ns").kind, PF_STAT_NULL);
    CU_ASSERT_EQUAL(value_of(stats, "d.latency_p50_ns").kind, PF_STAT_NULL);
    pf_histogram_add(histogram, 40);
    check_double(value_of(stats, "d.latency_mean_ns"), 20);
    check_double(value_of(stats, "d.latency_p50_ns"), 20);
    g_free(histogram);
}

typedef struct {
    GString *told;
} Told;

static void tell_bucket(const PfStatInfo *info, double most, uint64_t count, void *user)
{
    g_string_append_printf(((Told *)user)->told, "%s %s %g %u\n", info->name, info->unit, most,
                           (unsigned)count);
}

/* Values below 64 have a bucket each; 64 and 65 do, too, 128 and 129 share one. */
static void buckets_told(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    g_autofree PfHistogram *latency = g_new0(PfHistogram, 1);
    g_autofree PfHistogram *pages = g_new0(PfHistogram, 1);
    g_autoptr(GString) text = g_string_new(NULL);
    Told told = {text};
    PfStatsGroup *group = pf_stats_group(stats, "a");
    pf_stats_histogram(group, "latency_%s_ns", "ns", "Latency.", latency, 0.5);
    pf_stats_distribution(group, "pages", "pages", "Pages.", pages, 1.0);
    pf_stats_freeze(stats);
    pf_histogram_add(latency, 10);
    pf_histogram_add(pages, 3);
    pf_stats_restart(stats); /* distributions are levels */
    pf_histogram_add(latency, 128);
    pf_histogram_add(latency, 129);
    pf_stats_hold(stats);
    pf_histogram_add(latency, 4);
    pf_stats_visit_buckets(stats, tell_bucket, &told);
    CU_ASSERT_STRING_EQUAL(text->str, "a.latency_ns ns 64.5 2\na.pages pages 3 1\n");
}

static const PfCheck checks[] = {
    {"buckets are told since the restart and as of the hold, distributions as they stand",
     buckets_told},
    {"statistics are visited in the order of registration, with full names", test_order_and_names},
    {"a statistic is found by its full name only, with its value of now", test_find},
    {"after a restart counters and ratios tell what came since, levels do not", test_restart},
    {"held statistics repeat until a restart", test_hold},
    {"quantiles of small values are exact", test_small_values_are_exact},
    {"buckets begin and end where the header says", test_bucket_edges},
    {"a quantile is never too low and at most 1/64 too high", test_quantile_error_is_bounded},
    {"a histogram's mean and quantiles are scaled and restart", test_histogram_statistics},
};

PF_CHECK_MAIN("stats", checks)
