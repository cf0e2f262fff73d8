#include "ksm_items.h"

#include "ksm_stable.h"

/* What points to the item behind PREVIOUS of SLOT. */
static uint32_t *link_behind(const PfKsm *ksm, uint32_t slot, uint32_t previous)
{
    return previous == 0 ? &pf_ksm_slot(ksm, slot)->items : &pf_ksm_item(ksm, previous)->next;
}

static uint32_t new_item(PfKsm *ksm)
{
    uint32_t index = ksm->item_free;
    if (index != 0) {
        ksm->item_free = pf_ksm_item(ksm, index)->next;
    } else {
        g_assert(ksm->item_limit < UINT32_MAX >> 1);
        index = ++ksm->item_limit;
        pf_seg_array_reserve(&ksm->items, (uint64_t)index + 1);
    }
    *pf_ksm_item(ksm, index) = (PfKsmItem){.state = PF_KSM_FREE};
    return index;
}

/* Deletes the item that LINK points to. */
static void delete_item(PfKsm *ksm, uint32_t *link)
{
    uint32_t index = *link;
    PfKsmItem *item = pf_ksm_item(ksm, index);
    pf_ksm_item_leave(ksm, index);
    *link = item->next;
    pf_ksm_slot(ksm, item->context + 1)->item_count--;
    ksm->counts.items--;
    item->next = ksm->item_free;
    ksm->item_free = index;
}

uint32_t pf_ksm_items_take(PfKsm *ksm, PfPage page)
{
    uint32_t slot = ksm->cursor.slot;
    g_assert(slot == page.context + 1);
    uint32_t *link = link_behind(ksm, slot, ksm->cursor.previous);
    while (*link != 0 && pf_ksm_item(ksm, *link)->cpn.number < page.cpn.number)
        delete_item(ksm, link);
    uint32_t index = *link;
    if (index == 0 || pf_ksm_item(ksm, index)->cpn.number != page.cpn.number) {
        index = new_item(ksm);
        PfKsmItem *item = pf_ksm_item(ksm, index);
        item->context = page.context;
        item->cpn = page.cpn;
        item->next = *link;
        *link = index;
        pf_ksm_slot(ksm, slot)->item_count++;
        ksm->counts.items++;
    }
    ksm->cursor.previous = index;
    return index;
}

void pf_ksm_items_drop_behind(PfKsm *ksm, uint32_t slot, uint32_t previous)
{
    uint32_t *link = link_behind(ksm, slot, previous);
    while (*link != 0)
        delete_item(ksm, link);
}

void pf_ksm_item_leave(PfKsm *ksm, uint32_t index)
{
    PfKsmItem *item = pf_ksm_item(ksm, index);
    switch ((PfKsmItemState)item->state) {
    case PF_KSM_FREE:
        return;
    case PF_KSM_UNSTABLE:
        /* A tree of an earlier pass is forgotten already. */
        if (item->pass == (uint8_t)ksm->counts.full_scans) {
            pf_tree_erase(&ksm->unstable[item->tree], index);
            pf_host_note_hint(ksm->host, pf_ksm_item_page(item), false);
        }
        ksm->counts.unshared--;
        item->state = PF_KSM_FREE;
        return;
    case PF_KSM_STABLE:
        pf_ksm_stable_leave(ksm, index);
        return;
    }
}
