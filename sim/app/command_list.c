#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "figures.h"
#include "import.h"
#include "presets.h"
#include "setup.h"
#include "simulation.h"

static void list_policies(const PfRegistry *registry)
{
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        const PfPolicyOps *policy = pf_registry_policy(registry, i);
        printf("%-16s %s%s\n", policy->name, policy->summary,
               (policy->flags & PF_POLICY_LOSSY) != 0 ? " (lossy)" : "");
    }
}

static void list_finders(const PfRegistry *registry)
{
    for (size_t i = 0; i < pf_registry_finder_count(registry); i++)
        printf("%-16s %s\n", pf_registry_finder(registry, i)->name,
               pf_registry_finder(registry, i)->summary);
}

static void list_filters(const PfRegistry *registry)
{
    for (size_t i = 0; i < pf_registry_filter_count(registry); i++)
        printf("%-16s %s\n", pf_registry_filter(registry, i)->name,
               pf_registry_filter(registry, i)->summary);
}

static void list_presets(const PfRegistry *registry)
{
    (void)registry;
    g_auto(GStrv) names = pf_preset_names();
    for (char **name = names; *name != NULL; name++) {
        g_autofree char *summary = pf_preset_summary(*name);
        printf("%-16s %s\n", *name, summary);
    }
}

static void print_stat(const PfStatInfo *info, PfStatValue value, void *user)
{
    (void)value;
    (void)user;
    printf("%-36s %-11s %s\n", info->name, info->unit, info->description);
}

static void list_stats(const PfRegistry *registry)
{
    pf_simulation_list_stats(registry, print_stat, NULL);
}

static void list_figures(const PfRegistry *registry)
{
    (void)registry;
    for (size_t i = 0; i < pf_figure_count(); i++)
        printf("%-20s %s; from %s\n", pf_figure_at(i)->name, pf_figure_at(i)->summary,
               pf_figure_at(i)->source);
}

static void list_importers(const PfRegistry *registry)
{
    (void)registry;
    const PfImportFormat *format;
    for (size_t i = 0; (format = pf_import_at(i)) != NULL; i++)
        printf("%-16s %s\n", pf_import_name(format), pf_import_summary(format));
}

/* A model and its keys: what a section of `machine` binds. */
static void add_model(const char *path, const PfConfigField *field, void *user)
{
    GPtrArray *models = user; /* GString, "section  key key ..." */
    if (!g_str_has_prefix(path, "machine."))
        return;
    g_autofree char *head = g_strdup_printf("%-24s", path);
    for (guint i = 0; i < models->len; i++) {
        GString *line = models->pdata[i];
        if (g_str_has_prefix(line->str, head)) {
            g_string_append_printf(line, " %s", field->key);
            return;
        }
    }
    GString *line = g_string_new(head);
    g_string_append_printf(line, " %s", field->key);
    g_ptr_array_add(models, line);
}

static void free_line(gpointer line)
{
    g_string_free(line, TRUE);
}

static void list_models(const PfRegistry *registry)
{
    g_autoptr(PfConfig) config = pf_config_new(pf_preset_text);
    pf_simulation_bind(config, registry);
    g_autoptr(GPtrArray) models = g_ptr_array_new_with_free_func(free_line);
    pf_config_visit_fields(config, add_model, models);
    for (guint i = 0; i < models->len; i++)
        printf("%s\n", ((GString *)models->pdata[i])->str);
    for (size_t i = 0; i < pf_registry_hash_count(registry); i++) {
        const PfHashOps *hash = pf_registry_hash(registry, i);
        printf("%-24s hash, %u bits: %s\n", hash->name, hash->bits, hash->summary);
    }
}

static const struct {
    const char *name;
    void (*list)(const PfRegistry *registry);
} lists[] = {
    {"policies", list_policies}, {"finders", list_finders},     {"filters", list_filters},
    {"models", list_models},     {"presets", list_presets},     {"stats", list_stats},
    {"figures", list_figures},   {"importers", list_importers},
};

static void set_unknown_list(const char *asked, GError **error)
{
    const char *names[G_N_ELEMENTS(lists) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        names[i] = lists[i].name;
    const char *nearest = pf_options_nearest(asked, names);
    g_autofree char *all = g_strjoinv(", ", (char **)(void *)names);
    if (nearest != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "list %s: unknown; did you mean %s?", asked,
                    nearest);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "list %s: unknown; there are %s", asked, all);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(PfSetup) setup = {0};
    const GOptionEntry entries[] = {
        {"plugin", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &setup.plugins,
         "load a policy from a shared object (may be repeated)", "FILE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    g_autoptr(PfRegistry) registry = pf_setup_registry(&setup, error);
    if (registry == NULL)
        return 2;
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (strcmp(arguments[0], lists[i].name) != 0)
            continue;
        lists[i].list(registry);
        return 0;
    }
    set_unknown_list(arguments[0], error);
    return 2;
}

const PfCommand pf_command_list = {
    .name = "list",
    .arguments = "policies|finders|filters|models|presets|stats|figures|importers",
    .summary = "Tell what there is to choose from",
    .examples =
        "  pagefold list policies                            names and what they do\n"
        "  pagefold list stats                               names, units, a sentence each\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
