/* Reports: the results of a simulation as text. The only place where statistics are formatted.
 * Nothing here depends on the clock, the host, the locale or where files lie. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "simulation.h"

typedef enum {
    PF_REPORT_TABLE, /* for eyes: at most 100 columns where labels allow */
    PF_REPORT_MARKDOWN,
    PF_REPORT_LATEX,
    PF_REPORT_CSV,  /* the comparison with exact values, one row a policy */
    PF_REPORT_JSON, /* stats.json */
    PF_REPORT_ESX,  /* the status tables of policy esx */
    PF_REPORT_FORMS
} PfReportForm;

/* "table", "markdown", ... NULL-terminated, in the order of PfReportForm. */
const char *const *pf_report_form_names(void);

/* Appends VALUE: integers exactly, doubles by the fewest digits that read back to the same number,
 * what is undefined or not finite as null. */
void pf_report_append_value(GString *out, PfStatValue value);

/* Appends TEXT as a field of a CSV (RFC 4180): quoted where it has to be. */
void pf_report_append_field(GString *out, const char *text);

/* How many columns TEXT takes for eyes. */
size_t pf_report_width(const char *text);

/* VALUE as a double, NaN where it is null. */
double pf_report_number(PfStatValue value);

/* What `run` prints: the comparison of the policies in FORM. */
void pf_report_comparison(GString *out, const PfSimulation *simulation, PfReportForm form);

/* The files of a results directory, as interface: stats.json, stats.csv, epochs.csv, marks.csv,
 * distributions.csv. */
void pf_report_json(GString *out, const PfSimulation *simulation);
void pf_report_stats_csv(GString *out, const PfSimulation *simulation);
void pf_report_epochs_csv(GString *out, const PfSimulation *simulation);
void pf_report_distributions_csv(GString *out, const PfSimulation *simulation);
void pf_report_marks_csv(GString *out, const PfSimulation *simulation);

/* What ESX Server told of its page sharing, for each run of policy esx. */
void pf_report_esx(GString *out, const PfSimulation *simulation);

/* The comparison for eyes and papers; FORM is none of JSON and ESX. */
void pf_report_table(GString *out, const PfSimulation *simulation, PfReportForm form);

/* In place of the comparison, what DRAM or caches by themselves did; false, and nothing, where
 * there is a whole machine. FORM is the table or Markdown. */
bool pf_report_alone(GString *out, const PfSimulation *simulation, PfReportForm form);

/* Why pages are not shared, below the comparison; FORM is the table or Markdown. Nothing where no
 * policy has reasons to tell. */
void pf_report_reasons(GString *out, const PfSimulation *simulation, PfReportForm form);

/* What class rules cost and buy, likewise; nothing where no policy has classes. */
void pf_report_classes(GString *out, const PfSimulation *simulation, PfReportForm form);

/* The lengths of spans and what the slowest waited for, likewise; nothing without spans. */
void pf_report_spans(GString *out, const PfSimulation *simulation, PfReportForm form);

/* A table of such a section below TITLE, the table or Markdown: CELLS are rows of COLUMNS texts,
 * headings first; a column without a heading (NULL) is left out. */
void pf_report_cells(GString *out, const char *title, const GPtrArray *cells, unsigned columns,
                     PfReportForm form);
