/* A steady load by others, from first principles. */
#include "dram_fixture.h"

enum { PERIOD_CLOCKS = 10 };

/* A DRAM of which others read a transaction each ten clocks, to the nearest 65536th. */
static PfDram *loaded(double row_hits)
{
    PfDram *dram = dram_of(dram_config(DDR4_2400));
    uint64_t bytes_per_second = 64 * PF_PS_PER_SECOND / (PERIOD_CLOCKS * 833);
    CU_ASSERT_TRUE(pf_dram_set_load(dram, bytes_per_second, row_hits, NULL));
    return dram;
}

static void advance(PfDram *dram, uint64_t clock)
{
    pf_dram_advance(dram, clock * pf_dram_preset(dram)->tck_ps);
}

/* Reads are due at 10, 20, ... and not at 0. */
static void test_rate(void)
{
    g_autoptr(PfDram) dram = loaded(0.5);
    advance(dram, 100 * PERIOD_CLOCKS);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->background_requests, 99);
    advance(dram, 100 * PERIOD_CLOCKS + 1);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->background_requests, 100);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->reads, 0);
    CU_ASSERT_EQUAL(pf_dram_transfers(dram), 0);
    pf_dram_check(dram);
}

/* With row hits alone all are of one row. The load's RD at 100 keeps the bank group from the next
 * for tCCD_L, so a read of the same row at 101 is served at 106. */
static void test_delay(void)
{
    g_autoptr(PfDram) dram = loaded(1);
    const PfDramPreset *timing = pf_dram_preset(dram);
    uint64_t same = dram_read(dram, dram_address(dram, 1, 0, 0, 0, 0, 5), 101);
    CU_ASSERT_EQUAL(same, 100 + timing->ccd_l + timing->cl + timing->burst - 101);
    /* A row of another group is opened at 201 and read at 218, eight clocks behind the load's RD
     * of 210, where four would do. */
    uint64_t other = dram_read(dram, dram_address(dram, 1, 0, 1, 0, 0, 5), 201);
    CU_ASSERT_EQUAL(other, timing->rcd + timing->cl + timing->burst);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->reads, 2);
    pf_dram_check(dram);
}

/* HBM2: each pseudo channel has a load of its own, and commands of columns a bus of their own. */
static void test_pseudo_channels(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config("HBM2-2000-8Gb-x64"));
    const PfDramPreset *timing = pf_dram_preset(dram);
    uint64_t bytes_per_second = (uint64_t)2 * 32 * PF_PS_PER_SECOND / (PERIOD_CLOCKS * 1000);
    CU_ASSERT_TRUE(pf_dram_set_load(dram, bytes_per_second, 1, NULL));
    advance(dram, 101);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->background_requests, 2 * 10);
    /* Of the row that the load reads, of either pseudo channel: tCCD_L = 4 behind its RD of 100. */
    uint64_t row = dram_address(dram, 1, 0, 0, 0, 0, 5);
    CU_ASSERT_EQUAL(dram_read(dram, row, 101), 104 + 14 + 2 - 101);
    CU_ASSERT_EQUAL(dram_read(dram, row + timing->transaction_bytes, 201), 204 + 14 + 2 - 201);
    /* A row of another group is opened while the load's RD of 310 passes, and read at 301 + 14,
     * five clocks behind that, where two would do. */
    uint64_t other = dram_address(dram, 1, 0, 1, 0, 0, 5);
    CU_ASSERT_EQUAL(dram_read(dram, other, 301), 14 + 14 + 2);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->reads, 3);
    pf_dram_check(dram);
    /* Both buses move 32 bytes in two clocks of a nanosecond, 32 GB/s. */
    CU_ASSERT_TRUE(pf_dram_set_load(dram, UINT64_C(32000000000), 1, NULL));
    CU_ASSERT_FALSE(pf_dram_set_load(dram, UINT64_C(32010000000), 1, NULL));
}

/* Of a long time only the last reads are played, and all are paid for: an RD each, and an ACT for
 * each that is in another row: all, or half of them. */
static void test_energy(void)
{
    for (unsigned half = 0; half < 2; half++) {
        g_autoptr(PfDram) dram = loaded(0.5 * half);
        const PfDramPreset *timing = pf_dram_preset(dram);
        const PfDramCurrents *current = &timing->current;
        uint64_t reads = 100000;
        advance(dram, reads * PERIOD_CLOCKS);
        double clock = 1e-18 * current->vdd_mv * timing->devices * timing->tck_ps;
        double read = clock * (current->idd4r_ma - current->idd3n_ma) * timing->burst;
        double activate = clock * ((double)current->idd0_ma * timing->rc -
                                   (double)current->idd3n_ma * timing->ras -
                                   (double)current->idd2n_ma * (timing->rc - timing->ras));
        PfDramEnergy energy;
        CU_ASSERT_TRUE(pf_dram_energy(dram, &energy));
        CU_ASSERT_DOUBLE_EQUAL(energy.read / read, (double)reads, 64);
        CU_ASSERT_DOUBLE_EQUAL(energy.activate / activate, (double)reads / (1 + half), 64);
        CU_ASSERT_DOUBLE_EQUAL((double)pf_dram_stats(dram)->background_requests, (double)reads, 2);
    }
}

/* The bus moves 64 bytes in four clocks, 19.2 GB/s. */
static void test_too_much(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    g_autoptr(GError) error = NULL;
    uint64_t most = 64 * PF_PS_PER_SECOND / ((uint64_t)4 * 833);
    CU_ASSERT_TRUE(pf_dram_set_load(dram, most, 1, NULL));
    CU_ASSERT_FALSE(pf_dram_set_load(dram, most + 1000000, 1, &error));
    CU_ASSERT_PTR_NOT_NULL(error);
}

/* A load that DRAM cannot carry, each read in another row, does not keep others from being
 * served. */
static void test_saturation(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    CU_ASSERT_TRUE(pf_dram_set_load(dram, 64 * PF_PS_PER_SECOND / ((uint64_t)4 * 833), 0, NULL));
    uint64_t clock = 10000;
    for (unsigned i = 0; i < 1000; i++)
        clock += dram_read(dram, dram_address(dram, 1, 0, 0, 0, i, 0), clock);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->reads, 1000);
    CU_ASSERT_TRUE(clock > 10000 + 1000 * 60);
    pf_dram_check(dram);
}

static const PfCheck checks[] = {
    {"the load comes at even distances and counts apart", test_rate},
    {"a read is delayed by the load's commands, and by no others", test_delay},
    {"pseudo channels have a load each", test_pseudo_channels},
    {"each read of the load is paid for, played or not", test_energy},
    {"a load beyond the bus is refused", test_too_much},
    {"under a load that is too heavy reads are served, slowly", test_saturation},
};

PF_CHECK_MAIN("dram_load", checks)
