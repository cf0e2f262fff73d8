/* Which contents the policy has made pages share the most. */
#include "run.h"

#include <string.h>

/* Pages of each frame that the policy merged; by MPN. */
static uint32_t *count_merged(const PfHost *host, uint32_t limit)
{
    uint32_t *pages = g_new0(uint32_t, MAX(limit, 1));
    PfPage page = {0, {0}};
    PfMpn frame;
    while (pf_host_cursor_next(host, page, &page)) {
        if ((pf_host_flags(host, page) & PF_FLAG_MERGED) != 0 && pf_host_frame(host, page, &frame))
            pages[frame.number]++;
        page.cpn = pf_cpn_plus(page.cpn, 1);
    }
    return pages;
}

void pf_run_shared_split(const PfRun *run, uint64_t *ret_inside, uint64_t *ret_across)
{
    const PfHost *host = run->host;
    /* By frame: one more than the last context that was seen to map it, 0 for none. */
    g_autofree uint32_t *last = g_new0(uint32_t, MAX(host->base.memory->frames.limit, 1));
    uint64_t inside = 0;
    uint64_t across = 0;
    PfPage page = {0, {0}};
    PfMpn frame;
    while (pf_host_cursor_next(host, page, &page)) {
        if ((pf_host_flags(host, page) & PF_FLAG_MERGED) != 0 &&
            pf_host_frame(host, page, &frame)) {
            inside += last[frame.number] == page.context + 1;
            across += last[frame.number] != 0 && last[frame.number] != page.context + 1;
            last[frame.number] = page.context + 1;
        }
        page.cpn = pf_cpn_plus(page.cpn, 1);
    }
    *ret_inside = inside;
    *ret_across = across;
}

static bool is_all(const uint8_t *bytes, size_t count, uint8_t value)
{
    return bytes[0] == value && memcmp(bytes, bytes + 1, count - 1) == 0;
}

static void describe(PfHost *host, PfMpn frame, PfSharedContent *content)
{
    PfMemory *memory = host->base.memory;
    PfContent held;
    if (!pf_memory_frame_content(memory, frame, &held))
        return;
    size_t page_bytes = host->base.work->page_bytes;
    g_autofree uint8_t *scratch = g_malloc(page_bytes);
    const uint8_t *bytes = pf_content_bytes(memory->frames.store, held, scratch);
    content->key = pf_host_key_of(host, held);
    content->is_zero = bytes != NULL && is_all(bytes, page_bytes, 0);
    content->is_ones = bytes != NULL && is_all(bytes, page_bytes, UINT8_MAX);
    pf_content_unref(memory->frames.store, held);
}

size_t pf_run_top_shared(const PfRun *run, PfSharedContent *contents, size_t count)
{
    PfHost *host = run->host;
    uint32_t limit = host->base.memory->frames.limit;
    g_autofree uint32_t *pages = count_merged(host, limit);
    size_t found = 0;
    while (found < count) {
        PfMpn most = {0};
        for (uint32_t i = 1; i < limit; i++)
            if (pages[i] > pages[most.number])
                most.number = i;
        if (limit == 0 || pages[most.number] < 2)
            break;
        contents[found] = (PfSharedContent){.pages = pages[most.number]};
        describe(host, most, &contents[found++]);
        pages[most.number] = 0;
    }
    return found;
}
