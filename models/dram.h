/* DRAM: channels with a controller each, ranks, bank groups and banks with row buffers.
 *
 * A controller has a queue of reads and one of writes, bounded. It issues ACT, PRE, RD, WR (and
 * their closing forms) and REF under all rules between commands: tRCD, tRP, tRAS, tRC, tRTP, tWR,
 * tCCD_S/L, tRRD_S/L, tFAW, tWTR_S/L, tPPD, read-to-write and rank-to-rank turnaround, one command
 * a clock on the bus. It is event driven: it goes from one command to the next legal one and costs
 * nothing while it is idle. All state is in whole DRAM clocks; a request arrives at the first clock
 * edge that is not before its cycle and answers are rounded up to core cycles, both exactly.
 *
 * Semantics of the corner cases:
 *   - A transaction moves 64 bytes (32 with LPDDR5 and HBM2). A request takes one for each block
 *     that it touches, and each counts, has its own row state and its own latency; the last one's
 *     end is the answer.
 *   - FR-FCFS: of the commands that queued requests need next, the one that is legal first; at the
 *     same clock columns before rows, then the oldest. A row is not closed while requests of the
 *     queue whose turn it is want it, unless `cap` of them have passed an older one. A request that
 *     has waited 8192 clocks goes before all others. FCFS: the oldest alone.
 *   - A request gives its place in its queue to another once a row was opened for it: beside those
 *     in the queues there are as many as banks at most.
 *   - Reads have their turn until the write queue is above its high mark or no read waits; writes
 *     until it is below its low mark and a read waits (at once if the turn came for want of reads),
 *     or as many were served as waited when their turn began.
 *   - A read is done at RD + CL + burst. A read of a line that waits to be written is answered
 *     after a clock; a write to such a line is absorbed. A write waits for older reads of its line.
 *     A write is answered when the write queue takes it.
 *   - Refresh falls due on all ranks (or on a bank of each) at each multiple of tREFI: no command
 *     but the PRE for it is issued from then on until the REF, save the first RD or WR of a row
 *     that was just opened.
 *   - Page policy "timeout" closes a row with a PRE that is issued, for its clock, when the next
 *     request for the bank arrives.
 *   - Addresses beyond the capacity wrap around (page tables lie there).
 *
 * The port answers a read with a ticket, and the read waits in its queue until that is resolved or
 * the queue is full. So the controller of a machine's memory has to choose from the reads that
 * cores keep outstanding and all queued writes; reads of those who ask for each answer at once
 * never pass one another, and are too slow when memory is loaded. A request that is older than the
 * last command decided, by up to 64 clocks, is still served as of its own time, in the gaps that
 * the commands have left. A core that is further behind is served as of the newest request's time
 * and moved back: its latencies count from there, and it keeps that skew, so that it meets its own
 * earlier requests but not, as a delay, the lead of another core's clock. Contention between cores
 * whose clocks are far apart is therefore only as good as their order in the trace, and bandwidth
 * between them is not shared but taken in turns. What comes through dram_feed.h has none of these
 * limits.
 *
 * What the model cannot do: no power-down but of ranks that hold nothing; no errors, no postponed
 * refreshes; pseudo channels do not share their command bus; LPDDR5 refreshes one bank at a time,
 * not pairs. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "dram_command.h"
#include "dram_config.h"
#include "dram_load.h"
#include "dram_preset.h"
#include "dram_stats.h"
#include "port.h"
#include "stats.h"

/* Where an address lies. */
typedef struct {
    uint32_t channel; /* pseudo channels count */
    uint32_t rank;
    uint32_t bank_group;
    uint32_t bank; /* in the group */
    uint32_t row;
    uint32_t column; /* in transactions */
} PfDramLocation;

/* Starts with its PfPort: (PfPort *)dram is its port. */
typedef struct PfDram PfDram;

/* Idle memory with all rows closed. CORE_CLOCK_HZ (not 0) is the clock that requests are timed in.
 * Statistics are registered in STATS, which may be NULL. NULL with PF_ERROR_CONFIG where the
 * organisation is impossible. */
PfDram *pf_dram_new(const PfDramConfig *config, uint64_t core_clock_hz, PfStatsGroup *stats,
                    GError **error);
void pf_dram_free(PfDram *dram);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfDram, pf_dram_free)

/* From now on DRAM, of the same configuration, counts its events and its energy into OWNER's, which
 * counts for itself and must live as long. */
void pf_dram_count_into(PfDram *dram, PfDram *owner);

/* From now on others read BYTES_PER_SECOND beside what is asked, spread over the channels evenly, a
 * share ROW_HITS of them from the row of the one before. False with PF_ERROR_CONFIG if the buses
 * cannot move as much. Not of a DRAM that is fed by dram_feed.h. */
bool pf_dram_set_load(PfDram *dram, uint64_t bytes_per_second, double row_hits, GError **error);

/* Borrowed. */
const PfDramStats *pf_dram_stats(const PfDram *dram);
const PfDramPreset *pf_dram_preset(const PfDram *dram);

/* What the last cache sends its requests to; borrowed, lives as long as DRAM. */
PfPort *pf_dram_port(PfDram *dram);

/* The port's operation, which may be called without the detour over the table. A write is never
 * answered with a ticket. */
uint64_t pf_dram_access(PfPort *port, const PfRequest *request);

/* How many there are, and how many ranks each has. */
unsigned pf_dram_channels(const PfDram *dram);
unsigned pf_dram_ranks(const PfDram *dram);
/* Of all channels together. */
uint64_t pf_dram_capacity_bytes(const PfDram *dram);

/* Where ADDRESS lies, for placement by bank and for tests. */
PfDramLocation pf_dram_locate(const PfDram *dram, PfMaddr address);

/* RD and WR so far, each of transaction_bytes of the preset. */
uint64_t pf_dram_transfers(const PfDram *dram);

/* Bytes that were asked for or sent by ACTOR (PfActor), those that the write queue answered or took
 * up included. */
uint64_t pf_dram_bytes_by(const PfDram *dram, unsigned actor);

/* What was spent up to the last request or pf_dram_advance. False where the preset has no
 * currents. */
bool pf_dram_energy(const PfDram *dram, PfDramEnergy *ret_energy);

/* How long ranks RANK slept up to then, the sum of all channels, those that count into DRAM too. */
uint64_t pf_dram_asleep_ps(const PfDram *dram, unsigned rank);

/* Lets everything happen that happens before NOW_CYCLES, of those too that count into DRAM. It is
 * NOW_CYCLES then as far as energy is concerned, even if a request had been moved behind that. */
void pf_dram_advance(PfDram *dram, uint64_t now_cycles);

/* RANK of all devices on CHANNEL holds nothing that counts from NOW_CYCLES on: with `power_down` it
 * sleeps once what waits for it is done, until it is woken or a request for it comes, which waits
 * for the way out. A load by others keeps all ranks awake. */
void pf_dram_sleep(PfDram *dram, unsigned channel, unsigned rank, uint64_t now_cycles);
/* RANK of CHANNEL holds something from NOW_CYCLES on. */
void pf_dram_wake(PfDram *dram, unsigned channel, unsigned rank, uint64_t now_cycles);

/* From now on OBSERVE, which may be NULL, sees each command. */
void pf_dram_observe(PfDram *dram, PfDramObserver observe, void *user);

/* Drops what waits, closes all rows; the refresh schedule and the statistics go on. */
void pf_dram_reset_state(PfDram *dram);

/* Asserts: rows within the device, queues that are whole, statistics that add up. */
void pf_dram_check(const PfDram *dram);
