/* Energy of a run: accounts by hand from what happened, their sum, and what is not known. */
#include <string.h>

#include "check.h"
#include "play.h"

#define PJ 1e-12

/* Two cores with a level of cache each and one behind both. Every part has figures; DRAM's preset
 * has its own. */
static const char figures[] =
    "machine = { clock = \"1GHz\"; cores = 2;\n"
    "  core = { cpi = 1.0; window = 1; instruction_pJ = 10.0; leakage_mW = 100.0; };\n"
    "  tlb = { l1 = { lookup_pJ = 0.5; }; l1i = { leakage_mW = 1.0; };\n"
    "          l1d = { leakage_mW = 2.0; };\n"
    "          l2 = { lookup_pJ = 4.0; leakage_mW = 4.0; }; };\n"
    "  caches = ( { name = \"l1\"; size = \"64KiB\"; ways = 16; latency = 3;\n"
    "               read_pJ = 20.0; write_pJ = 30.0; leakage_mW = 5.0; },\n"
    "             { name = \"l2\"; size = \"1MiB\"; ways = 16; latency = 9; shared = true;\n"
    "               read_pJ = 200.0; write_pJ = 300.0; leakage_mW = 50.0; } );\n"
    "  numa = { link_bit_pJ = 8.0; };\n"
    "  dram = { preset = \"DDR4-3200AA-8Gb-x8\"; }; };\n";

/* A context of one page on core 0: three fetches of one line, two reads and four stores of others,
 * 100 instructions. What they bring in is not dirty before. */
#define WORK                                                                                       \
    "fetch a 0x0 4\nfetch a 0x0 4\nfetch a 0x0 4\nread a 0x40 8\nread a 0x40 8\n"                  \
    "write a 0x80 8 1\nwrite a 0x80 8 2\nwrite a 0x80 8 3\nwrite a 0x80 8 4\nrun a 100\n"
#define HEAD                                                                                       \
    "pagefold-trace 1\ncontext a process core=0\nmap a 0x0 1 anon\ngrain page\n"                   \
    "state a 0x0 1 id:1\ngrain access\n"

/* Plays TRACE with TOP and, for OLD in the configuration, NEW. */
static Played *play_with(const char *trace, const char *top, const char *old, const char *new)
{
    GString *config = g_string_new(figures);
    guint found = g_string_replace(config, old, new, 1);
    CU_ASSERT(found == 1 || *old == '\0');
    g_string_append(config, top);
    Played *played = play_configured(trace, strlen(trace), config->str, NULL);
    g_string_free(config, TRUE);
    CU_ASSERT_PTR_NULL(played->error);
    return played;
}

static double stat(const Played *played, const char *name)
{
    return played_stat(played, "none", name);
}

static double account(const Played *played, const char *name)
{
    g_autofree char *full = g_strconcat("energy.account.", name, NULL);
    return stat(played, full);
}

static void is_near(double value, double expected)
{
    if (!(value > expected - 1e-9 * expected && value < expected + 1e-9 * expected))
        printf("# %.17g instead of %.17g\n", value, expected);
    CU_ASSERT_DOUBLE_EQUAL(value, expected, 1e-9 * expected);
}

static void test_by_hand(void)
{
    g_autoptr(Played) played = play_with(HEAD WORK, "", "", "");
    double seconds = stat(played, "time.cycles") * 1e-9;
    /* `run` counts the instructions; what they fetch, read and store is told besides. */
    is_near(account(played, "cores.dynamic_J"), 100 * 10 * PJ);
    is_near(account(played, "cores.leakage_J"), 2 * 100e-3 * seconds);
    /* One walk, of the first fetch, reads entries of four levels; the first read finds its result
     * in the second level of TLB. These four lines, code and two lines of data miss both caches. */
    is_near(account(played, "caches.dynamic_J"),
            ((3 + 2 + 4) * 20 + 4 * 30 + (4 + 1 + 2) * 200) * PJ);
    is_near(account(played, "caches.leakage_J"), (2 * 5e-3 + 50e-3) * seconds);
    /* A lookup for each access in a first level, and for a miss of either in the second. */
    is_near(account(played, "tlbs.dynamic_J"), ((3 + 2 + 4) * 0.5 + 2 * 4) * PJ);
    is_near(account(played, "tlbs.leakage_J"), 2 * (1e-3 + 2e-3 + 4e-3) * seconds);
    CU_ASSERT_EQUAL(account(played, "interconnect_J"), 0);
    CU_ASSERT_EQUAL(account(played, "cam.dynamic_J"), 0);
    CU_ASSERT_EQUAL(account(played, "cam.leakage_J"), 0);
    CU_ASSERT_EQUAL(account(played, "hash_engine.dynamic_J"), 0);
    CU_ASSERT_EQUAL(account(played, "hash_engine.leakage_J"), 0);
}

typedef struct {
    double sum;
    unsigned known;
    unsigned unknown;
} Sum;

static void add_account(const PfStatInfo *info, PfStatValue value, void *user)
{
    Sum *sum = user;
    if (!g_str_has_prefix(info->name, "energy.account."))
        return;
    sum->known += value.kind == PF_STAT_DOUBLE;
    sum->unknown += value.kind == PF_STAT_NULL;
    sum->sum += value.kind == PF_STAT_DOUBLE ? value.d : 0;
}

static Sum sum_of(const Played *played, const char *label)
{
    Sum sum = {0};
    pf_stats_visit(pf_run_stats(played_run(played, label)), add_account, &sum);
    return sum;
}

static void test_sum(void)
{
    static const char ksm[] = "policies = ({ name = \"ksm\"; pacing = \"trace\"; });\n";
    static const char scanned[] = HEAD WORK "advise a 0x0 1 mergeable\n" WORK "scan 2\n";
    g_autoptr(Played) played = play_with(scanned, ksm, "", "");
    static const char *const labels[] = {"none", "ksm"};
    for (unsigned i = 0; i < G_N_ELEMENTS(labels); i++) {
        Sum sum = sum_of(played, labels[i]);
        CU_ASSERT_EQUAL(sum.unknown, 0);
        CU_ASSERT(sum.known > 10);
        CU_ASSERT_EQUAL(played_stat(played, labels[i], "energy.total_J"), sum.sum);
    }
    /* The policy's own core leaks, too, and has a cache. */
    double seconds = played_stat(played, "ksm", "time.cycles") * 1e-9;
    is_near(played_stat(played, "ksm", "energy.account.cores.leakage_J"), 3 * 100e-3 * seconds);
    is_near(played_stat(played, "ksm", "energy.account.caches.leakage_J"),
            (3 * 5e-3 + 50e-3) * seconds);
}

static void test_unknown(void)
{
    static const struct {
        const char *figure;
        const char *account;
        const char *other;
    } rows[] = {
        {"instruction_pJ = 10.0;", "cores.dynamic_J", "cores.leakage_J"},
        {"leakage_mW = 100.0;", "cores.leakage_J", "cores.dynamic_J"},
        {"lookup_pJ = 0.5;", "tlbs.dynamic_J", "tlbs.leakage_J"},
        {"lookup_pJ = 4.0;", "tlbs.dynamic_J", "tlbs.leakage_J"},
        {"leakage_mW = 1.0;", "tlbs.leakage_J", "tlbs.dynamic_J"},
        {"leakage_mW = 2.0;", "tlbs.leakage_J", "tlbs.dynamic_J"},
        {"leakage_mW = 4.0;", "tlbs.leakage_J", "tlbs.dynamic_J"},
        {"read_pJ = 20.0;", "caches.dynamic_J", "caches.leakage_J"},
        {"write_pJ = 30.0;", "caches.dynamic_J", "caches.leakage_J"},
        {"leakage_mW = 5.0;", "caches.leakage_J", "caches.dynamic_J"},
        {"read_pJ = 200.0;", "caches.dynamic_J", "caches.leakage_J"},
        {"leakage_mW = 50.0;", "caches.leakage_J", "caches.dynamic_J"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Played) played = play_with(HEAD WORK, "", rows[i].figure, "");
        if (account(played, rows[i].account) != -1)
            printf("# without %s\n", rows[i].figure);
        CU_ASSERT_EQUAL(account(played, rows[i].account), -1); /* null */
        CU_ASSERT(account(played, rows[i].other) > 0);
        CU_ASSERT_EQUAL(sum_of(played, "none").unknown, 1);
        CU_ASSERT_EQUAL(stat(played, "energy.total_J"), -1);
    }
    /* Nothing is written to the second cache, and nothing goes over a link. */
    g_autoptr(Played) writes = play_with(HEAD WORK, "", "write_pJ = 300.0;", "");
    CU_ASSERT(stat(writes, "energy.total_J") > 0);
    g_autoptr(Played) link = play_with(HEAD WORK, "", "link_bit_pJ = 8.0;", "");
    CU_ASSERT(stat(link, "energy.total_J") > 0);
}

static void test_region(void)
{
    /* The second time all is held: no walk, no miss. What comes after does not count. */
    g_autoptr(Played) played =
        play_with(HEAD WORK "mark one\n" WORK "mark two\n" WORK,
                  "roi = (\"mark:one\", \"mark:two\");\n", "", "");
    double seconds = (double)(played_mark_cycle(played, "none", 1) -
                              played_mark_cycle(played, "none", 0)) * 1e-9;
    CU_ASSERT(seconds > 0);
    is_near(account(played, "cores.dynamic_J"), 100 * 10 * PJ);
    is_near(account(played, "caches.dynamic_J"), ((3 + 2) * 20 + 4 * 30) * PJ);
    is_near(account(played, "tlbs.dynamic_J"), (3 + 2 + 4) * 0.5 * PJ);
    is_near(account(played, "cores.leakage_J"), 2 * 100e-3 * seconds);
    is_near(account(played, "caches.leakage_J"), (2 * 5e-3 + 50e-3) * seconds);
    is_near(account(played, "tlbs.leakage_J"), 2 * (1e-3 + 2e-3 + 4e-3) * seconds);
    CU_ASSERT_EQUAL(stat(played, "energy.total_J"), sum_of(played, "none").sum);
}

static void test_link(void)
{
    /* Core 0 reads 64 lines of a page of node 1, 512 bits each. */
    GString *trace = g_string_new("pagefold-trace 1\ncontext a process core=0 node=1\n"
                                  "map a 0x0 1 anon\ngrain page\nstate a 0x0 1 id:1\n"
                                  "grain access\n");
    for (unsigned line = 0; line < 64; line++)
        g_string_append_printf(trace, "read a 0x%x 8\n", line * 64);
    g_autoptr(Played) played =
        play_with(trace->str, "", "link_bit_pJ = 8.0;", "nodes = 2; link_bit_pJ = 8.0;");
    is_near(account(played, "interconnect_J"), 64 * 512 * 8 * PJ);
    /* A second cache for the other node. */
    is_near(account(played, "caches.leakage_J"),
            (2 * 5e-3 + 2 * 50e-3) * stat(played, "time.cycles") * 1e-9);
    g_autoptr(Played) unknown =
        play_with(trace->str, "", "link_bit_pJ = 8.0;", "nodes = 2;");
    CU_ASSERT_EQUAL(account(unknown, "interconnect_J"), -1);
    CU_ASSERT_EQUAL(stat(unknown, "energy.total_J"), -1);
    g_string_free(trace, TRUE);
}

static void test_engines_leak(void)
{
    static const char esx[] = "policies = ({ name = \"esx\"; finder = \"cam\"; "
                              "pacing = \"trace\"; });\n";
    static const char trace[] = HEAD WORK "scan 1\n";
    /* A unit at the channel of each of one node's; a CAM of 40 mW. */
    g_autoptr(Played) played = play_with(
        trace, esx, "  numa = {",
        "  hash_engine = { kind = \"full\"; at = \"controller\"; energy_per_byte = 2.0;"
        " leakage_mW = 3.0; };\n  cam = { entries = 1024; leakage_mW = 40.0; };\n  numa = {");
    double seconds = played_stat(played, "esx", "time.cycles") * 1e-9;
    is_near(played_stat(played, "esx", "energy.account.hash_engine.leakage_J"), 3e-3 * seconds);
    is_near(played_stat(played, "esx", "energy.account.hash_engine.dynamic_J"), 4096 * 2 * PJ);
    is_near(played_stat(played, "esx", "energy.account.cam.leakage_J"), 40e-3 * seconds);
    CU_ASSERT(played_stat(played, "esx", "energy.account.cam.dynamic_J") > 0);
    CU_ASSERT_EQUAL(account(played, "hash_engine.leakage_J"), 0);
    CU_ASSERT_EQUAL(account(played, "cam.leakage_J"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "esx", "energy.total_J"), sum_of(played, "esx").sum);
    g_autoptr(Played) unknown = play_with(
        trace, esx, "  numa = {",
        "  hash_engine = { kind = \"full\"; energy_per_byte = 2.0; };\n  numa = {");
    CU_ASSERT_EQUAL(played_stat(unknown, "esx", "energy.account.hash_engine.leakage_J"), -1);
    CU_ASSERT_EQUAL(played_stat(unknown, "esx", "energy.total_J"), -1);
    CU_ASSERT(stat(unknown, "energy.total_J") > 0); /* `none` asks for no key */
}

/* Two processes of 15 equal pages each, all DRAM rows shut and no refresh. */
static const char equals[] =
    "pagefold-trace 1\ncontext a process\nmap a 0 15 anon mergeable\n"
    "context b process\nmap b 0 15 anon mergeable\ngrain page\n"
    "state a 0 15 id:1 step=1\nstate b 0 15 id:1 step=1\nmark written\nscan pass 3\n"
    "mark merged\ntime 1ms\n";

/* They played by costs on two ranks that RANK_BITS tell apart. */
static Played *play_ranks(const char *rank_bits)
{
    g_autofree char *dram = g_strdup_printf(
        "dram = { preset = \"DDR4-3200AA-8Gb-x8\"; refresh = \"none\"; ranks = 2; "
        "power_down = \"precharge\"; mapping = \"%s\";", rank_bits);
    return play_with(equals,
                     "timing = \"costs\"; policies = ({ name = \"none\"; }, { name = \"ksm\"; "
                     "pacing = \"trace\"; smart_scan = false; });\n",
                     "dram = { preset = \"DDR4-3200AA-8Gb-x8\";", dram);
}

/* How long both ranks slept; as that is, power is right: DDR4-3200, IDD2N 37 mA, IDD2P 25, eight
 * devices at 1.2 V. */
static double asleep_s(const Played *played, const char *label)
{
    double asleep = played_stat(played, label, "dram.rank0_asleep_s") +
                    played_stat(played, label, "dram.rank1_asleep_s");
    double seconds = played_stat(played, label, "time.cycles") * 1e-9;
    double spent = played_stat(played, label, "energy.account.dram.background_J");
    double expected = 8 * 1.2 * 1e-3 * (37 * (2 * seconds - asleep) + 25 * asleep);
    CU_ASSERT_DOUBLE_EQUAL(spent, expected, 8 * 1.2 * 1e-3 * 37 * 2 * 0.625e-9); /* a clock */
    return asleep;
}

static void test_ranks(void)
{
    /* Frames 1 to 15 in rank 0, 16 to 30 in rank 1. ksm keeps the page that it finds last: b's. So
     * merging empties rank 0, before the mark. */
    g_autoptr(Played) played = play_ranks("co=6-12 bg=13,14 ba=15,17 ra=16 ro=18-33");
    CU_ASSERT_EQUAL(stat(played, "dram.empty_ranks"), 0);
    CU_ASSERT_EQUAL(stat(played, "dram.rank0_frames"), 15);
    CU_ASSERT_EQUAL(stat(played, "dram.rank1_frames"), 15);
    double written = (double)played_mark_cycle(played, "none", 0) * 1e-9;
    CU_ASSERT(asleep_s(played, "none") <= 2 * written);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "dram.empty_ranks"), 1);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "dram.rank0_frames"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "dram.rank1_frames"), 15);
    double end = played_stat(played, "ksm", "time.cycles") * 1e-9;
    double merged = (double)played_mark_cycle(played, "ksm", 1) * 1e-9;
    CU_ASSERT(asleep_s(played, "ksm") >= end - merged);
    CU_ASSERT(asleep_s(played, "ksm") <= end + written);
    /* Ranks that alternate each 8 KiB, or each line: as many pages go, and no rank is empty. */
    static const char *const interleaved[] = {"RoBaRaCoCh", "MOP4CLXOR"};
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(Played) spread = play_ranks(interleaved[i]);
        CU_ASSERT_EQUAL(played_stat(spread, "ksm", "memory.used_frames"), 15);
        CU_ASSERT_EQUAL(played_stat(spread, "ksm", "dram.empty_ranks"), 0);
        CU_ASSERT(asleep_s(spread, "ksm") <= 2 * written);
    }
}

static void test_by_costs(void)
{
    g_autoptr(Played) played = play_with(HEAD WORK, "timing = \"costs\";\n", "", "");
    CU_ASSERT_EQUAL(account(played, "cores.dynamic_J"), -1);
    CU_ASSERT_EQUAL(account(played, "caches.dynamic_J"), -1);
    CU_ASSERT_EQUAL(account(played, "tlbs.dynamic_J"), -1);
    CU_ASSERT(account(played, "cores.leakage_J") > 0);
    CU_ASSERT_EQUAL(stat(played, "energy.total_J"), -1);
}

static const PfCheck checks[] = {
    {"each account is what happened times its figure", test_by_hand},
    {"accounts add up to the total, to the last bit", test_sum},
    {"without a figure an account is null, and so is the total", test_unknown},
    {"energy counts from mark to mark", test_region},
    {"a line over a link takes energy for each of its bits", test_link},
    {"a CAM and a hash engine leak where they are used", test_engines_leak},
    {"memory that is saved saves power where it empties a rank", test_ranks},
    {"by costs it is not known what cores, caches and TLBs did", test_by_costs},
};

PF_CHECK_MAIN("energy", checks)
