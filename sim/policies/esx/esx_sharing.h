/* What ESX does with a candidate, and what happens to the pages it shares afterwards. */
#pragma once

#include "esx_frames.h"
#include "policy.h"

typedef struct {
    PfHost *host;           /* borrowed */
    bool marks_at_once;     /* the first page of a key is marked copy-on-write, no hints */
    bool keep_frame_at_one; /* a frame whose count fell to one stays in the table */
    uint64_t frame_capacity;
    PfEsxFrames frames;
    GArray *stale; /* uint32_t: hints that the search going on found stale */
    struct {
        uint64_t hint_matches;
        uint64_t hint_stale;
        uint64_t false_matches;
        uint64_t key_matches;
    } stats;
} PfEsxSharing;

/* Makes SHARING one without any frame; the two choices are the caller's to set. */
void pf_esx_sharing_init(PfEsxSharing *sharing, PfHost *host);

/* Frees what SHARING holds. */
void pf_esx_sharing_clear(PfEsxSharing *sharing);

/* Looks at PAGE: passes it over, shares it, or enters it in the table. Charges what it does. */
void pf_esx_sharing_consider(PfEsxSharing *sharing, PfPage page);

/* PAGE got a frame: that of a shared one, if a fork or an alias did it. */
void pf_esx_sharing_mapped(PfEsxSharing *sharing, PfPage page);

/* PAGE is about to lose its frame. */
void pf_esx_sharing_unmapped(PfEsxSharing *sharing, PfPage page);

/* PAGE was written and has a frame of its own now. */
void pf_esx_sharing_broken(PfEsxSharing *sharing, PfPage page);

/* PAGES pages of CONTEXT from FIRST on were moved to TARGET, whose own are unmapped already. */
void pf_esx_sharing_moved(PfEsxSharing *sharing, uint32_t context, PfCpn first, PfCpn target,
                          uint64_t pages);
