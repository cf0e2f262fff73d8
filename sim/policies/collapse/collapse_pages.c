#include "collapse_pages.h"

/* A pointer: its frame and its neighbours on that, of 32 bits each; a frame: its first pointer and
 * how many there are. */
enum { POINTER_BYTES = 12, FRAME_BYTES = 8, AGE_BYTES = 8 };

void pf_collapse_pages_init(PfCollapsePages *pages, PfHost *host)
{
    *pages = (PfCollapsePages){.host = host};
    pf_seg_array_init(&pages->pages, sizeof(PfCollapsePage));
    pf_seg_array_init(&pages->frames, sizeof(PfCollapseFrame));
    pages->by_context = g_array_new(FALSE, TRUE, sizeof(PfTable));
}

void pf_collapse_pages_clear(PfCollapsePages *pages)
{
    if (pages->by_context == NULL)
        return;
    pf_seg_array_clear(&pages->pages);
    pf_seg_array_clear(&pages->frames);
    for (unsigned i = 0; i < pages->by_context->len; i++)
        pf_table_clear(&g_array_index(pages->by_context, PfTable, i));
    g_clear_pointer(&pages->by_context, g_array_unref);
}

PfCollapseFrame *pf_collapse_frame(PfCollapsePages *pages, PfMpn frame)
{
    if (frame.number >= pages->frames.count)
        pf_seg_array_reserve(&pages->frames, (uint64_t)frame.number + 1);
    return pf_seg_array_at(&pages->frames, frame.number);
}

uint32_t pf_collapse_pages_find(const PfCollapsePages *pages, PfPage page)
{
    uint64_t number;
    if (page.context >= pages->by_context->len ||
        !pf_table_find(&g_array_index(pages->by_context, PfTable, page.context), page.cpn.number,
                       &number))
        return 0;
    return (uint32_t)number;
}

static void link_page(PfCollapsePages *pages, uint32_t number, PfMpn mpn)
{
    PfCollapsePage *page = pf_collapse_page(pages, number);
    PfCollapseFrame *frame = pf_collapse_frame(pages, mpn);
    if (frame->pages++ == 0) {
        frame->born = ++pages->frames_met;
        pages->frame_count++;
    }
    /* Behind the first, which is what others are mapped to as long as it stays. */
    page->frame = mpn;
    page->previous = frame->first;
    page->next = 0;
    if (frame->first == 0) {
        frame->first = number;
        return;
    }
    PfCollapsePage *first = pf_collapse_page(pages, frame->first);
    page->next = first->next;
    if (first->next != 0)
        pf_collapse_page(pages, first->next)->previous = number;
    first->next = number;
}

/* The page leaves its frame, which is nobody's then if it was the last. */
static void unlink_page(PfCollapsePages *pages, uint32_t number)
{
    PfCollapsePage *page = pf_collapse_page(pages, number);
    PfCollapseFrame *frame = pf_collapse_frame(pages, page->frame);
    if (page->previous != 0)
        pf_collapse_page(pages, page->previous)->next = page->next;
    else
        frame->first = page->next;
    if (page->next != 0)
        pf_collapse_page(pages, page->next)->previous = page->previous;
    if (--frame->pages > 0)
        return;
    pf_collapse_pages_unfile(pages, page->frame);
    pages->frame_count--;
}

static uint32_t new_page(PfCollapsePages *pages, PfPage page)
{
    uint32_t number = pages->first_free;
    if (number != 0) {
        pages->first_free = pf_collapse_page(pages, number)->next;
    } else {
        number = ++pages->limit;
        pf_seg_array_reserve(&pages->pages, (uint64_t)number + 1);
    }
    *pf_collapse_page(pages, number) = (PfCollapsePage){.page = page};
    if (page.context >= pages->by_context->len)
        g_array_set_size(pages->by_context, page.context + 1);
    pf_table_insert(&g_array_index(pages->by_context, PfTable, page.context), page.cpn.number,
                    number);
    pages->page_count++;
    return number;
}

uint32_t pf_collapse_pages_sync(PfCollapsePages *pages, PfPage page)
{
    uint32_t number = pf_collapse_pages_find(pages, page);
    PfMpn frame;
    if (!pf_host_frame(pages->host, page, &frame)) {
        g_assert(number == 0);
        return 0;
    }
    if (number == 0) {
        number = new_page(pages, page);
        link_page(pages, number, frame);
    } else if (!pf_mpn_equal(pf_collapse_page(pages, number)->frame, frame)) {
        unlink_page(pages, number);
        link_page(pages, number, frame);
        pf_collapse_page(pages, number)->merged_stores = 0;
    }
    return number;
}

void pf_collapse_pages_remove(PfCollapsePages *pages, uint32_t number)
{
    PfCollapsePage *page = pf_collapse_page(pages, number);
    g_assert(page->list == PF_COLLAPSE_KNOWN);
    unlink_page(pages, number);
    pf_table_remove(&g_array_index(pages->by_context, PfTable, page->page.context),
                    page->page.cpn.number);
    page->next = pages->first_free;
    pages->first_free = number;
    pages->page_count--;
}

void pf_collapse_pages_move(PfCollapsePages *pages, const PfContextEvent *event)
{
    uint64_t end = event->target.number + event->pages;
    PfPage there = {event->context, event->target};
    while (pf_host_cursor_next(pages->host, there, &there) &&
           there.context == event->context && there.cpn.number < end) {
        PfPage from = there;
        from.cpn.number = there.cpn.number - event->target.number + event->first.number;
        uint32_t number = pf_collapse_pages_find(pages, from);
        if (number != 0) {
            PfTable *table = &g_array_index(pages->by_context, PfTable, event->context);
            pf_table_remove(table, from.cpn.number);
            pf_table_insert(table, there.cpn.number, number);
            pf_collapse_page(pages, number)->page = there;
        }
        there.cpn = pf_cpn_plus(there.cpn, 1);
    }
}

bool pf_collapse_pages_file(PfCollapsePages *pages, uint32_t number, uint64_t key)
{
    const PfCollapsePage *page = pf_collapse_page(pages, number);
    PfCollapseFrame *frame = pf_collapse_frame(pages, page->frame);
    /* What was written since may have been dropped by the finder itself. */
    bool is_there = frame->is_filed && (!frame->is_stale || pf_host_finds_all(pages->host));
    frame->is_stale = false;
    if (is_there && frame->key == key)
        return true;
    pf_collapse_pages_unfile(pages, page->frame);
    if (pages->filed_count >= pf_host_frame_capacity(pages->host))
        return false;
    frame->key = key;
    frame->is_filed = true;
    pages->filed_count++;
    pf_host_file(pages->host, key, page->page, page->frame.number);
    return true;
}

void pf_collapse_pages_unfile(PfCollapsePages *pages, PfMpn mpn)
{
    PfCollapseFrame *frame = pf_collapse_frame(pages, mpn);
    if (!frame->is_filed)
        return;
    frame->is_filed = false;
    pages->filed_count--;
    pf_host_unfile(pages->host, frame->key, mpn.number);
}

uint64_t pf_collapse_pages_bytes(const PfCollapsePages *pages, bool has_ages)
{
    uint64_t frame_bytes = has_ages ? FRAME_BYTES + AGE_BYTES : FRAME_BYTES;
    return pages->page_count * POINTER_BYTES + pages->frame_count * frame_bytes;
}

void pf_collapse_pages_check(const PfCollapsePages *pages)
{
    uint64_t found = 0;
    uint64_t filed = 0;
    for (uint64_t mpn = 0; mpn < pages->frames.count; mpn++) {
        const PfCollapseFrame *frame = pf_seg_array_at(&pages->frames, (uint32_t)mpn);
        uint32_t mapped = 0;
        for (uint32_t i = frame->pages > 0 ? frame->first : 0; i != 0;
             i = pf_collapse_page(pages, i)->next) {
            const PfCollapsePage *page = pf_collapse_page(pages, i);
            PfMpn now;
            bool present = pf_host_frame(pages->host, page->page, &now);
            g_assert(present && now.number == mpn && pf_mpn_equal(page->frame, now));
            g_assert(pf_collapse_pages_find(pages, page->page) == i);
            mapped++;
        }
        g_assert(mapped == frame->pages);
        found += mapped;
        filed += frame->is_filed;
        g_assert(!frame->is_filed || mapped > 0);
    }
    g_assert(found == pages->page_count && filed == pages->filed_count);
}
