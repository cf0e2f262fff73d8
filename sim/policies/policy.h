/* All that the author of a policy, a finder or a filter reads.
 *
 * A policy decides which pages are looked at, when, and what is shared. It sees pages by their
 * (context, CPN), never by a pointer, and reaches bytes only through services that charge for
 * them. What it asks to be shared is compared again, byte by byte, where mappings are changed: a
 * wrong policy can cost time but cannot corrupt memory.
 *
 * To add one: copy none.c, fill in the ops of interest, add its name to policy_names in
 * sim/policies/meson.build (or build it as a shared object; docs/adding-a-policy.md). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "ledger.h"
#include "policy_collapse.h"
#include "policy_parts.h"
#include "policy_words.h"
#include "rng.h"
#include "stats.h"

/* Bumped when a struct of this file changes; a shared object built for another one is refused. */
enum { PF_POLICY_ABI = 7 };

/* How a store's fault was served. */
typedef enum {
    PF_STORE_NEW_FRAME, /* a first touch, or the zero page was mapped */
    PF_STORE_COPIED,    /* what it mapped was copied to a new frame */
    PF_STORE_REUSED,    /* nobody else had the frame: it became writable again */
} PfStoreKind;

/* A store that faulted on anonymous memory. */
typedef struct {
    PfPage page;
    PfStoreKind kind;
    unsigned core;      /* where the context runs */
    PfMpn old_frame;    /* COPIED, REUSED: what it mapped */
    uint64_t old_refs;  /* COPIED: pages that map that one still */
    bool was_claimed;   /* the policy had claimed it */
    bool was_exclusive; /* it had been made for this page and never shared since */
} PfStoreFault;

/* A counter of each context, told at every mark and at the end as POLICY.context.CONTEXT.NAME while
 * the context lives and contexts are told of. */
typedef struct {
    const char *name;
    const char *unit;
    const char *description;
    PfStatValue (*read)(const void *self, uint32_t context);
} PfContextStat;

/* Flags of a policy. */
enum {
    PF_POLICY_LOSSY = 1,       /* may change bytes on purpose; differences are counted, no errors */
    PF_POLICY_COMPRESSING = 2, /* may go below one frame for each distinct content */
    PF_POLICY_BOUND = 4,       /* an arithmetical bound (oracle): changes no mapping */
    PF_POLICY_INDEXED = 8,     /* has an index of its own, and a finder in front of it if asked */
};

/* A policy. `create` and `free` are mandatory; every other op is optional, NULL means not
 * interested. Ops are never re-entered. Only `create` may fail. */
struct PfPolicyOps {
    const char *name;    /* as in `policies = ( { name = "..." } )` */
    const char *summary; /* one line */
    unsigned flags;
    const PfConfigField *fields; /* its own parameters */
    size_t field_count;
    size_t config_bytes; /* of the struct that `fields` bind to */
    const char *default_scope;  /* "all" where NULL; or "anon", "mergeable" */
    const char *default_finder; /* NULL: it files nothing, unless it is INDEXED */
    const char *default_place;  /* "daemon" where NULL */
    const char *default_hash;   /* "xxh3" where NULL */
    const char *default_split;  /* "always" where NULL; or "pressure", "never" */
    const PfContextStat *context_stats;
    size_t context_stat_count;

    void *(*create)(PfHost *host, const void *config, GError **error);
    void (*free)(void *self);

    void (*context_event)(void *self, const PfContextEvent *event);
    /* What the policy, as it is configured, acts on of all that a trace may say about pages without
     * changing them: PF_USES_*. NULL: nothing. The user is warned of what no policy uses. */
    unsigned (*uses)(const void *self);
    /* PAGE got a frame by a first touch, a fork or an alias. */
    void (*page_mapped)(void *self, PfPage page);
    /* PAGE, whose frame the policy had given back, was accessed and got a frame again (told in
     * place of page_mapped). */
    void (*page_recreated)(void *self, PfPage page);
    /* PAGE has another frame, with the same bytes: it went to another NUMA node, or with the large
     * page that it was or is now a part of. */
    void (*page_moved)(void *self, PfPage page);
    /* PAGE is about to lose its frame (unmap, exit, dontneed, remap's target). Nothing can be
     * merged meanwhile, and bytes are not to be asked for. */
    void (*page_unmapped)(void *self, PfPage page);
    /* A store to PAGE comes next. What the page will hold then can be asked for; if the policy
     * redirects PAGE to where that is already (pf_host_redirect), nothing is stored, and the page
     * is not told of as written. */
    void (*write_intended)(void *self, PfPage page);
    /* PAGE is asked for with the bytes PATTERN (a page of them); otherwise likewise. */
    void (*init_requested)(void *self, PfPage page, const uint8_t *pattern);
    void (*page_written)(void *self, PfPage page, PfChange how);
    /* The policy's filters leave PAGE, which was written or accessed, out no longer; told as soon
     * as that is so. A policy without this op asks pf_host_next_expired when it looks at pages. */
    void (*page_expired)(void *self, PfPage page);
    /* A cache has written a line of FRAME back to memory, before what comes after the record in
     * hand; FRAME may have changed hands since. Told to who asked for it in `create`
     * (pf_host_watch_write_backs). */
    void (*line_written_back)(void *self, PfMpn frame);
    /* A store has got its page, before the bytes are there (`state` records are no stores). */
    void (*store_faulted)(void *self, const PfStoreFault *fault);
    /* A store met a sharing or a protection that this policy made; PAGE has a frame of its own now
     * (the one it had, if no other page maps that). */
    void (*share_broken)(void *self, PfPage page);
    /* A pin is about to be taken on the frame that PAGE maps. */
    void (*pin_intended)(void *self, PfPage page);
    void (*dma_done)(void *self, PfPage page, const char *device, uint64_t block);
    /* There is no free frame for the page that an access is about to touch, which is left alone
     * meanwhile. If frames are free afterwards, the run goes on. */
    void (*memory_low)(void *self);
    /* The time asked for has come. Returns the next wake-up's cycle, PF_HOST_NEVER for none. */
    uint64_t (*wake)(void *self, uint64_t now_cycles);
    /* Looks at up to PAGES pages now (UINT64_MAX: until the pass ends); true if a pass ended. */
    bool (*scan)(void *self, uint64_t pages);
    /* A parameter changes; false if the key is unknown or the value refused. */
    bool (*control)(void *self, const char *key, const char *value);
    /* Bytes of metadata that the simulated system spends on the policy now. */
    uint64_t (*metadata_bytes)(const void *self);
    /* At each epoch, each mark and the end. */
    void (*observe)(void *self);
    /* Asserts the policy's own invariants (tests, --paranoid). */
    void (*check)(void *self);
};

#define PF_HOST_NEVER UINT64_MAX

/* ---- Services: free of charge (bookkeeping) ---- */

/* The policy's clock: that of the place it runs in. */
uint64_t pf_host_now(const PfHost *host);
/* Cycles of PICOSECONDS at the machine's clock, divided by the run's dilation. */
uint64_t pf_host_cycles(const PfHost *host, uint64_t picoseconds);
/* Asks for a wake-up; a policy has one at most, the last request counts. */
void pf_host_wake_at(PfHost *host, uint64_t cycle);
/* Flags of PAGE (PF_FLAG_*), 0 if it is not present or not mapped. */
unsigned pf_host_flags(const PfHost *host, PfPage page);
/* The frame of PAGE; false if it is not present. */
bool pf_host_frame(const PfHost *host, PfPage page, PfMpn *ret_frame);
/* Flags and frame in one; RET_FRAME is set where the page is present. */
unsigned pf_host_look(const PfHost *host, PfPage page, PfMpn *ret_frame);
/* Stays the same while no page gets or loses a frame or scope but by the policy itself. */
uint64_t pf_host_changes(const PfHost *host);
/* How many pages map FRAME. */
uint64_t pf_host_frame_refs(const PfHost *host, PfMpn frame);
/* What the policy has claimed FRAME as (pf_host_claim); 0 if it has not since FRAME was free. */
uint32_t pf_host_frame_tag(const PfHost *host, PfMpn frame);
/* The first stretch of pages of FROM's context, at or after FROM, that are mapped anonymously or
 * privately and inside the policy's scope, touched or not: from RET_FIRST to before RET_END.
 * Neighbours may come as several stretches. False if there is none. */
bool pf_host_next_region(const PfHost *host, PfPage from, PfPage *ret_first, PfCpn *ret_end);
/* Pages of CONTEXT that pf_host_map_zero, or a fork after it, mapped to the zero page, and that are
 * so still; of all contexts for UINT32_MAX. */
uint64_t pf_host_merged_zeros(const PfHost *host, uint32_t context);
/* What pf_host_hash_page says of a page of zero bytes. */
uint64_t pf_host_zero_hash(PfHost *host);
/* How many bits of a key of pf_host_hash_page can be set. */
unsigned pf_host_key_bits(const PfHost *host);
/* Cycles charged to the policy so far, wherever it worked. */
uint64_t pf_host_spent(const PfHost *host);
/* Whether PAGE is present, in the policy's scope, not pinned unless isolated, no shared memory, in
 * no large page that must not be split, and no filter leaves it out, which its verdict tells then;
 * filters may charge for that. */
bool pf_host_admits(PfHost *host, PfPage page);
/* Whether a filter leaves PAGE out now; likewise. */
bool pf_host_is_left_out(PfHost *host, PfPage page);
/* Takes the next page that filters left out and do so no longer from their queues, to be looked at
 * again; false if there is none. */
bool pf_host_next_expired(PfHost *host, PfPage *ret_page);
/* Accesses of all contexts so far: a read, a store or a fetch is one, and so is each page that is
 * filled, touched, initialised or written by a device. */
uint64_t pf_host_accesses(const PfHost *host);
unsigned pf_host_color(const PfHost *host, PfMpn frame);
/* The class that PAGE is in: pages of different classes are never merged. 0 where there are no
 * classes. */
uint32_t pf_host_class(const PfHost *host, PfPage page);
/* The NUMA node that FRAME is on: 0 .. machine.numa.nodes - 1. */
unsigned pf_host_node(const PfHost *host, PfMpn frame);
/* The first present page of PAGE.context at or after PAGE.cpn, then of the contexts after it, in
 * order of (context number, CPN); false at the end of the last. */
bool pf_host_cursor_next(const PfHost *host, PfPage page, PfPage *ret_page);
/* Contexts ever created, numbers 0 .. n-1; pages present in one of them (0 once it exited). */
uint32_t pf_host_context_count(const PfHost *host);
uint64_t pf_host_context_pages(const PfHost *host, uint32_t context);
/* A present page of CONTEXT, drawn evenly by the policy's own stream; false if it has none. */
bool pf_host_sample(PfHost *host, uint32_t context, PfPage *ret_page);
/* The first present page of PAGE's context from PAGE on, else its first; false if it has none. */
bool pf_host_next_page(PfHost *host, PfPage page, PfPage *ret_page);
/* Whether CONTEXT waits at the time of the work in hand: for the end of an `idle` or a barrier. */
bool pf_host_is_idle(const PfHost *host, uint32_t context);
/* CONTEXT does not go on before cycle UNTIL: it waits for the policy. */
void pf_host_block(PfHost *host, uint32_t context, uint64_t until);
const char *pf_host_context_name(const PfHost *host, uint32_t context);
/* The security label of CONTEXT; "" if it has none. */
const char *pf_host_label(const PfHost *host, uint32_t context);
/* The policy's own random stream. */
PfRng *pf_host_rng(PfHost *host);
uint64_t pf_host_frame_capacity(const PfHost *host);
uint64_t pf_host_free_frames(const PfHost *host);
/* Cycles a second of all cores that run contexts, added up. */
uint64_t pf_host_machine_hz(const PfHost *host);
uint32_t pf_host_page_bytes(const PfHost *host);
/* Distinct contents of populated pages now; for policies that are PF_POLICY_BOUND. */
uint64_t pf_host_distinct_contents(PfHost *host);
/* `policy.*` and a group of the policy's own name are registered here, in `create` only. */
PfStatsGroup *pf_host_stats(PfHost *host);
/* Remembers why PAGE is not shared, until the next look or until it is mapped anew; what can be
 * told from its mapping (kind, mergeable, pinned) need not be said. */
void pf_host_verdict(PfHost *host, PfPage page, PfWhy why);
/* For those who watch a run: PAGE is kept in mind as it is, not write-protected, so that others
 * may be shared with it (IS_HINT), or is so no longer; what is in the finder need not be told. */
void pf_host_note_hint(PfHost *host, PfPage page, bool is_hint);
/* ... all such pages are forgotten. */
void pf_host_forget_hints(PfHost *host);
/* One page was looked at / one full pass over what the policy looks at has ended. */
void pf_host_count_scanned(PfHost *host);
void pf_host_count_pass(PfHost *host);

/* ---- Services: charged (they touch memory, through the caches of the policy's place) ---- */

/* The policy's hash of PAGE's bytes (parameter `hash`, truncated to `hash_bits`). PAGE must be
 * present. */
uint64_t pf_host_hash_page(PfHost *host, PfPage page);
/* Compares the bytes of A and B, both present: < 0, 0, > 0 as memcmp; RET_FIRST_DIFFERENCE, if not
 * NULL, gets the first byte that differs (the page size if none). Charged up to there. Pages of
 * different classes differ by that, which costs nothing. */
int pf_host_compare_pages(PfHost *host, PfPage a, PfPage b, size_t *ret_first_difference);
/* The same for what two frames hold, both in use and looked at. */
int pf_host_compare_frames(PfHost *host, PfMpn a, PfMpn b, size_t *ret_first_difference);
/* Whether PAGE, which is present, holds nothing but zeros. Charged up to the first byte that is
 * not. */
bool pf_host_is_zero(PfHost *host, PfPage page);
/* Cycles of the policy's own work that touch no simulated memory. */
void pf_host_charge(PfHost *host, PfAccount account, uint64_t cycles);
/* COUNT accesses to the policy's own tables, each to another line that no cache holds. */
void pf_host_charge_lines(PfHost *host, PfAccount account, uint64_t count);
/* A step through tables in use; its own lines are about what FRAME holds, and as near as that. */
void pf_host_charge_touch(PfHost *host, PfAccount account, PfMpn frame, PfTouch touch);
/* The policy's thread, which slept, is switched to; caches have lost what it used. */
void pf_host_charge_wake(PfHost *host);
/* Interrupts all cores and waits for their answers. */
void pf_host_charge_call(PfHost *host, PfAccount account);

/* ---- Services: the configured finder (charged by the finder) ---- */

/* Values filed under KEY, one at a time, the latest first (a CAM's: by its priority): CURSOR starts
 * at 0 and is moved on; false when there is no further one. KEY is the hash of PAGE, which has not
 * changed since. */
bool pf_host_find(PfHost *host, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value);
/* Files VALUE, which is not filed yet, under KEY, the hash of PAGE. */
void pf_host_file(PfHost *host, uint64_t key, PfPage page, uint64_t value);
/* Takes VALUE out, which was filed under KEY, whatever its page has become. */
void pf_host_unfile(PfHost *host, uint64_t key, uint64_t value);
/* Whether the configuration names a finder; always so unless the policy is INDEXED. */
bool pf_host_has_finder(const PfHost *host);
/* Whether the finder is sure to find whatever was filed: else it may have lost something. */
bool pf_host_finds_all(const PfHost *host);
/* Whether a match is to be believed without comparing any bytes, which is lossy: pf_host_merge and
 * _merge_frame do not compare the page that pf_host_find found a match for last. */
bool pf_host_believes(const PfHost *host);
/* The policy has seen for itself that the last match is of other bytes (a merge counts that by
 * itself). */
void pf_host_count_false_match(PfHost *host);

/* ---- Services for finders that use the machine's CAM (section `machine.cam`); they charge for it.
 * What keys mean to it, hash or whole page, is its own business. ---- */

/* What became of a value that was to be written. */
typedef enum {
    PF_CAM_KEPT,
    PF_CAM_DISPLACED, /* kept in place of another */
    PF_CAM_FULL,      /* not kept */
} PfCamFiling;

/* As pf_host_find, _file and _unfile. RET_KEY and RET_VALUE get what had to go. Unfiling tells
 * whether VALUE was there: it is not if it was displaced, or deleted as its page was stored to. */
bool pf_host_cam_find(PfHost *host, uint64_t key, PfPage page, uint64_t *cursor,
                      uint64_t *ret_value);
PfCamFiling pf_host_cam_file(PfHost *host, uint64_t key, PfPage page, uint64_t value,
                             uint64_t *ret_key, uint64_t *ret_value);
bool pf_host_cam_unfile(PfHost *host, uint64_t key, uint64_t value);
/* Whether there is a table in memory for what has no room. */
bool pf_host_cam_overflows(const PfHost *host);
/* Whether values may vanish from the CAM that nobody displaced or unfiled. */
bool pf_host_cam_forgets(const PfHost *host);
/* A search was in vain that would have found what has no room. */
void pf_host_cam_count_lost(PfHost *host);

/* ---- Services for finders that order by content ---- */

/* `content` of a page whose bytes are not known. */
#define PF_TICKET_UNKNOWN ((UINT32_C(1) << 31) - 1)

/* What a page held when it was remembered, and the frame where that was. */
typedef struct {
    uint32_t content; /* of two tickets that are not forgotten: the same for the same known bytes */
    PfMpn frame;
    uint32_t class; /* of the page (pf_host_class) */
} PfTicket;

/* The bytes of PAGE, which is present, whatever becomes of it; free of charge. To be forgotten. */
PfTicket pf_host_remember(PfHost *host, PfPage page);
void pf_host_forget(PfHost *host, PfTicket ticket);
/* Compares what A and B hold: < 0, 0, > 0 by class, which costs nothing, then as memcmp, unknown
 * bytes last. Charged as a comparison of
 * their frames up to the first difference; what is one frame's costs nothing. */
int pf_host_compare_tickets(PfHost *host, PfTicket a, PfTicket b);

/* ---- Acts ---- */

/* Maps PAGE onto the frame of KEEPER, copy-on-write for both, if their bytes are equal, and frees
 * the frame that PAGE had, if nobody else maps it. */
PfMergeResult pf_host_merge(PfHost *host, PfPage page, PfPage keeper);
/* Maps PAGE onto FRAME, which this policy has shared, protected or claimed before. */
PfMergeResult pf_host_merge_frame(PfHost *host, PfPage page, PfMpn frame);
/* Takes all write access from PAGE, as has to be done before a merge. It is neither writable nor
 * dirty nor exclusive then, and a pin taken from now on does not keep it from being merged. False,
 * after the flush, if PAGE is open and pinned; false too if it is not to be shared at all. */
bool pf_host_isolate(PfHost *host, PfPage page);
/* Makes the frame of PAGE, which is isolated, the policy's own until it is free: its bytes are
 * fixed, a store to it copies even if nobody else maps it. TAG (not 0) is its name. */
void pf_host_claim(PfHost *host, PfPage page, uint32_t tag);
/* Changes the tag of a frame that is claimed. */
void pf_host_set_frame_tag(PfHost *host, PfMpn frame, uint32_t tag);
/* Makes the next store to PAGE fault (marks it copy-on-write); false if it is not present. */
bool pf_host_protect(PfHost *host, PfPage page);
/* Maps PAGE, if its bytes are all zero, onto the zero page. */
PfMergeResult pf_host_map_zero(PfHost *host, PfPage page);
/* Takes away the frame of PAGE, a page of zeros that nobody else maps; for policies that are
 * PF_POLICY_COMPRESSING. The page is not present then, and any access to it, a read too, gets it a
 * frame of zeros as a first touch does. Whoever asks has made sure of the zeros and been charged
 * for that. False if nothing was done. */
bool pf_host_give_back(PfHost *host, PfPage page);
/* Gives PAGE, if the policy merged or protected it or claimed its frame, a frame of its own again,
 * as a write would; but it stays clean, and its next store faults. False if nothing was done. */
bool pf_host_unshare(PfHost *host, PfPage page);
