#include <string.h>

#include "random_events.h"

/* Where the areas lie. */
#define AREA_BASE   0x200000000000U
#define AREA_STRIDE 0x4000000U
#define PAGE_BYTES  4096U

static uint64_t bits(unsigned page, unsigned pages)
{
    return (pages >= 64 ? UINT64_MAX : ((uint64_t)1 << pages) - 1) << page;
}

static bool fits(unsigned page, unsigned pages)
{
    return pages > 0 && page < EVENT_PAGES && page % EVENT_AREA_PAGES + pages <= EVENT_AREA_PAGES;
}

static bool begin(EventWorld *world, unsigned context)
{
    if (context >= EVENT_CONTEXTS_MAX || world->existed[context])
        return false;
    world->existed[context] = true;
    world->lives[context] = true;
    return true;
}

static bool apply_remap(EventWorld *world, const Event *event)
{
    uint64_t from = bits(event->page, event->pages);
    if (!fits(event->target, event->pages))
        return false;
    uint64_t to = bits(event->target, event->pages);
    uint64_t *mapped = &world->mapped[event->context];
    if ((*mapped & from) != from || (from & to) != 0)
        return false;
    *mapped = (*mapped & ~from) | to;
    return true;
}

static bool apply_pin(EventWorld *world, const Event *event)
{
    uint8_t *pins = &world->pins[event->context][event->page];
    if (event->kind == EVENT_PINNED ? *pins == EVENT_PINS_MAX : *pins == 0)
        return false;
    if (event->kind == EVENT_PINNED)
        (*pins)++;
    else
        (*pins)--;
    return true;
}

/* Events of a range of pages of a living process. */
static bool apply_range(EventWorld *world, const Event *event)
{
    if (!fits(event->page, event->pages))
        return false;
    uint64_t range = bits(event->page, event->pages);
    uint64_t *mapped = &world->mapped[event->context];
    if (event->kind == EVENT_MAP) {
        if ((*mapped & range) != 0)
            return false;
        *mapped |= range;
        return true;
    }
    if (event->kind == EVENT_UNPINNED)
        return apply_pin(world, event);
    if (event->kind == EVENT_UNMAP) {
        bool is_some = (*mapped & range) != 0;
        *mapped &= ~range;
        return is_some;
    }
    if (event->kind == EVENT_REMAP)
        return apply_remap(world, event);
    if ((*mapped & range) != range)
        return false;
    return event->kind != EVENT_PINNED || apply_pin(world, event);
}

bool event_world_apply(EventWorld *world, const Event *event)
{
    if (event->kind == EVENT_CONTEXT)
        return begin(world, event->context);
    if (event->kind == EVENT_SCAN || event->kind == EVENT_PASS || event->kind == EVENT_CONTROL)
        return true;
    if (event->context >= EVENT_CONTEXTS_MAX || !world->lives[event->context])
        return false;
    if (event->kind == EVENT_FORK) {
        if (!begin(world, event->other))
            return false;
        world->mapped[event->other] = world->mapped[event->context];
        return true;
    }
    if (event->kind == EVENT_EXIT) {
        world->lives[event->context] = false;
        world->mapped[event->context] = 0;
        return true;
    }
    return apply_range(world, event);
}

GArray *events_keep_valid(const GArray *events)
{
    EventWorld world = {0};
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(Event));
    for (guint i = 0; i < events->len; i++)
        if (event_world_apply(&world, &g_array_index(events, Event, i)))
            g_array_append_val(kept, g_array_index(events, Event, i));
    return kept;
}

static uint64_t address_of(unsigned page)
{
    return AREA_BASE + (uint64_t)(page / EVENT_AREA_PAGES) * AREA_STRIDE +
           (uint64_t)(page % EVENT_AREA_PAGES) * PAGE_BYTES;
}

static const char *const words[EVENT_KINDS] = {
    [EVENT_MAP] = "map",         [EVENT_FILL] = "fill",        [EVENT_WRITE] = "write",
    [EVENT_TOUCH] = "touch",     [EVENT_READ] = "read",        [EVENT_UNMAP] = "unmap",
    [EVENT_REMAP] = "remap",     [EVENT_MERGEABLE] = "advise", [EVENT_UNMERGEABLE] = "advise",
    [EVENT_DONTNEED] = "advise", [EVENT_PINNED] = "attr",      [EVENT_UNPINNED] = "attr",
    [EVENT_LOCKED] = "attr",     [EVENT_UNLOCKED] = "attr",
};

static const char *const last_words[EVENT_KINDS] = {
    [EVENT_MERGEABLE] = " mergeable", [EVENT_UNMERGEABLE] = " unmergeable",
    [EVENT_DONTNEED] = " dontneed",   [EVENT_PINNED] = " pinned",
    [EVENT_UNPINNED] = " unpinned",   [EVENT_LOCKED] = " locked",
    [EVENT_UNLOCKED] = " unlocked",
};

static const char *const knob_names[EVENT_KNOBS] = {
    [EVENT_KNOB_SMART_SCAN] = "smart_scan",
    [EVENT_KNOB_USE_ZERO_PAGES] = "use_zero_pages",
    [EVENT_KNOB_MAX_PAGE_SHARING] = "max_page_sharing",
    [EVENT_KNOB_PRUNE] = "stable_node_chains_prune_millisecs",
    [EVENT_KNOB_MERGE_ACROSS_NODES] = "merge_across_nodes",
    [EVENT_KNOB_RUN] = "run",
};

static void print_range(GString *out, const Event *event)
{
    g_string_append_printf(
        out, "%s c%u 0x%" G_GINT64_MODIFIER "x ", words[event->kind], event->context,
        address_of(event->page) + (event->kind == EVENT_WRITE ? event->step : 0));
    if (event->kind == EVENT_WRITE)
        g_string_append_printf(out, "8 0x%x", event->number);
    else if (event->kind == EVENT_READ)
        g_string_append_printf(out, "%u", PAGE_BYTES);
    else
        g_string_append_printf(out, "%u", event->pages);
    if (event->kind == EVENT_MAP)
        g_string_append_printf(out, " anon%s", event->number != 0 ? " mergeable" : "");
    if (event->kind == EVENT_FILL)
        g_string_append_printf(out, " id:%u", event->number);
    if (event->kind == EVENT_FILL && event->step != 0)
        g_string_append_printf(out, " step=%u", event->step);
    if (event->kind == EVENT_REMAP)
        g_string_append_printf(out, " 0x%" G_GINT64_MODIFIER "x", address_of(event->target));
    if (last_words[event->kind] != NULL)
        g_string_append(out, last_words[event->kind]);
}

static void print_event(GString *out, const Event *event)
{
    if (event->kind == EVENT_CONTEXT)
        g_string_append_printf(out, "context c%u process", event->context);
    else if (event->kind == EVENT_FORK)
        g_string_append_printf(out, "fork c%u c%u", event->context, event->other);
    else if (event->kind == EVENT_EXIT)
        g_string_append_printf(out, "exit c%u", event->context);
    else if (event->kind == EVENT_SCAN || event->kind == EVENT_PASS)
        g_string_append_printf(out, "scan %s%u", event->kind == EVENT_PASS ? "pass " : "",
                               event->pages);
    else if (event->kind == EVENT_CONTROL)
        g_string_append_printf(out, "control ksm.%s %u", knob_names[event->other], event->number);
    else
        print_range(out, event);
    g_string_append_c(out, '\n');
}

GString *events_print(const GArray *events)
{
    GString *out = g_string_new("pagefold-trace 1\npage 4KiB\nclock 2.6GHz\n");
    for (guint i = 0; i < events->len; i++) {
        print_event(out, &g_array_index(events, Event, i));
        g_string_append_printf(out, "mark \"%u\"\n", i);
    }
    return out;
}
