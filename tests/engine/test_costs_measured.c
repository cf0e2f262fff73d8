/* What steps of memory management cost in a simulation with the card zen4-vm, against what they
 * cost in the virtual machine where its rows come from (docs/model.md, "The cost card").
 *
 * A row is fitted if a value of the card was chosen for it. All others are held out: nothing was
 * fitted to them, so that they say how much the card is worth. Times are nanoseconds at 2.6 GHz. */
#include "check.h"

#include <math.h>

#include "play.h"

#define HEAD   "pagefold-trace 1\ngrain page\ncontext a process\nmap a 0x0 20000 anon mergeable\n"
#define UNIQUE HEAD "fill a 0x0 20000 id:1 step=1\ntime 1s\n"
/* 4096 pairs of equal pages, the partners 4096 pages apart. */
#define PAIRS HEAD "fill a 0x0 4096 id:1 step=1\nfill a 0x1000000 4096 id:1 step=1\ntime 1s\n"

typedef struct {
    const char *what;
    const char *before; /* the trace up to the step */
    const char *step;
    unsigned pages; /* that the step is about */
    bool is_policy; /* whose cycles */
    bool is_fitted;
    double low_ns; /* measured: the lowest and highest median of several series */
    double high_ns;
} Row;

static const Row rows[] = {
    {"write fault, re-use by the last owner", HEAD "touch a 0x0 1000\nfork a b\nexit b\n",
     "touch a 0x0 1000\n", 1000, false, true, 739, 788},
    {"write fault, first touch", HEAD, "touch a 0x0 1000\n", 1000, false, true, 1990, 2009},
    {"read fault, first touch", HEAD, "read a 0x0 8\n", 1, false, true, 839, 903},
    {"fork, per page", HEAD "touch a 0x0 20000\n", "fork a b\n", 20000, false, true, 92, 98},
    {"munmap, per page", HEAD "touch a 0x0 20000\n", "unmap a 0x0 20000\n", 20000, false, true, 255,
     324},
    {"write fault on the zero page", HEAD "read a 0x0 8\n", "touch a 0x0 1\n", 1, false, false,
     2319, 2558},
    {"write fault, copy of a page shared by fork", HEAD "touch a 0x0 1000\nfork a b\n",
     "touch a 0x0 1000\n", 1000, false, false, 2520, 2712},
    {"write fault, copy of a page merged by ksmd", PAIRS "scan pass 2\n",
     "touch a 0x0 4096\ntouch a 0x1000000 4096\n", 8192, false, false, 3066, 6513},
    {"ksmd, first pass over unique pages", UNIQUE, "scan pass 1\n", 20000, true, true, 1239, 1416},
    {"ksmd, later passes over 20000 unique pages", UNIQUE "scan pass 1\n", "scan pass 2\n", 40000,
     true, false, 4097, 4933},
    {"ksmd, two passes that merge 4096 pairs", PAIRS, "scan pass 2\n", 16384, true, false, 3509,
     4061},
    {"ksmd, a page merged already", PAIRS "scan pass 2\n", "scan pass 1\n", 8192, true, false, 341,
     354},
};

static double charged(const char *trace, const char *timing, bool is_policy)
{
    static const PfSimulationOptions quick = {.threads = 1};
    g_autofree char *config = g_strconcat(
        "timing = \"", timing,
        "\"; policies = ( { name = \"ksm\"; pacing = \"trace\"; smart_scan = false; } );", NULL);
    g_autoptr(Played) played = play_configured(trace, strlen(trace), config, &quick);
    g_assert_no_error(played->error);
    return played_stat(played, "ksm", is_policy ? "cycles.policy" : "cycles.app");
}

/* What the step of ROW costs a page. */
static double simulated_ns(const Row *row, const char *timing)
{
    const double cycles_per_ns = 2.6;
    g_autofree char *after = g_strconcat(row->before, row->step, NULL);
    double cycles =
        charged(after, timing, row->is_policy) - charged(row->before, timing, row->is_policy);
    return cycles / row->pages / cycles_per_ns;
}

/* By how many percent NS is outside of what was measured. */
static double deviation_percent(const Row *row, double ns)
{
    double near = fmin(fmax(ns, row->low_ns), row->high_ns);
    return 100 * (ns - near) / near;
}

static void check_row(const Row *row, const char *timing, double tolerance_percent)
{
    double ns = simulated_ns(row, timing);
    double percent = deviation_percent(row, ns);
    printf("# %s: measured %.0f to %.0f ns, simulated %.0f ns (timing %s), %s, %+.0f %%\n",
           row->what, row->low_ns, row->high_ns, ns, timing, row->is_fitted ? "fitted" : "held out",
           percent);
    CU_ASSERT_TRUE(fabs(percent) <= tolerance_percent);
}

static void test_fitted(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].is_fitted)
            check_row(&rows[i], "costs", 1);
}

static void test_held_out(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!rows[i].is_fitted)
            check_row(&rows[i], "costs", 25);
}

/* The machine of the models is another one: not a virtual machine, and its memory is nearer. */
static void test_full(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!rows[i].is_fitted && rows[i].is_policy)
            check_row(&rows[i], "full", 50);
}

static const PfCheck checks[] = {
    {"a step that the card was fitted to costs what was measured", test_fitted},
    {"a step that was held out costs what was measured, within 25 %", test_held_out},
    {"with bytes going through caches and DRAM ksmd does so within 50 %", test_full},
};

PF_CHECK_MAIN("costs_measured", checks)
