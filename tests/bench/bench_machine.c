/* The machine with everything on: two levels of TLB, walks with their caches, three levels of
 * cache, coherence, DRAM, two nodes; against the same caches alone (mode = "caches").
 *
 * Prints, as medians of several runs on traces made here, million accesses a second of CPU time,
 * for data that fit the first level, that fit the second, and of which a quarter of all accesses
 * miss the last; and how many times as long as the caches alone that takes. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rng.h"
#include "simulation.h"

enum { RUNS = 5, RECORDS = 4000000, PAGE_BYTES = 4096 };

#define DATA_ADDRESS ((uint64_t)0x10000000)

/* SHARE percent of the accesses go to any of FAR_LINES lines, the others to one of NEAR_LINES. */
typedef struct {
    const char *label;
    unsigned near_lines;
    unsigned far_lines;
    unsigned far_percent;
} Mix;

static const Mix mixes[] = {
    {"24 KiB, fits the first level", 384, 1, 0},
    {"768 KiB, fits the second level", 12288, 1, 0},
    {"24 KiB, and a quarter anywhere in 1 GiB", 384, 1 << 24, 25},
};

static void make_trace(const char *path, const Mix *mix)
{
    PfTraceHeader header = {.page_bytes = PAGE_BYTES, .clock_hz = 2600000000,
                            .description = "{}"};
    PfTraceDetail process = {.name = "program", .node = -1, .core = -1};
    PfTraceDetail anonymous = {.mergeable = true};
    uint64_t pages = ((uint64_t)mix->near_lines + mix->far_lines) * 64 / PAGE_BYTES + 1;
    PfRecord setup[2] = {
        {.kind = PF_RECORD_CONTEXT, .detail = &process, .content = PF_TRACE_NO_CONTENT},
        {.kind = PF_RECORD_MAP, .detail = &anonymous, .address = DATA_ADDRESS, .count = pages,
         .content = PF_TRACE_NO_CONTENT},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, PF_TRACE_BINARY, &header, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < G_N_ELEMENTS(setup); i++)
        pf_trace_writer_add(writer, &setup[i]);
    PfRng rng = pf_rng_derive(1, mix->label);
    for (unsigned i = 0; i < RECORDS; i++) {
        bool is_far = pf_rng_below(&rng, 100) < mix->far_percent;
        uint64_t line = is_far ? mix->near_lines + pf_rng_below(&rng, mix->far_lines)
                               : pf_rng_below(&rng, mix->near_lines);
        PfRecord record = {.kind = PF_RECORD_READ,
                           .address = DATA_ADDRESS + line * 64 + 8 * pf_rng_below(&rng, 8),
                           .count = 8,
                           .content = PF_TRACE_NO_CONTENT};
        pf_trace_writer_add(writer, &record);
    }
    if (!pf_trace_writer_finish(writer, &error))
        g_error("%s", error->message);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double play(const char *trace, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "bench", NULL, &error);
    g_assert_no_error(error);
    g_autoptr(PfRegistry) registry = pf_registry_new();
    PfSimulationOptions options = {.threads = 1, .trace = trace};
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &options, &error);
    if (simulation == NULL)
        g_error("%s", error->message);
    double begun = cpu_seconds();
    if (!pf_simulation_run(simulation, &error))
        g_error("%s", error->message);
    return cpu_seconds() - begun;
}

static int compare_times(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(void)
{
    static const char everything[] =
        "machine = { cores = 2; numa = { nodes = 2; }; }; policies = ( { name = \"none\"; } );";
    static const char alone[] = "mode = \"caches\";";
    g_autofree char *folder = g_dir_make_tmp("pagefold-bench-XXXXXX", NULL);
    g_autofree char *trace = g_build_filename(folder, "program.pft", NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(mixes); i++) {
        double whole[RUNS];
        double bare[RUNS];
        make_trace(trace, &mixes[i]);
        for (unsigned run = 0; run < RUNS; run++) {
            whole[run] = play(trace, everything);
            bare[run] = play(trace, alone);
        }
        qsort(whole, RUNS, sizeof *whole, compare_times);
        qsort(bare, RUNS, sizeof *bare, compare_times);
        printf("%s: %.1f million accesses a second, %.1f times the caches alone\n",
               mixes[i].label, RECORDS / whole[RUNS / 2] * 1e-6, whole[RUNS / 2] / bare[RUNS / 2]);
    }
    remove(trace);
    remove(folder);
    return 0;
}
