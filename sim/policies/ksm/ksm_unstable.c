#include "ksm_unstable.h"

#include "ksm_costs.h"
#include "ksm_pages.h"

/* The frame that the page of item INDEX, in an unstable tree, maps now; false if the scanner would
 * not see it any more. */
static bool frame_now(const PfKsm *ksm, uint32_t index, PfMpn *ret_frame)
{
    const PfKsmItem *item = pf_ksm_item(ksm, index);
    *ret_frame = (PfMpn){item->frame};
    return pf_host_changes(ksm->host) == ksm->unstable_changes ||
           pf_ksm_page_frame(ksm, pf_ksm_item_page(item), ret_frame);
}

bool pf_ksm_unstable_find(PfKsm *ksm, uint32_t tree, uint32_t item_index, PfMpn frame,
                          PfKsmPartner *ret_partner)
{
    uint32_t parent = 0;
    bool is_left = false;
    PfPage own = pf_ksm_item_page(pf_ksm_item(ksm, item_index));
    uint32_t index = ksm->unstable[tree].root;
    while (index != 0) {
        PfMpn other = {pf_ksm_item(ksm, index)->frame};
        pf_ksm_charge_unstable_level(ksm->host, other);
        if (!frame_now(ksm, index, &other) || pf_mpn_equal(other, frame)) {
            pf_host_verdict(ksm->host, own, PF_WHY_VOLATILE);
            return false;
        }
        int sign = pf_host_compare_frames(ksm->host, frame, other, NULL);
        if (sign == 0) {
            PfPage page = pf_ksm_item_page(pf_ksm_item(ksm, index));
            *ret_partner = (PfKsmPartner){index, page, other};
            if (pf_ksm_tree_of(ksm, other) == tree)
                return true;
            pf_host_verdict(ksm->host, own, PF_WHY_CLASS);
            return false;
        }
        parent = index;
        is_left = sign < 0;
        const PfTreeLinks *links = pf_tree_links(&ksm->unstable[tree], index);
        index = is_left ? links->left : links->right;
    }
    pf_tree_insert(&ksm->unstable[tree], item_index, parent, is_left);
    PfKsmItem *item = pf_ksm_item(ksm, item_index);
    item->state = PF_KSM_UNSTABLE;
    item->tree = tree & (PF_KSM_TREES - 1);
    item->frame = frame.number;
    item->pass = (uint8_t)ksm->counts.full_scans;
    ksm->counts.unshared++;
    pf_host_note_hint(ksm->host, own, true);
    pf_host_verdict(ksm->host, own, PF_WHY_UNIQUE);
    return false;
}

void pf_ksm_unstable_forget(PfKsm *ksm)
{
    ksm->unstable_changes = pf_host_changes(ksm->host);
    for (uint32_t tree = 0; tree < PF_KSM_TREES; tree++) {
        if (ksm->unstable[tree].root != 0)
            pf_host_forget_hints(ksm->host);
        ksm->unstable[tree].root = 0;
    }
}
