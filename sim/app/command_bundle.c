#include <stdio.h>
#include <string.h>

#include "bundle.h"
#include "commands.h"

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
    if (output == NULL) {
        g_autofree char *directory = g_strdup(arguments[0]);
        while (strlen(directory) > 1 && g_str_has_suffix(directory, "/"))
            directory[strlen(directory) - 1] = '\0';
        output = g_strconcat(directory, ".tar.gz", NULL);
    }
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
