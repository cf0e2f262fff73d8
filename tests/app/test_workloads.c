/* `trace generate` as a whole, and the snapshot that US 6,789,156 B1 prints. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "spawn.h"

static char *config_path(const char *name)
{
    return g_strdup_printf("%s/%s", g_getenv("PAGEFOLD_CONFIGS"), name);
}

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    while (directory != NULL && g_dir_read_name(directory) != NULL)
        count++;
    return count;
}

static void writes_both_forms(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "w.cfg",
                "workload = { contexts = ( { name = \"a\"; memory = \"16KiB\"; "
                "chunk = 0; zero = 0.5; } ); };\n");
    g_auto(Spawned) text = spawn(place, "trace", "generate", "w.cfg", "-o", "w.trace");
    CU_ASSERT_EQUAL(text.status, 0);
    CU_ASSERT_STRING_EQUAL(text.out, "");
    CU_ASSERT_STRING_EQUAL(text.err, "");
    g_autofree char *trace = spawn_read(place, "w.trace");
    CU_ASSERT(g_str_has_prefix(trace, "pagefold-trace 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(trace, "\ngrain page\n"
                                         "context a vm memory=16KiB\n"
                                         "map a 0x0 4 anon mergeable\n"
                                         "fill a 0x0 2 zero\n"
                                         "fill a 0x2000 2 id:"));
    g_auto(Spawned) binary =
        spawn(place, "trace", "generate", "w.cfg", "-o", "w.pft", "-s", "workload.seed=5");
    CU_ASSERT_EQUAL(binary.status, 0);
    g_auto(Spawned) info = spawn(place, "trace", "info", "w.pft");
    CU_ASSERT_PTR_NOT_NULL(strstr(info.out, "binary"));
    CU_ASSERT_PTR_NOT_NULL(strstr(info.out, "\"seed\": 5"));
    spawn_clear_place(place);
}

static void mistakes_leave_nothing(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "w.cfg",
                "workload = {\n  contexts = ( {\n    name = \"a\";\n"
                "    zero = 0.5;\n    szie = 2; } ); };\n");
    unsigned before = count_entries(place);
    g_auto(Spawned) unknown = spawn(place, "trace", "generate", "w.cfg", "-o", "w.pft");
    CU_ASSERT_EQUAL(unknown.status, 2);
    CU_ASSERT(g_str_has_prefix(unknown.err,
                               "pagefold: error: w.cfg:5: workload.contexts.a.szie: unknown key"));
    g_auto(Spawned) set = spawn(place, "trace", "generate", "w.cfg", "-o", "w.pft", "-s",
                                "workload.contexts.a={ name = \"a\"; zero = 2; }");
    CU_ASSERT_EQUAL(set.status, 2);
    g_auto(Spawned) output = spawn(place, "trace", "generate", "w.cfg");
    CU_ASSERT_EQUAL(output.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.err, "-o FILE is missing"));
    g_auto(Spawned) missing = spawn(place, "trace", "generate", "no.cfg", "-o", "w.pft");
    CU_ASSERT_EQUAL(missing.status, 2);
    CU_ASSERT_EQUAL(count_entries(place), before);
    spawn_write(place, "w.cfg", "workload = { contexts = ( { name = \"a\"; } ); };\n");
    g_auto(Spawned) run = spawn(place, "run", "w.cfg");
    CU_ASSERT_EQUAL(run.status, 2);
    CU_ASSERT_STRING_EQUAL(run.err,
                           "pagefold: error: w.cfg:1: workload: describes a trace, not a run; "
                           "`pagefold trace generate w.cfg -o FILE` makes the trace, which a run "
                           "may name\n");
    g_auto(Spawned) folder = spawn(place, "trace", "generate", "w.cfg", "-o", "no/w.pft");
    CU_ASSERT_EQUAL(folder.status, 1);
    g_auto(Spawned) itself = spawn(place, "trace", "generate", "w.cfg", "-o", "./w.cfg");
    CU_ASSERT_EQUAL(itself.status, 2);
    g_autofree char *kept = spawn_read(place, "w.cfg");
    CU_ASSERT_TRUE(g_str_has_prefix(kept, "workload = "));
    CU_ASSERT_EQUAL(count_entries(place), before);
    spawn_clear_place(place);
}

/* The value of esx's STATISTIC at mark "snapshot" in MARKS. */
static int64_t at_snapshot(const char *marks, const char *statistic)
{
    g_autofree char *begin = g_strdup_printf("\nesx,snapshot,%s,", statistic);
    const char *row = strstr(marks, begin);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    return strtoll(row + strlen(begin), NULL, 10);
}

/* The patent prints, of 81,919 used pages: track 95 %, cow 71 %, hint 23 %, unique 44 %, shared
 * 51 %, all cut to whole per cent, and 244 frames with one reference. */
static void the_snapshot_of_the_patent(void)
{
    static const struct {
        const char *statistic;
        int64_t percent;
    } printed[] = {{"esx.track", 95},
                   {"esx.cow", 71},
                   {"esx.hint", 23},
                   {"esx.unique", 44},
                   {"esx.shared", 51}};
    char *place = spawn_make_place();
    g_autofree char *workload = config_path("workloads/three-vms.cfg");
    g_autofree char *config = config_path("three-vms.cfg");
    g_auto(Spawned) made = spawn(place, "trace", "generate", workload, "-o", "three-vms.pft");
    CU_ASSERT_EQUAL_FATAL(made.status, 0);
    g_auto(Spawned) run = spawn(place, "run", config, "--trace", "three-vms.pft", "-o", "out");
    CU_ASSERT_EQUAL_FATAL(run.status, 0);
    g_autofree char *marks = spawn_read(place, "out/marks.csv");
    CU_ASSERT_PTR_NOT_NULL_FATAL(marks);
    int64_t used = at_snapshot(marks, "esx.used");
    CU_ASSERT_EQUAL(used, 81919);
    for (size_t i = 0; i < G_N_ELEMENTS(printed); i++) {
        int64_t percent = 100 * at_snapshot(marks, printed[i].statistic) / used;
        CU_ASSERT(llabs(percent - printed[i].percent) <= 1);
        printf("# %s %d %%\n", printed[i].statistic, (int)percent);
    }
    int64_t track = at_snapshot(marks, "esx.track");
    CU_ASSERT_EQUAL(at_snapshot(marks, "esx.cow") + at_snapshot(marks, "esx.hint"), track);
    CU_ASSERT_EQUAL(at_snapshot(marks, "esx.unique") + at_snapshot(marks, "esx.shared"), track);
    CU_ASSERT_EQUAL(at_snapshot(marks, "esx.cow1"), 244);
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"a workload is written in the form that its name asks for", writes_both_forms},
    {"a mistake has its place, status 2 or 1, and leaves no file", mistakes_leave_nothing},
    {"ESX finds in three-vms what the patent prints", the_snapshot_of_the_patent},
};

PF_CHECK_MAIN("app-workloads", checks)
