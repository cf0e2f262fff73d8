/* The figures of the sweeps in configs/studies, against what follows from each run by hand. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "csv.h"
#include "error.h"
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

/* The script and data of figure `cam` of RESULTS, one behind the other. */
static char *prepare_cam(const char *place, const char *results)
{
    g_autoptr(GString) script = g_string_new(NULL);
    g_autoptr(GString) data = g_string_new(NULL);
    spawn_write(place, "results.csv", results);
    CU_ASSERT(pf_figure_prepare(pf_figure_find("cam", NULL), place, PF_TERMINAL_SVG, data, script,
                                NULL));
    return g_strconcat(script->str, data->str, NULL);
}

static void cam_axes(void)
{
    char *place = spawn_make_place();
    static const char stats[] = ",point,policy,n,memory.net_saved_bytes,cycles.policy,"
                                "cycles.policy:sd,cycles.policy:ci95,cam.energy_J\n";
    /* Of names each has its place. 100 and 2,900 cycles stand on one scale. */
    g_autofree char *names = g_strconcat("machine.cam.at", stats,
                                         "core,0,ksm,2,1048576,100,1,2,1\n"
                                         "controller,1,ksm,2,1048576,2900,1,2,1\n", NULL);
    g_autofree char *of_names = prepare_cam(place, names);
    CU_ASSERT_PTR_NOT_NULL(strstr(of_names, "'controller' 1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(of_names, "price,ksm,controller,1,2900,2898,2902\n"));
    CU_ASSERT_PTR_NULL(strstr(of_names, "\nset logscale"));
    /* Lines stay lines where there are intervals. */
    CU_ASSERT_PTR_NOT_NULL(strstr(of_names, "with yerrorlines"));
    /* Sizes are told in steps of factors; 100 and 3,100 cycles as well, and `none`, which has none,
     * does not stand at the lower end. */
    g_autofree char *sizes = g_strconcat("machine.cam.entries", stats,
                                         "64,0,ksm,2,1048576,100,1,2,1\n64,0,none,2,0,0,0,0,1\n"
                                         "128,1,ksm,2,1048576,3100,1,2,1\n"
                                         "128,1,none,2,0,0,0,0,1\n", NULL);
    g_autofree char *of_sizes = prepare_cam(place, sizes);
    CU_ASSERT_PTR_NOT_NULL(strstr(of_sizes, "\nset logscale x\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(of_sizes, "\nset logscale y\n"));
    g_auto(GStrv) labels = g_strsplit(of_sizes, "set label 'none", -1);
    CU_ASSERT_EQUAL(g_strv_length(labels), 1 + 2); /* in the panels of savings and energy */
    spawn_clear_place(place);
}

static void same_names_told_apart(void)
{
    char *place = spawn_make_place();
    g_autoptr(GString) script = g_string_new(NULL);
    g_autoptr(GString) data = g_string_new(NULL);
    /* Two traces are called a; ksm has no slowdown in the last, and so no mean. */
    spawn_write(place, "results.csv",
                "trace,hold,point,policy,n,slowdown\n"
                "x/a.pft,1us,0,ksm,1,1.1\nx/a.pft,1us,0,esx,1,2.0\n"
                "y/a.pft,2us,1,ksm,1,1.2\ny/a.pft,2us,1,esx,1,4.0\n"
                "y/b.pft,2us,2,ksm,1,null\ny/b.pft,2us,2,esx,1,1.0\n");
    CU_ASSERT(pf_figure_prepare(pf_figure_find("slowdown-by-workload", NULL), place,
                                PF_TERMINAL_SVG, data, script, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(data->str, "ksm,x/a.pft,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(data->str, "ksm,y/a.pft,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(data->str, "esx,b,"));
    CU_ASSERT_PTR_NULL(strstr(data->str, "ksm,geometric mean"));
    /* (2 x 4 x 1)^(1/3) = 2; one run has no interval. */
    CU_ASSERT_PTR_NOT_NULL(strstr(data->str, "esx,geometric mean,3.125,2"));
    CU_ASSERT_PTR_NULL(strstr(script->str, "yerrorbars"));
    spawn_clear_place(place);
}

/* Two units at two rates, on two traces: savings of one are no dearer or cheaper than those of the
 * other, so that each has its panel and its front. */
static void frontiers_apart(void)
{
    char *place = spawn_make_place();
    g_autoptr(GString) script = g_string_new(NULL);
    g_autoptr(GString) data = g_string_new(NULL);
    spawn_write(place, "results.csv",
                "trace,note,policies.esx.rate,point,policy,n,memory.net_saved_bytes,cycles.policy\n"
                "a.pft,table,20,0,esx,1,1048576,10\na.pft,table,50,1,esx,1,3145728,30\n"
                "a.pft,CAM,20,2,esx,1,1048576,5\na.pft,CAM,50,3,esx,1,3145728,20\n"
                "b.cfg,table,20,4,esx,1,2097152,1000000\nb.cfg,table,50,5,esx,1,2097152,9000000\n");
    CU_ASSERT(pf_figure_prepare(pf_figure_find("frontiers", NULL), place, PF_TERMINAL_SVG, data,
                                script, NULL));
    CU_ASSERT_STRING_EQUAL(data->str, "trace,policy,policy_cycles,net_saved_MiB\n"
                                      "a,\"esx, table\",10,1\na,\"esx, table\",30,3\n"
                                      "a,\"esx, CAM\",5,1\na,\"esx, CAM\",20,3\n"
                                      "a,Pareto front,5,1\na,Pareto front,20,3\n"
                                      "b,esx,1000000,2\nb,esx,9000000,2\n"
                                      "b,Pareto front,1000000,2\n");
    /* One panel tells cycles, the other millions: both say so. */
    CU_ASSERT_PTR_NOT_NULL(strstr(script->str, "set xlabel 'cycles of the policy'\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(script->str, "set xlabel 'cycles of the policy (10"));
    spawn_clear_place(place);
}

/* `plot` goes on to the next figure where one lacks something, and tells it in a line. */
static void others_are_lacked(void)
{
    char *place = spawn_make_place();
    fit(place, 10500, 0);
    spawn_write(place, "points.csv", "point,id,machine.memory,trace,status\n"
                                     "0,0000000000000000,1MiB,1.cfg,done\n");
    for (size_t i = 0; i < pf_figure_count(); i++) {
        const PfFigure *figure = pf_figure_at(i);
        g_autoptr(GString) script = g_string_new(NULL);
        g_autoptr(GString) data = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        if (strcmp(figure->source, "results.csv") != 0 ||
            pf_figure_prepare(figure, place, PF_TERMINAL_SVG, data, script, &error))
            continue;
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
        if (!g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG))
            printf("# %s: %s\n", figure->name, error->message);
    }
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"slowdown-by-workload: means, Student's intervals and geometric mean are those of the runs",
     slowdown_by_hand},
    {"capacity: as many contexts fit as their frames do", contexts_by_hand},
    {"capacity: 5 % slower fits, a cycle more does not, and swapping is no full speed",
     five_percent},
    {"cam: names, sizes and intervals, each on the axis that is theirs", cam_axes},
    {"slowdown-by-workload: names are told apart, and a mean is of all workloads",
     same_names_told_apart},
    {"what is no sweep for a figure is told, and no end of all figures", others_are_lacked},
    {"frontiers: each trace has its panel and front, each unit its line", frontiers_apart},
};

PF_CHECK_MAIN("sweep figures", checks)
