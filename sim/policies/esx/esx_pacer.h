/* When ESX looks at candidates: so many pages a second of each context, and over all of them.
 *
 * Time is cut into rounds of 1/rate seconds; in each, every context offers one candidate. Round k
 * is due k/rate seconds after the start, in integers, so that no rounding adds up; the limit over
 * all contexts gives round k what k/rate seconds allow less what they allowed before. */
#pragma once

#include <stdint.h>

typedef struct {
    uint64_t kilosecond_cycles; /* cycles of 1000 s: a long stretch, so that rounding is small */
    uint64_t rate;              /* rounds a second; 0: none */
    uint64_t rate_total;        /* candidates a second over all contexts; 0: no limit */
    uint64_t bunch_max;         /* rounds done at one time, at most 8 */
    uint64_t start_cycle;
    uint64_t rounds; /* done or skipped */
} PfEsxPacer;

/* Starts anew at NOW_CYCLES with other rates; what was due before is forgotten. */
void pf_esx_pacer_start(PfEsxPacer *pacer, uint64_t now_cycles, uint64_t rate, uint64_t rate_total);

/* Rounds that are due and not done yet, at most those of 10 ms and at most
 * bunch_max (but one). */
uint64_t pf_esx_pacer_due(const PfEsxPacer *pacer, uint64_t now_cycles);

/* Takes the next round; returns how many candidates it may have (UINT64_MAX: any number). */
uint64_t pf_esx_pacer_take(PfEsxPacer *pacer);

/* When to wake up next: as late as possible, so that rounds come in bunches, but none more than
 * 10 ms or bunch_max rounds late; never before NOW_CYCLES. UINT64_MAX if the rate is 0. */
uint64_t pf_esx_pacer_next(const PfEsxPacer *pacer, uint64_t now_cycles);
