/* Binary traces with good checksums that say what no text could: the rules hold behind checksums.
 */
#include <string.h>

#include "binary_encode.h"
#include "binary_frame.h"
#include "check.h"
#include "dump.h"
#include "trace_source.h"

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
    const uint8_t *packed =
        pf_packer_pack(craft->packer, payload, length, craft->seed, false, &header);
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
    {"accesses that break a rule are refused behind a good checksum", test_rules_for_accesses},
    {"rare records that break a rule are refused likewise", test_rules_for_rare_records},
    {"frames must come in order, be of this file and hold what they say", test_frames_out_of_order},
    {"absurd sizes are refused before anything is allocated", test_absurd_sizes},
    {"values that no write can have are refused", test_malformed_values},
    {"a content that ends early is refused", test_content_that_ends},
};

PF_CHECK_MAIN("trace_crafted", checks)
