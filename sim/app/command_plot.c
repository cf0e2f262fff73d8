#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "figures.h"

static bool find_terminal(const char *name, PfTerminal *ret_terminal, GError **error)
{
    const char *const *names = pf_terminal_names();
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (name != NULL && strcmp(name, names[i]) != 0)
            continue;
        *ret_terminal = (PfTerminal)i;
        return true;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--term %s: must be svg, png or dumb", name);
    return false;
}

static bool draw(const PfFigure *figure, const char *directory, PfTerminal terminal, GError **error)
{
    g_autoptr(GString) drawn = g_string_new(NULL);
    if (!pf_figure_draw(figure, directory, terminal, drawn, error))
        return false;
    if (terminal == PF_TERMINAL_DUMB) {
        fwrite(drawn->str, 1, drawn->len, stdout);
        fflush(stdout); /* what is not drawn is told behind it, in a log, too */
    } else
        fprintf(stderr, "pagefold: %s/plots/%s.%s\n", directory, figure->name,
                pf_terminal_names()[terminal]);
    return true;
}

static bool has_source(const PfFigure *figure, const char *directory)
{
    g_autofree char *path = g_build_filename(directory, figure->source, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* All figures of which there is the file that they are drawn from; what the results lack for one of
 * them is told and no failure. Where there are no results at all, the first figure says so. */
static bool draw_all(const char *directory, PfTerminal terminal, GError **error)
{
    bool has_any = false;
    for (size_t i = 0; i < pf_figure_count(); i++) {
        g_autoptr(GError) cause = NULL;
        if (!has_source(pf_figure_at(i), directory))
            continue;
        has_any = true;
        if (draw(pf_figure_at(i), directory, terminal, &cause))
            continue;
        if (!g_error_matches(cause, PF_ERROR, PF_ERROR_CONFIG)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        fprintf(stderr, "pagefold: not drawn: %s\n", cause->message);
    }
    return has_any || draw(pf_figure_at(0), directory, terminal, error);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(GStrv) names = NULL;
    g_autofree char *terminal_name = NULL;
    const GOptionEntry entries[] = {
        {"figure", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &names,
         "draw this one (may be repeated; default: all)", "NAME"},
        {"term", 0, 0, G_OPTION_ARG_FILENAME, &terminal_name,
         "svg, png, or dumb for a terminal of 79x24 characters", "TERM"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    PfTerminal terminal = PF_TERMINAL_SVG;
    if (!find_terminal(terminal_name, &terminal, error))
        return 2;
    for (char **name = names; name != NULL && *name != NULL; name++) {
        const PfFigure *figure = pf_figure_find(*name, error);
        if (figure == NULL || !draw(figure, arguments[0], terminal, error))
            return 1;
    }
    return names != NULL || draw_all(arguments[0], terminal, error) ? 0 : 1;
}

const PfCommand pf_command_plot = {
    .name = "plot",
    .arguments = "DIR",
    .summary = "Draw figures of results with gnuplot",
    .examples =
        "  pagefold plot out                                 all figures, as out/plots/*.svg\n"
        "  pagefold plot out --figure savings --term dumb    one, in the terminal\n"
        "  pagefold plot out --term png                      for slides\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
