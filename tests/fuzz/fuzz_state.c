/* Feeds bytes as a trace to what counts memory, cuts a part, and mixes it with itself. What is
 * refused is refused with a line of text; what is written is a trace. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cut.h"
#include "tally.h"
#include "trace_mix.h"
#include "trace_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t count(const uint8_t *data, size_t size)
{
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("fuzz", data, size, NULL, NULL);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    if (trace == NULL)
        return 0;
    g_autoptr(PfTally) tally = pf_tally_new(pf_trace_header(trace)->page_bytes);
    while (pf_trace_read(trace, block, NULL) == PF_TRACE_RECORDS)
        pf_tally_take(tally, block);
    pf_tally_finish(tally);
    const char *problem = pf_tally_problem(tally);
    g_assert(problem == NULL || strchr(problem, '\n') == NULL);
    return block->first_record + block->count;
}

static char *path_of(int descriptor)
{
    return g_strdup_printf("/proc/self/fd/%d", descriptor);
}

/* OUT, which was written if DONE, is a trace; else ERROR is a line. */
static void check(const char *what, bool done, const char *out, const GError *error)
{
    g_autoptr(GError) problem = NULL;
    if (!done)
        g_assert(error->message[0] != '\0' && strchr(error->message, '\n') == NULL);
    else if (!pf_trace_verify(out, NULL, &problem))
        g_error("%s is no trace: %s", what, problem->message);
}

static void cut_and_mix(const char *in, const char *out, uint64_t records)
{
    g_autoptr(GError) cut_error = NULL;
    g_autoptr(GError) mix_error = NULL;
    PfCut cut = {.from = {.kind = PF_CUT_RECORD, .number = records / 2}};
    bool done = pf_trace_cut(in, out, PF_TRACE_BINARY, &cut, &cut_error);
    check("a part", done, out, cut_error);
    PfMixInput inputs[] = {{.path = in, .prefix = ""}, {.path = in, .prefix = ""}};
    PfMix mix = {.inputs = inputs, .count = G_N_ELEMENTS(inputs)};
    g_assert(truncate(out, 0) == 0);
    done = pf_trace_mix(&mix, out, PF_TRACE_TEXT, &mix_error);
    check("a mix", done, out, mix_error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t records = count(data, size);
    g_autofree char *folder = g_dir_make_tmp("pagefold-fuzz-XXXXXX", NULL);
    g_autofree char *out = g_build_filename(folder, "out", NULL);
    int in_file = memfd_create("in", 0);
    g_assert(in_file >= 0 && write(in_file, data, size) == (ssize_t)size);
    g_autofree char *in = path_of(in_file);
    g_assert(g_file_set_contents(out, "", 0, NULL));
    cut_and_mix(in, out, records);
    close(in_file);
    unlink(out);
    rmdir(folder);
    return 0;
}
