/* Which page ESX looks at next, and when. */
#pragma once

#include "esx_pacer.h"
#include "esx_sharing.h"

typedef struct {
    PfHost *host;              /* borrowed */
    const PfEsxConfig *config; /* borrowed */
    PfEsxRules *rules;         /* borrowed */
    PfEsxSharing *sharing;     /* borrowed */
    PfEsxPacer pacer;
    uint64_t rate_total;   /* candidates a second; 0: no limit */
    uint32_t next_context; /* whose turn it is */
    uint64_t pass_pages;   /* candidates of the pass that goes on */
    GArray *contexts;      /* of what is known of each context, see esx_scan.c */
    /* By cpu_fraction: */
    uint64_t cost_cycles; /* the most that a candidate has cost yet */
    /* Adaptive: */
    uint64_t window_pages;  /* candidates of the window that goes on */
    uint64_t window_shares; /* sharing->stats.shares when it began */
} PfEsxScan;

/* Starts at the host's time now; asks for the first wake-up. All pointers are borrowed. */
void pf_esx_scan_init(PfEsxScan *scan, PfHost *host, const PfEsxConfig *config, PfEsxRules *rules,
                      PfEsxSharing *sharing);
void pf_esx_scan_clear(PfEsxScan *scan);

/* Pages present in all contexts. */
uint64_t pf_esx_scan_present(const PfEsxScan *scan);

/* The two ops of a policy. */
uint64_t pf_esx_scan_wake(PfEsxScan *scan, uint64_t now_cycles);
bool pf_esx_scan_pages(PfEsxScan *scan, uint64_t pages);

/* Other rates from now on. */
void pf_esx_scan_set_rates(PfEsxScan *scan, uint64_t rate, uint64_t rate_total);
