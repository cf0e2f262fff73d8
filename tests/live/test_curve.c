/* KSM over time: two accounts and how far apart they are; and that the model's and the running
 * kernel's come to the same end. The latter is skipped, with the reason, where KSM cannot be had.
 */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "live_curve.h"

enum { LOCK_WAIT_SECONDS = 10 };

/* 600 pages: 200 contents three times. */
static const char trace[] = "pagefold-trace 1\ngrain page\ncontext a process\ncontext b process\n"
                            "map a 0x10000000 400 anon mergeable\n"
                            "map b 0x10000000 200 anon mergeable\n"
                            "fill a 0x10000000 200 id:1 step=1\nfill a 0x100c8000 200 id:1 step=1\n"
                            "fill b 0x10000000 200 id:1 step=1\nmark \"filled\"\n"
                            "time 1s\nfill b 0x10000000 200 id:1000 step=1\nmark \"never\"\n";

static const PfCurvePoint line[] = {{1.0, 100, 10, 1.0}, {2.0, 300, 50, 3.0}, {3.0, 400, 100, 5.0}};

static GArray *curve_of(const PfCurvePoint *points, unsigned count)
{
    GArray *curve = g_array_new(FALSE, FALSE, sizeof(PfCurvePoint));
    g_array_append_vals(curve, points, count);
    return curve;
}

static char *write_trace(void)
{
    char *path = NULL;
    g_autoptr(GError) error = NULL;
    g_close(g_file_open_tmp("pagefold-curve-XXXXXX.trace", &path, &error), NULL);
    g_file_set_contents(path, trace, -1, &error);
    g_assert_no_error(error);
    return path;
}

static void test_at_times(void)
{
    /* Before the first point on a line from 0, between two points, behind the last. */
    const PfCurvePoint times[] = {{.seconds = 0.5}, {.seconds = 2.5}, {.seconds = 9}};
    g_autoptr(GArray) model = curve_of(line, 3);
    g_autoptr(GArray) live = curve_of(times, 3);
    g_autoptr(GArray) then = pf_curve_at_times(model, live);
    const PfCurvePoint *points = &g_array_index(then, PfCurvePoint, 0);
    CU_ASSERT_EQUAL(points[0].scanned_pages, 50);
    CU_ASSERT_EQUAL(points[0].sharing_pages, 5);
    CU_ASSERT_EQUAL(points[1].scanned_pages, 350);
    CU_ASSERT_EQUAL(points[1].sharing_pages, 75);
    CU_ASSERT_EQUAL(points[2].sharing_pages, 100);
}

static void test_distance(void)
{
    g_autoptr(GArray) model = curve_of(line, 3);
    PfCurveDistance none = pf_curve_compare(model, model);
    CU_ASSERT_EQUAL(none.time_percent, 0);
    CU_ASSERT_EQUAL(none.cpu_percent, 0);
    /* A kernel at half the speed that does the same: half of 100 apart at its second 2, where the
     * model has 50 and it has 10, and at its 4, where they have 100 and 50. */
    const PfCurvePoint slow[] = {{2.0, 100, 10, 2.0}, {4.0, 300, 50, 6.0}, {6.0, 400, 100, 10.0}};
    g_autoptr(GArray) kernel = curve_of(slow, 3);
    PfCurveDistance distance = pf_curve_compare(model, kernel);
    CU_ASSERT_DOUBLE_EQUAL(distance.time_percent, 50, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(distance.scanned_percent, 0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(distance.final_percent, 0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(distance.cpu_percent, -50, 1e-9); /* 5 of 10 ms */
}

static void test_model(void)
{
    g_autofree char *path = write_trace();
    g_autoptr(PfRegistry) registry = pf_registry_new();
    PfCurveCase of = {.trace = path, .pages_to_scan = 100, .costs = "zen4-vm"};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) curve = pf_curve_model(registry, &of, 1, &error);
    g_assert_no_error(error);
    const PfCurvePoint *first = &g_array_index(curve, PfCurvePoint, 0);
    const PfCurvePoint *last = &g_array_index(curve, PfCurvePoint, curve->len - 1);
    /* Batches of 100 at the start and each 24 ms after: 5 in 100 ms, before anything can merge. */
    CU_ASSERT_EQUAL(first->scanned_pages, 500);
    CU_ASSERT_EQUAL(first->sharing_pages, 0);
    CU_ASSERT_EQUAL(last->sharing_pages, 400); /* 600 pages, 200 frames; nothing after the mark */
    CU_ASSERT_TRUE(last->cpu_ms > first->cpu_ms && first->cpu_ms > 0);
    g_unlink(path);
}

static void test_converged(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfKsm) ksm = pf_ksm_open(LOCK_WAIT_SECONDS, NULL, &error);
    if (ksm == NULL) {
        pf_check_skip(g_intern_string(error->message));
        return;
    }
    g_autofree char *path = write_trace();
    PfCurveCase of = {.trace = path, .pages_to_scan = 1000, .costs = "zen4-vm"};
    g_autoptr(GArray) live = pf_curve_live(ksm, &of, &error);
    g_assert_no_error(error);
    /* What the model comes to, see above; when is a matter of this host. */
    CU_ASSERT_EQUAL(g_array_index(live, PfCurvePoint, live->len - 1).sharing_pages, 400);
    CU_ASSERT_TRUE(pf_ksm_close(ksm));
    g_unlink(path);
}

static const PfCheck checks[] = {
    {"a curve is told at other times than its own", test_at_times},
    {"two curves are apart by time, by pages scanned and by the processor's time", test_distance},
    {"the model plays up to the first mark, and then ksmd runs by itself", test_model},
    {"the running kernel comes to the same end", test_converged},
};

PF_CHECK_MAIN("curve", checks)
