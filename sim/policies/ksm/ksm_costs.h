/* What the scanner's steps touch, beside the pages that it hashes and compares: lines of the
 * kernel's tables, and locks and references. What those cost is the machine's to say. */
#pragma once

#include "policy.h"

enum {
    /* The kernel's clock tick, CONFIG_HZ=250. */
    PF_KSM_TICK_MS = 4,
};

/* One step down the stable tree to FRAME, beside the comparison: a node of the tree and the struct
 * page of the frame, which gets a reference. */
static inline void pf_ksm_charge_stable_level(PfHost *host, PfMpn frame)
{
    pf_host_charge_touch(host, PF_ACCOUNT_LOOKUP, frame, (PfTouch){.own_lines = 2, .locks = 1});
}

/* One step down the unstable tree, likewise: the item, its entry in the page table and the struct
 * page; the mm and that one's regions, a tree of three levels, and three upper levels of page
 * tables. Locked are the mm and the page table, the page gets a reference. */
static inline void pf_ksm_charge_unstable_level(PfHost *host, PfMpn frame)
{
    pf_host_charge_touch(host, PF_ACCOUNT_LOOKUP, frame,
                         (PfTouch){.own_lines = 3, .common_lines = 7, .locks = 3});
}

/* A page that smart scan passes over, mapped to FRAME: the struct page; the item and the entry in
 * the page table lie beside the last page's. The mm is locked already. */
static inline void pf_ksm_charge_skip(PfHost *host, PfMpn frame)
{
    pf_host_charge_touch(host, PF_ACCOUNT_SCAN, frame,
                         (PfTouch){.own_lines = 1, .common_lines = 2, .locks = 2});
}
