/* What sets ksm's parameters while it runs: the scan-time advisor and ksmtuned. */
#include "check.h"

#include <glib.h>

#include "ksm_advisor.h"
#include "ksm_tuned.h"
#include "units.h"

static const PfKsmConfig kernel_defaults = {
    .advisor_max_cpu = 70,
    .advisor_min_pages_to_scan = 500,
    .advisor_max_pages_to_scan = 30000,
    .advisor_target_scan_time = 200,
};

/* 500 pages, 400 s for a target of 200, 5 % CPU, the first pass: factor 50, change 30 % (30 % of
 * 100), so 500*100/50 * 30/100 = 300; but 10 % CPU are free to take: 500/5*10 = 1000. */
static void a_slow_first_pass_takes_ten_percent_of_the_cpu(void)
{
    PfKsmAdvisor advisor = {.change_percent = 0};
    CU_ASSERT_EQUAL(pf_ksm_advise(&advisor, &kernel_defaults, 500, 400, 400 * 1000 / 20), 1000);
    CU_ASSERT_EQUAL(advisor.change_percent, 30);
    CU_ASSERT_EQUAL(advisor.last_scan_seconds, 400);
    /* Then 300 s with 1000 pages at 10 %: change (70*30 + 30*75)/100 = 43; 1515*43/100 = 651, but
     * 1000/10*10 = 1000. */
    CU_ASSERT_EQUAL(pf_ksm_advise(&advisor, &kernel_defaults, 1000, 300, 300 * 1000 / 10), 1000);
    CU_ASSERT_EQUAL(advisor.change_percent, 43);
}

/* 3000 pages, 100 s where 200 are allowed, 20 % CPU: half as many do: 3000*100/200 = 1500. */
static void a_fast_pass_lets_the_rate_fall(void)
{
    PfKsmAdvisor advisor = {.change_percent = 100, .last_scan_seconds = 100};
    CU_ASSERT_EQUAL(pf_ksm_advise(&advisor, &kernel_defaults, 3000, 100, 20 * 1000), 1500);
    CU_ASSERT_EQUAL(advisor.change_percent, 100);
}

/* 1000 pages, 800 s, 50 % CPU, steady: 1000*100/25 = 4000; 70 % CPU allow 1000/50*70 = 1400. */
static void the_rate_stays_below_the_cpu_limit(void)
{
    PfKsmAdvisor advisor = {.change_percent = 100, .last_scan_seconds = 800};
    CU_ASSERT_EQUAL(pf_ksm_advise(&advisor, &kernel_defaults, 1000, 800, 400 * 1000), 1400);
}

/* As on a running Linux 6.18: at first the daemon's whole life counts as the pass (2530 ms in a
 * second, 253 %), 500/253 = 1 page a percent, so 10; then passes of a second at 1 %, each ten times
 * the pages of the one before, and at most 30,000. The minimum of 500 is none. */
static void a_short_trace_goes_the_way_of_the_kernel(void)
{
    static const uint64_t expected[] = {10, 100, 1000, 10000, 30000, 30000};
    PfKsmAdvisor advisor = {.change_percent = 0};
    uint64_t pages = 500;
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        pages = pf_ksm_advise(&advisor, &kernel_defaults, pages, 0, i == 0 ? 2530 : 3);
        CU_ASSERT_EQUAL(pages, expected[i]);
    }
}

static const PfKsmConfig debian_defaults = {
    .tuned_coefficient_percent = 20,
    .tuned_constant_bytes = 2048 * PF_KIB,
    .tuned_boost_pages = 300,
    .tuned_decay_pages = 50,
    .tuned_min_pages = 64,
    .tuned_max_pages = 1250,
    .tuned_sleep_ps = PF_PS_PER_SECOND / 100,
};

/* 16 GiB; a fifth of that has to be free: 3,355,443 KiB of 16,777,216. */
#define TOTAL_KIB     ((uint64_t)16 * 1024 * 1024)
#define THRESHOLD_KIB ((uint64_t)3355443)

static void plenty_of_memory_stops_the_scan(void)
{
    PfKsmTuned tuned = {.pages = 364};
    PfKsmMemory memory = {
        .total = TOTAL_KIB, .free = THRESHOLD_KIB + 1, .committed = TOTAL_KIB - THRESHOLD_KIB - 1};
    CU_ASSERT_FALSE(pf_ksm_tuned_look(&tuned, &debian_defaults, &memory).run);
    CU_ASSERT_EQUAL(tuned.pages, 364);
    memory.free--;
    CU_ASSERT_TRUE(pf_ksm_tuned_look(&tuned, &debian_defaults, &memory).run);
    memory = (PfKsmMemory){
        .total = TOTAL_KIB, .free = THRESHOLD_KIB + 1, .committed = TOTAL_KIB - THRESHOLD_KIB};
    CU_ASSERT_TRUE(pf_ksm_tuned_look(&tuned, &debian_defaults, &memory).run);
}

static void short_memory_raises_the_rate_up_to_a_limit(void)
{
    static const uint64_t expected[] = {300, 600, 900, 1200, 1250, 1250};
    PfKsmTuned tuned = {.pages = 0};
    PfKsmMemory memory = {
        .total = TOTAL_KIB, .free = THRESHOLD_KIB - 1, .committed = TOTAL_KIB};
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        PfKsmTuning tuning = pf_ksm_tuned_look(&tuned, &debian_defaults, &memory);
        CU_ASSERT_TRUE(tuning.run);
        CU_ASSERT_EQUAL(tuning.pages_to_scan, expected[i]);
        CU_ASSERT_EQUAL(tuning.sleep_millisecs, 10);
    }
}

static void enough_free_memory_lowers_it_down_to_another(void)
{
    static const uint64_t expected[] = {130, 80, 64, 64};
    PfKsmTuned tuned = {.pages = 180};
    PfKsmMemory memory = {.total = TOTAL_KIB, .free = THRESHOLD_KIB, .committed = TOTAL_KIB};
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++)
        CU_ASSERT_EQUAL(pf_ksm_tuned_look(&tuned, &debian_defaults, &memory).pages_to_scan,
                        expected[i]);
}

/* 10 ms for 16 GiB: 40 ms for 4 GiB, and never less than 10. */
static void small_machines_sleep_longer(void)
{
    PfKsmTuned tuned = {.pages = 0};
    PfKsmMemory memory = {.total = TOTAL_KIB / 4, .committed = TOTAL_KIB};
    CU_ASSERT_EQUAL(pf_ksm_tuned_look(&tuned, &debian_defaults, &memory).sleep_millisecs, 40);
    memory.total = TOTAL_KIB * 4;
    CU_ASSERT_EQUAL(pf_ksm_tuned_look(&tuned, &debian_defaults, &memory).sleep_millisecs, 10);
}

static const PfCheck checks[] = {
    {"advisor: a slow first pass takes ten percent of the CPU",
     a_slow_first_pass_takes_ten_percent_of_the_cpu},
    {"advisor: a fast pass lets the rate fall", a_fast_pass_lets_the_rate_fall},
    {"advisor: the rate stays below the CPU limit", the_rate_stays_below_the_cpu_limit},
    {"advisor: a short trace goes the way of the kernel",
     a_short_trace_goes_the_way_of_the_kernel},
    {"ksmtuned: plenty of memory stops the scan", plenty_of_memory_stops_the_scan},
    {"ksmtuned: short memory raises the rate up to a limit",
     short_memory_raises_the_rate_up_to_a_limit},
    {"ksmtuned: enough free memory lowers it down to another",
     enough_free_memory_lowers_it_down_to_another},
    {"ksmtuned: small machines sleep longer", small_machines_sleep_longer},
};

PF_CHECK_MAIN("ksm_tuning", checks)
