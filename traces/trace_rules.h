/* What every trace must obey, whatever its form: one set of checks for all readers and writers.
 *
 * The rules know the contexts made so far and whether they are alive. Whether an address is mapped
 * is not their business: the engine knows that. */
#pragma once

#include "trace.h"

typedef struct {
    const char *name;  /* borrowed */
    const char *label; /* borrowed, or NULL */
    const char *user;  /* likewise */
    uint64_t memory_bytes;
    int32_t node;
    PfContextKind kind;
    bool has_exited;
} PfTraceContext;

typedef struct {
    uint32_t page_bytes;
    unsigned page_shift;
    uint64_t content_count; /* contents numbered so far; counted by whoever numbers them */
    GArray *contexts;       /* of PfTraceContext */
    GHashTable *numbers;    /* name -> number + 1 */
} PfTraceRules;

/* Rules for pages of PAGE_BYTES, without a context. */
PfTraceRules *pf_trace_rules_new(uint32_t page_bytes);
void pf_trace_rules_free(PfTraceRules *rules);

/* The context with NUMBER, NULL where there is none. */
const PfTraceContext *pf_trace_rules_context(const PfTraceRules *rules, uint32_t number);

/* The number of the context called NAME, alive or not. */
bool pf_trace_rules_find(const PfTraceRules *rules, const char *name, uint32_t *ret_number);

/* Fills what the child in DETAIL has from context PARENT: all but its name and core. */
void pf_trace_rules_inherit(const PfTraceRules *rules, uint32_t parent, PfTraceDetail *detail);

/* Checks RECORD and remembers the contexts that it makes or ends; strings of its detail must then
 * live as long as the rules. Returns what is wrong, and the mend (free with g_free), or NULL. */
char *pf_trace_rules_apply(PfTraceRules *rules, const PfRecord *record);

/* Whether an access of COUNT bytes at ADDRESS is within size and does not wrap around; the part of
 * the rules that readers apply to each access. */
static inline bool pf_trace_access_fits(uint64_t address, uint64_t count, uint32_t page_bytes)
{
    return (count - 1 < page_bytes) & (address + (count - 1) >= address);
}
