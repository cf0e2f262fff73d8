#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"
#include "events.h"
#include "figures.h"
#include "installed.h"
#include "interrupt.h"
#include "progress.h"
#include "report.h"
#include "results.h"
#include "run_results.h"
#include "setup.h"
#include "simulation.h"
#include "sweep_axes.h"
#include "sweep_command.h"
#include "units.h"

/* Each option as stored by GOption; strings are owned. */
typedef struct {
    PfSetup setup;
    char **varied;
    char *trace;
    char *output;
    char *format;
    char *events;
    char *window;
    gint64 stop_after;
    int threads;
    gboolean verify;
    gboolean salvage;
    gboolean dry_run;
    gboolean force;
    gboolean paranoid;
} RunOptions;

static void clear_options(RunOptions *options)
{
    pf_setup_clear(&options->setup);
    g_strfreev(options->varied);
    g_free(options->trace);
    g_free(options->output);
    g_free(options->format);
    g_free(options->events);
    g_free(options->window);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RunOptions, clear_options)

static PfParse parse_options(PfApp *app, const PfCommand *command, int argc, char **argv,
                             RunOptions *options, char ***ret_arguments, GError **error)
{
    PfSetup *setup = &options->setup;
    const GOptionEntry entries[] = {
        {"set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &setup->assignments,
         "set a key of the configuration (may be repeated)", "KEY=VALUE"},
        {"vary", 'x', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->varied,
         "a sweep over these values; several: over all combinations", "KEY=VALUE,..."},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &options->trace, "play this trace", "FILE"},
        {"policy", 0, 0, G_OPTION_ARG_FILENAME, &setup->policies,
         "run these policies only, and `none`", "NAME[,NAME]"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
         "keep the results in DIR (else in output.dir)", "DIR"},
        {"seed", 0, 0, G_OPTION_ARG_FILENAME, &setup->seed, "seed of all that is random", "N"},
        {"jobs", 'j', 0, G_OPTION_ARG_INT, &options->threads,
         "policies that run at the same time (default: one a processor)", "N"},
        {"verify", 0, 0, G_OPTION_ARG_NONE, &options->verify,
         "compare memory with what it would be with no sharing", NULL},
        {"format", 0, 0, G_OPTION_ARG_FILENAME, &options->format,
         "what to print: table, markdown, latex, csv, json, esx", "FORM"},
        {"epoch", 0, 0, G_OPTION_ARG_FILENAME, &setup->epoch,
         "time between two rows of epochs.csv, or auto", "TIME"},
        {"events", 0, 0, G_OPTION_ARG_FILENAME, &options->events,
         "write what happens to sharings to FILE, as CSV", "FILE"},
        {"window", 0, 0, G_OPTION_ARG_FILENAME, &options->window,
         "... from A to B only: cycles, or times as 10ms..20ms", "A..B"},
        {"stop-after", 0, 0, G_OPTION_ARG_INT64, &options->stop_after, "stop after N records", "N"},
        {"salvage", 0, 0, G_OPTION_ARG_NONE, &options->salvage,
         "read a damaged trace up to the damage", NULL},
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &options->dry_run,
         "check everything, play nothing, write nothing", NULL},
        {"force", 0, 0, G_OPTION_ARG_NONE, &options->force, "replace results that are in DIR",
         NULL},
        {"paranoid", 0, 0, G_OPTION_ARG_NONE, &options->paranoid,
         "check the invariants of all models all the time (slow)", NULL},
        {"plugin", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &setup->plugins,
         "load a policy from a shared object (may be repeated)", "FILE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    return pf_options_parse(app, command, entries, argc, argv, ret_arguments, error);
}

static bool find_form(const char *name, PfReportForm *ret_form, GError **error)
{
    const char *const *names = pf_report_form_names();
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (name != NULL && strcmp(name, names[i]) != 0)
            continue;
        *ret_form = (PfReportForm)i;
        return true;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                "--format %s: must be table, markdown, latex, csv, json or esx", name);
    return false;
}

static bool check_numbers(const RunOptions *options, GError **error)
{
    if (options->threads >= 0 && options->threads <= 1024 && options->stop_after >= 0)
        return true;
    if (options->stop_after < 0)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--stop-after %" G_GINT64_FORMAT ": must not be negative", options->stop_after);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-j %d: must be from 1 to 1024",
                    options->threads);
    return false;
}

/* Found before hours of work rather than behind them. */
static bool check_words(const RunOptions *options, GError **error)
{
    const char *missing = options->output != NULL && options->output[0] == '\0' ? "-o" : NULL;
    if (options->setup.policies != NULL && options->setup.policies[0] == '\0')
        missing = "--policy";
    if (options->events != NULL && options->events[0] == '\0')
        missing = "--events";
    if (options->window != NULL && options->events == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--window is of events; add --events FILE");
        return false;
    }
    if (missing == NULL)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: a name is missing", missing);
    return false;
}

/* The status tables of esx are of its runs only. */
static bool check_form(const PfSimulation *simulation, PfReportForm form, GError **error)
{
    bool has_any = form != PF_REPORT_ESX;
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++)
        has_any |= g_str_equal(pf_run_policy(pf_simulation_run_at(simulation, i)), "esx");
    if (!has_any)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--format esx: tells of policy esx, which is not among the policies");
    return has_any;
}

/* The events do not replace what the run reads. */
static bool keep_inputs(const char *events, const char *path, const PfSimulation *simulation,
                        GError **error)
{
    return events == NULL ||
           (pf_options_keep_input("--events", events, path, error) &&
            pf_options_keep_input("--events", events, pf_simulation_trace_path(simulation), error));
}

/* Whether there are results after ERROR, up to where it happened. */
static bool is_partial(const GError *error)
{
    return g_error_matches(error, PF_ERROR, PF_ERROR_INTERRUPTED) ||
           g_error_matches(error, PF_ERROR, PF_ERROR_LIMIT) ||
           g_error_matches(error, PF_ERROR, PF_ERROR_DIFFERENCE);
}

/* Everything after the playing: files, the comparison, and a line of where things are. */
static bool tell(PfApp *app, const RunOptions *options, const char *directory, PfReportForm form,
                 PfConfig *config, const PfOutputConfig *output, const PfSimulation *simulation,
                 const PfRunOutcome *outcome, GError **error)
{
    const char *const *warnings = pf_simulation_warnings(simulation);
    for (; warnings != NULL && *warnings != NULL; warnings++)
        pf_options_warn(app, "%s", *warnings);
    if (pf_simulation_trace_damage(simulation) != NULL)
        pf_options_warn(app, "salvaged: %s", pf_simulation_trace_damage(simulation));
    if (directory != NULL && !pf_run_results_write(app, directory, options->force != FALSE, config,
                                                   output, simulation, outcome, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_comparison(text, simulation, form);
    fwrite(text->str, 1, text->len, stdout);
    fprintf(stderr, "pagefold: %s%s%s%.2f s, %.1f MiB of memory at most%s\n",
            directory != NULL ? "results in " : "", directory != NULL ? directory : "",
            directory != NULL ? ", " : "", outcome->wall_seconds,
            (double)outcome->peak_bytes / (double)PF_MIB,
            directory != NULL ? "" : "; -o DIR keeps the results");
    return true;
}

/* A workload's configuration says nothing of a run, and its keys would be told as unknown. */
static bool check_is_run(PfConfig *config, const char *path, GError **error)
{
    const PfConfigSection *root = pf_config_section(config, "");
    if (!pf_config_is_set(root, "workload"))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                "%s: workload: describes a trace, not a run; `pagefold trace generate %s -o FILE` "
                "makes the trace, which a run may name",
                pf_config_origin(root, "workload"), path);
    return false;
}

/* A configuration with a sweep is, for one run, what its points have in common. */
static bool leave_sweep_out(const PfApp *app, PfConfig *config, const PfRegistry *registry,
                            GError **error)
{
    if (!pf_config_is_set(pf_config_section(config, ""), "sweep"))
        return true;
    g_autoptr(PfConfig) whole = pf_config_copy(config);
    g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
    pf_sweep_axes_bind(axes, whole);
    pf_simulation_bind(whole, registry);
    if (!pf_config_finish(whole, error))
        return false;
    pf_config_remove(pf_config_section(config, ""), "sweep");
    pf_options_warn(app, "its `sweep` is left out: one run is made; `pagefold sweep run` runs all");
    return true;
}

static int simulate(PfApp *app, const RunOptions *options, const char *path, PfReportForm form,
                    GError **error)
{
    g_autoptr(PfRegistry) registry = pf_setup_registry(&options->setup, error);
    if (registry == NULL)
        return 2;
    PfOutputConfig output = {0};
    g_autoptr(PfConfig) config = pf_setup_config(&options->setup, path, registry, &output, error);
    if (config == NULL || !check_is_run(config, path, error) ||
        !leave_sweep_out(app, config, registry, error) || !pf_figures_check(output.figures, error))
        return 2;
    g_autofree char *directory = pf_setup_directory(config, options->output);
    if (directory != NULL && !options->dry_run &&
        !pf_results_check(directory, options->force != FALSE, error))
        return 2;
    g_autoptr(PfEvents) events = NULL;
    PfWindow window = {.last = UINT64_MAX};
    if (options->window != NULL && !pf_events_window(options->window, &window, error))
        return 2;
    if (options->events != NULL && (events = pf_events_begin(options->events, error)) == NULL)
        return 2;
    pf_interrupt_watch(&app->interrupted);
    PfProgressLine line;
    pf_progress_init(&line, stderr, isatty(STDERR_FILENO) != 0);
    PfSimulationOptions how = {
        .threads = options->threads > 0 ? (unsigned)options->threads : g_get_num_processors(),
        .verify = options->verify != FALSE,
        .paranoid = options->paranoid != FALSE,
        .salvage = options->salvage != FALSE,
        .dry_run = options->dry_run != FALSE,
        .stop_after = (uint64_t)options->stop_after,
        .events_directory = events != NULL                          ? pf_events_directory(events)
                            : output.events && directory != NULL ? g_get_tmp_dir()
                                                                 : NULL,
        .window = window,
        .trace = options->trace,
        .progress = pf_progress_update,
        .progress_user = &line,
        .seconds = pf_progress_seconds,
        .interrupted = &app->interrupted,
    };
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &how, error);
    if (simulation == NULL || !check_form(simulation, form, error) ||
        !keep_inputs(options->events, path, simulation, error))
        return 2;
    if (options->dry_run) {
        fprintf(stderr, "pagefold: %s: OK, %zu policies\n", path,
                pf_simulation_run_count(simulation));
        return 0;
    }
    PfRunOutcome outcome = {0};
    pf_run_results_play(simulation, &outcome);
    pf_progress_finish(&line);
    g_autoptr(GError) cause = outcome.error;
    if (cause != NULL && !is_partial(cause)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return 1;
    }
    if (events != NULL && !pf_events_write(events, simulation, error))
        return 1;
    if (!tell(app, options, directory, form, config, &output, simulation, &outcome, error))
        return 1;
    if (cause != NULL)
        g_propagate_error(error, g_steal_pointer(&cause));
    return 0;
}

/* --trace as one more setting. */
static void assign_trace(RunOptions *options)
{
    char **assignments = options->setup.assignments;
    unsigned count = assignments != NULL ? g_strv_length(assignments) : 0;
    assignments = g_renew(char *, assignments, count + 2);
    assignments[count] = g_strconcat("trace=", options->trace, NULL);
    assignments[count + 1] = NULL;
    options->setup.assignments = assignments;
}

/* -x: many runs instead of one. */
static int vary(PfApp *app, RunOptions *options, const char *path, GError **error)
{
    const char *alone = options->events != NULL     ? "--events"
                        : options->format != NULL   ? "--format"
                        : options->stop_after != 0  ? "--stop-after"
                        : options->salvage != FALSE ? "--salvage"
                        : options->dry_run != FALSE ? "--dry-run"
                        : options->force != FALSE   ? "--force"
                                                    : NULL;
    if (alone != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s is of one run; -x makes many", alone);
        return 2;
    }
    if (options->trace != NULL)
        assign_trace(options);
    PfSweepHow how = {
        .app = app,
        .setup = &options->setup,
        .workers = options->threads > 0 ? (unsigned)options->threads : g_get_num_processors(),
        .shards = 1,
        .verify = options->verify != FALSE,
        .paranoid = options->paranoid != FALSE,
    };
    return pf_sweep_run(&how, path, options->varied, options->output, error);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(RunOptions) options = {0};
    g_auto(GStrv) arguments = NULL;
    PfReportForm form = PF_REPORT_TABLE;
    PfParse parsed = parse_options(app, command, argc, argv, &options, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    pf_installed_find(&options.trace);
    options.setup.has_trace = options.trace != NULL;
    if (!find_form(options.format, &form, error) || !check_numbers(&options, error) ||
        !check_words(&options, error))
        return 2;
    if (options.varied != NULL)
        return vary(app, &options, arguments[0], error);
    return simulate(app, &options, arguments[0], form, error);
}

const PfCommand pf_command_run = {
    .name = "run",
    .arguments = "CONFIG",
    .summary = "Play a trace on a machine under several policies and compare them",
    .examples =
        "  pagefold run demo.cfg                             print the comparison\n"
        "  pagefold run demo.cfg -o out -j 4                 ... and keep all results in out/\n"
        "  pagefold run demo.cfg --policy esx --verify       this one, checked byte by byte\n"
        "  pagefold run demo.cfg -s policies.esx.rate=500 --format markdown\n"
        "  pagefold run demo.cfg -x policies.esx.rate=50..800*2 -o rates   a sweep\n"
        "  pagefold run out/config.cfg --trace a.pft -o out2 repeat a run\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
