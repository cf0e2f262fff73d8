/* What is recorded is what was executed: counted in another way, and played again. */
#include <string.h>

#include "check.h"
#include "fixture.h"

static void write_text(const char *place, const char *name)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 400; i++)
        g_string_append_printf(text, "line %u of a text\n", i * 7919 % 401);
    g_autofree char *path = g_build_filename(place, name, NULL);
    CU_ASSERT_TRUE(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
}

static void check_counts(char **arguments)
{
    char *place = place_new();
    write_text(place, "text");
    g_autoptr(GError) error = NULL;
    PfGuest guest;
    Executed other = {0};
    bool is_done = run_recorded(place, "a.pft", arguments, NULL, &guest, &error);
    CU_ASSERT_TRUE(is_done);
    if (is_done) {
        Executed own = executed_by(&guest);
        pf_guest_clear(&guest);
        CU_ASSERT_TRUE(run_counted(place, arguments, &other));
        CU_ASSERT_TRUE(own.instructions > 1000);
        CU_ASSERT_EQUAL(own.instructions, other.instructions);
        CU_ASSERT_EQUAL(own.reads, other.reads);
        CU_ASSERT_EQUAL(own.writes, other.writes);
        CU_ASSERT_EQUAL(own.fetches, other.fetches);
    }
    place_clear(place);
}

static void check_replay_of(char **arguments, const PfRecordingOptions *options)
{
    char *place = place_new();
    write_text(place, "text");
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(place, "a.pft", NULL);
    PfGuest guest;
    bool is_done = run_recorded(place, "a.pft", arguments, options, &guest, &error);
    CU_ASSERT_TRUE(is_done);
    if (is_done) {
        uint64_t pages;
        CU_ASSERT_EQUAL(count_differences(path, &guest, &pages), 0);
        /* The stack alone is mapped with 2048. */
        CU_ASSERT_TRUE(pages > 2048);
        pf_guest_clear(&guest);
    }
    place_clear(place);
}

static void check_replay(char **arguments)
{
    check_replay_of(arguments, NULL);
}

/* Memory as it is after so many accesses, and what follows. */
static void check_late(char **arguments)
{
    PfRecordingOptions options = {.skip = 6000, .accesses_max = UINT64_MAX, .name = "late"};
    check_replay_of(arguments, &options);
}

/* Stores without values, and pages that changed. */
static void check_epochs(char **arguments)
{
    PfRecordingOptions options = {.content = PF_RECORD_EPOCHS,
                                  .epoch_accesses = 3000,
                                  .accesses_max = UINT64_MAX,
                                  .name = "epochs"};
    check_replay_of(arguments, &options);
}

static void check_program(const char *name, void (*check)(char **arguments), const char *first,
                          const char *second)
{
    g_autofree char *path = program_path(name);
    char *arguments[] = {path, (char *)(uintptr_t)first, (char *)(uintptr_t)second, NULL};
    if (path != NULL)
        check(arguments);
}

static void test_counts_join(void)
{
    check_program("join", check_counts, "2000", "500");
}

static void test_counts_pie(void)
{
    check_program("join-pie", check_counts, "2000", "500");
}

static void test_counts_odd(void)
{
    check_program("odd", check_counts, NULL, NULL);
}

static void test_counts_beside(void)
{
    check_program("patch", check_counts, "beside", NULL);
}

/* A hook for each instruction would see those twice that are begun anew; but they do as much as
 * the same instructions do that store to another place. */
static void test_counts_patch(void)
{
    g_autofree char *path = program_path("patch");
    char word[2][7] = {"", "beside"};
    Executed executed[2] = {0};
    char *place = place_new();
    for (unsigned i = 0; i < 2 && path != NULL; i++) {
        char *arguments[] = {path, i == 0 ? NULL : word[1], NULL};
        PfGuest guest;
        CU_ASSERT_TRUE(run_recorded(place, "a.pft", arguments, NULL, &guest, NULL));
        executed[i] = executed_by(&guest);
        pf_guest_clear(&guest);
    }
    place_clear(place);
    CU_ASSERT_EQUAL(executed[0].instructions, executed[1].instructions);
    CU_ASSERT_EQUAL(executed[0].reads, executed[1].reads);
    CU_ASSERT_EQUAL(executed[0].writes, executed[1].writes);
}

static void test_counts_maps(void)
{
    check_program("maps", check_counts, "text", NULL);
}

static void test_counts_deflate(void)
{
    check_program("deflate", check_counts, "text", "packed");
}

static void test_replay_join(void)
{
    check_program("join", check_replay, "2000", "500");
}

static void test_replay_pie(void)
{
    check_program("join-pie", check_replay, "2000", "500");
}

static void test_replay_odd(void)
{
    check_program("odd", check_replay, NULL, NULL);
}

static void test_replay_patch(void)
{
    check_program("patch", check_replay, NULL, NULL);
}

static void test_replay_maps(void)
{
    check_program("maps", check_replay, "text", NULL);
}

static void test_replay_query(void)
{
    check_program("query", check_replay, "database", "50");
}

static void test_late_maps(void)
{
    check_program("maps", check_late, "text", NULL);
}

static void test_late_patch(void)
{
    check_program("patch", check_late, NULL, NULL);
}

static void test_epochs_join(void)
{
    check_program("join", check_epochs, "2000", "500");
}

static void test_epochs_maps(void)
{
    check_program("maps", check_epochs, "text", NULL);
}

static const PfCheck checks[] = {
    {"counts are those of a hook for each instruction: a join", test_counts_join},
    {"... position-independent", test_counts_pie},
    {"... accesses across pages, repeated and atomic ones", test_counts_odd},
    {"... code beside what it stores", test_counts_beside},
    {"... code that changes itself", test_counts_patch},
    {"... memory that comes and goes", test_counts_maps},
    {"... zlib", test_counts_deflate},
    {"written values played again give the memory at the end: a join", test_replay_join},
    {"... position-independent", test_replay_pie},
    {"... accesses across pages, repeated and atomic ones", test_replay_odd},
    {"... code that changes itself", test_replay_patch},
    {"... memory that comes and goes", test_replay_maps},
    {"... SQLite", test_replay_query},
    {"so do they from a later beginning on: memory that comes and goes", test_late_maps},
    {"... code that changes itself", test_late_patch},
    {"pages that changed, epoch by epoch, give the memory at the end: a join", test_epochs_join},
    {"... memory that comes and goes", test_epochs_maps},
};

PF_CHECK_MAIN("recorder", checks)
