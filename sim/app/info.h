/* What `trace info` tells of a trace. */
#pragma once

#include "tally.h"
#include "trace.h"

/* Appends it to OUT for people, or as JSON. TRACE has been read to its end, and counted. */
void pf_info_table(GString *out, const PfTrace *trace, const PfTraceSummary *summary,
                   const PfTally *tally);
void pf_info_json(GString *out, const PfTrace *trace, const PfTraceSummary *summary,
                  const PfTally *tally);

/* Names of the forms of contents, by PfContentForm. */
extern const char *const pf_info_form_names[PF_CONTENT_FORMS];

/* "access", "page" or "access and page". */
const char *pf_info_grain(const PfTraceSummary *summary);
