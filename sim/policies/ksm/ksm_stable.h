/* The stable tree: the frames that are shared, in the order of their bytes. A frame takes
 * max_page_sharing items at most; further frames of the same bytes hang together in a chain.
 *
 * A node does not keep its frame alive. When the last page that maps it has gone, the node is
 * stale; that is found out only when something comes across it. */
#pragma once

#include "ksm_state.h"

/* The node whose frame holds the bytes of FRAME and takes another item; 0 if there is none, and
 * RET_FULL if that is because those with its bytes take no more. */
uint32_t pf_ksm_stable_search(PfKsm *ksm, uint32_t tree, PfMpn frame, bool *ret_full);

/* A new node for FRAME, which is claimed and has none. */
uint32_t pf_ksm_stable_insert(PfKsm *ksm, uint32_t tree, PfMpn frame);

/* ITEM, free, shares the frame of NODE from now on. */
void pf_ksm_stable_append(PfKsm *ksm, uint32_t node, uint32_t item);

/* ITEM no longer shares its node's frame. */
void pf_ksm_stable_leave(PfKsm *ksm, uint32_t item);

/* Takes the nodes whose frames no page maps out of the trees, until one is met that has such a
 * page. True if the trees are empty then. */
bool pf_ksm_stable_clear(PfKsm *ksm);
