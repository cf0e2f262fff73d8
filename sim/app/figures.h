/* Figures: each asks one question of a results directory and is drawn by gnuplot from a script that
 * is kept beside the picture, so that a user can change and run it again. A new figure is a file
 * figure_NAME.c, a row of the table in figures.c, and a template plots/NAME.gp. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum { PF_TERMINAL_SVG, PF_TERMINAL_PNG, PF_TERMINAL_DUMB, PF_TERMINALS } PfTerminal;

typedef struct PfFigure PfFigure;

struct PfFigure {
    const char *name;
    const char *summary; /* one sentence */
    const char *source;  /* the file of results that it is drawn from; without it there is no such
                            figure */
    /* Reads the results in DIRECTORY. Appends the CSV that the script plots to DATA, and to WORDS
     * what the template's words @NAME@ stand for (owned strings to owned strings). */
    bool (*prepare)(const char *directory, GString *data, GHashTable *words, GError **error);
};

extern const PfFigure pf_figure_savings;
extern const PfFigure pf_figure_cycles;
extern const PfFigure pf_figure_potential;

/* In the order of `list figures`. */
size_t pf_figure_count(void);
const PfFigure *pf_figure_at(size_t index);

/* NULL with PF_ERROR_USAGE, and the nearest name, where there is none. */
const PfFigure *pf_figure_find(const char *name, GError **error);

/* Writes DIRECTORY/plots/NAME.csv and NAME.gp and has gnuplot draw NAME.svg or NAME.png; what the
 * dumb terminal draws is appended to DRAWN instead. Same results, same bytes. Errors: PF_ERROR_IO
 * (gnuplot is missing; nothing can be written), PF_ERROR_TRACE where the results cannot be read. */
bool pf_figure_draw(const PfFigure *figure, const char *directory, PfTerminal terminal,
                    GString *drawn, GError **error);

/* "svg", "png", "dumb"; NULL-terminated, in the order of PfTerminal. */
const char *const *pf_terminal_names(void);

/* ---- For the figures ---- */

/* TEXT as a string of gnuplot, quotes included. Free with g_free. */
char *pf_figure_quote(const char *text);

/* The colour-blind-safe colour NUMBER of Okabe and Ito's palette (jfly.uni-koeln.de/color),
 * "#0072B2"; after the last the first again. */
const char *pf_figure_color(size_t number);

/* The smallest of 1, 2, 2.5, 5 times a power of ten that is at least VALUE (1 for 0 or less). */
double pf_figure_nice(double value);

/* Sets word NAME to the formatted text. */
void pf_figure_set(GHashTable *words, const char *name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Moves the COUNT positions, ascending, as little as possible (by the sum of squares) so that each
 * is at least GAP above the one before, within LOW..HIGH as far as there is room. */
void pf_figure_spread(double *positions, size_t count, double gap, double low, double high);
