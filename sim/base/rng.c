#include "rng.h"

#include <glib.h>
#include <string.h>
#include <xxhash.h>

#include "units.h"

PfRng pf_rng_derive(uint64_t seed, const char *name)
{
    return (PfRng){XXH64(name, strlen(name), seed)};
}

/* Lemire's multiplication method with rejection, "Fast random integer generation in an interval",
 * ACM TOMACS 29(1), 2019. */
uint64_t pf_rng_below(PfRng *rng, uint64_t bound)
{
    g_assert(bound > 0);
    PfUint128 product = (PfUint128)pf_rng_next(rng) * bound;
    if ((uint64_t)product < bound) {
        uint64_t threshold = -bound % bound;
        while ((uint64_t)product < threshold)
            product = (PfUint128)pf_rng_next(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}
