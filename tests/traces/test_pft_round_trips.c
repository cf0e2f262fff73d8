/* What pft writes, pagefold reads, and the other way round, whatever the records. With PFT_ZSTD=1
 * in the environment pft was built with zstd. */
#include <glib/gstdio.h>
#include <string.h>

#include "binary_frame.h"
#include "check.h"
#include "dump.h"
#include "pft_bridge.h"
#include "random_trace.h"

enum { SEEDS = 5, RECORDS = 1500, MANY_RECORDS = 100000 };

/* Paths in a folder of their own. */
typedef struct {
    char *folder;
    char *source; /* a trace that pagefold wrote */
    char *told;   /* the same by pft */
    char *back;   /* read by pft, written by pagefold */
} Files;

static Files files_new(void)
{
    Files files = {.folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(files.folder);
    files.source = g_build_filename(files.folder, "source", NULL);
    files.told = g_build_filename(files.folder, "told", NULL);
    files.back = g_build_filename(files.folder, "back", NULL);
    return files;
}

static void files_clear(Files *files)
{
    g_unlink(files->source);
    g_unlink(files->told);
    g_unlink(files->back);
    CU_ASSERT_EQUAL(g_rmdir(files->folder), 0);
    g_free(files->source);
    g_free(files->told);
    g_free(files->back);
    g_free(files->folder);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Files, files_clear)

static GBytes *bytes_of(const char *path)
{
    char *bytes;
    gsize length;
    CU_ASSERT_FATAL(g_file_get_contents(path, &bytes, &length, NULL));
    return g_bytes_new_take(bytes, length);
}

static GPtrArray *lines_of(const char *path)
{
    g_autoptr(GBytes) bytes = bytes_of(path);
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    g_autoptr(GError) error = NULL;
    PfTraceStatus status;
    GPtrArray *lines = dump_bytes(data, length, false, &status, &error);
    if (error != NULL)
        printf("# %s\n", error->message);
    CU_ASSERT_EQUAL(status, PF_TRACE_END);
    return lines;
}

static void expect_same(const char *a, const char *b)
{
    g_autoptr(GPtrArray) first = lines_of(a);
    g_autoptr(GPtrArray) second = lines_of(b);
    CU_ASSERT(first->len > 0);
    CU_ASSERT(dump_is_equal(first, second));
}

static bool is_compressing(void)
{
    return g_getenv("PFT_ZSTD") != NULL;
}

/* Without zstd pft reads its own files. */
static const char *readable(const Files *files)
{
    return is_compressing() ? files->source : files->told;
}

static void expect_round_trip(const Files *files)
{
    bridge_write(files->source, files->told);
    expect_same(files->source, files->told);
    CU_ASSERT_TRUE(pf_trace_verify(files->told, NULL, NULL));
    bridge_read(readable(files), files->back);
    expect_same(files->source, files->back);
}

static void test_every_kind(void)
{
    g_auto(Files) files = files_new();
    g_autoptr(GBytes) sample = convert_bytes(dump_sample, strlen(dump_sample), PF_TRACE_BINARY);
    gsize length;
    const char *data = g_bytes_get_data(sample, &length);
    CU_ASSERT_FATAL(g_file_set_contents(files.source, data, (gssize)length, NULL));
    PfTraceSummary summary;
    CU_ASSERT_TRUE_FATAL(pf_trace_verify(files.source, &summary, NULL));
    for (unsigned kind = 0; kind < PF_RECORD_KINDS; kind++)
        CU_ASSERT(summary.records_by_kind[kind] > 0);
    for (unsigned form = 0; form < PF_CONTENT_FORMS; form++)
        CU_ASSERT(summary.contents_by_form[form] > 0);
    expect_round_trip(&files);
}

static void test_random(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        g_auto(Files) files = files_new();
        random_trace_write(files.source, PF_TRACE_BINARY, seed, RECORDS);
        expect_round_trip(&files);
    }
}

static void test_many_frames(void)
{
    g_auto(Files) files = files_new();
    random_trace_write(files.source, PF_TRACE_BINARY, 77, MANY_RECORDS);
    PfTraceSummary summary;
    CU_ASSERT_TRUE(pf_trace_verify(files.source, &summary, NULL));
    CU_ASSERT(summary.frames >= 3);
    expect_round_trip(&files);
}

static char *long_name(char first, unsigned number)
{
    g_autofree char *filling = g_strnfill(PF_TRACE_NAME_BYTES_MAX - 8, first);
    return g_strdup_printf("%s%08u", filling, number);
}

/* Contexts of three names take 12,298 bytes each, and the mark before them 4,101: behind 84 of them
 * a frame has room for two names, not for three. */
static void test_long_names(void)
{
    g_auto(Files) files = files_new();
    PfTraceHeader header = {.page_bytes = 4096};
    g_autoptr(PfTraceWriter) writer =
        pf_trace_writer_new(files.source, PF_TRACE_BINARY, &header, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    for (unsigned i = 0; i < 90; i++) {
        g_autofree char *name = long_name('n', i);
        g_autofree char *label = long_name('l', i);
        g_autofree char *user = long_name('u', i);
        PfTraceDetail detail = {.name = name, .text = label, .user = user, .node = -1, .core = -1};
        PfRecord record = {.kind = i == 0 ? PF_RECORD_MARK : PF_RECORD_CONTEXT,
                           .context = i == 0 ? 0 : i - 1,
                           .content = PF_TRACE_NO_CONTENT,
                           .detail = &detail};
        pf_trace_writer_add(writer, &record);
    }
    CU_ASSERT_TRUE_FATAL(pf_trace_writer_finish(writer, NULL));
    expect_round_trip(&files);
}

/* Two contents of 4 MiB go through nine frames of 1 MiB and more. */
static void test_large_pages(void)
{
    enum { PAGE_BYTES = 4 << 20, PAGES = 2 };
    g_auto(Files) files = files_new();
    g_autofree uint8_t *pages = g_malloc(PAGES * PAGE_BYTES);
    for (uint32_t i = 0; i < PAGES * PAGE_BYTES; i++)
        pages[i] = (uint8_t)(i * 2654435761U >> 24);
    PftHeader header = {.page_bytes = PAGE_BYTES};
    PftWriter *writer = pft_writer_new(files.told, &header);
    uint32_t context = pft_context(writer, "p", PFT_PROCESS);
    pft_map(writer, context, 0, 8, NULL, 0);
    for (uint32_t i = 0; i < 2 * PAGES; i++)
        pft_page(writer, PFT_FILL, context, i * (uint64_t)PAGE_BYTES,
                 pages + i % PAGES * (size_t)PAGE_BYTES);
    CU_ASSERT_TRUE(pft_finish(writer));
    pft_writer_free(writer);
    bridge_read(files.told, files.back);
    expect_same(files.told, files.back);
    PftReader *reader = pft_reader_new(files.told);
    PftRecord record;
    g_autofree uint8_t *page = g_malloc(PAGE_BYTES);
    uint32_t contents = 0;
    while (pft_next(reader, &record)) {
        if (record.kind != PFT_CONTENT)
            continue;
        CU_ASSERT_EQUAL_FATAL(record.content, contents);
        CU_ASSERT_TRUE(pft_expand(record.given, PAGE_BYTES, page));
        CU_ASSERT_EQUAL(memcmp(page, pages + contents * (size_t)PAGE_BYTES, PAGE_BYTES), 0);
        contents++;
    }
    CU_ASSERT_EQUAL(contents, PAGES);
    CU_ASSERT_PTR_NULL(pft_reader_error(reader));
    pft_reader_free(reader);
}

/* Header and description of the trace at PATH, and its frames, unpacked; not the index, which tells
 * how large they are packed. */
static GByteArray *frames_of(const char *path)
{
    g_autoptr(GBytes) file = bytes_of(path);
    gsize length;
    const uint8_t *bytes = g_bytes_get_data(file, &length);
    GByteArray *frames = g_byte_array_new();
    PfUnpacker *unpacker = pf_unpacker_new();
    uint64_t seed = pf_get_u64(bytes + 32);
    size_t at = PF_FILE_HEADER_BYTES + pf_get_u32(bytes + 24) + (size_t)PF_CHECKSUM_BYTES;
    g_byte_array_append(frames, bytes, (guint)at);
    while (length - at > PF_TRAILER_BYTES) {
        PfFrameHeader header;
        const char *problem = pf_frame_get_header(bytes + at, seed, &header);
        CU_ASSERT_PTR_NULL_FATAL(problem);
        at += PF_FRAME_HEADER_BYTES;
        const uint8_t *payload = pf_unpacker_unpack(unpacker, &header, bytes + at, seed, &problem);
        CU_ASSERT_PTR_NOT_NULL_FATAL(payload);
        at += header.compressed_bytes;
        if (header.kind == PF_FRAME_INDEX)
            continue;
        header.compressed_bytes = 0;
        header.payload_checksum = 0;
        uint8_t told[PF_FRAME_HEADER_BYTES];
        pf_frame_put_header(told, &header, seed);
        g_byte_array_append(frames, told, sizeof(told));
        g_byte_array_append(frames, payload, header.payload_bytes);
    }
    pf_unpacker_free(unpacker);
    return frames;
}

/* The same calls to both writers, so that their frames end at the same records. */
static void test_same_frames(void)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        g_auto(Files) files = files_new();
        random_trace_write(files.source, PF_TRACE_BINARY, seed, seed == 2 ? MANY_RECORDS : RECORDS);
        g_autoptr(PfTrace) trace = pf_trace_open(files.source, NULL, NULL);
        const PfTraceHeader *told = pf_trace_header(trace);
        PftHeader header = {told->page_bytes, told->clock_hz, told->description};
        PftWriter *writer = pft_writer_new(files.told, &header);
        g_autoptr(PfTraceWriter) other =
            pf_trace_writer_new(files.back, PF_TRACE_BINARY, told, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(other);
        bridge_tell(files.source, writer, other);
        CU_ASSERT_TRUE(pft_finish(writer));
        CU_ASSERT_TRUE(pf_trace_writer_finish(other, NULL));
        pft_writer_free(writer);
        g_autoptr(GByteArray) by_pft = frames_of(files.told);
        g_autoptr(GByteArray) by_pagefold = frames_of(files.back);
        CU_ASSERT_EQUAL_FATAL(by_pft->len, by_pagefold->len);
        CU_ASSERT_EQUAL(memcmp(by_pft->data, by_pagefold->data, by_pft->len), 0);
    }
}

static void test_compressed(void)
{
    if (is_compressing()) {
        pf_check_skip("built with zstd");
        return;
    }
    g_auto(Files) files = files_new();
    random_trace_write(files.source, PF_TRACE_BINARY, 5, RECORDS);
    PftReader *reader = pft_reader_new(files.source);
    PftRecord record;
    CU_ASSERT_FALSE(pft_next(reader, &record));
    CU_ASSERT_PTR_NOT_NULL_FATAL(pft_reader_error(reader));
    CU_ASSERT(g_str_has_suffix(pft_reader_error(reader),
                               "the trace is compressed, which this program was built to read only "
                               "with -DPFT_WITH_ZSTD"));
    CU_ASSERT_PTR_NULL(strchr(pft_reader_error(reader), '\n'));
    pft_reader_free(reader);
}

static const PfCheck checks[] = {
    {"every kind of record and content goes both ways", test_every_kind},
    {"random traces go both ways", test_random},
    {"traces of many frames go both ways", test_many_frames},
    {"names as long as may be go both ways", test_long_names},
    {"contents larger than a frame go both ways", test_large_pages},
    {"frames are byte for byte those of pagefold's writer before compression", test_same_frames},
    {"without zstd a compressed trace is told in one line", test_compressed},
};

PF_CHECK_MAIN("pft_round_trips", checks)
