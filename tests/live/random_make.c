/* What happens in a random scenario. */
#include <stdio.h>

#include "random_events.h"

/* What a scenario dwells on: how often it does what (in shares of all), and how KSM is set up (in
 * percent of such scenarios). */
typedef struct {
    const char *name;
    unsigned weights[EVENT_KINDS];
    unsigned smart_scan_percent;
    unsigned zero_pages_percent;
    unsigned low_sharing_percent; /* max_page_sharing of 2 to 4 */
    unsigned prune_percent;       /* chains pruned at each search; else never */
    unsigned contents;            /* id:0 (zero) to id:contents-1 */
} Profile;

/* clang-format off */
#define COMMON                                                                                     \
    [EVENT_CONTEXT] = 1, [EVENT_MAP] = 4, [EVENT_FILL] = 16, [EVENT_WRITE] = 6, [EVENT_TOUCH] = 5, \
    [EVENT_READ] = 2, [EVENT_FORK] = 2, [EVENT_UNMAP] = 3, [EVENT_REMAP] = 3,                      \
    [EVENT_MERGEABLE] = 3, [EVENT_UNMERGEABLE] = 3, [EVENT_DONTNEED] = 3, [EVENT_EXIT] = 1,        \
    [EVENT_SCAN] = 24, [EVENT_PASS] = 14, [EVENT_CONTROL] = 2
/* clang-format on */

static const Profile profiles[] = {
    {.name = "mixed",
     .weights = {COMMON, [EVENT_PINNED] = 2, [EVENT_UNPINNED] = 2},
     .smart_scan_percent = 30,
     .zero_pages_percent = 30,
     .low_sharing_percent = 30,
     .prune_percent = 50,
     .contents = 5},
    {.name = "chains",
     .weights = {COMMON},
     .smart_scan_percent = 10,
     .zero_pages_percent = 10,
     .low_sharing_percent = 100,
     .prune_percent = 50,
     .contents = 3},
    {.name = "zero pages",
     .weights = {COMMON, [EVENT_PINNED] = 1, [EVENT_UNPINNED] = 1},
     .smart_scan_percent = 20,
     .zero_pages_percent = 90,
     .low_sharing_percent = 20,
     .prune_percent = 50,
     .contents = 2},
    {.name = "families",
     .weights = {COMMON, [EVENT_PINNED] = 1, [EVENT_UNPINNED] = 1, [EVENT_LOCKED] = 6},
     .smart_scan_percent = 10,
     .zero_pages_percent = 20,
     .low_sharing_percent = 40,
     .prune_percent = 50,
     .contents = 4},
    {.name = "smart scan",
     .weights = {COMMON},
     .smart_scan_percent = 100,
     .zero_pages_percent = 20,
     .low_sharing_percent = 20,
     .prune_percent = 50,
     .contents = 9},
    {.name = "locked memory",
     .weights = {COMMON, [EVENT_LOCKED] = 5, [EVENT_UNLOCKED] = 2},
     .smart_scan_percent = 10,
     .zero_pages_percent = 20,
     .low_sharing_percent = 60,
     .prune_percent = 50,
     .contents = 3},
    {.name = "trees",
     .weights = {COMMON},
     .smart_scan_percent = 10,
     .zero_pages_percent = 10,
     .low_sharing_percent = 20,
     .prune_percent = 50,
     .contents = 40},
};

enum {
    LENGTH_MIN = 20,
    LENGTH_SPREAD = 70,
    TRIES_MAX = 2000, /* draws, most of which cannot happen just then */
    FAMILIES = 3,     /* index of the profile that forks a lot */
    SMART = 4,        /* index of the one that needs many passes */
};

typedef struct {
    PfRng rng;
    const Profile *profile;
    unsigned profile_index;
    EventWorld world;
    GArray *events;
    unsigned contexts; /* made so far */
} Maker;

static unsigned draw(Maker *maker, unsigned bound)
{
    return (unsigned)pf_rng_below(&maker->rng, bound);
}

static bool chance(Maker *maker, unsigned percent)
{
    return draw(maker, 100) < percent;
}

static bool add(Maker *maker, Event event)
{
    if (!event_world_apply(&maker->world, &event))
        return false;
    g_array_append_val(maker->events, event);
    maker->contexts += event.kind == EVENT_CONTEXT || event.kind == EVENT_FORK;
    return true;
}

static unsigned weight_of(const Maker *maker, unsigned kind)
{
    unsigned weight = maker->profile->weights[kind];
    return maker->profile_index == FAMILIES && (kind == EVENT_FORK || kind == EVENT_EXIT)
               ? 3 * weight
               : weight;
}

static EventKind draw_kind(Maker *maker)
{
    unsigned total = 0;
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
        total += weight_of(maker, kind);
    unsigned left = draw(maker, total);
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        unsigned weight = weight_of(maker, kind);
        if (left < weight)
            return (EventKind)kind;
        left -= weight;
    }
    g_assert_not_reached();
}

/* Mostly short ranges, in the areas that are used most. */
static void draw_range(Maker *maker, unsigned *ret_page, unsigned *ret_pages)
{
    unsigned area = MIN(draw(maker, EVENT_AREAS), draw(maker, EVENT_AREAS));
    unsigned first = draw(maker, EVENT_AREA_PAGES);
    unsigned room = EVENT_AREA_PAGES - first;
    *ret_page = area * EVENT_AREA_PAGES + first;
    *ret_pages = 1 + draw(maker, chance(maker, 70) ? MIN(room, 4) : room);
}

static void draw_control(Maker *maker, Event *event)
{
    static const unsigned sharings[] = {2, 3, 4, 256, 1};
    event->other = draw(maker, EVENT_KNOBS);
    event->number = draw(maker, 2);
    if (event->other == EVENT_KNOB_MAX_PAGE_SHARING)
        event->number = sharings[draw(maker, G_N_ELEMENTS(sharings))];
    if (event->other == EVENT_KNOB_PRUNE)
        event->number *= 3600000;
    if (event->other == EVENT_KNOB_RUN)
        event->number = draw(maker, 4);
}

/* A pinned page, which a page drawn at random hardly ever is. */
static void draw_pinned(Maker *maker, Event *event)
{
    unsigned start = draw(maker, EVENT_CONTEXTS_MAX * EVENT_PAGES);
    for (unsigned i = 0; i < EVENT_CONTEXTS_MAX * EVENT_PAGES; i++) {
        unsigned at = (start + i) % (EVENT_CONTEXTS_MAX * EVENT_PAGES);
        event->context = at / EVENT_PAGES;
        event->page = at % EVENT_PAGES;
        if (maker->world.pins[event->context][event->page] > 0)
            return;
    }
}

static Event draw_event(Maker *maker)
{
    static const unsigned offsets[] = {0, 2048, 4088};
    Event event = {.kind = draw_kind(maker), .pages = 1};
    event.context = draw(maker, maker->contexts);
    draw_range(maker, &event.page, &event.pages);
    if (event.kind == EVENT_CONTEXT)
        event.context = maker->contexts;
    if (event.kind == EVENT_FORK)
        event.other = maker->contexts;
    if (event.kind == EVENT_MAP)
        event.number = chance(maker, 85);
    if (event.kind == EVENT_FILL) {
        event.number = draw(maker, maker->profile->contents);
        event.step = chance(maker, 25);
    }
    if (event.kind == EVENT_WRITE) {
        event.number = draw(maker, 3);
        event.step = offsets[draw(maker, G_N_ELEMENTS(offsets))];
    }
    if (event.kind == EVENT_WRITE || event.kind == EVENT_READ || event.kind == EVENT_PINNED ||
        event.kind == EVENT_UNPINNED)
        event.pages = 1;
    if (event.kind == EVENT_UNPINNED)
        draw_pinned(maker, &event);
    if (event.kind == EVENT_REMAP)
        event.target = draw(maker, EVENT_PAGES);
    if (event.kind == EVENT_SCAN)
        event.pages = 1 + draw(maker, chance(maker, 80) ? 5 : 40);
    if (event.kind == EVENT_PASS)
        event.pages = 1 + draw(maker, maker->profile_index == SMART ? 6 : 2);
    if (event.kind == EVENT_CONTROL)
        draw_control(maker, &event);
    return event;
}

static void set(Maker *maker, EventKnob knob, unsigned value)
{
    add(maker, (Event){.kind = EVENT_CONTROL, .other = knob, .number = value, .pages = 1});
}

/* Some processes with something in them, so that there is something to scan from the start. */
static void set_up(Maker *maker)
{
    set(maker, EVENT_KNOB_SMART_SCAN, chance(maker, maker->profile->smart_scan_percent));
    set(maker, EVENT_KNOB_PRUNE, chance(maker, maker->profile->prune_percent) ? 0 : 3600000);
    if (chance(maker, maker->profile->zero_pages_percent))
        set(maker, EVENT_KNOB_USE_ZERO_PAGES, 1);
    if (chance(maker, maker->profile->low_sharing_percent))
        set(maker, EVENT_KNOB_MAX_PAGE_SHARING, 2 + draw(maker, 3));
    unsigned count = 1 + draw(maker, 3);
    for (unsigned context = 0; context < count; context++) {
        unsigned page = draw(maker, 4);
        unsigned pages = 4 + draw(maker, EVENT_AREA_PAGES - 8);
        unsigned content = draw(maker, maker->profile->contents);
        add(maker, (Event){.kind = EVENT_CONTEXT, .context = context, .pages = 1});
        add(maker,
            (Event){
                .kind = EVENT_MAP, .context = context, .page = page, .pages = pages, .number = 1});
        add(maker, (Event){.kind = EVENT_FILL,
                           .context = context,
                           .page = page,
                           .pages = pages,
                           .number = content,
                           .step = chance(maker, 30)});
    }
    if (chance(maker, 70))
        add(maker, (Event){.kind = EVENT_PASS, .pages = 1 + draw(maker, 2)});
}

GArray *events_make(uint64_t seed, unsigned index)
{
    char name[32];
    snprintf(name, sizeof(name), "scenario %u", index);
    Maker maker = {.rng = pf_rng_derive(seed, name),
                   .events = g_array_new(FALSE, FALSE, sizeof(Event))};
    maker.profile_index = draw(&maker, G_N_ELEMENTS(profiles));
    maker.profile = &profiles[maker.profile_index];
    set_up(&maker);
    unsigned length = maker.events->len + LENGTH_MIN + draw(&maker, LENGTH_SPREAD);
    for (unsigned tries = 0; tries < TRIES_MAX && maker.events->len < length; tries++)
        add(&maker, draw_event(&maker));
    return maker.events;
}
