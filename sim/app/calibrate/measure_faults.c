#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

/* More pages than fit into caches, so that they come cold from the allocator. */
enum {
    PAGE_BYTES = 4096,
    PAGES = 8192,
    ROUNDS = 12,
    CALLS = 1000,
    FORK_PAGES = 1 << 14,
    FORK_ROUNDS = 9
};

static volatile uint8_t *map_pages(size_t pages)
{
    void *memory =
        mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
    return memory;
}

static double unmap_pages(volatile uint8_t *memory, size_t pages)
{
    double begun = pf_samples_now_ns();
    munmap((void *)(uintptr_t)memory, pages * PAGE_BYTES);
    return pf_samples_now_ns() - begun;
}

static double write_pages(volatile uint8_t *memory, size_t pages)
{
    double begun = pf_samples_now_ns();
    for (size_t i = 0; i < pages; i++)
        memory[i * PAGE_BYTES] = 1;
    return pf_samples_now_ns() - begun;
}

static double read_pages(const volatile uint8_t *memory, size_t pages)
{
    double begun = pf_samples_now_ns();
    for (size_t i = 0; i < pages; i++)
        (void)memory[i * PAGE_BYTES];
    return pf_samples_now_ns() - begun;
}

/* A child that lives until it is told to end by closing RET_LIFE. */
static pid_t start_child(int *ret_life)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    close(ends[0]);
    *ret_life = ends[1];
    return child;
}

static void end_child(pid_t child, int life)
{
    close(life);
    waitpid(child, NULL, 0);
}

/* First touches, copies beside a child for one half of the pages, re-use after it for the other. */
static void time_round(PfSamples *samples)
{
    volatile uint8_t *memory = map_pages(PAGES);
    int life;
    if (memory == NULL)
        return;
    pf_samples_add(samples, PF_MEASURE_FIRST_TOUCH, write_pages(memory, PAGES), PAGES);
    pid_t child = start_child(&life);
    if (child > 0) {
        enum { HALF = PAGES / 2 };
        pf_samples_add(samples, PF_MEASURE_COPY, write_pages(memory, HALF), HALF);
        end_child(child, life);
        pf_samples_add(samples, PF_MEASURE_REUSE,
                       write_pages(memory + (size_t)HALF * PAGE_BYTES, HALF), HALF);
    }
    /* To another offset in the page tables, so that no table is moved as a whole. */
    enum { BEFORE = 1, BEHIND = 2 };
    volatile uint8_t *place = map_pages(BEFORE + PAGES + BEHIND);
    if (place == NULL)
        return;
    void *target = (void *)(uintptr_t)(place + (size_t)BEFORE * PAGE_BYTES);
    double begun = pf_samples_now_ns();
    void *moved = mremap((void *)(uintptr_t)memory, PAGES * PAGE_BYTES, PAGES * PAGE_BYTES,
                         MREMAP_MAYMOVE | MREMAP_FIXED, target);
    double ns = pf_samples_now_ns() - begun;
    if (moved != MAP_FAILED) {
        pf_samples_add(samples, PF_MEASURE_REMAP, ns, PAGES);
        pf_samples_add(samples, PF_MEASURE_UNMAP, unmap_pages(moved, PAGES), PAGES);
    }
    unmap_pages(place, BEFORE + PAGES + BEHIND);
}

static void time_zeros(PfSamples *samples)
{
    volatile uint8_t *memory = map_pages(PAGES);
    if (memory == NULL)
        return;
    pf_samples_add(samples, PF_MEASURE_ZERO_READ, read_pages(memory, PAGES), PAGES);
    pf_samples_add(samples, PF_MEASURE_ZERO_WRITE, write_pages(memory, PAGES), PAGES);
    unmap_pages(memory, PAGES);
}

static double time_fork(void)
{
    int life;
    double begun = pf_samples_now_ns();
    pid_t child = start_child(&life);
    double ns = pf_samples_now_ns() - begun;
    if (child > 0)
        end_child(child, life);
    return ns;
}

/* With many pages and without them. */
static void time_forks(PfSamples *samples)
{
    for (unsigned round = 0; round < FORK_ROUNDS && *samples->interrupted == 0; round++) {
        double without = time_fork();
        volatile uint8_t *memory = map_pages(FORK_PAGES);
        if (memory == NULL)
            return;
        write_pages(memory, FORK_PAGES);
        pf_samples_add(samples, PF_MEASURE_FORK, time_fork() - without, FORK_PAGES);
        unmap_pages(memory, FORK_PAGES);
    }
}

static void time_system_calls(PfSamples *samples)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        double begun = pf_samples_now_ns();
        for (unsigned i = 0; i < CALLS; i++)
            syscall(SYS_getppid);
        pf_samples_add(samples, PF_MEASURE_SYSTEM_CALL, pf_samples_now_ns() - begun, CALLS);
    }
}

void pf_measure_faults(PfSamples *samples)
{
    time_system_calls(samples);
    for (unsigned round = 0; round < ROUNDS && *samples->interrupted == 0; round++) {
        time_round(samples);
        time_zeros(samples);
    }
    time_forks(samples);
}
