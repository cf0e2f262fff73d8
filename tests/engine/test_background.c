/* A load on DRAM by others beside a scanner at page grain. */
#include <string.h>

#include "check.h"
#include "play.h"

/* Sixteen pages of two contents; the daemon has half a second for them. */
static char *page_trace(void)
{
    return g_strdup("pagefold-trace 1\ncontext a process\nmap a 0x0 16 anon mergeable\n"
                    "grain page\nstate a 0x0 16 id:1\nstate a 0x8000 8 id:2\n"
                    "time 500ms\n");
}

static Played *play_with(const char *machine)
{
    g_autofree char *trace = page_trace();
    g_autofree char *config = g_strconcat(
        "timing = \"full\"; machine = { ", machine,
        " }; policies = ( { name = \"none\"; }, { name = \"ksm\"; } );", NULL);
    return play_configured(trace, strlen(trace), config, NULL);
}

static const char *remark(const Played *played, const char *label)
{
    return pf_run_remark(played_run(played, label));
}

#define LOWER_BOUND "scanner cost is a lower bound"

static void test_remark(void)
{
    g_autoptr(Played) alone = play_with("");
    g_autoptr(Played) loaded = play_with("background = { bandwidth = \"12GB/s\"; };");
    CU_ASSERT_PTR_NOT_NULL(strstr(remark(alone, "ksm"), LOWER_BOUND));
    CU_ASSERT_PTR_NULL(strstr(remark(alone, "none"), LOWER_BOUND));
    CU_ASSERT_PTR_NULL(strstr(remark(loaded, "ksm"), LOWER_BOUND));
}

/* 64 bytes each at 12 GB/s for the whole run; the scanner pays more for the same work. */
static void test_cost(void)
{
    g_autoptr(Played) alone = play_with("");
    g_autoptr(Played) loaded = play_with("background = { bandwidth = \"12GB/s\"; };");
    CU_ASSERT_EQUAL(played_stat(alone, "ksm", "dram.background_requests"), 0);
    double seconds = played_stat(loaded, "ksm", "time.cycles") / 2.6e9;
    CU_ASSERT_DOUBLE_EQUAL(played_stat(loaded, "ksm", "dram.background_requests") /
                               (seconds * 12e9 / 64), 1, 1e-4);
    CU_ASSERT_EQUAL(played_stat(loaded, "ksm", "policy.shared"),
                    played_stat(alone, "ksm", "policy.shared"));
    CU_ASSERT_TRUE(played_stat(loaded, "ksm", "cycles.policy") >
                   played_stat(alone, "ksm", "cycles.policy"));
    CU_ASSERT_EQUAL(played_stat(loaded, "ksm", "dram.reads"),
                    played_stat(alone, "ksm", "dram.reads"));
}

static void test_nodes(void)
{
    g_autoptr(Played) played =
        play_with("numa = { nodes = 2; }; background = { bandwidth = \"12GB/s\"; };");
    double seconds = played_stat(played, "none", "time.cycles") / 2.6e9;
    CU_ASSERT_DOUBLE_EQUAL(played_stat(played, "none", "dram.background_requests") /
                               (seconds * 12e9 / 64), 1, 1e-4);
}

static void test_mistake(void)
{
    g_autoptr(Played) played = play_with("background = { bandwidth = \"100GB/s\"; };");
    CU_ASSERT_PTR_NULL(played->simulation);
    CU_ASSERT_PTR_NOT_NULL(strstr(played->error->message, "more than DRAM can move"));
}

static const PfCheck checks[] = {
    {"without a load a scanner's cost is called a lower bound", test_remark},
    {"a load makes a scanner's reads slower and counts apart", test_cost},
    {"nodes share the load", test_nodes},
    {"a load beyond the bus is refused", test_mistake},
};

PF_CHECK_MAIN("engine-background", checks)
