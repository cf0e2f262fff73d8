/* The services of policy.h that touch bytes, and are charged. */
#include "host.h"
#include "host_classes.h"

enum { WORD_BYTES = 4 };

/* Nobody charges as many cycles at once: it is a number below zero. */
static const uint64_t charge_max = INT64_MAX;

/* What a frame holds, while it is looked at. */
typedef struct {
    PfContent content;
    bool is_known;
    bool is_owned; /* there is a reference to give back */
} Held;

static Held hold(PfMemory *memory, PfMpn frame)
{
    Held held = {0};
    held.is_known = pf_memory_frame_peek(memory, frame, &held.content);
    if (!held.is_known)
        held.is_known = held.is_owned = pf_memory_frame_content(memory, frame, &held.content);
    return held;
}

static void let_go(PfMemory *memory, const Held *held)
{
    if (held->is_owned)
        pf_content_unref(memory->frames.store, held->content);
}

/* Forgets the starts of frames if bytes or frames have changed since they were looked at. */
static void refresh_starts(PfHost *host)
{
    const PfMemory *memory = host->base.memory;
    uint64_t changes = memory->changes + memory->past_events + memory->position;
    if (changes != host->start_changes)
        host->start_generation++;
    host->start_changes = changes;
    pf_seg_array_reserve(&host->starts, memory->frames.limit);
}

/* The first bytes of FRAME, where they are at hand. */
static bool frame_start(PfHost *host, PfMpn frame, uint32_t *ret_start)
{
    PfFrameStart *kept = pf_seg_array_at(&host->starts, frame.number);
    PfContent content;
    if (kept->generation != host->start_generation) {
        if (!pf_memory_frame_peek(host->base.memory, frame, &content) ||
            !pf_content_start(host->base.memory->frames.store, content, &kept->start))
            return false;
        kept->generation = host->start_generation;
    }
    *ret_start = kept->start;
    return true;
}

/* As pf_content_compare for what A and B hold; unknown bytes differ from all others. */
static int compare_contents(PfHost *host, PfMpn a, PfMpn b, size_t *ret_first_difference)
{
    PfMemory *memory = host->base.memory;
    uint32_t left_start;
    uint32_t right_start;
    refresh_starts(host);
    if (frame_start(host, a, &left_start) && frame_start(host, b, &right_start) &&
        left_start != right_start)
        return pf_content_compare_starts(left_start, right_start, ret_first_difference);
    *ret_first_difference = 0;
    int sign = -1;
    Held left = hold(memory, a);
    Held right = hold(memory, b);
    if (left.is_known && right.is_known)
        sign = pf_content_compare(memory->frames.store, left.content, right.content,
                                  ret_first_difference);
    let_go(memory, &left);
    let_go(memory, &right);
    return sign;
}

bool pf_host_is_same(PfHost *host, PfMpn a, PfMpn b)
{
    size_t first;
    return pf_mpn_equal(a, b) || compare_contents(host, a, b, &first) == 0;
}

/* Compares two frames and charges for it; SAME frames are equal at no cost. */
static int compare_frames(PfHost *host, PfMpn a, PfMpn b, size_t *ret_first_difference)
{
    size_t first = host->base.work->page_bytes;
    int sign = 0;
    int apart = pf_host_compare_classes(host, a, b);
    if (apart != 0) {
        sign = apart;
        first = 0;
    } else if (!pf_mpn_equal(a, b)) {
        sign = compare_contents(host, a, b, &first);
        uint64_t bytes = MIN(first + 1, (size_t)host->base.work->page_bytes);
        pf_host_tell(host, (PfStep){.kind = PF_STEP_COMPARED,
                                    .frame = a,
                                    .other = b,
                                    .number = first});
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
    g_assert(present && !host->is_unmapping);
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
    g_assert(present && !host->is_unmapping);
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
                   pf_host_frame_address(host, frame), MIN(first + 1, host->base.work->page_bytes));
    return is_zero;
}

void pf_host_charge(PfHost *host, PfAccount account, uint64_t cycles)
{
    g_assert(account < PF_ACCOUNT_COUNT && cycles <= charge_max);
    pf_work_charge(host->base.work, host->place, account, cycles);
}

void pf_host_charge_lines(PfHost *host, PfAccount account, uint64_t count)
{
    pf_work_charge(host->base.work, host->place, account,
                   count * host->base.work->costs->line_cycles);
}

void pf_host_charge_touch(PfHost *host, PfAccount account, PfMpn frame, PfTouch touch)
{
    PfMaddr address = pf_host_frame_address(host, frame);
    pf_work_touch(host->base.work, host->place, account, address, touch);
}

void pf_host_charge_wake(PfHost *host)
{
    if (host->place->cache == NULL)
        return; /* an engine is no thread and has no caches */
    pf_work_forget(host->base.work);
    pf_work_charge(host->base.work, host->place, PF_ACCOUNT_SCAN,
                   host->base.work->costs->wake_cycles);
}

void pf_host_charge_call(PfHost *host, PfAccount account)
{
    pf_work_charge(host->base.work, host->place, account,
                   host->base.work->costs->flush_remote_cycles);
}
