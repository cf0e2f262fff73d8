/* The keys of contents that are known to be good candidates, in a Bloom filter (Bloom, "Space/time
 * trade-offs in hash coding with allowable errors", CACM 1970): m bits, of which each key sets k.
 * Of keys that are not in it, a share of (1 - e^(-kn/m))^k is taken for one of the n that are.
 *
 * The simulator keeps the keys themselves too, only to count those mistakes. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "table.h"

typedef struct {
    uint64_t *words;
    uint64_t bit_count;
    unsigned hash_count;
    PfTable keys;
    uint64_t hits;
    uint64_t false_hits;
} PfEsxBloom;

/* An empty filter of BIT_COUNT bits, HASH_COUNT for each key. */
void pf_esx_bloom_init(PfEsxBloom *bloom, uint64_t bit_count, unsigned hash_count);
/* Frees what BLOOM holds. */
void pf_esx_bloom_clear(PfEsxBloom *bloom);

/* KEY is known from now on. */
void pf_esx_bloom_add(PfEsxBloom *bloom, uint64_t key);

/* Whether KEY may have been added; counts the hit, and whether it is false. */
bool pf_esx_bloom_has(PfEsxBloom *bloom, uint64_t key);

/* What the simulated system spends on it; nothing as long as it is empty. */
uint64_t pf_esx_bloom_bytes(const PfEsxBloom *bloom);
