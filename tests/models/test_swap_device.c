#include "swap_device.h"

#include "check.h"

/* At 1 GHz: 10 us are 10000 cycles, 4096 bytes at 4.096 GB/s are 1000. */
static const PfSwapDeviceConfig plain = {
    .latency_ps = 10000000, .bytes_per_second = 4096000000, .queue = 2};

static void test_alone(void)
{
    g_autoptr(PfSwapDevice) device = pf_swap_device_new(&plain, 1000000000);
    CU_ASSERT_EQUAL(pf_swap_device_request(device, 500, 4096), 500 + 10000 + 1000);
    CU_ASSERT_EQUAL(pf_swap_device_request(device, 11500, 4096), 11500 + 11000);
    /* A cycle that is begun is taken: 1 byte. */
    CU_ASSERT_EQUAL(pf_swap_device_request(device, 100000, 1), 100000 + 10001);
}

/* Two at once wait together and move one after the other; the third waits for a place, too. */
static void test_queue(void)
{
    g_autoptr(PfSwapDevice) device = pf_swap_device_new(&plain, 1000000000);
    CU_ASSERT_EQUAL(pf_swap_device_request(device, 0, 4096), 11000);
    CU_ASSERT_EQUAL(pf_swap_device_request(device, 0, 4096), 12000);
    CU_ASSERT_EQUAL(pf_swap_device_request(device, 0, 4096), 11000 + 11000);
    CU_ASSERT_EQUAL(pf_swap_device_request(device, 0, 4096), 12000 + 11000);
}

/* With one place nothing overlaps: N requests take N times as long as one. */
static void test_arm(void)
{
    PfSwapDeviceConfig config = plain;
    config.queue = 1;
    g_autoptr(PfSwapDevice) device = pf_swap_device_new(&config, 1000000000);
    for (uint64_t i = 1; i <= 100; i++)
        CU_ASSERT_EQUAL(pf_swap_device_request(device, 0, 4096), i * 11000);
}

/* 4096 bytes at 1 GHz, each of an idle device: latency, and bytes over bandwidth rounded up. */
static void test_presets(void)
{
    static const uint64_t wanted[] = {
        3040 + 205,       /* 204.8 */
        52500 + 1280,     /* 1280 */
        11960000 + 16384, /* 16384 */
    };
    for (int i = 0; i < (int)G_N_ELEMENTS(wanted); i++) {
        PfSwapDeviceConfig config = {.device = i,
                                     .latency_ps = PF_CONFIG_AUTO,
                                     .bytes_per_second = PF_CONFIG_AUTO,
                                     .queue = PF_CONFIG_AUTO};
        g_autoptr(PfSwapDevice) device = pf_swap_device_new(&config, 1000000000);
        CU_ASSERT_EQUAL(pf_swap_device_request(device, 0, 4096), wanted[i]);
    }
}

static const PfCheck checks[] = {
    {"a request takes the latency and its bytes over the bandwidth", test_alone},
    {"as many as the queue has places spend the latency together", test_queue},
    {"with a queue of one nothing overlaps", test_arm},
    {"zram, nvme and disk are what they say", test_presets},
};

int main(void)
{
    return pf_check_main("swap_device", checks, G_N_ELEMENTS(checks));
}
