/* Pages as the scanner sees them, and what it does to them. */
#pragma once

#include "ksm_state.h"
#include "ksm_unstable.h"

/* Whether PAGE is mapped to an anonymous frame and mergeable, so that the scanner sees it. */
bool pf_ksm_page_frame(const PfKsm *ksm, PfPage page, PfMpn *ret_frame);

/* The node that FRAME belongs to: 0 for an ordinary one, PF_KSM_ORPHAN for a claimed one that has
 * none. */
static inline uint32_t pf_ksm_node_of(const PfKsm *ksm, PfMpn frame)
{
    return pf_host_frame_tag(ksm->host, frame);
}

/* The number of the trees that FRAME belongs to. */
uint32_t pf_ksm_tree_of(const PfKsm *ksm, PfMpn frame);

/* Maps PAGE, which maps FRAME, onto TARGET. False if PAGE cannot be merged now. */
bool pf_ksm_merge(PfKsm *ksm, PfPage page, PfMpn frame, PfMpn target);

/* Maps PAGE, which maps FRAME and holds zeros, onto the zero page. */
bool pf_ksm_merge_zero(PfKsm *ksm, PfPage page, PfMpn frame);

/* Makes FRAME, which ITEM's page maps, a frame for sharing, maps PARTNER's page onto it, and gives
 * it a node with both items. */
bool pf_ksm_merge_two(PfKsm *ksm, uint32_t item, PfMpn frame, const PfKsmPartner *partner);

/* Gives each page of CONTEXT in [FIRST, END) that the policy has merged a frame of its own. */
void pf_ksm_unmerge(PfKsm *ksm, uint32_t context, PfCpn first, PfCpn end);
