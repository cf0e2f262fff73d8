/* libFuzzer target: both readers, on bytes in memory.
 *
 * The first byte says what the rest is: bit 0 whether to salvage, bit 1 whether it is a trace or
 * pieces that become frames with checksums that are right, which no fuzzer would guess. What is
 * read goes nowhere but is checked: a record within its limits, contents in order, strings that
 * end. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "binary_frame.h"
#include "trace_names.h"
#include "trace_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const PfTrace *trace, const PfRecord *record, uint64_t contents)
{
    uint32_t page_bytes = pf_trace_header(trace)->page_bytes;
    const PfRecordTraits *traits = pf_record_traits(record->kind);
    if (traits->has_context)
        g_assert(pf_trace_context_name(trace, record->context) != NULL);
    if (traits->has_pages)
        g_assert(record->address % page_bytes == 0 && record->count > 0);
    if (traits->is_access)
        g_assert(record->count > 0 && record->count <= page_bytes);
    if (traits->has_content)
        g_assert(record->content < contents);
    else
        g_assert(record->content == PF_TRACE_NO_CONTENT);
    if (record->kind == PF_RECORD_WRITE && record->count > 8 &&
        (record->flags & PF_RECORD_HAS_VALUE) != 0)
        g_assert(record->bytes[record->count - 1] <= UINT8_MAX);
    if (traits->has_detail && record->detail->name != NULL)
        g_assert(strlen(record->detail->name) <= PF_TRACE_NAME_BYTES_MAX);
}

static void check_block(const PfTrace *trace, const PfRecordBlock *block)
{
    uint64_t contents = block->first_content + (uint64_t)block->contents->len;
    for (guint i = 0; i < block->contents->len; i++) {
        const PfContentSpec *spec = &g_array_index(block->contents, PfContentSpec, i);
        g_assert(spec->form != PF_CONTENT_BYTES || spec->length > 0);
        if (spec->form == PF_CONTENT_BYTES)
            g_assert(spec->bytes[spec->length - 1] <= UINT8_MAX);
    }
    for (uint32_t i = 0; i < block->count; i++)
        check_record(trace, &block->records[i], contents);
}

/* A zstd frame of one raw block: magic, a header with the content's size, the block's header. */
static void append_raw_frame(GByteArray *file, const uint8_t *payload, uint32_t length)
{
    uint8_t header[12] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0};
    pf_put_u32(header + 5, length);
    header[9] = (uint8_t)(length << 3 | 1);
    header[10] = (uint8_t)(length >> 5);
    header[11] = (uint8_t)(length >> 13);
    g_byte_array_append(file, header, sizeof(header));
    g_byte_array_append(file, payload, length);
}

static void append_file_header(GByteArray *file, uint8_t page_shift, uint64_t *ret_seed)
{
    uint8_t header[PF_FILE_HEADER_BYTES + PF_CHECKSUM_BYTES] = {0};
    size_t checked = PF_FILE_HEADER_BYTES - PF_CHECKSUM_BYTES;
    memcpy(header, pf_binary_magic, PF_BINARY_MAGIC_BYTES);
    pf_put_u32(header + 8, PF_BINARY_VERSION);
    pf_put_u32(header + 12, 4U << page_shift % 20);
    *ret_seed = pf_checksum(header, checked, 0);
    pf_put_u64(header + checked, *ret_seed);
    pf_put_u64(header + checked + PF_CHECKSUM_BYTES, pf_checksum("", 0, *ret_seed));
    g_byte_array_append(file, header, sizeof(header));
}

/* DATA is the page size, then pieces: kind, count, two bytes of length, a payload. */
static GByteArray *build(const uint8_t *data, size_t size)
{
    static const uint32_t kinds[] = {PF_FRAME_CONTENTS, PF_FRAME_RECORDS, PF_FRAME_INDEX,
                                     PF_FRAME_TOTALS};
    enum { PIECE_HEADER_BYTES = 4, RAW_HEADER_BYTES = 12 };
    GByteArray *file = g_byte_array_new();
    uint64_t seed;
    uint64_t firsts[G_N_ELEMENTS(kinds)] = {0};
    append_file_header(file, size > 0 ? data[0] : 0, &seed);
    for (size_t at = 1; at + PIECE_HEADER_BYTES < size;) {
        unsigned kind = data[at] % G_N_ELEMENTS(kinds);
        size_t length = data[at + 2] | (size_t)data[at + 3] << 8;
        size_t left = size - at - PIECE_HEADER_BYTES;
        length = MIN(MAX(length, 1), left);
        g_autoptr(GByteArray) frame = g_byte_array_new();
        append_raw_frame(frame, data + at + PIECE_HEADER_BYTES, (uint32_t)length);
        PfFrameHeader header = {.kind = kinds[kind],
                                .compressed_bytes = (uint32_t)length + RAW_HEADER_BYTES,
                                .payload_bytes = (uint32_t)length,
                                .count = data[at + 1],
                                .first = firsts[kind],
                                .payload_checksum = pf_checksum(frame->data, frame->len, seed)};
        firsts[kind] += header.count;
        uint8_t bytes[PF_FRAME_HEADER_BYTES];
        pf_frame_put_header(bytes, &header, seed);
        g_byte_array_append(file, bytes, sizeof(bytes));
        g_byte_array_append(file, frame->data, frame->len);
        at += PIECE_HEADER_BYTES + length;
    }
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    PfTraceOptions options = {.salvage = (data[0] & 1) != 0};
    bool is_built = (data[0] & 2) != 0;
    g_autoptr(GByteArray) built = is_built ? build(data + 1, size - 1) : g_byte_array_new();
    const uint8_t *bytes = is_built ? built->data : data + 1;
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTrace) trace =
        pf_trace_open_bytes("fuzz", bytes, is_built ? built->len : size - 1, &options, &error);
    g_assert((trace == NULL) == (error != NULL));
    if (trace == NULL)
        return 0;
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status;
    while ((status = pf_trace_read(trace, block, &error)) == PF_TRACE_RECORDS)
        check_block(trace, block);
    g_assert((status == PF_TRACE_ERROR) == (error != NULL));
    return 0;
}
