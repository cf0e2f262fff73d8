/* The tools by which random traces are made, and the makers of structural records. */
#pragma once

#include "laws_trace.h"
#include "rng.h"

enum { VALUE_BYTES_MAX = 16, RECORD_PAGES_MAX = 24 };

typedef struct {
    PfRng rng;
    PfTraceWriter *writer;
    PfNaive *naive;
    PfLawsTrace *trace;
    PfContextKind kinds[PF_NAIVE_CONTEXTS];
    const char *labels[PF_NAIVE_CONTEXTS];
    uint64_t time_ps;
    bool page_grain;
    char text[32];
} PfLawsMaker;

/* Some pages of one cluster. */
typedef struct {
    unsigned context;
    unsigned first;
    unsigned count;
} PfLawsRange;

/* Draws and what they are made of. */
uint64_t pf_laws_below(PfLawsMaker *maker, uint64_t bound);
bool pf_laws_once_in(PfLawsMaker *maker, uint64_t bound);
uint64_t pf_laws_page_address(const PfLawsMaker *maker, unsigned page);
void pf_laws_add(PfLawsMaker *maker, PfRecord *record);
unsigned pf_laws_some_context(PfLawsMaker *maker);
PfLawsRange pf_laws_some_range(PfLawsMaker *maker, unsigned pages_max);
bool pf_laws_some_mapped_range(PfLawsMaker *maker, unsigned pages_max, PfLawsRange *ret_range);
PfRecord pf_laws_record_of(const PfLawsMaker *maker, PfRecordKind kind, const PfLawsRange *range);
PfContentSpec pf_laws_some_content(PfLawsMaker *maker);

/* One structural record each, if the contexts allow it. */
void pf_laws_make_unmap(PfLawsMaker *maker);
void pf_laws_make_alias(PfLawsMaker *maker);
void pf_laws_make_fork(PfLawsMaker *maker);
void pf_laws_make_remap(PfLawsMaker *maker);
void pf_laws_make_advise(PfLawsMaker *maker);
void pf_laws_make_attribute(PfLawsMaker *maker);
void pf_laws_make_exit(PfLawsMaker *maker);
