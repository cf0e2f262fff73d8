#include "sweep_plan.h"

#include <string.h>
#include <xxhash.h>

#include "cost_card.h"
#include "error.h"
#include "figures.h"
#include "simulation.h"
#include "sweep_traces.h"

/* What no result depends on, or what is told by its content instead. */
static const char *const unimportant[] = {"output.dir", "output.figures", "trace", NULL};

/* ---- The configuration of a point ---- */

static const PfSweepAxis *axis_at(const PfSweepPlan *plan, size_t index)
{
    return g_ptr_array_index(plan->axes->axes, index);
}

static void reseed(PfConfig *config, uint64_t repeat)
{
    static const PfConfigField field = {.key = "seed", .type = PF_CONFIG_UINT, .standard = "1",
                                        .description = "Master seed."};
    PfConfigSection *root = pf_config_section(config, "");
    uint64_t seed = 1;
    pf_config_bind(root, &field, 1, &seed);
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, pf_sweep_seed(seed, repeat));
    pf_config_set(root, "seed", PF_CONFIG_UINT, text, "repeat");
}

PfConfig *pf_sweep_plan_begin(PfSweepPlan *plan, uint64_t point, uint64_t repeat, GError **error)
{
    g_autoptr(PfConfig) config = pf_config_copy(plan->base);
    pf_config_remove(pf_config_section(config, ""), "sweep");
    for (size_t i = 0; i < plan->axes->axes->len; i++) {
        const PfSweepAxis *axis = axis_at(plan, i);
        for (size_t key = 0; axis->keys[key] != NULL; key++) {
            const char *text = pf_sweep_axes_text(plan->axes, point, i, key);
            if (text != NULL && !pf_config_assign(config, axis->keys[key], text, axis->place,
                                                  axis->place_key, "-x", error))
                return NULL;
        }
    }
    if (repeat > 0)
        reseed(config, repeat);
    PfOutputConfig output;
    pf_setup_bind_output(config, &output);
    return g_steal_pointer(&config);
}

PfConfig *pf_sweep_plan_config(PfSweepPlan *plan, uint64_t point, uint64_t repeat, GError **error)
{
    g_autoptr(PfConfig) config = pf_sweep_plan_begin(plan, point, repeat, error);
    if (config == NULL)
        return NULL;
    pf_simulation_bind(config, plan->registry);
    return pf_config_finish(config, error) ? g_steal_pointer(&config) : NULL;
}

/* ---- Identities ---- */

static uint64_t identity(const PfSweepPlan *plan, const PfConfig *config, const char *trace)
{
    g_autofree char *text = config != NULL ? pf_config_dump(config, false, unimportant) : NULL;
    g_autofree char *all =
        g_strjoin("\n", plan->version, trace, text != NULL ? text : "", NULL);
    return XXH3_64bits(all, strlen(all));
}

/* Notes the identity of POINT; what is wrong with its configuration, if anything, goes to ERROR. A
 * trace that is missing or damaged is told when its turn comes. */
static void resolve(PfSweepPlan *plan, uint64_t point, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(PfConfig) config = pf_sweep_plan_config(plan, point, 0, &cause);
    g_autofree char *trace = NULL;
    if (config != NULL)
        trace = pf_sweep_trace_identity(plan, config, &cause);
    g_autofree char *number = g_strdup_printf("point %" G_GUINT64_FORMAT, point);
    plan->ids[point] = identity(plan, config, trace != NULL ? trace : number);
    plan->is_valid[point] = !g_error_matches(cause, PF_ERROR, PF_ERROR_CONFIG);
    if (!plan->is_valid[point])
        g_propagate_error(error, g_steal_pointer(&cause));
}

/* What the threads that resolve share. */
typedef struct {
    PfSweepPlan *plan;
    uint64_t next;
} Resolving;

static gpointer resolve_some(gpointer data)
{
    Resolving *resolving = data;
    PfSweepPlan *plan = resolving->plan;
    for (;;) {
        uint64_t point = __atomic_fetch_add(&resolving->next, 1, __ATOMIC_RELAXED);
        if (point >= plan->points)
            return NULL;
        g_autoptr(GError) ignored = NULL; /* told when its turn comes */
        resolve(plan, point, &ignored);
    }
}

static void resolve_all(PfSweepPlan *plan, unsigned workers)
{
    Resolving resolving = {plan, 0};
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    for (unsigned i = 1; i < MIN(workers, plan->points); i++)
        g_ptr_array_add(threads, g_thread_new("resolve", resolve_some, &resolving));
    resolve_some(&resolving);
    for (unsigned i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
}

/* A value that no point can use is a mistake of the sweep, not of a point. Such mistakes are told
 * at once, each once. */
static bool check_values(PfSweepPlan *plan, GError **error)
{
    g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) all = g_string_new(NULL);
    for (size_t i = 0; i < plan->axes->axes->len; i++) {
        size_t count = axis_at(plan, i)->values->len;
        g_autofree uint8_t *usable = g_new0(uint8_t, count);
        g_autofree uint64_t *example = g_new0(uint64_t, count);
        for (uint64_t point = 0; point < plan->points; point++) {
            size_t value = pf_sweep_axes_index(plan->axes, point, i);
            usable[value] |= plan->is_valid[point];
            example[value] = point;
        }
        for (size_t value = 0; value < count; value++) {
            g_autoptr(GError) cause = NULL;
            if (!usable[value])
                resolve(plan, example[value], &cause);
            if (cause != NULL && g_hash_table_add(told, g_strdup(cause->message)))
                g_string_append_printf(all, "%s%s", all->len > 0 ? "\n" : "", cause->message);
        }
    }
    if (all->len > 0)
        g_set_error_literal(error, PF_ERROR, PF_ERROR_CONFIG, all->str);
    return all->len == 0;
}

/* ---- The whole ---- */

static bool add_digest(GString *version, const char *path, GError **error)
{
    g_autofree char *digest = pf_trace_digest(path, error);
    if (digest != NULL)
        g_string_append_printf(version, " %s", digest);
    return digest != NULL;
}

/* Digests of the program and of what it loads: a point is changed if they are. */
static bool find_version(PfSweepPlan *plan, const PfSetup *setup, GError **error)
{
    static const PfConfigField field = {.key = "plugins", .type = PF_CONFIG_STRINGS,
                                        .standard = "", .description = "Shared objects."};
    g_autoptr(GString) version = g_string_new(NULL);
    if (!add_digest(version, "/proc/self/exe", error))
        return false;
    for (char **plugin = setup->plugins; plugin != NULL && *plugin != NULL; plugin++)
        if (!add_digest(version, *plugin, error))
            return false;
    PfConfigSection *root = pf_config_section(plan->whole, "");
    char **names = NULL;
    pf_config_bind(root, &field, 1, &names);
    for (char **name = names; name != NULL && *name != NULL; name++) {
        g_autofree char *path = pf_config_resolve(root, "plugins", *name);
        if (!add_digest(version, path, error))
            return false;
    }
    plan->version = g_strdup(version->str);
    return true;
}

static void bind_whole(PfSweepPlan *plan, char **varied)
{
    plan->whole = pf_config_copy(plan->base);
    PfConfigSection *root = pf_config_section(plan->whole, "");
    if (varied == NULL && pf_config_is_set(root, "sweep"))
        pf_sweep_axes_bind(plan->axes, plan->whole);
    pf_simulation_bind(plan->whole, plan->registry);
}

static bool read_axes(PfSweepPlan *plan, char **varied, GError **error)
{
    PfConfigSection *root = pf_config_section(plan->base, "");
    bool has_section = pf_config_is_set(root, "sweep");
    if (varied != NULL && has_section) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "-x: %s has axes already (%s); `pagefold sweep run` runs them", plan->path,
                    pf_config_origin(root, "sweep"));
        return false;
    }
    if (varied == NULL && !has_section) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "%s: it says nothing of a sweep; add sweep = { axes = ({ key = \"KEY\"; "
                    "values = (1, 2); }); }; or use `pagefold run -x KEY=1,2`",
                    plan->path);
        return false;
    }
    bind_whole(plan, varied);
    if (!pf_config_finish(plan->whole, error))
        return false;
    for (char **text = varied; text != NULL && *text != NULL; text++)
        if (!pf_sweep_axes_add(plan->axes, *text, error))
            return false;
    if (pf_sweep_axes_check_limit(plan->axes, error))
        return true;
    if (has_section)
        g_prefix_error(error, "%s: ", pf_config_origin(root, "sweep"));
    return false;
}

PfSweepPlan *pf_sweep_plan_new(const PfSetup *setup, const char *path, char **varied,
                               const char *directory, unsigned workers, GError **error)
{
    g_autoptr(PfSweepPlan) plan = g_new0(PfSweepPlan, 1);
    g_mutex_init(&plan->lock);
    plan->path = g_strdup(path);
    plan->axes = pf_sweep_axes_new();
    plan->traces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    plan->registry = pf_setup_registry(setup, error);
    if (plan->registry == NULL)
        return NULL;
    PfOutputConfig output;
    plan->base = pf_setup_config(setup, path, plan->registry, &output, error);
    if (plan->base == NULL || !read_axes(plan, varied, error) ||
        !find_version(plan, setup, error) || !pf_figures_check(output.figures, error))
        return NULL;
    plan->figures = output.figures;
    plan->directory = pf_setup_directory(plan->base, directory);
    plan->points = pf_sweep_axes_points(plan->axes);
    plan->ids = g_new0(uint64_t, plan->points);
    plan->is_valid = g_new0(uint8_t, plan->points);
    resolve_all(plan, workers);
    return check_values(plan, error) ? g_steal_pointer(&plan) : NULL;
}

void pf_sweep_plan_free(PfSweepPlan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->path);
    pf_sweep_axes_free(plan->axes);
    pf_config_free(plan->whole);
    pf_config_free(plan->base);
    g_clear_pointer(&plan->registry, pf_registry_free);
    g_hash_table_unref(plan->traces);
    g_mutex_clear(&plan->lock);
    g_free(plan->directory);
    g_free(plan->version);
    g_free(plan->ids);
    g_free(plan->is_valid);
    g_free(plan);
}

/* ---- What varies, in words ---- */

size_t pf_sweep_plan_keys(const PfSweepPlan *plan)
{
    size_t keys = 0;
    for (size_t i = 0; i < plan->axes->axes->len; i++)
        keys += g_strv_length(axis_at(plan, i)->keys);
    return keys;
}

/* Key number KEY of all as a key of an axis. */
static const PfSweepAxis *find_key(const PfSweepPlan *plan, size_t *key, size_t *ret_axis)
{
    for (size_t i = 0;; i++) {
        const PfSweepAxis *axis = axis_at(plan, i);
        size_t count = g_strv_length(axis->keys);
        *ret_axis = i;
        if (*key < count)
            return axis;
        *key -= count;
    }
}

const char *pf_sweep_plan_key(const PfSweepPlan *plan, size_t key)
{
    size_t number;
    const PfSweepAxis *axis = find_key(plan, &key, &number);
    return axis->keys[key];
}

char *pf_sweep_plan_text(const PfSweepPlan *plan, uint64_t point, size_t key)
{
    size_t axis;
    find_key(plan, &key, &axis);
    const char *text = pf_sweep_axes_text(plan->axes, point, axis, key);
    return text != NULL ? pf_config_unquoted(text) : g_strdup("");
}

static void append_word(GString *command, const char *option, const char *text)
{
    bool plain = text[0] != '\0' &&
                 text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-./,:=+@%")] == '\0';
    g_autofree char *quoted = plain ? g_strdup(text) : g_shell_quote(text);
    g_string_append_printf(command, " %s%s%s", option, option[0] != '\0' ? " " : "", quoted);
}

/* Whether TEXT is a path where KEY has it. */
static bool is_path(const char *key, const char *text)
{
    return strcmp(key, "trace") == 0 ||
           (strcmp(key, "machine.costs.preset") == 0 && pf_cost_card_text(text) == NULL);
}

/* A path in a configuration is relative to that file, in a setting to the working directory. */
static void append_setting(GString *command, const PfSweepAxis *axis, const char *key,
                           const char *text)
{
    g_autofree char *word = pf_config_unquoted(text);
    g_autofree char *path = is_path(key, word) && axis->place != NULL
                                ? pf_config_resolve(axis->place, axis->place_key, word)
                                : NULL;
    g_autofree char *setting = g_strdup_printf("%s=%s", key, path != NULL ? path : text);
    append_word(command, "-s", setting);
}

/* What the user said of all points, so far as it is of one run. */
static void append_setup(GString *command, const PfSetup *setup)
{
    if (setup->policies != NULL)
        append_word(command, "--policy", setup->policies);
    for (char **plugin = setup->plugins; plugin != NULL && *plugin != NULL; plugin++)
        append_word(command, "--plugin", *plugin);
    for (char **assignment = setup->assignments; assignment != NULL && *assignment != NULL;
         assignment++)
        if (!g_str_has_prefix(*assignment, "sweep.") && !g_str_has_prefix(*assignment, "sweep="))
            append_word(command, "-s", *assignment);
    if (setup->epoch != NULL) {
        g_autofree char *setting = g_strconcat("output.epoch=", setup->epoch, NULL);
        append_word(command, "-s", setting);
    }
}

char *pf_sweep_plan_command(PfSweepPlan *plan, const PfSetup *setup, uint64_t point,
                            uint64_t repeat, const char *trace)
{
    g_autoptr(GString) command = g_string_new("pagefold run");
    append_word(command, "", plan->path);
    append_setup(command, setup);
    for (size_t i = 0; i < plan->axes->axes->len; i++) {
        const PfSweepAxis *axis = axis_at(plan, i);
        for (size_t key = 0; axis->keys[key] != NULL; key++) {
            const char *text = pf_sweep_axes_text(plan->axes, point, i, key);
            if (text != NULL)
                append_setting(command, axis, axis->keys[key], text);
        }
    }
    g_autoptr(PfConfig) config = pf_sweep_plan_config(plan, point, repeat, NULL);
    if (config == NULL)
        return g_strdup(command->str);
    g_autofree char *seed = pf_config_plain(config, "seed");
    if ((repeat > 0 || setup->seed != NULL) && seed != NULL)
        append_word(command, "--seed", seed);
    /* That is the sweep's own folder. */
    if (pf_config_is_set(pf_config_section(config, "output"), "dir"))
        append_word(command, "-s", "output.dir=");
    g_autofree char *said = pf_config_path(pf_config_section(config, ""), "trace");
    if (trace != NULL && g_strcmp0(said, trace) != 0)
        append_word(command, "--trace", trace);
    return g_strdup(command->str);
}
