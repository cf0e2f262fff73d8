#include "ksm_nodes.h"

uint32_t pf_ksm_node_new(PfKsm *ksm, PfKsmNodeKind kind, uint32_t tree)
{
    uint32_t index = ksm->node_free;
    if (index != 0) {
        ksm->node_free = pf_ksm_node(ksm, index)->length;
    } else {
        g_assert(ksm->node_limit < UINT32_MAX >> 1);
        index = ++ksm->node_limit;
        pf_seg_array_reserve(&ksm->nodes, (uint64_t)index + 1);
    }
    *pf_ksm_node(ksm, index) = (PfKsmNode){.kind = (uint8_t)kind, .tree = (uint8_t)tree};
    ksm->counts.nodes++;
    return index;
}

void pf_ksm_node_free(PfKsm *ksm, uint32_t index)
{
    pf_ksm_node(ksm, index)->length = ksm->node_free;
    ksm->node_free = index;
    ksm->counts.nodes--;
}

void pf_ksm_chain_add(PfKsm *ksm, uint32_t chain, uint32_t index)
{
    PfKsmNode *node = pf_ksm_node(ksm, index);
    uint32_t first = pf_ksm_node(ksm, chain)->dups;
    node->kind = PF_KSM_DUP;
    node->dup.chain = chain;
    node->dup.previous = 0;
    node->dup.next = first;
    if (first != 0)
        pf_ksm_node(ksm, first)->dup.previous = index;
    pf_ksm_node(ksm, chain)->dups = index;
    ksm->counts.dups++;
}

void pf_ksm_chain_remove(PfKsm *ksm, uint32_t index)
{
    const PfKsmNode *node = pf_ksm_node(ksm, index);
    if (node->dup.previous != 0)
        pf_ksm_node(ksm, node->dup.previous)->dup.next = node->dup.next;
    else
        pf_ksm_node(ksm, node->dup.chain)->dups = node->dup.next;
    if (node->dup.next != 0)
        pf_ksm_node(ksm, node->dup.next)->dup.previous = node->dup.previous;
    ksm->counts.dups--;
}

uint32_t pf_ksm_now_ticks(const PfKsm *ksm)
{
    return (uint32_t)(pf_host_now(ksm->host) / ksm->tick_cycles);
}

uint32_t pf_ksm_chain_make(PfKsm *ksm, uint32_t index)
{
    uint32_t tree = pf_ksm_node(ksm, index)->tree;
    uint32_t chain = pf_ksm_node_new(ksm, PF_KSM_CHAIN, tree);
    pf_tree_replace(&ksm->stable[tree], index, chain);
    pf_ksm_node(ksm, chain)->pruned_ticks = pf_ksm_now_ticks(ksm);
    ksm->counts.chains++;
    pf_ksm_chain_add(ksm, chain, index);
    return chain;
}

void pf_ksm_chain_delete(PfKsm *ksm, uint32_t chain)
{
    pf_tree_erase(&ksm->stable[pf_ksm_node(ksm, chain)->tree], chain);
    ksm->counts.chains--;
    pf_ksm_node_free(ksm, chain);
}

void pf_ksm_chain_dissolve(PfKsm *ksm, uint32_t chain, uint32_t index)
{
    uint32_t tree = pf_ksm_node(ksm, chain)->tree;
    pf_ksm_chain_remove(ksm, index);
    pf_tree_replace(&ksm->stable[tree], chain, index);
    pf_ksm_node(ksm, index)->kind = PF_KSM_PLAIN;
    ksm->counts.chains--;
    pf_ksm_node_free(ksm, chain);
}
