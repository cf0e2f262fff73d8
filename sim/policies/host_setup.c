/* One element of the list `policies`: bound, checked, resolved against the registry. */
#include "host.h"
#include "host_class_rules.h"

static const char *const scopes[] = {"all", "anon", "mergeable", NULL};
static const char *const places[] = {"daemon", "stolen", "controller", NULL};
static const char *const remaps[] = {"pte", "controller", NULL};
static const char *const pacings[] = {"time", "trace", NULL};

static const char *const splits[] = {"always", "pressure", "never", NULL};

enum { COMMON_FIELDS = 15 };

/* The parameters that all policies have; defaults of scope, place and finder are the policy's. */
static void common_fields(const PfPolicyOps *ops, PfConfigField fields[COMMON_FIELDS])
{
    const PfConfigField common[COMMON_FIELDS] = {
        {.key = "name", .type = PF_CONFIG_STRING, .offset = offsetof(PfPolicyCommon, name),
         .description = "The policy; `pagefold list policies` names them."},
        {.key = "label", .type = PF_CONFIG_STRING, .offset = offsetof(PfPolicyCommon, label),
         .description = "What it is called in results; the policy's name if not given."},
        {.key = "scope", .type = PF_CONFIG_ENUM, .offset = offsetof(PfPolicyCommon, scope),
         .standard = ops->default_scope != NULL ? ops->default_scope : "all",
         .choices = scopes,
         .description = "Which pages may be shared: all, anonymous ones, those advised mergeable."},
        {.key = "place", .type = PF_CONFIG_ENUM, .offset = offsetof(PfPolicyCommon, place),
         .standard = ops->default_place != NULL ? ops->default_place : "daemon",
         .choices = places,
         .description = "Where it runs: on a core of its own, in cycles stolen from cores of "
                        "contexts whose pages it looks at, or in an engine at the memory "
                        "controller, without caches."},
        {.key = "remap", .type = PF_CONFIG_ENUM, .standard = "pte", .choices = remaps,
         .offset = offsetof(PfPolicyCommon, remap),
         .description = "What sharing changes: page tables, or a table of the memory controller "
                        "that the operating system does not see (machine.remap)."},
        {.key = "pacing",
         .type = PF_CONFIG_ENUM,
         .offset = offsetof(PfPolicyCommon, pacing),
         .standard = "time",
         .choices = pacings,
         .description = "Its scans come with time, or from the trace's `scan` records."},
        {.key = "finder",
         .type = PF_CONFIG_STRING,
         .offset = offsetof(PfPolicyCommon, finder),
         .standard = ops->default_finder,
         .description = "What finds a page of equal content; `pagefold list finders`."},
        {.key = "hash",
         .type = PF_CONFIG_STRING,
         .offset = offsetof(PfPolicyCommon, hash),
         .standard = ops->default_hash != NULL ? ops->default_hash : "xxh3",
         .description = "How it hashes pages, unless machine.hash_engine does it its own way."},
        {.key = "limited", .type = PF_CONFIG_BOOL, .standard = "true",
         .offset = offsetof(PfPolicyCommon, limited),
         .description = "Whether its run has no more than machine.memory; a `none` that is added "
                        "for comparison is limited only where machine.on_full is swap."},
        {.key = "wasted_within", .type = PF_CONFIG_TIME, .standard = "100ms",
         .offset = offsetof(PfPolicyCommon, wasted_within_ps),
         .description = "A sharing that a store breaks within this time counts as wasted."},
        {.key = "split_large", .type = PF_CONFIG_ENUM, .choices = splits,
         .standard = ops->default_split != NULL ? ops->default_split : "always",
         .offset = offsetof(PfPolicyCommon, split_large),
         .description = "Whether it splits a large page to share a part of it: always, while few "
                        "frames of machine.memory are free, or never."},
        {.key = "split_below", .type = PF_CONFIG_DOUBLE, .standard = "0.06", .max = 1,
         .offset = offsetof(PfPolicyCommon, split_below), .unit = "ratio",
         .description = "Share of the frames of machine.memory below which few are free."},
        {.key = "hash_bits", .type = PF_CONFIG_UINT, .standard = "64", .min = 1, .max = 64,
         .offset = offsetof(PfPolicyCommon, hash_bits),
         .unit = "bits",
         .description = "Width that the hash is cut to."},
        {.key = "hash_offset", .type = PF_CONFIG_SIZE, .standard = "0",
         .offset = offsetof(PfPolicyCommon, hash_offset_bytes),
         .description = "First byte of a page that is hashed."},
        {.key = "hash_bytes",
         .type = PF_CONFIG_SIZE,
         .offset = offsetof(PfPolicyCommon, hash_bytes),
         .standard = "auto",
         .min = 1,
         .automatic = true,
         .unit = "bytes",
         .description = "Bytes from there on that are read and hashed; auto: the rest."},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(common); i++)
        fields[i] = common[i];
}

static const PfPolicyOps *find_policy(PfConfigSection *section, const PfRegistry *registry)
{
    static const PfConfigField name_field = {
        .key = "name", .type = PF_CONFIG_STRING, .description = "The policy."};
    char *name = NULL;
    pf_config_bind(section, &name_field, 1, &name);
    if (name == NULL) {
        pf_config_complain(section, NULL, "a policy needs a name; write { name = \"esx\"; }");
        return NULL;
    }
    const PfPolicyOps *ops = pf_registry_find_policy(registry, name);
    if (ops == NULL)
        pf_config_complain(section, "name",
                           "there is no policy '%s'; `pagefold list policies` names them", name);
    return ops;
}

static void resolve_names(PfPolicySetup *setup, PfConfigSection *section,
                          const PfRegistry *registry)
{
    const PfPolicyCommon *common = &setup->common;
    setup->hash = pf_registry_find_hash(registry, common->hash);
    if (setup->hash == NULL)
        pf_config_complain(section, "hash", "there is no hash '%s'", common->hash);
    if (common->finder != NULL) {
        setup->finder = pf_registry_find_finder(registry, common->finder);
        if (setup->finder == NULL)
            pf_config_complain(section, "finder",
                               "there is no finder '%s'; `pagefold list finders` names them",
                               common->finder);
        else if (setup->ops->default_finder == NULL &&
                 (setup->ops->flags & PF_POLICY_INDEXED) == 0)
            pf_config_complain(section, "finder", "policy '%s' files nothing: leave finder out",
                               common->name);
    }
}

PfPolicySetup *pf_policy_setup_new(PfConfigSection *section, const PfRegistry *registry)
{
    const PfPolicyOps *ops = find_policy(section, registry);
    if (ops == NULL)
        return NULL;
    PfPolicySetup *setup = g_new0(PfPolicySetup, 1);
    setup->ops = ops;
    setup->origin = pf_config_origin(section, "name");
    /* The rows stay with the configuration, which may print them later. */
    PfConfigField *fields = g_new0(PfConfigField, COMMON_FIELDS);
    common_fields(ops, fields);
    pf_config_bind(section, fields, COMMON_FIELDS, &setup->common);
    pf_config_adopt(section, fields);
    if (setup->common.label == NULL)
        setup->common.label = setup->common.name;
    setup->policy_config = g_malloc0(MAX(ops->config_bytes, 1));
    if (ops->field_count > 0)
        pf_config_bind(section, ops->fields, ops->field_count, setup->policy_config);
    resolve_names(setup, section, registry);
    size_t finder_bytes = setup->finder != NULL ? setup->finder->config_bytes : 0;
    setup->finder_config = g_malloc0(MAX(finder_bytes, 1));
    if (setup->finder != NULL && setup->finder->field_count > 0)
        pf_config_bind(pf_config_subsection(section, setup->finder->name), setup->finder->fields,
                       setup->finder->field_count, setup->finder_config);
    pf_policy_setup_bind_classes(setup, section);
    pf_policy_setup_bind_filters(setup, section, registry);
    return setup;
}

void pf_policy_setup_free(PfPolicySetup *setup)
{
    if (setup == NULL)
        return;
    if (setup->whole != NULL) {
        g_free(setup->common.label);
    } else {
        g_free(setup->policy_config);
        g_free(setup->finder_config);
        g_array_unref(setup->filters);
    }
    g_free(setup);
}
