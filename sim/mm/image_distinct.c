/* How many distinct contents the populated pages have, kept up to date at the price of what
 * changed. Objects are counted: a page, or a page of a file that populated pages map. */
#include "image_internal.h"

/* Keys that objects are counted under: a content, or what stands for bytes that nobody knows. Pages
 * that got unknown bytes from each other (by fork, alias or a copy) have the same ones. */
#define KEY_CONTENTS     ((uint64_t)1 << 32) /* below: a content's index */
#define KEY_UNKNOWN_ID   ((uint64_t)1 << 32) /* and the number that sharers have in common */
#define KEY_UNKNOWN_SLOT ((uint64_t)2 << 32) /* and the only slot that has them */
#define KEY_UNKNOWN_DONE ((uint64_t)3 << 32) /* and the event of the range that made them so */

struct PfDistinct {
    PfTable counted;  /* object -> key that it is counted under, a content with a reference */
    PfTable copies;   /* key -> objects counted under it */
    PfTable users;    /* page of a file -> populated pages that show it */
    PfTable is_dirty; /* objects in `dirty` */
    GArray *dirty;    /* objects to look at again */
    uint32_t range;    /* the counts are as of */
    uint32_t position; /* this event of this range */
    unsigned changes;  /* of users in this range, that are applied */
    GMutex lock;       /* runs ask side by side */
};

void image_distinct_free(struct PfDistinct *distinct)
{
    if (distinct == NULL)
        return;
    pf_table_clear(&distinct->counted);
    pf_table_clear(&distinct->copies);
    pf_table_clear(&distinct->users);
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

void image_distinct_use(PfImage *image, uint32_t object, int change)
{
    struct PfDistinct *distinct = image->distinct;
    if (distinct == NULL)
        return;
    uint64_t users = 0;
    pf_table_find(&distinct->users, object, &users);
    g_assert(change > 0 || users > 0);
    users += (uint64_t)(int64_t)change;
    if (users > 0)
        pf_table_insert(&distinct->users, object, users);
    else
        pf_table_remove(&distinct->users, object);
    image_distinct_touch(image, object);
}

void image_distinct_use_later(PfImage *image, uint32_t object, int change)
{
    if (image->distinct == NULL)
        return;
    UserChange later = {.event = image->events->len, .object = object, .change = change};
    g_array_append_val(image->user_changes, later);
}

static const UserChange *change_at(const PfImage *image, unsigned index)
{
    return &g_array_index(image->user_changes, UserChange, index);
}

void image_distinct_commit(PfImage *image)
{
    struct PfDistinct *distinct = image->distinct;
    if (distinct == NULL)
        return;
    unsigned done = distinct->range == image->range_number ? distinct->changes : 0;
    for (unsigned i = done; i < image->user_changes->len; i++)
        image_distinct_use(image, change_at(image, i)->object, change_at(image, i)->change);
    g_array_set_size(image->user_changes, 0);
    distinct->changes = 0;
}

static void uncount(PfImage *image, uint32_t object)
{
    struct PfDistinct *distinct = image->distinct;
    uint64_t key;
    if (!pf_table_find(&distinct->counted, object, &key))
        return;
    pf_table_remove(&distinct->counted, object);
    uint64_t copies = 0;
    pf_table_find(&distinct->copies, key, &copies);
    g_assert(copies > 0);
    if (copies == 1)
        pf_table_remove(&distinct->copies, key);
    else
        pf_table_insert(&distinct->copies, key, copies - 1);
    if (key < KEY_CONTENTS)
        pf_content_unref(image->store, (PfContent){(uint32_t)key});
}

/* What stands for the unknown bytes of OBJECT as of POSITION. */
static uint64_t unknown_key(const PfImage *image, uint32_t object, uint32_t position)
{
    uint32_t event = image_last_event(image, object);
    while (event != NO_EVENT &&
           (event >= position || pf_image_event(image, event)->kind == PF_EVENT_SAME))
        event = pf_image_event(image, event)->previous;
    uint32_t handle = *image_handle(image, object);
    bool of_file = (handle & HANDLE_TAG) == HANDLE_FILE;
    if (event != NO_EVENT && pf_image_event(image, event)->kind != PF_EVENT_PRIVATE)
        return KEY_UNKNOWN_DONE | event;
    if (of_file)
        return unknown_key(image, handle & ~HANDLE_TAG, MIN(event, position));
    uint32_t id = handle & ~HANDLE_TAG;
    return id != 0 ? KEY_UNKNOWN_ID | id : KEY_UNKNOWN_SLOT | object;
}

uint64_t pf_image_unknown(const PfImage *image, PfSlot object)
{
    return unknown_key(image, object.index, 0);
}

static void count(PfImage *image, PfImageReader *reader, uint32_t object, uint32_t position)
{
    struct PfDistinct *distinct = image->distinct;
    PfContent content;
    uint64_t key;
    if (pf_image_content(image, reader, (PfSlot){object}, position, &content))
        key = content.index;
    else
        key = unknown_key(image, object, position);
    pf_table_insert(&distinct->counted, object, key);
    uint64_t copies = 0;
    pf_table_find(&distinct->copies, key, &copies);
    pf_table_insert(&distinct->copies, key, copies + 1);
}

/* Whether OBJECT is populated as of POSITION. Flags are set when records are resolved, ahead of the
 * runs: of what the current range populates the first event tells. */
static bool counts(const PfImage *image, uint32_t object, uint32_t position)
{
    uint64_t ignored;
    if (image_leaf_by_id(image, object / PF_LEAF_PAGES)->context == PAGE_CACHE_CONTEXT)
        return pf_table_find(&image->distinct->users, object, &ignored);
    uint16_t flags = *image_flags(image, object);
    if ((flags & PF_IMAGE_POPULATED) == 0)
        return false;
    uint32_t event = image_last_event(image, object);
    uint32_t first = NO_EVENT;
    for (; event != NO_EVENT; event = pf_image_event(image, event)->previous)
        first = event;
    /* A page that shows a file's at the start of the range has none of its own until an event. */
    bool of_file = (*image_handle(image, object) & HANDLE_TAG) == HANDLE_FILE;
    if (of_file || (flags & PF_IMAGE_FRESH) != 0)
        return first != NO_EVENT && first < position;
    return true;
}

static void start(PfImage *image)
{
    g_assert(image->events->len == 0);
    image->distinct = g_new0(struct PfDistinct, 1);
    pf_table_init(&image->distinct->counted);
    pf_table_init(&image->distinct->copies);
    pf_table_init(&image->distinct->users);
    pf_table_init(&image->distinct->is_dirty);
    image->distinct->dirty = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_mutex_init(&image->distinct->lock);
    for (uint32_t slot = 0; slot < pf_image_slot_limit(image); slot++) {
        bool of_cache =
            image_leaf_by_id(image, slot / PF_LEAF_PAGES)->context == PAGE_CACHE_CONTEXT;
        if (of_cache || (*image_flags(image, slot) & PF_IMAGE_POPULATED) == 0)
            continue;
        image_distinct_touch(image, slot);
        uint32_t object = pf_image_object(image, (PfSlot){slot}).index;
        if (object != slot)
            image_distinct_use(image, object, 1);
    }
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
    for (; distinct->changes < image->user_changes->len &&
           change_at(image, distinct->changes)->event < position;
         distinct->changes++) {
        const UserChange *later = change_at(image, distinct->changes);
        image_distinct_use(image, later->object, later->change);
    }
    for (; distinct->changes > 0 &&
           change_at(image, distinct->changes - 1)->event >= position;
         distinct->changes--) {
        const UserChange *undone = change_at(image, distinct->changes - 1);
        image_distinct_use(image, undone->object, -undone->change);
    }
}

/* Of a page of a file its users count. A hash table's order does not show in a histogram. */
static void count_pages(const PfImage *image, PfHistogram *pages)
{
    const struct PfDistinct *distinct = image->distinct;
    PfTable by_key;
    pf_table_init(&by_key);
    for (uint32_t object = 0; object < pf_image_slot_limit(image); object++) {
        uint64_t key;
        if (!pf_table_find(&distinct->counted, object, &key))
            continue;
        uint64_t users = 1;
        uint64_t before = 0;
        pf_table_find(&distinct->users, object, &users);
        pf_table_find(&by_key, key, &before);
        pf_table_insert(&by_key, key, before + users);
    }
    if (by_key.has_zero)
        pf_histogram_add(pages, by_key.zero_value);
    for (uint64_t i = 0; by_key.slots != NULL && i <= by_key.mask; i++)
        if (by_key.slots[i].key != 0)
            pf_histogram_add(pages, by_key.slots[i].value);
    pf_table_clear(&by_key);
}

uint64_t pf_image_distinct(PfImage *image, PfImageReader *reader, uint32_t position)
{
    return pf_image_multiplicity(image, reader, position, NULL);
}

uint64_t pf_image_multiplicity(PfImage *image, PfImageReader *reader, uint32_t position,
                               PfHistogram *ret_pages)
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
    uint64_t contents = pf_table_count(&distinct->copies);
    if (ret_pages != NULL) {
        *ret_pages = (PfHistogram){0};
        count_pages(image, ret_pages);
    }
    g_mutex_unlock(&distinct->lock);
    return contents;
}
