/* The acts of policy.h over the mock host, and its tickets. */
#include "mock_state.h"

#include <string.h>

/* PAGE, admitted, onto FRAME with its bytes compared first. */
static PfMergeResult merge(PfHost *host, PfPage page, PfMpn mpn)
{
    MockPage *merged = mock_present_page(host, page);
    MockFrame *frame = &host->frames[mpn.number];
    if (merged == NULL || (merged->is_pinned && !merged->is_isolated))
        return PF_BUSY;
    if (pf_mpn_equal(merged->mpn, mpn))
        return PF_SAME;
    if (merged->label != frame->label)
        return PF_NOT_ADMITTED;
    if (memcmp(mock_bytes_of(host, merged->mpn), mock_bytes_of(host, mpn), host->page_bytes) != 0)
        return PF_DIFFERS;
    mock_release_frame(host, merged->mpn);
    merged->mpn = mpn;
    frame->references++;
    frame->is_merged = true;
    return PF_MERGED;
}

PfMergeResult pf_host_merge(PfHost *host, PfPage page, PfPage keeper)
{
    const MockPage *kept = mock_present_page(host, keeper);
    return kept == NULL || kept->is_pinned ? PF_BUSY : merge(host, page, kept->mpn);
}

PfMergeResult pf_host_merge_frame(PfHost *host, PfPage page, PfMpn frame)
{
    g_assert(host->frames[frame.number].is_merged);
    g_assert(host->frames[frame.number].references > 0);
    return merge(host, page, frame);
}

bool pf_host_protect(PfHost *host, PfPage page)
{
    const MockPage *protected = mock_present_page(host, page);
    if (protected == NULL)
        return false;
    host->frames[protected->mpn.number].is_merged = true;
    return true;
}

PfMergeResult pf_host_map_zero(PfHost *host, PfPage page)
{
    (void)host;
    (void)page;
    return PF_BUSY;
}

bool pf_host_isolate(PfHost *host, PfPage page)
{
    MockPage *isolated = mock_present_page(host, page);
    if (isolated == NULL || (isolated->is_pinned && !isolated->is_isolated))
        return false;
    isolated->is_isolated = true;
    host->frames[isolated->mpn.number].is_merged = true;
    return true;
}

void pf_host_claim(PfHost *host, PfPage page, uint32_t tag)
{
    const MockPage *claimed = mock_present_page(host, page);
    g_assert(claimed->is_isolated && tag != 0);
    host->frames[claimed->mpn.number].tag = tag;
}

void pf_host_set_frame_tag(PfHost *host, PfMpn frame, uint32_t tag)
{
    g_assert(host->frames[frame.number].tag != 0 && tag != 0);
    host->frames[frame.number].tag = tag;
}

bool pf_host_unshare(PfHost *host, PfPage page)
{
    const MockPage *shared = mock_present_page(host, page);
    if (shared == NULL || !host->frames[shared->mpn.number].is_merged)
        return false;
    mock_break_share(host, page);
    return true;
}

/* Bytes are kept, each content once, until the host goes; tickets are counted. */
PfTicket pf_host_remember(PfHost *host, PfPage page)
{
    PfMpn frame = mock_present_page(host, page)->mpn;
    const uint8_t *bytes = mock_bytes_of(host, frame);
    guint i = 0;
    while (i < host->remembered->len &&
           memcmp(g_ptr_array_index(host->remembered, i), bytes, host->page_bytes) != 0)
        i++;
    if (i == host->remembered->len)
        g_ptr_array_add(host->remembered, g_memdup2(bytes, host->page_bytes));
    host->tickets++;
    return (PfTicket){.content = i, .frame = frame};
}

void pf_host_forget(PfHost *host, PfTicket ticket)
{
    g_assert(ticket.content < host->remembered->len && host->tickets > 0);
    host->tickets--;
}

int pf_host_compare_tickets(PfHost *host, PfTicket a, PfTicket b)
{
    host->counts.compares++;
    return memcmp(g_ptr_array_index(host->remembered, a.content),
                  g_ptr_array_index(host->remembered, b.content), host->page_bytes);
}

void pf_host_charge_touch(PfHost *host, PfAccount account, PfMpn frame, PfTouch touch)
{
    (void)frame;
    host->counts.lines[account] += touch.own_lines + touch.common_lines;
    host->counts.locks[account] += touch.locks;
}

void pf_host_charge_wake(PfHost *host)
{
    host->counts.switches++;
}

void pf_host_charge_call(PfHost *host, PfAccount account)
{
    host->counts.calls[account]++;
}

bool pf_host_is_zero(PfHost *host, PfPage page)
{
    g_autofree uint8_t *zeros = g_malloc0(host->page_bytes);
    return memcmp(mock_bytes_of(host, mock_present_page(host, page)->mpn), zeros,
                  host->page_bytes) == 0;
}

bool pf_host_give_back(PfHost *host, PfPage page)
{
    (void)host;
    (void)page;
    return false;
}

/* ---- Classes and filters: there are none ---- */

uint32_t pf_host_class(const PfHost *host, PfPage page)
{
    (void)host;
    (void)page;
    return 0;
}

bool pf_host_is_left_out(PfHost *host, PfPage page)
{
    (void)host;
    (void)page;
    return false;
}

bool pf_host_next_expired(PfHost *host, PfPage *ret_page)
{
    (void)host;
    (void)ret_page;
    return false;
}

uint64_t pf_host_accesses(const PfHost *host)
{
    (void)host;
    return 0;
}
