/* New pages that a core has not handed to the kernel's page lists yet. While a page waits there it
 * has one reference more than pages that map it, so that it cannot be merged. A core hands over
 * when its batch is full; all do when a pass begins. Parameter lru_batch is the size of a batch;
 * with 0 pages are handed over at once. Pages of the page cache, which wait in the same batch, are
 * not modelled, nor copies that the daemon itself makes: it does not come across these before the
 * next pass. */
#pragma once

#include "ksm_state.h"

/* PAGE got a new frame on CORE. */
void pf_ksm_lru_add(PfKsm *ksm, PfPage page, unsigned core);

/* Whether FRAME waits in a batch. */
bool pf_ksm_lru_holds(const PfKsm *ksm, PfMpn frame);

/* CORE hands over; all cores do. */
void pf_ksm_lru_drain(PfKsm *ksm, unsigned core);
void pf_ksm_lru_drain_all(PfKsm *ksm);

/* What a store's fault does to the batch of its core. */
void pf_ksm_lru_store(PfKsm *ksm, const PfStoreFault *fault);
