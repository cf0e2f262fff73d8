/* The random scenarios themselves: whether they are traces, differ, and can be made smaller. No
 * kernel is asked. */
#include <glib/gstdio.h>
#include <string.h>

#include "check.h"
#include "random_events.h"
#include "trace.h"

enum { SCENARIOS = 60 };

static void scenarios_are_traces(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-random-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.trace", NULL);
    for (unsigned i = 0; i < SCENARIOS; i++) {
        g_autoptr(GArray) events = events_make(3, i);
        g_autoptr(GString) text = events_print(events);
        PfTraceSummary summary = {0};
        g_autoptr(GError) error = NULL;
        CU_ASSERT_FATAL(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
        CU_ASSERT(pf_trace_verify(path, &summary, &error));
        /* An event and a mark each. */
        CU_ASSERT_EQUAL(summary.records, 2 * events->len);
        CU_ASSERT_EQUAL(summary.marks, events->len);
        CU_ASSERT(events->len >= 20);
    }
    g_unlink(path);
    g_rmdir(folder);
}

static void same_seed_same_scenario(void)
{
    g_autoptr(GArray) a = events_make(9, 4);
    g_autoptr(GArray) b = events_make(9, 4);
    g_autoptr(GArray) other = events_make(9, 5);
    g_autoptr(GString) a_text = events_print(a);
    g_autoptr(GString) b_text = events_print(b);
    g_autoptr(GString) other_text = events_print(other);
    CU_ASSERT_STRING_EQUAL(a_text->str, b_text->str);
    CU_ASSERT_STRING_NOT_EQUAL(a_text->str, other_text->str);
}

static void every_kind_happens(void)
{
    unsigned seen[EVENT_KINDS] = {0};
    for (unsigned i = 0; i < SCENARIOS; i++) {
        g_autoptr(GArray) events = events_make(1, i);
        for (guint e = 0; e < events->len; e++)
            seen[g_array_index(events, Event, e).kind]++;
    }
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
        CU_ASSERT(seen[kind] > 0);
}

static void what_cannot_happen_is_left_out(void)
{
    const Event events[] = {
        {.kind = EVENT_FILL, .context = 0, .page = 0, .pages = 1}, /* no process */
        {.kind = EVENT_CONTEXT, .context = 0, .pages = 1},         /* stays */
        {.kind = EVENT_FILL, .context = 0, .page = 0, .pages = 1}, /* not mapped */
        {.kind = EVENT_MAP, .context = 0, .page = 0, .pages = 4},  /* stays */
        {.kind = EVENT_MAP, .context = 0, .page = 3, .pages = 2},  /* mapped in part */
        {.kind = EVENT_MAP, .context = 0, .page = 14, .pages = 3}, /* leaves its area */
        {.kind = EVENT_REMAP, .context = 0, .page = 0, .pages = 2, .target = 1}, /* overlaps */
        {.kind = EVENT_REMAP, .context = 0, .page = 0, .pages = 2, .target = 8}, /* stays */
        {.kind = EVENT_TOUCH, .context = 0, .page = 0, .pages = 1},              /* moved away */
        {.kind = EVENT_UNPINNED, .context = 0, .page = 8, .pages = 1},           /* not pinned */
        {.kind = EVENT_EXIT, .context = 0, .pages = 1},                          /* stays */
        {.kind = EVENT_FORK, .context = 0, .other = 1, .pages = 1},              /* gone */
        {.kind = EVENT_SCAN, .pages = 1},                                        /* stays */
    };
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Event));
    g_array_append_vals(all, events, G_N_ELEMENTS(events));
    g_autoptr(GArray) kept = events_keep_valid(all);
    const unsigned expected[] = {1, 3, 7, 10, 12};
    CU_ASSERT_EQUAL_FATAL(kept->len, G_N_ELEMENTS(expected));
    for (guint i = 0; i < kept->len; i++)
        CU_ASSERT_EQUAL(g_array_index(kept, Event, i).kind, events[expected[i]].kind);
}

/* Something that only a fork after a map shows. */
static bool has_fork_of_mapped(const GArray *events, void *user)
{
    EventWorld world = {0};
    unsigned *tests = user;
    (*tests)++;
    for (guint i = 0; i < events->len; i++) {
        const Event *event = &g_array_index(events, Event, i);
        if (event->kind == EVENT_FORK && world.mapped[event->context] != 0)
            return true;
        event_world_apply(&world, event);
    }
    return false;
}

static void shrinking_leaves_what_matters(void)
{
    unsigned found = 0;
    for (unsigned i = 0; i < SCENARIOS && found < 5; i++) {
        g_autoptr(GArray) events = events_make(6, i);
        unsigned tests = 0;
        if (!has_fork_of_mapped(events, &tests))
            continue;
        found++;
        g_autoptr(GArray) smallest = events_shrink(events, has_fork_of_mapped, &tests, 2000);
        /* A context, a map of one page, and the fork; a forked parent would need one more. */
        CU_ASSERT_EQUAL_FATAL(smallest->len, 3);
        CU_ASSERT_EQUAL(g_array_index(smallest, Event, 0).kind, EVENT_CONTEXT);
        CU_ASSERT_EQUAL(g_array_index(smallest, Event, 1).kind, EVENT_MAP);
        CU_ASSERT_EQUAL(g_array_index(smallest, Event, 1).pages, 1);
        CU_ASSERT_EQUAL(g_array_index(smallest, Event, 2).kind, EVENT_FORK);
        CU_ASSERT(tests < 1000);
    }
    CU_ASSERT_EQUAL(found, 5);
}

static const PfCheck checks[] = {
    {"random scenarios are valid traces with a mark after each event", scenarios_are_traces},
    {"a seed and a number make one scenario", same_seed_same_scenario},
    {"every kind of event happens in some scenario", every_kind_happens},
    {"what cannot happen is left out of a scenario", what_cannot_happen_is_left_out},
    {"a scenario is shrunk to the events that matter", shrinking_leaves_what_matters},
};

PF_CHECK_MAIN("random scenarios", checks)
