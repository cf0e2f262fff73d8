/* The binary form, frame by frame. */
#include <inttypes.h>

#include "binary_contents.h"
#include "binary_decode.h"
#include "binary_frame.h"
#include "error.h"
#include "trace_block.h"
#include "trace_source.h"
#include "units.h"

/* What may come next in the file. */
typedef enum { PHASE_FRAMES, PHASE_INDEX, PHASE_TRAILER, PHASE_END } Phase;

typedef struct {
    uint64_t seed;
    PfUnpacker *unpacker;
    PfDecoder *decoder;
    PfContentReader contents;
    GByteArray *index;    /* as it should be, of the frames so far */
    PfTotals totals;      /* of contents only: records are counted by who wants to know */
    PfFrameHeader header; /* of the frame being decoded */
    uint64_t offset;      /* of that frame */
    uint64_t index_offset;
    uint64_t index_checked; /* bytes of the index that the file has shown */
    Phase phase;
} Reader;

static bool fail_at(const PfTrace *trace, uint64_t offset, const char *problem, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "%s: at byte %" PRIu64 ": %s; --salvage reads what comes before",
                pf_input_name(trace->input), offset, problem);
    return false;
}

/* Of the header, without which nothing can be salvaged. */
static bool fail_header(const PfTrace *trace, uint64_t offset, const char *problem, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: at byte %" PRIu64 ": %s; make the trace anew",
                pf_input_name(trace->input), offset, problem);
    return false;
}

/* The next LENGTH bytes, which stay in the window; NULL after an error where there are fewer. */
static const uint8_t *look_ahead(PfTrace *trace, size_t length, GError **error)
{
    if (!pf_input_fill(trace->input, length, error))
        return NULL;
    size_t available;
    const uint8_t *bytes = pf_input_window(trace->input, &available);
    if (available >= length)
        return bytes;
    fail_at(trace, pf_input_offset(trace->input) + available, "the file is cut off here", error);
    return NULL;
}

static bool read_description(PfTrace *trace, const Reader *reader, uint32_t length, GError **error)
{
    uint64_t offset = pf_input_offset(trace->input);
    const uint8_t *bytes = look_ahead(trace, length + (size_t)PF_CHECKSUM_BYTES, error);
    if (bytes == NULL)
        return false;
    if (pf_get_u64(bytes + length) != pf_checksum(bytes, length, reader->seed))
        return fail_header(trace, offset, "the checksum of the description is wrong", error);
    trace->description = g_strndup((const char *)bytes, length);
    if (strlen(trace->description) != length ||
        !g_utf8_validate(trace->description, (gssize)length, NULL))
        return fail_header(trace, offset, "the description is not UTF-8", error);
    trace->header.description = trace->description;
    pf_input_consume(trace->input, length + (size_t)PF_CHECKSUM_BYTES);
    return true;
}

static bool read_header(PfTrace *trace, Reader *reader, GError **error)
{
    const uint8_t *bytes = look_ahead(trace, PF_FILE_HEADER_BYTES, error);
    if (bytes == NULL)
        return false;
    if (memcmp(bytes, pf_binary_magic, PF_BINARY_MAGIC_BYTES) != 0)
        return fail_header(trace, 0, "no trace of pagefold, or one that was copied as text", error);
    size_t checked = PF_FILE_HEADER_BYTES - PF_CHECKSUM_BYTES;
    reader->seed = pf_get_u64(bytes + checked);
    if (reader->seed != pf_checksum(bytes, checked, 0))
        return fail_header(trace, 0, "the checksum of the header is wrong", error);
    if (pf_get_u32(bytes + 8) != PF_BINARY_VERSION)
        return fail_header(trace, 8, "a version of the format that this program does not read",
                           error);
    uint32_t page_bytes = pf_get_u32(bytes + 12);
    uint32_t description_bytes = pf_get_u32(bytes + 24);
    if (!pf_is_power_of_two(page_bytes) || page_bytes < PF_TRACE_PAGE_BYTES_MIN ||
        page_bytes > PF_TRACE_PAGE_BYTES_MAX)
        return fail_header(trace, 12, "a page size that cannot be", error);
    if (description_bytes > PF_TRACE_DESCRIPTION_MAX || pf_get_u32(bytes + 28) != 0)
        return fail_header(trace, 24, "a description that is too long, or an unknown flag", error);
    trace->header.page_bytes = page_bytes;
    trace->header.clock_hz = pf_get_u64(bytes + 16);
    pf_input_consume(trace->input, PF_FILE_HEADER_BYTES);
    return read_description(trace, reader, description_bytes, error);
}

static void close_binary(PfTrace *trace)
{
    Reader *reader = trace->form;
    if (reader == NULL)
        return;
    pf_unpacker_free(reader->unpacker);
    pf_decoder_free(reader->decoder);
    pf_content_reader_clear(&reader->contents);
    g_byte_array_unref(reader->index);
    g_free(reader);
}

static bool open_binary(PfTrace *trace, GError **error)
{
    Reader *reader = g_new0(Reader, 1);
    trace->form = reader;
    reader->index = g_byte_array_new();
    reader->unpacker = pf_unpacker_new();
    if (!read_header(trace, reader, error))
        return false;
    trace->rules = pf_trace_rules_new(trace->header.page_bytes);
    reader->decoder = pf_decoder_new(trace->rules, trace->strings);
    pf_content_reader_init(&reader->contents, trace->header.page_bytes);
    return true;
}

/* Contents pile up until a record uses them; more than this nobody writes. */
static bool is_piled_up(const PfTrace *trace, const PfRecordBlock *block)
{
    return pf_record_block_bytes(block) > PF_CONTENTS_PENDING_MAX + trace->header.page_bytes ||
           block->contents->len > PF_CONTENTS_PENDING_MAX;
}

static bool take_contents(PfTrace *trace, Reader *reader, const uint8_t *payload,
                          PfRecordBlock *block, GError **error)
{
    const PfFrameHeader *header = &reader->header;
    guint before = block->contents->len;
    if (header->first != trace->rules->content_count)
        return fail_at(trace, reader->offset, "contents that are not the next", error);
    const char *problem =
        pf_content_reader_take(&reader->contents, payload, header->payload_bytes, block);
    if (problem != NULL)
        return fail_at(trace, reader->offset, problem, error);
    if (is_piled_up(trace, block))
        return fail_at(trace, reader->offset, "too many contents that no record uses", error);
    guint count = block->contents->len - before;
    if (count != header->count || trace->rules->content_count + count >= PF_TRACE_NO_CONTENT)
        return fail_at(trace, reader->offset, "another number of contents than is said", error);
    for (guint i = before; i < block->contents->len; i++)
        reader->totals.contents_by_form[g_array_index(block->contents, PfContentSpec, i).form]++;
    trace->rules->content_count += count;
    trace->frames++;
    pf_index_add(reader->index, header->kind,
                 PF_FRAME_HEADER_BYTES + (uint64_t)header->compressed_bytes, count, 0);
    return true;
}

static bool begin_records(PfTrace *trace, Reader *reader, const uint8_t *payload,
                          const PfRecordBlock *block, GError **error)
{
    const PfFrameHeader *header = &reader->header;
    if (reader->contents.part_length != 0)
        return fail_at(trace, reader->offset, "records before a content is complete", error);
    if (header->first != block->first_record)
        return fail_at(trace, reader->offset, "records that are not the next", error);
    g_autofree char *problem = pf_decoder_begin(reader->decoder, payload, header->payload_bytes,
                                                header->count, header->first);
    return problem == NULL || fail_at(trace, reader->offset, problem, error);
}

static bool check_index(PfTrace *trace, Reader *reader, const uint8_t *payload, GError **error)
{
    const PfFrameHeader *header = &reader->header;
    if (reader->phase == PHASE_FRAMES)
        reader->index_offset = reader->offset;
    reader->phase = PHASE_INDEX;
    uint64_t left = reader->index->len - reader->index_checked;
    if (header->first != reader->index_checked || header->count != 0 ||
        header->payload_bytes > left ||
        memcmp(reader->index->data + reader->index_checked, payload, header->payload_bytes) != 0)
        return fail_at(trace, reader->offset, "an index that is not that of the frames", error);
    reader->index_checked += header->payload_bytes;
    return true;
}

static bool check_totals(PfTrace *trace, Reader *reader, const uint8_t *payload, uint64_t records,
                         GError **error)
{
    const PfFrameHeader *header = &reader->header;
    if (reader->phase == PHASE_FRAMES)
        reader->index_offset = reader->offset;
    reader->phase = PHASE_TRAILER;
    PfTotals totals;
    if (header->payload_bytes != PF_TOTALS_BYTES || header->count != PF_RECORD_KINDS ||
        header->first != records)
        return fail_at(trace, reader->offset, "totals that are not those of the records", error);
    pf_totals_get(payload, &totals);
    uint64_t sum = 0;
    for (unsigned i = 0; i < PF_RECORD_KINDS; i++)
        sum += totals.records_by_kind[i];
    if (reader->index_checked != reader->index->len || reader->contents.part_length != 0 ||
        totals.contexts != trace->rules->contexts->len ||
        totals.strings != pf_strings_count(trace->strings) || sum != records ||
        memcmp(totals.contents_by_form, reader->totals.contents_by_form,
               sizeof(totals.contents_by_form)) != 0)
        return fail_at(trace, reader->offset, "totals that are not those of the frames", error);
    memcpy(trace->totals_by_kind, totals.records_by_kind, sizeof(trace->totals_by_kind));
    trace->has_totals = true;
    return true;
}

static bool check_trailer(PfTrace *trace, Reader *reader, uint64_t records, GError **error)
{
    uint64_t offset = pf_input_offset(trace->input);
    const uint8_t *bytes = look_ahead(trace, PF_TRAILER_BYTES, error);
    if (bytes == NULL)
        return false;
    size_t checked = PF_TRAILER_BYTES - PF_CHECKSUM_BYTES;
    if (pf_get_u64(bytes + checked) != pf_checksum(bytes, checked, reader->seed))
        return fail_at(trace, offset, "the checksum of the trailer is wrong", error);
    if (pf_get_u32(bytes) != PF_FRAME_TRAILER || pf_get_u32(bytes + 4) != 0 ||
        pf_get_u64(bytes + 8) != reader->index_offset || pf_get_u64(bytes + 16) != records)
        return fail_at(trace, offset, "a trailer that is not that of the frames", error);
    pf_input_consume(trace->input, PF_TRAILER_BYTES);
    if (!pf_input_fill(trace->input, 1, error))
        return false;
    size_t left;
    pf_input_window(trace->input, &left);
    if (left > 0)
        return fail_at(trace, offset + PF_TRAILER_BYTES, "bytes behind the end of the trace",
                       error);
    reader->phase = PHASE_END;
    trace->has_index = true;
    return true;
}

/* Whether a frame of the kind may come now. */
static bool is_expected(const Reader *reader, uint32_t kind)
{
    if (kind == PF_FRAME_CONTENTS || kind == PF_FRAME_RECORDS)
        return reader->phase == PHASE_FRAMES;
    return reader->phase == PHASE_FRAMES || reader->phase == PHASE_INDEX;
}

/* Reads the next frame; after a record frame the decoder has records. */
static bool read_frame(PfTrace *trace, Reader *reader, PfRecordBlock *block, GError **error)
{
    reader->offset = pf_input_offset(trace->input);
    const uint8_t *bytes = look_ahead(trace, PF_FRAME_HEADER_BYTES, error);
    if (bytes == NULL)
        return false;
    const char *problem = pf_frame_get_header(bytes, reader->seed, &reader->header);
    if (problem == NULL && !is_expected(reader, reader->header.kind))
        problem = "a frame of a kind that cannot come here";
    if (problem != NULL)
        return fail_at(trace, reader->offset, problem, error);
    size_t total = PF_FRAME_HEADER_BYTES + (size_t)reader->header.compressed_bytes;
    bytes = look_ahead(trace, total, error);
    if (bytes == NULL)
        return false;
    const uint8_t *payload = pf_unpacker_unpack(
        reader->unpacker, &reader->header, bytes + PF_FRAME_HEADER_BYTES, reader->seed, &problem);
    if (payload == NULL)
        return fail_at(trace, reader->offset, problem, error);
    pf_input_consume(trace->input, total);
    switch (reader->header.kind) {
    case PF_FRAME_CONTENTS:
        return take_contents(trace, reader, payload, block, error);
    case PF_FRAME_RECORDS:
        return begin_records(trace, reader, payload, block, error);
    case PF_FRAME_INDEX:
        return check_index(trace, reader, payload, error);
    default:
        return check_totals(trace, reader, payload, block->first_record, error);
    }
}

/* Decodes into BLOCK; at the end of the frame it enters the index. */
static bool decode_some(PfTrace *trace, Reader *reader, PfRecordBlock *block, GError **error)
{
    g_autofree char *problem = pf_decoder_fill(reader->decoder, block);
    if (problem != NULL) {
        g_autofree char *place =
            g_strdup_printf("record %" PRIu64 ": %s", block->first_record + block->count, problem);
        return fail_at(trace, reader->offset, place, error);
    }
    if (pf_decoder_left(reader->decoder) > 0)
        return true;
    uint64_t time_ps;
    bool has_time = pf_decoder_first_time(reader->decoder, &time_ps);
    trace->frames++;
    pf_index_add(reader->index, PF_FRAME_RECORDS,
                 PF_FRAME_HEADER_BYTES + (uint64_t)reader->header.compressed_bytes,
                 reader->header.count, has_time ? time_ps + 1 : 0);
    return true;
}

static PfTraceStatus read_binary(PfTrace *trace, PfRecordBlock *block, GError **error)
{
    Reader *reader = trace->form;
    while (pf_decoder_left(reader->decoder) == 0) {
        if (reader->phase == PHASE_END)
            return PF_TRACE_END;
        bool is_fine = reader->phase == PHASE_TRAILER
                           ? check_trailer(trace, reader, block->first_record, error)
                           : read_frame(trace, reader, block, error);
        if (!is_fine)
            return PF_TRACE_ERROR;
    }
    if (!decode_some(trace, reader, block, error))
        return PF_TRACE_ERROR;
    return PF_TRACE_RECORDS;
}

const PfTraceSource pf_trace_source_binary = {
    .open = open_binary,
    .read = read_binary,
    .close = close_binary,
};
