/* The host of one policy in one run: it implements the services of policy.h, charges for each byte
 * that the policy touches, at the place where it runs, and tells the policy what happens. */
#pragma once

#include "cam.h"
#include "host_observer.h"
#include "memory.h"
#include "policy.h"
#include "registry.h"
#include "shootdown.h"

typedef enum { PF_PLACE_DAEMON, PF_PLACE_STOLEN, PF_PLACE_CONTROLLER } PfPlaceKind;
typedef enum { PF_REMAP_PTE, PF_REMAP_CONTROLLER } PfRemap;
typedef enum { PF_PACING_TIME, PF_PACING_TRACE } PfPolicyPacing;
typedef enum { PF_SPLIT_ALWAYS, PF_SPLIT_PRESSURE, PF_SPLIT_NEVER } PfSplitLarge;

/* Parameters that every policy has. */
typedef struct {
    char *name;
    char *label;
    char *finder;
    char *hash;
    uint64_t hash_bits;
    uint64_t hash_offset_bytes;
    uint64_t hash_bytes; /* PF_CONFIG_AUTO: the rest of the page */
    int scope;  /* PfScope */
    int place;  /* PfPlaceKind */
    int remap;  /* PfRemap */
    int pacing; /* PfPolicyPacing */
    bool limited; /* to the machine's memory */
    uint64_t wasted_within_ps;
    int split_large; /* PfSplitLarge */
    double split_below;
    char **filters;
    char **classes;
    bool class_runs;
} PfPolicyCommon;

/* One of `filters`. */
typedef struct {
    const PfFilterOps *ops;
    gpointer config; /* bound to ops->fields */
} PfFilterSetup;

/* One element of `policies`, bound and checked; shared by all runs of it. */
typedef struct PfPolicySetup PfPolicySetup;
struct PfPolicySetup {
    PfPolicyCommon common;
    const char *origin; /* "FILE:LINE" of its name, or as pf_config_origin */
    const PfPolicyOps *ops;
    const PfFinderOps *finder; /* NULL: the policy files nothing */
    const PfHashOps *hash;
    gpointer policy_config; /* bound to ops->fields */
    gpointer finder_config;
    GArray *filters; /* of PfFilterSetup */
    unsigned class_rules; /* 0: there are no classes (host_classes.c) */
    const PfPolicySetup *whole; /* what this is without a class rule, for comparison; else NULL */
};

/* Binds SECTION. Errors are collected in its configuration; NULL if the policy is not known. */
PfPolicySetup *pf_policy_setup_new(PfConfigSection *section, const PfRegistry *registry);
void pf_policy_setup_free(PfPolicySetup *setup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfPolicySetup, pf_policy_setup_free)

/* What a host stands on; all borrowed. */
typedef struct {
    PfMemory *memory;
    PfMmu *mmu;
    PfWork *work;
    PfStats *stats;
    PfPlace daemon;
    PfPlace controller;
    PfPlace *contexts;         /* the place of each context, by number; may move */
    const bool *space_is_two_stage; /* by context: translations are by virtual address */
    uint64_t *ready_cycles;         /* by context: it does not go on before; may move */
    const bool *is_barrier;         /* all contexts wait; in their own time they are done */
    unsigned core_count;            /* that run contexts */
    uint64_t clock_hz;
    double dilation;
    uint64_t seed;
    uint64_t start_cycles; /* what time it is to the policy when it is made */
    uint64_t *due_cycles; /* of the run: when it must next ask what is due; lowered by wake_at */
    bool verify;
    PfCam *const *cams; /* CAM_COUNT of them, one a node */
    unsigned cam_count;
    const PfCamConfig *cam;
    uint64_t cam_reach_cycles; /* from a core to the memory controller and back */
    uint64_t frame_capacity; /* of a machine without a limit: what the trace can need */
    const PfObserver *observer; /* NULL: nobody watches */
} PfHostBase;

/* The first bytes of a frame, see pf_content_start. */
typedef struct {
    uint32_t start;
    uint32_t generation; /* 0: never looked at */
} PfFrameStart;

/* Of one context: its populated pages that are shared; and the sum over its pages of 1/b - 1/n,
 * where b pages map the page's frame under `none` and n do now (a page without a frame counts 0).
 * So a frame's worth is split evenly among the pages that map it, and contexts add up to the saved
 * pages but for frames that only pins hold. */
typedef struct {
    uint64_t shared;
    int64_t saved_billionths; /* of a page, each term rounded */
} PfContextCensus;

/* How many populated pages are shared, and how many are not and why, when they were last counted;
 * null until then. */
typedef struct {
    PfStatValue shared;
    PfStatValue not_shared[PF_WHY_COUNT];
    GArray *contexts; /* of PfContextCensus, by context; empty if contexts were not counted */
} PfCensus;

/* Which pages share with which, and what that costs (host_classes.c). */
typedef struct PfHostClasses PfHostClasses;
typedef struct PfClassCensus PfClassCensus;

/* Whose pages the policy spends its cycles on (host_bill.c). */
typedef struct PfHostBill PfHostBill;

/* The store that a policy is asked about before it is made. */
typedef struct {
    PfPage page;
    PfSlot slot;
    uint32_t result; /* events of the range after it */
    bool is_second;  /* the page before is changed by the same store, and made room already */
    bool is_open;    /* the question is being asked */
    bool is_redirected;
} PfIntent;

typedef struct PfHostKeyed PfHostKeyed; /* keys kept up store by store (host_keyed.c) */
/* What the policy deems identical (host_alike.c). */
typedef struct PfHostAlike PfHostAlike;

struct PfHost {
    PfHostBase base;
    const PfPolicySetup *setup;
    void *self;
    void *finder;
    void **filters;          /* as many as in the setup; NULL: there are none */
    uint64_t expiry_cycles;  /* when page_expired is to be told; PF_HOST_NEVER: not by now */
    uint64_t write_back_cycles; /* when line_written_back is; likewise */
    GArray *write_backs;        /* of PfWriteBack (host_write_backs.h); NULL: nobody asks */
    uint64_t accesses;       /* of all contexts */
    PfHostClasses *classes;  /* NULL: there are none */
    PfStatValue *class_forgone; /* by PfClassRule (host_class_rules.h) */
    PfPlace *place; /* where the policy works now */
    PfPlace place_now;
    PfRng rng;
    uint64_t wake_at_cycles;
    uint64_t wake_cycles;   /* when the wake-up in hand began */
    uint64_t worked_cycles; /* to where its work has brought the clocks that it used */
    PfStatsGroup *group;
    uint8_t *scratch;
    PfSegArray starts;         /* PfFrameStart by MPN */
    uint32_t start_generation; /* those of another one are stale */
    uint64_t start_changes;    /* of memory, when this generation began */
    uint32_t hash_bytes; /* of a page that are hashed, from hash_offset_bytes on */
    PfHostKeyed *keyed;   /* NULL until a result is asked for */
    PfHostAlike *alike;   /* NULL: only equal bytes are identical */
    uint64_t alike_bits;  /* in which the pages differ that were compared last by that rule */
    PfTable stale_lines; /* line -> digest of what DRAM has of it, if it is dirty (host_hash.c) */
    PfRng left_out_keys;
    bool is_low;          /* asked for frames on behalf of `low_page` */
    PfPage low_page;
    bool uses_cam;       /* the policy has a finder that does */
    bool has_match;      /* the last search found something for `match_page` */
    bool is_cam_match;   /* ... and the CAM did, not the table behind it */
    bool has_lost;       /* ... or would have, had the CAM not forgotten it */
    PfPage match_page;
    bool is_false_match; /* it was believed and is of other bytes */
    PfTable cam_places;  /* value: where it is, if its key does not tell (host_cam.c) */
    bool is_unmapping;    /* told of a page that goes: the image has let go of its bytes already */
    uint64_t differences; /* that --verify found */
    char *first_difference;
    PfCensus census;
    PfHistogram sharers; /* as last counted */
    unsigned told; /* PF_USES_*: that the trace has told, and that the policy made use of */
    unsigned used;
    PfHostBill *bill;
    PfIntent intent;
    struct {
        uint64_t scanned;
        uint64_t shared;
        uint64_t broken;
        uint64_t passes;
        uint64_t refused_controls;
        uint64_t compares;
        uint64_t compared_words;
        uint64_t lossy_shared;
        uint64_t lossy_bits;
        uint64_t left_out;
        uint64_t expired;
        uint64_t filter_cycles;
    } stats;
};

/* Makes the policy. NULL with an error of the policy's own. */
PfHost *pf_host_new(const PfPolicySetup *setup, const PfHostBase *base, GError **error);
void pf_host_free(PfHost *host);

/* Tells the observer, if there is one. */
static inline void pf_host_tell(const PfHost *host, const PfStep step)
{
    if (G_UNLIKELY(host->base.observer != NULL))
        host->base.observer->step(host->base.observer->user, &step);
}

/* Contexts' places moved or were added. */
void pf_host_set_contexts(PfHost *host, PfPlace *contexts, const bool *space_is_two_stage,
                          uint64_t *ready_cycles);

/* ---- what happens, told to the policy ---- */
void pf_host_context_event(PfHost *host, const PfContextEvent *event);
void pf_host_page_mapped(PfHost *host, PfPage page);
void pf_host_page_recreated(PfHost *host, PfPage page);
void pf_host_page_moved(PfHost *host, PfPage page);
void pf_host_page_unmapped(PfHost *host, PfPage page);
void pf_host_page_written(PfHost *host, PfPage page, PfChange how);
/* PAGE, whose slot is SLOT, is about to hold what RESULT events of the range make of it, by a store
 * or by a request for such a page. IS_SECOND: the store has begun on the page before. True if that
 * is done already and nothing is to be stored. */
bool pf_host_write_intended(PfHost *host, PfPage page, PfSlot slot, uint32_t result,
                            bool is_second);
bool pf_host_init_requested(PfHost *host, PfPage page, PfSlot slot, uint32_t result);
/* Only filters ask for it. */
void pf_host_page_read(PfHost *host, PfPage page);
void pf_host_share_broken(PfHost *host, PfPage page, bool copied);
void pf_host_store_faulted(PfHost *host, PfStoreFault *fault);
void pf_host_pin_intended(PfHost *host, PfPage page);
void pf_host_dma_done(PfHost *host, PfPage page, const char *device, uint64_t block);
/* There is no frame for PAGE, which a record under way touches; true if there is one now. */
bool pf_host_memory_low(PfHost *host, PfPage page);
/* Runs what is due (pf_host_due); the caller has seen that it is. */
void pf_host_wake(PfHost *host);
/* `scan`: PAGES pages, or with PASSES that many passes. No-op unless pacing = "trace". */
void pf_host_scan(PfHost *host, uint64_t count, bool passes);
/* `control NAME.KEY VALUE`: for this policy if NAME is its label or name. */
void pf_host_control(PfHost *host, const char *key, const char *value);
/* The trace tells something (PF_USES_*) without changing memory: for pf_host_unused. */
void pf_host_note_use(PfHost *host, unsigned told, bool is_used);
void pf_host_note_event(PfHost *host, const PfContextEvent *event);
/* What it has told so far that the policy makes no use of. */
unsigned pf_host_unused(const PfHost *host);
void pf_host_observe(PfHost *host);
void pf_host_check(PfHost *host);

/* Registers reason.* (host_census.c). */
void pf_host_register_census(PfHost *host);
/* Counts the populated pages by why they are shared or not, BY_CONTEXT also for each, which takes a
 * look at every page. By context only between ranges or at the last record of one, where the image
 * knows what `none` maps. */
void pf_host_take_census(PfHost *host, bool by_context);
/* What the last census says of CONTEXT; NULL if it does not. */
const PfContextCensus *pf_host_context_census(const PfHost *host, uint32_t context);

/* The bill, and cycles.policy_unattributed. */
PfHostBill *pf_host_bill_new(const PfLedger *ledger, PfStats *stats);
void pf_host_bill_free(PfHostBill *bill);
/* Puts down the cycles up to now. */
void pf_host_bill_settle(PfHostBill *bill);
/* The policy turns to a page of CONTEXT, or to work of its own. */
void pf_host_attend(const PfHost *host, uint32_t context);
void pf_host_attend_nobody(const PfHost *host);
/* Cycles of the policy that were spent on pages of CONTEXT. */
uint64_t pf_host_context_cycles(const PfHost *host, uint32_t context);

/* Whether stores make entries of the CAM stale in its own view. */
static inline bool pf_host_cam_snoops(const PfHost *host)
{
    return host->uses_cam && host->base.cam->stale != PF_CAM_STALE_VERIFY;
}

/* Whether the policy uses the machine's CAM. */
static inline bool pf_host_uses_cam(const PfHost *host)
{
    return host->uses_cam;
}

/* PAGE has been stored to, in place (host_cam.c). */
void pf_host_cam_written(PfHost *host, PfPage page);
void pf_host_cam_clear(PfHost *host);
/* Whether a match found for PAGE is shared without a comparison. Counts what came of it. */
bool pf_host_is_believed(const PfHost *host, PfPage page);
void pf_host_count_false(PfHost *host, PfPage page, PfShareResult result);
/* A page was shared with a frame of other bytes. */
void pf_host_count_false_merge(PfHost *host);

/* Whether A and B, both in use, hold the same known bytes; free of charge. */
bool pf_host_is_same(PfHost *host, PfMpn a, PfMpn b);
/* Whether the policy, a filter or the CAM asks to be told of writes. */
static inline bool pf_host_wants_writes(const PfHost *host)
{
    return host->setup->ops->page_written != NULL || host->filters != NULL ||
           pf_host_cam_snoops(host);
}

/* Whether the policy asks to be told of stores before they are made. */
static inline bool pf_host_wants_intents(const PfHost *host)
{
    return host->setup->ops->write_intended != NULL;
}

/* When the policy is to be woken up, or to be told of pages that expired or lines written back. */
static inline uint64_t pf_host_due(const PfHost *host)
{
    uint64_t told_cycles = MIN(host->expiry_cycles, host->write_back_cycles);
    return MIN(host->wake_at_cycles, told_cycles);
}

/* ---- filters (host_filters.c) ---- */
/* Binds `filters` of SECTION and the filters' own groups to SETUP. */
void pf_policy_setup_bind_filters(PfPolicySetup *setup, PfConfigSection *section,
                                  const PfRegistry *registry);
/* Makes the filters; false with an error of theirs. Registers filter.*. */
bool pf_host_create_filters(PfHost *host, GError **error);
void pf_host_free_filters(PfHost *host);
/* PAGE was read or fetched from, or (IS_WRITE) has new bytes; the access is counted already. */
void pf_host_page_accessed(PfHost *host, PfPage page, bool is_write);
/* Tells the policy of pages that have expired. */
void pf_host_tell_expired(PfHost *host);
uint64_t pf_host_filter_bytes(const PfHost *host);
void pf_host_check_filters(const PfHost *host);

/* Where the bytes of FRAME lie, for who is above the memory controller. */
static inline PfMaddr pf_host_frame_address(const PfHost *host, PfMpn frame)
{
    const PfMemory *memory = host->base.memory;
    return pf_mpn_address(pf_bus_of_frame(memory, frame), pf_image_page_shift(memory->image), 0);
}

/* Whether the page tables do not change when pages are shared: `remap = "controller"`. */
static inline bool pf_host_remaps(const PfHost *host)
{
    return host->base.memory->bus != NULL;
}

/* The slot of PAGE; false where it was never used, or (present) where it maps nothing now. */
bool pf_host_slot(const PfHost *host, PfPage page, PfSlot *ret_slot);
bool pf_host_present_slot(const PfHost *host, PfPage page, PfSlot *ret_slot);

/* The policy works on the core of CONTEXT from now on; it pays. */
void pf_host_work_at(PfHost *host, uint32_t context);

/* Charges for making the key of what FRAME holds, or of a page without a frame (NULL): reading it,
 * and the hash. */
void pf_host_charge_hash(PfHost *host, const PfMpn *frame);

/* What the store that the policy is asked about makes of its page, with a reference; false if that
 * is not known. */
bool pf_host_result_content(PfHost *host, PfContent *ret_content);

/* Whether the policy may share pages of different bytes: differences are no errors then. */
bool pf_host_is_lossy(const PfHost *host);

/* PAGE has been mapped onto another frame: counts that. */
void pf_host_count_merge(PfHost *host, PfPage page);
/* pf_host_verdict, of which the observer is not told: what is said ahead. */
void pf_host_note_verdict(PfHost *host, PfPage page, PfWhy why);
/* PAGE has another frame of equal bytes, or none: an entry of its page table was changed, or one of
 * the controller's table, which is one line, and then what caches hold of it is dead. */
void pf_host_finish_remapping(PfHost *host, PfPage page);
PfMergeResult pf_host_merge_result(PfShareResult result);

/* Says which part of a page is hashed, and switches on the hash engine if the policy makes keys
 * (host_hash.c). False where the configuration asks for what cannot be. */
bool pf_host_start_hashing(PfHost *host, GError **error);
/* Whether the hash engine leaves PAGE out now, because of dirty lines; its verdict is then
 * PF_WHY_VOLATILE. */
bool pf_host_engine_leaves_out(const PfHost *host, PfPage page);
/* What an incremental engine keeps of all frames of the machine. */
uint64_t pf_host_engine_metadata_bytes(const PfHost *host);

/* The key that the policy's hash, or the engine, makes of a page of BYTES, or of CONTENT, at no
 * charge. */
uint64_t pf_host_key_of_bytes(const PfHost *host, const uint8_t *bytes);
/* Likewise of what the store in hand makes; false if its bytes are not at hand (host_keyed.c). */
bool pf_host_key_of_result(PfHost *host, uint64_t *ret_key);
void pf_host_free_keyed(PfHost *host);
PfHashKind pf_host_hash_kind(const PfHost *host); /* SOFTWARE where there is no engine */
uint64_t pf_host_cut_key(const PfHost *host, uint64_t hash); /* what is left as a key */
uint64_t pf_host_key_of(PfHost *host, PfContent content);

/* A policy whose cycles are stolen works, from now on, where CONTEXT, whose page it looks at,
 * runs. */
void pf_host_follow(PfHost *host, uint32_t context);

/* Metadata of policy, finder and hash engine now. */
uint64_t pf_host_metadata_bytes(const PfHost *host);

/* PAGE's translations are stale: a shootdown, which interrupts nobody if its context waits. Where
 * the controller remaps they are good; it takes the page's lines from the caches, and writes dirty
 * ones to DRAM. */
void pf_host_shoot_down(PfHost *host, const PfPlace *initiator, PfPage page);
/* They are dropped at no cost. */
void pf_host_forget_translations(PfHost *host, PfPage page);

/* Compares what PAGE shows with the image, if --verify is on. */
void pf_host_verify(PfHost *host, PfPage page);
