#include "hash_unit.h"

void pf_hash_unit_init(PfHashUnit *unit, uint64_t bytes_per_cycle, uint32_t places)
{
    g_assert(bytes_per_cycle > 0 && places > 0);
    *unit = (PfHashUnit){.bytes_per_cycle = bytes_per_cycle,
                         .begun_cycles = g_new0(uint64_t, places),
                         .places = places};
}

void pf_hash_unit_clear(PfHashUnit *unit)
{
    g_free(unit->begun_cycles);
}

uint64_t pf_hash_unit_busy_cycles(const PfHashUnit *unit, uint64_t bytes)
{
    return (bytes + unit->bytes_per_cycle - 1) / unit->bytes_per_cycle;
}

uint64_t pf_hash_unit_take(PfHashUnit *unit, uint64_t at, uint64_t bytes)
{
    uint64_t seen = MAX(at, unit->latest_cycles);
    uint64_t begin = MAX(seen, unit->free_cycles);
    unit->latest_cycles = seen;
    unit->free_cycles = begin + pf_hash_unit_busy_cycles(unit, bytes);
    return begin - seen;
}

uint64_t pf_hash_unit_queue(PfHashUnit *unit, uint64_t now, uint64_t ready, uint64_t bytes)
{
    g_assert(ready >= now);
    uint64_t *place = &unit->begun_cycles[unit->oldest];
    uint64_t seen = MAX(now, unit->latest_cycles);
    uint64_t taken = MAX(seen, *place);
    uint64_t begin = MAX(MAX(taken, seen + (ready - now)), unit->free_cycles);
    unit->latest_cycles = seen;
    unit->free_cycles = begin + pf_hash_unit_busy_cycles(unit, bytes);
    *place = begin;
    if (++unit->oldest == unit->places)
        unit->oldest = 0;
    return taken - seen;
}

void pf_hash_unit_check(const PfHashUnit *unit)
{
    for (uint32_t i = 0; i < unit->places; i++)
        g_assert(unit->begun_cycles[i] <= unit->free_cycles);
}
