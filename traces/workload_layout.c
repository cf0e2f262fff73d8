#include "workload_layout.h"

#include "rng.h"
#include "units.h"

PfLayout pf_layout_make(uint64_t seed, const char *name, uint64_t pages, uint64_t chunk)
{
    PfLayout layout = {.chunk = chunk, .chunks = chunk > 0 ? pages / chunk : 0};
    if (layout.chunks > 1)
        layout.half_bits = pf_log2(layout.chunks - 1) / 2 + 1;
    PfRng keys = pf_rng_derive(seed, name);
    for (unsigned i = 0; i < PF_LAYOUT_ROUNDS; i++)
        layout.keys[i] = pf_rng_next(&keys);
    return layout;
}

static uint64_t round_of(const PfLayout *layout, unsigned number, uint64_t half)
{
    PfRng mixer = {.state = layout->keys[number] ^ half};
    return pf_rng_next(&mixer) >> (64 - layout->half_bits);
}

/* A Feistel network over the least even number of bits that holds all chunks (Luby and Rackoff,
 * "How to construct pseudorandom permutations from pseudorandom functions", SIAM J. Comput. 17(2),
 * 1988). */
static uint64_t scramble(const PfLayout *layout, uint64_t value)
{
    uint64_t left = value >> layout->half_bits;
    uint64_t right = value & (((uint64_t)1 << layout->half_bits) - 1);
    for (unsigned i = 0; i < PF_LAYOUT_ROUNDS; i++) {
        uint64_t mixed = left ^ round_of(layout, i, right);
        left = right;
        right = mixed;
    }
    return left << layout->half_bits | right;
}

static uint64_t unscramble(const PfLayout *layout, uint64_t value)
{
    uint64_t left = value >> layout->half_bits;
    uint64_t right = value & (((uint64_t)1 << layout->half_bits) - 1);
    for (unsigned i = PF_LAYOUT_ROUNDS; i-- > 0;) {
        uint64_t mixed = right ^ round_of(layout, i, left);
        right = left;
        left = mixed;
    }
    return left << layout->half_bits | right;
}

/* What falls outside is permuted again until it falls inside ("cycle walking": Black and Rogaway,
 * "Ciphers with arbitrary finite domains", CT-RSA 2002). The domain has fewer than four times as
 * many numbers as there are chunks. */
static uint64_t permute(const PfLayout *layout, uint64_t index,
                        uint64_t (*step)(const PfLayout *, uint64_t))
{
    if (layout->chunk == 0 || layout->chunks < 2 || index / layout->chunk >= layout->chunks)
        return index;
    uint64_t chunk = index / layout->chunk;
    do
        chunk = step(layout, chunk);
    while (chunk >= layout->chunks);
    return chunk * layout->chunk + index % layout->chunk;
}

uint64_t pf_layout_rank(const PfLayout *layout, uint64_t page)
{
    return permute(layout, page, scramble);
}

uint64_t pf_layout_page(const PfLayout *layout, uint64_t rank)
{
    return permute(layout, rank, unscramble);
}
