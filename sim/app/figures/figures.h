/* Figures: each asks one question of a directory of results and is drawn by gnuplot from a script
 * that is kept beside the picture, so that a user can change and run it again. A new figure is a
 * file figure_NAME.c that defines pf_figure_NAME, and its line in meson.build. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "options.h"

typedef enum { PF_TERMINAL_SVG, PF_TERMINAL_PNG, PF_TERMINAL_DUMB, PF_TERMINALS } PfTerminal;

typedef struct PfFigure PfFigure;
typedef struct PfSheet PfSheet; /* sheet.h */

struct PfFigure {
    const char *name;    /* as in the variable, with '-' for '_' */
    const char *summary; /* one sentence */
    const char *source;  /* the file of the directory that it is drawn from; without it there is no
                            such figure */
    /* Puts on SHEET what there is to see. Where the results lack what the figure is about, an error
     * of pf_sheet_lacks; PF_ERROR_TRACE where they cannot be read. */
    bool (*draw)(PfSheet *sheet, GError **error);
};

/* In the order of `list figures`. */
size_t pf_figure_count(void);
const PfFigure *pf_figure_at(size_t index);

/* NULL with PF_ERROR_USAGE, and the nearest name, where there is none. */
const PfFigure *pf_figure_find(const char *name, GError **error);

/* Appends data and script of FIGURE to DATA and SCRIPT; nothing is written, nothing drawn. Errors
 * as of pf_figure_draw but PF_ERROR_IO. */
bool pf_figure_prepare(const PfFigure *figure, const char *directory, PfTerminal terminal,
                       GString *data, GString *script, GError **error);

/* Writes DIRECTORY/plots/NAME.csv and NAME.gp and has gnuplot draw NAME.svg or NAME.png; what the
 * dumb terminal draws is appended to DRAWN instead. Same results, same bytes. Errors: PF_ERROR_IO
 * (gnuplot is missing; nothing can be written), PF_ERROR_TRACE where the results cannot be read,
 * PF_ERROR_CONFIG where the run was not configured for this figure: the message says how to. */
bool pf_figure_draw(const PfFigure *figure, const char *directory, PfTerminal terminal,
                    GString *drawn, GError **error);

/* The figures of `output.figures`, NAMES (NULL: none): whether all exist, PF_ERROR_USAGE otherwise;
 * and drawing them. What cannot be drawn is a warning: hours of work shall not be lost for want of
 * a picture. */
bool pf_figures_check(char *const *names, GError **error);
void pf_figures_draw(char *const *names, const char *directory, const PfApp *app);

/* "svg", "png", "dumb"; NULL-terminated, in the order of PfTerminal. */
const char *const *pf_terminal_names(void);
