#include "sweep_traces.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "error.h"
#include "presets.h"
#include "rng.h"
#include "version.h"
#include "workload.h"

uint64_t pf_sweep_seed(uint64_t seed, uint64_t repeat)
{
    if (repeat == 0)
        return seed;
    g_autofree char *name = g_strdup_printf("repeat %" G_GUINT64_FORMAT, repeat);
    PfRng rng = pf_rng_derive(seed, name);
    return pf_rng_next(&rng) >> 1; /* configuration syntax has signed integers */
}

/* The digest of the file at PATH, computed once. */
static char *digest_of(PfSweepPlan *plan, const char *path, GError **error)
{
    g_mutex_lock(&plan->lock);
    char *digest = g_strdup(g_hash_table_lookup(plan->digests, path));
    if (digest == NULL && (digest = pf_trace_digest(path, error)) != NULL)
        g_hash_table_insert(plan->digests, g_strdup(path), g_strdup(digest));
    g_mutex_unlock(&plan->lock);
    return digest;
}

static char *trace_path(PfConfig *config, GError **error)
{
    PfConfigSection *root = pf_config_section(config, "");
    g_autofree char *path = pf_config_path(root, "trace");
    if (path == NULL)
        g_set_error_literal(error, PF_ERROR, PF_ERROR_CONFIG,
                            "no trace: give `trace = \"FILE\";`, or an axis of it");
    else if (strcmp(path, "-") == 0)
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "%s: trace: standard input cannot be read once for each point",
                    pf_config_origin(root, "trace"));
    else
        return g_steal_pointer(&path);
    return NULL;
}

static bool is_workload(const char *path)
{
    return g_str_has_suffix(path, ".cfg");
}

/* The workload at PATH with the seed of run REPEAT; RET_CONFIG owns what it is made of. */
static PfWorkload *load_workload(const char *path, uint64_t repeat, PfConfig **ret_config,
                                 GError **error)
{
    uint64_t seed = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        g_autoptr(PfConfig) config = pf_config_load(path, pf_preset_text, error);
        if (config == NULL)
            return NULL;
        if (pass == 1) {
            g_autofree char *text =
                g_strdup_printf("%" G_GUINT64_FORMAT, pf_sweep_seed(seed, repeat));
            pf_config_set(pf_config_section(config, "workload"), "seed", PF_CONFIG_UINT, text,
                          "repeat");
        }
        g_autoptr(PfWorkload) workload = pf_workload_new(config);
        if (!pf_config_finish(config, error))
            return NULL;
        seed = pf_workload_seed(workload);
        if (pass == 0 && repeat > 0)
            continue;
        *ret_config = g_steal_pointer(&config);
        return g_steal_pointer(&workload);
    }
    return NULL;
}

/* What the trace of a workload depends on. */
static char *workload_digest(const PfSweepPlan *plan, const PfConfig *config)
{
    g_autofree char *text = pf_config_dump(config, false, NULL);
    g_autofree char *all = g_strconcat(plan->version, "\n", text, NULL);
    return g_strdup_printf("%016" G_GINT64_MODIFIER "x",
                           (guint64)XXH3_64bits(all, strlen(all)));
}

char *pf_sweep_trace_identity(PfSweepPlan *plan, PfConfig *config, GError **error)
{
    g_autofree char *path = trace_path(config, error);
    if (path == NULL)
        return NULL;
    if (!is_workload(path))
        return digest_of(plan, path, error);
    g_autoptr(PfConfig) source = NULL;
    g_autoptr(PfWorkload) workload = load_workload(path, 0, &source, error);
    return workload != NULL ? workload_digest(plan, source) : NULL;
}

static bool generate(const PfWorkload *workload, const char *path, const int *interrupted,
                     GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: %s", folder, g_strerror(errno));
        return false;
    }
    g_autofree char *description = pf_workload_describe(workload, PF_VERSION);
    PfTraceHeader header = {.page_bytes = pf_workload_page_bytes(workload),
                            .description = description};
    PfWorkloadOptions options = {.interrupted = interrupted};
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, PF_TRACE_BINARY, &header, error);
    return writer != NULL && pf_workload_write(workload, writer, &options, error) &&
           pf_trace_writer_finish(writer, error);
}

/* The trace of the workload at SOURCE_PATH, in the sweep's own folder. */
static char *generated(PfSweepPlan *plan, const char *source_path, uint64_t repeat,
                       const int *interrupted, GError **error)
{
    g_autoptr(PfConfig) source = NULL;
    g_autoptr(PfWorkload) workload = load_workload(source_path, repeat, &source, error);
    if (workload == NULL)
        return NULL;
    g_autofree char *digest = workload_digest(plan, source);
    g_autofree char *base = g_path_get_basename(source_path);
    base[strlen(base) - strlen(".cfg")] = '\0';
    g_autofree char *name = g_strdup_printf("%s-%s.pft", base, digest);
    g_autofree char *path = g_build_filename(plan->directory, "traces", name, NULL);
    /* Whoever needs it meanwhile waits. */
    g_mutex_lock(&plan->lock);
    bool is_there = access(path, R_OK) == 0 || generate(workload, path, interrupted, error);
    g_mutex_unlock(&plan->lock);
    return is_there ? g_steal_pointer(&path) : NULL;
}

char *pf_sweep_plan_trace(PfSweepPlan *plan, PfConfig *config, uint64_t repeat,
                          const int *interrupted, char **ret_digest, GError **error)
{
    g_autofree char *path = trace_path(config, error);
    if (path != NULL && is_workload(path)) {
        g_autofree char *source = g_steal_pointer(&path);
        path = generated(plan, source, repeat, interrupted, error);
    }
    *ret_digest = path != NULL ? digest_of(plan, path, error) : NULL;
    return *ret_digest != NULL ? g_steal_pointer(&path) : NULL;
}
