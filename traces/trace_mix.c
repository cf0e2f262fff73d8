#include "trace_mix.h"

#include <string.h>

#include "error.h"
#include "trace_copy.h"
#include "trace_names.h"
#include "units.h"

/* Shares are of this. */
#define SHARE_ALL ((uint64_t)1 << 62)

/* One of the traces. */
typedef struct {
    const PfMixInput *input;
    PfTrace *trace;
    PfRecordBlock *block;
    uint32_t next; /* record of the block */
    bool has_ended;
    GArray *contexts; /* uint32_t by context: its number in the mix */
    GArray *contents; /* likewise */
    GHashTable *labels; /* of its marks, and what they are called in the mix */
    PfGrain grain;
    bool has_time;
    uint64_t total_work;
    uint64_t done_work;
    uint64_t time_ps;     /* the latest so far, with the offset */
    uint64_t key_time_ps; /* of the next record */
    uint64_t key_share;
} Source;

typedef struct {
    const PfMix *mix;
    PfTraceWriter *writer;
    Source *sources;
    uint64_t end_ps;          /* the latest time of all */
    GHashTable *context_names; /* taken */
    GHashTable *mark_names;
    uint32_t context_count;
    PfGrain grain; /* of the mix so far */
} Mixing;

static uint64_t work_of(const PfRecord *record)
{
    return 1 + (record->kind == PF_RECORD_RUN ? record->count : 0);
}

static uint64_t add_times(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* First reading: how much there is of SOURCE. */
static bool measure(Mixing *mixing, Source *source, GError **error)
{
    g_autoptr(PfTrace) trace = pf_trace_open(source->input->path, NULL, error);
    if (trace == NULL)
        return false;
    if (!g_file_test(source->input->path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s: is no file that can be read twice, as a mix does; give a file",
                    source->input->path);
        return false;
    }
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status;
    while ((status = pf_trace_read(trace, block, error)) == PF_TRACE_RECORDS) {
        for (uint32_t i = 0; i < block->count; i++) {
            const PfRecord *record = &block->records[i];
            source->total_work = add_times(source->total_work, work_of(record));
            if (record->kind != PF_RECORD_TIME)
                continue;
            source->has_time = true;
            mixing->end_ps =
                MAX(mixing->end_ps, add_times(record->count, source->input->offset_ps));
        }
        const int *interrupted = mixing->mix->interrupted;
        if (interrupted != NULL && __atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted; nothing is written");
            return false;
        }
    }
    return status == PF_TRACE_END;
}

/* PART of ALL (not 0) as a share of WHOLE. */
static uint64_t share_of(uint64_t part, uint64_t all, uint64_t whole)
{
    return (uint64_t)((PfUint128)MIN(part, all) * whole / all);
}

/* Where the next record of SOURCE belongs; reads on if need be. */
static bool find_next(Mixing *mixing, Source *source, GError **error)
{
    if (source->next == source->block->count && !source->has_ended) {
        pf_trace_copy_rest(mixing->writer, source->block, source->contents);
        PfTraceStatus status = pf_trace_read(source->trace, source->block, error);
        if (status == PF_TRACE_ERROR)
            return false;
        source->next = 0;
        source->has_ended = status == PF_TRACE_END;
        const int *interrupted = mixing->mix->interrupted;
        if (interrupted != NULL && __atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted; nothing is written");
            return false;
        }
    }
    if (source->has_ended)
        return true;
    const PfRecord *record = &source->block->records[source->next];
    uint64_t offset = source->input->offset_ps;
    source->key_share = share_of(source->done_work, source->total_work, SHARE_ALL);
    source->key_time_ps = source->time_ps;
    if (record->kind == PF_RECORD_TIME)
        source->key_time_ps = MAX(source->time_ps, add_times(record->count, offset));
    else if (!source->has_time && mixing->end_ps > offset)
        source->key_time_ps =
            offset + share_of(source->done_work, source->total_work, mixing->end_ps - offset);
    return true;
}

static bool comes_before(const Source *a, const Source *b)
{
    if (a->key_time_ps != b->key_time_ps)
        return a->key_time_ps < b->key_time_ps;
    return a->key_share < b->key_share;
}

/* NAME with the source's prefix and, if that is taken, its number; owned by TAKEN. */
static const char *free_name(const Mixing *mixing, const Source *source, const char *name,
                             GHashTable *taken)
{
    unsigned number = (unsigned)(source - mixing->sources) + 1;
    char *found = g_strconcat(source->input->prefix, name, NULL);
    for (unsigned tries = 1; g_hash_table_contains(taken, found); tries++) {
        g_free(found);
        found = tries == 1 ? g_strdup_printf("%s%s.%u", source->input->prefix, name, number)
                           : g_strdup_printf("%s%s.%u.%u", source->input->prefix, name, number,
                                             tries);
    }
    g_hash_table_add(taken, found);
    return found;
}

static const char *mark_name(const Mixing *mixing, Source *source, const char *label)
{
    const char *name = g_hash_table_lookup(source->labels, label);
    if (name != NULL)
        return name;
    name = free_name(mixing, source, label, mixing->mark_names);
    g_hash_table_insert(source->labels, (gpointer)(uintptr_t)label, (gpointer)(uintptr_t)name);
    return name;
}

static uint32_t context_of(const Source *source, uint32_t context)
{
    return g_array_index(source->contexts, uint32_t, context);
}

static uint32_t add_context(Mixing *mixing, Source *source)
{
    uint32_t number = mixing->context_count++;
    g_array_append_val(source->contexts, number);
    return number;
}

/* Names and numbers of RECORD become those of the mix; DETAIL is room for its detail, FILE for a
 * name. */
static void rename_detail(Mixing *mixing, Source *source, PfRecord *record, PfTraceDetail *detail,
                          char **ret_file)
{
    *detail = *record->detail;
    record->detail = detail;
    bool makes = record->kind == PF_RECORD_CONTEXT || record->kind == PF_RECORD_FORK;
    if (makes)
        detail->name = free_name(mixing, source, detail->name, mixing->context_names);
    else if (record->kind == PF_RECORD_MARK)
        detail->name = mark_name(mixing, source, detail->name);
    else if (record->kind == PF_RECORD_MAP && detail->backing != PF_BACKING_ANON &&
             mixing->mix->private_files)
        detail->name = *ret_file = g_strdup_printf("%s.%u", detail->name,
                                                   (unsigned)(source - mixing->sources) + 1);
    if (record->kind == PF_RECORD_FORK)
        detail->other_context = add_context(mixing, source);
    else if (record->kind == PF_RECORD_ALIAS)
        detail->other_context = context_of(source, detail->other_context);
}

/* Events of different grain stand side by side. */
static void set_grain(Mixing *mixing, const Source *source)
{
    PfRecord record = {.kind = PF_RECORD_GRAIN,
                       .context = PF_TRACE_NO_CONTEXT,
                       .count = source->grain,
                       .content = PF_TRACE_NO_CONTENT};
    if (mixing->grain == source->grain)
        return;
    mixing->grain = source->grain;
    pf_trace_writer_add(mixing->writer, &record);
}

/* What has no `time` of its own at its beginning still waits for it. */
static void add_offset(const Mixing *mixing, const Source *source)
{
    PfRecord record = {.kind = PF_RECORD_TIME,
                       .context = PF_TRACE_NO_CONTEXT,
                       .count = source->input->offset_ps,
                       .content = PF_TRACE_NO_CONTENT};
    if (source->done_work == 0 && record.count != 0)
        pf_trace_writer_add(mixing->writer, &record);
}

static void take_record(Mixing *mixing, Source *source)
{
    add_offset(mixing, source);
    PfRecord record = source->block->records[source->next++];
    PfTraceDetail detail;
    g_autofree char *file = NULL;
    source->done_work = add_times(source->done_work, work_of(&record));
    if (record.kind == PF_RECORD_GRAIN) {
        source->grain = (PfGrain)record.count;
        mixing->grain = source->grain;
    } else if (record.kind == PF_RECORD_TIME) {
        record.count = add_times(record.count, source->input->offset_ps);
        source->time_ps = MAX(source->time_ps, record.count);
    } else if (record.kind == PF_RECORD_CONTEXT) {
        record.context = add_context(mixing, source);
    } else if (pf_record_traits(record.kind)->has_context) {
        set_grain(mixing, source);
        record.context = context_of(source, record.context);
    }
    if (pf_record_has_detail(record.kind))
        rename_detail(mixing, source, &record, &detail, &file);
    pf_trace_copy_content_of(mixing->writer, source->block, &record, source->contents);
    pf_trace_writer_add(mixing->writer, &record);
}

static bool write_records(Mixing *mixing, GError **error)
{
    unsigned count = mixing->mix->count;
    for (unsigned i = 0; i < count; i++)
        if (!find_next(mixing, &mixing->sources[i], error))
            return false;
    for (;;) {
        Source *first = NULL;
        const Source *second = NULL;
        for (unsigned i = 0; i < count; i++) {
            Source *source = &mixing->sources[i];
            if (source->has_ended)
                continue;
            if (first == NULL || comes_before(source, first)) {
                second = first;
                first = source;
            } else if (second == NULL || comes_before(source, second)) {
                second = source;
            }
        }
        if (first == NULL)
            return true;
        /* On with it until another one's turn comes. */
        do {
            take_record(mixing, first);
            if (!find_next(mixing, first, error))
                return false;
        } while (!first->has_ended && (second == NULL || comes_before(first, second)));
    }
}

static bool check_whole(const Mixing *mixing, GError **error)
{
    for (unsigned i = 0; i < mixing->mix->count; i++) {
        const Source *source = &mixing->sources[i];
        if (source->done_work == source->total_work)
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s: it has changed while it was read; mix it when it is finished",
                    source->input->path);
        return false;
    }
    return true;
}

/* Opens all, and finds the header of the mix. */
static bool open_sources(Mixing *mixing, PfTraceHeader *ret_header, GError **error)
{
    bool has_time = false;
    bool has_offset = false;
    for (unsigned i = 0; i < mixing->mix->count; i++) {
        Source *source = &mixing->sources[i];
        if (!measure(mixing, source, error))
            return false;
        source->trace = pf_trace_open(source->input->path, NULL, error);
        if (source->trace == NULL)
            return false;
        const PfTraceHeader *header = pf_trace_header(source->trace);
        if (i == 0)
            *ret_header = *header;
        if (ret_header->clock_hz == 0)
            ret_header->clock_hz = header->clock_hz;
        has_time |= source->has_time;
        has_offset |= source->input->offset_ps != 0;
        source->time_ps = source->input->offset_ps;
        if (header->page_bytes == ret_header->page_bytes)
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: its pages have %u bytes, those of %s %u; only traces with the same size "
                    "of pages can be mixed",
                    source->input->path, header->page_bytes, mixing->sources[0].input->path,
                    ret_header->page_bytes);
        return false;
    }
    if (mixing->mix->count > 1)
        ret_header->description = "{\"source\": \"mix\"}";
    if (!has_offset || has_time)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--offset: none of the traces has times");
    return false;
}

static bool write_mix(Mixing *mixing, const char *out, PfTraceForm form, GError **error)
{
    PfTraceHeader header;
    if (!open_sources(mixing, &header, error))
        return false;
    mixing->writer = pf_trace_writer_new(out, form, &header, error);
    return mixing->writer != NULL && write_records(mixing, error) && check_whole(mixing, error) &&
           pf_trace_writer_finish(mixing->writer, error);
}

bool pf_trace_mix(const PfMix *mix, const char *out, PfTraceForm form, GError **error)
{
    Mixing mixing = {
        .mix = mix,
        .sources = g_new0(Source, mix->count),
        .context_names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .mark_names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    for (unsigned i = 0; i < mix->count; i++) {
        Source *source = &mixing.sources[i];
        source->input = &mix->inputs[i];
        source->block = pf_record_block_new();
        source->contexts = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        source->contents = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        source->labels = g_hash_table_new(g_str_hash, g_str_equal);
    }
    bool done = write_mix(&mixing, out, form, error);
    pf_trace_writer_free(mixing.writer);
    for (unsigned i = 0; i < mix->count; i++) {
        Source *source = &mixing.sources[i];
        pf_trace_free(source->trace);
        pf_record_block_free(source->block);
        g_array_unref(source->contexts);
        g_array_unref(source->contents);
        g_hash_table_unref(source->labels);
    }
    g_free(mixing.sources);
    g_hash_table_unref(mixing.context_names);
    g_hash_table_unref(mixing.mark_names);
    return done;
}
