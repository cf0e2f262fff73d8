/* Accesses of other programs, compressed inputs, and what an input looks like. */
#include <gio/gio.h>
#include <lzma.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "check.h"
#include "image_builder.h"
#include "rng.h"
#include "trace_unpack.h"

enum { LENGTH = 1000000 };

/* Bytes that compress, but not to nothing. */
static GByteArray *some_bytes(void)
{
    GByteArray *bytes = g_byte_array_new();
    PfRng rng = pf_rng_derive(1, "bytes");
    while (bytes->len < LENGTH)
        put_fill(bytes, (uint8_t)pf_rng_below(&rng, 256), (size_t)(1 + pf_rng_below(&rng, 30)));
    g_byte_array_set_size(bytes, LENGTH);
    return bytes;
}

static GByteArray *pack_zstd(const uint8_t *bytes, size_t length)
{
    GByteArray *packed = g_byte_array_new();
    g_byte_array_set_size(packed, (guint)ZSTD_compressBound(length));
    size_t size = ZSTD_compress(packed->data, packed->len, bytes, length, 1);
    g_assert(!ZSTD_isError(size));
    g_byte_array_set_size(packed, (guint)size);
    return packed;
}

static GByteArray *pack_xz(const uint8_t *bytes, size_t length)
{
    GByteArray *packed = g_byte_array_new();
    g_byte_array_set_size(packed, (guint)lzma_stream_buffer_bound(length));
    size_t size = 0;
    lzma_ret status = lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, bytes, length,
                                              packed->data, &size, packed->len);
    g_assert(status == LZMA_OK);
    g_byte_array_set_size(packed, (guint)size);
    return packed;
}

static GByteArray *pack_gzip(const uint8_t *bytes, size_t length)
{
    g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1);
    GByteArray *packed = g_byte_array_new();
    g_byte_array_set_size(packed, (guint)length + 1000);
    gsize read = 0;
    gsize written = 0;
    GConverterResult result =
        g_converter_convert(G_CONVERTER(compressor), bytes, length, packed->data, packed->len,
                            G_CONVERTER_INPUT_AT_END, &read, &written, NULL);
    g_assert(result == G_CONVERTER_FINISHED);
    g_byte_array_set_size(packed, (guint)written);
    return packed;
}

typedef GByteArray *(*Pack)(const uint8_t *bytes, size_t length);
static const Pack packs[] = {pack_gzip, pack_xz, pack_zstd};

/* All that unpacking PACKED gives, STEP bytes at a time; NULL with ERROR set. */
static GByteArray *unpack_all(const GByteArray *packed, size_t step, GError **error)
{
    g_autoptr(PfInput) input =
        pf_input_unpack(pf_input_new_bytes("packed", packed->data, packed->len), error);
    if (input == NULL)
        return NULL;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    for (;;) {
        if (!pf_input_fill(input, step, error))
            return NULL;
        size_t length;
        const uint8_t *window = pf_input_window(input, &length);
        if (length == 0)
            return g_steal_pointer(&bytes);
        length = MIN(length, step);
        g_byte_array_append(bytes, window, (guint)length);
        pf_input_consume(input, length);
    }
}

static void check_same(const GByteArray *found, const uint8_t *bytes, size_t length)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_TRUE(found->len == length && memcmp(found->data, bytes, length) == 0);
}

static void test_unpacking(void)
{
    static const size_t steps[] = {1000, 65536, 1000003};
    g_autoptr(GByteArray) bytes = some_bytes();
    for (size_t i = 0; i < G_N_ELEMENTS(packs); i++) {
        /* Two parts in a row, as `cat a.gz b.gz` gives them. */
        g_autoptr(GByteArray) packed = packs[i](bytes->data, 300000);
        g_autoptr(GByteArray) rest = packs[i](bytes->data + 300000, LENGTH - 300000);
        g_byte_array_append(packed, rest->data, rest->len);
        for (size_t n = 0; n < G_N_ELEMENTS(steps); n++) {
            g_autoptr(GError) error = NULL;
            g_autoptr(GByteArray) found = unpack_all(packed, steps[n], &error);
            g_assert_no_error(error);
            check_same(found, bytes->data, LENGTH);
        }
    }
    g_autoptr(GByteArray) plain = unpack_all(bytes, 4096, NULL);
    check_same(plain, bytes->data, LENGTH);
}

static void test_damaged(void)
{
    g_autoptr(GByteArray) bytes = some_bytes();
    for (size_t i = 0; i < G_N_ELEMENTS(packs); i++) {
        g_autoptr(GByteArray) packed = packs[i](bytes->data, LENGTH);
        guint whole = packed->len;
        const guint lengths[] = {12, whole / 2, whole - 1};
        for (size_t n = 0; n < G_N_ELEMENTS(lengths); n++) {
            g_autoptr(GError) error = NULL;
            g_autoptr(GByteArray) cut = g_byte_array_new();
            g_byte_array_append(cut, packed->data, lengths[n]);
            CU_ASSERT_PTR_NULL(unpack_all(cut, 4096, &error));
            CU_ASSERT_PTR_NOT_NULL_FATAL(error);
            CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "packed: at byte "));
            CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "data are cut short"));
        }
        g_autoptr(GError) error = NULL;
        memset(packed->data + whole / 2, 0x55, 64);
        g_autoptr(GByteArray) found = unpack_all(packed, 4096, &error);
        /* Not every packing has a checksum that says so. */
        CU_ASSERT_TRUE(found == NULL || memcmp(found->data, bytes->data, LENGTH) != 0);
        CU_ASSERT_EQUAL(found == NULL, error != NULL);
    }
}

static void put_instruction(GByteArray *file, uint64_t address, const uint64_t written[2],
                            const uint64_t read[4])
{
    put_number(file, address, 8);
    put_number(file, 1, 1); /* a branch, taken; registers */
    put_number(file, 1, 1);
    put_number(file, 0x060504030201, 6);
    for (unsigned i = 0; i < 2; i++)
        put_number(file, written[i], 8);
    for (unsigned i = 0; i < 4; i++)
        put_number(file, read[i], 8);
}

static GByteArray *champsim_trace(void)
{
    GByteArray *file = g_byte_array_new();
    put_instruction(file, 0x400000, (uint64_t[2]){0, 0}, (uint64_t[4]){0, 0, 0, 0});
    put_instruction(file, 0x400004, (uint64_t[2]){0x7000, 0}, (uint64_t[4]){0x6008, 0, 0x6010, 0});
    put_instruction(file, 0x40000b, (uint64_t[2]){0x7008, UINT64_MAX}, (uint64_t[4]){0});
    return file;
}

/* The text of FILE imported as FORMAT; NULL with ERROR set. */
static char *import_text(const GByteArray *file, const char *format, GError **error)
{
    g_autofree char *path =
        g_strdup_printf("%s/pagefold-import-%d.trace", g_get_tmp_dir(), (int)getpid());
    PfTraceHeader header = {.page_bytes = PF_IMPORT_PAGE_BYTES};
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, PF_TRACE_TEXT, &header, error);
    g_autoptr(PfInput) input = pf_input_new_bytes("file", file->data, file->len);
    if (!pf_import(pf_import_find(format), input, "t0", 0, 833, writer, NULL, error) ||
        !pf_trace_writer_finish(writer, error))
        return NULL;
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    unlink(path);
    return text;
}

static void test_champsim(void)
{
    g_autoptr(GByteArray) file = champsim_trace();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = import_text(file, "champsim", &error);
    g_assert_no_error(error);
    const char *records = strstr(text, "context t0 process\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(records);
    CU_ASSERT_STRING_EQUAL(records, "context t0 process\n"
                                    "run t0 1\n"
                                    "map t0 0x400000 512 anon\n"
                                    "fetch t0 0x400000 1\n"
                                    "run t0 1\n"
                                    "fetch t0 0x400004 1\n"
                                    "map t0 0x0 512 anon\n"
                                    "read t0 0x6008 1\n"
                                    "read t0 0x6010 1\n"
                                    "write t0 0x7000 1\n"
                                    "run t0 1\n"
                                    "fetch t0 0x40000b 1\n"
                                    "write t0 0x7008 1\n"
                                    "map t0 0xffffffffffe00000 512 anon\n"
                                    "write t0 0xffffffffffffffff 1\n");
}

static void test_champsim_mistakes(void)
{
    g_autoptr(GByteArray) file = champsim_trace();
    g_autoptr(GError) error = NULL;
    file->data[64 + 8] = 2;
    CU_ASSERT_PTR_NULL(import_text(file, "champsim", &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "file: at byte 64: no record of ChampSim"));
    g_clear_error(&error);
    file->data[64 + 8] = 1;
    g_byte_array_set_size(file, 191);
    CU_ASSERT_PTR_NULL(import_text(file, "champsim", &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "at byte 128: ends within a record"));
}

static void check_looks(const GByteArray *file, const char *format)
{
    g_autoptr(PfInput) input = pf_input_new_bytes("file", file->data, file->len);
    const PfImportFormat *found = pf_import_sniff(input, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_STRING_EQUAL(pf_import_name(found), format);
}

static void test_champsim_looks(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    while (file->len < 2 * PAGE)
        put_instruction(file, 0x400000, (uint64_t[2]){0, 0}, (uint64_t[4]){0, 0, 0, 0});
    /* Of the length of a raw image, but its records are sound; then one is not. */
    check_looks(file, "champsim");
    file->data[64 * 10 + 9] = 2;
    check_looks(file, "raw");
    file->data[64 * 10 + 9] = 1;
    memset(file->data + 64 * 20, 0, 8);
    check_looks(file, "raw");
}

static void test_foreign(void)
{
    static const char *const cases[][2] = {
        {"KDUMP   ", "kdump"},
        {"PAGEDU64", "Windows"},
        {"QEVM\1\2\3", "QEMU"},
        {"\xd2\xbe\xd2\xbe", "VMware"},
        {"AVML", "avml-convert"},
        {"pagefold-trace 1\n", "a trace of pagefold already"},
        {"\x89PFT\r\n", "a trace of pagefold already"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        /* Of the length of a raw image. */
        g_autoptr(GByteArray) file = g_byte_array_new();
        put_fill(file, 0, PAGE);
        memcpy(file->data, cases[i][0], strlen(cases[i][0]));
        check_refused(file, NULL, cases[i][1]);
    }
}

static void test_formats(void)
{
    const PfImportFormat *format;
    const char *last = "";
    for (size_t i = 0; (format = pf_import_at(i)) != NULL; i++) {
        CU_ASSERT_TRUE(strcmp(last, pf_import_name(format)) < 0);
        CU_ASSERT_PTR_EQUAL(pf_import_find(pf_import_name(format)), format);
        CU_ASSERT_TRUE(pf_import_summary(format)[0] != '\0');
        last = pf_import_name(format);
    }
    CU_ASSERT_PTR_NULL(pf_import_find("gem5"));
    CU_ASSERT_PTR_EQUAL(pf_import_find("dramsim"), pf_import_find("dramsim3"));
}

static const PfCheck checks[] = {
    {"gzip, xz and Zstandard are unpacked, several parts in a row too", test_unpacking},
    {"compressed data that are cut short or damaged are refused", test_damaged},
    {"an instruction of ChampSim is a run, a fetch, its reads and its writes", test_champsim},
    {"what is no record of ChampSim is told with its byte", test_champsim_mistakes},
    {"a trace of ChampSim is told from a raw image by its records", test_champsim_looks},
    {"known files that cannot be read are refused with the mend", test_foreign},
    {"formats are sorted and found by their names", test_formats},
};

PF_CHECK_MAIN("import", checks)
