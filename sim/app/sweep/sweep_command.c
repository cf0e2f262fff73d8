#include "sweep_command.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "error.h"
#include "figures.h"
#include "interrupt.h"
#include "manifest.h"
#include "report.h"
#include "sweep_collect.h"
#include "sweep_folder.h"
#include "units.h"

/* Some points failed, the others are done. */
enum { EXIT_SOME_FAILED = 4 };

/* Each option as stored by GOption; strings are owned. */
typedef struct {
    PfSetup setup;
    char *output;
    char *shard;
    int workers;
    gboolean time;
    gboolean verify;
    gboolean paranoid;
} Options;

static void clear_options(Options *options)
{
    pf_setup_clear(&options->setup);
    g_free(options->output);
    g_free(options->shard);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, clear_options)

static PfParse parse(PfApp *app, const PfCommand *command, int argc, char **argv, PfSweepVerb verb,
                     Options *options, char ***ret_arguments, GError **error)
{
    const GOptionEntry common[] = {
        {"set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->setup.assignments,
         "set a key of the configuration (may be repeated)", "KEY=VALUE"},
        {"policy", 0, 0, G_OPTION_ARG_FILENAME, &options->setup.policies,
         "run these policies only, and `none`", "NAME[,NAME]"},
        {"seed", 0, 0, G_OPTION_ARG_FILENAME, &options->setup.seed, "seed of all that is random",
         "N"},
        {"plugin", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->setup.plugins,
         "load a policy from a shared object (may be repeated)", "FILE"},
        {"jobs", 'j', 0, G_OPTION_ARG_INT, &options->workers,
         "points at the same time (default: one a processor)", "N"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
         "where the sweep is (else output.dir)", "DIR"},
    };
    const GOptionEntry expanding = {"time", 0, 0, G_OPTION_ARG_NONE, &options->time,
                                    "run the first point and tell what all will take", NULL};
    const GOptionEntry running[] = {
        {"shard", 0, 0, G_OPTION_ARG_FILENAME, &options->shard,
         "the points whose number is I modulo N only", "I/N"},
        {"verify", 0, 0, G_OPTION_ARG_NONE, &options->verify,
         "compare memory with what it would be with no sharing", NULL},
        {"paranoid", 0, 0, G_OPTION_ARG_NONE, &options->paranoid,
         "check the invariants of all models all the time (slow)", NULL},
    };
    g_autoptr(GArray) entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    g_array_append_vals(entries, common, G_N_ELEMENTS(common));
    if (verb == PF_SWEEP_EXPAND)
        g_array_append_val(entries, expanding);
    if (verb == PF_SWEEP_RUN)
        g_array_append_vals(entries, running, G_N_ELEMENTS(running));
    return pf_options_parse(app, command, (const GOptionEntry *)(const void *)entries->data, argc,
                            argv, ret_arguments, error);
}

/* "I/N", every point if NULL. */
static bool parse_shard(const char *text, PfSweepHow *how, GError **error)
{
    how->shard = 0;
    how->shards = 1;
    if (text == NULL)
        return true;
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    guint64 shard = 0;
    guint64 shards = 0;
    if (g_strv_length(parts) == 2 &&
        g_ascii_string_to_unsigned(parts[1], 10, 1, 1000000, &shards, NULL) &&
        g_ascii_string_to_unsigned(parts[0], 10, 0, shards - 1, &shard, NULL)) {
        how->shard = (unsigned)shard;
        how->shards = (unsigned)shards;
        return true;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                "--shard %s: write I/N, with I from 0 to N - 1: --shard 0/4", text);
    return false;
}

/* ---- expand ---- */

static void print_points(const PfSweepPlan *plan)
{
    g_autoptr(GString) text = g_string_new("point");
    size_t keys = pf_sweep_plan_keys(plan);
    for (size_t key = 0; key < keys; key++) {
        g_string_append_c(text, ',');
        pf_report_append_field(text, pf_sweep_plan_key(plan, key));
    }
    g_string_append_c(text, '\n');
    for (uint64_t point = 0; point < plan->points; point++) {
        g_string_append_printf(text, "%" G_GUINT64_FORMAT, point);
        for (size_t key = 0; key < keys; key++) {
            g_autofree char *value = pf_sweep_plan_text(plan, point, key);
            g_string_append_c(text, ',');
            pf_report_append_field(text, value);
        }
        g_string_append_c(text, '\n');
        fwrite(text->str, 1, text->len, stdout);
        g_string_truncate(text, 0);
    }
}

static int expand(PfSweepPlan *plan, const PfSweepHow *how, bool time, GError **error)
{
    print_points(plan);
    uint64_t repeats = plan->axes->repeat;
    uint64_t runs = plan->points * repeats;
    fprintf(stderr, "pagefold: %" G_GUINT64_FORMAT " points, %" G_GUINT64_FORMAT " runs\n",
            plan->points, runs);
    if (!time)
        return 0;
    pf_interrupt_watch(&how->app->interrupted);
    double seconds = pf_sweep_time(plan, how, error);
    if (seconds < 0)
        return 1;
    fprintf(stderr,
            "pagefold: the first takes %.2f s; if the others do, all take %.0f s on %u workers\n",
            seconds, ceil((double)runs / how->workers) * seconds, how->workers);
    return 0;
}

/* ---- run ---- */

static void count_states(const PfSweepPlan *plan, uint64_t counts[PF_SWEEP_STATES])
{
    for (uint64_t point = 0; point < plan->points; point++)
        counts[pf_sweep_folder_state(plan, point)]++;
}

/* How long each run took, as its own manifest tells. */
static double run_seconds(const PfSweepPlan *plan, uint64_t point, uint64_t repeat)
{
    g_autofree char *directory = pf_sweep_folder_run(plan, point, repeat);
    g_autofree char *path = g_build_filename(directory, "manifest.json", NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return -1;
    const char *found = strstr(text, "\"wall_seconds\":");
    return found != NULL ? g_ascii_strtod(found + strlen("\"wall_seconds\":"), NULL) : -1;
}

static void add_runs(PfJson *json, const PfSweepPlan *plan)
{
    pf_json_open(json, "points", '[');
    for (uint64_t point = 0; point < plan->points; point++) {
        g_autofree char *id =
            g_strdup_printf("%016" G_GINT64_MODIFIER "x", (guint64)plan->ids[point]);
        pf_json_open(json, NULL, '{');
        pf_json_uint(json, "point", point);
        pf_json_string(json, "id", id);
        pf_json_open(json, "seconds", '[');
        for (uint64_t repeat = 0; repeat < plan->axes->repeat; repeat++) {
            double seconds = run_seconds(plan, point, repeat);
            pf_json_double(json, NULL, seconds >= 0 ? seconds : (double)NAN);
        }
        pf_json_close(json, ']');
        pf_json_close(json, '}');
    }
    pf_json_close(json, ']');
}

static bool write_manifest(const PfSweepPlan *plan, const PfSweepHow *how,
                           const uint64_t counts[PF_SWEEP_STATES], PfManifest *manifest,
                           GError **error)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    manifest->app = how->app;
    manifest->peak_bytes = (uint64_t)usage.ru_maxrss * PF_KIB;
    manifest->finished_us = g_get_real_time();
    manifest->wall_seconds =
        (double)(manifest->finished_us - manifest->started_us) / G_USEC_PER_SEC;
    g_autoptr(GString) text = g_string_new(NULL);
    PfJson json;
    pf_json_init(&json, text);
    pf_manifest_open(&json, manifest, counts[PF_SWEEP_DONE] == plan->points);
    for (PfSweepState state = PF_SWEEP_DONE; state < PF_SWEEP_STATES; state++)
        pf_json_uint(&json, pf_sweep_state_name(state), counts[state]);
    pf_json_uint(&json, "workers", how->workers);
    pf_json_uint(&json, "repeat", plan->axes->repeat);
    add_runs(&json, plan);
    pf_manifest_close(&json, manifest);
    return pf_sweep_folder_write(plan, "manifest.json", text, error);
}

static void tell_outcome(const PfSweepPlan *plan, const PfSweepHow *how,
                         const PfSweepOutcome *outcome, const uint64_t counts[PF_SWEEP_STATES])
{
    fprintf(stderr,
            "pagefold: %" G_GUINT64_FORMAT " runs in %.2f s (%.2f s of work on %u workers), "
            "%" G_GUINT64_FORMAT " were done already\n",
            outcome->runs, outcome->seconds, outcome->run_seconds, how->workers,
            outcome->done_before);
    fprintf(stderr,
            "pagefold: %s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " points done, "
            "%" G_GUINT64_FORMAT " failed%s\n",
            plan->directory, counts[PF_SWEEP_DONE], plan->points, counts[PF_SWEEP_FAILED],
            counts[PF_SWEEP_PENDING] == 0 ? "; results.csv" : "");
}

/* What is done is kept, whatever ended the work. */
static bool conclude(PfSweepPlan *plan, const PfSweepHow *how, const PfSweepOutcome *outcome,
                     PfManifest *manifest, GError **error)
{
    uint64_t counts[PF_SWEEP_STATES] = {0};
    count_states(plan, counts);
    uint64_t collected = 0;
    if (!pf_sweep_folder_write_points(plan, error) ||
        !write_manifest(plan, how, counts, manifest, error) ||
        (counts[PF_SWEEP_PENDING] == 0 && !pf_sweep_collect(plan, &collected, error)))
        return false;
    tell_outcome(plan, how, outcome, counts);
    if (counts[PF_SWEEP_PENDING] == 0)
        pf_figures_draw(plan->figures, plan->directory, how->app);
    return true;
}

static int run_plan(PfSweepPlan *plan, const PfSweepHow *how, GError **error)
{
    PfManifest manifest = {.started_us = g_get_real_time()};
    int descriptor = pf_sweep_folder_open(plan, how->shards > 1, error);
    if (descriptor < 0)
        return 2;
    pf_interrupt_watch(&how->app->interrupted);
    PfSweepOutcome outcome;
    g_autoptr(GError) cause = NULL;
    pf_sweep_work(plan, how, descriptor, &outcome, &cause);
    manifest.error = cause;
    manifest.exit_status = cause != NULL            ? pf_error_exit_status(cause)
                           : outcome.failed > 0 ? EXIT_SOME_FAILED
                                                : 0;
    g_autoptr(GError) late = NULL;
    bool concluded = conclude(plan, how, &outcome, &manifest, &late);
    close(descriptor);
    if (cause != NULL)
        g_propagate_error(error, g_steal_pointer(&cause));
    else if (!concluded)
        g_propagate_error(error, g_steal_pointer(&late));
    return manifest.exit_status;
}

int pf_sweep_run(const PfSweepHow *how, const char *path, char **varied, const char *directory,
                 GError **error)
{
    g_autoptr(PfSweepPlan) plan =
        pf_sweep_plan_new(how->setup, path, varied, directory, how->workers, error);
    if (plan == NULL)
        return 2;
    if (plan->directory == NULL) {
        g_set_error_literal(error, PF_ERROR, PF_ERROR_USAGE,
                            "-o is missing: a sweep needs a place, as in -o DIR");
        return 2;
    }
    return run_plan(plan, how, error);
}

/* ---- status, collect ---- */

static int status(const PfSweepPlan *plan)
{
    uint64_t counts[PF_SWEEP_STATES] = {0};
    count_states(plan, counts);
    for (PfSweepState state = PF_SWEEP_DONE; state < PF_SWEEP_STATES; state++)
        printf("%-8s %8" G_GUINT64_FORMAT " %6.1f %%\n", pf_sweep_state_name(state),
               counts[state], 100.0 * (double)counts[state] / (double)MAX(plan->points, 1));
    for (uint64_t point = 0; point < plan->points; point++) {
        for (uint64_t repeat = 0; repeat < plan->axes->repeat; repeat++) {
            g_autofree char *failure = pf_sweep_folder_failure(plan, point, repeat);
            if (failure != NULL && !pf_sweep_folder_is_done(plan, point, repeat))
                fprintf(stderr, "pagefold: point %" G_GUINT64_FORMAT " failed: %s", point, failure);
        }
    }
    return 0;
}

static int collect(PfSweepPlan *plan, const PfApp *app, GError **error)
{
    uint64_t points = 0;
    if (!pf_sweep_collect(plan, &points, error))
        return 1;
    fprintf(stderr,
            "pagefold: %s/results.csv: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " points\n",
            plan->directory, points, plan->points);
    pf_figures_draw(plan->figures, plan->directory, app);
    return 0;
}

static int do_verb(const Options *options, const PfSweepHow *how, const char *path,
                   PfSweepVerb verb, GError **error)
{
    if (verb == PF_SWEEP_RUN)
        return pf_sweep_run(how, path, NULL, options->output, error);
    g_autoptr(PfSweepPlan) plan =
        pf_sweep_plan_new(how->setup, path, NULL, options->output, how->workers, error);
    if (plan == NULL)
        return 2;
    if (verb == PF_SWEEP_EXPAND)
        return expand(plan, how, options->time != FALSE, error);
    if (plan->directory == NULL || !pf_sweep_folder_is_sweep(plan->directory)) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: %s",
                    plan->directory != NULL ? plan->directory : "-o is missing",
                    "no sweep is there; `pagefold sweep run` makes one");
        return 2;
    }
    return verb == PF_SWEEP_STATUS ? status(plan) : collect(plan, how->app, error);
}

int pf_sweep_command(PfApp *app, const PfCommand *command, int argc, char **argv, PfSweepVerb verb,
                     GError **error)
{
    g_auto(Options) options = {0};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = parse(app, command, argc, argv, verb, &options, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    PfSweepHow how = {
        .app = app,
        .setup = &options.setup,
        .workers = options.workers > 0 ? (unsigned)options.workers : g_get_num_processors(),
        .verify = options.verify != FALSE,
        .paranoid = options.paranoid != FALSE,
    };
    if (options.workers < 0 || options.workers > 1024) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-j %d: must be from 1 to 1024",
                    options.workers);
        return 2;
    }
    if (!parse_shard(options.shard, &how, error))
        return 2;
    return do_verb(&options, &how, arguments[0], verb, error);
}
