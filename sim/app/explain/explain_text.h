/* Pieces of text that `explain` is made of: short enough for 80 columns, whatever a trace holds. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "run.h"

enum { PF_EXPLAIN_COLUMNS = 80 };

/* How everything is written. */
typedef struct {
    bool is_ascii; /* nothing else is written */
    bool has_color;
} PfExplainStyle;

/* Appends NAME, which a trace gives, in at most COLUMNS columns; what is left out is marked, what
 * no terminal should be sent is a question mark. */
void pf_explain_name(GString *out, const PfExplainStyle *style, const char *name, size_t columns);

/* Appends "CONTEXT:0xADDRESS". */
void pf_explain_page(GString *out, const PfExplainStyle *style, const PfRun *run, PfPage page);

/* Appends NUMBER with commas; and with NOUN behind it, in the plural unless it is 1. */
void pf_explain_number(GString *out, uint64_t number);
void pf_explain_count(GString *out, uint64_t number, const char *noun);

/* Appends what FRAME, which is in use, holds: zeros, ones, a name, text, or the first bytes. */
void pf_explain_frame_content(GString *out, const PfExplainStyle *style, PfRun *run, PfMpn frame);
/* ... what PAGE reads as, and what it should if that is something else. */
void pf_explain_page_content(GString *out, const PfExplainStyle *style, PfRun *run, PfPage page);

/* Appends TEXT, broken at blanks, each line behind INDENT blanks; FIRST stands in those of the
 * first line. */
void pf_explain_wrap(GString *out, const char *first, size_t indent, const char *text);
