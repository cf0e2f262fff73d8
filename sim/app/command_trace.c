#include <stdio.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "trace.h"

static int run_verify(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, NULL, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    PfTraceSummary summary = {0};
    if (!pf_trace_verify(arguments[0], &summary, error))
        return 3;
    printf("%s: OK, %" G_GUINT64_FORMAT " records\n", arguments[0], summary.records);
    return 0;
}

static int convert(PfApp *app, const PfCommand *command, int argc, char **argv, PfTraceForm form,
                   GError **error)
{
    g_autofree char *output = NULL;
    gboolean salvage = FALSE;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "write the trace here; - is standard output", "FILE"},
        {"salvage", 0, 0, G_OPTION_ARG_NONE, &salvage, "take a damaged trace up to the damage",
         NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    /* Text may go to a terminal; bytes only where somebody says so. */
    if (output == NULL && form == PF_TRACE_TEXT)
        output = g_strdup("-");
    if (!pf_options_need_output(output, error))
        return 2;
    pf_interrupt_watch(&app->interrupted);
    return pf_trace_convert(arguments[0], output, form, salvage != FALSE, &app->interrupted, error)
               ? 0
               : 3;
}

static int run_text(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return convert(app, command, argc, argv, PF_TRACE_TEXT, error);
}

static int run_binary(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return convert(app, command, argc, argv, PF_TRACE_BINARY, error);
}

const PfCommand pf_command_trace_text = {
    .name = "trace text",
    .arguments = "FILE",
    .summary = "Write a trace in its text form",
    .examples = "  pagefold trace text a.pft                         read it\n"
                "  pagefold trace text a.pft -o a.trace              ... or edit it\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_text,
};

const PfCommand pf_command_trace_binary = {
    .name = "trace binary",
    .arguments = "FILE",
    .summary = "Write a trace in its binary form",
    .examples =
        "  pagefold trace binary a.trace -o a.pft            small, checked, fast to read\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_binary,
};

const PfCommand pf_command_trace_verify = {
    .name = "trace verify",
    .arguments = "FILE",
    .summary = "Check every byte and every record of a trace",
    .examples =
        "  pagefold trace verify a.pft                       exit status 3 if it is damaged\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_verify,
};
