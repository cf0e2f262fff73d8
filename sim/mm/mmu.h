/* Translation: the TLBs of each core, walks after their misses, and who may hold what.
 *
 * A first-level miss that the second level answers costs that hit's latency; a miss of both costs a
 * walk whose reads go through the core's data caches. Faults are the caller's business: it makes
 * the page present and then calls pf_mmu_insert. An entry covers what both dimensions map as one
 * page: the smaller of the space's own size and the host's ("splintering").
 *
 * A core tells `tags` address spaces apart, as by PCIDs. When it turns to one more, it forgets the
 * one that it left the longest ago. With one tag, each switch flushes everything.
 *
 * A space is seen by the cores that ran it since they last forgot it whole; only they need be told
 * of a mapping that changes (shootdown.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "cache.h"
#include "tlb.h"
#include "walker.h"

typedef struct {
    PfTlbConfig instruction;
    PfTlbConfig data;
    PfTlbConfig second; /* unified; 0 entries: none */
    PfWalkerConfig walk;
    uint64_t tags; /* 0: any number */
    uint64_t flush_ceiling_pages;
    double virtual_ipi;
} PfMmuConfig;

/* Binds sections `tlb` (l1, l1i, l1d, l2) and `walk`. */
void pf_mmu_bind(PfConfigSection *tlb, PfConfigSection *walk, PfMmuConfig *config);

/* No address space. */
#define PF_MMU_NO_SPACE UINT32_MAX

typedef struct {
    PfTlb *instruction;
    PfTlb *data;
    PfTlb *second; /* NULL if there is none */
    PfWalker *walker;
    uint32_t space;  /* that it runs */
    GArray *tagged;  /* uint32_t, of those that have a tag, the latest last; NULL: no limit */
} PfMmuCore;

/* What is told as tlb.switch_flushes, and as shootdown.* by shootdown.c. */
typedef struct {
    uint64_t switch_flushes;
    uint64_t local;
    uint64_t remote;
    uint64_t interrupts;
    uint64_t whole_spaces;
    uint64_t shadow_changes;
} PfMmuStats;

typedef struct {
    const PfMmuConfig *config; /* borrowed */
    PfMmuCore *cores;
    unsigned core_count;
    uint8_t page_shift;
    unsigned mask_words;
    GArray *masks;    /* uint64_t, mask_words for each space: the cores that see it */
    GArray *shadowed; /* bool by space: the host keeps page tables of its own for it */
    PfMmuStats stats;
} PfMmu;

/* TLBs and walkers for CORE_COUNT cores; statistics are told for all of them together. False with
 * PF_ERROR_CONFIG if something cannot be built. */
bool pf_mmu_init(PfMmu *mmu, const PfMmuConfig *config, unsigned core_count, unsigned page_shift,
                 PfStats *stats, GError **error);
void pf_mmu_clear(PfMmu *mmu);

/* There is a space SPACE, numbered in order, which begins on CORE. SHADOWED: the page tables that
 * are walked for it are copies that the host keeps of the guest's. */
void pf_mmu_add_space(PfMmu *mmu, uint32_t space, unsigned core, bool shadowed);

/* As told to pf_mmu_add_space. */
static inline bool pf_mmu_is_shadowed(const PfMmu *mmu, uint32_t space)
{
    return g_array_index(mmu->shadowed, bool, space);
}

/* Behind pf_mmu_run: another space than before. */
void pf_mmu_switch(PfMmu *mmu, unsigned core, uint32_t space);

/* CORE runs SPACE from now on. */
static inline void pf_mmu_run(PfMmu *mmu, unsigned core, uint32_t space)
{
    if (mmu->cores[core].space != space)
        pf_mmu_switch(mmu, core, space);
}

/* Whether CORE may hold translations of SPACE. */
static inline bool pf_mmu_sees(const PfMmu *mmu, unsigned core, uint32_t space)
{
    const uint64_t *mask = &g_array_index(mmu->masks, uint64_t, (size_t)space * mmu->mask_words);
    return (mask[core / 64] >> core % 64 & 1) != 0;
}

/* The first core from FROM on that may hold some, or the number of cores. */
unsigned pf_mmu_next_seeing(const PfMmu *mmu, unsigned from, uint32_t space);

typedef struct {
    PfVpn page;
    uint32_t space;
    uint16_t core;
    bool is_fetch;
    bool nested;
    uint8_t size_shift;      /* log2 of the base pages that an entry of the tables walked covers;
                                shadow tables: the smaller of the guest's and the host's */
    uint8_t host_size_shift; /* nested: the same of the host's tables */
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

/* CORE forgets PAGES base pages of SPACE from FIRST on; with UINT64_MAX pages, all of SPACE, or
 * everything. Its walk caches forget all of SPACE in any case. */
void pf_mmu_invalidate(PfMmu *mmu, unsigned core, uint32_t space, PfVpn first, uint64_t pages);
void pf_mmu_flush(PfMmu *mmu, unsigned core);

/* Forgets all translations. */
void pf_mmu_reset_state(PfMmu *mmu);
/* Asserts the invariants. */
void pf_mmu_check(const PfMmu *mmu);
