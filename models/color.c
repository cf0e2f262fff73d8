#include "color.h"

enum { WINDOW_BITS = 12, FRAME_BITS = 32 };

PfColoring pf_coloring_low(unsigned count)
{
    g_assert(pf_is_power_of_two(count));
    PfColoring coloring = {.bits = pf_log2(count), .is_low = true};
    g_assert(coloring.bits <= PF_COLOR_BITS_MAX);
    for (unsigned i = 0; i < coloring.bits; i++)
        coloring.masks[i] = (uint32_t)1 << i;
    return coloring;
}

/* The bank that ADDRESS lies in, as one number. */
static uint64_t bank_of(const PfDram *dram, uint64_t address)
{
    enum { FIELD_BITS = 12 };
    PfDramLocation place = pf_dram_locate(dram, (PfMaddr){address});
    const uint32_t fields[] = {place.channel, place.rank, place.bank_group, place.bank};
    uint64_t bank = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        bank = bank << FIELD_BITS | fields[i];
    return bank;
}

/* Whether MASK, seen through WINDOW, is an exclusive or of those that COLORING has. */
static bool is_told(const PfColoring *coloring, uint32_t mask, uint32_t window)
{
    uint32_t basis[PF_COLOR_BITS_MAX + 1];
    unsigned size = 0;
    for (unsigned i = 0; i <= coloring->bits; i++) {
        uint32_t left = (i < coloring->bits ? coloring->masks[i] : mask) & window;
        for (unsigned j = 0; j < size; j++)
            left = MIN(left, left ^ basis[j]);
        if (left != 0)
            basis[size++] = left;
        else if (i == coloring->bits)
            return true;
    }
    return false;
}

/* Flipping one bit of an address flips the same bits of the bank's number whatever the others
 * are. */
void pf_coloring_add_banks(PfColoring *coloring, const PfDram *dram, unsigned page_shift)
{
    uint64_t zero = bank_of(dram, 0);
    uint64_t within = 0;
    for (unsigned bit = 0; bit < page_shift; bit++)
        within |= bank_of(dram, (uint64_t)1 << bit) ^ zero;
    uint32_t window = ((uint32_t)1 << MAX(WINDOW_BITS, coloring->bits)) - 1;
    for (unsigned chosen = 0; chosen < 64; chosen++) {
        uint32_t mask = 0;
        for (unsigned bit = 0; bit < FRAME_BITS; bit++) {
            uint64_t flipped = bank_of(dram, (uint64_t)1 << (bit + page_shift)) ^ zero;
            mask |= (uint32_t)(flipped >> chosen & 1) << bit;
        }
        bool chooses = mask != 0 && (within >> chosen & 1) == 0;
        if (!chooses || coloring->bits == PF_COLOR_BITS_MAX || is_told(coloring, mask, window))
            continue;
        coloring->masks[coloring->bits++] = mask;
        coloring->is_low = false;
    }
}
