#include "core.h"

#include "check.h"
#include "error.h"

enum { HIT = 4 };

static PfCore *core_of(double cpi, uint64_t window, uint64_t mshrs, double dependent)
{
    PfCoreConfig config = {.cpi = cpi,
                           .window_instructions = window,
                           .mshrs = mshrs,
                           .dependent_share = dependent};
    return pf_core_new(&config, 1, NULL, NULL);
}

static uint64_t read_done_at(PfCore *core, uint64_t done_cycles)
{
    return pf_core_issue(core, done_cycles, HIT, false, false);
}

static void carry(void)
{
    g_autoptr(PfCore) core = core_of(0.5, 224, 16, 0.0);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 3), 1); /* 1.5 */
    CU_ASSERT_EQUAL(pf_core_instructions(core, 1), 1); /* 2.0 */
    CU_ASSERT_EQUAL(pf_core_instructions(core, 1), 0); /* 2.5 */
    CU_ASSERT_EQUAL(pf_core_now(core), 2);
    CU_ASSERT_EQUAL(core->stats.instructions, 5);
    /* 2^40 instructions at 1.25 need more than 64 bits of 2^-32 cycles. */
    g_autoptr(PfCore) other = core_of(1.25, 224, 16, 0.0);
    CU_ASSERT_EQUAL(pf_core_instructions(other, (uint64_t)1 << 40), (uint64_t)5 << 38);
    /* Whether counted one by one or at once, the clock is the same. */
    g_autoptr(PfCore) single = core_of(0.1, 224, 16, 0.0);
    g_autoptr(PfCore) bulk = core_of(0.1, 224, 16, 0.0);
    for (unsigned i = 0; i < 1000; i++)
        pf_core_instructions(single, 1);
    pf_core_instructions(bulk, 1000);
    CU_ASSERT_EQUAL(pf_core_now(single), pf_core_now(bulk));
    CU_ASSERT_EQUAL(pf_core_now(bulk), 100);
}

static void hidden_hit(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 224, 1, 0.0);
    CU_ASSERT_EQUAL(read_done_at(core, HIT), 0);
    CU_ASSERT_EQUAL(read_done_at(core, HIT), 0);
    CU_ASSERT_EQUAL(pf_core_drain(core), 0);
    CU_ASSERT_EQUAL(pf_core_now(core), 0);
    /* One cycle more is a miss, which a drain waits for. */
    CU_ASSERT_EQUAL(read_done_at(core, HIT + 1), 0);
    CU_ASSERT_EQUAL(pf_core_drain(core), HIT + 1);
}

static void blocking(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 1, 16, 0.0);
    CU_ASSERT_EQUAL(read_done_at(core, HIT), HIT);
    CU_ASSERT_EQUAL(read_done_at(core, 100), 100 - HIT);
    CU_ASSERT_EQUAL(pf_core_issue(core, 150, HIT, true, false), 50);
    CU_ASSERT_EQUAL(pf_core_now(core), 150);
    CU_ASSERT_EQUAL(core->stats.stall_cycles, 150);
}

static void full_mshrs(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 224, 2, 0.0);
    CU_ASSERT_EQUAL(read_done_at(core, 200), 0);
    CU_ASSERT_EQUAL(read_done_at(core, 100), 0);
    /* The third waits for the one done at 100 and is done as much later: 150 + 100. */
    CU_ASSERT_EQUAL(read_done_at(core, 150), 100);
    CU_ASSERT_EQUAL(pf_core_now(core), 100);
    pf_core_check(core);
    /* Outstanding are 200 and 250; the fourth waits 100, 100 + 300 becomes 500. */
    CU_ASSERT_EQUAL(read_done_at(core, 400), 100);
    CU_ASSERT_EQUAL(pf_core_drain(core), 500 - 200);
    CU_ASSERT_EQUAL(pf_core_now(core), 500);
}

static void free_mshrs(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 224, 2, 0.0);
    read_done_at(core, 50);
    read_done_at(core, 60);
    pf_core_instructions(core, 50); /* now 50: the first is done */
    CU_ASSERT_EQUAL(read_done_at(core, 200), 0);
    CU_ASSERT_EQUAL(pf_core_drain(core), 150);
}

static void one_at_a_time(void)
{
    /* With one MSHR, independent misses of 100 cycles take 100 cycles each. */
    g_autoptr(PfCore) core = core_of(0.0, 1000, 1, 0.0);
    for (unsigned i = 0; i < 10; i++) {
        pf_core_instructions(core, 1);
        read_done_at(core, pf_core_now(core) + 100);
    }
    pf_core_drain(core);
    CU_ASSERT_EQUAL(pf_core_now(core), 10 * 100);
}

static void window_edge(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 10, 16, 0.0);
    read_done_at(core, 100);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 10), 10);
    CU_ASSERT_EQUAL(core->stats.stall_cycles, 0);
    pf_core_check(core);
    /* The eleventh waits until 100, 90 cycles, and takes one. */
    CU_ASSERT_EQUAL(pf_core_instructions(core, 1), 91);
    CU_ASSERT_EQUAL(core->stats.stall_cycles, 90);
    CU_ASSERT_EQUAL(pf_core_now(core), 101);
}

static void window_in_one_step(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 10, 16, 0.0);
    read_done_at(core, 100);
    pf_core_instructions(core, 5);
    read_done_at(core, 130);
    /* 5 cycles to the first's limit, wait until 100, 5 to the second's, wait until 130, 40 left. */
    CU_ASSERT_EQUAL(pf_core_instructions(core, 50), 5 + 90 + 5 + 25 + 40);
    CU_ASSERT_EQUAL(pf_core_now(core), 170);
    CU_ASSERT_EQUAL(core->stats.stall_cycles, 90 + 25);
    /* A miss that is done before the window is full costs nothing. */
    read_done_at(core, 179);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 50), 50);
}

static void writes_retire(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 10, 2, 0.0);
    pf_core_issue(core, 1000, HIT, true, false);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 100), 100);
    CU_ASSERT_EQUAL(pf_core_ready(core, true), 0); /* no read to depend on */
    /* But it holds one of the two MSHRs. */
    read_done_at(core, 300);
    CU_ASSERT_EQUAL(read_done_at(core, 350), 200);
    CU_ASSERT_EQUAL(pf_core_drain(core), 1000 - 300);
}

/* A store misses until 1000. Behind it there is room for two more of three. */
static void store_buffer(void)
{
    PfCoreConfig config = {.cpi = 1.0, .window_instructions = 10, .mshrs = 4, .store_buffer = 3};
    g_autoptr(PfCore) core = pf_core_new(&config, 1, NULL, NULL);
    /* Before a miss the buffer is empty, however many there were. */
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(pf_core_issue(core, HIT, HIT, true, false), 0);
    CU_ASSERT_EQUAL(pf_core_issue(core, 1000, HIT, true, false), 0);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 100), 100);
    CU_ASSERT_EQUAL(pf_core_issue(core, 100 + HIT, HIT, true, false), 0);
    CU_ASSERT_EQUAL(read_done_at(core, 100 + HIT), 0); /* a read takes no room */
    CU_ASSERT_EQUAL(pf_core_issue(core, 1500, HIT, true, false), 0);
    /* The first three are in; the fourth goes in at 1000, when the first two have left. */
    CU_ASSERT_EQUAL(pf_core_issue(core, 100 + HIT, HIT, true, false), 900);
    CU_ASSERT_EQUAL(pf_core_now(core), 1000);
    /* Behind the one until 1500 there is room for one more; then a miss is late by the wait. */
    CU_ASSERT_EQUAL(pf_core_issue(core, 1000 + HIT, HIT, true, false), 0);
    CU_ASSERT_EQUAL(pf_core_issue(core, 1700, HIT, true, false), 500);
    CU_ASSERT_EQUAL(core->stats.stall_cycles, 900 + 500);
    CU_ASSERT_EQUAL(pf_core_drain(core), 1700 + 500 - 1500);
    /* Without an end nothing waits. */
    g_autoptr(PfCore) other = core_of(1.0, 10, 4, 0.0);
    CU_ASSERT_EQUAL(pf_core_issue(other, 1000, HIT, true, false), 0);
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(pf_core_issue(other, HIT, HIT, true, false), 0);
}

/* The place of one is there for the next as soon as that is done. */
static void store_buffer_of_one(void)
{
    PfCoreConfig config = {.cpi = 1.0, .window_instructions = 10, .mshrs = 4, .store_buffer = 1};
    g_autoptr(PfCore) core = pf_core_new(&config, 1, NULL, NULL);
    CU_ASSERT_EQUAL(pf_core_issue(core, 50, HIT, true, false), 0);
    pf_core_instructions(core, 49);
    CU_ASSERT_EQUAL(pf_core_issue(core, 49 + HIT, HIT, true, false), 1);
    CU_ASSERT_EQUAL(pf_core_issue(core, 100, HIT, true, false), 0);
    pf_core_instructions(core, 50);
    CU_ASSERT_EQUAL(pf_core_issue(core, 100 + HIT, HIT, true, false), 0);
    CU_ASSERT_EQUAL(pf_core_drain(core), 0);
}

static void dependence(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 224, 16, 0.0);
    read_done_at(core, 100);
    CU_ASSERT_EQUAL(pf_core_ready(core, false), 0);
    CU_ASSERT_EQUAL(pf_core_ready(core, true), 100);
    /* A chain of hits takes the latency of each. */
    read_done_at(core, 100 + HIT);
    CU_ASSERT_EQUAL(pf_core_ready(core, true), HIT);
    CU_ASSERT_EQUAL(pf_core_ready(core, true), 0);
}

static void dependent_share(void)
{
    g_autoptr(PfCore) all = core_of(1.0, 224, 16, 1.0);
    read_done_at(all, 100);
    CU_ASSERT_EQUAL(pf_core_ready(all, false), 100);
    g_autoptr(PfCore) quarter = core_of(1.0, 224, 16, 0.25);
    unsigned stalled = 0;
    for (unsigned i = 0; i < 4000; i++) {
        read_done_at(quarter, pf_core_now(quarter) + HIT);
        stalled += pf_core_ready(quarter, false) > 0;
        pf_core_advance_to(quarter, pf_core_now(quarter) + HIT);
    }
    /* 1000 of 4000, deviation sqrt(4000 * 1/4 * 3/4) = 27; five of them. */
    CU_ASSERT_TRUE(stalled > 1000 - 5 * 27 && stalled < 1000 + 5 * 27);
}

static void barrier(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 224, 16, 0.0);
    read_done_at(core, 100);
    CU_ASSERT_EQUAL(pf_core_advance_to(core, 70), 70);
    CU_ASSERT_EQUAL(pf_core_advance_to(core, 70), 0);
    CU_ASSERT_EQUAL(pf_core_advance_to(core, 60), 0);
    CU_ASSERT_EQUAL(pf_core_drain(core), 30);
    CU_ASSERT_EQUAL(pf_core_stall_until(core, 100), 0);
    CU_ASSERT_EQUAL(pf_core_stall_until(core, 101), 1);
    CU_ASSERT_EQUAL(core->stats.idle_cycles, 70);
    CU_ASSERT_EQUAL(core->stats.stall_cycles, 31);
    read_done_at(core, 500);
    pf_core_reset_state(core);
    CU_ASSERT_EQUAL(pf_core_drain(core), 0);
    CU_ASSERT_EQUAL(pf_core_now(core), 101);
}

static void refuse(double cpi, uint64_t window, uint64_t mshrs, double dependent)
{
    g_autoptr(GError) error = NULL;
    PfCoreConfig config = {.cpi = cpi,
                           .window_instructions = window,
                           .mshrs = mshrs,
                           .dependent_share = dependent};
    PfCore *core = pf_core_new(&config, 1, NULL, &error);
    CU_ASSERT_PTR_NULL(core);
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    pf_core_free(core);
}

static void refusals(void)
{
    refuse(-0.5, 224, 16, 0.0);
    refuse(1001.0, 224, 16, 0.0);
    refuse(0.5, 0, 16, 0.0);
    refuse(0.5, 224, 0, 0.0);
    refuse(0.5, 224, PF_CORE_MSHRS_MAX + 1, 0.0);
    refuse(0.5, 224, 16, 1.5);
}

static void configuration(void)
{
    g_autoptr(PfConfig) tree = pf_config_new(NULL);
    g_autoptr(PfStats) stats = pf_stats_new();
    PfCoreConfig config;
    pf_config_bind(pf_config_section(tree, "machine.core"), pf_core_fields,
                   pf_core_field_count, &config);
    CU_ASSERT_TRUE(pf_config_finish(tree, NULL));
    g_autoptr(PfCore) core = pf_core_new(&config, 1, pf_stats_group(stats, "core0"), NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(core);
    pf_stats_freeze(stats);
    pf_core_instructions(core, 10);
    CU_ASSERT_EQUAL(pf_core_now(core), 5);
    PfStatValue value;
    CU_ASSERT_TRUE(pf_stats_find(stats, "core0.instructions", &value) && value.u == 10);
}

/* An access whose translation takes CYCLES and which then hits the first level. */
static uint64_t translate_and_hit(PfCore *core, uint64_t cycles, bool is_write)
{
    uint64_t sent = pf_core_translate(core, cycles);
    CU_ASSERT_EQUAL(sent, pf_core_now(core) + cycles);
    return pf_core_issue(core, sent + HIT, HIT, is_write, false);
}

static void walks_overlap(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 224, 16, 0.0);
    CU_ASSERT_EQUAL(translate_and_hit(core, 50, false), 0);
    pf_core_instructions(core, 10);
    CU_ASSERT_EQUAL(translate_and_hit(core, 50, false), 0);
    /* The second is translated at 60 and done at 64, of which the clock has come to 10. */
    CU_ASSERT_EQUAL(pf_core_ready(core, true), 54);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 50);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 0);
    /* A hit that needs no translation waits for none. */
    CU_ASSERT_EQUAL(translate_and_hit(core, 0, false), 0);
    CU_ASSERT_EQUAL(pf_core_ready(core, true), HIT);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 0);
    pf_core_check(core);
}

static void walks_of_a_blocking_core(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 1, 16, 0.0);
    CU_ASSERT_EQUAL(translate_and_hit(core, 50, false), 50 + HIT);
    CU_ASSERT_EQUAL(translate_and_hit(core, 20, true), 20 + HIT);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 70);
}

static void untranslated_writes(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 10, 4, 0.0);
    translate_and_hit(core, 100, true);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 10), 10);
    /* It retires at 100, not with its data. */
    CU_ASSERT_EQUAL(pf_core_instructions(core, 1), 90 + 1);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 90);
    CU_ASSERT_EQUAL(pf_core_drain(core), 0);
    /* One that misses, too, holds the window until it is translated, at 131, and is done at 301. */
    uint64_t sent = pf_core_translate(core, 30);
    pf_core_issue(core, sent + 170, HIT, true, false);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 11), 10 + 20 + 1);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 20);
    CU_ASSERT_EQUAL(pf_core_drain(core), 301 - 132);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 0);
}

static void walks_wait_for_mshrs(void)
{
    g_autoptr(PfCore) core = core_of(1.0, 224, 1, 0.0);
    read_done_at(core, 40);
    /* It is sent 40 later: translated at 70, done at 74. */
    CU_ASSERT_EQUAL(translate_and_hit(core, 30, false), 40);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 0);
    CU_ASSERT_EQUAL(pf_core_drain(core), 34);
    CU_ASSERT_EQUAL(pf_core_take_walk_stall(core), 30);
}

static const PfCheck checks[] = {
    {"instructions take their CPI and the fraction is carried", carry},
    {"a hit of the first level is hidden, one cycle more is outstanding", hidden_hit},
    {"a window of one waits for every access", blocking},
    {"a miss that finds all MSHRs taken waits for the first to finish", full_mshrs},
    {"a finished miss has freed its MSHR", free_mshrs},
    {"one MSHR makes misses follow each other", one_at_a_time},
    {"the window holds as many instructions as it says, not one more", window_edge},
    {"a long stretch waits where the window fills on the way", window_in_one_step},
    {"a write takes an MSHR but not the window", writes_retire},
    {"behind a store that misses there is room for so many others", store_buffer},
    {"a buffer of one store lets one miss at a time", store_buffer_of_one},
    {"a dependent read waits for the previous read", dependence},
    {"a share of the reads is dependent", dependent_share},
    {"a barrier passes idle time while misses go on", barrier},
    {"parameters out of range are refused", refusals},
    {"the defaults bind and the statistics have their names", configuration},
    {"walks overlap, and waiting for them is told apart", walks_overlap},
    {"a blocking core waits for translation and data", walks_of_a_blocking_core},
    {"a write holds up the window until it is translated", untranslated_writes},
    {"a walk waits for an MSHR", walks_wait_for_mshrs},
};

PF_CHECK_MAIN("core", checks)
