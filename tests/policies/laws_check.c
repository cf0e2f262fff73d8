#include "laws_check.h"

#include "check.h"

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

char *laws_path(const char *directory, unsigned seed)
{
    return g_strdup_printf("%s/%u.trace", directory, seed);
}

PfSimulation *laws_play(const PfRegistry *registry, const char *path, const char *policies,
                        PfConfig **ret_config, unsigned threads)
{
    return laws_play_on(registry, path, policies, "", pf_laws_frames(path), ret_config, threads);
}

PfSimulation *laws_play_on(const PfRegistry *registry, const char *path, const char *policies,
                           const char *top, const char *more, PfConfig **ret_config,
                           unsigned threads)
{
    PfLawsHow how = {registry, path, policies, top, more, threads};
    g_autoptr(GString) problems = g_string_new(NULL);
    PfLawsPlay play;
    bool played = pf_laws_play(&how, &play, problems);
    if (!played)
        printf("# %s", problems->str);
    CU_ASSERT_TRUE(played);
    CU_ASSERT_PTR_NOT_NULL_FATAL(play.simulation);
    *ret_config = play.config;
    return play.simulation;
}
