/* The distinct contents met so far, each with how often and where: what `potential` keeps in
 * memory, whatever the number of pages. A content is known by 128 bits. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "seg_array.h"

/* Kinds of pages. A page of zeros of anonymous memory is a kind of its own. */
typedef enum {
    PF_PAGE_ZERO,
    PF_PAGE_ANON,
    PF_PAGE_FILE,
    PF_PAGE_SHMEM,
} PfPageKind;

enum { PF_PAGE_KINDS = 4 };

typedef struct {
    uint64_t low;
    uint64_t high;
} PfIdentity;

/* No content has more copies, since no more pages are counted in all. */
#define PF_CONTENT_COPIES_MAX UINT32_MAX

/* What is kept of a content. */
typedef struct {
    PfIdentity identity;
    uint32_t copies[PF_PAGE_KINDS]; /* frames that hold it */
    uint32_t contexts;              /* that these belong to */
    uint32_t last_context;
    uint32_t first_context;
    uint32_t shared;        /* number of its PfCopiedContent; 0 while there is one copy */
    uint64_t first_address; /* where it was met first, in the first context */
} PfDistinctContent;

enum { PF_SHARED_PLACES = 4, PF_EXCERPT_BYTES = 24 };

/* What is kept besides of a content that has more than one copy. */
typedef struct {
    struct {
        uint32_t context;
        uint32_t copies;
    } places[PF_SHARED_PLACES]; /* the first contexts that have it */
    uint32_t excerpt_offset;    /* in the page: of the first 16 bytes that are not all zero */
    uint32_t excerpt_length;    /* 0 for zeros, and where no bytes are known */
    uint8_t excerpt[PF_EXCERPT_BYTES];
} PfCopiedContent;

typedef struct {
    PfSegArray contents; /* of PfDistinctContent, in order of appearance */
    PfSegArray shared;   /* of PfCopiedContent; number 0 is of nobody */
    uint64_t *index;     /* open addressing: identity's bits above, number + 1 below; 0 is empty */
    uint64_t index_mask;
    uint32_t count;
    uint32_t shared_count; /* number 0 included */
} PfContentTable;

/* An empty table; _clear frees what it holds. */
void pf_content_table_init(PfContentTable *table);
void pf_content_table_clear(PfContentTable *table);

/* One more frame of KIND holds the content IDENTITY: at ADDRESS of CONTEXT, whose frames are told
 * one after the other. BYTES is the page of PAGE_BYTES, NULL where it is not known. */
typedef struct {
    PfIdentity identity;
    PfPageKind kind;
    uint32_t context;
    uint32_t page_bytes;
    uint64_t address;
    const uint8_t *bytes;
} PfContentSighting;

/* Whether the content was met for the first time, and whether for the first time in its context. */
typedef struct {
    bool is_new;
    bool is_new_here;
} PfContentNovelty;

/* Counts SIGHTING. */
PfContentNovelty pf_content_table_add(PfContentTable *table, const PfContentSighting *sighting);

/* Content number INDEX, in order of appearance; NULL where there is none, and what is kept besides
 * of one that has more than one copy, else NULL. */
const PfDistinctContent *pf_content_table_at(const PfContentTable *table, uint32_t index);
const PfCopiedContent *pf_content_table_shared(const PfContentTable *table,
                                               const PfDistinctContent *content);

/* Copies of all kinds. */
static inline uint64_t pf_distinct_copies(const PfDistinctContent *content)
{
    uint64_t copies = 0;
    for (unsigned kind = 0; kind < PF_PAGE_KINDS; kind++)
        copies += content->copies[kind];
    return copies;
}

/* The memory that the table takes: of elements in use and of the index. */
uint64_t pf_content_table_bytes(const PfContentTable *table);
