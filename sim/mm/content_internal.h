/* What the files of the content store share; nobody else includes this. */
#pragma once

#include "content.h"
#include "seg_array.h"

typedef enum { FORM_FREE, FORM_BYTES, FORM_ID, FORM_IDENTITY } Form;

/* 32 bytes beside the page itself. */
typedef struct {
    uint64_t hash;
    union {
        uint8_t *bytes;  /* BYTES */
        uint64_t number; /* ID, IDENTITY */
    };
    uint32_t references; /* atomic */
    uint32_t next;       /* in its bucket, or in the list of free entries */
    uint32_t form;
    uint32_t start; /* the first bytes, the first one highest: orders most pages; not IDENTITY */
} Entry;

struct PfContentStore {
    uint32_t page_bytes;
    GMutex lock; /* of all below; entries' own hash and bytes do not change while referenced */
    PfSegArray entries;
    PfSegArray digests; /* uint64_t by entry: what `digest` says of it, 0: not asked for yet */
    PfContentDigest *digest;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t used; /* entries ever made */
    uint32_t free_list;
    uint64_t alive;
    uint64_t pages_kept;
    uint64_t hashed; /* pages, to be interned */
};

/* The entry with INDEX. */
static inline Entry *entry_at(const PfContentStore *store, uint32_t index)
{
    return pf_seg_array_at(&store->entries, index);
}
