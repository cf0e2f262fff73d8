#include "cut.h"

#include <string.h>

#include "error.h"
#include "image_groups.h"
#include "tell.h"
#include "trace_names.h"
#include "units.h"

typedef struct {
    uint32_t context;
    const char *label; /* borrowed from the trace, as all strings here */
} Span;

typedef struct {
    const PfCut *cut;
    PfTrace *trace;
    PfTraceWriter *writer;
    PfWalk walk;
    PfMaps *maps;
    GArray *numbers;     /* uint32_t by context: its number in the part, or PF_TELL_DROPPED */
    uint32_t kept;       /* contexts */
    GArray *contents;    /* uint32_t by content: its number in the part + 1, 0: none yet */
    GArray *controls;    /* of PfTraceDetail, in order */
    GArray *spans;       /* of Span: those open at the beginning, in order */
    bool *is_found;      /* by name of cut->contexts */
    PfGrain grain;
    uint64_t time_ps; /* latest so far */
    uint64_t base_ps; /* at the beginning of the part */
    bool has_begun;
    bool has_ended;
} Cutting;

static bool fail(const Cutting *cutting, const PfRecordBlock *block, uint32_t index,
                 const char *what, GError **error)
{
    g_autofree char *place = pf_trace_place(cutting->trace, &block->records[index],
                                            block->first_record + index);
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", place, what);
    return false;
}

/* NAME gets the next number of a context, or none. */
static void add_context(Cutting *cutting, const char *name)
{
    const char *const *contexts = cutting->cut->contexts;
    bool is_kept = contexts == NULL;
    for (unsigned i = 0; contexts != NULL && contexts[i] != NULL; i++)
        if (g_str_equal(contexts[i], name))
            is_kept = cutting->is_found[i] = true;
    uint32_t number = is_kept ? cutting->kept++ : PF_TELL_DROPPED;
    g_array_append_val(cutting->numbers, number);
}

static uint32_t number_of(const Cutting *cutting, uint32_t context)
{
    return g_array_index(cutting->numbers, uint32_t, context);
}

static void note_end(GArray *spans, const PfRecord *record)
{
    for (guint i = spans->len; i-- > 0;) {
        const Span *span = &g_array_index(spans, Span, i);
        bool is_one = span->context == record->context &&
                      (record->kind == PF_RECORD_EXIT ||
                       g_str_equal(span->label, record->detail->name));
        if (!is_one)
            continue;
        g_array_remove_index(spans, i);
        if (record->kind == PF_RECORD_END)
            return;
    }
}

/* A record before the part, other than what it does to memory. */
static void note(Cutting *cutting, const PfRecord *record)
{
    Span span = {.context = record->context};
    pf_maps_apply(cutting->maps, record);
    switch ((unsigned)record->kind) {
    case PF_RECORD_CONTEXT:
    case PF_RECORD_FORK:
        add_context(cutting, record->detail->name);
        return;
    case PF_RECORD_CONTROL:
        g_array_append_val(cutting->controls, *record->detail);
        return;
    case PF_RECORD_BEGIN:
        span.label = record->detail->name;
        g_array_append_val(cutting->spans, span);
        return;
    case PF_RECORD_END:
    case PF_RECORD_EXIT:
        note_end(cutting->spans, record);
        return;
    case PF_RECORD_GRAIN:
        cutting->grain = (PfGrain)record->count;
        return;
    case PF_RECORD_TIME:
        cutting->time_ps = MAX(cutting->time_ps, record->count);
        return;
    default:
        return;
    }
}

static PfRecord make_record(PfRecordKind kind)
{
    return (PfRecord){.kind = (uint8_t)kind,
                      .context = PF_TRACE_NO_CONTEXT,
                      .content = PF_TRACE_NO_CONTENT};
}

/* The part begins: all that has been so far, told. */
static void begin(Cutting *cutting)
{
    bool is_time = cutting->cut->from.kind == PF_CUT_TIME_PS;
    cutting->has_begun = true;
    cutting->base_ps = is_time ? cutting->cut->from.number : cutting->time_ps;
    for (guint i = 0; i < cutting->controls->len; i++) {
        PfRecord record = make_record(PF_RECORD_CONTROL);
        record.detail = &g_array_index(cutting->controls, PfTraceDetail, i);
        pf_trace_writer_add(cutting->writer, &record);
    }
    if (cutting->grain != PF_GRAIN_ACCESS) {
        PfRecord record = make_record(PF_RECORD_GRAIN);
        record.count = cutting->grain;
        pf_trace_writer_add(cutting->writer, &record);
    }
    PfTellOptions options = {.walk = &cutting->walk,
                             .maps = cutting->maps,
                             .writer = cutting->writer,
                             .numbers = (const uint32_t *)(const void *)cutting->numbers->data};
    pf_tell_memory(&options);
    for (guint i = 0; i < cutting->spans->len; i++) {
        const Span *span = &g_array_index(cutting->spans, Span, i);
        PfTraceDetail detail = {.name = span->label};
        PfRecord record = make_record(PF_RECORD_BEGIN);
        record.detail = &detail;
        record.context = number_of(cutting, span->context);
        if (record.context != PF_TELL_DROPPED)
            pf_trace_writer_add(cutting->writer, &record);
    }
}

static bool begins_at(const Cutting *cutting, const PfRecord *record, uint64_t number)
{
    const PfCutPoint *from = &cutting->cut->from;
    switch (from->kind) {
    case PF_CUT_EDGE:
        return true;
    case PF_CUT_RECORD:
        return number == from->number;
    case PF_CUT_TIME_PS:
        return record->kind == PF_RECORD_TIME && record->count >= from->number;
    case PF_CUT_MARK:
        return record->kind == PF_RECORD_MARK && g_str_equal(record->detail->name, from->label);
    }
    return false;
}

static bool ends_before(const Cutting *cutting, const PfRecord *record, uint64_t number)
{
    const PfCutPoint *to = &cutting->cut->to;
    if (to->kind == PF_CUT_RECORD)
        return number >= to->number;
    return to->kind == PF_CUT_TIME_PS && record->kind == PF_RECORD_TIME &&
           record->count >= to->number;
}

/* The trace went on until the part's end. */
static void add_last_time(Cutting *cutting)
{
    PfRecord record = make_record(PF_RECORD_TIME);
    record.count = cutting->cut->to.number - cutting->base_ps;
    if (cutting->cut->to.kind == PF_CUT_TIME_PS && cutting->cut->to.number > cutting->time_ps)
        pf_trace_writer_add(cutting->writer, &record);
}

static uint32_t content_of(Cutting *cutting, uint32_t content)
{
    if (cutting->contents->len <= content)
        g_array_set_size(cutting->contents, content + 1);
    uint32_t *number = &g_array_index(cutting->contents, uint32_t, content);
    if (*number == 0) {
        PfContentSpec spec = pf_image_given_content(cutting->walk.image, content);
        *number = pf_trace_writer_content(cutting->writer, &spec) + 1;
    }
    return *number - 1;
}

/* What makes or ends contexts; false where RECORD is not part of the part. */
static bool take_context(Cutting *cutting, PfRecord *record, PfTraceDetail *detail,
                         const char **ret_problem)
{
    if (record->kind == PF_RECORD_CONTEXT || record->kind == PF_RECORD_FORK)
        add_context(cutting, record->detail->name);
    uint32_t number = number_of(cutting, record->context);
    if (record->kind == PF_RECORD_FORK || record->kind == PF_RECORD_ALIAS) {
        *detail = *record->detail;
        uint32_t other = number_of(cutting, detail->other_context);
        bool is_fork = record->kind == PF_RECORD_FORK;
        if (is_fork ? number == PF_TELL_DROPPED && other != PF_TELL_DROPPED
                    : number != PF_TELL_DROPPED && other == PF_TELL_DROPPED)
            *ret_problem = "a context that is kept gets pages from one that is not; keep that too, "
                           "or let the part begin after this";
        if (other == PF_TELL_DROPPED)
            return false;
        detail->other_context = other;
        record->detail = detail;
    }
    record->context = number;
    return number != PF_TELL_DROPPED;
}

/* A record of the part. */
static bool copy(Cutting *cutting, const PfRecordBlock *block, uint32_t index, GError **error)
{
    PfRecord record = block->records[index];
    PfTraceDetail detail;
    const char *problem = NULL;
    bool has_context =
        record.kind == PF_RECORD_CONTEXT || pf_record_traits(record.kind)->has_context;
    if (has_context && !take_context(cutting, &record, &detail, &problem))
        return problem == NULL || fail(cutting, block, index, problem, error);
    if (problem != NULL)
        return fail(cutting, block, index, problem, error);
    if (record.content != PF_TRACE_NO_CONTENT)
        record.content = content_of(cutting, record.content);
    if (record.kind == PF_RECORD_TIME) {
        cutting->time_ps = MAX(cutting->time_ps, record.count);
        record.count -= MIN(record.count, cutting->base_ps);
    }
    pf_trace_writer_add(cutting->writer, &record);
    return true;
}

/* The records before the part of BLOCK; RET_INDEX gets the first that is in it. */
static bool skip(Cutting *cutting, const PfRecordBlock *block, uint32_t *ret_index, GError **error)
{
    uint32_t i = 0;
    while (i < block->count &&
           !begins_at(cutting, &block->records[i], block->first_record + i))
        note(cutting, &block->records[i++]);
    uint32_t bad;
    GError *problem = NULL;
    *ret_index = i;
    if (!pf_walk_records(&cutting->walk, block, 0, i, &bad, &problem)) {
        fail(cutting, block, bad, problem->message, error);
        g_error_free(problem);
        return false;
    }
    if (i == block->count)
        return true;
    begin(cutting);
    const PfCutPoint *to = &cutting->cut->to;
    bool is_empty = (to->kind == PF_CUT_TIME_PS && to->number <= cutting->base_ps) ||
                    (to->kind == PF_CUT_RECORD && to->number <= block->first_record + i);
    if (is_empty)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "the part begins after record %" G_GUINT64_FORMAT ", at %.9g s, which is not "
                    "before its end",
                    block->first_record + i,
                    (double)cutting->base_ps / (double)PF_PS_PER_SECOND);
    return !is_empty;
}

static bool take_block(Cutting *cutting, const PfRecordBlock *block, GError **error)
{
    uint32_t i = 0;
    pf_image_add_contents(cutting->walk.image, block);
    if (!cutting->has_begun && !skip(cutting, block, &i, error))
        return false;
    for (; cutting->has_begun && !cutting->has_ended && i < block->count; i++) {
        const PfRecord *record = &block->records[i];
        if (ends_before(cutting, record, block->first_record + i)) {
            cutting->has_ended = true;
            add_last_time(cutting);
        } else {
            if (!copy(cutting, block, i, error))
                return false;
            const PfCutPoint *to = &cutting->cut->to;
            cutting->has_ended = to->kind == PF_CUT_MARK && record->kind == PF_RECORD_MARK &&
                                 g_str_equal(record->detail->name, to->label);
        }
    }
    return true;
}

/* Whether all was there that was asked for. */
static bool check_end(const Cutting *cutting, const char *in, GError **error)
{
    const PfCut *cut = cutting->cut;
    const PfCutPoint *missing = NULL;
    if (!cutting->has_begun && cut->from.kind != PF_CUT_EDGE)
        missing = &cut->from;
    else if (!cutting->has_ended && cut->to.kind == PF_CUT_MARK)
        missing = &cut->to;
    if (missing != NULL && missing->kind == PF_CUT_MARK)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: it has no mark '%s'%s; %s`trace info` lists marks", in, missing->label,
                    cutting->has_begun ? " where the part could end" : "",
                    missing->label[0] == '\0' ? "behind mark: a LABEL is missing; " : "");
    else if (missing != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: it ends before the part begins", in);
    if (missing != NULL)
        return false;
    for (unsigned i = 0; cut->contexts != NULL && cut->contexts[i] != NULL; i++)
        if (!cutting->is_found[i]) {
            g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                        "%s: it has no context '%s' up to the end of the part; `trace info` "
                        "lists contexts",
                        in, cut->contexts[i]);
            return false;
        }
    return true;
}

static bool read_trace(Cutting *cutting, const char *in, const char *out, GError **error)
{
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    while (!cutting->has_ended) {
        PfTraceStatus status = pf_trace_read(cutting->trace, block, error);
        if (status == PF_TRACE_ERROR)
            return false;
        if (status == PF_TRACE_END)
            break;
        const int *interrupted = cutting->cut->interrupted;
        if (interrupted != NULL && __atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted; %s is not written",
                        out);
            return false;
        }
        if (!take_block(cutting, block, error))
            return false;
    }
    return check_end(cutting, in, error) && pf_trace_writer_finish(cutting->writer, error);
}

bool pf_trace_cut(const char *in, const char *out, PfTraceForm form, const PfCut *cut,
                  GError **error)
{
    g_autoptr(PfTrace) trace = pf_trace_open(in, NULL, error);
    if (trace == NULL)
        return false;
    const PfTraceHeader *header = pf_trace_header(trace);
    if (header->page_bytes > PF_WALK_PAGE_BYTES_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: its pages of %u bytes are too large to "
                    "be kept; no part of it can be made", in, header->page_bytes);
        return false;
    }
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(out, form, header, error);
    if (writer == NULL)
        return false;
    Cutting cutting = {.cut = cut,
                       .trace = trace,
                       .writer = writer,
                       .numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                       .contents = g_array_new(FALSE, TRUE, sizeof(uint32_t)),
                       .controls = g_array_new(FALSE, FALSE, sizeof(PfTraceDetail)),
                       .spans = g_array_new(FALSE, FALSE, sizeof(Span)),
                       .is_found = g_new0(bool, 1 + (cut->contexts != NULL
                                                         ? g_strv_length((char **)(uintptr_t)
                                                                             cut->contexts)
                                                         : 0))};
    pf_walk_init(&cutting.walk, header->page_bytes);
    cutting.maps = pf_maps_new(pf_image_page_shift(cutting.walk.image));
    bool done = read_trace(&cutting, in, out, error);
    pf_maps_free(cutting.maps);
    pf_walk_clear(&cutting.walk);
    g_array_unref(cutting.numbers);
    g_array_unref(cutting.contents);
    g_array_unref(cutting.controls);
    g_array_unref(cutting.spans);
    g_free(cutting.is_found);
    return done;
}
