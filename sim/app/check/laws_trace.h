/* Random traces that run: every kind of record, a small alphabet of contents, pages and contexts so
 * that they meet, and with them what a naive model says of memory at each mark. */
#pragma once

#include "naive_memory.h"
#include "naive_potential.h"

/* What must be so at a mark, for every policy or for `none` and `oracle`. */
typedef struct {
    uint64_t populated_pages;
    uint64_t anon_pages; /* populated ones in scope "anon" */
    uint64_t mergeable_pages;
    uint64_t baseline_frames;
    uint64_t distinct_contents;
    uint64_t pins;
    PfNaivePotential potential;
} PfLawsMark;

typedef struct {
    GArray *marks; /* of PfLawsMark, the last one at the end of the trace */
    uint32_t page_bytes;
    unsigned records;
    uint64_t passes;         /* that `scan` records ask for */
    bool keeps_labels_apart; /* no page is made an alias of one of another label */
} PfLawsTrace;

/* Writes the trace of SEED with about RECORDS records at PATH; one of fewer records is the
 * beginning of one of more. NULL with PF_ERROR_IO. */
PfLawsTrace *pf_laws_trace_write(const char *path, uint64_t seed, unsigned records, GError **error);
void pf_laws_trace_free(PfLawsTrace *trace);
