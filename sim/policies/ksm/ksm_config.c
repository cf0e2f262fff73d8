#include "ksm_config.h"

static const char *const versions[] = {"6.18", "6.6", "2.6.32", NULL};
static const char *const advisor_modes[] = {"none", "scan-time", NULL};

#define AT(member) .offset = offsetof(PfKsmConfig, member)

/* Sleeps and counts are unsigned ints in the kernel. */
#define KERNEL_UINT_MAX 0xffffffffU

const PfConfigField pf_ksm_fields[PF_KSM_FIELDS] = {
    {.key = "version", .type = PF_CONFIG_ENUM, AT(version), .standard = "6.18",
     .choices = versions,
     .description = "Which kernel's KSM; older ones ignore parameters that they have not got."},
    {.key = "run", .type = PF_CONFIG_UINT, AT(run), .standard = "1", .max = 2,
     .description = "0: stopped, 1: scans, 2: stopped and everything unmerged."},
    {.key = "pages_to_scan", .type = PF_CONFIG_UINT, AT(pages_to_scan), .standard = "100",
     .max = KERNEL_UINT_MAX, .unit = "pages", .description = "Pages of a batch."},
    {.key = "sleep_millisecs", .type = PF_CONFIG_UINT, AT(sleep_millisecs), .standard = "20",
     .max = KERNEL_UINT_MAX, .unit = "ms", .description = "Sleep between two batches."},
    {.key = "merge_across_nodes", .type = PF_CONFIG_BOOL, AT(merge_across_nodes),
     .standard = "true", .digits = true,
     .description = "Whether pages of different NUMA nodes are merged."},
    {.key = "use_zero_pages", .type = PF_CONFIG_BOOL, AT(use_zero_pages), .standard = "false",
     .digits = true, .description = "Whether empty pages are merged with the kernel's zero page."},
    {.key = "max_page_sharing", .type = PF_CONFIG_UINT, AT(max_page_sharing), .standard = "256",
     .min = 2, .max = INT32_MAX, .unit = "pages",
     .description = "Pages that may share one frame before another one is made."},
    {.key = "stable_node_chains_prune_millisecs", .type = PF_CONFIG_UINT, AT(prune_millisecs),
     .standard = "2000", .max = KERNEL_UINT_MAX, .unit = "ms",
     .description = "How often a chain of equal frames is searched for stale ones."},
    {.key = "smart_scan", .type = PF_CONFIG_BOOL, AT(smart_scan), .standard = "true",
     .digits = true,
     .description = "Whether pages that did not merge in earlier passes are skipped for some."},
    {.key = "advisor_mode", .type = PF_CONFIG_ENUM, AT(advisor_mode), .standard = "none",
     .choices = advisor_modes,
     .description = "scan-time: pages_to_scan follows from a target time of a pass."},
    {.key = "advisor_max_cpu", .type = PF_CONFIG_UINT, AT(advisor_max_cpu), .standard = "70",
     .max = KERNEL_UINT_MAX, .unit = "percent",
     .description = "CPU share that the advisor allows the daemon."},
    {.key = "advisor_min_pages_to_scan", .type = PF_CONFIG_UINT, AT(advisor_min_pages_to_scan),
     .standard = "500", .max = KERNEL_UINT_MAX, .unit = "pages",
     .description = "What the advisor starts with."},
    {.key = "advisor_max_pages_to_scan", .type = PF_CONFIG_UINT, AT(advisor_max_pages_to_scan),
     .standard = "30000", .max = KERNEL_UINT_MAX, .unit = "pages",
     .description = "The most that the advisor sets."},
    {.key = "advisor_target_scan_time", .type = PF_CONFIG_UINT, AT(advisor_target_scan_time),
     .standard = "200", .min = 1, .max = KERNEL_UINT_MAX, .unit = "s",
     .description = "How long a pass should take, by the advisor."},
    {.key = "lru_batch", .type = PF_CONFIG_UINT, AT(lru_batch), .standard = "0",
     .max = PF_KSM_LRU_MAX, .unit = "pages",
     .description = "New pages that a core holds back, unmergeable until then (the kernel: 31); "
                    "0: none."},
    {.key = "ksmtuned", .type = PF_CONFIG_BOOL, AT(tuned), .standard = "false", .digits = true,
     .description = "Whether ksmtuned sets run, pages_to_scan and sleep_millisecs by the memory "
                    "in use."},
    {.key = "ksmtuned_interval", .type = PF_CONFIG_TIME, AT(tuned_interval_ps),
     .standard = "60s", .min = 1, .description = "KSM_MONITOR_INTERVAL."},
    {.key = "ksmtuned_thres_coef", .type = PF_CONFIG_UINT, AT(tuned_coefficient_percent),
     .standard = "20", .max = 100, .unit = "percent",
     .description = "KSM_THRES_COEF: of all memory, to be free."},
    {.key = "ksmtuned_thres_const", .type = PF_CONFIG_SIZE, AT(tuned_constant_bytes),
     .standard = "2MiB", .description = "KSM_THRES_CONST: to be free at least."},
    {.key = "ksmtuned_npages_boost", .type = PF_CONFIG_UINT, AT(tuned_boost_pages),
     .standard = "300", .max = KERNEL_UINT_MAX, .unit = "pages",
     .description = "KSM_NPAGES_BOOST: more pages a batch while memory is short."},
    {.key = "ksmtuned_npages_decay", .type = PF_CONFIG_UINT, AT(tuned_decay_pages),
     .standard = "50", .max = KERNEL_UINT_MAX, .unit = "pages",
     .description = "KSM_NPAGES_DECAY: fewer pages a batch while it is not."},
    {.key = "ksmtuned_npages_min", .type = PF_CONFIG_UINT, AT(tuned_min_pages), .standard = "64",
     .max = KERNEL_UINT_MAX, .unit = "pages", .description = "KSM_NPAGES_MIN."},
    {.key = "ksmtuned_npages_max", .type = PF_CONFIG_UINT, AT(tuned_max_pages),
     .standard = "1250", .max = KERNEL_UINT_MAX, .unit = "pages",
     .description = "KSM_NPAGES_MAX."},
    {.key = "ksmtuned_sleep", .type = PF_CONFIG_TIME, AT(tuned_sleep_ps), .standard = "10ms",
     .min = 1, .description = "KSM_SLEEP_MSEC: for a machine of 16 GiB."},
};

void pf_ksm_config_apply_version(PfKsmConfig *config)
{
    if (config->version == PF_KSM_6_18)
        return;
    config->smart_scan = false;
    config->advisor_mode = PF_KSM_ADVISOR_NONE;
    if (config->version == PF_KSM_6_6)
        return;
    config->use_zero_pages = false;
    config->merge_across_nodes = true;
    config->max_page_sharing = KERNEL_UINT_MAX;
}
