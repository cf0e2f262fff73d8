#include "addr.h"
#include "check.h"
#include "units.h"

static void test_page_of_address(void)
{
    /* With 4 KiB pages, 0x1fff is the last byte of page 1 and 0x2000 the first of page 2. */
    CU_ASSERT_EQUAL(pf_caddr_page((PfCaddr){0x1fff}, 12).number, 1);
    CU_ASSERT_EQUAL(pf_caddr_page((PfCaddr){0x2000}, 12).number, 2);
    CU_ASSERT_EQUAL(pf_vaddr_page((PfVaddr){0x1fff}, 12).number, 1);
    CU_ASSERT_EQUAL(pf_vaddr_page((PfVaddr){UINT64_MAX}, 12).number, UINT64_MAX >> 12);
    CU_ASSERT_EQUAL(pf_cpn_address((PfCpn){2}, 12).bytes, 0x2000);
    CU_ASSERT_EQUAL(pf_cpn_plus((PfCpn){2}, 3).number, 5);
}

static void test_machine_address(void)
{
    /* The highest frame: (2^32 - 1) * 4096 + 4095 = 2^44 - 1, beyond 32 bits. */
    PfMaddr last = pf_mpn_address((PfMpn){UINT32_MAX}, 12, 4095);
    CU_ASSERT_EQUAL(last.bytes, ((uint64_t)1 << 44) - 1);
    CU_ASSERT_EQUAL(pf_maddr_page(last, 12).number, UINT32_MAX);
    CU_ASSERT_EQUAL(pf_mpn_address((PfMpn){3}, 2, 1).bytes, 13);
}

static void test_equality(void)
{
    CU_ASSERT_TRUE(pf_mpn_equal((PfMpn){7}, (PfMpn){7}));
    CU_ASSERT_FALSE(pf_mpn_equal((PfMpn){7}, (PfMpn){8}));
    CU_ASSERT_TRUE(pf_cpn_equal((PfCpn){7}, (PfCpn){7}));
    CU_ASSERT_FALSE(pf_cpn_equal((PfCpn){7}, (PfCpn){7 + ((uint64_t)1 << 32)}));
    CU_ASSERT_TRUE(pf_slot_equal((PfSlot){7}, (PfSlot){7}));
    CU_ASSERT_FALSE(pf_slot_equal((PfSlot){7}, (PfSlot){8}));
}

static void test_powers_of_two(void)
{
    CU_ASSERT_FALSE(pf_is_power_of_two(0));
    CU_ASSERT_TRUE(pf_is_power_of_two(1));
    CU_ASSERT_FALSE(pf_is_power_of_two(3));
    for (unsigned i = 2; i < 64; i++) {
        uint64_t power = (uint64_t)1 << i;
        CU_ASSERT_TRUE(pf_is_power_of_two(power));
        CU_ASSERT_FALSE(pf_is_power_of_two(power - 1));
        CU_ASSERT_FALSE(pf_is_power_of_two(power + 1));
        CU_ASSERT_EQUAL(pf_log2(power), i);
        CU_ASSERT_EQUAL(pf_log2(power - 1), i - 1);
        CU_ASSERT_EQUAL(pf_next_power_of_two(power), power);
        CU_ASSERT_EQUAL(pf_next_power_of_two(power - 1), power);
    }
    CU_ASSERT_EQUAL(pf_log2(1), 0);
    CU_ASSERT_EQUAL(pf_log2(UINT64_MAX), 63);
    CU_ASSERT_EQUAL(pf_next_power_of_two(0), 1);
    CU_ASSERT_EQUAL(pf_next_power_of_two(1), 1);
}

static void test_cycles_round_up(void)
{
    /* 2.6 GHz: 5 ns are 13 cycles exactly, one picosecond more needs a 14th. */
    uint64_t clock_hz = 2600000000U;
    CU_ASSERT_EQUAL(pf_cycles_from_ps(0, clock_hz), 0);
    CU_ASSERT_EQUAL(pf_cycles_from_ps(1, clock_hz), 1);
    CU_ASSERT_EQUAL(pf_cycles_from_ps(5000, clock_hz), 13);
    CU_ASSERT_EQUAL(pf_cycles_from_ps(5001, clock_hz), 14);
    /* 1 GHz: a cycle is 1000 ps. */
    CU_ASSERT_EQUAL(pf_cycles_from_ps(13000, 1000000000), 13);
    CU_ASSERT_EQUAL(pf_cycles_from_ps(12999, 1000000000), 13);
    CU_ASSERT_EQUAL(pf_cycles_from_ps(UINT64_MAX, UINT64_MAX), UINT64_MAX);
}

static void test_picoseconds_round_down(void)
{
    /* 13 cycles at 2.6 GHz are 5000 ps; one cycle is 384.6 ps. */
    uint64_t clock_hz = 2600000000U;
    CU_ASSERT_EQUAL(pf_ps_from_cycles(13, clock_hz), 5000);
    CU_ASSERT_EQUAL(pf_ps_from_cycles(1, clock_hz), 384);
    CU_ASSERT_EQUAL(pf_ps_from_cycles(UINT64_MAX, 1), UINT64_MAX);
    for (uint64_t cycles = 0; cycles < 1000; cycles++)
        CU_ASSERT_EQUAL(pf_cycles_from_ps(pf_ps_from_cycles(cycles, clock_hz), clock_hz), cycles);
}

static const PfCheck checks[] = {
    {"an address belongs to the page that its high bits say", test_page_of_address},
    {"machine addresses of high frames do not lose bits", test_machine_address},
    {"page numbers are equal only if all bits are", test_equality},
    {"powers of two are told from their neighbours", test_powers_of_two},
    {"a time takes the cycles that cover it, and saturates", test_cycles_round_up},
    {"cycles last whole picoseconds, and saturate", test_picoseconds_round_down},
};

PF_CHECK_MAIN("addr_units", checks)
