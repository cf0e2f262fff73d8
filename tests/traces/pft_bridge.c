#include "pft_bridge.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "trace_names.h"

PftRecord bridge_to_pft(const PfRecord *record)
{
    PftRecord told = {.kind = (PftKind)record->kind,
                      .flags = record->flags,
                      .choice = record->choice,
                      .context = record->context,
                      .content = record->content,
                      .address = record->address,
                      .count = record->count,
                      .virtual_address = record->virtual_address};
    if (record->kind == PF_RECORD_WRITE && record->count > 8) {
        told.bytes = record->bytes;
    } else if (!pf_record_has_detail(record->kind)) {
        told.value = record->value;
    } else {
        const PfTraceDetail *detail = record->detail;
        told.name = detail->name;
        told.text = detail->text;
        told.user = detail->user;
        told.number = detail->number;
        told.other_address = detail->other_address;
        told.other_context = detail->other_context;
        told.node_plus_one = (uint32_t)(detail->node + 1);
        told.core_plus_one = (uint32_t)(detail->core + 1);
        told.huge_bytes = detail->huge_bytes;
        told.group = detail->group;
        told.backing = (PftBacking)detail->backing;
        told.protection = (PftProtection)detail->protection;
        told.mergeable = detail->mergeable;
        if (record->kind == PF_RECORD_CONTEXT)
            told.choice = detail->context_kind;
    }
    return told;
}

PfRecord bridge_from_pft(const PftRecord *record, PfTraceDetail *ret_detail)
{
    const PfRecordTraits *traits = pf_record_traits((PfRecordKind)record->kind);
    PfRecord told = {.kind = (uint8_t)record->kind,
                     .flags = (uint8_t)record->flags,
                     .context = record->context,
                     .content = traits->has_content ? record->content : PF_TRACE_NO_CONTENT,
                     .address = record->address,
                     .count = record->count,
                     .virtual_address = record->virtual_address,
                     .value = record->value};
    if (record->kind == PFT_ADVISE || record->kind == PFT_ATTR)
        told.choice = (uint8_t)record->choice;
    if (record->kind == PFT_WRITE && record->count > 8)
        told.bytes = record->bytes;
    if (!traits->has_detail)
        return told;
    *ret_detail = (PfTraceDetail){.name = record->name,
                                  .text = record->text,
                                  .user = record->user,
                                  .number = record->number,
                                  .other_address = record->other_address,
                                  .other_context = record->other_context,
                                  .node = (int32_t)record->node_plus_one - 1,
                                  .core = (int32_t)record->core_plus_one - 1,
                                  .huge_bytes = record->huge_bytes,
                                  .group = record->group,
                                  .context_kind = (PfContextKind)record->choice,
                                  .backing = (PfBacking)record->backing,
                                  .protection = (PfProtection)record->protection,
                                  .mergeable = record->mergeable};
    told.detail = ret_detail;
    return told;
}

static void tell_block(const PfRecordBlock *block, PftWriter *writer, PfTraceWriter *other)
{
    for (guint i = 0; i < block->contents->len; i++) {
        const PfContentSpec *spec = &g_array_index(block->contents, PfContentSpec, i);
        PftContent content = {.form = (PftForm)spec->form,
                              .at = spec->at,
                              .with = spec->with,
                              .number = spec->number,
                              .bytes = spec->bytes,
                              .length = spec->length};
        if (writer != NULL)
            CU_ASSERT_EQUAL(pft_content(writer, &content), block->first_content + i);
        if (other != NULL)
            CU_ASSERT_EQUAL(pf_trace_writer_content(other, spec), block->first_content + i);
    }
    for (uint32_t i = 0; i < block->count; i++) {
        PftRecord record = bridge_to_pft(&block->records[i]);
        if (writer != NULL && !pft_add(writer, &record))
            printf("# %s\n", pft_error(writer));
        if (other != NULL)
            pf_trace_writer_add(other, &block->records[i]);
    }
}

void bridge_tell(const char *in, PftWriter *writer, PfTraceWriter *other)
{
    g_autoptr(PfTrace) trace = pf_trace_open(in, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status;
    while ((status = pf_trace_read(trace, block, NULL)) == PF_TRACE_RECORDS)
        tell_block(block, writer, other);
    CU_ASSERT_EQUAL(status, PF_TRACE_END);
}

/* The header of the trace at IN; its description lives as long as RET_TRACE. */
static PftHeader header_of(const char *in, PfTrace **ret_trace)
{
    *ret_trace = pf_trace_open(in, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*ret_trace);
    const PfTraceHeader *header = pf_trace_header(*ret_trace);
    return (PftHeader){.page_bytes = header->page_bytes,
                       .clock_hz = header->clock_hz,
                       .description = header->description};
}

void bridge_write(const char *in, const char *out)
{
    g_autoptr(PfTrace) trace = NULL;
    PftHeader header = header_of(in, &trace);
    PftWriter *writer = pft_writer_new(out, &header);
    bridge_tell(in, writer, NULL);
    CU_ASSERT_TRUE(pft_finish(writer));
    if (pft_error(writer) != NULL)
        printf("# %s\n", pft_error(writer));
    pft_writer_free(writer);
}

static void take_record(PfTraceWriter *writer, const PftRecord *record)
{
    if (record->kind != PFT_CONTENT) {
        PfTraceDetail detail;
        PfRecord told = bridge_from_pft(record, &detail);
        pf_trace_writer_add(writer, &told);
        return;
    }
    const PftContent *given = record->given;
    PfContentSpec spec = {.form = (PfContentForm)given->form,
                          .at = given->at,
                          .with = given->with,
                          .number = given->number,
                          .bytes = given->bytes,
                          .length = given->length};
    CU_ASSERT_EQUAL(pf_trace_writer_content(writer, &spec), record->content);
}

void bridge_read(const char *in, const char *out)
{
    PftReader *reader = pft_reader_new(in);
    CU_ASSERT_PTR_NULL_FATAL(pft_reader_error(reader));
    const PftHeader *header = pft_header(reader);
    PfTraceHeader told = {.page_bytes = header->page_bytes,
                          .clock_hz = header->clock_hz,
                          .description = header->description};
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(out, PF_TRACE_BINARY, &told, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    PftRecord record;
    while (pft_next(reader, &record))
        take_record(writer, &record);
    if (pft_reader_error(reader) != NULL)
        printf("# %s\n", pft_reader_error(reader));
    CU_ASSERT_PTR_NULL(pft_reader_error(reader));
    pft_reader_free(reader);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_TRUE(pf_trace_writer_finish(writer, &error));
    if (error != NULL)
        printf("# %s\n", error->message);
}
