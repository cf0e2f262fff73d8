/* Section `machine.numa`: nodes with cores, memory and distances, what lies between them, and where
 * pages are put. */
#pragma once

#include "config.h"
#include "nodes.h"

/* When a page moves to another node: never, or after reads from there. */
typedef enum { PF_MIGRATE_NONE, PF_MIGRATE_ACCESS } PfMigrate;

/* As bound, and what follows from it. */
typedef struct {
    uint64_t count;
    char **cores; /* by node; NULL: as evenly as can be */
    char **memory;
    char **distance;
    int placement; /* PfPlacement */
    uint64_t remote_latency_ps; /* of the nearest other node, beyond the own; PF_CONFIG_AUTO */
    uint64_t link_bandwidth;    /* bytes a second; 0: no limit */
    double link_bit_pJ;         /* NaN: not known */
    int migrate; /* PfMigrate */
    uint64_t migrate_after;
    PfNodes nodes; /* without a limit */
    uint64_t memory_bytes[PF_NODES_MAX]; /* 0: an even share of the machine's */
} PfNumaConfig;

/* Binds SECTION for a machine of CORES (at most 1024) and *MEMORY_BYTES (PF_CONFIG_AUTO: not
 * said), which becomes the sum of what nodes are said to have. What does not fit is a collected
 * error. */
void pf_numa_bind(PfConfigSection *section, uint64_t cores, uint64_t *memory_bytes,
                  PfNumaConfig *config);

/* The nodes of a machine with MEMORY_BYTES (PF_CONFIG_AUTO: no limit) in pages of PAGE_BYTES. */
PfNodes pf_numa_nodes(const PfNumaConfig *config, uint64_t memory_bytes, uint32_t page_bytes);
