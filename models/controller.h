/* The memory controller as a place to work: lines are read and written where DRAM is, past all
 * caches.
 *
 * Semantics of the corner cases:
 *   - The controller knows which lines caches hold dirty, by the filter of coherence.h. Such
 *     a line is read from its cache, `snoop` cycles after it was asked for; it stays there and
 *     stays dirty, and DRAM is not read.
 *   - Every other line is a read of DRAM. No cache holds it afterwards that did not before.
 *   - A line that is written is dropped from all caches, dirty or not: it is overwritten as a
 *     whole. The write is posted.
 *   - One line is issued each cycle, without waiting for the one before.
 *   - Where an indirection table stands above DRAM, addresses are those of the bus; the controller
 *     knows what its table says, at no cost.
 *
 * What the model cannot do: no limit on lines in flight, no conflict of snoops with the cores' own
 * accesses to their caches. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coherence.h"
#include "config.h"
#include "indirection.h"
#include "port.h"
#include "stats.h"

typedef struct {
    uint64_t snoop_cycles;
} PfControllerConfig;

extern const PfConfigField pf_controller_fields[];
extern const size_t pf_controller_field_count;

typedef struct {
    uint64_t reads;
    uint64_t writes;
    uint64_t snoops;
} PfControllerStats;

typedef struct PfController PfController;

/* Works on DRAM (borrowed), whose lines have LINE_BYTES, and snoops the caches that COHERENCE
 * (borrowed) knows. STATS may be NULL. */
PfController *pf_controller_new(const PfControllerConfig *config, PfPort *dram,
                                PfCoherence *coherence, uint32_t line_bytes, PfStatsGroup *stats);
void pf_controller_free(PfController *controller);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfController, pf_controller_free)

/* Addresses are translated by TABLE (borrowed) from now on. */
void pf_controller_set_table(PfController *controller, const PfIndirection *table);

/* Where ADDRESS lies in DRAM. */
PfMaddr pf_controller_translate(const PfController *controller, PfMaddr address);

/* Whether some cache holds the line of ADDRESS dirty; disturbs nothing. */
bool pf_controller_is_dirty(const PfController *controller, PfMaddr address);

/* Borrowed. */
const PfControllerStats *pf_controller_stats(const PfController *controller);

/* Reads (FIRST->kind is READ) or writes LINES whole lines, from the one that FIRST->address lies in
 * upward, issued one each cycle from FIRST->now_cycles on. When the last to finish is done
 * (FIRST->now_cycles for no lines). */
uint64_t pf_controller_run(PfController *controller, const PfRequest *first, uint32_t lines);

/* Drops LINES whole lines likewise from all caches, one each cycle; with WRITE_BACK those that are
 * dirty are fetched by a snoop and then written to DRAM. When the last is done. */
uint64_t pf_controller_flush(PfController *controller, const PfRequest *first, uint32_t lines,
                             bool write_back);
