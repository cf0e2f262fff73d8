/* Several nodes: where pages are put, what the way takes, and what must not depend on either. */
#include <string.h>

#include "check.h"
#include "play.h"
#include "rng.h"

/* Plays TRACE on a blocking machine of two cores, with a `numa` group NUMA and MACHINE added, under
 * POLICIES. A cycle is a clock of its DRAM: 625 ps. */
static Played *play_on(const char *trace, const char *numa, const char *machine,
                       const char *policies)
{
    g_autofree char *config = g_strconcat(
        "machine = { clock = \"1.6GHz\"; cores = 2; core = { cpi = 1.0; window = 1; };\n"
        "  caches = ( { name = \"l1\"; size = \"64KiB\"; ways = 16; latency = 3; } );\n"
        "  dram = { preset = \"DDR4-3200AA-8Gb-x8\"; refresh = \"none\"; };\n"
        "  numa = { ", numa, " }; ", machine,
        " };\npolicies = ( ", policies, " );\n", NULL);
    return play_configured(trace, strlen(trace), config, NULL);
}

static Played *play_none(const char *trace, const char *numa)
{
    return play_on(trace, numa, "", "{ name = \"none\"; }");
}

/* 1600 cycles. */
#define FAR "nodes = 2; remote_latency = \"1us\"; "

/* A context on core 0 reads each line of its page once, from node 0 or node 1. The first opens a
 * row of DRAM, or finds it opened by the walk before it. */
static char *one_reader(unsigned node)
{
    GString *trace = g_string_new("pagefold-trace 1\n");
    g_string_append_printf(trace, "context a process core=0 node=%u\nmap a 0x0 1 anon\n"
                                  "grain page\nstate a 0x0 1 id:1\ngrain access\n", node);
    for (unsigned line = 0; line < 64; line++)
        g_string_append_printf(trace, "read a 0x%x 8\n%s", line * 64,
                               line == 0 ? "mark \"first\"\n" : "");
    return g_string_free(trace, FALSE);
}

/* What 63 reads of rows that are open take, from node 0 or 1. */
static double cycles_from(const Played *played)
{
    return played_stat(played, "none", "time.cycles") -
           (double)played_mark_cycle(played, "none", 0);
}

static void test_latency(void)
{
    double cycles[2];
    for (unsigned node = 0; node < 2; node++) {
        g_autofree char *trace = one_reader(node);
        g_autoptr(Played) played = play_none(trace, FAR);
        cycles[node] = cycles_from(played);
        double walks = played_stat(played, "none", "numa.local_walker");
        CU_ASSERT_EQUAL(played_stat(played, "none", "numa.local"), node == 0 ? 64 : 0);
        CU_ASSERT_EQUAL(played_stat(played, "none", "numa.remote"), node == 1 ? 64 : 0);
        CU_ASSERT_EQUAL(walks, 4);
        CU_ASSERT_EQUAL(played_stat(played, "none", "numa.remote_walker"), 0);
        CU_ASSERT_EQUAL(played_stat(played, "none", "numa.lines_0_0"), node == 0 ? 64 + 4 : 4);
        CU_ASSERT_EQUAL(played_stat(played, "none", "numa.lines_0_1"), node == 1 ? 64 : 0);
        CU_ASSERT_EQUAL(played_stat(played, "none", "dram.reads"), 64 + 4);
        CU_ASSERT_EQUAL(played_stat(played, "none", "numa.link_wait_cycles"), 0);
    }
    CU_ASSERT_EQUAL(cycles[1] - cycles[0], 63 * 1600);
}

/* A local read of a closed row takes 3 cycles of cache, tRCD and CL of 22 clocks, and 4 for the
 * data: 51. At distance 31, 2.1 times that more: 107.1, so 108. */
static void test_distance(void)
{
    double cycles[2];
    for (unsigned node = 0; node < 2; node++) {
        g_autofree char *trace = one_reader(node);
        g_autoptr(Played) played =
            play_none(trace, "nodes = 2; distance = ((10, 31), (31, 10)); ");
        cycles[node] = cycles_from(played);
    }
    CU_ASSERT_EQUAL(cycles[1] - cycles[0], 63 * 108);
}

/* Two pages of the own node, then its neighbour's. The twelfth frame is the last. */
static void test_capacity(void)
{
#define PLACES "nodes = 3; cores = (2, 0, 0); memory = (\"8KiB\", \"24KiB\", \"16KiB\"); " \
               "distance = ((10, 30, 20), (30, 10, 20), (20, 20, 10)); "
    static const char head[] = "pagefold-trace 1\ncontext a process\nmap a 0x0 20 anon\n"
                               "grain page\n";
    static const struct {
        unsigned pages;
        const char *numa;
        double used[3];
        bool has_room;
    } rows[] = {
        {2, PLACES, {2, 0, 0}, true},
        {3, PLACES, {2, 0, 1}, true},
        {7, PLACES, {2, 1, 4}, true},
        {12, PLACES, {2, 6, 4}, true},
        {13, PLACES, {2, 6, 4}, false},
        {6, PLACES "placement = \"interleave\"; ", {2, 2, 2}, true},
        {9, PLACES "placement = \"interleave\"; ", {2, 3, 4}, true},
        {2, PLACES "placement = \"bind\"; ", {2, 0, 0}, true},
        {3, PLACES "placement = \"bind\"; ", {2, 0, 0}, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *trace =
            g_strdup_printf("%sfill a 0x0 %u id:1 step=1\n", head, rows[i].pages);
        g_autoptr(Played) played = play_none(trace, rows[i].numa);
        double sum = 0;
        for (unsigned node = 0; node < 3; node++) {
            g_autofree char *name = g_strdup_printf("numa.node%u_used_frames", node);
            CU_ASSERT_EQUAL(played_stat(played, "none", name), rows[i].used[node]);
            sum += rows[i].used[node];
        }
        CU_ASSERT_EQUAL(played_stat(played, "none", "memory.used_frames"), sum);
        CU_ASSERT_EQUAL(played->error == NULL, rows[i].has_room);
        if (played->error != NULL)
            CU_ASSERT_PTR_NOT_NULL(strstr(played->error->message, "no frame is free"));
    }
    /* A context is bound to far memory by its home. */
    static const char far[] = "pagefold-trace 1\ncontext a process node=1\nmap a 0x0 20 anon\n"
                              "grain page\nfill a 0x0 6 id:1 step=1\n";
    g_autoptr(Played) played = play_none(far, PLACES "placement = \"bind\"; ");
    CU_ASSERT_EQUAL(played_stat(played, "none", "numa.node1_used_frames"), 6);
#undef PLACES
}

static void test_mistakes(void)
{
    static const struct {
        const char *numa;
        const char *what;
    } rows[] = {
        {"nodes = 2; distance = ((10, 21), (21, 10), (21, 21)); ", "3 elements for 2 nodes"},
        {"nodes = 2; distance = ((10, 21), (21, 10, 30)); ", "needs 2 numbers"},
        {"nodes = 2; distance = ((10, 21), (21, 11)); ", "10 from itself"},
        {"nodes = 2; distance = ((10, 10), (21, 10)); ", "10 from itself"},
        {"nodes = 2; distance = ((10, 9), (21, 10)); ", "from 10 to 254"},
        {"nodes = 2; distance = ((10, 255), (21, 10)); ", "from 10 to 254"},
        {"nodes = 2; cores = (1, 2); ", "add up to 3"},
        {"nodes = 2; cores = (1); ", "1 elements for 2 nodes"},
        {"nodes = 2; cores = (1, \"x\"); ", "numa.cores"},
        {"nodes = 2; memory = (\"8KiB\", \"nothing\"); ", "numa.memory"},
        {"nodes = 2; memory = (\"8KiB\", 0); ", "no memory"},
        {"nodes = 2; placement = \"bind\"; migrate = \"access\"; ", "do not move"},
        {"nodes = 65; ", "numa.nodes"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Played) played = play_none("pagefold-trace 1\n", rows[i].numa);
        CU_ASSERT_PTR_NULL(played->simulation);
        CU_ASSERT_PTR_NOT_NULL_FATAL(played->error);
        bool told = strstr(played->error->message, rows[i].what) != NULL;
        if (!told)
            printf("# %s: %s\n", rows[i].numa, played->error->message);
        CU_ASSERT_TRUE(told);
    }
    g_autoptr(Played) sum = play_on("pagefold-trace 1\n",
                                    "nodes = 2; memory = (\"8KiB\", \"8KiB\"); ",
                                    "memory = \"12KiB\"; ", "{ name = \"none\"; }");
    CU_ASSERT_PTR_NOT_NULL_FATAL(sum->error);
    CU_ASSERT_PTR_NOT_NULL(strstr(sum->error->message, "16384 bytes, and machine.memory is 12288"));
}

/* Context a, whose page is on node 1, reads it from core 0 of node 0. After `migrate_after` lines
 * the page moves, and all others are local. */
static void test_migration(void)
{
    g_autofree char *trace = one_reader(1);
    g_autoptr(Played) still = play_none(trace, FAR);
    CU_ASSERT_EQUAL(played_stat(still, "none", "numa.migrations"), 0);
    g_autoptr(Played) moved = play_none(trace, FAR "migrate = \"access\"; migrate_after = 10; ");
    CU_ASSERT_EQUAL(played_stat(moved, "none", "numa.migrations"), 1);
    CU_ASSERT_EQUAL(played_stat(moved, "none", "numa.migrations_refused"), 0);
    /* 10 lines, and the 64 of the copy, which brings all into the cache: none is read again. */
    CU_ASSERT_EQUAL(played_stat(moved, "none", "numa.node0_used_frames"), 1);
    CU_ASSERT_EQUAL(played_stat(moved, "none", "numa.node1_used_frames"), 0);
    CU_ASSERT_EQUAL(played_stat(moved, "none", "numa.remote"), 64);
    CU_ASSERT_EQUAL(played_stat(moved, "none", "numa.local"), 0);
    CU_ASSERT_EQUAL(played_stat(moved, "none", "memory.used_frames"), 1);
    CU_ASSERT_TRUE(played_stat(moved, "none", "cycles.account.system") > 0);
    CU_ASSERT_EQUAL(played_stat(moved, "none", "cycles.account.shootdown") > 0, true);
    /* One more than there are lines: never. */
    g_autoptr(Played) short_of =
        play_none(trace, FAR "migrate = \"access\"; migrate_after = 65; ");
    CU_ASSERT_EQUAL(played_stat(short_of, "none", "numa.migrations"), 0);
    g_autoptr(Played) just = play_none(trace, FAR "migrate = \"access\"; migrate_after = 64; ");
    CU_ASSERT_EQUAL(played_stat(just, "none", "numa.migrations"), 1);
}

/* A page that two contexts share does not move, nor one for which its reader's node has no room. */
static void test_no_migration(void)
{
    g_autoptr(GString) trace = g_string_new(
        "pagefold-trace 1\ncontext a process core=0 node=1\nmap a 0x0 1 anon\ngrain page\n"
        "fill a 0x0 1 id:1\ncontext b process core=1 node=1\nmap b 0x0 1 anon\n"
        "fill b 0x0 1 id:1\nscan pass 1\ngrain access\n");
    g_autoptr(GString) full = g_string_new(
        "pagefold-trace 1\ncontext b process node=0\nmap b 0x0 1 anon\ngrain page\n"
        "fill b 0x0 1 id:2\ncontext a process core=0 node=1\nmap a 0x0 1 anon\n"
        "state a 0x0 1 id:1\ngrain access\n");
    for (unsigned line = 0; line < 64; line++) {
        g_string_append_printf(trace, "read a 0x%x 8\n", line * 64);
        g_string_append_printf(full, "read a 0x%x 8\n", line * 64);
    }
    g_autoptr(Played) shared =
        play_on(trace->str, FAR "migrate = \"access\"; migrate_after = 10; ", "",
                "{ name = \"brute\"; pacing = \"trace\"; }");
    CU_ASSERT_EQUAL(played_stat(shared, "brute", "memory.used_frames"), 1);
    CU_ASSERT_EQUAL(played_stat(shared, "brute", "numa.migrations"), 0);
    CU_ASSERT_EQUAL(played_stat(shared, "brute", "numa.node1_used_frames"), 1);
    g_autoptr(Played) no_room =
        play_none(full->str, FAR "memory = (\"4KiB\", \"8KiB\"); migrate = \"access\"; "
                                 "migrate_after = 10; ");
    CU_ASSERT_EQUAL(played_stat(no_room, "none", "numa.migrations"), 0);
    CU_ASSERT_EQUAL(played_stat(no_room, "none", "numa.migrations_refused"), 6);
    CU_ASSERT_EQUAL(played_stat(no_room, "none", "numa.remote"), 64);
}

/* The frame that a policy knew a page by is another page's after the move. That of context a is
 * moved from node 1; b then fills the frame that it left with other bytes, and c a page of its own
 * with a's, which is mapped to a's. */
static void test_moved_under_policy(void)
{
    g_autofree char *reads = one_reader(1);
    g_autoptr(GString) trace = g_string_new(reads);
    g_string_append(trace, "context b process core=1 node=1\nmap b 0x0 1 anon\n"
                           "fill b 0x0 1 id:2\nmark \"filled\"\n"
                           "context c process core=1 node=1\nmap c 0x0 1 anon\n"
                           "fill c 0x0 1 id:1\n");
    g_autoptr(Played) played = play_on(trace->str, FAR "migrate = \"access\"; migrate_after = 10; ",
                                       "", "{ name = \"collapse\"; }, { name = \"esx\"; }");
    CU_ASSERT_PTR_NULL_FATAL(played->error);
    CU_ASSERT_EQUAL(played_stat(played, "collapse", "numa.migrations"), 1);
    CU_ASSERT_EQUAL(played_mark_stat(played, "collapse", 1, "memory.saved_pages"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "collapse", "memory.saved_pages"), 1);
    CU_ASSERT_EQUAL(played_stat(played, "collapse", "numa.node0_used_frames"), 1);
    CU_ASSERT_EQUAL(played_stat(played, "collapse", "numa.node1_used_frames"), 1);
}

/* What the memory holds, and what a policy that goes by the trace makes of it, does not depend on
 * which frames pages get. */
static void test_allocators(void)
{
    static const char *const machines[] = {
        "", "allocator = \"color-preserving\"; ", "allocator = \"bin-hopping\"; ",
        "allocator = \"random\"; ", "allocator = \"node-interleaved\"; ",
        "allocator = \"random\"; color_by = \"both\"; ",
        "allocator = \"bin-hopping\"; color_by = \"banks\"; colors = 1; ",
    };
    static const char *const placements[] = {
        "nodes = 1; ", "nodes = 2; ", "nodes = 3; placement = \"interleave\"; ",
        "nodes = 2; migrate = \"access\"; migrate_after = 3; "};
    static const char *const names[] = {
        "memory.used_frames", "memory.baseline_frames", "memory.saved_pages",
        "memory.populated_pages", "memory.eligible_pages", "policy.shared", "policy.broken"};
    g_autoptr(GString) trace = g_string_new("pagefold-trace 1\n");
    for (unsigned i = 0; i < 3; i++)
        g_string_append_printf(trace, "context c%u process\nmap c%u 0x0 40 anon mergeable\n"
                                      "grain page\nfill c%u 0x0 30 id:%u\ngrain access\n",
                               i, i, i, 1 + i / 2);
    for (unsigned i = 0; i < 60; i++)
        g_string_append_printf(trace, "write c%u 0x%x 8 0x%x\nread c%u 0x%x 8\n%s", i % 3,
                               i * 37 % 40 * 4096 + i * 64, i % 5, (i + 1) % 3,
                               i * 11 % 40 * 4096 + i * 128, i % 20 == 19 ? "scan pass 2\n" : "");
    double expected[2][G_N_ELEMENTS(names)] = {{0}};
    static const char *const labels[] = {"brute", "ksm"};
    for (unsigned m = 0; m < G_N_ELEMENTS(machines); m++)
        for (unsigned p = 0; p < G_N_ELEMENTS(placements); p++) {
            g_autoptr(Played) played =
                play_on(trace->str, placements[p], machines[m],
                        "{ name = \"brute\"; pacing = \"trace\"; }, "
                        "{ name = \"ksm\"; pacing = \"trace\"; }");
            if (played->error != NULL)
                printf("# %s\n", played->error->message);
            CU_ASSERT_PTR_NULL(played->error);
            for (unsigned l = 0; l < 2; l++)
                for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
                    double value = played_stat(played, labels[l], names[i]);
                    if (m == 0 && p == 0)
                        expected[l][i] = value;
                    if (value != expected[l][i])
                        printf("# %s %s %s: %s\n", machines[m], placements[p], labels[l],
                               names[i]);
                    CU_ASSERT_EQUAL(value, expected[l][i]);
                }
        }
    CU_ASSERT_TRUE(expected[0][5] > 0 && expected[1][5] > 0 && expected[0][6] > 0);
}

/* Of one core, a chase of 4000 lines of 32 MiB on its own node and one on the other. The machine
 * is that of preset ddr4-2socket: 45 cycles of 2.6 GHz, 17.3 ns, of caches come before what is
 * told. */
static void test_two_sockets(void)
{
    g_autoptr(GString) trace = g_string_new("pagefold-trace 1\n");
    for (unsigned node = 0; node < 2; node++)
        g_string_append_printf(trace,
                               "context c%u process core=0 node=%u\nmap c%u 0x0 8192 anon\n"
                               "grain page\nstate c%u 0x0 8192 id:1 step=1\n",
                               node, node, node, node);
    g_string_append(trace, "grain access\n");
    PfRng rng = pf_rng_derive(1, "chase");
    for (unsigned i = 0; i < 8000; i++)
        g_string_append_printf(trace, "read c%u 0x%x 8 dep\n", i / 4000,
                               (unsigned)pf_rng_below(&rng, 8192 * 64) * 64);
    static const char config[] = "machine = { cores = 8; numa = { nodes = 2; remote_latency = "
                                 "\"64ns\"; link_bandwidth = \"20.8GB/s\"; }; };"
                                 "policies = ( { name = \"none\"; } );";
    g_autoptr(Played) played = play_configured(trace->str, trace->len, config, NULL);
    double caches = 45 / 2.6;
    double local = played_stat(played, "none", "numa.local_read_mean_ns") + caches;
    double remote = played_stat(played, "none", "numa.remote_read_mean_ns") + caches;
    /* The documents have whole nanoseconds. */
    CU_ASSERT_DOUBLE_EQUAL(local, 64, 1);
    CU_ASSERT_DOUBLE_EQUAL(remote, 129, 1);
    CU_ASSERT_DOUBLE_EQUAL(remote - local, 64, 1);
}

/* With one node there is nothing between: nothing is counted. */
static void test_one_node(void)
{
    g_autofree char *trace = one_reader(0);
    g_autoptr(Played) one = play_none(trace, "remote_latency = \"1us\"; ");
    g_autoptr(Played) two = play_none(trace, FAR);
    CU_ASSERT_EQUAL(played_stat(one, "none", "numa.local"), 0);
    CU_ASSERT_EQUAL(played_stat(one, "none", "time.cycles"),
                    played_stat(two, "none", "time.cycles"));
    CU_ASSERT_EQUAL(played_mark_stat(one, "none", 0, "context.a.numa_local"), -1);
    CU_ASSERT_EQUAL(played_mark_stat(two, "none", 0, "context.a.numa_local"), 1 + 4);
    CU_ASSERT_EQUAL(played_mark_stat(two, "none", 0, "context.a.numa_remote"), 0);
}

static const PfCheck checks[] = {
    {"a read of another node takes what a local one does and the way", test_latency},
    {"without another word latencies are as distances", test_distance},
    {"a node has its frames and no more, and the nearest with room stands in", test_capacity},
    {"nodes that cannot be are refused", test_mistakes},
    {"a page moves after so many reads from another node, at a cost", test_migration},
    {"a page that is shared, or that there is no room for, does not move", test_no_migration},
    {"a policy is told of a page that moves", test_moved_under_policy},
    {"whatever frames pages get, memory holds the same", test_allocators},
    {"the way of another socket comes on top of an idle local read", test_two_sockets},
    {"one node has no interconnect", test_one_node},
};

PF_CHECK_MAIN("engine-numa", checks)
