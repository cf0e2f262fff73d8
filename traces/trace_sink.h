/* Inside of a PfTraceWriter: what each form of trace does with records. */
#pragma once

#include "trace.h"
#include "trace_content.h"
#include "trace_output.h"
#include "trace_packed.h"
#include "trace_rules.h"
#include "trace_strings.h"

/* One form of trace. */
typedef struct {
    bool keeps_contents; /* contents can be asked for again */
    /* Writes the header. */
    void *(*open)(PfTraceWriter *writer);
    /* A content with the next number. */
    void (*content)(PfTraceWriter *writer, const PfContentSpec *spec);
    /* A record that obeys the rules. */
    void (*add)(PfTraceWriter *writer, const PfRecord *record);
    /* COUNT packed words within their limits. NULL: they come as records. */
    void (*add_packed)(PfTraceWriter *writer, uint32_t context, const uint64_t *words, size_t count,
                       PfPackedCounts *counts);
    /* As pf_trace_writer_hurry; may be NULL. */
    void (*hurry)(PfTraceWriter *writer, PfHaste haste);
    void (*finish)(PfTraceWriter *writer);
    void (*close)(PfTraceWriter *writer);
} PfTraceSink;

extern const PfTraceSink pf_trace_sink_text;
extern const PfTraceSink pf_trace_sink_binary;

struct PfTraceWriter {
    const PfTraceSink *sink;
    void *form; /* the form's own */
    PfOutput *output;
    PfTraceHeader header;
    char *description;
    PfStrings *names; /* of contexts, for the rules */
    PfTraceRules *rules;
    PfContentPool *contents;
    uint64_t records;
    uint64_t records_by_kind[PF_RECORD_KINDS];
    uint64_t contents_by_form[PF_CONTENT_FORMS];
    GError *failure; /* the first; nothing is written after it */
    bool is_finished;
};

/* Sets the failure, with the number of the record being written. */
void pf_trace_writer_fail(PfTraceWriter *writer, const char *problem);
