/* The configuration of a simulation: the top level, the machine, the policies. */
#include <string.h>

#include "host_class_rules.h"
#include "simulation_internal.h"

static const char *const modes[] = {"machine", "dram", "caches", NULL};
static const char *const straddles[] = {"one", "split", NULL};
static const char *const modifies[] = {"read", "read-write", NULL};
static const char *const timings[] = {"auto", "full", "costs", NULL};
static const char *const contexts_told[] = {"auto", "all", "none", NULL};
static const char *const pacings[] = {"closed", "open", NULL};

#define AT(member) .offset = offsetof(PfRunConfig, member)

static const PfConfigField run_fields[] = {
    {.key = "trace", .type = PF_CONFIG_STRING, AT(trace),
     .description = "The trace to play; relative to the file that names it."},
    {.key = "note", .type = PF_CONFIG_STRING, AT(note),
     .description = "Free text; an axis of a sweep names its points by it."},
    {.key = "seed", .type = PF_CONFIG_UINT, AT(seed), .standard = "1",
     .description = "Master seed of everything that is drawn."},
    {.key = "mode", .type = PF_CONFIG_ENUM, AT(mode), .standard = "machine", .choices = modes,
     .description = "machine: everything; dram: reads and writes of the trace go to the DRAM "
                    "controllers as they are, without contexts, caches and policies; caches: they "
                    "and fetches go through the levels of cache of one core alone, without time."},
    {.key = "straddle", .type = PF_CONFIG_ENUM, AT(straddle), .standard = "one",
     .choices = straddles,
     .description = "mode = caches: an access to two lines is one, a miss if either is missing, or "
                    "split in two."},
    {.key = "modify", .type = PF_CONFIG_ENUM, AT(modify), .standard = "read",
     .choices = modifies,
     .description = "mode = caches: an instruction that reads and writes the same bytes is a read, "
                    "or a read and a write."},
    {.key = "outstanding", .type = PF_CONFIG_UINT, AT(outstanding), .standard = "0",
     .max = 1000000, .unit = "reads",
     .description = "mode = dram: reads that are under way at a time; 0: as many as are taken."},
    {.key = "timed", .type = PF_CONFIG_BOOL, AT(timed), .standard = "false",
     .description = "mode = dram: requests are sent at the trace's times, not as soon as can be."},
    {.key = "timing", .type = PF_CONFIG_ENUM, AT(timing), .standard = "auto", .choices = timings,
     .description = "full: all bytes go through the models; costs: page work costs what the card "
                    "says; auto: full at access grain, costs at page grain."},
    {.key = "pacing", .type = PF_CONFIG_ENUM, AT(pacing), .standard = "closed",
     .choices = pacings,
     .description = "closed: times in a program's trace are think time; open: absolute arrivals."},
    {.key = "dilation", .type = PF_CONFIG_DOUBLE, AT(dilation), .standard = "1.0",
     .max = 1000000000, .description = "Factor by which the rates of policies are multiplied."},
    {.key = "warmup", .type = PF_CONFIG_STRING, AT(warmup),
     .description = "When statistics start: \"mark:LABEL\", a time (\"20ms\") or \"passes:N\"."},
    {.key = "roi", .type = PF_CONFIG_STRINGS, AT(roi), .standard = "",
     .description = "Region of interest: (\"mark:A\", \"mark:B\"); statistics count in between."},
    {.key = "hold", .type = PF_CONFIG_STRING, AT(hold),
     .description = "How long policies go on after the trace's end, while memory stays as it is: a "
                    "time (\"20s\"), or \"passes:N\" of each policy, in a day at most."},
    {.key = "skew", .type = PF_CONFIG_TIME, AT(skew_ps), .standard = "0",
     .description = "Each context, and each policy's daemon, begins up to so much later, drawn "
                    "from the seed; what a context forks follows it."},
    {.key = "plugins", .type = PF_CONFIG_STRINGS, AT(plugins), .standard = "",
     .description = "Shared objects with policies, finders or hashes."},
};

static const PfConfigField output_fields[] = {
    {.key = "contexts", .type = PF_CONFIG_ENUM, AT(contexts), .standard = "auto",
     .choices = contexts_told,
     .description = "Whether each context's cycles and savings are told: all, none, or auto: up "
                    "to 64 contexts."},
    {.key = "epoch", .type = PF_CONFIG_TIME, AT(epoch_ps), .standard = "auto", .automatic = true,
     .min = 1, .description = "Time between rows of epochs.csv; auto: 200 to 400 rows."},
};

/* KEY has TEXT, "passes:N" or a time: what it is goes to one of the two numbers. */
static void parse_span(PfConfigSection *root, const char *key, const char *text,
                       const char *besides, uint64_t *ret_passes, uint64_t *ret_ps)
{
    if (g_str_has_prefix(text, "passes:")) {
        const char *passes = text + strlen("passes:");
        if (!g_ascii_string_to_unsigned(passes, 10, 1, UINT32_MAX, ret_passes, NULL))
            pf_config_complain(root, key, "'%s' names no number of passes", text);
        return;
    }
    g_autoptr(GError) error = NULL;
    if (!pf_parse_quantity(text, PF_CONFIG_TIME, ret_ps, &error))
        pf_config_complain(root, key, "'%s' is none of %s\"passes:N\" and a time as \"20s\"", text,
                           besides);
}

static void check_warmup(PfRunConfig *run, PfConfigSection *root)
{
    if (run->warmup != NULL && g_str_has_prefix(run->warmup, "mark:"))
        run->warmup_mark = run->warmup + strlen("mark:");
    else if (run->warmup != NULL)
        parse_span(root, "warmup", run->warmup, "\"mark:LABEL\", ", &run->warmup_passes,
                   &run->warmup_ps);
}

static void check_hold(PfRunConfig *run, PfConfigSection *root)
{
    if (run->hold == NULL)
        return;
    parse_span(root, "hold", run->hold, "", &run->hold_passes, &run->hold_ps);
    if (run->mode != PF_MODE_MACHINE)
        pf_config_complain(root, "hold", "only mode = \"machine\" has policies that go on");
}

static void check_roi(PfRunConfig *run, PfConfigSection *root)
{
    unsigned count = run->roi != NULL ? g_strv_length(run->roi) : 0;
    bool valid = count == 0 || count == 2;
    for (unsigned i = 0; i < count; i++)
        valid &= g_str_has_prefix(run->roi[i], "mark:");
    if (!valid) {
        pf_config_complain(root, "roi", "it has two ends; write (\"mark:A\", \"mark:B\")");
        run->roi = NULL;
        return;
    }
    /* From here on the labels alone. The strings belong to the configuration and stay. */
    for (unsigned i = 0; i < count; i++)
        run->roi[i] += strlen("mark:");
}

/* `none` is always there: every other run is compared with it. Where full memory is no reason to
 * stop (SWAPS) it has no more of it than they. */
static void add_none(PfConfigSection *root, bool swaps)
{
    size_t count = pf_config_list_length(root, "policies");
    for (size_t i = 0; i < count; i++) {
        char *name = NULL;
        static const PfConfigField name_field = {
            .key = "name", .type = PF_CONFIG_STRING, .description = "The policy."};
        pf_config_bind(pf_config_list_section(root, "policies", i), &name_field, 1, &name);
        if (g_strcmp0(name, "none") == 0)
            return;
    }
    PfConfigSection *added = pf_config_list_append(root, "policies");
    pf_config_set(added, "name", PF_CONFIG_STRING, "none", "added");
    pf_config_set(added, "limited", PF_CONFIG_BOOL, swaps ? "true" : "false", "added");
}

/* SETUP, and the same without each rule that it is to be compared without. */
static void add_policy(PfSetup *setup, PfConfigSection *section, PfPolicySetup *policy)
{
    for (unsigned j = 0; j < setup->policies->len; j++) {
        const PfPolicySetup *other = g_ptr_array_index(setup->policies, j);
        if (g_str_equal(other->common.label, policy->common.label))
            pf_config_complain(section, "name", "two policies are called '%s'; give one a label",
                               policy->common.label);
    }
    g_ptr_array_add(setup->policies, policy);
    for (PfClassRule rule = 0; rule < PF_CLASS_RULES; rule++)
        if (policy->whole == NULL && pf_policy_setup_is_compared(policy, rule))
            add_policy(setup, section, pf_policy_setup_without(policy, rule));
}

static void bind_policies(PfSetup *setup, PfConfigSection *root, const PfRegistry *registry)
{
    add_none(root, setup->machine->on_full == PF_ON_FULL_SWAP);
    size_t count = pf_config_list_length(root, "policies");
    for (size_t i = 0; i < count; i++) {
        PfConfigSection *section = pf_config_list_section(root, "policies", i);
        PfPolicySetup *policy = pf_policy_setup_new(section, registry);
        if (policy != NULL)
            add_policy(setup, section, policy);
    }
}

/* What only one mode can do with caches. */
static void check_caches(const PfSetup *setup, PfConfig *config)
{
    if (!pf_config_is_group(pf_config_section(config, ""), "machine"))
        return; /* as has been told */
    PfConfigSection *machine = pf_config_section(config, "machine");
    const PfCacheConfig *caches = setup->machine->caches;
    bool is_alone = setup->run.mode == PF_MODE_CACHES;
    for (unsigned i = 0; i < setup->machine->cache_count; i++) {
        PfConfigSection *section = pf_config_list_section(machine, "caches", i);
        if (!is_alone && caches[i].line_bytes != caches[0].line_bytes)
            pf_config_complain(section, "line", "all caches of a machine have one line size; only "
                               "mode = \"caches\" takes others");
        if (is_alone && caches[i].inclusion == PF_CACHE_EXCLUSIVE)
            pf_config_complain(section, "inclusion", "mode = \"caches\" has no exclusive levels");
    }
}

void simulation_setup_init(PfSetup *setup, PfConfig *config, const PfRegistry *registry)
{
    *setup = (PfSetup){0};
    PfConfigSection *root = pf_config_section(config, "");
    pf_config_bind(root, run_fields, G_N_ELEMENTS(run_fields), &setup->run);
    if (setup->run.dilation <= 0)
        pf_config_complain(root, "dilation", "it must be more than 0");
    check_warmup(&setup->run, root);
    check_hold(&setup->run, root);
    check_roi(&setup->run, root);
    pf_config_bind(pf_config_section(config, "output"), output_fields,
                   G_N_ELEMENTS(output_fields), &setup->run);
    setup->machine = pf_machine_config_new(config);
    setup->policies = g_ptr_array_new_with_free_func((GDestroyNotify)pf_policy_setup_free);
    bind_policies(setup, root, registry);
    if (setup->run.mode != PF_MODE_MACHINE && setup->policies->len != 1)
        pf_config_complain(root, "policies", "mode = \"%s\" has no policies; leave them out",
                           modes[setup->run.mode]);
    check_caches(setup, config);
    if (setup->run.mode == PF_MODE_DRAM && setup->run.warmup != NULL &&
        setup->run.warmup_mark == NULL)
        pf_config_complain(root, "warmup", "mode = \"dram\" warms up to a mark: \"mark:LABEL\"");
}

void simulation_setup_clear(PfSetup *setup)
{
    g_clear_pointer(&setup->machine, pf_machine_config_free);
    g_clear_pointer(&setup->policies, g_ptr_array_unref);
}

void pf_simulation_bind(PfConfig *config, const PfRegistry *registry)
{
    PfSetup setup;
    simulation_setup_init(&setup, config, registry);
    simulation_setup_clear(&setup);
}
