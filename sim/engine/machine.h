/* The machine of a run: clocks, TLBs, caches and DRAM, built from the configuration. */
#pragma once

#include "cache.h"
#include "conflicts.h"
#include "cam.h"
#include "coherence.h"
#include "config.h"
#include "controller.h"
#include "core.h"
#include "costs.h"
#include "dram.h"
#include "frame.h"
#include "hash_engine.h"
#include "interconnect.h"
#include "machine_large.h"
#include "machine_nodes.h"
#include "mmu.h"
#include "registry.h"
#include "stats.h"
#include "swap_device.h"
#include "tap.h"

typedef enum { PF_ON_FULL_STOP, PF_ON_FULL_SWAP } PfOnFull;
typedef enum { PF_PAGING_NATIVE, PF_PAGING_NESTED, PF_PAGING_SHADOW } PfPaging;

/* Section `machine`, bound; the same for all runs of a simulation. */
typedef struct {
    uint64_t memory_bytes; /* PF_CONFIG_AUTO: no limit */
    uint64_t clock_hz;
    uint64_t cores;
    int on_full; /* PfOnFull */
    PfSwapDeviceConfig swap;
    int paging; /* PfPaging: how virtual machines are translated */
    int allocator; /* PfAllocator */
    uint64_t colors; /* PF_CONFIG_AUTO: by the last shared cache */
    int color_by;
    PfNumaConfig numa;
    PfLargeConfig large;
    PfCoreConfig core;
    PfMmuConfig mmu;
    PfDramConfig dram;
    PfDramLoadConfig background;
    PfHashEngineConfig hash_engine;
    PfCamConfig cam;
    PfCoherenceConfig coherence;
    PfControllerConfig controller;
    PfIndirectionConfig remap;
    PfCosts costs;
    PfCacheConfig *caches; /* in order from the cores outward */
    unsigned cache_count;
} PfMachineConfig;

/* Tells IMAGE which memory wants large pages, and what a store to a shared one copies: with a swap
 * device one page, as others of the run may be out when it is met. */
void pf_machine_want_large(const PfMachineConfig *config, PfImage *image);

/* Binds `machine` of CONFIG. Errors are collected there. */
PfMachineConfig *pf_machine_config_new(PfConfig *config);
void pf_machine_config_free(PfMachineConfig *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfMachineConfig, pf_machine_config_free)

/* Cycles from a core to the memory controllers and back: what the last cache takes. */
uint64_t pf_machine_reach(const PfMachineConfig *config);

/* The colours of pages of 1 << PAGE_SHIFT bytes. */
PfColoring pf_machine_coloring(const PfMachineConfig *config, unsigned page_shift);

/* How a run gives out frames; IS_LIMITED: only as many as the machine has. */
PfFrameRules pf_machine_frame_rules(const PfMachineConfig *config, bool is_limited,
                                    unsigned page_shift, uint64_t seed);

/* One more core than the contexts have: the daemon's, the last. */
typedef struct {
    const PfMachineConfig *config; /* borrowed */
    unsigned core_count;
    PfCore **cores;
    PfCache **caches; /* config->cache_count for each core; shared ones stand for each core */
    PfCache **fetch;  /* by core: the first level that serves fetches, and data */
    PfCache **data;
    PfCoherence *coherence;
    uint64_t fetch_hit_cycles; /* of those first levels */
    uint64_t data_hit_cycles;
    /* Before the last cache of each node; NULL unless asked for. */
    PfConflicts *conflicts[PF_NODES_MAX];
    PfDram *dram; /* of node 0, which counts for all */
    PfHomes homes;
    PfHashEngine *hash_engine;
    PfInterconnect *interconnect; /* between the caches and both; left out with one node */
    PfIndirection *table; /* between the caches and that if `remaps`, else beside them */
    bool remaps;
    bool tells_conflicts;
    PfTap tap; /* before memory, if it tells of write-backs; else its `next` is NULL */
    PfCam **cams; /* one for each node; an ideal one alone */
    unsigned cam_count;
    PfController *controller;
    PfCore *engine; /* the clock of who works at the controller; no core of the machine */
    PfMmu mmu;
} PfMachine;

/* What a run wants of its machine. */
typedef struct {
    const PfNodes *nodes; /* as it divides frames among them; borrowed */
    unsigned page_shift;
    bool remaps;            /* the memory controller translates bus addresses */
    bool tells_conflicts;   /* misses of last caches that nodes share, behind others */
    bool tells_write_backs; /* pf_machine_listen will be called */
    bool has_background;    /* others may load DRAM */
    uint64_t seed;
} PfMachineUse;

/* NULL with PF_ERROR_CONFIG where a model refuses its parameters. */
PfMachine *pf_machine_new(const PfMachineConfig *config, const PfMachineUse *use, PfStats *stats,
                          GError **error);
void pf_machine_free(PfMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfMachine, pf_machine_free)

/* LISTENER is told, with USER, of each line that a cache writes back, before memory is; at its
 * frame's address, not at that of the bus. Of a machine that tells of write-backs. */
void pf_machine_listen(PfMachine *machine, PfTapListener listener, void *user);

/* Asserts the invariants of every model. */
void pf_machine_check(const PfMachine *machine);

/* ---- machine_caches.c ---- */

/* Makes the caches of all cores, in front of memory. False with PF_ERROR_CONFIG. */
bool machine_build_caches(PfMachine *machine, uint64_t seed, PfStats *stats, GError **error);
void machine_free_caches(PfMachine *machine);

/* How many caches of LEVEL the first CORES cores have together. */
unsigned pf_machine_cache_count(const PfMachine *machine, unsigned level, unsigned cores);
