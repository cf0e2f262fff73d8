#include "naive_memory.h"

#include <string.h>

/* The first letter of a content: the bytes of a page, the number of an identity, or the number of a
 * content that nobody knows. */
enum { KNOWN = 'b', IDENTITY = 'h', UNKNOWN = 'u' };

static GString *zeros(const PfNaive *naive)
{
    GString *content = g_string_new(NULL);
    g_string_append_c(content, KNOWN);
    for (uint32_t i = 0; i < naive->page_bytes; i++)
        g_string_append_c(content, '\0');
    return content;
}

static GString *numbered(char kind, uint64_t number)
{
    GString *content = g_string_new(NULL);
    g_string_printf(content, "%c%" G_GUINT64_FORMAT, kind, number);
    return content;
}

GString *pf_naive_content(const PfNaive *naive, const PfContentSpec *spec)
{
    if (spec->form == PF_CONTENT_HASH)
        return numbered(IDENTITY, spec->number);
    GString *content = zeros(naive);
    pf_content_spec_expand(spec, naive->page_bytes, (uint8_t *)content->str + 1);
    return content;
}

static GString *copy(const GString *content)
{
    return g_string_new_len(content->str, (gssize)content->len);
}

static void free_frame(gpointer data)
{
    PfNaiveFrame *frame = data;
    if (frame->content != NULL)
        g_string_free(frame->content, TRUE);
    g_free(frame);
}

PfNaive *pf_naive_new(uint32_t page_bytes)
{
    PfNaive *naive = g_new0(PfNaive, 1);
    naive->page_bytes = page_bytes;
    naive->frames = g_ptr_array_new_with_free_func(free_frame);
    naive->pins = g_array_new(FALSE, FALSE, sizeof(PfNaivePin));
    naive->zero.content = zeros(naive);
    PfNaiveObject *objects = &naive->objects[0][0][0];
    for (unsigned i = 0; i < 2 * PF_NAIVE_FILES * PF_NAIVE_FILE_PAGES; i++)
        objects[i].content = zeros(naive);
    return naive;
}

void pf_naive_free(PfNaive *naive)
{
    PfNaiveObject *objects = &naive->objects[0][0][0];
    for (unsigned i = 0; i < 2 * PF_NAIVE_FILES * PF_NAIVE_FILE_PAGES; i++)
        g_string_free(objects[i].content, TRUE);
    g_string_free(naive->zero.content, TRUE);
    g_ptr_array_unref(naive->frames);
    g_array_unref(naive->pins);
    g_free(naive);
}

static PfNaiveFrame *new_frame(PfNaive *naive, GString *content, PfNaiveObject *object)
{
    PfNaiveFrame *frame = g_new0(PfNaiveFrame, 1);
    frame->content = content;
    frame->object = object;
    g_ptr_array_add(naive->frames, frame);
    return frame;
}

static GString *frame_content(PfNaiveFrame *frame)
{
    return frame->object != NULL ? frame->object->content : frame->content;
}

static PfNaivePage *page_at(PfNaive *naive, unsigned context, unsigned page)
{
    g_assert(context < naive->context_count && page < PF_NAIVE_PAGES);
    return &naive->pages[context][page];
}

static void set_frame(PfNaivePage *page, PfNaiveFrame *frame)
{
    if (frame != NULL)
        frame->maps++;
    if (page->frame != NULL)
        page->frame->maps--;
    /* A page of a file that nobody maps or pins gets another frame the next time. */
    PfNaiveFrame *old = page->frame;
    if (old != NULL && old->object != NULL && old->maps + old->pins == 0)
        old->object->frame = NULL;
    page->frame = frame;
}

unsigned pf_naive_add_context(PfNaive *naive)
{
    g_assert(naive->context_count < PF_NAIVE_CONTEXTS);
    naive->alive[naive->context_count] = true;
    return naive->context_count++;
}

void pf_naive_unmap(PfNaive *naive, unsigned context, unsigned page)
{
    PfNaivePage *unmapped = page_at(naive, context, page);
    set_frame(unmapped, NULL);
    *unmapped = (PfNaivePage){.mapped = false};
}

void pf_naive_map(PfNaive *naive, unsigned context, unsigned page, const PfNaivePage *how)
{
    pf_naive_unmap(naive, context, page);
    PfNaivePage *mapped = page_at(naive, context, page);
    *mapped = *how;
    mapped->mapped = true;
    mapped->writes_through = how->backing == PF_BACKING_SHMEM;
}

void pf_naive_dontneed(PfNaive *naive, unsigned context, unsigned page)
{
    PfNaivePage *emptied = page_at(naive, context, page);
    set_frame(emptied, NULL);
    emptied->populated = false;
    emptied->writes_through = emptied->backing == PF_BACKING_SHMEM;
}

/* The page of the file that an untouched PAGE shows; NULL for an anonymous one. */
static PfNaiveObject *own_object(PfNaive *naive, const PfNaivePage *page)
{
    if (page->backing == PF_BACKING_ANON)
        return NULL;
    return &naive->objects[page->backing == PF_BACKING_SHMEM][page->file][page->file_page];
}

static void map_object(PfNaive *naive, PfNaivePage *page, PfNaiveObject *object)
{
    if (object->frame == NULL)
        object->frame = new_frame(naive, NULL, object);
    set_frame(page, object->frame);
}

static void read_page(PfNaive *naive, PfNaivePage *page)
{
    g_assert(page->mapped);
    PfNaiveObject *object = own_object(naive, page);
    if (page->frame != NULL)
        return;
    if (object != NULL)
        map_object(naive, page, object);
    else
        set_frame(page, &naive->zero);
}

void pf_naive_read(PfNaive *naive, unsigned context, unsigned page)
{
    read_page(naive, page_at(naive, context, page));
}

/* Makes the page one that a store may go to; the content to change. */
static GString **store(PfNaive *naive, PfNaivePage *page)
{
    g_assert(page->mapped);
    page->populated = true;
    if (page->writes_through && page->frame == NULL)
        read_page(naive, page);
    if (page->writes_through && page->frame->object != NULL) {
        page->frame->object->has_bytes = true;
        return &page->frame->object->content;
    }
    PfNaiveFrame *frame = page->frame;
    bool own = frame != NULL && frame != &naive->zero && frame->object == NULL &&
               frame->maps == 1 && (frame->pins == 0 || !frame->was_shared);
    if (own) {
        frame->was_shared = false;
    } else {
        PfNaiveObject *object = own_object(naive, page);
        const GString *content = naive->zero.content;
        if (frame != NULL)
            content = frame_content(frame);
        else if (object != NULL)
            content = object->content;
        set_frame(page, new_frame(naive, copy(content), NULL));
    }
    return &page->frame->content;
}

static void become(GString **content, GString *replacement)
{
    g_string_free(*content, TRUE);
    *content = replacement;
}

void pf_naive_write(PfNaive *naive, unsigned context, unsigned page, unsigned offset,
                    const uint8_t *bytes, unsigned length)
{
    GString **content = store(naive, page_at(naive, context, page));
    bool whole = offset == 0 && length == naive->page_bytes;
    if (bytes != NULL && whole)
        become(content, zeros(naive));
    if (bytes == NULL || (*content)->str[0] != KNOWN)
        become(content, numbered(UNKNOWN, naive->unknown++));
    else
        memcpy((*content)->str + 1 + offset, bytes, length);
}

void pf_naive_touch(PfNaive *naive, unsigned context, unsigned page)
{
    store(naive, page_at(naive, context, page));
}

/* Bytes that a page of a file has for all who map it, told by one of them. */
static bool state_of_object(PfNaive *naive, PfNaivePage *page, const GString *content)
{
    PfNaiveObject *object = page->frame != NULL ? page->frame->object : own_object(naive, page);
    if (object == NULL || (object->has_bytes && !g_string_equal(object->content, content)))
        return false;
    if (page->frame == NULL)
        map_object(naive, page, object);
    become(&object->content, copy(content));
    object->has_bytes = true;
    page->populated = true;
    return true;
}

void pf_naive_fill(PfNaive *naive, unsigned context, unsigned page, const GString *content,
                   bool state)
{
    PfNaivePage *filled = page_at(naive, context, page);
    if (state && filled->populated && g_string_equal(frame_content(filled->frame), content))
        return;
    if (state && !filled->writes_through && state_of_object(naive, filled, content))
        return;
    GString **old = store(naive, filled);
    become(old, copy(content));
}

static void share(PfNaivePage *source, PfNaivePage *target)
{
    if (source->frame == NULL)
        return;
    set_frame(target, source->frame);
    source->frame->was_shared = true;
    target->populated = source->populated;
    target->writes_through = target->writes_through && source->writes_through;
}

void pf_naive_alias(PfNaive *naive, unsigned context, unsigned page, unsigned from_context,
                    unsigned from_page)
{
    pf_naive_dontneed(naive, context, page);
    share(page_at(naive, from_context, from_page), page_at(naive, context, page));
}

void pf_naive_fork(PfNaive *naive, unsigned parent)
{
    unsigned child = pf_naive_add_context(naive);
    for (unsigned i = 0; i < PF_NAIVE_PAGES; i++) {
        PfNaivePage *source = page_at(naive, parent, i);
        PfNaivePage *target = page_at(naive, child, i);
        *target = *source;
        target->frame = NULL;
        target->populated = false;
        share(source, target);
    }
}

void pf_naive_move(PfNaive *naive, unsigned context, unsigned page, unsigned target)
{
    PfNaivePage *source = page_at(naive, context, page);
    PfNaivePage *moved = page_at(naive, context, target);
    g_assert(!moved->mapped && moved->frame == NULL);
    *moved = *source;
    *source = (PfNaivePage){.mapped = false};
}

void pf_naive_pin(PfNaive *naive, unsigned context, unsigned page)
{
    PfNaivePage *pinned = page_at(naive, context, page);
    read_page(naive, pinned);
    pinned->frame->pins++;
    PfNaivePin pin = {context, page, pinned->frame};
    g_array_append_val(naive->pins, pin);
}

static void drop_pin(PfNaive *naive, unsigned index)
{
    PfNaiveFrame *frame = g_array_index(naive->pins, PfNaivePin, index).frame;
    frame->pins--;
    if (frame->object != NULL && frame->maps + frame->pins == 0)
        frame->object->frame = NULL;
    g_array_remove_index(naive->pins, index);
}

void pf_naive_unpin(PfNaive *naive, unsigned context, unsigned page)
{
    for (unsigned i = 0; i < naive->pins->len; i++) {
        const PfNaivePin *pin = &g_array_index(naive->pins, PfNaivePin, i);
        if (pin->context == context && pin->page == page) {
            drop_pin(naive, i);
            return;
        }
    }
}

void pf_naive_exit(PfNaive *naive, unsigned context)
{
    for (unsigned i = naive->pins->len; i-- > 0;)
        if (g_array_index(naive->pins, PfNaivePin, i).context == context)
            drop_pin(naive, i);
    for (unsigned i = 0; i < PF_NAIVE_PAGES; i++)
        pf_naive_unmap(naive, context, i);
    naive->alive[context] = false;
}

uint64_t pf_naive_populated(const PfNaive *naive)
{
    return pf_naive_eligible(naive, "all");
}

uint64_t pf_naive_eligible(const PfNaive *naive, const char *scope)
{
    uint64_t count = 0;
    for (unsigned c = 0; c < naive->context_count; c++) {
        for (unsigned i = 0; i < PF_NAIVE_PAGES; i++) {
            const PfNaivePage *page = &naive->pages[c][i];
            bool anon = page->populated && page->frame->object == NULL;
            if (g_str_equal(scope, "all"))
                count += page->populated;
            else if (g_str_equal(scope, "anon"))
                count += anon;
            else
                count += anon && page->mergeable;
        }
    }
    return count;
}

uint64_t pf_naive_used_frames(const PfNaive *naive)
{
    uint64_t used = naive->zero.maps + naive->zero.pins > 0;
    for (unsigned i = 0; i < naive->frames->len; i++) {
        const PfNaiveFrame *frame = g_ptr_array_index(naive->frames, i);
        used += frame->maps + frame->pins > 0;
    }
    return used;
}

uint64_t pf_naive_distinct(const PfNaive *naive)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    for (unsigned c = 0; c < naive->context_count; c++) {
        for (unsigned i = 0; i < PF_NAIVE_PAGES; i++) {
            const PfNaivePage *page = &naive->pages[c][i];
            if (!page->populated)
                continue;
            GString *content = frame_content(page->frame);
            bool is_new = true;
            for (unsigned j = 0; j < found->len && is_new; j++)
                is_new = !g_string_equal(content, g_ptr_array_index(found, j));
            if (is_new)
                g_ptr_array_add(found, content);
        }
    }
    return found->len;
}
