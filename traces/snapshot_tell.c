#include "snapshot_process.h"

static void flush_run(PfTelling *telling)
{
    if (telling->run.count == 0)
        return;
    if (telling->run.kind == PF_RECORD_ALIAS)
        telling->run.detail = &telling->detail;
    pf_trace_writer_add(telling->sight->writer, &telling->run);
    telling->run.count = 0;
}

/* Adds PAGE to the run, which is written first if the page does not continue it. */
static void add_page(PfTelling *telling, PfRecordKind kind, const PfSeenPage *page)
{
    PfRecord *run = &telling->run;
    uint64_t run_bytes = run->count * pf_snapshot_page_bytes();
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
    flush_run(telling);
    *run = (PfRecord){
        .address = page->address,
        .count = 1,
        .content = content,
        .context = telling->process->context,
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
static void tell_content(PfTelling *telling, const PfSeenPage *before, const PfSeenPage *page,
                         PfSeenFrame *frame)
{
    if (before != NULL && before->kind == PF_SEEN_CONTENT && before->content == page->content)
        return;
    add_page(telling, PF_RECORD_STATE, page);
    telling->sight->summary->told_pages++;
    if (frame != NULL)
        frame->is_told = true;
}

/* A page that maps another's frame: told if it did not, or if the other has new bytes, for `state`
 * gives those to the other only. */
static void tell_alias(PfTelling *telling, const PfSeenPage *before, const PfSeenPage *page,
                       const PfSeenFrame *frame)
{
    if (before == NULL || before->kind != PF_SEEN_ALIAS || frame->is_told ||
        before->source_context != page->source_context ||
        before->source_address != page->source_address)
        add_page(telling, PF_RECORD_ALIAS, page);
}

/* The mapping that PAGE lies in; pages come in ascending order. */
static const PfMapping *mapping_of(PfTelling *telling, const PfSeenPage *page)
{
    const GArray *mappings = telling->process->mappings;
    while (g_array_index(mappings, PfMapping, telling->mapping).end <= page->address)
        telling->mapping++;
    return &g_array_index(mappings, PfMapping, telling->mapping);
}

static void tell_own(PfTelling *telling, const PfSeenPage *page)
{
    flush_run(telling);
    pf_process_tell_backing(telling->process, mapping_of(telling, page), page,
                            telling->sight->writer);
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
    const GArray *pages = telling->process->pages;
    while (telling->old < pages->len) {
        const PfSeenPage *page = &g_array_index(pages, PfSeenPage, telling->old);
        if (page->address > address)
            return NULL;
        telling->old++;
        if (page->address == address)
            return page;
        tell_gone(telling, page);
    }
    return NULL;
}

void pf_telling_init(PfTelling *telling, PfSight *sight, PfProcess *process)
{
    *telling = (PfTelling){
        .sight = sight,
        .process = process,
        .pages = g_array_new(FALSE, FALSE, sizeof(PfSeenPage)),
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

void pf_telling_add(PfTelling *telling, const PfSeenPage *page, PfSeenFrame *frame)
{
    const PfSeenPage *before = take_old(telling, page->address);
    if (tell_backing(telling, before, page))
        before = NULL;
    if (page->kind == PF_SEEN_CONTENT)
        tell_content(telling, before, page, frame);
    else if (page->kind == PF_SEEN_ALIAS)
        tell_alias(telling, before, page, frame);
    else if (before != NULL && before->kind != PF_SEEN_ZERO)
        add_page(telling, PF_RECORD_ADVISE, page);
    g_array_append_val(telling->pages, *page);
}

void pf_telling_finish(PfTelling *telling)
{
    /* Pages begin below the last address, which none can have. */
    take_old(telling, UINT64_MAX);
    flush_run(telling);
    g_array_unref(telling->process->pages);
    telling->process->pages = g_steal_pointer(&telling->pages);
}
