#include "laws_trace.h"

#include <string.h>

#include "laws_maker.h"

/* ---- records ---- */

static void make_context(LawsMaker *maker)
{
    Naive *naive = maker->naive;
    static const char *const labels[] = {NULL, "low", "high"};
    if (naive->context_count == NAIVE_CONTEXTS)
        return;
    g_snprintf(maker->text, sizeof maker->text, "c%u", naive->context_count);
    PfTraceDetail detail = {.name = maker->text,
                            .node = -1,
                            .core = laws_once_in(maker, 3) ? (int32_t)laws_below(maker, 6) : -1,
                            .text = labels[naive->context_count % G_N_ELEMENTS(labels)],
                            .context_kind = (PfContextKind)laws_below(maker, 2)};
    PfRecord record = {.kind = PF_RECORD_CONTEXT,
                       .context = naive->context_count,
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    maker->kinds[naive->context_count] = detail.context_kind;
    maker->labels[naive->context_count] = detail.text;
    naive_add_context(naive);
    laws_add(maker, &record);
}

static void make_map(LawsMaker *maker, const LawsRange *range)
{
    NaivePage how = {.backing = (PfBacking)(laws_once_in(maker, 2) ? laws_below(maker, 3) : 0),
                     .mergeable = laws_once_in(maker, 2)};
    how.file = (unsigned)laws_below(maker, NAIVE_FILES);
    unsigned file_page = (unsigned)laws_below(maker, 4);
    PfTraceDetail detail = {.backing = how.backing, .mergeable = how.mergeable};
    detail.protection = (PfProtection)laws_below(maker, 3);
    if (how.backing != PF_BACKING_ANON) {
        g_snprintf(maker->text, sizeof maker->text, "file%u", how.file);
        detail.name = maker->text;
        detail.number = (uint64_t)file_page * maker->naive->page_bytes;
    }
    PfRecord record = laws_record_of(maker, PF_RECORD_MAP, range);
    record.detail = &detail;
    for (unsigned i = 0; i < range->count; i++) {
        how.file_page = file_page + i;
        naive_map(maker->naive, range->context, range->first + i, &how);
    }
    laws_add(maker, &record);
}

static void make_some_map(LawsMaker *maker)
{
    LawsRange range = laws_some_range(maker, NAIVE_CLUSTER_PAGES);
    make_map(maker, &range);
}

/* The processes of a virtual machine have other pages at the same few addresses. */
static void add_virtual(LawsMaker *maker, unsigned context, PfRecord *record)
{
    if (maker->kinds[context] != PF_CONTEXT_VM || laws_once_in(maker, 2))
        return;
    uint64_t page_bytes = maker->naive->page_bytes;
    record->flags |= PF_RECORD_HAS_VIRTUAL;
    record->virtual_address =
        (40 + laws_below(maker, 4)) * page_bytes + record->address % page_bytes;
}

static void make_read(LawsMaker *maker)
{
    LawsRange range;
    if (!laws_some_mapped_range(maker, 2, &range))
        return;
    uint32_t page_bytes = maker->naive->page_bytes;
    PfRecord record =
        laws_record_of(maker, laws_once_in(maker, 4) ? PF_RECORD_FETCH : PF_RECORD_READ, &range);
    uint64_t offset = laws_below(maker, page_bytes);
    record.address += offset;
    record.count = 1 + laws_below(maker, MIN(page_bytes, 64));
    if (range.count == 1)
        record.count = MIN(record.count, page_bytes - offset);
    if (record.kind == PF_RECORD_READ && laws_once_in(maker, 5))
        record.flags |= PF_RECORD_DEPENDENT;
    add_virtual(maker, range.context, &record);
    naive_read(maker->naive, range.context, range.first);
    if (offset + record.count > page_bytes)
        naive_read(maker->naive, range.context, range.first + 1);
    laws_add(maker, &record);
}

static void make_write(LawsMaker *maker)
{
    LawsRange range;
    if (!laws_some_mapped_range(maker, 2, &range))
        return;
    unsigned page_bytes = maker->naive->page_bytes;
    PfRecord record = laws_record_of(maker, PF_RECORD_WRITE, &range);
    unsigned offset = (unsigned)laws_below(maker, page_bytes);
    if (laws_once_in(maker, 3))
        offset = laws_once_in(maker, 2) ? 0 : page_bytes - 1;
    unsigned room = range.count == 1 ? page_bytes - offset : page_bytes;
    unsigned length = 1 + (unsigned)laws_below(maker, MIN(room, VALUE_BYTES_MAX));
    record.address += offset;
    record.count = length;
    uint8_t bytes[VALUE_BYTES_MAX] = {0};
    for (unsigned i = 0; i < length; i++)
        bytes[i] = laws_once_in(maker, 2) ? 0 : (uint8_t)(0xff * laws_below(maker, 2));
    bool known = !laws_once_in(maker, 6);
    if (known) {
        record.flags |= PF_RECORD_HAS_VALUE;
        if (length > 8)
            record.bytes = bytes;
        else
            memcpy(&record.value, bytes, length); /* little-endian hosts only, as the simulator */
    }
    add_virtual(maker, range.context, &record);
    unsigned in_first = MIN(length, page_bytes - offset);
    naive_write(maker->naive, range.context, range.first, offset, known ? bytes : NULL, in_first);
    if (in_first < length)
        naive_write(maker->naive, range.context, range.first + 1, 0,
                    known ? bytes + in_first : NULL, length - in_first);
    laws_add(maker, &record);
}

static void make_content(LawsMaker *maker)
{
    static const PfRecordKind kinds[] = {PF_RECORD_STATE, PF_RECORD_FILL, PF_RECORD_STATE,
                                         PF_RECORD_FILL,  PF_RECORD_INIT, PF_RECORD_DMA};
    LawsRange range;
    if (!laws_some_mapped_range(maker, RECORD_PAGES_MAX, &range))
        return;
    PfRecordKind kind = kinds[laws_below(maker, G_N_ELEMENTS(kinds))];
    PfRecord record = laws_record_of(maker, kind, &range);
    PfContentSpec spec = laws_some_content(maker);
    PfTraceDetail detail = {.name = "disk", .number = 7};
    bool steps = kind == PF_RECORD_STATE || kind == PF_RECORD_FILL;
    if (kind == PF_RECORD_DMA)
        record.detail = &detail;
    else if (steps && laws_once_in(maker, 4))
        record.value = 1;
    record.content = pf_trace_writer_content(maker->writer, &spec);
    for (unsigned i = 0; i < range.count; i++) {
        PfContentSpec stepped = pf_content_spec_step(&spec, steps ? record.value : 0, i);
        GString *content = naive_content(maker->naive, &stepped);
        naive_fill(maker->naive, range.context, range.first + i, content, kind == PF_RECORD_STATE);
        g_string_free(content, TRUE);
    }
    laws_add(maker, &record);
}

static void make_touch(LawsMaker *maker)
{
    LawsRange range;
    if (!laws_some_mapped_range(maker, RECORD_PAGES_MAX, &range))
        return;
    PfRecord record = laws_record_of(maker, PF_RECORD_TOUCH, &range);
    for (unsigned i = 0; i < range.count; i++)
        naive_touch(maker->naive, range.context, range.first + i);
    laws_add(maker, &record);
}

static void make_pause(LawsMaker *maker)
{
    PfRecord record = {.kind = PF_RECORD_RUN,
                       .context = laws_some_context(maker),
                       .count = 1 + laws_below(maker, 400),
                       .content = PF_TRACE_NO_CONTENT};
    if (laws_once_in(maker, 3)) {
        record.kind = PF_RECORD_IDLE;
        record.count = laws_below(maker, 2000000);
    }
    laws_add(maker, &record);
}

/* Records without a context. */
static void make_other(LawsMaker *maker)
{
    PfTraceDetail detail = {.name = "none.rate", .text = "1"};
    PfRecord record = {.kind = PF_RECORD_SCAN,
                       .count = laws_below(maker, 30),
                       .content = PF_TRACE_NO_CONTENT,
                       .context = PF_TRACE_NO_CONTEXT};
    switch (laws_below(maker, 6)) {
    case 0:
        record.flags = PF_RECORD_SCAN_PASSES;
        record.count = 1 + laws_below(maker, 2);
        break;
    case 1:
        maker->time_ps += laws_below(maker, 3000000);
        record.kind = PF_RECORD_TIME;
        record.count = laws_once_in(maker, 5) ? maker->time_ps / 2 : maker->time_ps;
        break;
    case 2:
        record.kind = PF_RECORD_CONTROL;
        record.detail = &detail;
        break;
    case 3:
        if (laws_once_in(maker, 2)) {
            maker->page_grain = !maker->page_grain;
            record.kind = PF_RECORD_GRAIN;
            record.count = maker->page_grain ? PF_GRAIN_PAGE : PF_GRAIN_ACCESS;
        }
        break;
    default:
        break;
    }
    laws_add(maker, &record);
}

static void make_span(LawsMaker *maker)
{
    PfTraceDetail detail = {.name = laws_once_in(maker, 2) ? "request" : "other"};
    PfRecord record = {.kind = laws_once_in(maker, 2) ? PF_RECORD_BEGIN : PF_RECORD_END,
                       .context = laws_some_context(maker),
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    laws_add(maker, &record);
}

static void keep_mark(LawsMaker *maker)
{
    const Naive *naive = maker->naive;
    LawsMark mark = {.populated_pages = naive_populated(naive),
                     .anon_pages = naive_eligible(naive, "anon"),
                     .mergeable_pages = naive_eligible(naive, "mergeable"),
                     .baseline_frames = naive_used_frames(naive),
                     .distinct_contents = naive_distinct(naive),
                     .pins = naive->pins->len,
                     .potential = naive_potential(naive)};
    g_array_append_val(maker->trace->marks, mark);
}

static void make_mark(LawsMaker *maker)
{
    keep_mark(maker);
    g_snprintf(maker->text, sizeof maker->text, "m%u", maker->trace->marks->len);
    PfTraceDetail detail = {.name = maker->text};
    PfRecord record = {.kind = PF_RECORD_MARK,
                       .content = PF_TRACE_NO_CONTENT,
                       .context = PF_TRACE_NO_CONTEXT,
                       .detail = &detail};
    laws_add(maker, &record);
}

static void make_records(LawsMaker *maker, unsigned count)
{
    static const struct {
        unsigned weight;
        void (*make)(LawsMaker *);
    } kinds[] = {
        {2, make_context},    {12, make_some_map},    {60, make_read},
        {90, make_write},     {80, make_content},     {16, make_touch},
        {6, laws_make_unmap}, {10, laws_make_alias},  {4, laws_make_fork},
        {6, laws_make_remap}, {10, laws_make_advise}, {16, laws_make_attribute},
        {2, laws_make_exit},  {30, make_pause},       {24, make_other},
        {6, make_span},       {16, make_mark},
    };
    unsigned weights = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        weights += kinds[i].weight;
    while (maker->trace->records < count) {
        unsigned draw = (unsigned)laws_below(maker, weights);
        unsigned kind = 0;
        for (; draw >= kinds[kind].weight; kind++)
            draw -= kinds[kind].weight;
        kinds[kind].make(maker);
    }
}

LawsTrace *laws_trace_write(const char *path, uint64_t seed, unsigned records)
{
    static const uint32_t page_sizes[] = {64, 8, 4096, 256};
    LawsMaker maker = {.rng = pf_rng_derive(seed, "laws")};
    LawsTrace *trace = g_new0(LawsTrace, 1);
    trace->marks = g_array_new(FALSE, FALSE, sizeof(LawsMark));
    trace->page_bytes = page_sizes[seed % G_N_ELEMENTS(page_sizes)];
    trace->keeps_labels_apart = seed % 3 != 0;
    PfTraceHeader header = {.page_bytes = trace->page_bytes};
    g_autoptr(GError) error = NULL;
    PfTraceForm form = seed % 2 != 0 ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    maker.trace = trace;
    maker.naive = naive_new(trace->page_bytes);
    maker.writer = pf_trace_writer_new(path, form, &header, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < 2; i++) {
        make_context(&maker);
        for (unsigned cluster = 0; cluster < NAIVE_CLUSTERS; cluster++) {
            LawsRange all = {i, cluster * NAIVE_CLUSTER_PAGES, NAIVE_CLUSTER_PAGES / 2};
            make_map(&maker, &all);
        }
    }
    make_records(&maker, records);
    keep_mark(&maker);
    bool finished = pf_trace_writer_finish(maker.writer, &error);
    g_assert_no_error(error);
    g_assert(finished);
    pf_trace_writer_free(maker.writer);
    naive_free(maker.naive);
    return trace;
}

void laws_trace_free(LawsTrace *trace)
{
    g_array_unref(trace->marks);
    g_free(trace);
}
