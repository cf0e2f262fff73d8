#include "ksm_cursor.h"

#include "ksm_costs.h"
#include "ksm_items.h"
#include "ksm_lru.h"
#include "ksm_pages.h"
#include "ksm_slots.h"
#include "ksm_unstable.h"
#include "units.h"

/* Smart scan leaves young items alone; older ones earn so many skips at a visit. */
enum { AGE_MIN = 3, AGE_OF_TWO = 4, AGE_OF_FOUR = 6, AGE_OF_EIGHT = 9 };

static uint8_t skips_at(uint8_t age)
{
    if (age < AGE_OF_TWO)
        return 1;
    if (age < AGE_OF_FOUR)
        return 2;
    return age < AGE_OF_EIGHT ? 4 : 8;
}

/* Whether smart scan passes over ITEM, whose page maps FRAME, this time. */
static bool is_skipped(PfKsm *ksm, uint32_t index, PfMpn frame)
{
    if (!ksm->config.smart_scan || pf_ksm_node_of(ksm, frame) != 0)
        return false;
    PfKsmItem *item = pf_ksm_item(ksm, index);
    uint8_t age = item->age;
    if (age < UINT8_MAX)
        item->age++;
    if (age < AGE_MIN)
        return false;
    if (item->skips == 0) {
        item->skips = skips_at(age) & 0x7fU;
        return false;
    }
    item->skips--;
    ksm->counts.skipped++;
    pf_ksm_item_leave(ksm, index);
    pf_ksm_charge_skip(ksm->host, frame);
    return true;
}

/* Whether a filter leaves PAGE out, which maps FRAME; what is shared already is seen. */
static bool is_left_out(PfKsm *ksm, PfPage page, uint32_t index, PfMpn frame)
{
    if (pf_ksm_node_of(ksm, frame) != 0 || !pf_host_is_left_out(ksm->host, page))
        return false;
    pf_ksm_item_leave(ksm, index);
    pf_ksm_charge_skip(ksm->host, frame);
    return true;
}

static void start_pass(PfKsm *ksm)
{
    ksm->advisor.start_cycles = pf_host_now(ksm->host);
    pf_ksm_lru_drain_all(ksm);
    pf_host_charge_call(ksm->host, PF_ACCOUNT_SCAN);
    pf_ksm_unstable_forget(ksm);
    ksm->cursor = (PfKsmCursor){.slot = pf_ksm_slot(ksm, 0)->next};
}

static void end_pass(PfKsm *ksm)
{
    ksm->counts.full_scans++;
    pf_host_count_pass(ksm->host);
    if (ksm->config.advisor_mode == PF_KSM_ADVISOR_NONE)
        return;
    uint64_t second = MAX(1, pf_host_cycles(ksm->host, PF_PS_PER_SECOND));
    uint64_t seconds = (pf_host_now(ksm->host) - ksm->advisor.start_cycles) / second;
    uint64_t busy = pf_host_spent(ksm->host) - ksm->spent_before + ksm->busy_cycles;
    uint64_t busy_ms = (busy - ksm->advisor.last_busy_cycles) / MAX(1, second / 1000);
    ksm->advisor.last_busy_cycles = busy;
    ksm->config.pages_to_scan =
        pf_ksm_advise(&ksm->advisor, &ksm->config, ksm->config.pages_to_scan, seconds, busy_ms);
}

/* The next page of the cursor's slot that the scanner sees; the cursor stands on it then. */
static bool find_page(PfKsm *ksm, PfKsmCandidate *candidate)
{
    PfPage page = {ksm->cursor.slot - 1, ksm->cursor.cpn};
    PfCpn end;
    while (pf_host_next_region(ksm->host, page, &page, &end)) {
        PfPage next = page;
        while (pf_host_cursor_next(ksm->host, next, &next) && next.context == page.context &&
               next.cpn.number < end.number) {
            if (pf_ksm_page_frame(ksm, next, &candidate->frame)) {
                ksm->cursor.cpn = next.cpn;
                candidate->page = next;
                return true;
            }
            next.cpn = pf_cpn_plus(next.cpn, 1);
        }
        page.cpn = end;
        ksm->cursor.cpn = end;
    }
    return false;
}

/* The next page of the cursor's slot that is not skipped. */
static bool next_of_slot(PfKsm *ksm, PfKsmCandidate *candidate)
{
    while (find_page(ksm, candidate)) {
        candidate->item = pf_ksm_items_take(ksm, candidate->page);
        ksm->cursor.cpn = pf_cpn_plus(candidate->page.cpn, 1);
        if (!is_left_out(ksm, candidate->page, candidate->item, candidate->frame) &&
            !is_skipped(ksm, candidate->item, candidate->frame))
            return true;
    }
    return false;
}

/* The cursor's slot is through. */
static void leave_slot(PfKsm *ksm)
{
    uint32_t slot = ksm->cursor.slot;
    pf_ksm_items_drop_behind(ksm, slot, ksm->cursor.previous);
    uint32_t next = pf_ksm_slot(ksm, slot)->next;
    /* The walk began at 0 and met no mergeable region. */
    if (ksm->cursor.cpn.number == 0)
        pf_ksm_slots_remove(ksm, slot);
    ksm->cursor = (PfKsmCursor){.slot = next};
}

bool pf_ksm_cursor_next(PfKsm *ksm, PfKsmCandidate *ret_candidate, bool *ret_pass_ended)
{
    *ret_pass_ended = false;
    if (pf_ksm_slot(ksm, 0)->next == 0)
        return false;
    if (ksm->cursor.slot == 0)
        start_pass(ksm);
    while (ksm->cursor.slot != 0) {
        if (pf_ksm_slot(ksm, ksm->cursor.slot)->is_dead)
            ksm->cursor = (PfKsmCursor){.slot = ksm->cursor.slot};
        else if (next_of_slot(ksm, ret_candidate))
            return true;
        leave_slot(ksm);
    }
    end_pass(ksm);
    *ret_pass_ended = true;
    return false;
}
