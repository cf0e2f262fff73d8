#include "trace_tape.h"

#include <string.h>

#include "trace_block.h"
#include "trace_source.h"

struct PfTraceTape {
    PfTrace *trace;    /* at its end; its names are those of the records */
    GPtrArray *blocks; /* of PfRecordBlock */
    uint64_t bytes;
};

static void free_block(gpointer data)
{
    pf_record_block_free(data);
}

static uint64_t block_bytes(const PfRecordBlock *block)
{
    return block->count * sizeof(PfRecord) + block->contents->len * sizeof(PfContentSpec) +
           pf_record_block_bytes(block);
}

PfTraceTape *pf_trace_tape_new(const char *path, uint64_t bytes_max, GError **error)
{
    g_autoptr(PfTraceTape) tape = g_new0(PfTraceTape, 1);
    tape->blocks = g_ptr_array_new_with_free_func(free_block);
    tape->trace = pf_trace_open(path, NULL, error);
    while (tape->trace != NULL && tape->bytes <= bytes_max) {
        PfRecordBlock *block = pf_record_block_new();
        g_ptr_array_add(tape->blocks, block);
        PfTraceStatus status = pf_trace_read(tape->trace, block, error);
        block->records = g_renew(PfRecord, block->records, MAX(block->count, 1));
        tape->bytes += block_bytes(block);
        if (status == PF_TRACE_END)
            return g_steal_pointer(&tape);
        if (status == PF_TRACE_ERROR)
            return NULL;
    }
    return NULL;
}

void pf_trace_tape_free(PfTraceTape *tape)
{
    if (tape == NULL)
        return;
    g_ptr_array_unref(tape->blocks);
    pf_trace_free(tape->trace);
    g_free(tape);
}

uint64_t pf_trace_tape_bytes(const PfTraceTape *tape)
{
    return tape->bytes;
}

/* ---- A trace that is read from a tape ---- */

typedef struct {
    const PfTraceTape *tape;
    guint next; /* block */
} Playing;

static bool open_tape(PfTrace *trace, GError **error)
{
    (void)trace;
    (void)error;
    return true;
}

static PfTraceStatus read_tape(PfTrace *trace, PfRecordBlock *block, GError **error)
{
    (void)error;
    Playing *playing = trace->form;
    if (playing->next >= playing->tape->blocks->len)
        return PF_TRACE_END;
    const PfRecordBlock *kept = playing->tape->blocks->pdata[playing->next++];
    memcpy(block->records, kept->records, kept->count * sizeof(PfRecord));
    block->count = kept->count;
    block->first_content = kept->first_content;
    g_array_append_vals(block->contents, kept->contents->data, kept->contents->len);
    return kept->count > 0 ? PF_TRACE_RECORDS : PF_TRACE_END;
}

static void close_tape(PfTrace *trace)
{
    g_free(trace->form);
}

static double tape_progress(const PfTrace *trace)
{
    const Playing *playing = trace->form;
    return (double)playing->next / (double)playing->tape->blocks->len;
}

static const PfTraceSource source_tape = {
    .open = open_tape, .read = read_tape, .close = close_tape, .progress = tape_progress};

PfTrace *pf_trace_open_tape(const PfTraceTape *tape)
{
    PfTrace *trace = g_new0(PfTrace, 1);
    Playing *playing = g_new0(Playing, 1);
    playing->tape = tape;
    trace->source = &source_tape;
    trace->form = playing;
    trace->header = tape->trace->header;
    trace->input = pf_input_new_bytes(pf_input_name(tape->trace->input), "", 0);
    trace->strings = pf_strings_new();
    return trace;
}
