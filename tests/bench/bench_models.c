/* Host time of the models' hot paths: nanoseconds a call, the best of several repetitions. */
#include <glib.h>
#include <stdio.h>
#include <time.h>

#include "cache.h"
#include "core.h"
#include "dram.h"
#include "rng.h"
#include "tlb.h"
#include "walker.h"

enum { CALLS = 1 << 16, REPETITIONS = 20 };

typedef struct {
    uint64_t addresses[CALLS];
    uint64_t sum; /* of answers, so that no call can be left out */
} Work;

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* Runs the statements with `i` from 0 to CALLS - 1 and prints what a turn takes. */
#define MEASURE(title, ...)                                                                        \
    do {                                                                                           \
        uint64_t best_ns = UINT64_MAX;                                                             \
        for (int repetition = 0; repetition < REPETITIONS; repetition++) {                         \
            uint64_t start_ns = now_ns();                                                          \
            for (uint32_t i = 0; i < CALLS; i++) {                                                 \
                __VA_ARGS__;                                                                       \
            }                                                                                      \
            best_ns = MIN(best_ns, now_ns() - start_ns);                                           \
        }                                                                                          \
        printf("%-48s %7.2f ns\n", title, (double)best_ns / CALLS);                                \
    } while (0)

static void fill_random(Work *work, uint64_t footprint_bytes)
{
    PfRng rng = pf_rng_derive(1, "bench");
    for (uint32_t i = 0; i < CALLS; i++)
        work->addresses[i] = pf_rng_below(&rng, footprint_bytes / 8) * 8;
}

static void fill_sequential(Work *work, uint64_t footprint_bytes)
{
    for (uint32_t i = 0; i < CALLS; i++)
        work->addresses[i] = (uint64_t)i * 8 % footprint_bytes;
}

static uint64_t far_access(PfPort *port, const PfRequest *request)
{
    (void)port;
    return request->now_cycles + 100;
}

static PfRequest read_at(uint64_t address, uint64_t now_cycles)
{
    return (PfRequest){.address = {address},
                       .now_cycles = now_cycles,
                       .size_bytes = 8,
                       .kind = PF_ACCESS_READ,
                       .actor = PF_ACTOR_DEMAND};
}

static void bench_cache(Work *work, const char *title, uint64_t size_bytes, uint64_t ways)
{
    static const PfPortOps ops = {.access = far_access};
    PfPort far = {&ops};
    PfCacheConfig config = {
        .size_bytes = size_bytes, .ways = ways, .line_bytes = 64, .latency_cycles = 4};
    g_autoptr(PfCache) cache = pf_cache_new(&config, &far, 1, NULL, NULL);
    MEASURE(title, {
        PfRequest request = read_at(work->addresses[i], i);
        work->sum += pf_cache_access(pf_cache_port(cache), &request);
    });
}

static void bench_tlb(Work *work, const char *title, uint64_t entries, uint64_t ways,
                      uint64_t pages)
{
    PfTlbConfig config = {.entries = entries, .ways = ways};
    fill_random(work, pages * 8);
    g_autoptr(PfTlb) tlb = pf_tlb_new("tlb", &config, NULL, NULL);
    MEASURE(title, {
        PfVpn page = {work->addresses[i] >> 3};
        const PfTlbEntry *entry = pf_tlb_lookup(tlb, 1, page);
        if (entry == NULL)
            pf_tlb_insert(tlb, 1, page, (PfMpn){7}, true, 0);
        else
            work->sum += entry->mpn.number;
    });
}

static void bench_dram(Work *work, const char *title, uint64_t cycles_apart)
{
    PfDramConfig config = pf_dram_config_standard();
    g_autoptr(PfDram) dram = pf_dram_new(&config, 2600000000U, NULL, NULL);
    uint64_t now_cycles = 0;
    MEASURE(title, {
        PfRequest request = read_at(work->addresses[i], now_cycles += cycles_apart);
        work->sum += pf_port_wait(pf_dram_port(dram), pf_dram_access(pf_dram_port(dram), &request));
    });
}

static void bench_walk(Work *work, const char *title, bool nested)
{
    static const PfPortOps ops = {.access = far_access};
    PfPort far = {&ops};
    PfCacheConfig cache_config = {
        .size_bytes = 1 << 20, .ways = 16, .line_bytes = 64, .latency_cycles = 14};
    PfWalkerConfig config = {.levels = 4, .host_levels = 4};
    g_autoptr(PfCache) cache = pf_cache_new(&cache_config, &far, 1, NULL, NULL);
    g_autoptr(PfWalker) walker = pf_walker_new(&config, NULL, NULL);
    MEASURE(title, {
        PfWalkRequest request = {
            .page = {work->addresses[i] >> 12}, .nested = nested, .page_shift = 12};
        work->sum += pf_walker_walk(walker, pf_cache_port(cache), &request);
    });
}

static void bench_core(Work *work, const char *title, uint64_t latency_cycles)
{
    PfCoreConfig config = {.cpi = 0.5, .window_instructions = 224, .mshrs = 16};
    g_autoptr(PfCore) core = pf_core_new(&config, 1, NULL, NULL);
    MEASURE(title, {
        pf_core_instructions(core, 3);
        work->sum += pf_core_ready(core, false);
        work->sum += pf_core_issue(core, pf_core_now(core) + latency_cycles, 4, false, false);
    });
}

int main(void)
{
    g_autofree Work *work = g_new0(Work, 1);
    fill_sequential(work, 32768);
    bench_cache(work, "cache 32 KiB 8 ways, sequential: hits, MRU way", 32768, 8);
    fill_random(work, 32768);
    bench_cache(work, "cache 32 KiB 8 ways, random: hits, any way", 32768, 8);
    fill_random(work, 65536);
    bench_cache(work, "cache 32 KiB 8 ways, random: half misses", 32768, 8);
    fill_random(work, 32 << 20);
    bench_cache(work, "cache 32 MiB 16 ways, random", 32 << 20, 16);

    bench_tlb(work, "tlb 64 entries 4 ways, one page", 64, 4, 1);
    bench_tlb(work, "tlb 64 entries 4 ways, 16 pages: hits", 64, 4, 16);
    bench_tlb(work, "tlb 72 entries fully associative, 64 pages: hits", 72, 0, 64);
    bench_tlb(work, "tlb 72 entries fully associative, misses", 72, 0, 1 << 20);
    bench_tlb(work, "tlb 1536 entries 12 ways, 1024 pages: hits", 1536, 12, 1024);

    fill_random(work, PF_GIB);
    bench_dram(work, "dram random reads, 200 cycles apart", 200);
    bench_dram(work, "dram random reads, saturated", 1);
    fill_sequential(work, PF_GIB);
    bench_dram(work, "dram sequential reads, 10 cycles apart", 10);

    fill_random(work, PF_GIB);
    bench_walk(work, "walk native 4 levels over a 1 MiB cache", false);
    bench_walk(work, "walk nested 4 x 4 levels over a 1 MiB cache", true);

    bench_core(work, "core: 3 instructions and a hit", 4);
    bench_core(work, "core: 3 instructions and a miss of 200 cycles", 200);
    printf("# checksum %" G_GUINT64_FORMAT "\n", work->sum);
    return 0;
}
