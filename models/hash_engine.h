/* A hash engine: hardware that makes keys of pages.
 *
 * Each core has a unit, or each channel of DRAM has. A unit takes so many bytes a cycle, in order;
 * its result comes `depth` cycles after the last of them (hash_unit.h).
 *
 * What it reads, and when:
 *   full, at a core: the whole page, for each key, through the core's caches (by who calls).
 *   full, at the controllers: the whole page from DRAM, a line asked for each cycle. Of a line that
 *     some cache holds dirty DRAM has old bytes: the line comes from that cache (snoop; see
 *     controller.h), or the page is left out (skip).
 *   ecc: likewise, but only PF_ECC_LINES lines.
 *   incremental, at a core: the words of each store. Their old bytes are in the line, which is in
 *     the cache or comes with the fill of the miss; of a page that is filled or copied whole they
 *     are not needed. Stores wait in a queue; the core waits when that is full.
 *   incremental, at the controllers: each write-back. Its old bytes are read from DRAM before it,
 *     unless a digest of each line is kept. So the key is that of DRAM, not of the page, while
 *     lines of it are dirty (stale), or the page is left out as long (skip).
 * With several channels, each channel's unit takes the channel's own lines, and all but one send a
 * message with their part of the key (slices = channel); or the unit of the channel that has the
 * page's first line takes all, and lines of other channels come as messages (home).
 *
 * What the model cannot do: the table of keys that an incremental engine keeps costs no traffic and
 * no time to update; messages do not meet; a request of a core and its answer come to the
 * controllers and back in no time. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "controller.h"
#include "homes.h"
#include "page_key.h"
#include "port.h"
#include "stats.h"

typedef enum { PF_HASH_AT_CORE, PF_HASH_AT_CONTROLLER } PfHashPlace;
typedef enum { PF_HASH_SOFTWARE, PF_HASH_FULL, PF_HASH_INCREMENTAL, PF_HASH_ECC } PfHashKind;
typedef enum { PF_DIRTY_AUTO, PF_DIRTY_SNOOP, PF_DIRTY_SKIP, PF_DIRTY_STALE } PfHashDirty;
typedef enum { PF_SLICES_HOME, PF_SLICES_CHANNEL } PfHashSlices;

typedef struct {
    int at;   /* PfHashPlace */
    int kind; /* PfHashKind; SOFTWARE: no engine, a core computes the policy's hash */
    uint64_t bytes_per_cycle;
    uint64_t depth_cycles;
    double energy_per_byte_pj; /* NaN: not known */
    double leakage_mW;         /* of each unit; likewise */
    uint64_t queue;
    int dirty;  /* PfHashDirty; AUTO: snoop, or stale for incremental */
    int slices; /* PfHashSlices */
    uint64_t message_cycles;
    uint64_t digest_bits; /* 0: none are kept */
    int function;
    uint64_t ecc_line;
} PfHashEngineConfig;

/* Binds SECTION, `machine.hash_engine`; what does not go together is a collected error. */
void pf_hash_engine_bind(PfConfigSection *section, PfHashEngineConfig *config);

/* Told of lines of memory, for who knows their bytes; addresses are DRAM's. */
typedef struct {
    /* As pf_hash_engine_announce. */
    void (*stored)(void *user, PfMaddr address, uint64_t bytes);
    /* The line of BYTES at ADDRESS goes to DRAM. */
    void (*written_back)(void *user, PfMaddr address, uint32_t bytes);
} PfHashWatcher;

/* A key of BYTES from first.address on, an address of the bus, is asked for at first.now_cycles. */
typedef struct {
    PfRequest first;       /* address, time, core and actor */
    uint64_t bytes;
    bool reads_dram;       /* the engine reads them; else: */
    uint64_t ready_cycles; /* when they are there */
} PfHashJob;

typedef struct {
    uint64_t pages;
    uint64_t bytes;
    uint64_t busy_cycles;
    uint64_t conflicts;
    uint64_t stores;
    uint64_t old_line_reads;
    uint64_t combine_messages;
    uint64_t cross_reads;
    uint64_t snoops;
    uint64_t skipped_pages;
} PfHashEngineStats;

/* Starts with its PfPort, that of the memory behind it. */
typedef struct PfHashEngine PfHashEngine;

/* An engine, switched off, for CORES cores (or what counts like one) or the channels of all nodes'
 * DRAM, and pages of PAGE_BYTES in lines of LINE_BYTES. CONFIG and HOMES are borrowed. Statistics
 * are registered in STATS, which may be NULL. */
PfHashEngine *pf_hash_engine_new(const PfHashEngineConfig *config, unsigned cores, PfHomes *homes,
                                 uint32_t page_bytes, uint32_t line_bytes, PfStatsGroup *stats);
void pf_hash_engine_free(PfHashEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfHashEngine, pf_hash_engine_free)

/* What the last caches send their requests to: the engine's own port where it has to see
 * write-backs, else that of DRAM. */
PfPort *pf_hash_engine_port(PfHashEngine *engine);

/* CONTROLLER (borrowed) is what it reads lines through. */
void pf_hash_engine_attach(PfHashEngine *engine, PfController *controller);

/* Who wants to be told of lines, while the engine is at the controllers and incremental. */
void pf_hash_engine_watch(PfHashEngine *engine, const PfHashWatcher *watcher, void *user);

/* Keys will be asked for: from now on it attends to stores and write-backs. */
void pf_hash_engine_start(PfHashEngine *engine);
bool pf_hash_engine_is_on(const PfHashEngine *engine);

/* Borrowed. */
const PfHashEngineConfig *pf_hash_engine_config(const PfHashEngine *engine);
const PfHashEngineStats *pf_hash_engine_stats(const PfHashEngine *engine);
/* How many units it has. */
unsigned pf_hash_engine_units(const PfHashEngine *engine);
/* What it makes keys of (incremental). */
PfKeyForm pf_hash_engine_form(const PfHashEngine *engine);

/* Whether the page at ADDRESS, of the bus, is left out now, which is counted: some cache holds a
 * line dirty that would be read, or is part of the key. */
bool pf_hash_engine_leaves_out(PfHashEngine *engine, PfMaddr address);

/* Makes the key of a page: the cycle at which it is there. */
uint64_t pf_hash_engine_page(PfHashEngine *engine, const PfHashJob *job);

/* BYTES from ADDRESS on are about to be stored: for the watcher. */
void pf_hash_engine_announce(PfHashEngine *engine, PfMaddr address, uint64_t bytes);

/* FIRST->core stores BYTES from FIRST->address on, a line a cycle from FIRST->now_cycles on; the
 * old ones are there at READY_CYCLES. Returns how many cycles after that time the last of them is
 * taken. Not TIMED: at once. */
uint64_t pf_hash_engine_store(PfHashEngine *engine, const PfRequest *first, uint64_t bytes,
                              uint64_t ready_cycles, bool timed);

/* What an incremental engine keeps of each page. */
uint64_t pf_hash_engine_bits_per_page(const PfHashEngine *engine);

/* Asserts: nothing in hand, units in order, statistics that add up. */
void pf_hash_engine_check(const PfHashEngine *engine);
