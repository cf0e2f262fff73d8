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

GBytes *generate_file(const char *path, const char *assignment, PfTraceForm form, GError **error)
{
    g_autoptr(PfConfig) config = pf_config_load(path, NULL, error);
    if (config == NULL || (assignment != NULL && !pf_config_override(config, assignment, error)))
        return NULL;
    return generate(config, form, error);
}

/* Where the page is kept: pages of one context have numbers below 2^24. */
static guint64 key_of(uint32_t context, uint64_t page)
{
    return (guint64)context << 40 | page;
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

static void apply(Picture *picture, GHashTable *places, const GArray *contents,
                  const PfRecord *record, uint64_t page_bytes)
{
    bool is_fill = record->kind == PF_RECORD_FILL;
    bool is_touch = record->kind == PF_RECORD_TOUCH;
    bool is_pin = record->kind == PF_RECORD_ATTR;
    for (uint64_t i = 0; (is_fill || is_touch || is_pin) && i < record->count; i++) {
        PicturePage *page =
            find_page(picture, places, record->context, record->address / page_bytes + i);
        page->writes += is_fill || is_touch;
        page->is_pinned |= is_pin;
        if (!is_fill)
            continue;
        const PfContentSpec *first = &g_array_index(contents, PfContentSpec, record->content);
        PfContentSpec content = pf_content_spec_step(first, record->value, i);
        page->form = content.form;
        page->number = content.number;
    }
    picture->touches += is_touch;
    picture->contexts += record->kind == PF_RECORD_CONTEXT;
    if (record->kind == PF_RECORD_TIME)
        picture->time_ps = record->count;
    if (record->kind == PF_RECORD_MARK)
        g_string_append_printf(picture->marks, "%s ", record->detail->name);
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
    g_autoptr(GHashTable) places = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) contents = g_array_new(FALSE, TRUE, sizeof(PfContentSpec));
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status;
    bool is_over = false;
    while ((status = pf_trace_read(trace, block, &error)) == PF_TRACE_RECORDS) {
        g_array_append_vals(contents, block->contents->data, block->contents->len);
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

void picture_free(Picture *picture)
{
    if (picture == NULL)
        return;
    g_array_unref(picture->pages);
    g_string_free(picture->marks, TRUE);
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

static gint compare_contents(gconstpointer a, gconstpointer b)
{
    const PicturePage *one = a;
    const PicturePage *other = b;
    if (one->form != other->form)
        return one->form < other->form ? -1 : 1;
    if (one->number != other->number)
        return one->number < other->number ? -1 : 1;
    return (one->context > other->context) - (one->context < other->context);
}

/* Contents that are in PAGES pages of CONTEXTS contexts; 0: any number. */
static uint64_t count_contents(const Picture *picture, unsigned pages, unsigned contexts)
{
    guint count = picture->pages->len;
    g_autofree PicturePage *sorted = g_memdup2(picture->pages->data, count * sizeof(PicturePage));
    qsort(sorted, count, sizeof(PicturePage), compare_contents);
    uint64_t found = 0;
    unsigned pages_seen = 0;
    unsigned contexts_seen = 0;
    for (guint i = 0; i < count; i++) {
        pages_seen++;
        contexts_seen += pages_seen == 1 || sorted[i].context != sorted[i - 1].context;
        if (i + 1 < count && sorted[i + 1].form == sorted[i].form &&
            sorted[i + 1].number == sorted[i].number)
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
