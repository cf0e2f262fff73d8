#include "live_model.h"

#include <string.h>

#include "config.h"
#include "error.h"
#include "simulation.h"

static const char config_text[] = "policies = ( { name = \"ksm\"; pacing = \"trace\"; } );\n";

/* A mark's statistics on their way into a step. */
typedef struct {
    PfKsmStep *step;
    unsigned known; /* a bit a counter */
    uint64_t refused_controls;
} Visit;

static int64_t integer_of(PfStatValue value)
{
    return value.kind == PF_STAT_DOUBLE ? (int64_t)value.d : value.i;
}

/* "NAME.ksm_rmap_items": the counters of a process come one after the other. */
static void take_process(PfKsmStep *step, const char *rest, int64_t value)
{
    const char *dot = strrchr(rest, '.');
    if (dot == NULL)
        return;
    g_autofree char *name = g_strndup(rest, (gsize)(dot - rest));
    PfKsmProcess *process = step->processes->len > 0 ? &g_array_index(step->processes, PfKsmProcess,
                                                                      step->processes->len - 1)
                                                     : NULL;
    if (process == NULL || strcmp(process->name, name) != 0)
        process = pf_ksm_step_add_process(step, name);
    for (unsigned counter = 0; counter < PF_KSM_PROCESS_COUNTERS; counter++)
        if (strcmp(dot + 1, pf_ksm_process_counter_name((PfKsmProcessCounter)counter)) == 0)
            process->values[counter] = value;
}

static void take_stat(const PfStatInfo *info, PfStatValue value, void *user)
{
    static const char group[] = "ksm.";
    static const char of_context[] = "ksm.context.";
    Visit *visit = user;
    if (strcmp(info->name, "policy.refused_controls") == 0)
        visit->refused_controls = value.u;
    if (!g_str_has_prefix(info->name, group) || value.kind == PF_STAT_NULL)
        return;
    if (g_str_has_prefix(info->name, of_context)) {
        take_process(visit->step, info->name + strlen(of_context), integer_of(value));
        return;
    }
    if (strcmp(info->name, "ksm.overlookable") == 0)
        visit->step->overlookable = integer_of(value);
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++)
        if (strcmp(info->name + strlen(group), pf_ksm_counter_name((PfKsmCounter)counter)) == 0) {
            visit->step->counters[counter] = integer_of(value);
            visit->known |= 1U << counter;
        }
}

static bool check_known(const Visit *visit, GError **error)
{
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++)
        if ((visit->known & 1U << counter) == 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "policy `ksm` does not tell ksm.%s",
                        pf_ksm_counter_name((PfKsmCounter)counter));
            return false;
        }
    return true;
}

static bool take_marks(const PfRun *run, GArray *steps, GError **error)
{
    uint64_t refused_before = 0;
    for (size_t i = 0; i < pf_run_mark_count(run); i++) {
        Visit visit = {.step = pf_ksm_steps_add(steps, pf_run_mark_label(run, i))};
        pf_ksm_step_add_process(visit.step, NULL);
        pf_run_mark_visit(run, i, take_stat, &visit);
        if (!check_known(&visit, error))
            return false;
        visit.step->refusal = visit.refused_controls > refused_before;
        refused_before = visit.refused_controls;
    }
    return true;
}

static const PfRun *find_run(const PfSimulation *simulation)
{
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++)
        if (strcmp(pf_run_policy(pf_simulation_run_at(simulation, i)), "ksm") == 0)
            return pf_simulation_run_at(simulation, i);
    return NULL;
}

GArray *pf_live_model(const PfRegistry *registry, const char *path, const int *interrupted,
                      GError **error)
{
    if (pf_registry_find_policy(registry, "ksm") == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "this pagefold has no policy `ksm`");
        return NULL;
    }
    g_autoptr(PfConfig) config =
        pf_config_load_text(config_text, strlen(config_text), "validate", NULL, error);
    if (config == NULL)
        return NULL;
    PfSimulationOptions how = {.threads = 1, .trace = path, .interrupted = interrupted};
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &how, error);
    if (simulation == NULL || !pf_simulation_run(simulation, error))
        return NULL;
    g_autoptr(GArray) steps = pf_ksm_steps_new();
    return take_marks(find_run(simulation), steps, error) ? g_steal_pointer(&steps) : NULL;
}
