#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"
#include "explain.h"
#include "installed.h"
#include "interrupt.h"
#include "presets.h"
#include "setup.h"
#include "simulation.h"

/* Each option as stored by GOption; strings are owned. */
typedef struct {
    PfSetup setup;
    char *config;
    gint64 from;
    gint64 to;
    gboolean ascii;
    gboolean step;
} ExplainOptions;

static void clear_options(ExplainOptions *options)
{
    pf_setup_clear(&options->setup);
    g_free(options->config);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ExplainOptions, clear_options)

static PfParse parse_options(PfApp *app, const PfCommand *command, int argc, char **argv,
                             ExplainOptions *options, char ***ret_arguments, GError **error)
{
    const GOptionEntry entries[] = {
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &options->config,
         "the machine and the policy (default: all defaults, `scan` records are obeyed)", "FILE"},
        {"policy", 0, 0, G_OPTION_ARG_FILENAME, &options->setup.policies,
         "whose doings are told (default: the first of --config, else collapse)", "NAME"},
        {"set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->setup.assignments,
         "set a key of the configuration (may be repeated)", "KEY=VALUE"},
        {"from", 0, 0, G_OPTION_ARG_INT64, &options->from, "tell from event N on", "N"},
        {"to", 0, 0, G_OPTION_ARG_INT64, &options->to, "end with event N", "N"},
        {"plugin", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->setup.plugins,
         "load a policy from a shared object (may be repeated)", "FILE"},
        {"ascii", 0, 0, G_OPTION_ARG_NONE, &options->ascii,
         "write no character beyond ASCII (default at a terminal not known to show UTF-8)", NULL},
        {"step", 0, 0, G_OPTION_ARG_NONE, &options->step,
         "wait for a key after each event; q ends", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    return pf_options_parse(app, command, entries, argc, argv, ret_arguments, error);
}

static bool check_options(const ExplainOptions *options, GError **error)
{
    if (options->from < 0 || options->to < 0 ||
        (options->to > 0 && options->to < MAX(options->from, 1)))
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--from and --to: must be numbers of events, from 1 on, in that order");
    else if (options->step && (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0))
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--step: there is no terminal to wait for a key from");
    else if (options->setup.policies != NULL && strchr(options->setup.policies, ',') != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--policy %s: one policy is explained at a time", options->setup.policies);
    else
        return true;
    return false;
}

/* Whether the trace at PATH can be told: sets FIRST and LAST of WHAT, and RET_SCANS if it calls the
 * policy itself. */
static bool look_ahead(const char *path, const ExplainOptions *options, PfExplainOptions *what,
                       bool *ret_scans, GError **error)
{
    if (pf_trace_is_stream(path)) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: is no file, and a trace to explain is read twice; write it to a file "
                    "first",
                    path);
        return false;
    }
    PfTraceSummary summary;
    if (!pf_trace_verify(path, &summary, error))
        return false;
    what->first = MAX((uint64_t)options->from, 1);
    what->last = options->to > 0 ? MIN((uint64_t)options->to, summary.records) : summary.records;
    *ret_scans = summary.records_by_kind[PF_RECORD_SCAN] > 0;
    if (what->last < what->first) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--from %" PRIu64 ": %s has %" PRIu64 " events", what->first, path,
                    summary.records);
        return false;
    }
    if (what->last - what->first < PF_EXPLAIN_EVENTS_MAX)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_LIMIT,
                "%s: %" PRIu64 " events are too many to be told, %d are the most; choose some "
                "with --from and --to, or cut a piece out with `pagefold trace cut`",
                path, what->last - what->first + 1, PF_EXPLAIN_EVENTS_MAX);
    return false;
}

/* The configuration, or one that says nothing but the policy. */
static PfConfig *make_config(const ExplainOptions *options, PfRegistry *registry, bool scans,
                             GError **error)
{
    PfOutputConfig output;
    const PfSetup *setup = &options->setup;
    if (options->config != NULL)
        return pf_setup_config(setup, options->config, registry, &output, error);
    const char *name = setup->policies != NULL ? setup->policies : "collapse";
    g_autofree char *quoted = g_strescape(name, NULL);
    bool is_known = pf_registry_find_policy(registry, name) != NULL;
    g_autofree char *text = g_strdup_printf("policies = ( { name = \"%s\"; %s} );\n", quoted,
                                            scans && is_known ? "pacing = \"trace\"; " : "");
    g_autoptr(PfConfig) config =
        pf_config_load_text(text, strlen(text), "--policy", pf_preset_text, error);
    if (config == NULL)
        return NULL;
    for (char **assignment = setup->assignments; assignment != NULL && *assignment != NULL;
         assignment++)
        if (!pf_config_override(config, *assignment, error))
            return NULL;
    pf_setup_bind_output(config, &output);
    return g_steal_pointer(&config);
}

/* Whether standard output is a terminal that the environment does not say to know UTF-8. */
static bool is_plain_terminal(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *locale = g_getenv(names[i]);
        if (locale == NULL || locale[0] == '\0')
            continue;
        g_autofree char *lower = g_ascii_strdown(locale, -1);
        return strstr(lower, "utf-8") == NULL && strstr(lower, "utf8") == NULL &&
               isatty(STDOUT_FILENO) != 0;
    }
    return isatty(STDOUT_FILENO) != 0;
}

static void print_head(const char *path, const PfSimulation *simulation)
{
    g_autofree char *name = g_path_get_basename(path);
    const PfRun *run = pf_simulation_run_at(simulation, 0);
    printf("%s under policy %s: pages of %" PRIu32 " bytes.\n\n"
           "private: stores go there. hint: so they do, and the policy keeps the frame in\n"
           "mind. COW: a store makes a copy. A star stands before what is new.\n\n",
           name, pf_run_label(run), pf_simulation_trace_header(simulation)->page_bytes);
}

static int tell(PfApp *app, const ExplainOptions *options, const char *path, GError **error)
{
    PfExplainOptions what = {.style = {.is_ascii = options->ascii != FALSE || is_plain_terminal(),
                                       .has_color = pf_options_color(app, STDOUT_FILENO)},
                             .waits = options->step != FALSE,
                             .interrupted = &app->interrupted};
    bool scans;
    if (!look_ahead(path, options, &what, &scans, error))
        return 2;
    g_autoptr(PfRegistry) registry = pf_setup_registry(&options->setup, error);
    if (registry == NULL)
        return 2;
    g_autoptr(PfConfig) config = make_config(options, registry, scans, error);
    if (config == NULL)
        return 2;
    g_autoptr(PfExplain) explain = pf_explain_new(&what);
    PfSimulationOptions how = {
        .threads = 1,
        .stop_after = what.last,
        .trace = path,
        .observer = pf_explain_observer(explain),
        .interrupted = &app->interrupted,
    };
    pf_interrupt_watch(&app->interrupted);
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &how, error);
    if (simulation == NULL)
        return 2;
    if (pf_simulation_run_at(simulation, 0)->config->mode != PF_MODE_MACHINE) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "mode: nothing is mapped in runs of DRAM or caches alone; leave it out");
        return 2;
    }
    print_head(path, simulation);
    bool is_done = pf_simulation_run(simulation, error);
    const char *const *warnings = pf_simulation_warnings(simulation);
    for (; warnings != NULL && *warnings != NULL; warnings++)
        pf_options_warn(app, "%s", *warnings);
    pf_explain_finish(explain, pf_simulation_run_at(simulation, 0));
    if (pf_explain_has_quit(explain))
        g_clear_error(error);
    return is_done || pf_explain_has_quit(explain) ? 0 : 1;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(ExplainOptions) options = {0};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = parse_options(app, command, argc, argv, &options, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    pf_installed_find(&options.config);
    options.setup.has_trace = true;
    return check_options(&options, error) ? tell(app, &options, arguments[0], error) : 2;
}

const PfCommand pf_command_explain = {
    .name = "explain",
    .arguments = "TRACE",
    .summary = "Tell a small trace event by event, with a picture of memory",
    .examples =
        "  pagefold explain traces/stories/figure-2.trace             what copy-on-write does\n"
        "  pagefold explain traces/stories/figure-3.trace --step      ... and collapse, by key\n"
        "  pagefold explain traces/samples/tiny.trace --policy ksm    what another policy does\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
