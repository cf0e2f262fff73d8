/* What the files of the memory image share; nobody else includes this. */
#pragma once

#include "image.h"
#include "seg_array.h"
#include "table.h"

/* A handle says where the bytes of a slot are at the start of the range: two bits of tag. */
#define HANDLE_TAG     ((uint32_t)3 << 30)
#define HANDLE_CONTENT ((uint32_t)0 << 30) /* an interned content; 0 is the zero page */
#define HANDLE_BYTES   ((uint32_t)1 << 30) /* a buffer of its own */
#define HANDLE_FILE    ((uint32_t)2 << 30) /* the object of a file's page, a slot */
#define HANDLE_UNKNOWN ((uint32_t)3 << 30) /* and, if not 0, what all that share it have */

#define NO_EVENT UINT32_MAX
#define NO_FILE  0U

enum { LEAF_CACHE_ENTRIES = 64, RANGE_EVENTS_MAX = 1 << 20 };

/* The context that owns the pages of files: not one of the trace's. */
#define PAGE_CACHE_CONTEXT UINT32_MAX

struct PfLeafIndex {
    PfTable by_number; /* number -> leaf id */
    GTree *order;      /* number -> leaf */
    GArray *made;      /* leaf ids in order of making */
    PfLeaf *cache[LEAF_CACHE_ENTRIES];
};

typedef struct {
    uint32_t maps;
    uint32_t pins;
    bool exclusive; /* made for the page that maps it, and never shared since */
} BaseGroup;

typedef struct {
    uint32_t slot;   /* by which address it was pinned */
    uint32_t group;  /* UINT32_MAX: the zero page */
    uint32_t object; /* of the file's page, where it is one, else PF_NO_SLOT */
} BasePin;

typedef struct {
    uint8_t *bytes;
    uint32_t slot;
    uint32_t written; /* number of the range that wrote it last */
    uint32_t newest;  /* event of that range that did */
} PageBuffer;

typedef struct {
    uint32_t object;
    uint32_t range;
    uint32_t last;
} LastEvent;

/* A populated page comes to show a file's page (1) or does so no more (-1). */
typedef struct {
    uint32_t event; /* by which event of the range */
    uint32_t object;
    int change;
} UserChange;

struct PfImage {
    PfContentStore *store;
    uint32_t page_bytes;
    unsigned page_shift;
    GPtrArray *contexts; /* of PfImageContext */
    PfImageContext *page_cache;
    PfSegArray leaves;
    uint32_t leaf_count;
    GArray *free_leaves;    /* ids for reuse */
    GPtrArray *exited; /* contexts whose leaves are free once the runs are done with them */

    GArray *contents;      /* PfContent by the trace's number, each with a reference */
    PfTable id_specs;      /* the trace's number -> index in `ids`, for steps */
    GArray *ids;           /* of PfContentSpec */
    GHashTable *files;     /* name -> number */
    GPtrArray *file_names; /* by number / 2 - 1; borrowed from `files` */
    PfTable file_pages;    /* file number and page -> slot of the object */

    /* The current range. */
    const PfRecordBlock *block;
    uint32_t range_from;
    uint32_t range_to;
    uint32_t range_number;
    PfNote *notes;
    GArray *events; /* of PfEvent */
    LastEvent *last_events;
    uint32_t last_events_mask;

    PfSegArray buffers; /* of PageBuffer */
    uint32_t buffer_count;
    uint64_t buffers_alive;
    uint32_t settle_hand;
    GArray *free_buffers;
    GMutex settle_lock;
    GArray *settle; /* slots that a reader asked for: worth interning */

    PfImageReader reader; /* of the image itself, when it resolves records */

    /* What `none` uses. */
    int64_t baseline_frames;
    int64_t baseline_at_start;
    uint64_t populated_pages;
    uint64_t zero_maps; /* pins included */
    uint64_t zero_pins;
    PfTable group_of; /* slot -> group */
    GArray *groups;
    GArray *free_groups;
    GArray *pins;

    PfLargeWish large_wish;
    bool copies_whole;

    struct PfDistinct *distinct; /* NULL until asked for */
    GArray *user_changes;        /* of UserChange, in the current range; none without `distinct` */
    uint32_t unknown_ids;        /* given out, to unknown bytes that several pages have */
};

/* The leaf whose id is ID. */
static inline PfLeaf *image_leaf_by_id(const PfImage *image, uint32_t id)
{
    return pf_seg_array_at(&image->leaves, id);
}

/* The leaf whose number is NUMBER, or NULL. */
PfLeaf *image_find_leaf(const PfImage *image, const PfImageContext *context, uint64_t number);
/* The leaf of PAGE, made if need be with the flags of the regions that it lies in. */
PfLeaf *image_make_leaf(PfImage *image, PfImageContext *context, uint32_t number_of_context,
                        PfCpn page);
static inline PfImageContext *image_context(const PfImage *image, uint32_t context)
{
    g_assert(context < image->contexts->len);
    return g_ptr_array_index(image->contexts, context);
}

/* A context without pages; NAME is copied. */
void image_context_free(PfImageContext *context);
PfImageContext *image_context_new(const char *name);

/* Where SLOT's bytes are, and its flags. */
static inline uint32_t *image_handle(const PfImage *image, uint32_t slot)
{
    return &image_leaf_by_id(image, slot / PF_LEAF_PAGES)->handle[slot % PF_LEAF_PAGES];
}

static inline uint16_t *image_flags(const PfImage *image, uint32_t slot)
{
    return &image_leaf_by_id(image, slot / PF_LEAF_PAGES)->flags[slot % PF_LEAF_PAGES];
}

/* image_base.c: what `none` maps, counted. */
static inline PfBaseState image_state_of(uint16_t flags)
{
    return (PfBaseState)((flags >> PF_IMAGE_STATE_SHIFT) & 7);
}

static inline PfBaseState image_base_state(const PfImage *image, uint32_t slot)
{
    return image_state_of(*image_flags(image, slot));
}

/* SLOT maps nothing any more; SLOT is read. */
void image_base_release(PfImage *image, uint32_t slot);
void image_base_read(PfImage *image, uint32_t slot);
/* A store to a page that is not shared memory: it ends in a frame of its own, and with it others of
 * its run where that wants large pages (image_large.c). */
void image_base_store(PfImage *image, uint32_t slot);
/* The page's own part in that. */
void image_base_store_page(PfImage *image, uint32_t slot);
/* The group of SLOT, which has one. */
const BaseGroup *image_base_group(const PfImage *image, uint32_t slot);
void image_base_map_file(PfImage *image, uint32_t slot, uint32_t object);
/* TARGET, which maps nothing, maps what SOURCE maps. */
void image_base_share(PfImage *image, uint32_t source, uint32_t target);
void image_base_move(PfImage *image, uint32_t source, uint32_t target);
void image_base_pin(PfImage *image, uint32_t slot);
void image_base_unpin(PfImage *image, uint32_t slot);
void image_base_unpin_all(PfImage *image, uint32_t context);

/* image_events.c */
void image_events_begin(PfImage *image, const PfRecordBlock *block, uint32_t from);
uint32_t image_last_event(const PfImage *image, uint32_t object);
void image_add_event(PfImage *image, const PfEvent *event);
/* Where the part of a write that EVENT stands for is in its page. */
PfByteSpan image_part(const PfImage *image, const PfEvent *event);
/* Puts it into PAGE. */
void image_write_part(const PfImage *image, const PfEvent *event, uint8_t *page);
/* Puts what SLOT holds as the first POSITION events leave it into PAGE; false if unknown. */
bool image_copy_page(PfImage *image, PfImageReader *reader, PfSlot slot, uint32_t position,
                     uint8_t *page);
/* Whether the bytes of SLOT, at the start of the range, are those that EVENT of RANGE left. */
bool image_is_written_last(const PfImage *image, uint32_t slot, uint64_t range, uint32_t event);
/* Content of SLOT now, at the start of the range (structural records). */
void image_drop_bytes(PfImage *image, uint32_t slot);
/* Makes SLOT's bytes an interned content, so that two slots can have it. */
void image_intern_slot(PfImage *image, uint32_t slot);

/* The handle of SLOT, which the bytes of another page are to have, too. */
uint32_t image_shared_handle(PfImage *image, uint32_t slot);

/* Flags of pages that are cleared and set. */
typedef struct {
    uint16_t clear;
    uint16_t set;
} FlagChange;

/* image_large.c: PF_IMAGE_LARGE if memory mapped as DETAIL says wants large pages, else 0; what
 * ADVICE changes. */
unsigned image_large_flag(const PfImage *image, const PfTraceDetail *detail);
FlagChange image_advice_change(const PfImage *image, unsigned advice);

/* image_structure.c */
bool image_apply_structural(PfImage *image, const PfRecord *record, GError **error);

/* The page of FILE that PAGE of a region maps: the object's slot, made if need be. */
uint32_t image_file_object(PfImage *image, uint32_t file, uint64_t file_page);

/* image_distinct.c */
void image_distinct_touch(PfImage *image, uint32_t object);
/* CHANGE more populated pages show the page OBJECT of a file: now (structural records), or with the
 * next event. */
void image_distinct_use(PfImage *image, uint32_t object, int change);
void image_distinct_use_later(PfImage *image, uint32_t object, int change);
/* All events of the range have taken effect. */
void image_distinct_commit(PfImage *image);
void image_distinct_free(struct PfDistinct *distinct);
