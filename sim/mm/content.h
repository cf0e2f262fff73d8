/* Interned page contents: equal bytes are one object.
 *
 * One store serves a whole simulation: the memory image and all runs, which may intern and release
 * at the same time. A content is immutable; it lives while somebody holds a reference. Numbers of
 * contents depend on who came first and must never order anything; compare orders by bytes. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

typedef struct {
    uint32_t index;
} PfContent;

/* The page of zero bytes: always there, never counted. */
#define PF_CONTENT_OF_ZEROS ((PfContent){0})

typedef struct PfContentStore PfContentStore;

/* A store for pages of PAGE_BYTES. */
PfContentStore *pf_content_store_new(uint32_t page_bytes);
void pf_content_store_free(PfContentStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfContentStore, pf_content_store_free)

/* The content with these BYTES (a page of them, copied if new), with a reference for the caller. */
PfContent pf_content_intern(PfContentStore *store, const uint8_t *bytes);

/* The content that SPEC describes, with a reference. An id's bytes are not kept but made again when
 * asked for. */
PfContent pf_content_intern_spec(PfContentStore *store, const PfContentSpec *spec);

/* Takes and gives back a reference; the last one frees the content. The zero page stays. */
void pf_content_ref(PfContentStore *store, PfContent content);
void pf_content_unref(PfContentStore *store, PfContent content);

/* Whether its bytes are known (all but `hash:` identities). */
bool pf_content_has_bytes(const PfContentStore *store, PfContent content);

/* Its bytes: in the store, or made in SCRATCH (a page). NULL if they are not known. Valid while the
 * caller holds a reference and leaves SCRATCH alone. */
const uint8_t *pf_content_bytes(const PfContentStore *store, PfContent content, uint8_t *scratch);

/* How a trace says it: an id by its number. Bytes are borrowed while the caller holds a
 * reference. */
PfContentSpec pf_content_spec(const PfContentStore *store, PfContent content);

/* The XXH3-64 hash of its bytes; an identity's own number. */
uint64_t pf_content_hash(const PfContentStore *store, PfContent content);

/* A hash of BYTES of a page. */
typedef uint64_t PfContentDigest(const uint8_t *bytes, size_t length);

/* What DIGEST says of its bytes (SCRATCH is a page), remembered for the first two that a store is
 * asked for; an identity's own number. */
uint64_t pf_content_digest(PfContentStore *store, PfContent content, PfContentDigest *digest,
                           uint8_t *scratch);

/* The first four bytes of a content that has bytes, as one number, the first byte highest: so that
 * most pages are told apart without their bytes. */
bool pf_content_start(const PfContentStore *store, PfContent content, uint32_t *ret_start);

/* Orders two such starts, which are not equal; RET_FIRST_DIFFERENCE as for pf_content_compare. */
static inline int pf_content_compare_starts(uint32_t a, uint32_t b, size_t *ret_first_difference)
{
    *ret_first_difference = (size_t)__builtin_clz(a ^ b) / 8;
    return a < b ? -1 : 1;
}

/* Orders by bytes as memcmp does; RET_FIRST_DIFFERENCE, if not NULL, gets the first byte that
 * differs (the page size for equal ones). A content without bytes differs from others at byte 0 and
 * is ordered by its number, after all contents with bytes. */
int pf_content_compare(const PfContentStore *store, PfContent a, PfContent b,
                       size_t *ret_first_difference);

/* Bytes of each content. */
uint32_t pf_content_page_bytes(const PfContentStore *store);

/* Distinct contents alive, and the memory that the store takes for them. */
uint64_t pf_content_store_count(const PfContentStore *store);
uint64_t pf_content_store_bytes(PfContentStore *store);
/* How many pages were hashed to be interned: what lazy readers save. */
uint64_t pf_content_store_hashed(const PfContentStore *store);

/* Contents are interned: the same number, the same bytes. */
static inline bool pf_content_equal(PfContent a, PfContent b)
{
    return a.index == b.index;
}
