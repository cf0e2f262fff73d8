/* Work on whole pages and on tables, charged where it is done.
 *
 * A place is a core, or an engine that counts like one: a clock, the caches it reads through, and
 * who pays. All cycles that are spent outside the instruction stream go through pf_work_charge. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "core.h"
#include "costs.h"
#include "ledger.h"

typedef struct {
    PfCore *core;   /* borrowed */
    PfCache *cache; /* the first level for data; borrowed */
    uint16_t index; /* of the core */
    uint8_t actor;  /* PfActor */
    uint8_t payer;  /* PfPayer */
    uint32_t context; /* whose it is, if contexts pay */
} PfPlace;

typedef struct {
    const PfCosts *costs; /* borrowed */
    PfLedger *ledger;     /* borrowed */
    uint32_t page_bytes;
    uint32_t line_bytes;
    bool full; /* bytes go through the caches; else they cost what the card says */
    uint16_t daemon_core;   /* index of the core that runs no context */
    uint64_t *context_cycles; /* by context: what it has paid; borrowed, NULL: not counted */
    uint64_t billed_cycles;   /* the sum of these */
    uint64_t stolen_cycles; /* that the policy spent on the cores of contexts */
} PfWork;

/* PLACE is busy for CYCLES. */
void pf_work_charge(PfWork *work, const PfPlace *place, PfAccount account, uint64_t cycles);

/* PLACE reads or stores BYTES from ADDRESS on; each line once, pipelined. */
void pf_work_read(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                  uint64_t bytes);
void pf_work_fill(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                  uint64_t bytes);

/* PLACE copies a page. */
void pf_work_copy_page(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr from,
                       PfMaddr to);

/* PLACE compares two pages of which the first BYTES are equal; it reads one byte more unless that
 * is the page. */
void pf_work_compare(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr a, PfMaddr b,
                     uint64_t bytes);
