#include "esx_bloom.h"

#include "rng.h"

enum { WORD_BITS = 64 };

void pf_esx_bloom_init(PfEsxBloom *bloom, uint64_t bit_count, unsigned hash_count)
{
    *bloom = (PfEsxBloom){.bit_count = bit_count, .hash_count = hash_count};
    pf_table_init(&bloom->keys);
}

void pf_esx_bloom_clear(PfEsxBloom *bloom)
{
    g_free(bloom->words);
    pf_table_clear(&bloom->keys);
}

void pf_esx_bloom_add(PfEsxBloom *bloom, uint64_t key)
{
    if (bloom->words == NULL)
        bloom->words = g_new0(uint64_t, (bloom->bit_count + WORD_BITS - 1) / WORD_BITS);
    PfRng draws = {key};
    for (unsigned i = 0; i < bloom->hash_count; i++) {
        uint64_t bit = pf_rng_next(&draws) % bloom->bit_count;
        bloom->words[bit / WORD_BITS] |= (uint64_t)1 << bit % WORD_BITS;
    }
    pf_table_insert(&bloom->keys, key, 0);
}

bool pf_esx_bloom_has(PfEsxBloom *bloom, uint64_t key)
{
    if (bloom->words == NULL)
        return false;
    PfRng draws = {key};
    for (unsigned i = 0; i < bloom->hash_count; i++) {
        uint64_t bit = pf_rng_next(&draws) % bloom->bit_count;
        if ((bloom->words[bit / WORD_BITS] >> bit % WORD_BITS & 1) == 0)
            return false;
    }
    bloom->hits++;
    bloom->false_hits += !pf_table_find(&bloom->keys, key, NULL);
    return true;
}

uint64_t pf_esx_bloom_bytes(const PfEsxBloom *bloom)
{
    return bloom->words == NULL ? 0 : (bloom->bit_count + 7) / 8;
}
