/* The stable tree: the frames that are shared, in the order of their bytes. A frame takes
 * max_page_sharing items at most; further frames of the same bytes hang together in a chain.
 *
 * A node does not keep its frame alive. When the last page that maps it has gone, the node is
 * stale; that is found out only when something comes across it. */
#pragma once

#include "ksm_state.h"

/* The page looked at. */
typedef struct {
    PfPage page;
    PfMpn frame;
    uint32_t checksum; /* the key of its bytes, where a finder stands in front of the tree */
    uint32_t tree;
} PfKsmProbe;

/* The node whose frame holds the bytes of PROBE's and takes another item; 0 if there is none, and
 * RET_FULL if that is because those with its bytes take no more. A finder in front of the tree is
 * asked first; the tree then only for what it may have lost. */
uint32_t pf_ksm_stable_search(PfKsm *ksm, const PfKsmProbe *probe, bool *ret_full);

/* A new node for PROBE's frame, which is claimed and has none. */
uint32_t pf_ksm_stable_insert(PfKsm *ksm, const PfKsmProbe *probe);

/* ITEM, free, shares the frame of NODE from now on. */
void pf_ksm_stable_append(PfKsm *ksm, uint32_t node, uint32_t item);

/* ITEM no longer shares its node's frame. */
void pf_ksm_stable_leave(PfKsm *ksm, uint32_t item);

/* Takes the nodes whose frames no page maps out of the trees, until one is met that has such a
 * page. True if the trees are empty then. */
bool pf_ksm_stable_clear(PfKsm *ksm);
