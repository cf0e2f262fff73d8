/* Exact multiplication by a fixed fraction, for conversions between clocks: as good as a 128-bit
 * division, at the price of two multiplications. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "units.h"

/* The fraction whole + numerator / denominator, numerator < denominator, in lowest terms. */
typedef struct {
    uint64_t whole;
    uint64_t numerator;
    uint64_t denominator;
    uint64_t reciprocal; /* floor(2^64 * numerator / denominator) */
} PfRatio;

/* NUMERATOR / DENOMINATOR (not 0). The part below 1 must stay below 2^64 when it is scaled, which
 * every fraction of 64-bit numbers does. */
static inline PfRatio pf_ratio(PfUint128 numerator, PfUint128 denominator)
{
    g_assert(denominator > 0);
    PfUint128 a = numerator;
    PfUint128 b = denominator;
    while (b != 0) {
        PfUint128 rest = a % b;
        a = b;
        b = rest;
    }
    numerator /= a;
    denominator /= a;
    g_assert(numerator / denominator <= UINT64_MAX && denominator <= UINT64_MAX);
    uint64_t part = (uint64_t)(numerator % denominator);
    return (PfRatio){
        .whole = (uint64_t)(numerator / denominator),
        .numerator = part,
        .denominator = (uint64_t)denominator,
        .reciprocal = (uint64_t)(((PfUint128)part << 64) / denominator),
    };
}

/* ceil(VALUE * RATIO); the result must fit in 64 bits. */
static inline uint64_t pf_ratio_up(const PfRatio *ratio, uint64_t value)
{
    /* The estimate falls short of the true quotient by less than 1 for the truncated reciprocal and
     * less than 1 for its own truncation; the remainder, less than three denominators, shows by how
     * much. It is computed modulo 2^128 so that nothing is lost. */
    uint64_t part = (uint64_t)((PfUint128)value * ratio->reciprocal >> 64);
    PfUint128 rest = (PfUint128)value * ratio->numerator - (PfUint128)part * ratio->denominator;
    for (; rest > 0; rest = rest > ratio->denominator ? rest - ratio->denominator : 0)
        part++;
    return value * ratio->whole + part;
}
