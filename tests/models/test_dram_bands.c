/* The controller under load against what the reference simulators give and what the rules allow:
 * 8 Gb x8, one channel, RoBaRaCoCh, open page, tRFC 350 ns, queues of 32. The bands are what runs
 * of Ramulator 2.1 (commit c5b1c3a) and DRAMsim3 (commit 2981759) gave, of 200000 requests drawn by
 * the same rules; docs/validation.md tells of them. */
#include <inttypes.h>
#include <math.h>

#include "dram_feed.h"
#include "dram_fixture.h"
#include "rng.h"

typedef enum { RANDOM, STREAM, ZIPF } Order;
static const char *const order_names[] = {"random", "stream", "zipf"};

typedef struct {
    double bandwidth_gbps; /* of transfers */
    double requests_gbps;  /* those that take none too */
    double read_ns; /* mean */
    double hits_percent;
} Result;

/* LINE of LINES, each as likely, to one by Zipf's law, of exponent 1: log-uniform, then spread. */
static uint64_t spread(uint64_t line, uint64_t lines)
{
    double part = (double)line / (double)lines;
    return (uint64_t)exp(part * log((double)lines)) * UINT64_C(0x9e3779b97f4a7c15) % lines;
}

static Result play(PfDramConfig config, uint64_t requests, Order order, uint64_t bytes,
                   uint32_t outstanding, unsigned write_percent)
{
    g_autoptr(PfDram) dram = dram_of(config);
    g_autoptr(PfDramFeed) feed = pf_dram_feed_new(dram, outstanding);
    uint64_t size = pf_dram_preset(dram)->transaction_bytes;
    PfRng rng = pf_rng_derive(1, "bands");
    for (uint64_t i = 0; i < requests; i++) {
        uint64_t line = order == STREAM ? i : pf_rng_below(&rng, bytes / size);
        if (order == ZIPF)
            line = spread(line, bytes / size);
        bool is_write = pf_rng_below(&rng, 100) < write_percent;
        pf_dram_feed_send(feed, (PfMaddr){line * size}, is_write, 0);
    }
    double seconds = (double)pf_dram_feed_finish(feed) * pf_dram_preset(dram)->tck_ps * 1e-12;
    const PfDramStats *stats = pf_dram_stats(dram);
    const PfHistogram *reads = &stats->read_latency_clocks;
    pf_dram_check(dram);
    return (Result){
        .bandwidth_gbps = (double)(pf_dram_transfers(dram) * size) / seconds * 1e-9,
        .requests_gbps = (double)(requests * size) / seconds * 1e-9,
        .read_ns = (double)reads->sum / (double)reads->count * pf_dram_preset(dram)->tck_ps / 1000,
        .hits_percent = 100.0 * (double)stats->row_hits / (double)pf_dram_transfers(dram)};
}

static PfDramConfig refreshed(const char *preset)
{
    PfDramConfig config = dram_config(preset);
    config.refresh = PF_DRAM_REFRESH_ALL_BANK;
    return config;
}

static void one_outstanding(void)
{
    Result result = play(refreshed(DDR4_2400), 100000, RANDOM, 256 * PF_MIB, 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(result.read_ns, 47.5, 0.475);
    printf("# %.2f ns\n", result.read_ns);
}

static void random_reads(void)
{
    Result result = play(refreshed(DDR4_2400), 50000, RANDOM, 4 * PF_GIB, 0, 0);
    /* Not above the bound of the rules: four lines each tFAW, less refresh. */
    double bound = 4 * 64 / (26 * 0.833) * (1 - 421.0 / 9364);
    CU_ASSERT_TRUE(result.bandwidth_gbps >= 11.1 * 0.99 && result.bandwidth_gbps <= 11.2 * 1.01);
    CU_ASSERT_TRUE(result.bandwidth_gbps <= bound);
    printf("# %.2f of %.2f GB/s\n", result.bandwidth_gbps, bound);
    /* DDR4-3200 with its own figures: activations come 8.5 clocks apart and a bank takes tRC = 74,
     * so 8.7 of the 14 banks that 32 requests meet are busy, and sometimes all. */
    bound = 4 * 64 / (34 * 0.625) * (1 - 560.0 / 12480);
    result = play(refreshed(DDR4_3200), 50000, RANDOM, 4 * PF_GIB, 0, 0);
    CU_ASSERT_TRUE(result.bandwidth_gbps <= bound && result.bandwidth_gbps >= 0.96 * bound);
    printf("# %.2f of %.2f GB/s\n", result.bandwidth_gbps, bound);
}

static void streams(void)
{
    Result result = play(refreshed(DDR4_2400), 50000, STREAM, 0, 0, 0);
    CU_ASSERT_TRUE(result.bandwidth_gbps >= 14.3 * 0.97 && result.bandwidth_gbps <= 15.0 * 1.03);
    CU_ASSERT_DOUBLE_EQUAL(result.hits_percent, 99, 0.5);
    printf("# %.2f GB/s, %.2f %% hits\n", result.bandwidth_gbps, result.hits_percent);
}

/* How far a load may be from Ramulator, in bandwidth and in the mean latency of reads. Two draws of
 * 200000 requests by the same rule differ by up to 0.3 and 0.4 %; on the same requests the loads
 * here differ by up to 0.7 and 1 %, those by Zipf's law on two ranks by up to 3.4 and 4.1 %. There
 * the busiest bank is at work all the time; Ramulator closes its row for an older request though
 * hits wait, which are kept waiting no longer than `cap` here. */
#define BANDWIDTH_TOLERANCE 0.01
#define LATENCY_TOLERANCE 0.015
#define BUSY_BANK_TOLERANCE 0.045

typedef struct {
    const char *preset;
    uint64_t ranks;
    unsigned writes;
    Order order;
    double ramulator_gbps;
    double ramulator_ns; /* mean latency of reads */
    double dramsim_gbps; /* 0: it stops for ever */
} Reference;

static void check_reference(const Reference *row)
{
    PfDramConfig config = refreshed(row->preset);
    config.ranks = row->ranks;
    Result result = play(config, 200000, row->order, 4 * PF_GIB, 0, row->writes);
    double gbps = result.requests_gbps;
    printf("# %s %s, %" PRIu64 " ranks, %u %% writes: %.2f GB/s, reads %.1f ns; Ramulator %.2f, "
           "%.1f; DRAMsim3 %.2f\n",
           row->preset, order_names[row->order], row->ranks, row->writes, gbps, result.read_ns,
           row->ramulator_gbps, row->ramulator_ns, row->dramsim_gbps);
    bool busy = row->order == ZIPF && row->ranks == 2;
    CU_ASSERT_DOUBLE_EQUAL(gbps / row->ramulator_gbps, 1,
                           busy ? BUSY_BANK_TOLERANCE : BANDWIDTH_TOLERANCE);
    CU_ASSERT_DOUBLE_EQUAL(result.read_ns / row->ramulator_ns, 1,
                           busy ? BUSY_BANK_TOLERANCE : LATENCY_TOLERANCE);
}

static void references(void)
{
    static const Reference rows[] = {
        {DDR4_2400, 1, 0, RANDOM, 11.094, 216.23, 11.169},
        {DDR4_2400, 1, 30, RANDOM, 10.881, 301.04, 10.903},
        {DDR4_2400, 1, 50, RANDOM, 10.692, 415.62, 10.692},
        {DDR4_2400, 1, 0, STREAM, 14.345, 160.36, 15.021},
        {DDR4_2400, 1, 30, STREAM, 14.296, 222.28, 15.148},
        {DDR4_2400, 1, 0, ZIPF, 11.885, 203.14, 12.706},
        {DDR4_2400, 1, 30, ZIPF, 11.563, 284.09, 0},
        {DDR4_2400, 2, 0, RANDOM, 17.693, 180.97, 16.811},
        {DDR4_2400, 2, 30, RANDOM, 16.613, 232.15, 15.563},
        {DDR4_2400, 2, 0, STREAM, 12.175, 185.81, 13.658},
        {DDR4_2400, 2, 0, ZIPF, 17.150, 170.89, 18.884},
        {DDR4_2400, 2, 30, ZIPF, 17.184, 221.86, 0},
        {DDR4_3200, 1, 0, RANDOM, 11.129, 213.99, 11.391},
        {DDR4_3200, 1, 30, RANDOM, 11.144, 292.88, 11.186},
        {DDR4_3200, 1, 0, STREAM, 15.756, 146.33, 17.065},
        {DDR4_3200, 1, 0, ZIPF, 11.915, 200.99, 12.782},
        {DDR4_3200, 1, 30, ZIPF, 11.878, 275.57, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check_reference(&rows[i]);
}

/* No preset is above what its rules allow, and a stream comes near that. */
static void bounds(void)
{
    for (size_t i = 0; i < pf_dram_preset_count; i++) {
        const PfDramPreset *preset = &pf_dram_presets[i];
        PfDramConfig config = refreshed(preset->name);
        double awake = 1 - (double)preset->rfc / preset->refi;
        double clock_ns = preset->tck_ps / 1000.0;
        double bytes = preset->transaction_bytes * preset->pseudo_channels;
        double bus = awake * bytes / (MAX(preset->burst, preset->ccd_s) * clock_ns);
        double activations = awake * bytes / (MAX(preset->faw / 4.0, preset->rrd_s) * clock_ns);
        Result stream = play(config, 15000, STREAM, 0, 0, 0);
        Result spread = play(config, 15000, RANDOM, 4 * PF_GIB, 0, 0);
        /* The queue holds 32 lines of one row, so that mostly one bank group is at work. */
        double one_group = awake * bytes / (MAX(preset->burst, preset->ccd_l) * clock_ns);
        CU_ASSERT_TRUE(stream.bandwidth_gbps <= bus && stream.bandwidth_gbps >= 0.97 * one_group);
        CU_ASSERT_TRUE(spread.bandwidth_gbps <= MIN(bus, activations) * 1.001);
        printf("# %s: stream %.2f of %.2f, random %.2f of %.2f GB/s\n", preset->name,
               stream.bandwidth_gbps, bus, spread.bandwidth_gbps, MIN(bus, activations));
    }
}

static void mixes(void)
{
    /* What turning the bus costs: with a full drain of 26 - 6 writes or more a turn, reads 30 : 70,
     * each pair of turns loses less than RD to WR, 11, and WR to RD, 12 + 4 + 9, of the 6.5 clocks
     * a request, that is 36 of 20 / 0.3 * 6.5. */
    Result reads = play(refreshed(DDR4_2400), 50000, RANDOM, 4 * PF_GIB, 0, 0);
    Result mixed = play(refreshed(DDR4_2400), 50000, RANDOM, 4 * PF_GIB, 0, 30);
    CU_ASSERT_TRUE(mixed.bandwidth_gbps < reads.bandwidth_gbps);
    CU_ASSERT_TRUE(mixed.bandwidth_gbps > reads.bandwidth_gbps * (1 - 36 / (20 / 0.3 * 6.5)));
}

static void starvation(void)
{
    /* A read among writes without end, and a conflict among hits without end. */
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    g_autoptr(PfDramFeed) feed = pf_dram_feed_new(dram, 0);
    PfRng rng = pf_rng_derive(2, "writes");
    for (unsigned i = 0; i < 100; i++)
        pf_dram_feed_send(feed, (PfMaddr){pf_rng_below(&rng, 1 << 20) * 64}, true, 0);
    pf_dram_feed_send(feed, (PfMaddr){(uint64_t)1 << 32}, false, 0);
    for (unsigned i = 0; i < 2000; i++)
        pf_dram_feed_send(feed, (PfMaddr){pf_rng_below(&rng, 1 << 20) * 64}, true, 0);
    /* At most the writes that waited when their turn began, 32 of tRC each, then the read. */
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->read_latency_clocks.count, 1);
    CU_ASSERT_TRUE(pf_dram_stats(dram)->read_latency_clocks.sum < 2 * 32 * 56);
    pf_dram_feed_finish(feed);

    g_autoptr(PfDram) hits = dram_of(dram_config(DDR4_2400));
    g_autoptr(PfDramFeed) stream = pf_dram_feed_new(hits, 0);
    uint64_t other_row = dram_address(hits, 1, 0, 0, 0, 7, 0);
    for (unsigned i = 0; i < 1000; i++)
        pf_dram_feed_send(stream, (PfMaddr){i == 40 ? other_row : i % 128 * 64}, false, 0);
    pf_dram_feed_finish(stream);
    /* Those before it and a cap of 16 after it, each tCCD_L = 6, then a conflict, and the row
     * opened again after it for those behind. */
    uint64_t longest = pf_histogram_quantile(&pf_dram_stats(hits)->read_latency_clocks, 1000);
    CU_ASSERT_TRUE(longest <= (32 + 16) * 6 + 39 + 2 * 55 + 1);
}

static void full_of_dependences(void)
{
    /* Writes to lines that older reads still wait for, with queues so small that they are full of
     * them: some simulators wait for ever there. */
    for (uint64_t entries = 1; entries <= 8; entries++) {
        PfDramConfig config = refreshed(DDR4_2400);
        config.read_queue = entries;
        config.write_queue = entries;
        g_autoptr(PfDram) dram = dram_of(config);
        g_autoptr(PfDramFeed) feed = pf_dram_feed_new(dram, 0);
        PfRng rng = pf_rng_derive(entries, "dependences");
        for (unsigned i = 0; i < 20000; i++) {
            /* Few lines much more often than others. */
            uint64_t line = pf_rng_below(&rng, 1 + pf_rng_below(&rng, 40)) * 1000;
            pf_dram_feed_send(feed, (PfMaddr){line * 64}, pf_rng_below(&rng, 10) < 5, 0);
        }
        pf_dram_feed_finish(feed);
        pf_dram_check(dram);
        const PfDramStats *stats = pf_dram_stats(dram);
        CU_ASSERT_EQUAL(stats->read_latency_clocks.count + stats->write_latency_clocks.count,
                        20000);
    }
}

static void same_line(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    g_autoptr(PfDramFeed) feed = pf_dram_feed_new(dram, 0);
    /* All arrive at clock 0: a write, one to the same line (absorbed), a read of it (forwarded, 1
     * clock). A read of another line and a write to that: the write waits for the read. */
    pf_dram_feed_send(feed, (PfMaddr){0}, true, 0);
    pf_dram_feed_send(feed, (PfMaddr){0}, true, 0);
    pf_dram_feed_send(feed, (PfMaddr){0}, false, 0);
    const PfDramStats *stats = pf_dram_stats(dram);
    CU_ASSERT_EQUAL(stats->absorbed_writes, 1);
    CU_ASSERT_EQUAL(stats->forwarded_reads, 1);
    CU_ASSERT_EQUAL(stats->read_latency_clocks.sum, 1);
    pf_dram_feed_send(feed, (PfMaddr){64}, false, 0);
    pf_dram_feed_send(feed, (PfMaddr){64}, true, 0);
    pf_dram_feed_finish(feed);
    CU_ASSERT_EQUAL(pf_dram_transfers(dram), 3);
    /* ACT 0, RD 17 (38), then WR at 17 + 11 and, CCD_L later, the other: each CWL + burst more. */
    CU_ASSERT_EQUAL(stats->read_latency_clocks.sum, 1 + 38);
    CU_ASSERT_EQUAL(stats->write_latency_clocks.sum, 1 + (28 + 16) + (34 + 16));
}

static const PfCheck checks[] = {
    {"one read at a time over 256 MiB takes 47.5 ns", one_outstanding},
    {"random reads reach the bound of tFAW and refresh", random_reads},
    {"streams reach 14.3 to 15 GB/s with 99 % hits", streams},
    {"mixes, skew, two ranks and DDR4-3200 do what the reference simulators do", references},
    {"no device is faster than its bus and its activations", bounds},
    {"writes cost their turns of the bus", mixes},
    {"nothing starves", starvation},
    {"queues full of writes behind reads of their lines empty", full_of_dependences},
    {"writes to one line merge, reads of it are forwarded, writes wait for older reads", same_line},
};

PF_CHECK_MAIN("dram_bands", checks)
