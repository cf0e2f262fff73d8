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

/* What `digest` says of each content. */
typedef struct {
    PfContentDigest *digest; /* NULL: nobody has asked for one yet */
    PfSegArray values;       /* uint64_t by entry, 0: not asked for yet */
} KeptDigest;

/* One for each hash that policies of one run commonly have: those of `esx` and `ksm` differ. */
enum { KEPT_DIGESTS = 2 };

struct PfContentStore {
    uint32_t page_bytes;
    GMutex lock; /* of all below; entries' own hash and bytes do not change while referenced */
    PfSegArray entries;
    KeptDigest kept[KEPT_DIGESTS]; /* in the order in which they were first asked for */
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
