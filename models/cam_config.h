/* Parameters of a content-addressable memory (section `machine.cam`), and its figures: what a
 * search or a write takes in time and energy, leakage and area. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum { PF_CAM_ENTRIES_MAX = 1 << 24 };

typedef enum {
    PF_CAM_LRU,
    PF_CAM_FIFO,
    PF_CAM_RANDOM,
    PF_CAM_REFUSE /* what finds no room is not stored */
} PfCamReplacement;

/* Which of several entries that match answers first. */
typedef enum { PF_CAM_NEWEST, PF_CAM_OLDEST, PF_CAM_LOWEST } PfCamPriority;

typedef enum { PF_CAM_STORES_HASH, PF_CAM_STORES_PAGE } PfCamStores;
typedef enum { PF_CAM_AT_CONTROLLER, PF_CAM_AT_CORE } PfCamAt;
typedef enum { PF_CAM_HASHED, PF_CAM_PER_NODE, PF_CAM_REPLICATED } PfCamScope;
typedef enum { PF_CAM_BEHIND_TABLE, PF_CAM_BEHIND_NONE } PfCamBehind;
typedef enum { PF_CAM_STALE_VERIFY, PF_CAM_STALE_DIRTY_BIT, PF_CAM_STALE_DELETE } PfCamStale;

/* `*_cycles` may be PF_CONFIG_AUTO, energies, power and area NaN: by the card. */
typedef struct {
    bool is_ideal; /* no limit, no time, no energy; nothing else of it counts but what is stored,
                      compared and kept up to date */
    uint64_t entries;
    uint64_t key_bits;
    uint64_t ways; /* 0: fully associative */
    uint64_t banks;
    uint64_t ports; /* of each bank */
    bool pipelined;
    int replacement; /* PfCamReplacement */
    int priority;    /* PfCamPriority */
    int stores;      /* PfCamStores */
    int at;          /* PfCamAt */
    int scope;       /* PfCamScope */
    int behind;      /* PfCamBehind */
    int stale;       /* PfCamStale */
    bool verify;
    int preset; /* PfCamCardTable: 22 or 45 nm */
    bool allow_extrapolation;
    uint64_t remote_ps;
    uint64_t latency_cycles;
    uint64_t cycle_cycles;
    uint64_t insert_cycles;
    uint64_t delete_cycles;
    double search_nJ;
    double write_nJ;
    double leakage_mW;
    double area_mm2;
} PfCamConfig;

typedef struct {
    uint64_t latency_cycles;
    uint64_t cycle_cycles; /* a port is busy for, if it is pipelined */
    uint64_t insert_cycles;
    uint64_t delete_cycles;
    uint64_t search_fJ; /* of the one bank that is searched */
    uint64_t write_fJ;
    double leakage_W; /* of all banks; NaN: there is no figure */
    double area_mm2;
    uint64_t entry_bits;  /* what is compared, and the number of a frame */
    bool is_extrapolated; /* some of it is not inside the card's table, or for whole pages */
} PfCamFigures;

/* Binds key `cam` of MACHINE, which may be a group or the string "ideal". */
void pf_cam_bind(PfConfigSection *machine, PfCamConfig *config);

/* The figures at a clock of CLOCK_HZ, for pages of PAGE_BYTES. False with PF_ERROR_CONFIG where the
 * geometry is impossible, or the card's table does not reach and that is not allowed. */
bool pf_cam_figures(const PfCamConfig *config, uint64_t clock_hz, uint32_t page_bytes,
                    PfCamFigures *ret_figures, GError **error);
