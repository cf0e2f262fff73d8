/* What a run keeps of its sharings. */
#include "check.h"

#include <string.h>

#include "play.h"

/* Pages 0 and 1 are merged at 2 ms, 0 is stored to at 5 ms; pages 2 and 3 are merged at 2 ms, and 3
 * goes at 7 ms. */
static const char trace[] = "pagefold-trace 1\ngrain page\ncontext p process\n"
                            "map p 0x10000 4 anon mergeable\n"
                            "fill p 0x10000 2 id:1\nfill p 0x12000 2 id:2\n"
                            "time 1ms\nscan pass 1\ntime 2ms\nscan pass 1\n"
                            "time 5ms\ntouch p 0x10000 1\ntime 7ms\nunmap p 0x13000 1\n";

static const char policies[] =
    "policies = ({ name = \"ksm\"; pacing = \"trace\"; smart_scan = false; },"
    "            { name = \"ksm\"; label = \"other\"; pacing = \"trace\"; smart_scan = false; });";

static Played *play_window(const PfWindow *window, unsigned threads)
{
    PfSimulationOptions options = {.threads = threads,
                                   .verify = true,
                                   .paranoid = true,
                                   .events_directory = g_get_tmp_dir(),
                                   .window = *window};
    return play(trace, policies, &options);
}

static void add_event(const PfRunEvent *event, void *user)
{
    GString *text = user;
    static const char *const kinds[] = {"share", "break", "end"};
    g_string_append_printf(text, "%" G_GUINT64_FORMAT " %s %u.%" G_GUINT64_FORMAT, event->cycle,
                           kinds[event->kind], event->context, event->page.number);
    if (event->has_partner)
        g_string_append_printf(text, " with %u.%" G_GUINT64_FORMAT, event->partner_context,
                               event->partner_page.number);
    if (event->kind != PF_RUN_EVENT_SHARE)
        g_string_append_printf(text, " after %" G_GUINT64_FORMAT, event->lifetime_cycles);
    g_string_append_c(text, '\n');
}

static char *events_of(const Played *played, const char *label)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_TRUE(pf_run_events_visit(played_run(played, label), add_event, text, &error));
    return g_string_free(text, FALSE);
}

/* The partner that was met first comes to the frame of the page that found it. */
#define MERGES                            \
    "2000000 share 0.16 with 0.17\n"      \
    "2000000 share 0.18 with 0.19\n"
#define BREAK "5000000 break 0.16 with 0.17 after 3000000\n"
#define END "7000000 end 0.19 with 0.18 after 5000000\n"

static void test_events(void)
{
    const PfWindow all = {.last = UINT64_MAX};
    for (unsigned threads = 1; threads <= 3; threads++) {
        g_autoptr(Played) played = play_window(&all, threads);
        g_autofree char *events = events_of(played, "ksm");
        g_autofree char *others = events_of(played, "other");
        g_autofree char *nothing = events_of(played, "none");
        CU_ASSERT_STRING_EQUAL(events, MERGES BREAK END);
        CU_ASSERT_STRING_EQUAL(others, MERGES BREAK END);
        CU_ASSERT_STRING_EQUAL(nothing, "");
    }
}

static void test_window(void)
{
    const struct {
        PfWindow window;
        const char *events;
    } cases[] = {
        {{.first = 2000000, .last = 5000000}, MERGES BREAK},
        {{.first = 2000001, .last = 4999999}, ""},
        /* A cycle is a nanosecond, 1000 ps. */
        {{.first = 5000000000U, .last = 7000000, .first_is_ps = true}, BREAK END},
        {{.first = 0, .last = 6999999999U, .last_is_ps = true}, MERGES BREAK END},
        {{.first = 0, .last = 6999999000U, .last_is_ps = true}, MERGES BREAK},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Played) played = play_window(&cases[i].window, 1);
        g_autofree char *events = events_of(played, "ksm");
        CU_ASSERT_STRING_EQUAL(events, cases[i].events);
        if (strcmp(events, cases[i].events) != 0)
            printf("# case %u: %s", i, events);
    }
    const PfWindow none = {.first = 2, .last = 1};
    g_autoptr(Played) refused = play_window(&none, 1);
    CU_ASSERT_PTR_NULL(refused->simulation);
    CU_ASSERT_PTR_NOT_NULL(refused->error);
}

static void test_nothing_kept(void)
{
    g_autoptr(Played) played = play(trace, policies, NULL);
    g_autofree char *events = events_of(played, "ksm");
    CU_ASSERT_STRING_EQUAL(events, "");
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "sharing.broken"), 1);
}

static void test_no_place(void)
{
    PfSimulationOptions options = {.threads = 1,
                                   .events_directory = "/there/is/no/such/folder",
                                   .window = {.last = UINT64_MAX}};
    g_autoptr(Played) played = play(trace, policies, &options);
    CU_ASSERT_PTR_NULL(played->simulation);
    CU_ASSERT_PTR_NOT_NULL_FATAL(played->error);
    CU_ASSERT_PTR_NOT_NULL(strstr(played->error->message, "events cannot be kept"));
}

static const PfCheck checks[] = {
    {"each sharing made, broken or ended is kept in order", test_events},
    {"a window takes both its ends in", test_window},
    {"events that nobody wants are not kept", test_nothing_kept},
    {"a place that cannot be written to is told", test_no_place},
};

int main(void)
{
    return pf_check_main("events", checks, G_N_ELEMENTS(checks));
}
