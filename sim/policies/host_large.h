/* Large pages, as policies and the daemon that joins them meet them. */
#pragma once

#include "host.h"

/* Behind pf_host_may_split: SLOT is mapped as a part of a large page. */
bool pf_host_splits_large(const PfHost *host);

/* Whether the policy may share SLOT as far as large pages are concerned. */
static inline bool pf_host_may_split(const PfHost *host, PfSlot slot)
{
    return G_LIKELY((pf_memory_entry(host->base.memory, slot)->flags & PF_ENTRY_LARGE) == 0) ||
           pf_host_splits_large(host);
}

/* PLACE pays for large pages that were split since somebody paid last; NULL: nobody does. */
void pf_host_pay_splits(const PfHost *host, const PfPlace *place);

/* A store to PAGE has copied its run whole (PfStoreOutcome.is_run): PLACE pays for that and the end
 * of its translations, if it is not NULL, and the policy is told of the other pages. */
void pf_host_copied_run(PfHost *host, const PfPlace *place, PfPage page);

/* The run of PAGE is mapped large: what cores know of it is dropped, at no cost. */
void pf_host_forget_run(PfHost *host, PfPage page);

/* Looks at the next COUNT runs and maps those large that can be, at their contexts' cost. */
void pf_host_join_runs(PfHost *host, uint64_t count);
