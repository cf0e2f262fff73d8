/* A steady load on a DRAM channel by somebody who is not simulated: reads at even distances, put
 * between the requests of the simulation. A part of dram.c.
 *
 * Each read goes to the row of the one before it or, as often as `row_hits` leaves, to another row
 * and bank, as a fixed sequence of hashes has them. They stand in the read queue like any others
 * and take command slots, banks and the bus, but nobody waits for them. Of a long time without
 * requests only the last 256 are played; those before are counted, with the energy of their
 * commands.
 *
 * What the model cannot do: the load writes nothing, comes in no bursts and does not yield when the
 * channel is full. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "dram_queue.h"
#include "port.h"

/* Section machine.background. */
typedef struct {
    uint64_t bytes_per_second; /* 0: none */
    double row_hits;
} PfDramLoadConfig;

extern const PfConfigField pf_dram_load_fields[];
extern const size_t pf_dram_load_field_count;

/* `actor` of an entry that is of the load. */
enum { PF_DRAM_LOAD_ACTOR = PF_ACTOR_COUNT };

/* In 65536ths: of a clock, or of a read. All zeros: no load. */
typedef struct {
    uint64_t period_parts; /* from a read to the next */
    uint64_t due_parts;    /* the next one */
    uint32_t miss_parts;   /* of each read that goes to another row */
    uint32_t owed_parts;   /* of the next other row */
    uint64_t rows;         /* so far */
    uint32_t bank;
    uint32_t row;
    uint32_t waiting; /* reads in the queue */
} PfDramLoad;

/* The clock of the next read, UINT64_MAX without a load. */
static inline uint64_t pf_dram_load_due(const PfDramLoad *load)
{
    return load->period_parts == 0 ? UINT64_MAX : load->due_parts >> 16;
}

/* A read each PERIOD_PARTS, not 0, of which a share ROW_HITS goes to the row of the one before. */
PfDramLoad pf_dram_load(uint64_t period_parts, double row_hits);

/* The read that is due, for the queue of a channel with so many BANKS of ROWS; the next one is due
 * from then on. */
PfDramEntry pf_dram_load_next(PfDramLoad *load, uint32_t banks, uint32_t rows);

/* Passes over the reads that are due long before UNTIL. How many. */
uint64_t pf_dram_load_skip(PfDramLoad *load, uint64_t until);
