/* Sweeps that end before they are done: killed, interrupted, starved; and what cannot begin. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "place.h"

/* Twelve days in which KSM wakes up every 20 ms: minutes of work, which Ctrl-C may end at each
 * mapping. */
static void write_slow_trace(const char *place)
{
    g_autoptr(GString) text = g_string_new(place_quick_trace);
    for (unsigned i = 0; i < 10000; i++)
        g_string_append_printf(text, "idle a 100s\nmap a 0x%x 1 anon mergeable\n",
                               0x100000 + i * 0x1000);
    spawn_write(place, "slow.trace", text->str);
}

static pid_t start(const char *place)
{
    pid_t child = fork();
    if (child == 0) {
        g_autofree char *err = g_build_filename(place, "err", NULL);
        if (chdir(place) != 0 || freopen(err, "w", stderr) == NULL)
            _exit(99);
        execl(spawn_path(), "pagefold", "sweep", "run", "two.cfg", "-o", "out", "-j", "1",
              (char *)NULL);
        _exit(98);
    }
    return child;
}

/* Begins a sweep of a quick and a slow point and waits until the first is done; false after half a
 * minute. */
static bool start_two(const char *place, pid_t *ret_child)
{
    write_slow_trace(place);
    place_configure(place, "two.cfg",
                 "axes = ( { key = \"trace\"; values = (\"quick.trace\", \"slow.trace\"); } );");
    *ret_child = start(place);
    g_autofree char *points = g_build_filename(place, "out", "points", NULL);
    for (unsigned i = 0; i < 3000; i++) {
        g_autoptr(GDir) folder = g_dir_open(points, 0, NULL);
        const char *name;
        while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
            if (name[0] != '.')
                return true;
        g_usleep(10000);
    }
    return false;
}

/* The second point becomes a quick one, so that the sweep can end. */
static void finish_two(const char *place)
{
    g_autofree char *trace = g_strconcat(place_quick_trace, "# another one\n", NULL);
    spawn_write(place, "slow.trace", trace);
    g_auto(Spawned) resumed = spawn(place, "sweep", "run", "two.cfg", "-o", "out");
    CU_ASSERT_EQUAL(resumed.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(resumed.err, "1 runs in"));
    CU_ASSERT_PTR_NOT_NULL(strstr(resumed.err, "1 were done already"));
    g_auto(Spawned) fresh = spawn(place, "sweep", "run", "two.cfg", "-o", "fresh");
    CU_ASSERT_EQUAL(fresh.status, 0);
    CU_ASSERT(place_same_file(place, "out", "fresh", "results.csv"));
    CU_ASSERT(place_same_file(place, "out", "fresh", "points.csv"));
}

static void killed(void)
{
    char *place = place_make();
    pid_t child;
    CU_ASSERT(start_two(place, &child));
    kill(child, SIGKILL);
    CU_ASSERT(waitpid(child, NULL, 0) == child);
    /* What a killed process leaves of a run that it was about to write. */
    g_autofree char *remains =
        g_build_filename(place, "out", "points", ".0123456789abcdef.partial-XXXXXX", NULL);
    CU_ASSERT(g_mkdir_with_parents(remains, 0777) == 0);
    spawn_write(place, "out/results.csv.12ab.tmp", "trace,");
    finish_two(place);
    CU_ASSERT(!g_file_test(remains, G_FILE_TEST_EXISTS));
    g_autofree char *table = spawn_read(place, "out/results.csv.12ab.tmp");
    CU_ASSERT_PTR_NULL(table);
    spawn_clear_place(place);
}

static void interrupted(void)
{
    char *place = place_make();
    pid_t child;
    int status = 0;
    CU_ASSERT(start_two(place, &child));
    g_autofree char *before = spawn_read(place, "out/points.csv");
    g_auto(Spawned) second = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    CU_ASSERT_EQUAL(second.status, 1);
    g_autofree char *after = spawn_read(place, "out/points.csv");
    CU_ASSERT_STRING_EQUAL(after, before);
    CU_ASSERT_PTR_NOT_NULL(strstr(second.err, "another pagefold works at this sweep"));
    CU_ASSERT(kill(child, SIGINT) == 0);
    CU_ASSERT(waitpid(child, &status, 0) == child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 130);
    g_autofree char *manifest = spawn_read(place, "out/manifest.json");
    CU_ASSERT_PTR_NOT_NULL_FATAL(manifest);
    CU_ASSERT_PTR_NOT_NULL(strstr(manifest, "\"complete\": false"));
    CU_ASSERT_PTR_NOT_NULL(strstr(manifest, "\"exit\": 130"));
    g_auto(Spawned) told = spawn(place, "sweep", "status", "two.cfg", "-o", "out");
    CU_ASSERT_STRING_EQUAL(told.out, "done            1   50.0 %\n"
                                     "failed          0    0.0 %\n"
                                     "pending         1   50.0 %\n");
    g_auto(Spawned) collect = spawn(place, "sweep", "collect", "two.cfg", "-o", "out");
    CU_ASSERT_EQUAL(collect.status, 0);
    g_autofree char *results = spawn_read(place, "out/results.csv");
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT_EQUAL(place_count(results, "\n"), 1 + 1 * 2);
    finish_two(place);
    spawn_clear_place(place);
}

static void starved(void)
{
    char *place = place_make();
    struct rlimit before;
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &before) == 0);
    /* Enough for each configuration, too little for the statistics. */
    struct rlimit small = {.rlim_cur = 24 * 1024, .rlim_max = before.rlim_max};
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &small) == 0);
    g_auto(Spawned) run = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT_EQUAL(run.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "stats.json: cannot write: File too large"));
    g_auto(Spawned) told = spawn(place, "sweep", "status", "grid.cfg", "-o", "out");
    CU_ASSERT_PTR_NOT_NULL(strstr(told.out, "pending         6  100.0 %"));
    g_auto(Spawned) resumed = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    CU_ASSERT_EQUAL(resumed.status, 0);
    g_auto(Spawned) fresh = spawn(place, "sweep", "run", "grid.cfg", "-o", "fresh");
    CU_ASSERT_EQUAL(fresh.status, 0);
    CU_ASSERT(place_same_file(place, "out", "fresh", "results.csv"));
    spawn_clear_place(place);
}

static void failures_are_told(void)
{
    char *place = place_make();
    /* 32 pages are written: four frames hold them under no policy at all. */
    place_configure(place, "few.cfg",
                 "axes = ( { key = \"machine.memory\"; values = (\"1MiB\", \"16KiB\", \"2MiB\"); } "
                 ");");
    g_auto(Spawned) run = spawn(place, "sweep", "run", "few.cfg", "-o", "out");
    CU_ASSERT_EQUAL(run.status, 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "point 1 (machine.memory=16KiB) failed: "));
    static const char alone[] = "pagefold: alone: pagefold ";
    const char *command = strstr(run.err, alone);
    CU_ASSERT_PTR_NOT_NULL_FATAL(command);
    command += strlen(alone);
    g_autofree char *line = g_strndup(command, strcspn(command, "\n"));
    g_auto(GStrv) words = NULL;
    CU_ASSERT_FATAL(g_shell_parse_argv(line, NULL, &words, NULL));
    g_auto(Spawned) again = spawn_program(place, (const char *const *)words);
    CU_ASSERT_EQUAL(again.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(again.err, "no frame is free"));
    g_auto(Spawned) told = spawn(place, "sweep", "status", "few.cfg", "-o", "out");
    CU_ASSERT_STRING_EQUAL(told.out, "done            2   66.7 %\n"
                                     "failed          1   33.3 %\n"
                                     "pending         0    0.0 %\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(told.err, "point 1 failed: "));
    g_autofree char *results = spawn_read(place, "out/results.csv");
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT_EQUAL(place_count(results, "\n"), 1 + 2 * 2);
    /* It may succeed yet: with a trace that needs less. */
    spawn_write(place, "quick.trace", "pagefold-trace 1\ncontext a process\nmap a 0x0 4 anon\n");
    g_auto(Spawned) mended = spawn(place, "sweep", "run", "few.cfg", "-o", "out");
    CU_ASSERT_EQUAL(mended.status, 0);
    spawn_clear_place(place);
}

static void missing_traces_fail_alone(void)
{
    char *place = place_make();
    place_configure(place, "lost.cfg",
                 "axes = ( { key = \"trace\"; values = (\"lost.trace\", \"quick.trace\"); } );");
    g_auto(Spawned) run = spawn(place, "sweep", "run", "lost.cfg", "-o", "out");
    CU_ASSERT_EQUAL(run.status, 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "point 0 (trace=lost.trace) failed: lost.trace: "));
    g_autofree char *trace = g_strconcat(place_quick_trace, "# another one\n", NULL);
    spawn_write(place, "lost.trace", trace);
    g_auto(Spawned) found = spawn(place, "sweep", "run", "lost.cfg", "-o", "out");
    CU_ASSERT_EQUAL(found.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(found.err, "1 runs in"));
    spawn_clear_place(place);
}

static void mistakes_are_told(void)
{
    static const char *const cases[][2] = {
        {"axes = ( { key = \"seed\"; value = (1); } );", "x.cfg:3: sweep.axes.[0].value: unknown"},
        {"axes = ();", "x.cfg:3: sweep: there is no axis"},
        {"mode = \"grit\"; axes = ( { key = \"seed\"; values = (1); } );", "did you mean grid?"},
        {"axes = ( { values = (1, 2); } );", "an axis has either key"},
        {"axes = ( { key = \"seed\"; keys = (\"seed\"); values = (1); } );",
         "an axis has either key"},
        {"axes = ( { key = \"seed\"; } );", "an axis has either values"},
        {"axes = ( { key = \"seed\"; values = (); } );", "there is none"},
        {"axes = ( { key = \"seed\"; values = (1); range = { from = 1; to = 2; add = 1; }; } );",
         "an axis has either values"},
        {"axes = ( { key = \"seed\"; range = { from = 1; to = 2; }; } );", "write { from = 1;"},
        {"axes = ( { key = \"seed\"; range = { from = 2; to = 1; add = 1; }; } );",
         "sweep.axes.[0].range: 1 is on the other side"},
        {"axes = ( { keys = (\"seed\", \"machine.cores\"); values = ((1, 2), (3)); } );",
         "(3) has 1 parts for 2 keys"},
        {"axes = ( { key = \"seed\"; values = (1); }, { key = \"seed\"; values = (2); } );",
         "seed is varied twice"},
        {"axes = ( { key = \"sweep.limit\"; values = (1); } );", "nothing that points differ in"},
        {"axes = ( { key = \"seed\"; values = (1, \"two\"); } );",
         "x.cfg:3: seed: expected an integer, got the string \"two\""},
        {"axes = ( { key = \"machine.coers\"; values = (1); } );",
         "x.cfg:3: machine.coers: unknown key; did you mean machine.cores?"},
        {"axes = ( { key = \"policies.esx.rate\"; values = (1); } );",
         "x.cfg:3: policies.esx.rate: the list has no element esx; it has ksm"},
        {"mode = \"zip\"; axes = ( { key = \"seed\"; values = (1); }, "
         "{ key = \"machine.cores\"; values = (1, 2); } );",
         "there are 1 of seed and 2 of machine.cores"},
        {"mode = \"list\"; points = ( \"seed\" );", "is no \"KEY=VALUE\""},
        {"points = ( \"seed=1\" ); axes = ( { key = \"seed\"; values = (1); } );",
         "only mode = \"list\" has points"},
        {"limit = 2; axes = ( { key = \"seed\"; values = (1, 2, 3); } );",
         "x.cfg:3: sweep: 3 points (3) are more than the limit of 2; give fewer values, or raise"},
        {"axes = ( { key = \"machine.costs\"; each = \"none.cfg\"; } );",
         "x.cfg:3: sweep.axes.[0].each: none.cfg: No such file"},
        {"axes = ( { key = \"machine.dram\"; each = \"bare-metal\"; } );",
         "x.cfg:3: sweep.axes.[0].each: bare-metal sets nothing in machine.dram"},
        {"axes = ( { key = \"machine.costs\"; each = \"bare-metal\"; values = (1); } );",
         "an axis has either values"},
        {"axes = ( { keys = (\"seed\", \"machine.costs\"); each = \"bare-metal\"; } );",
         "an axis has either values"},
        {"axes = 1;", "expected a list of groups"},
    };
    char *place = place_make();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        place_configure(place, "x.cfg", cases[i][0]);
        g_auto(Spawned) run = spawn(place, "sweep", "run", "x.cfg", "-o", "out");
        CU_ASSERT_EQUAL(run.status, 2);
        if (strstr(run.err, cases[i][1]) == NULL)
            printf("# %s: %s\n", cases[i][0], run.err);
        CU_ASSERT_PTR_NOT_NULL(strstr(run.err, cases[i][1]));
        g_autofree char *points = spawn_read(place, "out/points.csv");
        CU_ASSERT_PTR_NULL(points);
    }
    g_auto(Spawned) run = spawn(place, "run", "grid.cfg", "-o", "run");
    CU_ASSERT_EQUAL(run.status, 0);
    g_auto(Spawned) into = spawn(place, "sweep", "run", "grid.cfg", "-o", "run");
    CU_ASSERT_EQUAL(into.status, 2);
    g_auto(Spawned) none = spawn(place, "sweep", "status", "grid.cfg", "-o", "nowhere");
    CU_ASSERT_EQUAL(none.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(none.err, "nowhere: no sweep is there"));
    spawn_clear_place(place);
}

/* Of six combinations one cannot be: what is wrong with it is told, and the others are run. */
static void combinations_fail_alone(void)
{
    char *place = place_make();
    place_configure(place, "x.cfg",
                 "axes = ( { key = \"machine.cores\"; values = (1, 2); }, "
                 "{ key = \"machine.tlb.l1.entries\"; values = (32, 64); }, "
                 "{ key = \"machine.tlb.l1.ways\"; values = (32, 64); } );");
    g_auto(Spawned) run = spawn(place, "sweep", "run", "x.cfg", "-o", "out");
    g_autofree char *points = spawn_read(place, "out/points.csv");
    if (run.status == 4 && points != NULL) {
        CU_ASSERT_EQUAL(place_count(points, ",failed\n"), 2);
        CU_ASSERT_EQUAL(place_count(points, ",done\n"), 6);
    } else {
        printf("# %d %s\n", run.status, run.err);
        CU_ASSERT_EQUAL(run.status, 4);
    }
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"a killed sweep goes on where it was", killed},
    {"Ctrl-C keeps what is done", interrupted},
    {"a full disk keeps what is done", starved},
    {"a point that fails is told with its command, the others go on", failures_are_told},
    {"a trace that is missing fails its own points", missing_traces_fail_alone},
    {"a combination that cannot be fails alone", combinations_fail_alone},
    {"mistakes are told with file and line", mistakes_are_told},
};

PF_CHECK_MAIN("sweep ends", checks)
