/* Spans: their lengths by label, and what the slowest waited for. A cycle is a nanosecond, an
 * instruction takes one. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "play.h"

#define HEAD                                                                                       \
    "pagefold-trace 1\ncontext a process core=0\ncontext b process core=1\n"                       \
    "map a 0x0 16 anon\nmap b 0x0 16 anon\n"

/* The value of NAME at the end: -1 where it is null, -2 where it is not told. */
typedef struct {
    const char *name;
    double value;
} Wanted;

static void look_for(const PfStatInfo *info, PfStatValue value, void *user)
{
    Wanted *wanted = user;
    if (!g_str_equal(info->name, wanted->name))
        return;
    CU_ASSERT_TRUE(wanted->value < -1); /* told once */
    wanted->value = value.kind == PF_STAT_UINT     ? (double)value.u
                    : value.kind == PF_STAT_DOUBLE ? value.d
                                                   : -1;
}

static double at_end(const Played *played, const char *label, const char *name)
{
    Wanted wanted = {name, -2};
    pf_run_contexts_visit(played_run(played, label), look_for, &wanted);
    return wanted.value;
}

static void expect_value(const Played *played, const char *label, const char *name, double expected)
{
    double value = at_end(played, label, name);
    CU_ASSERT_EQUAL(value, expected);
    if (value < expected || value > expected)
        printf("# %s %s is %g, not %g\n", label, name, value, expected);
}

/* Asserts that the slowest spans labelled s of run LABEL took, on average, BREAK ... OTHER cycles
 * and the sum of these in all. */
static void expect_parts(const Played *played, const char *label, const double parts[6])
{
    static const char *const names[] = {"break", "shootdown", "stolen", "memory", "idle", "other"};
    double sum = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_strdup_printf("span.s.slowest_%s_cycles", names[i]);
        expect_value(played, label, name, parts[i]);
        sum += parts[i];
    }
    CU_ASSERT_EQUAL(at_end(played, label, "span.s.slowest_mean_cycles"), sum);
}

typedef struct {
    const char *name;
    double value; /* -2: it is not told */
} Expected;

/* What is told of spans at the end of `none`. */
static void expect(const Played *played, const Expected *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_value(played, "none", expected[i].name, expected[i].value);
}

static void test_nested(void)
{
    g_autoptr(Played) played = play(HEAD "begin a \"q\"\nrun a 30\nbegin a \"q\"\nrun a 10\n"
                                         "end a \"q\"\nend b \"q\"\nend a \"other\"\nend a \"q\"\n"
                                         "begin a \"open\"\nbegin a \"q\"\nrun a 5\n",
                                    "", NULL);
    /* The inner one took 10, the outer one 30 + 10; two were never ended. */
    static const Expected expected[] = {
        {"span.q.count", 2},
        {"span.q.mean_cycles", 25},
        {"span.q.p50_cycles", 10},
        {"span.q.p95_cycles", 40},
        {"span.q.p999_cycles", 40},
        {"span.q.other_cycles", 25},
        {"span.q.slowest_count", 1},
        {"span.q.slowest_other_cycles", 40},
        {"span.open.count", -2},
        {"span.other.count", -2},
    };
    expect(played, expected, G_N_ELEMENTS(expected));
}

static void test_two_contexts(void)
{
    /* They overlap: of a from 0 to 100, of b from 0 to 300; each is closed by its own end. */
    g_autoptr(Played) played = play(HEAD "begin a \"s\"\nbegin b \"s\"\nrun a 100\nrun b 300\n"
                                         "end a \"s\"\nend b \"s\"\nbegin a \"t\"\nrun a 7\n"
                                         "end a \"t\"\n",
                                    "", NULL);
    static const Expected expected[] = {
        {"span.s.count", 2},
        {"span.s.mean_cycles", 200},
        {"span.s.slowest_mean_cycles", 300},
        {"span.t.mean_cycles", 7},
    };
    expect(played, expected, G_N_ELEMENTS(expected));
    /* Of all labels together. */
    CU_ASSERT_EQUAL(played_stat(played, "none", "span.mean_cycles"), (100 + 300 + 7) / 3.0);
    CU_ASSERT_EQUAL(played_stat(played, "none", "span.untold"), 0);
}

/* Spans of 1 .. COUNT cycles, not in that order. */
static Played *many(unsigned count)
{
    g_autoptr(GString) trace = g_string_new(HEAD);
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(trace, "begin a \"s\"\nrun a %u\nend a \"s\"\n",
                               i * 7 % count + 1); /* 7 divides no count below */
    return play(trace->str, "", NULL);
}

static void test_slowest(void)
{
    static const struct {
        unsigned count;
        double slowest;
        double mean_cycles;
    } cases[] = {
        {1, 1, 1},
        {100, 1, 100},
        {101, 2, (101 + 100) / 2.0},
        {1600, 16, 1600 - 15 / 2.0},
        {1601, 16, 1601 - 15 / 2.0}, /* a hundredth would be 17 */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Played) played = many(cases[i].count);
        CU_ASSERT_EQUAL(at_end(played, "none", "span.s.count"), cases[i].count);
        CU_ASSERT_EQUAL(at_end(played, "none", "span.s.slowest_count"), cases[i].slowest);
        CU_ASSERT_EQUAL(at_end(played, "none", "span.s.slowest_mean_cycles"), cases[i].mean_cycles);
        CU_ASSERT_EQUAL(at_end(played, "none", "span.s.mean_cycles"), (cases[i].count + 1) / 2.0);
    }
}

static void test_quantiles(void)
{
    /* Of 1 .. 60 each length has a bucket: ranks 30, 57, 59.4 and 59.94, rounded up. */
    g_autoptr(Played) played = many(60);
    CU_ASSERT_EQUAL(at_end(played, "none", "span.s.p50_cycles"), 30);
    CU_ASSERT_EQUAL(at_end(played, "none", "span.s.p95_cycles"), 57);
    CU_ASSERT_EQUAL(at_end(played, "none", "span.s.p99_cycles"), 60);
    CU_ASSERT_EQUAL(at_end(played, "none", "span.s.p999_cycles"), 60);
    /* Of 1000 the long one has rank 1000, but 999 is asked for; of 1001 two are long. */
    g_autoptr(GString) trace = g_string_new(HEAD);
    for (unsigned i = 1; i <= 1000; i++)
        g_string_append_printf(trace, "begin a \"s\"\nrun a %u\nend a \"s\"\n", i < 1000 ? 10 : 60);
    g_autoptr(Played) long_one = play(trace->str, "", NULL);
    CU_ASSERT_EQUAL(at_end(long_one, "none", "span.s.p999_cycles"), 10);
    g_string_append(trace, "begin a \"s\"\nrun a 60\nend a \"s\"\n");
    g_autoptr(Played) two = play(trace->str, "", NULL);
    CU_ASSERT_EQUAL(at_end(two, "none", "span.s.p99_cycles"), 10);
    CU_ASSERT_EQUAL(at_end(two, "none", "span.s.p999_cycles"), 60); /* rank 999.999 */
}

/* TRACE on a blocking machine of round costs, with a policy that shares. */
static Played *at_costs(const char *trace)
{
    static const char config[] =
        "machine = { clock = \"1GHz\"; cores = 2; core = { cpi = 1.0; window = 1; };\n"
        "  costs = { trap = 1000; allocate = 700; copy_page = 1150; fill_page = 0;\n"
        "    flush_local = 70; flush_remote = 300; flush_target = 90; }; };\n"
        "policies = ( { name = \"brute\"; pacing = \"trace\"; } );\n";
    return play_configured(trace, strlen(trace), config, NULL);
}

/* Equal pages of a and b are merged, and b stores to its one. */
static void test_break(void)
{
    g_autoptr(Played) played =
        at_costs(HEAD "grain page\nfill a 0x0 1 id:1\nfill b 0x0 1 id:1\nscan pass 1\n"
                      "begin b \"s\"\ntouch b 0x0 1\nend b \"s\"\n"
                      "begin b \"s\"\nrun b 100\nend b \"s\"\n");
    CU_ASSERT_PTR_NULL(played->error);
    CU_ASSERT_EQUAL(played_stat(played, "brute", "policy.broken"), 1);
    /* A trap, a frame, a copy, and the old translation is dropped. */
    expect_parts(played, "brute", (double[]){1000 + 700 + 1150, 70, 0, 0, 0, 0});
    CU_ASSERT_EQUAL(at_end(played, "brute", "span.s.mean_cycles"), (2850 + 70 + 100) / 2.0);
    CU_ASSERT_EQUAL(at_end(played, "brute", "span.s.break_cycles"), 2850 / 2.0);
    CU_ASSERT_EQUAL(at_end(played, "brute", "span.s.other_cycles"), 100 / 2.0);
    expect_parts(played, "none", (double[]){0, 0, 0, 0, 0, 100});
}

/* In the first span ksm merges two pages: it protects both and then replaces one, each time with an
 * invalidation that interrupts the core, for 500 cycles by the standard costs. */
static void test_shootdown(void)
{
    g_autoptr(Played) played =
        play("pagefold-trace 1\ncontext a process\nmap a 0x0 2 anon mergeable\n"
             "fill a 0x0 2 id:1\nbegin a \"s\"\nrun a 200000000\nrun a 1\nend a \"s\"\n"
             "begin a \"s\"\nrun a 200000001\nend a \"s\"\n",
             "policies = ( { name = \"ksm\"; } ); timing = \"costs\";", NULL);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "shootdown.interrupts"), 3);
    expect_parts(played, "ksm", (double[]){0, 3 * 500, 0, 0, 0, 200000001});
    CU_ASSERT_EQUAL(at_end(played, "ksm", "span.s.shootdown_cycles"), 3 * 500 / 2.0);
    expect_parts(played, "none", (double[]){0, 0, 0, 0, 0, 200000001});
}

static void test_stolen(void)
{
    g_autoptr(GString) trace = g_string_new(HEAD "grain page\nread a 0x0 1\nbegin a \"s\"\n");
    for (unsigned i = 0; i < 1000; i++)
        g_string_append(trace, "run a 100\n");
    g_string_append(trace, "end a \"s\"\n");
    g_autoptr(Played) played =
        play(trace->str,
             "policies = ( { name = \"clockwork\"; place = \"stolen\"; work = 500;"
             "  interval = \"50us\"; } );\n",
             NULL);
    double stolen = played_stat(played, "clockwork", "cycles.stolen");
    CU_ASSERT_TRUE(stolen >= 500);
    expect_parts(played, "clockwork", (double[]){0, 0, stolen, 0, 0, 100000});
    expect_parts(played, "none", (double[]){0, 0, 0, 0, 0, 100000});
}

static void test_memory(void)
{
    /* Two hits of the first level, of three cycles, for which this core waits. */
    g_autoptr(Played) played = play(HEAD "write a 0x0 8 0x1\nbegin a \"s\"\nread a 0x0 8\n"
                                         "run a 10\nread a 0x0 8\nend a \"s\"\n",
                                    "", NULL);
    expect_parts(played, "none", (double[]){0, 0, 0, 2 * 3, 0, 10});
}

static void test_idle(void)
{
    static const struct {
        const char *trace;
        double idle;
        double other;
    } cases[] = {
        {"begin a \"s\"\nidle a 1us\nrun a 10\nend a \"s\"\n", 1000, 10},
        {"begin a \"s\"\nrun a 10\nidle a 1us\nend a \"s\"\n", 1000, 10}, /* has not gone on yet */
        {"idle a 1us\nbegin a \"s\"\nrun a 10\nend a \"s\"\n", 0, 10},
        {"begin a \"s\"\nrun b 300\nrun a 10\nmark x\nend a \"s\"\n", 290, 10},
        /* c has the core from 0 to 4000; a might have gone on at 1000. */
        {"context c process core=0\nidle a 1us\nbegin a \"s\"\nrun c 4000\nrun a 10\n"
         "end a \"s\"\n",
         0, 3010},
        /* c has 400 of the 1000 that a waits: to the end 600 are left, and the core was busy. */
        {"context c process core=0\nbegin a \"s\"\nidle a 1us\nrun c 400\nrun a 10\nend a \"s\"\n",
         600, 410},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *trace = g_strconcat(HEAD, cases[i].trace, NULL);
        g_autoptr(Played) played = play(trace, "", NULL);
        CU_ASSERT_PTR_NULL(played->error);
        expect_parts(played, "none", (double[]){0, 0, 0, 0, cases[i].idle, cases[i].other});
    }
}

static void test_many_labels(void)
{
    enum { LABELS = 257 };
    g_autoptr(GString) trace = g_string_new(HEAD);
    for (unsigned i = 0; i < 2 * LABELS; i++)
        g_string_append_printf(trace, "begin a \"l%u\"\nrun a 1\nend a \"l%u\"\n", i % LABELS,
                               i % LABELS);
    g_autoptr(Played) played = play(trace->str, "", NULL);
    CU_ASSERT_EQUAL(at_end(played, "none", "span.l255.count"), 2);
    CU_ASSERT_EQUAL(at_end(played, "none", "span.l256.count"), -2);
    CU_ASSERT_EQUAL(played_stat(played, "none", "span.untold"), 2);
}

static void test_region(void)
{
    /* One ends before the region, one in it that has begun before, and one behind it. */
    static const char trace[] = HEAD
        "begin a \"s\"\nrun a 1\nend a \"s\"\nbegin a \"s\"\nrun a 20\nmark \"in\"\nrun a 300\n"
        "end a \"s\"\nmark \"out\"\nbegin a \"s\"\nrun a 4000\nend a \"s\"\n";
    g_autoptr(Played) played = play(trace, "roi = (\"mark:in\", \"mark:out\");\n", NULL);
    CU_ASSERT_PTR_NULL(played->error);
    CU_ASSERT_EQUAL(at_end(played, "none", "span.s.count"), 1);
    CU_ASSERT_EQUAL(at_end(played, "none", "span.s.mean_cycles"), 320);
    CU_ASSERT_EQUAL(played_stat(played, "none", "span.mean_cycles"), 320);
}

static const PfCheck checks[] = {
    {"a span ends the last one of its label and context, and one left open is none", test_nested},
    {"two contexts may have spans of one label at a time", test_two_contexts},
    {"the slowest are one in a hundred, 1 to 16", test_slowest},
    {"quantiles go up to the thousandth", test_quantiles},
    {"a break and the flush after it are told apart from work", test_break},
    {"an interrupt for another core's flush is told", test_shootdown},
    {"what a policy steals is told", test_stolen},
    {"waiting for memory is told", test_memory},
    {"idle time is what its core had nothing to do in", test_idle},
    {"the first 256 labels are told", test_many_labels},
    {"spans count if they end in the region of interest", test_region},
};

PF_CHECK_MAIN("spans", checks)
