/* The services of policy.h that touch bytes or change mappings, and are charged. */
#include "host.h"

enum { WORD_BYTES = 4 };

/* ---- charged ---- */

PfMaddr pf_host_frame_address(const PfHost *host, PfMpn frame)
{
    return pf_mpn_address(frame, pf_image_page_shift(host->base.memory->image), 0);
}

static uint64_t hash_content(const PfHost *host, PfContent content)
{
    const PfContentStore *store = host->base.memory->frames.store;
    const uint8_t *bytes = pf_content_bytes(store, content, host->scratch);
    /* The store's own hash is XXH3-64: no need to compute that again. */
    bool is_whole = host->hash_bytes == host->base.work->page_bytes;
    if (bytes == NULL || (is_whole && g_str_equal(host->setup->hash->name, "xxh3")))
        return pf_content_hash(store, content);
    return host->setup->hash->hash(bytes + host->setup->common.hash_offset_bytes,
                                   host->hash_bytes);
}

static uint64_t cut_hash(const PfHost *host, uint64_t hash)
{
    uint64_t bits = host->setup->common.hash_bits;
    return bits >= 64 ? hash : hash & (((uint64_t)1 << bits) - 1);
}

uint64_t pf_host_key_of(PfHost *host, PfContent content)
{
    return cut_hash(host, hash_content(host, content));
}

unsigned pf_host_key_bits(const PfHost *host)
{
    return (unsigned)MIN(host->setup->common.hash_bits, host->setup->hash->bits);
}

uint64_t pf_host_zero_hash(PfHost *host)
{
    return pf_host_key_of(host, PF_CONTENT_OF_ZEROS);
}

uint64_t pf_host_hash_page(PfHost *host, PfPage page)
{
    PfSlot slot;
    bool present = pf_host_present_slot(host, page, &slot);
    g_assert(present);
    pf_host_follow(host, page.context);
    PfMpn frame = {pf_memory_entry(host->base.memory, slot)->mpn};
    PfMaddr address = pf_host_frame_address(host, frame);
    address.bytes += host->setup->common.hash_offset_bytes;
    pf_work_read(host->base.work, host->place, PF_ACCOUNT_HASH, address, host->hash_bytes);
    pf_work_charge(host->base.work, host->place, PF_ACCOUNT_HASH,
                   (host->setup->hash->cycles_per_kib * host->hash_bytes + 1023) / 1024);
    PfContent content;
    uint64_t hash = UINT64_MAX - frame.number; /* unknown bytes equal nothing */
    if (pf_memory_frame_content(host->base.memory, frame, &content)) {
        hash = hash_content(host, content);
        pf_content_unref(host->base.memory->frames.store, content);
    }
    return cut_hash(host, hash);
}

/* Compares two frames and charges for it; SAME frames are equal at no cost. */
static int compare_frames(PfHost *host, PfMpn a, PfMpn b, size_t *ret_first_difference)
{
    PfMemory *memory = host->base.memory;
    size_t first = 0;
    int sign = -1;
    PfContent left;
    PfContent right;
    bool left_known = pf_memory_frame_content(memory, a, &left);
    bool right_known = pf_memory_frame_content(memory, b, &right);
    if (pf_mpn_equal(a, b)) {
        sign = 0;
        first = host->base.work->page_bytes;
    } else if (left_known && right_known) {
        sign = pf_content_compare(memory->frames.store, left, right, &first);
    }
    if (left_known)
        pf_content_unref(memory->frames.store, left);
    if (right_known)
        pf_content_unref(memory->frames.store, right);
    if (!pf_mpn_equal(a, b)) {
        uint64_t bytes = MIN(first + 1, (size_t)host->base.work->page_bytes);
        host->stats.compares++;
        host->stats.compared_words += (bytes + WORD_BYTES - 1) / WORD_BYTES;
        pf_work_compare(host->base.work, host->place, PF_ACCOUNT_COMPARE,
                        pf_host_frame_address(host, a), pf_host_frame_address(host, b), first);
    }
    if (ret_first_difference != NULL)
        *ret_first_difference = first;
    return sign;
}

int pf_host_compare_pages(PfHost *host, PfPage a, PfPage b, size_t *ret_first_difference)
{
    PfMpn left;
    PfMpn right;
    bool present = pf_host_frame(host, a, &left) && pf_host_frame(host, b, &right);
    g_assert(present);
    return compare_frames(host, left, right, ret_first_difference);
}

int pf_host_compare_frames(PfHost *host, PfMpn a, PfMpn b, size_t *ret_first_difference)
{
    return compare_frames(host, a, b, ret_first_difference);
}

bool pf_host_is_zero(PfHost *host, PfPage page)
{
    PfMpn frame;
    bool present = pf_host_frame(host, page, &frame);
    g_assert(present);
    pf_host_follow(host, page.context);
    size_t first = 0;
    bool is_zero = false;
    PfContent content;
    if (pf_memory_frame_content(host->base.memory, frame, &content)) {
        PfContentStore *store = host->base.memory->frames.store;
        is_zero = pf_content_compare(store, content, PF_CONTENT_OF_ZEROS, &first) == 0;
        pf_content_unref(store, content);
    }
    pf_work_search(host->base.work, host->place, PF_ACCOUNT_COMPARE,
                   pf_host_frame_address(host, frame),
                   MIN(first + 1, host->base.work->page_bytes));
    return is_zero;
}

void pf_host_charge(PfHost *host, PfAccount account, uint64_t cycles)
{
    pf_work_charge(host->base.work, host->place, account, cycles);
}

void pf_host_charge_lines(PfHost *host, PfAccount account, uint64_t count)
{
    pf_work_charge(host->base.work, host->place, account,
                   count * host->base.work->costs->line_cycles);
}

void pf_host_charge_touch(PfHost *host, PfAccount account, unsigned lines, unsigned locks)
{
    pf_work_touch(host->base.work, host->place, account, lines, locks);
}

void pf_host_charge_call(PfHost *host, PfAccount account)
{
    pf_work_charge(host->base.work, host->place, account,
                   host->base.work->costs->flush_remote_cycles);
}

/* ---- acts ---- */

static PfMergeResult merge_result(PfShareResult result)
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

/* What a merge of PAGE onto FRAME costs and what is to be done after it. */
static PfMergeResult finish_merge(PfHost *host, PfPage page, PfShareResult result)
{
    if (result == PF_SHARE_DONE) {
        host->stats.shared++;
        /* What it will be once all the others have left. */
        pf_host_verdict(host, page, PF_WHY_UNIQUE);
        pf_work_charge(host->base.work, host->place, PF_ACCOUNT_MERGE,
                       host->base.work->costs->merge_cycles);
        pf_host_shoot_down(host, host->place, page);
        pf_host_verify(host, page);
    }
    return merge_result(result);
}

PfMergeResult pf_host_merge(PfHost *host, PfPage page, PfPage keeper)
{
    PfSlot slot;
    PfSlot kept;
    if (host->is_unmapping || !pf_host_present_slot(host, page, &slot) ||
        !pf_host_present_slot(host, keeper, &kept))
        return PF_BUSY;
    if (!pf_host_admits(host, page) || !pf_host_admits(host, keeper))
        return PF_NOT_ADMITTED;
    pf_host_follow(host, page.context);
    PfMemory *memory = host->base.memory;
    const PfEntry *entry = pf_memory_entry(memory, kept);
    bool was_writable = (entry->flags & PF_ENTRY_WRITABLE) != 0;
    compare_frames(host, (PfMpn){pf_memory_entry(memory, slot)->mpn}, (PfMpn){entry->mpn}, NULL);
    bool lossy = (host->setup->ops->flags & PF_POLICY_LOSSY) != 0;
    PfShareResult result = pf_share_merge(memory, slot, kept, lossy);
    if (result == PF_SHARE_DONE)
        pf_host_verdict(host, keeper, PF_WHY_UNIQUE);
    if (result == PF_SHARE_DONE && was_writable)
        pf_host_shoot_down(host, host->place, keeper);
    return finish_merge(host, page, result);
}

PfMergeResult pf_host_merge_frame(PfHost *host, PfPage page, PfMpn frame)
{
    PfSlot slot;
    if (host->is_unmapping || !pf_host_present_slot(host, page, &slot) ||
        frame.number >= host->base.memory->frames.limit)
        return PF_BUSY;
    if (!pf_host_admits(host, page))
        return PF_NOT_ADMITTED;
    pf_host_follow(host, page.context);
    PfMemory *memory = host->base.memory;
    compare_frames(host, (PfMpn){pf_memory_entry(memory, slot)->mpn}, frame, NULL);
    bool lossy = (host->setup->ops->flags & PF_POLICY_LOSSY) != 0;
    return finish_merge(host, page, pf_share_merge_frame(memory, slot, frame, lossy));
}

bool pf_host_protect(PfHost *host, PfPage page)
{
    PfSlot slot;
    if (!pf_host_present_slot(host, page, &slot) || !pf_share_protect(host->base.memory, slot))
        return false;
    pf_host_shoot_down(host, host->place, page);
    return true;
}

bool pf_host_isolate(PfHost *host, PfPage page)
{
    PfSlot slot;
    if (!pf_host_present_slot(host, page, &slot))
        return false;
    pf_host_follow(host, page.context);
    const PfEntry *entry = pf_memory_entry(host->base.memory, slot);
    if ((entry->flags & PF_ENTRY_OPEN) != 0)
        pf_host_shoot_down(host, host->place, page);
    return pf_share_isolate(host->base.memory, slot);
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
    return pf_host_merge_frame(host, page, PF_ZERO_FRAME);
}

/* Whether a record under way may have touched PAGE already: the one it has no frame for, or the one
 * before, where an access across both begins. What it stores is not there yet. */
static bool is_half_played(const PfHost *host, PfPage page)
{
    PfPage low = host->low_page;
    return host->is_low && page.context == low.context &&
           (page.cpn.number == low.cpn.number || page.cpn.number + 1 == low.cpn.number);
}

bool pf_host_give_back(PfHost *host, PfPage page)
{
    PfSlot slot;
    g_assert((host->setup->ops->flags & PF_POLICY_COMPRESSING) != 0);
    if (host->is_unmapping || is_half_played(host, page) ||
        !pf_host_present_slot(host, page, &slot) || !pf_host_admits(host, page))
        return false;
    pf_host_follow(host, page.context);
    pf_host_verdict(host, page, PF_WHY_NOT_REACHED); /* what it will be with another frame */
    if (pf_share_give_back(host->base.memory, slot) != PF_SHARE_DONE)
        return false;
    pf_work_charge(host->base.work, host->place, PF_ACCOUNT_MERGE,
                   host->base.work->costs->merge_cycles);
    pf_host_shoot_down(host, host->place, page);
    pf_host_verify(host, page);
    return true;
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
    PfMaddr old = pf_host_frame_address(host, (PfMpn){entry->mpn});
    if (!pf_share_unshare(memory, slot, &copied))
        return false;
    const PfCosts *costs = host->base.work->costs;
    pf_work_charge(host->base.work, host->place, PF_ACCOUNT_MERGE,
                   costs->trap_cycles + (copied ? costs->allocate_cycles : 0));
    if (copied)
        pf_work_copy_page(host->base.work, host->place, PF_ACCOUNT_MERGE, old,
                          pf_host_frame_address(host, (PfMpn){entry->mpn}));
    pf_host_shoot_down(host, host->place, page);
    pf_host_verify(host, page);
    return true;
}

void pf_host_shoot_down(PfHost *host, const PfPlace *initiator, PfPage page)
{
    const PfPlace *target = &host->base.contexts[page.context];
    bool two_stage = host->base.space_is_two_stage[page.context];
    pf_mmu_invalidate(host->base.mmu, target->index, page.context, (PfVpn){page.cpn.number},
                      two_stage);
    const PfCosts *costs = host->base.work->costs;
    if (target->index == initiator->index || pf_host_is_idle(host, page.context)) {
        pf_work_charge(host->base.work, initiator, PF_ACCOUNT_SHOOTDOWN,
                       costs->flush_local_cycles);
        return;
    }
    pf_work_charge(host->base.work, initiator, PF_ACCOUNT_SHOOTDOWN,
                   costs->flush_remote_cycles);
    pf_work_charge(host->base.work, target, PF_ACCOUNT_SHOOTDOWN, costs->flush_target_cycles);
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
