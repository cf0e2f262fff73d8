/* The controller under load against what the reference simulators give and what the rules allow:
 * 8 Gb x8, one channel, RoBaRaCoCh, open page, tRFC 350 ns, queues of 32. The bands are what runs
 * of Ramulator 2.1 (commit c5b1c3a) and DRAMsim3 (commit 2981759) gave, of 200000 requests drawn by
 * the same rules; docs/validation.md tells of them. */
#include "dram_feed.h"
#include "dram_fixture.h"
#include "rng.h"

typedef enum { RANDOM, STREAM } Order;

typedef struct {
    double bandwidth_gbps;
    double read_ns; /* mean */
    double hits_percent;
    uint64_t read_max_clocks;
} Result;

static Result play_some(PfDramConfig config, uint64_t requests, Order order, uint64_t bytes,
                        uint32_t outstanding, unsigned write_percent)
{
    g_autoptr(PfDram) dram = dram_of(config);
    g_autoptr(PfDramFeed) feed = pf_dram_feed_new(dram, outstanding);
    uint64_t size = pf_dram_preset(dram)->transaction_bytes;
    PfRng rng = pf_rng_derive(1, "bands");
    for (uint64_t i = 0; i < requests; i++) {
        uint64_t line = order == STREAM ? i : pf_rng_below(&rng, bytes / size);
        bool is_write = pf_rng_below(&rng, 100) < write_percent;
        pf_dram_feed_send(feed, (PfMaddr){line * size}, is_write, 0);
    }
    double seconds = (double)pf_dram_feed_finish(feed) * pf_dram_preset(dram)->tck_ps * 1e-12;
    const PfDramStats *stats = pf_dram_stats(dram);
    const PfHistogram *reads = &stats->read_latency_clocks;
    pf_dram_check(dram);
    return (Result){
        .bandwidth_gbps = (double)(pf_dram_transfers(dram) * size) / seconds * 1e-9,
        .read_ns = (double)reads->sum / (double)reads->count * pf_dram_preset(dram)->tck_ps / 1000,
        .hits_percent = 100.0 * (double)stats->row_hits / (double)pf_dram_transfers(dram),
        .read_max_clocks = pf_histogram_quantile(reads, 1000)};
}

static Result play(PfDramConfig config, Order order, uint64_t bytes, uint32_t outstanding,
                   unsigned write_percent)
{
    return play_some(config, 200000, order, bytes, outstanding, write_percent);
}

static PfDramConfig refreshed(const char *preset)
{
    PfDramConfig config = dram_config(preset);
    config.refresh = PF_DRAM_REFRESH_ALL_BANK;
    return config;
}

static void one_outstanding(void)
{
    Result result = play(refreshed(DDR4_2400), RANDOM, 256 * PF_MIB, 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(result.read_ns, 47.5, 0.475);
    printf("# %.2f ns\n", result.read_ns);
}

static void random_reads(void)
{
    Result result = play(refreshed(DDR4_2400), RANDOM, 4 * PF_GIB, 0, 0);
    /* Not above the bound of the rules: four lines each tFAW, less refresh. */
    double bound = 4 * 64 / (26 * 0.833) * (1 - 421.0 / 9364);
    CU_ASSERT_TRUE(result.bandwidth_gbps >= 11.1 * 0.99 && result.bandwidth_gbps <= 11.2 * 1.01);
    CU_ASSERT_TRUE(result.bandwidth_gbps <= bound);
    printf("# %.2f of %.2f GB/s\n", result.bandwidth_gbps, bound);
    /* DDR4-3200 with its own figures: activations come 8.5 clocks apart and a bank takes tRC = 74,
     * so 8.7 of the 14 banks that 32 requests meet are busy, and sometimes all. */
    bound = 4 * 64 / (34 * 0.625) * (1 - 560.0 / 12480);
    result = play(refreshed(DDR4_3200), RANDOM, 4 * PF_GIB, 0, 0);
    CU_ASSERT_TRUE(result.bandwidth_gbps <= bound && result.bandwidth_gbps >= 0.96 * bound);
    printf("# %.2f of %.2f GB/s\n", result.bandwidth_gbps, bound);
}

static void streams(void)
{
    Result result = play(refreshed(DDR4_2400), STREAM, 0, 0, 0);
    CU_ASSERT_TRUE(result.bandwidth_gbps >= 14.3 * 0.97 && result.bandwidth_gbps <= 15.0 * 1.03);
    CU_ASSERT_DOUBLE_EQUAL(result.hits_percent, 99, 0.5);
    printf("# %.2f GB/s, %.2f %% hits\n", result.bandwidth_gbps, result.hits_percent);
}

/* What Ramulator 2.1 and DRAMsim3 reach, in GB/s. */
static void references(void)
{
    static const struct {
        const char *preset;
        uint64_t ranks;
        unsigned writes;
        Order order;
        double ramulator;
        double dramsim;
    } rows[] = {
        {DDR4_2400, 1, 0, RANDOM, 11.094, 11.169},  {DDR4_2400, 1, 30, RANDOM, 10.881, 10.903},
        {DDR4_2400, 1, 50, RANDOM, 10.692, 10.692}, {DDR4_2400, 1, 0, STREAM, 14.345, 15.021},
        {DDR4_2400, 1, 30, STREAM, 14.296, 15.148}, {DDR4_2400, 2, 0, RANDOM, 17.693, 16.811},
        {DDR4_2400, 2, 30, RANDOM, 16.613, 15.563}, {DDR4_2400, 2, 0, STREAM, 12.175, 13.658},
        {DDR4_3200, 1, 0, RANDOM, 11.129, 11.391},  {DDR4_3200, 1, 30, RANDOM, 11.144, 11.186},
        {DDR4_3200, 1, 0, STREAM, 15.756, 17.065},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        PfDramConfig config = refreshed(rows[i].preset);
        config.ranks = rows[i].ranks;
        Result result = play(config, rows[i].order, 4 * PF_GIB, 0, rows[i].writes);
        double least = MIN(rows[i].ramulator, rows[i].dramsim);
        double most = MAX(rows[i].ramulator, rows[i].dramsim);
        CU_ASSERT_TRUE(result.bandwidth_gbps >= 0.98 * least);
        CU_ASSERT_TRUE(result.bandwidth_gbps <= 1.02 * most);
        printf("# %.2f GB/s, against %.2f and %.2f\n", result.bandwidth_gbps, rows[i].ramulator,
               rows[i].dramsim);
    }
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
        Result stream = play_some(config, 20000, STREAM, 0, 0, 0);
        Result spread = play_some(config, 20000, RANDOM, 4 * PF_GIB, 0, 0);
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
    Result reads = play(refreshed(DDR4_2400), RANDOM, 4 * PF_GIB, 0, 0);
    Result mixed = play(refreshed(DDR4_2400), RANDOM, 4 * PF_GIB, 0, 30);
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
    {"mixes, two ranks and DDR4-3200 do what the reference simulators do", references},
    {"no device is faster than its bus and its activations", bounds},
    {"writes cost their turns of the bus", mixes},
    {"nothing starves", starvation},
    {"queues full of writes behind reads of their lines empty", full_of_dependences},
    {"writes to one line merge, reads of it are forwarded, writes wait for older reads", same_line},
};

PF_CHECK_MAIN("dram_bands", checks)
