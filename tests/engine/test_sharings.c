/* The life of sharings, by traces whose times are known: a cycle is a nanosecond. */
#include "check.h"

#include "play.h"

/* Four pairs of equal pages, merged at 2 ms, and a policy that looks at them when it is told. */
static const char head[] = "pagefold-trace 1\ngrain page\ncontext p process\n"
                           "map p 0x0 16 anon mergeable\n"
                           "fill p 0x0 2 id:1\nfill p 0x2000 2 id:2\n"
                           "fill p 0x4000 2 id:3\nfill p 0x6000 2 id:4\n"
                           "time 1ms\nscan pass 1\ntime 2ms\nscan pass 1\n";

static Played *play_on(const char *rest, const char *settings)
{
    g_autofree char *trace = g_strconcat(head, rest, NULL);
    g_autofree char *policies = g_strdup_printf(
        "policies = ({ name = \"ksm\"; pacing = \"trace\"; smart_scan = false; %s });", settings);
    return play(trace, policies, NULL);
}

static double stat(const Played *played, const char *name)
{
    return played_stat(played, "ksm", name);
}

/* Asserts how many sharings were broken, ended otherwise and are alive. */
static void expect_counts(const Played *played, double broken, double ended, double alive)
{
    CU_ASSERT_EQUAL(stat(played, "sharing.broken"), broken);
    CU_ASSERT_EQUAL(stat(played, "sharing.ended"), ended);
    CU_ASSERT_EQUAL(stat(played, "sharing.alive"), alive);
    CU_ASSERT_EQUAL(stat(played, "policy.shared"), broken + ended + alive);
}

/* Whether VALUE is the upper edge of the bucket of CYCLES, 1/64 wide. */
static bool is_about(double value, double cycles)
{
    return value >= cycles && value <= cycles * 65 / 64;
}

static void test_lifetimes(void)
{
    g_autoptr(Played) played = play_on("time 5ms\ntouch p 0x0 1\n"  /* after 3 ms */
                                       "time 6ms\ntouch p 0x1000 1\n" /* shares with nobody now */
                                       "time 10ms\ntouch p 0x3000 1\n" /* after 8 ms */
                                       "time 12ms\nunmap p 0x4000 1\n"
                                       "time 22ms\n",
                                       "wasted_within = \"3ms\";");
    expect_counts(played, 2, 1, 1);
    CU_ASSERT_EQUAL(stat(played, "policy.broken"), 3);
    CU_ASSERT_EQUAL(stat(played, "sharing.first_merge_cycles"), 2e6);
    CU_ASSERT_EQUAL(stat(played, "sharing.lifetime_mean_cycles"), (3e6 + 8e6) / 2);
    CU_ASSERT_TRUE(is_about(stat(played, "sharing.lifetime_p50_cycles"), 3e6));
    CU_ASSERT_TRUE(is_about(stat(played, "sharing.lifetime_p95_cycles"), 8e6));
    CU_ASSERT_EQUAL(stat(played, "sharing.lifetime_max_cycles"), 8e6);
    CU_ASSERT_EQUAL(stat(played, "sharing.wasted"), 1);
    CU_ASSERT_EQUAL(stat(played, "sharing.wasted_share"), 0.25);
    /* One of 4 is broken at 3 ms, one of the 3 that are left at 8: 3/4 * 2/3 = 1/2. */
    CU_ASSERT_TRUE(is_about(stat(played, "sharing.half_life_cycles"), 8e6));
}

static void test_waste_at_the_edge(void)
{
    g_autoptr(Played) played =
        play_on("time 5ms\ntouch p 0x0 1\n", "wasted_within = \"2999999ns\";");
    CU_ASSERT_EQUAL(stat(played, "sharing.wasted"), 0);
    /* A quarter: never a half. */
    CU_ASSERT_EQUAL(stat(played, "sharing.half_life_cycles"), -1);
    g_autoptr(Played) none = play_on("unmap p 0x0 16\n", "");
    expect_counts(none, 0, 4, 0);
    CU_ASSERT_EQUAL(stat(none, "sharing.half_life_cycles"), -1);
    CU_ASSERT_EQUAL(stat(none, "sharing.lifetime_mean_cycles"), -1);
    CU_ASSERT_EQUAL(stat(none, "sharing.lifetime_max_cycles"), -1);
}

static void test_never_merged(void)
{
    g_autoptr(Played) played =
        play("pagefold-trace 1\ngrain page\ncontext p process\n"
             "map p 0x0 1 anon\nfill p 0x0 1 id:1\n",
             "policies = ({ name = \"ksm\"; });", NULL);
    expect_counts(played, 0, 0, 0);
    CU_ASSERT_EQUAL(stat(played, "sharing.first_merge_cycles"), -1);
    CU_ASSERT_EQUAL(stat(played, "sharing.wasted_share"), -1);
    CU_ASSERT_EQUAL(stat(played, "sharing.half_life_cycles"), -1);
}

/* What goes early says nothing of how long it would have lasted: 2 of 4 are left at 3 ms, one of
 * them is broken, and that is half, though only a quarter of all was. */
static void test_censoring(void)
{
    g_autoptr(Played) played = play_on("time 3ms\nunmap p 0x0 2\nadvise p 0x2000 2 dontneed\n"
                                       "time 5ms\ntouch p 0x4000 1\n",
                                       "");
    expect_counts(played, 1, 2, 1);
    CU_ASSERT_TRUE(is_about(stat(played, "sharing.half_life_cycles"), 3e6));
}

/* A frame of three pages is two sharings, whoever leaves first; the third page breaks nothing. What
 * comes to a page that was left alone is a sharing from then on. */
static void test_three_pages(void)
{
    g_autoptr(Played) played = play_on("fill p 0x8000 1 id:1\n"
                                       "time 4ms\nscan pass 2\n"
                                       "time 5ms\ntouch p 0x0 1\n"
                                       "time 7ms\ntouch p 0x1000 1\nmark left\n"
                                       "time 8ms\nscan pass 2\n"
                                       "time 9ms\ntouch p 0x8000 1\n",
                                       "");
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 0, "sharing.broken"), 2);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 0, "policy.shared"), 5);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 0, "memory.saved_pages"), 3);
    /* After 3 ms and 5 ms; both come back to the one that was left at 8 ms, which leaves at 9. */
    expect_counts(played, 3, 0, 4);
    CU_ASSERT_EQUAL(stat(played, "sharing.lifetime_mean_cycles"), (3e6 + 5e6 + 1e6) / 3);
    CU_ASSERT_EQUAL(stat(played, "memory.saved_pages"), 4);
}

/* Up to cycle 2^32 times are exact, and from there on to two cycles; those before are kept. */
static void test_long_runs(void)
{
    g_autoptr(Played) played = play_on("time 4294967295ns\ntouch p 0x0 1\n"
                                       "fill p 0x8000 1 id:7\nfill p 0x9000 1 id:7\n"
                                       "time 5000000001ns\nscan pass 2\n"
                                       "time 5000100002ns\ntouch p 0x9000 1\n"
                                       "time 6000000000ns\ntouch p 0x3000 1\n",
                                       "");
    /* The page that left first has come back meanwhile. */
    expect_counts(played, 3, 0, 3);
    /* 2^32 - 1 - 2e6; 100,001, or one more, from an odd cycle; 6e9 - 2e6. */
    double sum = 3 * stat(played, "sharing.lifetime_mean_cycles");
    double exact = 4294967295.0 - 2e6 + 100001 + 6e9 - 2e6;
    CU_ASSERT_TRUE(sum >= exact && sum <= exact + 1.5);
    CU_ASSERT_EQUAL(stat(played, "sharing.lifetime_max_cycles"), 6e9 - 2e6);
}

/* A page that moves takes its sharing along; a forked one has its sharing with whoever of the two
 * leaves first. */
static void test_moves_and_forks(void)
{
    static const char moves[] =
        "pagefold-trace 1\ngrain page\ncontext p process\nmap p 0x0 16 anon\n"
        "fill p 0x0 2 id:1\ntime 2ms\nscan 100\n"
        "time 3ms\nremap p 0x0 2 0xc000\ntime 6ms\ntouch p 0xc000 1\n";
    g_autoptr(Played) moved =
        play(moves, "policies = ({ name = \"esx\"; pacing = \"trace\"; });", NULL);
    CU_ASSERT_EQUAL(played_stat(moved, "esx", "sharing.broken"), 1);
    CU_ASSERT_EQUAL(played_stat(moved, "esx", "sharing.ended"), 0);
    CU_ASSERT_EQUAL(played_stat(moved, "esx", "sharing.lifetime_max_cycles"), 4e6);
    /* The kernel undoes its sharings before it moves pages; one of the two pages' is one. */
    g_autoptr(Played) undone = play_on("time 3ms\nremap p 0x0 2 0xc000\n", "");
    expect_counts(undone, 0, 1, 3);
    g_autoptr(Played) forked = play_on("time 3ms\nfork p q\ntime 4ms\ntouch q 0x0 2\n"
                                       "time 6ms\ntouch p 0x0 2\n",
                                       "");
    expect_counts(forked, 1, 0, 3);
    g_autoptr(Played) gone = play_on("time 3ms\nfork p q\ntime 4ms\nexit p\nexit q\n", "");
    expect_counts(gone, 0, 4, 0);
}

static const PfCheck checks[] = {
    {"a sharing lasts from the merge to the store that copies", test_lifetimes},
    {"a sharing is wasted up to the time given and no longer", test_waste_at_the_edge},
    {"without a merge there is nothing to tell", test_never_merged},
    {"sharings that end otherwise are censored", test_censoring},
    {"n pages on a frame are n - 1 sharings", test_three_pages},
    {"times are kept in longer units as the run gets longer", test_long_runs},
    {"moves and forks take sharings along", test_moves_and_forks},
};

int main(void)
{
    return pf_check_main("sharings", checks, G_N_ELEMENTS(checks));
}
