/* Translation: the TLBs of each core, and walks after their misses.
 *
 * A first-level miss that the second level answers costs the second level's latency; a miss of both
 * costs a walk whose reads go through the core's data caches. Faults are the caller's business: it
 * makes the page present and then calls pf_mmu_insert. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "cache.h"
#include "tlb.h"
#include "walker.h"

typedef struct {
    PfTlbConfig first;  /* each of instruction and data side */
    PfTlbConfig second; /* unified; 0 entries: none */
    PfWalkerConfig walk;
} PfMmuConfig;

/* Binds sections `tlb` (l1, l2) and `walk`. */
void pf_mmu_bind(PfConfigSection *tlb, PfConfigSection *walk, PfMmuConfig *config);

typedef struct {
    PfTlb *instruction;
    PfTlb *data;
    PfTlb *second; /* NULL if there is none */
} PfMmuCore;

typedef struct {
    PfMmuCore *cores;
    unsigned core_count;
    PfWalker *walker;
    uint8_t page_shift;
} PfMmu;

/* TLBs for CORE_COUNT cores; statistics are told for all of them together as tlb.l1i, tlb.l1d,
 * tlb.l2 and walk. False with PF_ERROR_CONFIG if a TLB cannot be built. */
bool pf_mmu_init(PfMmu *mmu, const PfMmuConfig *config, unsigned core_count, unsigned page_shift,
                 PfStats *stats, GError **error);
void pf_mmu_clear(PfMmu *mmu);

typedef struct {
    PfVpn page;
    uint32_t space;
    uint16_t core;
    bool is_fetch;
    bool nested;
} PfTranslation;

/* The core's first-level entry for TRANSLATION, or NULL: then pf_mmu_refill. */
static inline const PfTlbEntry *pf_mmu_lookup(PfMmu *mmu, const PfTranslation *translation)
{
    const PfMmuCore *core = &mmu->cores[translation->core];
    PfTlb *tlb = translation->is_fetch ? core->instruction : core->data;
    return pf_tlb_lookup(tlb, translation->space, translation->page);
}

/* After a first-level miss: asks the second level, else walks through DATA_CACHE from NOW_CYCLES
 * on. RET_CYCLES gets the time taken. NULL if the page had to be walked for: the caller then finds
 * or makes the mapping and inserts it. */
const PfTlbEntry *pf_mmu_refill(PfMmu *mmu, const PfTranslation *translation, PfCache *data_cache,
                                uint64_t now_cycles, uint64_t *ret_cycles);

/* Puts a translation that was found into both levels of the TLB. */
void pf_mmu_insert(PfMmu *mmu, const PfTranslation *translation, PfMpn mpn, bool writable);

/* CORE forgets PAGE of SPACE; with WHOLE_SPACE, all of SPACE. */
void pf_mmu_invalidate(PfMmu *mmu, unsigned core, uint32_t space, PfVpn page, bool whole_space);
void pf_mmu_invalidate_range(PfMmu *mmu, unsigned core, uint32_t space, PfVpn first,
                             uint64_t pages);

/* Forgets all translations; asserts the invariants. */
void pf_mmu_reset_state(PfMmu *mmu);
void pf_mmu_check(const PfMmu *mmu);
