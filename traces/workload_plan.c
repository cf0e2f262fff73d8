#include "workload_plan.h"

#include <inttypes.h>
#include <string.h>

#include "rng.h"
#include "units.h"

/* Words that `from` and `to` understand, which no set may be called. */
static const char *const words[] = {"used",    "unused", "zero",    "ones", "duplicates", "pinned",
                                    "similar", "freed",  "private", "same", "original",   NULL};

char *pf_workload_context_name(const PfWorkloadGroup *group, uint64_t index)
{
    if (group->count == 1)
        return g_strdup(group->name);
    return g_strdup_printf("%s%" PRIu64, group->name, index + 1);
}

PfWorkloadSet *pf_workload_find_set(const PfWorkload *workload, const char *name)
{
    for (guint i = 0; i < workload->sets->len; i++) {
        PfWorkloadSet *set = &g_array_index(workload->sets, PfWorkloadSet, i);
        if (strcmp(set->name, name) == 0)
            return set;
    }
    return NULL;
}

/* Gives each set, and each group's own contents, numbers that nothing else has. Numbers begin at a
 * place that the seed chooses, and stay below 2^63. */
static void number_contents(PfWorkload *workload)
{
    PfRng place = pf_rng_derive(workload->seed, "contents");
    uint64_t next = (pf_rng_next(&place) >> 2) + 1;
    for (guint i = 0; i < workload->sets->len; i++) {
        PfWorkloadSet *set = &g_array_index(workload->sets, PfWorkloadSet, i);
        set->id = next;
        next += set->contents;
    }
    for (guint i = 0; i < workload->groups->len; i++) {
        PfWorkloadGroup *group = &g_array_index(workload->groups, PfWorkloadGroup, i);
        for (guint j = 0; j < group->kinds->len; j++) {
            PfPages *kind = &g_array_index(group->kinds, PfPages, j);
            kind->id = next;
            next += kind->stride * group->count;
        }
        /* Kinds of sets stand behind those of zeros and ones. */
        for (guint j = 0; j < group->common->len; j++) {
            const PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, j);
            PfPages *kind = &g_array_index(group->kinds, PfPages, 2 + j);
            if (kind->form == PF_PAGES_NUMBERED)
                kind->id = pf_workload_find_set(workload, common->set)->id +
                           (kind->of_file == NULL ? common->first : 0);
        }
    }
    workload->next_id = next;
}

/* ---- Groups ---- */

/* Unless KEY has something that is no string, which was complained about already. */
static void complain_unnamed(PfConfigSection *section, const char *key, const char *name,
                             const char *problem)
{
    if (name != NULL || !pf_config_is_set(section, key))
        pf_config_complain(section, key, "%s", problem);
}

static bool check_names(PfWorkload *workload, PfWorkloadGroup *group, GHashTable *taken)
{
    if (group->name == NULL || group->name[0] == '\0') {
        complain_unnamed(group->section, "name", group->name, "a context needs a name");
        return false;
    }
    if (group->count > PF_TRACE_CONTEXTS_MAX - workload->contexts) {
        pf_config_complain(group->section, "count", "a trace has at most %u contexts",
                           PF_TRACE_CONTEXTS_MAX);
        return false;
    }
    for (uint64_t i = 0; i < group->count; i++) {
        char *name = pf_workload_context_name(group, i);
        if (!g_hash_table_add(taken, name)) {
            pf_config_complain(group->section, "name", "there are two contexts called %s", name);
            return false;
        }
    }
    for (guint i = 0; i < group->common->len; i++) {
        const PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, i);
        if (common->set == NULL || common->set[0] == '\0') {
            complain_unnamed(common->section, "set", common->set, "a set needs a name");
            return false;
        }
        bool is_plain = strcmp(common->set, "zero") == 0 || strcmp(common->set, "ones") == 0;
        if (!g_strv_contains(words, common->set) ||
            (is_plain && common->backing != PF_BACKING_ANON))
            continue;
        pf_config_complain(common->section, "set",
                           "no set can be called %s, which means pages of "
                           "a kind; give it another name",
                           common->set);
        return false;
    }
    return true;
}

static bool plan_groups(PfWorkload *workload, PfConfigSection *section)
{
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (workload->groups->len == 0)
        pf_config_complain(section, "contexts",
                           "a workload needs at least one context: contexts = "
                           "( { name = \"vm\"; } )");
    bool good = workload->groups->len > 0;
    for (guint i = 0; i < workload->groups->len; i++) {
        PfWorkloadGroup *group = &g_array_index(workload->groups, PfWorkloadGroup, i);
        group->first_context = workload->contexts;
        if (!check_names(workload, group, taken) || !pf_workload_plan_used(workload, group) ||
            !pf_workload_plan_kinds(workload, group)) {
            good = false;
            continue;
        }
        workload->contexts += (uint32_t)group->count;
        workload->steps += pf_workload_fill_steps(group) * group->count;
    }
    if (good)
        number_contents(workload);
    return good;
}

void pf_workload_plan(PfWorkload *workload, PfConfigSection *section)
{
    if (plan_groups(workload, section))
        pf_workload_plan_phases(workload);
}
