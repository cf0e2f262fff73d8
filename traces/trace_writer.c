#include <inttypes.h>

#include "binary_layout.h"
#include "error.h"
#include "trace_names.h"
#include "trace_sink.h"
#include "units.h"

static bool check_header(const PfTraceHeader *header, GError **error)
{
    const char *problem = NULL;
    if (!pf_is_power_of_two(header->page_bytes) || header->page_bytes < PF_TRACE_PAGE_BYTES_MIN ||
        header->page_bytes > PF_TRACE_PAGE_BYTES_MAX)
        problem = "its page size is no power of two from 4 bytes to 1 GiB";
    else if (header->description != NULL &&
             (strlen(header->description) > PF_TRACE_DESCRIPTION_MAX ||
              !g_utf8_validate(header->description, -1, NULL)))
        problem = "its description is longer than 1 MiB or not UTF-8";
    if (problem != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "a trace cannot be written: %s", problem);
    return problem == NULL;
}

PfTraceWriter *pf_trace_writer_new(const char *path, PfTraceForm form, const PfTraceHeader *header,
                                   GError **error)
{
    if (!check_header(header, error))
        return NULL;
    PfOutput *output = pf_output_open(path, error);
    if (output == NULL)
        return NULL;
    PfTraceWriter *writer = g_new0(PfTraceWriter, 1);
    writer->sink = form == PF_TRACE_BINARY ? &pf_trace_sink_binary : &pf_trace_sink_text;
    writer->output = output;
    writer->description = g_strdup(header->description != NULL ? header->description : "{}");
    writer->header = (PfTraceHeader){.page_bytes = header->page_bytes,
                                     .clock_hz = header->clock_hz,
                                     .description = writer->description,
                                     .is_binary = form == PF_TRACE_BINARY};
    writer->names = pf_strings_new();
    writer->rules = pf_trace_rules_new(header->page_bytes);
    writer->contents = pf_content_pool_new(writer->sink->keeps_contents);
    writer->form = writer->sink->open(writer);
    return writer;
}

void pf_trace_writer_free(PfTraceWriter *writer)
{
    if (writer == NULL)
        return;
    writer->sink->close(writer);
    pf_output_free(writer->output);
    pf_content_pool_free(writer->contents);
    pf_trace_rules_free(writer->rules);
    pf_strings_free(writer->names);
    g_clear_error(&writer->failure);
    g_free(writer->description);
    g_free(writer);
}

void pf_trace_writer_fail(PfTraceWriter *writer, const char *problem)
{
    if (writer->failure == NULL)
        g_set_error(&writer->failure, PF_ERROR, PF_ERROR_TRACE,
                    "record %" PRIu64 " cannot be written: %s", writer->records, problem);
}

uint32_t pf_trace_writer_content(PfTraceWriter *writer, const PfContentSpec *spec)
{
    g_assert(!writer->is_finished);
    const char *problem = pf_content_spec_problem(spec, writer->header.page_bytes);
    if (problem != NULL) {
        g_autofree char *message = g_strdup_printf("a content that %s", problem);
        pf_trace_writer_fail(writer, message);
        return 0;
    }
    PfContentSpec normal = pf_content_spec_normal(spec, writer->header.page_bytes);
    bool is_new;
    uint32_t number = pf_content_pool_add(writer->contents, &normal, &is_new);
    if (!is_new || writer->failure != NULL)
        return number;
    writer->rules->content_count++;
    writer->contents_by_form[normal.form]++;
    writer->sink->content(writer, &normal);
    return number;
}

/* The rules keep the name and the label of a new context. */
static void keep_names(PfTraceWriter *writer, PfTraceDetail *detail)
{
    if (detail->name != NULL)
        detail->name = pf_strings_intern(writer->names, detail->name, NULL);
    if (detail->text != NULL)
        detail->text = pf_strings_intern(writer->names, detail->text, NULL);
}

void pf_trace_writer_add(PfTraceWriter *writer, const PfRecord *record)
{
    g_assert(!writer->is_finished);
    if (writer->failure != NULL)
        return;
    PfRecord kept = *record;
    PfTraceDetail detail;
    if (record->kind == PF_RECORD_CONTEXT || record->kind == PF_RECORD_FORK) {
        detail = *record->detail;
        keep_names(writer, &detail);
        kept.detail = &detail;
    }
    g_autofree char *problem = pf_trace_rules_apply(writer->rules, &kept);
    if (problem != NULL) {
        pf_trace_writer_fail(writer, problem);
        return;
    }
    writer->sink->add(writer, &kept);
    writer->records++;
    writer->records_by_kind[record->kind]++;
}

void pf_trace_writer_hurry(PfTraceWriter *writer, PfHaste haste)
{
    if (writer->sink->hurry != NULL)
        writer->sink->hurry(writer, haste);
}

/* The record that WORDS begin. */
static PfRecord unpack(uint32_t context, const uint64_t *words)
{
    static const PfRecordKind kinds[PF_PACKED_KINDS] = {
        PF_RECORD_READ, PF_RECORD_WRITE, PF_RECORD_WRITE, PF_RECORD_FETCH, PF_RECORD_RUN};
    PfPackedKind kind = pf_packed_kind(words[0]);
    PfRecord record = {.kind = (uint8_t)kinds[kind],
                       .context = context,
                       .content = PF_TRACE_NO_CONTENT,
                       .count = pf_packed_address(words[0])};
    if (kind == PF_PACKED_RUN)
        return record;
    record.address = record.count;
    record.count = (uint64_t)1 << pf_packed_bytes_log(words[0]);
    if (kind == PF_PACKED_WRITE) {
        record.flags = PF_RECORD_HAS_VALUE;
        record.value = words[1] & pf_mask_bytes((unsigned)record.count);
    }
    return record;
}

static void add_unpacked(PfTraceWriter *writer, uint32_t context, const uint64_t *words,
                         size_t count, PfPackedCounts *counts)
{
    for (size_t i = 0; i < count; i += pf_packed_words(words[i])) {
        PfRecord record = unpack(context, words + i);
        pf_trace_writer_add(writer, &record);
        counts->records[pf_packed_kind(words[i])]++;
        counts->instructions += record.kind == PF_RECORD_RUN ? record.count : 0;
    }
}

void pf_trace_writer_add_packed(PfTraceWriter *writer, uint32_t context, const uint64_t *words,
                                size_t count, PfPackedCounts *counts)
{
    g_assert(!writer->is_finished);
    g_assert(writer->header.page_bytes >= 1U << PF_PACKED_FETCH_LOG_MAX);
    const PfTraceContext *known = pf_trace_rules_context(writer->rules, context);
    g_assert(known != NULL && !known->has_exited);
    if (writer->failure != NULL || count == 0)
        return;
    if (writer->sink->add_packed == NULL) {
        add_unpacked(writer, context, words, count, counts);
        return;
    }
    PfPackedCounts batch = {0};
    writer->sink->add_packed(writer, context, words, count, &batch);
    const uint64_t *records = batch.records;
    writer->records_by_kind[PF_RECORD_READ] += records[PF_PACKED_READ];
    writer->records_by_kind[PF_RECORD_WRITE] +=
        records[PF_PACKED_WRITE] + records[PF_PACKED_WRITE_UNKNOWN];
    writer->records_by_kind[PF_RECORD_FETCH] += records[PF_PACKED_FETCH];
    writer->records_by_kind[PF_RECORD_RUN] += records[PF_PACKED_RUN];
    counts->instructions += batch.instructions;
    for (unsigned i = 0; i < PF_PACKED_KINDS; i++) {
        writer->records += records[i];
        counts->records[i] += records[i];
    }
}

bool pf_trace_writer_finish(PfTraceWriter *writer, GError **error)
{
    g_assert(!writer->is_finished);
    writer->is_finished = true;
    if (writer->failure == NULL)
        writer->sink->finish(writer);
    if (writer->failure != NULL) {
        g_propagate_error(error, g_error_copy(writer->failure));
        return false;
    }
    return pf_output_finish(writer->output, error);
}
