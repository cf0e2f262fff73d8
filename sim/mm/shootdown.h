/* Telling cores that a mapping has changed, and what that costs.
 *
 * The place that changes it drops the translations of its own core and interrupts the other cores
 * that may hold them (mmu.h). The cost card has what the sender pays for an interrupt and its
 * answer, what it waits for each further core, and what each core that is interrupted pays; the
 * first two are multiplied by `virtual_ipi`. */
#pragma once

#include "mmu.h"
#include "work.h"

typedef struct {
    uint32_t space;
    PfVpn first;
    uint64_t pages; /* UINT64_MAX: the whole space */
    bool is_run;    /* they were or will be mapped as one: a single invalidation */
    bool is_quiet;  /* nobody runs the space: its cores forget it without being interrupted */
} PfShootdown;

/* What a space has of PAGES pages of its context from FIRST on: by their own numbers, or
 * (IS_TWO_STAGE) by others, so that it has to be all of it. */
static inline PfShootdown pf_shootdown_of(uint32_t space, PfCpn first, uint64_t pages,
                                          bool is_two_stage)
{
    return (PfShootdown){
        .space = space, .first = {first.number}, .pages = is_two_stage ? UINT64_MAX : pages};
}

/* Charges INITIATOR and the cores that it interrupts. */
void pf_shootdown(PfMmu *mmu, PfWork *work, const PfPlace *initiator, const PfShootdown *what);

/* The same at no cost. */
void pf_shootdown_free(PfMmu *mmu, const PfShootdown *what);

/* PAGES mappings of SPACE change: where the host keeps shadow page tables for it, PLACE repeats
 * that in them. */
void pf_shadow_change(PfMmu *mmu, PfWork *work, const PfPlace *place, PfAccount account,
                      uint32_t space, uint64_t pages);
