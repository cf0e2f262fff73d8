#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

#include "measure.h"
#include "rng.h"

/* Cold pages are met in random order, and again only after more than any cache holds. */
enum {
    PAGE_BYTES = 4096,
    COLD_PAGES = 1 << 16,
    BLOCK = 64, /* operations that are timed together */
    COLD_ROUNDS = 60,
    HOT_ROUNDS = 200,
    CHASE_LINES = 1 << 15,
    CHASE_LOADS = 1 << 16,
};

/* What no operation says. */
#define UNLIKELY ((uint64_t)0x7654321)

typedef struct {
    uint8_t *pages;
    uint32_t *order;
    uint32_t at;
    uint8_t *hot[2];
} Arena;

/* Returns something that depends on the bytes, so that the next one cannot begin before. */
typedef uint64_t (*Operation)(Arena *arena, uint8_t *a, uint8_t *b);

static uint64_t fill(Arena *arena, uint8_t *a, uint8_t *b)
{
    (void)b;
    memset(a, 0, PAGE_BYTES);
    return a[arena->at % PAGE_BYTES];
}

static uint64_t hash_xxh3(Arena *arena, uint8_t *a, uint8_t *b)
{
    (void)b;
    (void)arena;
    return XXH3_64bits(a, PAGE_BYTES);
}

static uint64_t hash_xxh64(Arena *arena, uint8_t *a, uint8_t *b)
{
    (void)b;
    (void)arena;
    return XXH64(a, PAGE_BYTES, 0);
}

static uint64_t compare(Arena *arena, uint8_t *a, uint8_t *b)
{
    (void)arena;
    return (uint64_t)memcmp(a, b, PAGE_BYTES);
}

static uint8_t *next_cold(Arena *arena)
{
    arena->at = (arena->at + 1) % COLD_PAGES;
    return arena->pages + (size_t)arena->order[arena->at] * PAGE_BYTES;
}

static uint64_t copy(Arena *arena, uint8_t *a, uint8_t *b)
{
    (void)b;
    memcpy(next_cold(arena), a, PAGE_BYTES);
    return a[arena->at % PAGE_BYTES];
}

static void time_cold(PfSamples *samples, Arena *arena, PfMeasure measure, Operation operation)
{
    for (unsigned round = 0; round < COLD_ROUNDS && *samples->interrupted == 0; round++) {
        double begun = pf_samples_now_ns();
        for (unsigned i = 0; i < BLOCK; i++)
            arena->at += operation(arena, next_cold(arena), arena->hot[1]) == UNLIKELY;
        pf_samples_add(samples, measure, pf_samples_now_ns() - begun, BLOCK);
    }
}

static void time_hot(PfSamples *samples, Arena *arena, PfMeasure measure, Operation operation)
{
    for (unsigned round = 0; round < HOT_ROUNDS && *samples->interrupted == 0; round++) {
        double begun = pf_samples_now_ns();
        for (unsigned i = 0; i < BLOCK; i++) {
            arena->at += operation(arena, arena->hot[0], arena->hot[1]) == UNLIKELY;
            /* Else the same result might be taken BLOCK times. */
            atomic_signal_fence(memory_order_seq_cst);
        }
        pf_samples_add(samples, measure, pf_samples_now_ns() - begun, BLOCK);
    }
}

static void shuffle(PfRng *rng, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = (uint32_t)pf_rng_below(rng, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
}

/* A cycle through 2 MiB, a load from each line in random order. */
static void time_chase(PfSamples *samples, PfRng *rng)
{
    enum { STEP = 64 / sizeof(uint32_t) };
    g_autofree uint32_t *order = g_new(uint32_t, CHASE_LINES);
    g_autofree uint32_t *lines = g_new0(uint32_t, CHASE_LINES * STEP);
    shuffle(rng, order, CHASE_LINES);
    for (uint32_t i = 0; i < CHASE_LINES; i++)
        lines[order[i] * STEP] = order[(i + 1) % CHASE_LINES] * STEP;
    uint32_t at = 0;
    for (unsigned round = 0; round < COLD_ROUNDS && *samples->interrupted == 0; round++) {
        double begun = pf_samples_now_ns();
        for (uint32_t i = 0; i < CHASE_LOADS; i++)
            at = lines[at];
        double ns = pf_samples_now_ns() - begun;
        pf_samples_add(samples, PF_MEASURE_NEAR_LINE, at < CHASE_LINES * STEP ? ns : 0,
                       CHASE_LOADS);
    }
}

static void time_locks(PfSamples *samples)
{
    uint64_t word = 0;
    for (unsigned round = 0; round < HOT_ROUNDS; round++) {
        double begun = pf_samples_now_ns();
        for (unsigned i = 0; i < BLOCK; i++) {
            __atomic_add_fetch(&word, 1, __ATOMIC_SEQ_CST);
            __atomic_sub_fetch(&word, 1, __ATOMIC_SEQ_CST);
        }
        pf_samples_add(samples, PF_MEASURE_LOCK, pf_samples_now_ns() - begun, BLOCK);
    }
}

static bool arena_init(Arena *arena, PfRng *rng)
{
    size_t bytes = (size_t)COLD_PAGES * PAGE_BYTES;
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return false;
    /* As the kernel sees memory. */
    madvise(pages, bytes, MADV_HUGEPAGE);
    madvise(pages, bytes, MADV_DONTFORK);
    memset(pages, 1, bytes);
    *arena = (Arena){.pages = pages, .order = g_new(uint32_t, COLD_PAGES)};
    shuffle(rng, arena->order, COLD_PAGES);
    for (unsigned i = 0; i < 2; i++) {
        arena->hot[i] = g_malloc(PAGE_BYTES);
        memset(arena->hot[i], 1, PAGE_BYTES);
    }
    return true;
}

static void arena_clear(Arena *arena)
{
    munmap(arena->pages, (size_t)COLD_PAGES * PAGE_BYTES);
    g_free(arena->order);
    g_free(arena->hot[0]);
    g_free(arena->hot[1]);
}

void pf_measure_bytes(PfSamples *samples)
{
    PfRng rng = pf_rng_derive(1, "calibrate");
    Arena arena;
    time_chase(samples, &rng);
    time_locks(samples);
    if (!arena_init(&arena, &rng))
        return;
    time_cold(samples, &arena, PF_MEASURE_HASH_COLD, hash_xxh3);
    time_cold(samples, &arena, PF_MEASURE_COMPARE_COLD, compare);
    time_cold(samples, &arena, PF_MEASURE_COPY_PAGE, copy);
    time_hot(samples, &arena, PF_MEASURE_HASH_HOT, hash_xxh3);
    time_hot(samples, &arena, PF_MEASURE_XXH64_HOT, hash_xxh64);
    time_hot(samples, &arena, PF_MEASURE_COMPARE_HOT, compare);
    arena.hot[1][0] = 0;
    time_cold(samples, &arena, PF_MEASURE_LINE, compare);
    time_cold(samples, &arena, PF_MEASURE_FILL_PAGE, fill);
    arena_clear(&arena);
}
