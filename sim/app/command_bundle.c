#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "commands.h"
#include "error.h"

/* Beside DIRECTORY, under its own name even where that is said as "." */
static char *standard_name(const char *directory)
{
    g_autofree char *whole = realpath(directory, NULL);
    g_autofree char *said = g_path_get_basename(directory);
    bool is_name = strcmp(said, ".") != 0 && strcmp(said, "..") != 0;
    g_autofree char *name = g_strdup(is_name || whole == NULL ? directory : whole);
    while (strlen(name) > 1 && g_str_has_suffix(name, "/"))
        name[strlen(name) - 1] = '\0';
    return g_strconcat(name, ".tar.gz", NULL);
}

/* A bundle replaces nothing of what it packs, and packs no other. */
static bool check_outside(const char *output, const char *directory, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(output);
    g_autofree char *place = realpath(folder, NULL);
    g_autofree char *packed = realpath(directory, NULL);
    if (strcmp(output, "-") == 0 || place == NULL || packed == NULL ||
        !g_str_has_prefix(place, packed) || !strchr("/", place[strlen(packed)]))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                "-o %s: is in %s, which is packed; name a file elsewhere", output, directory);
    return false;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_autofree char *output = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "write FILE (default: DIR.tar.gz)",
         "FILE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    if (output == NULL)
        output = standard_name(arguments[0]);
    if (!check_outside(output, arguments[0], error))
        return 2;
    if (!pf_bundle_write(arguments[0], output, error))
        return 1;
    fprintf(stderr, "pagefold: %s\n", output);
    return 0;
}

const PfCommand pf_command_bundle = {
    .name = "bundle",
    .arguments = "DIR",
    .summary = "Pack results with the scripts of their figures, to be drawn elsewhere",
    .examples =
        "  pagefold bundle out                               out.tar.gz\n"
        "  pagefold bundle sweep -o paper-figures.tar.gz     another name\n"
        "  tar xzf out.tar.gz && pagefold-bundle/redraw.sh   draws every figure by gnuplot\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
