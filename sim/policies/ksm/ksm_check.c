#include "ksm_check.h"

/* What a recount finds. */
typedef struct {
    const PfKsm *ksm;
    PfKsmCounts counts;
    uint64_t in_tree; /* items of the unstable trees */
    uint32_t tree;
} Recount;

static void check_item_list(Recount *recount, uint32_t node_index)
{
    const PfKsm *ksm = recount->ksm;
    const PfKsmNode *node = pf_ksm_node(ksm, node_index);
    uint32_t previous = 0;
    uint32_t length = 0;
    for (uint32_t i = node->items; i != 0; i = pf_ksm_item(ksm, i)->sharing.next) {
        const PfKsmItem *item = pf_ksm_item(ksm, i);
        g_assert(item->state == PF_KSM_STABLE);
        g_assert(item->sharing.node == node_index && item->sharing.previous == previous);
        previous = i;
        length++;
    }
    g_assert(length == node->length);
    recount->counts.shared += length > 0;
    recount->counts.sharing += length > 0 ? length - 1 : 0;
    recount->counts.nodes++;
}

static void visit_stable(uint32_t index, void *user)
{
    Recount *recount = user;
    const PfKsmNode *node = pf_ksm_node(recount->ksm, index);
    g_assert(node->tree == recount->tree);
    if (node->kind == PF_KSM_PLAIN) {
        check_item_list(recount, index);
        return;
    }
    g_assert(node->kind == PF_KSM_CHAIN);
    recount->counts.chains++;
    recount->counts.nodes++;
    uint32_t previous = 0;
    for (uint32_t i = node->dups; i != 0; i = pf_ksm_node(recount->ksm, i)->dup.next) {
        const PfKsmNode *dup = pf_ksm_node(recount->ksm, i);
        g_assert(dup->kind == PF_KSM_DUP && dup->dup.chain == index);
        g_assert(dup->dup.previous == previous && dup->tree == node->tree);
        previous = i;
        recount->counts.dups++;
        check_item_list(recount, i);
    }
}

static void visit_unstable(uint32_t index, void *user)
{
    Recount *recount = user;
    const PfKsmItem *item = pf_ksm_item(recount->ksm, index);
    g_assert(item->state == PF_KSM_UNSTABLE && item->tree == recount->tree);
    g_assert(item->pass == (uint8_t)recount->ksm->counts.full_scans);
    recount->in_tree++;
}

static void check_slot(Recount *recount, uint32_t index)
{
    const PfKsm *ksm = recount->ksm;
    const PfKsmSlot *slot = pf_ksm_slot(ksm, index);
    uint64_t items = 0;
    uint64_t stable = 0;
    for (uint32_t i = slot->items; i != 0; i = pf_ksm_item(ksm, i)->next) {
        const PfKsmItem *item = pf_ksm_item(ksm, i);
        uint32_t next = item->next;
        g_assert(item->context + 1 == index);
        g_assert(next == 0 || item->cpn.number < pf_ksm_item(ksm, next)->cpn.number);
        items++;
        stable += item->state == PF_KSM_STABLE;
        recount->counts.unshared += item->state == PF_KSM_UNSTABLE;
    }
    g_assert(items == slot->item_count && stable == slot->stable_count);
    g_assert(items == 0 || slot->is_listed);
    recount->counts.items += items;
}

void pf_ksm_check(const PfKsm *ksm)
{
    Recount recount = {.ksm = ksm};
    for (recount.tree = 0; recount.tree < PF_KSM_TREES; recount.tree++) {
        pf_tree_check(&ksm->stable[recount.tree], visit_stable, &recount);
        /* Between two passes the tree is about to be forgotten and its items may be gone. */
        if (ksm->cursor.slot != 0)
            pf_tree_check(&ksm->unstable[recount.tree], visit_unstable, &recount);
    }
    for (uint32_t slot = 1; slot < ksm->slots->len; slot++)
        check_slot(&recount, slot);
    for (uint32_t slot = pf_ksm_slot(ksm, 0)->next; slot != 0; slot = pf_ksm_slot(ksm, slot)->next)
        g_assert(pf_ksm_slot(ksm, slot)->is_listed);
    const PfKsmCounts *counts = &ksm->counts;
    g_assert(recount.counts.shared == counts->shared);
    g_assert(recount.counts.sharing == counts->sharing);
    g_assert(recount.counts.unshared == counts->unshared);
    g_assert(recount.counts.items == counts->items);
    g_assert(recount.counts.nodes == counts->nodes);
    g_assert(recount.counts.chains == counts->chains);
    g_assert(recount.counts.dups == counts->dups);
    g_assert(recount.in_tree <= counts->unshared);
}
