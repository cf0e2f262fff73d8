/* The policies that sweep over all pages: brute, zero, zero-compress. Pages have 4096 bytes, time
 * is told by the standard cost card: 450 cycles a line, 2200 to compare and 1520 to read a page,
 * 1800 to clear one, 2000 a trap, 1400 an allocation; of pages that caches hold, 38 a line and 214
 * to compare. */
#include "check.h"

#include <string.h>

#include "error.h"
#include "play.h"

#define HEAD "pagefold-trace 1\ngrain page\ncontext a process\nmap a 0x0 64 anon\n"
#define TRACED(name) "{ name = \"" name "\"; pacing = \"trace\"; }"

enum { PAGE_BYTES = 4096 };
enum { LINE = 450, NEAR_LINE = 38, COMPARE = 2200, COMPARE_NEAR = 214, READ = 1520 };

static double last(const Played *played, const char *label, const char *name)
{
    CU_ASSERT_PTR_NULL(played->error);
    return played_stat(played, label, name);
}

/* Plays TRACE on a machine of so much memory. */
static Played *play_in(uint64_t memory_bytes, const char *trace, const char *settings)
{
    g_autofree char *config = g_strdup_printf(
        "machine = { memory = %" G_GUINT64_FORMAT "L; };\n%s", memory_bytes, settings);
    return play_configured(trace, strlen(trace), config, NULL);
}

/* PAGES pages that begin with another letter each, looked at once by brute. */
static Played *brute_on_letters(unsigned pages)
{
    GString *trace = g_string_new(HEAD);
    for (unsigned i = 0; i < pages; i++)
        g_string_append_printf(trace, "state a 0x%x 1 \"%c\"\n", i * PAGE_BYTES, 'A' + (int)i);
    g_string_append(trace, "scan pass 1\n");
    Played *played = play(trace->str, "policies = (" TRACED("brute") ");", NULL);
    g_string_free(trace, TRUE);
    return played;
}

static void brute_compares_each_pair_once(void)
{
    static const unsigned counts[] = {1, 2, 3, 25};
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++) {
        unsigned n = counts[i];
        g_autoptr(Played) played = brute_on_letters(n);
        unsigned pairs = n * (n - 1) / 2;
        CU_ASSERT_EQUAL(last(played, "brute", "brute.compares"), pairs);
        CU_ASSERT_EQUAL(last(played, "brute", "policy.shared"), 0);
        /* All differ in their first byte; of each page but one the first comparison brings it into
         * the caches, for those that follow. */
        CU_ASSERT_EQUAL(last(played, "brute", "cycles.account.compare"),
                        (n - 1) * LINE + (pairs - (n - 1)) * NEAR_LINE);
        CU_ASSERT_EQUAL(last(played, "brute", "cycles.account.hash"), 0);
    }
}

/* What brute's comparison of a page id:1 with one of CONTENT costs. */
static double brute_cost(const char *content)
{
    g_autofree char *trace =
        g_strdup_printf(HEAD "state a 0x0 1 id:1\nstate a 0x1000 1 %s\nscan 2\n", content);
    g_autoptr(Played) played = play(trace, "policies = (" TRACED("brute") ");", NULL);
    CU_ASSERT_EQUAL(last(played, "brute", "brute.compares"), 1);
    return last(played, "brute", "cycles.account.compare");
}

static void brute_compares_up_to_the_first_difference(void)
{
    CU_ASSERT_EQUAL(brute_cost("id:1^0=1"), LINE);
    CU_ASSERT_EQUAL(brute_cost("id:1^2047=1"), COMPARE / 2.0);
    CU_ASSERT_EQUAL(brute_cost("id:1^4095=1"), COMPARE);
    CU_ASSERT_EQUAL(brute_cost("id:1"), COMPARE);
}

/* Three contexts of 12 pages, 20 contents in all: 8, 4 and 8 that begin with the same numbers. */
static void brute_saves_what_hashes_save(void)
{
    const char *trace = "pagefold-trace 1\ngrain page\ncontext a vm\ncontext b vm\ncontext c vm\n"
                        "map a 0x0 12 anon\nmap b 0x0 12 anon\nmap c 0x0 12 anon\n"
                        "state a 0x0 12 id:1 step=1\nstate b 0x0 12 id:5 step=1\n"
                        "state c 0x0 12 id:9 step=1\nscan pass 1\nmark \"once\"\nscan pass 40\n";
    g_autoptr(Played) played = play(trace,
                                    "policies = (" TRACED("brute") ", " TRACED("esx") ","
                                    " { name = \"oracle\"; } );",
                                    NULL);
    CU_ASSERT_EQUAL(last(played, "oracle", "memory.used_frames"), 20); /* id:1 .. id:20 */
    CU_ASSERT_EQUAL(played_mark_stat(played, "brute", 0, "memory.used_frames"), 20);
    CU_ASSERT_EQUAL(last(played, "brute", "memory.used_frames"), 20);
    CU_ASSERT_EQUAL(last(played, "esx", "memory.used_frames"), 20);
}

/* Two pages of zeros, one that differs in its first byte and one in its last. */
#define ZEROS                                                                                      \
    HEAD "fill a 0x0 2 zero\nfill a 0x2000 1 hex:01\nfill a 0x3000 1 id:0^4095=1\n"               \
         "scan pass 1\nmark \"swept\"\n"

static void zero_maps_pages_of_zeros_to_the_zero_page(void)
{
    g_autoptr(Played) played = play(ZEROS "read a 0x0 8\nmark \"read\"\n"
                                          "write a 0x0 8 0x1\nscan pass 1\nmark \"written\"\n",
                                    "timing = \"costs\"; policies = (" TRACED("zero") ");", NULL);
    CU_ASSERT_EQUAL(played_mark_stat(played, "zero", 0, "zero.mapped"), 2);
    CU_ASSERT_EQUAL(played_mark_stat(played, "zero", 0, "memory.used_frames"), 1 + 2);
    CU_ASSERT_EQUAL(played_mark_stat(played, "zero", 1, "memory.used_frames"), 3);
    CU_ASSERT_EQUAL(played_mark_stat(played, "zero", 2, "memory.used_frames"), 4);
    CU_ASSERT_EQUAL(last(played, "zero", "zero.mapped"), 1);
    CU_ASSERT_EQUAL(last(played, "zero", "policy.broken"), 1);
    CU_ASSERT_EQUAL(last(played, "zero", "policy.scanned"), 2 * 4);
}

static void zero_reads_up_to_the_first_byte_that_is_not_zero(void)
{
    const char *settings = "timing = \"costs\"; policies = (" TRACED("zero") ");";
    g_autoptr(Played) played = play(ZEROS, settings, NULL);
    /* The two pages of zeros are compared with the zero page besides, which is far at first. */
    CU_ASSERT_EQUAL(last(played, "zero", "cycles.account.compare"),
                    READ + COMPARE + READ + COMPARE_NEAR + LINE + READ);
    CU_ASSERT_EQUAL(last(played, "zero", "cycles.account.hash"), 0);
}

/* Cycles that faults take in LABEL's run when LINES come after the sweep. */
static double faults(const char *label, const char *lines)
{
    g_autofree char *trace = g_strconcat(ZEROS, lines, NULL);
    g_autoptr(Played) played = play(
        trace, "timing = \"costs\"; policies = (" TRACED("zero") "," TRACED("zero-compress") ");",
        NULL);
    return last(played, label, "cycles.account.fault");
}

static void reading_a_reclaimed_page_takes_a_frame_reading_a_shared_one_none(void)
{
    g_autoptr(Played) played =
        play(ZEROS "read a 0x0 8\nmark \"read\"\nread a 0x8 8\nmark \"again\"\n"
                   "write a 0x1000 8 0x1\nmark \"written\"\n",
             "timing = \"costs\"; policies = (" TRACED("zero") "," TRACED("zero-compress") ");",
             NULL);
    static const unsigned compressed[] = {2, 3, 3, 4};
    static const unsigned shared[] = {3, 3, 3, 4};
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(played_mark_stat(played, "zero-compress", i, "memory.used_frames"),
                        compressed[i]);
        CU_ASSERT_EQUAL(played_mark_stat(played, "zero", i, "memory.used_frames"), shared[i]);
    }
    static const unsigned helped[] = {2, 1, 1, 0};
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(played_mark_stat(played, "zero-compress", i, "reason.shared"), helped[i]);
        CU_ASSERT_EQUAL(played_mark_stat(played, "zero-compress", i, "reason.unique"), 2);
        CU_ASSERT_EQUAL(played_mark_stat(played, "zero-compress", i, "reason.not_reached"),
                        2 - helped[i]);
    }
    /* As a first touch: trap, allocation, a page cleared. */
    double before = faults("zero-compress", "");
    CU_ASSERT_EQUAL(faults("zero-compress", "read a 0x0 8\n") - before, 2000 + 1400 + 1800);
    CU_ASSERT_EQUAL(faults("zero-compress", "read a 0x0 8\nread a 0x8 8\n") - before, 5200);
    CU_ASSERT_EQUAL(faults("zero-compress", "write a 0x0 8 0x1\n") - before, 5200);
    CU_ASSERT_EQUAL(faults("zero", "read a 0x0 8\n"), before);
    CU_ASSERT_EQUAL(last(played, "zero-compress", "zero-compress.reclaimed"), 2);
    CU_ASSERT_EQUAL(last(played, "zero-compress", "zero-compress.recreated"), 2);
    CU_ASSERT_EQUAL(last(played, "zero-compress", "policy.shared"), 0);
}

static void pages_are_reclaimed_while_memory_is_short(void)
{
    /* Short while less than 2 of 10 frames are free: not with 8 in use, but with 9. */
    const char *settings =
        "policies = ( { name = \"zero-compress\"; low = 0.2; sleep = \"1ms\"; } );";
    g_autoptr(Played) eight =
        play_in(10 * PAGE_BYTES, HEAD "fill a 0x0 8 zero\nidle a 10ms\n", settings);
    CU_ASSERT_EQUAL(last(eight, "zero-compress", "zero-compress.reclaimed"), 0);
    CU_ASSERT_EQUAL(last(eight, "zero-compress", "policy.scanned"), 0);
    g_autoptr(Played) nine =
        play_in(10 * PAGE_BYTES, HEAD "fill a 0x0 9 zero\nidle a 10ms\n", settings);
    CU_ASSERT_EQUAL(last(nine, "zero-compress", "zero-compress.reclaimed"), 1);
    CU_ASSERT_EQUAL(last(nine, "zero-compress", "policy.scanned"), 1);
    g_autoptr(Played) always = play_in(
        10 * PAGE_BYTES, HEAD "fill a 0x0 8 zero\nidle a 10ms\n",
        "policies = ( { name = \"zero-compress\"; when = \"always\"; sleep = \"1ms\"; } );");
    CU_ASSERT_EQUAL(last(always, "zero-compress", "zero-compress.reclaimed"), 8);
}

/* The policy sleeps for good; but it is asked when no frame is free. */
#define ASLEEP                                                                                     \
    "policies = ( { name = \"zero-compress\"; low = 0.0; sleep = \"5000s\"; },"                    \
    "             { name = \"zero\"; limited = false; } );"

static bool ran_out(const Played *played)
{
    return g_error_matches(played->error, PF_ERROR, PF_ERROR_LIMIT);
}

static void who_finds_no_frame_asks_for_one(void)
{
    g_autoptr(Played) enough = play_in(
        4 * PAGE_BYTES, HEAD "fill a 0x0 1 id:1\nfill a 0x1000 2 zero\nfill a 0x3000 2 id:2\n",
        ASLEEP);
    CU_ASSERT_EQUAL(last(enough, "zero-compress", "zero-compress.reclaimed"), 1);
    CU_ASSERT_EQUAL(last(enough, "zero-compress", "memory.used_frames"), 4);
    g_autoptr(Played) nothing =
        play_in(4 * PAGE_BYTES, HEAD "fill a 0x0 4 id:1 step=1\nfill a 0x4000 1 zero\n", ASLEEP);
    CU_ASSERT(ran_out(nothing));
    /* To read a page that was given back another has to go; to pin it, too. */
    g_autoptr(Played) turns = play_in(
        PAGE_BYTES,
        HEAD "fill a 0x0 1 zero\nfill a 0x5000 1 zero\nread a 0x0 8\nread a 0x5000 8\n"
             "attr a 0x0 1 pinned\n",
        ASLEEP);
    CU_ASSERT_EQUAL(last(turns, "zero-compress", "zero-compress.reclaimed"), 4);
    CU_ASSERT_EQUAL(last(turns, "zero-compress", "zero-compress.recreated"), 3);
}

/* A store across pages 0 and 1: when 1 finds no frame, 0 is stored to, but holds zeros still. */
static void a_page_that_is_being_stored_to_is_not_reclaimed(void)
{
    const char *store = "write a 0xffc 8 0x1111111111111111\n";
    g_autofree char *alone = g_strconcat(HEAD "fill a 0x0 1 zero\n", store, NULL);
    g_autoptr(Played) none_left = play_in(PAGE_BYTES, alone, ASLEEP);
    CU_ASSERT(ran_out(none_left));
    g_autofree char *both =
        g_strconcat(HEAD "fill a 0x0 1 zero\nfill a 0x5000 1 zero\n", store, NULL);
    g_autoptr(Played) other = play_in((uint64_t)2 * PAGE_BYTES, both, ASLEEP);
    CU_ASSERT_EQUAL(last(other, "zero-compress", "zero-compress.reclaimed"), 1);
    CU_ASSERT_EQUAL(last(other, "zero-compress", "zero-compress.recreated"), 0);
    CU_ASSERT_EQUAL(pf_simulation_differences(other->simulation), 0);
}

static const PfCheck checks[] = {
    {"brute compares each pair once", brute_compares_each_pair_once},
    {"brute compares up to the first difference", brute_compares_up_to_the_first_difference},
    {"brute saves what hashes save", brute_saves_what_hashes_save},
    {"zero maps pages of zeros to the zero page", zero_maps_pages_of_zeros_to_the_zero_page},
    {"zero reads up to the first byte that is not zero",
     zero_reads_up_to_the_first_byte_that_is_not_zero},
    {"reading a reclaimed page takes a frame, reading a shared one none",
     reading_a_reclaimed_page_takes_a_frame_reading_a_shared_one_none},
    {"pages are reclaimed while memory is short", pages_are_reclaimed_while_memory_is_short},
    {"who finds no frame asks for one", who_finds_no_frame_asks_for_one},
    {"a page that is being stored to is not reclaimed",
     a_page_that_is_being_stored_to_is_not_reclaimed},
};

PF_CHECK_MAIN("sweeps", checks)
