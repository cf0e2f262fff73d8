#include "samples.h"

#include <time.h>

static const char *const names[PF_MEASURE_COUNT] = {
    [PF_MEASURE_SYSTEM_CALL] = "shortest system call",
    [PF_MEASURE_REUSE] = "write fault, re-use by the last owner",
    [PF_MEASURE_FIRST_TOUCH] = "write fault, first touch",
    [PF_MEASURE_ZERO_READ] = "read fault, first touch",
    [PF_MEASURE_ZERO_WRITE] = "write fault on the zero page",
    [PF_MEASURE_COPY] = "write fault, copy of a page shared by fork",
    [PF_MEASURE_FORK] = "fork, per page",
    [PF_MEASURE_UNMAP] = "munmap, per page",
    [PF_MEASURE_REMAP] = "mremap, per page",
    [PF_MEASURE_LOCK] = "two locked instructions",
    [PF_MEASURE_NEAR_LINE] = "dependent load from 2 MiB",
    [PF_MEASURE_FILL_PAGE] = "memset of a cold page",
    [PF_MEASURE_COPY_PAGE] = "memcpy of a cold page",
    [PF_MEASURE_HASH_COLD] = "XXH3 of a cold page",
    [PF_MEASURE_HASH_HOT] = "XXH3 of a hot page",
    [PF_MEASURE_XXH64_HOT] = "XXH64 of a hot page",
    [PF_MEASURE_COMPARE_COLD] = "memcmp of equal cold pages",
    [PF_MEASURE_COMPARE_HOT] = "memcmp of equal hot pages",
    [PF_MEASURE_LINE] = "memcmp of cold pages that differ in the first byte",
    [PF_MEASURE_CALL_ALONE] = "membarrier, no other thread",
    [PF_MEASURE_CALL_OTHERS] = "membarrier, another thread running",
    [PF_MEASURE_KSM_FIRST] = "ksmd, first pass over unique pages, per page",
    [PF_MEASURE_KSM_LATER] = "ksmd, later passes over unique pages, per page",
};

void pf_samples_init(PfSamples *samples, const int *interrupted)
{
    samples->interrupted = interrupted;
    for (unsigned i = 0; i < PF_MEASURE_COUNT; i++)
        samples->ns[i] = g_array_new(FALSE, FALSE, sizeof(double));
}

void pf_samples_clear(PfSamples *samples)
{
    for (unsigned i = 0; i < PF_MEASURE_COUNT; i++)
        g_clear_pointer(&samples->ns[i], g_array_unref);
}

void pf_samples_add(PfSamples *samples, PfMeasure measure, double ns, double count)
{
    double each = ns / count;
    g_array_append_val(samples->ns[measure], each);
}

double pf_samples_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

bool pf_samples_quartile(const PfSamples *samples, PfMeasure measure, unsigned quartile,
                         double *ret_ns)
{
    GArray *ns = samples->ns[measure];
    if (ns->len == 0)
        return false;
    g_array_sort(ns, compare_doubles);
    *ret_ns = g_array_index(ns, double, (ns->len - 1) * quartile / 4);
    return true;
}

const char *pf_samples_name(PfMeasure measure)
{
    return names[measure];
}
