/* `collapse` by what caches write back to memory: when it looks pages up, how often, and what it
 * does where there are no caches.
 *
 * The cores have one cache each, of four lines of 64 bytes in one set with true LRU; a page has
 * four lines. Pages B and those behind it are there from the beginning, with bytes in memory
 * (`state`, which costs nothing and is looked up at once); a `touch` of one stores to its first
 * line, which pushes out the line that was used longest ago. Page records are not translated, so no
 * walk uses the caches. */
#include "check.h"

#include <string.h>

#include "error.h"
#include "play.h"

#define BEGIN                                                                                      \
    "pagefold-trace 1\npage 256\ngrain page\ncontext p process\nmap p 0x0 16 anon\n"               \
    "state p 0x100 1 id:1\nstate p 0x200 6 id:100 step=1\ntime 1ms\nmark \"begin\"\n"

static const char begin[] = BEGIN;

/* All four lines of page A, stored to the same bytes as those of B, or to others. */
#define EQUAL "fill p 0x0 1 id:1\n"
#define OTHER "fill p 0x0 1 id:2\n"

/* Three lines of A go, then the fourth. A write-back comes to memory when it has been through the
 * controller's table, if there is one: time is left for that. */
static const char pushed[] =
    "mark \"filled\"\ntouch p 0x200 1\ntime 2ms\nmark \"one\"\ntouch p 0x300 2\ntime 3ms\n"
    "mark \"three\"\ntouch p 0x500 1\ntime 4ms\nmark \"four\"\n";

enum { AT_BEGIN, FILLED, ONE, THREE, FOUR };

/* MACHINE is what comes after the first cache. */
static Played *attempt(const char *trace, const char *top, const char *machine,
                       const char *settings)
{
    g_autofree char *config = g_strdup_printf(
        "%s machine = { cores = 1; caches = ( { name = \"l1\"; serves = \"all\"; size = 256;"
        " ways = 4; }%s }; policies = ({ name = \"collapse\"; %s });",
        top, machine, settings);
    return play_configured(trace, strlen(trace), config, NULL);
}

static Played *played(const char *store, const char *machine, const char *settings)
{
    g_autofree char *trace = g_strconcat(begin, store, pushed, NULL);
    Played *run = attempt(trace, "timing = \"full\";", machine, settings);
    if (run->error != NULL)
        printf("# %s\n", run->error->message);
    CU_ASSERT_PTR_NULL(run->error);
    return run;
}

static double at(const Played *run, size_t mark, const char *name)
{
    return played_mark_stat(run, "collapse", mark, name);
}

static double searches_since_begin(const Played *run, size_t mark)
{
    return at(run, mark, "collapse.searches") - at(run, AT_BEGIN, "collapse.searches");
}

#define NO_MORE " );"
#define LINES "look_up = \"line-writeback\"; "
#define PAGES "when = \"write-back\"; "

/* Where the policy's own reads do not go through the context's cache. */
static const char *const places[] = {"", "place = \"controller\"; ",
                                     "place = \"controller\"; remap = \"controller\"; "};

/* Seven pages were looked up at the beginning, as memory had all of them. */
static void a_page_is_looked_up_with_its_last_dirty_line(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *settings = g_strconcat(PAGES, places[i], NULL);
        g_autoptr(Played) run = played(EQUAL, NO_MORE, settings);
        CU_ASSERT_EQUAL(at(run, AT_BEGIN, "collapse.searches"), 7);
        CU_ASSERT_EQUAL(at(run, FILLED, "collapse.lines_written_back"), 0);
        CU_ASSERT_EQUAL(at(run, THREE, "collapse.lines_written_back"), 3);
        CU_ASSERT_EQUAL(at(run, THREE, "collapse.dirty"), 4); /* A and those stored to */
        CU_ASSERT_EQUAL(searches_since_begin(run, THREE), 0);
        CU_ASSERT_EQUAL(at(run, THREE, "memory.used_frames"), 8);
        CU_ASSERT_EQUAL(at(run, FOUR, "collapse.lines_written_back"), 4);
        CU_ASSERT_EQUAL(at(run, FOUR, "collapse.dirty"), 4); /* those stored to */
        CU_ASSERT_EQUAL(searches_since_begin(run, FOUR), 1);
        CU_ASSERT_EQUAL(at(run, FOUR, "memory.used_frames"), 7);
        CU_ASSERT_EQUAL(at(run, FOUR, "collapse.collapsed"), 1);
    }
}

/* Looked up with its first line A is collapsed, and lines of a free frame are nobody's. Else each
 * of the four is a search. */
static void each_dirty_line_is_a_search(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *settings = g_strconcat(LINES, places[i], NULL);
        g_autoptr(Played) equal = played(EQUAL, NO_MORE, settings);
        CU_ASSERT_EQUAL(searches_since_begin(equal, FILLED), 0);
        CU_ASSERT_EQUAL(at(equal, FILLED, "memory.used_frames"), 8);
        CU_ASSERT_EQUAL(searches_since_begin(equal, ONE), 1);
        CU_ASSERT_EQUAL(at(equal, ONE, "memory.used_frames"), 7);
        CU_ASSERT_EQUAL(at(equal, FOUR, "collapse.lines_written_back"), 1);
        g_autoptr(Played) other = played(OTHER, NO_MORE, settings);
        CU_ASSERT_EQUAL(searches_since_begin(other, FILLED), 0);
        CU_ASSERT_EQUAL(searches_since_begin(other, ONE), 1);
        CU_ASSERT_EQUAL(searches_since_begin(other, THREE), 3);
        CU_ASSERT_EQUAL(searches_since_begin(other, FOUR), 4);
        CU_ASSERT_EQUAL(at(other, FOUR, "collapse.lines_written_back"), 4);
        CU_ASSERT_EQUAL(at(other, FOUR, "memory.used_frames"), 8);
        CU_ASSERT_EQUAL(played_stat(other, "collapse", "cache.l1.writebacks"), 4);
    }
}

/* A second level of four lines is full when the first has written back A's, and none has gone to
 * memory. With page 6 the first level writes back page 2's line, which takes the place of A's
 * first. (Page work stores whole lines, which are not read from below.) */
static void only_what_leaves_the_last_level_counts(void)
{
    static const char second[] =
        ", { name = \"l2\"; serves = \"all\"; size = 256; ways = 4; } );";
    g_autofree char *trace =
        g_strconcat(begin, OTHER, pushed, "touch p 0x600 1\ntime 5ms\nmark \"five\"\n", NULL);
    g_autoptr(Played) run = attempt(trace, "timing = \"full\";", second, LINES);
    CU_ASSERT_PTR_NULL_FATAL(run->error);
    CU_ASSERT_EQUAL(at(run, FOUR, "collapse.lines_written_back"), 0);
    CU_ASSERT_EQUAL(searches_since_begin(run, FOUR), 0);
    CU_ASSERT_EQUAL(at(run, FOUR + 1, "collapse.lines_written_back"), 1);
    CU_ASSERT_EQUAL(searches_since_begin(run, FOUR + 1), 1);
    CU_ASSERT_EQUAL(played_stat(run, "collapse", "cache.l1.writebacks"), 4 + 1);
    CU_ASSERT_EQUAL(played_stat(run, "collapse", "cache.l2.writebacks"), 1);
}

/* The engine follows write-backs: before the last of them its key is of A's new lines and of the
 * zeros that were there. So the key of A finds B with the fourth line, whichever way it is looked
 * up. */
static void an_engine_at_the_controller_knows_a_page_by_its_last_line(void)
{
    static const struct {
        const char *settings;
        double searches; /* with the third line and with the fourth */
        double searches_after;
    } rows[] = {{LINES, 3, 4}, {PAGES, 0, 1}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Played) run =
            played(EQUAL, NO_MORE "hash_engine = { kind = \"incremental\"; at = \"controller\"; };",
                   rows[i].settings);
        CU_ASSERT_EQUAL(searches_since_begin(run, THREE), rows[i].searches);
        CU_ASSERT_EQUAL(at(run, THREE, "memory.used_frames"), 8);
        CU_ASSERT_EQUAL(searches_since_begin(run, FOUR), rows[i].searches_after);
        CU_ASSERT_EQUAL(at(run, FOUR, "memory.used_frames"), 7);
        CU_ASSERT_EQUAL(at(run, FOUR, "collapse.false_matches"), 0);
    }
}

/* A is collapsed after the store to page 2 (one line) or to page 5 (all), and copied by the last of
 * STORES more. */
static void a_collapse_that_is_soon_undone_is_transient(void)
{
    static const struct {
        const char *settings;
        double stores; /* until A is copied */
    } rows[] = {{LINES, 5}, {PAGES, 2}};
    static const char last[] = "touch p 0x600 1\nfill p 0x0 1 id:9\n";
    g_autofree char *trace = g_strconcat(begin, EQUAL, pushed, last, NULL);
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        double within = rows[i / 2].stores - (double)(i % 2);
        g_autofree char *settings =
            g_strdup_printf("%stransient_stores = %g; ", rows[i / 2].settings, within);
        g_autoptr(Played) run = attempt(trace, "timing = \"full\";", NO_MORE, settings);
        CU_ASSERT_PTR_NULL_FATAL(run->error);
        CU_ASSERT_EQUAL(played_stat(run, "collapse", "collapse.transient"), i % 2 == 0);
        CU_ASSERT_EQUAL(played_stat(run, "collapse", "policy.broken"), 1);
    }
}

/* A page that is stored to anew, while its lines leave, is looked up when the new ones have. */
static void a_store_on_the_way_puts_the_look_up_off(void)
{
    static const char trace[] =
        BEGIN EQUAL
        "touch p 0x200 3\nmark \"three\"\n" /* A's fourth line and three others are there */
        "touch p 0x0 1\nmark \"stored\"\n" /* its first line: the fourth goes */
        "touch p 0x500 3\nmark \"before\"\n" /* the three others go */
        "touch p 0x200 1\nmark \"after\"\n"; /* its first line goes again */
    g_autoptr(Played) run = attempt(trace, "timing = \"full\";", NO_MORE, PAGES);
    CU_ASSERT_PTR_NULL_FATAL(run->error);
    CU_ASSERT_EQUAL(at(run, 2, "collapse.lines_written_back"), 4);
    CU_ASSERT_EQUAL(searches_since_begin(run, 2), 0);
    CU_ASSERT_EQUAL(at(run, 3, "collapse.lines_written_back"), 4 + 3);
    CU_ASSERT_EQUAL(searches_since_begin(run, 3), 3); /* of pages 2, 3 and 4 */
    CU_ASSERT_EQUAL(at(run, 3, "memory.used_frames"), 8);
    CU_ASSERT_EQUAL(searches_since_begin(run, 4), 4);
    CU_ASSERT_EQUAL(at(run, 4, "memory.used_frames"), 7);
}

/* Without caches nothing is written back: an error, not a policy that never does anything. */
static void a_run_without_caches_is_refused(void)
{
    static const char *const ways[] = {LINES, PAGES};
    static const struct {
        const char *trace;
        const char *top;
        bool is_built; /* what the trace's grain is, is known when it is played */
        bool is_refused;
    } rows[] = {
        {"pagefold-trace 1\ngrain page\n", "timing = \"full\";", true, false},
        {"pagefold-trace 1\ngrain page\n", "", true, true},
        {"pagefold-trace 1\ngrain access\n", "", true, false},
        {"pagefold-trace 1\ngrain access\n", "timing = \"costs\";", false, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows) * G_N_ELEMENTS(ways); i++) {
        size_t row = i / G_N_ELEMENTS(ways);
        g_autoptr(Played) run =
            attempt(rows[row].trace, rows[row].top, NO_MORE, ways[i % G_N_ELEMENTS(ways)]);
        CU_ASSERT_EQUAL(run->simulation != NULL, rows[row].is_built);
        CU_ASSERT_EQUAL(run->error != NULL, rows[row].is_refused);
        if (run->error == NULL)
            continue;
        CU_ASSERT_TRUE(g_error_matches(run->error, PF_ERROR, PF_ERROR_CONFIG));
        CU_ASSERT_PTR_NOT_NULL(strstr(run->error->message, "set timing = \"full\""));
    }
}

static const PfCheck checks[] = {
    {"a page is looked up with its last dirty line", a_page_is_looked_up_with_its_last_dirty_line},
    {"each dirty line is a search", each_dirty_line_is_a_search},
    {"only what leaves the last level counts", only_what_leaves_the_last_level_counts},
    {"an engine at the controller knows a page by its last line",
     an_engine_at_the_controller_knows_a_page_by_its_last_line},
    {"a collapse that is soon undone is transient", a_collapse_that_is_soon_undone_is_transient},
    {"a store on the way puts the look-up off", a_store_on_the_way_puts_the_look_up_off},
    {"a run without caches is refused", a_run_without_caches_is_refused},
};

int main(void)
{
    return pf_check_main("write backs", checks, G_N_ELEMENTS(checks));
}
