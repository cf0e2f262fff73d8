/* What the files of a CAM share; nobody else includes it. */
#pragma once

#include "cam.h"
#include "rng.h"
#include "seg_array.h"
#include "table.h"

/* The rings that an entry is in. The last element of a ring comes before its first. */
typedef enum {
    PF_CAM_BY_KEY,   /* in order of priority */
    PF_CAM_BY_FRAME, /* any order */
    PF_CAM_BY_USE,   /* of its set, that which goes first at the head; free entries: `next` only */
    PF_CAM_RINGS
} PfCamRing;

typedef struct {
    uint32_t previous;
    uint32_t next;
} PfCamLinks;

/* Numbered from 1, set by set. */
typedef struct {
    PfCamItem item;
    bool is_used;
    bool is_marked;
    PfCamLinks links[PF_CAM_RINGS];
} PfCamEntry;

typedef struct {
    uint32_t oldest; /* head of its ring, 0: the set is empty */
    uint32_t first_free;
    uint32_t used;
    uint32_t top; /* entries that were ever used */
} PfCamSet;

/* The time of the last operation. */
typedef struct {
    uint64_t asked_cycles;
    uint64_t free_cycles;
} PfCamPort;

/* What the last operation was. */
typedef struct {
    uint32_t bank; /* PF_CAM_ALL_BANKS: all */
    uint64_t asked_cycles;
    uint64_t cycles;
    uint64_t energy_fJ;
} PfCamDone;

#define PF_CAM_ALL_BANKS UINT32_MAX

struct PfCam {
    PfCamConfig config;
    PfCamFigures figures;
    uint32_t set_entries;
    uint32_t bank_sets;
    PfRng rng;
    PfSegArray entries;
    PfSegArray sets;
    PfTable keys;          /* mixed key: head of a ring */
    PfTable frames;        /* likewise */
    PfCamPort *ports;      /* config.ports for each bank */
    PfCamPort *used_ports; /* those, or a copy's; borrowed */
    PfCamDone done;
    PfCamStats own_stats;
    PfCamStats *stats;
};

/* Entry NUMBER, from 1. */
static inline PfCamEntry *pf_cam_entry(const PfCam *cam, uint32_t number)
{
    return pf_seg_array_at(&cam->entries, number);
}

/* Its place in a ring. */
static inline PfCamLinks *pf_cam_links(const PfCam *cam, PfCamRing ring, uint32_t number)
{
    return &pf_cam_entry(cam, number)->links[ring];
}

/* The head of the ring of KEY, 0: there is none. */
static inline uint32_t pf_cam_head(const PfTable *table, uint64_t key)
{
    uint64_t head = 0;
    pf_table_find(table, key, &head);
    return (uint32_t)head;
}

/* Whether entries about FRAME are found by it. */
static inline bool pf_cam_follows(const PfCam *cam, PfMpn frame)
{
    return !pf_mpn_equal(frame, PF_CAM_NO_FRAME) && cam->config.stale != PF_CAM_STALE_VERIFY;
}

/* A hash of KEY, by which it has its place. */
static inline uint64_t pf_cam_mix(const PfCamKey *key)
{
    PfRng class = {key->class};
    PfRng bits = {key->bits ^ pf_rng_next(&class)};
    return pf_rng_next(&bits);
}

/* The bank of a key that is hashed to MIXED; its set, of all. */
static inline uint32_t pf_cam_bank(const PfCam *cam, uint64_t mixed)
{
    return (uint32_t)(mixed % cam->config.banks);
}

static inline uint32_t pf_cam_set_number(const PfCam *cam, uint64_t mixed)
{
    uint64_t in_bank = mixed / cam->config.banks % cam->bank_sets;
    return pf_cam_bank(cam, mixed) * cam->bank_sets + (uint32_t)in_bank;
}

/* Set NUMBER, from 0. */
static inline PfCamSet *pf_cam_set(const PfCam *cam, uint32_t number)
{
    return pf_seg_array_at(&cam->sets, number);
}
