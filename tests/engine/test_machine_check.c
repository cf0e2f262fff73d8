/* Machines that cannot be, or are too large to be simulated, are refused with the line before
 * anything is built. */
#include "check.h"
#include "play.h"

#include <string.h>

/* WHAT is said of CONFIG, which has one line, and nothing else. */
static void refused(const char *config, const char *what)
{
    g_autoptr(Played) played = play_configured("pagefold-trace 1\n", 17, config, NULL);
    CU_ASSERT_PTR_NULL(played->simulation);
    CU_ASSERT_PTR_NOT_NULL_FATAL(played->error);
    const char *told = strstr(played->error->message, ":1: ");
    bool is_it = told != NULL && g_str_has_prefix(told + strlen(":1: "), what) &&
                 strchr(told, '\n') == NULL;
    if (!is_it)
        printf("# %s: %s\n", config, played->error->message);
    CU_ASSERT_TRUE(is_it);
}

static void refused_part(const char *part, const char *what)
{
    g_autofree char *config = g_strdup_printf("machine = { %s };", part);
    g_autofree char *path = g_strconcat("machine.", what, NULL);
    refused(config, path);
}

static void test_geometry(void)
{
    refused_part("caches = ( { name = \"l1\"; size = \"3KiB\"; } );",
                 "caches.l1: size = 3072 is not a power of two of sets of 8 ways");
    refused_part("caches = ( { name = \"l1\"; size = \"3KiB\"; ways = 3; "
                 "replacement = \"tree-plru\"; } );",
                 "caches.l1: a tree needs a power of two of ways, not 3");
    refused_part("tlb = { l1d = { entries = 6; ways = 4; }; };",
                 "tlb.l1d: entries = 6 (at most 1048576) with ways = 4 is not a power of two");
    refused_part("tlb = { l2 = { huge = { held = \"own\"; entries = 0; }; }; };",
                 "tlb.l2: huge.entries = 0");
    refused_part("walk = { cache = { l3_entries = 5; l3_ways = 4; }; };",
                 "walk.cache: l3_entries = 5 with l3_ways = 4 is not a power of two");
    refused_part("dram = { mapping = \"co=6-12\"; };",
                 "dram: mapping: 'co=6-12' lists no bits for bg");
    refused_part("dram = { tREFI = \"1ns\"; };", "dram: tREFI must be longer than tRFC and tRC");
    /* One channel of DDR4-2400 moves 19.2 GB/s, and each of two nodes has one. */
    refused_part("background = { bandwidth = \"20GB/s\"; };",
                 "background.bandwidth: more than DRAM can move");
    refused_part("numa = { nodes = 2; }; background = { bandwidth = \"39GB/s\"; };",
                 "background.bandwidth: more than DRAM can move");
}

static void test_names(void)
{
    static const char *const names[] = {"", "a.b", "a b", "1st", "l1\\n", "-"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *part = g_strdup_printf("caches = ( { name = \"%s\"; } );", names[i]);
        refused_part(part, "caches.[0].name: a name begins with a letter");
    }
}

/* 2^26 lines, of which the policy's core has as many as another. */
static void test_size(void)
{
    refused_part("cores = 3; caches = ( { name = \"l1\"; size = \"2GiB\"; } );",
                 "caches.l1.size: the caches of all cores together have more than 67108864 lines");
    refused_part("cores = 1024; tlb = { l2 = { entries = 8192; ways = 8; }; };",
                 "tlb: the TLBs and walk caches of all cores together have more than 8388608");
    refused_part("caches = ( { name = \"l1\"; size = \"64GiB\"; ways = 1; line = 4; } );",
                 "caches.l1.size: the caches of all cores");
    /* As many colours as there can be, though sets are four times as many pages. */
    g_autoptr(Played) played = play_configured(
        "pagefold-trace 1\n", 17, "machine = { cores = 1; caches = ( { name = \"l1\"; "
        "size = \"16GiB\"; ways = 1; line = 4096; shared = true; } ); };", NULL);
    CU_ASSERT_PTR_NULL(played->error);
}

/* What only the trace's pages of 4096 bytes make wrong. */
static void test_pages(void)
{
    refused_part("memory = \"4095B\";", "memory: 4095 bytes hold no page of the trace");
    /* 2^32 frames of 4 KiB are 2^44 bytes; one frame less is let in. */
    refused_part("memory = \"17592186044416B\";", "memory: 17592186044416 bytes are 2^32 frames");
    g_autoptr(Played) largest =
        play_configured("pagefold-trace 1\n", 17,
                        "machine = { memory = \"17592186040320B\"; };", NULL);
    CU_ASSERT_PTR_NULL(largest->error);
    refused_part("hash_engine = { kind = \"ecc\"; at = \"controller\"; ecc_line = 16; };",
                 "hash_engine.ecc_line: 16 is above 15");
}

static void test_words(void)
{
    refused("machine = 5;", "machine: expected a group { ... }, got the integer 5");
    refused("warmup = \"passes:-1\";", "warmup: 'passes:-1' names no number of passes");
    refused("warmup = \"passes:0\";", "warmup: 'passes:0' names no number of passes");
    refused("warmup = \"passes:\";", "warmup: 'passes:' names no number of passes");
}

static const PfCheck checks[] = {
    {"what a model cannot be is told with its line", test_geometry},
    {"a cache is called by a word", test_names},
    {"a machine that is too large to be simulated is refused before it takes memory", test_size},
    {"what does not fit the trace is told with its line, too", test_pages},
    {"what is no group, and no number, is no crash", test_words},
};

PF_CHECK_MAIN("engine-machine-check", checks)
