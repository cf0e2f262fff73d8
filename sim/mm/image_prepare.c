/* Resolving records: which pages they mean, what they do to bytes (events) and to the baseline. */
#include <string.h>

#include "error.h"
#include "image_internal.h"

static bool unmapped(const PfImage *image, const PfRecord *record, PfCpn page, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "%s of 0x%" G_GINT64_MODIFIER "x in context '%s', where nothing is mapped; map it "
                "first",
                pf_record_kind_name((PfRecordKind)record->kind),
                pf_cpn_address(page, image->page_shift).bytes,
                image_context(image, record->context)->name);
    return false;
}

/* The slot of PAGE, which must be mapped. */
static bool resolve(PfImage *image, const PfRecord *record, PfCpn page, uint32_t *ret_slot,
                    GError **error)
{
    PfImageContext *context = image_context(image, record->context);
    uint64_t number = page.number / PF_LEAF_PAGES;
    PfLeaf *leaf = context->leaves->cache[number % LEAF_CACHE_ENTRIES];
    if (leaf == NULL || leaf->number != number) {
        leaf = image_find_leaf(image, context, number);
        if (leaf == NULL && pf_region_list_find(&context->regions, page) == NULL)
            return unmapped(image, record, page, error);
        leaf = image_make_leaf(image, context, record->context, page);
    }
    unsigned index = page.number % PF_LEAF_PAGES;
    uint16_t flags = leaf->flags[index];
    if (G_UNLIKELY((flags & PF_IMAGE_MAPPED) == 0))
        return unmapped(image, record, page, error);
    uint32_t slot = pf_leaf_slot(leaf, index).index;
    /* The first use of a file's page finds its object. */
    if ((flags & (PF_IMAGE_FILE | PF_IMAGE_SHMEM)) != 0 && leaf->handle[index] == HANDLE_CONTENT &&
        image_base_state(image, slot) == PF_BASE_NONE) {
        const PfRegion *region = pf_region_list_find(&context->regions, page);
        uint64_t file_page = region->file_page + (page.number - region->first.number);
        leaf->handle[index] = HANDLE_FILE | image_file_object(image, region->file, file_page);
    }
    *ret_slot = slot;
    return true;
}

static bool populate(PfImage *image, const PfRecord *record, uint32_t slot, GError **error)
{
    uint16_t *flags = image_flags(image, slot);
    if ((*flags & PF_IMAGE_POPULATED) != 0)
        return true;
    PfImageContext *context = image_context(image, record->context);
    if (context->memory_bytes != 0 &&
        (context->populated_pages + 1) << image->page_shift > context->memory_bytes) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "context '%s' uses more than its memory of %" G_GUINT64_FORMAT
                    " bytes; raise memory= or leave it out",
                    context->name, context->memory_bytes);
        return false;
    }
    *flags |= PF_IMAGE_POPULATED | PF_IMAGE_FRESH;
    context->populated_pages++;
    image->populated_pages++;
    return true;
}

/* Where a store to SLOT goes: to the page's own bytes or to the page of its file. */
static uint32_t store_object(const PfImage *image, uint32_t slot)
{
    bool shared = (*image_flags(image, slot) & PF_IMAGE_SHMEM) != 0;
    return shared ? pf_image_object(image, (PfSlot){slot}).index : slot;
}

static void base_store(PfImage *image, uint32_t slot, uint32_t object)
{
    if (object == slot) {
        image_base_store(image, slot);
        return;
    }
    image_base_map_file(image, slot, object);
    uint16_t *flags = image_flags(image, object);
    if ((*flags & PF_IMAGE_POPULATED) == 0)
        *flags |= PF_IMAGE_POPULATED | PF_IMAGE_FRESH;
}

/* Whether SLOT shows a file's page and has no bytes of its own, as of the events so far. */
static bool shows_file(const PfImage *image, uint32_t slot)
{
    return pf_image_object(image, (PfSlot){slot}).index != slot &&
           image_last_event(image, slot) == NO_EVENT;
}

/* The next event is a store of SLOT, which WAS_POPULATED, to OBJECT. */
static void count_user(PfImage *image, uint32_t slot, uint32_t object, bool was_populated)
{
    if (object != slot && !was_populated)
        image_distinct_use_later(image, object, 1);
    else if (object == slot && was_populated && shows_file(image, slot))
        image_distinct_use_later(image, pf_image_object(image, (PfSlot){slot}).index, -1);
}

/* A store to part of a page that shows a file's, by a private mapping or an alias, copies it
 * first. */
static void copy_file_page(PfImage *image, uint32_t slot, uint16_t record)
{
    if (!shows_file(image, slot))
        return;
    PfEvent event = {.object = slot, .content = 0, .record = record, .kind = PF_EVENT_PRIVATE};
    image_add_event(image, &event);
}

/* The content that RECORD, a write of a whole page, makes; with a reference. */
static PfContent written_content(PfImage *image, const PfRecord *record)
{
    if (record->count > sizeof record->value)
        return pf_content_intern(image->store, record->bytes);
    uint64_t little = GUINT64_TO_LE(record->value);
    uint8_t bytes[sizeof little];
    memcpy(bytes, &little, sizeof little);
    return pf_content_intern(image->store, bytes);
}

static bool prepare_write(PfImage *image, const PfRecord *record, uint16_t number, uint32_t slot,
                          uint8_t part, GError **error)
{
    uint16_t flags = *image_flags(image, slot);
    uint32_t object = slot;
    /* Most stores meet a page that is the context's own already. */
    bool settled = image_state_of(flags) == PF_BASE_PRIVATE && (flags & PF_IMAGE_POPULATED) != 0;
    if (!settled) {
        if (!populate(image, record, slot, error))
            return false;
        object = store_object(image, slot);
        count_user(image, slot, object, (flags & PF_IMAGE_POPULATED) != 0);
        if (object == slot)
            copy_file_page(image, slot, number);
        base_store(image, slot, object);
    }
    bool known = (record->flags & PF_RECORD_HAS_VALUE) != 0;
    PfEvent event = {.object = object,
                     .record = number,
                     .kind = known ? PF_EVENT_WRITE : PF_EVENT_UNKNOWN,
                     .part = part};
    /* A store of the whole page makes it known, whatever it was. */
    if (G_UNLIKELY(known && record->count == image->page_bytes &&
                   (record->address & (image->page_bytes - 1)) == 0)) {
        event.kind = PF_EVENT_CONTENT;
        event.content = written_content(image, record).index;
    }
    image_add_event(image, &event);
    return true;
}

static void prepare_read(PfImage *image, uint32_t slot)
{
    if (image_base_state(image, slot) == PF_BASE_NONE)
        image_base_read(image, slot);
}

static bool prepare_access(PfImage *image, const PfRecord *record, uint16_t number, PfNote *note,
                           GError **error)
{
    unsigned shift = image->page_shift;
    PfCpn first = pf_caddr_page((PfCaddr){record->address}, shift);
    PfCpn last = pf_caddr_page((PfCaddr){record->address + record->count - 1}, shift);
    if (!resolve(image, record, first, &note->slot, error))
        return false;
    bool straddles = !pf_cpn_equal(first, last);
    if (straddles && !resolve(image, record, last, &note->second_slot, error))
        return false;
    if (record->kind != PF_RECORD_WRITE) {
        prepare_read(image, note->slot);
        if (straddles)
            prepare_read(image, note->second_slot);
        return true;
    }
    return prepare_write(image, record, number, note->slot, 0, error) &&
           (!straddles || prepare_write(image, record, number, note->second_slot, 1, error));
}

/* The content that page INDEX of RECORD gets, with a reference for its event. */
static PfContent record_content(PfImage *image, const PfRecord *record, uint64_t index)
{
    bool steps = record->kind == PF_RECORD_STATE || record->kind == PF_RECORD_FILL;
    uint64_t step = steps ? record->value : 0;
    PfContent content = g_array_index(image->contents, PfContent, record->content);
    uint64_t id;
    if (step != 0 && pf_table_find(&image->id_specs, record->content, &id)) {
        const PfContentSpec *spec = &g_array_index(image->ids, PfContentSpec, id);
        PfContentSpec stepped = pf_content_spec_step(spec, step, record->first_index + index);
        return pf_content_intern_spec(image->store, &stepped);
    }
    pf_content_ref(image->store, content);
    return content;
}

/* Whether SLOT is known to hold CONTENT already, at the end of the events so far; by its bytes, for
 * whether those are interned depends on who has looked at them. */
static bool holds(PfImage *image, uint32_t slot, PfContent content)
{
    uint32_t handle = *image_handle(image, slot);
    if (image_last_event(image, slot) == NO_EVENT && (handle & HANDLE_TAG) == HANDLE_CONTENT)
        return handle == (HANDLE_CONTENT | content.index);
    PfContent now;
    if (!pf_image_content(image, &image->reader, (PfSlot){slot}, image->events->len, &now))
        return false;
    pf_content_unref(image->store, now);
    return pf_content_equal(now, content);
}

/* `state` of a page of a file gives the file's page its bytes, unless it has others: then the
 * context has a copy of its own. */
static uint32_t state_object(PfImage *image, uint32_t slot, PfContent content)
{
    uint32_t object = pf_image_object(image, (PfSlot){slot}).index;
    PfBaseState state = image_base_state(image, slot);
    if (object == slot || state == PF_BASE_PRIVATE || state == PF_BASE_GROUP)
        return slot;
    bool has_bytes = (*image_flags(image, object) & PF_IMAGE_POPULATED) != 0;
    return !has_bytes || holds(image, object, content) ? object : slot;
}

static bool prepare_content_page(PfImage *image, const PfRecord *record, uint16_t number,
                                 uint32_t slot, PfContent content, GError **error)
{
    bool fresh = (*image_flags(image, slot) & PF_IMAGE_POPULATED) == 0;
    PfEvent event = {.record = number, .kind = PF_EVENT_CONTENT, .content = content.index};
    if (!populate(image, record, slot, error))
        return false;
    event.object = store_object(image, slot);
    if (record->kind == PF_RECORD_STATE && event.object == slot)
        event.object = state_object(image, slot, content);
    bool unchanged = record->kind == PF_RECORD_STATE && holds(image, event.object, content);
    count_user(image, slot, event.object, !fresh);
    if (unchanged && !fresh) {
        event.kind = PF_EVENT_SAME;
        pf_content_unref(image->store, content);
    } else {
        base_store(image, slot, event.object);
    }
    image_add_event(image, &event);
    return true;
}

static bool prepare_pages(PfImage *image, const PfRecord *record, uint16_t number, PfNote *note,
                          GError **error)
{
    PfCpn first = pf_caddr_page((PfCaddr){record->address}, image->page_shift);
    for (uint64_t i = 0; i < record->count; i++) {
        uint32_t slot;
        if (!resolve(image, record, pf_cpn_plus(first, i), &slot, error))
            return false;
        if (i == 0)
            note->slot = slot;
        if (record->kind != PF_RECORD_TOUCH) {
            PfContent content = record_content(image, record, i);
            if (!prepare_content_page(image, record, number, slot, content, error))
                return false;
            continue;
        }
        bool was_populated = (*image_flags(image, slot) & PF_IMAGE_POPULATED) != 0;
        if (!populate(image, record, slot, error))
            return false;
        uint32_t object = store_object(image, slot);
        count_user(image, slot, object, was_populated);
        uint32_t events = image->events->len;
        if (object == slot)
            copy_file_page(image, slot, number);
        base_store(image, slot, object);
        PfEvent same = {.object = object, .record = number, .kind = PF_EVENT_SAME};
        if (image->events->len == events)
            image_add_event(image, &same);
        /* A copied file page had its event before it was counted. */
        g_array_index(image->events, PfEvent, image->events->len - 1).baseline_delta =
            (int32_t)(image->baseline_frames - image->baseline_at_start);
    }
    return true;
}

static bool prepare_record(PfImage *image, const PfRecord *record, uint16_t number, PfNote *note,
                           GError **error)
{
    switch ((unsigned)record->kind) {
    case PF_RECORD_READ:
    case PF_RECORD_WRITE:
    case PF_RECORD_FETCH:
        return prepare_access(image, record, number, note, error);
    case PF_RECORD_TOUCH:
    case PF_RECORD_STATE:
    case PF_RECORD_FILL:
    case PF_RECORD_INIT:
    case PF_RECORD_DMA:
        return prepare_pages(image, record, number, note, error);
    default:
        return true;
    }
}

bool pf_image_is_structural(PfRecordKind kind)
{
    static const bool structural[PF_RECORD_KINDS] = {
        [PF_RECORD_CONTEXT] = true, [PF_RECORD_MAP] = true,    [PF_RECORD_ALIAS] = true,
        [PF_RECORD_FORK] = true,    [PF_RECORD_UNMAP] = true,  [PF_RECORD_REMAP] = true,
        [PF_RECORD_ADVISE] = true,  [PF_RECORD_ATTR] = true,   [PF_RECORD_EXIT] = true,
    };
    return structural[kind];
}

bool pf_image_is_long(const PfRecord *record)
{
    static const bool of_pages[PF_RECORD_KINDS] = {
        [PF_RECORD_TOUCH] = true, [PF_RECORD_STATE] = true, [PF_RECORD_FILL] = true,
        [PF_RECORD_INIT] = true,  [PF_RECORD_DMA] = true,
    };
    return of_pages[record->kind] && record->count > PF_IMAGE_PAGES_MAX;
}

bool pf_image_prepare(PfImage *image, const PfRecordBlock *block, uint32_t from, uint32_t *ret_to,
                      bool *ret_structural, GError **error)
{
    g_assert(from < block->count && block->count <= PF_TRACE_BLOCK_RECORDS);
    image_events_begin(image, block, from);
    *ret_structural = pf_image_is_structural((PfRecordKind)block->records[from].kind);
    *ret_to = from;
    if (*ret_structural) {
        image->notes[from] = (PfNote){PF_NO_SLOT, PF_NO_SLOT, 0, 0};
        if (!image_apply_structural(image, &block->records[from], error))
            return false;
        image->baseline_at_start = image->baseline_frames;
        image->range_to = *ret_to = from + 1;
        return true;
    }
    uint32_t to = from;
    while (to < block->count && image->events->len < RANGE_EVENTS_MAX &&
           !pf_image_is_structural((PfRecordKind)block->records[to].kind) &&
           (to == from || !pf_image_is_long(&block->records[to]))) {
        PfNote *note = &image->notes[to];
        *note = (PfNote){PF_NO_SLOT, PF_NO_SLOT, 0, 0};
        *ret_to = to;
        if (!prepare_record(image, &block->records[to], (uint16_t)to, note, error))
            return false;
        note->events_end = image->events->len;
        note->baseline_delta = (int32_t)(image->baseline_frames - image->baseline_at_start);
        /* At a mark the books of `none` are asked for: no further than that. */
        if (block->records[to++].kind == PF_RECORD_MARK)
            break;
    }
    image->range_to = *ret_to = to;
    return true;
}
