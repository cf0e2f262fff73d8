/* What the scanner's steps touch, beside the pages that it hashes and compares: lines of the
 * kernel's tables, and locks and references. What those cost is the machine's to say. */
#pragma once

#include "policy.h"

enum {
    /* A node of the tree and the struct page of its frame, which gets a reference. */
    PF_KSM_STABLE_LINES = 2,
    PF_KSM_STABLE_LOCKS = 1,
    /* The item; its mm and that one's regions, a tree of three levels; four levels of page tables;
     * the struct page. Locked are the mm and the page table, the page gets a reference. */
    PF_KSM_UNSTABLE_LINES = 10,
    PF_KSM_UNSTABLE_LOCKS = 3,
    /* Smart scan passes over a page: its entry in the page table, struct page, and item. The mm is
     * locked already. */
    PF_KSM_SKIP_LINES = 3,
    PF_KSM_SKIP_LOCKS = 2,
    /* The kernel's clock tick, CONFIG_HZ=250. */
    PF_KSM_TICK_MS = 4,
};

/* One step down the stable tree, beside the comparison. */
static inline void pf_ksm_charge_stable_level(PfHost *host)
{
    pf_host_charge_touch(host, PF_ACCOUNT_LOOKUP, PF_KSM_STABLE_LINES, PF_KSM_STABLE_LOCKS);
}

/* One step down the unstable tree, likewise. */
static inline void pf_ksm_charge_unstable_level(PfHost *host)
{
    pf_host_charge_touch(host, PF_ACCOUNT_LOOKUP, PF_KSM_UNSTABLE_LINES, PF_KSM_UNSTABLE_LOCKS);
}

/* A page that smart scan passes over. */
static inline void pf_ksm_charge_skip(PfHost *host)
{
    pf_host_charge_touch(host, PF_ACCOUNT_SCAN, PF_KSM_SKIP_LINES, PF_KSM_SKIP_LOCKS);
}
