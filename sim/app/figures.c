#include "figures.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "interrupt.h"
#include "options.h"
#include "presets.h"
#include "results.h"

static const PfFigure *const figures[] = {
    &pf_figure_savings,
    &pf_figure_cycles,
    &pf_figure_potential,
};

/* Sizes are those of a figure across two columns of a page; a terminal has 80 by 24 characters. */
static const char *const terminal_commands[PF_TERMINALS] = {
    [PF_TERMINAL_SVG] = "svg size 760,400 dynamic noenhanced font \"DejaVu Sans,12\" background "
                        "\"white\" linewidth 1.2",
    [PF_TERMINAL_PNG] = "pngcairo size 1520,800 noenhanced font \"DejaVu Sans,20\" "
                        "linewidth 2.4 background \"white\"",
    [PF_TERMINAL_DUMB] = "dumb size 79,24 noenhanced mono",
};

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

char *pf_figure_quote(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "'", -1);
    g_autofree char *doubled = g_strjoinv("''", parts);
    return g_strconcat("'", doubled, "'", NULL);
}

const char *pf_figure_color(size_t number)
{
    static const char *const palette[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                          "#E69F00", "#56B4E9", "#000000", "#F0E442"};
    return palette[number % G_N_ELEMENTS(palette)];
}

double pf_figure_nice(double value)
{
    static const double steps[] = {1.0, 2.0, 2.5, 5.0, 10.0};
    if (!(value > 0.0) || !isfinite(value))
        return 1.0;
    double power = pow(10.0, floor(log10(value)));
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (steps[i] * power >= value * (1.0 - 1e-9))
            return steps[i] * power;
    return 10.0 * power;
}

void pf_figure_set(GHashTable *words, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_hash_table_insert(words, g_strdup(name), g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* With positions[i] - i * gap in place of the positions the gaps become an order, and the nearest
 * ordered sequence comes from pooling neighbours that are out of order to their mean. */
void pf_figure_spread(double *positions, size_t count, double gap, double low, double high)
{
    g_autofree double *means = g_new0(double, count);
    g_autofree size_t *sizes = g_new0(size_t, count);
    size_t pools = 0;
    for (size_t i = 0; i < count; i++) {
        means[pools] = positions[i] - (double)i * gap;
        sizes[pools++] = 1;
        while (pools > 1 && means[pools - 2] > means[pools - 1]) {
            double both = (double)(sizes[pools - 2] + sizes[pools - 1]);
            means[pools - 2] = (means[pools - 2] * (double)sizes[pools - 2] +
                                means[pools - 1] * (double)sizes[pools - 1]) /
                               both;
            sizes[pools - 2] += sizes[pools - 1];
            pools--;
        }
    }
    double ceiling = high - (double)(count > 0 ? count - 1 : 0) * gap;
    size_t next = 0;
    for (size_t pool = 0; pool < pools; pool++)
        for (size_t i = 0; i < sizes[pool]; i++, next++)
            positions[next] = MAX(MIN(means[pool], ceiling), low) + (double)next * gap;
}

/* The template with each @WORD@ replaced; a word that nobody set is a programmer's error. */
static char *fill_template(const char *template, GHashTable *words)
{
    g_auto(GStrv) parts = g_strsplit(template, "@", -1);
    g_autoptr(GString) script = g_string_new(NULL);
    for (size_t i = 0; parts[i] != NULL; i++) {
        const char *value = i % 2 == 1 ? g_hash_table_lookup(words, parts[i]) : parts[i];
        g_assert(value != NULL);
        g_string_append(script, value);
    }
    return g_strdup(script->str);
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

bool pf_figure_draw(const PfFigure *figure, const char *directory, PfTerminal terminal,
                    GString *drawn, GError **error)
{
    g_autoptr(GString) data = g_string_new(NULL);
    g_autoptr(GHashTable) words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    pf_figure_set(words, "TERMINAL", "%s", terminal_commands[terminal]);
    /* Space between axis and key; in a terminal a line is too much. */
    pf_figure_set(words, "KEY_GAP", terminal == PF_TERMINAL_DUMB ? "0" : "0.8");
    /* A terminal draws type 0 with dots and all others like curves. */
    pf_figure_set(words, "GRID_TYPE", terminal == PF_TERMINAL_DUMB ? "0" : "1");
    if (terminal == PF_TERMINAL_DUMB)
        pf_figure_set(words, "OUTPUT", "# set output: the terminal itself");
    else
        pf_figure_set(words, "OUTPUT", "set output '%s.%s'", figure->name,
                      pf_terminal_names()[terminal]);
    if (!figure->prepare(directory, data, words, error))
        return false;
    g_autofree char *plots = g_build_filename(directory, "plots", NULL);
    if (g_mkdir_with_parents(plots, 0777) != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: %s", plots, g_strerror(errno));
        return false;
    }
    const char *template = pf_preset_plot(figure->name);
    g_assert(template != NULL);
    g_autofree char *script = fill_template(template, words);
    g_autofree char *data_path = g_strconcat(plots, "/", figure->name, ".csv", NULL);
    g_autofree char *script_path = g_strconcat(plots, "/", figure->name, ".gp", NULL);
    if (!pf_results_write_file(data_path, data->str, data->len, error) ||
        !pf_results_write_file(script_path, script, strlen(script), error))
        return false;
    g_autofree char *script_name = g_path_get_basename(script_path);
    if (run_gnuplot(plots, script_name, drawn, error))
        return true;
    /* What gnuplot began to draw is no picture. */
    g_autofree char *picture =
        g_strconcat(plots, "/", figure->name, ".", pf_terminal_names()[terminal], NULL);
    unlink(picture);
    return false;
}
