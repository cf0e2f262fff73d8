/* A memory whose core clock ticks once a picosecond, so that DRAM clocks convert without rounding,
 * and requests timed in DRAM clocks. */
#pragma once

#include <glib.h>

#include "check.h"
#include "dram.h"
#include "units.h"

#define DDR4_2400 "DDR4-2400U-8Gb-x8"
#define DDR4_3200 "DDR4-3200AA-8Gb-x8"
#define DDR3_1600 "DDR3-1600K-4Gb-x8"

/* The defaults, without refresh. */
static inline PfDramConfig dram_config(const char *preset)
{
    PfDramConfig config = pf_dram_config_standard();
    config.preset = pf_dram_preset_find(preset);
    config.refresh = PF_DRAM_REFRESH_NONE;
    return config;
}

static inline PfDram *dram_of(PfDramConfig config)
{
    return pf_dram_new(&config, PF_PS_PER_SECOND, NULL, NULL);
}

/* The cycle at which REQUEST is done. */
static inline uint64_t dram_wait(PfDram *dram, const PfRequest *request)
{
    PfPort *port = pf_dram_port(dram);
    return pf_port_wait(port, pf_port_access(port, request));
}

/* A request of a transaction at CLOCK; the clocks until its answer. */
static inline uint64_t dram_ask(PfDram *dram, PfAccessKind kind, uint64_t address, uint64_t clock)
{
    uint64_t tck_ps = pf_dram_preset(dram)->tck_ps;
    PfRequest request = {.address = {address},
                         .now_cycles = clock * tck_ps,
                         .size_bytes = pf_dram_preset(dram)->transaction_bytes,
                         .kind = (uint8_t)kind,
                         .actor = PF_ACTOR_DEMAND};
    uint64_t answer = dram_wait(dram, &request);
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

/* The address of column COLUMN of a row by RoBaRaCoCh: column, rank, group, bank, row from low to
 * high above what a transaction moves and the channel, of which there is one. */
static inline uint64_t dram_address(const PfDram *dram, unsigned ranks, unsigned rank,
                                    unsigned group, unsigned bank, unsigned row, unsigned column)
{
    const PfDramPreset *timing = pf_dram_preset(dram);
    uint64_t number = row;
    number = number * timing->banks + bank;
    number = number * timing->bank_groups + group;
    number = number * ranks + rank;
    number = number * (timing->row_bytes / timing->transaction_bytes) + column;
    return number * timing->pseudo_channels * timing->transaction_bytes;
}
