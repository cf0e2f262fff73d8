/* A part of a trace runs by itself, and memory is in it what it is in the whole. Random traces of
 * all kinds of records are cut at random places, played, and mixed. */
#include "check.h"

#include <glib/gstdio.h>
#include <string.h>

#include "cut.h"
#include "error.h"
#include "laws_compare.h"
#include "laws_check.h"
#include "laws_trace.h"
#include "picture.h"
#include "rng.h"
#include "trace_mix.h"

enum { SEEDS = 12, RECORDS = 500, CUTS = 3, PLAYED_SEEDS = 2 };

static struct {
    unsigned first;
    unsigned count;
} seeds = {1, SEEDS};

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static bool cut_to(const char *in, const char *out, const PfCut *cut)
{
    g_autoptr(GError) error = NULL;
    PfTraceForm form = g_str_has_suffix(out, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    bool done = pf_trace_cut(in, out, form, cut, &error);
    if (!done)
        printf("# %s\n", error->message);
    return done && pf_trace_verify(out, NULL, NULL);
}

static PfCut cut_of(uint64_t from, uint64_t to)
{
    return (PfCut){.from = {.kind = from == 0 ? PF_CUT_EDGE : PF_CUT_RECORD, .number = from},
                   .to = {.kind = PF_CUT_RECORD, .number = to}};
}

static bool try_cut(const char *whole, const char *part, unsigned seed, uint64_t from, uint64_t to)
{
    g_autofree char *what = g_strdup_printf("seed %u, records %u to %u", seed, (unsigned)from,
                                            (unsigned)to);
    PfCut cut = cut_of(from, to);
    if (!cut_to(whole, part, &cut)) {
        printf("# %s\n", what);
        return false;
    }
    GString *wanted = picture_of(whole, to);
    GString *found = picture_of(part, UINT64_MAX);
    bool equal = picture_is_equal(what, wanted, found);
    g_string_free(wanted, TRUE);
    g_string_free(found, TRUE);
    return equal;
}

/* One place where the part begins; it ends there, a little later, and at the end. */
static void test_pictures(void)
{
    unsigned wrong = 0;
    for (unsigned seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        g_autofree char *whole = path_of(seed % 2 != 0 ? "whole.trace" : "whole.pft");
        g_autofree char *part = path_of(seed % 3 != 0 ? "part.pft" : "part.trace");
        PfLawsTrace *trace = pf_laws_trace_write(whole, seed, RECORDS, NULL);
        PfRng rng = pf_rng_derive(seed, "cut");
        for (unsigned i = 0; i < CUTS; i++) {
            uint64_t from = 1 + pf_rng_below(&rng, trace->records - 1);
            uint64_t to = from + 1 + pf_rng_below(&rng, 40);
            wrong += !try_cut(whole, part, seed, from, MIN(to, trace->records));
            wrong += !try_cut(whole, part, seed, from, trace->records);
        }
        pf_laws_trace_free(trace);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_whole(void)
{
    for (unsigned seed = 1; seed <= 4; seed++) {
        g_autofree char *whole = path_of("whole.trace");
        g_autofree char *part = path_of("part.trace");
        g_autofree char *same = path_of("same.trace");
        PfLawsTrace *trace = pf_laws_trace_write(whole, seed, RECORDS, NULL);
        PfCut cut = {.from = {.kind = PF_CUT_EDGE}};
        CU_ASSERT_TRUE(cut_to(whole, part, &cut));
        CU_ASSERT_TRUE(pf_trace_convert(whole, same, PF_TRACE_TEXT, false, NULL, NULL));
        g_autofree char *a = NULL;
        g_autofree char *b = NULL;
        CU_ASSERT_TRUE(g_file_get_contents(part, &a, NULL, NULL));
        CU_ASSERT_TRUE(g_file_get_contents(same, &b, NULL, NULL));
        CU_ASSERT_STRING_EQUAL(a, b);
        pf_laws_trace_free(trace);
    }
}

static char *every_policy(const PfRegistry *registry)
{
    GString *policies = g_string_new(NULL);
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(registry, i);
        if (g_str_equal(ops->name, "none"))
            continue; /* comes by itself */
        pf_laws_add_policy(policies, ops, "");
        pf_laws_add_policy(policies, ops, "pacing = \"trace\"; ");
    }
    return g_string_free(policies, FALSE);
}

/* Every policy plays the trace at PATH, and pages hold what they would without it. There are
 * POPULATED_PAGES at its end. */
static void play_all(const char *path, uint64_t populated_pages)
{
    PfRegistry *registry = laws_registry();
    g_autofree char *policies = every_policy(registry);
    PfConfig *config;
    PfSimulation *simulation = laws_play(registry, path, policies, &config, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(simulation);
    CU_ASSERT_TRUE(pf_simulation_complete(simulation));
    CU_ASSERT_EQUAL(pf_simulation_differences(simulation), 0);
    CU_ASSERT_EQUAL(pf_laws_figure(pf_simulation_run_at(simulation, 0), "memory.populated_pages"),
                    (int64_t)populated_pages);
    pf_simulation_free(simulation);
    pf_config_free(config);
    pf_registry_free(registry);
}

static uint64_t populated_at_end(const PfLawsTrace *trace)
{
    return g_array_index(trace->marks, PfLawsMark, trace->marks->len - 1).populated_pages;
}

/* The binary trace at PATH is the same after it was text. */
static void expect_round_trip(const char *path)
{
    g_autofree char *text = path_of("round.trace");
    g_autofree char *again = path_of("again.pft");
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;
    gsize a_length;
    gsize b_length;
    CU_ASSERT_TRUE(pf_trace_convert(path, text, PF_TRACE_TEXT, false, NULL, NULL));
    CU_ASSERT_TRUE(pf_trace_convert(text, again, PF_TRACE_BINARY, false, NULL, NULL));
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &a, &a_length, NULL));
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(again, &b, &b_length, NULL));
    CU_ASSERT_TRUE(a_length == b_length && memcmp(a, b, a_length) == 0);
}

static void test_played(void)
{
    for (unsigned seed = 1; seed <= PLAYED_SEEDS; seed++) {
        g_autofree char *whole = path_of("whole.pft");
        g_autofree char *part = path_of("part.pft");
        PfLawsTrace *trace = pf_laws_trace_write(whole, seed, RECORDS, NULL);
        PfCut cut = cut_of(trace->records / 2, trace->records);
        CU_ASSERT_TRUE_FATAL(cut_to(whole, part, &cut));
        play_all(part, populated_at_end(trace));
        expect_round_trip(part);
        pf_laws_trace_free(trace);
    }
}

/* Two traces with pages of the same size side by side: each has its pages. */
static void test_mixed(void)
{
    for (unsigned seed = 1; seed <= PLAYED_SEEDS; seed++) {
        g_autofree char *left = path_of("left.pft");
        g_autofree char *right = path_of("right.pft");
        g_autofree char *both = path_of("both.pft");
        PfLawsTrace *one = pf_laws_trace_write(left, seed, RECORDS / 2, NULL);
        PfLawsTrace *two = pf_laws_trace_write(right, seed + 4, RECORDS / 2, NULL);
        PfMixInput inputs[] = {{.path = left, .prefix = ""}, {.path = right, .prefix = ""}};
        PfMix mix = {
            .inputs = inputs, .count = G_N_ELEMENTS(inputs), .private_files = seed % 2 != 0};
        CU_ASSERT_TRUE_FATAL(pf_trace_mix(&mix, both, PF_TRACE_BINARY, NULL));
        play_all(both, populated_at_end(one) + populated_at_end(two));
        expect_round_trip(both);
        pf_laws_trace_free(one);
        pf_laws_trace_free(two);
    }
}

/* ---- what is not memory ---- */

static void write_text(const char *path, const char *text)
{
    CU_ASSERT_TRUE_FATAL(g_file_set_contents(path, text, -1, NULL));
}

static void expect_part(const char *text, const PfCut *cut, const char *wanted)
{
    g_autofree char *in = path_of("in.trace");
    g_autofree char *out = path_of("out.trace");
    g_autofree char *found = NULL;
    write_text(in, text);
    CU_ASSERT_TRUE_FATAL(cut_to(in, out, cut));
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(out, &found, NULL, NULL));
    if (!g_str_equal(found, wanted))
        printf("# %s\n", found);
    CU_ASSERT_STRING_EQUAL(found, wanted);
}

#define HEAD "pagefold-trace 1\npage 16\n"

static void test_rest(void)
{
    static const char text[] =
        HEAD "clock 1GHz\ncontrol ksm.run 1\ncontext a process core=1\ncontext b vm label=x\n"
             "grain page\nmap a 0x0 4 anon mergeable\nmap a 0x100 2 file=f:16 rx\n"
             "map a 0x200 8 anon huge=64 group=3\nadvise a 0x240 4 nohuge\n"
             "begin a \"one\"\nbegin a \"two\"\n"
             "end a \"one\"\nfill a 0x0 3 id:5 step=1\nadvise a 0x0 1 suspend\n"
             "advise a 0x10 1 discardable\nattr a 0x20 1 locked\ntime 1s\nexit b\n"
             "mark here\ntime 3s\ndma a 0x10 1 disk:7:1 id:9\nend a \"two\"\nmark there\n"
             "run a 5\n";
    PfCut cut = {.from = {.kind = PF_CUT_MARK, .label = "here"},
                 .to = {.kind = PF_CUT_MARK, .label = "there"}};
    expect_part(text, &cut,
                HEAD "clock 1GHz\ncontrol ksm.run 1\ngrain page\n"
                     "context a process core=1\ncontext b vm label=x\nexit b\n"
                     "map a 0x0 1 anon mergeable\nadvise a 0x0 1 suspend\n"
                     "map a 0x10 1 anon mergeable\nadvise a 0x10 1 discardable\n"
                     "map a 0x20 1 anon mergeable\nattr a 0x20 1 locked\n"
                     "map a 0x30 1 anon mergeable\nmap a 0x100 2 file=f:16 rx\n"
                     "map a 0x200 4 anon huge=64 group=3\nmap a 0x240 4 anon huge=64 group=3\n"
                     "advise a 0x240 4 nohuge\nstate a 0x0 3 id:5 step=1\n"
                     "begin a \"two\"\nmark \"here\"\ntime 2s\ndma a 0x10 1 disk:7:1 id:9\n"
                     "end a \"two\"\nmark \"there\"\n");
}

static void expect_times(const char *text, const PfCut *cut, const char *head, const char *wanted)
{
    g_autofree char *all = g_strconcat(head, wanted, NULL);
    expect_part(text, cut, all);
}

/* A page that its context has copied from a file that has bytes, pinned, and moved since. */
static void test_moved(void)
{
    g_autofree char *in = path_of("in.trace");
    g_autofree char *part = path_of("part.pft");
    write_text(in, HEAD "context a process\nmap a 0x0 4 file=f:0\nstate a 0x0 2 id:1\n"
                        "state a 0x0 1 id:2\nattr a 0x0 1 pinned\nremap a 0x0 1 0x100\n"
                        "mark x\nwrite a 0x100 1 1\n");
    CU_ASSERT_TRUE(try_cut(in, part, 0, 6, 7));
    CU_ASSERT_TRUE(try_cut(in, part, 0, 6, 8));
}

static void test_times(void)
{
    static const char text[] = HEAD "context a process\nmap a 0x0 1 anon\ntime 1s\nrun a 1\n"
                                    "time 3s\nrun a 3\ntime 5s\nrun a 5\n";
    /* From between two times to one of them, and to between two. */
    PfCut cut = {.from = {.kind = PF_CUT_TIME_PS, .number = 2 * 1000000000000U},
                 .to = {.kind = PF_CUT_TIME_PS, .number = 5 * (uint64_t)1000000000000U}};
    static const char head[] = HEAD "context a process\nmap a 0x0 1 anon\n";
    expect_times(text, &cut, head, "time 1s\nrun a 3\ntime 3s\n");
    cut.to.number = 4 * (uint64_t)1000000000000U;
    expect_times(text, &cut, head, "time 1s\nrun a 3\ntime 2s\n");
    /* Just at a time: that is part of it. */
    cut.from.number = 3 * (uint64_t)1000000000000U;
    expect_times(text, &cut, head, "time 0ps\nrun a 3\ntime 1s\n");
}

static void test_contexts(void)
{
    static const char *const names[] = {"b", "child", NULL};
    static const char text[] =
        HEAD "context a process\ncontext b process\nmap a 0x0 2 anon\nmap b 0x0 2 anon\n"
             "fill a 0x0 1 id:1\nfork b child\nfill b 0x0 1 id:2\nmark here\nread a 0x0 1\n"
             "read child 0x0 1\nfill a 0x0 1 id:3\n";
    PfCut cut = {.from = {.kind = PF_CUT_EDGE}, .contexts = names};
    expect_part(text, &cut,
                HEAD "context b process\nmap b 0x0 2 anon\nfork b child\nfill b 0x0 1 id:2\n"
                     "mark \"here\"\nread child 0x0 1\n");
    cut.from = (PfCutPoint){.kind = PF_CUT_MARK, .label = "here"};
    expect_part(text, &cut,
                HEAD "context b process\ncontext child process\nmap b 0x0 2 anon\n"
                     "map child 0x0 2 anon\nstate b 0x0 1 id:2\nmark \"here\"\n"
                     "read child 0x0 1\n");
}

static void expect_error(const char *text, const PfCut *cut, int code, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *in = path_of("in.trace");
    g_autofree char *out = path_of("none.trace");
    write_text(in, text);
    CU_ASSERT_FALSE(pf_trace_cut(in, out, PF_TRACE_TEXT, cut, &error));
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, code));
    if (error != NULL && strstr(error->message, wanted) == NULL)
        printf("# %s\n", error->message);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, wanted));
    CU_ASSERT_FALSE(g_file_test(out, G_FILE_TEST_EXISTS));
}

static void test_errors(void)
{
    static const char text[] =
        HEAD "context a process\nmap a 0x0 2 anon\nmark here\nfork a child\nread child 0x0 1\n";
    static const char *const child[] = {"child", NULL};
    static const char *const nobody[] = {"a", "nobody", NULL};
    int stop = 1;
    PfCut cut = {.from = {.kind = PF_CUT_MARK, .label = "there"}};
    expect_error(text, &cut, PF_ERROR_USAGE, "it has no mark 'there'");
    cut = (PfCut){.from = {.kind = PF_CUT_MARK, .label = "here"},
                  .to = {.kind = PF_CUT_MARK, .label = "there"}};
    expect_error(text, &cut, PF_ERROR_USAGE, "where the part could end");
    cut = (PfCut){.from = {.kind = PF_CUT_MARK, .label = "here"},
                  .to = {.kind = PF_CUT_RECORD, .number = 2}};
    expect_error(text, &cut, PF_ERROR_USAGE, "begins after record 2, at 0 s, which is not");
    cut.to = (PfCutPoint){.kind = PF_CUT_TIME_PS, .number = 0};
    expect_error(text, &cut, PF_ERROR_USAGE, "which is not before its end");
    cut = cut_of(5, 6);
    expect_error(text, &cut, PF_ERROR_USAGE, "ends before the part begins");
    cut = (PfCut){.contexts = child};
    expect_error(text, &cut, PF_ERROR_TRACE, "in.trace:6: a context that is kept gets pages");
    cut.contexts = nobody;
    expect_error(text, &cut, PF_ERROR_USAGE, "no context 'nobody'");
    cut = (PfCut){.interrupted = &stop};
    expect_error(text, &cut, PF_ERROR_INTERRUPTED, "interrupted");
    cut = cut_of(2, 3);
    expect_error(HEAD "context a process\nread a 0x0 1\nmark x\n", &cut, PF_ERROR_TRACE,
                 "in.trace:4: read of 0x0");
    expect_error(HEAD "context a process\nattr a 0x0 1099511627776 pinned\nmark x\n", &cut,
                 PF_ERROR_TRACE, "in.trace:4: attr of 1099511627776 pages: too many");
    expect_error(HEAD "context a process\nwrong\n", &cut, PF_ERROR_TRACE, "in.trace:4");
}

static const PfCheck checks[] = {
    {"memory is in a part what it is in the whole: contents, frames, pins, mappings",
     test_pictures},
    {"all of a trace is the trace", test_whole},
    {"every policy plays a part, verified, and it is the same as text", test_played},
    {"every policy plays a mix, verified, and it is the same as text", test_mixed},
    {"parameters, grain, spans, advice, devices and marks are those of the whole", test_rest},
    {"a pinned page of a file that was moved stays its context's own", test_moved},
    {"times count from the beginning of the part, and it lasts as long", test_times},
    {"some of the contexts are a part, too", test_contexts},
    {"what cannot be cut leaves no file", test_errors},
};

static void remove_folder(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = path_of(name);
        g_unlink(path);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_rmdir(folder);
    g_free(folder);
}

/* `test_cut [FIRST [COUNT]]` tries other seeds than the usual ones. */
int main(int argc, char **argv)
{
    if (argc > 1)
        seeds.first = (unsigned)g_ascii_strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seeds.count = (unsigned)g_ascii_strtoull(argv[2], NULL, 10);
    folder = g_dir_make_tmp("pagefold-cut-XXXXXX", NULL);
    int status = pf_check_main("cut", checks, G_N_ELEMENTS(checks));
    remove_folder();
    return status;
}
