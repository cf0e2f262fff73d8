/* What a trace says, as lines of text that do not depend on its form: one a record, with all its
 * members and the bytes of its content. Helpers of the tests of traces. */
#pragma once

#include "trace.h"

/* Appends a line for each record of TRACE, to its end or to the first error. */
PfTraceStatus dump_trace(PfTrace *trace, GPtrArray *lines, GError **error);

/* The lines of LENGTH bytes of a trace that messages call "t.trace". RET_STATUS and ERROR may be
 * NULL. A trace that does not open has PF_TRACE_ERROR and no line. Free with g_ptr_array_unref. */
GPtrArray *dump_bytes(const void *bytes, size_t length, bool salvage, PfTraceStatus *ret_status,
                      GError **error);

/* Whether A is a beginning of B, or all of it. */
bool dump_is_prefix(const GPtrArray *a, const GPtrArray *b);
bool dump_is_equal(const GPtrArray *a, const GPtrArray *b);

/* Writes the trace in BYTES to a file of FORM in a temporary folder and reads that. */
GBytes *convert_bytes(const void *bytes, size_t length, PfTraceForm form);

/* A text trace with every event in several shapes, spans and grains included. */
extern const char dump_sample[];
