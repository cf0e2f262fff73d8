/* The beginning: contexts, their mappings, and what their pages hold at first. */
#include <inttypes.h>
#include <string.h>

#include "rng.h"
#include "workload_maker.h"

/* Bits of the place where a process begins, in pages: as many as Linux takes on x86-64
 * (CONFIG_ARCH_MMAP_RND_BITS, 28). */
enum { ADDRESS_BITS = 28 };

/* The content of number NUMBER in one byte of which stands something else, in the VARIANT-th of all
 * ways of doing so. */
static void vary(const PfMaker *maker, PfContentSpec *content, uint64_t variant, uint64_t place)
{
    content->with = (uint8_t)(1 + variant % UINT8_MAX);
    content->at = (uint32_t)((place + variant / UINT8_MAX) % maker->workload->page_bytes);
}

const PfPages *pf_maker_original(const PfMaker *maker, const PfWorkloadGroup *group, uint64_t index,
                                 uint64_t rank, PfContentSpec *ret_content)
{
    const PfPages *kind = (const PfPages *)(const void *)group->kinds->data;
    while (rank - kind->first >= kind->count)
        kind++;
    *ret_content = (PfContentSpec){.form = PF_CONTENT_ZERO};
    if (kind->form == PF_PAGES_ONES)
        ret_content->form = PF_CONTENT_ONES;
    if (kind->form == PF_PAGES_ZERO || kind->form == PF_PAGES_ONES || kind->form == PF_PAGES_UNUSED)
        return kind;
    uint64_t page = rank - kind->first;
    *ret_content = (PfContentSpec){
        .form = PF_CONTENT_ID,
        .number = kind->id + index * kind->stride + (kind->start + page) % kind->distinct,
    };
    if (kind->form == PF_PAGES_SIMILAR && page >= kind->distinct) {
        PfRng place = {.state = ret_content->number};
        vary(maker, ret_content, page / kind->distinct - 1, pf_rng_next(&place) >> 1);
    } else if (page >= kind->count - kind->moved) {
        /* Also in one context: one program stands at other places in other processes. */
        uint64_t copy = page / kind->distinct;
        vary(maker, ret_content, copy * maker->workload->contexts + group->first_context + index,
             0);
    }
    return kind;
}

/* What CONTENT, which differs in one byte, is if DIFFER bytes from that on do so: all of them, so
 * that pages whose first byte or its change is another are never equal. */
static PfContentSpec differ_more(PfMaker *maker, const PfContentSpec *content, uint64_t differ)
{
    uint32_t page_bytes = (uint32_t)maker->workload->page_bytes;
    PfContentSpec base = {.form = PF_CONTENT_ID, .number = content->number};
    pf_content_spec_expand(&base, page_bytes, maker->bytes);
    PfRng other = {.state = content->number ^ (uint64_t)content->at << 8 ^ content->with};
    maker->bytes[content->at] ^= content->with;
    for (uint64_t i = 1; i < differ; i++)
        maker->bytes[(content->at + i) % page_bytes] ^=
            (uint8_t)(1 + pf_rng_next(&other) % UINT8_MAX);
    return (PfContentSpec){.form = PF_CONTENT_BYTES, .bytes = maker->bytes, .length = page_bytes};
}

uint32_t pf_maker_content(PfMaker *maker, const PfWorkloadGroup *group, const PfPages *kind,
                          const PfContentSpec *content)
{
    PfContentSpec spec = *content;
    if (kind != NULL && kind->form == PF_PAGES_SIMILAR && content->with != 0 && group->differ > 1)
        spec = differ_more(maker, content, group->differ);
    return pf_trace_writer_content(maker->writer, &spec);
}

/* Puts the pages of RECORD over what is mapped there: those of the file of the run's kind. */
static void map_file(PfMaker *maker, const PfWorkloadGroup *group, const PfRecord *record)
{
    const PfWorkloadCommon *file = maker->kind->of_file;
    g_autofree char *context =
        pf_workload_context_name(group, record->context - group->first_context);
    g_autofree char *own = g_strdup_printf("%s of %s", file->file, context);
    PfTraceDetail detail = {.name = file->own ? own : file->file,
                            .number = maker->file_page * maker->workload->page_bytes,
                            .backing = (PfBacking)file->backing,
                            .node = -1,
                            .core = -1};
    pf_maker_add(maker, (PfRecord){.kind = PF_RECORD_MAP,
                                   .context = record->context,
                                   .address = record->address,
                                   .count = record->count,
                                   .content = PF_TRACE_NO_CONTENT,
                                   .detail = &detail});
}

static void flush_run(PfMaker *maker, const PfWorkloadGroup *group)
{
    if (maker->run.count == 0)
        return;
    PfRecord record = maker->run;
    record.address =
        maker->contexts[record.context].address + record.address * maker->workload->page_bytes;
    if (maker->is_file)
        map_file(maker, group, &record);
    /* Bytes of a file are there already; nobody has to store them. */
    if (maker->is_file)
        record.kind = PF_RECORD_STATE;
    else if (maker->kind->is_init)
        record.kind = PF_RECORD_INIT;
    record.content = pf_maker_content(maker, group, maker->kind, &maker->content);
    pf_maker_add(maker, record);
    /* At once, so that no policy finds the pages without their pins. */
    if (maker->kind->form == PF_PAGES_PINNED) {
        record.kind = PF_RECORD_ATTR;
        record.choice = PF_ATTRIBUTE_PINNED;
        record.value = 0;
        record.content = PF_TRACE_NO_CONTENT;
        pf_maker_add(maker, record);
    }
    maker->run.count = 0;
}

/* A page of the run, or the one behind it. */
typedef struct {
    const PfPages *kind;
    PfContentSpec content;
    bool is_file;
    uint64_t file_page;
} Page;

/* Whether PAGE at INDEX goes on with the run, whose step the second page decides. */
static bool continues(PfMaker *maker, uint64_t index, const Page *page)
{
    PfRecord *run = &maker->run;
    const PfContentSpec *first = &maker->content;
    const PfContentSpec *content = &page->content;
    if (run->count == 0 || run->address + run->count != index || page->kind != maker->kind ||
        page->is_file != maker->is_file || first->form != content->form)
        return false;
    if (page->is_file && maker->file_page + run->count != page->file_page)
        return false;
    bool is_varied = first->with != 0 || content->with != 0;
    if (is_varied && (page->kind->form == PF_PAGES_SIMILAR || first->at != content->at ||
                      first->with != content->with))
        return false;
    uint64_t step = run->count > 1 ? run->value : content->number - first->number;
    if (step > 1 || content->number != first->number + step * run->count)
        return false;
    run->value = step;
    return true;
}

bool pf_maker_fill(PfMaker *maker, const PfWorkloadGroup *group, uint64_t index, uint64_t until)
{
    uint32_t number = group->first_context + (uint32_t)index;
    PfMakerContext *context = &maker->contexts[number];
    bool goes_on = true;
    for (; goes_on && context->filled < until; context->filled++) {
        uint64_t rank = pf_layout_rank(&context->layout, context->filled);
        Page page = {.is_file = false};
        page.kind = pf_maker_original(maker, group, index, rank, &page.content);
        uint64_t place = rank - page.kind->first;
        page.is_file = page.kind->of_file != NULL && place < page.kind->count - page.kind->moved;
        page.file_page = page.kind->start + place;
        if (!continues(maker, context->filled, &page)) {
            flush_run(maker, group);
            maker->content = page.content;
            maker->kind = page.kind;
            maker->is_file = page.is_file;
            maker->file_page = page.file_page;
            maker->run =
                (PfRecord){.kind = PF_RECORD_FILL, .context = number, .address = context->filled};
        }
        maker->run.count += page.kind->form != PF_PAGES_UNUSED;
        goes_on = pf_maker_advance(maker, 1);
    }
    flush_run(maker, group);
    return goes_on;
}

static bool map_memory(PfMaker *maker, const PfWorkloadGroup *group, uint32_t context)
{
    uint64_t pages = group->allocation > 0 ? group->allocation : group->pages;
    PfTraceDetail detail = {
        .node = -1, .core = -1, .mergeable = group->mergeable, .huge_bytes = group->huge_bytes};
    for (uint64_t done = 0; done < group->pages; done += pages) {
        detail.group = group->allocation > 0 ? done / pages + 1 : 0;
        pf_maker_add(maker, (PfRecord){.kind = PF_RECORD_MAP,
                                       .context = context,
                                       .address = maker->contexts[context].address +
                                                  done * maker->workload->page_bytes,
                                       .count = MIN(pages, group->pages - done),
                                       .content = PF_TRACE_NO_CONTENT,
                                       .detail = &detail});
        if (group->allocation > 0 && group->pages - done >= pages && !pf_maker_advance(maker, 1))
            return false;
    }
    return true;
}

static bool make_context(PfMaker *maker, const PfWorkloadGroup *group, uint64_t index)
{
    g_autofree char *name = pf_workload_context_name(group, index);
    uint32_t number = group->first_context + (uint32_t)index;
    PfMakerContext *context = &maker->contexts[number];
    g_autofree char *stream = g_strconcat("layout ", name, NULL);
    context->layout = pf_layout_make(maker->workload->seed, stream, group->pages, group->chunk);
    context->address = group->address;
    if (group->aslr && group->kind == PF_CONTEXT_PROCESS) {
        g_autofree char *base = g_strconcat("address ", name, NULL);
        PfRng place = pf_rng_derive(maker->workload->seed, base);
        uint64_t unit = MAX(group->huge_bytes, maker->workload->page_bytes);
        uint64_t bytes =
            pf_rng_below(&place, (uint64_t)1 << ADDRESS_BITS) * maker->workload->page_bytes;
        context->address += bytes / unit * unit;
    }
    PfTraceDetail detail = {.name = name,
                            .number = group->memory_bytes,
                            .node = -1,
                            .core = -1,
                            .context_kind = (PfContextKind)group->kind};
    pf_maker_add(maker, (PfRecord){.kind = PF_RECORD_CONTEXT,
                                   .context = number,
                                   .content = PF_TRACE_NO_CONTENT,
                                   .detail = &detail});
    return map_memory(maker, group, number);
}

bool pf_maker_lay_out(PfMaker *maker)
{
    const GArray *groups = maker->workload->groups;
    for (guint i = 0; i < groups->len; i++) {
        const PfWorkloadGroup *group = &g_array_index(groups, PfWorkloadGroup, i);
        for (uint64_t index = 0; index < group->count; index++)
            if (!make_context(maker, group, index))
                return false;
    }
    for (guint i = 0; i < groups->len; i++) {
        const PfWorkloadGroup *group = &g_array_index(groups, PfWorkloadGroup, i);
        for (uint64_t index = 0; group->boot_phase == 0 && index < group->count; index++)
            if (!pf_maker_fill(maker, group, index, group->pages))
                return false;
    }
    return true;
}
