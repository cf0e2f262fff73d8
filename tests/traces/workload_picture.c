#include "workload_picture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "check.h"
#include "trace_source.h"
#include "workload.h"

static GBytes *generate(PfConfig *config, PfTraceForm form, GError **error)
{
    g_autoptr(PfWorkload) workload = pf_workload_new(config);
    if (!pf_config_finish(config, error))
        return NULL;
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    PfTraceHeader header = {.page_bytes = pf_workload_page_bytes(workload)};
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, form, &header, error);
    PfWorkloadOptions options = {.interrupted = NULL};
    char *bytes = NULL;
    gsize length = 0;
    if (writer != NULL && pf_workload_write(workload, writer, &options, error) &&
        pf_trace_writer_finish(writer, error))
        g_file_get_contents(path, &bytes, &length, error);
    g_unlink(path);
    g_rmdir(folder);
    return bytes != NULL ? g_bytes_new_take(bytes, length) : NULL;
}

GBytes *generate_text(const char *text, PfTraceForm form, GError **error)
{
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "w.cfg", NULL, error);
    return config != NULL ? generate(config, form, error) : NULL;
}

GBytes *generate_file(const char *path, const char *assignments, PfTraceForm form, GError **error)
{
    g_autoptr(PfConfig) config = pf_config_load(path, NULL, error);
    g_auto(GStrv) lines = g_strsplit(assignments != NULL ? assignments : "", "\n", -1);
    for (guint i = 0; config != NULL && lines[i] != NULL; i++)
        if (!pf_config_override(config, lines[i], error))
            return NULL;
    return config != NULL ? generate(config, form, error) : NULL;
}

GBytes *generate_group(const char *text, PfTraceForm form)
{
    g_autofree char *whole = g_strdup_printf("workload = { %s };", text);
    g_autoptr(GError) error = NULL;
    GBytes *trace = generate_text(whole, form, &error);
    if (trace == NULL)
        printf("# %s\n", error->message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    return trace;
}

unsigned count_in_group(const char *text, const char *part)
{
    g_autoptr(GBytes) trace = generate_group(text, PF_TRACE_TEXT);
    gsize length;
    const char *bytes = g_bytes_get_data(trace, &length);
    g_autofree char *whole = g_strndup(bytes, length);
    unsigned count = 0;
    for (const char *at = strstr(whole, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

/* Where the page is kept: pages of one context have numbers below 2^24. */
static guint64 key_of(uint32_t context, uint64_t page)
{
    return (guint64)context << 40 | page;
}

/* Pages of the same number in several contexts fall apart. */
static guint hash_place(gconstpointer key)
{
    return (guint)((guint64)GPOINTER_TO_SIZE(key) * 0x9e3779b97f4a7c15U >> 32);
}

static PicturePage *find_page(Picture *picture, GHashTable *places, uint32_t context, uint64_t page)
{
    gpointer key = GSIZE_TO_POINTER(key_of(context, page) + 1);
    gsize place = GPOINTER_TO_SIZE(g_hash_table_lookup(places, key));
    if (place == 0) {
        PicturePage fresh = {.context = context, .page = page};
        g_array_append_val(picture->pages, fresh);
        place = picture->pages->len;
        g_hash_table_insert(places, key, GSIZE_TO_POINTER(place));
    }
    return &g_array_index(picture->pages, PicturePage, place - 1);
}

/* Notes that PAGE belongs to the file that DETAIL maps, at INDEX of the mapping. */
static void map_page(Picture *picture, PicturePage *page, const PfTraceDetail *detail,
                     uint64_t offset)
{
    guint file = 0;
    while (file < picture->files->len &&
           strcmp(g_ptr_array_index(picture->files, file), detail->name) != 0)
        file++;
    if (file == picture->files->len)
        g_ptr_array_add(picture->files, g_strdup(detail->name));
    page->file = file + 1;
    page->offset = detail->number + offset;
}

static void give_content(PicturePage *page, const PfRecord *record, const PfContentSpec *first,
                         uint64_t index)
{
    bool has_step = record->kind == PF_RECORD_FILL || record->kind == PF_RECORD_STATE;
    PfContentSpec content = pf_content_spec_step(first, has_step ? record->value : 0, index);
    page->form = content.form;
    page->number = content.number;
    page->at = content.at;
    page->with = content.with;
    page->bytes = content.bytes;
    /* A page of a file that is stored to is the context's own from then on. */
    if (record->kind != PF_RECORD_STATE)
        page->file = 0;
}

static void apply(Picture *picture, GHashTable *places, const GArray *contents,
                  const PfRecord *record, uint64_t page_bytes)
{
    bool gives = record->kind == PF_RECORD_FILL || record->kind == PF_RECORD_STATE ||
                 record->kind == PF_RECORD_INIT || record->kind == PF_RECORD_DMA;
    bool is_touch = record->kind == PF_RECORD_TOUCH;
    bool is_pin = record->kind == PF_RECORD_ATTR;
    bool is_file = record->kind == PF_RECORD_MAP && record->detail->backing != PF_BACKING_ANON;
    for (uint64_t i = 0; (gives || is_touch || is_pin || is_file) && i < record->count; i++) {
        PicturePage *page =
            find_page(picture, places, record->context, record->address / page_bytes + i);
        page->writes += gives || is_touch;
        page->is_pinned |= is_pin;
        if (is_file)
            map_page(picture, page, record->detail, i * page_bytes);
        if (gives)
            give_content(page, record, &g_array_index(contents, PfContentSpec, record->content), i);
    }
    picture->touches += is_touch;
    picture->contexts += record->kind == PF_RECORD_CONTEXT;
    if (record->kind == PF_RECORD_TIME)
        picture->time_ps = record->count;
    if (record->kind == PF_RECORD_MARK)
        g_string_append_printf(picture->marks, "%s ", record->detail->name);
    if (record->kind == PF_RECORD_DMA)
        g_array_append_val(picture->blocks, record->detail->number);
}

/* Adds those of BLOCK to CONTENTS, whose bytes live as long as the picture. */
static void keep_contents(Picture *picture, GArray *contents, const PfRecordBlock *block,
                          uint32_t page_bytes)
{
    for (guint i = 0; i < block->contents->len; i++) {
        PfContentSpec content = g_array_index(block->contents, PfContentSpec, i);
        if (content.form == PF_CONTENT_BYTES) {
            uint8_t *bytes = g_malloc(page_bytes);
            pf_content_spec_expand(&content, page_bytes, bytes);
            content.bytes = bytes;
            content.length = page_bytes;
            /* FNV-1a. */
            content.number = 0xcbf29ce484222325U;
            for (uint32_t byte = 0; byte < page_bytes; byte++)
                content.number = (content.number ^ bytes[byte]) * 0x100000001b3U;
            g_ptr_array_add(picture->blobs, bytes);
        }
        g_array_append_val(contents, content);
    }
}

static gint compare_pages(gconstpointer a, gconstpointer b)
{
    const PicturePage *one = a;
    const PicturePage *other = b;
    guint64 key = key_of(one->context, one->page);
    guint64 other_key = key_of(other->context, other->page);
    return (key > other_key) - (key < other_key);
}

Picture *picture_new(GBytes *trace_bytes, uint64_t until_ps)
{
    gsize length;
    const void *bytes = g_bytes_get_data(trace_bytes, &length);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", bytes, length, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    Picture *picture = g_new0(Picture, 1);
    picture->pages = g_array_new(FALSE, TRUE, sizeof(PicturePage));
    picture->marks = g_string_new(NULL);
    picture->files = g_ptr_array_new_with_free_func(g_free);
    picture->blobs = g_ptr_array_new_with_free_func(g_free);
    picture->blocks = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GHashTable) places = g_hash_table_new(hash_place, NULL);
    g_autoptr(GArray) contents = g_array_new(FALSE, TRUE, sizeof(PfContentSpec));
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status;
    bool is_over = false;
    while ((status = pf_trace_read(trace, block, &error)) == PF_TRACE_RECORDS) {
        keep_contents(picture, contents, block, pf_trace_header(trace)->page_bytes);
        for (uint32_t i = 0; i < block->count && !is_over; i++) {
            apply(picture, places, contents, &block->records[i],
                  pf_trace_header(trace)->page_bytes);
            is_over = picture->time_ps >= until_ps;
        }
    }
    CU_ASSERT_EQUAL(status, PF_TRACE_END);
    g_array_sort(picture->pages, compare_pages);
    return picture;
}

Picture *picture_of_group(const char *text, uint64_t until_ps)
{
    g_autoptr(GBytes) trace = generate_group(text, PF_TRACE_BINARY);
    return picture_new(trace, until_ps);
}

void picture_free(Picture *picture)
{
    if (picture == NULL)
        return;
    g_array_unref(picture->pages);
    g_string_free(picture->marks, TRUE);
    g_ptr_array_unref(picture->files);
    g_ptr_array_unref(picture->blobs);
    g_array_unref(picture->blocks);
    g_free(picture);
}

uint64_t picture_count(const Picture *picture, uint32_t context, PfContentForm form)
{
    uint64_t count = 0;
    for (guint i = 0; i < picture->pages->len; i++) {
        const PicturePage *page = &g_array_index(picture->pages, PicturePage, i);
        count += page->context == context && page->form == form;
    }
    return count;
}

static gint compare_bytes(const PicturePage *one, const PicturePage *other)
{
    if (one->form != other->form)
        return one->form < other->form ? -1 : 1;
    if (one->number != other->number)
        return one->number < other->number ? -1 : 1;
    if (one->at != other->at)
        return one->at < other->at ? -1 : 1;
    return (one->with > other->with) - (one->with < other->with);
}

static gint compare_contents(gconstpointer a, gconstpointer b)
{
    const PicturePage *one = *(const PicturePage *const *)a;
    const PicturePage *other = *(const PicturePage *const *)b;
    gint order = compare_bytes(one, other);
    if (order != 0)
        return order;
    return (one->context > other->context) - (one->context < other->context);
}

/* The first COUNT pages in the order of COMPARE. Free with g_free. */
static const PicturePage **sort_pages(const Picture *picture, guint count,
                                      int (*compare)(const void *, const void *))
{
    const PicturePage **sorted = g_new(const PicturePage *, MAX(count, 1));
    for (guint i = 0; i < count; i++)
        sorted[i] = &g_array_index(picture->pages, PicturePage, i);
    qsort(sorted, count, sizeof(*sorted), compare);
    return sorted;
}

/* Contents that are in PAGES pages of CONTEXTS contexts; 0: any number. */
static uint64_t count_contents(const Picture *picture, unsigned pages, unsigned contexts)
{
    guint count = picture->pages->len;
    g_autofree const PicturePage **sorted = sort_pages(picture, count, compare_contents);
    uint64_t found = 0;
    unsigned pages_seen = 0;
    unsigned contexts_seen = 0;
    for (guint i = 0; i < count; i++) {
        pages_seen++;
        contexts_seen += pages_seen == 1 || sorted[i]->context != sorted[i - 1]->context;
        if (i + 1 < count && compare_bytes(sorted[i], sorted[i + 1]) == 0)
            continue;
        found +=
            (pages == 0 || pages == pages_seen) && (contexts == 0 || contexts == contexts_seen);
        pages_seen = 0;
        contexts_seen = 0;
    }
    return found;
}

uint64_t picture_contents(const Picture *picture)
{
    return count_contents(picture, 0, 0);
}

uint64_t picture_shared(const Picture *picture, unsigned pages, unsigned contexts)
{
    return count_contents(picture, pages, contexts);
}

void picture_expand(const PicturePage *page, uint32_t page_bytes, uint8_t *ret_bytes)
{
    PfContentSpec content = {.form = page->form,
                             .number = page->number,
                             .at = page->at,
                             .with = page->with,
                             .bytes = page->bytes,
                             .length = page_bytes};
    pf_content_spec_expand(&content, page_bytes, ret_bytes);
}

static gint compare_frames(gconstpointer a, gconstpointer b)
{
    const PicturePage *one = *(const PicturePage *const *)a;
    const PicturePage *other = *(const PicturePage *const *)b;
    if (one->file != other->file)
        return one->file < other->file ? -1 : 1;
    return (one->offset > other->offset) - (one->offset < other->offset);
}

/* Distinct frames of files among the first COUNT pages. */
static uint64_t count_file_frames(const Picture *picture, guint count)
{
    g_autofree const PicturePage **sorted = sort_pages(picture, count, compare_frames);
    uint64_t frames = 0;
    for (guint i = 0; i < count; i++)
        frames +=
            sorted[i]->file != 0 && (i == 0 || compare_frames(&sorted[i - 1], &sorted[i]) != 0);
    return frames;
}

Baselines picture_baselines(const Picture *picture, uint32_t contexts)
{
    guint count = 0;
    while (count < picture->pages->len &&
           g_array_index(picture->pages, PicturePage, count).context < contexts)
        count++;
    uint64_t file_frames = count_file_frames(picture, count);
    Baselines baselines = {.mappings = count, .frames = file_frames};
    g_autofree const PicturePage **sorted = sort_pages(picture, count, compare_contents);
    bool is_anonymous = false;
    bool is_named = false;
    for (guint i = 0; i < count; i++) {
        baselines.frames += sorted[i]->file == 0;
        is_anonymous |= sorted[i]->file == 0;
        is_named |= sorted[i]->file != 0;
        if (i + 1 < count && compare_bytes(sorted[i], sorted[i + 1]) == 0)
            continue;
        baselines.contents++;
        baselines.anonymous += !is_named;
        baselines.named += !is_anonymous;
        baselines.mixed += is_anonymous && is_named;
        is_anonymous = false;
        is_named = false;
    }
    baselines.ksm = file_frames + baselines.anonymous + baselines.mixed;
    return baselines;
}
