#include "swap_device.h"

#include "units.h"

static const char *const device_names[] = {"zram", "nvme", "disk", NULL};

/* By device; the latency is the mean of a read's and a write's, for a fault in full memory takes
 * one of each.
 *   zram: LZ4's own benchmark (github.com/lz4/lz4, README of v1.9.0, a Core i7-9700K): 780 MB/s to
 *     compress, 4970 MB/s to decompress; 4 KiB take 5.25 us and 0.82 us, which each core that waits
 *     spends by itself. The bandwidth is an estimate: about a channel of DDR4.
 *   nvme: Intel SSD DC P4500 of 1 and 2 TB (Lenovo's product guide of it): 20 us to write and 85 us
 *     to read at random, 3.2 GB/s to read in sequence. The queue is an estimate.
 *   disk: WD Ultrastar DC HC310 (specification, revision 1.4): typical seeks of 8.2 ms to write and
 *     7.4 ms to read, and 4.16 ms for half a turn. The bandwidth is an estimate. */
static const struct {
    uint64_t latency_ps;
    uint64_t bytes_per_second;
    uint64_t queue;
} presets[] = {
    {3040000, UINT64_C(20000000000), 64},
    {52500000, UINT64_C(3200000000), 64},
    {UINT64_C(11960000000), 250000000, 1},
};

#define AT(member) .offset = offsetof(PfSwapDeviceConfig, member)

const PfConfigField pf_swap_device_fields[] = {
    {.key = "device", .type = PF_CONFIG_ENUM, AT(device), .standard = "nvme",
     .choices = device_names,
     .description = "What pages are swapped to: compressed memory, a solid-state or a hard disk."},
    {.key = "latency", .type = PF_CONFIG_TIME, AT(latency_ps), .standard = "auto",
     .automatic = true, .max = UINT64_C(1000000000000000),
     .description = "From the start of a request until its bytes move; auto: zram 3.04us, nvme "
                    "52.5us, disk 11.96ms."},
    {.key = "bandwidth", .type = PF_CONFIG_BANDWIDTH, AT(bytes_per_second), .standard = "auto",
     .automatic = true, .min = 1000,
     .description = "At which all bytes move, either way; auto: zram 20GB/s, nvme 3.2GB/s, disk "
                    "250MB/s."},
    {.key = "queue", .type = PF_CONFIG_UINT, AT(queue), .standard = "auto", .automatic = true,
     .min = 1, .max = PF_SWAP_QUEUE_MAX, .unit = "requests",
     .description = "Requests that spend the latency at one time; auto: zram 64, nvme 64, disk 1."},
};
const size_t pf_swap_device_field_count = G_N_ELEMENTS(pf_swap_device_fields);

struct PfSwapDevice {
    uint64_t clock_hz;
    uint64_t latency_cycles;
    uint64_t bytes_per_second;
    unsigned queue;
    uint64_t free_cycles; /* of what moves bytes */
    uint64_t *done_cycles; /* by place: when its latest request is done */
};

static uint64_t chosen(uint64_t configured, uint64_t standard)
{
    return configured == PF_CONFIG_AUTO ? standard : configured;
}

PfSwapDevice *pf_swap_device_new(const PfSwapDeviceConfig *config, uint64_t clock_hz)
{
    PfSwapDevice *device = g_new0(PfSwapDevice, 1);
    unsigned preset = (unsigned)config->device;
    g_assert(preset < G_N_ELEMENTS(presets));
    device->clock_hz = clock_hz;
    device->latency_cycles =
        pf_cycles_from_ps(chosen(config->latency_ps, presets[preset].latency_ps), clock_hz);
    device->bytes_per_second =
        chosen(config->bytes_per_second, presets[preset].bytes_per_second);
    device->queue = (unsigned)chosen(config->queue, presets[preset].queue);
    device->done_cycles = g_new0(uint64_t, device->queue);
    return device;
}

void pf_swap_device_free(PfSwapDevice *device)
{
    if (device == NULL)
        return;
    g_free(device->done_cycles);
    g_free(device);
}

uint64_t pf_swap_device_request(PfSwapDevice *device, uint64_t now, uint64_t bytes)
{
    unsigned place = 0;
    for (unsigned i = 1; i < device->queue; i++)
        if (device->done_cycles[i] < device->done_cycles[place])
            place = i;
    uint64_t ready = MAX(now, device->done_cycles[place]) + device->latency_cycles;
    PfUint128 product = (PfUint128)bytes * device->clock_hz + device->bytes_per_second - 1;
    uint64_t move_cycles = (uint64_t)(product / device->bytes_per_second);
    uint64_t done = MAX(ready, device->free_cycles) + move_cycles;
    device->free_cycles = done;
    device->done_cycles[place] = done;
    return done;
}
