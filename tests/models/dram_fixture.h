/* A memory whose core clock ticks once a picosecond, so that DRAM clocks convert without rounding,
 * and requests timed in DRAM clocks. */
#pragma once

#include <glib.h>

#include "check.h"
#include "dram.h"
#include "units.h"

enum { DDR4_2400, DDR4_3200, DDR3_1600 };

static inline PfDramConfig dram_config(int preset)
{
    return (PfDramConfig){.preset = preset,
                          .channels = 1,
                          .ranks = 1,
                          .refresh = PF_DRAM_REFRESH_NONE,
                          .write_queue = 32};
}

static inline PfDram *dram_of(PfDramConfig config)
{
    return pf_dram_new(&config, PF_PS_PER_SECOND, NULL, NULL);
}

/* A request of a line at CLOCK; the clocks until its answer. */
static inline uint64_t dram_ask(PfDram *dram, PfAccessKind kind, uint64_t address, uint64_t clock)
{
    uint64_t tck_ps = pf_dram_preset(dram)->tck_ps;
    PfRequest request = {.address = {address},
                         .now_cycles = clock * tck_ps,
                         .size_bytes = 64,
                         .kind = (uint8_t)kind,
                         .actor = PF_ACTOR_DEMAND};
    uint64_t answer = pf_dram_access(pf_dram_port(dram), &request);
    CU_ASSERT_EQUAL(answer % tck_ps, 0);
    return answer / tck_ps - clock;
}

static inline uint64_t dram_read(PfDram *dram, uint64_t address, uint64_t clock)
{
    return dram_ask(dram, PF_ACCESS_READ, address, clock);
}

static inline uint64_t dram_write(PfDram *dram, uint64_t address, uint64_t clock)
{
    return dram_ask(dram, PF_ACCESS_WRITE, address, clock);
}

/* The address of column COLUMN of a row by RoBaRaCoCh: 7 column bits above the 6 of a line, then
 * rank, group, bank, row, as many bits of each as the device has. */
static inline uint64_t dram_address(const PfDram *dram, unsigned ranks, unsigned rank,
                                    unsigned group, unsigned bank, unsigned row, unsigned column)
{
    const PfDramPreset *timing = pf_dram_preset(dram);
    uint64_t number = row;
    number = number * timing->banks + bank;
    number = number * timing->bank_groups + group;
    number = number * ranks + rank;
    number = number * 128 + column;
    return number * 64;
}
