/* Host time of the DRAM controllers: requests a second of processor time, the median of several
 * runs, and what bandwidth they reach in the simulation. */
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dram_feed.h"
#include "rng.h"
#include "units.h"

enum { REQUESTS = 400000, REPETITIONS = 7 };

typedef struct {
    const char *title;
    const char *preset;
    unsigned ranks;
    uint64_t apart_clocks; /* 0: as fast as they are taken */
    unsigned write_percent;
    enum { RANDOM, STREAM, ZIPF } order;
} Load;

static const Load loads[] = {
    {"random reads", "DDR4-2400U-8Gb-x8", 1, 0, 0, RANDOM},
    {"streaming reads", "DDR4-2400U-8Gb-x8", 1, 0, 0, STREAM},
    {"random, 30 % writes", "DDR4-2400U-8Gb-x8", 1, 0, 30, RANDOM},
    {"random, 50 % writes", "DDR4-2400U-8Gb-x8", 1, 0, 50, RANDOM},
    {"stream, 30 % writes", "DDR4-2400U-8Gb-x8", 1, 0, 30, STREAM},
    {"zipf reads", "DDR4-2400U-8Gb-x8", 1, 0, 0, ZIPF},
    {"zipf, 30 % writes", "DDR4-2400U-8Gb-x8", 1, 0, 30, ZIPF},
    {"random reads, two ranks", "DDR4-2400U-8Gb-x8", 2, 0, 0, RANDOM},
    {"random, two ranks, 30 % writes", "DDR4-2400U-8Gb-x8", 2, 0, 30, RANDOM},
    {"zipf, two ranks, 30 % writes", "DDR4-2400U-8Gb-x8", 2, 0, 30, ZIPF},
    {"random reads, DDR4-3200", "DDR4-3200AA-8Gb-x8", 1, 0, 0, RANDOM},
    {"random, DDR4-3200, 30 % writes", "DDR4-3200AA-8Gb-x8", 1, 0, 30, RANDOM},
    {"stream, DDR4-3200", "DDR4-3200AA-8Gb-x8", 1, 0, 0, STREAM},
    {"random reads, 1000 clocks apart", "DDR4-2400U-8Gb-x8", 1, 1000, 0, RANDOM},
    {"streaming reads, 1000 clocks apart", "DDR4-2400U-8Gb-x8", 1, 1000, 0, STREAM},
    {"random, 30 % writes, 1000 clocks apart", "DDR4-2400U-8Gb-x8", 1, 1000, 30, RANDOM},
};

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static uint64_t *draw_addresses(const Load *load)
{
    uint64_t *addresses = g_new(uint64_t, REQUESTS);
    uint64_t lines = 4 * PF_GIB / 64;
    PfRng rng = pf_rng_derive(1, "bench-dram");
    for (uint64_t i = 0; i < REQUESTS; i++) {
        uint64_t line = i;
        if (load->order == RANDOM)
            line = pf_rng_below(&rng, lines);
        /* Log-uniform ranks, which is Zipf's law with exponent 1, spread over the memory. */
        if (load->order == ZIPF)
            line = (uint64_t)exp((double)pf_rng_below(&rng, 1U << 30) / (1U << 30) *
                                 log((double)lines)) *
                   UINT64_C(0x9e3779b97f4a7c15) % lines;
        addresses[i] = line * 64 | (pf_rng_below(&rng, 100) < load->write_percent);
    }
    return addresses;
}

static double run(const Load *load, const uint64_t *addresses, double *ret_gbps)
{
    PfDramConfig config = pf_dram_config_standard();
    config.preset = pf_dram_preset_find(load->preset);
    config.ranks = load->ranks;
    g_autoptr(PfDram) dram = pf_dram_new(&config, PF_PS_PER_SECOND, NULL, NULL);
    g_autoptr(PfDramFeed) feed = pf_dram_feed_new(dram, 0);
    double start = seconds_now();
    for (uint64_t i = 0; i < REQUESTS; i++)
        pf_dram_feed_send(feed, (PfMaddr){addresses[i] & ~UINT64_C(63)}, addresses[i] & 1,
                          i * load->apart_clocks);
    uint64_t clocks = pf_dram_feed_finish(feed);
    double seconds = seconds_now() - start;
    *ret_gbps = (double)pf_dram_transfers(dram) * 64e3 /
                ((double)clocks * pf_dram_preset(dram)->tck_ps);
    return REQUESTS / seconds * 1e-6;
}

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Only the loads whose title has the first argument in it, if there is one. */
int main(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(loads); i++) {
        if (argc > 1 && strstr(loads[i].title, argv[1]) == NULL)
            continue;
        g_autofree uint64_t *addresses = draw_addresses(&loads[i]);
        double rates[REPETITIONS];
        double gbps = 0;
        for (int j = 0; j < REPETITIONS; j++)
            rates[j] = run(&loads[i], addresses, &gbps);
        qsort(rates, REPETITIONS, sizeof(*rates), compare);
        printf("%-40s %6.2f M/s (%.2f .. %.2f), %6.2f GB/s\n", loads[i].title,
               rates[REPETITIONS / 2], rates[0], rates[REPETITIONS - 1], gbps);
    }
    return 0;
}
