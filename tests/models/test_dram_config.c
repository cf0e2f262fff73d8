/* Devices, mappings and what a configuration may say of them. */
#include <string.h>

#include "dram_fixture.h"
#include "error.h"

static void capacity(void)
{
    /* Eight chips of 8 Gb are 8 GiB, of 4 Gb 4 GiB. */
    PfDramConfig config = dram_config(DDR4_2400);
    g_autoptr(PfDram) ddr4 = dram_of(config);
    CU_ASSERT_EQUAL(pf_dram_capacity_bytes(ddr4), 8 * PF_GIB);
    config.channels = 2;
    config.ranks = 4;
    g_autoptr(PfDram) large = dram_of(config);
    CU_ASSERT_EQUAL(pf_dram_capacity_bytes(large), 64 * PF_GIB);
    g_autoptr(PfDram) ddr3 = dram_of(dram_config(DDR3_1600));
    CU_ASSERT_EQUAL(pf_dram_capacity_bytes(ddr3), 4 * PF_GIB);
}

static bool is_at(const PfDram *dram, uint64_t address, PfDramLocation expected)
{
    PfDramLocation location = pf_dram_locate(dram, (PfMaddr){address});
    return location.channel == expected.channel && location.rank == expected.rank &&
           location.bank_group == expected.bank_group && location.bank == expected.bank &&
           location.row == expected.row && location.column == expected.column;
}

static void row_interleaving(void)
{
    /* RoBaRaCoCh, 2 ranks: column 6-12, rank 13, group 14-15, bank 16-17, row 18-33. */
    PfDramConfig config = dram_config(DDR4_2400);
    config.ranks = 2;
    g_autoptr(PfDram) dram = dram_of(config);
    CU_ASSERT_TRUE(is_at(dram, 63, (PfDramLocation){0}));
    CU_ASSERT_TRUE(is_at(dram, 1 << 6, (PfDramLocation){.column = 1}));
    CU_ASSERT_TRUE(is_at(dram, 1 << 12, (PfDramLocation){.column = 64}));
    CU_ASSERT_TRUE(is_at(dram, 1 << 13, (PfDramLocation){.rank = 1}));
    CU_ASSERT_TRUE(is_at(dram, 1 << 14, (PfDramLocation){.bank_group = 1}));
    CU_ASSERT_TRUE(is_at(dram, 1 << 16, (PfDramLocation){.bank = 1}));
    CU_ASSERT_TRUE(is_at(dram, 1 << 18, (PfDramLocation){.row = 1}));
    CU_ASSERT_TRUE(is_at(dram, (uint64_t)1 << 33, (PfDramLocation){.row = 32768}));
    /* Beyond the capacity of 16 GiB addresses wrap. */
    CU_ASSERT_TRUE(is_at(dram, ((uint64_t)1 << 34) + 64, (PfDramLocation){.column = 1}));
    CU_ASSERT_TRUE(is_at(dram, ((uint64_t)1 << 46) + 64, (PfDramLocation){.column = 1}));
}

static void bank_order(void)
{
    /* ChRaBaRoCo, 1 rank: column 6-12, row 13-28, bank 29-30, group 31-32, channel 33. */
    PfDramConfig config = dram_config(DDR4_2400);
    config.channels = 2;
    config.mapping = "ChRaBaRoCo";
    g_autoptr(PfDram) dram = dram_of(config);
    CU_ASSERT_TRUE(is_at(dram, 1 << 12, (PfDramLocation){.column = 64}));
    CU_ASSERT_TRUE(is_at(dram, 1 << 13, (PfDramLocation){.row = 1}));
    CU_ASSERT_TRUE(is_at(dram, (uint64_t)1 << 29, (PfDramLocation){.bank = 1}));
    CU_ASSERT_TRUE(is_at(dram, (uint64_t)1 << 31, (PfDramLocation){.bank_group = 1}));
    CU_ASSERT_TRUE(is_at(dram, (uint64_t)1 << 33, (PfDramLocation){.channel = 1}));
}

static void mappings(void)
{
    /* Bit lists that say RoBaRaCoCh are it; MOP4CLXOR mixes columns into banks. */
    PfDramConfig config = dram_config(DDR4_2400);
    g_autoptr(PfDram) named = dram_of(config);
    config.mapping = "ro=17-32 ba=15,16 bg=13,14 co=6-12";
    g_autoptr(PfDram) listed = dram_of(config);
    config.mapping = "robabgracoch";
    g_autoptr(PfDram) ordered = dram_of(config);
    for (unsigned bit = 6; bit < 33; bit++) {
        PfDramLocation location = pf_dram_locate(named, (PfMaddr){(uint64_t)1 << bit});
        CU_ASSERT_TRUE(is_at(listed, (uint64_t)1 << bit, location));
        CU_ASSERT_TRUE(is_at(ordered, (uint64_t)1 << bit, location));
    }
    config.mapping = "ro=17-32 ba=15^19,16 bg=13^17,14^18 co=6-12";
    g_autoptr(PfDram) mixed = dram_of(config);
    CU_ASSERT_TRUE(is_at(mixed, 1 << 17, (PfDramLocation){.row = 1, .bank_group = 1}));
    CU_ASSERT_TRUE(is_at(mixed, 1 << 17 | 1 << 13, (PfDramLocation){.row = 1}));
    CU_ASSERT_TRUE(is_at(mixed, 1 << 19, (PfDramLocation){.row = 4, .bank = 1}));
    /* Columns 6, 7 and 12-16, group 8, 9, bank 10, 11; group takes column bits 0, 1, bank 2, 3. */
    config.mapping = "MOP4CLXOR";
    g_autoptr(PfDram) mop = dram_of(config);
    CU_ASSERT_TRUE(is_at(mop, 1 << 8, (PfDramLocation){.bank_group = 1}));
    CU_ASSERT_TRUE(is_at(mop, 1 << 6, (PfDramLocation){.column = 1, .bank_group = 1}));
    CU_ASSERT_TRUE(is_at(mop, 1 << 12, (PfDramLocation){.column = 4, .bank = 1}));
    CU_ASSERT_TRUE(is_at(mop, 1 << 14, (PfDramLocation){.column = 16}));
    CU_ASSERT_TRUE(is_at(mop, 1 << 17, (PfDramLocation){.row = 1}));
}

static void refuse(PfDramConfig config)
{
    g_autoptr(GError) error = NULL;
    PfDram *dram = pf_dram_new(&config, PF_PS_PER_SECOND, NULL, &error);
    CU_ASSERT_PTR_NULL(dram);
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    pf_dram_free(dram);
}

static void refusals(void)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.preset = 99;
    refuse(config);
    config = dram_config(DDR4_2400);
    config.channels = 3;
    refuse(config);
    config = dram_config(DDR4_2400);
    config.ranks = 0;
    refuse(config);
    config = dram_config(DDR4_2400);
    config.write_queue = 0;
    refuse(config);
    static const char *const wrong[] = {
        "",                                         /* nothing */
        "RoBaCo",                                   /* no name, no order */
        "rorababgcoco",                             /* a field twice */
        "ro=17-32 ba=15,16 bg=13,14 co=6-11",       /* too few bits */
        "ro=17-32 ba=15,16 bg=13,14 co=6-13",       /* too many */
        "ro=17-32 ba=15,16 bg=13,14 co=5-11",       /* below a line */
        "ro=17-32 ba=15,16 bg=13,15 co=6-12",       /* a bit twice */
        "ro=17-32 ba=15^13,16 bg=13^15,14 co=6-12", /* two equal sums */
        "ro=17-32 ba=15,16 bg=13,14",               /* no columns */
        "ro=17-32 ba=15,64 bg=13,14 co=6-12",       /* no such bit */
        "ro=17-32 ba=15,16 bg=13,14 co=6-12 xx=1",  /* no such field */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        config = dram_config(DDR4_2400);
        config.mapping = wrong[i];
        refuse(config);
    }
    config = dram_config(DDR4_2400);
    config.write_low_percent = 81;
    refuse(config);
    config = dram_config(DDR4_2400);
    config.refresh = PF_DRAM_REFRESH_PER_BANK; /* DDR4 has none */
    refuse(config);
    config = dram_config(DDR4_2400);
    config.refresh = PF_DRAM_REFRESH_ALL_BANK;
    config.timing_ps.rfc = 7800000; /* no time left between refreshes */
    refuse(config);
}

static void overrides(void)
{
    PfDramConfig config = dram_config(DDR4_2400);
    config.timing_ps.cl = 17 * 833;
    config.timing_ps.rcd = 17 * 833 + 1; /* a picosecond more is a clock more */
    g_autoptr(PfDram) dram = dram_of(config);
    CU_ASSERT_EQUAL(dram_read(dram, 0, 0), 18 + 21);
    CU_ASSERT_EQUAL(pf_dram_preset(dram)->rp, 17);
}

static void presets(void)
{
    for (size_t i = 0; i < pf_dram_preset_count; i++) {
        const PfDramPreset *preset = &pf_dram_presets[i];
        CU_ASSERT_STRING_EQUAL(preset->name, pf_dram_preset_names[i]);
        CU_ASSERT_TRUE(preset->rc >= preset->ras + preset->rp);
        CU_ASSERT_TRUE(preset->rp_all >= preset->rp && preset->rcd >= preset->rcd_write);
        CU_ASSERT_TRUE(preset->rfc < preset->refi);
        CU_ASSERT_TRUE(preset->ccd_l >= preset->ccd_s && preset->rrd_l >= preset->rrd_s);
        /* tREFI is 7.8 us, 3.9 us or 3.906 us to the clock. */
        bool is_old = g_str_has_prefix(preset->name, "DDR3") ||
                      g_str_has_prefix(preset->name, "DDR4");
        uint64_t refi_ps = is_old                                       ? 7800000
                           : g_str_has_prefix(preset->name, "LPDDR5")   ? 3906000
                                                                        : 3900000;
        CU_ASSERT_TRUE((uint64_t)preset->refi * preset->tck_ps >= refi_ps &&
                       (uint64_t)(preset->refi - 1) * preset->tck_ps < refi_ps);
        /* A rank's chips hold what their density says: "8Gb" of 8 bits for 64 lines is 8 GiB. */
        const char *density = strstr(preset->name, "Gb") - 1;
        while (g_ascii_isdigit(density[-1]))
            density--;
        uint64_t rank_bytes = (uint64_t)preset->row_bytes * preset->rows * preset->banks *
                              preset->bank_groups;
        CU_ASSERT_EQUAL(rank_bytes, g_ascii_strtoull(density, NULL, 10) * preset->devices *
                                        (PF_GIB / 8));
    }
    CU_ASSERT_PTR_NULL(pf_dram_preset_names[pf_dram_preset_count]);
}

static const PfCheck checks[] = {
    {"the capacity follows from chips, ranks and channels", capacity},
    {"RoBaRaCoCh puts column, rank, group, bank and row from low to high", row_interleaving},
    {"ChRaBaRoCo puts column, row, bank, group and channel from low to high", bank_order},
    {"impossible organisations are refused", refusals},
    {"a timing of the configuration's own is rounded up to clocks", overrides},
    {"mappings by name, by order and by bits", mappings},
    {"presets are consistent", presets},
};

PF_CHECK_MAIN("dram_config", checks)
