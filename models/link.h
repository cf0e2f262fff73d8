/* One direction of a link between nodes: lines take their turn on it.
 *
 * A line occupies the link for its bytes over the bandwidth, kept as a fixed-point number, so that
 * n lines in a row take n times that, to the cycle. Lines need not come in order of time, as the
 * clocks of cores are apart: what is free before the last reservation is remembered as gaps, and a
 * line that is ready earlier goes in the first gap that it fits in, in whole cycles. Of times
 * before the oldest gap nothing is known; a line of such a time does not wait and takes nothing.
 *
 * What it cannot do: requests and acknowledgements take no room; no lanes that fall asleep. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PF_LINK_GAPS = 16 };

/* From `begin` to before `end`. */
typedef struct {
    uint64_t begin;
    uint64_t end;
} PfLinkGap;

typedef struct {
    uint64_t line_cycles; /* that a line takes, in 2^-32 cycles; 0: no time */
    uint64_t free_cycles; /* nothing is reserved from here on */
    uint32_t free_fraction;
    uint64_t known_cycles; /* nothing is known before */
    unsigned gap_count;
    PfLinkGap gaps[PF_LINK_GAPS]; /* in order of time */
} PfLink;

/* Lines of LINE_BYTES on a link of BYTES_PER_SECOND (0: without a limit). */
void pf_link_init(PfLink *link, uint64_t line_bytes, uint64_t bytes_per_second, uint64_t clock_hz);

/* A line is ready to be sent at READY. The cycle at which it is begun. */
uint64_t pf_link_take(PfLink *link, uint64_t ready);

/* Asserts: gaps in order, before what is free. */
void pf_link_check(const PfLink *link);
