/* Sweeps in folders that somebody was at, and what a point's identity and its command hold. */
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "place.h"

/* NAME of point 0 of grid.cfg at "out". */
static char *name_in_point(const char *place, const char *name)
{
    g_autofree char *id = place_find_id(place, "out", 0);
    return g_build_filename("out", "points", id, name, NULL);
}

static void damage_is_mended(void)
{
    static const char *const damages[][2] = {
        {"stats.csv", ""}, {"stats.csv", "policy,stat,unit,value\nksm,x,,1\n"},
        {"manifest.json", ""}, {"manifest.json", "}{"}};
    char *place = place_make();
    g_auto(Spawned) run = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    g_auto(Spawned) fresh = spawn(place, "sweep", "run", "grid.cfg", "-o", "fresh");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_EQUAL(fresh.status, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autofree char *name = name_in_point(place, damages[i][0]);
        spawn_write(place, name, damages[i][1]);
        g_auto(Spawned) collect = spawn(place, "sweep", "collect", "grid.cfg", "-o", "out");
        CU_ASSERT_EQUAL(collect.status, 3);
        CU_ASSERT_PTR_NOT_NULL(strstr(collect.err, "these results are damaged"));
        g_auto(Spawned) again = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
        CU_ASSERT_EQUAL(again.status, 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(again.err, "1 runs in"));
        CU_ASSERT(place_same_file(place, "out", "fresh", "results.csv"));
    }
    /* A link that leads nowhere stands where results shall be; and the tables are gone. */
    g_autofree char *id = place_find_id(place, "out", 0);
    g_autofree char *point = g_build_filename(place, "out", "points", id, NULL);
    g_autofree char *aside = g_strconcat(place, "/aside", NULL);
    g_autofree char *table = g_build_filename(place, "out", "points.csv", NULL);
    g_autofree char *manifest = g_build_filename(place, "out", "manifest.json", NULL);
    CU_ASSERT(rename(point, aside) == 0);
    CU_ASSERT(symlink("nowhere", point) == 0);
    CU_ASSERT(unlink(table) == 0 && unlink(manifest) == 0);
    g_auto(Spawned) again = spawn(place, "sweep", "run", "grid.cfg", "-o", "out");
    CU_ASSERT_EQUAL(again.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(again.err, "1 runs in"));
    CU_ASSERT(place_same_file(place, "out", "fresh", "results.csv"));
    CU_ASSERT(place_same_file(place, "out", "fresh", "points.csv"));
    spawn_clear_place(place);
}

static void others_are_left_alone(void)
{
    char *place = place_make();
    g_autofree char *mine = g_build_filename(place, "mine", NULL);
    g_autofree char *points = g_build_filename(mine, "points", NULL);
    CU_ASSERT(g_mkdir_with_parents(points, 0777) == 0);
    spawn_write(place, "mine/points.csv", "x,y\n1,2\n");
    spawn_write(place, "mine/points/a.txt", "b");
    static const char *const verbs[] = {"run", "status", "collect"};
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        g_auto(Spawned) spawned = spawn(place, "sweep", verbs[i], "grid.cfg", "-o", "mine");
        CU_ASSERT_EQUAL(spawned.status, 2);
    }
    g_autofree char *kept = spawn_read(place, "mine/points.csv");
    CU_ASSERT_STRING_EQUAL(kept, "x,y\n1,2\n");
    spawn_clear_place(place);
}

static void blobs_are_of_the_trace(void)
{
    static const char trace[] = "pagefold-trace 1\ncontext a process\nmap a 0x0 2 anon\n"
                                "fill a 0x0 1 blob:page.bin:0\nfill a 0x1000 1 \"one\"\n";
    char *place = place_make();
    spawn_write(place, "quick.trace", trace);
    spawn_write(place, "page.bin", "one");
    place_configure(place, "blob.cfg", "axes = ( { key = \"policies.ksm.run\"; values = (1); } );");
    const char *const bytes[] = {"one", "two"};
    for (size_t i = 0; i < G_N_ELEMENTS(bytes); i++) {
        spawn_write(place, "page.bin", bytes[i]);
        g_auto(Spawned) run = spawn(place, "sweep", "run", "blob.cfg", "-o", "out");
        CU_ASSERT_EQUAL(run.status, 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "1 runs in"));
    }
    g_auto(Spawned) again = spawn(place, "sweep", "run", "blob.cfg", "-o", "out");
    CU_ASSERT_PTR_NOT_NULL(strstr(again.err, "1 were done already"));
    spawn_clear_place(place);
}

/* The command that a failed point is told with, as words. */
static char **command_of(const char *err)
{
    static const char alone[] = "pagefold: alone: pagefold ";
    const char *command = strstr(err, alone);
    g_autofree char *line =
        command != NULL ? g_strndup(command + strlen(alone), strcspn(command + strlen(alone), "\n"))
                        : g_strdup("none");
    char **words = NULL;
    g_shell_parse_argv(line, NULL, &words, NULL);
    return words;
}

static void commands_have_all(void)
{
    char *place = place_make();
    g_autofree char *folder = g_build_filename(place, "a folder", NULL);
    CU_ASSERT(g_mkdir_with_parents(folder, 0777) == 0);
    spawn_write(place, "a folder/quick.trace", place_quick_trace);
    /* The card lies beside the configuration, and four frames are too few. */
    spawn_write(place, "a folder/my card.cfg", "extends = \"zen4-vm\";\n");
    spawn_write(place, "a folder/few.cfg",
                "trace = \"quick.trace\"; policies = ( { name = \"ksm\"; } );\n"
                "machine = { memory = \"16KiB\"; }; output = { dir = \"../out\"; };\n"
                "sweep = { axes = ( { key = \"machine.costs.preset\"; "
                "values = (\"my card.cfg\"); } ); };\n");
    g_auto(Spawned) run = spawn(place, "sweep", "run", "a folder/few.cfg", "--seed", "7",
                                "--verify");
    CU_ASSERT_EQUAL(run.status, 4);
    g_auto(GStrv) words = command_of(run.err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(words);
    CU_ASSERT(g_strv_contains((const char *const *)words, "--verify"));
    CU_ASSERT(g_strv_contains((const char *const *)words, "7"));
    g_auto(Spawned) again = spawn_program(place, (const char *const *)words);
    CU_ASSERT_EQUAL(again.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(again.err, "no frame is free"));
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"results that were damaged are made anew", damage_is_mended},
    {"a folder that is no sweep is left alone", others_are_left_alone},
    {"a point changes with the blobs of its trace", blobs_are_of_the_trace},
    {"the command of a failed point has all that the sweep was told", commands_have_all},
};

PF_CHECK_MAIN("sweep folders", checks)
