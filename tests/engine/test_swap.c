/* Memory that is too small: frames go to a device and come back, and somebody waits for that. */
#include <string.h>

#include "check.h"
#include "play.h"

#define HEAD "pagefold-trace 1\ngrain page\ncontext p process\n"

/* A page is moved in 10000 + 1000 cycles of 1 GHz: 10 us, and 4096 bytes at 4.096 GB/s. */
#define SWAP                                                                                       \
    "on_full = \"swap\"; swap = { latency = \"10us\"; bandwidth = \"4.096GB/s\"; queue = 1; }; "
#define WAIT 11000

/* With MACHINE added to a machine of 1 GHz that swaps. */
static Played *play_on(const char *machine, const char *trace, const char *policies)
{
    g_autofree char *config = g_strconcat(
        "machine = { clock = \"1GHz\"; core = { cpi = 1.0; window = 1; }; " SWAP, machine,
        "};\npolicies = ( ", policies, " );\n", NULL);
    return play_configured(trace, strlen(trace), config, NULL);
}

static Played *play_in(const char *memory, const char *trace, const char *policies)
{
    g_autofree char *machine = g_strdup_printf("memory = \"%s\";", memory);
    return play_on(machine, trace, policies);
}

#define NONE "{ name = \"none\"; label = \"small\"; }"

static double stat(const Played *played, const char *name)
{
    CU_ASSERT_PTR_NULL(played->error);
    return played_stat(played, "small", name);
}

static void test_edge(void)
{
    static const char fits[] = HEAD "map p 0x0 8 anon\nfill p 0x0 4 id:1\n";
    static const char more[] = HEAD "map p 0x0 8 anon\nfill p 0x0 5 id:1\n";
    g_autoptr(Played) four = play_in("16KiB", fits, NONE);
    CU_ASSERT_EQUAL(stat(four, "swap.outs"), 0);
    CU_ASSERT_EQUAL(stat(four, "cycles.account.swap"), 0);
    CU_ASSERT_EQUAL(stat(four, "memory.used_frames"), 4);
    CU_ASSERT_EQUAL(stat(four, "memory.peak_frames"), 4);
    /* One more: one page is written, and is populated still; its frame is in use, but not here. */
    g_autoptr(Played) five = play_in("16KiB", more, NONE);
    CU_ASSERT_EQUAL(stat(five, "swap.outs"), 1);
    CU_ASSERT_EQUAL(stat(five, "swap.ins"), 0);
    CU_ASSERT_EQUAL(stat(five, "cycles.account.swap"), WAIT);
    CU_ASSERT_EQUAL(stat(five, "swap.wait_cycles"), WAIT);
    CU_ASSERT_EQUAL(stat(five, "memory.populated_pages"), 5);
    CU_ASSERT_EQUAL(stat(five, "memory.baseline_frames"), 5);
    CU_ASSERT_EQUAL(stat(five, "memory.used_frames"), 5);
    CU_ASSERT_EQUAL(stat(five, "memory.peak_frames"), 5);
    CU_ASSERT_EQUAL(stat(five, "memory.swapped_pages"), 1);
    CU_ASSERT_EQUAL(stat(five, "memory.swapped_frames"), 1);
    CU_ASSERT_EQUAL(stat(five, "memory.saved_pages"), 0);
}

/* Pages 0, 1, 2 fill memory. Page 3 takes the frame of 0, the clock having gone round once; of 1
 * and 2 only 1 is touched then, so page 4 takes that of 2, and page 1 is there still. */
static void test_second_chance(void)
{
    static const char trace[] = HEAD "map p 0x0 8 anon\nfill p 0x0 3 id:1\nfill p 0x3000 1 id:2\n"
                                     "touch p 0x1000 1\nfill p 0x4000 1 id:3\ntouch p 0x1000 1\n"
                                     "mark here\ntouch p 0x2000 1\n";
    g_autoptr(Played) played = play_in("12KiB", trace, NONE);
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.swapped_pages"), 2);
    /* Page 2 alone is read back, once another one is written. */
    CU_ASSERT_EQUAL(stat(played, "swap.outs"), 3);
    CU_ASSERT_EQUAL(stat(played, "swap.ins"), 1);
    CU_ASSERT_EQUAL(stat(played, "cycles.account.swap"), 4 * WAIT);
    /* It was in use all the time. */
    CU_ASSERT_EQUAL(stat(played, "memory.peak_frames"), 5);
}

static void test_pinned(void)
{
    /* Two of three frames may not go: all others take turns in the third. */
    static const char trace[] = HEAD "map p 0x0 8 anon\nfill p 0x0 2 id:1\nattr p 0x0 1 pinned\n"
                                     "attr p 0x1000 1 locked\nfill p 0x2000 4 id:2\n"
                                     "touch p 0x0 2\n";
    g_autoptr(Played) played = play_in("12KiB", trace, NONE);
    CU_ASSERT_EQUAL(stat(played, "swap.outs"), 3);
    CU_ASSERT_EQUAL(stat(played, "swap.ins"), 0);
}

static void test_nothing_left(void)
{
    static const char trace[] = HEAD "map p 0x0 8 anon\nfill p 0x0 2 id:1\nattr p 0x0 2 pinned\n"
                                     "fill p 0x2000 1 id:2\n";
    g_autoptr(Played) played = play_in("8KiB", trace, NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(played->error);
    CU_ASSERT_PTR_NOT_NULL(strstr(played->error->message, "no frame is free for page 0x2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(played->error->message, "of context 'p' at cycle"));
}

/* A file's pages that nobody has written are there to be read again. */
static void test_clean(void)
{
    static const char trace[] = HEAD "map p 0x0 4 file=f:0\nmap p 0x10000 4 anon\n"
                                     "grain access\nread p 0x0 8\nread p 0x1000 8\ngrain page\n"
                                     "fill p 0x10000 2 id:1\nmark here\n"
                                     "grain access\nread p 0x0 8\n";
    g_autoptr(Played) played = play_in("8KiB", trace, NONE);
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.swapped_pages"), 2);
    /* Page 0 comes back where an anonymous page was, which is written. */
    CU_ASSERT_EQUAL(stat(played, "swap.outs"), 3);
    CU_ASSERT_EQUAL(stat(played, "swap.ins"), 1);
    CU_ASSERT_EQUAL(stat(played, "swap.writes_skipped"), 2);
    CU_ASSERT_EQUAL(stat(played, "cycles.account.swap"), 2 * WAIT);
    /* What contexts may write together has nowhere else to be. */
    static const char written[] = HEAD "map p 0x0 4 shmem=f:0\nmap p 0x10000 4 anon\n"
                                       "grain access\nread p 0x0 8\nread p 0x1000 8\n"
                                       "grain page\nfill p 0x10000 2 id:1\n";
    g_autoptr(Played) shared = play_in("8KiB", written, NONE);
    CU_ASSERT_EQUAL(stat(shared, "swap.outs"), 2);
    CU_ASSERT_EQUAL(stat(shared, "swap.writes_skipped"), 0);
    CU_ASSERT_EQUAL(stat(shared, "cycles.account.swap"), 2 * WAIT);
}

/* Parent and child have two pages in one frame; it goes and comes once for both. */
static void test_fork(void)
{
    static const char trace[] = HEAD "map p 0x0 8 anon\nfill p 0x0 1 id:1\nfork p c\n"
                                     "fill p 0x1000 2 id:2\nmark here\ngrain access\n"
                                     "read c 0x0 8\nread p 0x0 8\n";
    g_autoptr(Played) played = play_in("8KiB", trace, NONE);
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.swapped_pages"), 2);
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.swapped_frames"), 1);
    CU_ASSERT_EQUAL(stat(played, "swap.ins"), 1);
    CU_ASSERT_EQUAL(stat(played, "memory.saved_pages"), 0);
}

/* What a policy merged goes and comes in one frame, too; it is no sharing of the policy's any more,
 * but saves as much. */
static void test_merged(void)
{
    static const char trace[] = HEAD "map p 0x0 8 anon\nadvise p 0x0 8 mergeable\n"
                                     "fill p 0x0 2 id:1 step=0\nscan pass 3\nmark merged\n"
                                     "fill p 0x2000 3 id:2\nmark out\ngrain access\n"
                                     "read p 0x1000 8\nread p 0x0 8\n";
    g_autoptr(Played) played =
        play_in("8KiB", trace, "{ name = \"ksm\"; label = \"small\"; pacing = \"trace\"; }");
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.saved_pages"), 1);
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 1, "memory.saved_pages"), 1);
    /* Four frames, of which two are there. */
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 1, "memory.swapped_pages"), 2 + 1);
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 1, "memory.swapped_frames"), 2);
    CU_ASSERT_EQUAL(stat(played, "sharing.ended"), 1);
    CU_ASSERT_EQUAL(stat(played, "swap.ins"), 1);
    CU_ASSERT_EQUAL(stat(played, "memory.saved_pages"), 1);
    CU_ASSERT_EQUAL(stat(played, "policy.broken"), 0);
}

/* The zero page comes into use in full memory, so next time two frames have to go. */
static void test_zero_page(void)
{
    static const char trace[] = HEAD "map p 0x0 8 anon\nfill p 0x0 2 id:1\ngrain access\n"
                                     "read p 0x5000 8\nmark read\ngrain page\n"
                                     "fill p 0x2000 1 id:3\n";
    g_autoptr(Played) played = play_in("8KiB", trace, NONE);
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.swapped_frames"), 0);
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.used_frames"), 3);
    CU_ASSERT_EQUAL(stat(played, "swap.outs"), 2);
    CU_ASSERT_EQUAL(stat(played, "cycles.account.swap"), 2 * WAIT);
    CU_ASSERT_EQUAL(stat(played, "memory.used_frames"), 3 + 1);
    CU_ASSERT_EQUAL(stat(played, "memory.swapped_frames"), 2);
    CU_ASSERT_EQUAL(stat(played, "memory.saved_pages"), 0);
}

/* Pages 0 and 1 are out, and one access wants both at a time. */
static void test_straddling(void)
{
    static const char trace[] = HEAD "map p 0x0 8 anon\nfill p 0x0 4 id:1\ngrain access\n"
                                     "read p 0xffc 8\nread p 0x0 8\nread p 0x1000 8\n";
    g_autoptr(Played) played = play_in("8KiB", trace, NONE);
    CU_ASSERT_EQUAL(stat(played, "swap.outs"), 2 + 2);
    CU_ASSERT_EQUAL(stat(played, "swap.ins"), 2);
    g_autoptr(Played) never = play_in("4KiB", trace, NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(never->error);
    CU_ASSERT_PTR_NOT_NULL(strstr(never->error->message, "no frame is free for page 0x1"));
}

/* Two nodes of two frames. A context that may only use its own node swaps while the other node is
 * empty; the file's page that comes back does so where it is wanted. */
static void test_nodes(void)
{
    static const char trace[] =
        "pagefold-trace 1\ngrain page\ncontext a process node=0\ncontext b process node=1\n"
        "map b 0x0 8 anon\nmap b 0x10000 1 file=f:0\ngrain access\nread b 0x10000 8\n"
        "grain page\nfill b 0x0 3 id:1\nmark here\ngrain access\nread b 0x10000 8\n";
    static const char machine[] =
        "memory = \"16KiB\"; numa = { nodes = 2; placement = \"%s\"; };";
    g_autofree char *own = g_strdup_printf(machine, "bind");
    g_autofree char *any = g_strdup_printf(machine, "first-touch");
    g_autoptr(Played) bound = play_on(own, trace, NONE);
    CU_ASSERT_EQUAL(played_mark_stat(bound, "small", 0, "memory.swapped_frames"), 2);
    CU_ASSERT_EQUAL(stat(bound, "numa.node0_used_frames"), 0);
    CU_ASSERT_EQUAL(stat(bound, "numa.node1_used_frames"), 2);
    CU_ASSERT_EQUAL(stat(bound, "memory.used_frames"), 2 + stat(bound, "memory.swapped_frames"));
    g_autoptr(Played) free = play_on(any, trace, NONE);
    CU_ASSERT_EQUAL(stat(free, "swap.outs"), 0);
}

/* A store that a policy redirects is a store to a page that is out, all the same. */
static void test_redirected(void)
{
    static const char trace[] = HEAD "map p 0x0 8 anon\nfill p 0x0 3 id:1 step=1\n"
                                     "mark here\n"
                                     "fill p 0x0 1 id:3\n";
    g_autoptr(Played) played =
        play_in("8KiB", trace, "{ name = \"collapse\"; label = \"small\"; }");
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.swapped_frames"), 1);
    CU_ASSERT_EQUAL(stat(played, "memory.saved_pages"), 1);
    CU_ASSERT_EQUAL(stat(played, "swap.ins"), 1);
    CU_ASSERT_EQUAL(stat(played, "cycles.account.swap"), (1 + 2) * WAIT);
}

/* The controller's table follows frames out and in. */
static void test_remapped(void)
{
    static const char trace[] = HEAD "map p 0x0 8 anon\nfill p 0x0 2 id:1 step=0\nscan pass 2\n"
                                     "mark here\nfill p 0x2000 2 id:2\ngrain access\n"
                                     "read p 0x0 8\nwrite p 0x1000 8 0x1\nread p 0x1000 8\n";
    g_autoptr(Played) played =
        play_in("8KiB", trace,
                "{ name = \"brute\"; label = \"small\"; pacing = \"trace\"; "
                "remap = \"controller\"; }");
    CU_ASSERT_EQUAL(played_mark_stat(played, "small", 0, "memory.saved_pages"), 1);
    CU_ASSERT_EQUAL(stat(played, "swap.ins"), 1);
    CU_ASSERT_EQUAL(stat(played, "memory.saved_pages"), 0);
    CU_ASSERT_EQUAL(stat(played, "memory.used_frames"), 4);
}

/* Eight pages, of which two and two are equal, are read in turn, five times, in six frames. The
 * frames are all accessed when one is wanted, so the clock takes them in turn, too: without sharing
 * two go while the pages are filled, and each read finds its page gone just before. */
static void test_benefit(void)
{
    GString *trace = g_string_new(HEAD "map p 0x0 8 anon\nadvise p 0x0 8 mergeable\n");
    for (unsigned i = 0; i < 8; i++)
        g_string_append_printf(trace, "%sfill p 0x%x 1 id:%u\n", i == 4 ? "scan pass 3\n" : "",
                               i * 0x1000, i < 4 ? i % 2 : i);
    g_string_append(trace, "grain access\n");
    for (unsigned i = 0; i < 40; i++)
        g_string_append_printf(trace, "read p 0x%x 8\n", i % 8 * 0x1000);
    g_autofree char *text = g_string_free(trace, FALSE);
    g_autoptr(Played) played =
        play_in("24KiB", text, "{ name = \"ksm\"; pacing = \"trace\"; }");
    /* Added for comparison, and no better off. */
    CU_ASSERT_EQUAL(played_stat(played, "none", "swap.ins"), 40);
    CU_ASSERT_EQUAL(played_stat(played, "none", "swap.outs"), 2 + 40);
    CU_ASSERT_EQUAL(played_stat(played, "none", "cycles.account.swap"), (42 + 40) * WAIT);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "memory.saved_pages"), 2);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "swap.outs"), 0);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "cycles.account.swap"), 0);
    CU_ASSERT(played_stat(played, "ksm", "slowdown") < 0.5);
}

static const PfCheck checks[] = {
    {"the first page that does not fit swaps another one out", test_edge},
    {"a page that was touched has a second chance", test_second_chance},
    {"pinned and locked pages stay", test_pinned},
    {"where nothing may go the run stops and says where", test_nothing_left},
    {"pages of files are not written", test_clean},
    {"a shared frame goes and comes with all its pages", test_fork},
    {"what a policy merged goes and comes together", test_merged},
    {"the zero page takes a frame from somebody later", test_zero_page},
    {"an access across two pages has both", test_straddling},
    {"frames go and come on the node that a context is bound to", test_nodes},
    {"a redirected store has its page read back", test_redirected},
    {"frames that the controller maps go and come", test_remapped},
    {"with sharing fewer pages come back, and contexts are done sooner", test_benefit},
};

int main(void)
{
    return pf_check_main("engine-swap", checks, G_N_ELEMENTS(checks));
}
