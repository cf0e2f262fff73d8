/* Ranges of values, and the points that axes make. */
#include <string.h>

#include "check.h"
#include "error.h"
#include "sweep_axes.h"
#include "sweep_collect.h"
#include "sweep_range.h"

/* The values of a range in one line, or its error. */
static char *expand(const char *from, const char *to, const char *add, const char *mul)
{
    PfSweepRange range = {from, to, add, mul};
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) values = pf_sweep_range_values(&range, &error);
    CU_ASSERT_EQUAL(values == NULL, error != NULL);
    return values != NULL ? g_strjoinv(" ", values) : g_strdup(error->message);
}

typedef struct {
    const char *from;
    const char *to;
    const char *add;
    const char *mul;
    const char *values;
} Case;

static void check_cases(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *got = expand(cases[i].from, cases[i].to, cases[i].add, cases[i].mul);
        if (strcmp(got, cases[i].values) != 0)
            printf("# %s..%s: %s\n", cases[i].from, cases[i].to, got);
        CU_ASSERT_STRING_EQUAL(got, cases[i].values);
    }
}

static void add_steps(void)
{
    static const Case cases[] = {
        /* 1 + 3i <= 10: i = 0..3; <= 9: i = 0..2 */
        {"1", "10", "3", NULL, "1 4 7 10"},
        {"1", "9", "3", NULL, "1 4 7"},
        {"5", "5", "1", NULL, "5"},
        {"10", "1", "-3", NULL, "10 7 4 1"},
        /* a tenth is no double, and yet the sum ends at 0.5 exactly */
        {"0.1", "0.5", "0.1", NULL, "0.1 0.2 0.3 0.4 0.5"},
        {"0", "1", "0.5", NULL, "0.0 0.5 1.0"},
        {"2147483647", "2147483649", "1", NULL, "2147483647 2147483648L 2147483649L"},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void multiply_steps(void)
{
    static const Case cases[] = {
        {"1024", "1048576", NULL, "4", "1024 4096 16384 65536 262144 1048576"},
        {"1024", "1048575", NULL, "4", "1024 4096 16384 65536 262144"},
        {"8", "1", NULL, "0.5", "8.0 4.0 2.0 1.0"},
        {"1", "4", NULL, "1.5", "1.0 1.5 2.25 3.375"},
        /* the next after 10^18 has no room in 64 bits, and is beyond the end in any case */
        {"1000000000000000000", "9000000000000000000", NULL, "10", "1000000000000000000L"},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void keep_units(void)
{
    static const Case cases[] = {
        {"1MiB", "16MiB", NULL, "4", "\"1MiB\" \"4MiB\" \"16MiB\""},
        {"512KiB", "2MiB", NULL, "2", "\"512KiB\" \"1024KiB\" \"2048KiB\""},
        {"1GiB", "2GiB", "512MiB", NULL, "\"1GiB\" \"1.5GiB\" \"2GiB\""},
        {"1.5GHz", "2.5GHz", "500MHz", NULL, "\"1.5GHz\" \"2GHz\" \"2.5GHz\""},
        {"5ms", "20ms", NULL, "2", "\"5ms\" \"10ms\" \"20ms\""},
        {"10GB/s", "20GB/s", "10GB/s", NULL, "\"10GB/s\" \"20GB/s\""},
        /* a third of a minute is 20 s, which no decimal of minutes is */
        {"1min", "1.5min", "20s", NULL, "\"1min\" \"80000000000000ps\""},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void refuse_ranges(void)
{
    static const Case cases[] = {
        {"1", "8", "0", NULL, "add is not 0"},
        {"1", "8", NULL, "1", "mul is above 0 and not 1"},
        {"1", "8", NULL, "-2", "mul is above 0 and not 1"},
        {"0", "8", NULL, "2", "begin above 0"},
        {"8", "1", "1", NULL, "on the other side"},
        {"1", "8", NULL, "0.5", "on the other side"},
        {"1MiB", "8", NULL, "two", "is no number"},
        {"1MiB", "8ms", NULL, "2", "a size has one of the units"},
        {"1furlong", "8", NULL, "2", "is no number, size, time, frequency or rate"},
        {"1B", "8B", NULL, "1.5", "parts of the smallest unit"},
        {"0", "1000000", "1", NULL, "more than 100,000 values"},
        {"99999999999999999999", "1", "1", NULL, "too many digits"},
        {"", "1", "1", NULL, "is no number"},
        {"-", "1", "1", NULL, "is no number"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = expand(cases[i].from, cases[i].to, cases[i].add, cases[i].mul);
        if (strstr(got, cases[i].values) == NULL)
            printf("# %s..%s: %s\n", cases[i].from, cases[i].to, got);
        CU_ASSERT_PTR_NOT_NULL(strstr(got, cases[i].values));
    }
}

static char *texts(const PfSweepAxes *axes, uint64_t point)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (size_t i = 0; i < axes->axes->len; i++)
        g_string_append_printf(all, "%s%s", i > 0 ? " " : "",
                               pf_sweep_axes_text(axes, point, i, 0));
    return g_strdup(all->str);
}

static void grids(void)
{
    g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
    CU_ASSERT(pf_sweep_axes_add(axes, "a=1,2", NULL));
    CU_ASSERT(pf_sweep_axes_add(axes, "b=10..40*2", NULL));
    CU_ASSERT(pf_sweep_axes_add(axes, "c=(1,2),\"x,y\"", NULL));
    CU_ASSERT_EQUAL(pf_sweep_axes_points(axes), 2 * 3 * 2);
    for (uint64_t point = 0; point < 12; point++) {
        static const char *const a[] = {"1", "2"};
        static const char *const b[] = {"10", "20", "40"};
        static const char *const c[] = {"(1,2)", "\"x,y\""};
        g_autofree char *expected =
            g_strdup_printf("%s %s %s", a[point / 6], b[point / 2 % 3], c[point % 2]);
        g_autofree char *got = texts(axes, point);
        CU_ASSERT_STRING_EQUAL(got, expected);
    }
    axes->limit = 12;
    CU_ASSERT(pf_sweep_axes_check_limit(axes, NULL));
    axes->limit = 11;
    g_autoptr(GError) error = NULL;
    CU_ASSERT(!pf_sweep_axes_check_limit(axes, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "12 points (2 x 3 x 2)"));
    for (unsigned i = 0; i < 64; i++) {
        g_autofree char *text = g_strdup_printf("d%u=1,2", i);
        CU_ASSERT(pf_sweep_axes_add(axes, text, NULL));
    }
    CU_ASSERT_EQUAL(pf_sweep_axes_points(axes), UINT64_MAX);
}

static void refuse_options(void)
{
    static const char *const wrong[] = {"", "a", "=1", "a=", "a=1..5", "a=1..5*", "a=1..5*1",
                                        "sweep.limit=1", "plugins=a", "output.dir=a,b"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
        g_autoptr(GError) error = NULL;
        CU_ASSERT(!pf_sweep_axes_add(axes, wrong[i], &error));
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_USAGE));
    }
    g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
    CU_ASSERT(pf_sweep_axes_add(axes, "trace=../a.pft,b.pft", NULL));
    CU_ASSERT_STRING_EQUAL(pf_sweep_axes_text(axes, 0, 0, 0), "../a.pft");
}

/* Quantiles as statistics' tables print them. */
static void student(void)
{
    CU_ASSERT_DOUBLE_EQUAL(pf_sweep_student_t(1), 12.706, 0.0005);
    CU_ASSERT_DOUBLE_EQUAL(pf_sweep_student_t(4), 2.776, 0.0005);
    CU_ASSERT_DOUBLE_EQUAL(pf_sweep_student_t(30), 2.042, 0.0005);
    CU_ASSERT_DOUBLE_EQUAL(pf_sweep_student_t(40), 2.021, 0.0006);
    CU_ASSERT_DOUBLE_EQUAL(pf_sweep_student_t(60), 2.000, 0.0006);
    CU_ASSERT_DOUBLE_EQUAL(pf_sweep_student_t(120), 1.980, 0.0006);
}

static void refuse_twice(void)
{
    g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
    CU_ASSERT(pf_sweep_axes_add(axes, "seed=1,2", NULL));
    g_autoptr(GError) error = NULL;
    CU_ASSERT(!pf_sweep_axes_add(axes, "seed=3,4", &error));
    CU_ASSERT_STRING_EQUAL(error->message, "-x: seed is varied twice");
}

static const PfCheck checks[] = {
    {"a range adds up to its end and not beyond", add_steps},
    {"a range multiplies up to its end and not beyond", multiply_steps},
    {"quantities keep the unit of the first, exactly", keep_units},
    {"a range that leads nowhere is told", refuse_ranges},
    {"a grid has every combination, the last axis first", grids},
    {"-x that is no axis is told", refuse_options},
    {"the interval is Student's", student},
    {"a key is not varied by two options", refuse_twice},
};

PF_CHECK_MAIN("range", checks)
