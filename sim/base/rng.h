/* Named streams of random numbers.
 *
 * Every consumer derives its own stream from the master seed by name, so that adding a policy does
 * not disturb another one's draws. The generator is splitmix64 (Steele, Lea, Flood, "Fast
 * splittable pseudorandom number generators", OOPSLA 2014): one addition and three
 * multiply-shift-xor steps, the same on every machine. */
#pragma once

#include <stdint.h>

typedef struct {
    uint64_t state;
} PfRng;

/* The stream called NAME of master seed SEED. */
PfRng pf_rng_derive(uint64_t seed, const char *name);

/* The next 64 bits. */
static inline uint64_t pf_rng_next(PfRng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* A number from 0 to BOUND - 1, each equally likely. BOUND must not be 0. */
uint64_t pf_rng_below(PfRng *rng, uint64_t bound);
