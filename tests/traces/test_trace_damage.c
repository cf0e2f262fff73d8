/* Damaged binary traces: never a wrong record, always an error that says where. */
#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "dump.h"
#include "error.h"
#include "trace_source.h"

/* A small trace of three content frames and three record frames: its pages are long runs of one
 * byte, so that some hundred of them fill a frame and take few bytes in the file. */
static GBytes *small_trace(void)
{
    g_autoptr(GString) text =
        g_string_new("pagefold-trace 1\npage 32KiB\ndescription \"{\\\"a\\\":1}\"\ncontext a vm\n"
                     "write a 0x10 8 0x1122334455667788\nmark \"here\"\n");
    for (unsigned i = 0; i < 70; i++) {
        g_string_append_printf(text, "fill a 0x%x 1 hex:", i << 15);
        for (unsigned j = 0; j < 32768; j++)
            g_string_append_printf(text, "%02x", i + 1);
        g_string_append_c(text, '\n');
    }
    g_string_append(text, "read a 0x8000 4\ntime 5ms\nexit a\n");
    return convert_bytes(text->str, text->len, PF_TRACE_BINARY);
}

typedef struct {
    GBytes *file;
    const uint8_t *bytes;
    size_t length;
    GPtrArray *lines; /* the records as they should be */
} Fixture;

static Fixture fixture_new(void)
{
    Fixture fixture = {.file = small_trace()};
    gsize length;
    fixture.bytes = g_bytes_get_data(fixture.file, &length);
    fixture.length = length;
    PfTraceStatus status;
    fixture.lines = dump_bytes(fixture.bytes, length, false, &status, NULL);
    CU_ASSERT_EQUAL_FATAL(status, PF_TRACE_END);
    CU_ASSERT_EQUAL_FATAL(fixture.lines->len, 76);
    return fixture;
}

static void fixture_clear(Fixture *fixture)
{
    g_bytes_unref(fixture->file);
    g_ptr_array_unref(fixture->lines);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static uint32_t get_u32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The records in frames that lie wholly within the first LENGTH bytes, by the layout that
 * docs/trace-format.md gives. */
static uint32_t whole_records(const Fixture *fixture, size_t length, unsigned *ret_frames)
{
    size_t at = 40 + get_u32(fixture->bytes + 24) + 8;
    uint32_t records = 0;
    *ret_frames = 0;
    while (at + 40 <= length) {
        size_t total = 40 + (size_t)get_u32(fixture->bytes + at + 4);
        if (at + total > length)
            break;
        if (memcmp(fixture->bytes + at, "PTRC", 4) == 0)
            records += get_u32(fixture->bytes + at + 12);
        else if (memcmp(fixture->bytes + at, "PTCN", 4) != 0)
            break;
        (*ret_frames)++;
        at += total;
    }
    return records;
}

static void test_truncation(void)
{
    g_auto(Fixture) fixture = fixture_new();
    unsigned frames = 0;
    for (size_t length = 0; length < fixture.length; length++) {
        g_autoptr(GError) error = NULL;
        PfTraceStatus status;
        g_autoptr(GPtrArray) lines = dump_bytes(fixture.bytes, length, false, &status, &error);
        bool is_told = status == PF_TRACE_ERROR && error != NULL &&
                       g_error_matches(error, PF_ERROR, PF_ERROR_TRACE);
        bool is_right = dump_is_prefix(lines, fixture.lines) &&
                        lines->len == whole_records(&fixture, length, &frames);
        if (!is_told || !is_right)
            printf("# %zu bytes: %u records, %s\n", length, lines->len,
                   error != NULL ? error->message : "no error");
        CU_ASSERT_FATAL(is_told);
        CU_ASSERT_FATAL(is_right);
        g_autofree char *place =
            g_strdup_printf("t.trace: at byte %zu: the file is cut off", length);
        if (length > 0)
            CU_ASSERT(g_str_has_prefix(error->message, place));
    }
    /* 70 pages of 32 KiB are 2.2 MiB: three frames, each before one of records. */
    CU_ASSERT_EQUAL(frames, 6);
}

static void test_salvage(void)
{
    g_auto(Fixture) fixture = fixture_new();
    size_t header = 40 + (size_t)get_u32(fixture.bytes + 24) + 8;
    for (size_t length = header; length < fixture.length; length += 7) {
        PfTraceOptions options = {.salvage = true};
        g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", fixture.bytes, length, &options, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
        CU_ASSERT_EQUAL(dump_trace(trace, lines, NULL), PF_TRACE_END);
        unsigned frames;
        CU_ASSERT_EQUAL(lines->len, whole_records(&fixture, length, &frames));
        CU_ASSERT_PTR_NOT_NULL_FATAL(pf_trace_damage(trace));
        CU_ASSERT_PTR_NOT_NULL(strstr(pf_trace_damage(trace), "cut off"));
    }
}

static void test_flips(void)
{
    g_auto(Fixture) fixture = fixture_new();
    g_autofree uint8_t *copy = g_memdup2(fixture.bytes, fixture.length);
    for (size_t at = 0; at < fixture.length; at++) {
        copy[at] ^= (uint8_t)(1U << (at % 8));
        g_autoptr(GError) error = NULL;
        PfTraceStatus status;
        g_autoptr(GPtrArray) lines = dump_bytes(copy, fixture.length, false, &status, &error);
        if (status != PF_TRACE_ERROR || !dump_is_prefix(lines, fixture.lines))
            printf("# byte %zu of %zu flipped\n", at, fixture.length);
        CU_ASSERT_EQUAL_FATAL(status, PF_TRACE_ERROR);
        CU_ASSERT_FATAL(dump_is_prefix(lines, fixture.lines));
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
        copy[at] = fixture.bytes[at];
    }
}

static void test_additions(void)
{
    g_auto(Fixture) fixture = fixture_new();
    g_autofree uint8_t *longer = g_malloc0(fixture.length + 1);
    memcpy(longer, fixture.bytes, fixture.length);
    g_autoptr(GError) error = NULL;
    PfTraceStatus status;
    g_autoptr(GPtrArray) lines = dump_bytes(longer, fixture.length + 1, false, &status, &error);
    CU_ASSERT_EQUAL(status, PF_TRACE_ERROR);
    CU_ASSERT_EQUAL(lines->len, fixture.lines->len);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "bytes behind the end"));
}

static const PfCheck checks[] = {
    {"a file cut at any byte gives the records of its whole frames, then an error",
     test_truncation},
    {"a salvaged file ends with what was whole, and says where it was cut", test_salvage},
    {"any byte changed gives an error and no wrong record", test_flips},
    {"bytes behind the end are an error", test_additions},
};

PF_CHECK_MAIN("trace_damage", checks)
