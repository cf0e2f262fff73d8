/* The banks of a DRAM channel and the rules between commands, as the first clock at which each
 * command is legal. Times are DRAM clocks. A part of dram.c. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "dram_bus.h"
#include "dram_command.h"
#include "dram_preset.h"

#define PF_DRAM_NO_ROW UINT32_MAX

/* What is to be done with a bank next; it says which rules count. */
typedef enum {
    PF_DRAM_NEEDS_READ,
    PF_DRAM_NEEDS_WRITE,
    PF_DRAM_NEEDS_PRE,
    PF_DRAM_NEEDS_ACT,
    PF_DRAM_NEEDS
} PfDramNeed;

/* The members called *_ready are the first clocks at which such a command is legal as far as that
 * bank, group or rank is concerned. */
typedef struct {
    uint32_t open_row; /* or PF_DRAM_NO_ROW */
    uint16_t rank;
    uint16_t group; /* in the channel */
    uint64_t read_ready;
    uint64_t write_ready;
    uint64_t precharge_ready;
    uint64_t activate_ready;
} PfDramBank;

/* `ready` is the same by need; a group does not hold up a PRE. */
typedef struct {
    uint64_t ready[PF_DRAM_NEEDS];
} PfDramGroup;

typedef struct {
    uint64_t ready[PF_DRAM_NEEDS];
    /* When the four-activate window lets go of each of the last four activations, as a ring. */
    uint64_t window_ready[4];
    uint32_t window_oldest;
    uint32_t open_banks;
    uint64_t active_since;  /* while a bank is open */
    uint64_t active_clocks; /* with a bank open, before that */
    uint64_t asleep_since;  /* while it sleeps; later by what it was awake for refreshes */
    uint64_t asleep_clocks; /* before that */
} PfDramRank;

typedef struct {
    const PfDramPreset *timing; /* borrowed */
    uint32_t rank_count;
    uint32_t bank_count; /* in the channel */
    PfDramRank *ranks;
    PfDramGroup *groups; /* by rank, group */
    PfDramBank *banks;   /* by rank, group, bank */
    PfDramBus bus;        /* for commands of rows, or for all */
    PfDramBus column_bus; /* where columns have one of their own */
    uint64_t commands[PF_DRAM_COMMANDS];
    PfDramObserver observe; /* may be NULL */
    void *observe_user;
    uint32_t channel; /* its number, as told */
    uint32_t asleep;  /* a bit for each rank that sleeps */
} PfDramBanks;

/* Idle, all rows closed. TIMING is borrowed. */
void pf_dram_banks_init(PfDramBanks *banks, const PfDramPreset *timing, uint32_t ranks);
void pf_dram_banks_clear(PfDramBanks *banks);

/* Closes all rows and forgets what is ready when. */
void pf_dram_banks_reset_state(PfDramBanks *banks);

/* Put a command at clock AT, which must be legal, and note what it forbids. */
void pf_dram_activate(PfDramBanks *banks, uint32_t bank, uint32_t row, uint64_t at);
void pf_dram_precharge(PfDramBanks *banks, uint32_t bank, uint64_t at);
/* RD or WR, with CLOSES the kind that precharges behind it. */
void pf_dram_column(PfDramBanks *banks, uint32_t bank, bool is_write, bool closes, uint64_t at);

/* Closes the rows of RANK and refreshes it, due at DUE; the clock of the REF. */
uint64_t pf_dram_refresh_rank(PfDramBanks *banks, uint32_t rank, uint64_t due);
/* The same for one bank. */
uint64_t pf_dram_refresh_bank(PfDramBanks *banks, uint32_t bank, uint64_t due);

/* Whether RANK sleeps: is in power-down or self refresh. */
static inline bool pf_dram_rank_sleeps(const PfDramBanks *banks, uint32_t rank)
{
    return (banks->asleep >> rank & 1) != 0;
}

/* Closes the rows of RANK, which is awake, at AT or as soon after as can be; it sleeps from then
 * on. */
void pf_dram_rank_sleep(PfDramBanks *banks, uint32_t rank, uint64_t at);
/* RANK, which sleeps, wakes at AT: its next command is legal EXIT_CLOCKS later. */
void pf_dram_rank_wake(PfDramBanks *banks, uint32_t rank, uint64_t at, uint64_t exit_clocks);
/* RANK, which sleeps, has been awake for so many REFRESHES of CLOCKS each. */
void pf_dram_rank_refreshed(PfDramBanks *banks, uint32_t rank, uint64_t refreshes,
                            uint32_t clocks);

/* The clocks up to NOW with a bank of RANK open, and asleep. */
uint64_t pf_dram_active_clocks(const PfDramBanks *banks, uint32_t rank, uint64_t now);
uint64_t pf_dram_rank_asleep_clocks(const PfDramBanks *banks, uint32_t rank, uint64_t now);

/* Asserts the invariants. */
void pf_dram_banks_check(const PfDramBanks *banks);

/* The bus that RD and WR take. */
static inline const PfDramBus *pf_dram_columns_bus(const PfDramBanks *banks)
{
    return banks->timing->splits_bus ? &banks->column_bus : &banks->bus;
}

/* The first clock from AT on at which BANK's open row can be read or written and its bus is free,
 * and at which BANK can be precharged. */
static inline uint64_t pf_dram_column_ready(const PfDramBanks *banks, const PfDramBank *bank,
                                            bool is_write, uint64_t at)
{
    const PfDramGroup *group = &banks->groups[bank->group];
    const PfDramRank *rank = &banks->ranks[bank->rank];
    PfDramNeed need = is_write ? PF_DRAM_NEEDS_WRITE : PF_DRAM_NEEDS_READ;
    at = MAX(at, is_write ? bank->write_ready : bank->read_ready);
    at = MAX(at, MAX(group->ready[need], rank->ready[need]));
    return pf_dram_bus_fit(pf_dram_columns_bus(banks), at, banks->timing->column_slots);
}

static inline uint64_t pf_dram_precharge_ready(const PfDramBanks *banks, const PfDramBank *bank,
                                               uint64_t at)
{
    at = MAX(at, MAX(bank->precharge_ready, banks->ranks[bank->rank].ready[PF_DRAM_NEEDS_PRE]));
    return pf_dram_bus_fit(&banks->bus, at, 1);
}
