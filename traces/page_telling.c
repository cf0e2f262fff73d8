#include "page_telling.h"

void pf_telling_flush(PfTelling *telling)
{
    if (telling->run.count == 0)
        return;
    if (telling->run.kind == PF_RECORD_ALIAS)
        telling->run.detail = &telling->detail;
    pf_trace_writer_add(telling->writer, &telling->run);
    telling->run.count = 0;
}

/* Adds PAGE to the run, which is written first if the page does not continue it. */
static void add_page(PfTelling *telling, PfRecordKind kind, const PfSeenPage *page)
{
    PfRecord *run = &telling->run;
    uint64_t run_bytes = run->count * telling->page_bytes;
    uint32_t content = kind == PF_RECORD_STATE ? page->content : PF_TRACE_NO_CONTENT;
    bool continues = run->count > 0 && run->kind == kind && run->content == content &&
                     run->address + run_bytes == page->address;
    if (kind == PF_RECORD_ALIAS)
        continues = continues && telling->detail.other_context == page->source_context &&
                    telling->detail.other_address + run_bytes == page->source_address;
    if (continues) {
        run->count++;
        return;
    }
    pf_telling_flush(telling);
    *run = (PfRecord){
        .address = page->address,
        .count = 1,
        .content = content,
        .context = telling->context,
        .kind = (uint8_t)kind,
        .choice = kind == PF_RECORD_ADVISE ? PF_ADVICE_DONTNEED : 0,
    };
    telling->detail = (PfTraceDetail){
        .other_address = kind == PF_RECORD_ALIAS ? page->source_address : 0,
        .other_context = kind == PF_RECORD_ALIAS ? page->source_context : 0,
        .node = -1,
        .core = -1,
    };
}

/* A page that is its frame's first: told if its bytes are new, or if it shared a frame before, for
 * `state` gives it one of its own. */
static bool tell_content(PfTelling *telling, const PfSeenPage *before, const PfSeenPage *page)
{
    if (before != NULL && before->kind == PF_SEEN_CONTENT && before->content == page->content)
        return false;
    add_page(telling, PF_RECORD_STATE, page);
    telling->told_pages++;
    return true;
}

/* A page that maps another's frame: told if it did not, or if the other has new bytes, for `state`
 * gives those to the other only. */
static void tell_alias(PfTelling *telling, const PfSeenPage *before, const PfSeenPage *page,
                       bool source_is_told)
{
    if (before == NULL || before->kind != PF_SEEN_ALIAS || source_is_told ||
        before->source_context != page->source_context ||
        before->source_address != page->source_address)
        add_page(telling, PF_RECORD_ALIAS, page);
}

static void tell_own(PfTelling *telling, const PfSeenPage *page)
{
    pf_telling_flush(telling);
    telling->tell_backing(telling->user, page);
}

/* PAGE, told before, is not populated any more: its place is the file's again, or empty. */
static void tell_gone(PfTelling *telling, const PfSeenPage *page)
{
    PfSeenPage gone = *page;
    gone.is_own = false;
    if (page->is_own)
        tell_own(telling, &gone);
    else if (page->kind != PF_SEEN_ZERO)
        add_page(telling, PF_RECORD_ADVISE, page);
}

/* Deals with the pages told before up to ADDRESS: those below it are gone. Returns the one at it.
 */
static const PfSeenPage *take_old(PfTelling *telling, uint64_t address)
{
    while (telling->old < telling->before->len) {
        const PfSeenPage *page = &g_array_index(telling->before, PfSeenPage, telling->old);
        if (page->address > address)
            return NULL;
        telling->old++;
        if (page->address == address)
            return page;
        tell_gone(telling, page);
    }
    return NULL;
}

void pf_telling_init(PfTelling *telling, PfTraceWriter *writer, uint32_t context,
                     uint32_t page_bytes, const GArray *before, bool keeps_pages)
{
    *telling = (PfTelling){
        .writer = writer,
        .context = context,
        .page_bytes = page_bytes,
        .before = before,
        .pages = g_array_new(FALSE, FALSE, sizeof(PfSeenPage)),
        .keeps_pages = keeps_pages,
    };
}

/* A private mapping of a file has pages that were stored to, which are anonymous memory. */
static bool tell_backing(PfTelling *telling, const PfSeenPage *before, const PfSeenPage *page)
{
    if (page->is_own == (before != NULL && before->is_own))
        return false;
    tell_own(telling, page);
    return true;
}

bool pf_telling_add(PfTelling *telling, const PfSeenPage *page, bool source_is_told)
{
    const PfSeenPage *before = take_old(telling, page->address);
    bool is_told = false;
    if (tell_backing(telling, before, page))
        before = NULL;
    if (page->kind == PF_SEEN_CONTENT)
        is_told = tell_content(telling, before, page);
    else if (page->kind == PF_SEEN_ALIAS)
        tell_alias(telling, before, page, source_is_told);
    else if (before != NULL && before->kind != PF_SEEN_ZERO)
        add_page(telling, PF_RECORD_ADVISE, page);
    if (telling->keeps_pages)
        g_array_append_val(telling->pages, *page);
    return is_told;
}

void pf_telling_forget(PfTelling *telling, uint64_t start, uint64_t end)
{
    if (start > 0)
        take_old(telling, start - 1);
    while (telling->old < telling->before->len &&
           g_array_index(telling->before, PfSeenPage, telling->old).address < end)
        telling->old++;
    pf_telling_flush(telling);
}

GArray *pf_telling_finish(PfTelling *telling)
{
    /* Pages begin below the last address, which none can have. */
    take_old(telling, UINT64_MAX);
    pf_telling_flush(telling);
    return g_steal_pointer(&telling->pages);
}
