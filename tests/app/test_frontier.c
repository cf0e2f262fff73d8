/* Frontiers of a sweep, from tables written by hand: what is told follows from their numbers. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "error.h"
#include "figures.h"
#include "frontier.h"
#include "sensitivity.h"

/* Two units at two rates. In 1000 cycles of time the unit `slow` takes 10 and 40 (1 % and 4 % of a
 * core) and saves 20 and 50 pages on the average; `fast` takes 5 and 20 for the same. oracle saves
 * 100 at the end. */
static const char results[] =
    "policies.esx.rate,note,point,policy,n,time.cycles,cycles.policy,cycles.account.lookup,"
    "memory.saved_pages,memory.saved_page_cycles,policy.passes,energy.account.cam.leakage_J,"
    "energy.account.cores.leakage_J\n"
    "1,slow,0,esx,1,1000,10,2,60,20000,1,1.0,null\n"
    "1,slow,0,oracle,1,1000,0,0,100,90000,null,0,null\n"
    "2,slow,1,esx,1,1000,40,8,80,50000,2,2.0,null\n"
    "2,slow,1,oracle,1,1000,0,0,100,90000,null,0,null\n"
    "1,fast,2,esx,1,1000,5,1,60,20000,1,%s,null\n"
    "1,fast,2,oracle,1,1000,0,0,100,90000,null,0,null\n"
    "2,fast,3,esx,1,1000,20,1,80,50000,2,2.0,null\n"
    "2,fast,3,oracle,1,1000,0,0,100,90000,null,0,null\n";

static const char points[] = "point,id,policies.esx.rate,note,status\n"
                             "0,a,1,slow,done\n1,b,2,slow,done\n2,c,1,fast,done\n3,d,2,fast,done\n";

/* Half of what oracle saves is reached behind 7 cycles, nine tenths never. */
static const char epochs[] = "policy,cycle,memory.saved_pages,cycles.policy\n"
                             "oracle,100,90,0\nesx,100,49,6\nesx,200,50,7\nesx,300,89,9\n";

static const char stats[] = "{\"schema\": 1, \"complete\": true, \"trace\": {\"name\": \"t\", "
                            "\"page_bytes\": 4096}, \"machine\": {\"clock_hz\": 1000, "
                            "\"dilation\": 1.0}, \"runs\": []}";

static void write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    CU_ASSERT_FATAL(g_file_set_contents(path, text, -1, NULL));
}

static const char *const ids[] = {"a", "b", "c", "d"};

/* A folder of a sweep with these tables. */
static char *make_folder(const char *its_results, const char *its_points)
{
    char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    write_file(folder, "results.csv", its_results);
    write_file(folder, "points.csv", its_points);
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *point = g_build_filename(folder, "points", ids[i], NULL);
        g_mkdir_with_parents(point, 0700);
        write_file(point, "epochs.csv", epochs);
        write_file(point, "stats.json", stats);
    }
    return folder;
}

/* A folder of a sweep whose fast unit takes JOULES at the first rate. */
static char *make_sweep(const char *joules)
{
    g_auto(GStrv) parts = g_strsplit(results, "%s", 2);
    g_autofree char *table = g_strconcat(parts[0], joules, parts[1], NULL);
    return make_folder(table, points);
}

static void remove_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_remove(path);
}

static void clear_sweep(char *folder)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *point = g_build_filename(folder, "points", ids[i], NULL);
        remove_file(point, "epochs.csv");
        remove_file(point, "stats.json");
        g_rmdir(point);
    }
    remove_file(folder, "points");
    remove_file(folder, "points.csv");
    remove_file(folder, "results.csv");
    g_rmdir(folder);
    g_free(folder);
}

static bool is_near(double value, double expected)
{
    return fabs(value - expected) < 1e-9;
}

static void tell_frontiers(void)
{
    char *folder = make_sweep("1.0");
    g_autoptr(GPtrArray) units = pf_frontier_read(folder, NULL);
    CU_ASSERT_FATAL(units != NULL);
    CU_ASSERT_EQUAL_FATAL(units->len, 2);
    const PfFrontierUnit *slow = units->pdata[0];
    const PfFrontierUnit *fast = units->pdata[1];
    CU_ASSERT_STRING_EQUAL(slow->name, "slow");
    CU_ASSERT_STRING_EQUAL(fast->name, "fast");
    CU_ASSERT(is_near(slow->oracle, 100.0));
    /* Below the first point there is nothing; at 2 % a third of the way from 1 to 4 %: 20 + 10. */
    CU_ASSERT(isnan(pf_frontier_at(slow, 0.0099)));
    CU_ASSERT(is_near(pf_frontier_at(slow, 0.01), 20.0));
    CU_ASSERT(is_near(pf_frontier_at(slow, 0.02), 30.0));
    CU_ASSERT(is_near(pf_frontier_at(slow, 0.10), 50.0));
    CU_ASSERT(is_near(pf_frontier_at(fast, 0.02), 50.0));
    const PfFrontierPoint *point = &g_array_index(slow->points, PfFrontierPoint, 1);
    CU_ASSERT(is_near(point->lookup, 8.0 / 40.0));
    /* An account without a figure is left out. */
    CU_ASSERT(is_near(point->mean.values[PF_FRONTIER_JOULES], 2.0));
    CU_ASSERT(is_near(point->goal_cycles[0], 7.0));
    CU_ASSERT(isnan(point->goal_cycles[1]));
    CU_ASSERT(is_near(slow->clock_hz, 1000.0));
    clear_sweep(folder);
}

static void judge(const char *joules, bool is_beaten)
{
    char *folder = make_sweep(joules);
    g_autoptr(GPtrArray) units = pf_frontier_read(folder, NULL);
    CU_ASSERT_FATAL(units != NULL);
    const PfFrontierUnit *slow = units->pdata[0];
    const PfFrontierUnit *fast = units->pdata[1];
    CU_ASSERT_PTR_NULL(fast->beaten);
    CU_ASSERT_EQUAL(g_strcmp0(slow->beaten, "fast") == 0, is_beaten);
    clear_sweep(folder);
}

static void tell_the_beaten(void)
{
    judge("0.5", true);
    judge("1.0", true);
    judge("1.1", false); /* fewer cycles for more joules: neither beats the other */
}

/* Two units with two sets of costs; in 1000 cycles each saves 10 pages on the average, but `b` only
 * 8 with the second costs. So for each page and cycle that is saved `a` pays 100 / 10000 = 0.01 and
 * then 0.012, and `b` B / 10000 and then 88 / 8000 = 0.011: fewer cycles, but not for as much. */
static char *make_costs(const char *b)
{
    g_autofree char *table = g_strdup_printf(
        "policies.esx.rate,note,machine.costs,point,policy,n,time.cycles,cycles.policy,"
        "memory.saved_pages,memory.saved_page_cycles\n"
        "1,a,{ whole card },0,esx,1,1000,100,10,10000\n1,a,,0,oracle,1,1000,0,10,10000\n"
        "1,a,{ whole card },1,esx,1,1000,120,10,10000\n1,a,,1,oracle,1,1000,0,10,10000\n"
        "1,b,{ whole card },2,esx,1,1000,%s,10,10000\n1,b,,2,oracle,1,1000,0,10,10000\n"
        "1,b,{ whole card },3,esx,1,1000,88,10,8000\n1,b,,3,oracle,1,1000,0,10,10000\n",
        b);
    return make_folder(table, "point,id,policies.esx.rate,note,machine.costs,status\n"
                              "0,a,1,a,,done\n1,b,1,a,{ trap = 1; },done\n"
                              "2,c,1,b,,done\n3,d,1,b,{ trap = 1; },done\n");
}

static PfSensitivity *make_sensitivity(const char *b, GPtrArray **ret_units,
                                       GPtrArray **ret_groups)
{
    char *folder = make_costs(b);
    *ret_units = pf_frontier_read(folder, NULL);
    clear_sweep(folder);
    CU_ASSERT_FATAL(*ret_units != NULL);
    CU_ASSERT_EQUAL((*ret_units)->len, 4);
    *ret_groups = pf_sensitivity_of(*ret_units);
    CU_ASSERT_EQUAL_FATAL((*ret_groups)->len, 1);
    return (*ret_groups)->pdata[0];
}

static void tell_what_hangs_on_costs(void)
{
    g_autoptr(GPtrArray) units = NULL;
    g_autoptr(GPtrArray) groups = NULL;
    const PfSensitivity *group = make_sensitivity("105", &units, &groups);
    CU_ASSERT_EQUAL_FATAL(group->names->len, 2);
    CU_ASSERT_EQUAL_FATAL(group->rows->len, 2);
    const PfSensitivityRow *first = group->rows->pdata[0];
    const PfSensitivityRow *other = group->rows->pdata[1];
    CU_ASSERT_STRING_EQUAL(first->costs, "");
    CU_ASSERT_STRING_EQUAL(other->costs, "{ trap = 1; }");
    CU_ASSERT(is_near(first->cheaper[0], 0.0));
    CU_ASSERT(is_near(first->cheaper[1], 1.0 - 105.0 / 100.0));
    CU_ASSERT(is_near(other->cheaper[1], 1.0 - 0.011 / 0.012));
    CU_ASSERT_EQUAL(first->changes->len, 0);
    CU_ASSERT_EQUAL_FATAL(other->changes->len, 1);
    CU_ASSERT_STRING_EQUAL(other->changes->pdata[0], "a > b, was <");
}

static void draw_what_hangs_on_costs(void)
{
    char *folder = make_costs("80");
    g_autoptr(GString) data = g_string_new(NULL);
    g_autoptr(GString) script = g_string_new(NULL);
    CU_ASSERT_TRUE(pf_figure_prepare(pf_figure_find("sensitivity", NULL), folder, PF_TERMINAL_SVG,
                                     data, script, NULL));
    clear_sweep(folder);
    g_auto(GStrv) lines = g_strsplit(data->str, "\n", -1);
    CU_ASSERT_EQUAL_FATAL(g_strv_length(lines), 1 + 4 + 1);
    CU_ASSERT_STRING_EQUAL(lines[1], "1,1,0,0,esx,,,a,");
    CU_ASSERT(g_str_has_prefix(lines[2], "1,1,1,"));
    CU_ASSERT(is_near(g_ascii_strtod(lines[2] + strlen("1,1,1,"), NULL), 20.0));
    CU_ASSERT_STRING_EQUAL(lines[3], "1,2,0,0,esx,,{ trap = 1; },a,");
    CU_ASSERT_PTR_NOT_NULL(strstr(script->str, "'as it is' 1, 'trap 1' 2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(script->str, "'No unit changes places with another.'"));
}

/* 1 % of the dearer one are no difference, and a little more are. */
static void tell_equal_prices(void)
{
    static const struct {
        const char *b;
        const char *change;
    } cases[] = {{"101", "a > b, was ="}, {"101.1", "a > b, was <"}, {"99", "a > b, was ="}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) units = NULL;
        g_autoptr(GPtrArray) groups = NULL;
        const PfSensitivity *group = make_sensitivity(cases[i].b, &units, &groups);
        const PfSensitivityRow *other = group->rows->pdata[1];
        CU_ASSERT_EQUAL_FATAL(other->changes->len, 1);
        CU_ASSERT_STRING_EQUAL(other->changes->pdata[0], cases[i].change);
    }
}

/* A unit by itself changes places with none: the figure says what is missing. */
static void tell_nothing_of_one_unit(void)
{
    char *folder = make_costs("90");
    g_autofree char *path = g_build_filename(folder, "results.csv", NULL);
    g_autofree char *table = NULL;
    CU_ASSERT_FATAL(g_file_get_contents(path, &table, NULL, NULL));
    *strstr(table, "1,b,") = '\0';
    write_file(folder, "results.csv", table);
    g_autoptr(GString) data = g_string_new(NULL);
    g_autoptr(GString) script = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE(pf_figure_prepare(pf_figure_find("sensitivity", NULL), folder,
                                      PF_TERMINAL_SVG, data, script, &error));
    clear_sweep(folder);
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "no two units"));
}

static void tell_nothing_of_equal_costs(void)
{
    char *folder = make_sweep("1.0");
    g_autoptr(GPtrArray) units = pf_frontier_read(folder, NULL);
    CU_ASSERT_FATAL(units != NULL);
    g_autoptr(GPtrArray) groups = pf_sensitivity_of(units);
    CU_ASSERT_EQUAL(groups->len, 0);
    clear_sweep(folder);
}

static PfFrontierPoint point_of(double cycles, double saved, const double *repeats, unsigned count)
{
    PfFrontierPoint point = {.repeats = g_array_new(FALSE, FALSE, sizeof(PfFrontierRun))};
    point.mean.values[PF_FRONTIER_CYCLES] = cycles;
    point.mean.values[PF_FRONTIER_SAVED] = saved;
    for (unsigned i = 0; i < count; i++) {
        PfFrontierRun run = {{saved, repeats[i], 0.0, repeats[i] / saved}};
        g_array_append_val(point.repeats, run);
    }
    return point;
}

/* Repeats of equal seeds are differenced one by one: what all units have in common is no reason for
 * doubt. Differences of 4, 5 and 6 have the mean 5 and the deviation 1, so half the interval is
 * t(2) = 4.303 times 1 / sqrt(3). */
static void pair_repeats(void)
{
    static const double common[] = {100.0, 300.0, 200.0};
    static const double more[] = {104.0, 305.0, 206.0};
    PfFrontierPoint a = point_of(205.0, 10.0, more, 3);
    PfFrontierPoint b = point_of(200.0, 10.0, common, 3);
    double half;
    CU_ASSERT(is_near(pf_frontier_difference(&a, &b, PF_FRONTIER_CYCLES, &half), 5.0));
    CU_ASSERT(is_near(half, 4.303 / sqrt(3.0)));
    CU_ASSERT(is_near(pf_frontier_difference(&a, &b, PF_FRONTIER_SAVED, &half), 0.0));
    CU_ASSERT(is_near(half, 0.0));
    /* One repeat that is left beside three tells nothing apart; single runs have no interval. */
    g_array_set_size(a.repeats, 1);
    CU_ASSERT(is_near(pf_frontier_difference(&a, &b, PF_FRONTIER_CYCLES, &half), 5.0));
    CU_ASSERT(isinf(half));
    g_array_set_size(a.repeats, 0);
    g_array_set_size(b.repeats, 0);
    CU_ASSERT(is_near(pf_frontier_difference(&a, &b, PF_FRONTIER_CYCLES, &half), 5.0));
    CU_ASSERT(is_near(half, 0.0));
    g_array_unref(a.repeats);
    g_array_unref(b.repeats);
}

/* Two runs of a point, of 10 and 30 cycles; 20 pages are saved on the average over time. */
static void read_repeats(void)
{
    static const char run[] = "{\"schema\": 1, \"complete\": true, \"trace\": {\"name\": \"t\", "
                              "\"page_bytes\": 4096}, \"machine\": {\"clock_hz\": 1000, "
                              "\"dilation\": 1.0}, \"runs\": [{\"policy\": \"esx\", \"stats\": "
                              "{\"cycles.policy\": %u, \"time.cycles\": 1000, "
                              "\"memory.saved_page_cycles\": 20000, "
                              "\"energy.account.cam.leakage_J\": 0.5, "
                              "\"energy.account.cam.dynamic_J\": null}}]}";
    char *folder = make_sweep("1.0");
    char *names[] = {g_build_filename(folder, "points", "a", "r0", NULL),
                                g_build_filename(folder, "points", "a", "r1", NULL)};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = g_strdup_printf(run, 10 + 20 * i);
        g_mkdir(names[i], 0700);
        write_file(names[i], "stats.json", text);
        write_file(names[i], "epochs.csv", epochs);
    }
    g_autoptr(GPtrArray) units = pf_frontier_read(folder, NULL);
    CU_ASSERT_FATAL(units != NULL);
    const PfFrontierUnit *slow = units->pdata[0];
    const PfFrontierPoint *point = &g_array_index(slow->points, PfFrontierPoint, 0);
    CU_ASSERT_EQUAL_FATAL(point->repeats->len, 2);
    for (unsigned i = 0; i < 2; i++) {
        const PfFrontierRun *one = &g_array_index(point->repeats, PfFrontierRun, i);
        CU_ASSERT(is_near(one->values[PF_FRONTIER_CYCLES], 10.0 + 20.0 * i));
        CU_ASSERT(is_near(one->values[PF_FRONTIER_SAVED], 20.0));
        CU_ASSERT(is_near(one->values[PF_FRONTIER_JOULES], 0.5));
        CU_ASSERT(is_near(one->values[PF_FRONTIER_PRICE], (10.0 + 20.0 * i) / 20000.0));
        remove_file(names[i], "stats.json");
        remove_file(names[i], "epochs.csv");
        g_rmdir(names[i]);
        g_free(g_steal_pointer(&names[i]));
    }
    clear_sweep(folder);
}

static void refuse(const char *name, const char *text, int code, const char *words)
{
    char *folder = make_sweep("1.0");
    write_file(folder, name, text);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(pf_frontier_read(folder, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, code));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, words));
    clear_sweep(folder);
}

static void tell_what_is_missing(void)
{
    refuse("results.csv", "note,point,policy,n\na,0,esx,1\n", PF_ERROR_USAGE, "no axis is a rate");
    refuse("results.csv", "policies.esx.rate,point,policy,n\n1,0,esx,1\n", PF_ERROR_USAGE,
           "no run of oracle");
    refuse("results.csv", "policy,stat\n", PF_ERROR_TRACE, "is no table of a sweep");
    refuse("results.csv", "", PF_ERROR_TRACE, "results.csv");
    refuse("points.csv", "point,id\n9,z\n", PF_ERROR_TRACE, "point 0");
}

static const PfCheck checks[] = {
    {"savings lie between points in proportion, and goals are met once", tell_frontiers},
    {"what saves as much at no more cycles and joules at every rate beats", tell_the_beaten},
    {"a unit is cheaper that takes fewer cycles for as much", tell_what_hangs_on_costs},
    {"the figure has a row for each cost that moves a unit", draw_what_hangs_on_costs},
    {"units whose prices differ by 1 % pay as much", tell_equal_prices},
    {"a unit by itself has no order that could hang on costs", tell_nothing_of_one_unit},
    {"where costs do not vary nothing hangs on them", tell_nothing_of_equal_costs},
    {"differences are those of repeats with equal seeds", pair_repeats},
    {"repeats are read from their folders", read_repeats},
    {"what a table lacks is told", tell_what_is_missing},
};

PF_CHECK_MAIN("frontier", checks)
