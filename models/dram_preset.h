/* DRAM devices by name: organisation and timing of what data sheets list. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One device type on a 64-bit bus. Times are in DRAM clocks unless a unit is named. */
typedef struct {
    const char *name; /* STANDARD-RATEBIN-DENSITY-WIDTH */
    uint32_t tck_ps;  /* one clock; two transfers */
    uint32_t bank_groups;
    uint32_t banks; /* in a group */
    uint32_t rows;  /* in a bank */
    uint32_t row_bytes;
    uint32_t burst; /* clocks on the data bus */
    uint32_t cl;
    uint32_t cwl;
    uint32_t rcd;
    uint32_t rp;
    uint32_t ras;
    uint32_t rc;
    uint32_t wr;
    uint32_t rtp;
    uint32_t ccd_s;
    uint32_t ccd_l;
    uint32_t wtr_s;
    uint32_t wtr_l;
    uint32_t rrd_s;
    uint32_t rrd_l;
    uint32_t faw;
    uint32_t rfc;
    uint32_t refi;
    uint32_t rank_bubble; /* data bus turnaround between ranks */
} PfDramPreset;

extern const PfDramPreset pf_dram_presets[];
extern const size_t pf_dram_preset_count;
/* Their names in the same order, NULL-terminated. */
extern const char *const pf_dram_preset_names[];
