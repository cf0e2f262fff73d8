#include <inttypes.h>
#include <string.h>

#include "units.h"
#include "workload_plan.h"

bool pf_workload_writes_in(const PfWorkloadWrites *writes, const PfWorkloadGroup *group,
                           uint64_t index)
{
    if (writes->contexts[0] == '\0' || strcmp(writes->contexts, group->name) == 0)
        return true;
    if (!g_str_has_prefix(writes->contexts, group->name))
        return false;
    g_autofree char *name = pf_workload_context_name(group, index);
    return strcmp(writes->contexts, name) == 0;
}

static bool plan_target(const PfWorkload *workload, PfWorkloadWrites *writes)
{
    static const char *const targets[] = {"private", "zero", "ones", "same", "original", NULL};
    for (int i = 0; targets[i] != NULL; i++)
        if (strcmp(writes->to, targets[i]) == 0) {
            writes->target = (PfWorkloadTo)i;
            return true;
        }
    writes->target = PF_TO_SET;
    writes->set = pf_workload_find_set(workload, writes->to);
    if (writes->set == NULL)
        pf_config_complain(writes->section, "to",
                           "there is no set %s, and it is none of private, "
                           "zero, ones, same, original",
                           writes->to);
    return writes->set != NULL;
}

static bool plan_writes(PfWorkload *workload, const PfWorkloadPhase *phase,
                        PfWorkloadWrites *writes)
{
    if (!plan_target(workload, writes))
        return false;
    if (writes->target == PF_TO_ORIGINAL && strcmp(writes->from, "unused") == 0) {
        pf_config_complain(writes->section, "to", "unused pages held nothing at the beginning");
        return false;
    }
    uint64_t contexts = 0;
    bool is_known = false;
    for (guint i = 0; i < workload->groups->len; i++) {
        const PfWorkloadGroup *group = &g_array_index(workload->groups, PfWorkloadGroup, i);
        uint64_t first;
        uint64_t count;
        bool has_pages = pf_workload_range(group, writes->from, &first, &count);
        for (uint64_t index = 0; index < group->count; index++)
            if (pf_workload_writes_in(writes, group, index)) {
                is_known = true;
                contexts += has_pages;
            }
    }
    if (!is_known)
        pf_config_complain(writes->section, "contexts", "there are no contexts called %s",
                           writes->contexts);
    else if (contexts == 0)
        pf_config_complain(writes->section, "from", "none of the contexts has pages that are %s",
                           writes->from);
    if (contexts == 0)
        return false;
    PfUint128 total = (PfUint128)writes->rate * phase->time_ps / PF_PS_PER_SECOND;
    if (total > (PF_WORKLOAD_STEPS_MAX - workload->steps) / contexts) {
        pf_config_complain(writes->section, "rate",
                           "too many pages are written; a workload lays "
                           "out and writes at most %" PRIu64,
                           PF_WORKLOAD_STEPS_MAX);
        return false;
    }
    writes->writes = (uint64_t)total;
    workload->steps += writes->writes * contexts;
    return true;
}

static bool plan_phase(PfWorkload *workload, PfWorkloadPhase *phase, uint64_t *time_ps)
{
    if (phase->time_ps > UINT64_MAX - *time_ps) {
        pf_config_complain(phase->section, "time", "the phases last longer than a trace can");
        return false;
    }
    *time_ps += phase->time_ps;
    if (phase->writes->len == 0)
        return true;
    phase->steps = phase->time_ps / phase->step_ps + (phase->time_ps % phase->step_ps != 0);
    uint64_t each = (uint64_t)phase->writes->len * workload->contexts;
    if (phase->steps > (PF_WORKLOAD_STEPS_MAX - workload->steps) / each) {
        pf_config_complain(phase->section, "step",
                           "%" PRIu64 " steps are too many; make them "
                           "longer",
                           phase->steps);
        return false;
    }
    workload->steps += phase->steps * each;
    for (guint i = 0; i < phase->writes->len; i++)
        if (!plan_writes(workload, phase, &g_array_index(phase->writes, PfWorkloadWrites, i)))
            return false;
    return true;
}

void pf_workload_plan_phases(PfWorkload *workload)
{
    uint64_t time_ps = 0;
    for (guint i = 0; i < workload->phases->len; i++)
        plan_phase(workload, &g_array_index(workload->phases, PfWorkloadPhase, i), &time_ps);
}
