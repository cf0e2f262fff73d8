/* A trace that is decoded once and then read many times, at the same time too. */
#pragma once

#include "trace.h"

/* Decodes the trace at PATH. NULL without an error if its records take more than BYTES_MAX; NULL
 * with PF_ERROR_TRACE where it is damaged. */
PfTraceTape *pf_trace_tape_new(const char *path, uint64_t bytes_max, GError **error);
void pf_trace_tape_free(PfTraceTape *tape);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfTraceTape, pf_trace_tape_free)

/* What its records take. */
uint64_t pf_trace_tape_bytes(const PfTraceTape *tape);

/* The trace from its start, for a reader of its own; TAPE must outlive it. A tape does not change,
 * so several threads may read one. */
PfTrace *pf_trace_open_tape(const PfTraceTape *tape);
