#include "presets.h"

#include <gio/gio.h>
#include <string.h>

#include "cost_card.h"
#include "resources.h"

static const char preset_folder[] = "/pagefold/presets/";
static const char plot_folder[] = "/pagefold/plots/";
static const char scenario_folder[] = "/pagefold/scenarios/";

/* Resources are not compressed, so their bytes lie in the program itself, with a zero behind. */
static const char *find_text(const char *folder, const char *name, const char *suffix)
{
    g_autofree char *path = g_strconcat(folder, name, suffix, NULL);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(pf_resources_get_resource(), path,
                                                     G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    return bytes != NULL ? g_bytes_get_data(bytes, NULL) : NULL;
}

const char *pf_preset_text(const char *name)
{
    if (strchr(name, '/') != NULL)
        return NULL;
    const char *text = find_text(preset_folder, name, ".cfg");
    return text != NULL ? text : pf_cost_card_text(name);
}

const char *pf_preset_plot(const char *name)
{
    return find_text(plot_folder, name, ".gp");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **sorted_children(const char *folder)
{
    char **names = g_resource_enumerate_children(pf_resources_get_resource(), folder,
                                                 G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    if (names == NULL)
        return g_new0(char *, 1);
    qsort(names, g_strv_length(names), sizeof *names, compare_names);
    return names;
}

char **pf_preset_names(void)
{
    g_auto(GStrv) names = sorted_children(preset_folder);
    for (char **name = names; *name != NULL; name++)
        (*name)[strlen(*name) - strlen(".cfg")] = '\0';
    g_auto(GStrv) cards = pf_cost_card_names();
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    for (char **name = names; *name != NULL; name++)
        g_strv_builder_add(all, *name);
    for (char **card = cards; *card != NULL; card++)
        g_strv_builder_add(all, *card);
    return g_strv_builder_end(all);
}

char *pf_preset_summary(const char *name)
{
    const char *text = pf_preset_text(name);
    if (text == NULL)
        return g_strdup("");
    while (*text == '#' || *text == ' ')
        text++;
    return g_strndup(text, strcspn(text, "\n"));
}

const char *pf_preset_scenario(const char *name)
{
    return find_text(scenario_folder, name, "");
}

char **pf_preset_scenario_names(void)
{
    return sorted_children(scenario_folder);
}
