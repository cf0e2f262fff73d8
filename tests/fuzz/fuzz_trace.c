/* libFuzzer target: both readers, on bytes in memory.
 *
 * The first byte says what the rest is: bit 0 whether to salvage, bit 1 whether it is a trace or
 * pieces that become frames with checksums that are right, which no fuzzer would guess. What is
 * read goes nowhere but is checked: a record within its limits, contents in order, strings that
 * end. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "trace_names.h"
#include "trace_pieces.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    PfTraceOptions options = {.salvage = (data[0] & 1) != 0};
    bool is_built = (data[0] & 2) != 0;
    g_autoptr(GByteArray) built =
        is_built ? trace_pieces_build(data + 1, size - 1) : g_byte_array_new();
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
