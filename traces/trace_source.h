/* Inside of a PfTrace: what the forms of traces share and what each form does. */
#pragma once

#include "trace.h"
#include "trace_input.h"
#include "trace_rules.h"
#include "trace_strings.h"

/* One form of trace. */
typedef struct {
    /* Reads the header into `trace->header` and sets `trace->form`. */
    bool (*open)(PfTrace *trace, GError **error);
    /* Appends records to the empty BLOCK: at least one with PF_TRACE_RECORDS, possibly some with
     * the others. Not called again after PF_TRACE_END or PF_TRACE_ERROR. */
    PfTraceStatus (*read)(PfTrace *trace, PfRecordBlock *block, GError **error);
    void (*close)(PfTrace *trace);
    /* The share of it that is read; NULL: as its input tells. */
    double (*progress)(const PfTrace *trace);
} PfTraceSource;

extern const PfTraceSource pf_trace_source_text;
extern const PfTraceSource pf_trace_source_binary;

struct PfTrace {
    const PfTraceSource *source;
    void *form; /* the form's own */
    PfInput *input;
    PfTraceHeader header;
    char *description;
    PfStrings *strings;  /* all names and labels, for as long as the trace lives */
    PfTraceRules *rules; /* made by the form, when the page size is known; NULL on a tape */
    bool salvages;
    bool has_ended;
    GError *failure; /* told again by each read */
    char *damage;
    uint64_t records; /* handed out */
    uint64_t frames;
    bool has_index;
    bool has_totals; /* binary: what its end says */
    uint64_t totals_by_kind[PF_RECORD_KINDS];
};

/* Whether INPUT, of which nothing was consumed, begins as traces do. */
bool pf_trace_looks(PfInput *input);

/* As pf_trace_open, of INPUT, which is taken over, whatever the outcome. */
PfTrace *pf_trace_open_input(PfInput *input, const PfTraceOptions *options, GError **error);

/* As pf_trace_open, of LENGTH bytes in memory (borrowed) that messages call NAME. */
PfTrace *pf_trace_open_bytes(const char *name, const void *bytes, size_t length,
                             const PfTraceOptions *options, GError **error);
