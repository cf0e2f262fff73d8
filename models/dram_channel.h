/* A DRAM channel's controller: queues, the choice of the next command, refresh. A part of dram.c;
 * dram.h says what it does. Times are DRAM clocks. */
#pragma once

#include "dram_banks.h"
#include "dram_queue.h"
#include "dram_config.h"
#include "dram_load.h"
#include "dram_stats.h"

/* 16 ranks of 64 banks. */
enum { PF_DRAM_BANK_WORDS = 16 };

/* Why writes are being served. */
typedef enum {
    PF_DRAM_DRAIN_NONE, /* they are not */
    PF_DRAM_DRAIN_IDLE, /* no read waits */
    PF_DRAM_DRAIN_FULL, /* the queue is above the high mark */
    PF_DRAM_DRAIN_AGED  /* one has waited too long */
} PfDramDrain;

/* The command that comes next as far as is known. */
typedef struct {
    uint64_t at;    /* UINT64_MAX: nothing waits */
    uint64_t order; /* of arrival */
    uint16_t entry;
    uint8_t need; /* PfDramNeed */
} PfDramChoice;

/* What a bank's next entry in turn needs, and when the bank lets it. */
typedef struct {
    uint64_t ready;
    uint64_t low; /* kind, age and bank, as dram_choice.c compares them */
    uint16_t entry;
    uint16_t of_group; /* group and need, rank and need: where their times are */
    uint8_t of_rank;
    uint8_t need; /* PfDramNeed */
} PfDramCandidate;

/* TAG, a read's, has its last data at DONE. */
typedef void (*PfDramDone)(void *user, uint64_t tag, uint64_t done);

typedef struct {
    const PfDramPreset *timing;     /* borrowed */
    const PfDramSettings *settings; /* borrowed */
    PfDramStats *stats;             /* borrowed */
    PfDramBanks banks;
    PfDramLoad load; /* by others */
    PfDramQueue queue;
    PfDramChoice choice;
    bool has_choice; /* and it is up to date */
    PfDramCandidate *candidates; /* by bank, of the side whose turn it is */
    uint64_t changed[PF_DRAM_BANK_WORDS]; /* a bit for each bank whose candidate is out of date */
    uint64_t waiting[PF_DRAM_BANK_WORDS]; /* ... that has a candidate */
    uint64_t age_origin; /* from which `low` counts orders */
    uint64_t left_open[PF_DRAM_BANK_WORDS]; /* ... whose row may be of the turn before */
    PfDramDrain drain;
    uint32_t turn_left;      /* entries to serve before the other side may have its turn */
    uint64_t now;            /* no command is put before this */
    uint64_t refresh_due;    /* UINT64_MAX: never */
    uint64_t refreshes;      /* that fell due, of all banks or of one */
    uint32_t *passed;        /* by bank: hits served past an older entry since its ACT */
    bool *is_fresh;          /* by bank: no RD or WR since its ACT */
    uint64_t *last_columns;  /* by bank: clock of its last RD or WR */
    uint32_t fruitless;      /* commands since the last that served an entry */
    PfDramDone done;         /* may be NULL */
    void *done_user;
} PfDramChannel;

/* What BANK needs next has to be found out anew. */
static inline void pf_dram_bank_changed(PfDramChannel *channel, uint32_t bank)
{
    channel->changed[bank / 64] |= (uint64_t)1 << bank % 64;
}

/* Idle. TIMING, SETTINGS and STATS are borrowed. */
void pf_dram_channel_init(PfDramChannel *channel, const PfDramPreset *timing,
                          const PfDramSettings *settings, PfDramStats *stats);
void pf_dram_channel_clear(PfDramChannel *channel);

/* Drops what waits, closes all rows; the refresh schedule goes on. */
void pf_dram_channel_reset_state(PfDramChannel *channel);

/* Does all that happens before clock UNTIL. */
void pf_dram_channel_run(PfDramChannel *channel, uint64_t until);

/* The clock of the next thing that happens, UINT64_MAX if nothing waits; refreshes do not count. */
uint64_t pf_dram_channel_next(PfDramChannel *channel);

/* Does the next thing, a refresh that is due before it included; something must wait. */
void pf_dram_channel_step(PfDramChannel *channel);

/* An entry (line, arrival, sent, tag, row, bank, is_write and actor) arrives at its clock ARRIVAL,
 * up to which the channel has been run; if it is older than that it is served as of now. There
 * must be room. A read of a line that waits to be written is answered from there a clock later; a
 * write to such a line disappears in that one. */
void pf_dram_channel_submit(PfDramChannel *channel, const PfDramEntry *entry);

/* RANK holds nothing from clock AT on: it sleeps, once nothing waits for it, until it is woken or a
 * request for it comes. Not so where others' load reads all ranks. */
void pf_dram_channel_sleep(PfDramChannel *channel, uint32_t rank, uint64_t at);
/* RANK wakes, if it sleeps. */
void pf_dram_channel_wake(PfDramChannel *channel, uint32_t rank, uint64_t at);

/* Counts COUNT refreshes of RANK, of so many CLOCKS each. Whether the controller issues them: a
 * rank may do so itself. */
bool pf_dram_count_refreshes(PfDramChannel *channel, uint32_t rank, uint64_t count,
                             uint32_t clocks);

/* Asserts the invariants. */
void pf_dram_channel_check(const PfDramChannel *channel);
