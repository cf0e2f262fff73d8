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
    static const char *const targets[] = {"private",  "zero",  "ones", "same",
                                          "original", "freed", "read", NULL};
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
                           "zero, ones, same, original, freed, read",
                           writes->to);
    return writes->set != NULL;
}

/* The ranks of GROUP that `from` NAME means; false if it has no such pages. */
static bool find_range(const PfWorkloadGroup *group, const char *name, uint64_t *ret_first,
                       uint64_t *ret_count)
{
    *ret_first = 0;
    *ret_count = strcmp(name, "used") == 0 ? group->used_pages : 0;
    for (guint i = 0; i < group->kinds->len; i++) {
        const PfPages *kind = &g_array_index(group->kinds, PfPages, i);
        if (strcmp(kind->name, name) != 0)
            continue;
        /* A set may stand in `common` more than once; the first with pages counts. */
        *ret_first = kind->first;
        *ret_count = kind->count;
        if (kind->count > 0)
            break;
    }
    return *ret_count > 0;
}

bool pf_workload_reach(const PfWorkloadPhase *phase, const PfWorkloadWrites *writes,
                       const PfWorkloadGroup *group, PfWorkloadReach *ret_reach)
{
    uint64_t count;
    if (!find_range(group, writes->from, &ret_reach->first, &count))
        return false;
    ret_reach->count = CLAMP(pf_workload_part(writes->hot, count), 1, count);
    PfUint128 total = writes->lifetime_ps > 0
                          ? (PfUint128)ret_reach->count * phase->time_ps / writes->lifetime_ps
                          : (PfUint128)writes->rate * phase->time_ps / PF_PS_PER_SECOND;
    ret_reach->writes = (uint64_t)MIN(total, UINT64_MAX);
    return true;
}

uint64_t pf_workload_back_steps(const PfWorkloadPhase *phase, const PfWorkloadWrites *writes)
{
    return writes->back_ps / phase->step_ps + (writes->back_ps % phase->step_ps != 0);
}

/* Whether what WRITES say goes together. */
static bool check_writes(const PfWorkloadWrites *writes)
{
    const char *key = NULL;
    const char *problem = NULL;
    bool goes_back = writes->target == PF_TO_ORIGINAL || writes->back_ps > 0;
    if (goes_back && strcmp(writes->from, "unused") == 0) {
        key = writes->back_ps > 0 ? "back" : "to";
        problem = "unused pages held nothing at the beginning";
    } else if (writes->lifetime_ps > 0 && writes->rate > 0) {
        key = "lifetime";
        problem = "and rate say the same; give one of them";
    } else if (writes->target == PF_TO_READ && writes->back_ps > 0) {
        key = "back";
        problem = "what is only read need not be set back";
    } else if (writes->device[0] != '\0' && writes->target != PF_TO_SET) {
        key = "device";
        problem = "blocks of a disk are contents of a set, which `to` has to name";
    }
    if (problem != NULL)
        pf_config_complain(writes->section, key, "%s", problem);
    return problem == NULL;
}

/* Counts the steps that WRITES take in each of the CONTEXTS contexts of GROUP. */
static bool count_steps(PfWorkload *workload, const PfWorkloadPhase *phase,
                        const PfWorkloadWrites *writes, const PfWorkloadReach *reach,
                        uint64_t contexts)
{
    PfUint128 each = (PfUint128)reach->writes << (writes->back_ps > 0);
    if (each * contexts > PF_WORKLOAD_STEPS_MAX - workload->steps) {
        pf_config_complain(writes->section, writes->lifetime_ps > 0 ? "lifetime" : "rate",
                           "too many pages are written; a workload lays "
                           "out and writes at most %" PRIu64,
                           PF_WORKLOAD_STEPS_MAX);
        return false;
    }
    workload->steps += reach->writes * contexts;
    uint64_t back = pf_workload_back_steps(phase, writes);
    if (back > 0 && back < phase->steps)
        workload->steps +=
            (uint64_t)((PfUint128)reach->writes * (phase->steps - back) / phase->steps) * contexts;
    return true;
}

static bool plan_writes(PfWorkload *workload, const PfWorkloadPhase *phase, guint number,
                        PfWorkloadWrites *writes)
{
    if (!plan_target(workload, writes) || !check_writes(writes))
        return false;
    bool is_known = false;
    bool is_there = false;
    bool is_written = false;
    for (guint i = 0; i < workload->groups->len; i++) {
        const PfWorkloadGroup *group = &g_array_index(workload->groups, PfWorkloadGroup, i);
        uint64_t contexts = 0;
        for (uint64_t index = 0; index < group->count; index++)
            contexts += pf_workload_writes_in(writes, group, index);
        is_known |= contexts > 0;
        if (contexts == 0 || group->boot_phase >= number)
            continue;
        is_there = true;
        PfWorkloadReach reach;
        if (!pf_workload_reach(phase, writes, group, &reach))
            continue;
        is_written = true;
        workload->has_reads |= writes->target == PF_TO_READ;
        if (!count_steps(workload, phase, writes, &reach, contexts))
            return false;
    }
    if (!is_known)
        pf_config_complain(writes->section, "contexts", "there are no contexts called %s",
                           writes->contexts);
    else if (!is_there)
        pf_config_complain(writes->section, "contexts",
                           "they boot in this phase or later; let them write in one after it");
    else if (!is_written)
        pf_config_complain(writes->section, "from", "none of the contexts has pages that are %s",
                           writes->from);
    return is_written;
}

/* Notes whose memory is filled in PHASE. */
static bool plan_boots(PfWorkload *workload, const PfWorkloadPhase *phase, guint number)
{
    if (phase->boots[0] == '\0')
        return true;
    for (guint i = 0; i < workload->groups->len; i++) {
        PfWorkloadGroup *group = &g_array_index(workload->groups, PfWorkloadGroup, i);
        if (strcmp(group->name, phase->boots) != 0)
            continue;
        if (group->boot_phase != 0) {
            pf_config_complain(phase->section, "boots", "%s boots in two phases", phase->boots);
            return false;
        }
        group->boot_phase = number;
        return true;
    }
    pf_config_complain(phase->section, "boots", "there is no element of contexts called %s",
                       phase->boots);
    return false;
}

static bool plan_phase(PfWorkload *workload, PfWorkloadPhase *phase, guint number,
                       uint64_t *time_ps)
{
    if (phase->time_ps > UINT64_MAX - *time_ps) {
        pf_config_complain(phase->section, "time", "the phases last longer than a trace can");
        return false;
    }
    *time_ps += phase->time_ps;
    uint64_t each = 0;
    for (guint i = 0; i < phase->writes->len; i++)
        each += g_array_index(phase->writes, PfWorkloadWrites, i).back_ps > 0 ? 2 : 1;
    each *= workload->contexts;
    if (each == 0 && phase->boots[0] == '\0')
        return true;
    phase->steps = phase->time_ps / phase->step_ps + (phase->time_ps % phase->step_ps != 0);
    if (phase->steps > (PF_WORKLOAD_STEPS_MAX - workload->steps) / MAX(each, 1)) {
        pf_config_complain(phase->section, "step",
                           "%" PRIu64 " steps are too many; make them "
                           "longer",
                           phase->steps);
        return false;
    }
    workload->steps += phase->steps * each;
    for (guint i = 0; i < phase->writes->len; i++)
        if (!plan_writes(workload, phase, number,
                         &g_array_index(phase->writes, PfWorkloadWrites, i)))
            return false;
    return true;
}

void pf_workload_plan_phases(PfWorkload *workload)
{
    uint64_t time_ps = 0;
    for (guint i = 0; i < workload->phases->len; i++)
        if (!plan_boots(workload, &g_array_index(workload->phases, PfWorkloadPhase, i), i + 1))
            return;
    for (guint i = 0; i < workload->phases->len; i++)
        plan_phase(workload, &g_array_index(workload->phases, PfWorkloadPhase, i), i + 1, &time_ps);
}
