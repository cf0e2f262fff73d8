/* `sweep` as a whole: real runs of a small trace. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "place.h"

static void expand_prints(void)
{
    char *place = place_make();
    g_auto(Spawned) expand = spawn(place, "sweep", "expand", "grid.cfg", "--time");
    CU_ASSERT_EQUAL(expand.status, 0);
    CU_ASSERT_STRING_EQUAL(expand.out, "point,policies.ksm.pages_to_scan,machine.core.cpi\n"
                                       "0,1,0.5\n1,1,1.0\n2,2,0.5\n3,2,1.0\n4,4,0.5\n5,4,1.0\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(expand.err, "6 points, 6 runs"));
    CU_ASSERT_PTR_NOT_NULL(strstr(expand.err, "workers"));
    spawn_clear_place(place);
}

static void workers_decide_nothing(void)
{
    static const char *const files[] = {"config.cfg", "stats.json", "stats.csv", "epochs.csv",
                                        "marks.csv"};
    char *place = place_make();
    g_auto(Spawned) one = spawn(place, "sweep", "run", "grid.cfg", "-o", "one", "-j", "1");
    g_auto(Spawned) two = spawn(place, "sweep", "run", "grid.cfg", "-o", "two", "-j", "2");
    CU_ASSERT_EQUAL(one.status, 0);
    CU_ASSERT_EQUAL(two.status, 0);
    CU_ASSERT_STRING_EQUAL(one.out, "");
    CU_ASSERT(place_same_file(place, "one", "two", "results.csv"));
    CU_ASSERT(place_same_file(place, "one", "two", "points.csv"));
    CU_ASSERT(place_same_file(place, "one", "two", "config.cfg"));
    /* ... and a point is what `run` makes of the same settings. */
    g_auto(Spawned) run = spawn(place, "run", "grid.cfg", "-o", "run", "-s",
                                "policies.ksm.pages_to_scan=2", "-s", "machine.core.cpi=1.0");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "its `sweep` is left out"));
    g_autofree char *id = place_find_id(place, "one", 3);
    g_autofree char *point = g_build_filename("one", "points", id, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        CU_ASSERT(place_same_file(place, "run", point, files[i]));
    /* Three rows of policies (ksm, none) by six points, and a heading. */
    g_autofree char *results = spawn_read(place, "one/results.csv");
    CU_ASSERT(g_str_has_prefix(
        results, "policies.ksm.pages_to_scan,machine.core.cpi,point,policy,n,memory."));
    CU_ASSERT_EQUAL(place_count(results, "\n"), 1 + 6 * 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(results, "\n2,1.0,3,ksm,1,"));
    spawn_clear_place(place);
}

static void options_make_a_sweep(void)
{
    char *place = place_make();
    spawn_write(place, "plain.cfg",
                "trace = \"quick.trace\"; policies = ( { name = \"ksm\"; } );\n");
    g_auto(Spawned) run = spawn(place, "run", "plain.cfg", "-x",
                                "policies.ksm.pages_to_scan=1..4*2",
                                "-x", "machine.core.cpi=0.5,1.0", "-o", "out");
    g_auto(Spawned) sweep = spawn(place, "sweep", "run", "grid.cfg", "-o", "grid");
    CU_ASSERT_EQUAL(sweep.status, 0);
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT(place_same_file(place, "out", "grid", "results.csv"));
    CU_ASSERT(place_same_file(place, "out", "grid", "points.csv"));
    g_auto(Spawned) no_place = spawn(place, "run", "plain.cfg", "-x", "seed=1,2");
    CU_ASSERT_EQUAL(no_place.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(no_place.err, "-o is missing"));
    g_auto(Spawned) both = spawn(place, "run", "grid.cfg", "-x", "seed=1,2", "-o", "x");
    CU_ASSERT_EQUAL(both.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(both.err, "has axes already (grid.cfg:3)"));
    spawn_clear_place(place);
}

/* What stands behind "wall..." differs; whether a run was done again does not show elsewhere. */
static char *manifest_of(const char *place, const char *sweep, unsigned point)
{
    g_autofree char *id = place_find_id(place, sweep, point);
    g_autofree char *name = g_build_filename(sweep, "points", id, "manifest.json", NULL);
    return spawn_read(place, name);
}

static void only_changes_are_run(void)
{
    char *place = place_make();
    g_auto(Spawned) first = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    CU_ASSERT_PTR_NOT_NULL(strstr(first.err, "6 runs in"));
    g_autofree char *before = manifest_of(place, "out", 4);
    g_auto(Spawned) second = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    CU_ASSERT_PTR_NOT_NULL(strstr(second.err, "0 runs in"));
    CU_ASSERT_PTR_NOT_NULL(strstr(second.err, "6 were done already"));
    g_autofree char *after = manifest_of(place, "out", 4);
    CU_ASSERT_STRING_EQUAL(before, after);
    /* Two more values of one axis: four of the eight are new. */
    place_configure(place, "grid.cfg",
                 "axes = ( { key = \"policies.ksm.pages_to_scan\"; values = (2, 4, 8, 9); }, "
                 "{ key = \"machine.core.cpi\"; values = (0.5, 1.0); } );");
    g_auto(Spawned) more = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    CU_ASSERT_PTR_NOT_NULL(strstr(more.err, "4 runs in"));
    CU_ASSERT_PTR_NOT_NULL(strstr(more.err, "4 were done already"));
    /* Another setting changes all, and so does one byte of the trace. */
    g_auto(Spawned) set = spawn(place, "sweep", "run", "grid.cfg", "-o", "out", "-s", "seed=2");
    CU_ASSERT_PTR_NOT_NULL(strstr(set.err, "8 runs in"));
    g_autofree char *trace = g_strconcat(place_quick_trace, "#\n", NULL);
    spawn_write(place, "quick.trace", trace);
    g_auto(Spawned) changed = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    CU_ASSERT_PTR_NOT_NULL(strstr(changed.err, "8 runs in"));
    /* What names no result changes nothing. */
    g_auto(Spawned) same = spawn(place, "sweep", "run", "grid.cfg", "-o", "out", "-s",
                                 "output.dir=\"elsewhere\"");
    CU_ASSERT_PTR_NOT_NULL(strstr(same.err, "0 runs in"));
    spawn_clear_place(place);
}

/* ---- Repeats ---- */

/* The cell of column NAME in the row of RESULTS that begins with START. */
static char *cell(const char *results, const char *start_of_row, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(results, "\n", -1);
    g_auto(GStrv) names = g_strsplit(lines[0], ",", -1);
    for (char **line = lines + 1; *line != NULL; line++) {
        g_auto(GStrv) cells = g_strsplit(*line, ",", -1);
        for (unsigned i = 0; g_str_has_prefix(*line, start_of_row) && names[i] != NULL; i++)
            if (strcmp(names[i], name) == 0)
                return g_strdup(cells[i]);
    }
    return g_strdup("none");
}

/* Statistic NAME of esx in the results of run REPEAT. */
static double number_of(const char *place, const char *id, unsigned repeat, const char *name)
{
    g_autofree char *path = g_strdup_printf("out/points/%s/r%u/stats.csv", id, repeat);
    g_autofree char *text = spawn_read(place, path);
    g_autofree char *start_of_line = g_strdup_printf("\nesx,%s,", name);
    const char *at = text != NULL ? strstr(text, start_of_line) : NULL;
    const char *comma = at != NULL ? strchr(at + strlen(start_of_line), ',') : NULL;
    return comma != NULL ? g_ascii_strtod(comma + 1, NULL) : (double)NAN;
}

static void repeats_spread(void)
{
    char *place = place_make();
    spawn_write(place, "repeat.cfg",
                "trace = \"quick.trace\"; policies = ( { name = \"esx\"; } );\n"
                "sweep = { repeat = 3; axes = ( { key = \"policies.esx.rate\"; values = (2); } ); "
                "};\n");
    g_auto(Spawned) run = spawn(place, "sweep", "run", "repeat.cfg", "-o", "out");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "3 runs in"));
    g_autofree char *id = place_find_id(place, "out", 0);
    double x[3];
    for (unsigned i = 0; i < 3; i++)
        x[i] = number_of(place, id, i, "memory.saved_page_cycles");
    CU_ASSERT(x[0] != x[1] || x[1] != x[2]);
    double mean = (x[0] + x[1] + x[2]) / 3;
    double squares = (x[0] - mean) * (x[0] - mean) + (x[1] - mean) * (x[1] - mean) +
                     (x[2] - mean) * (x[2] - mean);
    double deviation = sqrt(squares / 2);
    double half = 4.303 * deviation / sqrt(3);
    g_autofree char *results = spawn_read(place, "out/results.csv");
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    g_autofree char *mean_cell = cell(results, "2,0,esx,3,", "memory.saved_page_cycles");
    g_autofree char *sd_cell = cell(results, "2,0,esx,3,", "memory.saved_page_cycles:sd");
    g_autofree char *half_cell = cell(results, "2,0,esx,3,", "memory.saved_page_cycles:ci95");
    CU_ASSERT_DOUBLE_EQUAL(g_ascii_strtod(mean_cell, NULL) / mean, 1.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(g_ascii_strtod(sd_cell, NULL) / deviation, 1.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(g_ascii_strtod(half_cell, NULL) / half, 1.0, 1e-9);
    /* Two more repeats run two more; the other way round nothing runs. */
    g_auto(Spawned) more =
        spawn(place, "sweep", "run", "repeat.cfg", "-o", "out", "-s", "sweep.repeat=5");
    CU_ASSERT_PTR_NOT_NULL(strstr(more.err, "2 runs in"));
    g_auto(Spawned) one =
        spawn(place, "sweep", "run", "repeat.cfg", "-o", "out", "-s", "sweep.repeat=1");
    CU_ASSERT_PTR_NOT_NULL(strstr(one.err, "0 runs in"));
    /* A point that was run once is the first of its repeats. */
    g_auto(Spawned) once =
        spawn(place, "sweep", "run", "repeat.cfg", "-o", "late", "-s", "sweep.repeat=1");
    CU_ASSERT_PTR_NOT_NULL(strstr(once.err, "1 runs in"));
    g_auto(Spawned) late = spawn(place, "sweep", "run", "repeat.cfg", "-o", "late");
    CU_ASSERT_PTR_NOT_NULL(strstr(late.err, "2 runs in"));
    g_autofree char *late_results = spawn_read(place, "late/results.csv");
    CU_ASSERT_STRING_EQUAL(late_results, results);
    spawn_clear_place(place);
}

static void workloads_are_generated(void)
{
    char *place = place_make();
    spawn_write(place, "load.cfg",
                "workload = { contexts = ( { name = \"a\"; memory = \"64KiB\"; chunk = 0; "
                "zero = 0.5; } ); };\n");
    place_configure(place, "made.cfg",
                 "repeat = 2; axes = ( { key = \"trace\"; values = (\"load.cfg\"); }, "
                 "{ key = \"policies.ksm.pages_to_scan\"; values = (1, 2); } );");
    g_auto(Spawned) run = spawn(place, "sweep", "run", "made.cfg", "-o", "out");
    CU_ASSERT_EQUAL(run.status, 0);
    /* Two points by two seeds, and a trace for each seed. */
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "4 runs in"));
    g_autofree char *traces = g_build_filename(place, "out", "traces", NULL);
    unsigned count = 0;
    g_autoptr(GDir) folder = g_dir_open(traces, 0, NULL);
    while (folder != NULL && g_dir_read_name(folder) != NULL)
        count++;
    CU_ASSERT_EQUAL(count, 2);
    g_auto(Spawned) again = spawn(place, "sweep", "run", "made.cfg", "-o", "out");
    CU_ASSERT_PTR_NOT_NULL(strstr(again.err, "0 runs in"));
    spawn_clear_place(place);
}

/* ---- Parts ---- */

static void shards_add_up(void)
{
    char *place = place_make();
    g_auto(Spawned) first =
        spawn(place, "sweep", "run", "grid.cfg", "-o", "out", "--shard", "1/4");
    CU_ASSERT_EQUAL(first.status, 0);
    /* Of 0 to 5 these are 1 and 5. */
    CU_ASSERT_PTR_NOT_NULL(strstr(first.err, "2 runs in"));
    g_autofree char *points = spawn_read(place, "out/points.csv");
    CU_ASSERT_PTR_NOT_NULL_FATAL(points);
    CU_ASSERT_EQUAL(place_count(points, ",done\n"), 2);
    CU_ASSERT_PTR_NULL(spawn_read(place, "out/results.csv"));
    g_auto(Spawned) rest = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    CU_ASSERT_PTR_NOT_NULL(strstr(rest.err, "4 runs in"));
    static const char *const wrong[] = {"4/4", "1", "-1/4", "a/b", "0/0", "1/4/2", ""};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_auto(Spawned) run =
            spawn(place, "sweep", "run", "grid.cfg", "-o", "out", "--shard", wrong[i]);
        CU_ASSERT_EQUAL(run.status, 2);
    }
    spawn_clear_place(place);
}

static void modes_expand(void)
{
    char *place = place_make();
    place_configure(place, "zip.cfg",
                 "mode = \"zip\"; axes = ( { key = \"seed\"; values = (1, 2); }, "
                 "{ keys = (\"machine.cores\", \"machine.core.cpi\"); "
                 "values = ((1, 0.5), (2, 1.0)); } );");
    g_auto(Spawned) zip = spawn(place, "sweep", "expand", "zip.cfg");
    CU_ASSERT_STRING_EQUAL(zip.out, "point,seed,machine.cores,machine.core.cpi\n"
                                    "0,1,1,0.5\n1,2,2,1.0\n");
    place_configure(place, "list.cfg",
                 "mode = \"list\"; points = ( \"seed=3\", (\"machine.cores=2\", \"seed=4\") );");
    g_auto(Spawned) list = spawn(place, "sweep", "expand", "list.cfg");
    CU_ASSERT_STRING_EQUAL(list.out, "point,seed,machine.cores\n0,3,\n1,4,2\n");
    spawn_write(place, "card.cfg", "machine = { costs = { trap = 10; merge = 20; }; };\n");
    place_configure(place, "each.cfg",
                 "axes = ( { key = \"machine.costs\"; each = \"card.cfg\"; } );");
    g_auto(Spawned) each = spawn(place, "sweep", "expand", "each.cfg");
    CU_ASSERT_STRING_EQUAL(each.out, "point,machine.costs\n0,\n1,{ trap = 10; }\n"
                                     "2,{ merge = 20; }\n3,{ trap = 10; merge = 20; }\n");
    place_configure(place, "unit.cfg",
                 "axes = ( { key = \"machine.memory\"; "
                 "range = { from = \"1MiB\"; to = \"4MiB\"; mul = 2; }; }, "
                 "{ key = \"policies.ksm.sleep\"; values = (\"20ms\"); } );");
    g_auto(Spawned) unit = spawn(place, "sweep", "run", "unit.cfg", "-o", "out");
    CU_ASSERT_EQUAL(unit.status, 2); /* KSM has no `sleep` */
    CU_ASSERT_PTR_NOT_NULL(strstr(unit.err, "unit.cfg:3: policies.ksm.sleep: unknown key"));
    g_auto(Spawned) quantities = spawn(place, "sweep", "run", "unit.cfg", "-o", "out", "-s",
                                       "sweep.axes.[1].key=policies.ksm.sleep_millisecs", "-s",
                                       "sweep.axes.[1].values=(20)");
    CU_ASSERT_EQUAL(quantities.status, 0);
    g_autofree char *points = spawn_read(place, "out/points.csv");
    g_autofree char *results = spawn_read(place, "out/results.csv");
    CU_ASSERT_PTR_NOT_NULL_FATAL(points);
    CU_ASSERT_PTR_NOT_NULL(strstr(points, ",2MiB,20,done\n"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT_PTR_NOT_NULL(strstr(results, "\n2097152,20,1,ksm,1,"));
    spawn_clear_place(place);
}

/* The peak of a sweep of COUNT points, of which each holds some MiB while it runs. */
static double peak_bytes(const char *place, unsigned count)
{
    g_autofree char *axis = g_strdup_printf("seed=1..%u+1", count);
    g_autofree char *output = g_strdup_printf("out%u", count);
    g_auto(Spawned) run = spawn(place, "run", "big.cfg", "-x", axis, "-o", output, "-j", "1");
    CU_ASSERT_EQUAL(run.status, 0);
    g_autofree char *name = g_build_filename(output, "manifest.json", NULL);
    g_autofree char *manifest = spawn_read(place, name);
    static const char key[] = "\"peak_memory_bytes\": ";
    const char *at = manifest != NULL ? strstr(manifest, key) : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    return g_ascii_strtod(at + strlen(key), NULL);
}

static void memory_stays(void)
{
    char *place = place_make();
    spawn_write(place, "big.trace",
                "pagefold-trace 1\ngrain page\ncontext a vm memory=256MiB\n"
                "map a 0x0 65536 anon mergeable\nfill a 0x0 65536 id:1 step=1\n");
    spawn_write(place, "big.cfg", "trace = \"big.trace\"; policies = ( { name = \"none\"; } );\n");
    /* A sanitizer keeps what was freed for a while. */
    const char *before = g_getenv("ASAN_OPTIONS");
    g_autofree char *options =
        g_strconcat(before != NULL ? before : "", ":quarantine_size_mb=1", NULL);
    g_setenv("ASAN_OPTIONS", options, TRUE);
    double few = peak_bytes(place, 3);
    double many = peak_bytes(place, 13);
    /* 65,536 pages at 16 bytes of bookkeeping at the least are 1 MiB a point; kept, the ten more
     * points would take 10 MiB. */
    CU_ASSERT(many - few < 5.0 * 1024 * 1024);
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"expand prints each point and, after one run, the time of all", expand_prints},
    {"results are the same for any number of workers, and those of `run`", workers_decide_nothing},
    {"run -x makes the sweep that a section would", options_make_a_sweep},
    {"a changed point is run, an unchanged one never again", only_changes_are_run},
    {"repeats have other seeds; mean, deviation and interval are theirs", repeats_spread},
    {"a workload is generated once for each seed", workloads_are_generated},
    {"shards add up", shards_add_up},
    {"zip, list and quantities", modes_expand},
    {"memory does not grow with the number of points", memory_stays},
};

PF_CHECK_MAIN("sweep runs", checks)
