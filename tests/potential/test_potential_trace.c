/* Random traces of every kind of record: what is counted at each mark and at the end is what is
 * found by looking at all frames of a naive model of memory. */
#include "check.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "laws_trace.h"
#include "potential.h"

enum { SEEDS = 14, RECORDS = 500 };

static char *make_path(void)
{
    char *path = NULL;
    int file = g_file_open_tmp("pagefold-potential-XXXXXX", &path, NULL);
    g_assert(file >= 0);
    close(file);
    return path;
}

static PfPotential *count_at(const char *path, const char *epoch)
{
    PfPotentialReading how = {.epoch = epoch};
    g_autoptr(GError) error = NULL;
    PfPotential *potential = pf_potential_new(false);
    pf_potential_read(potential, path, false, &how, &error);
    g_assert_no_error(error);
    return potential;
}

static uint64_t sum(const uint64_t counts[PF_PAGE_KINDS])
{
    uint64_t all = 0;
    for (unsigned kind = 0; kind < PF_PAGE_KINDS; kind++)
        all += counts[kind];
    return all;
}

/* The sum of squares tells histograms apart, and the two sums are the frames and the contents. */
static void check_multiplicity(const PfPotentialCount *count, const PfNaivePotential *wanted)
{
    uint64_t frames = 0;
    uint64_t contents = 0;
    uint64_t squares = 0;
    for (guint i = 0; i < count->multiplicity->len; i++) {
        const PfMultiplicity *row = &g_array_index(count->multiplicity, PfMultiplicity, i);
        frames += row->copies * row->contents;
        contents += row->contents;
        squares += row->copies * row->copies * row->contents;
    }
    CU_ASSERT_EQUAL(frames, sum(wanted->frames));
    CU_ASSERT_EQUAL(contents, wanted->cbps_shared);
    CU_ASSERT_EQUAL(squares, wanted->multiplicity);
}

static void check_contexts(const PfPotentialCount *count)
{
    uint64_t mapped = 0;
    uint64_t frames = 0;
    uint64_t saved = 0;
    for (guint i = 0; i < count->contexts->len; i++) {
        const PfPotentialContext *context = &g_array_index(count->contexts, PfPotentialContext, i);
        mapped += context->mapped;
        frames += context->frames;
        saved += context->within + context->between;
    }
    CU_ASSERT_EQUAL(mapped, sum(count->no_sharing));
    CU_ASSERT_EQUAL(frames, sum(count->frames));
    CU_ASSERT_EQUAL(saved, sum(count->frames) - sum(count->cbps));
    CU_ASSERT_EQUAL(saved,
                    count->within[0] + count->within[1] + count->between[0] + count->between[1]);
}

static void check_count(const char *path, const char *epoch, const PfNaivePotential *wanted)
{
    g_autoptr(PfPotential) potential = count_at(path, epoch);
    const PfPotentialCount *count = pf_potential_finish(potential, 3);
    for (unsigned kind = 0; kind < PF_PAGE_KINDS; kind++) {
        CU_ASSERT_EQUAL(count->no_sharing[kind], wanted->no_sharing[kind]);
        CU_ASSERT_EQUAL(count->frames[kind], wanted->frames[kind]);
    }
    CU_ASSERT_EQUAL(sum(count->ksm), wanted->ksm_shared);
    CU_ASSERT_EQUAL(sum(count->cbps), wanted->cbps_shared);
    CU_ASSERT_EQUAL(count->zero_pages, wanted->zero_pages);
    CU_ASSERT_EQUAL(count->unknown_pages, wanted->unknown_pages);
    check_multiplicity(count, wanted);
    check_contexts(count);
}

/* Whether the last record that changes memory, or marks, is an exit. */
static bool ends_by_exit(const char *path)
{
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, NULL);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    bool by_exit = false;
    while (pf_trace_read(trace, block, NULL) == PF_TRACE_RECORDS)
        for (uint32_t i = 0; i < block->count; i++) {
            unsigned kind = block->records[i].kind;
            bool idle = kind == PF_RECORD_RUN || kind == PF_RECORD_IDLE || kind == PF_RECORD_TIME ||
                        kind == PF_RECORD_SCAN || kind == PF_RECORD_CONTROL ||
                        kind == PF_RECORD_BEGIN || kind == PF_RECORD_END || kind == PF_RECORD_GRAIN;
            if (!idle)
                by_exit = kind == PF_RECORD_EXIT;
        }
    return by_exit;
}

static void agrees_with_naive_memory(void)
{
    g_autofree char *path = make_path();
    unsigned compared = 0;
    uint64_t shmem = 0;
    uint64_t unknown = 0;
    uint64_t aliased = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        PfLawsTrace *trace = pf_laws_trace_write(path, seed, RECORDS, NULL);
        for (guint i = 0; i < trace->marks->len; i++) {
            const PfLawsMark *mark = &g_array_index(trace->marks, PfLawsMark, i);
            bool is_end = i + 1 == trace->marks->len;
            g_autofree char *epoch = is_end ? NULL : g_strdup_printf("%u", i);
            if (is_end && ends_by_exit(path))
                continue;
            check_count(path, epoch, &mark->potential);
            compared++;
            shmem += mark->potential.frames[3];
            unknown += mark->potential.unknown_pages;
            aliased += sum(mark->potential.no_sharing) - sum(mark->potential.frames);
        }
        pf_laws_trace_free(trace);
    }
    /* The traces held what they are meant to. */
    CU_ASSERT(compared > 5 * SEEDS);
    CU_ASSERT(shmem > 100 && unknown > 100 && aliased > 500);
    g_unlink(path);
}

static void two_inputs_add_up(void)
{
    g_autofree char *path = make_path();
    PfLawsTrace *trace = pf_laws_trace_write(path, 5, RECORDS, NULL);
    g_autoptr(PfPotential) one = count_at(path, NULL);
    g_autoptr(PfPotential) two = count_at(path, NULL);
    PfPotentialReading how = {.epoch = NULL};
    CU_ASSERT(pf_potential_read(two, path, true, &how, NULL));
    const PfPotentialCount *single = pf_potential_finish(one, 0);
    const PfPotentialCount *doubled = pf_potential_finish(two, 0);
    CU_ASSERT_EQUAL(sum(doubled->frames), 2 * sum(single->frames));
    CU_ASSERT_EQUAL(sum(doubled->no_sharing), 2 * sum(single->no_sharing));
    /* What is known is the same in both; what is not known is of each. */
    CU_ASSERT(single->unknown_pages > 0);
    uint64_t unknown_contents = sum(doubled->cbps) - sum(single->cbps);
    CU_ASSERT(unknown_contents > 0 && unknown_contents <= single->unknown_pages);
    pf_laws_trace_free(trace);
    g_unlink(path);
}

static const PfCheck checks[] = {
    {"counts at each mark of random traces are those of naive memory", agrees_with_naive_memory},
    {"two inputs share what is known and nothing else", two_inputs_add_up},
};

PF_CHECK_MAIN("potential-trace", checks)
