#include "ksm_runs.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "simulation.h"

struct KsmPlay {
    PfRegistry *registry;
    PfConfig *config;
    PfSimulation *simulation;
    const PfRun *run;
};

KsmPlay *ksm_play_file(const char *top, const char *settings, const char *path)
{
    KsmPlay *play = g_new0(KsmPlay, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("%s\npolicies = ( { name = \"ksm\"; %s } );\n", top, settings);
    play->registry = pf_registry_new();
    play->config = pf_config_load_text(text, strlen(text), "test", NULL, &error);
    g_assert_no_error(error);
    PfSimulationOptions options = {.threads = 1, .verify = true, .paranoid = true, .trace = path};
    play->simulation = pf_simulation_new(play->config, play->registry, &options, &error);
    g_assert_no_error(error);
    pf_simulation_run(play->simulation, &error);
    g_assert_no_error(error);
    for (size_t i = 0; i < pf_simulation_run_count(play->simulation); i++)
        if (g_str_equal(pf_run_policy(pf_simulation_run_at(play->simulation, i)), "ksm"))
            play->run = pf_simulation_run_at(play->simulation, i);
    return play;
}

KsmPlay *ksm_play(const char *top, const char *settings, const char *trace)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strconcat("pagefold-trace 1\npage 4KiB\nclock 2GHz\ngrain page\n", trace, NULL);
    g_autofree char *path = NULL;
    int file = g_file_open_tmp("pagefold-ksm-XXXXXX", &path, &error);
    g_assert_no_error(error);
    close(file);
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    KsmPlay *play = ksm_play_file(top, settings, path);
    g_unlink(path);
    return play;
}

void ksm_play_free(KsmPlay *play)
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

int64_t ksm_at(const KsmPlay *play, const char *label, const char *name)
{
    Wanted wanted = {.name = name};
    for (size_t i = 0; i < pf_run_mark_count(play->run); i++)
        if (g_str_equal(pf_run_mark_label(play->run, i), label))
            pf_run_mark_visit(play->run, i, look, &wanted);
    if (!wanted.found)
        g_error("no statistic %s at mark %s", name, label);
    return wanted.value;
}

int64_t ksm_at_end(const KsmPlay *play, const char *name)
{
    PfStatValue value;
    if (!pf_stats_find(pf_run_stats(play->run), name, &value))
        g_error("no statistic %s at the end", name);
    return value.i;
}
