#include "snapshot_process.h"

/* Neighbouring pages that are told by one record. */
typedef struct {
    PfSight *sight;
    uint32_t context;
    PfRecord record; /* `count` 0: none */
    PfTraceDetail detail;
} Run;

static void flush_run(Run *run)
{
    if (run->record.count == 0)
        return;
    if (run->record.kind == PF_RECORD_ALIAS)
        run->record.detail = &run->detail;
    pf_trace_writer_add(run->sight->writer, &run->record);
    run->record.count = 0;
}

/* Adds a page at ADDRESS to the run, which is written first if the page does not continue it. */
static void add_page(Run *run, PfRecordKind kind, const PfSeenPage *page)
{
    uint64_t page_bytes = pf_snapshot_page_bytes();
    PfRecord *record = &run->record;
    uint64_t grown_bytes = record->count * page_bytes;
    uint32_t content = kind == PF_RECORD_STATE ? page->content : PF_TRACE_NO_CONTENT;
    bool continues = record->count > 0 && record->kind == kind && record->content == content &&
                     record->address + grown_bytes == page->address;
    if (kind == PF_RECORD_ALIAS)
        continues = continues && run->detail.other_context == page->source_context &&
                    run->detail.other_address + grown_bytes == page->source_address;
    if (continues) {
        record->count++;
        return;
    }
    flush_run(run);
    *record = (PfRecord){
        .address = page->address,
        .count = 1,
        .content = content,
        .context = run->context,
        .kind = (uint8_t)kind,
        .choice = kind == PF_RECORD_ADVISE ? PF_ADVICE_DONTNEED : 0,
    };
    run->detail = (PfTraceDetail){
        .other_address = kind == PF_RECORD_ALIAS ? page->source_address : 0,
        .other_context = kind == PF_RECORD_ALIAS ? page->source_context : 0,
        .node = -1,
        .core = -1,
    };
}

/* A page that is its frame's first: told if its bytes are new, or if it shared a frame before, for
 * `state` gives it one of its own. */
static void tell_content(Run *run, const PfSeenPage *before, const PfSeenPage *page,
                         PfSeenFrame *frame)
{
    if (before != NULL && before->kind == PF_SEEN_CONTENT && before->content == page->content)
        return;
    add_page(run, PF_RECORD_STATE, page);
    run->sight->summary->told_pages++;
    if (frame != NULL)
        frame->is_told = true;
}

/* A page that maps another's frame: told if it did not, or if the other has new bytes, for `state`
 * gives those to the other only. */
static void tell_alias(Run *run, const PfSeenPage *before, const PfSeenPage *page,
                       const PfSeenFrame *frame)
{
    if (before == NULL || before->kind != PF_SEEN_ALIAS || frame->is_told ||
        before->source_context != page->source_context ||
        before->source_address != page->source_address)
        add_page(run, PF_RECORD_ALIAS, page);
}

void pf_process_tell_pages(PfProcess *process, GArray *pages, const GPtrArray *frames,
                           PfSight *sight)
{
    Run run = {.sight = sight, .context = process->context};
    guint old = 0;
    for (guint i = 0; i <= pages->len; i++) {
        const PfSeenPage *page = i < pages->len ? &g_array_index(pages, PfSeenPage, i) : NULL;
        const PfSeenPage *before = NULL;
        for (; old < process->pages->len && before == NULL; old++) {
            const PfSeenPage *candidate = &g_array_index(process->pages, PfSeenPage, old);
            if (page != NULL && candidate->address > page->address)
                break;
            if (page != NULL && candidate->address == page->address)
                before = candidate;
            else if (candidate->kind != PF_SEEN_ZERO)
                add_page(&run, PF_RECORD_ADVISE, candidate);
        }
        if (page == NULL)
            break;
        PfSeenFrame *frame = frames->pdata[i];
        if (page->kind == PF_SEEN_CONTENT)
            tell_content(&run, before, page, frame);
        else if (page->kind == PF_SEEN_ALIAS)
            tell_alias(&run, before, page, frame);
        else if (before != NULL && before->kind != PF_SEEN_ZERO)
            add_page(&run, PF_RECORD_ADVISE, page);
    }
    flush_run(&run);
    g_array_unref(process->pages);
    process->pages = pages;
}
