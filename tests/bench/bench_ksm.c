/* Is simulating KSM faster than KSM?
 *
 * A million pages, half of them duplicates of one another: three full passes of policy `ksm` by the
 * cost card, and three of the running kernel's ksmd over the same contents in real memory (4 GiB;
 * as root, else that part is left out). Both without smart scan, which would skip pages. Prints the
 * CPU time of each and the ratio; filling memory and reading the trace are not counted. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "live_ksm.h"
#include "simulation.h"
#include "trace.h"

enum { PAGES = 1000000, PASSES = 3, PAGE_BYTES = 4096, WAIT_SECONDS = 600, LOOK_US = 1000 };

/* Page I holds content I, but for the last quarter, which repeats the one before. */
static const char trace_head[] =
    "pagefold-trace 1\ngrain page\ncontext a process\nmap a 0x0 1000000 anon mergeable\n"
    "state a 0x0 750000 id:1 step=1\nstate a 0xb71b0000 250000 id:500001 step=1\n";

static uint64_t content_of(uint64_t page)
{
    return 1 + (page < PAGES * 3 / 4 ? page : page - PAGES / 4);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double simulate(unsigned passes)
{
    static const char text[] = "timing = \"costs\"; policies = ( { name = \"ksm\"; pacing = "
                               "\"trace\"; smart_scan = false; } );";
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_close(g_file_open_tmp("pagefold-bench-XXXXXX.trace", &path, &error), NULL);
    g_assert_no_error(error);
    g_autofree char *scans = passes > 0 ? g_strdup_printf("scan pass %u\n", passes) : g_strdup("");
    g_autofree char *trace = g_strconcat(trace_head, scans, NULL);
    g_file_set_contents(path, trace, -1, &error);
    g_assert_no_error(error);
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "bench", NULL, &error);
    g_assert_no_error(error);
    g_autoptr(PfRegistry) registry = pf_registry_new();
    PfSimulationOptions options = {.threads = 1, .trace = path};
    double begun = cpu_seconds();
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &options, &error);
    if (simulation == NULL || !pf_simulation_run(simulation, &error))
        g_error("%s", error->message);
    double seconds = cpu_seconds() - begun;
    g_unlink(path);
    return seconds;
}

static uint8_t *make_pages(void)
{
    size_t bytes = (size_t)PAGES * PAGE_BYTES;
    uint8_t *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (uint64_t i = 0; i < PAGES; i++) {
        PfContentSpec spec = {.form = PF_CONTENT_ID, .number = content_of(i)};
        pf_content_spec_expand(&spec, PAGE_BYTES, memory + i * PAGE_BYTES);
    }
    return memory;
}

/* The time that ksmd spends on PASSES passes over MEMORY. */
static bool run_kernel(PfKsm *ksm, uint8_t *memory, double *ret_seconds, GError **error)
{
    int refusal;
    PfKsmProgress begun;
    PfKsmProgress now;
    if (!pf_ksm_reset(ksm, error) ||
        !pf_ksm_control(ksm, PF_KNOB_SMART_SCAN, "0", &refusal, error) ||
        !pf_ksm_progress(ksm, &begun, error))
        return false;
    madvise(memory, (size_t)PAGES * PAGE_BYTES, MADV_MERGEABLE);
    if (!pf_ksm_let_run(ksm, UINT64_MAX, 20, error))
        return false;
    do {
        g_usleep(LOOK_US);
        if (!pf_ksm_progress(ksm, &now, error))
            return false;
    } while (now.passes < begun.passes + PASSES);
    *ret_seconds = (double)(now.cpu_ns - begun.cpu_ns) * 1e-9;
    printf("ksmd, %d passes over %" G_GINT64_FORMAT " pages: %.2f s, %" G_GINT64_FORMAT
           " pages_sharing\n",
           PASSES, now.scanned_pages, *ret_seconds, now.sharing_pages);
    return true;
}

int main(void)
{
    double simulated = simulate(PASSES) - simulate(0);
    printf("simulated, %d passes over %d pages: %.2f s\n", PASSES, PAGES, simulated);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfKsm) ksm = pf_ksm_open(WAIT_SECONDS, NULL, &error);
    uint8_t *memory = ksm != NULL ? make_pages() : NULL;
    double real;
    if (memory == NULL || !run_kernel(ksm, memory, &real, &error)) {
        printf("the running kernel is not asked: %s\n",
               error != NULL ? error->message : "no memory");
        return 0;
    }
    munmap(memory, (size_t)PAGES * PAGE_BYTES);
    printf("the simulation takes %.2f times as long as the real thing\n", simulated / real);
    return 0;
}
