#include "policy_runs.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "simulation_internal.h"

struct PolicyPlay {
    PfRegistry *registry;
    PfConfig *config;
    PfSimulation *simulation;
    const PfRun *run;
    bool fitted;
};

static PolicyPlay *play_with(const char *policy, const char *top, const char *settings,
                             const PfSimulationOptions *options)
{
    PolicyPlay *play = g_new0(PolicyPlay, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("%s\npolicies = ( { name = \"%s\"; %s } );\n", top, policy, settings);
    play->registry = pf_registry_new();
    play->config = pf_config_load_text(text, strlen(text), "test", NULL, &error);
    g_assert_no_error(error);
    play->simulation = pf_simulation_new(play->config, play->registry, options, &error);
    g_assert_no_error(error);
    play->fitted = pf_simulation_run(play->simulation, &error);
    if (!g_error_matches(error, PF_ERROR, PF_ERROR_LIMIT))
        g_assert_no_error(error);
    for (size_t i = 0; i < pf_simulation_run_count(play->simulation); i++)
        if (play->run == NULL &&
            g_str_equal(pf_run_policy(pf_simulation_run_at(play->simulation, i)), policy))
            play->run = pf_simulation_run_at(play->simulation, i);
    return play;
}

PolicyPlay *policy_play_file(const char *policy, const char *top, const char *settings,
                             const char *path, bool paranoid)
{
    PfSimulationOptions options = {
        .threads = 1, .verify = true, .paranoid = paranoid, .trace = path};
    return play_with(policy, top, settings, &options);
}

/* The name of a file with TEXT. */
static char *write_trace(const char *text)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    int file = g_file_open_tmp("pagefold-play-XXXXXX", &path, &error);
    g_assert_no_error(error);
    close(file);
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    return path;
}

PolicyPlay *policy_play_text(const char *policy, const char *top, const char *settings,
                             const char *text)
{
    g_autofree char *path = write_trace(text);
    PolicyPlay *play = policy_play_file(policy, top, settings, path, true);
    g_unlink(path);
    return play;
}

PolicyPlay *policy_play_unchecked(const char *policy, const char *top, const char *settings,
                                  const char *text)
{
    g_autofree char *path = write_trace(text);
    PfSimulationOptions options = {.threads = 1, .trace = path};
    PolicyPlay *play = play_with(policy, top, settings, &options);
    g_unlink(path);
    return play;
}

PolicyPlay *policy_play(const char *policy, const char *top, const char *settings,
                        const char *trace)
{
    g_autofree char *text =
        g_strconcat("pagefold-trace 1\npage 4KiB\nclock 2GHz\ngrain page\n", trace, NULL);
    return policy_play_text(policy, top, settings, text);
}

void policy_play_free(PolicyPlay *play)
{
    pf_simulation_free(play->simulation);
    pf_config_free(play->config);
    pf_registry_free(play->registry);
    g_free(play);
}

typedef struct {
    const char *name;
    int64_t value;
    bool found;
} Wanted;

static void look(const PfStatInfo *info, PfStatValue value, void *user)
{
    Wanted *wanted = user;
    if (!g_str_equal(info->name, wanted->name))
        return;
    wanted->value = value.i;
    wanted->found = true;
}

int64_t policy_at(const PolicyPlay *play, const char *label, const char *name)
{
    Wanted wanted = {.name = name};
    for (size_t i = 0; i < pf_run_mark_count(play->run); i++)
        if (g_str_equal(pf_run_mark_label(play->run, i), label))
            pf_run_mark_visit(play->run, i, look, &wanted);
    if (!wanted.found)
        g_error("no statistic %s at mark %s", name, label);
    return wanted.value;
}

uint64_t policy_differences(const PolicyPlay *play)
{
    return pf_simulation_differences(play->simulation);
}

bool policy_fitted(const PolicyPlay *play)
{
    return play->fitted;
}

PfStatValue policy_end(const PolicyPlay *play, const char *name)
{
    PfStatValue value;
    if (!pf_stats_find(pf_run_stats(play->run), name, &value))
        g_error("no statistic %s at the end", name);
    return value;
}

const PfRun *policy_run(const PolicyPlay *play)
{
    return play->run;
}

uint64_t policy_host_hashes(const PolicyPlay *play)
{
    return pf_content_store_hashed(play->simulation->store);
}

size_t policy_run_count(const PolicyPlay *play)
{
    return pf_simulation_run_count(play->simulation);
}

const PfRun *policy_run_at(const PolicyPlay *play, size_t index)
{
    return pf_simulation_run_at(play->simulation, index);
}
