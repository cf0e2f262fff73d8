#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

bool pf_options_color(const PfApp *app, int descriptor)
{
    if (app->color != NULL && strcmp(app->color, "always") == 0)
        return true;
    if (app->color != NULL && strcmp(app->color, "never") == 0)
        return false;
    const char *terminal = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");
    return isatty(descriptor) != 0 && terminal != NULL && strcmp(terminal, "dumb") != 0 &&
           (no_color == NULL || no_color[0] == '\0');
}

void pf_options_warn(const PfApp *app, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    bool color = pf_options_color(app, STDERR_FILENO);
    fprintf(stderr, "pagefold: %swarning:%s %s\n", color ? "\033[33m" : "", color ? "\033[0m" : "",
            message);
}

void pf_options_report(const PfApp *app, const GError *error)
{
    bool color = pf_options_color(app, STDERR_FILENO);
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if ((*line)[0] != '\0')
            fprintf(stderr, "pagefold: %serror:%s %s\n", color ? "\033[1;31m" : "",
                    color ? "\033[0m" : "", *line);
}
