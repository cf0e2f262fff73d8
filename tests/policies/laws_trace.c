#include "laws_trace.h"

#include <string.h>

#include "rng.h"

enum { VALUE_BYTES_MAX = 16, RECORD_PAGES_MAX = 24 };

typedef struct {
    PfRng rng;
    PfTraceWriter *writer;
    Naive *naive;
    LawsTrace *trace;
    PfContextKind kinds[NAIVE_CONTEXTS];
    uint64_t time_ps;
    bool page_grain;
    char text[32];
} Maker;

static uint64_t below(Maker *maker, uint64_t bound)
{
    return pf_rng_below(&maker->rng, bound);
}

static bool once_in(Maker *maker, uint64_t bound)
{
    return below(maker, bound) == 0;
}

/* The clusters of a context's pages: one that crosses the edge of 64 pages, one far away. */
static uint64_t page_number(unsigned page)
{
    static const uint64_t clusters[NAIVE_CLUSTERS] = {40, ((uint64_t)1 << 34) - 8};
    return clusters[page / NAIVE_CLUSTER_PAGES] + page % NAIVE_CLUSTER_PAGES;
}

static uint64_t page_address(const Maker *maker, unsigned page)
{
    return page_number(page) * maker->naive->page_bytes;
}

static void add(Maker *maker, PfRecord *record)
{
    pf_trace_writer_add(maker->writer, record);
    maker->trace->records++;
}

/* Some pages of one cluster. */
typedef struct {
    unsigned context;
    unsigned first;
    unsigned count;
} Range;

static unsigned some_context(Maker *maker)
{
    unsigned context;
    do
        context = (unsigned)below(maker, maker->naive->context_count);
    while (!maker->naive->alive[context]);
    return context;
}

static Range some_range(Maker *maker, unsigned pages_max)
{
    Range range = {.context = some_context(maker)};
    unsigned cluster = (unsigned)below(maker, NAIVE_CLUSTERS) * NAIVE_CLUSTER_PAGES;
    unsigned at = (unsigned)below(maker, NAIVE_CLUSTER_PAGES);
    unsigned room = MIN(pages_max, NAIVE_CLUSTER_PAGES - at);
    range.first = cluster + at;
    range.count = 1 + (unsigned)below(maker, once_in(maker, 3) ? room : MIN(room, 3));
    return range;
}

static bool is_mapped(const Maker *maker, const Range *range)
{
    for (unsigned i = 0; i < range->count; i++)
        if (!maker->naive->pages[range->context][range->first + i].mapped)
            return false;
    return true;
}

/* A range of mapped pages; false after some tries. */
static bool some_mapped_range(Maker *maker, unsigned pages_max, Range *ret_range)
{
    for (unsigned i = 0; i < 20; i++) {
        *ret_range = some_range(maker, pages_max);
        if (is_mapped(maker, ret_range))
            return true;
    }
    return false;
}

static PfRecord record_of(const Maker *maker, PfRecordKind kind, const Range *range)
{
    return (PfRecord){.kind = (uint8_t)kind,
                      .context = range->context,
                      .address = page_address(maker, range->first),
                      .count = range->count,
                      .content = PF_TRACE_NO_CONTENT};
}

static PfContentSpec some_content(Maker *maker)
{
    static const uint8_t text[] = "abc";
    switch (below(maker, 10)) {
    case 0:
    case 1:
        return (PfContentSpec){.form = PF_CONTENT_ZERO};
    case 2:
        return (PfContentSpec){.form = PF_CONTENT_ONES};
    case 3:
        return (PfContentSpec){.form = PF_CONTENT_BYTES, .bytes = text, .length = 3};
    case 4:
        return (PfContentSpec){.form = PF_CONTENT_HASH, .number = 1 + below(maker, 2)};
    case 5:
        return (PfContentSpec){.form = PF_CONTENT_ID, .number = 1, .at = 3, .with = 1};
    default:
        return (PfContentSpec){.form = PF_CONTENT_ID, .number = below(maker, 4)};
    }
}

/* ---- records ---- */

static void make_context(Maker *maker)
{
    Naive *naive = maker->naive;
    if (naive->context_count == NAIVE_CONTEXTS)
        return;
    g_snprintf(maker->text, sizeof maker->text, "c%u", naive->context_count);
    PfTraceDetail detail = {.name = maker->text,
                            .node = -1,
                            .core = once_in(maker, 3) ? (int32_t)below(maker, 6) : -1,
                            .context_kind = (PfContextKind)below(maker, 2)};
    PfRecord record = {.kind = PF_RECORD_CONTEXT,
                       .context = naive->context_count,
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    maker->kinds[naive->context_count] = detail.context_kind;
    naive_add_context(naive);
    add(maker, &record);
}

static void make_map(Maker *maker, const Range *range)
{
    NaivePage how = {.backing = (PfBacking)(once_in(maker, 2) ? below(maker, 3) : 0),
                     .mergeable = once_in(maker, 2)};
    how.file = (unsigned)below(maker, NAIVE_FILES);
    unsigned file_page = (unsigned)below(maker, 4);
    PfTraceDetail detail = {.backing = how.backing, .mergeable = how.mergeable};
    detail.protection = (PfProtection)below(maker, 3);
    if (how.backing != PF_BACKING_ANON) {
        g_snprintf(maker->text, sizeof maker->text, "file%u", how.file);
        detail.name = maker->text;
        detail.number = (uint64_t)file_page * maker->naive->page_bytes;
    }
    PfRecord record = record_of(maker, PF_RECORD_MAP, range);
    record.detail = &detail;
    for (unsigned i = 0; i < range->count; i++) {
        how.file_page = file_page + i;
        naive_map(maker->naive, range->context, range->first + i, &how);
    }
    add(maker, &record);
}

static void make_some_map(Maker *maker)
{
    Range range = some_range(maker, NAIVE_CLUSTER_PAGES);
    make_map(maker, &range);
}

static void make_read(Maker *maker)
{
    Range range;
    if (!some_mapped_range(maker, 2, &range))
        return;
    uint32_t page_bytes = maker->naive->page_bytes;
    PfRecord record = record_of(maker, once_in(maker, 4) ? PF_RECORD_FETCH : PF_RECORD_READ,
                                &range);
    uint64_t offset = below(maker, page_bytes);
    record.address += offset;
    record.count = 1 + below(maker, MIN(page_bytes, 64));
    if (range.count == 1)
        record.count = MIN(record.count, page_bytes - offset);
    if (record.kind == PF_RECORD_READ && once_in(maker, 5))
        record.flags |= PF_RECORD_DEPENDENT;
    if (maker->kinds[range.context] == PF_CONTEXT_VM && once_in(maker, 10)) {
        record.flags |= PF_RECORD_HAS_VIRTUAL;
        record.virtual_address = record.address + 1024 * (uint64_t)page_bytes;
    }
    naive_read(maker->naive, range.context, range.first);
    if (offset + record.count > page_bytes)
        naive_read(maker->naive, range.context, range.first + 1);
    add(maker, &record);
}

static void make_write(Maker *maker)
{
    Range range;
    if (!some_mapped_range(maker, 2, &range))
        return;
    unsigned page_bytes = maker->naive->page_bytes;
    PfRecord record = record_of(maker, PF_RECORD_WRITE, &range);
    unsigned offset = (unsigned)below(maker, page_bytes);
    if (once_in(maker, 3))
        offset = once_in(maker, 2) ? 0 : page_bytes - 1;
    unsigned room = range.count == 1 ? page_bytes - offset : page_bytes;
    unsigned length = 1 + (unsigned)below(maker, MIN(room, VALUE_BYTES_MAX));
    record.address += offset;
    record.count = length;
    uint8_t bytes[VALUE_BYTES_MAX] = {0};
    for (unsigned i = 0; i < length; i++)
        bytes[i] = once_in(maker, 2) ? 0 : (uint8_t)(0xff * below(maker, 2));
    bool known = !once_in(maker, 6);
    if (known) {
        record.flags |= PF_RECORD_HAS_VALUE;
        if (length > 8)
            record.bytes = bytes;
        else
            memcpy(&record.value, bytes, length); /* little-endian hosts only, as the simulator */
    }
    unsigned in_first = MIN(length, page_bytes - offset);
    naive_write(maker->naive, range.context, range.first, offset, known ? bytes : NULL, in_first);
    if (in_first < length)
        naive_write(maker->naive, range.context, range.first + 1, 0,
                    known ? bytes + in_first : NULL, length - in_first);
    add(maker, &record);
}

static void make_content(Maker *maker)
{
    static const PfRecordKind kinds[] = {PF_RECORD_STATE, PF_RECORD_FILL, PF_RECORD_STATE,
                                         PF_RECORD_FILL,  PF_RECORD_INIT, PF_RECORD_DMA};
    Range range;
    if (!some_mapped_range(maker, RECORD_PAGES_MAX, &range))
        return;
    PfRecordKind kind = kinds[below(maker, G_N_ELEMENTS(kinds))];
    PfRecord record = record_of(maker, kind, &range);
    PfContentSpec spec = some_content(maker);
    PfTraceDetail detail = {.name = "disk", .number = 7};
    bool steps = kind == PF_RECORD_STATE || kind == PF_RECORD_FILL;
    if (kind == PF_RECORD_DMA)
        record.detail = &detail;
    else if (steps && once_in(maker, 4))
        record.value = 1;
    record.content = pf_trace_writer_content(maker->writer, &spec);
    for (unsigned i = 0; i < range.count; i++) {
        PfContentSpec stepped = pf_content_spec_step(&spec, steps ? record.value : 0, i);
        GString *content = naive_content(maker->naive, &stepped);
        naive_fill(maker->naive, range.context, range.first + i, content,
                   kind == PF_RECORD_STATE);
        g_string_free(content, TRUE);
    }
    add(maker, &record);
}

static void make_touch(Maker *maker)
{
    Range range;
    if (!some_mapped_range(maker, RECORD_PAGES_MAX, &range))
        return;
    PfRecord record = record_of(maker, PF_RECORD_TOUCH, &range);
    for (unsigned i = 0; i < range.count; i++)
        naive_touch(maker->naive, range.context, range.first + i);
    add(maker, &record);
}

static void make_unmap(Maker *maker)
{
    Range range = some_range(maker, RECORD_PAGES_MAX);
    PfRecord record = record_of(maker, PF_RECORD_UNMAP, &range);
    for (unsigned i = 0; i < range.count; i++)
        naive_unmap(maker->naive, range.context, range.first + i);
    add(maker, &record);
}

static void make_alias(Maker *maker)
{
    Range source;
    Range target;
    if (!some_mapped_range(maker, RECORD_PAGES_MAX, &source) ||
        !some_mapped_range(maker, RECORD_PAGES_MAX, &target))
        return;
    target.count = MIN(source.count, target.count);
    bool overlap = source.context == target.context &&
                   source.first < target.first + target.count &&
                   target.first < source.first + target.count;
    if (overlap)
        return;
    PfTraceDetail detail = {.other_context = source.context,
                            .other_address = page_address(maker, source.first)};
    PfRecord record = record_of(maker, PF_RECORD_ALIAS, &target);
    record.detail = &detail;
    for (unsigned i = 0; i < target.count; i++)
        naive_alias(maker->naive, target.context, target.first + i, source.context,
                    source.first + i);
    add(maker, &record);
}

static void make_fork(Maker *maker)
{
    Naive *naive = maker->naive;
    if (naive->context_count == NAIVE_CONTEXTS)
        return;
    unsigned parent = some_context(maker);
    g_snprintf(maker->text, sizeof maker->text, "c%u", naive->context_count);
    PfTraceDetail detail = {.name = maker->text,
                            .other_context = naive->context_count,
                            .node = -1,
                            .core = -1,
                            .context_kind = maker->kinds[parent]};
    PfRecord record = {.kind = PF_RECORD_FORK,
                       .context = parent,
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    maker->kinds[naive->context_count] = maker->kinds[parent];
    naive_fork(naive, parent);
    add(maker, &record);
}

static void make_remap(Maker *maker)
{
    Range range = some_range(maker, RECORD_PAGES_MAX);
    unsigned cluster = (unsigned)below(maker, NAIVE_CLUSTERS) * NAIVE_CLUSTER_PAGES;
    unsigned target = cluster + (unsigned)below(maker, NAIVE_CLUSTER_PAGES - range.count + 1);
    unsigned distance = target > range.first ? target - range.first : range.first - target;
    if (distance < range.count)
        return;
    PfTraceDetail detail = {.other_address = page_address(maker, target)};
    PfRecord record = record_of(maker, PF_RECORD_REMAP, &range);
    record.detail = &detail;
    for (unsigned i = 0; i < range.count; i++) {
        naive_unmap(maker->naive, range.context, target + i);
        naive_move(maker->naive, range.context, range.first + i, target + i);
    }
    add(maker, &record);
}

static void make_advise(Maker *maker)
{
    Range range = some_range(maker, RECORD_PAGES_MAX);
    PfRecord record = record_of(maker, PF_RECORD_ADVISE, &range);
    record.choice = (uint8_t)below(maker, PF_ADVICE_COUNT);
    for (unsigned i = 0; i < range.count; i++) {
        NaivePage *page = &maker->naive->pages[range.context][range.first + i];
        if (record.choice == PF_ADVICE_DONTNEED && page->mapped)
            naive_dontneed(maker->naive, range.context, range.first + i);
        else if (record.choice == PF_ADVICE_MERGEABLE && page->mapped)
            page->mergeable = true;
        else if (record.choice == PF_ADVICE_UNMERGEABLE)
            page->mergeable = false;
    }
    add(maker, &record);
}

static void make_attribute(Maker *maker)
{
    Range range = some_range(maker, 3);
    PfRecord record = record_of(maker, PF_RECORD_ATTR, &range);
    record.choice = (uint8_t)below(maker, PF_ATTRIBUTE_COUNT);
    if (once_in(maker, 2))
        record.choice = PF_ATTRIBUTE_UNPINNED;
    for (unsigned i = 0; i < range.count; i++) {
        bool mapped = maker->naive->pages[range.context][range.first + i].mapped;
        if (record.choice == PF_ATTRIBUTE_PINNED && mapped)
            naive_pin(maker->naive, range.context, range.first + i);
        else if (record.choice == PF_ATTRIBUTE_UNPINNED)
            naive_unpin(maker->naive, range.context, range.first + i);
    }
    add(maker, &record);
}

static void make_exit(Maker *maker)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < maker->naive->context_count; i++)
        alive += maker->naive->alive[i];
    if (alive < 3)
        return;
    PfRecord record = {.kind = PF_RECORD_EXIT,
                       .context = some_context(maker),
                       .content = PF_TRACE_NO_CONTENT};
    naive_exit(maker->naive, record.context);
    add(maker, &record);
}

static void make_pause(Maker *maker)
{
    PfRecord record = {.kind = PF_RECORD_RUN,
                       .context = some_context(maker),
                       .count = 1 + below(maker, 400),
                       .content = PF_TRACE_NO_CONTENT};
    if (once_in(maker, 3)) {
        record.kind = PF_RECORD_IDLE;
        record.count = below(maker, 2000000);
    }
    add(maker, &record);
}

/* Records without a context. */
static void make_other(Maker *maker)
{
    PfTraceDetail detail = {.name = "none.rate", .text = "1"};
    PfRecord record = {.kind = PF_RECORD_SCAN,
                       .count = below(maker, 30),
                       .content = PF_TRACE_NO_CONTENT,
                       .context = PF_TRACE_NO_CONTEXT};
    switch (below(maker, 6)) {
    case 0:
        record.flags = PF_RECORD_SCAN_PASSES;
        record.count = 1 + below(maker, 2);
        break;
    case 1:
        maker->time_ps += below(maker, 3000000);
        record.kind = PF_RECORD_TIME;
        record.count = once_in(maker, 5) ? maker->time_ps / 2 : maker->time_ps;
        break;
    case 2:
        record.kind = PF_RECORD_CONTROL;
        record.detail = &detail;
        break;
    case 3:
        if (once_in(maker, 2)) {
            maker->page_grain = !maker->page_grain;
            record.kind = PF_RECORD_GRAIN;
            record.count = maker->page_grain ? PF_GRAIN_PAGE : PF_GRAIN_ACCESS;
        }
        break;
    default:
        break;
    }
    add(maker, &record);
}

static void make_span(Maker *maker)
{
    PfTraceDetail detail = {.name = once_in(maker, 2) ? "request" : "other"};
    PfRecord record = {.kind = once_in(maker, 2) ? PF_RECORD_BEGIN : PF_RECORD_END,
                       .context = some_context(maker),
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    add(maker, &record);
}

static void keep_mark(Maker *maker)
{
    const Naive *naive = maker->naive;
    LawsMark mark = {.populated_pages = naive_populated(naive),
                     .anon_pages = naive_eligible(naive, "anon"),
                     .mergeable_pages = naive_eligible(naive, "mergeable"),
                     .baseline_frames = naive_used_frames(naive),
                     .distinct_contents = naive_distinct(naive)};
    g_array_append_val(maker->trace->marks, mark);
}

static void make_mark(Maker *maker)
{
    keep_mark(maker);
    g_snprintf(maker->text, sizeof maker->text, "m%u", maker->trace->marks->len);
    PfTraceDetail detail = {.name = maker->text};
    PfRecord record = {.kind = PF_RECORD_MARK,
                       .content = PF_TRACE_NO_CONTENT,
                       .context = PF_TRACE_NO_CONTEXT,
                       .detail = &detail};
    add(maker, &record);
}

static void make_records(Maker *maker, unsigned count)
{
    static const struct {
        unsigned weight;
        void (*make)(Maker *);
    } kinds[] = {
        {2, make_context}, {12, make_some_map}, {60, make_read},  {90, make_write},
        {80, make_content}, {16, make_touch},   {6, make_unmap},  {10, make_alias},
        {4, make_fork},     {6, make_remap},    {10, make_advise}, {8, make_attribute},
        {2, make_exit},     {30, make_pause},   {24, make_other}, {6, make_span},
        {16, make_mark},
    };
    unsigned weights = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        weights += kinds[i].weight;
    while (maker->trace->records < count) {
        unsigned draw = (unsigned)below(maker, weights);
        unsigned kind = 0;
        for (; draw >= kinds[kind].weight; kind++)
            draw -= kinds[kind].weight;
        kinds[kind].make(maker);
    }
}

LawsTrace *laws_trace_write(const char *path, uint64_t seed, unsigned records)
{
    static const uint32_t page_sizes[] = {64, 8, 4096, 256};
    Maker maker = {.rng = pf_rng_derive(seed, "laws")};
    LawsTrace *trace = g_new0(LawsTrace, 1);
    trace->marks = g_array_new(FALSE, FALSE, sizeof(LawsMark));
    trace->page_bytes = page_sizes[seed % G_N_ELEMENTS(page_sizes)];
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
            Range all = {i, cluster * NAIVE_CLUSTER_PAGES, NAIVE_CLUSTER_PAGES / 2};
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
