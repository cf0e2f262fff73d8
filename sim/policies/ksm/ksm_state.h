/* What the parts of the policy `ksm` share: its parameters, its objects and its books.
 *
 * An item stands for a page of a context that the scanner has met; a node stands for a frame that
 * the policy has claimed and that items share. Items and nodes are named by their index; 0 is
 * nobody. */
#pragma once

#include <assert.h>

#include "ksm_advisor.h"
#include "ksm_config.h"
#include "ksm_tuned.h"
#include "policy.h"
#include "tree.h"

/* Trees of each kind: one, or one a NUMA node. */
enum { PF_KSM_TREES = 64 };

/* The tag of a claimed frame that has no node: its page was made for a merge that failed. */
#define PF_KSM_ORPHAN UINT32_MAX

/* What one reverse-map item and one node of the stable tree take in the kernel (x86-64). */
enum { PF_KSM_OBJECT_BYTES = 64 };

typedef enum {
    PF_KSM_FREE,     /* in no tree */
    PF_KSM_UNSTABLE, /* in the unstable tree of pass `pass` */
    PF_KSM_STABLE,   /* shares a node's frame */
} PfKsmItemState;

typedef struct {
    union {
        PfTreeLinks links; /* UNSTABLE */
        struct {
            uint32_t node;
            uint32_t previous; /* in the node's list, whose head it may be */
            uint32_t next;
        } sharing; /* STABLE */
    };
    uint32_t next; /* of the same context, by address; or of the free ones */
    PfCpn cpn;
    uint32_t context;
    uint32_t checksum; /* when last hashed; 0 at birth */
    uint32_t frame;    /* UNSTABLE: of the page, when it came into the tree */
    uint8_t state : 2; /* PfKsmItemState */
    uint8_t tree : 6;  /* UNSTABLE: number of the tree */
    uint8_t pass;      /* UNSTABLE: low bits of the pass */
    uint8_t age;       /* smart scan */
    uint8_t skips : 7; /* smart scan: passes that it may be passed over yet */
    uint8_t has_shared : 1; /* was STABLE once */
} PfKsmItem;

static_assert(sizeof(PfKsmItem) <= 40, "a tracked page is 40 bytes, beside 4 of a claimed frame");

typedef enum {
    PF_KSM_PLAIN, /* in the stable tree */
    PF_KSM_DUP,   /* in a chain's list */
    PF_KSM_CHAIN, /* in the stable tree, without a frame: nodes of equal bytes */
} PfKsmNodeKind;

typedef struct {
    union {
        PfTreeLinks links; /* PLAIN, CHAIN */
        struct {
            uint32_t chain;
            uint32_t previous;
            uint32_t next;
        } dup; /* DUP */
    };
    union {
        uint32_t frame; /* PLAIN, DUP */
        uint32_t dups;  /* CHAIN: the first */
    };
    union {
        uint32_t items;        /* PLAIN, DUP: the latest */
        uint32_t pruned_ticks; /* CHAIN: when all of it was last looked at */
    };
    uint32_t length; /* PLAIN, DUP: of the list of items; or the next free node */
    uint32_t key;    /* what it is filed under, if it is */
    uint8_t kind;    /* PfKsmNodeKind */
    uint8_t tree;
    bool is_filed;
} PfKsmNode;

/* A context as the scanner's list of address spaces has it; element 0 is the list's head. */
typedef struct {
    uint32_t next;
    uint32_t previous;
    uint32_t items; /* the first */
    uint32_t item_count;
    uint32_t stable_count;
    uint32_t inherited_items; /* what a fork of an old kernel left in its counters */
    uint32_t inherited_stable;
    uint16_t core; /* where it ran last */
    bool is_listed;
    bool is_dead;
} PfKsmSlot;

typedef struct {
    uint32_t slot;     /* 0: between two passes */
    PfCpn cpn;         /* look from here on */
    uint32_t previous; /* the item behind which the search in the slot's list goes on; 0: none */
} PfKsmCursor;

/* Pages that were made on a core and are not on the kernel's lists yet. */
typedef struct {
    uint32_t frames[PF_KSM_LRU_MAX]; /* 0: freed since */
    unsigned count;
} PfKsmLruBatch;

typedef struct {
    uint64_t shared;   /* nodes with items */
    uint64_t sharing;  /* items beyond the first of each node */
    uint64_t unshared; /* items in an unstable tree, forgotten ones included */
    uint64_t items;
    uint64_t nodes; /* chains included */
    uint64_t chains;
    uint64_t dups;
    uint64_t scanned;
    uint64_t skipped;
    uint64_t full_scans;
    uint64_t copies; /* stores to claimed frames */
    uint64_t overlookable;
} PfKsmCounts;

typedef struct {
    PfHost *host; /* borrowed */
    bool has_finder; /* in front of the stable tree */
    uint64_t filed;  /* nodes */
    PfKsmConfig config;
    PfKsmCounts counts;
    PfSegArray items;
    uint32_t item_limit;
    uint32_t item_free;
    PfSegArray nodes;
    uint32_t node_limit;
    uint32_t node_free;
    PfTree stable[PF_KSM_TREES];
    PfTree unstable[PF_KSM_TREES];
    uint64_t unstable_changes; /* pf_host_changes when these trees were begun */
    GArray *slots; /* of PfKsmSlot; that of context N is N + 1 */
    PfKsmCursor cursor;
    GArray *lru; /* of PfKsmLruBatch, by core */
    PfKsmAdvisor advisor;
    PfKsmTuned tuned;
    uint64_t busy_cycles;     /* of the daemon, up to the batch in hand */
    uint64_t spent_before;    /* by the policy, when that batch began */
    uint64_t batch_at_cycles; /* the next batch; PF_HOST_NEVER: waits for work */
    uint64_t tick_cycles;     /* of the clock that prunes chains */
    uint32_t zero_checksum;
} PfKsm;

/* The item INDEX. */
static inline PfKsmItem *pf_ksm_item(const PfKsm *ksm, uint32_t index)
{
    return pf_seg_array_at(&ksm->items, index);
}

/* The node INDEX. */
static inline PfKsmNode *pf_ksm_node(const PfKsm *ksm, uint32_t index)
{
    return pf_seg_array_at(&ksm->nodes, index);
}

/* The slot INDEX; moves when a context is added. */
static inline PfKsmSlot *pf_ksm_slot(const PfKsm *ksm, uint32_t index)
{
    return &g_array_index(ksm->slots, PfKsmSlot, index);
}

/* The page that ITEM stands for. */
static inline PfPage pf_ksm_item_page(const PfKsmItem *item)
{
    return (PfPage){item->context, item->cpn};
}
