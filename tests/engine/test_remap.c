/* Sharing by the memory controller: what it costs, and what nobody notices. */
#include "check.h"

#include "play.h"

#include <string.h>

#define HEAD "pagefold-trace 1\ncontext a process core=0\ncontext b process core=1\n"

/* The same policy, sharing by page tables and by the controller, from a core and from an engine, on
 * a blocking machine of 1 GHz with MACHINE added. */
static Played *both(const char *trace, const char *machine)
{
    g_autofree char *config = g_strconcat(
        "machine = { clock = \"1GHz\"; cores = 2; core = { cpi = 1.0; window = 1; };\n"
        "  caches = ( { name = \"l1\"; serves = \"all\"; size = \"64KiB\"; ways = 16;\n"
        "    latency = 3; } );\n",
        machine,
        "};\npolicies = ( { name = \"brute\"; label = \"pte\"; pacing = \"trace\"; },\n"
        "  { name = \"brute\"; label = \"table\"; pacing = \"trace\"; remap = \"controller\"; },\n"
        "  { name = \"brute\"; label = \"engine\"; pacing = \"trace\"; remap = \"controller\";\n"
        "    place = \"controller\"; } );\n",
        NULL);
    return play_configured(trace, strlen(trace), config, NULL);
}

/* Cores 0 and 1 hold translations of the pages that are merged. */
static void test_merge(void)
{
    static const char trace[] = HEAD "map a 0x0 2 anon\nmap b 0x0 2 anon\n"
                                     "write a 0x0 8 0x1\nwrite b 0x0 8 0x1\n"
                                     "scan pass 1\nread a 0x0 8\nread b 0x0 8\n";
    g_autoptr(Played) played = both(trace, "");
    double none = played_stat(played, "none", "cycles.account.shootdown");
    CU_ASSERT_EQUAL(played_stat(played, "pte", "policy.shared"), 1);
    CU_ASSERT_TRUE(played_stat(played, "pte", "cycles.account.shootdown") > none);
    double misses = played_stat(played, "none", "tlb.l1d.misses");
    CU_ASSERT_TRUE(played_stat(played, "pte", "tlb.l1d.misses") > misses);
    static const char *const labels[] = {"table", "engine"};
    for (unsigned i = 0; i < G_N_ELEMENTS(labels); i++) {
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "policy.shared"), 1);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "memory.used_frames"), 1);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "cycles.account.shootdown"), none);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "tlb.l1d.misses"), misses);
        /* Two first touches and the merge. */
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "remap.updates"), 3);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "remap.copies"), 0);
    }
    CU_ASSERT_EQUAL(played_stat(played, "engine", "cycles.engine"),
                    played_stat(played, "engine", "cycles.policy"));
}

/* The zero page has no page on the bus; a read of it that hits in the last level is one of a shared
 * frame, if two pages map it. */
static void test_zero_page(void)
{
    static const char trace[] = HEAD "map a 0x0 2 anon\nread a 0x0 8\nread a 0x0 8\n"
                                     "mark \"one\"\nread a 0x1000 8\nread a 0x1008 8\n";
    g_autoptr(Played) played = both(trace, "");
    CU_ASSERT_PTR_NULL(played->error);
    static const char *const labels[] = {"pte", "table", "engine"};
    for (unsigned i = 0; i < G_N_ELEMENTS(labels); i++)
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "cache.l1.hits_on_shared_frames"), 2);
}

/* By costs: what a store to a shared page takes, with and without a trap. */
static void test_break(void)
{
    static const char trace[] = HEAD "grain page\nmap a 0x0 2 anon\nmap b 0x0 2 anon\n"
                                     "fill a 0x0 1 id:1\nfill b 0x0 1 id:1\n"
                                     "scan pass 1\ntouch b 0x0 1\ntouch a 0x0 1\n";
    g_autoptr(Played) played =
        both(trace, "costs = { trap = 1000; allocate = 700; copy_page = 1150; line = 317;"
                    "  flush_local = 250; };\n");
    /* A copy, and then a re-use by the last one. */
    CU_ASSERT_EQUAL(played_stat(played, "pte", "cycles.account.break"),
                    1000 + 700 + 1150 + 1000);
    static const char *const labels[] = {"table", "engine"};
    for (unsigned i = 0; i < G_N_ELEMENTS(labels); i++) {
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "policy.broken"), 1);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "remap.copies"), 1);
        /* Each changes an entry, a line of the table; the copy is the controller's. */
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "cycles.account.break"), 317 + 1150 + 317);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "cycles.account.shootdown"),
                        played_stat(played, "none", "cycles.account.shootdown"));
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "memory.used_frames"), 2);
    }
}

/* Translations outlive merges: a store through one that says "writable" must not reach the others.
 * The machine verifies each page. */
static void test_stale_translation(void)
{
    static const char trace[] = HEAD "map a 0x0 2 anon\nmap b 0x0 2 anon\n"
                                     "write a 0x0 8 0x1\nwrite b 0x0 8 0x1\n"
                                     "scan pass 1\nmark \"shared\"\n"
                                     "write b 0x40 8 0x2\nread a 0x40 8\nread b 0x40 8\n";
    g_autoptr(Played) played = both(trace, "");
    static const char *const labels[] = {"table", "engine"};
    for (unsigned i = 0; i < G_N_ELEMENTS(labels); i++) {
        CU_ASSERT_EQUAL(played_mark_stat(played, labels[i], 0, "memory.used_frames"), 1);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "memory.used_frames"), 2);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "remap.copies"), 1);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "tlb.l1d.misses"),
                        played_stat(played, "none", "tlb.l1d.misses"));
        /* The copy of 4096 bytes goes past the caches. */
        CU_ASSERT_TRUE(played_stat(played, labels[i], "controller.reads") >= 64);
        CU_ASSERT_TRUE(played_stat(played, labels[i], "controller.writes") >= 64);
    }
    CU_ASSERT_EQUAL(pf_simulation_differences(played->simulation), 0);
}

/* A page whose frame the controller has freed is mapped all the time: no access traps. */
static void test_given_back(void)
{
    static const char trace[] = HEAD "grain page\nmap a 0x0 2 anon\nfill a 0x0 2 zero\n"
                                     "scan pass 1\nmark \"given\"\n"
                                     "read a 0x0 8\ntouch a 0x1000 1\n";
    g_autoptr(Played) played = play_configured(
        trace, strlen(trace),
        "machine = { costs = { trap = 1000; allocate = 700; fill_page = 900; line = 317; }; };\n"
        "policies = ( { name = \"zero-compress\"; pacing = \"trace\"; label = \"pte\"; },\n"
        "  { name = \"zero-compress\"; pacing = \"trace\"; label = \"table\";\n"
        "    remap = \"controller\"; } );\n",
        NULL);
    double none = played_stat(played, "none", "cycles.account.fault");
    /* None of the two had a frame: each has one made and filled, by a trap or by an entry. */
    CU_ASSERT_EQUAL(played_stat(played, "pte", "cycles.account.fault"),
                    none + 2 * (1000 + 700 + 900));
    CU_ASSERT_EQUAL(played_mark_stat(played, "table", 0, "memory.used_frames"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "table", "memory.used_frames"), 2);
    CU_ASSERT_EQUAL(played_stat(played, "table", "remap.copies"), 2);
    /* The first touches look two pages up, both for the first time. */
    double lookups = 2 * (4 + 317);
    CU_ASSERT_EQUAL(played_stat(played, "table", "cycles.account.fault"),
                    none + lookups + 2 * (317 + 900));
}

/* By costs a core's work on a page looks it up once: a miss, then hits. */
static void test_costs(void)
{
    static const char trace[] = HEAD "grain page\nmap a 0x0 2 anon\nfill a 0x0 1 id:1\n"
                                     "fill a 0x0 1 id:2\n";
    g_autoptr(Played) played =
        both(trace, "costs = { line = 317; };\nremap = { latency = 9; };\n");
    double none = played_stat(played, "none", "cycles.app");
    /* The first touch fills the page with zeros, then each record fills it. */
    CU_ASSERT_EQUAL(played_stat(played, "table", "remap.lookups"), 3);
    CU_ASSERT_EQUAL(played_stat(played, "table", "remap.misses"), 1);
    CU_ASSERT_EQUAL(played_stat(played, "table", "cycles.app"), none + 3 * 9 + 317);
    CU_ASSERT_EQUAL(played_stat(played, "pte", "cycles.app"), none);
    CU_ASSERT_EQUAL(played_stat(played, "pte", "remap.lookups"), 0);
}

/* Every access that caches send to the controller is looked up, shared or not. */
static void test_lookups(void)
{
    g_autoptr(GString) trace = g_string_new(HEAD "map a 0x0 64 anon\nmap b 0x0 64 anon\n");
    for (unsigned i = 0; i < 64; i++)
        g_string_append_printf(trace, "write a 0x%x 8 0x%x\nread b 0x%x 8\n", i * 4160, i,
                               (i * 7 % 64) * 4096);
    g_string_append(trace, "write b 0x0 8 0x0\nmark \"end\"\n");
    g_autoptr(Played) played =
        both(trace->str, "remap = { cache_entries = 8; ways = 2; };\n");
    double lookups = played_stat(played, "table", "remap.lookups");
    double misses = played_stat(played, "table", "remap.misses");
    double none = played_stat(played, "none", "dram.reads") +
                  played_stat(played, "none", "dram.writes");
    CU_ASSERT_TRUE(lookups > misses && misses > 8); /* more than the table's cache holds */
    CU_ASSERT_EQUAL(lookups, none);
    CU_ASSERT_EQUAL(played_stat(played, "table", "dram.reads") +
                        played_stat(played, "table", "dram.writes"),
                    none + misses);
    CU_ASSERT_EQUAL(played_stat(played, "table", "remap.hits"), lookups - misses);
    CU_ASSERT_TRUE(played_stat(played, "table", "cycles.app") >
                   played_stat(played, "none", "cycles.app"));
}

static void test_storage(void)
{
    static const char trace[] = HEAD "map a 0x0 2 anon\nwrite a 0x0 8 0x1\n";
    static const struct {
        const char *settings;
        double bytes;
    } rows[] = {
        {"memory = \"1MiB\";\n", 256 * 32 / 8}, /* an entry a frame */
        {"memory = \"1MiB\"; remap = { entry_bits = 33; };\n", 256 * 33 / 8},
        {"remap = { pages = 7; entry_bits = 5; };\n", 5}, /* 35 bits */
        {"", 4}, /* the trace touches one page */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Played) played = both(trace, rows[i].settings);
        double pte = played_stat(played, "pte", "memory.metadata_bytes");
        CU_ASSERT_EQUAL(played_stat(played, "table", "remap.table_bytes"), rows[i].bytes);
        CU_ASSERT_EQUAL(played_stat(played, "table", "memory.metadata_bytes"),
                        pte + rows[i].bytes);
        CU_ASSERT_EQUAL(played_stat(played, "pte", "remap.table_bytes"), 0);
    }
}

static const PfCheck checks[] = {
    {"reads of the zero page count as those of any frame that is shared", test_zero_page},
    {"a merge by the controller invalidates no translation, of no core", test_merge},
    {"a store to what the controller shares costs an entry and a copy, no trap", test_break},
    {"a translation older than a merge leads to the page's own frame", test_stale_translation},
    {"a page whose frame was given back gets one without a trap", test_given_back},
    {"by costs a core's work on a page looks it up once", test_costs},
    {"every access that reaches the controller is looked up, and misses read DRAM", test_lookups},
    {"the table takes its bits for each frame and counts as metadata", test_storage},
};

PF_CHECK_MAIN("engine-remap", checks)
