/* Ranks that hold nothing sleep: what they take then, from the data sheet, and how they wake; and
 * which ranks pages lie in. */
#include "rank_use.h"

#include "dram_fixture.h"

enum { MEMORY_PAGE_SHIFT = 12 };

/* Of DDR4-2400: eight devices at 1.2 V, clocks of 0.833 ns; joules of a milliampere in all. */
#define CLOCK_J (8 * 1.2 * 1e-3 * 0.833e-9)

static PfDramConfig two_ranks(PfDramPowerDown power_down)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.ranks = 2;
    config.power_down = (int)power_down;
    return config;
}

static PfDramEnergy energy_at(PfDram *dram, uint64_t clock)
{
    PfDramEnergy spent;
    pf_dram_advance(dram, clock * 833);
    CU_ASSERT_TRUE(pf_dram_energy(dram, &spent));
    return spent;
}

static void currents(void)
{
    /* IDD2N 34 mA, IDD2P 25, IDD6 30. Rank 0 stands by, rank 1 sleeps, or would. */
    static const double asleep_ma[] = {34, 25, 30};
    for (int i = 0; i < 3; i++) {
        g_autoptr(PfDram) dram = dram_of(two_ranks((PfDramPowerDown)i));
        pf_dram_sleep(dram, 0, 1, 0);
        PfDramEnergy spent = energy_at(dram, 10000);
        CU_ASSERT_DOUBLE_EQUAL(spent.background, CLOCK_J * 10000 * (34 + asleep_ma[i]), 1e-14);
        CU_ASSERT_EQUAL(pf_dram_asleep_ps(dram, 0), 0);
        CU_ASSERT_EQUAL(pf_dram_asleep_ps(dram, 1), i == 0 ? 0 : 10000 * 833);
        pf_dram_wake(dram, 0, 1, 10000 * 833);
        double more = energy_at(dram, 10007).background - spent.background;
        CU_ASSERT_DOUBLE_EQUAL(more, CLOCK_J * 7 * (34 + 34), 1e-15);
    }
}

static void refreshes(void)
{
    /* Three multiples of tREFI = 9364. In power-down a rank comes out for each refresh: tXP + tRFC
     * = 8 + 421 clocks at IDD2N. In self refresh the controller refreshes the other rank alone. */
    static const unsigned issued[] = {6, 6, 3};
    const double rank1[] = {34.0 * 30000, 25.0 * (30000 - 3 * 429) + 34.0 * 3 * 429, 30.0 * 30000};
    for (int i = 0; i < 3; i++) {
        PfDramConfig config = two_ranks((PfDramPowerDown)i);
        config.refresh = PF_DRAM_REFRESH_ALL_BANK;
        g_autoptr(PfDram) dram = dram_of(config);
        g_autoptr(PfDram) often = dram_of(config); /* which meets each refresh */
        pf_dram_sleep(dram, 0, 1, 0);
        pf_dram_sleep(often, 0, 1, 0);
        for (uint64_t clock = 100; clock < 30000; clock += 100)
            pf_dram_advance(often, clock * 833);
        PfDram *drams[] = {dram, often};
        for (unsigned j = 0; j < 2; j++) {
            PfDramEnergy spent = energy_at(drams[j], 30000);
            CU_ASSERT_EQUAL(pf_dram_stats(drams[j])->refreshes, issued[i]);
            CU_ASSERT_DOUBLE_EQUAL(spent.refresh, CLOCK_J * issued[i] * (250 - 43) * 421, 1e-13);
            CU_ASSERT_DOUBLE_EQUAL(spent.background, CLOCK_J * (34.0 * 30000 + rank1[i]), 1e-13);
        }
    }
}

static void way_out(void)
{
    /* A closed bank takes 17 + 17 + 4 clocks. Out of power-down: tXP = 8. Out of self refresh:
     * tRFC = 421, and 10 ns, 12.005 clocks. */
    static const uint64_t exit_clocks[] = {0, 8, 421 + 13};
    for (int i = 0; i < 3; i++) {
        g_autoptr(PfDram) dram = dram_of(two_ranks((PfDramPowerDown)i));
        pf_dram_sleep(dram, 0, 1, 0);
        uint64_t asleep = dram_address(dram, 2, 1, 0, 0, 5, 0);
        CU_ASSERT_EQUAL(dram_read(dram, 0, 1000), 38); /* of the other rank */
        CU_ASSERT_EQUAL(dram_read(dram, asleep, 2000), exit_clocks[i] + 38);
        CU_ASSERT_EQUAL(dram_read(dram, asleep, 4000), 21); /* it stays awake */
        pf_dram_advance(dram, 5000 * 833);
        CU_ASSERT_EQUAL(pf_dram_asleep_ps(dram, 1), i == 0 ? 0 : 2000 * 833);
        pf_dram_check(dram);
    }
}

static void falling_asleep(void)
{
    /* A row open from clock 0 on is closed at 1000: PREA, and tRP = 17 later the rank sleeps. */
    g_autoptr(PfDram) dram = dram_of(two_ranks(PF_DRAM_POWER_DOWN_PRECHARGE));
    uint64_t address = dram_address(dram, 2, 1, 0, 0, 5, 0);
    dram_read(dram, address, 0);
    pf_dram_sleep(dram, 0, 1, 1000 * 833);
    double rank1 = 43.0 * 1000 + 34.0 * 17 + 25.0 * (3000 - 1017);
    double spent = energy_at(dram, 3000).background;
    CU_ASSERT_DOUBLE_EQUAL(spent, CLOCK_J * (34.0 * 3000 + rank1), 1e-14);
    /* A write that waits when nothing counts any more is made before. */
    dram_write(dram, address, 4000);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->write_latency_clocks.count, 0);
    pf_dram_sleep(dram, 0, 1, 4000 * 833);
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->write_latency_clocks.count, 1);
    pf_dram_check(dram);
    /* Once asleep it is not put to sleep anew. */
    uint64_t before = pf_dram_asleep_ps(dram, 1);
    pf_dram_sleep(dram, 0, 1, 6000 * 833);
    pf_dram_advance(dram, 7000 * 833);
    CU_ASSERT_TRUE(pf_dram_asleep_ps(dram, 1) > before + 2000 * 833);
}

static void a_load(void)
{
    g_autoptr(PfDram) dram = dram_of(two_ranks(PF_DRAM_POWER_DOWN_PRECHARGE));
    CU_ASSERT_TRUE(pf_dram_set_load(dram, 1000000000, 0, NULL));
    pf_dram_sleep(dram, 0, 1, 0);
    pf_dram_advance(dram, 100000 * 833);
    CU_ASSERT_EQUAL(pf_dram_asleep_ps(dram, 1), 0);
}

/* Of CHANNELS of two ranks, how many are empty with page FIRST in use, and with SECOND too. */
static void check_empty(const char *mapping, uint64_t channels, uint32_t first, uint32_t second,
                        uint64_t empty_one, uint64_t empty_both)
{
    PfDramConfig config = two_ranks(PF_DRAM_POWER_DOWN_PRECHARGE);
    config.mapping = mapping;
    config.channels = channels;
    g_autoptr(PfDram) dram = dram_of(config);
    PfRankUse use;
    pf_rank_use_init(&use, dram, MEMORY_PAGE_SHIFT);
    CU_ASSERT_EQUAL(pf_rank_use_empty(&use), 2 * channels);
    pf_rank_use_change(&use, (PfMpn){first}, true, 0);
    CU_ASSERT_EQUAL(pf_rank_use_empty(&use), empty_one);
    pf_rank_use_change(&use, (PfMpn){second}, true, 0);
    CU_ASSERT_EQUAL(pf_rank_use_empty(&use), empty_both);
    pf_rank_use_change(&use, (PfMpn){second}, false, 1000 * 833);
    CU_ASSERT_EQUAL(pf_rank_use_empty(&use), empty_one);
    pf_rank_use_change(&use, (PfMpn){first}, false, 1000 * 833);
    pf_dram_advance(dram, 3000 * 833);
    /* Each was awake for 1000 clocks that a page in use lay in. */
    uint64_t asleep_ps = pf_dram_asleep_ps(dram, 0) + pf_dram_asleep_ps(dram, 1);
    CU_ASSERT_EQUAL(asleep_ps, (2 * channels * 3000 - (2 * channels - empty_both) * 1000) * 833);
    pf_rank_use_clear(&use);
}

static void pages(void)
{
    /* Row, bank, rank, column, channel, high to low: a rank changes each 8 KiB. */
    check_empty("RoBaRaCoCh", 1, 0, 1, 1, 1);
    check_empty("RoBaRaCoCh", 1, 0, 2, 1, 0);
    check_empty("RoBaRaCoCh", 1, 0, 4, 1, 1);
    /* Each 16 KiB with two channels, and each page lies in both. */
    check_empty("RoBaRaCoCh", 2, 0, 2, 2, 2);
    check_empty("RoBaRaCoCh", 2, 0, 4, 2, 0);
    /* Each 8 GiB; channels each 16. */
    check_empty("ChRaBaRoCo", 1, 0, (1 << 21) - 1, 1, 1);
    check_empty("ChRaBaRoCo", 1, 0, 1 << 21, 1, 0);
    check_empty("ChRaBaRoCo", 2, 0, 1 << 22, 3, 2);
    /* Rank bits within the page: no rank is ever empty alone. */
    check_empty("MOP4CLXOR", 1, 0, 12345, 0, 0);
}

static void pages_of_ranks(void)
{
    PfDramConfig config = two_ranks(PF_DRAM_POWER_DOWN_OFF);
    config.channels = 2;
    g_autoptr(PfDram) dram = dram_of(config);
    PfRankUse use;
    pf_rank_use_init(&use, dram, MEMORY_PAGE_SHIFT);
    for (uint32_t page = 0; page < 10; page++)
        pf_rank_use_change(&use, (PfMpn){page}, true, 0);
    CU_ASSERT_EQUAL(pf_rank_use_pages(&use, 0), 6); /* 0 to 3, 8 and 9 */
    CU_ASSERT_EQUAL(pf_rank_use_pages(&use, 1), 4);
    pf_rank_use_clear(&use);
}

static const PfCheck checks[] = {
    {"an empty rank takes IDD2P or IDD6 for IDD2N", currents},
    {"a rank leaves power-down for refreshes and makes its own in self refresh", refreshes},
    {"the first request for a rank that sleeps waits for tXP, or tRFC and 10 ns", way_out},
    {"a rank sleeps when its requests are done and its rows closed", falling_asleep},
    {"a load by others keeps all ranks awake", a_load},
    {"ranks are empty where no page lies, as the mapping says", pages},
    {"pages are counted by rank", pages_of_ranks},
};

PF_CHECK_MAIN("rank_use", checks)
