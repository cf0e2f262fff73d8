/* The tools by which random traces are made, and the makers of structural records. */
#pragma once

#include "laws_trace.h"
#include "rng.h"

enum { VALUE_BYTES_MAX = 16, RECORD_PAGES_MAX = 24 };

typedef struct {
    PfRng rng;
    PfTraceWriter *writer;
    Naive *naive;
    LawsTrace *trace;
    PfContextKind kinds[NAIVE_CONTEXTS];
    const char *labels[NAIVE_CONTEXTS];
    uint64_t time_ps;
    bool page_grain;
    char text[32];
} LawsMaker;

/* Some pages of one cluster. */
typedef struct {
    unsigned context;
    unsigned first;
    unsigned count;
} LawsRange;

/* Draws and what they are made of. */
uint64_t laws_below(LawsMaker *maker, uint64_t bound);
bool laws_once_in(LawsMaker *maker, uint64_t bound);
uint64_t laws_page_address(const LawsMaker *maker, unsigned page);
void laws_add(LawsMaker *maker, PfRecord *record);
unsigned laws_some_context(LawsMaker *maker);
LawsRange laws_some_range(LawsMaker *maker, unsigned pages_max);
bool laws_some_mapped_range(LawsMaker *maker, unsigned pages_max, LawsRange *ret_range);
PfRecord laws_record_of(const LawsMaker *maker, PfRecordKind kind, const LawsRange *range);
PfContentSpec laws_some_content(LawsMaker *maker);

/* One structural record each, if the contexts allow it. */
void laws_make_unmap(LawsMaker *maker);
void laws_make_alias(LawsMaker *maker);
void laws_make_fork(LawsMaker *maker);
void laws_make_remap(LawsMaker *maker);
void laws_make_advise(LawsMaker *maker);
void laws_make_attribute(LawsMaker *maker);
void laws_make_exit(LawsMaker *maker);
