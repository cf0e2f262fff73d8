#include "dram_preset.h"

#include <glib.h>

/* Speed bins and organisations as in Ramulator 2 (CMU-SAFARI/ramulator2, python/ramulator/dram/
 * {ddr3,ddr4,ddr5,lpddr5,hbm2}.py), with which DRAMsim3 (umd-memsys/DRAMsim3, configs/) agrees
 * where it has the device, save that it rounds tCK; both read the JEDEC tables. tRFC of an 8 Gb
 * DDR4 device is 360 ns in the former, 350 ns in the latter and in vendors' data sheets: 350 ns
 * here, rounded up. The bubble between ranks is Ramulator's nCS. DDR3 has no bank groups: one
 * group, and the short times are the long ones. LPDDR5 activates with two commands: the command
 * bus is taken for two clocks and times count from the first. Currents are DRAMsim3's, and so is
 * tXP where it has the device; DDR5's is 7.5 ns, LPDDR5's 7 ns (JESD79-5, JESD209-5). */

#define DDR3_1600(latency, cycle)                                                                  \
    .tck_ps = 1250, .burst = 4, .cl = (latency), .cwl = 8, .rcd = (latency),                       \
    .rcd_write = (latency), .rp = (latency), .rp_all = (latency), .ras = 28, .rc = (cycle),        \
    .wr = 12, .rtp = 6, .ccd_s = 4, .ccd_l = 4, .ccd_l_write = 4, .wtr_s = 6, .wtr_l = 6,          \
    .refi = 6240, .xp = 5
#define DDR4_2400(latency, cycle)                                                                  \
    .tck_ps = 833, .burst = 4, .cl = (latency), .cwl = 12, .rcd = (latency),                       \
    .rcd_write = (latency), .rp = (latency), .rp_all = (latency), .ras = 39, .rc = (cycle),        \
    .wr = 18, .rtp = 9, .ccd_s = 4, .ccd_l = 6, .ccd_l_write = 6, .wtr_s = 3, .wtr_l = 9,          \
    .refi = 9364, .xp = 8
#define DDR4_3200(latency, cycle)                                                                  \
    .tck_ps = 625, .burst = 4, .cl = (latency), .cwl = 16, .rcd = (latency),                       \
    .rcd_write = (latency), .rp = (latency), .rp_all = (latency), .ras = 52, .rc = (cycle),        \
    .wr = 24, .rtp = 12, .ccd_s = 4, .ccd_l = 8, .ccd_l_write = 8, .wtr_s = 4, .wtr_l = 12,        \
    .refi = 12480, .xp = 10
#define DDR5_4800(latency, cycle)                                                                  \
    .tck_ps = 416, .burst = 8, .cl = (latency), .cwl = (latency)-2, .rcd = (latency),              \
    .rcd_write = (latency), .rp = (latency), .rp_all = (latency), .ras = 77, .rc = (cycle),        \
    .wr = 72, .rtp = 18, .ccd_s = 8, .ccd_l = 12, .ccd_l_write = 48, .wtr_s = 6, .wtr_l = 24,      \
    .ppd = 2, .refi = 9375, .xp = 19
#define LPDDR5_6400                                                                                \
    .tck_ps = 1250, .burst = 2, .cl = 17, .cwl = 9, .rcd = 15, .rcd_write = 15, .rp = 15,          \
    .rp_all = 17, .ras = 34, .rc = 49, .wr = 28, .rtp = 8, .ccd_s = 2, .ccd_l = 4,                 \
    .ccd_l_write = 4, .wtr_s = 5, .wtr_l = 10, .rrd_s = 4, .rrd_l = 4, .faw = 16, .ppd = 2,        \
    .refi = 3125, .refi_bank = 391, .xp = 6
#define HBM2_1600                                                                                  \
    .tck_ps = 1250, .burst = 2, .cl = 10, .cwl = 4, .rcd = 10, .rcd_write = 8, .rp = 10,           \
    .rp_all = 10, .ras = 24, .rc = 34, .wr = 12, .rtp = 4, .ccd_s = 2, .ccd_l = 4,                 \
    .ccd_l_write = 4, .wtr_s = 5, .wtr_l = 6, .rrd_s = 4, .rrd_l = 4, .faw = 12, .rfc = 280,       \
    .refi = 3120, .rfc_bank = 128, .refi_bank = 195, .rrefd = 7, .xp = 7
#define HBM2_2000                                                                                  \
    .tck_ps = 1000, .burst = 2, .cl = 14, .cwl = 5, .rcd = 14, .rcd_write = 12, .rp = 14,          \
    .rp_all = 14, .ras = 34, .rc = 48, .wr = 16, .rtp = 5, .ccd_s = 2, .ccd_l = 4,                 \
    .ccd_l_write = 4, .wtr_s = 6, .wtr_l = 8, .rrd_s = 4, .rrd_l = 4, .faw = 15, .rfc = 350,       \
    .refi = 3900, .rfc_bank = 160, .refi_bank = 244, .rrefd = 8, .xp = 8
#define HBM2_2400                                                                                  \
    .tck_ps = 833, .burst = 2, .cl = 17, .cwl = 6, .rcd = 17, .rcd_write = 14, .rp = 17,           \
    .rp_all = 17, .ras = 40, .rc = 57, .wr = 19, .rtp = 6, .ccd_s = 2, .ccd_l = 4,                 \
    .ccd_l_write = 4, .wtr_s = 8, .wtr_l = 10, .rrd_s = 5, .rrd_l = 5, .faw = 19, .rfc = 421,      \
    .refi = 4682, .rfc_bank = 193, .refi_bank = 293, .rrefd = 10, .xp = 10

#define ACTIVATIONS(short_clocks, long_clocks, window)                                             \
    .rrd_s = (short_clocks), .rrd_l = (long_clocks), .faw = (window)
#define BUS(bytes, width)                                                                          \
    .transaction_bytes = (bytes), .devices = (width), .rank_bubble = 2, .pseudo_channels = 1,      \
    .activate_slots = 1, .column_slots = 1

#define DDR3_4GB_X8                                                                                \
    .bank_groups = 1, .banks = 8, .rows = 65536, .row_bytes = 8192, BUS(64, 8),                    \
    ACTIVATIONS(5, 5, 24), .rfc = 208, .current = {1350, 55, 32, 38, 157, 125, 235, 18, 20}
#define DDR4_X4(row_count)                                                                         \
    .bank_groups = 4, .banks = 4, .rows = (row_count), .row_bytes = 8192, BUS(64, 16)
#define DDR4_X8(row_count)                                                                         \
    .bank_groups = 4, .banks = 4, .rows = (row_count), .row_bytes = 8192, BUS(64, 8)
#define DDR4_X16(row_count)                                                                        \
    .bank_groups = 2, .banks = 4, .rows = (row_count), .row_bytes = 8192, BUS(64, 4)
#define DDR4_2400_8GB_X8                                                                           \
    DDR4_X8(65536), ACTIVATIONS(4, 6, 26), .rfc = 421,                                             \
        .current = {1200, 48, 34, 43, 135, 123, 250, 25, 30}
#define DDR4_3200_8GB_X8                                                                           \
    DDR4_X8(65536), ACTIVATIONS(4, 8, 34), .rfc = 560,                                             \
        .current = {1200, 57, 37, 52, 168, 150, 250, 25, 30}
#define DDR5_16GB_X8                                                                               \
    .bank_groups = 8, .banks = 4, .rows = 65536, .row_bytes = 4096, ACTIVATIONS(8, 12, 48),        \
    .rfc = 710, .transaction_bytes = 64, .devices = 4, .rank_bubble = 2, .pseudo_channels = 1,     \
    .activate_slots = 2, .column_slots = 2
#define LPDDR5_X16(row_count)                                                                      \
    .bank_groups = 4, .banks = 4, .rows = (row_count), .row_bytes = 2048, .transaction_bytes = 32, \
    .devices = 1, .rank_bubble = 2, .pseudo_channels = 1, .activate_slots = 2, .column_slots = 1
#define HBM2_8GB                                                                                   \
    .bank_groups = 4, .banks = 4, .rows = 65536, .row_bytes = 1024, .transaction_bytes = 32,       \
    .devices = 1, .rank_bubble = 2, .pseudo_channels = 2, .activate_slots = 2, .column_slots = 1,  \
    .splits_bus = true

#define PRESETS(P)                                                                                 \
    P("DDR4-2400U-8Gb-x8", DDR4_2400(17, 56), DDR4_2400_8GB_X8)                                    \
    P("DDR4-2400P-8Gb-x8", DDR4_2400(15, 54), DDR4_2400_8GB_X8)                                    \
    P("DDR4-2400R-8Gb-x8", DDR4_2400(16, 55), DDR4_2400_8GB_X8)                                    \
    P("DDR4-2400T-8Gb-x8", DDR4_2400(18, 57), DDR4_2400_8GB_X8)                                    \
    P("DDR4-2400U-8Gb-x4", DDR4_2400(17, 56), DDR4_X4(131072), ACTIVATIONS(4, 6, 16), .rfc = 421)  \
    P("DDR4-2400U-8Gb-x16", DDR4_2400(17, 56), DDR4_X16(65536), ACTIVATIONS(7, 8, 36), .rfc = 421) \
    P("DDR4-2400U-16Gb-x8", DDR4_2400(17, 56), DDR4_X8(131072), ACTIVATIONS(4, 6, 26), .rfc = 661) \
    P("DDR4-3200AA-8Gb-x8", DDR4_3200(22, 74), DDR4_3200_8GB_X8)                                   \
    P("DDR4-3200W-8Gb-x8", DDR4_3200(20, 72), DDR4_3200_8GB_X8)                                    \
    P("DDR4-3200AC-8Gb-x8", DDR4_3200(24, 76), DDR4_3200_8GB_X8)                                   \
    P("DDR4-3200AA-8Gb-x16", DDR4_3200(22, 74), DDR4_X16(65536), ACTIVATIONS(9, 11, 48),           \
      .rfc = 560)                                                                                  \
    P("DDR4-3200AA-16Gb-x8", DDR4_3200(22, 74), DDR4_X8(131072), ACTIVATIONS(4, 8, 34),            \
      .rfc = 880)                                                                                  \
    P("DDR3-1600H-4Gb-x8", DDR3_1600(9, 37), DDR3_4GB_X8)                                          \
    P("DDR3-1600J-4Gb-x8", DDR3_1600(10, 38), DDR3_4GB_X8)                                         \
    P("DDR3-1600K-4Gb-x8", DDR3_1600(11, 39), DDR3_4GB_X8)                                         \
    P("DDR5-4800AN-16Gb-x8", DDR5_4800(34, 111), DDR5_16GB_X8)                                     \
    P("DDR5-4800BN-16Gb-x8", DDR5_4800(36, 113), DDR5_16GB_X8)                                     \
    P("DDR5-4800C-16Gb-x8", DDR5_4800(38, 115), DDR5_16GB_X8)                                      \
    P("LPDDR5-6400-8Gb-x16", LPDDR5_6400, LPDDR5_X16(32768), .rfc = 168, .rfc_bank = 96)           \
    P("LPDDR5-6400-16Gb-x16", LPDDR5_6400, LPDDR5_X16(65536), .rfc = 224, .rfc_bank = 112)         \
    P("HBM2-1600-8Gb-x64", HBM2_1600, HBM2_8GB)                                                    \
    P("HBM2-2000-8Gb-x64", HBM2_2000, HBM2_8GB)                                                    \
    P("HBM2-2400-8Gb-x64", HBM2_2400, HBM2_8GB)

#define ROW(text, ...) {.name = (text), __VA_ARGS__},
const PfDramPreset pf_dram_presets[] = {PRESETS(ROW)};
const size_t pf_dram_preset_count = G_N_ELEMENTS(pf_dram_presets);

#define NAME(text, ...) text,
const char *const pf_dram_preset_names[] = {PRESETS(NAME) NULL};

int pf_dram_preset_find(const char *name)
{
    for (size_t i = 0; i < pf_dram_preset_count; i++)
        if (g_str_equal(pf_dram_presets[i].name, name))
            return (int)i;
    g_assert_not_reached();
}
