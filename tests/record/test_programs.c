/* `pagefold trace record` on real programs, and on what it must refuse. */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "fixture.h"
#include "spawn.h"
#include "trace.h"

/* The program on its own, in PLACE. */
static Spawned run_native(const char *place, char **arguments)
{
    Spawned spawned = {0};
    char *no_variables[] = {NULL};
    int status = 0;
    g_assert_true(g_spawn_sync(place, arguments, no_variables, G_SPAWN_DEFAULT, NULL, NULL,
                               &spawned.out, &spawned.err, &status, NULL));
    spawned.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return spawned;
}

static Spawned run_recorder(const char *place, char **arguments)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    const char *first[] = {"trace", "record", "-o", "a.pft", "--"};
    for (unsigned i = 0; i < G_N_ELEMENTS(first); i++)
        g_ptr_array_add(words, (gpointer)(uintptr_t)first[i]);
    for (; *arguments != NULL; arguments++)
        g_ptr_array_add(words, *arguments);
    g_ptr_array_add(words, NULL);
    return spawn_program(place, (const char *const *)words->pdata);
}

static bool summarise(const char *place, PfTraceSummary *ret_summary)
{
    g_autofree char *path = g_build_filename(place, "a.pft", NULL);
    g_autoptr(GError) error = NULL;
    bool is_good = pf_trace_verify(path, ret_summary, &error);
    if (error != NULL)
        printf("# %s\n", error->message);
    return is_good;
}

static void write_inputs(const char *place)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 400; i++)
        g_string_append_printf(text, "line %u of a text\n", i * 7919 % 401);
    spawn_write(place, "text", text->str);
    spawn_write(place, "sum.lua", "local s = 0 for i = 1, 500 do s = s + i * i end print(s)\n");
    spawn_write(place, "run.cfg", "trace = \"a.pft\"; policies = ( { name = \"oracle\"; } );\n");
}

/* PROGRAM prints, leaves in FILE (NULL for none) and returns the same under the recorder; the trace
 * is good, and a simulation takes it. */
static void check_real(const char *program, const char *first, const char *second, const char *file)
{
    g_autofree char *path = program_path(program);
    if (path == NULL)
        return;
    char *place = place_new();
    write_inputs(place);
    char *arguments[] = {path, (char *)(uintptr_t)first, (char *)(uintptr_t)second, NULL};
    g_auto(Spawned) native = run_native(place, arguments);
    g_autofree char *expected = file != NULL ? spawn_read(place, file) : NULL;
    if (file != NULL) {
        g_autofree char *made = g_build_filename(place, file, NULL);
        g_remove(made);
    }
    g_auto(Spawned) recorded = run_recorder(place, arguments);
    g_autofree char *found = file != NULL ? spawn_read(place, file) : NULL;
    CU_ASSERT_EQUAL(recorded.status, native.status);
    CU_ASSERT_STRING_EQUAL(recorded.out, native.out);
    CU_ASSERT_TRUE(strlen(native.out) > 0);
    CU_ASSERT_EQUAL(g_strcmp0(expected, found), 0);
    PfTraceSummary summary = {0};
    CU_ASSERT_TRUE(summarise(place, &summary));
    CU_ASSERT_TRUE(summary.instructions > 10000);
    g_auto(Spawned) run = spawn(place, "run", "run.cfg", "-s", "timing=\"costs\"");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "oracle"));
    place_clear(place);
}

static void test_join(void)
{
    check_real("join", "1000", "300", NULL);
}

static void test_deflate(void)
{
    check_real("deflate", "text", "packed", "packed");
}

static void test_squeeze(void)
{
    check_real("squeeze", "text", "packed", "packed");
}

static void test_query(void)
{
    check_real("query", "database", "30", "database");
}

static void test_script(void)
{
    check_real("script", "sum.lua", NULL, NULL);
}

static void test_sort(void)
{
    check_real("/bin/busybox", "sort", "text", NULL);
}

/* What FAIL does when asked for WHAT: its STATUS, a word of the message, whether a trace is left.
 */
static void check_fail(const char *what, int status, const char *word, bool has_trace)
{
    g_autofree char *path = program_path("fail");
    if (path == NULL)
        return;
    char *place = place_new();
    char *arguments[] = {path, (char *)(uintptr_t)what, NULL};
    g_auto(Spawned) recorded = run_recorder(place, arguments);
    CU_ASSERT_EQUAL(recorded.status, status);
    CU_ASSERT_STRING_EQUAL(recorded.out, "begins\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(recorded.err, word));
    g_autoptr(GDir) folder = g_dir_open(place, 0, NULL);
    const char *name = g_dir_read_name(folder);
    CU_ASSERT_EQUAL(g_strcmp0(name, "a.pft") == 0, has_trace);
    PfTraceSummary summary;
    CU_ASSERT_TRUE(!has_trace || summarise(place, &summary));
    if (has_trace) {
        /* The access that is the program's end is not in it: nothing is mapped there. */
        write_inputs(place);
        g_auto(Spawned) run = spawn(place, "run", "run.cfg", "-s", "timing=\"costs\"");
        CU_ASSERT_EQUAL(run.status, 0);
    }
    place_clear(place);
}

static void test_threads(void)
{
    check_fail("thread", 125, "only programs of one thread are recorded", false);
}

static void test_fork(void)
{
    check_fail("fork", 125, "only one process is recorded", false);
}

static void test_avx(void)
{
    check_fail("avx", 125, "c5 f1 ef c2", false);
    check_fail("lzcnt", 125, "f3 48 0f bd", false);
    check_fail("popcnt", 125, "compile the program (and its libraries) with -march=x86-64", false);
}

static void test_signals(void)
{
    check_fail("crash", 128 + SIGSEGV, "signal 11", true);
    check_fail("null", 128 + SIGSEGV, "signal 11", true);
    check_fail("abort", 128 + SIGABRT, "signal 6", true);
    check_fail("divide", 128 + SIGFPE, "signal 8", true);
}

static void test_refused(void)
{
    char *place = place_new();
    spawn_write(place, "script", "#!/bin/sh\n");
    spawn_write(place, "text", "not a program\n");
    g_autofree char *script = g_build_filename(place, "script", NULL);
    g_autofree char *text = g_build_filename(place, "text", NULL);
    g_chmod(script, 0755);
    g_chmod(text, 0755);
    const char *const refused[][2] = {
        {"/bin/ls", "is dynamically linked, and shared libraries are not recorded; link it with "
                    "-static"},
        {script, "is a script; name its interpreter"},
        {text, "is no ELF executable"},
        {"./nothing", "No such file or directory"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_auto(Spawned) spawned =
            spawn(place, "trace", "record", "-o", "a.pft", "--", refused[i][0]);
        CU_ASSERT_EQUAL(spawned.status, 125);
        CU_ASSERT_PTR_NOT_NULL(strstr(spawned.err, refused[i][1]));
        g_autofree char *left = spawn_read(place, "a.pft");
        CU_ASSERT_PTR_NULL(left);
    }
    const char *const wrong[][2] = {{"--content=some", "must be values, epoch:N or none"},
                                    {"--skip=many", "must be a number of accesses"},
                                    {"--max-accesses=0", "must be a number of accesses from 1"},
                                    {"--env=HOME", "must be NAME=VALUE"},
                                    {"--output=-", "standard output is the program's"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_auto(Spawned) spawned =
            spawn(place, "trace", "record", "-o", "a.pft", wrong[i][0], "--", "./x");
        CU_ASSERT_EQUAL(spawned.status, 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(spawned.err, wrong[i][1]));
    }
    place_clear(place);
}

static void test_borders(void)
{
    g_autofree char *path = program_path("join");
    if (path == NULL)
        return;
    char *place = place_new();
    static const char *const contents[] = {"values", "epoch:1000", "none"};
    for (unsigned i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_auto(Spawned) spawned =
            spawn(place, "trace", "record", "-o", "a.pft", "--content", contents[i], "--skip", "5k",
                  "--max-accesses", "3210", "--", path, "100", "100");
        PfTraceSummary summary = {0};
        CU_ASSERT_EQUAL(spawned.status, 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(spawned.out, "region 6: "));
        CU_ASSERT_TRUE(summarise(place, &summary));
        CU_ASSERT_EQUAL(summary.accesses, 3210);
        /* An epoch ends after the block in which its last access was: three of 1000, and the
         * one that the end cuts. */
        CU_ASSERT_EQUAL(summary.records_by_kind[PF_RECORD_MARK], i == 1 ? 4 : 0);
        CU_ASSERT_EQUAL(summary.contents == 0, i == 2);
        CU_ASSERT_PTR_NULL(strstr(spawned.err, "warning"));
    }
    g_auto(Spawned) late = spawn(place, "trace", "record", "-o", "a.pft", "--skip", "1G", "--",
                                 path, "100", "100");
    CU_ASSERT_EQUAL(late.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(late.err, "nothing is in the trace: the program ended before"));
    place_clear(place);
}

static void test_deterministic(void)
{
    g_autofree char *path = program_path("query");
    if (path == NULL)
        return;
    char *place = place_new();
    char *digests[2] = {NULL};
    for (unsigned i = 0; i < 2; i++) {
        g_setenv("SOME_VARIABLE", i == 0 ? "a" : "longer", TRUE);
        g_autofree char *trace = g_build_filename(place, "a.pft", NULL);
        g_autofree char *database = g_build_filename(place, "database", NULL);
        g_remove(database);
        g_auto(Spawned) spawned = spawn(place, "trace", "record", "-o", "a.pft", "--env", "A=b",
                                        "--", path, "database", "10");
        CU_ASSERT_EQUAL(spawned.status, 0);
        digests[i] = pf_trace_digest(trace, NULL);
    }
    CU_ASSERT_PTR_NOT_NULL(digests[0]);
    CU_ASSERT_EQUAL(g_strcmp0(digests[0], digests[1]), 0);
    g_free(digests[0]);
    g_free(digests[1]);
    place_clear(place);
}

static void test_interrupt(void)
{
    g_autofree char *program = program_path("join");
    if (program == NULL)
        return;
    char *place = place_new();
    const char *words[] = {spawn_path(), "trace", "record",     "-o", "a.pft",
                           "--",         program, "1000000000", NULL};
    GPid pid = 0;
    int err = -1;
    g_assert_true(g_spawn_async_with_pipes(place, (char **)(uintptr_t)words, NULL,
                                           G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL, NULL,
                                           &err, NULL));
    /* It has begun when the file has grown. */
    bool has_begun = false;
    for (unsigned i = 0; i < 6000 && !has_begun; i++) {
        g_autoptr(GDir) folder = g_dir_open(place, 0, NULL);
        const char *name = g_dir_read_name(folder);
        g_autofree char *path = name != NULL ? g_build_filename(place, name, NULL) : NULL;
        struct stat status;
        has_begun = path != NULL && stat(path, &status) == 0 && status.st_size > 1 << 20;
        g_usleep(10000);
    }
    CU_ASSERT_TRUE(has_begun);
    kill(pid, SIGINT);
    int status = 0;
    waitpid(pid, &status, 0);
    close(err);
    PfTraceSummary summary = {0};
    CU_ASSERT_TRUE(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 130);
    CU_ASSERT_TRUE(summarise(place, &summary));
    CU_ASSERT_TRUE(summary.instructions > 0);
    place_clear(place);
}

static const PfCheck checks[] = {
    {"a hash join does under the recorder what it does without", test_join},
    {"... zlib, compressing and expanding a file", test_deflate},
    {"... Zstandard, compressing a file", test_squeeze},
    {"... SQLite, inserting and asking", test_query},
    {"... Lua", test_script},
    {"... sort of BusyBox", test_sort},
    {"a second thread ends the recording with the mend", test_threads},
    {"a fork ends the recording with the mend", test_fork},
    {"instructions that are not emulated are told with the mend", test_avx},
    {"a program that a signal ends is recorded up to there", test_signals},
    {"what is no static program, or no option, is refused with the mend", test_refused},
    {"a part of a program is recorded, exactly as long as asked", test_borders},
    {"two runs in two environments give the same bytes", test_deterministic},
    {"Ctrl-C leaves a good trace", test_interrupt},
};

PF_CHECK_MAIN("programs", checks)
