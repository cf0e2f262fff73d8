/* Nodes of the stable tree, and chains of those that have equal bytes. */
#pragma once

#include "ksm_state.h"

/* A node of KIND for tree number TREE that nothing refers to, and its end. */
uint32_t pf_ksm_node_new(PfKsm *ksm, PfKsmNodeKind kind, uint32_t tree);
void pf_ksm_node_free(PfKsm *ksm, uint32_t index);

/* Node INDEX becomes the first dup of CHAIN, or stops to be one of its chain. */
void pf_ksm_chain_add(PfKsm *ksm, uint32_t chain, uint32_t index);
void pf_ksm_chain_remove(PfKsm *ksm, uint32_t index);
/* A chain in the place of the plain node INDEX, which is its first dup. */
uint32_t pf_ksm_chain_make(PfKsm *ksm, uint32_t index);
/* An empty chain leaves the tree. */
void pf_ksm_chain_delete(PfKsm *ksm, uint32_t chain);
/* INDEX, the only dup of CHAIN, takes its place. */
void pf_ksm_chain_dissolve(PfKsm *ksm, uint32_t chain, uint32_t index);

/* The time by which chains are pruned. */
uint32_t pf_ksm_now_ticks(const PfKsm *ksm);
