#include <string.h>

#include "error.h"
#include "options.h"
#include "presets.h"
#include "setup.h"

/* What tells an entry of the list. */
typedef struct {
    char *name;
    char *label;
} Entry;

static const PfConfigField entry_fields[] = {
    {.key = "name",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(Entry, name),
     .description = "which policy"},
    {.key = "label",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(Entry, label),
     .description = "tells two entries of one policy apart"},
};

/* The whole list, each entry as configuration syntax. */
typedef struct {
    char **entries;
} List;

static const PfConfigField list_fields[] = {
    {.key = "policies",
     .type = PF_CONFIG_VALUES,
     .offset = offsetof(List, entries),
     .standard = "",
     .description = "the policies to run"},
};

static void set_unknown_policy(const PfRegistry *registry, const char *name, GError **error)
{
    size_t count = pf_registry_policy_count(registry);
    g_autofree const char **names = g_new0(const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        names[i] = pf_registry_policy(registry, i)->name;
    const char *nearest = pf_options_nearest(name, names);
    if (nearest != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--policy %s: no such policy; did you mean %s?", name, nearest);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--policy %s: no such policy; `pagefold list policies` lists them", name);
}

/* Appends the entries that NAME means to KEPT: the one of that label, else all of that name. */
static bool append_matching(GString *kept, PfConfigSection *root, char **entries, const char *name)
{
    bool found = false;
    for (unsigned by_label = 2; by_label-- > 0 && !found;) {
        for (size_t i = 0; i < pf_config_list_length(root, "policies"); i++) {
            Entry entry = {NULL, NULL};
            pf_config_bind(pf_config_list_section(root, "policies", i), entry_fields,
                           G_N_ELEMENTS(entry_fields), &entry);
            if (g_strcmp0(by_label == 1 ? entry.label : entry.name, name) != 0)
                continue;
            g_string_append_printf(kept, "%s%s", kept->len > 0 ? ", " : "", entries[i]);
            found = true;
        }
    }
    return found;
}

/* The list is taken from a second reading of PATH: what is bound here stays out of CONFIG. */
bool pf_setup_select_policies(PfConfig *config, const char *path, const PfRegistry *registry,
                              const char *names, GError **error)
{
    g_autoptr(PfConfig) source = pf_config_load(path, pf_preset_text, error);
    if (source == NULL)
        return false;
    PfConfigSection *root = pf_config_section(source, "");
    List list = {NULL};
    pf_config_bind(root, list_fields, G_N_ELEMENTS(list_fields), &list);
    g_auto(GStrv) wanted = g_strsplit(names, ",", -1);
    g_autoptr(GString) kept = g_string_new(NULL);
    for (char **name = wanted; *name != NULL; name++) {
        g_strstrip(*name);
        if (append_matching(kept, root, list.entries, *name))
            continue;
        if (pf_registry_find_policy(registry, *name) == NULL) {
            set_unknown_policy(registry, *name, error);
            return false;
        }
        g_string_append_printf(kept, "%s{ name = \"%s\"; }", kept->len > 0 ? ", " : "", *name);
    }
    g_autofree char *assignment = g_strdup_printf("policies=(%s)", kept->str);
    return pf_config_override(config, assignment, error);
}
