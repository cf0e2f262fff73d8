/* The machine of a run: clocks, TLBs, caches and DRAM, built from the configuration. */
#pragma once

#include "cache.h"
#include "conflicts.h"
#include "cam.h"
#include "config.h"
#include "controller.h"
#include "core.h"
#include "costs.h"
#include "dram.h"
#include "hash_engine.h"
#include "mmu.h"
#include "registry.h"
#include "stats.h"

typedef enum { PF_PAGING_NATIVE, PF_PAGING_NESTED, PF_PAGING_SHADOW } PfPaging;

/* Section `machine`, bound; the same for all runs of a simulation. */
typedef struct {
    uint64_t memory_bytes; /* PF_CONFIG_AUTO: no limit */
    uint64_t clock_hz;
    uint64_t cores;
    int on_full;
    int paging; /* PfPaging: how virtual machines are translated */
    int allocator;
    uint64_t nodes; /* NUMA nodes, each with as many frames and (nearly) as many cores */
    uint64_t colors; /* PF_CONFIG_AUTO: by the last shared cache */
    PfCoreConfig core;
    PfMmuConfig mmu;
    PfDramConfig dram;
    PfHashEngineConfig hash_engine;
    PfCamConfig cam;
    PfControllerConfig controller;
    PfIndirectionConfig remap;
    PfCosts costs;
    PfCacheConfig *caches; /* in order from the cores outward */
    unsigned cache_count;
} PfMachineConfig;

/* Binds `machine` of CONFIG. Errors are collected there. */
PfMachineConfig *pf_machine_config_new(PfConfig *config);
void pf_machine_config_free(PfMachineConfig *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfMachineConfig, pf_machine_config_free)

/* The node of CORE: neighbouring cores share one. */
unsigned pf_machine_node_of_core(const PfMachineConfig *config, unsigned core);

/* Cycles from a core to the memory controllers and back: what the last cache takes. */
uint64_t pf_machine_reach(const PfMachineConfig *config);

/* How many page colours the machine has for pages of PAGE_BYTES. */
unsigned pf_machine_colors(const PfMachineConfig *config, uint32_t page_bytes);

/* numa.h */
typedef struct PfNuma PfNuma;

/* One more core than the contexts have: the daemon's, the last. */
typedef struct {
    const PfMachineConfig *config; /* borrowed */
    unsigned core_count;
    PfCore **cores;
    PfCache **caches; /* config->cache_count for each core; shared ones stand for each core */
    PfCache **fetch;  /* by core: the first level that serves fetches, and data */
    PfCache **data;
    uint64_t fetch_hit_cycles; /* of those first levels */
    uint64_t data_hit_cycles;
    PfConflicts *conflicts; /* before the last cache; NULL unless asked for */
    PfDram *dram;
    PfHashEngine *hash_engine;
    PfNuma *numa;         /* between the caches and both */
    PfIndirection *table; /* between the caches and that if `remaps`, else beside them */
    bool remaps;
    bool tells_conflicts;
    PfCam **cams; /* one for each node; an ideal one alone */
    unsigned cam_count;
    PfController *controller;
    PfCore *engine; /* the clock of who works at the controller; no core of the machine */
    PfMmu mmu;
} PfMachine;

/* With REMAPS the memory controller translates bus addresses; with TELLS_CONFLICTS misses of a last
 * cache that all cores share, and that is not the first, are told apart. NULL with PF_ERROR_CONFIG
 * where a model refuses its parameters. */
PfMachine *pf_machine_new(const PfMachineConfig *config, unsigned page_shift, bool remaps,
                          bool tells_conflicts, uint64_t seed, PfStats *stats, GError **error);
void pf_machine_free(PfMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfMachine, pf_machine_free)

/* Asserts the invariants of every model. */
void pf_machine_check(const PfMachine *machine);
