#include "ksm_slots.h"

#include "ksm_items.h"
#include "ksm_lru.h"
#include "ksm_pages.h"
#include "ksm_stable.h"

void pf_ksm_slots_add(PfKsm *ksm, uint32_t context)
{
    if (context + 1 >= ksm->slots->len)
        g_array_set_size(ksm->slots, context + 2);
}

/* Links SLOT in before slot NEXT (0: at the end). */
static void link_before(PfKsm *ksm, uint32_t slot, uint32_t next)
{
    uint32_t previous = pf_ksm_slot(ksm, next)->previous;
    pf_ksm_slot(ksm, slot)->next = next;
    pf_ksm_slot(ksm, slot)->previous = previous;
    pf_ksm_slot(ksm, previous)->next = slot;
    pf_ksm_slot(ksm, next)->previous = slot;
    pf_ksm_slot(ksm, slot)->is_listed = true;
}

void pf_ksm_slots_register(PfKsm *ksm, uint32_t context)
{
    uint32_t slot = context + 1;
    if (!pf_ksm_slot(ksm, slot)->is_listed)
        link_before(ksm, slot, ksm->config.run == PF_KSM_UNMERGE ? 0 : ksm->cursor.slot);
}

void pf_ksm_slots_remove(PfKsm *ksm, uint32_t slot)
{
    PfKsmSlot *gone = pf_ksm_slot(ksm, slot);
    pf_ksm_slot(ksm, gone->previous)->next = gone->next;
    pf_ksm_slot(ksm, gone->next)->previous = gone->previous;
    gone->is_listed = false;
}

void pf_ksm_slots_exit(PfKsm *ksm, uint32_t context)
{
    uint32_t slot = context + 1;
    PfKsmSlot *exited = pf_ksm_slot(ksm, slot);
    exited->is_dead = true;
    if (!exited->is_listed || ksm->cursor.slot == slot)
        return;
    pf_ksm_slots_remove(ksm, slot);
    /* The scanner comes by soon if there is something to clean. */
    if (exited->items != 0)
        link_before(ksm, slot, pf_ksm_slot(ksm, ksm->cursor.slot)->next);
}

static void unmerge_slot(PfKsm *ksm, uint32_t slot)
{
    PfPage page = {slot - 1, {0}};
    PfCpn end;
    while (pf_host_next_region(ksm->host, page, &page, &end)) {
        pf_ksm_unmerge(ksm, page.context, page.cpn, end);
        page.cpn = end;
    }
    pf_ksm_items_drop_behind(ksm, slot, 0);
}

void pf_ksm_slots_unmerge_all(PfKsm *ksm)
{
    ksm->cursor = (PfKsmCursor){.slot = 0};
    uint32_t next;
    for (uint32_t slot = pf_ksm_slot(ksm, 0)->next; slot != 0; slot = next) {
        next = pf_ksm_slot(ksm, slot)->next;
        unmerge_slot(ksm, slot);
        if (pf_ksm_slot(ksm, slot)->is_dead)
            pf_ksm_slots_remove(ksm, slot);
    }
    pf_ksm_stable_clear(ksm);
    ksm->counts.full_scans = 0;
}
