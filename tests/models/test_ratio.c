#include "ratio.h"

#include "check.h"
#include "rng.h"

static uint64_t divided(uint64_t value, uint64_t numerator, uint64_t denominator)
{
    PfUint128 product = (PfUint128)value * numerator;
    return (uint64_t)((product + denominator - 1) / denominator);
}

static void edges(void)
{
    PfRatio ratio = pf_ratio(5000, 10829);
    CU_ASSERT_EQUAL(pf_ratio_up(&ratio, 0), 0);
    CU_ASSERT_EQUAL(pf_ratio_up(&ratio, 1), 1);
    CU_ASSERT_EQUAL(pf_ratio_up(&ratio, 10829), 5000);
    CU_ASSERT_EQUAL(pf_ratio_up(&ratio, 10828), 5000);
    CU_ASSERT_EQUAL(pf_ratio_up(&ratio, 10830), 5001);
    PfRatio whole = pf_ratio(833, 1);
    CU_ASSERT_EQUAL(pf_ratio_up(&whole, 38), 38 * 833);
    PfRatio one = pf_ratio(7, 7);
    CU_ASSERT_EQUAL(pf_ratio_up(&one, UINT64_MAX), UINT64_MAX);
}

static void agrees_with_division(void)
{
    printf("# seed 1\n");
    PfRng rng = pf_rng_derive(1, "ratio");
    uint32_t wrong = 0;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t numerator = pf_rng_next(&rng) >> (16 + pf_rng_below(&rng, 48));
        uint64_t denominator = (pf_rng_next(&rng) >> pf_rng_below(&rng, 60)) | 1;
        uint64_t value = pf_rng_next(&rng) >> pf_rng_below(&rng, 64);
        /* Keep the answer within 64 bits. */
        if ((PfUint128)value * numerator / denominator >= UINT64_MAX - 1)
            continue;
        PfRatio ratio = pf_ratio(numerator, denominator);
        wrong += pf_ratio_up(&ratio, value) != divided(value, numerator, denominator);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static const PfCheck checks[] = {
    {"a product with a fraction is rounded up, at the edge and beside it", edges},
    {"random products agree with a 128-bit division", agrees_with_division},
};

PF_CHECK_MAIN("ratio", checks)
