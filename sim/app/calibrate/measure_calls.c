#include <linux/membarrier.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

enum { CALLS = 300, SPINS_MAX = 1000000 };

typedef struct {
    _Atomic uint64_t count; /* grows while the thread runs */
    _Atomic bool stop;
} Other;

static gpointer run_other(gpointer data)
{
    Other *other = data;
    while (!atomic_load_explicit(&other->stop, memory_order_relaxed))
        atomic_fetch_add_explicit(&other->count, 1, memory_order_relaxed);
    return NULL;
}

/* Waits until the other thread is seen to run; false if it does not for long: there is no
 * processor for it. */
static bool other_runs(Other *other)
{
    uint64_t before = atomic_load_explicit(&other->count, memory_order_relaxed);
    for (unsigned spin = 0; spin < SPINS_MAX; spin++)
        if (atomic_load_explicit(&other->count, memory_order_relaxed) != before)
            return true;
    return false;
}

static bool call(int what)
{
    return syscall(SYS_membarrier, what, 0, 0) == 0;
}

static void time_call(PfSamples *samples, PfMeasure measure)
{
    double begun = pf_samples_now_ns();
    call(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    pf_samples_add(samples, measure, pf_samples_now_ns() - begun, 1);
}

void pf_measure_calls(PfSamples *samples)
{
    Other other = {0};
    if (g_get_num_processors() < 2 || !call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
        return;
    for (unsigned i = 0; i < CALLS; i++)
        time_call(samples, PF_MEASURE_CALL_ALONE);
    GThread *thread = g_thread_new("other", run_other, &other);
    for (unsigned i = 0; i < CALLS && *samples->interrupted == 0; i++)
        if (other_runs(&other))
            time_call(samples, PF_MEASURE_CALL_OTHERS);
    atomic_store(&other.stop, true);
    g_thread_join(thread);
}
