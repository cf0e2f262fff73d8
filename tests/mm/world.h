/* A memory image and the mappings of two runs, driven by lines of a text trace: one run in which
 * tests share pages, and one that shares nothing. After each record everything is checked that can
 * be. */
#pragma once

#include "memory.h"

typedef struct {
    PfContentStore *store;
    PfImage *image;
    PfMemory memory; /* tests may share here */
    PfMemory plain;  /* what `none` does */
    uint64_t now_cycles;
    uint32_t page_bytes;
    PfFault fault;     /* of the last read, store or pin in `memory` */
    bool was_merged;   /* the last store met a sharing */
    bool unchecked;    /* set it to play much: world_check is for the test to call */
    char *error;       /* why the image refused a record, NULL */
    uint32_t bad_record; /* which one, of the last call's */
    GString *text;     /* all lines so far */
    uint32_t played;   /* their records */
    uint32_t contents; /* of theirs, known to the image */
    GPtrArray *traces; /* what details and labels are borrowed from */
} World;

/* CAPACITY_FRAMES limits `memory`; 0: no limit. */
World *world_new(uint32_t page_bytes, uint64_t capacity_frames, PfScope scope);
void world_free(World *world);

/* Plays LINES, each of which ends with a newline. False where the image refused a record; nothing
 * can be played after that. */
bool world_play(World *world, const char *lines);

/* Called for WORLD after each page of a record and each record, with the position of `memory`. */
typedef void (*WorldWatcher)(World *world, void *user);
bool world_play_watched(World *world, const char *lines, WorldWatcher watch, void *user);

/* The slot of PAGE of context number CONTEXT, which must have one. */
PfSlot world_slot(const World *world, uint32_t context, uint64_t page);
/* The frame that it maps in `memory`; UINT32_MAX where it maps none. */
uint32_t world_frame(const World *world, uint32_t context, uint64_t page);
/* PF_ENTRY_* in `memory`. */
unsigned world_entry(const World *world, uint32_t context, uint64_t page);

/* Whether the page holds, in the image and in the frame it maps, SPEC. */
bool world_holds(World *world, uint32_t context, uint64_t page, const char *spec);
/* Checks books, and every page against the image. */
void world_check(World *world);
