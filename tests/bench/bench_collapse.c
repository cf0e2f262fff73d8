/* How long does looking up each store before it is made take the simulator?
 *
 * A write-heavy generated trace of single accesses, half of them stores of 8 bytes, played under
 * `none` and under `collapse` in several ways, with caches, TLBs and DRAM. Prints the CPU time of
 * each alone (the trace read and resolved included) as a multiple of that of `none`; the aim is 3
 * for what looks each store up. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rng.h"
#include "simulation.h"

enum { CONTEXTS = 4, PAGES = 256, RECORDS = 400000, PAGE_BYTES = 4096, HOT_PAGES = 32,
       REPETITIONS = 5 };

/* Keys of pages that follow each store, in hardware. */
#define INCREMENTAL "machine = { hash_engine = { kind = \"incremental\"; }; };"

static const struct {
    const char *label;
    const char *top;
    const char *policy;
} ways[] = {
    {"immediate, hashed by the core", "", "{ name = \"collapse\"; }"},
    {"immediate, with a CAM and incremental keys", INCREMENTAL,
     "{ name = \"collapse\"; finder = \"cam\"; }"},
    {"settled", "", "{ name = \"collapse\"; when = \"settled\"; }"},
    {"idle", "", "{ name = \"collapse\"; when = \"idle\"; }"},
};

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Most accesses go to a few pages, which move on; values are few, so that pages become equal. */
static char *make_trace(void)
{
    PfRng rng = pf_rng_derive(1, "bench collapse");
    GString *text = g_string_new("pagefold-trace 1\ngrain access\n");
    for (unsigned i = 0; i < CONTEXTS; i++)
        g_string_append_printf(text, "context c%u process\nmap c%u 0x0 %d anon\n", i, i, PAGES);
    for (uint64_t i = 0; i < RECORDS; i++) {
        uint64_t page = (i / 4096 * 8 + pf_rng_below(&rng, HOT_PAGES)) % PAGES;
        uint64_t address = page * PAGE_BYTES + 8 * pf_rng_below(&rng, PAGE_BYTES / 8);
        unsigned context = (unsigned)pf_rng_below(&rng, CONTEXTS);
        if (pf_rng_below(&rng, 2) == 0)
            g_string_append_printf(text, "write c%u 0x%" G_GINT64_MODIFIER "x 8 %u\n", context,
                                   address, (unsigned)pf_rng_below(&rng, 4));
        else
            g_string_append_printf(text, "read c%u 0x%" G_GINT64_MODIFIER "x 8\n", context,
                                   address);
    }
    return g_string_free(text, FALSE);
}

static double simulate_once(const char *path, const char *top, const char *policies)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("%s policies = ( %s );", top, policies);
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "bench", NULL, &error);
    g_assert_no_error(error);
    g_autoptr(PfRegistry) registry = pf_registry_new();
    PfSimulationOptions options = {.threads = 1, .trace = path};
    double begun = cpu_seconds();
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &options, &error);
    if (simulation == NULL || !pf_simulation_run(simulation, &error))
        g_error("%s", error->message);
    return cpu_seconds() - begun;
}

/* What a simulation of POLICIES takes, the least of some times, for the host has other things to
 * do; TOP is further configuration. */
static double simulate(const char *path, const char *top, const char *policies)
{
    double least = simulate_once(path, top, policies);
    for (unsigned i = 1; i < REPETITIONS; i++)
        least = MIN(least, simulate_once(path, top, policies));
    return least;
}

int main(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_close(g_file_open_tmp("pagefold-bench-XXXXXX.trace", &path, &error), NULL);
    g_assert_no_error(error);
    g_autofree char *trace = make_trace();
    g_file_set_contents(path, trace, -1, &error);
    g_assert_no_error(error);
    double none = simulate(path, "", "{ name = \"none\"; }");
    double twice =
        simulate(path, "", "{ name = \"none\"; }, { name = \"none\"; label = \"again\"; }");
    double play = twice - none;
    printf("none: %.2f s for %d records, %.2f s of that in the run\n", none, RECORDS, play);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        /* `none` is added to each simulation. */
        double alone = simulate(path, ways[i].top, ways[i].policy) - play;
        printf("collapse, %s: %.2f s, %.2f times none\n", ways[i].label, alone, alone / none);
    }
    g_unlink(path);
    return 0;
}
