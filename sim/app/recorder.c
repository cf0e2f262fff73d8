/* pagefold-record: what `pagefold trace record` runs. It links Unicorn Engine, and is therefore a
 * program of its own. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unicorn/unicorn.h>

#include "engine.h"
#include "error.h"
#include "guest.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "version.h"

/* The recorder failed; else its status is the program's. As docker and timeout have it. */
enum { STATUS_FAILED = 125 };

/* Each option as stored by GOption; owned. */
typedef struct {
    char *output;
    char *content;
    char *accesses_max;
    char *skip;
    char **environment;
} RecordOptions;

static void clear_options(RecordOptions *options)
{
    g_free(options->output);
    g_free(options->content);
    g_free(options->accesses_max);
    g_free(options->skip);
    g_strfreev(options->environment);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RecordOptions, clear_options)

static PfParse parse_options(PfApp *app, const PfCommand *command, int argc, char **argv,
                             RecordOptions *options, char ***ret_arguments, GError **error)
{
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
         "write the trace here; as text if it ends in .trace", "FILE"},
        {"content", 0, 0, G_OPTION_ARG_FILENAME, &options->content,
         "bytes in the trace: values (of each store; the default), epoch:N (changed pages every N "
         "accesses), none",
         "WHAT"},
        {"max-accesses", 0, 0, G_OPTION_ARG_FILENAME, &options->accesses_max,
         "end the trace after N reads, writes and fetches; the program runs on", "N"},
        {"skip", 0, 0, G_OPTION_ARG_FILENAME, &options->skip,
         "begin the trace after N accesses, with the memory as it is then", "N"},
        {"env", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->environment,
         "a variable of the program's environment, which is empty otherwise", "NAME=VALUE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    return pf_options_parse(app, command, entries, argc, argv, ret_arguments, error);
}

/* "250000", "250k", "10M", "1G". */
static bool parse_count(const char *option, const char *text, uint64_t least, uint64_t *ret_count,
                        GError **error)
{
    char *end = NULL;
    guint64 number = g_ascii_isdigit(text[0]) ? g_ascii_strtoull(text, &end, 10) : 0;
    uint64_t factor = 1;
    if (end != NULL && (end[0] == 'k' || end[0] == 'K'))
        factor = 1000;
    else if (end != NULL && end[0] == 'M')
        factor = 1000000;
    else if (end != NULL && end[0] == 'G')
        factor = 1000000000;
    bool is_ended = end != NULL && end[factor == 1 ? 0 : 1] == '\0';
    if (!is_ended || number < least || number > (uint64_t)INT64_MAX / factor) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s %s: must be a number of accesses from %" G_GUINT64_FORMAT
                    " on, as 250000 or 10M",
                    option, text, least);
        return false;
    }
    *ret_count = number * factor;
    return true;
}

static bool parse_content(const char *text, PfRecordingOptions *recording, GError **error)
{
    if (text == NULL || strcmp(text, "values") == 0)
        recording->content = PF_RECORD_VALUES;
    else if (strcmp(text, "none") == 0)
        recording->content = PF_RECORD_NOTHING;
    else if (g_str_has_prefix(text, "epoch:")) {
        recording->content = PF_RECORD_EPOCHS;
        return parse_count("--content", text + strlen("epoch:"), 1, &recording->epoch_accesses,
                           error);
    } else {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--content %s: must be values, epoch:N or none", text);
        return false;
    }
    return true;
}

static bool make_how(const RecordOptions *options, PfRecordingOptions *ret_recording,
                     GError **error)
{
    *ret_recording = (PfRecordingOptions){.accesses_max = UINT64_MAX};
    if (!pf_options_need_output(options->output, error))
        return false;
    if (strcmp(options->output, "-") == 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "-o -: standard output is the program's; name a file");
        return false;
    }
    for (char **one = options->environment; one != NULL && *one != NULL; one++)
        if (strchr(*one, '=') == NULL) {
            g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--env %s: must be NAME=VALUE", *one);
            return false;
        }
    return parse_content(options->content, ret_recording, error) &&
           (options->accesses_max == NULL || parse_count("--max-accesses", options->accesses_max, 1,
                                                         &ret_recording->accesses_max, error)) &&
           (options->skip == NULL ||
            parse_count("--skip", options->skip, 0, &ret_recording->skip, error));
}

/* What the trace says of where it comes from. */
static char *describe(const RecordOptions *options, char **arguments)
{
    unsigned major;
    unsigned minor;
    uc_version(&major, &minor);
    g_autofree char *engine = g_strdup_printf("Unicorn Engine %u.%u", major, minor);
    g_autoptr(GString) text = g_string_new(NULL);
    PfJson json;
    pf_json_init(&json, text);
    json.is_line = true;
    pf_json_open(&json, NULL, '{');
    pf_json_string(&json, "source", "recorded program");
    pf_json_string(&json, "program", "pagefold " PF_VERSION);
    pf_json_string(&json, "engine", engine);
    pf_json_string(&json, "architecture", "x86-64");
    pf_json_string(&json, "content", options->content != NULL ? options->content : "values");
    if (options->skip != NULL)
        pf_json_string(&json, "skip", options->skip);
    if (options->accesses_max != NULL)
        pf_json_string(&json, "max_accesses", options->accesses_max);
    pf_json_open(&json, "command", '[');
    for (char **argument = arguments; *argument != NULL; argument++) {
        g_autofree char *valid = g_utf8_make_valid(*argument, -1);
        pf_json_string(&json, NULL, valid);
    }
    pf_json_close(&json, ']');
    pf_json_close(&json, '}');
    return g_strdup(text->str);
}

static void warn(void *user, const char *text)
{
    pf_options_warn(user, "%s", text);
}

static void print_summary(const PfApp *app, const char *path, const PfGuest *guest)
{
    const PfPackedCounts *counts = pf_recording_recorded(guest->recording);
    fprintf(stderr,
            "pagefold: %s: %" G_GUINT64_FORMAT " instructions, %" G_GUINT64_FORMAT
            " reads, %" G_GUINT64_FORMAT " writes, %" G_GUINT64_FORMAT
            " fetches; %" G_GUINT64_FORMAT " B written by system calls\n",
            path, counts->instructions, counts->records[PF_PACKED_READ],
            counts->records[PF_PACKED_WRITE] + counts->records[PF_PACKED_WRITE_UNKNOWN],
            counts->records[PF_PACKED_FETCH], pf_recording_kernel_bytes(guest->recording));
    if (guest->ending != NULL)
        pf_options_warn(app, "the program was ended by %s", guest->ending);
    if (pf_engine_reads_time(guest->engine))
        pf_options_warn(app, "the program has rdtsc, which reads the host's time: another run may "
                             "differ");
}

/* Runs GUEST into the file at PATH. */
static bool record_to(PfApp *app, PfGuest *guest, const char *path, const char *description,
                      GError **error)
{
    PfTraceHeader header = {.page_bytes = PF_GUEST_PAGE_BYTES, .description = description};
    PfTraceForm form = g_str_has_suffix(path, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, form, &header, error);
    if (writer == NULL)
        return false;
    g_autoptr(GError) cause = NULL;
    bool is_done = pf_guest_run(guest, writer, &cause);
    bool is_kept = is_done || g_error_matches(cause, PF_ERROR, PF_ERROR_INTERRUPTED);
    if (is_kept && !pf_trace_writer_finish(writer, error))
        return false;
    if (is_kept)
        print_summary(app, path, guest);
    if (!is_done)
        g_propagate_error(error, g_steal_pointer(&cause));
    return is_done;
}

static int record(PfApp *app, const RecordOptions *options, const PfRecordingOptions *recording,
                  char **arguments, GError **error)
{
    char *no_variables[] = {NULL};
    g_autofree char *basename = g_path_get_basename(arguments[0]);
    g_autofree char *name = g_utf8_make_valid(basename, -1);
    g_autofree char *description = describe(options, arguments);
    /* The program may change its folder. */
    g_autofree char *path = g_canonicalize_filename(options->output, NULL);
    PfGuestOptions how = {
        .path = arguments[0],
        .arguments = arguments,
        .environment = options->environment != NULL ? options->environment : no_variables,
        .interrupted = &app->interrupted,
        .recording = *recording,
        .warn = warn,
        .user = app,
    };
    how.recording.name = name;
    PfGuest guest;
    pf_interrupt_watch(&app->interrupted);
    /* The program's own business, which the recorder plays to it. */
    signal(SIGPIPE, SIG_IGN);
    bool is_done =
        pf_guest_init(&guest, &how, error) && record_to(app, &guest, path, description, error);
    if (is_done && options->skip != NULL &&
        pf_recording_recorded(guest.recording)->instructions == 0)
        pf_options_warn(app, "nothing is in the trace: the program ended before --skip did");
    int status = is_done ? guest.status : STATUS_FAILED;
    pf_guest_clear(&guest);
    return status;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(RecordOptions) options = {0};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = parse_options(app, command, argc, argv, &options, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    PfRecordingOptions recording;
    if (!make_how(&options, &recording, error))
        return 2;
    return record(app, &options, &recording, arguments, error);
}

static const PfCommand command = {
    .name = "trace record",
    .arguments = "-- PROGRAM [ARGUMENT]...",
    .summary = "Record a static x86-64 Linux program: each instruction, fetch, read and write.\n\n"
               "The program's output passes through, and the exit status is the program's; 125 "
               "where it\ncannot be recorded. The recorder, pagefold-record, links Unicorn Engine: "
               "as a program it\nis under the GNU General Public License, version 2, unlike "
               "pagefold itself",
    .examples = "  pagefold trace record -o sort.pft -- ./sort words.txt\n"
                "  pagefold trace record -o hot.pft --skip 100M --max-accesses 10M -- ./join 1000\n"
                "  pagefold trace record -o slow.pft --content epoch:1M -- ./lua script.lua\n",
    .arguments_min = 1,
    .arguments_max = 0,
    .run = run,
};

int main(int argc, char **argv)
{
    /* A file that grows beyond a limit shall be an error of write(), not the end. */
    signal(SIGXFSZ, SIG_IGN);
    PfApp app = {.argc = argc, .argv = argv};
    g_autoptr(GError) error = NULL;
    int status = command.run(&app, &command, argc - 1, argv + 1, &error);
    fflush(stdout);
    if (error != NULL) {
        pf_options_report(&app, error);
        if (g_error_matches(error, PF_ERROR, PF_ERROR_INTERRUPTED))
            status = pf_error_exit_status(error);
    }
    g_free(app.color);
    return status;
}
