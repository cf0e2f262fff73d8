/* What ESX does with a candidate, and what happens to the pages it shares afterwards. */
#pragma once

#include "esx_bloom.h"
#include "esx_frames.h"
#include "esx_locks.h"
#include "esx_rules.h"

typedef struct {
    PfHost *host;              /* borrowed */
    const PfEsxConfig *config; /* borrowed */
    const PfEsxRules *rules;   /* borrowed */
    uint64_t frame_capacity;
    uint64_t age_cycles; /* 0: a candidate need not age */
    PfEsxQueue aging;
    PfEsxBloom known;
    PfEsxLocks locks;
    PfEsxFrames frames;
    GArray *stale; /* uint32_t: hints that the search going on found stale */
    struct {
        uint64_t shares; /* candidates that were shared */
        uint64_t aged_changed;
        uint64_t busy;
        uint64_t excluded;
        uint64_t hint_matches;
        uint64_t hint_stale;
        uint64_t false_matches;
        uint64_t key_matches;
    } stats;
} PfEsxSharing;

/* Makes SHARING one without any frame. False with PF_ERROR_CONFIG if a key of CONFIG's known_good
 * is none. */
bool pf_esx_sharing_init(PfEsxSharing *sharing, PfHost *host, const PfEsxConfig *config,
                         const PfEsxRules *rules, GError **error);

/* Frees what SHARING holds. */
void pf_esx_sharing_clear(PfEsxSharing *sharing);

/* Looks at PAGE: passes it over, shares it, or enters it in the table. AGED is the entry of the
 * queue that it comes from, NULL if it does not. Charges what it does. */
void pf_esx_sharing_consider(PfEsxSharing *sharing, PfPage page, const PfEsxEntry *aged);

/* A pin is about to be taken on the frame of PAGE: gives it one of its own if it is shared. */
void pf_esx_sharing_pin(PfEsxSharing *sharing, PfPage page);

/* What the simulated system spends beside the finder's table. */
uint64_t pf_esx_sharing_bytes(const PfEsxSharing *sharing);

/* PAGE got a frame: that of a shared one, if a fork or an alias did it. */
void pf_esx_sharing_mapped(PfEsxSharing *sharing, PfPage page);

/* PAGE is about to lose its frame. */
void pf_esx_sharing_unmapped(PfEsxSharing *sharing, PfPage page);

/* PAGE was written and has a frame of its own now. */
void pf_esx_sharing_broken(PfEsxSharing *sharing, PfPage page);

/* PAGES pages of CONTEXT from FIRST on were moved to TARGET, whose own are unmapped already. */
void pf_esx_sharing_moved(PfEsxSharing *sharing, uint32_t context, PfCpn first, PfCpn target,
                          uint64_t pages);
