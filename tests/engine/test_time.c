/* Clocks and order: barriers, idle, pacing, wake-ups. A cycle is a nanosecond: the clock is
 * 1 GHz. */
#include <inttypes.h>

#include "check.h"
#include "play.h"
#include "rng.h"

#define HEAD                                                                                       \
    "pagefold-trace 1\ncontext a process core=0\ncontext b process core=1\n"                       \
    "map a 0x0 16 anon\nmap b 0x0 16 anon\n"

static uint64_t end_of(const char *trace, const char *settings)
{
    g_autoptr(Played) played = play(trace, settings, NULL);
    CU_ASSERT_PTR_NULL(played->error);
    return played_mark_cycle(played, "none", 0);
}

static void test_barrier(void)
{
    g_autoptr(Played) played =
        play(HEAD "run a 1000\nrun b 100\nmark \"x\"\nrun b 10\nmark \"y\"\n", "", NULL);
    /* Both wait for the later one. */
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 0), 1000);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 1), 1010);
    CU_ASSERT_EQUAL(played_stat(played, "none", "time.idle_cycles"), 900 + 10);
    CU_ASSERT_EQUAL(played_stat(played, "none", "cycles.total"), 1000 + 100 + 10);
    CU_ASSERT_EQUAL(played_stat(played, "none", "time.cycles"), 1010);
}

static void test_barriers(void)
{
    static const char *const lines[] = {"mark \"y\"\n", "scan 1\n", "control none.x 1\n",
                                        "time 0s\n", "fork b c\nexit c\n"};
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *trace =
            g_strconcat(HEAD "run a 1000\n", lines[i], "run b 1\nmark \"end\"\n", NULL);
        g_autoptr(Played) played = play(trace, "", NULL);
        size_t last = pf_run_mark_count(played_run(played, "none")) - 1;
        /* b begins at 1000; a fork and an exit cost b some more. */
        uint64_t end = played_mark_cycle(played, "none", last);
        CU_ASSERT_TRUE(i < 4 ? end == 1001 : end > 1001);
    }
    /* A map is none. */
    CU_ASSERT_EQUAL(end_of(HEAD "run a 1000\nmap b 0x0 1 anon\nrun b 1\nmark \"x\"\n", ""), 1000);
}

static void test_idle(void)
{
    /* Two contexts on one core: b works while a waits, a goes on 1000 cycles after. */
    const char *trace = "pagefold-trace 1\ncontext a process core=0\ncontext b process core=0\n"
                        "idle a 1us\nrun b 400\nrun a 10\nmark \"x\"\n";
    g_autoptr(Played) played = play(trace, "", NULL);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 0), 1010);
    CU_ASSERT_EQUAL(played_stat(played, "none", "time.idle_cycles"), 600);
    CU_ASSERT_EQUAL(played_stat(played, "none", "cycles.total"), 410);
    /* Longer than a waits: it has to wait for the core. */
    CU_ASSERT_EQUAL(end_of("pagefold-trace 1\ncontext a process core=0\n"
                           "context b process core=0\nidle a 1us\nrun b 4000\nrun a 10\n"
                           "mark \"x\"\n",
                           ""),
                    4010);
    /* Two in a row add up; a barrier waits for them. */
    CU_ASSERT_EQUAL(end_of(HEAD "run a 5\nidle a 1us\nidle a 2us\nmark \"x\"\n", ""), 3005);
}

static void test_think_time(void)
{
    /* 100, then 1000 after that, 100, then 2000 after that; a time that is past adds nothing. */
    const char *trace = HEAD "run a 100\ntime 1us\nrun a 100\ntime 3us\ntime 2us\ntime 3us\n"
                             "mark \"x\"\n";
    g_autoptr(Played) played = play(trace, "", NULL);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 0), 100 + 1000 + 100 + 2000);
    CU_ASSERT_EQUAL(played_stat(played, "none", "time.lag_mean_cycles"),
                    -1); /* it cannot be late */
}

static void test_open_pacing(void)
{
    const char *trace = HEAD "run a 100\ntime 1us\nmark \"on time\"\nrun a 5000\ntime 3us\n"
                             "mark \"late\"\ntime 10us\nmark \"on time again\"\n";
    g_autoptr(Played) played = play(trace, "pacing = \"open\";\n", NULL);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 0), 1000);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 1), 6000);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 2), 10000);
    /* Late by 0, 3000 and 0 cycles; p99 is the top of 3000's bucket of 1/64 of its size. */
    CU_ASSERT_EQUAL(played_stat(played, "none", "time.lag_mean_cycles"), 1000);
    CU_ASSERT_TRUE(played_stat(played, "none", "time.lag_p99_cycles") >= 3000);
    CU_ASSERT_TRUE(played_stat(played, "none", "time.lag_p99_cycles") <= 3000 * 65 / 64.0);
}

static void test_page_grain(void)
{
    /* At page grain times are absolute even if pacing is closed. */
    const char *trace = "pagefold-trace 1\ngrain page\ncontext a process\nmap a 0x0 4 anon\n"
                        "time 1ms\nstate a 0x0 2 id:1\ntime 2ms\nmark \"x\"\n";
    g_autoptr(Played) played = play(trace, "", NULL);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 0), 2000000);
    CU_ASSERT_EQUAL(played_stat(played, "none", "cycles.total"), 0); /* state costs nothing */
    CU_ASSERT_EQUAL(played_stat(played, "none", "slowdown"), -1);
    CU_ASSERT_EQUAL(played_stat(played, "none", "time.lag_mean_cycles"), 0);
}

static void test_fork(void)
{
    /* The child begins where the parent is; two cores run side by side. */
    const char *trace = "pagefold-trace 1\ncontext a process core=0\nrun a 500\nfork a b\n"
                        "mark \"x\"\nrun b 100\nrun a 100\nmark \"y\"\n";
    g_autoptr(Played) played = play(trace, "", NULL);
    /* Nothing is mapped: only the translations are dropped. */
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 0), 500 + 500);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 1), 1100);
}

/* ---- wake-ups ---- */

static Played *clockwork(const char *trace, const char *parameters)
{
    g_autofree char *settings =
        g_strconcat("policies = ( { name = \"clockwork\"; ", parameters, "} );\n", NULL);
    Played *played = play(trace, settings, NULL);
    CU_ASSERT_PTR_NULL(played->error);
    return played;
}

static void test_wakes(void)
{
    /* Due at 1000, 2000 ... 10000: the mark is after the ninth. */
    g_autoptr(Played) played =
        clockwork(HEAD "run a 9999\nmark \"x\"\nrun a 1\nmark \"y\"\nrun a 1\n", "");
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 0, "clockwork.wakes"), 9);
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 1, "clockwork.wakes"), 10);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.disorder"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.early"), 0);
    /* The daemon has a core of its own: nobody is held up. */
    CU_ASSERT_EQUAL(played_mark_cycle(played, "clockwork", 1), 10000);
}

/* With `skew` the daemon begins as late as the seed says; it wakes up each 1000 from there. */
static void test_phase(void)
{
    unsigned different = 0;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        g_autofree char *settings = g_strdup_printf(
            "policies = ( { name = \"clockwork\"; } ); skew = \"1us\"; seed = %" PRIu64 ";\n",
            seed);
        g_autoptr(Played) played = play(HEAD "run a 9500\nmark \"x\"\n", settings, NULL);
        CU_ASSERT_PTR_NULL(played->error);
        PfRng rng = pf_rng_derive(seed, "phase");
        uint64_t phase = pf_rng_below(&rng, 1000000) / 1000; /* ps; a cycle has 1000 */
        uint64_t mark = played_mark_cycle(played, "clockwork", 0);
        uint64_t wakes = (mark - phase) / 1000;
        CU_ASSERT(mark >= 9500 && mark < 9500 + 1000); /* a begins later, too */
        CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 0, "clockwork.wakes"),
                        (double)wakes);
        different += wakes != mark / 1000;
    }
    CU_ASSERT(different > 0);
}

static void test_wakes_while_idle(void)
{
    g_autoptr(Played) played = clockwork(HEAD "idle a 5500ns\nrun a 1\nmark \"x\"\n"
                                              "time 1ms\nmark \"y\"\n",
                                         "work = 300; ");
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 0, "clockwork.wakes"), 5);
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 1, "clockwork.wakes"), 1005);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "clockwork", 1), 1005501);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "cycles.policy"), 1005 * 300);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.disorder"), 0);
}

/* Told when the interval is over, whenever the policy itself wakes up: written at 100, 10,000
 * later; and after three more accesses of whatever page. */
static void test_expiry(void)
{
    static const char trace[] = HEAD "run a 100\nwrite a 0x0 8\ntime 20us\nread b 0x0 8\n"
                                     "read b 0x0 8\nmark \"two\"\nread b 0x0 8\nrun b 1\n"
                                     "mark \"three\"\n";
    g_autoptr(Played) timed = clockwork(trace, "interval = \"0\"; filters = (\"flagged\"); "
                                               "flagged = { time = \"10us\"; };");
    double told = played_stat(timed, "clockwork", "clockwork.expired_cycle");
    CU_ASSERT_EQUAL(played_stat(timed, "clockwork", "clockwork.expired"), 1);
    CU_ASSERT(told >= 10100 && told < 20000);
    CU_ASSERT_EQUAL(played_stat(timed, "clockwork", "clockwork.wakes"), 0);
    CU_ASSERT_EQUAL(played_stat(timed, "clockwork", "clockwork.disorder"), 0);
    g_autoptr(Played) counted =
        clockwork(trace, "filters = \"flagged\"; flagged = { accesses = 3; };");
    CU_ASSERT_EQUAL(played_mark_stat(counted, "clockwork", 0, "clockwork.expired"), 0);
    CU_ASSERT_EQUAL(played_mark_stat(counted, "clockwork", 1, "clockwork.expired"), 1);
    CU_ASSERT_EQUAL(played_stat(counted, "clockwork", "clockwork.disorder"), 0);
}

static void test_overload(void)
{
    /* 2500 cycles of work each 1000: it wakes at 1000, 3500, 6000 and 8500, and goes on to 11000.
     */
    g_autoptr(Played) played = clockwork(HEAD "run a 10000\nmark \"x\"\n", "work = 2500; ");
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 0, "clockwork.wakes"), 4);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "clockwork", 0), 10000);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.early"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "cycles.stolen"), 0);
}

static void test_idle_wakes(void)
{
    /* Of a wake-up each cycle that does nothing, those 100 ns apart are served: at 1, 101 ... 9901.
     * With work of 1 cycle it comes each cycle, up to the last. */
    const char *trace = HEAD "run a 9999\nmark \"x\"\nrun a 1\n";
    g_autoptr(Played) idle = clockwork(trace, "interval = \"1ns\"; ");
    CU_ASSERT_EQUAL(played_mark_stat(idle, "clockwork", 0, "clockwork.wakes"), 100);
    g_autoptr(Played) busy = clockwork(trace, "interval = \"1ns\"; work = 1; ");
    CU_ASSERT_EQUAL(played_mark_stat(busy, "clockwork", 0, "clockwork.wakes"), 9999);
}

static void test_stolen(void)
{
    /* At page grain hashing a page reads it for 1500 cycles, and xxh3 computes for some more. */
    g_autoptr(GString) trace = g_string_new("pagefold-trace 1\ngrain page\n"
                                            "context a process core=0\nmap a 0x0 1 anon\n"
                                            "read a 0x0 1\nmark \"begin\"\n");
    for (unsigned i = 0; i < 1000; i++)
        g_string_append(trace, "run a 100\n");
    g_string_append(trace, "mark \"x\"\n");
    const char *parameters = "place = \"stolen\"; work = 500; interval = \"50us\"; ";
    g_autoptr(Played) played = clockwork(trace->str, parameters);
    uint64_t begin = played_mark_cycle(played, "none", 0);
    CU_ASSERT_EQUAL(played_mark_cycle(played, "none", 1), begin + 100000);
    /* Wake-ups at 50000 and 100000, both on core 0. */
    double stolen = played_stat(played, "clockwork", "cycles.stolen");
    double wakes = played_mark_stat(played, "clockwork", 1, "clockwork.wakes");
    CU_ASSERT_EQUAL(wakes, 2);
    CU_ASSERT_TRUE(stolen >= wakes * 2000);
    CU_ASSERT_EQUAL(stolen, played_stat(played, "clockwork", "cycles.policy"));
    CU_ASSERT_EQUAL(played_mark_cycle(played, "clockwork", 1), begin + 100000 + (uint64_t)stolen);
}

/* The same at the memory controller: an engine works, with a clock of its own. */
static void test_engine(void)
{
    static const char trace[] = "pagefold-trace 1\ncontext a process core=0\nmap a 0x0 2 anon\n"
                                "read a 0x0 1\nwrite a 0x1000 8 0x1\nmark \"begin\"\n"
                                "idle a 125us\nrun a 1\nmark \"x\"\n";
    g_autoptr(Played) played =
        clockwork(trace, "place = \"controller\"; work = 500; interval = \"50us\"; ");
    CU_ASSERT_EQUAL(played_mark_cycle(played, "clockwork", 1),
                    played_mark_cycle(played, "none", 1));
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 1, "clockwork.wakes"), 2);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "cycles.app"),
                    played_stat(played, "none", "cycles.app"));
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "cycles.stolen"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "cycles.engine"),
                    played_stat(played, "clockwork", "cycles.policy"));
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "cycles.account.scan"), 2 * 500);
    /* Page 0 is hashed twice: 64 lines, none of them dirty, none of them cached on the way. */
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "controller.reads"), 2 * 64);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "controller.snoops"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "cache.l1.misses_policy"), 0);
}

static void test_dilation(void)
{
    g_autoptr(Played) played = play(HEAD "run a 10000\nmark \"x\"\n",
                                    "dilation = 4.0;\n"
                                    "policies = ( { name = \"clockwork\"; } );\n",
                                    NULL);
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 0, "clockwork.wakes"), 40);
    CU_ASSERT_EQUAL(pf_simulation_dilation(played->simulation), 4);
}

static void test_control(void)
{
    /* Silent until the control at 7000; then each 100 cycles from there on. */
    g_autoptr(Played) played =
        clockwork(HEAD "run a 7000\nmark \"x\"\ncontrol clockwork.interval_ns 100\n"
                       "run a 550\nrun a 1\nmark \"y\"\ncontrol other.interval_ns 1\n"
                       "control clockwork.unheard_of 3\ncontrol clockwork.interval_ns many\n",
                  "interval = \"0ps\"; ");
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 0, "clockwork.wakes"), 0);
    CU_ASSERT_EQUAL(played_mark_stat(played, "clockwork", 1, "clockwork.wakes"), 5);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.controls"), 1);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "policy.refused_controls"), 2);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.disorder"), 0);
}

static void test_control_by_label(void)
{
    const char *settings = "policies = ( { name = \"clockwork\"; label = \"x\"; },"
                           " { name = \"clockwork\"; label = \"y\"; } );\n";
    g_autoptr(Played) played =
        play(HEAD "control x.interval_ns 5\ncontrol clockwork.interval_ns 7\n", settings, NULL);
    CU_ASSERT_EQUAL(played_stat(played, "x", "clockwork.controls"), 2);
    CU_ASSERT_EQUAL(played_stat(played, "y", "clockwork.controls"), 1);
}

static void test_scan(void)
{
    const char *trace = "pagefold-trace 1\nscan 3\nscan pass 1\ncontext a process\n"
                        "map a 0x0 4 anon\nrun a 5\nscan 4\nscan 12\nscan pass 2\nscan 0\n";
    g_autoptr(Played) paced = clockwork(trace, "pacing = \"trace\"; ");
    CU_ASSERT_EQUAL(played_stat(paced, "clockwork", "clockwork.scan_pages"), 3 + 4 + 12);
    CU_ASSERT_EQUAL(played_stat(paced, "clockwork", "clockwork.scan_passes"), 3);
    CU_ASSERT_EQUAL(played_stat(paced, "clockwork", "policy.passes"), 1 + 1 + 2);
    CU_ASSERT_EQUAL(played_stat(paced, "clockwork", "clockwork.wakes"), 0);
    g_autoptr(Played) timed = clockwork(trace, "");
    CU_ASSERT_EQUAL(played_stat(timed, "clockwork", "clockwork.scan_pages"), 0);
}

static void test_events(void)
{
    const char *trace = HEAD "write a 0x0 1\nwrite a 0xfff 2 0x1\ntouch a 0x2000 2\nread b 0x0 1\n"
                             "fork a c\nadvise a 0x0 1 dontneed\nremap a 0x1000 1 0x5000\n"
                             "attr b 0x1000 1 pinned\nexit b\n";
    g_autoptr(Played) played = clockwork(trace, "");
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.writes"), 1 + 2 + 2);
    /* Four of a, one of b, the child's four, b's pinned one. */
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.mapped"), 4 + 1 + 4 + 1);
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.unmapped"), 1 + 2);
    /* Two contexts and their maps, fork, advice, remap, attribute, exit. */
    CU_ASSERT_EQUAL(played_stat(played, "clockwork", "clockwork.context_events"), 4 + 5);
}

/* What the invalidations of ksm cost while A does what ACTIVITY says: it merges two pages, protects
 * both first and then replaces one, each time with an invalidation. */
static double shootdown_cycles(const char *activity)
{
    g_autofree char *trace =
        g_strconcat("pagefold-trace 1\ncontext a process\nmap a 0x0 2 anon mergeable\n"
                    "fill a 0x0 2 id:1\n",
                    activity, "mark \"x\"\n", NULL);
    g_autoptr(Played) played =
        play(trace, "policies = ( { name = \"ksm\"; } ); timing = \"costs\";", NULL);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "ksm.pages_sharing"), 1);
    return played_stat(played, "ksm", "cycles.account.shootdown");
}

static void test_interrupts(void)
{
    enum { FLUSHES = 3, LOCAL = 500, REMOTE = 25000, TARGET = 500 };
    CU_ASSERT_EQUAL(shootdown_cycles("run a 200000000\n"), FLUSHES * (REMOTE + TARGET));
    CU_ASSERT_EQUAL(shootdown_cycles("idle a 200ms\nrun a 1\n"), FLUSHES * LOCAL);
    CU_ASSERT_EQUAL(shootdown_cycles("time 200ms\n"), FLUSHES * LOCAL);
}

static void test_hold(void)
{
    const char *trace = HEAD "fill a 0x0 16 id:1 step=1\nfill b 0x0 16 id:1 step=1\nrun a 1000\n";
    /* ksmd looks at 8 of 32 pages each 20 ms: a pass takes 80 ms; what is equal is seen in the
     * first pass and shared in the second. `none` has no passes, and is not held up. */
    const char *policies = "policies = ( { name = \"none\"; }, { name = \"ksm\"; scope = \"all\"; "
                           "pages_to_scan = 8; } );";
    g_autofree char *time = g_strconcat(policies, " hold = \"1ms\";", NULL);
    g_autofree char *passes = g_strconcat(policies, " hold = \"passes:2\";", NULL);
    g_autoptr(Played) plain = play(trace, policies, NULL);
    g_autoptr(Played) held = play(trace, time, NULL);
    g_autoptr(Played) passed = play(trace, passes, NULL);
    double end = played_stat(plain, "none", "time.cycles");
    CU_ASSERT_EQUAL(played_stat(held, "none", "time.cycles"), end + 1000000);
    CU_ASSERT_EQUAL(played_stat(held, "ksm", "policy.shared"), 0);
    CU_ASSERT_EQUAL(played_stat(passed, "none", "time.cycles"), end);
    double passes_before = played_stat(plain, "ksm", "policy.passes");
    CU_ASSERT_EQUAL(played_stat(passed, "ksm", "policy.passes"), passes_before + 2);
    CU_ASSERT_EQUAL(played_stat(passed, "ksm", "memory.saved_pages"), 16);
    double cycles = played_stat(passed, "ksm", "time.cycles");
    CU_ASSERT_TRUE(cycles >= 2 * 80e6 && cycles <= 3 * 80e6);
    g_autoptr(Played) empty = play(HEAD, passes, NULL);
    CU_ASSERT_TRUE(played_stat(empty, "ksm", "time.cycles") < 1e6);
}

static const PfCheck checks[] = {
    {"at a barrier all contexts wait for the latest clock", test_barrier},
    {"mark, scan, control, time and fork are barriers, map is none", test_barriers},
    {"a context that idles leaves its core to others", test_idle},
    {"after the trace policies go on for a time, or until they have made their passes", test_hold},
    {"closed pacing takes times as think time", test_think_time},
    {"open pacing takes times as absolute and tells how late a run is", test_open_pacing},
    {"at page grain times are absolute", test_page_grain},
    {"a child begins where its parent is", test_fork},
    {"a policy wakes up at its times, in order", test_wakes},
    {"a policy that does nothing is asked each 100 ns at most", test_idle_wakes},
    {"a seed draws the phase of a policy's wake-ups where there is a skew", test_phase},
    {"a policy wakes up while contexts wait", test_wakes_while_idle},
    {"pages that expire are told at once", test_expiry},
    {"a policy that cannot keep up begins when it has ended", test_overload},
    {"stolen cycles hold up the context whose core they are taken from", test_stolen},
    {"an engine at the memory controller holds up nobody", test_engine},
    {"dilation multiplies the rates of policies", test_dilation},
    {"a control takes effect at its time", test_control},
    {"a control goes to all of that name or the one of that label", test_control_by_label},
    {"scan records drive policies that are paced by the trace", test_scan},
    {"a policy is told of what happens to pages and contexts", test_events},
    {"a core is interrupted for an invalidation only while its context runs", test_interrupts},
};

PF_CHECK_MAIN("time", checks)
