/* The services of policy.h that change mappings, and are charged. */
#include "host.h"
#include "host_alike.h"
#include "host_classes.h"
#include "host_large.h"
#include "host_write_backs.h"

PfMergeResult pf_host_merge_result(PfShareResult result)
{
    switch (result) {
    case PF_SHARE_DONE:
        return PF_MERGED;
    case PF_SHARE_SAME:
        return PF_SAME;
    case PF_SHARE_DIFFERS:
        return PF_DIFFERS;
    case PF_SHARE_REFUSED:
        return PF_NOT_ADMITTED;
    case PF_SHARE_BUSY:
        return PF_BUSY;
    }
    return PF_BUSY;
}

void pf_host_count_merge(PfHost *host, PfPage page)
{
    host->stats.shared++;
    host->has_lost = false;
    pf_host_count_damage(host);
    /* What it will be once all the others have left. */
    pf_host_note_verdict(host, page, PF_WHY_UNIQUE);
}

static PfMaddr page_address(const PfHost *host, PfPage page)
{
    const PfMemory *memory = host->base.memory;
    PfSlot slot = {0};
    bool found = pf_host_slot(host, page, &slot);
    g_assert(found);
    return pf_mpn_address(pf_bus_translation(memory, slot), pf_image_page_shift(memory->image), 0);
}

void pf_host_finish_remapping(PfHost *host, PfPage page)
{
    PfWork *work = host->base.work;
    if (pf_host_remaps(host)) {
        pf_work_charge(work, host->place, PF_ACCOUNT_MERGE, work->costs->line_cycles);
        pf_work_flush(work, host->place, PF_ACCOUNT_MERGE, page_address(host, page), false);
    } else {
        pf_work_charge(work, host->place, PF_ACCOUNT_MERGE, work->costs->merge_cycles);
        pf_host_shoot_down(host, host->place, page);
    }
}

static bool is_match(const PfHost *host, PfPage page)
{
    return host->has_match && pf_page_equal(page, host->match_page);
}

bool pf_host_is_believed(const PfHost *host, PfPage page)
{
    return is_match(host, page) && pf_host_believes(host);
}

/* By the rule of what is deemed identical. */
static bool compare_alike(PfHost *host, PfMpn own, PfMpn frame)
{
    uint32_t page_bytes = host->base.work->page_bytes;
    host->stats.compares++;
    host->stats.compared_words += page_bytes / sizeof(uint32_t);
    pf_work_compare(host->base.work, host->place, PF_ACCOUNT_COMPARE,
                    pf_host_frame_address(host, own), pf_host_frame_address(host, frame),
                    page_bytes);
    return pf_host_frames_alike(host, own, frame);
}

/* Compares OWN, the frame of PAGE, with FRAME, unless a match of the CAM is to be believed. False
 * if they are not deemed identical; RET_LOSSY: PAGE may be mapped onto it even if they differ,
 * else whoever does that makes sure. */
static bool compare(PfHost *host, PfPage page, PfMpn own, PfMpn frame, bool *ret_lossy)
{
    host->is_false_match = false;
    if (pf_host_is_believed(host, page)) {
        host->is_false_match = !pf_host_is_same(host, own, frame);
        *ret_lossy = true;
        return true;
    }
    *ret_lossy = true;
    if (host->alike != NULL && !pf_mpn_equal(own, frame))
        return compare_alike(host, own, frame);
    pf_host_compare_frames(host, own, frame, NULL);
    *ret_lossy = (host->setup->ops->flags & PF_POLICY_LOSSY) != 0;
    return true;
}

void pf_host_count_false(PfHost *host, PfPage page, PfShareResult result)
{
    bool is_believed = result == PF_SHARE_DONE && host->is_false_match;
    if (is_believed)
        pf_host_count_false_merge(host);
    if (is_believed || (result == PF_SHARE_DIFFERS && is_match(host, page)))
        pf_host_count_false_match(host);
    host->has_match = false;
}

/* What a merge of PAGE, which mapped FROM, onto FRAME costs and what is to be done after it. */
static PfMergeResult finish_merge(PfHost *host, PfPage page, PfMpn from, PfMpn frame,
                                  PfShareResult result)
{
    pf_host_tell(host, (PfStep){.kind = PF_STEP_MERGED,
                                .page = page,
                                .frame = frame,
                                .other = from,
                                .number = pf_host_merge_result(result)});
    pf_host_count_false(host, page, result);
    if (result == PF_SHARE_DONE) {
        pf_host_count_merge(host, page);
        pf_host_finish_remapping(host, page);
        pf_host_verify(host, page);
    }
    return pf_host_merge_result(result);
}

/* Whether a record under way may have touched PAGE already: the one it has no frame for, or the one
 * before, where an access across both begins. What it stores is not there yet. */
static bool is_half_played(const PfHost *host, PfPage page)
{
    PfPage low = host->low_page;
    return host->is_low && page.context == low.context &&
           (page.cpn.number == low.cpn.number || page.cpn.number + 1 == low.cpn.number);
}

PfMergeResult pf_host_merge(PfHost *host, PfPage page, PfPage keeper)
{
    PfSlot slot;
    PfSlot kept;
    if (host->is_unmapping || is_half_played(host, page) || is_half_played(host, keeper) ||
        !pf_host_present_slot(host, page, &slot) || !pf_host_present_slot(host, keeper, &kept))
        return PF_BUSY;
    if (!pf_host_admits(host, page) || !pf_host_admits(host, keeper))
        return PF_NOT_ADMITTED;
    pf_host_follow(host, page.context);
    PfMemory *memory = host->base.memory;
    const PfEntry *entry = pf_memory_entry(memory, kept);
    if (!pf_host_classes_allow(host, page, (PfMpn){entry->mpn}))
        return PF_NOT_ADMITTED;
    bool was_writable = (entry->flags & PF_ENTRY_WRITABLE) != 0;
    PfMpn frame = {entry->mpn};
    bool lossy = false;
    PfShareResult result = PF_SHARE_DIFFERS;
    PfMpn own = {pf_memory_entry(memory, slot)->mpn};
    if (compare(host, page, own, frame, &lossy))
        result = pf_share_merge(memory, slot, kept, lossy);
    if (result == PF_SHARE_DONE)
        pf_host_note_verdict(host, keeper, PF_WHY_UNIQUE);
    if (result == PF_SHARE_DONE && was_writable)
        pf_host_shoot_down(host, host->place, keeper);
    return finish_merge(host, page, own, frame, result);
}

PfMergeResult pf_host_merge_frame(PfHost *host, PfPage page, PfMpn frame)
{
    PfSlot slot;
    if (host->is_unmapping || !pf_host_present_slot(host, page, &slot) ||
        frame.number >= host->base.memory->frames.limit)
        return PF_BUSY;
    if (!pf_host_admits(host, page) || !pf_host_classes_allow(host, page, frame))
        return PF_NOT_ADMITTED;
    pf_host_follow(host, page.context);
    PfMemory *memory = host->base.memory;
    bool lossy = false;
    PfShareResult result = PF_SHARE_DIFFERS;
    PfMpn own = {pf_memory_entry(memory, slot)->mpn};
    if (compare(host, page, own, frame, &lossy))
        result = pf_share_merge_frame(memory, slot, frame, lossy);
    return finish_merge(host, page, own, frame, result);
}

bool pf_host_protect(PfHost *host, PfPage page)
{
    PfSlot slot;
    if (!pf_host_present_slot(host, page, &slot) || !pf_host_may_split(host, slot) ||
        !pf_share_protect(host->base.memory, slot))
        return false;
    pf_host_tell(host, (PfStep){.kind = PF_STEP_PROTECTED, .page = page});
    pf_host_shoot_down(host, host->place, page);
    return true;
}

bool pf_host_isolate(PfHost *host, PfPage page)
{
    PfSlot slot;
    if (!pf_host_present_slot(host, page, &slot) || !pf_host_may_split(host, slot))
        return false;
    pf_host_follow(host, page.context);
    const PfEntry *entry = pf_memory_entry(host->base.memory, slot);
    if ((entry->flags & PF_ENTRY_OPEN) != 0) {
        pf_host_tell(host, (PfStep){.kind = PF_STEP_PROTECTED, .page = page});
        pf_host_shoot_down(host, host->place, page);
    }
    bool done = pf_share_isolate(host->base.memory, slot);
    pf_host_pay_splits(host, host->place);
    return done;
}

void pf_host_claim(PfHost *host, PfPage page, uint32_t tag)
{
    PfSlot slot;
    bool present = pf_host_present_slot(host, page, &slot);
    g_assert(present);
    PfMemory *memory = host->base.memory;
    const PfEntry *entry = pf_memory_entry(memory, slot);
    g_assert((entry->flags & PF_ENTRY_OPEN) == 0);
    PfMpn frame = {entry->mpn};
    pf_memory_freeze(memory, frame);
    pf_frame_claim(&memory->frames, frame, tag);
    pf_journal_keep(memory, frame, slot);
}

void pf_host_set_frame_tag(PfHost *host, PfMpn frame, uint32_t tag)
{
    PfFramePool *frames = &host->base.memory->frames;
    g_assert(pf_frame_tag(frames, frame) != 0);
    pf_frame_claim(frames, frame, tag);
}

PfMergeResult pf_host_map_zero(PfHost *host, PfPage page)
{
    host->has_match = false; /* whatever was found, it was not this */
    return pf_host_merge_frame(host, page, PF_ZERO_FRAME);
}

bool pf_host_give_back(PfHost *host, PfPage page)
{
    PfSlot slot;
    g_assert((host->setup->ops->flags & PF_POLICY_COMPRESSING) != 0);
    if (host->is_unmapping || is_half_played(host, page) ||
        !pf_host_present_slot(host, page, &slot) || !pf_host_admits(host, page))
        return false;
    pf_host_follow(host, page.context);
    pf_host_note_verdict(host, page, PF_WHY_NOT_REACHED); /* what it will be with another frame */
    if (pf_share_give_back(host->base.memory, slot) != PF_SHARE_DONE)
        return false;
    pf_host_tell(host, (PfStep){.kind = PF_STEP_GIVEN_BACK, .page = page});
    pf_host_finish_remapping(host, page);
    pf_host_verify(host, page);
    return true;
}

/* A frame was given to a page, with a copy of FROM in it if COPIED. */
static void charge_unsharing(PfHost *host, PfPage page, bool copied, PfMpn from, PfMpn to)
{
    PfWork *work = host->base.work;
    const PfCosts *costs = work->costs;
    if (pf_host_remaps(host)) {
        pf_work_break(work, host->place, PF_ACCOUNT_MERGE, from, to, copied);
        return;
    }
    pf_work_charge(work, host->place, PF_ACCOUNT_MERGE,
                   costs->trap_cycles + (copied ? costs->allocate_cycles : 0));
    if (copied)
        pf_work_copy_page(work, host->place, PF_ACCOUNT_MERGE, pf_host_frame_address(host, from),
                          pf_host_frame_address(host, to));
    pf_host_shoot_down(host, host->place, page);
}

bool pf_host_unshare(PfHost *host, PfPage page)
{
    PfSlot slot;
    bool copied;
    if (!pf_host_present_slot(host, page, &slot))
        return false;
    pf_host_follow(host, page.context);
    PfMemory *memory = host->base.memory;
    const PfEntry *entry = pf_memory_entry(memory, slot);
    PfMpn old = {entry->mpn};
    if (!pf_share_unshare(memory, slot, &copied))
        return false;
    host->start_generation++; /* a free frame may be in use again */
    pf_host_tell(host, (PfStep){.kind = PF_STEP_UNSHARED, .page = page, .frame = {entry->mpn}});
    charge_unsharing(host, page, copied, old, (PfMpn){entry->mpn});
    pf_host_verify(host, page);
    return true;
}

/* The translations of PAGE, as its space has them. */
static PfShootdown translations_of(const PfHost *host, PfPage page)
{
    return pf_shootdown_of(page.context, page.cpn, 1,
                           host->base.space_is_two_stage[page.context]);
}

void pf_host_forget_translations(PfHost *host, PfPage page)
{
    PfShootdown what = translations_of(host, page);
    pf_shootdown_free(host->base.mmu, &what);
}

void pf_host_shoot_down(PfHost *host, const PfPlace *initiator, PfPage page)
{
    if (pf_host_remaps(host)) {
        pf_host_page_flushed(host, page);
        pf_work_flush(host->base.work, initiator, PF_ACCOUNT_MERGE, page_address(host, page), true);
        return;
    }
    pf_host_pay_splits(host, initiator);
    PfShootdown what = translations_of(host, page);
    what.is_quiet = pf_host_is_idle(host, page.context);
    pf_shadow_change(host->base.mmu, host->base.work, initiator, PF_ACCOUNT_SHOOTDOWN,
                     page.context, 1);
    pf_shootdown(host->base.mmu, host->base.work, initiator, &what);
}

void pf_host_verify(PfHost *host, PfPage page)
{
    PfSlot slot;
    if (!host->base.verify || !pf_host_slot(host, page, &slot) ||
        pf_memory_verify_page(host->base.memory, slot))
        return;
    if (host->differences++ == 0)
        host->first_difference = g_strdup_printf(
            "context '%s', page 0x%" G_GINT64_MODIFIER "x, cycle %" G_GUINT64_FORMAT
            ", policy '%s': the page does not hold what its context wrote",
            pf_image_context(host->base.memory->image, page.context)->name, page.cpn.number,
            *host->base.memory->now_cycles, host->setup->common.label);
}
