/* What `potential` prints and writes. Nothing here depends on the clock, the host or where files
 * lie. */
#pragma once

#include "potential.h"

/* What is told besides the counts. */
typedef struct {
    const PfPotential *potential;
    const PfPotentialCount *count;
    const char *title; /* what was read, and of when */
} PfPotentialReport;

/* The four baselines, each with a line on what it is, and what they are made of, for eyes. */
void pf_potential_table(GString *out, const PfPotentialReport *report);

/* All counts, as one object; as rows TABLE,ROW,STAT,VALUE. */
void pf_potential_json(GString *out, const PfPotentialReport *report);
void pf_potential_csv(GString *out, const PfPotentialReport *report);

/* What the kinds of pages are called in JSON, CSV and hash lists. */
extern const char *const pf_page_kind_names[PF_PAGE_KINDS];

/* The sum of COUNTS over the kinds. */
uint64_t pf_kinds_sum(const uint64_t counts[PF_PAGE_KINDS]);

/* What block number INDEX of pf_potential_sizes is called: "0.4" ... "2.4", and behind them "2MiB".
 * NULL behind the last. Free with g_free. */
char *pf_size_name(const PfSizes *sizes, unsigned index, const PfSizeCount **ret_count);

/* The excerpt of SHARED with a dot for each byte that is no printing ASCII character; "" for zeros
 * and for what has no bytes. Free with g_free. */
char *pf_excerpt_text(const PfCopiedContent *shared);

/* The first contexts that hold CONTENT, each with its copies. Free with g_free. */
char *pf_places_text(const PfPotentialCount *count, const PfDistinctContent *content,
                     const PfCopiedContent *shared);
