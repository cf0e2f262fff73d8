#include "esx_pacer.h"

#include <glib.h>

#include "units.h"

enum { SECONDS_PER_KILOSECOND = 1000, BUNCHES_PER_SECOND = 100 };

/* Rounds done at one time: fewer wake-ups at high rates, but short runs still see a steady pace. */
static uint64_t bunch_rounds(const PfEsxPacer *pacer)
{
    return CLAMP(pacer->rate / BUNCHES_PER_SECOND, 1, pacer->bunch_max);
}

/* The rounds that are over at cycle CYCLE. */
static uint64_t rounds_until(const PfEsxPacer *pacer, uint64_t cycle)
{
    PfUint128 elapsed = cycle - pacer->start_cycle;
    return (uint64_t)(elapsed * pacer->rate * SECONDS_PER_KILOSECOND / pacer->kilosecond_cycles);
}

/* The first cycle at which ROUNDS rounds are over. */
static uint64_t cycle_of(const PfEsxPacer *pacer, uint64_t rounds)
{
    PfUint128 per_kilosecond = (PfUint128)pacer->rate * SECONDS_PER_KILOSECOND;
    PfUint128 elapsed = (PfUint128)rounds * pacer->kilosecond_cycles;
    return pacer->start_cycle + (uint64_t)((elapsed + per_kilosecond - 1) / per_kilosecond);
}

void pf_esx_pacer_start(PfEsxPacer *pacer, uint64_t now_cycles, uint64_t rate, uint64_t rate_total)
{
    g_assert(pacer->kilosecond_cycles > 0);
    pacer->rate = rate;
    pacer->rate_total = rate_total;
    pacer->start_cycle = now_cycles;
    pacer->rounds = 0;
}

uint64_t pf_esx_pacer_due(const PfEsxPacer *pacer, uint64_t now_cycles)
{
    if (pacer->rate == 0 || now_cycles < pacer->start_cycle)
        return 0;
    uint64_t over = rounds_until(pacer, now_cycles);
    if (over <= pacer->rounds)
        return 0;
    return MIN(over - pacer->rounds, bunch_rounds(pacer));
}

uint64_t pf_esx_pacer_take(PfEsxPacer *pacer)
{
    g_assert(pacer->rate > 0);
    pacer->rounds++;
    if (pacer->rate_total == 0)
        return UINT64_MAX;
    PfUint128 before = (PfUint128)(pacer->rounds - 1) * pacer->rate_total / pacer->rate;
    PfUint128 after = (PfUint128)pacer->rounds * pacer->rate_total / pacer->rate;
    return (uint64_t)(after - before);
}

uint64_t pf_esx_pacer_next(const PfEsxPacer *pacer, uint64_t now_cycles)
{
    if (pacer->rate == 0)
        return UINT64_MAX;
    uint64_t next = cycle_of(pacer, pacer->rounds + 1);
    uint64_t latest =
        next + pacer->kilosecond_cycles / (SECONDS_PER_KILOSECOND * (uint64_t)BUNCHES_PER_SECOND);
    uint64_t bunch = rounds_until(pacer, latest);
    if (bunch > pacer->rounds + 1 && pacer->rate > BUNCHES_PER_SECOND)
        next = cycle_of(pacer, MIN(bunch, pacer->rounds + bunch_rounds(pacer)));
    return MAX(next, now_cycles);
}
