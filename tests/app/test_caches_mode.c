/* Traces through the caches alone: by hand, and against cachegrind, run here and now. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "spawn.h"

/* Two levels of which the first has lines of 32 bytes and two sets of two ways, the second lines of
 * 128. */
#define SMALL                                                                                      \
    "mode = \"caches\"; trace = \"a.trace\"; machine = { caches = ("                               \
    "{ name = \"i1\"; serves = \"fetch\"; size = 128; ways = 2; line = 32; },"                     \
    "{ name = \"d1\"; serves = \"data\"; size = 128; ways = 2; line = 32; },"                      \
    "{ name = \"ll\"; size = 512; ways = 2; line = 128; shared = true; } ); };"

/* The value of statistic NAME in CSV. */
static double value_of(const char *csv, const char *name)
{
    g_autofree char *row = g_strdup_printf("\nnone,%s,", name);
    const char *found = csv != NULL ? strstr(csv, row) : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    g_auto(GStrv) cells = g_strsplit(found + 1, ",", 5);
    return g_ascii_strtod(cells[3], NULL);
}

/* The statistics of the run of a.cfg in PLACE with OVERRIDE, as CSV. */
static char *statistics(const char *place, const char *override)
{
    g_auto(Spawned) run = spawn(place, "run", "a.cfg", "-o", "out", "--force", "-s", override);
    CU_ASSERT_EQUAL(run.status, 0);
    if (run.status != 0)
        printf("# %s", run.err);
    return spawn_read(place, "out/stats.csv");
}

static char *place_with(const char *config, const char *trace)
{
    char *place = spawn_make_place();
    g_autofree char *text = g_strconcat(
        "pagefold-trace 1\ncontext p process\nmap p 0x0 16 anon\n", trace, NULL);
    spawn_write(place, "a.cfg", config);
    spawn_write(place, "a.trace", text);
    return place;
}

static void expect(const char *csv, const char *name, double value)
{
    CU_ASSERT_EQUAL(value_of(csv, name), value);
    if (value_of(csv, name) != value)
        printf("# %s is %g\n", name, value_of(csv, name));
}

static void by_hand(void)
{
    /* 28 .. 35 touch lines 0 and 1 of the first level and line 0 of the second. Then line 1 is
     * there; 60 .. 67 miss line 2 alone, which is in line 0 of the second level. */
    char *place = place_with(SMALL, "read p 28 8\nread p 32 8\nread p 60 8\n");
    g_autofree char *one = statistics(place, "straddle=\"one\"");
    expect(one, "cache.d1.reads", 3);
    expect(one, "cache.d1.read_misses", 2);
    expect(one, "cache.ll.reads", 2);
    expect(one, "cache.ll.read_misses", 1);
    g_autofree char *split = statistics(place, "straddle=\"split\"");
    expect(split, "cache.d1.reads", 5);
    expect(split, "cache.d1.read_misses", 3);
    expect(split, "cache.ll.reads", 3);
    expect(split, "cache.ll.read_misses", 1);
    g_auto(Spawned) table = spawn(place, "run", "a.cfg");
    CU_ASSERT_PTR_NOT_NULL(strstr(table.out, "caches by themselves"));
    CU_ASSERT_PTR_NOT_NULL(strstr(table.out, "\ncache.d1.reads"));
    CU_ASSERT_PTR_NULL(strstr(table.out, "populated"));
    spawn_clear_place(place);
}

static void modifies(void)
{
    char *place =
        place_with(SMALL, "read p 0 8\nwrite p 0 8 modify\nwrite p 256 8\nfetch p 0 64\n");
    g_autofree char *read = statistics(place, "modify=\"read\"");
    expect(read, "cache.d1.reads", 1);
    expect(read, "cache.d1.writes", 1);
    expect(read, "cache.d1.write_misses", 1);
    expect(read, "cache.ll.write_misses", 1);
    /* Cut to the shortest line, the fetch touches one. */
    expect(read, "cache.i1.fetches", 1);
    expect(read, "cache.ll.fetches", 1);
    expect(read, "cache.ll.fetch_misses", 0);
    g_autofree char *both = statistics(place, "modify=\"read-write\"");
    expect(both, "cache.d1.reads", 1);
    expect(both, "cache.d1.writes", 2);
    expect(both, "cache.d1.write_misses", 1);
    spawn_clear_place(place);
}

static void refused(void)
{
    char *place = place_with(SMALL, "read p 0 8\n");
    g_auto(Spawned) lines = spawn(place, "run", "a.cfg", "-s", "mode=\"machine\"");
    CU_ASSERT_EQUAL(lines.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(lines.err, "line: all caches of a machine have one line size"));
    g_auto(Spawned) policies = spawn(place, "run", "a.cfg", "--policy", "ksm");
    CU_ASSERT_EQUAL(policies.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(policies.err, "mode = \"caches\" has no policies"));
    spawn_clear_place(place);
}

/* ---- Against cachegrind ---- */

typedef struct {
    const char *i1;
    const char *d1;
    const char *ll;
} Geometry;

/* Runs PROGRAM under valgrind's TOOL with OPTION, whatever the environment here is: the stack must
 * be the same each time. */
static bool run_tool(const char *place, const char *const *program, const char *const *options)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    g_ptr_array_add(arguments, (char *)(uintptr_t) "valgrind");
    for (; *options != NULL; options++)
        g_ptr_array_add(arguments, (char *)(uintptr_t)*options);
    for (; *program != NULL; program++)
        g_ptr_array_add(arguments, (char *)(uintptr_t)*program);
    g_ptr_array_add(arguments, NULL);
    g_autofree char *path = g_strdup_printf("PATH=%s", g_getenv("PATH"));
    char *environment[] = {path, NULL};
    int status;
    bool ran = g_spawn_sync(place, (char **)arguments->pdata, environment,
                            G_SPAWN_SEARCH_PATH_FROM_ENVP | G_SPAWN_STDOUT_TO_DEV_NULL |
                                G_SPAWN_STDERR_TO_DEV_NULL,
                            NULL, NULL, NULL, NULL, &status, NULL);
    return ran && g_spawn_check_wait_status(status, NULL);
}

static bool trace_program(const char *place, const char *const *program)
{
    static const char *const options[] = {"--tool=lackey", "--trace-mem=yes", "--basic-counts=no",
                                          "--log-file=in.txt", NULL};
    if (!run_tool(place, program, options))
        return false;
    g_auto(Spawned) import =
        spawn(place, "trace", "import", "lackey", "in.txt", "-o", "a.trace");
    CU_ASSERT_EQUAL(import.status, 0);
    return true;
}

static void add_cache(GString *config, const char *name, const char *serves, const char *geometry)
{
    g_auto(GStrv) numbers = g_strsplit(geometry, ",", 3);
    g_string_append_printf(config,
                           "%s{ name = \"%s\"; serves = \"%s\"; size = %s; ways = %s; line = %s; }",
                           g_str_equal(name, "i1") ? "" : ", ", name, serves, numbers[0],
                           numbers[1], numbers[2]);
}

/* The nine counters, in the order of cachegrind's summary. */
static void compare(const char *place, const char *const *program, const Geometry *geometry)
{
    g_autofree char *i1 = g_strdup_printf("--I1=%s", geometry->i1);
    g_autofree char *d1 = g_strdup_printf("--D1=%s", geometry->d1);
    g_autofree char *ll = g_strdup_printf("--LL=%s", geometry->ll);
    const char *const options[] = {"--tool=cachegrind", "--cache-sim=yes", i1, d1, ll,
                                   "--cachegrind-out-file=counts.txt", NULL};
    CU_ASSERT_TRUE(run_tool(place, program, options));
    g_autofree char *counts = spawn_read(place, "counts.txt");
    CU_ASSERT_PTR_NOT_NULL_FATAL(counts);
    CU_ASSERT_PTR_NOT_NULL(strstr(counts, "\nevents: Ir I1mr ILmr Dr D1mr DLmr Dw D1mw DLmw"));
    const char *summary = strstr(counts, "\nsummary:");
    CU_ASSERT_PTR_NOT_NULL_FATAL(summary);
    GString *config = g_string_new("mode = \"caches\"; trace = \"a.trace\";"
                                   " machine = { caches = (");
    add_cache(config, "i1", "fetch", geometry->i1);
    add_cache(config, "d1", "data", geometry->d1);
    add_cache(config, "ll", "all", geometry->ll);
    g_string_append(config, " ); };");
    spawn_write(place, "a.cfg", config->str);
    g_string_free(config, TRUE);
    g_autofree char *csv = statistics(place, "straddle=\"one\"");
    static const char *const names[] = {
        "cache.i1.fetches", "cache.i1.fetch_misses", "cache.ll.fetch_misses",
        "cache.d1.reads",   "cache.d1.read_misses",  "cache.ll.read_misses",
        "cache.d1.writes",  "cache.d1.write_misses", "cache.ll.write_misses"};
    char *at = (char *)(uintptr_t)summary + strlen("\nsummary:");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        expect(csv, names[i], (double)g_ascii_strtoull(at, &at, 10));
    printf("# %s with %s: %.0f instructions, %.0f data misses\n", program[0], geometry->d1,
           value_of(csv, names[0]), value_of(csv, names[4]) + value_of(csv, names[7]));
}

/* Programs of our own, statically linked: each tool starts the program anew, and what the host's
 * programs do depends on how much memory is free and what the dynamic linker finds. */
static void cachegrind(void)
{
    static const Geometry geometries[] = {
        {"32768,8,64", "32768,8,64", "1048576,16,64"},
        {"8192,2,32", "4096,1,32", "262144,8,128"},
    };
    g_autofree char *valgrind = g_find_program_in_path("valgrind");
    const char *folder = g_getenv("PAGEFOLD_PROGRAMS");
    g_autofree char *join = g_build_filename(folder, "join", NULL);
    g_autofree char *accesses = g_build_filename(folder, "odd", NULL);
    if (valgrind == NULL || !g_file_test(join, G_FILE_TEST_IS_EXECUTABLE)) {
        pf_check_skip("no valgrind here, or no static C library");
        return;
    }
    const char *const joined[] = {join, "3000", "800", NULL};
    const char *const odd[] = {accesses, NULL};
    const char *const *const programs[] = {joined, odd};
    for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
        char *place = spawn_make_place();
        CU_ASSERT_TRUE(trace_program(place, programs[i]));
        for (unsigned j = 0; j < G_N_ELEMENTS(geometries); j++)
            compare(place, programs[i], &geometries[j]);
        spawn_clear_place(place);
    }
}

static const PfCheck checks[] = {
    {"an access to two lines is one or split in two, as told", by_hand},
    {"what modifies is a read, or a read and a write, and long accesses are cut", modifies},
    {"lines of several lengths and policies are told apart by the mode", refused},
    {"cachegrind's nine counters come out of lackey's trace of the same program", cachegrind},
};

PF_CHECK_MAIN("caches_mode", checks)
