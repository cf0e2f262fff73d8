/* Memory as a fool would model it: every page by itself, with a string of bytes; no dense numbers,
 * no ranges, no counters that are kept up to date. What `none` uses, what the bytes of a page are
 * and how many distinct ones there are is found by looking at all of them. The laws and tests
 * compare the simulator with it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

enum {
    PF_NAIVE_CONTEXTS = 12,
    PF_NAIVE_CLUSTER_PAGES = 80, /* neighbouring pages of a context */
    PF_NAIVE_CLUSTERS = 2,
    PF_NAIVE_PAGES = PF_NAIVE_CLUSTERS * PF_NAIVE_CLUSTER_PAGES,
    PF_NAIVE_FILES = 3,
    PF_NAIVE_FILE_PAGES = 256,
};

typedef struct PfNaiveFrame PfNaiveFrame;

/* The page of a file: it has bytes whether or not anybody maps it. */
typedef struct {
    GString *content;
    bool has_bytes; /* was given some */
    PfNaiveFrame *frame;
} PfNaiveObject;

struct PfNaiveFrame {
    GString *content; /* NULL: the object's */
    PfNaiveObject *object;
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
    PfNaiveFrame *frame; /* NULL: untouched */
} PfNaivePage;

typedef struct {
    unsigned context;
    unsigned page;
    PfNaiveFrame *frame;
} PfNaivePin;

typedef struct {
    uint32_t page_bytes;
    bool alive[PF_NAIVE_CONTEXTS];
    unsigned context_count;
    PfNaivePage pages[PF_NAIVE_CONTEXTS][PF_NAIVE_PAGES];
    PfNaiveObject objects[2][PF_NAIVE_FILES][PF_NAIVE_FILE_PAGES]; /* of files, of shared memory */
    PfNaiveFrame zero;
    GPtrArray *frames; /* all but `zero` */
    GArray *pins;      /* of PfNaivePin, oldest first */
    uint64_t unknown;  /* contents that nobody knows, so far */
} PfNaive;

/* Memory without contexts, of pages of PAGE_BYTES. */
PfNaive *pf_naive_new(uint32_t page_bytes);
void pf_naive_free(PfNaive *naive);

/* What SPEC is, as a string that is equal for equal contents and for no others. */
GString *pf_naive_content(const PfNaive *naive, const PfContentSpec *spec);

/* Each is a record of the same name in a trace. PAGE counts the pages of CONTEXT, cluster after
 * cluster. Adding a context returns its number. */
unsigned pf_naive_add_context(PfNaive *naive);
void pf_naive_map(PfNaive *naive, unsigned context, unsigned page, const PfNaivePage *how);
void pf_naive_unmap(PfNaive *naive, unsigned context, unsigned page);
void pf_naive_dontneed(PfNaive *naive, unsigned context, unsigned page);
void pf_naive_read(PfNaive *naive, unsigned context, unsigned page);
/* A store of LENGTH bytes at OFFSET; BYTES NULL: unknown ones. */
void pf_naive_write(PfNaive *naive, unsigned context, unsigned page, unsigned offset,
                    const uint8_t *bytes, unsigned length);
void pf_naive_touch(PfNaive *naive, unsigned context, unsigned page);
/* The whole page becomes CONTENT: by a store, or (STATE) because it is so. */
void pf_naive_fill(PfNaive *naive, unsigned context, unsigned page, const GString *content,
                   bool state);
void pf_naive_alias(PfNaive *naive, unsigned context, unsigned page, unsigned from_context,
                    unsigned from_page);
void pf_naive_fork(PfNaive *naive, unsigned parent);
/* The page goes to TARGET, which was unmapped before. */
void pf_naive_move(PfNaive *naive, unsigned context, unsigned page, unsigned target);
void pf_naive_pin(PfNaive *naive, unsigned context, unsigned page);
void pf_naive_unpin(PfNaive *naive, unsigned context, unsigned page);
void pf_naive_exit(PfNaive *naive, unsigned context);

/* Pages that have a frame, or that a read has populated. */
uint64_t pf_naive_populated(const PfNaive *naive);
/* Populated pages that SCOPE ("all", "anon", "mergeable") takes in. */
uint64_t pf_naive_eligible(const PfNaive *naive, const char *scope);
/* Frames that `none` uses, and contents of populated pages. */
uint64_t pf_naive_used_frames(const PfNaive *naive);
uint64_t pf_naive_distinct(const PfNaive *naive);
