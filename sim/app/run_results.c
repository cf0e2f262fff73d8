#include "run_results.h"

#include <sys/resource.h>

#include "error.h"
#include "events.h"
#include "figures.h"
#include "manifest.h"
#include "report.h"
#include "results.h"
#include "units.h"
#include "version.h"

void pf_run_results_play(PfSimulation *simulation, PfRunOutcome *outcome)
{
    outcome->started_us = g_get_real_time();
    gint64 before_us = g_get_monotonic_time();
    pf_simulation_run(simulation, &outcome->error);
    outcome->wall_seconds = (double)(g_get_monotonic_time() - before_us) / G_USEC_PER_SEC;
    outcome->finished_us = g_get_real_time();
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    outcome->peak_bytes = (uint64_t)usage.ru_maxrss * PF_KIB;
}

/* The configuration as it was used, to be run again: without where its results went, and with the
 * trace by its base name, so that it is the same wherever the run took place. */
static GString *resolved_config(PfConfig *config, const PfSimulation *simulation)
{
    static const char *const except[] = {"output.dir", "trace", NULL};
    g_autofree char *name = g_path_get_basename(pf_simulation_trace_path(simulation));
    g_autofree char *rest = pf_config_dump(config, false, except);
    g_autofree char *quoted = g_strescape(name, NULL);
    GString *text = g_string_new(NULL);
    g_string_append_printf(text,
                           "# pagefold %s; the trace has the XXH3-128 digest %s\n"
                           "# to repeat the run: pagefold run config.cfg --trace FILE\n"
                           "trace = \"%s\";\n%s",
                           PF_VERSION, pf_simulation_trace_digest(simulation), quoted, rest);
    return text;
}

static bool add_report(PfResults *results, const char *name, const PfSimulation *simulation,
                       void (*report)(GString *, const PfSimulation *), GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    report(text, simulation);
    return pf_results_add(results, name, text, error);
}

bool pf_run_results_write(const PfApp *app, const char *path, bool force, PfConfig *config,
                          const PfOutputConfig *output, const PfSimulation *simulation,
                          const PfRunOutcome *outcome, GError **error)
{
    g_autoptr(PfResults) results = pf_results_begin(path, force, error);
    if (results == NULL)
        return false;
    GString *resolved = resolved_config(config, simulation);
    bool written = pf_results_add(results, "config.cfg", resolved, error);
    g_string_free(resolved, TRUE);
    if (!written || !add_report(results, "stats.json", simulation, pf_report_json, error) ||
        !add_report(results, "stats.csv", simulation, pf_report_stats_csv, error) ||
        !add_report(results, "epochs.csv", simulation, pf_report_epochs_csv, error) ||
        !add_report(results, "marks.csv", simulation, pf_report_marks_csv, error) ||
        !add_report(results, "distributions.csv", simulation, pf_report_distributions_csv, error))
        return false;
    const char *directory = pf_results_directory(results);
    if (output != NULL && output->events && !pf_events_add(directory, simulation, error))
        return false;
    if (output != NULL)
        pf_figures_draw(output->figures, directory, app);
    PfManifest manifest = {
        .app = app,
        .simulation = simulation,
        .results = results,
        .started_us = outcome->started_us,
        .finished_us = outcome->finished_us,
        .wall_seconds = outcome->wall_seconds,
        .peak_bytes = outcome->peak_bytes,
        .exit_status = outcome->error != NULL ? pf_error_exit_status(outcome->error) : 0,
        .error = outcome->error,
    };
    g_autoptr(GString) text = g_string_new(NULL);
    pf_manifest_json(text, &manifest);
    return pf_results_add(results, "manifest.json", text, error) &&
           pf_results_commit(results, output != NULL, error);
}
