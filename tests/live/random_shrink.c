/* A failing scenario made smaller: first fewer events (Zeller, Hildebrandt, "Simplifying and
 * isolating failure-inducing input", IEEE TSE 28(2), 2002, without its complements), then smaller
 * ones. */
#include "random_events.h"

typedef struct {
    GArray *events; /* the smallest so far; owned */
    EventsTest test;
    void *user;
    unsigned tests_left;
} Shrinker;

/* Takes CANDIDATE (consumed) if it is smaller in the sense of the caller and shows it still. */
static bool try_candidate(Shrinker *shrinker, GArray *candidate)
{
    g_autoptr(GArray) valid = events_keep_valid(candidate);
    g_array_unref(candidate);
    if (valid->len == 0 || shrinker->tests_left == 0)
        return false;
    shrinker->tests_left--;
    if (!shrinker->test(valid, shrinker->user))
        return false;
    g_array_unref(shrinker->events);
    shrinker->events = g_steal_pointer(&valid);
    return true;
}

static GArray *copy_events(const GArray *events)
{
    GArray *copy = g_array_new(FALSE, FALSE, sizeof(Event));
    return g_array_append_vals(copy, events->data, events->len);
}

/* Drops COUNT events at a time, from the end, which the rest depends on least. */
static bool drop_chunks(Shrinker *shrinker, guint count)
{
    bool is_smaller = false;
    for (guint end = shrinker->events->len; end >= count;) {
        GArray *candidate = copy_events(shrinker->events);
        g_array_remove_range(candidate, end - count, count);
        guint before = shrinker->events->len;
        if (try_candidate(shrinker, candidate)) {
            is_smaller = true;
            /* What could not happen any more is gone as well, wherever it stood. */
            end = MIN(end - MIN(end, before - shrinker->events->len), shrinker->events->len);
        } else {
            end -= MIN(end, count);
        }
        if (end == 0)
            break;
    }
    return is_smaller;
}

static bool drop_events(Shrinker *shrinker)
{
    bool is_smaller = false;
    for (guint count = MAX(shrinker->events->len / 2, 1); count > 0; count /= 2)
        is_smaller = drop_chunks(shrinker, count) || is_smaller;
    return is_smaller;
}

/* Half of the number at OFFSET of event INDEX, but not below LEAST. */
static bool halve(Shrinker *shrinker, guint index, size_t offset, unsigned least)
{
    bool is_smaller = false;
    for (;;) {
        GArray *candidate = copy_events(shrinker->events);
        Event *event = &g_array_index(candidate, Event, index);
        unsigned *number = (unsigned *)(void *)((char *)event + offset);
        unsigned before = *number;
        *number = MAX(before / 2, least);
        if (*number == before) {
            g_array_unref(candidate);
            return is_smaller;
        }
        guint length = shrinker->events->len;
        if (!try_candidate(shrinker, candidate) || shrinker->events->len != length)
            return is_smaller;
        is_smaller = true;
    }
}

static bool reduce_events(Shrinker *shrinker)
{
    bool is_smaller = false;
    for (guint i = 0; i < shrinker->events->len; i++) {
        is_smaller = halve(shrinker, i, offsetof(Event, pages), 1) || is_smaller;
        if (i < shrinker->events->len &&
            g_array_index(shrinker->events, Event, i).kind == EVENT_FILL)
            is_smaller = halve(shrinker, i, offsetof(Event, step), 0) || is_smaller;
    }
    return is_smaller;
}

GArray *events_shrink(const GArray *events, EventsTest test, void *user, unsigned tests_max)
{
    Shrinker shrinker = {
        .events = copy_events(events), .test = test, .user = user, .tests_left = tests_max};
    bool is_smaller = true;
    while (is_smaller && shrinker.tests_left > 0) {
        is_smaller = drop_events(&shrinker);
        is_smaller = reduce_events(&shrinker) || is_smaller;
    }
    return shrinker.events;
}
