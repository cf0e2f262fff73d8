/* A host for tests of policies and finders: the services of policy.h over a small array of pages
 * with bytes. It keeps no time but what wake-ups need, and writes down what is charged. */
#pragma once

#include "policy.h"

typedef struct {
    uint64_t verdicts[PF_WHY_COUNT];
    uint64_t scanned;
    uint64_t passes;
    uint64_t wakes;
    uint64_t hashes;
    uint64_t compares; /* of tickets */
    uint64_t lines[PF_ACCOUNT_COUNT];
    uint64_t locks[PF_ACCOUNT_COUNT];
    uint64_t calls[PF_ACCOUNT_COUNT];
    uint64_t cycles[PF_ACCOUNT_COUNT];
} MockCounts;

/* A host of FRAMES machine pages of PAGE_BYTES each; hashes are cut to HASH_BITS (0: all are 0). */
PfHost *mock_new(uint64_t frames, uint32_t page_bytes, unsigned hash_bits);
void mock_free(PfHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfHost, mock_free)

/* Makes FINDER, then POLICY (NULL: none); ASSIGNMENTS ("policy.rate=3", "finder.index_bits=4";
 * NULL-terminated, may be NULL) override defaults. False with an error if one refuses. */
bool mock_use(PfHost *host, const PfPolicyOps *policy, const PfFinderOps *finder,
              const char *const *assignments, GError **error);

/* A new context; returns its number. */
uint32_t mock_add_context(PfHost *host);

/* Stores CONTENT, repeated, into the whole page; maps it first if it is not. */
void mock_fill(PfHost *host, PfPage page, uint64_t content);
/* Maps PAGE onto the frame of OF, copy-on-write, as a fork does. */
void mock_alias(PfHost *host, PfPage page, PfPage of);
void mock_unmap(PfHost *host, PfPage page);
/* Moves pages FIRST .. of CONTEXT to TARGET; the two may overlap. */
void mock_move(PfHost *host, uint32_t context, uint64_t first, uint64_t target, uint64_t pages);
void mock_pin(PfHost *host, PfPage page, bool is_pinned);
/* Pages of different labels are not merged; all have label 0 at first. */
void mock_label(PfHost *host, PfPage page, unsigned label);

/* Whether CONTEXT has nothing to do; it is busy at first. */
void mock_set_idle(PfHost *host, uint32_t context, bool is_idle);
/* The security label of CONTEXT, a constant. */
void mock_set_label(PfHost *host, uint32_t context, const char *label);
/* Until when the policy has made CONTEXT wait. */
uint64_t mock_blocked_until(const PfHost *host, uint32_t context);
/* Further PF_FLAG_* of a page. */
void mock_set_flags(PfHost *host, PfPage page, unsigned flags);

/* Runs wake-ups up to CYCLE, which included. A cycle is a nanosecond. */
void mock_run_until(PfHost *host, uint64_t cycle);

void *mock_policy(const PfHost *host);
const PfFinderOps *mock_finder_ops(const PfHost *host);
void *mock_finder(const PfHost *host);
const MockCounts *mock_counts(const PfHost *host);
/* What was remembered of pages and not forgotten. */
uint64_t mock_tickets(const PfHost *host);
/* Pages that were drawn from CONTEXT. */
uint64_t mock_samples(const PfHost *host, uint32_t context);
/* Whether the page holds CONTENT. */
bool mock_holds(const PfHost *host, PfPage page, uint64_t content);
/* Frames that a page maps. */
uint64_t mock_used_frames(const PfHost *host);
/* The statistic NAME, which must be a whole number. */
uint64_t mock_stat(const PfHost *host, const char *name);

static inline PfPage mock_page(uint32_t context, uint64_t cpn)
{
    return (PfPage){context, {cpn}};
}
