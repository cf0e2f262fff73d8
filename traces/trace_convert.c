/* What is done with whole traces: converting and counting. */
#include <inttypes.h>

#include "error.h"
#include "trace_copy.h"
#include "trace_names.h"
#include "trace_source.h"

void pf_trace_copy_contents(PfTraceWriter *writer, const PfRecordBlock *block, uint32_t end,
                            GArray *numbers)
{
    while (numbers->len < end) {
        uint32_t index = numbers->len - block->first_content;
        uint32_t number =
            pf_trace_writer_content(writer, &g_array_index(block->contents, PfContentSpec, index));
        g_array_append_val(numbers, number);
    }
}

void pf_trace_copy_content_of(PfTraceWriter *writer, const PfRecordBlock *block, PfRecord *record,
                              GArray *numbers)
{
    if (record->content == PF_TRACE_NO_CONTENT)
        return;
    pf_trace_copy_contents(writer, block, record->content + 1, numbers);
    record->content = g_array_index(numbers, uint32_t, record->content);
}

void pf_trace_copy_rest(PfTraceWriter *writer, const PfRecordBlock *block, GArray *numbers)
{
    pf_trace_copy_contents(writer, block, block->first_content + block->contents->len, numbers);
}

static void convert_block(PfTraceWriter *writer, const PfRecordBlock *block, GArray *numbers)
{
    for (uint32_t i = 0; i < block->count; i++) {
        PfRecord record = block->records[i];
        pf_trace_copy_content_of(writer, block, &record, numbers);
        pf_trace_writer_add(writer, &record);
    }
    pf_trace_copy_rest(writer, block, numbers);
}

bool pf_trace_convert(const char *in, const char *out, PfTraceForm form, bool salvage,
                      const int *interrupted, GError **error)
{
    PfTraceOptions options = {.salvage = salvage};
    g_autoptr(PfTrace) trace = pf_trace_open(in, &options, error);
    if (trace == NULL)
        return false;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(out, form, pf_trace_header(trace), error);
    if (writer == NULL)
        return false;
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (;;) {
        PfTraceStatus status = pf_trace_read(trace, block, error);
        if (status == PF_TRACE_ERROR)
            return false;
        if (status == PF_TRACE_END)
            return pf_trace_writer_finish(writer, error);
        if (interrupted != NULL && __atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted; %s is not written",
                        out);
            return false;
        }
        convert_block(writer, block, numbers);
    }
}

static void count_access(PfTraceSummary *summary, const PfRecord *record)
{
    summary->accesses++;
    if (record->kind == PF_RECORD_READ)
        summary->read_bytes += record->count;
    else if (record->kind == PF_RECORD_WRITE)
        summary->written_bytes += record->count;
    else
        summary->fetched_bytes += record->count;
    summary->valued_writes += (record->flags & PF_RECORD_HAS_VALUE) != 0;
    summary->virtual_accesses += (record->flags & PF_RECORD_HAS_VIRTUAL) != 0;
    summary->dependent_reads += (record->flags & PF_RECORD_DEPENDENT) != 0;
}

static void count_record(PfTraceSummary *summary, const PfRecord *record)
{
    summary->records++;
    summary->records_by_kind[record->kind]++;
    const PfRecordTraits *traits = pf_record_traits(record->kind);
    if (record->kind == PF_RECORD_GRAIN)
        summary->grain = (PfGrain)record->count;
    else if (traits->has_context && summary->grain == PF_GRAIN_PAGE)
        summary->has_page_grain = true;
    else if (traits->has_context)
        summary->has_access_grain = true;
    if (traits->is_access)
        count_access(summary, record);
    else if (record->kind == PF_RECORD_RUN)
        summary->instructions += record->count;
    else if (record->kind == PF_RECORD_MARK)
        summary->marks++;
    if (record->kind != PF_RECORD_TIME)
        return;
    summary->has_time = true;
    summary->last_time_ps = record->count;
}

static void count_contents(PfTraceSummary *summary, const PfRecordBlock *block)
{
    for (guint i = 0; i < block->contents->len; i++) {
        const PfContentSpec *spec = &g_array_index(block->contents, PfContentSpec, i);
        summary->contents++;
        summary->contents_by_form[spec->form]++;
        summary->content_bytes += spec->length;
    }
}

static bool check_totals(const PfTrace *trace, const PfTraceSummary *summary, GError **error)
{
    for (unsigned kind = 0; trace->has_totals && kind < PF_RECORD_KINDS; kind++) {
        if (trace->totals_by_kind[kind] == summary->records_by_kind[kind])
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s: its totals say %" PRIu64 " records of kind %s, it has %" PRIu64
                    "; make the trace anew",
                    pf_input_name(trace->input), trace->totals_by_kind[kind],
                    pf_record_kind_name(kind), summary->records_by_kind[kind]);
        return false;
    }
    return true;
}

void pf_trace_summary_add(PfTraceSummary *summary, const PfRecordBlock *block)
{
    count_contents(summary, block);
    for (uint32_t i = 0; i < block->count; i++)
        count_record(summary, &block->records[i]);
}

bool pf_trace_summary_finish(const PfTrace *trace, PfTraceSummary *summary, GError **error)
{
    summary->contexts = trace->rules->contexts->len;
    summary->frames = trace->frames;
    summary->file_bytes = pf_input_offset(trace->input);
    summary->has_index = trace->has_index;
    return check_totals(trace, summary, error);
}

bool pf_trace_summarise(PfTrace *trace, PfTraceSummary *ret_summary, GError **error)
{
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceSummary summary = {.records = 0};
    PfTraceStatus status;
    while ((status = pf_trace_read(trace, block, error)) == PF_TRACE_RECORDS)
        pf_trace_summary_add(&summary, block);
    if (status == PF_TRACE_ERROR || !pf_trace_summary_finish(trace, &summary, error))
        return false;
    *ret_summary = summary;
    return true;
}

bool pf_trace_verify(const char *path, PfTraceSummary *ret_summary, GError **error)
{
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, error);
    PfTraceSummary summary;
    if (trace == NULL || !pf_trace_summarise(trace, &summary, error))
        return false;
    if (ret_summary != NULL)
        *ret_summary = summary;
    return true;
}
