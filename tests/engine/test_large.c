/* What the engine makes of large pages: TLB entries, walks, faults, splits and joins. */
#include "check.h"

#include "play.h"

#include <string.h>

#define HEAD "pagefold-trace 1\n"

/* TRACE on a machine whose data TLB has four entries for pages of any size, without a second level
 * and walk caches; SETTINGS are added to the machine's, POLICIES may be "". */
static Played *on(const char *trace, const char *settings, const char *policies)
{
    g_autofree char *config = g_strconcat(
        "machine = { clock = \"1GHz\"; cores = 2; core = { cpi = 1.0; };\n"
        "  caches = ( { name = \"l1\"; size = \"64KiB\"; ways = 16; latency = 3; } );\n"
        "  tlb = { l1 = { entries = 4; ways = 0; large = { held = \"shared\"; }; };\n"
        "    l2 = { entries = 0; }; };\n"
        "  walk = { cache = { l2_entries = 0; l3_entries = 0; l4_entries = 0; l5_entries = 0;\n"
        "    nested_entries = 0; }; };\n",
        settings, "};\n", policies, NULL);
    return play_configured(trace, strlen(trace), config, NULL);
}

static double stat(const Played *played, const char *name)
{
    return played_stat(played, "none", name);
}

static double mark(const Played *played, size_t index, const char *name)
{
    return played_mark_stat(played, "none", index, name);
}

#define NEVER "large = { pages = \"never\"; };\n"

/* ---- TLBs and walks ---- */

/* Two runs of pages, of which 32 each are read in turn, twice. */
static Played *reads(const char *settings)
{
    g_autoptr(GString) trace = g_string_new(HEAD "context p process\n"
                                                 "map p 0x0 1024 anon huge=2MiB\n"
                                                 "state p 0x0 1024 id:1 step=1\n");
    for (unsigned i = 0; i < 2 * 64; i++)
        g_string_append_printf(trace, "read p 0x%x 8\n", i % 64 * 16 * 4096);
    return on(trace->str, settings, "");
}

static void test_reach(void)
{
    g_autoptr(Played) large = reads("");
    g_autoptr(Played) base = reads(NEVER);
    CU_ASSERT_EQUAL(stat(large, "large.mapped"), 2);
    /* Two entries hold all; and of four entries for 64 pages in turn none is met again. */
    CU_ASSERT_EQUAL(stat(large, "tlb.l1d.misses"), 2);
    CU_ASSERT_EQUAL(stat(large, "tlb.l1d.hits"), 2 * 64 - 2);
    CU_ASSERT_EQUAL(stat(base, "tlb.l1d.misses"), 2 * 64);
    /* A walk ends a level early. */
    CU_ASSERT_EQUAL(stat(large, "walk.references"), 2 * 3);
    CU_ASSERT_EQUAL(stat(base, "walk.references"), 2 * 64 * 4);
    CU_ASSERT_EQUAL(stat(base, "large.mapped"), 0);
}

static void test_split_reach(void)
{
    /* Sixteen pages are read twice, before and after their run has lost another page. */
    g_autoptr(GString) trace = g_string_new(HEAD "context p process\n"
                                                 "map p 0x0 512 anon huge=2MiB\n"
                                                 "state p 0x0 512 id:1 step=1\n");
    for (unsigned i = 0; i < 4 * 16; i++) {
        if (i == 2 * 16)
            g_string_append(trace, "advise p 0x1ff000 1 dontneed\n");
        g_string_append_printf(trace, "read p 0x%x 8\n", i % 16 * 16 * 4096);
    }
    g_autoptr(Played) played = on(trace->str, "", "");
    CU_ASSERT_EQUAL(stat(played, "large.splits"), 1);
    /* One entry for all, then one each, of which four find room and none is met again. */
    CU_ASSERT_EQUAL(stat(played, "tlb.l1d.misses"), 1 + 2 * 16);
}

/* Two pages of a virtual machine are read. */
static Played *guest(const char *settings)
{
    return on(HEAD "context v vm\nmap v 0x0 512 anon huge=2MiB\n"
                   "state v 0x0 512 id:1 step=1\nread v 0x0 8\nread v 0x1000 8\n",
              settings, "");
}

static void test_guests(void)
{
    static const struct {
        const char *settings;
        unsigned walks;
        unsigned references; /* of one */
    } cases[] = {
        /* (guest levels + 1) (host levels + 1) - 1; one entry where both are large, else two. */
        {"large = { guest = \"same\"; };", 1, 4 * 4 - 1},
        {"large = { guest = \"base\"; };", 2, 5 * 4 - 1},
        {"large = { guest = \"large\"; };", 1, 4 * 4 - 1},
        {"large = { pages = \"never\"; guest = \"large\"; };", 2, 4 * 5 - 1},
        {"large = { pages = \"never\"; guest = \"same\"; };", 2, 5 * 5 - 1},
        {"paging = \"shadow\";", 1, 3},
        {"paging = \"shadow\"; large = { guest = \"base\"; };", 2, 4},
        {"paging = \"native\"; large = { guest = \"base\"; };", 1, 3},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Played) played = guest(cases[i].settings);
        CU_ASSERT_EQUAL(stat(played, "walk.walks"), cases[i].walks);
        CU_ASSERT_EQUAL(stat(played, "walk.references"), cases[i].walks * cases[i].references);
    }
}

/* ---- which runs ---- */

static void test_filling(void)
{
    /* Page 511 is wanting, then it is there; of the second mapping, which begins with the last page
     * of a run, one run is whole. */
    static const char trace[] = HEAD "grain page\ncontext p process\n"
                                     "map p 0x0 512 anon huge=2MiB\n"
                                     "fill p 0x0 511 id:1 step=1\nmark before\n"
                                     "fill p 0x1ff000 1 zero\nmark after\n"
                                     "map p 0x7ff000 514 anon huge=2MiB\n"
                                     "fill p 0x7ff000 514 id:1 step=1\nmark second\n"
                                     "map p 0x1000000 512 anon\nfill p 0x1000000 512 ones\n"
                                     "map p 0x1200000 512 anon huge=1MiB\n"
                                     "fill p 0x1200000 512 ones\n"
                                     "map p 0x1400000 512 shmem=s:0 huge=2MiB\n"
                                     "fill p 0x1400000 512 ones\n";
    g_autoptr(Played) played = on(trace, "", "");
    CU_ASSERT_EQUAL(mark(played, 0, "large.mapped"), 0);
    CU_ASSERT_EQUAL(mark(played, 1, "large.mapped"), 1);
    CU_ASSERT_EQUAL(mark(played, 2, "large.mapped"), 2);
    CU_ASSERT_EQUAL(stat(played, "large.mapped"), 2);
    CU_ASSERT_EQUAL(stat(played, "memory.saved_pages"), 0);
    g_autoptr(Played) always = on(trace, "large = { pages = \"always\"; };", "");
    /* The two that do not ask are anonymous as well. */
    CU_ASSERT_EQUAL(stat(always, "large.mapped"), 4);
}

static void test_advice(void)
{
    static const char trace[] = HEAD "grain page\ncontext p process\nmap p 0x0 1536 anon\n"
                                     "advise p 0x0 512 huge\nadvise p 0x200000 512 nohuge\n"
                                     "fill p 0x0 1536 id:1 step=1\n";
    g_autoptr(Played) madvise = on(trace, "", "");
    g_autoptr(Played) always = on(trace, "large = { pages = \"always\"; };", "");
    g_autoptr(Played) never = on(trace, NEVER, "");
    CU_ASSERT_EQUAL(stat(madvise, "large.mapped"), 1);
    CU_ASSERT_EQUAL(stat(always, "large.mapped"), 2);
    CU_ASSERT_EQUAL(stat(never, "large.mapped"), 0);
}

/* 1100 frames are numbers 1 .. 1100: there is one block, from 512 on. */
static void test_blocks(void)
{
    static const char trace[] = HEAD "grain page\ncontext p process\n"
                                     "map p 0x0 1024 anon huge=2MiB\n"
                                     "fill p 0x0 1024 id:1 step=1\nmark full\n"
                                     "unmap p 0x0 512\nmap p 0x0 512 anon huge=2MiB\n"
                                     "fill p 0x0 512 id:1 step=1\nmark again\n";
    g_autoptr(Played) played =
        on(trace, "memory = \"4400KiB\";\n", "policies = ({ name = \"none\"; });");
    CU_ASSERT_EQUAL(mark(played, 0, "large.mapped"), 1);
    CU_ASSERT_EQUAL(mark(played, 0, "large.without_block"), 1);
    /* The first run has the block back. */
    CU_ASSERT_EQUAL(mark(played, 1, "large.mapped"), 1);
    CU_ASSERT_EQUAL(mark(played, 1, "memory.used_frames"), 1024);
}

/* What a block keeps is given to others before memory is said to be full: 1023 frames for three
 * runs of which one page is used each, and 1020 pages of their own. */
static void test_pressure(void)
{
    g_autoptr(Played) played =
        on(HEAD "grain page\ncontext p process\nmap p 0x0 1536 anon huge=2MiB\n"
                "fill p 0x0 1 id:1\nfill p 0x200000 1 id:2\nfill p 0x400000 1 id:3\n"
                "map p 0x800000 1020 anon\nfill p 0x800000 1020 id:4 step=1\n",
           "memory = \"4092KiB\";\n", "policies = ({ name = \"none\"; });");
    CU_ASSERT_PTR_NULL(played->error);
    CU_ASSERT_EQUAL(stat(played, "memory.used_frames"), 1023);
}

/* ---- splits ---- */

static void test_splits(void)
{
    static const char trace[] = HEAD "grain page\ncontext p process\n"
                                     "map p 0x0 1024 anon huge=2MiB\n"
                                     "fill p 0x0 1024 id:1 step=1\n"
                                     "advise p 0x1ff000 1 dontneed\nmark edge\n"
                                     "touch p 0x1ff000 1\nmark back\n"
                                     "unmap p 0x200000 512\nmark gone\n"
                                     "unmap p 0x1ff000 1\n";
    g_autoptr(Played) played =
        on(trace, "costs = { near_line = 7; unmap_page = 100000; };\n", "");
    CU_ASSERT_EQUAL(mark(played, 0, "large.mapped"), 1);
    CU_ASSERT_EQUAL(mark(played, 0, "large.splits"), 1);
    /* Its frame was kept for it. */
    CU_ASSERT_EQUAL(mark(played, 1, "large.mapped"), 2);
    CU_ASSERT_EQUAL(mark(played, 1, "large.filled"), 3);
    /* What goes as a whole is not split. */
    CU_ASSERT_EQUAL(mark(played, 2, "large.mapped"), 1);
    CU_ASSERT_EQUAL(mark(played, 2, "large.splits"), 1);
    CU_ASSERT_EQUAL(stat(played, "large.splits"), 2);
    CU_ASSERT_EQUAL(stat(played, "large.mapped"), 0);
    /* 514 pages unmapped; two tables of 512 entries of 8 bytes written, in lines of 64. */
    CU_ASSERT_EQUAL(stat(played, "cycles.account.system"), 514 * 100000 + 2 * 64 * 7);
}

#define COSTS                                                                                      \
    "costs = { trap = 10; allocate = 20; copy_page = 1000; fork_page = 300; near_line = 1; "       \
    "flush_local = 5; fill_page = 50; };\n"

static void test_copies(void)
{
    static const char trace[] = HEAD "grain page\ncontext p process\n"
                                     "map p 0x0 512 anon huge=2MiB\n"
                                     "fill p 0x0 512 id:1 step=1\nmark full\nfork p c\n"
                                     "touch c 0x1000 1\nmark stored\ntouch c 0x2000 1\n";
    g_autoptr(Played) copy = on(trace, COSTS, "");
    g_autoptr(Played) split = on(trace, COSTS "large = { cow = \"split\"; };", "");
    g_autoptr(Played) base = on(trace, COSTS NEVER, "");
    CU_ASSERT_EQUAL(stat(copy, "large.copies"), 1);
    CU_ASSERT_EQUAL(stat(copy, "cycles.account.break"), 10 + 20 + 512 * 1000);
    CU_ASSERT_EQUAL(stat(copy, "memory.used_frames"), 2 * 512);
    CU_ASSERT_EQUAL(stat(copy, "large.mapped"), 2);
    CU_ASSERT_EQUAL(stat(split, "cycles.account.break"), 2 * (10 + 20 + 1000));
    CU_ASSERT_EQUAL(stat(split, "memory.used_frames"), 512 + 2);
    /* The parent's is as it was. */
    CU_ASSERT_EQUAL(stat(split, "large.mapped"), 1);
    CU_ASSERT_EQUAL(stat(split, "large.splits"), 1);
    CU_ASSERT_EQUAL(stat(base, "cycles.account.break"), stat(split, "cycles.account.break"));
    /* A fork copies an entry a page, a large one too; a split writes 64 lines. */
    CU_ASSERT_EQUAL(stat(copy, "cycles.account.system"), 300);
    CU_ASSERT_EQUAL(stat(split, "cycles.account.system"), 300 + 64);
    CU_ASSERT_EQUAL(stat(base, "cycles.account.system"), 512 * 300);
    /* One fault a run; every page is zeroed, and filled. */
    CU_ASSERT_EQUAL(stat(copy, "cycles.account.fault"), 10 + 20 + 512 * 50);
    CU_ASSERT_EQUAL(stat(base, "cycles.account.fault"), 512 * (10 + 20 + 50));
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(mark(copy, i, "memory.saved_pages"), 0);
        CU_ASSERT_EQUAL(mark(split, i, "memory.saved_pages"), 0);
    }
}

static void test_taken_back(void)
{
    static const char trace[] = HEAD "grain page\ncontext p process\n"
                                     "map p 0x0 512 anon huge=2MiB\n"
                                     "fill p 0x0 512 id:1 step=1\nfork p c\nexit c\n"
                                     "touch p 0x0 512\n";
    g_autoptr(Played) large = on(trace, COSTS, "");
    g_autoptr(Played) base = on(trace, COSTS NEVER, "");
    CU_ASSERT_EQUAL(stat(large, "large.taken_back"), 1);
    CU_ASSERT_EQUAL(stat(large, "large.mapped"), 1);
    CU_ASSERT_EQUAL(stat(large, "cycles.account.break"), 10);
    CU_ASSERT_EQUAL(stat(base, "cycles.account.break"), 512 * 10);
}

/* ---- sharing ---- */

/* Two runs that are equal but for a page are shared, and stored to, that of FIRST before the other;
 * then there is time to join them. */
static Played *sharing_of(const char *settings, const char *policy, char first)
{
    g_autofree char *trace = g_strdup_printf(
        HEAD "grain page\ncontext a process\ncontext b process\n"
             "map a 0x0 512 anon huge=2MiB\nmap b 0x0 512 anon huge=2MiB\n"
             "fill a 0x0 512 id:1 step=1\nfill b 0x0 512 id:1 step=1\n"
             "fill b 0x5000 1 id:9999\nscan pass 3\nmark scanned\n"
             "fill %c 0x0 512 id:5001 step=1\nfill %c 0x0 512 id:6001 step=1\ntime 40s\n",
        first, first == 'a' ? 'b' : 'a');
    g_autofree char *policies = g_strdup_printf(
        "policies = ({ name = \"none\"; }, { name = \"brute\"; pacing = \"trace\"; %s });", policy);
    return on(trace, settings, policies);
}

static Played *sharing(const char *settings, const char *policy)
{
    return sharing_of(settings, policy, 'a');
}

static double shared(const Played *played, const char *name)
{
    return played_mark_stat(played, "brute", 0, name);
}

static void test_sharing(void)
{
    g_autoptr(Played) always = sharing("", "split_large = \"always\";");
    g_autoptr(Played) never = sharing("", "split_large = \"never\";");
    CU_ASSERT_EQUAL(shared(always, "memory.saved_pages"), 511);
    CU_ASSERT_EQUAL(shared(always, "large.splits"), 2);
    CU_ASSERT_EQUAL(shared(always, "reason.large"), 0);
    CU_ASSERT_EQUAL(shared(never, "memory.saved_pages"), 0);
    CU_ASSERT_EQUAL(shared(never, "large.mapped"), 2);
    CU_ASSERT_EQUAL(shared(never, "reason.large"), 1024);
    g_autoptr(Played) roomy = sharing("memory = \"8MiB\";", "split_large = \"pressure\"; "
                                                            "split_below = 0.5;");
    g_autoptr(Played) tight = sharing("memory = \"8MiB\";", "split_large = \"pressure\"; "
                                                            "split_below = 0.51;");
    /* 1024 of 2048 frames are free, which is half of them. */
    CU_ASSERT_EQUAL(shared(roomy, "memory.saved_pages"), 0);
    CU_ASSERT_TRUE(shared(tight, "memory.saved_pages") > 0);
    /* What is split once is nobody's large page. */
    CU_ASSERT_EQUAL(shared(tight, "large.splits"), 2);
}

/* ---- joining ---- */

static void test_joins(void)
{
    static const char always[] = "split_large = \"always\";";
    /* What has merged onto the other's frames gets those back that were kept for it, and is large
     * with the last of them; the other takes its own back one by one, where they always were. */
    g_autoptr(Played) merged = sharing_of("", always, 'b');
    CU_ASSERT_EQUAL(played_stat(merged, "brute", "large.mapped"), 2);
    CU_ASSERT_EQUAL(played_stat(merged, "brute", "large.filled"), 2 + 2);
    CU_ASSERT_EQUAL(played_stat(merged, "brute", "large.joined"), 0);
    /* If the other is stored to first, its frames go to what merged onto them: both lie apart. */
    g_autoptr(Played) other = sharing_of("", always, 'a');
    CU_ASSERT_EQUAL(played_stat(other, "brute", "large.mapped"), 2);
    CU_ASSERT_EQUAL(played_stat(other, "brute", "large.joined"), 2);
    CU_ASSERT_EQUAL(played_stat(other, "brute", "large.joined_copied"), 2);
    g_autoptr(Played) off = sharing_of("large = { join_every = \"0s\"; };", always, 'a');
    CU_ASSERT_EQUAL(played_stat(off, "brute", "large.mapped"), 0);
    CU_ASSERT_EQUAL(played_stat(off, "brute", "large.joined"), 0);
}

static void test_join_copies(void)
{
    /* The frames of the run were given out before it wanted to be one: numbers 1 .. 512. */
    static const char trace[] = HEAD "grain page\ncontext p process\nmap p 0x0 512 anon\n"
                                     "fill p 0x0 512 id:1 step=1\nadvise p 0x0 512 huge\n"
                                     "time 9.9s\nmark before\ntime 10.1s\nmark after\n";
    g_autoptr(Played) played = on(trace, COSTS, "");
    CU_ASSERT_EQUAL(mark(played, 0, "large.mapped"), 0);
    CU_ASSERT_EQUAL(mark(played, 1, "large.mapped"), 1);
    CU_ASSERT_EQUAL(mark(played, 1, "large.joined_copied"), 1);
    CU_ASSERT_EQUAL(mark(played, 1, "memory.used_frames"), 512);
    CU_ASSERT_EQUAL(mark(played, 1, "memory.saved_pages"), 0);
    /* The table is read, a block allocated, every page copied. */
    CU_ASSERT_EQUAL(stat(played, "cycles.account.system"), 64 + 20 + 512 * 1000);
}

static const PfCheck checks[] = {
    {"an entry of a large page reaches as far as 512 others", test_reach},
    {"a split gives the reach away", test_split_reach},
    {"with nested paging an entry is of the smaller page", test_guests},
    {"a run is mapped large once its last page has a frame", test_filling},
    {"advice asks for large pages and refuses them", test_advice},
    {"a run without neighbouring frames stays small", test_blocks},
    {"frames that are kept for runs are there for others", test_pressure},
    {"a change of a part splits, one of the whole does not", test_splits},
    {"a store to a shared large page copies in proportion to its size", test_copies},
    {"a large page that nobody else has is taken back as a whole", test_taken_back},
    {"policies split large pages always, under pressure or never", test_sharing},
    {"pages that were split are joined where they are", test_joins},
    {"pages that lie apart are copied to be joined", test_join_copies},
};

PF_CHECK_MAIN("large", checks)
