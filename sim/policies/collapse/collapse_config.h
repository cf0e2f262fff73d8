/* The parameters of `collapse`. */
#pragma once

#include "policy.h"
#include "sweep.h"

/* When pages are looked up. */
typedef enum {
    PF_COLLAPSE_IMMEDIATE,
    PF_COLLAPSE_SETTLED,
    PF_COLLAPSE_IDLE,
    PF_COLLAPSE_PRESSURE,
    PF_COLLAPSE_WRITE_BACK,
} PfCollapseWhen;

/* When duplicates that were found are collapsed. */
typedef enum {
    PF_COLLAPSE_THEN_AT_ONCE,
    PF_COLLAPSE_THEN_IDLE,
    PF_COLLAPSE_THEN_PRESSURE,
} PfCollapseThen;

/* What the immediate policy looks up: each store, the page as each of its lines is written back, or
 * after the last of a burst. */
typedef enum { PF_COLLAPSE_EACH_STORE, PF_COLLAPSE_EACH_LINE, PF_COLLAPSE_BURST } PfCollapseGrain;

typedef enum {
    PF_COLLAPSE_LOWEST,
    PF_COLLAPSE_OLDEST,
    PF_COLLAPSE_MOST_REFERENCED,
    PF_COLLAPSE_GIVEN,
} PfCollapsePrimary;

typedef enum { PF_COLLAPSE_FREE_NOW, PF_COLLAPSE_FREE_GC } PfCollapseFree;

typedef enum {
    PF_COLLAPSE_EXACT,
    PF_COLLAPSE_THRESHOLD,
    PF_COLLAPSE_MASKED,
    PF_COLLAPSE_RANGE,
} PfCollapseIdentical;

typedef struct {
    PfSweepConfig sweep;
    int when;     /* PfCollapseWhen */
    int then;     /* PfCollapseThen */
    int grain;    /* PfCollapseGrain */
    int primary;  /* PfCollapsePrimary */
    int how_free; /* PfCollapseFree */
    uint64_t settle_ps;
    double idle_share;
    double pressure_free;
    char **given;
    uint64_t gc_interval_ps;
    uint64_t transient_stores;
    char **patterns;
    int identical; /* PfCollapseIdentical */
    double threshold;
    char **ignored_bits;
    uint64_t used_offset_bytes;
    uint64_t used_bytes;
    uint64_t probe_pages;
} PfCollapseConfig;

enum { PF_COLLAPSE_FIELDS = 20 };
extern const PfConfigField pf_collapse_fields[PF_COLLAPSE_FIELDS];
