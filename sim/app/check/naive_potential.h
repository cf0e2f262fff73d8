/* What could be shared in naive memory, counted by looking at all frames. */
#pragma once

#include "naive_memory.h"

/* By kind, in the order zeros of anonymous memory, other anonymous memory, files, shared memory. */
typedef struct {
    uint64_t no_sharing[4];
    uint64_t frames[4];
    uint64_t ksm_shared;
    uint64_t cbps_shared;
    uint64_t zero_pages;
    uint64_t unknown_pages;
    uint64_t multiplicity; /* the sum of the squares of the copies of each content */
} PfNaivePotential;

/* Of all that NAIVE holds now. */
PfNaivePotential pf_naive_potential(const PfNaive *naive);
