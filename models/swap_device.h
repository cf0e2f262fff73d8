/* What pages are swapped to: a device that serves requests of whole pages.
 *
 * A request waits until one of `queue` places is free, then for the latency, which requests at
 * different places spend at the same time, then for its turn to move its bytes, which all do one
 * after the other at the bandwidth. With a queue of 1 nothing overlaps: a disk arm. Reads and
 * writes are alike.
 *
 * What the model cannot do: no order but that of asking (no elevator), no merging of neighbours,
 * no read-ahead, no cache of the device's own, no wear; flash is always ready to be written, so a
 * flood of writes is served too fast. A compressed device takes no memory of the machine's, and
 * compresses all pages alike. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* At most so many places. */
enum { PF_SWAP_QUEUE_MAX = 1024 };

typedef struct {
    int device;                /* a preset: what is automatic below is its */
    uint64_t latency_ps;       /* PF_CONFIG_AUTO: the preset's */
    uint64_t bytes_per_second; /* likewise */
    uint64_t queue;            /* likewise */
} PfSwapDeviceConfig;

extern const PfConfigField pf_swap_device_fields[];
extern const size_t pf_swap_device_field_count;

typedef struct PfSwapDevice PfSwapDevice;

/* An idle device as CONFIG has it, beside a clock of CLOCK_HZ. */
PfSwapDevice *pf_swap_device_new(const PfSwapDeviceConfig *config, uint64_t clock_hz);
void pf_swap_device_free(PfSwapDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfSwapDevice, pf_swap_device_free)

/* The cycle at which BYTES that are asked for at cycle NOW have been moved. */
uint64_t pf_swap_device_request(PfSwapDevice *device, uint64_t now, uint64_t bytes);
