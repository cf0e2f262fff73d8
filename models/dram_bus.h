/* The clocks at which a command bus is taken. Commands are mostly put behind one another, but one
 * that has to wait for its own bank may be put down before another's earlier clock is filled: so
 * the last 256 clocks are remembered one by one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PF_DRAM_BUS_CLOCKS = 256 };

typedef struct {
    uint64_t base; /* first clock remembered; a multiple of 64. Nothing is put before it */
    uint64_t end;  /* free from here on */
    uint64_t taken[PF_DRAM_BUS_CLOCKS / 64]; /* a bit for each clock, as a ring */
} PfDramBus;

/* The word that has the bit of CLOCK. */
static inline uint64_t *pf_dram_bus_word(PfDramBus *bus, uint64_t clock)
{
    return &bus->taken[clock / 64 % (PF_DRAM_BUS_CLOCKS / 64)];
}

/* Whether CLOCK, not before `base`, is taken. */
static inline bool pf_dram_bus_is_taken(const PfDramBus *bus, uint64_t clock)
{
    return clock < bus->end &&
           (bus->taken[clock / 64 % (PF_DRAM_BUS_CLOCKS / 64)] >> clock % 64 & 1) != 0;
}

/* The first clock from CLOCK on at which a command of SLOTS (1 or 2) clocks fits. */
static inline uint64_t pf_dram_bus_fit(const PfDramBus *bus, uint64_t clock, uint32_t slots)
{
    if (clock >= bus->end)
        return clock;
    if (clock < bus->base)
        clock = bus->base;
    while (pf_dram_bus_is_taken(bus, clock) ||
           (slots == 2 && pf_dram_bus_is_taken(bus, clock + 1)))
        clock++;
    return clock;
}

/* Puts a command of SLOTS clocks at CLOCK, where it fits. */
static inline void pf_dram_bus_take(PfDramBus *bus, uint64_t clock, uint32_t slots)
{
    uint64_t last = clock + slots - 1;
    if (last >= bus->base + 2 * PF_DRAM_BUS_CLOCKS) { /* nothing that is remembered stays */
        *bus = (PfDramBus){.base = last / 64 * 64 - PF_DRAM_BUS_CLOCKS / 2};
    }
    while (last >= bus->base + PF_DRAM_BUS_CLOCKS) {
        *pf_dram_bus_word(bus, bus->base) = 0;
        bus->base += 64;
    }
    for (uint64_t taken = clock; taken <= last; taken++)
        *pf_dram_bus_word(bus, taken) |= (uint64_t)1 << taken % 64;
    if (last >= bus->end)
        bus->end = last + 1;
}
