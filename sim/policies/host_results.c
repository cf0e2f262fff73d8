/* The services of policy.h around stores that are looked up before they are made, and the host's
 * part of asking. The image knows what a store makes of its page before any run has made it. */
#include "host.h"
#include "host_alike.h"
#include "host_classes.h"
#include "host_large.h"

/* The policy is going to be asked about the store to PAGE. */
static void open_intent(PfHost *host, PfPage page, PfSlot slot, uint32_t result)
{
    pf_host_work_at(host, page.context);
    host->intent = (PfIntent){.page = page, .slot = slot, .result = result, .is_open = true};
}

static bool close_intent(PfHost *host)
{
    host->intent.is_open = false;
    return host->intent.is_redirected;
}

bool pf_host_write_intended(PfHost *host, PfPage page, PfSlot slot, uint32_t result,
                            bool is_second)
{
    open_intent(host, page, slot, result);
    host->intent.is_second = is_second;
    host->setup->ops->write_intended(host->self, page);
    return close_intent(host);
}

bool pf_host_init_requested(PfHost *host, PfPage page, PfSlot slot, uint32_t result)
{
    const PfPolicyOps *ops = host->setup->ops;
    PfMemory *memory = host->base.memory;
    PfContent content;
    if (ops->init_requested == NULL ||
        !pf_image_content(memory->image, &memory->reader, slot, result, &content))
        return false;
    open_intent(host, page, slot, result);
    const uint8_t *pattern = pf_content_bytes(memory->frames.store, content, host->scratch);
    if (pattern != NULL)
        ops->init_requested(host->self, page, pattern);
    pf_content_unref(memory->frames.store, content);
    return close_intent(host);
}

static bool is_present(const PfHost *host)
{
    return (pf_memory_entry(host->base.memory, host->intent.slot)->flags & PF_ENTRY_PRESENT) != 0;
}

bool pf_host_admits_store(PfHost *host)
{
    const PfIntent *intent = &host->intent;
    g_assert(intent->is_open);
    if (is_present(host))
        return pf_host_admits(host, intent->page);
    /* A store makes the page anonymous. */
    unsigned flags = pf_image_flags(host->base.memory->image, intent->slot);
    return (flags & PF_IMAGE_SHMEM) == 0 && (host->setup->common.scope != PF_SCOPE_MERGEABLE ||
                                             (flags & PF_IMAGE_MERGEABLE) != 0);
}

bool pf_host_result_content(PfHost *host, PfContent *ret_content)
{
    PfMemory *memory = host->base.memory;
    return pf_image_content(memory->image, &memory->reader, host->intent.slot, host->intent.result,
                            ret_content);
}

static bool key_of_result(PfHost *host, uint64_t *ret_key)
{
    if (pf_host_key_of_result(host, ret_key))
        return true;
    PfContent content;
    if (!pf_host_result_content(host, &content))
        return false;
    *ret_key = pf_host_key_of(host, content);
    pf_content_unref(host->base.memory->frames.store, content);
    return true;
}

bool pf_host_hash_result(PfHost *host, uint64_t *ret_key)
{
    const PfIntent *intent = &host->intent;
    g_assert(intent->is_open);
    PfMemory *memory = host->base.memory;
    PfMpn frame = {pf_memory_entry(memory, intent->slot)->mpn};
    if (pf_host_engine_leaves_out(host, intent->page))
        return false;
    pf_host_charge_hash(host, is_present(host) ? &frame : NULL);
    if (!key_of_result(host, ret_key))
        return false;
    pf_host_tell(host, (PfStep){.kind = PF_STEP_HASH_AHEAD, .page = intent->page, .key = *ret_key});
    return true;
}

/* Comparing what the store makes with FRAME costs as much as comparing two frames: the page's own,
 * which is read besides what is stored, and that one. */
static void charge_compare(PfHost *host, PfMpn frame)
{
    PfMemory *memory = host->base.memory;
    const PfIntent *intent = &host->intent;
    PfMaddr there = pf_host_frame_address(host, frame);
    size_t bytes = host->base.work->page_bytes;
    if (is_present(host)) {
        PfMpn own = {pf_memory_entry(memory, intent->slot)->mpn};
        pf_work_compare(host->base.work, host->place, PF_ACCOUNT_COMPARE,
                        pf_host_frame_address(host, own), there, bytes);
    } else {
        pf_work_read(host->base.work, host->place, PF_ACCOUNT_COMPARE, there, bytes);
    }
    host->stats.compares++;
    host->stats.compared_words += (bytes + 3) / 4;
}

/* Whether the result of the store in hand equals what FRAME holds, or (ALIKE) is deemed identical
 * with that; free of charge. */
static bool is_equal(PfHost *host, PfMpn frame, bool alike)
{
    PfMemory *memory = host->base.memory;
    PfContent wanted;
    PfContent held;
    if (!pf_host_result_content(host, &wanted))
        return false;
    bool is = pf_memory_frame_content(memory, frame, &held);
    if (is) {
        is = alike ? pf_host_are_alike(host, wanted, held) : pf_content_equal(wanted, held);
        pf_content_unref(memory->frames.store, held);
    }
    pf_content_unref(memory->frames.store, wanted);
    return is;
}

/* Tells the observer of that comparison. */
static void tell_compared(PfHost *host, PfMpn frame)
{
    PfMemory *memory = host->base.memory;
    PfStep step = {.kind = PF_STEP_COMPARED_AHEAD, .other = frame};
    PfContent wanted;
    PfContent held;
    size_t first = 0;
    if (host->base.observer == NULL || !pf_host_result_content(host, &wanted))
        return;
    if (pf_memory_frame_content(memory, frame, &held)) {
        pf_content_compare(memory->frames.store, wanted, held, &first);
        pf_content_unref(memory->frames.store, held);
    }
    pf_content_unref(memory->frames.store, wanted);
    step.number = first;
    pf_host_tell(host, step);
}

/* Compares the result with FRAME, unless a match of the CAM is to be believed. False if they are
 * not deemed identical; RET_LOSSY: the page may be mapped there even if they differ. */
static bool compare(PfHost *host, PfMpn frame, bool *ret_lossy)
{
    bool is_believed = pf_host_is_believed(host, host->intent.page);
    host->is_false_match = is_believed && !is_equal(host, frame, false);
    if (!is_believed) {
        charge_compare(host, frame);
        tell_compared(host, frame);
    }
    bool is_lossy = (host->setup->ops->flags & PF_POLICY_LOSSY) != 0;
    *ret_lossy = is_lossy || is_believed || host->alike != NULL;
    return is_believed || host->alike == NULL || is_equal(host, frame, true);
}

/* The page of the store in hand maps another frame. If the operating system did not know it as a
 * page of its own before (WAS_KNOWN), it has to make it one, as for any first store. */
static void finish_redirection(PfHost *host, bool was_known)
{
    PfPage page = host->intent.page;
    const PfCosts *costs = host->base.work->costs;
    if (was_known) {
        pf_host_finish_remapping(host, page);
        return;
    }
    pf_host_forget_translations(host, page);
    pf_work_charge(host->base.work, host->place, PF_ACCOUNT_MERGE,
                   costs->trap_cycles + costs->merge_cycles);
}

PfMergeResult pf_host_redirect(PfHost *host, PfPage keeper)
{
    PfIntent *intent = &host->intent;
    g_assert(intent->is_open && !intent->is_redirected);
    PfSlot kept;
    /* What the other half of the store makes of its page is not there yet. */
    bool is_half = intent->is_second && keeper.context == intent->page.context &&
                   keeper.cpn.number + 1 == intent->page.cpn.number;
    if (is_half || !pf_host_present_slot(host, keeper, &kept))
        return PF_BUSY;
    if (!pf_host_admits_store(host) || !pf_host_admits(host, keeper))
        return PF_NOT_ADMITTED;
    PfMemory *memory = host->base.memory;
    const PfEntry *entry = pf_memory_entry(memory, kept);
    if (!pf_host_classes_allow(host, intent->page, (PfMpn){entry->mpn}))
        return PF_NOT_ADMITTED;
    bool was_writable = (entry->flags & PF_ENTRY_WRITABLE) != 0;
    unsigned known = PF_ENTRY_PRESENT | (pf_host_remaps(host) ? PF_ENTRY_BUS_WRITABLE : 0U);
    bool was_known = (pf_memory_entry(memory, intent->slot)->flags & known) == known;
    bool lossy = false;
    PfShareResult result = PF_SHARE_DIFFERS;
    if (compare(host, (PfMpn){entry->mpn}, &lossy))
        result = pf_share_redirect(memory, intent->slot, kept, intent->result, lossy);
    pf_host_tell(host, (PfStep){.kind = PF_STEP_REDIRECTED,
                                .page = intent->page,
                                .frame = {entry->mpn},
                                .number = pf_host_merge_result(result)});
    pf_host_count_false(host, intent->page, result);
    intent->is_redirected = result == PF_SHARE_DONE || result == PF_SHARE_SAME;
    if (result == PF_SHARE_DONE) {
        pf_host_note_verdict(host, keeper, PF_WHY_UNIQUE);
        if (was_writable)
            pf_host_shoot_down(host, host->place, keeper);
        pf_host_count_merge(host, intent->page);
        finish_redirection(host, was_known);
        pf_host_pay_splits(host, host->place);
    }
    return pf_host_merge_result(result);
}

void pf_host_defer_frees(PfHost *host)
{
    PfMemory *memory = host->base.memory;
    if (memory->garbage == NULL)
        memory->garbage = g_array_new(FALSE, FALSE, sizeof(PfMpn));
}

uint64_t pf_host_unfreed(const PfHost *host)
{
    const GArray *garbage = host->base.memory->garbage;
    return garbage != NULL ? garbage->len : 0;
}

void pf_host_collect(PfHost *host)
{
    pf_memory_collect(host->base.memory);
}
