/* DRAM: channels, ranks and banks with row buffers, timed by reservation.
 *
 * A request is decoded to its bank and gets, at once and in order of arrival, the earliest legal
 * times of the commands that it needs (PRE, ACT, RD or WR). Those times are kept as "ready from"
 * clocks of banks, bank groups, ranks and channels: tRCD, tRP, tRAS, tRC, tRTP, tWR, tCCD_S/L,
 * tRRD_S/L, tFAW, tWTR_S/L, read-to-write and rank-to-rank turnaround. All state is in whole DRAM
 * clocks; a request arrives at the first clock edge that is not before its cycle and answers are
 * rounded up to core cycles, both exactly.
 *
 * Semantics of the corner cases:
 *   - A transaction moves 64 bytes. A request takes one for each 64-byte block that it touches, and
 *     each counts, has its own row state and its own latency; the last one's end is the answer.
 *   - A read is done at RD + CL + burst. A write is answered when the write queue takes it: at
 *     once, unless the `write_queue` writes before it in its channel are still unissued. Its
 *     latency in the statistics runs to the end of its data.
 *   - Refresh falls due on all ranks at each multiple of tREFI and takes its turn like a request
 *     that arrives then: it waits for what came before and holds the rank for tRFC. Rows are
 *     closed ahead of it where that is legal. Refreshes of idle times are counted when the next
 *     request arrives.
 *   - The page policy "closed" precharges automatically with each access.
 *   - Addresses beyond the capacity wrap around (page tables lie there).
 *   - Requests need not come in order of time. One that is a little older than the newest waits its
 *     turn like any other. A core that is further behind is served as of the newest request's time
 *     and moved back: its latencies count from there, and it keeps that skew, so that it meets its
 *     own earlier requests but not, as a delay, the lead of another core's clock. Contention
 *     between cores whose clocks are far apart is therefore only as good as their order in the
 *     trace, and bandwidth between them is not shared but taken in turns.
 *
 * What the model cannot do: it does not reorder (no FR-FCFS, no write batching, so mixed streams
 * pay a bus turnaround at each change: too slow when loaded); a later request's commands to another
 * bank of the rank never go before an earlier one's; the command bus is never full; no power-down,
 * no per-bank refresh, no energy, no errors. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"
#include "dram_preset.h"
#include "port.h"
#include "stats.h"

/* Order of the address fields, high bits to low; `Ba` is bank group and bank. */
typedef enum {
    PF_DRAM_ROBARACOCH, /* row, bank, group, rank, column, channel */
    PF_DRAM_CHRABAROCO  /* channel, rank, group, bank, row, column */
} PfDramMapping;

typedef enum { PF_DRAM_PAGE_OPEN, PF_DRAM_PAGE_CLOSED } PfDramPagePolicy;
typedef enum { PF_DRAM_REFRESH_ALL_BANK, PF_DRAM_REFRESH_NONE } PfDramRefresh;

typedef struct {
    int preset; /* index into pf_dram_presets */
    uint64_t channels;
    uint64_t ranks;
    int mapping;     /* PfDramMapping */
    int page_policy; /* PfDramPagePolicy */
    int refresh;     /* PfDramRefresh */
    uint64_t write_queue;
} PfDramConfig;

extern const PfConfigField pf_dram_fields[];
extern const size_t pf_dram_field_count;

enum { PF_DRAM_TRANSACTION_BYTES = 64 };

typedef struct {
    uint64_t reads;
    uint64_t writes;
    uint64_t reads_by_actor[PF_ACTOR_COUNT];
    uint64_t writes_by_actor[PF_ACTOR_COUNT];
    uint64_t row_hits;
    uint64_t row_misses;
    uint64_t row_conflicts;
    uint64_t refreshes;
    PfHistogram read_latency_clocks; /* arrival to last data */
    PfHistogram write_latency_clocks;
} PfDramStats;

/* Where an address lies. */
typedef struct {
    uint32_t channel;
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

/* Borrowed. */
const PfDramStats *pf_dram_stats(const PfDram *dram);
const PfDramPreset *pf_dram_preset(const PfDram *dram);

/* What the last cache sends its requests to; borrowed, lives as long as DRAM. */
PfPort *pf_dram_port(PfDram *dram);

/* The port's operation, which may be called without the detour over the table. Never a ticket. */
uint64_t pf_dram_access(PfPort *port, const PfRequest *request);

/* How many there are. */
unsigned pf_dram_channels(const PfDram *dram);
/* Of all channels together. */
uint64_t pf_dram_capacity_bytes(const PfDram *dram);

/* Where ADDRESS lies, for placement by bank and for tests. */
PfDramLocation pf_dram_locate(const PfDram *dram, PfMaddr address);

/* Closes all rows and forgets all reservations; the refresh schedule and the statistics go on. */
void pf_dram_reset_state(PfDram *dram);

/* Asserts: rows within the device, activations within the window, statistics that add up. */
void pf_dram_check(const PfDram *dram);
