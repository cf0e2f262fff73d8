#include "host_class_rules.h"

#include <string.h>

static const char *const names[PF_CLASS_RULES + 1] = {
    [PF_CLASS_COLOR] = "color", [PF_CLASS_NODE] = "node", [PF_CLASS_LABEL] = "label",
    [PF_CLASS_KIND] = "kind",   [PF_CLASS_USER] = "user",
};

const char *pf_class_rule_name(PfClassRule rule)
{
    return names[rule];
}

/* ---- Configuration ---- */

static const PfConfigField fields[] = {
    {.key = "classes",
     .type = PF_CONFIG_STRINGS,
     .offset = offsetof(PfPolicyCommon, classes),
     .standard = "",
     .description = "Pages are shared within one class only: color and node of their frames, "
                    "label, kind and user of their contexts."},
    {.key = "class_runs",
     .type = PF_CONFIG_BOOL,
     .offset = offsetof(PfPolicyCommon, class_runs),
     .standard = "true",
     .description = "Whether the policy also runs without each of its `classes`, to tell what "
                    "each costs and buys."},
};

void pf_policy_setup_bind_classes(PfPolicySetup *setup, PfConfigSection *section)
{
    pf_config_bind(section, fields, G_N_ELEMENTS(fields), &setup->common);
    for (char **name = setup->common.classes; name != NULL && *name != NULL; name++) {
        unsigned rule = 0;
        while (rule < PF_CLASS_RULES && strcmp(names[rule], *name) != 0)
            rule++;
        if (rule == PF_CLASS_RULES)
            pf_config_complain(section, "classes",
                               "there is no class '%s'; there are color, node, label, kind, user",
                               *name);
        else
            setup->class_rules |= 1U << rule;
    }
}

/* ---- The same policy with a rule less ---- */

bool pf_policy_setup_is_compared(const PfPolicySetup *setup, PfClassRule rule)
{
    bool merges = (setup->ops->flags & PF_POLICY_BOUND) == 0 && strcmp(setup->ops->name, "none");
    return merges && setup->common.class_runs && (setup->class_rules >> rule & 1) != 0;
}

bool pf_policy_setup_minds_color(const PfPolicySetup *setup)
{
    const PfPolicySetup *whole = setup->whole != NULL ? setup->whole : setup;
    return (whole->class_rules >> PF_CLASS_COLOR & 1) != 0;
}

PfPolicySetup *pf_policy_setup_without(const PfPolicySetup *setup, PfClassRule rule)
{
    PfPolicySetup *without = g_memdup2(setup, sizeof *setup);
    without->whole = setup;
    without->class_rules &= ~(1U << rule);
    without->common.label =
        g_strdup_printf("%s without %s", setup->common.label, pf_class_rule_name(rule));
    return without;
}

/* ---- Statistics ---- */

static PfStatValue read_forgone(const void *value)
{
    return *(const PfStatValue *)value;
}

/* It takes two runs to know. */
static PfStatValue read_null(const void *user)
{
    (void)user;
    return pf_stat_null();
}

void pf_host_register_class_rules(PfHost *host)
{
    static const struct {
        const char *name;
        const char *unit;
        const char *description;
    } compared[] = {
        {"cost_pages", "pages", "Pages that the policy saves less than without this rule."},
        {"remote_avoided", "events",
         "Lines from DRAM of another node that contexts read more without this rule."},
        {"conflicts_avoided", "events",
         "Misses of contexts by conflict, as class.conflict_misses, that there are more without "
         "this rule; of colour only."},
        {"misses_avoided", "events",
         "Misses of contexts in the last cache that there are more without this rule."},
    };
    host->class_forgone = g_new0(PfStatValue, PF_CLASS_RULES);
    for (unsigned rule = 0; rule < PF_CLASS_RULES; rule++) {
        g_autofree char *name = g_strconcat("class.", names[rule], NULL);
        PfStatsGroup *group = pf_stats_group(host->base.stats, name);
        pf_stats_level(group, "forgone_pages", "pages",
                       "Frames that equal eligible pages need for this rule alone.", read_forgone,
                       &host->class_forgone[rule]);
        for (size_t i = 0; i < G_N_ELEMENTS(compared); i++)
            pf_stats_level(group, compared[i].name, compared[i].unit, compared[i].description,
                           read_null, NULL);
    }
}
