#include "link.h"

#include "check.h"

/* 64 bytes at 20 GB/s and 1 GHz: 3.2 cycles. N lines that are ready at once are begun at
 * ceil(i * 3.2), and the next one after them at ceil(N * 3.2). */
static void lines_in_a_row(void)
{
    PfLink link;
    pf_link_init(&link, 64, 20000000000, 1000000000);
    for (uint64_t i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(pf_link_take(&link, 500), 500 + (i * 32 + 9) / 10);
    /* 3200 cycles to the cycle; ready right then, or later, is no wait. */
    CU_ASSERT_EQUAL(pf_link_take(&link, 500 + 3200), 500 + 3200);
    CU_ASSERT_EQUAL(pf_link_take(&link, 500 + 3204), 500 + 3204);
    CU_ASSERT_EQUAL(pf_link_take(&link, 500 + 3204), 500 + 3208);
    pf_link_check(&link);
}

static void no_limit(void)
{
    PfLink link;
    pf_link_init(&link, 64, 0, 1000000000);
    for (unsigned i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(pf_link_take(&link, 77), 77);
}

/* 64 bytes at 16 GB/s: 4 cycles. A core whose clock is behind finds what the one ahead left. */
static void gaps(void)
{
    PfLink link;
    pf_link_init(&link, 64, 16000000000, 1000000000);
    CU_ASSERT_EQUAL(pf_link_take(&link, 100), 100); /* to 104; free: 0 to 100 */
    CU_ASSERT_EQUAL(pf_link_take(&link, 111), 111); /* to 115; free too: 104 to 111 */
    CU_ASSERT_EQUAL(pf_link_take(&link, 50), 50);
    CU_ASSERT_EQUAL(pf_link_take(&link, 50), 54);
    CU_ASSERT_EQUAL(pf_link_take(&link, 45), 45); /* just before 50 */
    CU_ASSERT_EQUAL(pf_link_take(&link, 47), 58); /* 49 to 50 is too short */
    CU_ASSERT_EQUAL(pf_link_take(&link, 97), 104);  /* 97 to 100 is */
    CU_ASSERT_EQUAL(pf_link_take(&link, 104), 115); /* 108 to 111 is */
    pf_link_check(&link);
}

/* Seventeen gaps of six cycles before lines at 10, 20, 30 ...: the oldest is forgotten. */
static void forgotten(void)
{
    PfLink link;
    pf_link_init(&link, 64, 16000000000, 1000000000);
    for (uint64_t i = 1; i <= PF_LINK_GAPS + 1; i++)
        CU_ASSERT_EQUAL(pf_link_take(&link, 10 * i), 10 * i);
    /* Of the time before 10 nothing is known: no line of then waits, however many there are. */
    for (unsigned i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(pf_link_take(&link, 9), 9);
    CU_ASSERT_EQUAL(pf_link_take(&link, 10), 14); /* after the one at 10 */
    CU_ASSERT_EQUAL(pf_link_take(&link, 10), 24); /* 18 to 20 is too short */
    pf_link_check(&link);
}

static const PfCheck checks[] = {
    {"lines in a row take their bytes over the bandwidth, to the cycle", lines_in_a_row},
    {"without a limit nothing waits", no_limit},
    {"a line that is ready earlier goes in a gap that it fits in", gaps},
    {"of times before the oldest gap nothing is known", forgotten},
};

PF_CHECK_MAIN("link", checks)
