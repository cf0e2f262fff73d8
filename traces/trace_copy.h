/* Records of one trace on their way into another: the numbers of contents are the writer's. */
#pragma once

#include "trace.h"

/* Gives WRITER the contents of BLOCK below number END that it does not have yet; NUMBERS (of
 * uint32_t) are the writer's by the reader's. Each content should go shortly before the first
 * record that uses it, so that frames hold both. */
void pf_trace_copy_contents(PfTraceWriter *writer, const PfRecordBlock *block, uint32_t end,
                            GArray *numbers);

/* Sets the content of RECORD, a copy of one of BLOCK, to the writer's. */
void pf_trace_copy_content_of(PfTraceWriter *writer, const PfRecordBlock *block, PfRecord *record,
                              GArray *numbers);

/* All records of BLOCK have gone: its other contents go, too. */
void pf_trace_copy_rest(PfTraceWriter *writer, const PfRecordBlock *block, GArray *numbers);
