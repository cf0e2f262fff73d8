/* The finder `table`, for finders that keep a table of the kind behind them. */
#pragma once

#include "policy.h"

typedef struct {
    uint64_t index_bits; /* PF_CONFIG_AUTO: by the number of frames */
} PfFinderTableConfig;

extern const PfFinderOps pf_finder_table;
