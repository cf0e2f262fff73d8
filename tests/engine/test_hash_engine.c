/* Hash engines in a whole machine: what they cost, what they read, and what their keys are of. The
 * plain machine has one level of cache of 64 KiB for each core, 3 cycles, lines of 64 bytes. */
#include "check.h"

#include <string.h>

#include "play.h"
#include "rng.h"

#define KSM "policies = ({ name = \"ksm\"; pacing = \"trace\"; smart_scan = false; });\n"
#define ESX "policies = ({ name = \"esx\"; pacing = \"trace\"; });\n"

/* Pages of context C that a line "flush C" reads, twice what a cache holds: what is dirty there is
 * written back. */
#define SPARE(context)                                                                             \
    "map " context " 0x100000 32 anon\nstate " context " 0x100000 32 id:100 step=1\n"

static char *expand(const char *trace)
{
    g_auto(GStrv) lines = g_strsplit(trace, "\n", -1);
    GString *text = g_string_new(NULL);
    for (char **line = lines; *line != NULL; line++) {
        bool is_flush = g_str_has_prefix(*line, "flush ") != FALSE;
        for (unsigned i = 0; is_flush && i < 32; i++)
            g_string_append_printf(text, "read %s 0x%x 4096\n", *line + 6, 0x100000 + i * 4096);
        if (!is_flush)
            g_string_append_printf(text, "%s\n", *line);
    }
    return g_string_free(text, FALSE);
}

/* The machine of play.h, with an engine of these KEYS, other settings of the MACHINE, and TOP. */
static Played *attempt(const char *trace, const char *top, const char *machine, const char *keys)
{
    g_autofree char *config = g_strdup_printf(
        "%s machine = { clock = \"1GHz\"; cores = 2; core = { cpi = 1.0; window = 1; };"
        " caches = ( { name = \"l1\"; serves = \"all\"; size = \"64KiB\"; ways = 16;"
        " latency = 3; } ); %s hash_engine = { %s }; };", top, machine, keys);
    g_autofree char *text = expand(trace);
    return play_configured(text, strlen(text), config, NULL);
}

static Played *played_on(const char *trace, const char *top, const char *machine,
                         const char *keys)
{
    Played *run = attempt(trace, top, machine, keys);
    if (run->error != NULL)
        printf("# %s\n", run->error->message);
    CU_ASSERT_PTR_NULL(run->error);
    return run;
}

/* ksm with an engine of these KEYS. */
static Played *played(const char *trace, const char *keys)
{
    return played_on(trace, KSM, "", keys);
}

static double stat(const Played *run, const char *name)
{
    return played_stat(run, "ksm", name);
}

/* One page, seen once: ksm makes its key and does nothing else with it. */
static const char one_page[] =
    "pagefold-trace 1\ncontext p process\nmap p 0x0 1 anon mergeable\n"
    "fill p 0x0 1 id:1\nscan 1\n";

static void test_reads(void)
{
    /* The daemon's core has caches of its own, which hold nothing of the page; the context's core
     * has all of it dirty and hands it over. */
    g_autoptr(Played) core = played(one_page, "kind = \"full\";");
    CU_ASSERT_EQUAL(stat(core, "hash_engine.pages"), 1);
    CU_ASSERT_EQUAL(stat(core, "hash_engine.bytes"), 4096);
    CU_ASSERT_EQUAL(stat(core, "hash_engine.busy_cycles"), 4096 / 16);
    CU_ASSERT_EQUAL(stat(core, "dram.reads_policy"), 0);
    CU_ASSERT_EQUAL(stat(core, "coherence.forwards"), 64);
    /* Or they come from there by the controller's snoops. */
    g_autoptr(Played) snoop =
        played(one_page, "kind = \"full\"; at = \"controller\";");
    CU_ASSERT_EQUAL(stat(snoop, "hash_engine.pages"), 1);
    CU_ASSERT_EQUAL(stat(snoop, "hash_engine.snoops"), 64);
    CU_ASSERT_EQUAL(stat(snoop, "dram.reads_policy"), 0);
    g_autoptr(Played) ecc = played(one_page, "kind = \"ecc\"; at = \"controller\";");
    CU_ASSERT_EQUAL(stat(ecc, "hash_engine.snoops"), 4);
    CU_ASSERT_EQUAL(stat(ecc, "hash_engine.bytes"), 4);
    g_autoptr(Played) skip =
        played(one_page, "kind = \"full\"; at = \"controller\"; dirty = \"skip\";");
    CU_ASSERT_EQUAL(stat(skip, "hash_engine.pages"), 0);
    CU_ASSERT_EQUAL(stat(skip, "hash_engine.skipped_pages"), 1);
    CU_ASSERT_EQUAL(stat(skip, "reason.volatile"), 1);
    CU_ASSERT_EQUAL(stat(skip, "cycles.account.hash"), 0);
}

/* A page that is written back: the same engines read it from DRAM, or do not leave it out. */
static void test_clean_page(void)
{
    static const char trace[] =
        "pagefold-trace 1\ncontext p process\nmap p 0x0 1 anon mergeable\n" SPARE("p")
        "fill p 0x0 1 id:1\nflush p\n"
        "scan 1\n";
    g_autoptr(Played) snoop = played(trace, "kind = \"full\"; at = \"controller\";");
    CU_ASSERT_EQUAL(stat(snoop, "hash_engine.snoops"), 0);
    CU_ASSERT_EQUAL(stat(snoop, "dram.reads_policy"), 64);
    g_autoptr(Played) ecc = played(trace, "kind = \"ecc\"; at = \"controller\";");
    CU_ASSERT_EQUAL(stat(ecc, "dram.reads_policy"), 4);
    g_autoptr(Played) skip =
        played(trace, "kind = \"full\"; at = \"controller\"; dirty = \"skip\";");
    CU_ASSERT_EQUAL(stat(skip, "hash_engine.pages"), 1);
    CU_ASSERT_EQUAL(stat(skip, "hash_engine.skipped_pages"), 0);
}

/* By costs the reading is the card's: the page's row, four lines, or the line of the key; then the
 * depth. The unit's own 256 cycles for a page are hidden behind 1000. */
static void test_costs(void)
{
    static const struct {
        const char *keys;
        double cycles;
    } cases[] = {
        {"kind = \"full\";", 1000 + 8},
        {"kind = \"full\"; at = \"controller\";", 1000 + 8},
        {"kind = \"full\"; at = \"controller\"; bytes_per_cycle = 2;", 2048 + 8},
        {"kind = \"ecc\"; at = \"controller\";", 4 * 50 + 8},
        {"kind = \"incremental\";", 50 + 8},
        {"kind = \"incremental\"; at = \"controller\"; depth = 0;", 50},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Played) run = played_on(one_page, KSM "timing = \"costs\";",
                                          "costs = { read_page = 1000; line = 50; };",
                                          cases[i].keys);
        if (stat(run, "cycles.account.hash") != cases[i].cycles)
            printf("# %s: %g\n", cases[i].keys, stat(run, "cycles.account.hash"));
        CU_ASSERT_EQUAL(stat(run, "cycles.account.hash"), cases[i].cycles);
        CU_ASSERT_EQUAL(stat(run, "hash_engine.snoops"), 0);
    }
}

/* One byte a cycle and one place: a line takes 64 cycles, and the next is taken when it begins. The
 * page is filled with zeros by the fault, then stored whole. Line i of the first fill begins at
 * 64 i, and the last is taken at 62 * 64 = 3968, where the caches take 63 + 3 = 66. The first line
 * of the store is taken when line 63 begins, at 4032, and begins at 4096; the last is taken at
 * 4096 + 62 * 64, which is 4096 after 3968. */
static void test_full_queue(void)
{
    static const char trace[] = "pagefold-trace 1\ncontext p process\n"
                                "map p 0x0 1 anon mergeable\nfill p 0x0 1 id:1\n";
    g_autoptr(Played) run =
        played(trace, "kind = \"incremental\"; bytes_per_cycle = 1; queue = 1;");
    CU_ASSERT_EQUAL(stat(run, "cycles.account.hash"), 3968 - 66 + 4096 - 66);
    CU_ASSERT_EQUAL(stat(run, "hash_engine.stores"), 128);
    CU_ASSERT_EQUAL(stat(run, "hash_engine.bytes"), 2 * 4096);
    /* Nobody asks for keys in that run. */
    CU_ASSERT_EQUAL(played_stat(run, "none", "hash_engine.stores"), 0);
    CU_ASSERT_EQUAL(played_stat(run, "none", "cycles.account.hash"), 0);
}

/* Three stores after the two fills of a page: 8 bytes, 1 byte, and 8 bytes across two lines. */
static const char stores[] =
    "pagefold-trace 1\ncontext p process\nmap p 0x0 1 anon mergeable\n" SPARE("p")
    "fill p 0x0 1 id:1\nwrite p 0x8 8 1\nwrite p 0x13 1 2\nwrite p 0x3c 8 3\nflush p\n";

static void test_stores_at_core(void)
{
    g_autoptr(Played) run = played(stores, "kind = \"incremental\";");
    CU_ASSERT_EQUAL(stat(run, "hash_engine.stores"), 2 * 64 + 1 + 1 + 2);
    CU_ASSERT_EQUAL(stat(run, "hash_engine.bytes"), 2 * 4096 + 8 + 4 + 8);
    CU_ASSERT_EQUAL(stat(run, "hash_engine.old_line_reads"), 0);
    CU_ASSERT_EQUAL(stat(run, "dram.reads_policy"), 0);
}

static void test_write_backs_at_controller(void)
{
    g_autoptr(Played) old =
        played(stores, "kind = \"incremental\"; at = \"controller\";");
    CU_ASSERT_EQUAL(stat(old, "hash_engine.stores"), 64);
    CU_ASSERT_EQUAL(stat(old, "hash_engine.old_line_reads"), 64);
    CU_ASSERT_EQUAL(stat(old, "dram.reads_policy"), 64);
    CU_ASSERT_EQUAL(stat(old, "dram.writes"), 64);
    g_autoptr(Played) digests =
        played_on(stores, KSM, "memory = \"256KiB\";",
                  "kind = \"incremental\"; at = \"controller\"; digest_bits = 16;");
    CU_ASSERT_EQUAL(stat(digests, "hash_engine.stores"), 64);
    CU_ASSERT_EQUAL(stat(digests, "hash_engine.old_line_reads"), 0);
    CU_ASSERT_EQUAL(stat(digests, "dram.reads_policy"), 0);
    /* 64 frames of a key of 8 bytes and 64 digests of 2. */
    CU_ASSERT_EQUAL(stat(digests, "hash_engine.metadata_bytes"), 64 * (8 + 64 * 2));
    CU_ASSERT_EQUAL(stat(digests, "memory.metadata_bytes"),
                    64 * (8 + 64 * 2) + stat(old, "memory.metadata_bytes") -
                        stat(old, "hash_engine.metadata_bytes"));
    CU_ASSERT_EQUAL(played_stat(digests, "none", "memory.metadata_bytes"), 0);
}

/* Between two looks of ksm a store is made, which the cache keeps until the end of the third: a key
 * of the page is another one at the second look and the same at the third, a key of DRAM the same
 * at the second and another one at the third. What ksm sees unchanged is told as unique. */
static void test_stale_key(void)
{
    static const char trace[] =
        "pagefold-trace 1\ncontext p process\nmap p 0x0 1 anon mergeable\n" SPARE("p")
        "fill p 0x0 1 id:1\nflush p\n"
        "scan pass 1\nwrite p 0x8 8 1\nscan pass 1\nmark dirty\nflush p\n"
        "scan pass 1\nmark clean\nscan pass 1\nmark quiet\n";
    static const struct {
        const char *keys;
        int is_unique[3];
    } cases[] = {
        {"kind = \"software\";", {0, 1, 1}},
        {"kind = \"incremental\";", {0, 1, 1}},
        {"kind = \"full\"; at = \"controller\";", {0, 1, 1}},
        {"kind = \"incremental\"; at = \"controller\";", {1, 0, 1}},
        {"kind = \"incremental\"; at = \"controller\"; digest_bits = 32;", {1, 0, 1}},
        {"kind = \"incremental\"; at = \"controller\"; dirty = \"skip\";", {0, 0, 1}},
        /* The store is in word 1 of line 0: no check bits of words 0 change. */
        {"kind = \"ecc\"; at = \"controller\";", {1, 1, 1}},
    };
    static const char *const remaps[] = {"pte", "controller"};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(remaps); i++) {
        const int *is_unique = cases[i / 2].is_unique;
        g_autofree char *policy =
            g_strdup_printf("policies = ({ name = \"ksm\"; pacing = \"trace\"; smart_scan = false;"
                            " remap = \"%s\"; });", remaps[i % 2]);
        g_autoptr(Played) run = played_on(trace, policy, "", cases[i / 2].keys);
        for (unsigned mark = 0; mark < 3; mark++) {
            double unique = played_mark_stat(run, "ksm", mark, "reason.unique");
            if (unique != is_unique[mark])
                printf("# %s, %s: mark %u\n", cases[i / 2].keys, remaps[i % 2], mark);
            CU_ASSERT_EQUAL(unique, is_unique[mark]);
            CU_ASSERT_EQUAL(played_mark_stat(run, "ksm", mark, "reason.volatile"), 1 - unique);
        }
    }
}

/* Stores of few values at few places of 2 * 8 pages, a fork, looks in between, and quiet at the
 * end. */
static char *random_trace(uint64_t seed)
{
    PfRng rng = pf_rng_derive(seed, "test");
    GString *trace = g_string_new(
        "pagefold-trace 1\ncontext p process\ncontext q process\n"
        "map p 0x0 8 anon mergeable\nmap q 0x0 8 anon mergeable\n" SPARE("p") SPARE("q"));
    for (unsigned i = 0; i < 300; i++) {
        char context = pf_rng_below(&rng, 2) == 0 ? 'p' : 'q';
        unsigned page = (unsigned)pf_rng_below(&rng, 8);
        unsigned place = (unsigned)pf_rng_below(&rng, 4) * 1000;
        unsigned value = (unsigned)pf_rng_below(&rng, 2);
        uint64_t kind = pf_rng_below(&rng, 20);
        if (kind == 0)
            g_string_append_printf(trace, "fill %c 0x%x 1 id:%u\n", context, page << 12, value);
        else if (kind == 1)
            g_string_append_printf(trace, "flush %c\n", context);
        else if (kind == 2)
            g_string_append(trace, "scan pass 1\n");
        else
            g_string_append_printf(trace, "write %c 0x%x 8 %u\n", context,
                                   (page << 12) + place, value);
    }
    g_string_append(trace, "flush p\nflush q\nscan pass 4\n");
    return g_string_free(trace, FALSE);
}

/* Whoever makes the keys: in the end equal pages share, and bytes are verified. */
static void test_same_sharings(void)
{
    static const char *const engines[] = {
        "kind = \"software\";", "kind = \"full\";", "kind = \"incremental\"; queue = 1;",
        "kind = \"full\"; at = \"controller\";",
        "kind = \"full\"; at = \"controller\"; dirty = \"skip\";",
        "kind = \"ecc\"; at = \"controller\";",
        "kind = \"incremental\"; at = \"controller\";",
        "kind = \"incremental\"; at = \"controller\"; digest_bits = 61; slices = \"channel\";",
    };
    static const char policies[] =
        "policies = ({ name = \"ksm\"; pacing = \"trace\"; smart_scan = false; },"
        " { name = \"ksm\"; label = \"apart\"; pacing = \"trace\"; smart_scan = false;"
        " place = \"controller\"; }, { name = \"ksm\"; label = \"unseen\"; pacing = \"trace\";"
        " smart_scan = false; place = \"controller\"; remap = \"controller\"; },"
        " { name = \"esx\"; pacing = \"trace\"; });";
    static const char *const labels[] = {"ksm", "apart", "unseen", "esx"};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        g_autofree char *trace = random_trace(seed);
        double saved[G_N_ELEMENTS(labels)];
        for (unsigned i = 0; i < G_N_ELEMENTS(engines); i++) {
            g_autoptr(Played) run =
                played_on(trace, policies, "dram = { channels = 2; };", engines[i]);
            for (unsigned j = 0; j < G_N_ELEMENTS(labels); j++) {
                double found = played_stat(run, labels[j], "memory.saved_pages");
                if (i == 0)
                    saved[j] = found;
                /* Of pages that match falsely esx knows one. */
                bool matches_falsely =
                    strstr(engines[i], "ecc") != NULL && g_str_equal(labels[j], "esx");
                bool right = matches_falsely ? found <= saved[j] : found == saved[j];
                if (!right)
                    printf("# seed %u, %s, %s\n", (unsigned)seed, labels[j], engines[i]);
                CU_ASSERT(right && found > 0);
            }
        }
    }
}

/* Pages that differ, and have the same first words in lines 0 of their quarters. */
static void test_false_matches(void)
{
    static const char trace[] =
        "pagefold-trace 1\ncontext p process\nmap p 0x0 4 anon mergeable\n"
        "fill p 0x0 4 zero\nwrite p 0x8 8 1\nwrite p 0x1010 8 2\nwrite p 0x2018 8 3\n"
        "scan pass 3\n";
    g_autoptr(Played) ecc =
        played_on(trace, ESX, "", "kind = \"ecc\"; at = \"controller\";");
    g_autoptr(Played) full =
        played_on(trace, ESX, "", "kind = \"full\"; at = \"controller\";");
    CU_ASSERT_EQUAL(played_stat(ecc, "esx", "memory.saved_pages"), 0);
    CU_ASSERT(played_stat(ecc, "esx", "policy.compares") > 0);
    CU_ASSERT_EQUAL(played_stat(full, "esx", "policy.compares"), 0);
}

/* 4096 bytes at 2.5 pJ are 10.24 nJ. */
static void test_energy(void)
{
    g_autoptr(Played) unknown = played(one_page, "kind = \"full\";");
    CU_ASSERT_EQUAL(stat(unknown, "hash_engine.energy_J"), -1); /* null */
    g_autoptr(Played) known = played(one_page, "kind = \"full\"; energy_per_byte = 2.5;");
    CU_ASSERT_DOUBLE_EQUAL(stat(known, "hash_engine.energy_J"), 10.24e-9, 1e-18);
    CU_ASSERT_DOUBLE_EQUAL(stat(known, "energy.account.hash_engine.dynamic_J"), 10.24e-9, 1e-18);
    CU_ASSERT_EQUAL(played_stat(unknown, "none", "hash_engine.energy_J"), 0);
}

static void test_parts_of_pages(void)
{
    g_autoptr(Played) run =
        attempt(one_page, "policies = ({ name = \"ksm\"; hash_bytes = 1024; });", "",
                "kind = \"incremental\";");
    CU_ASSERT_PTR_NOT_NULL_FATAL(run->error);
    CU_ASSERT_PTR_NOT_NULL(strstr(run->error->message, "keys of whole pages"));
    /* With its place in the configuration, the first line. */
    CU_ASSERT_PTR_NOT_NULL(strstr(run->error->message, ":1: policy 'ksm': "));
}

/* A quarter of a page of 4 KiB has 16 lines, 0 to 15. */
static void test_no_such_line(void)
{
    g_autoptr(Played) last =
        attempt(one_page, KSM, "", "kind = \"ecc\"; at = \"controller\"; ecc_line = 15;");
    CU_ASSERT_PTR_NULL(last->error);
    g_autoptr(Played) none =
        attempt(one_page, KSM, "", "kind = \"ecc\"; at = \"controller\"; ecc_line = 16;");
    CU_ASSERT_PTR_NOT_NULL_FATAL(none->error);
    CU_ASSERT_PTR_NOT_NULL(strstr(none->error->message, "machine.hash_engine.ecc_line: 16"));
}

static const PfCheck checks[] = {
    {"a line that a page does not have is an error", test_no_such_line},
    {"an engine reads through the caches, from DRAM, or from the cache that has the line dirty",
     test_reads},
    {"a page that is written back is read from DRAM", test_clean_page},
    {"by costs the card times the reading", test_costs},
    {"a context waits while the queue of an incremental engine is full", test_full_queue},
    {"at a core an incremental engine follows stores", test_stores_at_core},
    {"at the controller it follows write-backs, and reads old lines unless it has digests",
     test_write_backs_at_controller},
    {"a key kept at the controller is that of DRAM while lines are dirty", test_stale_key},
    {"whoever makes the keys, the same pages share in the end", test_same_sharings},
    {"keys of check bits match falsely, and nothing is merged that differs", test_false_matches},
    {"energy is that of the bytes, or null", test_energy},
    {"an engine that keeps keys of whole pages refuses a part", test_parts_of_pages},
};

PF_CHECK_MAIN("hash engine", checks)
