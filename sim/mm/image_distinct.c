/* How many distinct contents the populated pages have, kept up to date at the price of what
 * changed. Objects are counted: a page, or a page of a file that populated pages map. */
#include "image_internal.h"

struct PfDistinct {
    PfTable counted;  /* object -> content that it is counted under, with a reference */
    PfTable copies;   /* content -> objects counted under it */
    PfTable is_dirty; /* objects in `dirty` */
    GArray *dirty;    /* objects to look at again */
    uint64_t distinct;
    uint64_t unknown; /* objects of unknown bytes: each is counted as one */
    uint32_t range;    /* the counts are as of */
    uint32_t position; /* this event of this range */
    GMutex lock;       /* runs ask side by side */
};

/* What `counted` says of an object of unknown bytes. */
#define COUNTED_UNKNOWN UINT64_MAX

void image_distinct_free(struct PfDistinct *distinct)
{
    if (distinct == NULL)
        return;
    pf_table_clear(&distinct->counted);
    pf_table_clear(&distinct->copies);
    pf_table_clear(&distinct->is_dirty);
    g_array_unref(distinct->dirty);
    g_mutex_clear(&distinct->lock);
    g_free(distinct);
}

void image_distinct_touch(PfImage *image, uint32_t object)
{
    struct PfDistinct *distinct = image->distinct;
    uint64_t ignored;
    if (distinct == NULL || pf_table_find(&distinct->is_dirty, object, &ignored))
        return;
    pf_table_insert(&distinct->is_dirty, object, 1);
    g_array_append_val(distinct->dirty, object);
}

static void uncount(PfImage *image, uint32_t object)
{
    struct PfDistinct *distinct = image->distinct;
    uint64_t content;
    if (!pf_table_find(&distinct->counted, object, &content))
        return;
    pf_table_remove(&distinct->counted, object);
    if (content == COUNTED_UNKNOWN) {
        distinct->unknown--;
        return;
    }
    uint64_t copies = 0;
    pf_table_find(&distinct->copies, content, &copies);
    g_assert(copies > 0);
    if (copies == 1) {
        pf_table_remove(&distinct->copies, content);
        distinct->distinct--;
    } else {
        pf_table_insert(&distinct->copies, content, copies - 1);
    }
    pf_content_unref(image->store, (PfContent){(uint32_t)content});
}

static void count(PfImage *image, PfImageReader *reader, uint32_t object, uint32_t position)
{
    struct PfDistinct *distinct = image->distinct;
    PfContent content;
    if (!pf_image_content(image, reader, (PfSlot){object}, position, &content)) {
        pf_table_insert(&distinct->counted, object, COUNTED_UNKNOWN);
        distinct->unknown++;
        return;
    }
    pf_table_insert(&distinct->counted, object, content.index);
    uint64_t copies = 0;
    if (!pf_table_find(&distinct->copies, content.index, &copies))
        distinct->distinct++;
    pf_table_insert(&distinct->copies, content.index, copies + 1);
}

/* Whether OBJECT is populated as of POSITION. Flags are set when records are resolved, ahead of the
 * runs: of what the current range populates the first event tells. */
static bool counts(const PfImage *image, uint32_t object, uint32_t position)
{
    if ((*image_flags(image, object) & PF_IMAGE_POPULATED) == 0)
        return false;
    uint32_t handle = *image_handle(image, object);
    uint32_t event = image_last_event(image, object);
    uint32_t first = NO_EVENT;
    for (; event != NO_EVENT; event = pf_image_event(image, event)->previous)
        first = event;
    if ((handle & HANDLE_TAG) == HANDLE_FILE)
        return first != NO_EVENT && first < position;
    uint64_t ignored;
    bool of_file = image_leaf_by_id(image, object / PF_LEAF_PAGES)->context == PAGE_CACHE_CONTEXT;
    if (of_file && !pf_table_find(&image->group_of, object, &ignored))
        return false;
    return (*image_flags(image, object) & PF_IMAGE_FRESH) == 0 || first < position;
}

static void start(PfImage *image)
{
    image->distinct = g_new0(struct PfDistinct, 1);
    pf_table_init(&image->distinct->counted);
    pf_table_init(&image->distinct->copies);
    pf_table_init(&image->distinct->is_dirty);
    image->distinct->dirty = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_mutex_init(&image->distinct->lock);
    for (uint32_t slot = 0; slot < pf_image_slot_limit(image); slot++)
        if ((*image_flags(image, slot) & PF_IMAGE_POPULATED) != 0)
            image_distinct_touch(image, slot);
}

/* Objects with events between the position that was counted last and POSITION are to be looked at
 * again. At the start of a range they are those that the range before touched when applied. */
static void move_to(PfImage *image, uint32_t position)
{
    struct PfDistinct *distinct = image->distinct;
    if (distinct->range != image->range_number)
        distinct->position = 0;
    uint32_t from = MIN(distinct->position, position);
    uint32_t to = MAX(distinct->position, position);
    for (uint32_t i = from; i < to; i++)
        image_distinct_touch(image, pf_image_event(image, i)->object);
    distinct->range = image->range_number;
    distinct->position = position;
}

uint64_t pf_image_distinct(PfImage *image, PfImageReader *reader, uint32_t position)
{
    if (image->distinct == NULL)
        start(image);
    struct PfDistinct *distinct = image->distinct;
    g_mutex_lock(&distinct->lock);
    move_to(image, position);
    for (unsigned i = 0; i < distinct->dirty->len; i++) {
        uint32_t object = g_array_index(distinct->dirty, uint32_t, i);
        bool counted = counts(image, object, position);
        uncount(image, object);
        if (counted)
            count(image, reader, object, position);
    }
    g_array_set_size(distinct->dirty, 0);
    pf_table_clear(&distinct->is_dirty);
    pf_table_init(&distinct->is_dirty);
    uint64_t contents = distinct->distinct + distinct->unknown;
    g_mutex_unlock(&distinct->lock);
    return contents;
}
