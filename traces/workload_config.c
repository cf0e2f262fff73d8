#include "trace_names.h"
#include "units.h"
#include "workload_plan.h"

static const char *const unit_choices[] = {"shares", "pages", NULL};
static const char *const choice_choices[] = {"uniform", "zipf", "once", NULL};

static const PfConfigField workload_fields[] = {
    {.key = "seed",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkload, seed),
     .standard = "1",
     .description = "Decides which page holds what and which are written, never how many."},
    {.key = "page",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(PfWorkload, page_bytes),
     .standard = "4KiB",
     .min = PF_TRACE_PAGE_BYTES_MIN,
     .max = PF_TRACE_PAGE_BYTES_MAX,
     .power_of_two = true,
     .description = "Size of a page."},
};

static const PfConfigField group_fields[] = {
    {.key = "name",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfWorkloadGroup, name),
     .description = "Name of the context; several are NAME1, NAME2 and so on."},
    {.key = "count",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkloadGroup, count),
     .standard = "1",
     .min = 1,
     .max = PF_TRACE_CONTEXTS_MAX,
     .unit = "contexts",
     .description = "How many contexts of this making there are."},
    {.key = "kind",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfWorkloadGroup, kind),
     .standard = "vm",
     .choices = pf_context_kind_names,
     .description = "Virtual machines or processes."},
    {.key = "memory",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(PfWorkloadGroup, memory_bytes),
     .standard = "128MiB",
     .min = PF_TRACE_PAGE_BYTES_MIN,
     .description = "Memory of each, all of it mapped anonymous; a multiple of the page size."},
    {.key = "address",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(PfWorkloadGroup, address),
     .standard = "0",
     .max = (uint64_t)1 << 56,
     .description = "Address of the first page; a multiple of the page size."},
    {.key = "mergeable",
     .type = PF_CONFIG_BOOL,
     .offset = offsetof(PfWorkloadGroup, mergeable),
     .standard = "true",
     .description = "Whether the memory is advised as mergeable."},
    {.key = "unit",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfWorkloadGroup, unit),
     .standard = "shares",
     .choices = unit_choices,
     .description = "What amounts of pages are: shares from 0 to 1, or numbers of pages."},
    {.key = "used",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfWorkloadGroup, used),
     .standard = "1.0",
     .description = "Pages that are given bytes at the beginning, of all pages (all of them if not "
                    "given); the other amounts are parts of these."},
    {.key = "zero",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfWorkloadGroup, zero),
     .standard = "0.0",
     .description = "Pages of zeros."},
    {.key = "ones",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfWorkloadGroup, ones),
     .standard = "0.0",
     .description = "Pages of 0xff bytes."},
    {.key = "duplicates",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfWorkloadGroup, duplicates),
     .standard = "0.0",
     .description = "Pages equal to others of the same context and to none elsewhere."},
    {.key = "copies",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkloadGroup, copies),
     .standard = "2",
     .min = 2,
     .max = PF_WORKLOAD_STEPS_MAX,
     .unit = "pages",
     .description = "How many duplicates have the same content; some have one more where it does "
                    "not come out even."},
    {.key = "pinned",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfWorkloadGroup, pinned),
     .standard = "0.0",
     .description = "Pages that are pinned, with contents that no other page has."},
    {.key = "chunk",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkloadGroup, chunk),
     .standard = "1",
     .max = PF_WORKLOAD_STEPS_MAX,
     .unit = "pages",
     .description = "Neighbouring pages that stay together when pages are put in random order; 0: "
                    "kind stands after kind."},
};

static const PfConfigField common_fields[] = {
    {.key = "set",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfWorkloadCommon, set),
     .description = "Name of the set of contents, which contexts of all groups share."},
    {.key = "share",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfWorkloadCommon, share),
     .standard = "0.0",
     .description = "Pages of each context that hold contents of the set."},
    {.key = "pages",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkloadCommon, pages),
     .standard = "0",
     .max = PF_WORKLOAD_CONTENTS_MAX,
     .unit = "contents",
     .description = "How many contents they take turns with; 0: each page has one of its own."},
    {.key = "first",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkloadCommon, first),
     .standard = "0",
     .max = PF_WORKLOAD_CONTENTS_MAX,
     .unit = "contents",
     .description = "Number of the first content taken."},
};

static const PfConfigField phase_fields[] = {
    {.key = "time",
     .type = PF_CONFIG_TIME,
     .offset = offsetof(PfWorkloadPhase, time_ps),
     .standard = "0",
     .max = (uint64_t)1 << 62,
     .description = "How long the phase lasts."},
    {.key = "step",
     .type = PF_CONFIG_TIME,
     .offset = offsetof(PfWorkloadPhase, step_ps),
     .standard = "10ms",
     .min = 1,
     .description = "Writes are spread evenly over steps of this length."},
    {.key = "scan_pages",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkloadPhase, scan_pages),
     .standard = "0",
     .unit = "pages",
     .description = "Pages that policies of pacing `trace` look at when the time is over."},
    {.key = "scan_passes",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkloadPhase, scan_passes),
     .standard = "0",
     .unit = "passes",
     .description = "Full passes that they make then."},
    {.key = "mark",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfWorkloadPhase, mark),
     .description = "Label of a mark at the end of the phase."},
};

static const PfConfigField writes_fields[] = {
    {.key = "contexts",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfWorkloadWrites, contexts),
     .standard = "",
     .description = "Which contexts write: the name of an element of workload.contexts, or of one "
                    "context; empty: all."},
    {.key = "rate",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfWorkloadWrites, rate),
     .standard = "0",
     .max = 1000000000,
     .unit = "pages/s",
     .description = "Pages that each of these contexts writes in a second."},
    {.key = "from",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfWorkloadWrites, from),
     .standard = "used",
     .description = "Which pages, by what they hold at the beginning: used, unused, zero, ones, "
                    "duplicates, pinned, private, or the name of a set."},
    {.key = "to",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfWorkloadWrites, to),
     .standard = "private",
     .description = "What they hold then: private (bytes never seen before), zero, ones, same (a "
                    "store that changes nothing), original (as at the beginning), or a content of "
                    "the named set."},
    {.key = "choice",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfWorkloadWrites, choice),
     .standard = "uniform",
     .choices = choice_choices,
     .description =
         "How a page is chosen: each as likely as any other, the page of rank r as often "
         "as 1/r, or one after the other."},
    {.key = "hot",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfWorkloadWrites, hot),
     .standard = "1.0",
     .max = 1,
     .description = "Share of these pages that are written at all."},
};

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
    pf_config_bind(section, group_fields, G_N_ELEMENTS(group_fields), group);
    group->common = new_elements(section, "common", sizeof(PfWorkloadCommon));
    group->kinds = g_array_new(FALSE, TRUE, sizeof(PfPages));
    for (guint i = 0; i < group->common->len; i++) {
        PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, i);
        common->section = pf_config_list_section(section, "common", i);
        pf_config_bind(common->section, common_fields, G_N_ELEMENTS(common_fields), common);
    }
}

static void bind_phase(PfConfigSection *section, PfWorkloadPhase *phase)
{
    phase->section = section;
    pf_config_bind(section, phase_fields, G_N_ELEMENTS(phase_fields), phase);
    phase->writes = new_elements(section, "writes", sizeof(PfWorkloadWrites));
    for (guint i = 0; i < phase->writes->len; i++) {
        PfWorkloadWrites *writes = &g_array_index(phase->writes, PfWorkloadWrites, i);
        writes->section = pf_config_list_section(section, "writes", i);
        pf_config_bind(writes->section, writes_fields, G_N_ELEMENTS(writes_fields), writes);
    }
}

PfWorkload *pf_workload_new(PfConfig *config)
{
    PfWorkload *workload = g_new0(PfWorkload, 1);
    PfConfigSection *section = pf_config_section(config, "workload");
    pf_config_bind(section, workload_fields, G_N_ELEMENTS(workload_fields), workload);
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
