#include "fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "engine_tap.h"
#include "trace.h"

static char *no_variables[] = {NULL};

const char *programs_folder(void)
{
    const char *folder = g_getenv("PAGEFOLD_PROGRAMS");
    g_assert_nonnull(folder);
    return folder;
}

char *program_path(const char *name)
{
    if (g_path_is_absolute(name) && g_file_test(name, G_FILE_TEST_IS_EXECUTABLE))
        return g_strdup(name);
    g_autofree char *path = g_build_filename(programs_folder(), name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer(&path);
    pf_check_skip("its library or package is not here");
    return NULL;
}

char *place_new(void)
{
    return g_dir_make_tmp("pagefold-record-XXXXXX", NULL);
}

void place_clear(char *place)
{
    g_autoptr(GDir) folder = g_dir_open(place, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(place, name, NULL);
        g_remove(path);
    }
    g_rmdir(place);
    g_free(place);
}

/* Standard output goes to PLACE/out and the folder becomes PLACE; returns what undoes it. */
static int enter(const char *place, int *ret_folder)
{
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    *ret_folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(g_chdir(place), ==, 0);
    int out = open("out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(out, STDOUT_FILENO);
    close(out);
    return kept;
}

static void leave(int kept, int folder)
{
    dup2(kept, STDOUT_FILENO);
    close(kept);
    g_assert_cmpint(fchdir(folder), ==, 0);
    close(folder);
}

/* Runs with the recorder's hooks, or with those that CHANGE puts there. */
static bool run_with(const char *place, const char *name, char **arguments,
                     const PfRecordingOptions *options, PfGuest *guest,
                     void (*change)(PfEngine *engine, void *user), void *user, GError **error)
{
    static PfGuestOptions how;
    how = (PfGuestOptions){.path = arguments[0],
                           .arguments = arguments,
                           .environment = no_variables,
                           .recording = {.accesses_max = UINT64_MAX, .name = "program"}};
    if (options != NULL)
        how.recording = *options;
    PfTraceHeader header = {.page_bytes = PF_GUEST_PAGE_BYTES};
    g_autofree char *path = g_build_filename(place, name, NULL);
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, PF_TRACE_BINARY, &header, error);
    int folder;
    int kept = enter(place, &folder);
    bool is_done = writer != NULL && pf_guest_init(guest, &how, error);
    if (is_done && change != NULL)
        change(guest->engine, user);
    is_done = is_done && pf_guest_run(guest, writer, error);
    leave(kept, folder);
    return is_done && pf_trace_writer_finish(writer, error);
}

bool run_recorded(const char *place, const char *name, char **arguments,
                  const PfRecordingOptions *options, PfGuest *guest, GError **error)
{
    return run_with(place, name, arguments, options, guest, NULL, NULL, error);
}

typedef struct {
    Executed executed;
    uint64_t line;
} Counter;

static void count_instruction(uc_engine *unicorn, uint64_t address, uint32_t bytes, void *user)
{
    (void)unicorn;
    Counter *counter = user;
    counter->executed.instructions++;
    for (uint64_t line = address / 64; line <= (address + bytes - 1) / 64; line++) {
        counter->executed.fetches += line != counter->line ? 1 : 0;
        counter->line = line;
    }
}

static void count_access(uc_engine *unicorn, uc_mem_type type, uint64_t address, int size,
                         int64_t value, void *user)
{
    (void)unicorn;
    (void)address;
    (void)size;
    (void)value;
    Counter *counter = user;
    counter->executed.reads += type == UC_MEM_READ_AFTER ? 1 : 0;
    counter->executed.writes += type == UC_MEM_WRITE ? 1 : 0;
}

/* A read across two pages is told by one UC_MEM_READ_AFTER, which needs UC_MEM_READ as well. */
static void put_counters(PfEngine *engine, void *user)
{
    uc_hook hook;
    for (unsigned i = 0; i < 3; i++)
        uc_hook_del(engine->unicorn, engine->hooks[i]);
    uc_hook_add(engine->unicorn, &hook, UC_HOOK_CODE, (void *)(uintptr_t)count_instruction, user, 1,
                0);
    uc_hook_add(engine->unicorn, &hook,
                UC_HOOK_MEM_READ | UC_HOOK_MEM_READ_AFTER | UC_HOOK_MEM_WRITE,
                (void *)(uintptr_t)count_access, user, 1, 0);
}

bool run_counted(const char *place, char **arguments, Executed *ret_executed)
{
    Counter counter = {.line = UINT64_MAX};
    PfGuest guest;
    bool is_done =
        run_with(place, "counted.pft", arguments, NULL, &guest, put_counters, &counter, NULL);
    pf_guest_clear(&guest);
    *ret_executed = counter.executed;
    return is_done;
}

Executed executed_by(const PfGuest *guest)
{
    const PfPackedCounts *counts = pf_recording_recorded(guest->recording);
    return (Executed){.instructions = counts->instructions,
                      .reads = counts->records[PF_PACKED_READ],
                      .writes = counts->records[PF_PACKED_WRITE] +
                                counts->records[PF_PACKED_WRITE_UNKNOWN],
                      .fetches = counts->records[PF_PACKED_FETCH]};
}
