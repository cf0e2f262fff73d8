/* Caches in a machine: lines of frames that were freed, of frames that are shared, and of memory
 * that several cores write. */
#include "check.h"

#include "play.h"

#include <string.h>

#define HEAD "pagefold-trace 1\ncontext a process core=0\ncontext b process core=1\n"

/* Two cores with a first level of 8 KiB each, and a second that they share; with SETTINGS. */
static Played *on_two_cores(const char *trace, const char *settings, const char *policies)
{
    g_autofree char *config = g_strconcat(
        "machine = { clock = \"1GHz\"; cores = 2; core = { cpi = 1.0; window = 1; };\n"
        "  caches = ( { name = \"l1\"; size = \"8KiB\"; ways = 4; latency = 3; },\n"
        "    { name = \"l2\"; size = \"64KiB\"; ways = 16; latency = 20; shared = true; } );\n",
        settings, "};\npolicies = ( ", policies, " );\n", NULL);
    Played *played = play_configured(trace, strlen(trace), config, NULL);
    if (played->error != NULL)
        printf("# %s\n", played->error->message);
    return played;
}

static void freed_frames(void)
{
    /* A page is filled with zeros, 64 whole lines, before its first store. */
    static const char once[] = HEAD "map a 0x0 1 anon\nwrite a 0x0 8 0x1\n";
    static const char twice[] = HEAD "map a 0x0 1 anon\nwrite a 0x0 8 0x1\nunmap a 0x0 1\n"
                                     "map a 0x10000 1 anon\nwrite a 0x10000 8 0x1\n";
    g_autoptr(Played) first = on_two_cores(once, "", "{ name = \"none\"; }");
    CU_ASSERT_EQUAL(played_stat(first, "none", "cache.l1.write_misses"), 64);
    /* The second page has the first one's frame, of which all lines were held. */
    g_autoptr(Played) second = on_two_cores(twice, "", "{ name = \"none\"; }");
    CU_ASSERT_EQUAL(played_stat(second, "none", "memory.peak_frames"), 1);
    CU_ASSERT_EQUAL(played_stat(second, "none", "cache.l1.write_misses"), 2 * 64);
}

static void shared_frames(void)
{
    static const char trace[] = HEAD "map a 0x0 1 anon\nmap b 0x0 1 anon\n"
                                     "fill a 0x0 1 id:1\nfill b 0x0 1 id:1\nscan pass 1\n"
                                     "read a 0x40 64\nread a 0x80 64\nread a 0xc0 64\n"
                                     "read b 0x40 64\nread b 0x80 64\nread b 0xc0 64\n";
    g_autoptr(Played) played =
        on_two_cores(trace, "", "{ name = \"brute\"; pacing = \"trace\"; }");
    CU_ASSERT_EQUAL(played_stat(played, "brute", "policy.shared"), 1);
    CU_ASSERT_EQUAL(played_stat(played, "none", "cache.l2.hits_on_shared_frames"), 0);
    /* One of the two had filled the frame that was kept, and has it in its own cache. The other
     * finds its three lines in the shared one, which the policy's reads have brought there. (First
     * lines make room for those of the page tables.) */
    CU_ASSERT_EQUAL(played_stat(played, "brute", "cache.l2.hits_on_shared_frames"), 3);
}

/* Four pages are 256 lines, 8 for each of the 32 sets of 4 ways of a first level: read in turn,
 * none is there when it comes again. The shared level of the reader's node holds them all then. */
static void shared_frames_of_another_node(void)
{
    enum { PAGES = 4, LINES = PAGES * 64 };
    GString *trace = g_string_new("pagefold-trace 1\ncontext a process core=0\nmap a 0x0 4 anon\n"
                                  "fill a 0x0 4 id:1 step=1\nfork a b\n");
    for (unsigned i = 0; i < 2 * LINES; i++)
        g_string_append_printf(trace, "read b 0x%x 64\n", i % LINES * 64);
    g_autofree char *text = g_string_free(trace, FALSE);
    g_autoptr(Played) played =
        on_two_cores(text, "numa = { nodes = 2; };", "{ name = \"none\"; }");
    CU_ASSERT_EQUAL(played_stat(played, "none", "cache.l2.hits_on_shared_frames"), LINES);
}

static void shared_memory(void)
{
    static const char trace[] = HEAD "map a 0x0 1 shmem=m:0\nmap b 0x0 1 shmem=m:0\n"
                                     "write a 0x0 8 0x1\nread b 0x0 8\nread b 0x0 8\n"
                                     "write b 0x0 8 0x2\nread a 0x0 8\n";
    g_autoptr(Played) kept = on_two_cores(trace, "", "{ name = \"none\"; }");
    /* b's first read, and a's, whose line b's store has taken. */
    CU_ASSERT_EQUAL(played_stat(kept, "none", "coherence.forwards"), 2);
    CU_ASSERT_EQUAL(played_stat(kept, "none", "coherence.invalidations"), 1);
    CU_ASSERT_EQUAL(played_stat(kept, "none", "cache.l1.invalidations"), 1);
    g_autoptr(Played) not_kept =
        on_two_cores(trace, "coherence = { kept = false; };", "{ name = \"none\"; }");
    CU_ASSERT_EQUAL(played_stat(not_kept, "none", "coherence.probes"), 0);
    CU_ASSERT_EQUAL(played_stat(not_kept, "none", "cache.l1.invalidations"), 0);
}

static void refused(void)
{
    static const struct {
        const char *keys;
        const char *error;
    } cases[] = {
        {"inclusion = \"exclusive\";", "there is no level above it"},
        {"line = 128;", "a line is shorter than one of a level above"},
        {"replacement = \"tree-plru\"; size = \"48KiB\"; ways = 12;", "a power of two of ways"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *config = g_strdup_printf(
            "machine = { caches = ( { name = \"l1\"; %s }, { name = \"l2\"; } ); };"
            "policies = ( { name = \"none\"; } );", cases[i].keys);
        g_autoptr(Played) played = play_configured(HEAD, strlen(HEAD), config, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(played->error);
        CU_ASSERT_PTR_NOT_NULL(strstr(played->error->message, cases[i].error));
    }
}

/* On node 0 b has read what a stored, so a's own level has it clean and that of the node dirty.
 * From there c, on node 1, takes it away, and an inclusive level takes what it loses from above:
 * a misses. */
static void line_taken_by_another_node(void)
{
    static const char trace[] =
        "pagefold-trace 1\ncontext a process core=0\ncontext b process core=1\n"
        "context c process core=2\nmap a 0x0 1 shmem=s:0\nmap b 0x0 1 shmem=s:0\n"
        "map c 0x0 1 shmem=s:0\nwrite a 0x0 8 0x1\nread b 0x0 8\nread c 0x0 8\nread a 0x0 8\n";
    static const char *const inclusions[] = {"none", "inclusive"};
    double misses[2];
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *config = g_strdup_printf(
            "machine = { cores = 3; numa = { nodes = 2; cores = (2, 1); };\n"
            "  caches = ( { name = \"l1\"; size = \"8KiB\"; ways = 4; latency = 3; },\n"
            "    { name = \"l2\"; size = \"64KiB\"; ways = 16; latency = 20; shared = true;\n"
            "      inclusion = \"%s\"; } ); };\npolicies = ( { name = \"none\"; } );\n",
            inclusions[i]);
        g_autoptr(Played) played = play_configured(trace, strlen(trace), config, NULL);
        CU_ASSERT_PTR_NULL_FATAL(played->error);
        misses[i] = played_stat(played, "none", "cache.l1.misses_demand");
    }
    CU_ASSERT_EQUAL(misses[1], misses[0] + 1);
}

static const PfCheck checks[] = {
    {"a frame that is given out again has no line of its last life in any cache", freed_frames},
    {"reads that the last level answers for a shared frame are counted", shared_frames},
    {"... on any node", shared_frames_of_another_node},
    {"what several cores store to goes from one to the other", shared_memory},
    {"impossible levels are refused", refused},
    {"a line that another node takes leaves what an inclusive level stands behind",
     line_taken_by_another_node},
};

PF_CHECK_MAIN("caches", checks)
