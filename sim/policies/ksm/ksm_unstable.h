/* The unstable tree: pages that were seen unchanged in this pass, in the order that their bytes had
 * when they were put there. They are not protected, so the order may be wrong by now; the tree is
 * forgotten at the end of each pass. */
#pragma once

#include "ksm_state.h"

/* A page of the unstable tree. */
typedef struct {
    uint32_t item;
    PfPage page;
    PfMpn frame;
} PfKsmPartner;

/* Finds a page that holds what FRAME, the frame of free ITEM, holds. Otherwise puts ITEM into the
 * tree, unless the walk came upon a page that is gone, or on FRAME itself. */
bool pf_ksm_unstable_find(PfKsm *ksm, uint32_t tree, uint32_t item, PfMpn frame,
                          PfKsmPartner *ret_partner);

/* A pass begins: what is in the tree is forgotten. */
void pf_ksm_unstable_forget(PfKsm *ksm);
