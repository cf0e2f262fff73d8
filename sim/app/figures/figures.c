#include "figures.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "interrupt.h"
#include "results.h"
#include "sheet.h"

#define PF_FIGURE(name) extern const PfFigure pf_figure_##name;
#include "figures.def"
#undef PF_FIGURE

#define PF_FIGURE(name) &pf_figure_##name,
static const PfFigure *const figures[] = {
#include "figures.def"
};
#undef PF_FIGURE

size_t pf_figure_count(void)
{
    return G_N_ELEMENTS(figures);
}

const PfFigure *pf_figure_at(size_t index)
{
    g_assert(index < G_N_ELEMENTS(figures));
    return figures[index];
}

const PfFigure *pf_figure_find(const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(figures) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(figures); i++) {
        if (strcmp(figures[i]->name, name) == 0)
            return figures[i];
        names[i] = figures[i]->name;
    }
    const char *nearest = pf_options_nearest(name, names);
    if (nearest != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: no such figure; did you mean %s?", name,
                    nearest);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: no such figure; `pagefold list figures` lists them", name);
    return NULL;
}

const char *const *pf_terminal_names(void)
{
    static const char *const names[PF_TERMINALS + 1] = {
        [PF_TERMINAL_SVG] = "svg", [PF_TERMINAL_PNG] = "png", [PF_TERMINAL_DUMB] = "dumb"};
    return names;
}

static bool run_gnuplot(const char *plots, char *script, GString *drawn, GError **error)
{
    g_autofree char *program = g_find_program_in_path("gnuplot");
    if (program == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO,
                    "gnuplot is not installed (package gnuplot-nox); the script is %s/%s", plots,
                    script);
        return false;
    }
    char *arguments[] = {program, script, NULL};
    g_autofree char *output = NULL;
    g_autofree char *messages = NULL;
    g_autoptr(GError) cause = NULL;
    int status = 0;
    if (!g_spawn_sync(plots, arguments, NULL, G_SPAWN_DEFAULT, pf_interrupt_child_setup, NULL,
                      &output, &messages, &status, &cause)) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "gnuplot: %s", cause->message);
        return false;
    }
    if (!g_spawn_check_wait_status(status, &cause)) {
        g_strdelimit(g_strchomp(messages), "\n", ' ');
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "gnuplot %s/%s: %s", plots, script,
                    messages[0] != '\0' ? messages : cause->message);
        return false;
    }
    if (drawn == NULL)
        return true;
    /* The dumb terminal begins a page by a form feed, and does not end its last line. */
    g_string_append(drawn, output[0] == '\f' ? output + 1 : output);
    if (drawn->len > 0 && drawn->str[drawn->len - 1] != '\n')
        g_string_append_c(drawn, '\n');
    return true;
}

static bool write_files(const PfFigure *figure, const char *plots, const GString *data,
                        const GString *script, GError **error)
{
    if (g_mkdir_with_parents(plots, 0777) != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: %s", plots, g_strerror(errno));
        return false;
    }
    g_autofree char *data_path = g_strconcat(plots, "/", figure->name, ".csv", NULL);
    g_autofree char *script_path = g_strconcat(plots, "/", figure->name, ".gp", NULL);
    return pf_results_write_file(data_path, data->str, data->len, error) &&
           pf_results_write_file(script_path, script->str, script->len, error);
}

/* Where there is no file that FIGURE is drawn from: what makes one. */
static bool check_source(const PfSheet *sheet, GError **error)
{
    static const struct {
        const char *source;
        const char *how;
    } sources[] = {
        {"distributions.csv", "`pagefold run -o` of this version writes it"},
        {"events.csv", "set output.events = true for the run"},
        {"results.csv", "`pagefold sweep run` writes it"},
        {"potential.csv", "`pagefold potential -o` writes it"},
    };
    const char *source = sheet->figure->source;
    g_autofree char *path = g_build_filename(sheet->directory, source, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autofree char *what = g_strdup_printf("needs %s; %s", source, sources[i].how);
        if (strcmp(sources[i].source, source) == 0 && !g_file_test(path, G_FILE_TEST_EXISTS))
            return pf_sheet_lacks(sheet, error, what);
    }
    return true;
}

bool pf_figure_prepare(const PfFigure *figure, const char *directory, PfTerminal terminal,
                       GString *data, GString *script, GError **error)
{
    PfSheet sheet = {figure, directory, terminal, data, script};
    return check_source(&sheet, error) && figure->draw(&sheet, error);
}

bool pf_figure_draw(const PfFigure *figure, const char *directory, PfTerminal terminal,
                    GString *drawn, GError **error)
{
    g_autoptr(GString) data = g_string_new(NULL);
    g_autoptr(GString) script = g_string_new(NULL);
    g_autofree char *plots = g_build_filename(directory, "plots", NULL);
    if (!pf_figure_prepare(figure, directory, terminal, data, script, error) ||
        !write_files(figure, plots, data, script, error))
        return false;
    g_autofree char *script_name = g_strconcat(figure->name, ".gp", NULL);
    if (run_gnuplot(plots, script_name, drawn, error))
        return true;
    /* What gnuplot began to draw is no picture. */
    g_autofree char *picture =
        g_strconcat(plots, "/", figure->name, ".", pf_terminal_names()[terminal], NULL);
    unlink(picture);
    return false;
}

bool pf_figures_check(char *const *names, GError **error)
{
    for (char *const *name = names; name != NULL && *name != NULL; name++)
        if (pf_figure_find(*name, error) == NULL) {
            g_prefix_error(error, "output.figures: ");
            return false;
        }
    return true;
}

void pf_figures_draw(char *const *names, const char *directory, const PfApp *app)
{
    for (char *const *name = names; name != NULL && *name != NULL; name++) {
        g_autoptr(GError) cause = NULL;
        if (!pf_figure_draw(pf_figure_find(*name, NULL), directory, PF_TERMINAL_SVG, NULL, &cause))
            pf_options_warn(app, "figure %s: %s", *name, cause->message);
    }
}
