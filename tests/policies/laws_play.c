#include "laws_play.h"

#include "check.h"

#include <string.h>

/* A machine small enough that its checks are quick, whose caches overflow all the time. */
static const char machine[] =
    "machine = { cores = 3; colors = 2;"
    "  tlb = { l1 = { entries = 8; ways = 2; }; l2 = { entries = 16; ways = 4; }; };"
    "  caches = ( { name = \"l1\"; serves = \"all\"; size = \"1KiB\"; ways = 2; latency = 3; },"
    "             { name = \"l2\"; serves = \"all\"; size = \"4KiB\"; ways = 4; latency = 9;"
    "               shared = true; } ); ";

PfRegistry *laws_registry(void)
{
    static const char *const plugins[] = {PLUGIN_FIRST_MATCH, PLUGIN_BLOOM};
    PfRegistry *registry = pf_registry_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(plugins); i++) {
        g_autoptr(GError) error = NULL;
        bool loaded = pf_registry_load(registry, plugins[i], &error);
        g_assert_no_error(error);
        g_assert(loaded);
    }
    return registry;
}

void laws_add_policy(GString *list, const PfPolicyOps *ops, const char *extra)
{
    unsigned number = (unsigned)list->len;
    g_string_append_printf(list, "%s{ name = \"%s\"; label = \"%s_%u\"; %s}",
                           list->len > 0 ? ",\n " : "", ops->name, ops->name, number, extra);
}

char *laws_path(const char *directory, unsigned seed)
{
    return g_strdup_printf("%s/%u.trace", directory, seed);
}

PfSimulation *laws_play(const PfRegistry *registry, const char *path, const char *policies,
                        PfConfig **ret_config, unsigned threads)
{
    return laws_play_on(registry, path, policies, "", "numa = { nodes = 2; };", ret_config,
                        threads);
}

PfSimulation *laws_play_on(const PfRegistry *registry, const char *path, const char *policies,
                           const char *top, const char *more, PfConfig **ret_config,
                           unsigned threads)
{
    g_autofree char *text = g_strdup_printf("%s%s };\npolicies = (%s);\ndilation = 1e4;\n%s\n"
                                            "output = { epoch = \"5us\"; };\n",
                                            machine, more, policies, top);
    g_autoptr(GError) error = NULL;
    *ret_config = pf_config_load_text(text, strlen(text), "laws", NULL, &error);
    g_assert_no_error(error);
    PfSimulationOptions options = {
        .threads = threads, .verify = true, .paranoid = true, .trace = path};
    PfSimulation *simulation = pf_simulation_new(*ret_config, registry, &options, &error);
    g_assert_no_error(error);
    bool played = pf_simulation_run(simulation, &error);
    if (!played)
        printf("# %s\n", error->message);
    CU_ASSERT_TRUE(played);
    CU_ASSERT_EQUAL(pf_simulation_differences(simulation), 0);
    CU_ASSERT_TRUE(pf_simulation_complete(simulation));
    return simulation;
}
