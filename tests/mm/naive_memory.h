/* Memory as a fool would model it: every page by itself, with a string of bytes; no dense numbers,
 * no ranges, no counters that are kept up to date. What `none` uses, what the bytes of a page are
 * and how many distinct ones there are is found by looking at all of them. Tests compare the
 * simulator with it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

enum {
    NAIVE_CONTEXTS = 12,
    NAIVE_CLUSTER_PAGES = 80, /* neighbouring pages of a context */
    NAIVE_CLUSTERS = 2,
    NAIVE_PAGES = NAIVE_CLUSTERS * NAIVE_CLUSTER_PAGES,
    NAIVE_FILES = 3,
    NAIVE_FILE_PAGES = 256,
};

typedef struct NaiveFrame NaiveFrame;

/* The page of a file: it has bytes whether or not anybody maps it. */
typedef struct {
    GString *content;
    bool has_bytes; /* was given some */
    NaiveFrame *frame;
} NaiveObject;

struct NaiveFrame {
    GString *content; /* NULL: the object's */
    NaiveObject *object;
    unsigned maps;
    unsigned pins;
    bool was_shared; /* since it was made, or taken back by a store */
};

typedef struct {
    bool mapped;
    PfBacking backing;
    unsigned file;
    unsigned file_page;
    bool mergeable;
    bool writes_through; /* stores go to the file's page */
    bool populated;
    NaiveFrame *frame; /* NULL: untouched */
} NaivePage;

typedef struct {
    unsigned context;
    unsigned page;
    NaiveFrame *frame;
} NaivePin;

typedef struct {
    uint32_t page_bytes;
    bool alive[NAIVE_CONTEXTS];
    unsigned context_count;
    NaivePage pages[NAIVE_CONTEXTS][NAIVE_PAGES];
    NaiveObject objects[2][NAIVE_FILES][NAIVE_FILE_PAGES]; /* of files, of shared memory */
    NaiveFrame zero;
    GPtrArray *frames; /* all but `zero` */
    GArray *pins;      /* of NaivePin, oldest first */
    uint64_t unknown;  /* contents that nobody knows, so far */
} Naive;

Naive *naive_new(uint32_t page_bytes);
void naive_free(Naive *naive);

/* What SPEC is, as a string that is equal for equal contents and for no others. */
GString *naive_content(const Naive *naive, const PfContentSpec *spec);

unsigned naive_add_context(Naive *naive);
void naive_map(Naive *naive, unsigned context, unsigned page, const NaivePage *how);
void naive_unmap(Naive *naive, unsigned context, unsigned page);
void naive_dontneed(Naive *naive, unsigned context, unsigned page);
void naive_read(Naive *naive, unsigned context, unsigned page);
/* A store of LENGTH bytes at OFFSET; BYTES NULL: unknown ones. */
void naive_write(Naive *naive, unsigned context, unsigned page, unsigned offset,
                 const uint8_t *bytes, unsigned length);
void naive_touch(Naive *naive, unsigned context, unsigned page);
/* The whole page becomes CONTENT: by a store, or (STATE) because it is so. */
void naive_fill(Naive *naive, unsigned context, unsigned page, const GString *content,
                bool state);
void naive_alias(Naive *naive, unsigned context, unsigned page, unsigned from_context,
                 unsigned from_page);
void naive_fork(Naive *naive, unsigned parent);
/* The page goes to TARGET, which was unmapped before. */
void naive_move(Naive *naive, unsigned context, unsigned page, unsigned target);
void naive_pin(Naive *naive, unsigned context, unsigned page);
void naive_unpin(Naive *naive, unsigned context, unsigned page);
void naive_exit(Naive *naive, unsigned context);

uint64_t naive_populated(const Naive *naive);
/* Populated pages that SCOPE ("all", "anon", "mergeable") takes in. */
uint64_t naive_eligible(const Naive *naive, const char *scope);
uint64_t naive_used_frames(const Naive *naive);
uint64_t naive_distinct(const Naive *naive);
