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
    CU_ASSERT_EQUAL(pf_color_of((PfMpn){0}, 16), 0);
    CU_ASSERT_EQUAL(pf_color_of((PfMpn){15}, 16), 15);
    CU_ASSERT_EQUAL(pf_color_of((PfMpn){16}, 16), 0);
    CU_ASSERT_EQUAL(pf_color_of((PfMpn){0x1235}, 16), 5);
    CU_ASSERT_EQUAL(pf_color_of((PfMpn){0x1235}, 1), 0);
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
    {"frames of one colour compete for a cache's sets, others do not", colors_compete},
};

PF_CHECK_MAIN("color", checks)
