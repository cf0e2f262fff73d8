#include "play.h"

#include <CUnit/CUnit.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static const char plain[] =
    "machine = { clock = \"1GHz\"; cores = 2; core = { cpi = 1.0; window = 1; };\n"
    "  tlb = { l2 = { entries = 64; ways = 4; latency = 5; }; };\n"
    "  caches = ( { name = \"l1\"; serves = \"all\"; size = \"64KiB\"; ways = 16;"
    "    latency = 3; } ); };\n"
    "plugins = ();\n";

Played *play_configured(const char *trace, size_t length, const char *config,
                        const PfSimulationOptions *options)
{
    PfSimulationOptions how = {.threads = 1, .verify = true, .paranoid = true};
    if (options != NULL)
        how = *options;
    Played *played = g_new0(Played, 1);
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int file = g_file_open_tmp("pagefold-play-XXXXXX.trace", &path, &error);
    g_assert_no_error(error);
    close(file);
    g_file_set_contents(path, trace, (gssize)length, &error);
    g_assert_no_error(error);
    played->registry = pf_registry_new();
    pf_registry_load(played->registry, PLUGIN_CLOCKWORK, &error);
    g_assert_no_error(error);
    played->config = pf_config_load_text(config, strlen(config), "play", NULL, &error);
    g_assert_no_error(error);
    how.trace = path;
    played->simulation =
        pf_simulation_new(played->config, played->registry, &how, &played->error);
    if (played->simulation != NULL)
        pf_simulation_run(played->simulation, &played->error);
    g_unlink(path);
    return played;
}

Played *play_bytes(const char *trace, size_t length, const char *settings,
                   const PfSimulationOptions *options)
{
    g_autofree char *config = g_strconcat(plain, settings, NULL);
    return play_configured(trace, length, config, options);
}

Played *play(const char *trace, const char *settings, const PfSimulationOptions *options)
{
    return play_bytes(trace, strlen(trace), settings, options);
}

void played_free(Played *played)
{
    pf_simulation_free(played->simulation);
    pf_config_free(played->config);
    pf_registry_free(played->registry);
    g_clear_error(&played->error);
    g_free(played);
}

const PfRun *played_run(const Played *played, const char *label)
{
    if (played->error != NULL && played->simulation == NULL)
        printf("# %s\n", played->error->message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(played->simulation);
    for (size_t i = 0; i < pf_simulation_run_count(played->simulation); i++) {
        const PfRun *run = pf_simulation_run_at(played->simulation, i);
        if (g_str_equal(pf_run_label(run), label))
            return run;
    }
    CU_FAIL_FATAL("no such run");
    return NULL;
}

static double number(PfStatValue value)
{
    switch (value.kind) {
    case PF_STAT_NULL:
        return -1;
    case PF_STAT_UINT:
        return (double)value.u;
    case PF_STAT_INT:
        return (double)value.i;
    case PF_STAT_DOUBLE:
        return value.d;
    }
    return -1;
}

double played_stat(const Played *played, const char *label, const char *name)
{
    PfStatValue value;
    if (!pf_stats_find(pf_run_stats(played_run(played, label)), name, &value)) {
        printf("# there is no statistic %s\n", name);
        CU_FAIL("no such statistic");
    }
    return number(value);
}

uint64_t played_mark_cycle(const Played *played, const char *label, size_t index)
{
    const PfRun *run = played_run(played, label);
    CU_ASSERT_TRUE_FATAL(index < pf_run_mark_count(run));
    return pf_run_mark_cycle(run, index);
}

typedef struct {
    const char *name;
    double value;
    bool found;
} Wanted;

static void look_for(const PfStatInfo *info, PfStatValue value, void *user)
{
    Wanted *wanted = user;
    if (!g_str_equal(info->name, wanted->name))
        return;
    wanted->value = number(value);
    wanted->found = true;
}

double played_mark_stat(const Played *played, const char *label, size_t index, const char *name)
{
    const PfRun *run = played_run(played, label);
    Wanted wanted = {.name = name};
    CU_ASSERT_TRUE_FATAL(index < pf_run_mark_count(run));
    pf_run_mark_visit(run, index, look_for, &wanted);
    CU_ASSERT_TRUE(wanted.found);
    return wanted.value;
}
