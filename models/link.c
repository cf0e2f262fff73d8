#include "link.h"

#include <glib.h>
#include <string.h>

#include "units.h"

void pf_link_init(PfLink *link, uint64_t line_bytes, uint64_t bytes_per_second, uint64_t clock_hz)
{
    *link = (PfLink){0};
    if (bytes_per_second > 0)
        link->line_cycles =
            (uint64_t)(((PfUint128)line_bytes * clock_hz << 32) / bytes_per_second);
}

/* The whole cycles that a line takes. */
static uint64_t whole_cycles(const PfLink *link)
{
    return (link->line_cycles + UINT32_MAX) >> 32;
}

static void drop_gap(PfLink *link, unsigned index)
{
    link->gap_count--;
    memmove(link->gaps + index, link->gaps + index + 1,
            (link->gap_count - index) * sizeof *link->gaps);
}

/* Remembers that nothing is reserved from BEGIN to END, which is after all gaps before INDEX. */
static void add_gap(PfLink *link, unsigned index, uint64_t begin, uint64_t end)
{
    if (end - begin < whole_cycles(link))
        return;
    if (link->gap_count == PF_LINK_GAPS) {
        /* The oldest is forgotten, be it this one. */
        link->known_cycles = index == 0 ? end : link->gaps[0].end;
        if (index == 0)
            return;
        drop_gap(link, 0);
        index--;
    }
    memmove(link->gaps + index + 1, link->gaps + index,
            (link->gap_count - index) * sizeof *link->gaps);
    link->gaps[index] = (PfLinkGap){begin, end};
    link->gap_count++;
}

/* Takes the first gap that a line which is ready at READY fits in; false if there is none. */
static bool take_gap(PfLink *link, uint64_t ready, uint64_t *ret_start)
{
    uint64_t cycles = whole_cycles(link);
    for (unsigned i = 0; i < link->gap_count; i++) {
        PfLinkGap gap = link->gaps[i];
        uint64_t start = MAX(gap.begin, ready);
        if (start + cycles > gap.end)
            continue;
        drop_gap(link, i);
        add_gap(link, i, start + cycles, gap.end);
        add_gap(link, i, gap.begin, start);
        *ret_start = start;
        return true;
    }
    return false;
}

uint64_t pf_link_take(PfLink *link, uint64_t ready)
{
    if (link->line_cycles == 0 || ready < link->known_cycles)
        return ready;
    uint64_t start = link->free_cycles + (link->free_fraction > 0);
    if (ready >= start) {
        add_gap(link, link->gap_count, start, ready);
        link->free_cycles = start = ready;
        link->free_fraction = 0;
    } else if (link->gap_count > 0 && link->gaps[link->gap_count - 1].end > ready &&
               take_gap(link, ready, &start)) {
        return start;
    }
    uint64_t fraction = link->free_fraction + (link->line_cycles & UINT32_MAX);
    link->free_cycles += (link->line_cycles >> 32) + (fraction >> 32);
    link->free_fraction = (uint32_t)fraction;
    return start;
}

void pf_link_check(const PfLink *link)
{
    uint64_t last = link->known_cycles;
    for (unsigned i = 0; i < link->gap_count; i++) {
        g_assert(link->gaps[i].begin >= last && link->gaps[i].end > link->gaps[i].begin);
        last = link->gaps[i].end;
    }
    g_assert(last <= link->free_cycles + 1);
}
