/* DRAM devices by name: organisation, timing and currents of what data sheets list. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The timings that a configuration may override, in DRAM clocks: member, name, meaning. RD -> WR
 * and the burst follow from these. */
#define PF_DRAM_TIMINGS(T)                                                                         \
    T(cl, "tCL", "RD to its data.")                                                                \
    T(cwl, "tCWL", "WR to its data.")                                                              \
    T(rcd, "tRCD", "ACT to RD.")                                                                   \
    T(rcd_write, "tRCDWR", "ACT to WR.")                                                           \
    T(rp, "tRP", "PRE to ACT of the bank.")                                                        \
    T(rp_all, "tRPab", "PRE of all banks to REF.")                                                 \
    T(ras, "tRAS", "ACT to PRE.")                                                                  \
    T(rc, "tRC", "ACT to ACT of the bank.")                                                        \
    T(wr, "tWR", "End of write data to PRE.")                                                      \
    T(rtp, "tRTP", "RD to PRE.")                                                                   \
    T(ccd_s, "tCCD_S", "RD to RD or WR to WR of another bank group.")                              \
    T(ccd_l, "tCCD_L", "RD to RD of the bank group.")                                              \
    T(ccd_l_write, "tCCD_L_WR", "WR to WR of the bank group.")                                     \
    T(wtr_s, "tWTR_S", "End of write data to RD of another bank group.")                           \
    T(wtr_l, "tWTR_L", "End of write data to RD of the bank group.")                               \
    T(rrd_s, "tRRD_S", "ACT to ACT of another bank group.")                                        \
    T(rrd_l, "tRRD_L", "ACT to ACT of the bank group.")                                            \
    T(faw, "tFAW", "ACT to the fourth ACT after it in the rank.")                                  \
    T(ppd, "tPPD", "PRE to PRE in the rank.")                                                      \
    T(rfc, "tRFC", "REF of all banks to ACT.")                                                     \
    T(refi, "tREFI", "REF of all banks to the next.")                                              \
    T(rfc_bank, "tRFCpb", "REF of a bank to ACT of that bank.")                                    \
    T(refi_bank, "tREFIpb", "REF of a bank to that of the next.")                                  \
    T(rrefd, "tRREFD", "REF of a bank to ACT of another.")                                         \
    T(rank_bubble, "tRTRS", "Data of one rank to that of another.")                               \
    T(xp, "tXP", "Power-down to the next command.")

/* Supply and currents of one device, as the data sheets call them. */
typedef struct {
    uint32_t vdd_mv; /* 0: no figures */
    uint32_t idd0_ma;
    uint32_t idd2n_ma;
    uint32_t idd3n_ma;
    uint32_t idd4r_ma;
    uint32_t idd4w_ma;
    uint32_t idd5b_ma;
    uint32_t idd2p_ma;
    uint32_t idd6_ma;
} PfDramCurrents;

/* One device type on its bus. */
typedef struct {
    const char *name; /* STANDARD-RATEBIN-DENSITY-WIDTH */
    uint32_t tck_ps;  /* one clock */
    uint32_t bank_groups;
    uint32_t banks;             /* in a group */
    uint32_t rows;              /* in a bank */
    uint32_t row_bytes;         /* in a rank */
    uint32_t transaction_bytes; /* of one RD or WR */
    uint32_t pseudo_channels;   /* independent parts of a channel; 1 where there are none */
    uint32_t devices;           /* in a rank */
    uint32_t burst;             /* clocks on the data bus */
    uint32_t activate_slots;    /* clocks on the command bus */
    uint32_t column_slots;
    bool splits_bus;        /* column commands have a bus of their own */
    PfDramCurrents current;
#define PF_DRAM_MEMBER(member, key, meaning) uint32_t member;
    PF_DRAM_TIMINGS(PF_DRAM_MEMBER)
#undef PF_DRAM_MEMBER
} PfDramPreset;

extern const PfDramPreset pf_dram_presets[];
extern const size_t pf_dram_preset_count;
/* Their names in the same order, NULL-terminated. */
extern const char *const pf_dram_preset_names[];

/* The index of preset NAME, which must exist. */
int pf_dram_preset_find(const char *name);

/* Between read data and write data on the bus, in clocks: as Ramulator 2 has it (ddr4.py). */
enum { PF_DRAM_READ_WRITE_GAP = 2 };

/* From a column command to the next in the other direction, such that data that starts SECOND
 * clocks after its command follows data that ends FIRST clocks after its own by GAP clocks. */
static inline uint32_t pf_dram_turn(uint32_t first, uint32_t gap, uint32_t second)
{
    return first + gap > second ? first + gap - second : 1;
}

/* RD to WR, of the rank and of another; WR to RD of another rank. Clocks. */
static inline uint32_t pf_dram_read_to_write(const PfDramPreset *timing)
{
    return pf_dram_turn(timing->cl + timing->burst, PF_DRAM_READ_WRITE_GAP, timing->cwl);
}

static inline uint32_t pf_dram_read_to_write_rank(const PfDramPreset *timing)
{
    return pf_dram_turn(timing->cl + timing->burst, timing->rank_bubble, timing->cwl);
}

static inline uint32_t pf_dram_write_to_read_rank(const PfDramPreset *timing)
{
    return pf_dram_turn(timing->cwl + timing->burst, timing->rank_bubble, timing->cl);
}
