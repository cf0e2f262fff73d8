/* `explain`: what it tells is what a run does, in 80 columns. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "spawn.h"

static char *sample(const char *name)
{
    return g_build_filename(g_getenv("PAGEFOLD_TRACES"), name, NULL);
}

/* Eight records, six of them to set up; then the pages are found equal, and B's is written. */
static const char two_pages[] =
    "pagefold-trace 1\npage 4\ncontext A process\ncontext B process\n"
    "map A 0x0 1 anon\nmap B 0x0 1 anon\nfill A 0x0 1 \"Tree\"\nfill B 0x0 1 \"Tree\"\n"
    "scan pass 1\nwrite B 0x0 1 0x46\n";

static void shows_a_shared_frame_and_then_the_copy(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "two.trace", two_pages);
    g_auto(Spawned) run = spawn(place, "explain", "two.trace", "--policy", "brute", "--ascii");
    CU_ASSERT_EQUAL(run.status, 0);
    static const char *const pieces[] = {
        "    7  A policy that the trace calls makes 1 full pass now.\n",
        "B:0x0 is mapped onto frame 1, copy-on-write, in place of frame 2.\n",
        "   A:0x0 --+->*frame 1  \"Tree\"        2 refs   COW\n"
        " * B:0x0 --+\n"
        "              *free: 2\n",
        "    8  B writes 1 byte at 0x0; the page now reads \"Free\".\n"
        "     - Frame 1 is copy-on-write: the store faults, and B:0x0 gets a copy, in\n",
        /* A has what it had, but for itself; it would be taken back at a store. */
        "   A:0x0 ---->*frame 1  \"Tree\"        1 ref    COW\n"
        " * B:0x0 ---->*frame 2  \"Free\"        1 ref    private\n",
        "In the end, 2 pages that got bytes in 2 frames;",
    };
    const char *at = run.out;
    for (unsigned i = 0; i < G_N_ELEMENTS(pieces); i++) {
        const char *next = strstr(at, pieces[i]);
        if (next == NULL)
            printf("# missing: %s# in: %s", pieces[i], at);
        CU_ASSERT_PTR_NOT_NULL(next);
        at = next != NULL ? next : at;
    }
    spawn_clear_place(place);
}

/* Lines of the last picture before AT in TEXT that show a frame. */
static unsigned frames_before(const char *text, const char *at)
{
    unsigned frames = 0;
    bool is_before = false;
    g_autofree char *part = g_strndup(text, (gsize)(at - text));
    g_auto(GStrv) lines = g_strsplit(part, "\n", -1);
    for (guint i = g_strv_length(lines); i > 0; i--) {
        bool shows = strstr(lines[i - 1], ">*frame ") != NULL ||
                     strstr(lines[i - 1], "> frame ") != NULL;
        frames += shows;
        is_before |= shows;
        if (is_before && lines[i - 1][0] == '\0')
            break;
    }
    return frames;
}

static void pictures_of_figure_4_have_the_figures_frames(void)
{
    static const struct {
        const char *mark;
        unsigned frames;
    } rows[] = {{"\"404\"", 1}, {"\"406\"", 2}, {"\"408\"", 4}, {"\"410\"", 2}, {"\"412\"", 1}};
    g_autofree char *path = sample("stories/figure-4.trace");
    g_auto(Spawned) run = spawn(NULL, "explain", path);
    CU_ASSERT_EQUAL(run.status, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *mark = strstr(run.out, rows[i].mark);
        CU_ASSERT_PTR_NOT_NULL_FATAL(mark);
        CU_ASSERT_EQUAL(frames_before(run.out, mark), rows[i].frames);
    }
}

/* The number behind NAME in the statistics of POLICY. */
static uint64_t stat_of(const char *json, const char *policy, const char *name)
{
    g_autofree char *head = g_strdup_printf("\"policy\": \"%s\"", policy);
    g_autofree char *key = g_strdup_printf("\"%s\": ", name);
    const char *at = strstr(json, head);
    at = at != NULL ? strstr(at, key) : NULL;
    CU_ASSERT_PTR_NOT_NULL(at);
    return at != NULL ? g_ascii_strtoull(at + strlen(key), NULL, 10) : UINT64_MAX;
}

/* TEXT without commas and line breaks. */
static char *plain(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0'; text++)
        if (*text != ',')
            g_string_append_c(out, *text == '\n' ? ' ' : *text);
    return g_string_free(out, FALSE);
}

static void being_watched_changes_nothing(void)
{
    static const char *const policies[] = {"none", "brute", "collapse", "esx",
                                           "ksm",  "zero",  "oracle",   "zero-compress"};
    char *place = spawn_make_place();
    g_autofree char *path = sample("samples/tiny.trace");
    for (unsigned i = 0; i < G_N_ELEMENTS(policies); i++) {
        g_autofree char *config = g_strdup_printf(
            "policies = ( { name = \"%s\"; pacing = \"trace\"; } );\n", policies[i]);
        spawn_write(place, "a.cfg", config);
        g_auto(Spawned) run =
            spawn(place, "run", "a.cfg", "--trace", path, "--format", "json", "-j", "1");
        g_auto(Spawned) told = spawn(place, "explain", path, "--config", "a.cfg");
        CU_ASSERT_EQUAL(run.status, 0);
        CU_ASSERT_EQUAL(told.status, 0);
        uint64_t frames = g_str_equal(policies[i], "oracle") /* maps nothing: what `none` has */
                              ? stat_of(run.out, "none", "memory.used_frames")
                              : stat_of(run.out, policies[i], "memory.used_frames");
        g_autofree char *expected = g_strdup_printf(
            "In the end 8 pages that got bytes in %" G_GUINT64_FORMAT " frames; %" G_GUINT64_FORMAT
            " cycles of the contexts %" G_GUINT64_FORMAT " of the policy.",
            frames, stat_of(run.out, policies[i], "cycles.app"),
            stat_of(run.out, policies[i], "cycles.policy"));
        g_autofree char *got = plain(told.out);
        if (strstr(got, expected) == NULL)
            printf("# %s: no '%s' in '%s'\n", policies[i], expected, strstr(got, "In the end"));
        CU_ASSERT_PTR_NOT_NULL(strstr(got, expected));
    }
    spawn_clear_place(place);
}

/* In the third pass of the story C is seen unchanged, and D for the first time. */
static void what_ksm_keeps_in_mind_is_a_hint(void)
{
    g_autofree char *path = sample("stories/two-visits.trace");
    g_auto(Spawned) run =
        spawn(NULL, "explain", path, "--policy", "ksm", "--ascii", "--from", "18", "--to", "18");
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "It keeps C:0x0 in mind"));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "frame 3  \"Leaf\"        1 ref    hint\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "frame 1  \"Tree\"        1 ref    private\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "frame 2  \"Tree\"        2 refs   COW\n"));
}

/* 8 bits of the keys of both words are 94. A CAM that is believed gives C the page of A. */
static void a_false_match_that_is_believed_shows(void)
{
    g_autofree char *path = sample("stories/false-match.trace");
    g_auto(Spawned) run = spawn(NULL, "explain", path, "-s", "policies.collapse.hash_bits=8", "-s",
                                "policies.collapse.finder=cam", "-s", "machine.cam.verify=false");
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "C reads 4 bytes at 0x0; the page reads \"Bush\" in "
                                           "place of \"Fern\".\n"));
}

static void a_parameter_that_is_set_is_told_with_what_becomes_of_it(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "set.trace",
                "pagefold-trace 1\ncontrol esx.rate 5\ncontrol esx.colour 3\ncontrol ksm.run 1\n");
    g_auto(Spawned) run = spawn(place, "explain", "set.trace", "--policy", "esx");
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "esx.rate to 5.\n     - The policy obeys.\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "esx.colour to 3.\n     - The policy refuses that"));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "ksm.run to 1.\n     - That is no parameter of this"));
    spawn_clear_place(place);
}

static void two_tellings_are_the_same_bytes(void)
{
    g_autofree char *path = sample("samples/tiny.trace");
    g_auto(Spawned) first = spawn(NULL, "explain", path, "--policy", "esx");
    g_auto(Spawned) second = spawn(NULL, "explain", path, "--policy", "esx");
    CU_ASSERT_STRING_EQUAL(first.out, second.out);
    CU_ASSERT_PTR_NOT_NULL(strstr(first.out, "─"));
    CU_ASSERT_PTR_NULL(strchr(first.out, '\033'));
}

/* A name of a kilobyte, pages far up, wide characters and such as move a cursor. */
static void fits_into_80_columns_whatever_the_names(void)
{
    char *place = spawn_make_place();
    g_autofree char *name = g_strnfill(1000, 'n');
    g_autofree char *trace = g_strdup_printf(
        "pagefold-trace 1\npage 1MiB\ncontext %s vm\n"
        "context \"\xe4\xb8\x96\xe7\x95\x8c\\n\\x1b[2J\" process\n"
        "map %s 0xfffffffffff00000 1 anon\nmap %s 0x7ffff0000000 64 anon\n"
        "fill %s 0x7ffff0000000 64 \"A text that is longer than the column for it\"\n"
        "fill %s 0xfffffffffff00000 1 ones\nmark \"%s\"\nscan pass 1\n",
        name, name, name, name, name, name);
    spawn_write(place, "wide.trace", trace);
    for (unsigned ascii = 0; ascii < 2; ascii++) {
        g_auto(Spawned) run =
            spawn(place, "explain", "wide.trace", ascii != 0 ? "--ascii" : "--policy=collapse");
        CU_ASSERT_EQUAL(run.status, 0);
        CU_ASSERT_PTR_NULL(strchr(run.out, '\033'));
        CU_ASSERT_TRUE(g_utf8_validate(run.out, -1, NULL));
        g_auto(GStrv) lines = g_strsplit(run.out, "\n", -1);
        glong widest = 0;
        for (char **line = lines; *line != NULL; line++)
            widest = MAX(widest, g_utf8_strlen(*line, -1));
        CU_ASSERT(widest <= 80);
        CU_ASSERT(widest > 60);
        if (ascii != 0)
            CU_ASSERT_TRUE(g_str_is_ascii(run.out));
    }
    spawn_clear_place(place);
}

/* 501 marks are one too many; 500 of them are not. */
static void refuses_what_is_too_long_and_tells_a_part(void)
{
    char *place = spawn_make_place();
    g_autoptr(GString) trace = g_string_new("pagefold-trace 1\npage 4KiB\n");
    for (unsigned i = 0; i < 501; i++)
        g_string_append(trace, "mark \"m\"\n");
    spawn_write(place, "long.trace", trace->str);
    g_auto(Spawned) all = spawn(place, "explain", "long.trace");
    CU_ASSERT_EQUAL(all.status, 1);
    CU_ASSERT_STRING_EQUAL(all.out, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(all.err, "501 events are too many to be told, 500 are the most"));
    CU_ASSERT_PTR_NOT_NULL(strstr(all.err, "trace cut"));
    g_auto(Spawned) most = spawn(place, "explain", "long.trace", "--from", "2");
    CU_ASSERT_EQUAL(most.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(most.out, "\n    2  Mark"));
    CU_ASSERT_PTR_NOT_NULL(strstr(most.out, "\n  501  Mark"));
    CU_ASSERT_PTR_NULL(strstr(most.out, "\n    1  Mark"));
    g_auto(Spawned) one = spawn(place, "explain", "long.trace", "--from", "7", "--to", "7");
    CU_ASSERT_PTR_NOT_NULL(strstr(one.out, "\n    7  Mark"));
    CU_ASSERT_PTR_NULL(strstr(one.out, "\n    8  Mark"));
    spawn_clear_place(place);
}

static void refuses(void)
{
    static const struct {
        const char *arguments[5];
        int status;
        const char *message;
    } rows[] = {
        {{"no.trace"}, 3, "no.trace"},
        {{"."}, 3, "."},
        {{"-"}, 2, "is no file"},
        {{"demo.cfg"}, 3, "demo.cfg"},
        {{"two.trace", "--policy", "kms"}, 2, "'kms'"},
        {{"two.trace", "--policy", "ksm,esx"}, 2, "one policy"},
        {{"two.trace", "--policy", "a\"b"}, 2, "a\"b"},
        {{"two.trace", "--config", "no.cfg"}, 2, "no.cfg"},
        {{"two.trace", "-s", "mode=\"dram\""}, 2, "mode"},
        {{"two.trace", "--from", "9"}, 2, "8 events"},
        {{"two.trace", "--from", "3", "--to", "2"}, 2, "--from and --to"},
        {{"two.trace", "--to", "-1"}, 2, "--from and --to"},
        {{"two.trace", "--step"}, 2, "no terminal"},
        {{"two.trace", "-s", "policies.collapse.findr=cam"}, 2, "findr"},
        {{"cut.trace"}, 3, "cut.trace:11:"},
    };
    char *place = spawn_make_place();
    spawn_write(place, "two.trace", two_pages);
    g_autofree char *cut = g_strconcat(two_pages, "write B 0x0", NULL);
    spawn_write(place, "cut.trace", cut);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *const *given = rows[i].arguments;
        g_auto(Spawned) run =
            spawn(place, "explain", given[0], given[1], given[2], given[3], given[4]);
        bool is_told = strstr(run.err, rows[i].message) != NULL;
        if (run.status != rows[i].status || !is_told || run.out[0] != '\0')
            printf("# %s %s: %d, %s\n", given[0], given[1], run.status, run.err);
        CU_ASSERT_EQUAL(run.status, rows[i].status);
        CU_ASSERT_TRUE(is_told);
        CU_ASSERT_STRING_EQUAL(run.out, "");
    }
    spawn_clear_place(place);
}

/* An unmapped address is found in the course of the run: what came before is told. */
static void ends_where_the_trace_is_wrong(void)
{
    char *place = spawn_make_place();
    g_autofree char *wrong = g_strconcat(two_pages, "read B 0x4000 4\n", NULL);
    spawn_write(place, "wrong.trace", wrong);
    g_auto(Spawned) run = spawn(place, "explain", "wrong.trace");
    CU_ASSERT_EQUAL(run.status, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "wrong.trace:11: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "\n    8  B writes"));
    spawn_clear_place(place);
}

static void colour_is_asked_for(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "two.trace", two_pages);
    g_auto(Spawned) never = spawn(place, "explain", "two.trace", "--color", "never");
    g_auto(Spawned) always = spawn(place, "explain", "two.trace", "--color", "always");
    CU_ASSERT_PTR_NULL(strchr(never.out, '\033'));
    CU_ASSERT_PTR_NOT_NULL(strstr(always.out, "\033[1m"));
    /* The same words. */
    g_autoptr(GRegex) escapes = g_regex_new("\033\\[[0-9]*m", 0, 0, NULL);
    g_autofree char *bare = g_regex_replace_literal(escapes, always.out, -1, 0, "", 0, NULL);
    CU_ASSERT_STRING_EQUAL(bare, never.out);
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"shows a shared frame and then the copy", shows_a_shared_frame_and_then_the_copy},
    {"pictures of figure 4 have the figure's frames: 1, 2, 4, 2, 1",
     pictures_of_figure_4_have_the_figures_frames},
    {"being watched changes nothing", being_watched_changes_nothing},
    {"what ksm keeps in mind is a hint", what_ksm_keeps_in_mind_is_a_hint},
    {"a false match that is believed shows", a_false_match_that_is_believed_shows},
    {"a parameter that is set is told with what becomes of it",
     a_parameter_that_is_set_is_told_with_what_becomes_of_it},
    {"two tellings are the same bytes", two_tellings_are_the_same_bytes},
    {"fits into 80 columns whatever the names", fits_into_80_columns_whatever_the_names},
    {"refuses what is too long and tells a part", refuses_what_is_too_long_and_tells_a_part},
    {"refuses what cannot be told", refuses},
    {"ends where the trace is wrong", ends_where_the_trace_is_wrong},
    {"colour is asked for", colour_is_asked_for},
};

int main(void)
{
    return pf_check_main("app-explain", checks, G_N_ELEMENTS(checks));
}
