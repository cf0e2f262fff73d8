#include "laws_trace.h"

#include <string.h>

#include "laws_maker.h"

/* ---- records ---- */

static void make_context(PfLawsMaker *maker)
{
    PfNaive *naive = maker->naive;
    static const char *const labels[] = {NULL, "low", "high"};
    if (naive->context_count == PF_NAIVE_CONTEXTS)
        return;
    g_snprintf(maker->text, sizeof maker->text, "c%u", naive->context_count);
    PfTraceDetail detail = {.name = maker->text,
                            .node = -1,
                            .core =
                                pf_laws_once_in(maker, 3) ? (int32_t)pf_laws_below(maker, 6) : -1,
                            .text = labels[naive->context_count % G_N_ELEMENTS(labels)],
                            .context_kind = (PfContextKind)pf_laws_below(maker, 2)};
    PfRecord record = {.kind = PF_RECORD_CONTEXT,
                       .context = naive->context_count,
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    maker->kinds[naive->context_count] = detail.context_kind;
    maker->labels[naive->context_count] = detail.text;
    pf_naive_add_context(naive);
    pf_laws_add(maker, &record);
}

static void make_map(PfLawsMaker *maker, const PfLawsRange *range)
{
    PfNaivePage how = {.backing =
                           (PfBacking)(pf_laws_once_in(maker, 2) ? pf_laws_below(maker, 3) : 0),
                       .mergeable = pf_laws_once_in(maker, 2)};
    how.file = (unsigned)pf_laws_below(maker, PF_NAIVE_FILES);
    unsigned file_page = (unsigned)pf_laws_below(maker, 4);
    PfTraceDetail detail = {.backing = how.backing, .mergeable = how.mergeable};
    detail.protection = (PfProtection)pf_laws_below(maker, 3);
    if (how.backing != PF_BACKING_ANON) {
        g_snprintf(maker->text, sizeof maker->text, "file%u", how.file);
        detail.name = maker->text;
        detail.number = (uint64_t)file_page * maker->naive->page_bytes;
    }
    PfRecord record = pf_laws_record_of(maker, PF_RECORD_MAP, range);
    record.detail = &detail;
    for (unsigned i = 0; i < range->count; i++) {
        how.file_page = file_page + i;
        pf_naive_map(maker->naive, range->context, range->first + i, &how);
    }
    pf_laws_add(maker, &record);
}

static void make_some_map(PfLawsMaker *maker)
{
    PfLawsRange range = pf_laws_some_range(maker, PF_NAIVE_CLUSTER_PAGES);
    make_map(maker, &range);
}

/* The processes of a virtual machine have other pages at the same few addresses. */
static void add_virtual(PfLawsMaker *maker, unsigned context, PfRecord *record)
{
    if (maker->kinds[context] != PF_CONTEXT_VM || pf_laws_once_in(maker, 2))
        return;
    uint64_t page_bytes = maker->naive->page_bytes;
    record->flags |= PF_RECORD_HAS_VIRTUAL;
    record->virtual_address =
        (40 + pf_laws_below(maker, 4)) * page_bytes + record->address % page_bytes;
}

static void make_read(PfLawsMaker *maker)
{
    PfLawsRange range;
    if (!pf_laws_some_mapped_range(maker, 2, &range))
        return;
    uint32_t page_bytes = maker->naive->page_bytes;
    PfRecord record = pf_laws_record_of(
        maker, pf_laws_once_in(maker, 4) ? PF_RECORD_FETCH : PF_RECORD_READ, &range);
    uint64_t offset = pf_laws_below(maker, page_bytes);
    record.address += offset;
    record.count = 1 + pf_laws_below(maker, MIN(page_bytes, 64));
    if (range.count == 1)
        record.count = MIN(record.count, page_bytes - offset);
    if (record.kind == PF_RECORD_READ && pf_laws_once_in(maker, 5))
        record.flags |= PF_RECORD_DEPENDENT;
    add_virtual(maker, range.context, &record);
    pf_naive_read(maker->naive, range.context, range.first);
    if (offset + record.count > page_bytes)
        pf_naive_read(maker->naive, range.context, range.first + 1);
    pf_laws_add(maker, &record);
}

static void make_write(PfLawsMaker *maker)
{
    PfLawsRange range;
    if (!pf_laws_some_mapped_range(maker, 2, &range))
        return;
    unsigned page_bytes = maker->naive->page_bytes;
    PfRecord record = pf_laws_record_of(maker, PF_RECORD_WRITE, &range);
    unsigned offset = (unsigned)pf_laws_below(maker, page_bytes);
    if (pf_laws_once_in(maker, 3))
        offset = pf_laws_once_in(maker, 2) ? 0 : page_bytes - 1;
    unsigned room = range.count == 1 ? page_bytes - offset : page_bytes;
    unsigned length = 1 + (unsigned)pf_laws_below(maker, MIN(room, VALUE_BYTES_MAX));
    record.address += offset;
    record.count = length;
    uint8_t bytes[VALUE_BYTES_MAX] = {0};
    for (unsigned i = 0; i < length; i++)
        bytes[i] = pf_laws_once_in(maker, 2) ? 0 : (uint8_t)(0xff * pf_laws_below(maker, 2));
    bool known = !pf_laws_once_in(maker, 6);
    if (known) {
        record.flags |= PF_RECORD_HAS_VALUE;
        if (length > 8)
            record.bytes = bytes;
        else
            memcpy(&record.value, bytes, length); /* little-endian hosts only, as the simulator */
    }
    add_virtual(maker, range.context, &record);
    unsigned in_first = MIN(length, page_bytes - offset);
    pf_naive_write(maker->naive, range.context, range.first, offset, known ? bytes : NULL,
                   in_first);
    if (in_first < length)
        pf_naive_write(maker->naive, range.context, range.first + 1, 0,
                       known ? bytes + in_first : NULL, length - in_first);
    pf_laws_add(maker, &record);
}

static void make_content(PfLawsMaker *maker)
{
    static const PfRecordKind kinds[] = {PF_RECORD_STATE, PF_RECORD_FILL, PF_RECORD_STATE,
                                         PF_RECORD_FILL,  PF_RECORD_INIT, PF_RECORD_DMA};
    PfLawsRange range;
    if (!pf_laws_some_mapped_range(maker, RECORD_PAGES_MAX, &range))
        return;
    PfRecordKind kind = kinds[pf_laws_below(maker, G_N_ELEMENTS(kinds))];
    PfRecord record = pf_laws_record_of(maker, kind, &range);
    PfContentSpec spec = pf_laws_some_content(maker);
    PfTraceDetail detail = {.name = "disk", .number = 7};
    bool steps = kind == PF_RECORD_STATE || kind == PF_RECORD_FILL;
    if (kind == PF_RECORD_DMA)
        record.detail = &detail;
    else if (steps && pf_laws_once_in(maker, 4))
        record.value = 1;
    record.content = pf_trace_writer_content(maker->writer, &spec);
    for (unsigned i = 0; i < range.count; i++) {
        PfContentSpec stepped = pf_content_spec_step(&spec, steps ? record.value : 0, i);
        GString *content = pf_naive_content(maker->naive, &stepped);
        pf_naive_fill(maker->naive, range.context, range.first + i, content,
                      kind == PF_RECORD_STATE);
        g_string_free(content, TRUE);
    }
    pf_laws_add(maker, &record);
}

static void make_touch(PfLawsMaker *maker)
{
    PfLawsRange range;
    if (!pf_laws_some_mapped_range(maker, RECORD_PAGES_MAX, &range))
        return;
    PfRecord record = pf_laws_record_of(maker, PF_RECORD_TOUCH, &range);
    for (unsigned i = 0; i < range.count; i++)
        pf_naive_touch(maker->naive, range.context, range.first + i);
    pf_laws_add(maker, &record);
}

static void make_pause(PfLawsMaker *maker)
{
    PfRecord record = {.kind = PF_RECORD_RUN,
                       .context = pf_laws_some_context(maker),
                       .count = 1 + pf_laws_below(maker, 400),
                       .content = PF_TRACE_NO_CONTENT};
    if (pf_laws_once_in(maker, 3)) {
        record.kind = PF_RECORD_IDLE;
        record.count = pf_laws_below(maker, 2000000);
    }
    pf_laws_add(maker, &record);
}

/* Records without a context. */
static void make_other(PfLawsMaker *maker)
{
    PfTraceDetail detail = {.name = "none.rate", .text = "1"};
    PfRecord record = {.kind = PF_RECORD_SCAN,
                       .count = pf_laws_below(maker, 30),
                       .content = PF_TRACE_NO_CONTENT,
                       .context = PF_TRACE_NO_CONTEXT};
    switch (pf_laws_below(maker, 6)) {
    case 0:
        record.flags = PF_RECORD_SCAN_PASSES;
        record.count = 1 + pf_laws_below(maker, 2);
        maker->trace->passes += record.count;
        break;
    case 1:
        maker->time_ps += pf_laws_below(maker, 3000000);
        record.kind = PF_RECORD_TIME;
        record.count = pf_laws_once_in(maker, 5) ? maker->time_ps / 2 : maker->time_ps;
        break;
    case 2:
        record.kind = PF_RECORD_CONTROL;
        record.detail = &detail;
        break;
    case 3:
        if (pf_laws_once_in(maker, 2)) {
            maker->page_grain = !maker->page_grain;
            record.kind = PF_RECORD_GRAIN;
            record.count = maker->page_grain ? PF_GRAIN_PAGE : PF_GRAIN_ACCESS;
        }
        break;
    default:
        break;
    }
    pf_laws_add(maker, &record);
}

static void make_span(PfLawsMaker *maker)
{
    PfTraceDetail detail = {.name = pf_laws_once_in(maker, 2) ? "request" : "other"};
    PfRecord record = {.kind = pf_laws_once_in(maker, 2) ? PF_RECORD_BEGIN : PF_RECORD_END,
                       .context = pf_laws_some_context(maker),
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    pf_laws_add(maker, &record);
}

static void keep_mark(PfLawsMaker *maker)
{
    const PfNaive *naive = maker->naive;
    PfLawsMark mark = {.populated_pages = pf_naive_populated(naive),
                       .anon_pages = pf_naive_eligible(naive, "anon"),
                       .mergeable_pages = pf_naive_eligible(naive, "mergeable"),
                       .baseline_frames = pf_naive_used_frames(naive),
                       .distinct_contents = pf_naive_distinct(naive),
                       .pins = naive->pins->len,
                       .potential = pf_naive_potential(naive)};
    g_array_append_val(maker->trace->marks, mark);
}

static void make_mark(PfLawsMaker *maker)
{
    keep_mark(maker);
    g_snprintf(maker->text, sizeof maker->text, "m%u", maker->trace->marks->len);
    PfTraceDetail detail = {.name = maker->text};
    PfRecord record = {.kind = PF_RECORD_MARK,
                       .content = PF_TRACE_NO_CONTENT,
                       .context = PF_TRACE_NO_CONTEXT,
                       .detail = &detail};
    pf_laws_add(maker, &record);
}

static void make_records(PfLawsMaker *maker, unsigned count)
{
    static const struct {
        unsigned weight;
        void (*make)(PfLawsMaker *);
    } kinds[] = {
        {2, make_context},       {12, make_some_map},       {60, make_read},
        {90, make_write},        {80, make_content},        {16, make_touch},
        {6, pf_laws_make_unmap}, {10, pf_laws_make_alias},  {4, pf_laws_make_fork},
        {6, pf_laws_make_remap}, {10, pf_laws_make_advise}, {16, pf_laws_make_attribute},
        {2, pf_laws_make_exit},  {30, make_pause},          {24, make_other},
        {6, make_span},          {16, make_mark},
    };
    unsigned weights = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        weights += kinds[i].weight;
    while (maker->trace->records < count) {
        unsigned draw = (unsigned)pf_laws_below(maker, weights);
        unsigned kind = 0;
        for (; draw >= kinds[kind].weight; kind++)
            draw -= kinds[kind].weight;
        kinds[kind].make(maker);
    }
}

void pf_laws_trace_free(PfLawsTrace *trace)
{
    if (trace == NULL)
        return;
    g_array_unref(trace->marks);
    g_free(trace);
}

PfLawsTrace *pf_laws_trace_write(const char *path, uint64_t seed, unsigned records, GError **error)
{
    static const uint32_t page_sizes[] = {64, 8, 4096, 256};
    PfLawsMaker maker = {.rng = pf_rng_derive(seed, "laws")};
    PfLawsTrace *trace = g_new0(PfLawsTrace, 1);
    trace->marks = g_array_new(FALSE, FALSE, sizeof(PfLawsMark));
    trace->page_bytes = page_sizes[seed % G_N_ELEMENTS(page_sizes)];
    trace->keeps_labels_apart = seed % 3 != 0;
    PfTraceHeader header = {.page_bytes = trace->page_bytes};
    PfTraceForm form = seed % 2 != 0 ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    maker.trace = trace;
    maker.writer = pf_trace_writer_new(path, form, &header, error);
    if (maker.writer == NULL) {
        pf_laws_trace_free(trace);
        return NULL;
    }
    maker.naive = pf_naive_new(trace->page_bytes);
    for (unsigned i = 0; i < 2; i++) {
        make_context(&maker);
        for (unsigned cluster = 0; cluster < PF_NAIVE_CLUSTERS; cluster++) {
            PfLawsRange all = {i, cluster * PF_NAIVE_CLUSTER_PAGES, PF_NAIVE_CLUSTER_PAGES / 2};
            make_map(&maker, &all);
        }
    }
    make_records(&maker, records);
    keep_mark(&maker);
    bool finished = pf_trace_writer_finish(maker.writer, error);
    pf_trace_writer_free(maker.writer);
    pf_naive_free(maker.naive);
    if (finished)
        return trace;
    pf_laws_trace_free(trace);
    return NULL;
}
