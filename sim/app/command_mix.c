#include <string.h>

#include "commands.h"
#include "config.h"
#include "error.h"
#include "interrupt.h"
#include "trace_mix.h"

/* The words after the command. */
typedef struct {
    char *output;
    char **prefixes;
    char **offsets;
    gboolean private_files;
    char **traces;
} MixOptions;

static void clear_options(MixOptions *options)
{
    g_free(options->output);
    g_strfreev(options->prefixes);
    g_strfreev(options->offsets);
    g_strfreev(options->traces);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MixOptions, clear_options)

static guint length_of(char **list)
{
    return list != NULL ? g_strv_length(list) : 0;
}

/* A pipe that is opened a second time would be waited for, and for ever. */
static bool check_rereadable(const char *path, GError **error)
{
    bool is_pipe = pf_trace_is_stream(path);
    if (is_pipe)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: is no file, and traces to mix are read twice; write it to a file first",
                    path);
    return !is_pipe;
}

static bool check_options(const MixOptions *options, GError **error)
{
    guint traces = length_of(options->traces);
    const char *extra = length_of(options->prefixes) > traces  ? "--prefix"
                        : length_of(options->offsets) > traces ? "--offset"
                                                               : NULL;
    if (!pf_options_need_output(options->output, error))
        return false;
    if (extra != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: more of them than traces; the first is that of the first trace", extra);
        return false;
    }
    for (guint i = 0; i < traces; i++)
        if (!check_rereadable(options->traces[i], error) ||
            !pf_options_keep_input("-o", options->output, options->traces[i], error))
            return false;
    return true;
}

/* One for each trace; NULL with an error. */
static PfMixInput *make_inputs(const MixOptions *options, GError **error)
{
    g_autofree PfMixInput *inputs = g_new0(PfMixInput, length_of(options->traces));
    for (guint i = 0; i < length_of(options->traces); i++) {
        inputs[i].path = options->traces[i];
        inputs[i].prefix = i < length_of(options->prefixes) ? options->prefixes[i] : "";
        if (i < length_of(options->offsets) &&
            !pf_parse_quantity(options->offsets[i], PF_CONFIG_TIME, &inputs[i].offset_ps, NULL)) {
            g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--offset %s: must be a time as 20ms",
                        options->offsets[i]);
            return NULL;
        }
    }
    return g_steal_pointer(&inputs);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(MixOptions) options = {.output = NULL};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
         "write the mix here; as text if it ends in .trace", "FILE"},
        {"prefix", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.prefixes,
         "put before the names of a trace's contexts and marks", "TEXT"},
        {"offset", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.offsets,
         "when a trace begins (repeat both, in the order of traces)", "TIME"},
        {"private-files", 0, 0, G_OPTION_ARG_NONE, &options.private_files,
         "files and shared memory of the same name are others in each trace", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &options.traces, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    if (!check_options(&options, error))
        return 2;
    g_autofree PfMixInput *inputs = make_inputs(&options, error);
    if (inputs == NULL)
        return 2;
    PfMix mix = {.inputs = inputs,
                 .count = length_of(options.traces),
                 .private_files = options.private_files != FALSE,
                 .interrupted = &app->interrupted};
    PfTraceForm form =
        g_str_has_suffix(options.output, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    pf_interrupt_watch(&app->interrupted);
    return pf_trace_mix(&mix, options.output, form, error) ? 0 : 3;
}

const PfCommand pf_command_trace_mix = {
    .name = "trace mix",
    .arguments = "FILE...",
    .summary = "Write several traces as one, each with its contexts",
    .examples =
        "  pagefold trace mix web.pft db.pft -o both.pft     on one machine\n"
        "  pagefold trace mix a.pft a.pft -o twice.pft --prefix one- --prefix two-\n"
        "  pagefold trace mix a.pft b.pft -o later.pft --offset 0s --offset 10s\n",
    .arguments_min = 1,
    .arguments_max = 0,
    .run = run,
};
