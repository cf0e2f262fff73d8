#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"
#include "figures.h"
#include "interrupt.h"
#include "json.h"
#include "progress.h"
#include "report_potential.h"
#include "results.h"
#include "units.h"
#include "version.h"

enum { TOP_STANDARD = 8, TOP_MAX = 1000 };

/* Each option as stored by GOption; strings are owned. */
typedef struct {
    char *format;
    char *epoch;
    char *from;
    char *output;
    gboolean salvage;
    gboolean sizes;
    gboolean force;
    int top;
} PotentialOptions;

static void clear_options(PotentialOptions *options)
{
    g_free(options->format);
    g_free(options->epoch);
    g_free(options->from);
    g_free(options->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PotentialOptions, clear_options)

typedef void (*Report)(GString *out, const PfPotentialReport *report);

static Report find_report(const char *name, GError **error)
{
    static const struct {
        const char *name;
        Report report;
    } forms[] = {
        {"table", pf_potential_table}, {"json", pf_potential_json}, {"csv", pf_potential_csv}};
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++)
        if (name == NULL || strcmp(name, forms[i].name) == 0)
            return forms[i].report;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--format %s: must be table, json or csv", name);
    return NULL;
}

static bool check(const PotentialOptions *options, GError **error)
{
    if (options->top < 0 || options->top > TOP_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--top %d: must be from 0 to %d", options->top,
                    TOP_MAX);
        return false;
    }
    if (options->output != NULL && options->output[0] == '\0') {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-o: a name is missing");
        return false;
    }
    return options->output == NULL ||
           pf_results_check(options->output, options->force != FALSE, error);
}

/* What the callback of progress needs. */
typedef struct {
    const PfApp *app;
    PfProgressLine line;
    double start_seconds;
    guint inputs;
    guint input; /* the one being read */
} Telling;

static void tell_progress(double share_done, uint64_t frames, void *user)
{
    Telling *telling = user;
    double seconds = pf_progress_seconds() - telling->start_seconds;
    if (!pf_progress_is_due(&telling->line, seconds))
        return;
    g_autofree char *what = g_strdup_printf("%" G_GUINT64_FORMAT " pages, input %u of %u", frames,
                                            telling->input + 1, telling->inputs);
    pf_progress_tell(&telling->line, seconds, (telling->input + share_done) / telling->inputs,
                     what);
}

static void warn(const char *message, void *user)
{
    const Telling *telling = user;
    pf_options_warn(telling->app, "%s", message);
}

static bool read_all(PfApp *app, const PotentialOptions *options, const PfImportFormat *format,
                     char **paths, PfPotential *potential, GError **error)
{
    Telling telling = {
        .app = app, .inputs = g_strv_length(paths), .start_seconds = pf_progress_seconds()};
    pf_progress_init(&telling.line, stderr, isatty(STDERR_FILENO) != 0);
    PfPotentialReading how = {
        .epoch = options->epoch,
        .format = format,
        .salvage = options->salvage != FALSE,
        .interrupted = &app->interrupted,
        .progress = tell_progress,
        .warn = warn,
        .user = &telling,
    };
    bool done = true;
    for (; done && paths[telling.input] != NULL; telling.input++)
        done = pf_potential_read(potential, paths[telling.input], telling.inputs > 1, &how, error);
    pf_progress_finish(&telling.line);
    return done;
}

/* "three.pft, last epoch: 49152 frames of 4 KiB hold 22226 contents" */
static char *make_title(const PotentialOptions *options, char **paths,
                        const PfPotentialCount *count)
{
    g_autoptr(GString) title = g_string_new(NULL);
    guint inputs = g_strv_length(paths);
    if (inputs == 1) {
        g_autofree char *name = g_path_get_basename(paths[0]);
        g_string_append(title, strcmp(name, "-") == 0 ? "standard input" : name);
    } else {
        g_string_append_printf(title, "%u inputs", inputs);
    }
    if (options->epoch != NULL)
        g_string_append_printf(title, ", epoch %s", options->epoch);
    bool in_kib = count->page_bytes % PF_KIB == 0;
    g_string_append_printf(title,
                           ": %" G_GUINT64_FORMAT " frames of %" G_GUINT64_FORMAT
                           " %s hold %" G_GUINT64_FORMAT " contents",
                           pf_kinds_sum(count->frames),
                           in_kib ? count->page_bytes / PF_KIB : count->page_bytes,
                           in_kib ? "KiB" : "B", pf_kinds_sum(count->cbps));
    return g_strdup(title->str);
}

static bool add_file(PfResults *results, const char *name, Report report,
                     const PfPotentialReport *what, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    report(text, what);
    return pf_results_add(results, name, text, error);
}

/* By what command the results came; as that of a run, the hallmark of their directory. */
static bool add_manifest(const PfApp *app, PfResults *results, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    PfJson json;
    pf_json_init(&json, text);
    pf_json_open(&json, NULL, '{');
    pf_json_string(&json, "program", "pagefold " PF_VERSION);
    pf_json_open(&json, "command", '[');
    for (int i = 0; i < app->argc; i++)
        pf_json_string(&json, NULL, app->argv[i]);
    pf_json_close(&json, ']');
    pf_json_bool(&json, "complete", true);
    pf_json_close(&json, '}');
    return pf_results_add(results, "manifest.json", text, error);
}

static bool write_results(const PfApp *app, const PotentialOptions *options,
                          const PfPotentialReport *report, GError **error)
{
    g_autoptr(PfResults) results =
        pf_results_begin(options->output, options->force != FALSE, error);
    if (results == NULL || !add_file(results, "potential.json", pf_potential_json, report, error) ||
        !add_file(results, "potential.csv", pf_potential_csv, report, error) ||
        !add_manifest(app, results, error))
        return false;
    g_autoptr(GError) cause = NULL;
    const PfFigure *figure = pf_figure_find("potential", NULL);
    if (!pf_figure_draw(figure, pf_results_directory(results), PF_TERMINAL_SVG, NULL, &cause))
        pf_options_warn(app, "figure potential: %s", cause->message);
    return pf_results_commit(results, true, error);
}

/* The format of images called NAME, NULL for no name. */
static bool find_format(const char *name, const PfImportFormat **ret_format, GError **error)
{
    *ret_format = name != NULL ? pf_import_find(name) : NULL;
    if (name == NULL || (*ret_format != NULL && pf_import_is_image(*ret_format)))
        return true;
    g_autoptr(GString) names = g_string_new(NULL);
    const PfImportFormat *format;
    for (size_t i = 0; (format = pf_import_at(i)) != NULL; i++)
        if (pf_import_is_image(format))
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                                   pf_import_name(format));
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                "--from %s: is no format of memory images; there are %s", name, names->str);
    return false;
}

static int count(PfApp *app, const PotentialOptions *options, char **paths, Report form,
                 GError **error)
{
    const PfImportFormat *format;
    if (!find_format(options->from, &format, error))
        return 2;
    pf_interrupt_watch(&app->interrupted);
    g_autoptr(PfPotential) potential = pf_potential_new(options->sizes != FALSE);
    if (!read_all(app, options, format, paths, potential, error))
        return 3;
    PfPotentialReport report = {
        .potential = potential,
        .count = pf_potential_finish(potential, (unsigned)options->top),
    };
    g_autofree char *title = make_title(options, paths, report.count);
    report.title = title;
    if (options->output != NULL && !write_results(app, options, &report, error))
        return 1;
    g_autoptr(GString) text = g_string_new(NULL);
    form(text, &report);
    fwrite(text->str, 1, text->len, stdout);
    if (options->output != NULL)
        fprintf(stderr, "pagefold: results in %s\n", options->output);
    return 0;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(PotentialOptions) options = {.top = TOP_STANDARD};
    g_auto(GStrv) arguments = NULL;
    const GOptionEntry entries[] = {
        {"format", 0, 0, G_OPTION_ARG_FILENAME, &options.format, "what to print: table, json, csv",
         "FORM"},
        {"epoch", 0, 0, G_OPTION_ARG_FILENAME, &options.epoch,
         "of a trace: the mark of this label or, from 0, number", "N|NAME"},
        {"from", 0, 0, G_OPTION_ARG_FILENAME, &options.from,
         "take inputs for images of this format (else as they look)", "FORMAT"},
        {"sizes", 0, 0, G_OPTION_ARG_NONE, &options.sizes,
         "blocks of 0.4 to 2.4 pages and of 2 MiB, too", NULL},
        {"top", 0, 0, G_OPTION_ARG_INT, &options.top,
         "tell the N contents with most copies (default: 8)", "N"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
         "keep all counts and a figure in DIR", "DIR"},
        {"salvage", 0, 0, G_OPTION_ARG_NONE, &options.salvage,
         "read a damaged trace up to the damage", NULL},
        {"force", 0, 0, G_OPTION_ARG_NONE, &options.force, "replace results that are in DIR", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    Report form = find_report(options.format, error);
    if (form == NULL || !check(&options, error))
        return 2;
    return count(app, &options, arguments, form, error);
}

const PfCommand pf_command_potential = {
    .name = "potential",
    .arguments = "IMAGE-OR-TRACE...",
    .summary = "Count how much of memory could be shared",
    .examples =
        "  pagefold potential vms.pft                        a trace, at its end\n"
        "  pagefold potential vms.pft --epoch 0              ... at its first mark\n"
        "  pagefold potential vm1.raw vm2.raw -o out         images of memory, a context each\n"
        "  pagefold potential vm1.raw --sizes --format csv   blocks of other sizes than a page\n",
    .arguments_min = 1,
    .arguments_max = 0,
    .run = run,
};
