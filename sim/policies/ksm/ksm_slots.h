/* The list of the address spaces that the scanner goes through, and what makes contexts join and
 * leave it. */
#pragma once

#include "ksm_state.h"

/* Makes room for CONTEXT, which is new. */
void pf_ksm_slots_add(PfKsm *ksm, uint32_t context);

/* CONTEXT is scanned from now on, if it was not. It comes before the slot under the cursor, so in
 * the next pass. */
void pf_ksm_slots_register(PfKsm *ksm, uint32_t context);

/* SLOT leaves the list. */
void pf_ksm_slots_remove(PfKsm *ksm, uint32_t slot);

/* CONTEXT has exited. What the scanner knows of it stays until it comes by. */
void pf_ksm_slots_exit(PfKsm *ksm, uint32_t context);

/* Unmerges all contexts, deletes all items and all nodes, and starts anew. */
void pf_ksm_slots_unmerge_all(PfKsm *ksm);
