/* A small CAM for tests. */
#pragma once

#include "cam.h"

/* One cycle is a nanosecond. */
#define CLOCK_HZ ((uint64_t)1000000000)
enum { PAGE_BYTES = 4096, SEED = 7 };

/* The least CAM: a full one is soon had. Figures by hand. */
static inline PfCamConfig sixteen(void)
{
    return (PfCamConfig){.entries = 16,
                         .key_bits = 64,
                         .banks = 1,
                         .ports = 1,
                         .pipelined = true,
                         .verify = true,
                         .latency_cycles = 4,
                         .cycle_cycles = 1,
                         .insert_cycles = 3,
                         .delete_cycles = 2,
                         .search_nJ = 0.5,
                         .write_nJ = 0.25,
                         .leakage_mW = 8,
                         .area_mm2 = 2};
}

/* It is to be freed. */
static inline PfCam *cam_of(const PfCamConfig *config)
{
    g_autoptr(GError) error = NULL;
    PfCam *cam = pf_cam_new(config, CLOCK_HZ, PAGE_BYTES, SEED, NULL, &error);
    g_assert_no_error(error);
    return cam;
}

/* A key without a class. */
static inline PfCamKey key_of(uint64_t bits)
{
    return (PfCamKey){.bits = bits};
}

/* At cycle 0. */
static inline PfCamInsertion insert(PfCam *cam, uint64_t bits, uint64_t value)
{
    PfCamItem item = {.key = key_of(bits), .value = value, .frame = PF_CAM_NO_FRAME};
    PfCamItem evicted;
    uint64_t done;
    return pf_cam_insert(cam, &item, 0, &evicted, &done);
}

/* When a search that begins at NOW is done. */
static inline uint64_t search_at(PfCam *cam, uint64_t bits, uint64_t now)
{
    PfCamKey key = key_of(bits);
    uint64_t done;
    pf_cam_search(cam, &key, now, &done);
    return done;
}
