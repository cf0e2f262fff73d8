/* Random scenarios of KSM: made, kept valid, printed as traces, and made smaller.
 *
 * A scenario is a list of events over a small world: a dozen processes, each with four areas of 16
 * pages, and a handful of contents, so that pages meet, trees grow deep and chains long. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "rng.h"

enum {
    EVENT_CONTEXTS_MAX = 12, /* ever made in one scenario */
    EVENT_AREA_PAGES = 16,
    EVENT_AREAS = 4,
    EVENT_PAGES = EVENT_AREA_PAGES * EVENT_AREAS,
    EVENT_PINS_MAX = 3, /* of one page */
};

typedef enum {
    EVENT_CONTEXT,
    EVENT_MAP,
    EVENT_FILL,
    EVENT_WRITE,
    EVENT_TOUCH,
    EVENT_READ,
    EVENT_FORK,
    EVENT_UNMAP,
    EVENT_REMAP,
    EVENT_MERGEABLE,
    EVENT_UNMERGEABLE,
    EVENT_DONTNEED,
    EVENT_PINNED,
    EVENT_UNPINNED,
    EVENT_LOCKED,
    EVENT_UNLOCKED,
    EVENT_EXIT,
    EVENT_SCAN,
    EVENT_PASS,
    EVENT_CONTROL,
    EVENT_KINDS
} EventKind;

typedef enum {
    EVENT_KNOB_SMART_SCAN,
    EVENT_KNOB_USE_ZERO_PAGES,
    EVENT_KNOB_MAX_PAGE_SHARING,
    EVENT_KNOB_PRUNE,
    EVENT_KNOB_MERGE_ACROSS_NODES,
    EVENT_KNOB_RUN,
    EVENT_KNOBS
} EventKnob;

typedef struct {
    EventKind kind;
    unsigned context;
    unsigned other;  /* fork: the child; control: EventKnob */
    unsigned page;   /* the first one; a range does not leave its area */
    unsigned pages;  /* 1 or more; scan: pages, pass: passes */
    unsigned target; /* remap: the first page there */
    unsigned number; /* fill: content; write: value; map: 1 for mergeable; control: value */
    unsigned step;   /* fill: by which the content grows; write: byte offset in the page */
} Event;

/* A scenario, the same one each time for the same SEED and INDEX. Free with g_array_unref. */
GArray *events_make(uint64_t seed, unsigned index);

/* What stays of EVENTS without those that cannot happen (a process that is not there, a page that
 * is not mapped). Free with g_array_unref. */
GArray *events_keep_valid(const GArray *events);

/* EVENTS as a text trace, with a mark after each. */
GString *events_print(const GArray *events);

/* Whether a scenario still shows what is looked for. */
typedef bool (*EventsTest)(const GArray *events, void *user);

/* A scenario for which TEST holds as it does for EVENTS, from which no event can be dropped and in
 * which no range or number can be made smaller; or what was reached after TESTS_MAX tests. Free
 * with g_array_unref. */
GArray *events_shrink(const GArray *events, EventsTest test, void *user, unsigned tests_max);

/* What exists at a point of a scenario. */
typedef struct {
    uint64_t mapped[EVENT_CONTEXTS_MAX]; /* a bit a page */
    bool lives[EVENT_CONTEXTS_MAX];
    bool existed[EVENT_CONTEXTS_MAX];
    uint8_t pins[EVENT_CONTEXTS_MAX][EVENT_PAGES];
} EventWorld;

/* Applies EVENT to WORLD; false, and nothing changed, where it cannot happen. */
bool event_world_apply(EventWorld *world, const Event *event);
