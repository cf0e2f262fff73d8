/* The binary form says what the text form says, for every event, and back. */
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "binary_frame.h"
#include "check.h"
#include "dump.h"
#include "random_trace.h"
#include "rng.h"
#include "trace_source.h"

static GPtrArray *dump_all(GBytes *bytes)
{
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

static GBytes *convert(GBytes *bytes, PfTraceForm form)
{
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    return convert_bytes(data, length, form);
}

/* A trace as a file, deleted with its folder by file_clear. */
typedef struct {
    char *folder;
    char *path;
} File;

static File file_new(void)
{
    File file = {.folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(file.folder);
    file.path = g_build_filename(file.folder, "trace", NULL);
    return file;
}

static void file_clear(File *file)
{
    g_unlink(file->path);
    CU_ASSERT_EQUAL(g_rmdir(file->folder), 0);
    g_free(file->path);
    g_free(file->folder);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(File, file_clear)

static GBytes *file_bytes(const File *file)
{
    char *bytes;
    gsize length;
    CU_ASSERT_FATAL(g_file_get_contents(file->path, &bytes, &length, NULL));
    return g_bytes_new_take(bytes, length);
}

/* text -> binary -> text -> binary: the same records each time, the same bytes in the end. */
static void expect_round_trip(GBytes *first)
{
    g_autoptr(GBytes) binary = convert(first, PF_TRACE_BINARY);
    g_autoptr(GBytes) text = convert(binary, PF_TRACE_TEXT);
    g_autoptr(GBytes) again = convert(text, PF_TRACE_BINARY);
    g_autoptr(GPtrArray) expected = dump_all(first);
    g_autoptr(GPtrArray) by_binary = dump_all(binary);
    g_autoptr(GPtrArray) by_text = dump_all(text);
    CU_ASSERT(dump_is_equal(expected, by_binary));
    CU_ASSERT(dump_is_equal(expected, by_text));
    CU_ASSERT(g_bytes_equal(binary, again));
}

static void test_sample(void)
{
    g_autoptr(GBytes) sample = g_bytes_new_static(dump_sample, strlen(dump_sample));
    expect_round_trip(sample);
}

static void test_random(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        g_auto(File) file = file_new();
        random_trace_write(file.path, PF_TRACE_BINARY, seed, 700);
        g_autoptr(GBytes) bytes = file_bytes(&file);
        g_autoptr(GPtrArray) lines = dump_all(bytes);
        CU_ASSERT_EQUAL(lines->len, 700);
        expect_round_trip(bytes);
        /* The text writer alone says the same. */
        random_trace_write(file.path, PF_TRACE_TEXT, seed, 700);
        g_autoptr(GBytes) text = file_bytes(&file);
        g_autoptr(GPtrArray) text_lines = dump_all(text);
        if (!dump_is_equal(lines, text_lines))
            printf("# seed %" PRIu64 "\n", seed);
        CU_ASSERT(dump_is_equal(lines, text_lines));
    }
}

static void test_header(void)
{
    g_autoptr(GBytes) bytes = convert_bytes(dump_sample, strlen(dump_sample), PF_TRACE_BINARY);
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", data, length, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    const PfTraceHeader *header = pf_trace_header(trace);
    CU_ASSERT_TRUE(header->is_binary);
    CU_ASSERT_EQUAL(header->page_bytes, 4096);
    CU_ASSERT_EQUAL(header->clock_hz, 2600000000U);
    CU_ASSERT_STRING_EQUAL(header->description, "{\"source\": \"hand\"}");
    PfRecord record = {.line = 7};
    g_autofree char *place = pf_trace_place(trace, &record, 7);
    CU_ASSERT_STRING_EQUAL(place, "t: record 7");
    PfTraceSummary summary;
    CU_ASSERT_FATAL(pf_trace_summarise(trace, &summary, NULL));
    CU_ASSERT_TRUE(summary.has_index);
    CU_ASSERT_EQUAL(summary.file_bytes, length);
    CU_ASSERT_EQUAL(summary.frames, 2); /* one of contents, one of records */
    CU_ASSERT_EQUAL(pf_trace_progress(trace), 1.0);
}

/* Many accesses: several frames, and each frame in several blocks. */
static void test_many_frames(void)
{
    enum { RECORDS = 700000 };
    g_auto(File) file = file_new();
    PfTraceHeader header = {.page_bytes = 4096};
    g_autoptr(PfTraceWriter) writer =
        pf_trace_writer_new(file.path, PF_TRACE_BINARY, &header, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    PfTraceDetail detail = {.name = "a", .node = -1, .core = -1};
    PfRecord context = {.detail = &detail, .content = PF_TRACE_NO_CONTENT};
    pf_trace_writer_add(writer, &context);
    PfRng rng = pf_rng_derive(1, "frames");
    for (unsigned i = 0; i < RECORDS; i++) {
        PfRecord record = {.kind = PF_RECORD_READ, .content = PF_TRACE_NO_CONTENT, .count = 8};
        record.address = pf_rng_next(&rng) >> 16;
        record.line = i;
        pf_trace_writer_add(writer, &record);
    }
    CU_ASSERT_FATAL(pf_trace_writer_finish(writer, NULL));
    g_autoptr(PfTrace) trace = pf_trace_open(file.path, NULL, NULL);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    rng = pf_rng_derive(1, "frames");
    uint64_t seen = 0;
    while (pf_trace_read(trace, block, NULL) == PF_TRACE_RECORDS) {
        CU_ASSERT_EQUAL(block->first_record, seen);
        for (uint32_t i = 0; i < block->count; i++, seen++) {
            const PfRecord *record = &block->records[i];
            if (seen > 0 && (record->address != pf_rng_next(&rng) >> 16 || record->count != 8 ||
                             record->line != seen || record->context != 0))
                CU_FAIL_FATAL("a record is not what was written");
        }
    }
    CU_ASSERT_EQUAL(seen, RECORDS + 1);
    CU_ASSERT_PTR_NULL(pf_trace_damage(trace));
    PfTraceSummary summary;
    CU_ASSERT_FATAL(pf_trace_verify(file.path, &summary, NULL));
    /* A frame has 1 MiB; a random 48-bit difference and its tag need 7 bytes. */
    CU_ASSERT(summary.frames >= (uint64_t)RECORDS * 7 / (1 << 20));
    CU_ASSERT_EQUAL(summary.accesses, RECORDS);
}

static GBytes *large_page_trace(uint32_t page_bytes)
{
    g_autofree uint8_t *page = g_malloc(page_bytes);
    g_auto(File) file = file_new();
    PfTraceHeader header = {.page_bytes = page_bytes};
    g_autoptr(PfTraceWriter) writer =
        pf_trace_writer_new(file.path, PF_TRACE_BINARY, &header, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    PfTraceDetail detail = {.name = "a", .node = -1, .core = -1};
    PfRecord context = {.detail = &detail, .content = PF_TRACE_NO_CONTENT};
    pf_trace_writer_add(writer, &context);
    PfRng rng = pf_rng_derive(page_bytes, "pages");
    for (unsigned i = 0; i < 3; i++) {
        for (uint32_t j = 0; j < page_bytes; j++)
            page[j] = (uint8_t)(pf_rng_next(&rng) | 1);
        PfContentSpec spec = {.form = PF_CONTENT_BYTES, .bytes = page, .length = page_bytes};
        PfRecord fill = {.kind = PF_RECORD_FILL, .count = 1};
        fill.address = (uint64_t)i * page_bytes;
        fill.content = pf_trace_writer_content(writer, &spec);
        CU_ASSERT_EQUAL(fill.content, i);
        CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &spec), i);
        pf_trace_writer_add(writer, &fill);
    }
    CU_ASSERT_FATAL(pf_trace_writer_finish(writer, NULL));
    return file_bytes(&file);
}

/* Pages above, at and below a frame's size: their bytes go on from frame to frame. */
static void test_large_pages(void)
{
    static const uint32_t sizes[] = {4 << 20, 1 << 20, 1 << 19};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint32_t page_bytes = sizes[i];
        g_autoptr(GBytes) bytes = large_page_trace(page_bytes);
        g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", g_bytes_get_data(bytes, NULL),
                                                       g_bytes_get_size(bytes), NULL, NULL);
        g_autoptr(PfRecordBlock) block = pf_record_block_new();
        PfRng rng = pf_rng_derive(page_bytes, "pages");
        unsigned contents = 0;
        unsigned records = 0;
        while (pf_trace_read(trace, block, NULL) == PF_TRACE_RECORDS) {
            CU_ASSERT_EQUAL(block->first_content, contents);
            for (guint j = 0; j < block->contents->len; j++, contents++) {
                const PfContentSpec *spec = &g_array_index(block->contents, PfContentSpec, j);
                CU_ASSERT_EQUAL_FATAL(spec->length, page_bytes);
                for (uint32_t k = 0; k < page_bytes; k++)
                    if (spec->bytes[k] != (uint8_t)(pf_rng_next(&rng) | 1))
                        CU_FAIL_FATAL("a page has other bytes than were written");
            }
            for (uint32_t j = 0; j < block->count; j++)
                if (block->records[j].kind == PF_RECORD_FILL)
                    CU_ASSERT(block->records[j].content < contents);
            records += block->count;
        }
        CU_ASSERT_PTR_NULL(pf_trace_damage(trace));
        CU_ASSERT_EQUAL(contents, 3);
        CU_ASSERT_EQUAL(records, 4);
    }
}

static void test_expand(void)
{
    uint8_t bytes[20];
    PfContentSpec id = {.form = PF_CONTENT_ID, .number = 1, .at = 19, .with = 0xf0};
    pf_content_spec_expand(&id, sizeof(bytes), bytes);
    /* The first numbers of splitmix64 with seed 1 and 64-bit arithmetic by hand:
     * 0x910a2dec89025cc1, 0xbeeb8da1658eec67, 0xf893a2eefb32555e. */
    static const uint8_t expected[20] = {0xc1, 0x5c, 0x02, 0x89, 0xec, 0x2d,       0x0a,
                                         0x91, 0x67, 0xec, 0x8e, 0x65, 0xa1,       0x8d,
                                         0xeb, 0xbe, 0x5e, 0x55, 0x32, 0xfb ^ 0xf0};
    CU_ASSERT_EQUAL(memcmp(bytes, expected, sizeof(bytes)), 0);
    PfContentSpec zero = {.form = PF_CONTENT_ID, .at = 2, .with = 5};
    pf_content_spec_expand(&zero, 4, bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, "\0\0\5\0", 4), 0);
    PfContentSpec text = {.form = PF_CONTENT_BYTES, .bytes = (const uint8_t *)"ab", .length = 2};
    pf_content_spec_expand(&text, 4, bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, "ab\0\0", 4), 0);
    PfContentSpec ones = {.form = PF_CONTENT_ONES};
    pf_content_spec_expand(&ones, 4, bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, "\xff\xff\xff\xff", 4), 0);
    PfContentSpec stepped = pf_content_spec_step(&id, 3, 5);
    CU_ASSERT_EQUAL(stepped.number, 1 + 3 * 5);
    CU_ASSERT_EQUAL(stepped.at, 19);
    PfContentSpec hash = {.form = PF_CONTENT_HASH, .number = 9};
    CU_ASSERT_EQUAL(pf_content_spec_step(&hash, 3, 5).number, 9);
}

static void test_equal_contents(void)
{
    g_auto(File) file = file_new();
    PfTraceHeader header = {.page_bytes = 8};
    g_autoptr(PfTraceWriter) writer =
        pf_trace_writer_new(file.path, PF_TRACE_BINARY, &header, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    PfContentSpec text = {
        .form = PF_CONTENT_BYTES, .bytes = (const uint8_t *)"ab\0\0\0\0\0\0", .length = 8};
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &text), 0);
    text.length = 2;
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &text), 0);
    text.length = 1;
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &text), 1);
    PfContentSpec zero = {.form = PF_CONTENT_ZERO};
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &zero), 2);
    PfContentSpec empty = {.form = PF_CONTENT_BYTES};
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &empty), 2);
    PfContentSpec id = {.form = PF_CONTENT_ID, .number = 4, .at = 3, .with = 0};
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &id), 3);
    id.at = 5;
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &id), 3);
    id.with = 1;
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &id), 4);
    PfContentSpec hash = {.form = PF_CONTENT_HASH, .number = 4};
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &hash), 5);
    CU_ASSERT_FATAL(pf_trace_writer_finish(writer, NULL));
}

/* What is packed is unpacked again; returns the packed length. */
static size_t pack_and_unpack(const uint8_t *payload, size_t length, PfHaste haste)
{
    PfPacker *packer = pf_packer_new();
    PfUnpacker *unpacker = pf_unpacker_new();
    PfFrameHeader header = {.kind = PF_FRAME_CONTENTS, .count = 1};
    const uint8_t *packed = pf_packer_pack(packer, payload, length, 7, haste, &header);
    const char *problem = NULL;
    const uint8_t *again = pf_unpacker_unpack(unpacker, &header, packed, 7, &problem);
    CU_ASSERT_PTR_NULL(problem);
    CU_ASSERT(again != NULL && memcmp(again, payload, length) == 0);
    pf_packer_free(packer);
    pf_unpacker_free(unpacker);
    return header.compressed_bytes;
}

/* Bytes without order are not packed in haste: 9 bytes before them and 3 before each block of 128
 * KiB (RFC 8878), of which a frame of zstd consists. With half of each 4 KiB zero they are. */
static void test_dense_frames(void)
{
    static const size_t lengths[] = {
        1, 65535, 65536, (1 << 17) - 1, (1 << 17), (1 << 17) + 1, PF_FRAME_PAYLOAD_MAX};
    g_autofree uint8_t *dense = g_malloc(PF_FRAME_PAYLOAD_MAX);
    PfRng rng = pf_rng_derive(3, "dense");
    for (size_t i = 0; i < PF_FRAME_PAYLOAD_MAX; i++)
        dense[i] = (uint8_t)pf_rng_next(&rng);
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++)
        for (PfHaste haste = PF_HASTE_NONE; haste <= PF_HASTE_MOST; haste++) {
            size_t length = lengths[i];
            size_t packed = pack_and_unpack(dense, length, haste);
            size_t blocks = (length + (1 << 17) - 1) >> 17;
            if (haste != PF_HASTE_NONE && length >= 65536)
                CU_ASSERT_EQUAL(packed, 9 + 3 * blocks + length);
        }
    for (size_t i = 0; i < PF_FRAME_PAYLOAD_MAX; i++)
        dense[i] = i % 4096 < 2048 ? 0 : dense[i];
    CU_ASSERT(pack_and_unpack(dense, PF_FRAME_PAYLOAD_MAX, PF_HASTE_MOST) <
              PF_FRAME_PAYLOAD_MAX * 5 / 8);
}

static void test_digest(void)
{
    g_auto(File) file = file_new();
    CU_ASSERT_FATAL(g_file_set_contents(file.path, "", 0, NULL));
    g_autofree char *digest = pf_trace_digest(file.path, NULL);
    /* What xxh128sum says of an empty file. */
    CU_ASSERT_STRING_EQUAL(digest, "99aa06d3014798d86001c324468d497f");
    CU_ASSERT_PTR_NULL(pf_trace_digest("/nonexistent", NULL));
}

static const PfCheck checks[] = {
    {"every event goes through binary and text without loss", test_sample},
    {"random traces go through both forms without loss", test_random},
    {"header, place and summary of a binary trace are right", test_header},
    {"a trace of several frames comes in order", test_many_frames},
    {"pages above and below a frame's size come whole, and once", test_large_pages},
    {"contents expand to the bytes that they stand for", test_expand},
    {"equal contents get one number from the writer", test_equal_contents},
    {"frames of any length and density are packed and come back", test_dense_frames},
    {"the digest of a file is its XXH3", test_digest},
};

PF_CHECK_MAIN("trace_binary", checks)
