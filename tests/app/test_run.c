/* `run` and `compare` as a whole: files, statuses, interruption. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "spawn.h"

static const char *const files[] = {"config.cfg", "stats.json", "stats.csv", "epochs.csv",
                                    "marks.csv",  "distributions.csv"};

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    while (directory != NULL && g_dir_read_name(directory) != NULL)
        count++;
    return count;
}

static void run_prints(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) run = spawn(place, "run", "demo.cfg");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT(g_str_has_prefix(run.out, "canned.trace: 4 KiB pages"));
    CU_ASSERT(g_str_has_prefix(run.err, "pagefold: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "-o DIR keeps the results"));
    /* Nothing is written where nobody asked. */
    CU_ASSERT_EQUAL(count_entries(place), 1);
    spawn_clear_place(place);
}

static void run_writes(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) run = spawn(place, "run", "demo.cfg", "-o", "out", "--seed", "5");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "results in out, "));
    g_autofree char *directory = g_build_filename(place, "out", NULL);
    CU_ASSERT_EQUAL(count_entries(directory), G_N_ELEMENTS(files) + 1);
    CU_ASSERT_EQUAL(count_entries(place), 2);
    g_autofree char *manifest = spawn_read(directory, "manifest.json");
    CU_ASSERT_FATAL(manifest != NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(manifest, "\"complete\": true"));
    CU_ASSERT_PTR_NOT_NULL(strstr(manifest, "\"exit\": 0"));
    CU_ASSERT_PTR_NOT_NULL(strstr(manifest, "\"seed\": 5"));
    g_autofree char *json = spawn_read(directory, "stats.json");
    g_auto(Spawned) printed = spawn(place, "run", "demo.cfg", "--seed", "5", "--format", "json");
    CU_ASSERT_STRING_EQUAL(printed.out, json);
    spawn_clear_place(place);
}

static void run_equal(void)
{
    char *place = spawn_make_place();
    g_autofree char *config = g_build_filename(place, "demo.cfg", NULL);
    g_autofree char *first = g_build_filename(place, "one", NULL);
    g_autofree char *second = g_build_filename(place, "deep", "er", "two", NULL);
    g_auto(Spawned) one = spawn(place, "run", "demo.cfg", "-o", "one", "-j", "1");
    g_auto(Spawned) two = spawn("/", "run", config, "-o", second, "-j", "3");
    CU_ASSERT_EQUAL(one.status, 0);
    CU_ASSERT_EQUAL(two.status, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *a = spawn_read(first, files[i]);
        g_autofree char *b = spawn_read(second, files[i]);
        CU_ASSERT_FATAL(a != NULL && b != NULL);
        CU_ASSERT_STRING_EQUAL(a, b);
        CU_ASSERT_PTR_NULL(strstr(a, place));
    }
    spawn_clear_place(place);
}

static void run_repeats(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) one = spawn(place, "run", "demo.cfg", "-o", "one", "-s", "policies.esx.rate=77",
                                "-s", "output.dir=\"elsewhere\"");
    CU_ASSERT_EQUAL(one.status, 0);
    g_autofree char *config = spawn_read(place, "one/config.cfg");
    CU_ASSERT_FATAL(config != NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(config, "trace = \"canned.trace\";"));
    CU_ASSERT_PTR_NOT_NULL(strstr(config, "00112233445566778899aabbccddeeff"));
    CU_ASSERT_PTR_NOT_NULL(strstr(config, "rate = 77;"));
    CU_ASSERT_PTR_NULL(strstr(config, "elsewhere"));
    g_auto(Spawned) two =
        spawn(place, "run", "one/config.cfg", "--trace", "x/canned.trace", "-o", "two");
    CU_ASSERT_EQUAL(two.status, 0);
    g_autofree char *again = spawn_read(place, "two/config.cfg");
    CU_ASSERT_STRING_EQUAL(config, again);
    spawn_clear_place(place);
}

static void run_output_dir(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "out.cfg",
                "output = { dir = \"there\"; };\n"
                "policies = ( { name = \"ksm\"; } );\n");
    g_autofree char *config = g_build_filename(place, "out.cfg", NULL);
    /* Relative to the file that says so, not to the working directory. */
    g_auto(Spawned) run = spawn("/", "run", config);
    CU_ASSERT_EQUAL(run.status, 0);
    g_autofree char *json = spawn_read(place, "there/stats.json");
    CU_ASSERT_PTR_NOT_NULL(json);
    spawn_clear_place(place);
}

static void run_selects(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "three.cfg",
                "policies = ( { name = \"ksm\"; label = \"a\"; rate = 60; },\n"
                "             { name = \"esx\"; }, { name = \"ksm\"; label = \"b\"; } );\n");
    g_auto(Spawned) dump = spawn(place, "config", "dump", "three.cfg", "--policy", "esx,a");
    CU_ASSERT_EQUAL(dump.status, 0);
    const char *esx = strstr(dump.out, "name = \"esx\"");
    const char *ksm = strstr(dump.out, "label = \"a\"");
    CU_ASSERT(esx != NULL && ksm != NULL && esx < ksm);
    CU_ASSERT_PTR_NOT_NULL(strstr(dump.out, "rate = 60;"));
    CU_ASSERT_PTR_NULL(strstr(dump.out, "label = \"b\""));
    g_auto(Spawned) run = spawn(place, "run", "three.cfg", "--policy", "ksm", "--format", "csv");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "\nnone,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "\na,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "\nb,"));
    CU_ASSERT_PTR_NULL(strstr(run.out, "\nesx,"));
    spawn_clear_place(place);
}

static void run_refuses_to_overwrite(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) one = spawn(place, "run", "demo.cfg", "-o", "out");
    CU_ASSERT_EQUAL(one.status, 0);
    g_auto(Spawned) two = spawn(place, "run", "demo.cfg", "-o", "out");
    CU_ASSERT_EQUAL(two.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(two.err, "--force"));
    CU_ASSERT_STRING_EQUAL(two.out, "");
    g_auto(Spawned) three = spawn(place, "run", "demo.cfg", "-o", "out", "--force");
    CU_ASSERT_EQUAL(three.status, 0);
    CU_ASSERT_EQUAL(count_entries(place), 2);
    spawn_clear_place(place);
}

static void run_dry(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) run = spawn(place, "run", "demo.cfg", "-o", "out", "--dry-run");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_STRING_EQUAL(run.out, "");
    CU_ASSERT_STRING_EQUAL(run.err, "pagefold: demo.cfg: OK, 3 policies\n");
    CU_ASSERT_EQUAL(count_entries(place), 1);
    spawn_clear_place(place);
}

/* The end that the fake simulation is told to take. */
static void expect_outcome(const char *outcome, int status, bool has_results)
{
    char *place = spawn_make_place();
    g_autofree char *assignment = g_strdup_printf("fake.outcome=%s", outcome);
    g_autofree char *exit_text = g_strdup_printf("\"exit\": %d", status);
    g_auto(Spawned) run = spawn(place, "run", "demo.cfg", "-o", "out", "-s", assignment);
    CU_ASSERT_EQUAL(run.status, status);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "pagefold: error: "));
    CU_ASSERT_EQUAL(count_entries(place), has_results ? 2 : 1);
    g_autofree char *manifest = spawn_read(place, "out/manifest.json");
    CU_ASSERT_EQUAL(manifest != NULL, has_results);
    if (manifest != NULL) {
        CU_ASSERT_PTR_NOT_NULL(strstr(manifest, "\"complete\": false"));
        CU_ASSERT_PTR_NOT_NULL(strstr(manifest, exit_text));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *name = g_build_filename("out", files[i], NULL);
        g_autofree char *text = spawn_read(place, name);
        CU_ASSERT_EQUAL(text != NULL, has_results);
    }
    spawn_clear_place(place);
}

static void run_outcomes(void)
{
    expect_outcome("interrupted", 130, true);
    expect_outcome("difference", 1, true);
    expect_outcome("trace", 3, false);
}

static pid_t start_waiting(const char *place)
{
    pid_t child = fork();
    if (child == 0) {
        g_autofree char *err = g_build_filename(place, "err", NULL);
        if (chdir(place) != 0 || freopen("/dev/null", "w", stdout) == NULL ||
            freopen(err, "w", stderr) == NULL)
            _exit(99);
        execl(spawn_path(), "pagefold", "run", "demo.cfg", "-o", "out", "-s", "fake.outcome=wait",
              (char *)NULL);
        _exit(98);
    }
    return child;
}

static void run_signalled(void)
{
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        char *place = spawn_make_place();
        pid_t child = start_waiting(place);
        CU_ASSERT(spawn_wait_for_watch(child, signals[i]));
        int status = 0;
        CU_ASSERT(kill(child, signals[i]) == 0);
        CU_ASSERT(waitpid(child, &status, 0) == child);
        CU_ASSERT(WIFEXITED(status));
        CU_ASSERT_EQUAL(WEXITSTATUS(status), 130);
        g_autofree char *manifest = spawn_read(place, "out/manifest.json");
        CU_ASSERT_FATAL(manifest != NULL);
        CU_ASSERT_PTR_NOT_NULL(strstr(manifest, "\"complete\": false"));
        spawn_clear_place(place);
    }
}

static void run_full_disk(void)
{
    char *place = spawn_make_place();
    struct rlimit before;
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &before) == 0);
    struct rlimit small = {.rlim_cur = 1024, .rlim_max = before.rlim_max};
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &small) == 0);
    g_auto(Spawned) run = spawn(place, "run", "demo.cfg", "-o", "out");
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT_EQUAL(run.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "pagefold: error: out/stats.json: cannot write"));
    CU_ASSERT_EQUAL(count_entries(place), 1);
    spawn_clear_place(place);
}

static void compare_equal(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) one = spawn(place, "run", "demo.cfg", "-o", "one");
    CU_ASSERT_EQUAL(one.status, 0);
    g_auto(Spawned) two = spawn(place, "run", "demo.cfg", "-o", "two");
    CU_ASSERT_EQUAL(two.status, 0);
    g_auto(Spawned) compare = spawn(place, "compare", "one", "two", "--check", "0");
    CU_ASSERT_EQUAL(compare.status, 0);
    CU_ASSERT_STRING_EQUAL(compare.out, "0 of 66 statistics differ between one and two\n");
    spawn_clear_place(place);
}

static void compare_different(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) one = spawn(place, "run", "demo.cfg", "-o", "one");
    CU_ASSERT_EQUAL(one.status, 0);
    g_auto(Spawned) two = spawn(place, "run", "demo.cfg", "-o", "two");
    CU_ASSERT_EQUAL(two.status, 0);
    g_autofree char *json = spawn_read(place, "two/stats.json");
    CU_ASSERT_FATAL(json != NULL);
    /* 1000 to 1010 is 1 %. */
    char *found = strstr(json, "\"memory.used_frames\": 1000");
    CU_ASSERT_FATAL(found != NULL);
    memcpy(found, "\"memory.used_frames\": 1010", strlen("\"memory.used_frames\": 1010"));
    spawn_write(place, "two/stats.json", json);
    g_auto(Spawned) shown = spawn(place, "compare", "one", "two");
    CU_ASSERT_EQUAL(shown.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(shown.out, "1 of 66 statistics differ"));
    CU_ASSERT_PTR_NOT_NULL(strstr(shown.out, "+1 %\n"));
    g_auto(Spawned) within = spawn(place, "compare", "one", "two", "--check", "1");
    CU_ASSERT_EQUAL(within.status, 0);
    g_auto(Spawned) beyond = spawn(place, "compare", "one", "two", "--check", "0.99");
    CU_ASSERT_EQUAL(beyond.status, 1);
    spawn_clear_place(place);
}

static void compare_missing(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) one = spawn(place, "run", "demo.cfg", "-o", "one");
    CU_ASSERT_EQUAL(one.status, 0);
    g_auto(Spawned) two = spawn(place, "run", "demo.cfg", "-o", "two", "--policy", "ksm");
    CU_ASSERT_EQUAL(two.status, 0);
    g_auto(Spawned) compare = spawn(place, "compare", "one", "two", "--check", "50");
    CU_ASSERT_EQUAL(compare.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(compare.out, "(the whole run)"));
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"run prints the comparison and writes nothing unasked", run_prints},
    {"run -o writes a whole set of files; --format json prints stats.json", run_writes},
    {"equal runs give equal files whatever the directory and -j", run_equal},
    {"the resolved configuration repeats the run", run_repeats},
    {"output.dir is relative to the file that says so", run_output_dir},
    {"--policy keeps entries with their parameters, in its own order", run_selects},
    {"results are not overwritten without --force", run_refuses_to_overwrite},
    {"--dry-run checks and writes nothing", run_dry},
    {"a run that ends early has its status, and files unless the input was wrong", run_outcomes},
    {"SIGINT and SIGTERM leave a whole set of files that says it is not complete", run_signalled},
    {"a full disk leaves no directory", run_full_disk},
    {"compare finds no difference between equal runs", compare_equal},
    {"compare --check fails beyond the percentage only", compare_different},
    {"compare tells a run that is missing", compare_missing},
};

PF_CHECK_MAIN("run", checks)
