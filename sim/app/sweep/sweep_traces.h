/* The traces of a sweep: files, or workloads that are generated once for each seed. */
#pragma once

#include "sweep_plan.h"

/* What stands for the trace of CONFIG in a point's identity: the digest of a file and of those that
 * it takes blobs of, or that of a workload's configuration. Free with g_free. PF_ERROR_TRACE,
 * PF_ERROR_CONFIG. */
char *pf_sweep_trace_identity(PfSweepPlan *plan, PfConfig *config, GError **error);

/* A seed for run REPEAT of what has SEED; the first keeps it. */
uint64_t pf_sweep_seed(uint64_t seed, uint64_t repeat);
