/* How long does looking up each store before it is made take the simulator?
 *
 * Generated traces of single accesses in binary form, as a recorder writes them, played under
 * `none` and under `collapse` in several ways, with caches, TLBs and DRAM. Prints the CPU time of
 * each alone (the trace read and resolved included) as a multiple of that of `none`, medians of
 * interleaved runs; the aim is 3 for what looks each store up in a write-heavy program. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rng.h"
#include "simulation.h"

enum { CONTEXTS = 4, PAGES = 256, RECORDS = 400000, PAGE_BYTES = 4096, HOT_PAGES = 32,
       REPETITIONS = 5, BURST = 200 };

/* Keys of pages that follow each store, in hardware. */
#define INCREMENTAL "machine = { hash_engine = { kind = \"incremental\"; }; };"

/* The first two give the time of `none` alone and once more beside itself. */
static const struct {
    const char *label;
    const char *top;
    const char *policies;
} ways[] = {
    {"none", "", "{ name = \"none\"; }"},
    {"none, twice", "", "{ name = \"none\"; }, { name = \"none\"; label = \"again\"; }"},
    {"immediate, table", "", "{ name = \"collapse\"; }"},
    {"immediate, CAM", "", "{ name = \"collapse\"; finder = \"cam\"; }"},
    {"immediate, CAM, incremental keys", INCREMENTAL,
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

/* One access to ADDRESS; of stores the values are few, so that pages become equal. */
static void put_access(GString *text, PfRng *rng, const char *kind, uint64_t context,
                       uint64_t address)
{
    g_string_append_printf(text, "%s c%u 0x%" G_GINT64_MODIFIER "x 8", kind, (unsigned)context,
                           address);
    if (g_str_equal(kind, "write"))
        g_string_append_printf(text, " %u", (unsigned)pf_rng_below(rng, 4));
    g_string_append_c(text, '\n');
}

/* Words anywhere in pages that move on slowly, contexts in turn at random; one access of EACH is no
 * store, none if 0. The worst that can be: hardly any access hits the first level of cache. */
static void scatter(GString *text, PfRng *rng, unsigned each)
{
    for (uint64_t i = 0; i < RECORDS; i++) {
        uint64_t page = (i / 4096 * 8 + pf_rng_below(rng, HOT_PAGES)) % PAGES;
        uint64_t address = page * PAGE_BYTES + 8 * pf_rng_below(rng, PAGE_BYTES / 8);
        bool is_write = each == 0 || pf_rng_below(rng, each) != 0;
        put_access(text, rng, is_write ? "write" : "read", pf_rng_below(rng, CONTEXTS), address);
    }
}

/* As a program does it: a fetch for two data accesses, of these three in ten are stores; 85 % go to
 * 12 KiB, 10 % on through 512 KiB, the others to 384 KiB; contexts change after BURST accesses. */
static void run_program(GString *text, PfRng *rng)
{
    uint64_t context = 0;
    uint64_t code = 0;
    uint64_t stream = 0;
    for (uint64_t i = 0; i < RECORDS; i++) {
        if (i % BURST == 0) {
            context = pf_rng_below(rng, CONTEXTS);
            code = 16 * pf_rng_below(rng, 2048);
        }
        if (i % 3 == 0) {
            put_access(text, rng, "fetch", context, code);
            code = (code + 16) % (32 * PAGE_BYTES);
            continue;
        }
        uint64_t where = pf_rng_below(rng, 100);
        uint64_t address = (128 + pf_rng_below(rng, where < 85 ? 3 : 96)) * PAGE_BYTES +
                           8 * pf_rng_below(rng, PAGE_BYTES / 8);
        if (where >= 95)
            address = 32 * PAGE_BYTES + (stream += 8) % (96 * PAGE_BYTES);
        put_access(text, rng, pf_rng_below(rng, 10) < 3 ? "write" : "read", context, address);
    }
}

static char *make_trace(unsigned mix)
{
    PfRng rng = pf_rng_derive(1, "bench collapse");
    GString *text = g_string_new("pagefold-trace 1\ngrain access\n");
    for (unsigned i = 0; i < CONTEXTS; i++)
        g_string_append_printf(text, "context c%u process\nmap c%u 0x0 %d anon\n", i, i, PAGES);
    if (mix == 0)
        run_program(text, &rng);
    else
        scatter(text, &rng, mix == 1 ? 2 : 0);
    return g_string_free(text, FALSE);
}

static double simulate(const char *path, const char *top, const char *policies)
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

static int compare_times(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void measure(const char *mix, const char *path)
{
    double times[G_N_ELEMENTS(ways)][REPETITIONS];
    for (unsigned i = 0; i < REPETITIONS; i++)
        for (size_t way = 0; way < G_N_ELEMENTS(ways); way++)
            times[way][i] = simulate(path, ways[way].top, ways[way].policies);
    for (size_t way = 0; way < G_N_ELEMENTS(ways); way++)
        qsort(times[way], REPETITIONS, sizeof(double), compare_times);
    double none = times[0][REPETITIONS / 2];
    /* `none` is added to each simulation. */
    double play = times[1][REPETITIONS / 2] - none;
    printf("%s\n  none: %.3f s for %d records, %.3f s of that in the run\n", mix, none, RECORDS,
           play);
    for (size_t way = 2; way < G_N_ELEMENTS(ways); way++) {
        double alone = times[way][REPETITIONS / 2] - play;
        printf("  collapse, %s: %.3f s, %.2f times none\n", ways[way].label, alone, alone / none);
    }
}

int main(void)
{
    static const char *const mixes[] = {"program-like, 20 % of the accesses are stores",
                                        "scattered, half of the accesses are stores",
                                        "scattered, nothing but stores"};
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("pagefold-bench-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *text = g_build_filename(folder, "trace", NULL);
    g_autofree char *binary = g_build_filename(folder, "trace.pft", NULL);
    for (unsigned mix = 0; mix < G_N_ELEMENTS(mixes); mix++) {
        g_autofree char *trace = make_trace(mix);
        g_file_set_contents(text, trace, -1, &error);
        g_assert_no_error(error);
        if (!pf_trace_convert(text, binary, PF_TRACE_BINARY, false, NULL, &error))
            g_error("%s", error->message);
        measure(mixes[mix], binary);
    }
    g_unlink(text);
    g_unlink(binary);
    g_rmdir(folder);
    return 0;
}
