/* Foreign request traces, imported and run straight into the DRAM controllers. */
#include <string.h>

#include "check.h"
#include "spawn.h"

/* A fresh folder with the input TEXT of FORMAT imported as a.pft and a configuration that runs it
 * without refresh, with SETTINGS. */
static char *place_with(const char *format, const char *text, const char *settings)
{
    char *place = spawn_make_place();
    spawn_write(place, "in.txt", text);
    g_autofree char *config = g_strdup_printf("mode = \"dram\"; trace = \"a.pft\"; %s "
                                              "machine = { dram = { refresh = \"none\"; }; };",
                                              settings);
    spawn_write(place, "a.cfg", config);
    g_auto(Spawned) import = spawn(place, "trace", "import", format, "in.txt", "-o", "a.pft");
    CU_ASSERT_EQUAL(import.status, 0);
    CU_ASSERT_STRING_EQUAL(import.err, "");
    return place;
}

/* The value of statistic NAME that running a.cfg in PLACE has, as text. */
static char *statistic(const char *place, const char *name, const char *override)
{
    g_auto(Spawned) run = spawn(place, "run", "a.cfg", "-o", "out", "--force", "-s", override);
    CU_ASSERT_EQUAL(run.status, 0);
    g_autofree char *csv = spawn_read(place, "out/stats.csv");
    g_autofree char *row = g_strdup_printf("\nnone,%s,", name);
    const char *found = csv != NULL ? strstr(csv, row) : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    g_auto(GStrv) cells = g_strsplit(found + 1, ",", 4);
    return g_strndup(cells[3], strcspn(cells[3], "\n"));
}

static void expect(const char *place, const char *name, const char *override, double value)
{
    g_autofree char *text = statistic(place, name, override);
    CU_ASSERT_DOUBLE_EQUAL(g_ascii_strtod(text, NULL), value, 1e-6 * value + 1e-9);
}

static void unloaded(void)
{
    /* Closed, hit, and another row of the bank, 1000 cycles apart: (38 + 21 + 55) clocks of 0.833
     * ns; with DDR4-3200AA's 0.625 ns 48 + 26 + 70. A cycle of the trace is 833 ps. */
    char *place =
        place_with("dramsim3", "0x0 READ 0\n0x40 READ 1000\n0x20000 READ 2000\n", "timed = true;");
    expect(place, "dram.read_latency_mean_ns", "seed=1", (38 + 21 + 55) * 0.833 / 3);
    expect(place, "dram.row_hits", "seed=1", 1);
    expect(place, "dram.row_misses", "seed=1", 1);
    expect(place, "dram.row_conflicts", "seed=1", 1);
    g_auto(Spawned) table = spawn(place, "run", "a.cfg");
    CU_ASSERT_PTR_NOT_NULL(strstr(table.out, "DRAM by itself"));
    CU_ASSERT_PTR_NOT_NULL(strstr(table.out, "\ndram.read_latency_mean_ns      31.65      ns\n"));
    CU_ASSERT_PTR_NULL(strstr(table.out, "dram.bank"));
    CU_ASSERT_PTR_NULL(strstr(table.out, "populated"));
    expect(place, "dram.read_latency_mean_ns", "machine.dram.preset=\"DDR4-3200AA-8Gb-x8\"",
           (48 + 26 + 70) * 0.625 / 3);
    spawn_clear_place(place);
}

static void one_outstanding(void)
{
    /* Two lines of a row: the second is sent when the first has ended, at clock 38, arrives at 39
     * and takes 1 + 21 from its sending. Both at once: RD at 17 and, tCCD_L later, at 23. */
    char *place = place_with("ramulator", "LD 0x0\nLD 0x40\n", "outstanding = 1;");
    expect(place, "dram.read_latency_mean_ns", "seed=1", (38 + 22) * 0.833 / 2);
    expect(place, "dram.read_latency_mean_ns", "outstanding=0", (38 + 44) * 0.833 / 2);
    expect(place, "dram.bandwidth_GBps", "outstanding=0", 128 / 36.923076923);
    spawn_clear_place(place);
}

static void marks(void)
{
    /* Between the marks two reads of closed banks: ACT at 0 of the region and, tRRD_S = 4 later, of
     * another group: both data by 42 clocks. The first two and the last do not count. */
    char *place = spawn_make_place();
    spawn_write(place, "a.trace",
                "pagefold-trace 1\npage 4KiB\nclock 1GHz\ngrain access\ncontext a vm memory=64MiB\n"
                "map a 0x0 1024 anon\nread a 0x0 64\nread a 0x40 64\nmark one\nread a 0x8000 64\n"
                "read a 0x2000 64\nmark two\nread a 0xc000 64\n");
    spawn_write(place, "a.cfg",
                "mode = \"dram\"; trace = \"a.trace\";"
                "roi = (\"mark:one\", \"mark:two\");"
                "machine = { dram = { refresh = \"none\"; }; };");
    expect(place, "dram.reads", "seed=1", 2);
    expect(place, "dram.row_misses", "seed=1", 2);
    g_autofree char *rows = spawn_read(place, "out/marks.csv");
    CU_ASSERT_PTR_NOT_NULL(strstr(rows, "\nnone,two,dram.reads,2\n"));
    /* Energy adds up: two activations and reads, eight devices at 1.2 V. */
    double clock_J = 8 * 1.2 * 1e-3 * 0.833e-9;
    expect(place, "energy.account.dram.activate_J", "seed=1",
           2 * clock_J * (48 * 56 - 43 * 39 - 34 * 17));
    expect(place, "energy.account.dram.read_write_J", "seed=1", 2 * clock_J * (135 - 43) * 4);
    g_autofree char *unknown = statistic(place, "energy.account.dram.background_J",
                                         "machine.dram.preset=\"HBM2-2000-8Gb-x64\"");
    CU_ASSERT_STRING_EQUAL(unknown, "null");
    g_auto(Spawned) time = spawn(place, "run", "a.cfg", "-s", "warmup=\"20ms\"");
    CU_ASSERT_EQUAL(time.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(time.err, "mode = \"dram\" warms up to a mark"));
    spawn_clear_place(place);
}

static void kinds(void)
{
    char *place = place_with("lackey",
                             "==7== Lackey\n--7-- WARNING\n### unhandled dwarf2\nI  400,4\n L "
                             "800,8\n S c00,8\n M 1000,8\n",
                             "");
    expect(place, "dram.reads", "seed=1", 3);  /* the fetch, the load, the modify */
    expect(place, "dram.writes", "seed=1", 2); /* the store, the modify */
    spawn_clear_place(place);
}

static void mistakes(void)
{
    static const struct {
        const char *format;
        const char *text;
        const char *error;
    } cases[] = {
        {"ramulator", "LD 0x40\nLX 0x40\n", "in.txt:2: 'LX 0x40': expected LD ADDRESS"},
        {"ramulator", "LD 0x40 7\n", "in.txt:1: 'LD 0x40 7': expected LD ADDRESS"},
        {"ramulator", "LD 18446744073709551616\n", "in.txt:1: 'LD 18446744073709551616': exp"},
        {"dramsim3", "40 READ 7\n40 READ 6\n", "in.txt:2: '40 READ 6': the cycle is before"},
        {"dramsim3", "40 READ\n", "in.txt:1: '40 READ': expected ADDRESS READ CYCLE"},
        {"lackey", " L 40,0\n", "in.txt:1: ' L 40,0': a size must be"},
        {"lackey", "X 40,8\n", "in.txt:1: 'X 40,8': expected I, L, S or M"},
    };
    char *place = spawn_make_place();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        spawn_write(place, "in.txt", cases[i].text);
        g_auto(Spawned) import =
            spawn(place, "trace", "import", cases[i].format, "in.txt", "-o", "bad.pft");
        CU_ASSERT_EQUAL(import.status, 3);
        CU_ASSERT_PTR_NOT_NULL(strstr(import.err, cases[i].error));
        g_autofree char *left = spawn_read(place, "bad.pft");
        CU_ASSERT_PTR_NULL(left);
    }
    g_auto(Spawned) unknown = spawn(place, "trace", "import", "gem5", "in.txt", "-o", "bad.pft");
    CU_ASSERT_EQUAL(unknown.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(unknown.err, "there are auto, champsim, dramsim3, "));
    spawn_clear_place(place);
}

static void too_far(void)
{
    /* 8 GiB are 0x200000000 bytes. */
    char *place = place_with("ramulator", "LD 0x1ffffffc0\nLD 0x200000000\n", "");
    g_auto(Spawned) run = spawn(place, "run", "a.cfg");
    CU_ASSERT_EQUAL(run.status, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "record 4: address 0x200000000 is beyond the memory's"));
    g_auto(Spawned) larger = spawn(place, "run", "a.cfg", "-s", "machine.dram.ranks=2");
    CU_ASSERT_EQUAL(larger.status, 0);
    g_auto(Spawned) policies = spawn(place, "run", "a.cfg", "--policy", "ksm");
    CU_ASSERT_EQUAL(policies.status, 2);
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"unloaded latencies are those of the data sheet to the clock", unloaded},
    {"one outstanding request waits for the one before", one_outstanding},
    {"a region of interest lies between marks, at which all that was sent is served", marks},
    {"lackey's fetches, loads, stores and modifies are reads and writes", kinds},
    {"what is wrong with an input is told in a line, with its place", mistakes},
    {"an address beyond the memory is an error, and so are policies", too_far},
};

PF_CHECK_MAIN("dram_mode", checks)
