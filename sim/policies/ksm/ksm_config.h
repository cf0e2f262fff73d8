/* The parameters of the policy `ksm`: names, ranges and defaults of the kernel's files in
 * /sys/kernel/mm/ksm (Documentation/admin-guide/mm/ksm.rst), and some of the simulation's own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* The most pages that a core holds back before they go onto the kernel's lists (PAGEVEC_SIZE). */
enum { PF_KSM_LRU_MAX = 31 };

typedef enum { PF_KSM_6_18, PF_KSM_6_6, PF_KSM_2_6_32 } PfKsmVersion;

typedef enum { PF_KSM_STOP, PF_KSM_RUN, PF_KSM_UNMERGE } PfKsmRun;

typedef enum { PF_KSM_ADVISOR_NONE, PF_KSM_ADVISOR_SCAN_TIME } PfKsmAdvisorMode;

typedef struct {
    int version; /* PfKsmVersion */
    uint64_t run;
    uint64_t pages_to_scan;
    uint64_t sleep_millisecs;
    bool merge_across_nodes;
    bool use_zero_pages;
    bool smart_scan;
    uint64_t max_page_sharing;
    uint64_t prune_millisecs;
    int advisor_mode; /* PfKsmAdvisorMode */
    uint64_t advisor_max_cpu;
    uint64_t advisor_min_pages_to_scan;
    uint64_t advisor_max_pages_to_scan;
    uint64_t advisor_target_scan_time;
    uint64_t lru_batch;
    bool tuned;
    uint64_t tuned_interval_ps;
    uint64_t tuned_coefficient_percent;
    uint64_t tuned_constant_bytes;
    uint64_t tuned_boost_pages;
    uint64_t tuned_decay_pages;
    uint64_t tuned_min_pages;
    uint64_t tuned_max_pages;
    uint64_t tuned_sleep_ps;
} PfKsmConfig;

enum { PF_KSM_FIELDS = 24 };

extern const PfConfigField pf_ksm_fields[PF_KSM_FIELDS];

/* Takes away what CONFIG's version of the kernel has not got. */
void pf_ksm_config_apply_version(PfKsmConfig *config);
