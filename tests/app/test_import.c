/* `trace import` as its user meets it. */
#include <glib/gstdio.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
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
                                    "state core.17 0x0 1 hex:79");
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
                                    "mark \"epoch 2\"");
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
    g_auto(Spawned) same = spawn(place, "trace", "import", "raw", "a.raw", "-o", "a.raw");
    CU_ASSERT_EQUAL(same.status, 2);
    spawn_clear_place(place);
}

/* A process that has known pages at a known place, and stops there. The pipe tells that it has. */
static pid_t start_subject(char *base)
{
    int ready[2];
    g_assert(pipe(ready) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        char *pages = mmap(base, 10 * PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (pages == base) {
            memset(pages, 0xff, 6 * PAGE);
            memset(pages + 6 * PAGE, 'x', 4 * PAGE);
        }
        if (write(ready[1], pages == base ? "y" : "n", 1) == 1)
            pause();
        _exit(0);
    }
    char answer = 'n';
    close(ready[1]);
    bool good = read(ready[0], &answer, 1) == 1 && answer == 'y';
    close(ready[0]);
    return good ? pid : -pid;
}

static void test_gcore(void)
{
    char *const base = (char *)(uintptr_t)0x123400000000;
    g_autofree char *gcore = g_find_program_in_path("gcore");
    pid_t pid = gcore != NULL ? start_subject(base) : 0;
    if (pid <= 0) {
        pf_check_skip("gcore is not there, or a process with pages at a known place");
        if (pid < 0)
            kill(-pid, SIGKILL);
        return;
    }
    char *place = spawn_make_place();
    g_autofree char *prefix = g_build_filename(place, "core", NULL);
    g_autofree char *number = g_strdup_printf("%d", (int)pid);
    char out[] = "-o";
    char *arguments[] = {gcore, out, prefix, number, NULL};
    int status = 1;
    bool started =
        g_spawn_sync(NULL, arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, &status, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    g_autofree char *core = g_strdup_printf("core.%d", (int)pid);
    g_autofree char *path = g_build_filename(place, core, NULL);
    if (!started || status != 0 || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        pf_check_skip("gcore may not look at a process here");
        spawn_clear_place(place);
        return;
    }
    g_auto(Spawned) import =
        spawn(place, "trace", "import", "auto", core, "-o", "t.trace", "--name", "p");
    CU_ASSERT_EQUAL(import.status, 0);
    g_autofree char *records = read_records(place, "t.trace");
    CU_ASSERT_PTR_NOT_NULL(strstr(records, "\ncontext p process\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(records, "\nmap p 0x123400000000 10 anon\n"
                                           "state p 0x123400000000 6 ones\n"
                                           "state p 0x123400006000 4 hex:78\n"));
    /* The program's own file, by its note. */
    CU_ASSERT_PTR_NOT_NULL(strstr(records, "/test_app_import:0\n"));
    g_unlink(path);
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
