/* The figures of the sweeps in configs/studies, against what follows from each run by hand. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "csv.h"
#include "figures.h"
#include "spawn.h"

/* Runs configs/studies/NAME.cfg, of the policies `ksm` and `none`, into PLACE/NAME, which is
 * returned, and has it draw FIGURE. Free with g_free. */
static char *run_study(const char *place, const char *name, const char *figure)
{
    g_autofree char *figures = g_strdup_printf("output.figures=(\"%s\")", figure);
    g_autofree char *config =
        g_strdup_printf("%s/studies/%s.cfg", g_getenv("PAGEFOLD_CONFIGS"), name);
    g_auto(Spawned) run = spawn(place, "sweep", "run", config, "--policy", "ksm", "-o", name, "-s",
                                figures);
    CU_ASSERT_EQUAL_FATAL(run.status, 0);
    return g_build_filename(place, name, NULL);
}

static PfCsv *load(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    PfCsv *csv = pf_csv_load(path, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
    return csv;
}

/* The data of FIGURE that the sweep in FOLDER has drawn, with gnuplot or without. */
static PfCsv *prepare(const char *figure, const char *folder)
{
    g_autofree char *name = g_strdup_printf("plots/%s.csv", figure);
    return load(folder, name);
}

/* The statistic STAT of POLICY in the results in FOLDER. */
static double stat_of(const char *folder, const char *policy, const char *stat)
{
    g_autoptr(PfCsv) csv = load(folder, "stats.csv");
    for (guint i = 0; i < csv->rows->len; i++)
        if (strcmp(pf_csv_text(csv, i, 0), policy) == 0 &&
            strcmp(pf_csv_text(csv, i, 1), stat) == 0)
            return pf_csv_number(csv, i, 3);
    return (double)NAN;
}

/* The number COLUMN of DATA in the row that begins with FIRST and SECOND; NaN: none. */
static double find(const PfCsv *data, const char *first, const char *second, const char *column)
{
    for (guint i = 0; i < data->rows->len; i++)
        if (strcmp(pf_csv_text(data, i, 0), first) == 0 &&
            strcmp(pf_csv_text(data, i, 1), second) == 0)
            return pf_csv_number(data, i, pf_csv_column(data, column));
    return (double)NAN;
}

/* Point N is workload N. Student's t for 95 % and 3 runs is 4.303. */
static void slowdown_by_hand(void)
{
    static const char *const workloads[] = {"reading", "drifting", "hot", "heap"};
    enum { RUNS = 3, WORKLOADS = G_N_ELEMENTS(workloads) };
    char *place = spawn_make_place();
    g_autofree char *folder = run_study(place, "slowdown", "slowdown-by-workload");
    g_autoptr(PfCsv) points = load(folder, "points.csv");
    g_autoptr(PfCsv) data = prepare("slowdown-by-workload", folder);
    double product = 1.0;
    double errors = 0.0;
    for (guint w = 0; w < WORKLOADS; w++) {
        const char *id = pf_csv_text(points, w, pf_csv_column(points, "id"));
        double runs[RUNS];
        double mean = 0.0;
        double squares = 0.0;
        for (unsigned r = 0; r < RUNS; r++) {
            g_autofree char *run = g_strdup_printf("%s/points/%s/r%u", folder, id, r);
            double none = stat_of(run, "none", "cycles.app");
            runs[r] = (stat_of(run, "ksm", "cycles.app") + stat_of(run, "ksm", "cycles.stolen")) /
                      none;
            mean += runs[r] / RUNS;
        }
        for (unsigned r = 0; r < RUNS; r++)
            squares += (runs[r] - mean) * (runs[r] - mean);
        double half = 4.303 * sqrt(squares / (RUNS - 1)) / sqrt(RUNS);
        CU_ASSERT(half > 0.0 && mean > 1.0);
        CU_ASSERT_DOUBLE_EQUAL(find(data, "ksm", workloads[w], "slowdown"), mean, 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(find(data, "ksm", workloads[w], "low"), mean - half, 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(find(data, "ksm", workloads[w], "high"), mean + half, 1e-12);
        product *= mean;
        errors += pow(half / mean, 2);
    }
    /* d (abcd)^(1/4) = (abcd)^(1/4) / 4 x (da/a + db/b + dc/c + dd/d). */
    double geometric = sqrt(sqrt(product));
    double half = geometric / WORKLOADS * sqrt(errors);
    CU_ASSERT_DOUBLE_EQUAL(find(data, "ksm", "geometric mean", "slowdown"), geometric, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(find(data, "ksm", "geometric mean", "high"), geometric + half, 1e-12);
    spawn_clear_place(place);
}

/* Of the rows of DATA of POLICY in the panel of contexts the one at MIB. */
static double contexts_at(const PfCsv *data, const char *policy, double mib)
{
    static const char panel[] = "contexts that fit, at most 5 % slower; tried: 2, 4, 6, 8";
    for (guint i = 0; i < data->rows->len; i++)
        if (strcmp(pf_csv_text(data, i, 0), panel) == 0 &&
            strcmp(pf_csv_text(data, i, 1), policy) == 0 &&
            fabs(pf_csv_number(data, i, 2) - mib) < 0.1)
            return pf_csv_number(data, i, 3);
    return (double)NAN;
}

/* N guests hold 256 N different places in memory: N MiB without sharing. They share a page of zeros
 * and 128 of an image and have 96 of their own: 129 + 96 N frames, and what ten stores a second to
 * the image undo. 4 MiB are 1024 frames: 8 guests need 897 and some. 3 MiB are 768: 6 need 705 and
 * some, 8 too many. 2 MiB are 512: 2 need 321, 4 need 513, one too many. */
static void contexts_by_hand(void)
{
    char *place = spawn_make_place();
    g_autofree char *folder = run_study(place, "capacity", "capacity");
    g_autoptr(PfCsv) data = prepare("capacity", folder);
    static const double mibs[] = {2, 3, 4, 5, 6, 8};
    static const double none[] = {2, 2, 4, 4, 6, 8};
    static const double shared[] = {2, 6, 8, 8, 8, 8};
    for (size_t i = 0; i < G_N_ELEMENTS(mibs); i++) {
        CU_ASSERT_DOUBLE_EQUAL(contexts_at(data, "none", mibs[i]), none[i], 0.0);
        CU_ASSERT_DOUBLE_EQUAL(contexts_at(data, "ksm", mibs[i]), shared[i], 0.0);
    }
    spawn_clear_place(place);
}

/* Writes results of two contexts in 1 and 2 MiB, of which CYCLES are those in 1 MiB and the second
 * swaps in SWAPPED pages; returns how many fit into 1 MiB, and -1 if that cannot be known. */
static double fit(const char *place, unsigned cycles, unsigned swapped)
{
    g_autofree char *text = g_strdup_printf(
        "machine.memory,trace,point,policy,n,cycles.app,cycles.stolen,trace.contexts,swap.ins\n"
        "1048576,1.cfg,0,ksm,1,10,0,1,0\n1048576,2.cfg,1,ksm,1,%u,0,2,9\n"
        "2097152,1.cfg,2,ksm,1,10,0,1,0\n2097152,2.cfg,3,ksm,1,10000,0,2,%u\n",
        cycles, swapped);
    spawn_write(place, "results.csv", text);
    g_autoptr(GString) script = g_string_new(NULL);
    g_autoptr(GString) data = g_string_new(NULL);
    if (!pf_figure_prepare(pf_figure_find("capacity", NULL), place, PF_TERMINAL_SVG, data, script,
                           NULL))
        return -1.0;
    CU_ASSERT_PTR_NULL(strstr(data->str, "trace")); /* one is shown: no need to tell which */
    return strstr(data->str, "1, 2\",ksm,1,2\n") != NULL ? 2.0 : 1.0;
}

static void five_percent(void)
{
    char *place = spawn_make_place();
    /* 1.05 x 10,000 = 10,500. */
    CU_ASSERT_DOUBLE_EQUAL(fit(place, 10500, 0), 2.0, 0.0);
    CU_ASSERT_DOUBLE_EQUAL(fit(place, 10501, 0), 1.0, 0.0);
    /* Where the largest memory is too small as well, nobody knows how fast they could be. */
    CU_ASSERT_DOUBLE_EQUAL(fit(place, 10500, 1), -1.0, 0.0);
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"slowdown-by-workload: means, Student's intervals and geometric mean are those of the runs",
     slowdown_by_hand},
    {"capacity: as many contexts fit as their frames do", contexts_by_hand},
    {"capacity: 5 % slower fits, a cycle more does not, and swapping is no full speed",
     five_percent},
};

PF_CHECK_MAIN("sweep figures", checks)
