/* `check-policy` as a whole: on the example that keeps the laws, and on a policy that breaks the
 * one it is told to (tests/policies/plugin_broken.c), which must be found and named. */
#include "check.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "laws.h"
#include "spawn.h"

/* One trace, short. */
#define SHORT "--seed", "1", "--records", "60"

static void a_policy_that_keeps_the_laws_is_told_so(void)
{
    g_auto(Spawned) all = spawn(NULL, "check-policy", PLUGIN_FIRST_MATCH, SHORT);
    CU_ASSERT_EQUAL(all.status, 0);
    for (unsigned i = 0; i < pf_laws_count; i++) {
        g_autofree char *line =
            g_strdup_printf("holds   %-8s %s\n", pf_laws[i].name, pf_laws[i].sentence);
        CU_ASSERT_PTR_NOT_NULL(strstr(all.out, line));
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(all.out, "first_match keeps the laws; it looked at "));
}

/* A finder of another file is one way more to configure a policy that files anything. */
static void the_finders_of_a_plug_in_are_tried_too(void)
{
    g_auto(Spawned) alone =
        spawn(NULL, "check-policy", PLUGIN_FIRST_MATCH, "--law", "finders", SHORT);
    g_auto(Spawned) more = spawn(NULL, "check-policy", PLUGIN_FIRST_MATCH, "--law", "finders",
                                 "--plugin", PLUGIN_BLOOM, SHORT);
    unsigned ways = 0;
    unsigned more_ways = 0;
    CU_ASSERT_EQUAL(sscanf(alone.out, "%*[^,], %u ways", &ways), 1);
    CU_ASSERT_EQUAL(sscanf(more.out, "%*[^,], %u ways", &more_ways), 1);
    CU_ASSERT_EQUAL(more_ways, ways + 1);
    CU_ASSERT_EQUAL(more.status, 0);
}

/* COMMAND, as it was told, breaks a law with MESSAGE. */
static void check_again(const char *command, const char *message)
{
    g_auto(GStrv) words = NULL;
    CU_ASSERT_TRUE(g_shell_parse_argv(command, NULL, &words, NULL));
    g_auto(Spawned) again = spawn_program(NULL, (const char *const *)words + 1);
    CU_ASSERT_EQUAL(again.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(again.err, message));
}

/* LAW is told as broken with WHY, and with a command that breaks it again. */
static void check_broken(const char *breaks, const char *law, const char *why)
{
    g_autofree char *settings = g_strdup_printf("breaks = \"%s\"; ", breaks);
    /* Only what shall come to the limit does, however slow this build is. */
    bool is_endless = strcmp(breaks, "loop") == 0 || strcmp(breaks, "sleep") == 0;
    const char *limit = is_endless ? "1" : "100";
    g_auto(Spawned) found =
        spawn(NULL, "check-policy", PLUGIN_BROKEN, "--with", settings, "--limit", limit, SHORT);
    g_autofree char *line = g_strdup_printf("\nBROKEN  %-8s ", law);
    g_autofree char *message = g_strdup_printf("broken breaks the law `%s`: ", law);
    CU_ASSERT_EQUAL(found.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(found.out, line));
    CU_ASSERT_PTR_NOT_NULL(strstr(found.out, why));
    CU_ASSERT_PTR_NOT_NULL(strstr(found.err, message));
    const char *command = strstr(found.out, "again:  pagefold ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(command);
    static const char *const ones[] = {"crash", "passes", "alone", "leaks", NULL};
    if (g_strv_contains(ones, breaks)) /* of each kind; what never ends has the standard limit */
        check_again(command + strlen("again:  "), message);
}

static void a_policy_that_crashes_ends_hangs_or_refuses_is_told(void)
{
    check_broken("crash", "plays", "it crashed (");
    check_broken("promise", "plays", "assertion failed: (present");
    check_broken("exit", "plays", "it ended the program (exit status 0)");
    check_broken("loop", "plays", "it did not end within 1 s of processor time");
    check_broken("sleep", "plays", "it waited for 1 s, for what did not come");
    check_broken("create", "plays", "it will not be made");
}

static void a_promise_of_the_header_that_is_not_kept_is_told(void)
{
    check_broken("charge", "plays", "cycles <= charge_max");
    check_broken("unmapped", "plays", "!host->is_unmapping");
}

static void a_policy_that_does_not_count_its_passes_is_told(void)
{
    check_broken("passes", "passes", " passes, and 0 are counted");
}

static void a_policy_with_state_beside_its_runs_is_told(void)
{
    check_broken("alone", "alone", "'broken.runs 1' of broken_0");
}

static void a_policy_that_depends_on_chance_is_told_so_and_not_of_what_comes_of_it(void)
{
    check_broken("chance", "alone", "'broken.runs ");
}

static void a_policy_that_leaks_is_told(void)
{
    check_broken("leaks", "leaks", " bytes more of the heap in use");
    check_broken("files", "leaks", " more files open");
}

/* What holds the ends of pipes open does not keep the check from its end. */
static void a_policy_that_leaves_processes_behind_or_writes_is_checked_to_its_end(void)
{
    g_auto(Spawned) left = spawn(NULL, "check-policy", PLUGIN_BROKEN, "--with",
                                 "breaks = \"background\";", "--law", "plays", SHORT);
    g_auto(Spawned) wrote = spawn(NULL, "check-policy", PLUGIN_BROKEN, "--with",
                                  "breaks = \"print\";", "--law", "plays", SHORT);
    CU_ASSERT_EQUAL(left.status, 0);
    CU_ASSERT_PTR_NULL(strstr(left.out, "note: "));
    CU_ASSERT_EQUAL(wrote.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(wrote.out, "note:   it writes to the terminal, among the "
                                             "results of a run: a word\n"));
}

static void a_file_that_ends_the_program_when_it_is_let_go_is_refused(void)
{
    g_setenv("PLUGIN_BROKEN_LET_GO", "1", TRUE);
    g_auto(Spawned) refused = spawn(NULL, "check-policy", PLUGIN_BROKEN, SHORT);
    g_unsetenv("PLUGIN_BROKEN_LET_GO");
    CU_ASSERT_EQUAL(refused.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(refused.err, "cannot be loaded and let go: it crashed ("));
}

static void the_trace_that_shows_it_is_kept(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) found = spawn(place, "check-policy", PLUGIN_BROKEN, "--with",
                                  "breaks = \"passes\";", "--keep", "shows.trace", SHORT);
    g_autofree char *text = spawn_read(place, "shows.trace");
    CU_ASSERT_EQUAL(found.status, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_TRUE(g_str_has_prefix(text, "pagefold-trace 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nscan pass "));
    spawn_clear_place(place);
}

/* No policy is blamed for a trace that takes too long to write, and nothing of it stays. */
static void a_trace_that_is_too_long_for_its_limit_is_told_so(void)
{
    g_autofree char *place = g_dir_make_tmp("pagefold-program-XXXXXX", NULL);
    g_setenv("TMPDIR", place, TRUE);
    g_auto(Spawned) found = spawn(NULL, "check-policy", "none", "--seed", "2", "--records",
                                  "1000000", "--limit", "1");
    g_unsetenv("TMPDIR");
    CU_ASSERT_EQUAL(found.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(found.err, "the trace of 1000000 records: it did not end "));
    CU_ASSERT_PTR_NULL(strstr(found.out, "BROKEN"));
    CU_ASSERT_EQUAL(g_rmdir(place), 0);
}

static void what_cannot_be_checked_is_refused(void)
{
    static const struct {
        const char *words[5];
        int status;
        const char *message;
    } rows[] = {
        {{"check-policy", "/nowhere/x.so"}, 2, "/nowhere/x.so"},
        {{"check-policy", PLUGIN_BLOOM}, 2, "has no policy"},
        {{"check-policy", "none", "--law", "murphy"}, 2, "--law murphy: there are plays, "},
        {{"check-policy", "none", "--seed", "-1"}, 2, "--seed -1: must be above 0"},
        {{"check-policy", "none", "--records", "0"}, 2, "--records 0: must be from 1 to 1000000"},
        {{"check-policy", "none", "--limit", "0"}, 2, "--limit 0: must be above 0"},
        {{"check-policy", "none", "--with", "}; garbage"}, 2, "--with:1: "},
        {{"check-policy", PLUGIN_BROKEN, "--keep", PLUGIN_BROKEN}, 2, "--keep "},
        {{"check-policy"}, 2, "FILE"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Spawned) refused = spawn_program(NULL, rows[i].words);
        CU_ASSERT_EQUAL(refused.status, rows[i].status);
        CU_ASSERT_PTR_NOT_NULL(strstr(refused.err, rows[i].message));
    }
}

static const PfCheck checks[] = {
    {"a policy that keeps the laws is told so", a_policy_that_keeps_the_laws_is_told_so},
    {"the finders of a plug-in are tried, too", the_finders_of_a_plug_in_are_tried_too},
    {"a policy that crashes, ends the program, hangs or cannot be made is told",
     a_policy_that_crashes_ends_hangs_or_refuses_is_told},
    {"a policy that does not count its passes is told",
     a_policy_that_does_not_count_its_passes_is_told},
    {"a policy with state beside its runs is told", a_policy_with_state_beside_its_runs_is_told},
    {"a promise of the header that is not kept is told",
     a_promise_of_the_header_that_is_not_kept_is_told},
    {"a policy that depends on chance is told so, and not of what comes of it",
     a_policy_that_depends_on_chance_is_told_so_and_not_of_what_comes_of_it},
    {"a policy that leaks is told", a_policy_that_leaks_is_told},
    {"a policy that leaves processes behind or writes is checked to its end",
     a_policy_that_leaves_processes_behind_or_writes_is_checked_to_its_end},
    {"a file that ends the program when it is let go is refused",
     a_file_that_ends_the_program_when_it_is_let_go_is_refused},
    {"the trace that shows what is wrong is kept", the_trace_that_shows_it_is_kept},
    {"a trace that is too long for its limit is told so",
     a_trace_that_is_too_long_for_its_limit_is_told_so},
    {"what cannot be checked is refused", what_cannot_be_checked_is_refused},
};

PF_CHECK_MAIN("check-policy", checks)
