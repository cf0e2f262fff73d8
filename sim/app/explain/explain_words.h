/* What happens, in plain words. */
#pragma once

#include "explain_text.h"

/* Appends a sentence about RECORD, which RUN has played. */
void pf_explain_record(GString *out, const PfExplainStyle *style, PfRun *run,
                       const PfRecord *record);

/* Appends a sentence about STEP of RUN. */
void pf_explain_step(GString *out, const PfExplainStyle *style, const PfRun *run,
                     const PfStep *step);

/* Appends a sentence about the cycles of LEDGER that are not in BEFORE. */
void pf_explain_cost(GString *out, const PfLedger *ledger, const PfLedger *before);
