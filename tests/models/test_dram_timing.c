/* The rules between commands, each at its edge. Letters as in the preset: a closed bank's read
 * activates at its arrival a, reads at a + RCD and is done CL + burst later. */
#include "dram_fixture.h"

enum { FAR = 10000 }; /* clocks after which no rule binds */

static void unloaded(void)
{
    /* CL + burst, RCD + CL + burst, RP + RCD + CL + burst, and in picoseconds. */
    static const struct {
        const char *preset;
        uint64_t hit, closed, conflict, hit_ps, closed_ps, conflict_ps;
    } expected[] = {
        {DDR4_2400, 21, 38, 55, 17493, 31654, 45815},
        {DDR4_3200, 26, 48, 70, 16250, 30000, 43750},
        {DDR3_1600, 15, 26, 37, 18750, 32500, 46250},
        {"DDR5-4800BN-16Gb-x8", 44, 80, 116, 18304, 33280, 48256},
        {"LPDDR5-6400-16Gb-x16", 19, 34, 49, 23750, 42500, 61250},
        {"HBM2-2000-8Gb-x64", 16, 30, 44, 16000, 30000, 44000},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(PfDram) dram = dram_of(dram_config(expected[i].preset));
        uint64_t tck_ps = pf_dram_preset(dram)->tck_ps;
        CU_ASSERT_EQUAL(dram_read(dram, dram_address(dram, 1, 0, 0, 0, 5, 0), 0),
                        expected[i].closed);
        CU_ASSERT_EQUAL(dram_read(dram, dram_address(dram, 1, 0, 0, 0, 5, 9), FAR),
                        expected[i].hit);
        CU_ASSERT_EQUAL(dram_read(dram, dram_address(dram, 1, 0, 0, 0, 6, 0), 2 * FAR),
                        expected[i].conflict);
        CU_ASSERT_EQUAL(expected[i].hit * tck_ps, expected[i].hit_ps);
        CU_ASSERT_EQUAL(expected[i].closed * tck_ps, expected[i].closed_ps);
        CU_ASSERT_EQUAL(expected[i].conflict * tck_ps, expected[i].conflict_ps);
        const PfDramStats *stats = pf_dram_stats(dram);
        CU_ASSERT_EQUAL(stats->row_hits, 1);
        CU_ASSERT_EQUAL(stats->row_misses, 1);
        CU_ASSERT_EQUAL(stats->row_conflicts, 1);
        pf_dram_check(dram);
    }
}

static void active_time(void)
{
    /* ACT at 0; the PRE for another row waits for RAS: done at RAS + RP + RCD + CL + burst. */
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    uint64_t other_row = dram_address(dram, 1, 0, 0, 0, 1, 0);
    dram_read(dram, 0, 0);
    CU_ASSERT_EQUAL(dram_read(dram, other_row, 38), 1 + 55); /* one clock before RAS = 39 */
    g_autoptr(PfDram) later = dram_of(dram_config(DDR4_2400));
    dram_read(later, 0, 0);
    CU_ASSERT_EQUAL(dram_read(later, other_row, 39), 55);
}

static void read_to_precharge(void)
{
    /* A late read, RD at 100, holds the PRE until 100 + RTP = 109. */
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    uint64_t other_row = dram_address(dram, 1, 0, 0, 0, 1, 0);
    dram_read(dram, 0, 0);
    dram_read(dram, 64, 100);
    CU_ASSERT_EQUAL(dram_read(dram, other_row, 108), 1 + 55);
}

static void write_to_precharge(void)
{
    /* WR at 100: data until 100 + CWL + burst = 116, recovery WR = 18: PRE at 134. */
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    uint64_t other_row = dram_address(dram, 1, 0, 0, 0, 1, 0);
    dram_read(dram, 0, 0);
    dram_write(dram, 64, 100);
    CU_ASSERT_EQUAL(dram_read(dram, other_row, 133), 1 + 55);
}

static void closed_policy(void)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.page_policy = PF_DRAM_PAGE_CLOSED;
    g_autoptr(PfDram) dram = dram_of(config);
    CU_ASSERT_EQUAL(dram_read(dram, 0, 0), 38);
    /* The same row again: ACT not before RC = RAS + RP = 56, then 38. */
    CU_ASSERT_EQUAL(dram_read(dram, 64, 10), 56 - 10 + 38);
    CU_ASSERT_EQUAL(dram_read(dram, 0, FAR), 38);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->row_misses, 3);
    /* After a write at RCD = 17 the PRE is at 17 + 12 + 4 + 18 = 51, the ACT at 68. */
    dram_write(dram, 0, 2 * FAR);
    CU_ASSERT_EQUAL(dram_read(dram, 64, 2 * FAR + 18), 68 - 18 + 38);
    pf_dram_check(dram);
}

static void activation_spacing(void)
{
    /* Other group: RRD_S = 4. Same group: RRD_L = 6. */
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    dram_read(dram, dram_address(dram, 1, 0, 0, 0, 0, 0), 0);
    CU_ASSERT_EQUAL(dram_read(dram, dram_address(dram, 1, 0, 1, 0, 0, 0), 0), 4 + 38);
    g_autoptr(PfDram) same = dram_of(dram_config(DDR4_2400));
    dram_read(same, dram_address(same, 1, 0, 0, 0, 0, 0), 0);
    CU_ASSERT_EQUAL(dram_read(same, dram_address(same, 1, 0, 0, 1, 0, 0), 0), 6 + 38);
    /* That the ACT itself was at 6, not only the RD, shows in its tRAS: PRE at 6 + 39 = 45. */
    CU_ASSERT_EQUAL(dram_read(same, dram_address(same, 1, 0, 0, 1, 1, 0), 44), 1 + 55);
}

/* Activates four banks from clock 0, then a fifth by a read that arrives at AT; its delay. */
static uint64_t fifth_delay(const char *preset, uint64_t at)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(preset));
    const PfDramPreset *timing = pf_dram_preset(dram);
    for (unsigned i = 0; i < 4; i++)
        dram_read(dram,
                  dram_address(dram, 1, 0, i % timing->bank_groups, i / timing->bank_groups, 0, 0),
                  0);
    unsigned last = timing->bank_groups == 1 ? 4 : 1;
    uint64_t clocks = dram_read(dram, dram_address(dram, 1, 0, 0, last, 0, 0), at);
    return clocks - timing->rcd - timing->cl - timing->burst;
}

static void four_activate_window(void)
{
    /* The four come each RRD_S: the last at 12 (DDR4) or 15 (DDR3); FAW is 26, 34, 24. */
    static const struct {
        const char *preset;
        uint64_t window;
        uint64_t taken; /* by the fourth bank's RD, at 3 RRD_S + RCD = 12 + 22 */
    } expected[] = {{DDR4_2400, 26, 0}, {DDR4_3200, 34, 1}, {DDR3_1600, 24, 0}};
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        uint64_t window = expected[i].window;
        uint64_t taken = expected[i].taken;
        CU_ASSERT_EQUAL(fifth_delay(expected[i].preset, 0), window + taken);
        CU_ASSERT_EQUAL(fifth_delay(expected[i].preset, window - 1), 1 + taken);
        CU_ASSERT_EQUAL(fifth_delay(expected[i].preset, window), taken);
        CU_ASSERT_EQUAL(fifth_delay(expected[i].preset, window + 1), 0);
    }
}

static void column_spacing(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    uint64_t other_group = dram_address(dram, 1, 0, 1, 0, 0, 0);
    dram_read(dram, 0, 0);
    dram_read(dram, other_group, 0);
    /* Same group: CCD_L = 6 after the RD at FAR. Other group: CCD_S = 4 after that. */
    CU_ASSERT_EQUAL(dram_read(dram, 64, FAR), 21);
    CU_ASSERT_EQUAL(dram_read(dram, 128, FAR), 6 + 21);
    CU_ASSERT_EQUAL(dram_read(dram, other_group + 64, FAR), 6 + 4 + 21);
    /* That RD was at FAR + 10: the next of any group is at FAR + 14. */
    CU_ASSERT_EQUAL(dram_read(dram, 192, FAR + 13), 1 + 21);
}

static void turnarounds(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    uint64_t other_group = dram_address(dram, 1, 0, 1, 0, 0, 0);
    dram_read(dram, 0, 0);
    dram_read(dram, other_group, 0);
    /* WR at FAR; a read waits CWL + burst = 16 and WTR_L = 9 in its group, WTR_S = 3 in another.
     * It comes a clock later: a read that waits goes before a write. */
    dram_write(dram, 64, FAR);
    CU_ASSERT_EQUAL(dram_read(dram, other_group, FAR + 1), 19 - 1 + 21);
    CU_ASSERT_EQUAL(dram_read(dram, 0, FAR + 1), 25 - 1 + 21);
    /* RD at 2 FAR; a write waits CL + burst + 2 - CWL = 17 + 4 + 2 - 12 = 11. That WR shows in when
     * the next read of its group, a clock after, is done: 11 + 25 + 21. */
    dram_read(dram, 0, 2 * FAR);
    dram_write(dram, 64, 2 * FAR);
    CU_ASSERT_EQUAL(dram_read(dram, 0, 2 * FAR + 12), 11 - 12 + 25 + 21);
}

static void ranks(void)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.ranks = 2;
    g_autoptr(PfDram) dram = dram_of(config);
    uint64_t other = dram_address(dram, 2, 1, 0, 0, 0, 0);
    /* Both activate at once: no RRD between ranks; the data is burst + bubble = 6 apart. */
    CU_ASSERT_EQUAL(dram_read(dram, 0, 0), 38);
    CU_ASSERT_EQUAL(dram_read(dram, other, 0), 6 + 38);
    /* WR at FAR, then the other rank's read: CWL + burst + bubble - CL = 12 + 4 + 2 - 17 = 1. */
    dram_write(dram, 0, FAR);
    CU_ASSERT_EQUAL(dram_read(dram, other, FAR + 1), 21);
    /* Writes to two ranks are a burst apart: WR at 2 FAR + 4, its group's next read 25 later. */
    dram_write(dram, 0, 2 * FAR);
    dram_write(dram, other, 2 * FAR);
    CU_ASSERT_EQUAL(dram_read(dram, other, 2 * FAR + 5), 4 - 5 + 25 + 21);
}

static void channels(void)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.channels = 2;
    g_autoptr(PfDram) dram = dram_of(config);
    /* Neighbouring lines lie in different channels, which share nothing. */
    CU_ASSERT_EQUAL(dram_read(dram, 0, 0), 38);
    CU_ASSERT_EQUAL(dram_read(dram, 64, 0), 38);
    CU_ASSERT_EQUAL(dram_read(dram, 128, 0), 38 + 6);
}

static void posted_writes(void)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.write_queue = 2;
    g_autoptr(PfDram) dram = dram_of(config);
    /* The first opens the row at clock 0, which gives its place to the third. It is issued at RCD =
     * 17, the second at 17 + CCD_L = 23, the third at 29: these give theirs to the next ones. */
    CU_ASSERT_EQUAL(dram_write(dram, 0, 0), 0);
    CU_ASSERT_EQUAL(dram_write(dram, 64, 0), 0);
    CU_ASSERT_EQUAL(dram_write(dram, 128, 0), 0);
    CU_ASSERT_EQUAL(dram_write(dram, 192, 0), 23);
    CU_ASSERT_EQUAL(dram_write(dram, 256, 25), 4);
    pf_dram_advance(dram, 1000 * 833);
    /* Latencies to the end of the data, each CWL + burst = 16 after its WR. */
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->write_latency_clocks.sum,
                    (17 + 23 + 29 + 35 + 41) + 5 * 16 - 25);
}

static void bandwidth(void)
{
    /* A row's 128 lines in one bank group: one each CCD_L, DDR4-2400 6, DDR4-3200 8, DDR3 4. */
    static const struct {
        const char *preset;
        uint64_t spacing;
    } expected[] = {{DDR4_2400, 6}, {DDR4_3200, 8}, {DDR3_1600, 4}};
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(PfDram) dram = dram_of(dram_config(expected[i].preset));
        const PfDramPreset *timing = pf_dram_preset(dram);
        uint64_t clocks = 0;
        for (uint64_t line = 0; line < 128; line++)
            clocks = dram_read(dram, line * 64, 0);
        CU_ASSERT_EQUAL(clocks,
                        timing->rcd + 127 * expected[i].spacing + timing->cl + timing->burst);
        CU_ASSERT_EQUAL(pf_dram_stats(dram)->row_hits, 127);
    }
}

static const PfCheck checks[] = {
    {"unloaded reads take CL + burst, + RCD, + RP", unloaded},
    {"a row stays open for tRAS", active_time},
    {"a precharge comes tRTP after a read", read_to_precharge},
    {"a precharge comes CWL + burst + tWR after a write", write_to_precharge},
    {"the closed policy activates each time, a row cycle apart", closed_policy},
    {"activations are tRRD apart, longer in the same group", activation_spacing},
    {"a fifth activation waits for tFAW, not a clock longer", four_activate_window},
    {"columns are tCCD apart, longer in the same group", column_spacing},
    {"the bus turns from write to read and from read to write", turnarounds},
    {"ranks activate independently and share the bus", ranks},
    {"channels share nothing", channels},
    {"a write is answered when the write queue has room", posted_writes},
    {"a row streams at one line each tCCD_L", bandwidth},
};

PF_CHECK_MAIN("dram_timing", checks)
