#include "cost_card.h"

#include <gio/gio.h>
#include <string.h>

#include "cost-cards.h"

static const char folder[] = "/pagefold/costs/";

static const PfConfigField preset_field = {
    .key = "preset",
    .type = PF_CONFIG_STRING,
    .standard = "zen4-vm",
    .description = "Where the rows that are not given come from: zen4-vm, measured in a virtual "
                   "machine; bare-metal, published figures; or a file as `calibrate` writes it."};

const char *pf_cost_card_text(const char *name)
{
    if (strchr(name, '/') != NULL)
        return NULL;
    g_autofree char *path = g_strconcat(folder, name, ".cfg", NULL);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(pf_cost_cards_get_resource(), path,
                                                     G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    return bytes != NULL ? g_bytes_get_data(bytes, NULL) : NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **pf_cost_card_names(void)
{
    char **names = g_resource_enumerate_children(pf_cost_cards_get_resource(), folder,
                                                 G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_assert(names != NULL);
    for (char **name = names; *name != NULL; name++)
        (*name)[strlen(*name) - strlen(".cfg")] = '\0';
    qsort(names, g_strv_length(names), sizeof *names, compare_names);
    return names;
}

/* Reads the card PRESET of SECTION into COSTS; false where that is said to SECTION as an error. */
static bool read_card(PfConfigSection *section, const char *preset, PfCosts *costs)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = pf_config_path(section, "preset");
    const char *text = pf_cost_card_text(preset);
    g_autoptr(PfConfig) card =
        text != NULL ? pf_config_load_text(text, strlen(text), preset, pf_cost_card_text, &error)
                     : pf_config_load(path, pf_cost_card_text, &error);
    if (card == NULL) {
        pf_config_complain(section, "preset", "no card '%s': %s", preset, error->message);
        return false;
    }
    PfConfigSection *rows = pf_config_section(card, "machine.costs");
    const char *missing = NULL;
    for (unsigned i = 0; i < PF_COSTS_FIELDS; i++)
        if (!pf_config_is_set(rows, pf_costs_fields[i].key))
            missing = pf_costs_fields[i].key;
    char *unused = NULL;
    pf_config_bind(rows, pf_costs_fields, PF_COSTS_FIELDS, costs);
    pf_config_bind(rows, &preset_field, 1, &unused);
    if (!pf_config_finish(card, &error))
        pf_config_complain(section, "preset", "%s", error->message);
    else if (missing != NULL)
        pf_config_complain(section, "preset", "the card '%s' has no row %s; let it extend another",
                           preset, missing);
    return error == NULL && missing == NULL;
}

void pf_cost_card_bind(PfConfigSection *section, PfCosts *costs)
{
    char *preset = NULL;
    pf_config_bind(section, &preset_field, 1, &preset);
    PfCosts card = {0};
    bool complete = true;
    for (unsigned i = 0; i < PF_COSTS_FIELDS; i++)
        complete &= pf_config_is_set(section, pf_costs_fields[i].key);
    /* A resolved configuration has all rows, and may have left its card behind. */
    if (!complete && !read_card(section, preset, &card))
        card = (PfCosts){0};
    /* The rows stay with the configuration, which may print them later. */
    PfConfigField *fields = g_memdup2(pf_costs_fields, sizeof pf_costs_fields);
    for (unsigned i = 0; i < PF_COSTS_FIELDS && !complete; i++) {
        const uint64_t *value =
            (const uint64_t *)(const void *)((const char *)&card + fields[i].offset);
        char *standard = g_strdup_printf("%" G_GUINT64_FORMAT, *value);
        fields[i].standard = standard;
        pf_config_adopt(section, standard);
    }
    pf_config_adopt(section, fields);
    pf_config_bind(section, fields, PF_COSTS_FIELDS, costs);
}
