/* Images turned into records: whoever replays the records has the pages of the images again. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "image_builder.h"
#include "image_import.h"
#include "rng.h"

enum { EPOCHS = 6, RANGE_PAGES = 24, VALUES = 4 };

/* What a page holds: "zero", "byte N" (all bytes are N) or "hash N". */
typedef GHashTable Pages; /* "CONTEXT ADDRESS" -> content */

static Pages *pages_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static char *page_key(uint32_t context, uint64_t address)
{
    return g_strdup_printf("%u %" G_GINT64_MODIFIER "x", context, address);
}

static void put_page(Pages *pages, uint32_t context, uint64_t address, const char *content)
{
    g_hash_table_replace(pages, page_key(context, address), g_strdup(content));
}

static char *content_name(const PfContentSpec *spec)
{
    if (spec->form == PF_CONTENT_ZERO)
        return g_strdup("zero");
    if (spec->form == PF_CONTENT_HASH)
        return g_strdup_printf("hash %" G_GUINT64_FORMAT, spec->number);
    uint8_t bytes[PAGE];
    pf_content_spec_expand(spec, PAGE, bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, bytes + 1, PAGE - 1), 0);
    return g_strdup_printf("byte %u", bytes[0]);
}

/* A replay of a trace; `marks` are the pages at each mark, and at the end. */
typedef struct {
    Pages *pages;
    Pages *mapped;       /* what may have a content */
    GPtrArray *contents; /* names, by number */
    GPtrArray *marks;
    GString *summary; /* kinds of records, without state, one letter each */
    uint64_t told;
} Replay;

static Pages *copy_pages(Pages *pages)
{
    Pages *copy = pages_new();
    GHashTableIter iter;
    gpointer key;
    gpointer value;
    g_hash_table_iter_init(&iter, pages);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(copy, g_strdup(key), g_strdup(value));
    return copy;
}

/* One page of RECORD. */
static void replay_page(Replay *replay, const PfRecord *record, uint64_t index)
{
    uint64_t address = record->address + index * PAGE;
    g_autofree char *key = page_key(record->context, address);
    if (record->kind == PF_RECORD_MAP)
        g_hash_table_add(replay->mapped, g_strdup(key));
    CU_ASSERT_TRUE(g_hash_table_contains(replay->mapped, key));
    if (record->kind == PF_RECORD_MAP || record->kind == PF_RECORD_ADVISE)
        g_hash_table_remove(replay->pages, key);
    if (record->kind == PF_RECORD_STATE)
        put_page(replay->pages, record->context, address, replay->contents->pdata[record->content]);
    if (record->kind != PF_RECORD_ALIAS)
        return;
    g_autofree char *source =
        page_key(record->detail->other_context, record->detail->other_address + index * PAGE);
    const char *content = g_hash_table_lookup(replay->pages, source);
    CU_ASSERT_PTR_NOT_NULL_FATAL(content);
    put_page(replay->pages, record->context, address, content);
}

static void replay_block(Replay *replay, const PfRecordBlock *block)
{
    for (guint i = 0; i < block->contents->len; i++)
        g_ptr_array_add(replay->contents,
                        content_name(&g_array_index(block->contents, PfContentSpec, i)));
    for (uint32_t i = 0; i < block->count; i++) {
        const PfRecord *record = &block->records[i];
        if (record->kind == PF_RECORD_MARK)
            g_ptr_array_add(replay->marks, copy_pages(replay->pages));
        replay->told += record->kind == PF_RECORD_STATE ? record->count : 0;
        g_string_append_c(replay->summary, pf_record_kind_name(record->kind)[0]);
        if (record->kind == PF_RECORD_MAP || record->kind == PF_RECORD_STATE ||
            record->kind == PF_RECORD_ADVISE || record->kind == PF_RECORD_ALIAS)
            for (uint64_t page = 0; page < record->count; page++)
                replay_page(replay, record, page);
    }
}

static void replay_init(Replay *replay, const char *path)
{
    *replay = (Replay){
        .pages = pages_new(),
        .mapped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .contents = g_ptr_array_new_with_free_func(g_free),
        .marks = g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_unref),
        .summary = g_string_new(NULL),
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    while (pf_trace_read(trace, block, &error) == PF_TRACE_RECORDS)
        replay_block(replay, block);
    g_assert_no_error(error);
}

static void replay_clear(Replay *replay)
{
    g_hash_table_unref(replay->pages);
    g_hash_table_unref(replay->mapped);
    g_ptr_array_unref(replay->contents);
    g_ptr_array_unref(replay->marks);
    g_string_free(replay->summary, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Replay, replay_clear)

static void check_equal(Pages *found, Pages *expected)
{
    CU_ASSERT_EQUAL(g_hash_table_size(found), g_hash_table_size(expected));
    GHashTableIter iter;
    gpointer key;
    gpointer value;
    g_hash_table_iter_init(&iter, expected);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const char *other = g_hash_table_lookup(found, key);
        CU_ASSERT_TRUE(other != NULL && g_str_equal(other, value));
    }
}

static PfTraceWriter *open_writer(char **ret_path)
{
    *ret_path = g_strdup_printf("%s/pagefold-images-%d.pft", g_get_tmp_dir(), (int)getpid());
    PfTraceHeader header = {.page_bytes = PAGE};
    return pf_trace_writer_new(*ret_path, PF_TRACE_BINARY, &header, NULL);
}

static void tell(PfImageContext *context, const GByteArray *file, const char *format,
                 const PfImageOptions *options, PfImageSummary *summary)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfImageReader) reader = read_image(file, format, &error);
    g_assert_no_error(error);
    CU_ASSERT_TRUE(pf_image_context_tell(context, reader, options, summary, &error));
    g_assert_no_error(error);
}

static void mark(PfTraceWriter *writer)
{
    PfTraceDetail detail = {.name = "epoch", .node = -1, .core = -1};
    pf_trace_writer_add(writer, &(PfRecord){.kind = PF_RECORD_MARK,
                                            .context = PF_TRACE_NO_CONTEXT,
                                            .content = PF_TRACE_NO_CONTENT,
                                            .detail = &detail});
}

/* A LiME image of random ranges of random pages of few values, and what it holds in EXPECTED as
 * CONTEXT, but for the pages from SKIP_START up to SKIP_END. */
static GByteArray *random_image(PfRng *rng, uint32_t context, uint64_t skip_start,
                                uint64_t skip_end, Pages *expected)
{
    GByteArray *file = g_byte_array_new();
    uint64_t address = 0;
    uint64_t ranges = 1 + pf_rng_below(rng, 4);
    for (uint64_t i = 0; i < ranges; i++) {
        uint64_t start = address + pf_rng_below(rng, 4) * PAGE;
        uint64_t pages = 1 + pf_rng_below(rng, RANGE_PAGES);
        put_number(file, 0x4c694d45, 4);
        put_number(file, 1, 4);
        put_number(file, start, 8);
        put_number(file, start + pages * PAGE - 1, 8);
        put_number(file, 0, 8);
        for (uint64_t page = 0; page < pages; page++) {
            uint8_t value = (uint8_t)pf_rng_below(rng, VALUES);
            put_fill(file, value, PAGE);
            uint64_t at = start + page * PAGE;
            g_autofree char *content =
                value == 0 ? g_strdup("zero") : g_strdup_printf("byte %u", value);
            if (at < skip_start || at >= skip_end)
                put_page(expected, context, at, content);
        }
        address = start + pages * PAGE;
    }
    return file;
}

static void check_seed(uint64_t seed, bool is_epochs)
{
    PfRng rng = pf_rng_derive(seed, "images");
    const PfAddressRange skip = {8 * PAGE, 12 * PAGE};
    g_autofree char *path = NULL;
    g_autoptr(PfTraceWriter) writer = open_writer(&path);
    g_autoptr(GPtrArray) expected =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_unref);
    g_autoptr(GHashTable) all = pages_new();
    PfImageContext *context = NULL;
    PfImageSummary summary = {0};
    uint64_t pages = 0;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        PfImageOptions options = {
            .skips = &skip, .skip_count = 1, .is_last = !is_epochs || epoch + 1 == EPOCHS};
        uint32_t number = is_epochs ? 0 : epoch;
        if (is_epochs)
            g_ptr_array_add(expected, pages_new());
        Pages *here = is_epochs ? expected->pdata[epoch] : all;
        g_autoptr(GByteArray) file = random_image(&rng, number, skip.start, skip.end, here);
        g_autofree char *name = g_strdup_printf("c%u", number);
        if (context == NULL)
            context = pf_image_context_new(writer, number, name, PF_CONTEXT_VM);
        tell(context, file, "lime", &options, &summary);
        pages += is_epochs ? g_hash_table_size(here) : 0;
        if (!is_epochs)
            g_clear_pointer(&context, pf_image_context_free);
        else
            mark(writer);
    }
    pf_image_context_free(context);
    CU_ASSERT_TRUE_FATAL(pf_trace_writer_finish(writer, NULL));
    g_auto(Replay) replay;
    replay_init(&replay, path);
    CU_ASSERT_EQUAL(replay.marks->len, is_epochs ? EPOCHS : 0);
    for (guint i = 0; i < replay.marks->len; i++)
        check_equal(replay.marks->pdata[i], expected->pdata[i]);
    if (!is_epochs)
        check_equal(replay.pages, all);
    CU_ASSERT_EQUAL(summary.pages, is_epochs ? pages : g_hash_table_size(all));
    CU_ASSERT_EQUAL(summary.told_pages, replay.told);
    CU_ASSERT_EQUAL(is_epochs, summary.told_pages < summary.pages);
    g_unlink(path);
}

static void test_contexts(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        check_seed(seed, false);
}

static void test_epochs(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        check_seed(seed, true);
}

/* Two epochs of four pages, of which the third changes: map, state of all, then one state. */
static void test_records(void)
{
    g_autoptr(GByteArray) first = g_byte_array_new();
    g_autoptr(GByteArray) second = g_byte_array_new();
    for (uint8_t i = 0; i < 4; i++) {
        put_fill(first, 1, PAGE);
        put_fill(second, i == 2 ? 2 : 1, PAGE);
    }
    g_autofree char *path = NULL;
    g_autoptr(PfTraceWriter) writer = open_writer(&path);
    g_autoptr(PfImageContext) context = pf_image_context_new(writer, 0, "vm", PF_CONTEXT_VM);
    PfImageSummary summary = {0};
    tell(context, first, "raw", &(PfImageOptions){0}, &summary);
    CU_ASSERT_EQUAL(summary.told_pages, 4);
    mark(writer);
    tell(context, second, "raw", &(PfImageOptions){0}, &summary);
    CU_ASSERT_EQUAL(summary.told_pages, 5);
    CU_ASSERT_TRUE_FATAL(pf_trace_writer_finish(writer, NULL));
    g_auto(Replay) replay;
    replay_init(&replay, path);
    /* context, map, state, mark, state */
    CU_ASSERT_STRING_EQUAL(replay.summary->str, "cmsms");
    g_unlink(path);
}

/* An image that is read in several pieces is one mapping all the same, and equal neighbours are
 * told by one record. */
static void test_long_image(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    put_fill(file, 1, 300 * PAGE);
    g_autofree char *path = NULL;
    g_autoptr(PfTraceWriter) writer = open_writer(&path);
    g_autoptr(PfImageContext) context = pf_image_context_new(writer, 0, "vm", PF_CONTEXT_VM);
    PfImageSummary summary = {0};
    tell(context, file, "raw", &(PfImageOptions){0}, &summary);
    CU_ASSERT_EQUAL(summary.told_pages, 300);
    CU_ASSERT_TRUE_FATAL(pf_trace_writer_finish(writer, NULL));
    g_auto(Replay) replay;
    replay_init(&replay, path);
    CU_ASSERT_STRING_EQUAL(replay.summary->str, "cms");
    g_unlink(path);
}

/* Mappings but the first stand behind the last page; of a file they map the same place of it. */
static void test_hash_mappings(void)
{
    static const char text[] = "5,3\n6\n7,2,file\n8,1,zero\n9,2,shmem\n";
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_byte_array_append(file, (const uint8_t *)text, sizeof text - 1);
    g_autofree char *path = NULL;
    g_autoptr(PfTraceWriter) writer = open_writer(&path);
    g_autoptr(PfImageContext) context = pf_image_context_new(writer, 0, "vm", PF_CONTEXT_VM);
    PfImageSummary summary = {0};
    for (int epoch = 0; epoch < 2; epoch++)
        tell(context, file, "hashes", &(PfImageOptions){0}, &summary);
    /* 3 + 1 + 2 + 1 + 2 mappings; the second time nothing is new. */
    CU_ASSERT_EQUAL(summary.pages, 2 * 9);
    CU_ASSERT_EQUAL(summary.zero_pages, 2);
    CU_ASSERT_TRUE_FATAL(pf_trace_writer_finish(writer, NULL));
    g_auto(Replay) replay;
    replay_init(&replay, path);
    g_autoptr(GHashTable) expected = pages_new();
    static const char *const contents[] = {"hash 5", "hash 6", "hash 7", "zero",  "hash 9",
                                           "hash 5", "hash 5", "hash 7", "hash 9"};
    for (uint64_t i = 0; i < G_N_ELEMENTS(contents); i++)
        put_page(expected, 0, i * PAGE, contents[i]);
    check_equal(replay.pages, expected);
    CU_ASSERT_EQUAL(replay.told, summary.told_pages);
    CU_ASSERT_EQUAL(replay.told, 7);
    g_unlink(path);
}

/* The second of three pages becomes one of a file: it is mapped anew, and what it holds told again,
 * though that is what it held. */
static void test_owner_changes(void)
{
    static const char *const texts[] = {"5\n6\n7\n", "5\n6,1,file\n7\n", "5\n6,1,file\n7\n"};
    g_autofree char *path = NULL;
    g_autoptr(PfTraceWriter) writer = open_writer(&path);
    g_autoptr(PfImageContext) context = pf_image_context_new(writer, 0, "vm", PF_CONTEXT_VM);
    PfImageSummary summary = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        g_byte_array_append(file, (const uint8_t *)texts[i], (guint)strlen(texts[i]));
        tell(context, file, "hashes", &(PfImageOptions){0}, &summary);
        mark(writer);
    }
    CU_ASSERT_TRUE_FATAL(pf_trace_writer_finish(writer, NULL));
    g_auto(Replay) replay;
    replay_init(&replay, path);
    /* context, map, three states, mark; map, state, mark; mark */
    CU_ASSERT_STRING_EQUAL(replay.summary->str, "cmsssmmsmm");
    g_autoptr(GHashTable) expected = pages_new();
    put_page(expected, 0, 0, "hash 5");
    put_page(expected, 0, PAGE, "hash 6");
    put_page(expected, 0, 2 * PAGE, "hash 7");
    check_equal(replay.pages, expected);
    g_unlink(path);
}

static void test_hashed(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    put_fill(file, 1, 2 * PAGE);
    put_fill(file, 0, PAGE);
    put_fill(file, 2, PAGE);
    g_autofree char *path = NULL;
    g_autoptr(PfTraceWriter) writer = open_writer(&path);
    g_autoptr(PfImageContext) context = pf_image_context_new(writer, 0, "vm", PF_CONTEXT_VM);
    PfImageSummary summary = {0};
    tell(context, file, "raw", &(PfImageOptions){.is_hashed = true}, &summary);
    CU_ASSERT_TRUE_FATAL(pf_trace_writer_finish(writer, NULL));
    g_auto(Replay) replay;
    replay_init(&replay, path);
    const char *contents[4];
    for (uint64_t i = 0; i < 4; i++) {
        g_autofree char *key = page_key(0, i * PAGE);
        contents[i] = g_hash_table_lookup(replay.pages, key);
        CU_ASSERT_PTR_NOT_NULL_FATAL(contents[i]);
    }
    CU_ASSERT_TRUE(g_str_has_prefix(contents[0], "hash "));
    CU_ASSERT_STRING_EQUAL(contents[0], contents[1]);
    CU_ASSERT_STRING_EQUAL(contents[2], "zero");
    CU_ASSERT_TRUE(g_str_has_prefix(contents[3], "hash "));
    CU_ASSERT_STRING_NOT_EQUAL(contents[3], contents[0]);
    g_unlink(path);
}

static const PfCheck checks[] = {
    {"several images are several contexts, whose pages come back", test_contexts},
    {"several images are epochs, each of which comes back from what is told", test_epochs},
    {"of an epoch only what has changed is told", test_records},
    {"an image is one mapping, however it is read", test_long_image},
    {"a hash with mappings is so many pages of one frame", test_hash_mappings},
    {"a page that becomes a file's is mapped and told anew", test_owner_changes},
    {"contents may be kept as hashes; zeros stay zeros", test_hashed},
};

PF_CHECK_MAIN("image_import", checks)
