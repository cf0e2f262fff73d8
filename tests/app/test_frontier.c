/* Frontiers of a sweep, from tables written by hand: what is told follows from their numbers. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "error.h"
#include "frontier.h"

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

/* A folder of a sweep whose fast unit takes JOULES at the first rate. */
static char *make_sweep(const char *joules)
{
    char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_auto(GStrv) parts = g_strsplit(results, "%s", 2);
    g_autofree char *table = g_strconcat(parts[0], joules, parts[1], NULL);
    write_file(folder, "results.csv", table);
    write_file(folder, "points.csv", points);
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *point = g_build_filename(folder, "points", ids[i], NULL);
        g_mkdir_with_parents(point, 0700);
        write_file(point, "epochs.csv", epochs);
        write_file(point, "stats.json", stats);
    }
    return folder;
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
    CU_ASSERT(is_near(point->joules, 2.0)); /* an account without a figure is left out */
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
    {"what a table lacks is told", tell_what_is_missing},
};

PF_CHECK_MAIN("frontier", checks)
