#include "laws_play.h"

#include <string.h>

#include "run.h"

/* A machine small enough that its checks are quick, whose caches overflow all the time. */
static const char machine[] =
    "machine = { cores = 3; colors = 2;"
    "  tlb = { l1 = { entries = 8; ways = 2; }; l2 = { entries = 16; ways = 4; }; };"
    "  caches = ( { name = \"l1\"; serves = \"all\"; size = \"1KiB\"; ways = 2; latency = 3; },"
    "             { name = \"l2\"; serves = \"all\"; size = \"4KiB\"; ways = 4; latency = 9;"
    "               shared = true; } ); ";

void pf_laws_add_policy(GString *list, const PfPolicyOps *ops, const char *extra)
{
    unsigned number = (unsigned)list->len;
    g_string_append_printf(list, "%s{ name = \"%s\"; label = \"%s_%u\"; %s}",
                           list->len > 0 ? PF_LAWS_NEXT : "", ops->name, ops->name, number, extra);
}

char *pf_laws_settings(const char *policies, const char *label)
{
    g_autofree char *key = g_strdup_printf("label = \"%s\"; ", label);
    const char *start = strstr(policies, key);
    if (start == NULL)
        return g_strdup("");
    start += strlen(key);
    const char *next = strstr(start, PF_LAWS_NEXT);
    size_t length = next != NULL ? (size_t)(next - start) : strlen(start);
    return g_strchomp(g_strndup(start, length - strlen("}")));
}

const char *pf_laws_frames(const char *path)
{
    static const char *const frames[] = {
        "numa = { nodes = 2; };",
        "numa = { nodes = 2; migrate = \"access\"; migrate_after = 2; }; allocator = \"random\";",
        "numa = { nodes = 3; cores = (1, 2, 0); placement = \"interleave\"; }; "
        "allocator = \"bin-hopping\"; color_by = \"both\";",
        "numa = { nodes = 2; placement = \"bind\"; distance = ((10, 12), (40, 10)); }; "
        "allocator = \"color-preserving\";",
    };
    return frames[g_str_hash(strrchr(path, '/')) % G_N_ELEMENTS(frames)];
}

static bool build(const PfLawsHow *how, const char *top, PfLawsPlay *play, GError **error)
{
    g_autofree char *text = g_strdup_printf("%s%s };\npolicies = (%s);\ndilation = 1e4;\n%s\n"
                                            "output = { epoch = \"5us\"; };\n",
                                            machine, how->machine, how->policies, top);
    PfSimulationOptions options = {
        .threads = how->threads, .verify = true, .paranoid = true, .trace = how->path};
    play->config = pf_config_load_text(text, strlen(text), "laws", NULL, error);
    if (play->config != NULL)
        play->simulation = pf_simulation_new(play->config, how->registry, &options, error);
    return play->simulation != NULL;
}

/* Of those that may change bytes, or the simulation would not have been done. */
static void tell_differences(const PfLawsHow *how, const PfLawsPlay *play, GString *problems)
{
    for (size_t i = 0; i < pf_simulation_run_count(play->simulation); i++) {
        const PfRun *run = pf_simulation_run_at(play->simulation, i);
        g_autofree char *settings = pf_laws_settings(how->policies, pf_run_label(run));
        if (run->host->differences > 0)
            g_string_append_printf(problems,
                                   "%s (%s) shared pages that differ, as PF_POLICY_LOSSY or its "
                                   "finder allows: %s\n",
                                   pf_run_label(run), settings, run->host->first_difference);
    }
}

bool pf_laws_play(const PfLawsHow *how, PfLawsPlay *play, GString *problems)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) second = NULL;
    *play = (PfLawsPlay){NULL, NULL};
    if (!build(how, how->top, play, &error)) {
        /* A policy that follows caches can be made only where there are some. */
        pf_laws_play_clear(play);
        if (!build(how, "timing = \"full\";", play, &second)) {
            g_string_append_printf(problems, "%s\n", error->message);
            return false;
        }
        g_clear_error(&error);
    }
    bool holds = pf_simulation_run(play->simulation, &error);
    if (!holds)
        g_string_append_printf(problems, "%s\n", error->message);
    else if (!pf_simulation_complete(play->simulation))
        g_string_append(problems, "the trace was not played to its end\n");
    else if (pf_simulation_differences(play->simulation) > 0)
        tell_differences(how, play, problems);
    else
        return true;
    return false;
}

void pf_laws_play_clear(PfLawsPlay *play)
{
    pf_simulation_free(play->simulation);
    pf_config_free(play->config);
    *play = (PfLawsPlay){NULL, NULL};
}
