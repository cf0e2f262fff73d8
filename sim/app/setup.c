#include "setup.h"

#include <string.h>

#include "error.h"
#include "installed.h"
#include "presets.h"
#include "trace_input.h"
#include "trace_source.h"

static const PfConfigField output_fields[] = {
    {.key = "dir",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfOutputConfig, dir),
     .description = "directory for the results of `run`; nothing is written where it is not said"},
    {.key = "figures",
     .type = PF_CONFIG_STRINGS,
     .offset = offsetof(PfOutputConfig, figures),
     .standard = "",
     .description = "figures drawn into the directory after a run or a sweep; `pagefold list "
                    "figures`"},
    {.key = "events",
     .type = PF_CONFIG_BOOL,
     .offset = offsetof(PfOutputConfig, events),
     .standard = "false",
     .description = "events.csv in the directory: each sharing made, broken or ended, as with "
                    "--events; figure `breakers` is drawn from it"},
};

void pf_setup_clear(PfSetup *setup)
{
    g_strfreev(setup->assignments);
    g_strfreev(setup->plugins);
    g_free(setup->policies);
    g_free(setup->seed);
    g_free(setup->epoch);
    *setup = (PfSetup){0};
}

PfRegistry *pf_setup_registry(const PfSetup *setup, GError **error)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    for (char **plugin = setup->plugins; plugin != NULL && *plugin != NULL; plugin++)
        if (!pf_registry_load(registry, *plugin, error))
            return NULL;
    return g_steal_pointer(&registry);
}

static bool override_seed(PfConfig *config, const char *text, GError **error)
{
    uint64_t seed = 0;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &seed, NULL)) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--seed %s: must be a whole number from 0 to 9223372036854775807", text);
        return false;
    }
    g_autofree char *assignment = g_strdup_printf("seed=%" G_GUINT64_FORMAT "L", seed);
    return pf_config_override(config, assignment, error);
}

static bool override_epoch(PfConfig *config, const char *text, GError **error)
{
    uint64_t picoseconds = 0;
    g_autoptr(GError) cause = NULL;
    if (strcmp(text, "auto") != 0 &&
        !pf_parse_quantity(text, PF_CONFIG_TIME, &picoseconds, &cause)) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--epoch %s: %s", text, cause->message);
        return false;
    }
    g_autofree char *assignment = g_strdup_printf("output.epoch=\"%s\"", text);
    return pf_config_override(config, assignment, error);
}

void pf_setup_bind_output(PfConfig *config, PfOutputConfig *ret_output)
{
    *ret_output = (PfOutputConfig){0};
    pf_config_bind(pf_config_section(config, "output"), output_fields, G_N_ELEMENTS(output_fields),
                   ret_output);
}

char *pf_setup_directory(PfConfig *config, const char *said)
{
    if (said != NULL)
        return g_strdup(said);
    PfOutputConfig output;
    pf_setup_bind_output(config, &output);
    return output.dir != NULL && output.dir[0] != '\0'
               ? pf_config_path(pf_config_section(config, "output"), "dir")
               : NULL;
}

/* Loads what `plugins` of CONFIG names: policies' names must be known before they are bound. */
static bool load_named_plugins(const PfSetup *setup, PfConfig *config, PfRegistry *registry,
                               GError **error)
{
    for (char **assignment = setup->assignments; assignment != NULL && *assignment != NULL;
         assignment++)
        if (g_str_has_prefix(*assignment, "plugins=") &&
            !pf_config_override(config, *assignment, error))
            return false;
    static const PfConfigField field = {.key = "plugins",
                                        .type = PF_CONFIG_STRINGS,
                                        .standard = "",
                                        .description = "Shared objects with policies, finders or "
                                                       "hashes."};
    PfConfigSection *root = pf_config_section(config, "");
    char **names = NULL;
    pf_config_bind(root, &field, 1, &names);
    for (char **name = names; name != NULL && *name != NULL; name++) {
        g_autofree char *path = pf_config_resolve(root, "plugins", *name);
        if (!pf_registry_load(registry, path, error)) {
            g_prefix_error(error, "%s: plugins: ", pf_config_origin(root, "plugins"));
            return false;
        }
    }
    return true;
}

static void find_trace(PfConfig *config)
{
    PfConfigSection *root = pf_config_section(config, "");
    g_autofree char *named = pf_config_path(root, "trace");
    g_autofree char *found = g_strdup(named);
    pf_installed_find(&found);
    if (g_strcmp0(named, found) != 0)
        pf_config_set(root, "trace", PF_CONFIG_STRING, found, "installed");
}

static bool is_trace(const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return false;
    g_autoptr(PfInput) input = pf_input_open(path, NULL);
    return input != NULL && pf_trace_looks(input);
}

/* The file at PATH. Of a trace it is told that it is one, not what is wrong with its syntax. */
static PfConfig *load_file(const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;
    PfConfig *config = pf_config_load(path, pf_preset_text, &cause);
    if (config != NULL)
        return config;
    if (is_trace(path))
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: is a trace, no configuration; `pagefold run configs/savings.cfg --trace "
                    "%s` plays it",
                    path, path);
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

PfConfig *pf_setup_config(const PfSetup *setup, const char *path, PfRegistry *registry,
                          PfOutputConfig *ret_output, GError **error)
{
    g_autoptr(PfConfig) config = load_file(path, error);
    if (config == NULL || !load_named_plugins(setup, config, registry, error))
        return NULL;
    if (setup->policies != NULL &&
        !pf_setup_select_policies(config, path, registry, setup->policies, error))
        return NULL;
    for (char **assignment = setup->assignments; assignment != NULL && *assignment != NULL;
         assignment++)
        if (!pf_config_override(config, *assignment, error))
            return NULL;
    if (setup->seed != NULL && !override_seed(config, setup->seed, error))
        return NULL;
    if (setup->epoch != NULL && !override_epoch(config, setup->epoch, error))
        return NULL;
    if (!setup->has_trace)
        find_trace(config);
    pf_setup_bind_output(config, ret_output);
    return g_steal_pointer(&config);
}
