/* The memory image: each context's memory as it is with no sharing at all.
 *
 * The bytes of a page depend on the place in the trace only, so they are kept here once, for all
 * runs of a simulation. The image gives every (context, CPN) pair a dense number, its slot, the
 * same in all runs; it resolves the records of a block once for all of them; it counts what `none`
 * would use (the baseline); and it is what `--verify` compares with.
 *
 * Records are taken in ranges. A range is either one structural record (context, map, alias, fork,
 * unmap, remap, advise, attr, exit), which is applied before the runs see it, or a stretch of other
 * records, whose effect on bytes is kept as a list of events while the runs work and is applied by
 * pf_image_commit when all are done. In between, a run at event POSITION sees a page as the start
 * of the range and the events before POSITION make it; so runs need not go in step. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "content.h"
#include "region.h"
#include "stats.h"
#include "trace.h"

/* Flags of a page. The first group changes by structural records only. */
enum {
    PF_IMAGE_MAPPED = 1 << 0,
    PF_IMAGE_FILE = 1 << 1,  /* private mapping of a file */
    PF_IMAGE_SHMEM = 1 << 2, /* shared memory, or a shared mapping of a file */
    PF_IMAGE_MERGEABLE = 1 << 3,
    PF_IMAGE_READONLY = 1 << 4,
    PF_IMAGE_EXECUTED = 1 << 5,
    PF_IMAGE_LOCKED = 1 << 6,
    PF_IMAGE_POPULATED = 1 << 7,
    PF_IMAGE_STATE_SHIFT = 8, /* three bits: what `none` maps there (PfBaseState) */
    PF_IMAGE_FRESH = 1 << 11, /* populated by an event of the current range */
    PF_IMAGE_LARGE = 1 << 12, /* wants large pages; changes by structural records only */
    PF_IMAGE_ADVISED = PF_IMAGE_MERGEABLE | PF_IMAGE_READONLY | PF_IMAGE_EXECUTED |
                       PF_IMAGE_LOCKED | PF_IMAGE_LARGE,
};

typedef enum {
    PF_BASE_NONE,    /* untouched */
    PF_BASE_ZERO,    /* read before it was written: the zero page */
    PF_BASE_PRIVATE, /* a frame of its own */
    PF_BASE_GROUP,   /* a frame shared by fork or alias, or pinned */
    PF_BASE_FILE,    /* a frame of the page cache */
} PfBaseState;

enum { PF_LEAF_PAGES = 64 };

/* 64 neighbouring pages of a context. The slot of page I is 64 * id + I. */
typedef struct {
    uint64_t number; /* CPN of the first page / 64 */
    uint32_t context;
    uint32_t id;
    uint32_t handle[PF_LEAF_PAGES];
    uint16_t flags[PF_LEAF_PAGES];
} PfLeaf;

/* Pages that a large page takes the place of: a run of neighbours, the first of which has a number
 * that is a multiple. */
enum { PF_LARGE_SHIFT = 9, PF_LARGE_PAGES = 1 << PF_LARGE_SHIFT };

/* The pages of a run, by leaves. */
typedef struct {
    const PfLeaf *leaves[PF_LARGE_PAGES / PF_LEAF_PAGES];
} PfRunPages;

/* Which anonymous memory wants large pages: none, what is mapped or advised so, all. */
typedef enum { PF_LARGE_NEVER, PF_LARGE_MADVISE, PF_LARGE_ALWAYS } PfLargeWish;

/* What the image knows of each record of the current range. */
typedef struct {
    uint32_t slot;          /* of the (first) page, PF_NO_SLOT where the record has none */
    uint32_t second_slot;   /* of the second page of a straddling access, else PF_NO_SLOT */
    uint32_t events_end;    /* events of the range up to and including this record */
    int32_t baseline_delta; /* baseline frames after this record, less those at the range's start */
} PfNote;

#define PF_NO_SLOT UINT32_MAX

typedef enum {
    PF_EVENT_SAME,    /* a store that changes nothing */
    PF_EVENT_CONTENT, /* the whole page becomes `content` */
    PF_EVENT_WRITE,   /* bytes of the record, its part `part` */
    PF_EVENT_UNKNOWN, /* a store of unknown bytes */
    PF_EVENT_PRIVATE, /* a page of a private file mapping gets its own copy */
} PfEventKind;

/* A change of a page's bytes, in the order of the trace. Records of several pages have exactly one
 * event a page. */
typedef struct {
    uint32_t object;   /* the slot whose bytes change: the page's own, or its file's */
    uint32_t previous; /* event of the same object before this one, UINT32_MAX if none */
    uint32_t content;
    int32_t baseline_delta; /* baseline frames after it, less those at the range's start */
    uint16_t record;
    uint8_t kind;
    uint8_t part;
} PfEvent;

typedef struct {
    char *name;
    PfContextKind kind;
    bool alive;
    int32_t node;
    int32_t core;
    const char *label; /* borrowed from the trace; NULL if none */
    const char *user;  /* likewise */
    uint64_t memory_bytes;
    uint64_t populated_pages;
    PfRegionList regions;
    struct PfLeafIndex *leaves;
} PfImageContext;

typedef struct PfImage PfImage;

/* An image for pages of PAGE_BYTES whose contents go to STORE (borrowed). */
PfImage *pf_image_new(PfContentStore *store, uint32_t page_bytes);
void pf_image_free(PfImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfImage, pf_image_free)

/* Which memory wants large pages (none, unless said before the first record), and whether a store
 * to one that is shared by fork copies it whole. */
void pf_image_want_large(PfImage *image, PfLargeWish wish, bool copies_whole);
/* What was said. */
bool pf_image_copies_whole(const PfImage *image);

/* The pages of the run that SLOT lies in; false unless all are anonymous, want large pages and were
 * ever used. */
bool pf_image_run(const PfImage *image, PfSlot slot, PfRunPages *ret_pages);

/* Takes over the contents that BLOCK introduces. Call once for each block, before its ranges. */
void pf_image_add_contents(PfImage *image, const PfRecordBlock *block);

/* Whether RECORD is of more pages than are taken at one time: it has to be played in parts of
 * PF_IMAGE_PAGES_MAX, each as the only record of a block (with `first_index` and
 * PF_RECORD_CONTINUED). */
enum { PF_IMAGE_PAGES_MAX = 1 << 16 };
bool pf_image_is_long(const PfRecord *record);

/* Whether records of KIND change which pages there are: each is a range by itself. */
bool pf_image_is_structural(PfRecordKind kind);

/* Resolves records of BLOCK from FROM on, up to the end of a range; sets RET_TO to one past its
 * last record and RET_STRUCTURAL. A record that cannot be (an unmapped address) gives false with
 * PF_ERROR_TRACE and its index by RET_TO; the image is of no further use then. */
bool pf_image_prepare(PfImage *image, const PfRecordBlock *block, uint32_t from, uint32_t *ret_to,
                      bool *ret_structural, GError **error);

/* All runs are done with the range: applies its events. */
void pf_image_commit(PfImage *image);

/* Notes and events of the current range, which stay where they are until it is committed; notes are
 * indexed as the block's records. */
const PfNote *pf_image_notes(const PfImage *image);
const PfEvent *pf_image_events(const PfImage *image);
const PfEvent *pf_image_event(const PfImage *image, uint32_t index);

/* Frames that `none` uses, and populated pages, at the start of the range. For a structural range:
 * after its record. */
uint64_t pf_image_baseline_frames(const PfImage *image);
uint64_t pf_image_populated_pages(const PfImage *image);

/* Contexts so far, those that have exited included; their numbers are the trace's. */
uint32_t pf_image_context_count(const PfImage *image);
const PfImageContext *pf_image_context(const PfImage *image, uint32_t context);
/* What it was made with. */
uint32_t pf_image_page_bytes(const PfImage *image);
unsigned pf_image_page_shift(const PfImage *image);
PfContentStore *pf_image_store(const PfImage *image);

/* The leaf that holds PAGE of CONTEXT, or NULL where none of its pages was ever used. */
const PfLeaf *pf_image_leaf(const PfImage *image, uint32_t context, PfCpn page);
/* The first leaf of CONTEXT whose pages end behind PAGE, or NULL. */
const PfLeaf *pf_image_leaf_from(const PfImage *image, uint32_t context, PfCpn page);
/* Leaves of CONTEXT in order of making: how many, and one of them. */
uint32_t pf_image_leaf_count(const PfImage *image, uint32_t context);
const PfLeaf *pf_image_leaf_nth(const PfImage *image, uint32_t context, uint32_t index);
/* The leaf of SLOT. */
const PfLeaf *pf_image_leaf_of(const PfImage *image, PfSlot slot);
/* Slots ever given out are below this. */
uint64_t pf_image_slot_limit(const PfImage *image);

/* Slot and CPN of page INDEX of LEAF. */
static inline PfSlot pf_leaf_slot(const PfLeaf *leaf, unsigned index)
{
    return (PfSlot){leaf->id * PF_LEAF_PAGES + index};
}

static inline PfCpn pf_leaf_page(const PfLeaf *leaf, unsigned index)
{
    return (PfCpn){leaf->number * PF_LEAF_PAGES + index};
}

/* The slot of page INDEX of a run. */
static inline PfSlot pf_run_slot(const PfRunPages *pages, unsigned index)
{
    return pf_leaf_slot(pages->leaves[index / PF_LEAF_PAGES], index % PF_LEAF_PAGES);
}

/* The slot of PAGE; false where it was never used. */
bool pf_image_slot(const PfImage *image, uint32_t context, PfCpn page, PfSlot *ret_slot);
uint16_t pf_image_flags(const PfImage *image, PfSlot slot);
/* The object whose bytes SLOT shows at the start of the range: itself, or the page of its file. */
PfSlot pf_image_object(const PfImage *image, PfSlot slot);

/* How many pages map the frame that SLOT maps under `none`, 0 if it maps none; as of the last
 * record that was prepared. */
uint64_t pf_image_baseline_sharers(const PfImage *image, PfSlot slot);

/* A frame of `none`. */
typedef struct {
    uint64_t number;   /* the same for pages that map the same frame, and for no others */
    PfSlot object;     /* where its bytes are to be asked for */
    PfBaseState state; /* not NONE */
    bool is_shmem;     /* FILE: of shared memory */
    bool is_untold;    /* FILE: no record told its bytes */
} PfImageFrame;

/* The frame that SLOT maps under `none`, between two ranges; false if it maps none. */
bool pf_image_frame(const PfImage *image, PfSlot slot, PfImageFrame *ret_frame);

/* What stands for the bytes of OBJECT, which are unknown, between two ranges: the same for pages
 * that have them from each other, by fork, alias or a copy. */
uint64_t pf_image_unknown(const PfImage *image, PfSlot object);

/* Something about a page that is made from what changes in it, unit by unit. */
typedef struct {
    const void *user;
    uint32_t unit_bytes; /* a power of two; a page has whole units */
    size_t state_bytes;  /* kept for a page; 0: nothing, and nothing is told */
    /* STATE, aligned for 64-bit words, becomes that of the page BYTES. */
    void (*begin)(const void *user, void *state, const uint8_t *bytes);
    /* The unit at OFFSET goes from OLD to NEW. */
    void (*change)(const void *user, void *state, uint32_t offset, const uint8_t *old,
                   const uint8_t *new);
} PfImageFollower;

/* A page as a reader has asked for it store by store: so that each store is put in once. */
typedef struct {
    uint32_t slot;   /* + 1; 0: there is nothing yet */
    uint32_t newest; /* event that is put in last */
    uint64_t range;  /* in which that is so; 0: in none */
    uint8_t *bytes;
    void *state; /* of the follower */
} PfImageCopy;

enum { PF_IMAGE_COPIES = 1024 };

/* A part of a page. */
typedef struct {
    uint32_t first_bytes;
    uint32_t end_bytes;
} PfByteSpan;

/* Scratch of one reader (a run). */
typedef struct {
    uint8_t *page;
    GArray *chain;
    PfImageCopy *copies; /* PF_IMAGE_COPIES of them, by slot; NULL until one is asked for */
} PfImageReader;

/* Clear with pf_image_reader_clear. */
void pf_image_reader_init(PfImageReader *reader, const PfImage *image);
void pf_image_reader_clear(PfImageReader *reader);

/* The content of SLOT, where that is at hand: the range changes nothing there. Borrowed from the
 * image, which keeps it until the range is over. */
bool pf_image_peek(const PfImage *image, PfSlot slot, PfContent *ret_content);

/* The content of SLOT as the first POSITION events of the range leave it, with a reference for the
 * caller; false if its bytes are unknown. May be called by several runs at once. */
bool pf_image_content(PfImage *image, PfImageReader *reader, PfSlot slot, uint32_t position,
                      PfContent *ret_content);

/* The bytes of SLOT as the first POSITION events of the range leave them, the last of which is one
 * of its own, for those who ask after each; until the next call. NULL where they are not at hand:
 * then pf_image_content tells. RET_STATE: what FOLLOWER, the same in each call, keeps of them. */
const uint8_t *pf_image_result(PfImage *image, PfImageReader *reader, PfSlot slot,
                               uint32_t position, const PfImageFollower *follower,
                               const void **ret_state);

/* Distinct contents of populated pages as of POSITION. A page of unknown bytes counts as one of its
 * own, together with those that got the bytes from it by fork, alias or a copy. The first call must
 * come between two ranges; then it may be called by several runs at once, at positions of their
 * own. */
uint64_t pf_image_distinct(PfImage *image, PfImageReader *reader, uint32_t position);

/* Likewise; and counts in RET_PAGES, emptied first, for each of these contents by how many
 * populated pages it is held. */
uint64_t pf_image_multiplicity(PfImage *image, PfImageReader *reader, uint32_t position,
                               PfHistogram *ret_pages);

/* Memory that the image takes per se, contents apart. */
uint64_t pf_image_bytes(const PfImage *image);

/* Recounts everything from the pages and asserts that the counts agree. */
void pf_image_check(const PfImage *image);
