/* What DRAM counts. */
#pragma once

#include "port.h"
#include "stats.h"

enum { PF_DRAM_BANKS_TOLD = 64 };

typedef struct {
    uint64_t reads; /* of transactions */
    uint64_t writes;
    uint64_t reads_by_actor[PF_ACTOR_COUNT];
    uint64_t writes_by_actor[PF_ACTOR_COUNT];
    uint64_t forwarded_reads; /* answered from the write queue */
    uint64_t absorbed_writes; /* to a line that waited to be written */
    uint64_t row_hits;        /* by what the first command for a transaction was */
    uint64_t row_misses;
    uint64_t row_conflicts;
    uint64_t background_requests; /* of the load by others, which none of these count */
    uint64_t refreshes; /* of a rank, or of a bank where refresh is by bank */
    uint64_t bank_accesses[PF_DRAM_BANKS_TOLD]; /* by bank of a rank, all ranks and channels */
    PfHistogram read_latency_clocks;  /* from sending to the end of the data */
    PfHistogram write_latency_clocks; /* of writes that were served */
} PfDramStats;

/* What DRAM spent, in joules. */
typedef struct {
    double activate; /* ACT and PRE */
    double read;
    double write;
    double refresh;
    double background;
} PfDramEnergy;

/* All of it. */
static inline double pf_dram_energy_total(const PfDramEnergy *energy)
{
    return energy->activate + energy->read + energy->write + energy->refresh + energy->background;
}
