/* One DRAM channel: the state of its banks and the rules between commands. A part of dram.c; other
 * files ask pf_dram_access. Times are DRAM clocks. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "dram_preset.h"

typedef enum { PF_DRAM_ROW_HIT, PF_DRAM_ROW_MISS, PF_DRAM_ROW_CONFLICT } PfDramRowState;

#define PF_DRAM_NO_ROW UINT32_MAX

/* The members called *_ready are the first clocks at which such a command is legal as far as that
 * bank, group or rank is concerned. */
typedef struct {
    uint32_t open_row; /* or PF_DRAM_NO_ROW */
    uint64_t column_ready;
    uint64_t precharge_ready;
    uint64_t activate_ready;
} PfDramBank;

typedef struct {
    uint64_t read_ready;
    uint64_t write_ready;
    uint64_t activate_ready;
} PfDramGroup;

typedef struct {
    uint64_t read_ready;
    uint64_t write_ready;
    uint64_t activate_ready;
    /* When the four-activate window lets go of each of the last four activations, as a ring. */
    uint64_t window_ready[4];
    uint32_t window_oldest;
} PfDramRank;

typedef struct {
    const PfDramPreset *timing; /* borrowed */
    uint32_t rank_count;
    bool closes_rows;    /* precharge with each access */
    PfDramRank *ranks;
    PfDramGroup *groups; /* by rank, group */
    PfDramBank *banks;   /* by rank, group, bank */
} PfDramChannel;

/* Where in the channel a transaction goes. */
typedef struct {
    uint32_t rank;
    uint32_t group; /* in the rank */
    uint32_t bank;  /* in the group */
    uint32_t row;
} PfDramTarget;

/* Idle, all rows closed. TIMING is borrowed. */
void pf_dram_channel_init(PfDramChannel *channel, const PfDramPreset *timing, uint32_t ranks,
                          bool closes_rows);
void pf_dram_channel_clear(PfDramChannel *channel);

/* Reserves what a transaction that arrives at clock AT needs. Returns the clock of its RD or WR;
 * RET_STATE is how it found the row. */
uint64_t pf_dram_channel_schedule(PfDramChannel *channel, const PfDramTarget *target,
                                  bool is_write, uint64_t at, PfDramRowState *ret_state);

/* COUNT refreshes of every rank, due each tREFI, the first at FIRST, the last at LAST. The first
 * waits until the banks can be closed; the others come when due, or back to back behind a late
 * one. */
void pf_dram_channel_refresh(PfDramChannel *channel, uint64_t first, uint64_t last,
                             uint64_t count);

/* Closes all rows and forgets all reservations. */
void pf_dram_channel_reset_state(PfDramChannel *channel);

/* Asserts the invariants of the banks. */
void pf_dram_channel_check(const PfDramChannel *channel);
