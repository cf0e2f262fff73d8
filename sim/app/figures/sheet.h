/* What figures are made with: a sheet is the picture in the making, its data (CSV) and its script
 * (gnuplot). The bars of bars.h and the panels of chart.h are put on it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "csv.h"
#include "figures.h"
#include "saved.h"

struct PfSheet {
    const PfFigure *figure;
    const char *directory;
    PfTerminal terminal;
    GString *data;
    GString *script;
};

/* What numbers along an axis are; decides in which multiples they are told. */
typedef enum {
    PF_UNIT_PLAIN,   /* told as they are */
    PF_UNIT_COUNT,   /* 10³, 10⁶ ... of something */
    PF_UNIT_SECONDS, /* ns to s */
    PF_UNIT_MIB,     /* KiB to GiB */
    PF_UNIT_JOULES,  /* pJ to J */
    PF_UNIT_GBPS,    /* kB/s to GB/s */
} PfUnit;

/* By what values are to be multiplied, and the name of the unit then; "" where there is none. */
typedef struct {
    double factor;
    const char *name;
} PfScale;

/* Names of policies, workloads and the like have at most so many characters in a picture. */
enum { PF_NAME_WIDTH = 28 };

/* The scale at which values up to MOST in absolute amount have few digits. */
PfScale pf_scale_for(PfUnit unit, double most);

/* ---- Results ---- */

/* DIRECTORY/stats.json of SHEET. Free with pf_saved_free. */
PfSaved *pf_sheet_results(const PfSheet *sheet, GError **error);

/* The table NAME of SHEET's directory. Free with pf_csv_free. */
PfCsv *pf_sheet_table(const PfSheet *sheet, const char *name, GError **error);

/* The statistic NAME of RUN as a number; NaN where there is none, or null. */
double pf_sheet_stat(const PfSavedRun *run, const char *name);

/* "ksm", or "ksm (its remark)". Free with g_free. */
char *pf_sheet_label(const PfSavedRun *run);

/* The number of colour of run INDEX: its place among the policies, and -1 (grey) for `none`, which
 * others are measured against. */
int pf_sheet_number(const PfSaved *saved, guint index);

/* QUESTION with what has to be known of the results: trace, dilation, whether they are complete.
 * SAVED may be NULL. Free with g_free. */
char *pf_sheet_title(const char *question, const PfSaved *saved);

/* Sets ERROR to PF_ERROR_CONFIG "DIRECTORY: WHAT"; false. WHAT says what to set for this figure. */
bool pf_sheet_lacks(const PfSheet *sheet, GError **error, const char *what);

/* ---- Script and data ---- */

/* Appends VALUE to the data, whole numbers as such, others by the fewest digits that read back to
 * the same number, what is not finite as null. */
void pf_sheet_put_number(PfSheet *sheet, double value);

/* Appends fields of CSV to the data. */
void pf_sheet_put_text(PfSheet *sheet, const char *text);
void pf_sheet_put_char(PfSheet *sheet, char c);

/* Begins the script: terminal, a picture of HEIGHT_PIXELS (as SVG), style. */
void pf_sheet_begin_script(PfSheet *sheet, unsigned height_pixels);

/* Appends the template plots/NAME.gp of the program with its words @WORD@ replaced by those in
 * WORDS (owned strings to owned strings). */
void pf_sheet_add_template(PfSheet *sheet, const char *name, GHashTable *words);

/* A table for the above, and its rows; formatted text. */
GHashTable *pf_words_new(void);
void pf_words_set(GHashTable *words, const char *name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* TEXT, or if it is wider than WIDTH characters its begin and end with "..." (one character)
 * between them; WIDTH is 1 at least. Free with g_free. */
char *pf_sheet_shorten(const char *text, size_t width);

/* TEXT as a string of gnuplot, quotes included; valid UTF-8, in a line. Free with g_free. */
char *pf_sheet_quote(const char *text);

/* Likewise for the picture's title, shortened to what has room. */
char *pf_sheet_quote_title(const PfSheet *sheet, const char *title);

/* Likewise for the name of a tic, where gnuplot takes a percent sign for the begin of a format. */
char *pf_sheet_quote_tic(const char *text);

/* What stands at an axis, as a string of gnuplot: "NAME (unit)NOTE"; NOTE may be NULL. Free with
 * g_free. */
char *pf_sheet_axis(const char *name, PfScale scale, const char *note);

/* VALUE for eyes, with three digits or so. Free with g_free. */
char *pf_sheet_short(double value);

/* ---- Looks ---- */

/* The colour-blind-safe colour NUMBER, "#0072B2": of Okabe and Ito's palette
 * (jfly.uni-koeln.de/color), then of Tol's muted one (sronpersonalpages.nl/~pault); after the last
 * the first again; grey for -1. */
const char *pf_sheet_color(int number);

/* Black or white, whichever is read better on COLOR. */
const char *pf_sheet_text_color(const char *color);

/* The smallest of 1, 2, 2.5, 5 times a power of ten that is at least VALUE (1 for 0 or less). */
double pf_sheet_nice(double value);

/* Moves the COUNT positions, ascending, as little as possible (by the sum of squares) so that each
 * is at least GAP above the one before, within LOW..HIGH as far as there is room. */
void pf_sheet_spread(double *positions, size_t count, double gap, double low, double high);
