/* How many records a second the binary reader decodes on one core, from the page cache.
 *
 * The trace is what a program leaves behind, not a stride: loops that walk arrays, calls that push
 * and pop a stack, a pointer chase through a heap, copies of blocks, a hash table; a run of
 * instructions before each basic block's accesses and a fetch for it. Prints one line for each
 * variant and fails only where reading fails, since machines differ. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rng.h"
#include "trace.h"

enum { RECORDS = 20 * 1000 * 1000, REPEATS = 3 };

static const uint64_t stack_top = 0x7ffff000;
static const uint64_t heap_start = 0x10000000;
static const uint64_t heap_bytes = (uint64_t)64 << 20;
static const uint64_t code_start = 0x400000;

typedef struct {
    PfTraceWriter *writer;
    PfRng rng;
    uint64_t left;
    uint64_t stack;
    uint64_t node; /* of the pointer chase */
    bool has_values;
} Program;

static void add(Program *program, PfRecordKind kind, uint64_t address, uint64_t count,
                uint8_t flags, uint64_t value)
{
    if (program->left == 0)
        return;
    program->left--;
    PfRecord record = {.kind = (uint8_t)kind, .address = address, .count = count};
    record.content = PF_TRACE_NO_CONTENT;
    record.flags = flags;
    if (kind == PF_RECORD_WRITE && program->has_values) {
        record.flags |= PF_RECORD_HAS_VALUE;
        record.value = count < 8 ? value & (((uint64_t)1 << (8 * count)) - 1) : value;
    }
    pf_trace_writer_add(program->writer, &record);
}

static void add_block(Program *program, uint64_t code)
{
    add(program, PF_RECORD_FETCH, code_start + code, 16 + code % 48, 0, 0);
    add(program, PF_RECORD_RUN, 0, 3 + code % 17, 0, 0);
}

/* Sums one array into another. */
static void walk_arrays(Program *program)
{
    uint64_t from = heap_start + pf_rng_below(&program->rng, heap_bytes - 65536);
    uint64_t to = heap_start + pf_rng_below(&program->rng, heap_bytes - 65536);
    uint64_t sum = pf_rng_below(&program->rng, 1000);
    uint64_t count = 16 + pf_rng_below(&program->rng, 200);
    for (uint64_t i = 0; i < count; i++) {
        add_block(program, 0x100);
        add(program, PF_RECORD_READ, (from & ~7U) + 8 * i, 8, 0, 0);
        add(program, PF_RECORD_READ, (to & ~7U) + 8 * i, 8, 0, 0);
        sum += pf_rng_below(&program->rng, 256);
        add(program, PF_RECORD_WRITE, (to & ~7U) + 8 * i, 8, 0, sum);
    }
}

static void call(Program *program)
{
    uint64_t function = 0x1000 + pf_rng_below(&program->rng, 64) * 0x140;
    unsigned saved = 1 + (unsigned)pf_rng_below(&program->rng, 5);
    uint64_t frame = program->stack;
    for (unsigned i = 0; i <= saved; i++) {
        program->stack -= 8;
        uint64_t value = i == 0 ? code_start + function + 37
                                : heap_start + (pf_rng_below(&program->rng, 4096) << 4);
        add(program, PF_RECORD_WRITE, program->stack, 8, 0, value);
    }
    add_block(program, function);
    for (unsigned i = 0; i < 6; i++) {
        uint64_t local = program->stack + 4 * pf_rng_below(&program->rng, 8);
        add(program, PF_RECORD_READ, local, 4, 0, 0);
        if (i % 2 == 0)
            add(program, PF_RECORD_WRITE, local, 4, 0, pf_rng_below(&program->rng, 300));
    }
    for (unsigned i = 0; i <= saved; i++, program->stack += 8)
        add(program, PF_RECORD_READ, program->stack, 8, 0, 0);
    program->stack = frame;
}

static void chase(Program *program)
{
    for (unsigned i = 0; i < 24; i++) {
        add_block(program, 0x200);
        uint64_t node = heap_start + (program->node & (heap_bytes - 1) & ~(uint64_t)63);
        add(program, PF_RECORD_READ, node, 8, PF_RECORD_DEPENDENT, 0);
        add(program, PF_RECORD_READ, node + 16, 4, PF_RECORD_DEPENDENT, 0);
        if (pf_rng_below(&program->rng, 4) == 0)
            add(program, PF_RECORD_WRITE, node + 24, 8, 0,
                heap_start + pf_rng_below(&program->rng, heap_bytes));
        program->node = program->node * 6364136223846793005U + 1442695040888963407U;
    }
}

/* Copies text: what is written has no pattern that pays. */
static void copy(Program *program)
{
    uint64_t from = heap_start + pf_rng_below(&program->rng, heap_bytes - 8192);
    uint64_t to = heap_start + pf_rng_below(&program->rng, heap_bytes - 8192);
    uint64_t count = 8 + pf_rng_below(&program->rng, 64);
    for (uint64_t i = 0; i < count; i++) {
        add(program, PF_RECORD_READ, from + 8 * i, 8, 0, 0);
        add(program, PF_RECORD_WRITE, to + 8 * i, 8, 0,
            0x2020202020202020U | (pf_rng_next(&program->rng) & 0x4f1f0f1f4f1f0f1fU));
    }
}

/* Bytes through a table, as a parser or a compressor does it. */
static void hash(Program *program)
{
    uint64_t input = heap_start + pf_rng_below(&program->rng, heap_bytes / 2);
    for (unsigned i = 0; i < 40; i++) {
        add_block(program, 0x300 + 0x40 * pf_rng_below(&program->rng, 3));
        add(program, PF_RECORD_READ, input + i, 1, 0, 0);
        uint64_t slot = heap_start + heap_bytes / 2 + 4 * pf_rng_below(&program->rng, 32768);
        add(program, PF_RECORD_READ, slot, 4, 0, 0);
        add(program, PF_RECORD_WRITE, slot, 4, 0, input + i);
    }
}

static bool generate(const char *path, bool has_values)
{
    PfTraceHeader header = {.page_bytes = 4096};
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, PF_TRACE_BINARY, &header, &error);
    if (writer == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return false;
    }
    PfTraceDetail detail = {.name = "program", .node = -1, .core = -1};
    PfRecord context = {
        .kind = PF_RECORD_CONTEXT, .detail = &detail, .content = PF_TRACE_NO_CONTENT};
    pf_trace_writer_add(writer, &context);
    Program program = {.writer = writer,
                       .rng = pf_rng_derive(1, "bench"),
                       .left = RECORDS,
                       .stack = stack_top,
                       .has_values = has_values};
    static void (*const parts[])(Program *) = {walk_arrays, call, call, chase, copy, hash};
    while (program.left > 0)
        parts[pf_rng_below(&program.rng, G_N_ELEMENTS(parts))](&program);
    bool is_finished = pf_trace_writer_finish(writer, &error);
    if (!is_finished)
        fprintf(stderr, "%s\n", error->message);
    return is_finished;
}

/* Reads all of the trace; false on errors. The sum keeps the compiler from knowing better. */
static bool read_all(const char *path, uint64_t *ret_sum)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, &error);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    uint64_t records = 0;
    PfTraceStatus status = PF_TRACE_ERROR;
    while (trace != NULL && (status = pf_trace_read(trace, block, &error)) == PF_TRACE_RECORDS) {
        records += block->count;
        *ret_sum += block->records[block->count - 1].address;
    }
    if (status == PF_TRACE_END && records == RECORDS + 1)
        return true;
    fprintf(stderr, "%s\n", error != NULL ? error->message : "records are missing");
    return false;
}

/* Time of the core, not of the wall: the machine may have other things to do. */
static double now_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool measure(const char *folder, bool has_values)
{
    g_autofree char *path = g_build_filename(folder, "bench.pft", NULL);
    double before = now_seconds();
    if (!generate(path, has_values))
        return false;
    double encode_seconds = now_seconds() - before;
    GStatBuf status;
    if (g_stat(path, &status) != 0)
        return false;
    double best_seconds = 1e9;
    uint64_t sum = 0;
    bool is_read = true;
    for (unsigned i = 0; is_read && i < REPEATS; i++) {
        before = now_seconds();
        is_read = read_all(path, &sum);
        best_seconds = MIN(best_seconds, now_seconds() - before);
    }
    g_unlink(path);
    printf("%-14s decode %6.1f Mrecords/s  encode %5.1f Mrecords/s  %.2f bytes/record  (sum "
           "%" G_GINT64_MODIFIER "x)\n",
           has_values ? "with values" : "without values", RECORDS / best_seconds * 1e-6,
           RECORDS / encode_seconds * 1e-6, (double)status.st_size / RECORDS, sum);
    return is_read;
}

int main(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("pagefold-bench-XXXXXX", &error);
    if (folder == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    bool is_done = measure(folder, false) && measure(folder, true);
    g_rmdir(folder);
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
