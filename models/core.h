/* A core's clock: how much of the memory latency is hidden behind other work.
 *
 * A core advances by its instructions times a base CPI, kept as a fixed-point number so that no
 * float is part of the state. A read that takes longer than a hit of the first level becomes an
 * outstanding miss; the core goes on until
 *   - all MSHRs are taken and another miss needs one: it waits for the first to be free, of those
 *     whose answer is a ticket for the oldest, and that miss, which could only start then, is done
 *     as much later;
 *   - the oldest outstanding read is `window` instructions old and another one is to be executed
 *     (the reorder buffer is full); an access counts as instructions only as far as the caller
 *     counts it;
 *   - a read depends on the previous read's result;
 *   - it is drained (a barrier, a system call).
 * A write that misses takes an MSHR but does not hold up the window: it has retired into the store
 * buffer. That is left in order, so behind a miss all later stores stay in it, and the one that
 * finds no room waits for the miss (total store order: Intel 64 and IA-32 Architectures Software
 * Developer's Manual, volume 3, chapter on memory ordering). A window of 1 is a blocking, in-order
 * core: every access is waited for in full.
 *
 * An access whose translation takes time (pf_core_translate) is done as much later, so that page
 * walks overlap like misses. A write retires when it is translated: until then it holds up the
 * window as a read does.
 *
 * This is the interval view of a core (Karkhanis and Smith, "A first-order superscalar processor
 * model", ISCA 2004; Genbrugge, Eyerman and Eeckhout, "Interval simulation", HPCA 2010).
 *
 * What the model cannot do: no branch prediction, no functional units, no time for leaving the
 * store buffer, no merging of misses to one line (the cache answers the second as a hit);
 * dependencies only on the previous read.
 *
 * Calls for one access, in this order: pf_core_instructions for what was executed before it;
 * pf_core_ready for a read; pf_core_translate if its translation is not there yet; then the access
 * is sent with the time that this gave, else pf_core_now; pf_core_issue with its answer. Each says
 * by how many cycles it moved the clock; pf_core_take_walk_stall, how many of them were
 * translation. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "port.h"
#include "rng.h"
#include "stats.h"
#include "units.h"

typedef struct {
    double cpi;
    uint64_t window_instructions;
    uint64_t mshrs;
    uint64_t store_buffer;  /* entries; 0: without end */
    double dependent_share; /* of the reads that the trace does not mark as dependent */
    double instruction_pJ;  /* without what caches and TLBs take; NaN: not known */
    double leakage_mW;      /* likewise */
} PfCoreConfig;

extern const PfConfigField pf_core_fields[];
extern const size_t pf_core_field_count;

typedef struct {
    uint64_t instructions;
    uint64_t stall_cycles; /* waited for memory */
    uint64_t idle_cycles;  /* passed over by pf_core_advance_to */
} PfCoreStats;

enum { PF_CORE_MSHRS_MAX = 256 };

/* A miss that the core has not waited for. */
typedef struct {
    uint64_t done_cycles; /* or a ticket */
    uint64_t late_cycles; /* a ticket's: by how much later it could be sent */
    uint64_t translated_cycles;
    uint64_t limit_instructions; /* count up to which the core gets meanwhile; UINT64_MAX: write */
    uint64_t limit_stores; /* a write's: count of stores up to which there is room behind it */
} PfCoreMiss;

/* Members are for the inline functions below; others use the functions. */
typedef struct {
    uint64_t now_cycles;
    uint64_t instructions;
    uint32_t cpi_fraction; /* of a cycle, in 2^-32, carried over */
    uint32_t miss_count;
    uint64_t cpi; /* in 2^-32 cycles */
    uint64_t previous_read_done_cycles; /* or the ticket of an outstanding miss */
    PfPort *port;                       /* borrowed; resolves tickets */
    uint64_t previous_read_translated_cycles;
    uint64_t translated_cycles; /* of the access in hand, or past */
    uint64_t walk_stall_cycles; /* not taken yet */
    uint64_t window;
    uint32_t mshrs;
    uint32_t store_buffer;
    uint64_t stores;       /* that found misses, or missed */
    uint64_t stores_clear; /* count up to which there is room for certain */
    bool all_dependent;
    uint64_t dependent_below; /* a draw below this makes a read dependent */
    PfRng rng;
    PfCoreStats stats;
    PfCoreMiss misses[PF_CORE_MSHRS_MAX]; /* in order of issue */
} PfCore;

/* A core at cycle 0. SEED should differ from core to core. Counters are registered in STATS, which
 * may be NULL. NULL with PF_ERROR_CONFIG where a parameter is out of range. */
PfCore *pf_core_new(const PfCoreConfig *config, uint64_t seed, PfStatsGroup *stats,
                    GError **error);
void pf_core_free(PfCore *core);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfCore, pf_core_free)

/* Tickets come from PORT, borrowed, from here on. */
void pf_core_set_port(PfCore *core, PfPort *port);

/* The core's clock, in cycles. */
static inline uint64_t pf_core_now(const PfCore *core)
{
    return core->now_cycles;
}

/* Waits until CYCLE (no-op if it is past), as for the result of a fetch that missed. The stall
 * cycles. */
static inline uint64_t pf_core_stall_until(PfCore *core, uint64_t cycle)
{
    if (cycle <= core->now_cycles)
        return 0;
    uint64_t stall_cycles = cycle - core->now_cycles;
    core->now_cycles = cycle;
    core->stats.stall_cycles += stall_cycles;
    return stall_cycles;
}

/* The same for what is done at DONE_CYCLES and was, or will be, translated at TRANSLATED_CYCLES:
 * waiting up to there is a walk's. */
static inline uint64_t pf_core_wait(PfCore *core, uint64_t done_cycles, uint64_t translated_cycles)
{
    if (translated_cycles > core->now_cycles && done_cycles > core->now_cycles)
        core->walk_stall_cycles += MIN(translated_cycles, done_cycles) - core->now_cycles;
    return pf_core_stall_until(core, done_cycles);
}

/* Of the stall cycles since the last call, those that waited for translations. */
static inline uint64_t pf_core_take_walk_stall(PfCore *core)
{
    uint64_t cycles = core->walk_stall_cycles;
    core->walk_stall_cycles = 0;
    return cycles;
}

/* The access that is sent next has its translation CYCLES from now: when it may be sent. */
static inline uint64_t pf_core_translate(PfCore *core, uint64_t cycles)
{
    core->translated_cycles = core->now_cycles + cycles;
    return core->translated_cycles;
}

/* Behind the inline functions: the same with misses outstanding, for an access that is not a hit of
 * the first level, for a share of dependent reads. */
uint64_t pf_core_instructions_in_window(PfCore *core, uint64_t count);
uint64_t pf_core_issue_miss(PfCore *core, uint64_t answer, uint64_t hit_latency_cycles,
                            bool is_write);
uint64_t pf_core_settle_previous(PfCore *core);
uint64_t pf_core_find_room(PfCore *core);
bool pf_core_draw_dependent(PfCore *core);

/* A store goes into the buffer. The cycles that it waits for room. */
static inline uint64_t pf_core_buffer_store(PfCore *core)
{
    if (core->store_buffer == 0)
        return 0;
    uint64_t stall_cycles = core->stores < core->stores_clear ? 0 : pf_core_find_room(core);
    core->stores++;
    return stall_cycles;
}

/* COUNT instructions times CPI, whole cycles; the rest is carried. */
static inline uint64_t pf_core_advance(PfCore *core, uint64_t count)
{
    PfUint128 product = (PfUint128)count * core->cpi + core->cpi_fraction;
    uint64_t cycles = (uint64_t)(product >> 32);
    core->cpi_fraction = (uint32_t)product;
    core->now_cycles += cycles;
    core->instructions += count;
    core->stats.instructions += count;
    return cycles;
}

/* Executes COUNT instructions. Returns the cycles to charge; those of them that are waiting,
 * because an outstanding read filled the window on the way, are also added to
 * stats.stall_cycles. */
static inline uint64_t pf_core_instructions(PfCore *core, uint64_t count)
{
    if (core->miss_count == 0)
        return pf_core_advance(core, count);
    return pf_core_instructions_in_window(core, count);
}

/* Call it before a read is sent; DEPENDENT: it needs the result of the previous read. Returns the
 * stall cycles. */
static inline uint64_t pf_core_ready(PfCore *core, bool dependent)
{
    if (!dependent && !core->all_dependent &&
        (core->dependent_below == 0 || !pf_core_draw_dependent(core)))
        return 0;
    uint64_t done_cycles = core->previous_read_done_cycles;
    if (G_UNLIKELY(pf_answer_is_ticket(done_cycles)))
        done_cycles = pf_core_settle_previous(core);
    return pf_core_wait(core, done_cycles, core->previous_read_translated_cycles);
}

/* An access that was sent now, or when it was translated, got ANSWER: when it is done or a ticket,
 * which is kept until the core can go no further without it; a hit of the first level takes
 * HIT_LATENCY_CYCLES, which are hidden unless a read depends on it. IS_WRITE as told above.
 * DEPENDENT is as for pf_core_ready, which has done the waiting; it changes nothing here. Returns
 * the stall cycles. */
static inline uint64_t pf_core_issue(PfCore *core, uint64_t answer, uint64_t hit_latency_cycles,
                                     bool is_write, bool dependent)
{
    (void)dependent;
    if (core->window == 1)
        return pf_core_wait(core, pf_port_wait(core->port, answer), core->translated_cycles);
    if (answer > core->now_cycles + hit_latency_cycles) /* a ticket is later than any time */
        return pf_core_issue_miss(core, answer, hit_latency_cycles, is_write);
    if (!is_write) {
        core->previous_read_done_cycles = answer;
        core->previous_read_translated_cycles = core->translated_cycles;
        return 0;
    }
    return core->miss_count > 0 ? pf_core_buffer_store(core) : 0;
}

/* Waits for everything outstanding. The stall cycles. */
uint64_t pf_core_drain(PfCore *core);

/* A barrier: the clock becomes CYCLE if it is behind; what is outstanding goes on meanwhile. The
 * idle cycles. */
uint64_t pf_core_advance_to(PfCore *core, uint64_t cycle);

/* Forgets what is outstanding and the carried fraction; the clock and the statistics go on. */
void pf_core_reset_state(PfCore *core);

/* Asserts: misses within the MSHRs, windows not passed. */
void pf_core_check(const PfCore *core);
