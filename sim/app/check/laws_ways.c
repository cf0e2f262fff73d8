#include "laws_ways.h"

#define FLAGGED "filters = (\"flagged\"); "
#define CLASSES "class_runs = false; classes = "

static const char *const common[] = {
    "",
    "pacing = \"trace\"; ",
    "place = \"stolen\"; scope = \"anon\"; ",
    "place = \"controller\"; ",
    "remap = \"controller\"; ",
    "remap = \"controller\"; place = \"controller\"; pacing = \"trace\"; ",
    "scope = \"mergeable\"; pacing = \"trace\"; ",
    FLAGGED "flagged = { time = \"500ns\"; }; ",
    (FLAGGED "pacing = \"trace\"; flagged = { accesses = 4; of = \"access\"; bits = 9; }; "
     CLASSES "(\"kind\", \"label\", \"node\"); "),
    (FLAGGED "place = \"stolen\"; flagged = { timer = \"1us\"; bits = 2; }; "
     CLASSES "\"label\"; "),
};

static const char *const large[] = {
    "pacing = \"trace\"; split_large = \"always\"; place = \"stolen\"; ",
    "pacing = \"trace\"; split_large = \"pressure\"; split_below = 0.9; ",
    "pacing = \"trace\"; split_large = \"never\"; place = \"stolen\"; ",
    "pacing = \"trace\"; split_large = \"always\"; ",
    "pacing = \"trace\"; remap = \"controller\"; ",
};

/* Whether TRIAL is of OPS; `none` comes by itself in every play. */
static bool is_tried(const PfLawsTrial *trial, const PfPolicyOps *ops)
{
    return trial->ops == ops || (trial->ops == NULL && !g_str_equal(ops->name, "none"));
}

static void add(const PfLawsTrial *trial, GString *list, const PfPolicyOps *ops, const char *extra)
{
    g_autofree char *settings = g_strconcat(extra, trial->settings, NULL);
    pf_laws_add_policy(list, ops, settings);
}

static void add_ways(const PfLawsTrial *trial, GString *list, const PfPolicyOps *ops)
{
    /* Several of `none` would be told against each other, as the baseline is. */
    unsigned count = g_str_equal(ops->name, "none") ? 1 : G_N_ELEMENTS(common);
    for (unsigned i = 0; i < count; i++)
        add(trial, list, ops, common[i]);
    const char *const *variant = trial->variants != NULL ? trial->variants(ops->name) : NULL;
    for (; variant != NULL && *variant != NULL; variant++)
        add(trial, list, ops, *variant);
    if (ops->default_finder == NULL)
        return;
    add(trial, list, ops, "hash_bits = 2; pacing = \"trace\"; ");
    for (size_t i = 0; i < pf_registry_finder_count(trial->registry); i++) {
        g_autofree char *finder = g_strdup_printf("finder = \"%s\"; scope = \"all\"; ",
                                                  pf_registry_finder(trial->registry, i)->name);
        add(trial, list, ops, finder);
    }
}

char *pf_laws_ways(const PfLawsTrial *trial)
{
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < pf_registry_policy_count(trial->registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(trial->registry, i);
        if (is_tried(trial, ops))
            add_ways(trial, list, ops);
    }
    return g_string_free(list, FALSE);
}

static void add_finders(const PfLawsTrial *trial, GString *list, const PfPolicyOps *ops,
                        const char *extra)
{
    bool is_indexed = (ops->flags & PF_POLICY_INDEXED) != 0;
    g_autofree char *plain = g_strdup_printf("pacing = \"trace\"; %s", extra);
    if (is_indexed)
        add(trial, list, ops, plain);
    if (!is_indexed && ops->default_finder == NULL)
        return;
    for (size_t i = 0; i < pf_registry_finder_count(trial->registry); i++) {
        g_autofree char *finder =
            g_strdup_printf("finder = \"%s\"; pacing = \"trace\"; %s",
                            pf_registry_finder(trial->registry, i)->name, extra);
        add(trial, list, ops, finder);
    }
}

char *pf_laws_finders(const PfLawsTrial *trial, const char *extra)
{
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < pf_registry_policy_count(trial->registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(trial->registry, i);
        if (is_tried(trial, ops))
            add_finders(trial, list, ops, extra);
    }
    return g_string_free(list, FALSE);
}

char *pf_laws_large_ways(const PfLawsTrial *trial)
{
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < pf_registry_policy_count(trial->registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(trial->registry, i);
        if (trial->ops == NULL && is_tried(trial, ops))
            add(trial, list, ops, large[(trial->seed + i) % G_N_ELEMENTS(large)]);
        for (unsigned j = 0; trial->ops == ops && j < G_N_ELEMENTS(large); j++)
            add(trial, list, ops, large[j]);
    }
    return g_string_free(list, FALSE);
}
