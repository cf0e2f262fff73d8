#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "error.h"
#include "interrupt.h"
#include "json.h"
#include "progress.h"
#include "snapshot.h"
#include "version.h"

/* Each option as stored by GOption; strings are owned. */
typedef struct {
    char *output;
    char *interval;
    char *name;
    char *cgroup;
    int epochs;
    gboolean children;
    gboolean small;
} SnapshotOptions;

static void clear_options(SnapshotOptions *options)
{
    g_free(options->output);
    g_free(options->interval);
    g_free(options->name);
    g_free(options->cgroup);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SnapshotOptions, clear_options)

static PfParse parse_options(PfApp *app, const PfCommand *command, int argc, char **argv,
                             SnapshotOptions *options, char ***ret_arguments, GError **error)
{
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
         "write the trace here; as text if it ends in .trace", "FILE"},
        {"epochs", 0, 0, G_OPTION_ARG_INT, &options->epochs, "how many pictures (default: 1)", "N"},
        {"interval", 0, 0, G_OPTION_ARG_FILENAME, &options->interval,
         "time from one to the next, as 500ms (default: 1s)", "TIME"},
        {"children", 0, 0, G_OPTION_ARG_NONE, &options->children,
         "the descendants of the processes too", NULL},
        {"name", 0, 0, G_OPTION_ARG_FILENAME, &options->name,
         "all processes whose command matches, as 'redis*'", "PATTERN"},
        {"cgroup", 0, 0, G_OPTION_ARG_FILENAME, &options->cgroup,
         "all processes whose control group's path matches", "PATTERN"},
        {"small", 0, 0, G_OPTION_ARG_NONE, &options->small,
         "compress more: a smaller file, but the processes stand for longer", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    return pf_options_parse(app, command, entries, argc, argv, ret_arguments, error);
}

static bool find_pids(const SnapshotOptions *options, char **arguments, GArray *pids,
                      GError **error)
{
    for (char **argument = arguments; *argument != NULL; argument++) {
        guint64 number = 0;
        if (!g_ascii_string_to_unsigned(*argument, 10, 1, G_MAXINT32, &number, NULL)) {
            g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                        "%s: must be the number of a process; --name finds them by name",
                        *argument);
            return false;
        }
        pid_t pid = (pid_t)number;
        g_array_append_val(pids, pid);
    }
    if (options->name != NULL)
        pf_snapshot_find(options->name, false, pids);
    if (options->cgroup != NULL)
        pf_snapshot_find(options->cgroup, true, pids);
    if (pids->len > 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                "no process to look at; give numbers, or --name or --cgroup that match some");
    return false;
}

static bool make_how(PfApp *app, const SnapshotOptions *options, PfSnapshotOptions *ret_how,
                     GError **error)
{
    *ret_how = (PfSnapshotOptions){
        .epochs = (unsigned)options->epochs,
        .children = options->children != FALSE,
        .interrupted = &app->interrupted,
    };
    if (!pf_options_need_output(options->output, error))
        return false;
    if (options->epochs < 1 || options->epochs > PF_SNAPSHOT_EPOCHS_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--epochs %d: must be from 1 to %d",
                    options->epochs, PF_SNAPSHOT_EPOCHS_MAX);
        return false;
    }
    const char *interval = options->interval != NULL ? options->interval : "1s";
    g_autoptr(GError) cause = NULL;
    if (pf_parse_quantity(interval, PF_CONFIG_TIME, &ret_how->interval_ps, &cause))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--interval %s: %s", interval, cause->message);
    return false;
}

/* What the trace says of where it comes from. */
static char *describe(const GArray *pids)
{
    g_autoptr(GString) text = g_string_new(NULL);
    PfJson json;
    pf_json_init(&json, text);
    json.is_line = true; /* as the text form has it */
    pf_json_open(&json, NULL, '{');
    pf_json_string(&json, "source", "live processes");
    pf_json_string(&json, "program", "pagefold " PF_VERSION);
    pf_json_open(&json, "processes", '[');
    for (guint i = 0; i < pids->len; i++)
        pf_json_uint(&json, NULL, (uint64_t)g_array_index(pids, pid_t, i));
    pf_json_close(&json, ']');
    pf_json_close(&json, '}');
    return g_strdup(text->str);
}

static void print_summary(const char *path, const PfSnapshotSummary *summary)
{
    fprintf(stderr,
            "pagefold: %s: %u epoch%s of %u process%s, %" G_GUINT64_FORMAT
            " pages (%" G_GUINT64_FORMAT " share a frame%s; besides %" G_GUINT64_FORMAT
            " of the kernel's zero page), stopped for %.1f ms at most\n",
            path, summary->epochs, summary->epochs == 1 ? "" : "s", summary->processes,
            summary->processes == 1 ? "" : "es", summary->pages, summary->aliases,
            summary->has_frames ? "" : "; frame numbers need root", summary->zero_pages,
            (double)summary->stopped_ns_max / 1e6);
    if (summary->mergeable_pages > 0)
        fprintf(stderr,
                "pagefold: %" G_GUINT64_FORMAT " pages are mergeable, %" G_GUINT64_FORMAT
                " of them merged by KSM%s\n",
                summary->mergeable_pages, summary->ksm_pages,
                summary->has_frames ? "" : " as far as can be seen: that needs root");
    if (summary->swapped_pages > 0)
        fprintf(stderr,
                "pagefold: %" G_GUINT64_FORMAT " pages were swapped out and had to be read back\n",
                summary->swapped_pages);
    if (summary->unreadable_pages > 0)
        fprintf(stderr,
                "pagefold: %" G_GUINT64_FORMAT " pages could not be read and are left out\n",
                summary->unreadable_pages);
}

/* What the callback of progress needs. */
typedef struct {
    PfProgressLine line;
    double start_seconds;
    unsigned epochs;
} Telling;

static void tell_progress(const PfSnapshotSummary *summary, void *user)
{
    Telling *telling = user;
    double seconds = pf_progress_seconds() - telling->start_seconds;
    if (!pf_progress_is_due(&telling->line, seconds))
        return;
    g_autofree char *what = g_strdup_printf("%u of %u epochs, %" G_GUINT64_FORMAT " pages read",
                                            summary->epochs, telling->epochs, summary->pages);
    pf_progress_tell(&telling->line, seconds, (double)summary->epochs / telling->epochs, what);
}

static int record(PfApp *app, const SnapshotOptions *options, const GArray *pids,
                  PfSnapshotOptions *how, GError **error)
{
    g_autofree char *description = describe(pids);
    PfTraceHeader header = {.page_bytes = pf_snapshot_page_bytes(), .description = description};
    PfTraceForm form =
        g_str_has_suffix(options->output, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(options->output, form, &header, error);
    if (writer == NULL)
        return 1;
    pf_trace_writer_hurry(writer, options->small ? PF_HASTE_SOME : PF_HASTE_MOST);
    pf_interrupt_watch(&app->interrupted);
    Telling telling = {.start_seconds = pf_progress_seconds(), .epochs = how->epochs};
    pf_progress_init(&telling.line, stderr, isatty(STDERR_FILENO) != 0);
    how->progress = tell_progress;
    how->user = &telling;
    PfSnapshotSummary summary;
    bool good = pf_snapshot_record((const pid_t *)(const void *)pids->data, pids->len, how, writer,
                                   &summary, error) &&
                pf_trace_writer_finish(writer, error);
    pf_progress_finish(&telling.line);
    if (!good)
        return 1;
    print_summary(options->output, &summary);
    if (app->interrupted == 0)
        return 0;
    g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted after %u of %u epochs",
                summary.epochs, how->epochs);
    return 130;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(SnapshotOptions) options = {.epochs = 1};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = parse_options(app, command, argc, argv, &options, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    PfSnapshotOptions how;
    if (!make_how(app, &options, &how, error) || !find_pids(&options, arguments, pids, error))
        return 2;
    return record(app, &options, pids, &how, error);
}

const PfCommand pf_command_trace_snapshot = {
    .name = "trace snapshot",
    .arguments = "[PID]...",
    .summary = "Record the memory of live processes, epoch by epoch",
    .examples = "  pagefold trace snapshot -o now.pft 1234 1235      one picture of two processes\n"
                "  pagefold trace snapshot -o web.pft --name 'nginx*' --epochs 60 --interval 1s\n"
                "  pagefold trace snapshot -o all.pft --children 1234\n",
    .arguments_min = 0,
    .arguments_max = PF_SNAPSHOT_PROCESSES_MAX,
    .run = run,
};
