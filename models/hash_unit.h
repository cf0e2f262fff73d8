/* A unit of a hash engine: takes so many bytes a cycle, in order. A part of hash_engine.c.
 *
 * It is reserved by time stamps: a job waits for what was given before. One that is older than the
 * newest counts as that old, and waits from there on, so that cores whose clocks are apart do not
 * wait for each other's future. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct {
    uint64_t bytes_per_cycle;
    uint64_t latest_cycles; /* of the newest job */
    uint64_t free_cycles;
    uint64_t *begun_cycles; /* of the last stores, as a ring: from then on a place is free */
    uint32_t places;
    uint32_t oldest;
} PfHashUnit;

/* An idle unit, with PLACES for stores that wait. */
void pf_hash_unit_init(PfHashUnit *unit, uint64_t bytes_per_cycle, uint32_t places);
void pf_hash_unit_clear(PfHashUnit *unit);

/* How long it takes BYTES. */
uint64_t pf_hash_unit_busy_cycles(const PfHashUnit *unit, uint64_t bytes);

/* Takes a job of BYTES that is there at AT: the cycles from then on until it begins. */
uint64_t pf_hash_unit_take(PfHashUnit *unit, uint64_t at, uint64_t bytes);

/* Takes a store of BYTES, which comes at NOW and waits in a place until the unit is free and READY
 * has come: the cycles from NOW on until there is such a place. */
uint64_t pf_hash_unit_queue(PfHashUnit *unit, uint64_t now, uint64_t ready, uint64_t bytes);

/* Asserts: no store begins after the unit is free. */
void pf_hash_unit_check(const PfHashUnit *unit);
