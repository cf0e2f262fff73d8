#include "trace.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "binary_layout.h"
#include "error.h"
#include "trace_block.h"
#include "trace_source.h"
#include "trace_tape.h"

bool pf_trace_looks(PfInput *input)
{
    static const char text_magic[] = "pagefold-trace";
    size_t length;
    if (!pf_input_fill(input, strlen(text_magic), NULL))
        return false;
    const uint8_t *bytes = pf_input_window(input, &length);
    return (length >= strlen(text_magic) && memcmp(bytes, text_magic, strlen(text_magic)) == 0) ||
           (length >= PF_BINARY_MAGIC_BYTES &&
            memcmp(bytes, pf_binary_magic, PF_BINARY_MAGIC_BYTES) == 0);
}

PfTrace *pf_trace_open_input(PfInput *input, const PfTraceOptions *options, GError **error)
{
    g_autoptr(PfTrace) trace = g_new0(PfTrace, 1);
    trace->input = input;
    trace->strings = pf_strings_new();
    trace->salvages = options != NULL && options->salvage;
    if (!pf_input_fill(input, PF_BINARY_MAGIC_BYTES, error))
        return NULL;
    size_t length;
    const uint8_t *bytes = pf_input_window(input, &length);
    /* One byte decides, so that a damaged magic is told as such and not as strange text. */
    bool is_binary = length > 0 && bytes[0] == pf_binary_magic[0];
    trace->source = is_binary ? &pf_trace_source_binary : &pf_trace_source_text;
    trace->header.is_binary = is_binary;
    trace->header.description = "{}";
    if (!trace->source->open(trace, error))
        return NULL;
    g_assert(trace->rules != NULL);
    return g_steal_pointer(&trace);
}

PfTrace *pf_trace_open(const char *path, const PfTraceOptions *options, GError **error)
{
    if (options != NULL && options->tape != NULL)
        return pf_trace_open_tape(options->tape);
    PfInput *input = pf_input_open(path, error);
    return input != NULL ? pf_trace_open_input(input, options, error) : NULL;
}

PfTrace *pf_trace_open_bytes(const char *name, const void *bytes, size_t length,
                             const PfTraceOptions *options, GError **error)
{
    return pf_trace_open_input(pf_input_new_bytes(name, bytes, length), options, error);
}

void pf_trace_free(PfTrace *trace)
{
    if (trace == NULL)
        return;
    if (trace->source != NULL)
        trace->source->close(trace);
    pf_trace_rules_free(trace->rules);
    pf_strings_free(trace->strings);
    pf_input_free(trace->input);
    g_clear_error(&trace->failure);
    g_free(trace->damage);
    g_free(trace->description);
    g_free(trace);
}

const PfTraceHeader *pf_trace_header(const PfTrace *trace)
{
    return &trace->header;
}

/* Takes over PROBLEM, which ends the trace one way or the other. */
static void end_by_problem(PfTrace *trace, GError *problem)
{
    bool is_damage = g_error_matches(problem, PF_ERROR, PF_ERROR_TRACE);
    if (!trace->salvages || !is_damage) {
        trace->failure = problem;
        return;
    }
    trace->damage = g_strdup(problem->message);
    g_error_free(problem);
}

PfTraceStatus pf_trace_read(PfTrace *trace, PfRecordBlock *block, GError **error)
{
    pf_record_block_reset(block);
    block->first_record = trace->records;
    block->first_content = trace->rules != NULL ? (uint32_t)trace->rules->content_count : 0;
    if (!trace->has_ended) {
        GError *problem = NULL;
        PfTraceStatus status = trace->source->read(trace, block, &problem);
        g_assert((status == PF_TRACE_ERROR) == (problem != NULL));
        g_assert(status != PF_TRACE_RECORDS || block->count > 0);
        trace->records += block->count;
        trace->has_ended = status != PF_TRACE_RECORDS;
        if (problem != NULL)
            end_by_problem(trace, problem);
        if (block->count > 0)
            return PF_TRACE_RECORDS;
    }
    if (trace->failure == NULL)
        return PF_TRACE_END;
    g_propagate_error(error, g_error_copy(trace->failure));
    return PF_TRACE_ERROR;
}

double pf_trace_progress(const PfTrace *trace)
{
    if (trace->source->progress != NULL)
        return trace->source->progress(trace);
    uint64_t length = pf_input_length(trace->input);
    if (length == 0)
        return 0.0;
    return MIN(1.0, (double)pf_input_offset(trace->input) / (double)length);
}

const char *pf_trace_context_name(const PfTrace *trace, uint32_t number)
{
    const PfTraceContext *context =
        trace->rules != NULL ? pf_trace_rules_context(trace->rules, number) : NULL;
    return context != NULL ? context->name : NULL;
}

const char *pf_trace_damage(const PfTrace *trace)
{
    return trace->damage;
}

char *pf_trace_place(const PfTrace *trace, const PfRecord *record, uint64_t record_number)
{
    const char *name = pf_input_name(trace->input);
    if (trace->header.is_binary)
        return g_strdup_printf("%s: record %" PRIu64, name, record_number);
    return g_strdup_printf("%s:%" PRIu32, name, record->line);
}

bool pf_trace_is_stream(const char *path)
{
    return strcmp(path, "-") == 0 ||
           (g_file_test(path, G_FILE_TEST_EXISTS) &&
            !g_file_test(path, G_FILE_TEST_IS_REGULAR | G_FILE_TEST_IS_DIR));
}

static char *digest_text(XXH128_hash_t digest)
{
    return g_strdup_printf("%016" PRIx64 "%016" PRIx64, (uint64_t)digest.high64,
                           (uint64_t)digest.low64);
}

char *pf_digest(const void *bytes, size_t length)
{
    return digest_text(XXH3_128bits(bytes, length));
}

char *pf_trace_digest(const char *path, GError **error)
{
    enum { STEP_BYTES = 1 << 18 };
    g_autoptr(PfInput) input = pf_input_open(path, error);
    if (input == NULL)
        return NULL;
    XXH3_state_t *state = XXH3_createState();
    XXH3_128bits_reset(state);
    bool is_read = true;
    for (size_t length = STEP_BYTES; is_read && length > 0;) {
        is_read = pf_input_fill(input, STEP_BYTES, error);
        const uint8_t *bytes = pf_input_window(input, &length);
        XXH3_128bits_update(state, bytes, length);
        pf_input_consume(input, length);
    }
    XXH128_hash_t digest = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    return is_read ? digest_text(digest) : NULL;
}
