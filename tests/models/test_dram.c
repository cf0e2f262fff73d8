#include "dram_fixture.h"
#include "rng.h"

static void transactions(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    PfRequest request = {.address = {0}, .size_bytes = 256, .kind = PF_ACCESS_READ};
    /* Four bursts of one row, CCD_L = 6 apart: 38 + 3 * 6 clocks. */
    CU_ASSERT_EQUAL(dram_wait(dram, &request), (38 + 18) * 833);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->reads, 4);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->row_hits, 3);
    /* Eight bytes cost a whole burst, and two if they lie across a boundary. */
    request.size_bytes = 8;
    request.address.bytes = 56;
    dram_wait(dram, &request);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->reads, 5);
    request.address.bytes = 57;
    dram_wait(dram, &request);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->reads, 7);
    pf_dram_check(dram);
}

static void rounding(void)
{
    PfDramConfig config = dram_config(DDR4_2400);
    g_autoptr(PfDram) dram = pf_dram_new(&config, 2600000000U, NULL, NULL);
    PfRequest request = {.address = {0}, .size_bytes = 64, .kind = PF_ACCESS_READ};
    /* 38 * 833 ps * 2.6 GHz = 82.3 cycles. */
    CU_ASSERT_EQUAL(dram_wait(dram, &request), 83);
    /* Cycle 1000 is 384615.4 ps = clock 461.7: seen at 462, done at 483 = 402339 ps = 1046.1. */
    request.now_cycles = 1000;
    CU_ASSERT_EQUAL(dram_wait(dram, &request), 1047);
}

static void refresh_edge(void)
{
    /* DDR4-2400: tREFI = 9364 clocks, tRFC = 350 ns = 421 clocks. */
    PfDramConfig config = dram_config(DDR4_2400);
    config.refresh = PF_DRAM_REFRESH_ALL_BANK;
    g_autoptr(PfDram) before = dram_of(config);
    CU_ASSERT_EQUAL(dram_read(before, 0, 9363), 38);
    g_autoptr(PfDram) at = dram_of(config);
    dram_read(at, 0, 0);
    /* The row is closed for it: RP = 17. */
    CU_ASSERT_EQUAL(dram_read(at, 0, 9364), 17 + 421 + 38);
    CU_ASSERT_EQUAL(pf_dram_stats(at)->row_misses, 2);
    g_autoptr(PfDram) last = dram_of(config);
    CU_ASSERT_EQUAL(dram_read(last, 0, 9364 + 420), 1 + 38);
    g_autoptr(PfDram) after = dram_of(config);
    CU_ASSERT_EQUAL(dram_read(after, 0, 9364 + 421), 38);
    CU_ASSERT_EQUAL(pf_dram_stats(after)->refreshes, 1);
    /* A row opened just before holds the refresh until it may be closed: RAS + RP = 56 after it. */
    g_autoptr(PfDram) late = dram_of(config);
    dram_read(late, 0, 9363);
    CU_ASSERT_EQUAL(dram_read(late, 0, 9364), 55 + 421 + 38);
}

static void refresh_count(void)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.refresh = PF_DRAM_REFRESH_ALL_BANK;
    config.channels = 2;
    config.ranks = 2;
    g_autoptr(PfDram) dram = dram_of(config);
    pf_dram_advance(dram, (uint64_t)9364 * 1000 * 833);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->refreshes, 4 * 999);
    pf_dram_advance(dram, ((uint64_t)9364 * 1000 + 1) * 833);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->refreshes, 4 * 1000);
    pf_dram_check(dram);
}

static void refresh_after_idleness(void)
{
    /* Whether a memory is looked at now and then or only at the end, refreshes are the same. */
    static const int kinds[] = {PF_DRAM_REFRESH_ALL_BANK, PF_DRAM_REFRESH_PER_BANK};
    for (unsigned i = 0; i < 2; i++) {
        PfDramConfig config = dram_config("LPDDR5-6400-16Gb-x16");
        config.refresh = kinds[i];
        for (uint64_t end = 300000; end < 303200; end += 7) {
            g_autoptr(PfDram) often = dram_of(config);
            g_autoptr(PfDram) once = dram_of(config);
            dram_read(often, 0, 0);
            dram_read(once, 0, 0);
            for (uint64_t clock = 100; clock < end; clock += 5000)
                pf_dram_advance(often, clock * 1250);
            CU_ASSERT_EQUAL(dram_read(often, 64, end), dram_read(once, 64, end));
            CU_ASSERT_EQUAL(pf_dram_stats(often)->refreshes, pf_dram_stats(once)->refreshes);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static void one_bus(void)
{
    enum { READS = 4000 };
    printf("# seed 5\n");
    PfRng rng = pf_rng_derive(5, "bus");
    PfDramConfig config = dram_config(DDR4_2400);
    config.refresh = PF_DRAM_REFRESH_ALL_BANK;
    config.ranks = 2;
    g_autoptr(PfDram) dram = dram_of(config);
    g_autofree uint64_t *ends = g_new0(uint64_t, READS);
    uint64_t clock = 0;
    unsigned count = 0;
    while (count < READS) {
        clock += pf_rng_below(&rng, 16);
        uint64_t address = pf_rng_below(&rng, 1 << 14) * 4096;
        if (pf_rng_below(&rng, 4) == 0)
            dram_write(dram, address, clock);
        uint64_t latency = dram_read(dram, address ^ 1 << 13, clock);
        if (latency > 1) /* else from the write queue */
            ends[count++] = clock + latency;
        CU_ASSERT_TRUE(latency == 1 || latency >= 21);
    }
    /* Whatever the order of service, two bursts never share the bus. */
    qsort(ends, READS, sizeof(*ends), compare);
    unsigned overlaps = 0;
    for (unsigned i = 1; i < READS; i++)
        overlaps += ends[i] - ends[i - 1] < 4;
    CU_ASSERT_EQUAL(overlaps, 0);
    pf_dram_check(dram);
}

/* A read of CORE at CLOCK; its latency in clocks. */
static uint64_t read_of_core(PfDram *dram, uint16_t core, uint64_t address, uint64_t clock)
{
    PfRequest request = {.address = {address},
                         .now_cycles = clock * 833,
                         .size_bytes = 64,
                         .core = core,
                         .kind = PF_ACCESS_READ};
    return dram_wait(dram, &request) / 833 - clock;
}

static void core_far_behind(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    uint64_t other_group = dram_address(dram, 1, 0, 1, 0, 0, 0);
    CU_ASSERT_EQUAL(read_of_core(dram, 0, 0, 1000000), 38);
    /* A core a million clocks behind sees its own latencies, not the lead of the other; the first
     * only waits for the activation of the other's bank, RRD_S = 4. */
    uint64_t clock = 0;
    uint64_t latency = read_of_core(dram, 1, other_group, clock);
    CU_ASSERT_EQUAL(latency, 4 + 38);
    for (unsigned i = 0; i < 100; i++) {
        clock += latency + 30;
        latency = read_of_core(dram, 1, other_group, clock);
        CU_ASSERT_EQUAL(latency, 21);
    }
    /* Its own back-to-back reads still queue: a line each CCD_L = 6 clocks. */
    clock += 1000;
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(read_of_core(dram, 1, other_group, clock), 21 + i * 6);
    /* The leading core goes on without having been set back. */
    CU_ASSERT_EQUAL(read_of_core(dram, 0, 0, 1100000), 21);
    /* A core that is only a little older waits its turn: behind the RD at 1100000 by CCD_S = 4. */
    CU_ASSERT_EQUAL(read_of_core(dram, 2, other_group, 1100000 - 60), 60 + 4 + 21);
}

static void statistics(void)
{
    g_autoptr(PfConfig) tree = pf_config_new(NULL);
    g_autoptr(PfStats) stats = pf_stats_new();
    PfDramConfig config;
    pf_config_bind(pf_config_section(tree, "machine.dram"), pf_dram_fields, pf_dram_field_count,
                   &config);
    CU_ASSERT_TRUE(pf_config_finish(tree, NULL));
    g_autoptr(PfDram) dram =
        pf_dram_new(&config, PF_PS_PER_SECOND, pf_stats_group(stats, "dram"), NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dram);
    pf_stats_freeze(stats);
    CU_ASSERT_STRING_EQUAL(pf_dram_preset(dram)->name, "DDR4-2400U-8Gb-x8");
    dram_read(dram, 0, 0);
    dram_read(dram, 0, 1000);
    dram_write(dram, 0, 2000);
    pf_dram_advance(dram, 3000 * 833);
    PfStatValue value;
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.reads", &value) && value.u == 2);
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.writes", &value) && value.u == 1);
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.row_hits", &value) && value.u == 2);
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.row_misses", &value) && value.u == 1);
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.row_conflicts", &value) && value.u == 0);
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.refreshes", &value) && value.u == 0);
    /* (38 + 21) / 2 clocks of 0.833 ns; the write's data ends CWL + burst = 16 clocks on. */
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.read_latency_mean_ns", &value));
    CU_ASSERT_DOUBLE_EQUAL(value.d, 24.5735, 1e-9);
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.read_latency_p99_ns", &value));
    CU_ASSERT_DOUBLE_EQUAL(value.d, 38 * 0.833, 1e-9);
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.write_latency_mean_ns", &value));
    CU_ASSERT_DOUBLE_EQUAL(value.d, 16 * 0.833, 1e-9);

    pf_dram_reset_state(dram);
    CU_ASSERT_EQUAL(dram_read(dram, 0, 4000), 38); /* the row was closed */
    CU_ASSERT_TRUE(pf_stats_find(stats, "dram.reads", &value) && value.u == 3);
    pf_dram_check(dram);
}

static void energy(void)
{
    /* A read, then a write to the row 20 us later, at 30 us all is closed by nothing: the row stays
     * open from its ACT at clock 0. Eight devices at 1.2 V; clocks of 0.833 ns; milliamperes. */
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    dram_read(dram, 0, 0);
    dram_write(dram, 64, 20000);
    pf_dram_advance(dram, 30000 * 833);
    PfDramEnergy spent;
    CU_ASSERT_TRUE(pf_dram_energy(dram, &spent));
    double clock_J = 8 * 1.2 * 1e-3 * 0.833e-9; /* of a milliampere in all devices */
    CU_ASSERT_DOUBLE_EQUAL(spent.activate, clock_J * (48 * 56 - 43 * 39 - 34 * 17), 1e-16);
    CU_ASSERT_DOUBLE_EQUAL(spent.read, clock_J * (135 - 43) * 4, 1e-16);
    CU_ASSERT_DOUBLE_EQUAL(spent.write, clock_J * (123 - 43) * 4, 1e-16);
    CU_ASSERT_DOUBLE_EQUAL(spent.background, clock_J * 43 * 30000, 1e-13);
    CU_ASSERT_DOUBLE_EQUAL(spent.refresh, 0, 0);
    /* Three refreshes; closed from the first PREA, at 9364, on. */
    PfDramConfig config = dram_config(DDR4_2400);
    config.refresh = PF_DRAM_REFRESH_ALL_BANK;
    g_autoptr(PfDram) refreshed = dram_of(config);
    dram_read(refreshed, 0, 0);
    pf_dram_advance(refreshed, 30000 * 833);
    CU_ASSERT_TRUE(pf_dram_energy(refreshed, &spent));
    CU_ASSERT_DOUBLE_EQUAL(spent.refresh, clock_J * (250 - 43) * 421 * 3, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(spent.background, clock_J * (43 * 9364 + 34 * (30000 - 9364)), 1e-13);
    /* No figures, no energy. */
    g_autoptr(PfDram) unknown = dram_of(dram_config("DDR5-4800BN-16Gb-x8"));
    CU_ASSERT_FALSE(pf_dram_energy(unknown, &spent));
}

static const PfCheck checks[] = {
    {"a request takes a transaction for each block that it touches", transactions},
    {"arrivals and answers are rounded up between the clocks", rounding},
    {"a refresh holds the rank for tRFC from its due time, not a clock longer", refresh_edge},
    {"refreshes are as many as intervals have passed", refresh_count},
    {"many refreshes at once are the same as one by one", refresh_after_idleness},
    {"two bursts never share the bus", one_bus},
    {"a core whose clock is far behind sees its own latencies only", core_far_behind},
    {"the defaults bind and the statistics have their names", statistics},
    {"energy is that of the currents, in joules", energy},
};

PF_CHECK_MAIN("dram", checks)
