/* What the engine makes of TLBs, walks and shadow page tables. */
#include "check.h"

#include "play.h"

#include <string.h>

#define HEAD "pagefold-trace 1\n"

/* TRACE on cores of 224 instructions with SETTINGS for the rest of the machine, and REST. */
static Played *on_with(const char *trace, const char *settings, const char *rest)
{
    g_autofree char *config = g_strconcat(
        "machine = { clock = \"1GHz\"; cores = 2; core = { cpi = 1.0; };\n"
        "  caches = ( { name = \"l1\"; size = \"64KiB\"; ways = 16; latency = 3; } );\n",
        settings, "};\n", rest, NULL);
    return play_configured(trace, strlen(trace), config, NULL);
}

static Played *on(const char *trace, const char *settings)
{
    return on_with(trace, settings, "");
}

static double stat(const Played *played, const char *name)
{
    return played_stat(played, "none", name);
}

#define NO_WALK_CACHES                                                                             \
    "walk = { cache = { l2_entries = 0; l3_entries = 0; l4_entries = 0; nested_entries = 0; }; };\n"

/* A virtual machine and a process store to two pages each and unmap them, at costs of round
 * numbers. */
static Played *paged(const char *paging)
{
    static const char trace[] = HEAD "context v vm\ncontext p process core=1\n"
                                     "map v 0x0 4 anon\nmap p 0x0 4 anon\n"
                                     "write v 0x0 8 0x1\nwrite v 0x1000 8 0x1\n"
                                     "write p 0x0 8 0x1\nwrite p 0x1000 8 0x1\n"
                                     "unmap v 0x0 4\nunmap p 0x0 4\n";
    g_autofree char *settings =
        g_strdup_printf("paging = \"%s\"; costs = { unmap_page = 100; shadow = 10000; };\n"
                        NO_WALK_CACHES, paging);
    return on(trace, settings);
}

static void test_paging(void)
{
    g_autoptr(Played) native = paged("native");
    g_autoptr(Played) nested = paged("nested");
    g_autoptr(Played) shadow = paged("shadow");
    CU_ASSERT_EQUAL(stat(native, "walk.references"), 4 * 4);
    CU_ASSERT_EQUAL(stat(nested, "walk.references"), 2 * 24 + 2 * 4);
    CU_ASSERT_EQUAL(stat(shadow, "walk.references"), 4 * 4);
    /* Two first touches and two unmapped pages of the virtual machine. */
    CU_ASSERT_EQUAL(stat(shadow, "walk.shadow_changes"), 4);
    CU_ASSERT_EQUAL(stat(native, "walk.shadow_changes") + stat(nested, "walk.shadow_changes"), 0);
    CU_ASSERT_EQUAL(stat(native, "cycles.account.system"), 4 * 100);
    CU_ASSERT_EQUAL(stat(shadow, "cycles.account.system"), 4 * 100 + 2 * 10000);
    /* The walks of the two take the same time, so that is all the difference. */
    CU_ASSERT_EQUAL(stat(shadow, "cycles.app"), stat(native, "cycles.app") + 4 * 10000);
}

/* Loads from eight pages; DEP is " dep" or nothing. */
static Played *loads(const char *dep, const char *settings)
{
    g_autoptr(GString) trace = g_string_new(HEAD "context p process\nmap p 0x0 5000 anon\n");
    g_string_append(trace, "state p 0x0 5000 id:1 step=1\n");
    for (unsigned i = 0; i < 8; i++)
        g_string_append_printf(trace, "read p 0x%x 8%s\n", i * 600 * 4096, dep);
    return on(trace->str, settings);
}

static void test_overlap(void)
{
    g_autoptr(Played) chase = loads(" dep", "walk = { walkers = 0; };\n");
    g_autoptr(Played) free = loads("", "walk = { walkers = 0; };\n");
    g_autoptr(Played) two = loads("", "walk = { walkers = 2; };\n");
    g_autoptr(Played) one = loads("", "walk = { walkers = 1; };\n");
    /* Dependent loads wait for walk and data, one after the other. */
    CU_ASSERT_EQUAL(stat(chase, "cycles.account.walk"),
                    7 * 8 + stat(chase, "walk.cycles_mean") * 8);
    CU_ASSERT_EQUAL(stat(chase, "walk.wait_cycles"), 0);
    CU_ASSERT_TRUE(stat(chase, "cycles.app") > stat(one, "cycles.app"));
    /* Others overlap, as far as there are walkers. */
    CU_ASSERT_EQUAL(stat(free, "walk.wait_cycles"), 0);
    CU_ASSERT_TRUE(stat(one, "walk.wait_cycles") > stat(two, "walk.wait_cycles"));
    CU_ASSERT_TRUE(stat(one, "cycles.app") > stat(two, "cycles.app"));
    CU_ASSERT_TRUE(stat(two, "cycles.app") > stat(free, "cycles.app"));
    CU_ASSERT_EQUAL(stat(one, "walk.references"), stat(chase, "walk.references"));
}

static void test_tags(void)
{
    g_autoptr(GString) trace = g_string_new(HEAD "context a process core=0\n"
                                                 "context b process core=0\n"
                                                 "context c process core=0\n"
                                                 "context d process core=1\n"
                                                 "map a 0x0 1 anon\nmap b 0x0 1 anon\n"
                                                 "map c 0x0 1 anon\nmap d 0x0 1 anon\n");
    for (unsigned i = 0; i < 3; i++)
        g_string_append(trace, "read a 0x0 8\nread b 0x0 8\nread c 0x0 8\nread d 0x0 8\n");
    g_autoptr(Played) many = on(trace->str, "tlb = { tags = 3; };\n");
    g_autoptr(Played) few = on(trace->str, "tlb = { tags = 2; };\n");
    CU_ASSERT_EQUAL(stat(many, "tlb.switch_flushes"), 0);
    CU_ASSERT_EQUAL(stat(many, "walk.walks"), 4);
    /* Three spaces in turn on two tags: each comes back to nothing. `map` runs them once before. */
    CU_ASSERT_EQUAL(stat(few, "walk.walks"), 3 * 3 + 1);
    CU_ASSERT_EQUAL(stat(few, "tlb.switch_flushes"), 1 + 3 * 3);
}

/* `map` of another context takes the only tag of the core between two stores of a. The policy then
 * protects a's page, and its next store must not find a translation from before. */
static void test_turn(void)
{
    static const char trace[] = HEAD "context a process core=0\ncontext b process core=0\n"
                                     "map a 0x0 1 anon\nmap b 0x0 1 anon\n"
                                     "write b 0x0 8 5\nwrite a 0x0 8 5\nmap b 0x1000 1 anon\n"
                                     "write a 0x0 8 5\nscan pass 2\nwrite a 0x0 8 9\n";
    g_autoptr(Played) played =
        on_with(trace, "tlb = { tags = 1; };\n",
                "policies = ( { name = \"brute\"; pacing = \"trace\"; } );\n");
    CU_ASSERT_PTR_NULL(played->error);
    CU_ASSERT_EQUAL(played_stat(played, "brute", "policy.shared"), 1);
    CU_ASSERT_EQUAL(played_stat(played, "brute", "policy.broken"), 1);
}

static const PfCheck checks[] = {
    {"shadow page tables are walked like native ones and cost at each change", test_paging},
    {"walks of independent loads overlap up to the number of walkers", test_overlap},
    {"spaces beyond the tags of a core are forgotten", test_tags},
    {"a core that ran another space for a `map` only is told of changes still", test_turn},
};

PF_CHECK_MAIN("translation", checks)
