#include "workload_plan.h"

static void bind(PfConfigSection *section, const PfWorkloadFields *fields, void *target)
{
    pf_config_bind(section, fields->fields, fields->count, target);
}

static void clear_group(gpointer data)
{
    PfWorkloadGroup *group = data;
    g_array_unref(group->common);
    g_array_unref(group->kinds);
}

static void clear_phase(gpointer data)
{
    PfWorkloadPhase *phase = data;
    g_array_unref(phase->writes);
}

/* Elements of list KEY of SECTION, as zeroed structs of BYTES. */
static GArray *new_elements(PfConfigSection *section, const char *key, size_t bytes)
{
    size_t count = pf_config_list_length(section, key);
    if (count > PF_WORKLOAD_LIST_MAX) {
        pf_config_complain(section, key, "%zu elements; at most %u are understood", count,
                           PF_WORKLOAD_LIST_MAX);
        count = PF_WORKLOAD_LIST_MAX;
    }
    GArray *elements = g_array_new(FALSE, TRUE, (guint)bytes);
    g_array_set_size(elements, (guint)count);
    return elements;
}

static void bind_group(PfConfigSection *section, PfWorkloadGroup *group)
{
    group->section = section;
    bind(section, &pf_workload_group_fields, group);
    group->common = new_elements(section, "common", sizeof(PfWorkloadCommon));
    group->kinds = g_array_new(FALSE, TRUE, sizeof(PfPages));
    for (guint i = 0; i < group->common->len; i++) {
        PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, i);
        common->section = pf_config_list_section(section, "common", i);
        bind(common->section, &pf_workload_common_fields, common);
    }
}

static void bind_phase(PfConfigSection *section, PfWorkloadPhase *phase)
{
    phase->section = section;
    bind(section, &pf_workload_phase_fields, phase);
    phase->writes = new_elements(section, "writes", sizeof(PfWorkloadWrites));
    for (guint i = 0; i < phase->writes->len; i++) {
        PfWorkloadWrites *writes = &g_array_index(phase->writes, PfWorkloadWrites, i);
        writes->section = pf_config_list_section(section, "writes", i);
        bind(writes->section, &pf_workload_writes_fields, writes);
    }
}

PfWorkload *pf_workload_new(PfConfig *config)
{
    PfWorkload *workload = g_new0(PfWorkload, 1);
    PfConfigSection *section = pf_config_section(config, "workload");
    bind(section, &pf_workload_fields, workload);
    workload->groups = new_elements(section, "contexts", sizeof(PfWorkloadGroup));
    g_array_set_clear_func(workload->groups, clear_group);
    for (guint i = 0; i < workload->groups->len; i++)
        bind_group(pf_config_list_section(section, "contexts", i),
                   &g_array_index(workload->groups, PfWorkloadGroup, i));
    workload->phases = new_elements(section, "phases", sizeof(PfWorkloadPhase));
    g_array_set_clear_func(workload->phases, clear_phase);
    for (guint i = 0; i < workload->phases->len; i++)
        bind_phase(pf_config_list_section(section, "phases", i),
                   &g_array_index(workload->phases, PfWorkloadPhase, i));
    workload->sets = g_array_new(FALSE, TRUE, sizeof(PfWorkloadSet));
    workload->files = g_hash_table_new(g_str_hash, g_str_equal);
    pf_workload_plan(workload, section);
    return workload;
}

void pf_workload_free(PfWorkload *workload)
{
    if (workload == NULL)
        return;
    g_array_unref(workload->groups);
    g_array_unref(workload->phases);
    g_array_unref(workload->sets);
    g_hash_table_unref(workload->files);
    g_free(workload);
}

uint32_t pf_workload_page_bytes(const PfWorkload *workload)
{
    return (uint32_t)workload->page_bytes;
}

uint64_t pf_workload_seed(const PfWorkload *workload)
{
    return workload->seed;
}

uint64_t pf_workload_steps(const PfWorkload *workload)
{
    return workload->steps;
}
