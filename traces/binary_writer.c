/* Writing the binary form. */
#include "binary_contents.h"
#include "binary_encode.h"
#include "binary_frame.h"
#include "binary_press.h"
#include "trace_sink.h"

/* Contents and records collect side by side; a flush writes the contents, then the records that may
 * use them. */
typedef struct {
    uint64_t seed;
    PfPress *press;
    PfEncoder *encoder;
    GByteArray *contents;         /* payload begun */
    uint32_t contents_ended;      /* contents whose last byte is in it */
    uint64_t contents_first;      /* the number of the first of these */
    uint64_t contents_idle_bytes; /* of payloads since the last record frame */
    uint64_t records_first;
    bool has_time;
    uint64_t time_ps; /* the first `time` of the records begun */
} Sink;

static void put_file_header(PfTraceWriter *writer, Sink *sink)
{
    uint8_t bytes[PF_FILE_HEADER_BYTES] = {0};
    size_t checked = PF_FILE_HEADER_BYTES - PF_CHECKSUM_BYTES;
    size_t description_bytes = strlen(writer->description);
    memcpy(bytes, pf_binary_magic, PF_BINARY_MAGIC_BYTES);
    pf_put_u32(bytes + 8, PF_BINARY_VERSION);
    pf_put_u32(bytes + 12, writer->header.page_bytes);
    pf_put_u64(bytes + 16, writer->header.clock_hz);
    pf_put_u32(bytes + 24, (uint32_t)description_bytes);
    sink->seed = pf_checksum(bytes, checked, 0);
    pf_put_u64(bytes + checked, sink->seed);
    pf_output_write(writer->output, bytes, sizeof(bytes));
    pf_output_write(writer->output, writer->description, description_bytes);
    uint8_t checksum[PF_CHECKSUM_BYTES];
    pf_put_u64(checksum, pf_checksum(writer->description, description_bytes, sink->seed));
    pf_output_write(writer->output, checksum, sizeof(checksum));
}

static void *open_sink(PfTraceWriter *writer)
{
    Sink *sink = g_new0(Sink, 1);
    sink->encoder = pf_encoder_new(writer->rules);
    sink->contents = g_byte_array_new();
    put_file_header(writer, sink);
    sink->press = pf_press_new(writer->output, sink->seed);
    return sink;
}

static void put_frame(Sink *sink, const PfFrameHeader *header, const uint8_t *payload,
                      size_t length)
{
    memcpy(pf_press_room(sink->press), payload, length);
    pf_press_add(sink->press, header, length, 0);
}

static void flush_contents(Sink *sink)
{
    if (sink->contents->len == 0)
        return;
    PfFrameHeader header = {
        .kind = PF_FRAME_CONTENTS, .count = sink->contents_ended, .first = sink->contents_first};
    put_frame(sink, &header, sink->contents->data, sink->contents->len);
    sink->contents_first += sink->contents_ended;
    sink->contents_ended = 0;
    sink->contents_idle_bytes += sink->contents->len;
    g_byte_array_set_size(sink->contents, 0);
}

static void flush_records(Sink *sink)
{
    uint32_t count = pf_encoder_count(sink->encoder);
    if (count == 0)
        return;
    PfFrameHeader header = {.kind = PF_FRAME_RECORDS, .count = count, .first = sink->records_first};
    size_t length = pf_encoder_take(sink->encoder, pf_press_room(sink->press));
    pf_press_add(sink->press, &header, length, sink->has_time ? sink->time_ps + 1 : 0);
    sink->records_first += count;
    sink->has_time = false;
    sink->contents_idle_bytes = 0;
}

/* BYTES go into as many frames as they need. */
static void add_content_bytes(Sink *sink, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        if (sink->contents->len == PF_FRAME_PAYLOAD_MAX)
            flush_contents(sink);
        size_t part = MIN(length, (size_t)PF_FRAME_PAYLOAD_MAX - sink->contents->len);
        g_byte_array_append(sink->contents, bytes, (guint)part);
        bytes += part;
        length -= part;
    }
}

static void add_content(PfTraceWriter *writer, const PfContentSpec *spec)
{
    Sink *sink = writer->form;
    size_t wanted = PF_CONTENT_ITEM_BYTES_MAX + (size_t)spec->length;
    if (sink->contents->len > 0 && sink->contents->len + wanted > PF_FRAME_PAYLOAD_MAX) {
        flush_contents(sink);
        flush_records(sink);
    }
    if (sink->contents_idle_bytes > PF_CONTENTS_PENDING_MAX / 2)
        pf_trace_writer_fail(writer, "too many contents that no record uses");
    pf_content_put(sink->contents, spec);
    add_content_bytes(sink, spec->bytes, spec->length);
    sink->contents_ended++;
}

static void add_record(PfTraceWriter *writer, const PfRecord *record)
{
    Sink *sink = writer->form;
    if (!pf_encoder_has_room(sink->encoder, record)) {
        flush_contents(sink);
        flush_records(sink);
    }
    const char *problem = pf_encoder_add(sink->encoder, record);
    if (problem != NULL)
        pf_trace_writer_fail(writer, problem);
    if (record->kind == PF_RECORD_TIME && !sink->has_time) {
        sink->has_time = true;
        sink->time_ps = record->count;
    }
}

static void add_packed(PfTraceWriter *writer, uint32_t context, const uint64_t *words, size_t count,
                       PfPackedCounts *counts)
{
    Sink *sink = writer->form;
    size_t taken = 0;
    while (taken < count) {
        size_t step =
            pf_encoder_add_packed(sink->encoder, context, words + taken, count - taken, counts);
        taken += step;
        if (step == 0) {
            flush_contents(sink);
            flush_records(sink);
        }
    }
}

static void put_index(Sink *sink, const GByteArray *index)
{
    for (guint at = 0; at < index->len;) {
        size_t length = MIN(index->len - at, (guint)PF_FRAME_PAYLOAD_MAX);
        PfFrameHeader header = {.kind = PF_FRAME_INDEX, .first = at};
        put_frame(sink, &header, index->data + at, length);
        pf_press_drain(sink->press);
        at += (guint)length;
    }
}

static void finish_sink(PfTraceWriter *writer)
{
    Sink *sink = writer->form;
    flush_contents(sink);
    flush_records(sink);
    const GByteArray *index = pf_press_drain(sink->press);
    uint64_t index_offset = pf_output_offset(writer->output);
    put_index(sink, index);
    PfTotals totals = {.contexts = writer->rules->contexts->len,
                       .strings = pf_encoder_strings(sink->encoder)};
    memcpy(totals.contents_by_form, writer->contents_by_form, sizeof(totals.contents_by_form));
    memcpy(totals.records_by_kind, writer->records_by_kind, sizeof(totals.records_by_kind));
    uint8_t payload[PF_TOTALS_BYTES];
    pf_totals_put(payload, &totals);
    PfFrameHeader header = {
        .kind = PF_FRAME_TOTALS, .count = PF_RECORD_KINDS, .first = writer->records};
    put_frame(sink, &header, payload, sizeof(payload));
    pf_press_drain(sink->press);
    uint8_t trailer[PF_TRAILER_BYTES] = {0};
    size_t checked = PF_TRAILER_BYTES - PF_CHECKSUM_BYTES;
    pf_put_u32(trailer, PF_FRAME_TRAILER);
    pf_put_u64(trailer + 8, index_offset);
    pf_put_u64(trailer + 16, writer->records);
    pf_put_u64(trailer + checked, pf_checksum(trailer, checked, sink->seed));
    pf_output_write(writer->output, trailer, sizeof(trailer));
}

static void close_sink(PfTraceWriter *writer)
{
    Sink *sink = writer->form;
    pf_press_free(sink->press);
    pf_encoder_free(sink->encoder);
    g_byte_array_unref(sink->contents);
    g_free(sink);
}

static void hurry(PfTraceWriter *writer, PfHaste haste)
{
    Sink *sink = writer->form;
    pf_press_hurry(sink->press, haste);
}

const PfTraceSink pf_trace_sink_binary = {
    .keeps_contents = false,
    .open = open_sink,
    .content = add_content,
    .add = add_record,
    .add_packed = add_packed,
    .hurry = hurry,
    .finish = finish_sink,
    .close = close_sink,
};
