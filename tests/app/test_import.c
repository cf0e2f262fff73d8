/* `trace import` as its user meets it. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "spawn.h"

enum { PAGE = 4096 };

/* A file of pages; page i is filled with VALUES[i]. */
static void write_pages(const char *place, const char *name, const char *values)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    for (const char *value = values; *value != '\0'; value++) {
        guint at = file->len;
        g_byte_array_set_size(file, at + PAGE);
        memset(file->data + at, *value == '.' ? 0 : *value, PAGE);
    }
    g_autofree char *path = g_build_filename(place, name, NULL);
    g_assert(g_file_set_contents(path, (const char *)file->data, file->len, NULL));
}

/* The records of trace NAME, which is text, but with contents of more than a word left out. */
static char *read_records(const char *place, const char *name)
{
    g_autofree char *text = spawn_read(place, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) records = g_string_new(NULL);
    for (char **line = lines + 3; *line != NULL; line++) {
        char *bytes = strstr(*line, " hex:");
        if (bytes != NULL)
            bytes[7] = '\0';
        g_string_append_printf(records, "%s\n", *line);
    }
    return g_strdup(g_strchomp(records->str));
}

static void test_contexts(void)
{
    char *place = spawn_make_place();
    write_pages(place, "a.raw", "..x");
    write_pages(place, "a.img", "x");
    write_pages(place, "core.17", "y");
    g_auto(Spawned) import =
        spawn(place, "trace", "import", "auto", "a.raw", "a.img", "core.17", "-o", "t.trace");
    CU_ASSERT_EQUAL(import.status, 0);
    CU_ASSERT_STRING_EQUAL(import.out, "");
    CU_ASSERT_STRING_EQUAL(import.err, "pagefold: t.trace: 5 pages (2 of zeros), 5 told\n");
    g_autofree char *records = read_records(place, "t.trace");
    CU_ASSERT_STRING_EQUAL(records, "grain page\n"
                                    "context a vm\n"
                                    "map a 0x0 3 anon\n"
                                    "state a 0x0 2 zero\n"
                                    "state a 0x2000 1 hex:78\n"
                                    "context a-2 vm\n"
                                    "map a-2 0x0 1 anon\n"
                                    "state a-2 0x0 1 hex:78\n"
                                    "context core.17 vm\n"
                                    "map core.17 0x0 1 anon\n"
                                    "state core.17 0x0 1 hex:79\n"
                                    "time 1s");
    spawn_clear_place(place);
}

static void test_epochs(void)
{
    char *place = spawn_make_place();
    write_pages(place, "0.raw", "aabc");
    write_pages(place, "1.raw", "aaxc.");
    write_pages(place, "2.raw", "aax");
    g_auto(Spawned) import =
        spawn(place, "trace", "import", "raw", "0.raw", "1.raw", "2.raw", "-o", "t.trace", "--as",
              "epochs", "--name", "vm", "--interval", "500ms", "--skip", "0x1000-0x2000");
    CU_ASSERT_EQUAL(import.status, 0);
    g_autofree char *records = read_records(place, "t.trace");
    /* Of page 1 nothing is told; page 2 changes, page 4 comes; pages 3 and 4 go. */
    CU_ASSERT_STRING_EQUAL(records, "grain page\n"
                                    "context vm vm\n"
                                    "time 0ps\n"
                                    "map vm 0x0 1 anon\n"
                                    "state vm 0x0 1 hex:61\n"
                                    "map vm 0x2000 2 anon\n"
                                    "state vm 0x2000 1 hex:62\n"
                                    "state vm 0x3000 1 hex:63\n"
                                    "mark \"epoch 0\"\n"
                                    "time 500ms\n"
                                    "state vm 0x2000 1 hex:78\n"
                                    "map vm 0x4000 1 anon\n"
                                    "state vm 0x4000 1 zero\n"
                                    "mark \"epoch 1\"\n"
                                    "time 1s\n"
                                    "advise vm 0x3000 2 dontneed\n"
                                    "mark \"epoch 2\"\n"
                                    "time 1500ms");
    spawn_clear_place(place);
}

/* The value of statistic NAME of POLICY, by a run of t.pft. */
static double run_statistic(const char *place, const char *policy, const char *name)
{
    spawn_write(place, "t.cfg", "trace = \"t.pft\"; policies = ( { name = \"oracle\"; } );");
    g_auto(Spawned) run = spawn(place, "run", "t.cfg", "-o", "out", "--force");
    CU_ASSERT_EQUAL(run.status, 0);
    g_autofree char *csv = spawn_read(place, "out/stats.csv");
    g_autofree char *row = g_strdup_printf("\n%s,%s,", policy, name);
    const char *found = csv != NULL ? strstr(csv, row) : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    g_auto(GStrv) cells = g_strsplit(found + 1, ",", 4);
    return g_ascii_strtod(cells[3], NULL);
}

/* What an image holds is what a run counts: 3 contents in 7 pages. */
static void test_runs(void)
{
    char *place = spawn_make_place();
    write_pages(place, "a.raw", ".ab.");
    write_pages(place, "b.raw", "ba.");
    const char *const contents[] = {"bytes", "hash"};
    for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_auto(Spawned) import = spawn(place, "trace", "import", "raw", "a.raw", "b.raw", "-o",
                                       "t.pft", "--content", contents[i]);
        CU_ASSERT_EQUAL(import.status, 0);
        CU_ASSERT_EQUAL(run_statistic(place, "none", "memory.populated_pages"), 7);
        CU_ASSERT_EQUAL(run_statistic(place, "none", "memory.used_frames"), 7);
        CU_ASSERT_EQUAL(run_statistic(place, "oracle", "memory.used_frames"), 3);
    }
    spawn_clear_place(place);
}

/* 4 lines with 1 + 3 + 2 + 1 mappings; the anonymous page's and the file's frames are common before
 * any policy; of the 4 frames two hold content 5. */
static void test_hashes(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "list", "5\r\n6,3\r\n5,2,file\r\n0,1,zero\r\n");
    g_auto(Spawned) import = spawn(place, "trace", "import", "hashes", "list", "-o", "t.pft");
    CU_ASSERT_EQUAL(import.status, 0);
    CU_ASSERT_EQUAL(run_statistic(place, "none", "memory.populated_pages"), 7);
    CU_ASSERT_EQUAL(run_statistic(place, "none", "memory.used_frames"), 4);
    CU_ASSERT_EQUAL(run_statistic(place, "oracle", "memory.used_frames"), 3);
    spawn_clear_place(place);
}

static void test_mistakes(void)
{
    static const struct {
        const char *arguments[5];
        int status;
        const char *error;
    } cases[] = {
        {{"auto", "none.raw"}, 3, "none.raw: No such file"},
        {{"auto", "."}, 3, ".: is a folder"},
        {{"auto", "empty"}, 3, "empty: looks like no format that is known"},
        {{"raw", "odd"}, 3, "odd: at byte 4097: ends within a page"},
        {{"elfcore", "a.raw"}, 3, "a.raw: no ELF file"},
        {{"lime", "a.raw"}, 3, "a.raw: at byte 0: no header of LiME"},
        {{"champsim", "odd"}, 3, "odd: at byte 0: no record of ChampSim"},
        {{"hashes", "a.raw"}, 3, "a.raw:1: not a line of text"},
        {{"auto", "t.trace"}, 3, "a trace of pagefold already"},
        {{"auto", "cut.gz"}, 3, "cut.gz: at byte "},
        {{"raw", "a.raw", "--as", "epoch"}, 2, "--as epoch: must be contexts or epochs"},
        {{"raw", "a.raw", "--content", "md5"}, 2, "--content md5: must be bytes or hash"},
        {{"raw", "a.raw", "--skip", "4096"}, 2, "--skip 4096: must be START-END"},
        {{"raw", "a.raw", "--skip", "0-1"}, 2, "--skip 0-1: must be START-END"},
        {{"raw", "a.raw", "--interval", "0s"}, 2, "--interval: it must be more than 0"},
        {{"raw", "a.raw", "a.raw", "--name", "x"}, 2, "--name: 1 names for 2 contexts"},
        {{"raw", "a.raw", "a.raw", "--name=x", "--name=x"}, 2, "--name 'x': is given twice"},
        {{"raw", "empty"}, 3, "empty: holds no page of memory"},
        {{"raw", "a.raw", "--name", ""}, 2, "--name '': must be text, and not empty"},
        {{"ramulator", "text", "--skip", "0-4096"}, 2, "text: ramulator is accesses"},
    };
    char *place = spawn_make_place();
    write_pages(place, "a.raw", "a");
    spawn_write(place, "empty", "");
    spawn_write(place, "text", "LD 64\n");
    spawn_write(place, "t.trace", "pagefold-trace 1\n");
    spawn_write(place, "cut.gz", "\x1f\x8b\x08");
    g_autofree char *odd = g_strnfill(PAGE + 1, 'x');
    spawn_write(place, "odd", odd);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *arguments[12] = {"trace", "import", "-o", "out.pft"};
        memcpy(arguments + 4, cases[i].arguments, sizeof cases[i].arguments);
        g_auto(Spawned) import = spawn_program(place, arguments);
        CU_ASSERT_EQUAL(import.status, cases[i].status);
        CU_ASSERT_PTR_NOT_NULL(strstr(import.err, cases[i].error));
        if (import.status != cases[i].status || strstr(import.err, cases[i].error) == NULL)
            printf("# %zu: %d %s\n", i, import.status, import.err);
        g_autofree char *left = spawn_read(place, "out.pft");
        CU_ASSERT_PTR_NULL(left);
    }
    g_auto(Spawned) twice = spawn(place, "trace", "import", "raw", "a.raw", "a.raw", "-o", "b.pft",
                                  "--name", "x", "--name", "x");
    CU_ASSERT_EQUAL(twice.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(twice.err, "--name 'x': is given twice"));
    g_auto(Spawned) same = spawn(place, "trace", "import", "raw", "a.raw", "-o", "a.raw");
    CU_ASSERT_EQUAL(same.status, 2);
    spawn_clear_place(place);
}

/* Starts `sleep` with a variable of 20000 letters in its environment: they fill 3 or 4 whole pages
 * of its stack. */
static GPid start_subject(const char *program)
{
    g_autofree char *letters = g_strnfill(20000, 'x');
    g_autofree char *variable = g_strconcat("LETTERS=", letters, NULL);
    g_autofree char *path = g_strdup(program);
    char seconds[] = "60";
    char *arguments[] = {path, seconds, NULL};
    char *environment[] = {variable, NULL};
    GPid pid = 0;
    bool started = g_spawn_async(NULL, arguments, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                 NULL, &pid, NULL);
    return started && spawn_wait_for_sleep(pid) ? pid : 0;
}

/* Runs gcore on PID; the core's name within PLACE, or NULL where that may not be done. */
static char *make_core(const char *place, const char *gcore, GPid pid)
{
    g_autofree char *prefix = g_build_filename(place, "core", NULL);
    g_autofree char *number = g_strdup_printf("%d", (int)pid);
    g_autofree char *program = g_strdup(gcore);
    char out[] = "-o";
    char *arguments[] = {program, out, prefix, number, NULL};
    int status = 1;
    g_spawn_sync(NULL, arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                 NULL, NULL, NULL, NULL, &status, NULL);
    g_autofree char *core = g_strdup_printf("core.%d", (int)pid);
    g_autofree char *path = g_build_filename(place, core, NULL);
    bool is_made = status == 0 && g_file_test(path, G_FILE_TEST_EXISTS);
    return is_made ? g_steal_pointer(&core) : NULL;
}

/* Where the file begins in memory stands its first page, byte for byte. */
static void check_file_page(const char *trace, const char *program)
{
    g_autofree char *mapped = g_strdup_printf(" file=%s:0\n", program);
    const char *found = strstr(trace, mapped);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    found = strstr(found, " hex:7f454c46");
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    g_autofree char *bytes = NULL;
    gsize length = 0;
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(program, &bytes, &length, NULL));
    CU_ASSERT_TRUE_FATAL(length >= PAGE);
    found += strlen(" hex:");
    for (size_t i = 0; i < PAGE && *found != '\n'; i++, found += 2) {
        char expected[3];
        g_snprintf(expected, sizeof expected, "%02x", (unsigned char)bytes[i]);
        CU_ASSERT_EQUAL_FATAL(memcmp(found, expected, 2), 0);
    }
    CU_ASSERT_EQUAL(*found, '\n');
}

static void test_gcore(void)
{
    g_autofree char *gcore = g_find_program_in_path("gcore");
    g_autofree char *sleeper = g_find_program_in_path("sleep");
    char *program = sleeper != NULL ? realpath(sleeper, NULL) : NULL;
    GPid pid = gcore != NULL && program != NULL ? start_subject(program) : 0;
    char *place = spawn_make_place();
    g_autofree char *core = pid > 0 ? make_core(place, gcore, pid) : NULL;
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    if (core != NULL) {
        g_auto(Spawned) import =
            spawn(place, "trace", "import", "auto", core, "-o", "t.trace", "--name", "p");
        CU_ASSERT_EQUAL(import.status, 0);
        g_autofree char *trace = spawn_read(place, "t.trace");
        g_autofree char *records = read_records(place, "t.trace");
        CU_ASSERT_PTR_NOT_NULL(strstr(records, "\ncontext p process\n"));
        CU_ASSERT_TRUE(strstr(records, " 3 hex:78\n") != NULL ||
                       strstr(records, " 4 hex:78\n") != NULL);
        check_file_page(trace, program);
    } else {
        pf_check_skip("there is no gcore, or it may not look at a process");
    }
    free(program);
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"images become contexts named after their files", test_contexts},
    {"images become epochs of one context, of which changes are told", test_epochs},
    {"a run counts what the images hold, with bytes and with hashes", test_runs},
    {"mappings of a hash are the trace's own sharing", test_hashes},
    {"what cannot be imported is told in a line and leaves nothing behind", test_mistakes},
    {"a core that gcore makes of a process has the process's pages", test_gcore},
};

PF_CHECK_MAIN("app-import", checks)
