/* Machine frames of one run: reference counts, what they hold, and how many are in use.
 *
 * A frame holds either an interned content, or "whatever slot S holds" (live): then only S maps it
 * writable and every store of S goes there. Frame 0 is the shared zero page; it is in use while
 * somebody maps it. Eight bytes a frame. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "color.h"
#include "content.h"
#include "nodes.h"
#include "rng.h"
#include "seg_array.h"
#include "table.h"

#define PF_FRAME_LIVE ((uint32_t)1 << 31) /* in `holds`: the rest is a slot, not a content */

/* In `holds`: bytes that nobody knows. */
#define PF_FRAME_UNKNOWN (PF_FRAME_LIVE - 1)

/* In `count`, above the references. */
#define PF_FRAME_PINNED    ((uint32_t)1 << 31)
#define PF_FRAME_FILE      ((uint32_t)1 << 30) /* a page of the page cache */
#define PF_FRAME_CLAIMED   ((uint32_t)1 << 29) /* the policy's: stores copy, it has a tag */
#define PF_FRAME_REFS_MASK (((uint32_t)1 << 29) - 1)

typedef struct {
    uint32_t holds;
    uint32_t count;
} PfFrame;

static_assert(sizeof(PfFrame) == 8, "a frame is 8 bytes");

#define PF_ZERO_FRAME ((PfMpn){0})

/* Which of a node's frames a page gets. */
typedef enum {
    PF_ALLOCATE_FIRST_TOUCH,      /* in order of number, freed ones first */
    PF_ALLOCATE_COLOR_PRESERVING, /* of the colour that the page's own number has */
    PF_ALLOCATE_BIN_HOPPING,      /* of each colour in turn */
    PF_ALLOCATE_RANDOM            /* of a colour that is drawn */
} PfAllocator;

/* Of which node: the wanted one and then the nearest to it, each in turn, the wanted one alone. */
typedef enum {
    PF_PLACEMENT_FIRST_TOUCH,
    PF_PLACEMENT_INTERLEAVE,
    PF_PLACEMENT_BIND
} PfPlacement;

/* How frames are given out. */
typedef struct {
    PfNodes nodes;
    PfColoring coloring;
    PfAllocator allocator;
    PfPlacement placement;
    uint64_t seed;
} PfFrameRules;

/* Rules for COUNT nodes of CAPACITY_FRAMES in all (0: no limit) without colours. */
PfFrameRules pf_frame_rules_plain(unsigned count, uint64_t capacity_frames);

/* What a frame is wanted for. */
typedef struct {
    unsigned node;
    uint64_t page; /* number within its context */
} PfFrameWish;

/* What belongs to one NUMA node. */
typedef struct {
    GArray **free; /* by colour: of uint32_t, last freed first used */
    uint32_t next; /* the lowest number that was never used; 0: all were */
    uint64_t used_frames; /* the zero frame is one of node 0 */
} PfFrameNode;

/* An aligned run of PF_BLOCK_FRAMES frames that are given out one by one for pages of one owner, or
 * to nobody while it lies free. */
enum { PF_BLOCK_SHIFT = 9, PF_BLOCK_FRAMES = 1 << PF_BLOCK_SHIFT };
#define PF_BLOCK_NOBODY UINT32_MAX
typedef struct {
    uint32_t owner;
    uint16_t used_frames;
    bool is_kept; /* else its frames are like any others */
} PfFrameBlock;

/* Who is told of PAGE, which is given out and was in use before. */
typedef struct {
    void (*tell)(void *user, PfMpn page); /* NULL: nobody */
    void *user;
} PfReused;

/* Who is told when FRAME comes into use, and when it is free again. */
typedef struct {
    void (*tell)(void *user, PfMpn frame, bool is_used); /* NULL: nobody */
    void *user;
} PfFrameUse;

typedef struct {
    PfContentStore *store; /* borrowed */
    PfReused reused; /* the owner sets it, and this: */
    PfFrameUse use;
    PfSegArray frames;
    PfFrameRules rules;
    unsigned bin_count; /* colours that are told apart */
    uint32_t limit;     /* above all numbers ever used */
    PfFrameNode *nodes;
    uint64_t turns;     /* of nodes */
    uint64_t hops;      /* of colours */
    PfRng rng;
    PfTable pins;             /* MPN -> pins */
    PfTable file_object;      /* MPN -> slot of the file's page it holds */
    PfSegArray tags;          /* uint32_t by MPN, of claimed frames; empty until one is */
    PfSegArray classes;       /* uint32_t by MPN: see pf_frame_set_class; empty until one is */
    uint64_t used_frames;
    uint64_t peak_frames; /* in use or out */
    GArray *blocks;           /* PfFrameBlock by MPN / PF_BLOCK_FRAMES; empty until one is kept */
    GArray *free_blocks;      /* uint32_t, of those that are kept and not used */
    uint32_t break_hand;      /* the block that was given up last */
    /* Frames that are swapped out: numbers above all that the machine has. */
    GArray *out_free;   /* of uint32_t, last freed first used */
    uint32_t out_count; /* numbers ever used */
    uint64_t out_frames;
} PfFramePool;

/* No frame is in use. STORE is borrowed. */
void pf_frame_pool_init(PfFramePool *pool, PfContentStore *store, const PfFrameRules *rules);
void pf_frame_pool_clear(PfFramePool *pool);

/* The frame MPN, and how often it is mapped and pinned. */
static inline PfFrame *pf_frame_at(const PfFramePool *pool, PfMpn mpn)
{
    return pf_seg_array_at(&pool->frames, mpn.number);
}

static inline uint32_t pf_frame_refs(const PfFrame *frame)
{
    return frame->count & PF_FRAME_REFS_MASK;
}

/* Whether somebody maps or pins the frame. */
static inline bool pf_frame_is_used(const PfFrame *frame)
{
    return (frame->count & (PF_FRAME_REFS_MASK | PF_FRAME_PINNED)) != 0;
}

/* Whether MPN is no frame of the machine, but stands for one that is swapped out. */
static inline bool pf_frame_is_out(const PfFramePool *pool, PfMpn mpn)
{
    const PfNodes *nodes = &pool->rules.nodes;
    return nodes->is_limited && mpn.number >= nodes->first_frame[nodes->count];
}

/* The NUMA node of the frame MPN. */
static inline unsigned pf_frame_node(const PfFramePool *pool, PfMpn mpn)
{
    return pf_nodes_of_frame(&pool->rules.nodes, mpn);
}

/* The node that a frame for WISH would come from next, if that has one. */
unsigned pf_frame_home(const PfFramePool *pool, PfFrameWish wish);

/* A free frame for WISH by the pool's rules, with one reference that holds what SLOT holds; false
 * when there is none left. */
bool pf_frame_alloc(PfFramePool *pool, PfSlot slot, PfFrameWish wish, PfMpn *ret_mpn);
/* Likewise of wish.node alone. */
bool pf_frame_alloc_on(PfFramePool *pool, PfSlot slot, PfFrameWish wish, PfMpn *ret_mpn);

/* What MPN, which is not pinned, holds, its references and its class go over to the number that is
 * returned, which is out; MPN is free, and claimed by nobody. */
PfMpn pf_frame_put_out(PfFramePool *pool, PfMpn mpn);
/* The same from OUT, a number that is out, to MPN, which was just given out. */
void pf_frame_bring_in(PfFramePool *pool, PfMpn out, PfMpn mpn);

/* ---- blocks (frame_blocks.c) ---- */

/* Keeps a block of NODE for OWNER: one that lies free, else numbers that were never used. False if
 * there is none, or no room for so many frames. */
bool pf_frame_keep_block(PfFramePool *pool, unsigned node, uint32_t owner, uint32_t *ret_block);

/* The block NUMBER if it is kept for OWNER, else NULL. */
const PfFrameBlock *pf_frame_block_of(const PfFramePool *pool, uint32_t number, uint32_t owner);

/* Gives MPN of a block that is kept to SLOT, as pf_frame_alloc does; false if it is in use, or its
 * node is full. */
bool pf_frame_take(PfFramePool *pool, PfMpn mpn, PfSlot slot);

/* What frame.c tells of a frame that is free again: true if a block keeps it. */
bool pf_frame_block_regains(PfFramePool *pool, PfMpn mpn);

/* Makes frames of NODE free for all that blocks keep and nobody uses. NODE must have such. */
void pf_frame_give_up_block(PfFramePool *pool, unsigned node);

/* What the host spends on blocks. */
uint64_t pf_frame_blocks_bytes(const PfFramePool *pool);

/* Recounts the frames of each block. */
void pf_frame_blocks_check(const PfFramePool *pool);

/* Where a freed frame waits: for frame_blocks.c. */
void pf_frame_put_free(PfFramePool *pool, uint32_t number);
/* MPN, which is free, goes to SLOT. */
void pf_frame_give(PfFramePool *pool, PfMpn mpn, PfSlot slot);
/* Whether NODE may give out COUNT more frames. */
bool pf_frame_has_room(const PfFramePool *pool, unsigned node, uint64_t count);

/* One more page maps the frame. */
void pf_frame_ref(PfFramePool *pool, PfMpn mpn);

/* Drops a reference; a frame without references and pins is free. */
void pf_frame_unref(PfFramePool *pool, PfMpn mpn);

/* A pin is a reference that no page shows; the last reference of any kind frees the frame. */
void pf_frame_pin(PfFramePool *pool, PfMpn mpn);
void pf_frame_unpin(PfFramePool *pool, PfMpn mpn);

/* Makes MPN hold CONTENT, whose reference it takes over, unknown bytes, or SLOT live. */
void pf_frame_hold_content(PfFramePool *pool, PfMpn mpn, PfContent content);
void pf_frame_hold_unknown(PfFramePool *pool, PfMpn mpn);
void pf_frame_hold_slot(PfFramePool *pool, PfMpn mpn, PfSlot slot);

/* MPN, which is in use, is the policy's own until it is free: a store never takes it back but
 * copies, even if nobody else maps it. TAG, not 0, is what the policy calls it; the next claim of a
 * claimed frame changes that. */
void pf_frame_claim(PfFramePool *pool, PfMpn mpn, uint32_t tag);
/* The tag of MPN, 0 if it is not claimed. */
uint32_t pf_frame_tag(const PfFramePool *pool, PfMpn mpn);

/* What kind of pages may map MPN, a number of the caller's, which is 0 again once the frame is
 * given out anew. */
void pf_frame_set_class(PfFramePool *pool, PfMpn mpn, uint32_t class);
uint32_t pf_frame_class(const PfFramePool *pool, PfMpn mpn);

/* Frames there are, and how many could still be given out; 0 and UINT64_MAX without a limit. */
uint64_t pf_frame_pool_capacity(const PfFramePool *pool);
uint64_t pf_frame_pool_free(const PfFramePool *pool);

/* Recounts the frames of each node; asserts that none has more in use than it has, but for the zero
 * frame, which takes no room. */
void pf_frame_pool_check(const PfFramePool *pool);

/* What the host spends on it. */
uint64_t pf_frame_pool_bytes(const PfFramePool *pool);
