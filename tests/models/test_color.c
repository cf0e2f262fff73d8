#include "color.h"

#include "cache.h"
#include "check.h"

static void counts(void)
{
    /* Bytes of a way over bytes of a page. */
    CU_ASSERT_EQUAL(pf_color_count(32 * PF_KIB, 8, 4096), 1);
    CU_ASSERT_EQUAL(pf_color_count(64 * PF_KIB, 8, 4096), 2);
    CU_ASSERT_EQUAL(pf_color_count(PF_MIB, 16, 4096), 16);
    CU_ASSERT_EQUAL(pf_color_count(48 * PF_KIB, 12, 4096), 1);
    CU_ASSERT_EQUAL(pf_color_count(16 * PF_MIB, 16, 4096), 256);
    /* A page longer than a way: all frames are alike. */
    CU_ASSERT_EQUAL(pf_color_count(16 * PF_KIB, 8, 4096), 1);
    CU_ASSERT_EQUAL(pf_color_count(PF_MIB, 16, 2 * PF_MIB), 1);
}

static void low_bits(void)
{
    const PfColoring sixteen = pf_coloring_low(16);
    const PfColoring one = pf_coloring_low(1);
    CU_ASSERT_EQUAL(pf_coloring_count(&sixteen), 16);
    CU_ASSERT_EQUAL(pf_color_of(&sixteen, (PfMpn){0}), 0);
    CU_ASSERT_EQUAL(pf_color_of(&sixteen, (PfMpn){15}), 15);
    CU_ASSERT_EQUAL(pf_color_of(&sixteen, (PfMpn){16}), 0);
    CU_ASSERT_EQUAL(pf_color_of(&sixteen, (PfMpn){0x1235}), 5);
    CU_ASSERT_EQUAL(pf_color_of(&one, (PfMpn){0x1235}), 0);
}

/* 8 KiB of a row, then 4 groups of 4 banks, then rows: address bits 13 to 16, which are bits 1 to 4
 * of the frame number of a page of 4 KiB. Two pages of a row are of one colour. */
static void banks(void)
{
    PfDramConfig config = pf_dram_config_standard();
    g_autoptr(PfDram) dram = pf_dram_new(&config, 1000000000, NULL, NULL);
    PfColoring coloring = pf_coloring_low(1);
    pf_coloring_add_banks(&coloring, dram, 12);
    CU_ASSERT_EQUAL_FATAL(pf_coloring_count(&coloring), 16);
    unsigned frames_of[16] = {0};
    for (uint32_t frame = 0; frame < 4096; frame++) {
        unsigned color = pf_color_of(&coloring, (PfMpn){frame});
        PfDramLocation place = pf_dram_locate(dram, pf_mpn_address((PfMpn){frame}, 12, 0));
        PfDramLocation same = pf_dram_locate(dram, pf_mpn_address((PfMpn){frame ^ 1}, 12, 0));
        CU_ASSERT_EQUAL(pf_color_of(&coloring, (PfMpn){frame ^ 1}), color);
        CU_ASSERT_TRUE(place.bank == same.bank && place.bank_group == same.bank_group);
        CU_ASSERT_EQUAL(pf_color_of(&coloring, (PfMpn){frame ^ 32}), color);
        CU_ASSERT_NOT_EQUAL(pf_color_of(&coloring, (PfMpn){frame ^ 16}), color);
        frames_of[color]++;
    }
    for (unsigned color = 0; color < 16; color++)
        CU_ASSERT_EQUAL(frames_of[color], 4096 / 16);
    /* Pages of 64 KiB have a part in every bank but those that bit 16 chooses. */
    PfColoring large = pf_coloring_low(1);
    pf_coloring_add_banks(&large, dram, 16);
    CU_ASSERT_EQUAL(pf_coloring_count(&large), 2);
    /* Thirty-two colours of a cache tell the banks apart already. */
    PfColoring both = pf_coloring_low(32);
    pf_coloring_add_banks(&both, dram, 12);
    CU_ASSERT_EQUAL(pf_coloring_count(&both), 32);
    CU_ASSERT_TRUE(both.is_low);
    /* Four colours have bits 0 and 1; bits 2 to 4 come beside them. */
    PfColoring more = pf_coloring_low(4);
    pf_coloring_add_banks(&more, dram, 12);
    CU_ASSERT_EQUAL(pf_coloring_count(&more), 32);
}

/* Channel, rank, bank, row, column: banks lie 2^32 / 16 = 2^28 bytes apart or more, which no 4096
 * frames in a row can do. */
static void no_banks(void)
{
    PfDramConfig config = pf_dram_config_standard();
    config.mapping = "ChRaBaRoCo";
    g_autoptr(PfDram) dram = pf_dram_new(&config, 1000000000, NULL, NULL);
    PfColoring coloring = pf_coloring_low(1);
    pf_coloring_add_banks(&coloring, dram, 12);
    CU_ASSERT_EQUAL(pf_coloring_count(&coloring), 1);
}

/* Group, bank and rank are bits 8 to 11 of an address with columns beside them: each page has lines
 * in all of them. */
static void spread(void)
{
    PfDramConfig config = pf_dram_config_standard();
    config.mapping = "MOP4CLXOR";
    g_autoptr(PfDram) dram = pf_dram_new(&config, 1000000000, NULL, NULL);
    PfColoring coloring = pf_coloring_low(1);
    pf_coloring_add_banks(&coloring, dram, 12);
    CU_ASSERT_EQUAL(pf_coloring_count(&coloring), 1);
}

/* Bank bit 0 is the exclusive or of address bits 13 and 17, bit 1 of 14 and 18: bits 1 and 5, and 2
 * and 6, of the frame number. Groups are bits 15 and 16. */
static void permuted(void)
{
    PfDramConfig config = pf_dram_config_standard();
    config.mapping = "co=6-12 ba=13^17,14^18 bg=15,16 ro=17-32";
    g_autoptr(PfDram) dram = pf_dram_new(&config, 1000000000, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dram);
    PfColoring coloring = pf_coloring_low(1);
    pf_coloring_add_banks(&coloring, dram, 12);
    CU_ASSERT_EQUAL_FATAL(pf_coloring_count(&coloring), 16);
    unsigned zero = pf_color_of(&coloring, (PfMpn){0});
    CU_ASSERT_NOT_EQUAL(pf_color_of(&coloring, (PfMpn){1 << 1}), zero);
    CU_ASSERT_NOT_EQUAL(pf_color_of(&coloring, (PfMpn){1 << 5}), zero);
    CU_ASSERT_EQUAL(pf_color_of(&coloring, (PfMpn){1 << 1 | 1 << 5}), zero);
    CU_ASSERT_EQUAL(pf_color_of(&coloring, (PfMpn){1 << 2 | 1 << 6}), zero);
    CU_ASSERT_NOT_EQUAL(pf_color_of(&coloring, (PfMpn){1 << 2 | 1 << 5}), zero);
    CU_ASSERT_EQUAL(pf_color_of(&coloring, (PfMpn){1 << 7}), zero);
}

/* Touches FRAMES frames, STRIDE apart, twice; the misses of the second time. */
static uint64_t misses_again(uint32_t frames, uint32_t stride)
{
    PfCacheConfig config = {.size_bytes = 64 * PF_KIB, .ways = 4, .line_bytes = 64};
    g_autoptr(PfCache) cache = pf_cache_new(&config, NULL, 1, NULL, NULL);
    uint64_t misses = 0;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < frames; i++)
            for (uint64_t offset = 0; offset < 4096; offset += 64) {
                PfMaddr address = pf_mpn_address((PfMpn){i * stride}, 12, offset);
                bool hit =
                    pf_cache_touch(cache, address, 1, PF_ACCESS_READ, PF_ACTOR_DEMAND);
                misses += pass == 1 && !hit;
            }
    return misses;
}

static void colors_compete(void)
{
    /* 64 KiB in 4 ways: 16 KiB a way, so 4 colours with room for 4 frames each. */
    unsigned count = pf_color_count(64 * PF_KIB, 4, 4096);
    CU_ASSERT_EQUAL(count, 4);
    CU_ASSERT_EQUAL(misses_again(4, count), 0);
    /* LRU going round five frames of one colour in four places always misses: 5 * 64 lines. */
    CU_ASSERT_EQUAL(misses_again(5, count), 5 * 64);
    CU_ASSERT_EQUAL(misses_again(16, 1), 0);
}

static const PfCheck checks[] = {
    {"a cache has as many colours as pages fit in a way", counts},
    {"the colour is the low bits of the frame number", low_bits},
    {"banks that the frame number chooses are colours", banks},
    {"banks that lie far apart are none", no_banks},
    {"pages that lie in many banks have no colours of banks", spread},
    {"exclusive ors of the frame number are colours", permuted},
    {"frames of one colour compete for a cache's sets, others do not", colors_compete},
};

PF_CHECK_MAIN("color", checks)
