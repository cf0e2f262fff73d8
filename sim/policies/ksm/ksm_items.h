/* Items: which pages of a context the scanner has met, in order of address, and in which tree each
 * stands. */
#pragma once

#include "ksm_state.h"

/* The item of PAGE, which belongs to the cursor's slot; made if there is none. Items that lie
 * before it and behind the cursor's place are deleted. The cursor's place moves behind it. */
uint32_t pf_ksm_items_take(PfKsm *ksm, PfPage page);

/* Deletes the items of SLOT behind item PREVIOUS (0: all). */
void pf_ksm_items_drop_behind(PfKsm *ksm, uint32_t slot, uint32_t previous);

/* Takes ITEM out of the tree that it is in, if any. */
void pf_ksm_item_leave(PfKsm *ksm, uint32_t item);
