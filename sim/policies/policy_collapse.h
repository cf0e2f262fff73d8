/* Services for policies that look stores up before they are made or when they come to memory, or
 * that deem more identical than equal bytes; part of policy.h. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy_words.h"

typedef struct PfHost PfHost;

/* ---- Services: free of charge ---- */

/* Whether PAGE was allocated in a group (`group=` of the trace): pages RET_FIRST and those behind
 * it, RET_PAGES in all, of one number. */
bool pf_host_group(const PfHost *host, PfPage page, PfPage *ret_first, uint64_t *ret_pages);

/* In `create`: the policy is to be told of lines that are written back. False with an error where
 * nothing goes through caches, timing = "costs"; a run whose timing becomes that ends with one. */
bool pf_host_watch_write_backs(PfHost *host, GError **error);
/* Whether some cache holds a line of PAGE, which is present, that memory has not got yet. */
bool pf_host_is_dirty(const PfHost *host, PfPage page);

/* ---- Acts ---- */

/* In `write_intended` and `init_requested`, for the page that is told of; there pf_host_find and
 * pf_host_remember mean what the store makes of it, too. */
/* Whether it may be redirected: as pf_host_admits, but it need not be present yet. */
bool pf_host_admits_store(PfHost *host);
/* The policy's hash of the bytes that the store makes of it, charged as pf_host_hash_page; false if
 * they are not known. */
bool pf_host_hash_result(PfHost *host, uint64_t *ret_key);
/* Maps it onto the frame of KEEPER, copy-on-write for both, if that holds what the store would make
 * of it; and the store is not made. SAME: that is the frame that it maps, and the store, which
 * would change nothing, is not made either. */
PfMergeResult pf_host_redirect(PfHost *host, PfPage keeper);
/* From now on the frames that merges leave unused are not free until they are collected. */
void pf_host_defer_frees(PfHost *host);
/* How many such frames there are; frees them. */
uint64_t pf_host_unfreed(const PfHost *host);
void pf_host_collect(PfHost *host);
/* In `create`: from now on pages are identical to the policy if at least THRESHOLD (a share) of the
 * bits that count agree: those that are ones in MASK, a page, or all (NULL). Keys are made of what
 * counts; with a threshold below 1 all pages have one key. The run is lossy then. */
void pf_host_deem_identical(PfHost *host, const uint8_t *mask, double threshold);
