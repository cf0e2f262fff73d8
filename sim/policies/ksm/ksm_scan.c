#include "ksm_scan.h"

#include "ksm_cursor.h"
#include "ksm_items.h"
#include "ksm_pages.h"
#include "ksm_stable.h"

/* CANDIDATE's page maps NODE's frame, whatever its item says. */
static void visit_shared(PfKsm *ksm, const PfKsmCandidate *candidate, uint32_t node)
{
    const PfKsmItem *item = pf_ksm_item(ksm, candidate->item);
    if (item->state == PF_KSM_STABLE && item->sharing.node == node)
        return;
    /* The kernel compares the node's address with that of the one that the item had last. */
    ksm->counts.overlookable += item->state != PF_KSM_STABLE && item->has_shared;
    pf_ksm_item_leave(ksm, candidate->item);
    pf_ksm_stable_append(ksm, node, candidate->item);
}

/* Whether CANDIDATE's page holds what it held when it was last hashed. */
static bool is_unchanged(PfKsm *ksm, const PfKsmCandidate *candidate)
{
    uint32_t checksum = (uint32_t)pf_host_hash_page(ksm->host, candidate->page);
    PfKsmItem *item = pf_ksm_item(ksm, candidate->item);
    bool is_same = item->checksum == checksum;
    item->checksum = checksum;
    if (!is_same)
        pf_host_verdict(ksm->host, candidate->page, PF_WHY_VOLATILE);
    return is_same;
}

/* Whether CANDIDATE's page, just hashed, was empty and is on the zero page now. */
static bool became_zero(PfKsm *ksm, const PfKsmCandidate *candidate)
{
    return ksm->config.use_zero_pages &&
           pf_ksm_item(ksm, candidate->item)->checksum == ksm->zero_checksum &&
           pf_ksm_merge_zero(ksm, candidate->page, candidate->frame);
}

static void share(PfKsm *ksm, const PfKsmCandidate *candidate, uint32_t node)
{
    PfMpn frame = {pf_ksm_node(ksm, node)->frame};
    if (pf_ksm_merge(ksm, candidate->page, candidate->frame, frame))
        pf_ksm_stable_append(ksm, node, candidate->item);
}

/* IS_FULL: there are frames of these bytes, but none takes a further page. */
static void find_partner(PfKsm *ksm, const PfKsmCandidate *candidate, uint32_t tree, bool is_full)
{
    PfKsmPartner partner;
    if (pf_ksm_unstable_find(ksm, tree, candidate->item, candidate->frame, &partner))
        pf_ksm_merge_two(ksm, candidate->item, candidate->frame, &partner);
    else if (is_full)
        pf_host_verdict(ksm->host, candidate->page, PF_WHY_LIMIT);
}

static uint32_t search(PfKsm *ksm, const PfKsmCandidate *candidate, uint32_t tree, bool *ret_full)
{
    PfKsmProbe probe = {.page = candidate->page,
                        .frame = candidate->frame,
                        .checksum = pf_ksm_item(ksm, candidate->item)->checksum,
                        .tree = tree};
    return pf_ksm_stable_search(ksm, &probe, ret_full);
}

static void visit(PfKsm *ksm, const PfKsmCandidate *candidate)
{
    uint32_t tree = pf_ksm_tree_of(ksm, candidate->frame);
    pf_ksm_item_leave(ksm, candidate->item);
    if (!is_unchanged(ksm, candidate) || became_zero(ksm, candidate))
        return;
    bool is_full;
    uint32_t node = search(ksm, candidate, tree, &is_full);
    if (node != 0)
        share(ksm, candidate, node);
    else
        find_partner(ksm, candidate, tree, is_full);
}

/* Up to 6.10 the stable tree was searched before the checksum was looked at. */
static void visit_old(PfKsm *ksm, const PfKsmCandidate *candidate)
{
    uint32_t tree = pf_ksm_tree_of(ksm, candidate->frame);
    bool is_full;
    uint32_t node = search(ksm, candidate, tree, &is_full);
    pf_ksm_item_leave(ksm, candidate->item);
    if (node != 0)
        share(ksm, candidate, node);
    else if (is_unchanged(ksm, candidate) && !became_zero(ksm, candidate))
        find_partner(ksm, candidate, tree, is_full);
}

bool pf_ksm_batch(PfKsm *ksm, uint64_t pages)
{
    bool has_ended = false;
    uint64_t visited = 0;
    PfKsmCandidate candidate;
    ksm->spent_before = pf_host_spent(ksm->host);
    while (visited < pages && pf_ksm_cursor_next(ksm, &candidate, &has_ended)) {
        pf_host_count_scanned(ksm->host);
        uint32_t node = pf_ksm_node_of(ksm, candidate.frame);
        if (node != 0 && node != PF_KSM_ORPHAN)
            visit_shared(ksm, &candidate, node);
        else if (ksm->config.version == PF_KSM_6_18)
            visit(ksm, &candidate);
        else
            visit_old(ksm, &candidate);
        visited++;
    }
    /* Kernels from 6.6 to 6.9 forgot the pages of a batch that a pass's end cut short. */
    if (!has_ended || ksm->config.version != PF_KSM_6_6)
        ksm->counts.scanned += visited;
    ksm->busy_cycles += pf_host_spent(ksm->host) - ksm->spent_before;
    return has_ended;
}
