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

/* Appends to IDENTITY the digests of the files that TEXT, a trace in FOLDER, takes blobs of. */
static void add_blobs(GString *identity, const char *folder, const char *text, gsize length)
{
    g_autofree char *last = NULL;
    const char *end = text + length;
    for (const char *at = text; (at = memmem(at, (size_t)(end - at), "blob:", 5)) != NULL;) {
        at += strlen("blob:");
        size_t word = 0;
        while (at + word < end && !g_ascii_isspace(at[word]))
            word++;
        const char *colon = g_strrstr_len(at, (gssize)word, ":");
        g_autofree char *name = g_strndup(at, colon != NULL ? (gsize)(colon - at) : word);
        if (g_strcmp0(name, last) == 0)
            continue;
        g_autofree char *path =
            g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(folder, name, NULL);
        g_autofree char *digest = pf_trace_digest(path, NULL);
        g_string_append_printf(identity, " %s", digest != NULL ? digest : "missing");
        g_free(last);
        last = g_steal_pointer(&name);
    }
}

/* The digest of the trace at PATH, and, of a text trace, those of its blobs. */
static char *identify(const char *path, GError **error)
{
    static const char text_magic[] = "pagefold-trace";
    g_autofree char *digest = pf_trace_digest(path, error);
    if (digest == NULL)
        return NULL;
    g_autoptr(GString) identity = g_string_new(digest);
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
    gsize length = file != NULL ? g_mapped_file_get_length(file) : 0;
    g_autofree char *folder = g_path_get_dirname(path);
    if (length > strlen(text_magic) &&
        memcmp(g_mapped_file_get_contents(file), text_magic, strlen(text_magic)) == 0)
        add_blobs(identity, folder, g_mapped_file_get_contents(file), length);
    return g_strdup(identity->str);
}

/* The identity of the trace at PATH, found once; its own digest is the first word. */
static char *identity_of(PfSweepPlan *plan, const char *path, GError **error)
{
    g_mutex_lock(&plan->lock);
    char *identity = g_strdup(g_hash_table_lookup(plan->traces, path));
    if (identity == NULL && (identity = identify(path, error)) != NULL)
        g_hash_table_insert(plan->traces, g_strdup(path), g_strdup(identity));
    g_mutex_unlock(&plan->lock);
    return identity;
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
        return identity_of(plan, path, error);
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
    if (plan->directory == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: its trace is generated into the sweep's folder; name that with -o DIR",
                    source_path);
        return NULL;
    }
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
    *ret_digest = path != NULL ? identity_of(plan, path, error) : NULL;
    if (*ret_digest == NULL)
        return NULL;
    (*ret_digest)[strcspn(*ret_digest, " ")] = '\0';
    return g_steal_pointer(&path);
}
