#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "presets.h"
#include "progress.h"
#include "version.h"
#include "workload.h"

/* What the callback of progress needs. */
typedef struct {
    PfProgressLine line;
    double start_seconds;
    uint64_t steps;
} Telling;

static void tell_progress(const PfWorkloadProgress *progress, void *user)
{
    Telling *telling = user;
    PfProgress shown = {
        .share_done = (double)progress->steps / (double)telling->steps,
        .records = progress->records,
        .simulated_ps = progress->time_ps,
        .seconds = pf_progress_seconds() - telling->start_seconds,
    };
    pf_progress_update(&shown, &telling->line);
}

static PfConfig *load(const char *path, char **assignments, PfWorkload **ret_workload,
                      GError **error)
{
    g_autoptr(PfConfig) config = pf_config_load(path, pf_preset_text, error);
    if (config == NULL)
        return NULL;
    for (char **assignment = assignments; assignment != NULL && *assignment != NULL; assignment++)
        if (!pf_config_override(config, *assignment, error))
            return NULL;
    g_autoptr(PfWorkload) workload = pf_workload_new(config);
    if (!pf_config_finish(config, error))
        return NULL;
    *ret_workload = g_steal_pointer(&workload);
    return g_steal_pointer(&config);
}

static int generate(PfApp *app, const PfWorkload *workload, const char *output, GError **error)
{
    g_autofree char *description = pf_workload_describe(workload, PF_VERSION);
    PfTraceHeader header = {.page_bytes = pf_workload_page_bytes(workload),
                            .description = description};
    PfTraceForm form = g_str_has_suffix(output, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(output, form, &header, error);
    if (writer == NULL)
        return 1;
    pf_interrupt_watch(&app->interrupted);
    Telling telling = {.steps = pf_workload_steps(workload),
                       .start_seconds = pf_progress_seconds()};
    pf_progress_init(&telling.line, stderr, isatty(STDERR_FILENO) != 0);
    PfWorkloadOptions options = {
        .progress = tell_progress, .user = &telling, .interrupted = &app->interrupted};
    bool done = pf_workload_write(workload, writer, &options, error);
    pf_progress_finish(&telling.line);
    return done && pf_trace_writer_finish(writer, error) ? 0 : 1;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_autofree char *output = NULL;
    g_auto(GStrv) assignments = NULL;
    g_auto(GStrv) arguments = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "write the trace here; as text if it ends in .trace", "FILE"},
        {"set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &assignments,
         "set a key of the configuration (may be repeated)", "KEY=VALUE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    if (!pf_options_need_output(output, error))
        return 2;
    if (!pf_options_keep_input("-o", output, arguments[0], error))
        return 2;
    g_autoptr(PfWorkload) workload = NULL;
    g_autoptr(PfConfig) config = load(arguments[0], assignments, &workload, error);
    return config != NULL ? generate(app, workload, output, error) : 2;
}

const PfCommand pf_command_trace_generate = {
    .name = "trace generate",
    .arguments = "CONFIG",
    .summary = "Write the trace of a synthetic workload",
    .examples = "  pagefold trace generate web.cfg -o web.pft        what web.cfg describes\n"
                "  pagefold trace generate web.cfg -o 2.pft -s workload.seed=2   elsewhere\n"
                "  pagefold trace generate web.cfg -o web.trace      as text, to read\n"
                "  pagefold config explain workload                  what web.cfg may say\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
