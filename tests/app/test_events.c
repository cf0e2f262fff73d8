/* `run --events` and `--window`. */
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "spawn.h"

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    while (directory != NULL && g_dir_read_name(directory) != NULL)
        count++;
    return count;
}

#define LINES_OF(policy)                                   \
    policy ",100,share,\"web, \"\"old\"\"\",7,3,db,8,,\n"   \
    policy ",350,break,\"web, \"\"old\"\"\",7,3,,,250,\n"   \
    policy ",360,end,\"web, \"\"old\"\"\",18446744073709551615,0,,,1,\n"

static void writes_lines(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) run = spawn(place, "run", "demo.cfg", "--policy", "esx", "--events",
                                "events.csv", "--window", "10ms..20ms");
    CU_ASSERT_EQUAL(run.status, 0);
    CU_ASSERT_EQUAL(count_entries(place), 2);
    g_autofree char *text = spawn_read(place, "events.csv");
    static const char head[] = "policy,cycle,event,context,page,frame,partner_context,"
                               "partner_page,lifetime_cycles,pc\n";
    CU_ASSERT_TRUE(g_str_has_prefix(text, head));
    CU_ASSERT_STRING_EQUAL(text + strlen(head), LINES_OF("none") LINES_OF("esx"));
    /* A file that is there is replaced when the new one is whole. */
    g_auto(Spawned) again = spawn(place, "run", "demo.cfg", "--events", "events.csv", "-j", "2");
    CU_ASSERT_EQUAL(again.status, 0);
    CU_ASSERT_EQUAL(count_entries(place), 2);
    g_autofree char *longer = spawn_read(place, "events.csv");
    CU_ASSERT_PTR_NOT_NULL(strstr(longer, LINES_OF("ksm")));
    g_auto(Spawned) dry = spawn(place, "run", "demo.cfg", "--events", "dry.csv", "--dry-run");
    CU_ASSERT_EQUAL(dry.status, 0);
    CU_ASSERT_EQUAL(count_entries(place), 2);
    spawn_clear_place(place);
}

static void ends_early(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) cut = spawn(place, "run", "demo.cfg", "--events", "events.csv", "-s",
                                "fake.outcome=interrupted");
    CU_ASSERT_EQUAL(cut.status, 130);
    CU_ASSERT_EQUAL(count_entries(place), 2);
    g_auto(Spawned) wrong = spawn(place, "run", "demo.cfg", "--events", "wrong.csv", "-s",
                                  "fake.outcome=trace");
    CU_ASSERT_EQUAL(wrong.status, 3);
    CU_ASSERT_EQUAL(count_entries(place), 2);
    spawn_clear_place(place);
}

static void refuses(void)
{
    static const char *const windows[] = {"10ms", "..5", "5..", "a..b", "1..2..3", "10..20kg", ""};
    char *place = spawn_make_place();
    for (unsigned i = 0; i < G_N_ELEMENTS(windows); i++) {
        g_auto(Spawned) run =
            spawn(place, "run", "demo.cfg", "--events", "e.csv", "--window", windows[i]);
        CU_ASSERT_EQUAL(run.status, 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "--window"));
    }
    g_auto(Spawned) alone = spawn(place, "run", "demo.cfg", "--window", "1..2");
    CU_ASSERT_EQUAL(alone.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(alone.err, "add --events FILE"));
    g_auto(Spawned) unnamed = spawn(place, "run", "demo.cfg", "--events", "");
    CU_ASSERT_EQUAL(unnamed.status, 2);
    g_auto(Spawned) nowhere = spawn(place, "run", "demo.cfg", "--events", "no/such/e.csv");
    CU_ASSERT_EQUAL(nowhere.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(nowhere.err, "no/such/e.csv"));
    CU_ASSERT_EQUAL(count_entries(place), 1);
    spawn_clear_place(place);
}

/* By whatever name: here through a link to the folder that they are in. */
static void keeps_what_it_reads(void)
{
    static const char *const read[] = {"demo.cfg", "here/demo.cfg", "t.trace", "here/t.trace"};
    char *place = spawn_make_place();
    spawn_write(place, "t.trace", "pagefold-trace 1\n");
    g_autofree char *link = g_build_filename(place, "here", NULL);
    CU_ASSERT_EQUAL(symlink(".", link), 0);
    g_autofree char *before = spawn_read(place, "demo.cfg");
    for (unsigned i = 0; i < G_N_ELEMENTS(read); i++) {
        g_auto(Spawned) run =
            spawn(place, "run", "demo.cfg", "--trace", "t.trace", "--events", read[i]);
        CU_ASSERT_EQUAL(run.status, 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "is what is read"));
    }
    g_autofree char *after = spawn_read(place, "demo.cfg");
    CU_ASSERT_STRING_EQUAL(after, before);
    g_autofree char *trace = spawn_read(place, "t.trace");
    CU_ASSERT_STRING_EQUAL(trace, "pagefold-trace 1\n");
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"--events writes a line an event, policy by policy", writes_lines},
    {"a run that ends early leaves whole lines, one of a wrong input nothing", ends_early},
    {"what is no window, and a file that cannot be written, is refused at once", refuses},
    {"--events does not replace the configuration or the trace", keeps_what_it_reads},
};

PF_CHECK_MAIN("events", checks)
