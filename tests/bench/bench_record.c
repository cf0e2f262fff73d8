/* How fast programs are recorded: the time that passes under the recorder and the processor time of
 * all its threads, beside those of Unicorn Engine with hooks that do nothing, and without any.
 *
 * `bench_record PROGRAM [ARGUMENT]...` takes a static program of yours. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine_tap.h"
#include "trace.h"

enum { REPEATS = 3 };

typedef enum { NO_HOOKS, BARE_HOOKS, RECORDER, VARIANTS } Variant;

static const char *const variant_names[] = {"no hooks", "empty hooks", "recorder"};

typedef struct {
    double passed;
    double processor;
} Seconds;

static double now_seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void ignore_access(uc_engine *unicorn, uc_mem_type type, uint64_t address, int size,
                          int64_t value, void *user)
{
    (void)unicorn;
    (void)type;
    (void)address;
    (void)size;
    (void)value;
    (void)user;
}

static void ignore_block(uc_engine *unicorn, uint64_t address, uint32_t bytes, void *user)
{
    (void)unicorn;
    (void)address;
    (void)bytes;
    (void)user;
}

/* Takes the recorder's hooks away, and puts empty ones there if asked. */
static void change_hooks(PfEngine *engine, Variant variant)
{
    if (variant == RECORDER)
        return;
    for (unsigned i = 0; i < 3; i++)
        uc_hook_del(engine->unicorn, engine->hooks[i]);
    if (variant == NO_HOOKS)
        return;
    uc_hook_add(engine->unicorn, &engine->hooks[0], UC_HOOK_BLOCK, (void *)(uintptr_t)ignore_block,
                NULL, 1, 0);
    uc_hook_add(engine->unicorn, &engine->hooks[1], UC_HOOK_MEM_READ,
                (void *)(uintptr_t)ignore_access, NULL, 1, 0);
    uc_hook_add(engine->unicorn, &engine->hooks[2], UC_HOOK_MEM_WRITE,
                (void *)(uintptr_t)ignore_access, NULL, 1, 0);
}

/* False on errors; RET_INSTRUCTIONS counts only under the recorder. */
static bool run_once(char **arguments, Variant variant, const char *path, Seconds *ret_seconds,
                     uint64_t *ret_instructions)
{
    static char *no_variables[] = {NULL};
    PfGuestOptions options = {
        .path = arguments[0],
        .arguments = arguments,
        .environment = no_variables,
        .recording = {.accesses_max = UINT64_MAX, .name = "program"},
    };
    PfTraceHeader header = {.page_bytes = PF_GUEST_PAGE_BYTES};
    g_autoptr(GError) error = NULL;
    PfGuest guest;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, PF_TRACE_BINARY, &header, &error);
    bool is_good = false;
    if (writer != NULL && pf_guest_init(&guest, &options, &error)) {
        change_hooks(guest.engine, variant);
        double passed = now_seconds(CLOCK_MONOTONIC);
        double processor = now_seconds(CLOCK_PROCESS_CPUTIME_ID);
        is_good = pf_guest_run(&guest, writer, &error) && pf_trace_writer_finish(writer, &error);
        ret_seconds->passed = now_seconds(CLOCK_MONOTONIC) - passed;
        ret_seconds->processor = now_seconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
        if (variant == RECORDER)
            *ret_instructions = pf_recording_instructions(guest.recording);
        pf_guest_clear(&guest);
    }
    if (error != NULL)
        fprintf(stderr, "%s\n", error->message);
    return is_good;
}

/* What the program prints is of no interest. */
static int silence(void)
{
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nothing >= 0) {
        dup2(nothing, STDOUT_FILENO);
        close(nothing);
    }
    return kept;
}

static bool measure(char **arguments, const char *path)
{
    Seconds best[VARIANTS] = {{1e9, 1e9}, {1e9, 1e9}, {1e9, 1e9}};
    uint64_t instructions = 0;
    int kept = silence();
    bool is_good = true;
    for (unsigned i = 0; i < REPEATS; i++)
        for (unsigned v = 0; v < VARIANTS && is_good; v++) {
            Seconds seconds;
            is_good = run_once(arguments, (Variant)v, path, &seconds, &instructions);
            best[v].passed = MIN(best[v].passed, seconds.passed);
            best[v].processor = MIN(best[v].processor, seconds.processor);
        }
    dup2(kept, STDOUT_FILENO);
    close(kept);
    GStatBuf status = {0};
    g_stat(path, &status);
    for (unsigned v = 0; v < VARIANTS && is_good; v++)
        printf("%-12s %7.3f s  %6.1f Minstructions/s  %.2f times the empty hooks; processor time "
               "%.3f s, %.2f times\n",
               variant_names[v], best[v].passed, (double)instructions / best[v].passed * 1e-6,
               best[v].passed / best[BARE_HOOKS].passed, best[v].processor,
               best[v].processor / best[BARE_HOOKS].processor);
    if (is_good)
        printf("%" G_GUINT64_FORMAT " instructions, %.2f bytes each\n", instructions,
               (double)status.st_size / (double)instructions);
    g_unlink(path);
    return is_good;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s PROGRAM [ARGUMENT]...\n", argv[0]);
        return EXIT_FAILURE;
    }
    g_autofree char *folder = g_dir_make_tmp("pagefold-bench-XXXXXX", NULL);
    if (folder == NULL)
        return EXIT_FAILURE;
    g_autofree char *path = g_build_filename(folder, "bench.pft", NULL);
    bool is_good = measure(argv + 1, path);
    g_rmdir(folder);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
