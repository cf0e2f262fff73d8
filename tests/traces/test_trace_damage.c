/* Damaged binary traces: never a wrong record, always an error that says where; and binary traces
 * with good checksums that say what no text could. */
#include <inttypes.h>
#include <string.h>

#include "binary_encode.h"
#include "binary_frame.h"
#include "check.h"
#include "dump.h"
#include "error.h"
#include "trace_source.h"

/* A small trace of three content frames and three record frames: its pages are long runs of one
 * byte, so that some hundred of them fill a frame and take few bytes in the file. */
static GBytes *small_trace(void)
{
    g_autoptr(GString) text = g_string_new(
        "pagefold-trace 1\npage 32KiB\ndescription \"{\\\"a\\\":1}\"\ncontext a vm\n"
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
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
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
        g_autoptr(GPtrArray) lines =
            dump_bytes(fixture.bytes, length, false, &status, &error);
        bool is_told = status == PF_TRACE_ERROR && error != NULL &&
                       g_error_matches(error, PF_ERROR, PF_ERROR_TRACE);
        bool is_right = dump_is_prefix(lines, fixture.lines) &&
                        lines->len == whole_records(&fixture, length, &frames);
        if (!is_told || !is_right)
            printf("# %zu bytes: %u records, %s\n", length, lines->len,
                   error != NULL ? error->message : "no error");
        CU_ASSERT_FATAL(is_told);
        CU_ASSERT_FATAL(is_right);
        g_autofree char *place = g_strdup_printf("t.trace: at byte %zu: the file is cut off",
                                                 length);
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
        g_autoptr(PfTrace) trace =
            pf_trace_open_bytes("t", fixture.bytes, length, &options, NULL);
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
    g_autoptr(GPtrArray) lines =
        dump_bytes(longer, fixture.length + 1, false, &status, &error);
    CU_ASSERT_EQUAL(status, PF_TRACE_ERROR);
    CU_ASSERT_EQUAL(lines->len, fixture.lines->len);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "bytes behind the end"));
}

/* A file put together by hand: header, then frames with checksums that are right. */
typedef struct {
    GByteArray *file;
    uint64_t seed;
    PfPacker *packer;
    PfTraceRules *lenient; /* knows contexts that the file does not make */
    PfEncoder *encoder;
} Craft;

static Craft craft_new(uint32_t page_bytes)
{
    uint8_t header[40] = {0};
    memcpy(header, pf_binary_magic, 8);
    pf_put_u32(header + 8, 1);
    pf_put_u32(header + 12, page_bytes);
    Craft craft = {.file = g_byte_array_new(), .packer = pf_packer_new()};
    craft.seed = pf_checksum(header, 32, 0);
    pf_put_u64(header + 32, craft.seed);
    g_byte_array_append(craft.file, header, sizeof(header));
    uint8_t checksum[8];
    pf_put_u64(checksum, pf_checksum("", 0, craft.seed));
    g_byte_array_append(craft.file, checksum, sizeof(checksum));
    craft.lenient = pf_trace_rules_new(page_bytes);
    PfTraceContext context = {.name = "x"};
    for (unsigned i = 0; i < 10; i++)
        g_array_append_val(craft.lenient->contexts, context);
    craft.encoder = pf_encoder_new(craft.lenient);
    return craft;
}

static void craft_clear(Craft *craft)
{
    g_byte_array_unref(craft->file);
    pf_packer_free(craft->packer);
    pf_encoder_free(craft->encoder);
    pf_trace_rules_free(craft->lenient);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Craft, craft_clear)

static void craft_frame(Craft *craft, uint32_t kind, uint32_t count, uint64_t first,
                        const uint8_t *payload, size_t length)
{
    PfFrameHeader header = {.kind = kind, .count = count, .first = first};
    const uint8_t *packed = pf_packer_pack(craft->packer, payload, length, craft->seed, &header);
    uint8_t bytes[PF_FRAME_HEADER_BYTES];
    pf_frame_put_header(bytes, &header, craft->seed);
    g_byte_array_append(craft->file, bytes, sizeof(bytes));
    g_byte_array_append(craft->file, packed, header.compressed_bytes);
}

static void craft_records(Craft *craft, uint64_t first)
{
    g_autofree uint8_t *payload = g_malloc(PF_FRAME_PAYLOAD_MAX);
    uint32_t count = pf_encoder_count(craft->encoder);
    size_t length = pf_encoder_take(craft->encoder, payload);
    craft_frame(craft, PF_FRAME_RECORDS, count, first, payload, length);
}

static void expect_error(const Craft *craft, unsigned records, const char *message)
{
    g_autoptr(GError) error = NULL;
    PfTraceStatus status;
    g_autoptr(GPtrArray) lines =
        dump_bytes(craft->file->data, craft->file->len, false, &status, &error);
    CU_ASSERT_EQUAL_FATAL(status, PF_TRACE_ERROR);
    if (lines->len != records || strstr(error->message, message) == NULL)
        printf("# %u records, '%s'\n# instead of %u and '%s'\n", lines->len, error->message,
               records, message);
    CU_ASSERT_EQUAL(lines->len, records);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, message));
}

/* Behind a context event (number 0) and EXIT_FIRST's exit of it, RECORD is refused. */
static void expect_refused(PfRecord record, bool exit_first, const char *message)
{
    g_auto(Craft) craft = craft_new(4096);
    PfTraceDetail detail = {.name = "a", .node = -1, .core = -1};
    PfRecord context = {.detail = &detail, .content = PF_TRACE_NO_CONTENT};
    PfRecord leaving = {.kind = PF_RECORD_EXIT, .content = PF_TRACE_NO_CONTENT};
    pf_encoder_add(craft.encoder, &context);
    if (exit_first)
        pf_encoder_add(craft.encoder, &leaving);
    CU_ASSERT_PTR_NULL(pf_encoder_add(craft.encoder, &record));
    craft_records(&craft, 0);
    expect_error(&craft, exit_first ? 2 : 1, message);
}

static void test_rules_for_accesses(void)
{
    PfRecord read = {.kind = PF_RECORD_READ, .count = 8, .content = PF_TRACE_NO_CONTENT};
    PfRecord record = read;
    record.context = 1;
    expect_refused(record, false, "context number 1, which is not alive");
    expect_refused(read, true, "context number 0, which is not alive");
    record = read;
    record.count = 4097;
    expect_refused(record, false, "record 1: read: 4097 bytes; one access is at most a page");
    record.count = 0;
    expect_refused(record, false, "read: 0 bytes");
    record = (PfRecord){.kind = PF_RECORD_WRITE, .flags = PF_RECORD_HAS_VALUE,
                        .content = PF_TRACE_NO_CONTENT, .count = 0};
    expect_refused(record, false, "write: 0 bytes");
    record = read;
    record.address = UINT64_MAX - 6;
    expect_refused(record, false, "beyond the end of the address space");
    record.address--;
    record.count = 9;
    expect_refused(record, false, "beyond the end of the address space");
}

static void test_rules_for_rare_records(void)
{
    PfTraceDetail detail = {.name = "a", .node = -1, .core = -1};
    PfRecord record = {.detail = &detail, .context = 1, .content = PF_TRACE_NO_CONTENT};
    expect_refused(record, false, "context a exists already");
    detail.name = "";
    expect_refused(record, false, "an empty context name");
    detail.name = "\xff";
    expect_refused(record, false, "not UTF-8");
    detail = (PfTraceDetail){.name = "b", .node = -1, .core = -1, .context_kind = 2};
    expect_refused(record, false, "an unknown kind of context");
    record = (PfRecord){.kind = PF_RECORD_TOUCH, .content = PF_TRACE_NO_CONTENT};
    expect_refused(record, false, "touch: 0 pages");
    record.count = PF_TRACE_RECORD_PAGES_MAX + 1;
    expect_refused(record, false, "at most 1099511627776");
    record.count = 2;
    record.address = UINT64_MAX - 4095;
    expect_refused(record, false, "beyond the end of the address space");
    record.address = 0;
    expect_refused(record, true, "context a has exited");
    record.context = 9;
    expect_refused(record, false, "a context that was not made");
    record = (PfRecord){.kind = PF_RECORD_FILL, .count = 1, .content = 0};
    expect_refused(record, false, "a content that was not given");
    record = (PfRecord){.kind = PF_RECORD_ADVISE, .count = 1, .choice = PF_ADVICE_COUNT};
    expect_refused(record, false, "an unknown advice");
    record = (PfRecord){.kind = PF_RECORD_ATTR, .count = 1, .choice = PF_ATTRIBUTE_COUNT};
    expect_refused(record, false, "an unknown attribute");
    record = (PfRecord){.kind = PF_RECORD_GRAIN, .count = 2};
    expect_refused(record, false, "an unknown grain");
    detail = (PfTraceDetail){.name = "f", .backing = PF_BACKING_FILE, .number = 1};
    record = (PfRecord){.kind = PF_RECORD_MAP, .count = 1, .detail = &detail};
    expect_refused(record, false, "file offset 1 is no multiple");
    detail = (PfTraceDetail){.huge_bytes = 4096};
    expect_refused(record, false, "huge=4096 is no power of two above");
    detail = (PfTraceDetail){.other_context = 3};
    record.kind = PF_RECORD_ALIAS;
    expect_refused(record, false, "context number 3 is not known");
}

static void test_frames_out_of_order(void)
{
    g_auto(Craft) craft = craft_new(4096);
    PfTraceDetail detail = {.name = "m"};
    PfRecord mark = {.kind = PF_RECORD_MARK, .detail = &detail, .content = PF_TRACE_NO_CONTENT};
    pf_encoder_add(craft.encoder, &mark);
    craft_records(&craft, 0);
    guint length = craft.file->len;
    pf_encoder_add(craft.encoder, &mark);
    craft_records(&craft, 2);
    expect_error(&craft, 1, "records that are not the next");
    g_byte_array_set_size(craft.file, length);
    craft_frame(&craft, PF_FRAME_CONTENTS, 1, 1, (const uint8_t *)"\0", 1);
    expect_error(&craft, 1, "contents that are not the next");
    g_byte_array_set_size(craft.file, length);
    craft_frame(&craft, PF_FRAME_CONTENTS, 2, 0, (const uint8_t *)"\0", 1);
    expect_error(&craft, 1, "another number of contents");
    g_byte_array_set_size(craft.file, length);
    craft_frame(&craft, PF_FRAME_CONTENTS, 1, 0, (const uint8_t *)"\5", 1);
    expect_error(&craft, 1, "of an unknown form");
    g_byte_array_set_size(craft.file, length);
    craft_frame(&craft, PF_FRAME_CONTENTS, 1, 0, (const uint8_t *)"\4\1\20\0\0", 5);
    expect_error(&craft, 1, "a content that does not fit into a page");
    g_byte_array_set_size(craft.file, length);
    craft_frame(&craft, PF_FRAME_INDEX, 0, 0, (const uint8_t *)"\1\1\1\1", 4);
    expect_error(&craft, 1, "an index that is not that of the frames");
    g_byte_array_set_size(craft.file, length);
    craft_frame(&craft, 1, 0, 0, (const uint8_t *)"\0", 1);
    expect_error(&craft, 1, "a frame of an unknown kind");
    g_byte_array_set_size(craft.file, length);
    craft.seed++;
    craft_frame(&craft, PF_FRAME_CONTENTS, 1, 0, (const uint8_t *)"\0", 1);
    expect_error(&craft, 1, "the checksum of a frame's header is wrong");
}

/* A header may say any size: nothing of that size is allocated. */
static void test_absurd_sizes(void)
{
    static const PfFrameHeader headers[] = {
        {.kind = PF_FRAME_RECORDS, .compressed_bytes = UINT32_MAX, .payload_bytes = 9, .count = 1},
        {.kind = PF_FRAME_RECORDS, .compressed_bytes = 9, .payload_bytes = UINT32_MAX, .count = 1},
        {.kind = PF_FRAME_RECORDS, .compressed_bytes = 9, .payload_bytes = (1 << 20) + 1},
        {.kind = PF_FRAME_RECORDS, .compressed_bytes = 9, .payload_bytes = 0, .count = 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_auto(Craft) craft = craft_new(4096);
        uint8_t bytes[PF_FRAME_HEADER_BYTES];
        pf_frame_put_header(bytes, &headers[i], craft.seed);
        g_byte_array_append(craft.file, bytes, sizeof(bytes));
        expect_error(&craft, 0, "a frame of a size that cannot be");
    }
    g_auto(Craft) columns = craft_new(4096);
    uint8_t payload[PF_COLUMNS_HEADER_BYTES + 1] = {0};
    pf_put_u32(payload, UINT32_MAX);
    craft_frame(&columns, PF_FRAME_RECORDS, 1, 0, payload, sizeof(payload));
    expect_error(&columns, 0, "columns are longer than it is");
    g_auto(Craft) count = craft_new(4096);
    pf_put_u32(payload, 1);
    payload[PF_COLUMNS_HEADER_BYTES] = PF_TAG_VIRTUAL_ON;
    craft_frame(&count, PF_FRAME_RECORDS, UINT32_MAX, 0, payload, sizeof(payload));
    expect_error(&count, 0, "fewer records than it says");
    g_auto(Craft) tag = craft_new(4096);
    payload[PF_COLUMNS_HEADER_BYTES] = 255;
    craft_frame(&tag, PF_FRAME_RECORDS, 1, 0, payload, sizeof(payload));
    expect_error(&tag, 0, "the unknown tag 255");
    g_auto(Craft) orphan = craft_new(4096);
    payload[PF_COLUMNS_HEADER_BYTES] = 0;
    craft_frame(&orphan, PF_FRAME_RECORDS, 1, 0, payload, sizeof(payload));
    expect_error(&orphan, 0, "belongs to no context");
}

/* A frame of one hot record put together by hand, behind a frame that makes the context. */
static void expect_malformed(uint8_t tag, uint8_t size, uint8_t value_code, const char *message)
{
    g_auto(Craft) craft = craft_new(4096);
    PfTraceDetail detail = {.name = "a", .node = -1, .core = -1};
    PfRecord context = {.detail = &detail, .content = PF_TRACE_NO_CONTENT};
    pf_encoder_add(craft.encoder, &context);
    craft_records(&craft, 0);
    /* Tags, sizes, value codes, 16 bytes of values, the number of the context. */
    uint8_t payload[PF_COLUMNS_HEADER_BYTES + 2 + 1 + 1 + 16 + 1] = {0};
    pf_put_u32(payload + (size_t)PF_COLUMN_TAGS * 4, 2);
    pf_put_u32(payload + (size_t)PF_COLUMN_SIZES * 4, 1);
    pf_put_u32(payload + (size_t)PF_COLUMN_VALUE_CODES * 4, 1);
    pf_put_u32(payload + (size_t)PF_COLUMN_VALUES * 4, 16);
    pf_put_u32(payload + (size_t)PF_COLUMN_RARE * 4, 1);
    uint8_t *columns = payload + PF_COLUMNS_HEADER_BYTES;
    columns[0] = PF_TAG_SWITCH;
    columns[1] = tag;
    columns[2] = size;
    columns[3] = value_code;
    craft_frame(&craft, PF_FRAME_RECORDS, 1, 1, payload, sizeof(payload));
    /* A frame that holds too much shows that only at its end. */
    bool is_long = strstr(message, "more than") != NULL;
    expect_error(&craft, is_long ? 2 : 1, message);
}

static void test_malformed_values(void)
{
    /* Class 3 (a write with a value), size code 4 (a byte of size), no address difference. */
    uint8_t tag = (3 * PF_TAG_SIZES + 4) * PF_TAG_ADDRESSES;
    expect_malformed(tag, 16, 8, "malformed value");      /* 16 bytes are no number */
    expect_malformed(tag, 9, 8, "malformed value");       /* nor are 9 */
    expect_malformed(tag, 8, 9, "malformed value");       /* a number of 9 bytes */
    expect_malformed(tag, 8, 0x48, "malformed value");    /* base 4 of 4 */
    expect_malformed(tag, 8, 8, "more than its records"); /* fine, but 8 bytes are left */
    expect_malformed(tag, 0, 8, "write: 0 bytes");
}

/* A content that says 1 GiB and ends: only what came is kept. */
static void test_content_that_ends(void)
{
    g_auto(Craft) craft = craft_new(1 << 30);
    static const uint8_t payload[] = {PF_CONTENT_BYTES, 0, 0, 0, 0x40, 'a', 'b'};
    craft_frame(&craft, PF_FRAME_CONTENTS, 0, 0, payload, sizeof(payload));
    PfTraceDetail detail = {.name = "m"};
    PfRecord mark = {.kind = PF_RECORD_MARK, .detail = &detail, .content = PF_TRACE_NO_CONTENT};
    pf_encoder_add(craft.encoder, &mark);
    craft_records(&craft, 0);
    expect_error(&craft, 0, "records before a content is complete");
}

static const PfCheck checks[] = {
    {"a file cut at any byte gives the records of its whole frames, then an error",
     test_truncation},
    {"a salvaged file ends with what was whole, and says where it was cut", test_salvage},
    {"any byte changed gives an error and no wrong record", test_flips},
    {"bytes behind the end are an error", test_additions},
    {"accesses that break a rule are refused behind a good checksum", test_rules_for_accesses},
    {"rare records that break a rule are refused likewise", test_rules_for_rare_records},
    {"frames must come in order, be of this file and hold what they say",
     test_frames_out_of_order},
    {"absurd sizes are refused before anything is allocated", test_absurd_sizes},
    {"values that no write can have are refused", test_malformed_values},
    {"a content that ends early is refused", test_content_that_ends},
};

PF_CHECK_MAIN("trace_damage", checks)
