#include <sys/mman.h>

#include "live_ksm.h"
#include "measure.h"
#include "trace.h"

enum { PAGE_BYTES = 4096, PAGES = 20000, ROUNDS = 3, PASSES = 3, LOOK_US = 500, LOOKS_MAX = 10000 };

/* Waits until ksmd has made PASSES passes. */
static bool wait_passes(const PfKsm *ksm, int64_t passes, PfKsmProgress *ret_now,
                        const int *interrupted, GError **error)
{
    for (unsigned look = 0; look < LOOKS_MAX && *interrupted == 0; look++) {
        if (!pf_ksm_progress(ksm, ret_now, error))
            return false;
        if (ret_now->passes >= passes)
            return true;
        g_usleep(LOOK_US);
    }
    return false;
}

/* PASSES passes over MEMORY, which is unique and was not seen before. */
static bool time_round(PfSamples *samples, PfKsm *ksm, void *memory, GError **error)
{
    int refusal;
    PfKsmProgress before;
    PfKsmProgress now;
    if (!pf_ksm_reset(ksm, error) ||
        !pf_ksm_control(ksm, PF_KNOB_SMART_SCAN, "0", &refusal, error) ||
        !pf_ksm_progress(ksm, &before, error))
        return false;
    madvise(memory, (size_t)PAGES * PAGE_BYTES, MADV_MERGEABLE);
    if (!pf_ksm_let_run(ksm, UINT64_MAX, 20, error))
        return false;
    for (unsigned pass = 0; pass < PASSES; pass++) {
        if (!wait_passes(ksm, before.passes + 1, &now, samples->interrupted, error))
            return false;
        pf_samples_add(samples, pass == 0 ? PF_MEASURE_KSM_FIRST : PF_MEASURE_KSM_LATER,
                       (double)(now.cpu_ns - before.cpu_ns),
                       (double)(now.scanned_pages - before.scanned_pages));
        before = now;
    }
    return true;
}

static void *make_pages(void)
{
    size_t bytes = (size_t)PAGES * PAGE_BYTES;
    uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (uint64_t i = 0; i < PAGES; i++) {
        PfContentSpec spec = {.form = PF_CONTENT_ID, .number = i + 1};
        pf_content_spec_expand(&spec, PAGE_BYTES, memory + i * PAGE_BYTES);
    }
    return memory;
}

void pf_measure_ksm(PfSamples *samples, char **ret_obstacle)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfKsm) ksm = pf_ksm_open(0, samples->interrupted, &error);
    for (unsigned round = 0; ksm != NULL && error == NULL && round < ROUNDS; round++) {
        void *memory = make_pages();
        if (memory == NULL)
            break;
        time_round(samples, ksm, memory, &error);
        munmap(memory, (size_t)PAGES * PAGE_BYTES);
    }
    *ret_obstacle = error != NULL ? g_strdup(error->message) : NULL;
}
