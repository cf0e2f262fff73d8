/* What the two files of the mock host share. */
#pragma once

#include "cam.h"
#include "mock_host.h"

enum { MOCK_CLOCK_HZ = 1000000000 };

typedef struct {
    bool is_present;
    bool is_pinned;
    bool is_isolated; /* the policy took all write access from it; until its next store */
    unsigned label;
    unsigned flags; /* that the test has set */
    PfMpn mpn;
} MockPage;

typedef struct {
    uint64_t references;
    bool is_merged; /* by the policy: stores to it fault and are told */
    unsigned label; /* of its first page */
    uint32_t tag;   /* what the policy has claimed it as, 0: not claimed */
} MockFrame;

typedef struct {
    GArray *pages; /* MockPage, by CPN */
    uint64_t present;
    uint64_t samples;
    uint64_t blocked_until;
    bool is_idle;
    const char *label;
} MockContext;

struct PfHost {
    uint64_t frame_count;
    uint32_t page_bytes;
    unsigned hash_bits;
    MockFrame *frames;
    uint8_t *bytes;
    uint32_t next_frame;
    GArray *contexts; /* MockContext */
    GPtrArray *remembered; /* bytes of pages, by PfTicket.content */
    uint64_t tickets;      /* not forgotten yet */
    PfRng rng;
    uint64_t now_cycles;
    uint64_t wake_cycle;
    uint64_t changes; /* as pf_host_changes tells them */
    MockCounts counts;
    PfStats *stats;
    PfConfig *config;
    const PfPolicyOps *policy_ops;
    const PfFinderOps *finder_ops;
    void *policy;
    void *finder;
    void *policy_config;
    void *finder_config;
    PfCam *cam; /* an ideal one */
};

/* The page's entry, if its context has one; if it is present too. NULL if not. */
MockPage *mock_find_page(const PfHost *host, PfPage page);
MockPage *mock_present_page(const PfHost *host, PfPage page);

uint8_t *mock_bytes_of(const PfHost *host, PfMpn mpn);

/* One mapping of MPN less. */
void mock_release_frame(PfHost *host, PfMpn mpn);

/* Gives PAGE a frame of its own, and takes back one that only it maps without copying, unless the
 * policy has claimed that. */
void mock_break_share(PfHost *host, PfPage page);
