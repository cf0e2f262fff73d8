#include "manifest.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "version.h"

/* The files whose digests tell whether two runs are equal. */
static const char *const digested[] = {"config.cfg", "stats.json", "stats.csv", "epochs.csv",
                                       "marks.csv", "distributions.csv"};

static void add_time(PfJson *json, const char *key, gint64 time_us)
{
    g_autoptr(GDateTime) whole = g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format_iso8601(whole);
    pf_json_string(json, key, text);
}

static void add_host(PfJson *json)
{
    struct utsname name = {0};
    uname(&name);
    pf_json_open(json, "host", '{');
    pf_json_string(json, "name", name.nodename);
    pf_json_string(json, "system", name.sysname);
    pf_json_string(json, "release", name.release);
    pf_json_string(json, "machine", name.machine);
    pf_json_uint(json, "processors", g_get_num_processors());
    pf_json_close(json, '}');
}

static void add_digests(PfJson *json, const PfManifest *manifest)
{
    pf_json_open(json, "digests", '{');
    pf_json_string(json, "trace", pf_simulation_trace_digest(manifest->simulation));
    for (size_t i = 0; i < G_N_ELEMENTS(digested); i++)
        pf_json_string(json, digested[i], pf_results_digest(manifest->results, digested[i]));
    pf_json_close(json, '}');
}

bool pf_manifest_says(const char *manifest, const char *name, const char *bytes, size_t length)
{
    g_autofree char *digest = pf_digest(bytes, length);
    g_autofree char *member = g_strdup_printf("\"%s\": \"%s\"", name, digest);
    return strstr(manifest, member) != NULL;
}

bool pf_manifest_is_true(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "manifest.json", NULL);
    g_autofree char *manifest = NULL;
    bool is_true = g_file_get_contents(path, &manifest, NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(digested) && is_true; i++) {
        g_autofree char *file = g_build_filename(directory, digested[i], NULL);
        g_autofree char *bytes = NULL;
        gsize length = 0;
        is_true = g_file_get_contents(file, &bytes, &length, NULL) &&
                  pf_manifest_says(manifest, digested[i], bytes, length);
    }
    return is_true;
}

static void add_times(PfJson *json, const PfManifest *manifest)
{
    pf_json_open(json, "times", '{');
    add_time(json, "started", manifest->started_us);
    add_time(json, "finished", manifest->finished_us);
    pf_json_double(json, "wall_seconds", manifest->wall_seconds);
    pf_json_close(json, '}');
}

void pf_manifest_open(PfJson *json, const PfManifest *manifest, bool complete)
{
    g_autofree char *directory = g_get_current_dir();
    pf_json_open(json, NULL, '{');
    pf_json_uint(json, "schema", 1);
    pf_json_bool(json, "complete", complete);
    pf_json_uint(json, "exit", (uint64_t)manifest->exit_status);
    pf_json_string(json, "error", manifest->error != NULL ? manifest->error->message : NULL);
    pf_json_open(json, "command", '[');
    for (int i = 0; i < manifest->app->argc; i++)
        pf_json_string(json, NULL, manifest->app->argv[i]);
    pf_json_close(json, ']');
    pf_json_string(json, "directory", directory);
    pf_json_open(json, "versions", '{');
    pf_json_string(json, "pagefold", PF_VERSION);
    g_autofree char *glib =
        g_strdup_printf("%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);
    pf_json_string(json, "glib", glib);
    pf_json_close(json, '}');
}

void pf_manifest_close(PfJson *json, const PfManifest *manifest)
{
    add_host(json);
    add_times(json, manifest);
    pf_json_uint(json, "peak_memory_bytes", manifest->peak_bytes);
    pf_json_close(json, '}');
}

void pf_manifest_json(GString *out, const PfManifest *manifest)
{
    const PfSimulation *simulation = manifest->simulation;
    PfJson json;
    pf_json_init(&json, out);
    pf_manifest_open(&json, manifest, pf_simulation_complete(simulation));
    pf_json_string(&json, "trace", pf_simulation_trace_path(simulation));
    pf_json_string(&json, "damage", pf_simulation_trace_damage(simulation));
    pf_json_uint(&json, "seed", pf_simulation_seed(simulation));
    pf_json_uint(&json, "records", pf_simulation_records(simulation));
    pf_json_uint(&json, "differences", pf_simulation_differences(simulation));
    pf_json_open(&json, "warnings", '[');
    const char *const *warnings = pf_simulation_warnings(simulation);
    for (; warnings != NULL && *warnings != NULL; warnings++)
        pf_json_string(&json, NULL, *warnings);
    pf_json_close(&json, ']');
    add_digests(&json, manifest);
    pf_manifest_close(&json, manifest);
}
