/* Units: bytes, cycles, picoseconds; checked conversions and power-of-two helpers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PF_KIB ((uint64_t)1 << 10)
#define PF_MIB ((uint64_t)1 << 20)
#define PF_GIB ((uint64_t)1 << 30)
#define PF_TIB ((uint64_t)1 << 40)

#define PF_PS_PER_NS     ((uint64_t)1000)
#define PF_PS_PER_SECOND ((uint64_t)1000000000000)

/* 128-bit products keep conversions exact; a named type keeps -Wpedantic quiet. */
__extension__ typedef unsigned __int128 PfUint128;

/* 0 is none. */
static inline bool pf_is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* floor(log2(VALUE)); VALUE must not be 0. */
static inline unsigned pf_log2(uint64_t value)
{
    return 63U - (unsigned)__builtin_clzll(value);
}

/* The smallest power of two that is at least VALUE (1 for 0). VALUE is at most 2^63. */
static inline uint64_t pf_next_power_of_two(uint64_t value)
{
    return value <= 1 ? 1 : (uint64_t)1 << (pf_log2(value - 1) + 1);
}

/* The cycles of a clock of CLOCK_HZ that cover PICOSECONDS, rounded up; saturates at 2^64-1. */
static inline uint64_t pf_cycles_from_ps(uint64_t picoseconds, uint64_t clock_hz)
{
    PfUint128 product = (PfUint128)picoseconds * clock_hz + (PF_PS_PER_SECOND - 1);
    PfUint128 cycles = product / PF_PS_PER_SECOND;
    return cycles > UINT64_MAX ? UINT64_MAX : (uint64_t)cycles;
}

/* The picoseconds that CYCLES of a clock of CLOCK_HZ (not 0) last, rounded down; saturates. */
static inline uint64_t pf_ps_from_cycles(uint64_t cycles, uint64_t clock_hz)
{
    PfUint128 ps = (PfUint128)cycles * PF_PS_PER_SECOND / clock_hz;
    return ps > UINT64_MAX ? UINT64_MAX : (uint64_t)ps;
}
