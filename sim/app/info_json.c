/* `trace info --format json`. */
#include "info.h"
#include "json.h"
#include "trace_names.h"

static void tell_records(PfJson *json, const PfTraceSummary *summary)
{
    pf_json_uint(json, "records", summary->records);
    pf_json_open(json, "records_by_kind", '{');
    for (unsigned kind = 0; kind < PF_RECORD_KINDS; kind++)
        if (summary->records_by_kind[kind] != 0)
            pf_json_uint(json, pf_record_kind_name((PfRecordKind)kind),
                         summary->records_by_kind[kind]);
    pf_json_close(json, '}');
    pf_json_uint(json, "contents", summary->contents);
    pf_json_open(json, "contents_by_form", '{');
    for (unsigned form = 0; form < PF_CONTENT_FORMS; form++)
        pf_json_uint(json, pf_info_form_names[form], summary->contents_by_form[form]);
    pf_json_close(json, '}');
}

static void tell_detail(PfJson *json, const PfTraceSummary *summary)
{
    pf_json_open(json, "detail", '{');
    pf_json_uint(json, "accesses", summary->accesses);
    pf_json_uint(json, "read_bytes", summary->read_bytes);
    pf_json_uint(json, "written_bytes", summary->written_bytes);
    pf_json_uint(json, "fetched_bytes", summary->fetched_bytes);
    pf_json_uint(json, "valued_writes", summary->valued_writes);
    pf_json_uint(json, "virtual_accesses", summary->virtual_accesses);
    pf_json_uint(json, "dependent_reads", summary->dependent_reads);
    pf_json_uint(json, "instructions", summary->instructions);
    pf_json_bool(json, "time", summary->has_time);
    pf_json_uint(json, "last_time_ps", summary->last_time_ps);
    pf_json_close(json, '}');
}

static void tell_kinds(PfJson *json, const char *key, const uint64_t *pages)
{
    pf_json_open(json, key, '{');
    pf_json_uint(json, "anon", pages[PF_BACKING_ANON]);
    pf_json_uint(json, "file", pages[PF_BACKING_FILE]);
    pf_json_uint(json, "shmem", pages[PF_BACKING_SHMEM]);
    pf_json_close(json, '}');
}

static void tell_contexts(PfJson *json, const PfTally *tally)
{
    pf_json_open(json, "contexts", '[');
    for (uint32_t i = 0; i < pf_tally_context_count(tally); i++) {
        const PfTallyContext *context = pf_tally_context(tally, i);
        pf_json_open(json, NULL, '{');
        pf_json_string(json, "name", context->name);
        pf_json_string(json, "kind", pf_context_kind_names[context->kind]);
        pf_json_bool(json, "exited", context->has_exited);
        tell_kinds(json, "mapped_pages", context->mapped_pages);
        tell_kinds(json, "populated_pages", context->populated_pages);
        pf_json_uint(json, "zero_pages", context->zero_pages);
        pf_json_uint(json, "unknown_pages", context->unknown_pages);
        pf_json_uint(json, "mergeable_pages", context->mergeable_pages);
        pf_json_close(json, '}');
    }
    pf_json_close(json, ']');
}

static void tell_epochs(PfJson *json, const PfTally *tally)
{
    pf_json_open(json, "epochs", '[');
    for (uint32_t i = 0; i < pf_tally_epoch_count(tally); i++) {
        const PfTallyEpoch *epoch = pf_tally_epoch(tally, i);
        pf_json_open(json, NULL, '{');
        pf_json_string(json, "mark", epoch->label);
        pf_json_uint(json, "records", epoch->records);
        pf_json_uint(json, "time_ps", epoch->time_ps);
        pf_json_uint(json, "populated_pages", epoch->populated_pages);
        pf_json_uint(json, "distinct_contents", epoch->distinct_contents);
        pf_json_uint(json, "new_pages", epoch->new_pages);
        pf_json_uint(json, "changed_pages", epoch->changed_pages);
        pf_json_close(json, '}');
    }
    pf_json_close(json, ']');
    pf_json_uint(json, "marks_left_out", pf_tally_marks_left_out(tally));
}

/* Contents by the number of pages that have them. */
static void tell_multiples(PfJson *json, const PfTally *tally)
{
    pf_json_open(json, "multiplicity", '{');
    for (uint32_t i = 0; i < pf_tally_multiple_count(tally); i++) {
        const PfTallyMultiple *multiple = pf_tally_multiple(tally, i);
        g_autofree char *pages = g_strdup_printf("%" G_GUINT64_FORMAT, multiple->pages);
        pf_json_uint(json, pages, multiple->contents);
    }
    pf_json_close(json, '}');
    const PfTallyEpoch *told = pf_tally_told_epoch(tally);
    pf_json_string(json, "multiplicity_at_mark", told != NULL ? told->label : NULL);
}

void pf_info_json(GString *out, const PfTrace *trace, const PfTraceSummary *summary,
                  const PfTally *tally)
{
    PfJson json;
    const PfTraceHeader *header = pf_trace_header(trace);
    pf_json_init(&json, out);
    pf_json_open(&json, NULL, '{');
    pf_json_string(&json, "form", header->is_binary ? "binary" : "text");
    pf_json_bool(&json, "complete", pf_trace_damage(trace) == NULL);
    pf_json_uint(&json, "page_bytes", header->page_bytes);
    pf_json_uint(&json, "clock_hz", header->clock_hz);
    pf_json_string(&json, "grain", pf_info_grain(summary));
    pf_json_string(&json, "description", header->description);
    pf_json_uint(&json, "size_bytes", summary->file_bytes);
    tell_records(&json, summary);
    tell_detail(&json, summary);
    pf_json_string(&json, "memory_problem", pf_tally_problem(tally));
    if (pf_tally_problem(tally) == NULL) {
        tell_contexts(&json, tally);
        tell_multiples(&json, tally);
        tell_epochs(&json, tally);
    }
    pf_json_close(&json, '}');
}
