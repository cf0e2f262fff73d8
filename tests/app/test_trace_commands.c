/* Commands on traces: what they refuse, and that they can be ended. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "spawn.h"

/* Asserts that RUN ended with STATUS and one line, which contains WHAT, and left no FILE. */
static void expect_refusal(const char *place, const Spawned *run, int status, const char *what,
                           const char *file)
{
    CU_ASSERT_EQUAL(run->status, status);
    CU_ASSERT(g_str_has_prefix(run->err, "pagefold: error: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(run->err, what));
    CU_ASSERT_PTR_EQUAL(strchr(run->err, '\n'), run->err + strlen(run->err) - 1);
    g_autofree char *left = spawn_read(place, file);
    CU_ASSERT_PTR_NULL(left);
}

/* "-oFILE" is "-o FILE"; what follows an option that has its value apart is that value. */
static void a_letter_and_its_value_may_be_one_word(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "in.trace", "pagefold-trace 1\ntime 1s\nmark \"-oa\"\n");
    g_auto(Spawned) joined = spawn(place, "trace", "text", "in.trace", "-oout.trace");
    CU_ASSERT_EQUAL(joined.status, 0);
    g_autofree char *text = spawn_read(place, "out.trace");
    CU_ASSERT_PTR_NOT_NULL(text);
    g_auto(Spawned) value = spawn(place, "trace", "text", "in.trace", "-o", "-ofile");
    CU_ASSERT_EQUAL(value.status, 0);
    g_autofree char *odd = spawn_read(place, "-ofile");
    CU_ASSERT_PTR_NOT_NULL(odd);
    g_auto(Spawned) behind = spawn(place, "trace", "verify", "--", "-ofile");
    CU_ASSERT_EQUAL(behind.status, 0);
    g_auto(Spawned) unknown = spawn(place, "trace", "text", "in.trace", "-qx");
    expect_refusal(place, &unknown, 2, "-qx", "x");
    spawn_clear_place(place);
}

static void options_without_meaning_are_refused(void)
{
    static const char *const cases[][4] = {
        {"ramulator", "--cycle", "5ns", "--cycle 5ns: is for dramsim3"},
        {"champsim", "--cycle", "5ns", "--cycle 5ns: is for dramsim3"},
        {"lackey", "--cycle", "5ns", "--cycle 5ns: is for dramsim3"},
        {"raw", "--cycle", "5ns", "--cycle 5ns: is for dramsim3"},
        {"auto", "--cycle", "5ns", "--cycle 5ns: is for dramsim3"},
        {"ramulator", "--interval", "2s", "--interval 2s: is for images"},
        {"dramsim3", "--interval", "2s", "--interval 2s: is for images"},
        {"auto", "--interval", "2s", "--interval 2s: is for images"},
    };
    char *place = spawn_make_place();
    spawn_write(place, "in", "LD 0x40\n");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Spawned) run = spawn(place, "trace", "import", cases[i][0], "in", "-o", "out.pft",
                                    cases[i][1], cases[i][2]);
        expect_refusal(place, &run, 2, cases[i][3], "out.pft");
    }
    spawn_write(place, "cycles", "0x40 READ 7\n");
    g_auto(Spawned) both =
        spawn(place, "trace", "import", "auto", "in", "cycles", "-o", "out.pft", "--cycle", "5ns");
    CU_ASSERT_EQUAL(both.status, 0);
    spawn_clear_place(place);
}

static void inputs_without_an_access_are_refused(void)
{
    static const char *const formats[] = {"champsim", "dramsim3", "lackey", "ramulator"};
    char *place = spawn_make_place();
    spawn_write(place, "empty", "");
    spawn_write(place, "talk", "\n==7== Lackey, an example Valgrind tool\n");
    spawn_write(place, "one", "LD 0x40\n");
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_auto(Spawned) run =
            spawn(place, "trace", "import", formats[i], "empty", "-o", "out.pft");
        expect_refusal(place, &run, 3, "empty: holds no access", "out.pft");
    }
    g_auto(Spawned) talk = spawn(place, "trace", "import", "lackey", "talk", "-o", "out.pft");
    expect_refusal(place, &talk, 3, "talk: holds no access", "out.pft");
    g_auto(Spawned) second =
        spawn(place, "trace", "import", "ramulator", "one", "empty", "-o", "out.pft");
    expect_refusal(place, &second, 3, "empty: holds no access", "out.pft");
    spawn_clear_place(place);
}

static void an_empty_label_is_told_as_such(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "in.trace", "pagefold-trace 1\ntime 1s\nmark \"a\"\n");
    g_auto(Spawned) from =
        spawn(place, "trace", "cut", "in.trace", "-o", "out.trace", "--from", "mark:");
    expect_refusal(place, &from, 2, "behind mark: a LABEL is missing", "out.trace");
    g_auto(Spawned) to =
        spawn(place, "trace", "cut", "in.trace", "-o", "out.trace", "--to", "mark:");
    expect_refusal(place, &to, 2, "behind mark: a LABEL is missing", "out.trace");
    g_auto(Spawned) other =
        spawn(place, "trace", "cut", "in.trace", "-o", "out.trace", "--from", "mark:b");
    expect_refusal(place, &other, 2, "has no mark 'b'; `trace info`", "out.trace");
    /* It is a label as any other where there is one. */
    spawn_write(place, "bare.trace", "pagefold-trace 1\ntime 1s\nmark \"\"\n");
    g_auto(Spawned) bare =
        spawn(place, "trace", "cut", "bare.trace", "-o", "out.trace", "--from", "mark:");
    CU_ASSERT_EQUAL(bare.status, 0);
    spawn_clear_place(place);
}

#define LIFE                                                                                       \
    "pagefold-trace 1\ncontext a vm\nmap a 0x0 1 anon\nstate a 0x0 1 zero\nmark \"b\"\nexit a\n"

static void that_all_have_exited_is_said(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "gone.trace", LIFE "mark \"end\"\n");
    g_auto(Spawned) gone = spawn(place, "potential", "gone.trace");
    CU_ASSERT_EQUAL(gone.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(gone.err, "gone.trace: all contexts have exited by then"));
    g_auto(Spawned) before = spawn(place, "potential", "gone.trace", "--epoch", "b");
    CU_ASSERT_STRING_EQUAL(before.err, "");
    /* Contexts that exit with nothing behind are counted as they were. */
    spawn_write(place, "ends.trace", LIFE);
    g_auto(Spawned) ends = spawn(place, "potential", "ends.trace");
    CU_ASSERT_STRING_EQUAL(ends.err, "");
    spawn_clear_place(place);
}

static void a_pipe_that_nobody_writes_to_is_left_by_one_signal(void)
{
    const char *const commands[][8] = {
        {"trace", "text", "pipe", "-o", "out.trace", NULL},
        {"trace", "import", "raw", "pipe", "-o", "out.pft", NULL},
        {"trace", "cut", "pipe", "-o", "out.pft", NULL},
        {"potential", "pipe", NULL},
    };
    static const int signals[] = {SIGINT, SIGTERM};
    char *place = spawn_make_place();
    g_autofree char *pipe = g_build_filename(place, "pipe", NULL);
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe, 0600), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        int number = signals[i % G_N_ELEMENTS(signals)];
        GPid child = spawn_start(place, commands[i]);
        CU_ASSERT(spawn_wait_for_watch(child, number));
        CU_ASSERT(spawn_wait_for_sleep(child));
        kill(child, number);
        int status = 0;
        CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 130);
        g_autofree char *trace = spawn_read(place, "out.trace");
        g_autofree char *binary = spawn_read(place, "out.pft");
        CU_ASSERT(trace == NULL && binary == NULL);
    }
    spawn_clear_place(place);
}

static void a_run_reads_a_pipe_once(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "a.trace", "pagefold-trace 1\ncontext a vm\nmap a 0x0 2 anon mergeable\n"
                                  "fill a 0x0 2 id:1\n");
    spawn_write(place, "pipe.cfg", "trace = \"pipe\"; policies = ( { name = \"esx\"; } );\n");
    g_autofree char *pipe = g_build_filename(place, "pipe", NULL);
    g_autofree char *trace = g_build_filename(place, "a.trace", NULL);
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe, 0600), 0);
    pid_t writer = fork();
    if (writer == 0) {
        g_autofree char *text = NULL;
        gsize length = 0;
        bool is_read = g_file_get_contents(trace, &text, &length, NULL);
        int end = open(pipe, O_WRONLY | O_CLOEXEC);
        _exit(is_read && write(end, text, length) == (ssize_t)length ? 0 : 1);
    }
    g_auto(Spawned) run = spawn(place, "run", "pipe.cfg", "--format", "csv");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "\nesx,2,2,"));
    int status = 1;
    CU_ASSERT_EQUAL(waitpid(writer, &status, 0), writer);
    CU_ASSERT_EQUAL(status, 0);
    spawn_clear_place(place);
}

/* Whether process PID has used half a second of a processor; false after a minute. */
static bool wait_for_work(GPid pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    for (unsigned i = 0; i < 6000; i++) {
        g_autofree char *text = NULL;
        if (!g_file_get_contents(path, &text, NULL, NULL))
            return false;
        /* Behind the command in brackets, field 3 is the first; 14 is the user's time. */
        g_auto(GStrv) fields = g_strsplit(strrchr(text, ')') + 2, " ", 13);
        if (g_ascii_strtoull(fields[11], NULL, 10) * 2 >= (guint64)sysconf(_SC_CLK_TCK))
            return true;
        g_usleep(10000);
    }
    return false;
}

static void a_hold_that_is_interrupted_is_not_complete(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "a.trace", "pagefold-trace 1\ncontext a vm\nmap a 0x0 2 anon mergeable\n"
                                  "fill a 0x0 2 id:1\n");
    spawn_write(place, "hold.cfg", "trace = \"a.trace\"; policies = ( { name = \"ksm\"; } );\n"
                                   "hold = \"18000000s\";\n");
    const char *const words[] = {"run", "hold.cfg", "-o", "out", NULL};
    GPid child = spawn_start(place, words);
    CU_ASSERT(spawn_wait_for_watch(child, SIGINT));
    CU_ASSERT(wait_for_work(child));
    kill(child, SIGINT);
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 130);
    g_autofree char *manifest = spawn_read(place, "out/manifest.json");
    CU_ASSERT_PTR_NOT_NULL_FATAL(manifest);
    CU_ASSERT_PTR_NOT_NULL(strstr(manifest, "\"complete\": false"));
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"a letter and its value may be one word", a_letter_and_its_value_may_be_one_word},
    {"an option that the format has no use for is refused", options_without_meaning_are_refused},
    {"an input without any access is refused", inputs_without_an_access_are_refused},
    {"mark: without a label is told as such", an_empty_label_is_told_as_such},
    {"potential says that all contexts have exited", that_all_have_exited_is_said},
    {"a pipe that nobody writes to is left by one signal",
     a_pipe_that_nobody_writes_to_is_left_by_one_signal},
    {"a run reads its trace from a pipe, once", a_run_reads_a_pipe_once},
    {"a hold that is interrupted ends with 130 and is not complete",
     a_hold_that_is_interrupted_is_not_complete},
};

PF_CHECK_MAIN("app-trace-commands", checks)
