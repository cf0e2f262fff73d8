#include "ksm_stable.h"

#include "ksm_costs.h"
#include "ksm_nodes.h"

static PfMpn frame_of(const PfKsmNode *node)
{
    return (PfMpn){node->frame};
}

static bool is_stale(const PfKsm *ksm, uint32_t index)
{
    return pf_host_frame_tag(ksm->host, frame_of(pf_ksm_node(ksm, index))) != index;
}

/* Whether a further page may share the frame of NODE. */
static bool is_usable(const PfKsm *ksm, uint32_t index)
{
    const PfKsmNode *node = pf_ksm_node(ksm, index);
    if (ksm->config.version == PF_KSM_2_6_32)
        return true;
    return node->length >= 1 && node->length < ksm->config.max_page_sharing;
}

/* ---- Nodes and their items ---- */

/* One item fewer, after it left the list of its node. */
static void count_leaving(PfKsm *ksm, const PfKsmItem *item, bool is_last)
{
    *(is_last ? &ksm->counts.shared : &ksm->counts.sharing) -= 1;
    pf_ksm_slot(ksm, item->context + 1)->stable_count--;
}

/* NODE goes; its items are in no tree then. */
static void drop_node(PfKsm *ksm, uint32_t index)
{
    PfKsmNode *node = pf_ksm_node(ksm, index);
    if (node->is_filed) {
        node->is_filed = false;
        ksm->filed--;
        pf_host_unfile(ksm->host, node->key, index);
    }
    uint32_t next;
    for (uint32_t i = node->items; i != 0; i = next) {
        PfKsmItem *item = pf_ksm_item(ksm, i);
        next = item->sharing.next;
        item->state = PF_KSM_FREE;
        count_leaving(ksm, item, next == 0);
    }
    if (node->kind == PF_KSM_DUP)
        pf_ksm_chain_remove(ksm, index);
    else
        pf_tree_erase(&ksm->stable[node->tree], index);
    pf_ksm_node_free(ksm, index);
}

void pf_ksm_stable_append(PfKsm *ksm, uint32_t index, uint32_t item_index)
{
    PfKsmNode *node = pf_ksm_node(ksm, index);
    PfKsmItem *item = pf_ksm_item(ksm, item_index);
    g_assert(item->state == PF_KSM_FREE && node->kind != PF_KSM_CHAIN);
    item->state = PF_KSM_STABLE;
    item->has_shared = true;
    item->sharing.node = index;
    item->sharing.previous = 0;
    item->sharing.next = node->items;
    if (node->items != 0)
        pf_ksm_item(ksm, node->items)->sharing.previous = item_index;
    *(node->items == 0 ? &ksm->counts.shared : &ksm->counts.sharing) += 1;
    node->items = item_index;
    node->length++;
    pf_ksm_slot(ksm, item->context + 1)->stable_count++;
}

void pf_ksm_stable_leave(PfKsm *ksm, uint32_t item_index)
{
    PfKsmItem *item = pf_ksm_item(ksm, item_index);
    uint32_t index = item->sharing.node;
    if (is_stale(ksm, index)) {
        drop_node(ksm, index);
        return;
    }
    PfKsmNode *node = pf_ksm_node(ksm, index);
    if (item->sharing.previous != 0)
        pf_ksm_item(ksm, item->sharing.previous)->sharing.next = item->sharing.next;
    else
        node->items = item->sharing.next;
    if (item->sharing.next != 0)
        pf_ksm_item(ksm, item->sharing.next)->sharing.previous = item->sharing.previous;
    node->length--;
    item->state = PF_KSM_FREE;
    count_leaving(ksm, item, node->items == 0);
}

/* ---- Walks ---- */

/* Whether all of CHAIN is to be looked at; if so it counts as done. */
static bool is_prune_due(PfKsm *ksm, uint32_t chain)
{
    uint32_t now = pf_ksm_now_ticks(ksm);
    int32_t interval =
        (int32_t)((ksm->config.prune_millisecs + PF_KSM_TICK_MS - 1) / PF_KSM_TICK_MS);
    PfKsmNode *node = pf_ksm_node(ksm, chain);
    if ((int32_t)(now - node->pruned_ticks) < interval)
        return false;
    node->pruned_ticks = now;
    return true;
}

/* The dup of CHAIN to compare with: of those that are alive one that takes a further item, if there
 * is one, and the longest of these as far as it looks. Drops stale ones on the way. */
static uint32_t choose_dup(PfKsm *ksm, uint32_t chain, bool prune)
{
    uint32_t best = 0;
    uint32_t next;
    for (uint32_t i = pf_ksm_node(ksm, chain)->dups; i != 0; i = next) {
        next = pf_ksm_node(ksm, i)->dup.next;
        if (is_stale(ksm, i)) {
            drop_node(ksm, i);
            continue;
        }
        bool longer = best != 0 && pf_ksm_node(ksm, best)->length < pf_ksm_node(ksm, i)->length;
        if (best == 0 || (is_usable(ksm, i) && (!is_usable(ksm, best) || longer)))
            best = i;
        if (!prune && is_usable(ksm, best))
            break;
    }
    return best;
}

/* Looks at CHAIN, met on a walk. RET_NODE gets the node to compare with. The element that stands in
 * the tree for them afterwards; 0: the chain was empty and is gone. */
static uint32_t look_at_chain(PfKsm *ksm, uint32_t chain, bool is_search, uint32_t *ret_node)
{
    bool prune = is_search && is_prune_due(ksm, chain);
    uint32_t best = choose_dup(ksm, chain, prune);
    *ret_node = best;
    if (best == 0) {
        pf_ksm_chain_delete(ksm, chain);
        return 0;
    }
    const PfKsmNode *node = pf_ksm_node(ksm, best);
    bool is_lone = node->dup.previous == 0 && node->dup.next == 0;
    /* Up to 6.10 a lone node kept its chain unless it was pruned. */
    bool is_modern = ksm->config.version == PF_KSM_6_18;
    if (is_lone && (is_modern || (prune && is_usable(ksm, best)))) {
        pf_ksm_chain_dissolve(ksm, chain, best);
        return best;
    }
    bool has_room = node->length >= 1 && node->length + 1 < ksm->config.max_page_sharing;
    if (node->dup.previous != 0 && has_room) {
        pf_ksm_chain_remove(ksm, best);
        pf_ksm_chain_add(ksm, chain, best);
    }
    return chain;
}

/* Looks at element INDEX of a tree likewise. 0: it was stale and is gone. */
static uint32_t look_at(PfKsm *ksm, uint32_t index, bool is_search, uint32_t *ret_node)
{
    if (pf_ksm_node(ksm, index)->kind == PF_KSM_CHAIN)
        return look_at_chain(ksm, index, is_search, ret_node);
    *ret_node = index;
    if (!is_stale(ksm, index))
        return index;
    drop_node(ksm, index);
    return 0;
}

/* Where a walk for some bytes has come. */
typedef struct {
    uint32_t found;  /* the element of equal bytes, 0: there is none */
    uint32_t node;   /* its node to compare with */
    uint32_t parent; /* else: under which element it would hang */
    bool is_left;
} Walk;

/* Walks until nothing on the way is stale: whatever goes may change the tree above. */
static Walk walk(PfKsm *ksm, uint32_t tree, PfMpn frame, bool is_search)
{
    Walk way = {.parent = 0};
    uint32_t index = ksm->stable[tree].root;
    while (index != 0) {
        index = look_at(ksm, index, is_search, &way.node);
        if (index == 0) {
            way.parent = 0;
            index = ksm->stable[tree].root;
            continue;
        }
        PfMpn other = frame_of(pf_ksm_node(ksm, way.node));
        pf_ksm_charge_stable_level(ksm->host, other);
        int sign = pf_host_compare_frames(ksm->host, frame, other, NULL);
        if (sign == 0) {
            way.found = index;
            return way;
        }
        way.parent = index;
        way.is_left = sign < 0;
        const PfTreeLinks *links = pf_tree_links(&ksm->stable[tree], index);
        index = way.is_left ? links->left : links->right;
    }
    return way;
}

/* ---- The finder in front of the trees ---- */

/* The element of node INDEX, of equal bytes; nothing on it is stale then. */
static Walk arrive(PfKsm *ksm, uint32_t index)
{
    const PfKsmNode *node = pf_ksm_node(ksm, index);
    Walk way = {.found = node->kind == PF_KSM_DUP ? node->dup.chain : index};
    way.found = look_at(ksm, way.found, true, &way.node);
    return way;
}

/* Asks the finder for the bytes of PROBE. A node that it names and that is stale goes, and then it
 * is asked anew. */
static Walk ask_finder(PfKsm *ksm, const PfKsmProbe *probe)
{
    uint64_t cursor = 0;
    uint64_t value;
    while (pf_host_find(ksm->host, probe->checksum, probe->page, &cursor, &value)) {
        uint32_t index = (uint32_t)value;
        PfMpn other = frame_of(pf_ksm_node(ksm, index));
        if (is_stale(ksm, index)) {
            drop_node(ksm, index);
            cursor = 0;
            continue;
        }
        if (pf_ksm_node(ksm, index)->tree != probe->tree)
            continue;
        pf_ksm_charge_stable_level(ksm->host, other);
        if (pf_host_believes(ksm->host) ||
            pf_host_compare_frames(ksm->host, probe->frame, other, NULL) == 0)
            return arrive(ksm, index);
        pf_host_count_false_match(ksm->host);
    }
    return (Walk){.found = 0};
}

/* There are as many live nodes as frames at most, and room for so many in the finder. Stale ones,
 * which no walk comes across any more, go when they have filled it. */
static void make_room(PfKsm *ksm)
{
    if (ksm->filed < pf_host_frame_capacity(ksm->host))
        return;
    for (uint32_t i = 1; i <= ksm->node_limit; i++)
        if (pf_ksm_node(ksm, i)->is_filed && is_stale(ksm, i))
            drop_node(ksm, i);
}

static void file(PfKsm *ksm, const PfKsmProbe *probe, uint32_t index)
{
    if (!ksm->has_finder)
        return;
    make_room(ksm);
    PfKsmNode *node = pf_ksm_node(ksm, index);
    node->key = probe->checksum;
    node->is_filed = true;
    ksm->filed++;
    pf_host_file(ksm->host, node->key, probe->page, index);
}

uint32_t pf_ksm_stable_search(PfKsm *ksm, const PfKsmProbe *probe, bool *ret_full)
{
    Walk found = {.found = 0};
    if (ksm->has_finder)
        found = ask_finder(ksm, probe);
    if (found.found == 0 && (!ksm->has_finder || !pf_host_finds_all(ksm->host)))
        found = walk(ksm, probe->tree, probe->frame, true);
    *ret_full = found.found != 0 && !is_usable(ksm, found.node);
    return found.found != 0 && !*ret_full ? found.node : 0;
}

uint32_t pf_ksm_stable_insert(PfKsm *ksm, const PfKsmProbe *probe)
{
    Walk place = walk(ksm, probe->tree, probe->frame, false);
    uint32_t index = pf_ksm_node_new(ksm, PF_KSM_PLAIN, probe->tree);
    pf_ksm_node(ksm, index)->frame = probe->frame.number;
    pf_host_set_frame_tag(ksm->host, probe->frame, index);
    if (place.found == 0) {
        pf_tree_insert(&ksm->stable[probe->tree], index, place.parent, place.is_left);
    } else {
        bool is_chain = pf_ksm_node(ksm, place.found)->kind == PF_KSM_CHAIN;
        pf_ksm_chain_add(ksm, is_chain ? place.found : pf_ksm_chain_make(ksm, place.found), index);
    }
    file(ksm, probe, index);
    return index;
}

/* ---- Emptying ---- */

/* False if a page maps the frame of NODE. A frame that is only pinned is left to the pins. */
static bool remove_node(PfKsm *ksm, uint32_t index)
{
    PfMpn frame = frame_of(pf_ksm_node(ksm, index));
    if (!is_stale(ksm, index) && pf_host_frame_refs(ksm->host, frame) > 0)
        return false;
    drop_node(ksm, index);
    return true;
}

static bool remove_element(PfKsm *ksm, uint32_t index)
{
    if (pf_ksm_node(ksm, index)->kind != PF_KSM_CHAIN)
        return remove_node(ksm, index);
    while (pf_ksm_node(ksm, index)->dups != 0)
        if (!remove_node(ksm, pf_ksm_node(ksm, index)->dups))
            return false;
    pf_ksm_chain_delete(ksm, index);
    return true;
}

bool pf_ksm_stable_clear(PfKsm *ksm)
{
    bool is_empty = true;
    for (uint32_t tree = 0; tree < PF_KSM_TREES; tree++)
        while (ksm->stable[tree].root != 0)
            if (!remove_element(ksm, ksm->stable[tree].root)) {
                is_empty = false;
                break;
            }
    return is_empty;
}
