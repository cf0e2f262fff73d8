#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "presets.h"
#include "setup.h"
#include "simulation.h"
#include "sweep_axes.h"
#include "workload.h"

static PfParse parse_setup(PfApp *app, const PfCommand *command, int argc, char **argv,
                           PfSetup *setup, char ***ret_arguments, GError **error)
{
    const GOptionEntry entries[] = {
        {"set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &setup->assignments,
         "set a key of the configuration (may be repeated)", "KEY=VALUE"},
        {"policy", 0, 0, G_OPTION_ARG_FILENAME, &setup->policies, "these policies only",
         "NAME[,NAME]"},
        {"seed", 0, 0, G_OPTION_ARG_FILENAME, &setup->seed, "seed of all that is random", "N"},
        {"plugin", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &setup->plugins,
         "load a policy from a shared object (may be repeated)", "FILE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    return pf_options_parse(app, command, entries, argc, argv, ret_arguments, error);
}

/* The configuration at PATH with every table bound; NULL with all of its errors. */
static PfConfig *load_whole(const PfSetup *setup, const char *path, PfRegistry *registry,
                            GError **error)
{
    PfOutputConfig output;
    g_autoptr(PfConfig) config = pf_setup_config(setup, path, registry, &output, error);
    if (config == NULL)
        return NULL;
    pf_simulation_bind(config, registry);
    g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
    if (pf_config_is_set(pf_config_section(config, ""), "sweep"))
        pf_sweep_axes_bind(axes, config);
    g_autoptr(PfWorkload) workload = NULL;
    if (pf_config_is_set(pf_config_section(config, ""), "workload"))
        workload = pf_workload_new(config);
    if (!pf_config_finish(config, error))
        return NULL;
    return g_steal_pointer(&config);
}

static int check_or_dump(PfApp *app, const PfCommand *command, int argc, char **argv, bool dump,
                         GError **error)
{
    g_auto(PfSetup) setup = {0};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = parse_setup(app, command, argc, argv, &setup, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    g_autoptr(PfRegistry) registry = pf_setup_registry(&setup, error);
    if (registry == NULL)
        return 2;
    g_autoptr(PfConfig) config = load_whole(&setup, arguments[0], registry, error);
    if (config == NULL)
        return 2;
    g_autofree char *text =
        dump ? pf_config_dump(config, true, NULL) : g_strdup_printf("%s: OK\n", arguments[0]);
    fputs(text, stdout);
    return 0;
}

static int run_check(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return check_or_dump(app, command, argc, argv, false, error);
}

static int run_dump(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return check_or_dump(app, command, argc, argv, true, error);
}

/* What `config explain KEY` looks for, and what it found. */
typedef struct {
    const char *wanted; /* NULL: all */
    char *section;      /* of the last row shown, owned */
    GPtrArray *keys;    /* every key's path, for a hint; owned strings */
    unsigned shown;
} Explanation;

static const char *type_name(PfConfigType type)
{
    switch (type) {
    case PF_CONFIG_BOOL:
        return "true or false";
    case PF_CONFIG_UINT:
        return "integer";
    case PF_CONFIG_SIZE:
        return "size, as \"64KiB\"";
    case PF_CONFIG_TIME:
        return "time, as \"13.75ns\"";
    case PF_CONFIG_FREQUENCY:
        return "frequency, as \"2.6GHz\"";
    case PF_CONFIG_BANDWIDTH:
        return "bandwidth, as \"20GB/s\"";
    case PF_CONFIG_DOUBLE:
        return "number";
    case PF_CONFIG_STRING:
        return "string";
    case PF_CONFIG_ENUM:
        return "one of";
    case PF_CONFIG_STRINGS:
        return "list of strings";
    case PF_CONFIG_VALUES:
        return "list of values";
    }
    return "";
}

/* The smallest unit in which the bounds of a field of TYPE are told. */
static const char *base_unit(const PfConfigField *field)
{
    switch (field->type) {
    case PF_CONFIG_SIZE:
        return " B";
    case PF_CONFIG_TIME:
        return " ps";
    case PF_CONFIG_FREQUENCY:
        return " Hz";
    case PF_CONFIG_BANDWIDTH:
        return " B/s";
    case PF_CONFIG_BOOL:
    case PF_CONFIG_UINT:
    case PF_CONFIG_DOUBLE:
    case PF_CONFIG_STRING:
    case PF_CONFIG_ENUM:
    case PF_CONFIG_STRINGS:
    case PF_CONFIG_VALUES:
        return "";
    }
    return "";
}

static void print_range(const PfConfigField *field)
{
    const char *unit = base_unit(field);
    for (size_t i = 0; field->type == PF_CONFIG_ENUM && field->choices[i] != NULL; i++)
        printf("%s%s", i == 0 ? " " : ", ", field->choices[i]);
    if (field->min != 0 && field->max != 0)
        printf(", from %" G_GUINT64_FORMAT "%s to %" G_GUINT64_FORMAT "%s", field->min, unit,
               field->max, unit);
    else if (field->min != 0)
        printf(", at least %" G_GUINT64_FORMAT "%s", field->min, unit);
    else if (field->max != 0)
        printf(", at most %" G_GUINT64_FORMAT "%s", field->max, unit);
    if (field->power_of_two)
        printf(", a power of two");
    if (field->automatic)
        printf(", or auto");
}

static void explain_field(const char *path, const PfConfigField *field, void *user)
{
    Explanation *explanation = user;
    g_autofree char *key =
        path[0] != '\0' ? g_strjoin(".", path, field->key, NULL) : g_strdup(field->key);
    for (guint i = 0; i < explanation->keys->len; i++)
        if (strcmp(explanation->keys->pdata[i], key) == 0)
            return;
    g_ptr_array_add(explanation->keys, g_strdup(key));
    const char *wanted = explanation->wanted;
    size_t length = wanted != NULL ? strlen(wanted) : 0;
    if (wanted != NULL && wanted[0] != '\0' &&
        (strncmp(key, wanted, length) != 0 || (key[length] != '\0' && key[length] != '.')))
        return;
    if (explanation->shown > 0)
        printf("\n");
    bool is_sentence = g_str_has_suffix(field->description, ".");
    printf("%s\n    %s%s\n    %s", key, field->description, is_sentence ? "" : ".",
           type_name(field->type));
    print_range(field);
    if (field->unit != NULL)
        printf(", in %s", field->unit);
    printf("; default: %s\n", field->standard == NULL      ? "none"
                              : field->standard[0] == '\0' ? "empty"
                                                           : field->standard);
    explanation->shown++;
}

/* A workload with one element in each list, so that each one's keys can be explained. */
static void append_workload(PfConfig *config)
{
    PfConfigSection *workload = pf_config_section(config, "workload");
    PfConfigSection *context = pf_config_list_append(workload, "contexts");
    pf_config_set(context, "name", PF_CONFIG_STRING, "NAME", "default");
    pf_config_list_append(context, "common");
    pf_config_list_append(pf_config_list_append(workload, "phases"), "writes");
    pf_workload_free(pf_workload_new(config));
}

/* Likewise a sweep of one axis. */
static void append_sweep(PfConfig *config)
{
    g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
    pf_config_list_append(pf_config_section(config, "sweep"), "axes");
    pf_sweep_axes_bind(axes, config);
}

/* Every policy is in the list, so that each one's keys can be explained. */
static PfConfig *config_of_everything(const PfRegistry *registry)
{
    g_autoptr(PfConfig) config = pf_config_new(pf_preset_text);
    PfConfigSection *root = pf_config_section(config, "");
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        PfConfigSection *section = pf_config_list_append(root, "policies");
        pf_config_set(section, "name", PF_CONFIG_STRING, pf_registry_policy(registry, i)->name,
                      "default");
    }
    PfOutputConfig output;
    pf_setup_bind_output(config, &output);
    pf_simulation_bind(config, registry);
    append_workload(config);
    append_sweep(config);
    return g_steal_pointer(&config);
}

static bool explain_key(Explanation *explanation, const PfConfig *config, GError **error)
{
    pf_config_visit_fields(config, explain_field, explanation);
    if (explanation->shown > 0)
        return true;
    g_ptr_array_add(explanation->keys, NULL);
    const char *nearest =
        pf_options_nearest(explanation->wanted, (const char *const *)explanation->keys->pdata);
    if (nearest != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: no such key; did you mean %s?",
                    explanation->wanted, nearest);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: no such key or section; `pagefold config explain \"\"` tells all",
                    explanation->wanted);
    return false;
}

static int run_explain(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(PfSetup) setup = {0};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = parse_setup(app, command, argc, argv, &setup, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    g_autoptr(PfRegistry) registry = pf_setup_registry(&setup, error);
    if (registry == NULL)
        return 2;
    /* A file explains the keys of what it describes, its own policies only. */
    bool is_file = g_file_test(arguments[0], G_FILE_TEST_IS_REGULAR);
    g_autoptr(PfConfig) config = is_file ? load_whole(&setup, arguments[0], registry, error)
                                         : config_of_everything(registry);
    if (config == NULL)
        return 2;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    Explanation explanation = {.wanted = is_file ? NULL : arguments[0], .keys = keys};
    return explain_key(&explanation, config, error) ? 0 : 2;
}

const PfCommand pf_command_config_check = {
    .name = "config check",
    .arguments = "CONFIG",
    .summary = "Tell all errors of a configuration",
    .examples = "  pagefold config check demo.cfg                    exit status 2 if it has any\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_check,
};

const PfCommand pf_command_config_dump = {
    .name = "config dump",
    .arguments = "CONFIG",
    .summary = "Write a configuration in full, each value with its origin",
    .examples = "  pagefold config dump demo.cfg -s machine.cores=8  what a run would use\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_dump,
};

const PfCommand pf_command_config_explain = {
    .name = "config explain",
    .arguments = "KEY|FILE",
    .summary = "Tell what a key, the keys of a section or those of a file mean",
    .examples = "  pagefold config explain policies.esx              all parameters of a policy\n"
                "  pagefold config explain machine.dram.channels     one key\n"
                "  pagefold config explain \"\"                        everything\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_explain,
};
