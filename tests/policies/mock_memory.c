#include "mock_state.h"

#include <string.h>

MockPage *mock_find_page(const PfHost *host, PfPage page)
{
    if (page.context >= host->contexts->len)
        return NULL;
    MockContext *context = &g_array_index(host->contexts, MockContext, page.context);
    if (page.cpn.number >= context->pages->len)
        return NULL;
    return &g_array_index(context->pages, MockPage, page.cpn.number);
}

MockPage *mock_present_page(const PfHost *host, PfPage page)
{
    MockPage *found = mock_find_page(host, page);
    return found != NULL && found->is_present ? found : NULL;
}

uint8_t *mock_bytes_of(const PfHost *host, PfMpn mpn)
{
    return host->bytes + (size_t)mpn.number * host->page_bytes;
}

static PfMpn take_frame(PfHost *host)
{
    for (uint64_t i = 0; i < host->frame_count; i++) {
        uint32_t number = (uint32_t)((host->next_frame + i) % host->frame_count);
        if (host->frames[number].references == 0) {
            host->next_frame = number + 1;
            host->frames[number] = (MockFrame){.references = 1};
            return (PfMpn){number};
        }
    }
    g_assert_not_reached();
}

void mock_release_frame(PfHost *host, PfMpn mpn)
{
    MockFrame *frame = &host->frames[mpn.number];
    g_assert(frame->references > 0);
    if (--frame->references == 0)
        frame->tag = 0;
}

static MockPage *add_page(PfHost *host, PfPage page, PfMpn mpn)
{
    MockContext *context = &g_array_index(host->contexts, MockContext, page.context);
    if (page.cpn.number >= context->pages->len)
        g_array_set_size(context->pages, (guint)page.cpn.number + 1);
    MockPage *added = mock_find_page(host, page);
    g_assert(!added->is_present);
    *added = (MockPage){.is_present = true, .mpn = mpn};
    context->present++;
    return added;
}

static void tell_mapped(PfHost *host, PfPage page)
{
    if (host->policy_ops != NULL && host->policy_ops->page_mapped != NULL)
        host->policy_ops->page_mapped(host->policy, page);
}

void mock_break_share(PfHost *host, PfPage page)
{
    MockPage *broken = mock_present_page(host, page);
    MockFrame *frame = &host->frames[broken->mpn.number];
    bool was_merged = frame->is_merged;
    if (frame->references > 1 || frame->tag != 0) {
        PfMpn copy = take_frame(host);
        memcpy(mock_bytes_of(host, copy), mock_bytes_of(host, broken->mpn), host->page_bytes);
        host->frames[copy.number].label = broken->label;
        mock_release_frame(host, broken->mpn);
        broken->mpn = copy;
    } else {
        frame->is_merged = false;
    }
    broken->is_isolated = false;
    if (was_merged && host->policy_ops != NULL && host->policy_ops->share_broken != NULL)
        host->policy_ops->share_broken(host->policy, page);
}

void mock_fill(PfHost *host, PfPage page, uint64_t content)
{
    host->changes++;
    if (mock_present_page(host, page) == NULL) {
        add_page(host, page, take_frame(host));
        tell_mapped(host, page);
    }
    mock_break_share(host, page);
    uint8_t *bytes = mock_bytes_of(host, mock_present_page(host, page)->mpn);
    for (uint32_t i = 0; i < host->page_bytes; i++)
        bytes[i] = (uint8_t)(content >> (i % 8 * 8));
}

void mock_alias(PfHost *host, PfPage page, PfPage of)
{
    host->changes++;
    PfMpn mpn = mock_present_page(host, of)->mpn;
    add_page(host, page, mpn);
    host->frames[mpn.number].references++;
    tell_mapped(host, page);
}

void mock_unmap(PfHost *host, PfPage page)
{
    host->changes++;
    if (host->policy_ops != NULL && host->policy_ops->page_unmapped != NULL)
        host->policy_ops->page_unmapped(host->policy, page);
    MockPage *gone = mock_present_page(host, page);
    mock_release_frame(host, gone->mpn);
    gone->is_present = false;
    g_array_index(host->contexts, MockContext, page.context).present--;
}

void mock_move(PfHost *host, uint32_t context, uint64_t first, uint64_t target, uint64_t pages)
{
    host->changes++;
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t offset = target > first ? pages - 1 - i : i;
        PfPage to = mock_page(context, target + offset);
        if (mock_present_page(host, to) != NULL)
            mock_unmap(host, to);
        MockPage *from = mock_present_page(host, mock_page(context, first + offset));
        if (from == NULL)
            continue;
        MockPage moved = *from;
        from->is_present = false;
        g_array_index(host->contexts, MockContext, context).present--;
        *add_page(host, to, moved.mpn) = moved;
    }
    PfContextEvent event = {.kind = PF_CONTEXT_REMAPPED,
                            .context = context,
                            .first = {first},
                            .target = {target},
                            .pages = pages};
    host->policy_ops->context_event(host->policy, &event);
}

void mock_pin(PfHost *host, PfPage page, bool is_pinned)
{
    mock_present_page(host, page)->is_pinned = is_pinned;
}

void mock_set_idle(PfHost *host, uint32_t context, bool is_idle)
{
    g_array_index(host->contexts, MockContext, context).is_idle = is_idle;
}

void mock_set_label(PfHost *host, uint32_t context, const char *label)
{
    g_array_index(host->contexts, MockContext, context).label = label;
}

uint64_t mock_blocked_until(const PfHost *host, uint32_t context)
{
    return g_array_index(host->contexts, MockContext, context).blocked_until;
}

void mock_set_flags(PfHost *host, PfPage page, unsigned flags)
{
    mock_present_page(host, page)->flags = flags;
}

void mock_label(PfHost *host, PfPage page, unsigned label)
{
    MockPage *labelled = mock_present_page(host, page);
    labelled->label = label;
    host->frames[labelled->mpn.number].label = label;
}

bool mock_holds(const PfHost *host, PfPage page, uint64_t content)
{
    const uint8_t *bytes = mock_bytes_of(host, mock_present_page(host, page)->mpn);
    for (uint32_t i = 0; i < host->page_bytes; i++)
        if (bytes[i] != (uint8_t)(content >> (i % 8 * 8)))
            return false;
    return true;
}

uint64_t mock_used_frames(const PfHost *host)
{
    uint64_t used = 0;
    for (uint64_t i = 0; i < host->frame_count; i++)
        used += host->frames[i].references > 0;
    return used;
}

/* ---- Services about contexts ---- */

bool pf_host_next_page(PfHost *host, PfPage page, PfPage *ret_page)
{
    return (pf_host_cursor_next(host, page, ret_page) && ret_page->context == page.context) ||
           (pf_host_cursor_next(host, mock_page(page.context, 0), ret_page) &&
            ret_page->context == page.context);
}

bool pf_host_is_idle(const PfHost *host, uint32_t context)
{
    return g_array_index(host->contexts, MockContext, context).is_idle;
}

void pf_host_block(PfHost *host, uint32_t context, uint64_t until)
{
    g_array_index(host->contexts, MockContext, context).blocked_until = until;
}

const char *pf_host_label(const PfHost *host, uint32_t context)
{
    const char *label = g_array_index(host->contexts, MockContext, context).label;
    return label != NULL ? label : "";
}

uint64_t pf_host_machine_hz(const PfHost *host)
{
    (void)host;
    return MOCK_CLOCK_HZ;
}
