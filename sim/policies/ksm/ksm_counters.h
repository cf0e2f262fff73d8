/* The counters, under the kernel's names: those of /sys/kernel/mm/ksm, and for each context those
 * of /proc/PID/ksm_stat. */
#pragma once

#include "ksm_state.h"

/* Registers the counters of KSM as a whole. */
void pf_ksm_counters_register(PfKsm *ksm);

/* The counters of each context. */
enum { PF_KSM_CONTEXT_STATS = 5 };

extern const PfContextStat pf_ksm_context_stats[PF_KSM_CONTEXT_STATS];
