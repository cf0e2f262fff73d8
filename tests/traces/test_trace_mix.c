/* Several traces as one: the order of events, names, and that nothing is lost. */
#include "check.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "random_trace.h"
#include "trace_mix.h"

#define HEAD "pagefold-trace 1\npage 16\n"

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static char *read_text(const char *path)
{
    char *text = NULL;
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* The mix of TEXTS (NULL-terminated), as text; HOW has what is to be said of its inputs, if any. */
static char *mix_texts(const char *const *texts, PfMixInput *how, bool private_files,
                       GError **error)
{
    PfMixInput plain[4] = {{.prefix = ""}, {.prefix = ""}, {.prefix = ""}, {.prefix = ""}};
    PfMixInput *inputs = how != NULL ? how : plain;
    g_autofree char *out = path_of("out.trace");
    PfMix mix = {.inputs = inputs, .private_files = private_files};
    for (; texts[mix.count] != NULL; mix.count++) {
        g_autofree char *name = g_strdup_printf("in%u.trace", mix.count);
        inputs[mix.count].path = path_of(name);
        CU_ASSERT_TRUE_FATAL(
            g_file_set_contents(inputs[mix.count].path, texts[mix.count], -1, NULL));
    }
    bool done = pf_trace_mix(&mix, out, PF_TRACE_TEXT, error);
    for (unsigned i = 0; i < mix.count; i++)
        g_free((char *)(uintptr_t)inputs[i].path);
    CU_ASSERT_EQUAL(g_file_test(out, G_FILE_TEST_EXISTS), done);
    if (!done)
        return NULL;
    char *text = read_text(out);
    g_unlink(out);
    return text;
}

static void expect_with(const char *const *texts, PfMixInput *how, bool private_files,
                        const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = mix_texts(texts, how, private_files, &error);
    if (found == NULL)
        printf("# %s\n", error->message);
    else if (strcmp(found, wanted) != 0)
        printf("# found:\n%s", found);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_STRING_EQUAL(found, wanted);
}

static void expect(const char *const *texts, const char *wanted)
{
    expect_with(texts, NULL, false, wanted);
}

#define MIX_HEAD HEAD "description \"{\\\"source\\\": \\\"mix\\\"}\"\n"

/* Each event stands where its trace has said the latest time. */
static void test_times(void)
{
    static const char *const texts[] = {
        HEAD "context a process\ntime 1s\nidle a 1s\ntime 4s\nidle a 4s\n",
        HEAD "context b process\nidle b 1s\ntime 2s\nidle b 2s\ntime 4s\nidle b 4s\n", NULL};
    /* At the start a has done nothing, then 1 of 5, b 1 of 6, 2 of 6; at 4 s a 3 of 5, b 4 of 6. */
    expect(texts, MIX_HEAD "context a process\ncontext b process\nidle b 1s\ntime 1s\nidle a 1s\n"
                           "time 2s\nidle b 2s\ntime 4s\ntime 4s\nidle a 4s\nidle b 4s\n");
    PfMixInput later[] = {{.prefix = "", .offset_ps = 3 * (uint64_t)1000000000000},
                          {.prefix = ""}};
    expect_with(texts, later, false,
                MIX_HEAD "context b process\nidle b 1s\ntime 2s\nidle b 2s\ntime 3s\n"
                         "context a process\ntime 4s\nidle a 1s\ntime 4s\nidle b 4s\ntime 7s\n"
                         "idle a 4s\n");
}

/* Without times by the share of the work: an instruction is as much as an event. */
static void test_shares(void)
{
    static const char *const texts[] = {
        HEAD "context a process\nrun a 5\nrun a 1\nidle a 1s\n",
        HEAD "context b process\nidle b 2s\n", NULL};
    /* a: before its events 0, 1, 7, 9 of 10 are done; b: 0, 1 of 2. */
    expect(texts, MIX_HEAD "context a process\ncontext b process\nrun a 5\nidle b 2s\nrun a 1\n"
                           "idle a 1s\n");
}

/* A trace without times is spread over those of the others. */
static void test_spread(void)
{
    static const char *const texts[] = {
        HEAD "context a process\nidle a 1s\nidle a 2s\nidle a 3s\n",
        HEAD "context b process\ntime 2s\nidle b 2s\ntime 4s\nidle b 4s\n", NULL};
    /* a's events at 0, 1, 2, 3 s; at 2 s a has done half of its work, b a fifth. */
    expect(texts, MIX_HEAD "context a process\ncontext b process\nidle a 1s\ntime 2s\nidle b 2s\n"
                           "idle a 2s\nidle a 3s\ntime 4s\nidle b 4s\n");
}

static void test_names(void)
{
    static const char text[] = HEAD "context a process\nmap a 0x0 1 file=f:0\n"
                                    "map a 0x10 1 shmem=s:0\nfork a b\nalias b 0x0 1 a 0x10\n"
                                    "mark one\nmark one\nexit a\n";
    static const char *const texts[] = {text, text, NULL};
    expect(texts, MIX_HEAD
           "context a process\ncontext a.2 process\nmap a 0x0 1 file=f:0\nmap a.2 0x0 1 file=f:0\n"
           "map a 0x10 1 shmem=s:0\nmap a.2 0x10 1 shmem=s:0\nfork a b\nfork a.2 b.2\n"
           "alias b 0x0 1 a 0x10\nalias b.2 0x0 1 a.2 0x10\nmark \"one\"\nmark \"one.2\"\n"
           "mark \"one\"\nmark \"one.2\"\nexit a\nexit a.2\n");
    static const char *const single[] = {HEAD "context a process\nmap a 0x0 1 file=f:0\n"
                                              "map a 0x10 1 shmem=s:0\nmark m\n",
                                         NULL};
    PfMixInput prefixed[] = {{.prefix = "x-"}};
    expect_with(single, prefixed, true,
                HEAD "context x-a process\nmap x-a 0x0 1 file=f.1:0\nmap x-a 0x10 1 shmem=s.1:0\n"
                     "mark \"x-m\"\n");
    /* A name that is made for one may be another's already. */
    static const char *const taken[] = {HEAD "context a process\ncontext a.2 process\n",
                                        HEAD "context a process\n", NULL};
    PfMixInput plain[] = {{.prefix = ""}, {.prefix = ""}};
    expect_with(taken, plain, false,
                MIX_HEAD "context a process\ncontext a.2 process\ncontext a.2.1 process\n");
}

static void test_grain(void)
{
    static const char *const texts[] = {
        HEAD "grain page\ncontext a process\nmap a 0x0 1 anon\nfill a 0x0 1 id:1\n",
        HEAD "context b process\nmap b 0x0 1 anon\nread b 0x0 1\nread b 0x0 2\n", NULL};
    expect(texts, MIX_HEAD "grain page\ncontext b process\ncontext a process\ngrain access\n"
                           "map b 0x0 1 anon\ngrain page\nmap a 0x0 1 anon\ngrain access\n"
                           "read b 0x0 1\ngrain page\nfill a 0x0 1 id:1\ngrain access\n"
                           "read b 0x0 2\n");
}

static void test_one(void)
{
    g_autofree char *in = path_of("in.pft");
    g_autofree char *same = path_of("same.trace");
    g_autofree char *out = path_of("one.trace");
    for (unsigned seed = 1; seed <= 20; seed++) {
        random_trace_write(in, PF_TRACE_BINARY, seed, 300);
        PfMixInput input = {.path = in, .prefix = ""};
        PfMix mix = {.inputs = &input, .count = 1};
        CU_ASSERT_TRUE_FATAL(pf_trace_mix(&mix, out, PF_TRACE_TEXT, NULL));
        CU_ASSERT_TRUE_FATAL(pf_trace_convert(in, same, PF_TRACE_TEXT, false, NULL, NULL));
        g_autofree char *found = read_text(out);
        g_autofree char *wanted = read_text(same);
        CU_ASSERT_STRING_EQUAL(found, wanted);
    }
}

/* The lines of TEXT that name a context whose quoted name begins with PREFIX, without that. */
static char *lines_of(const char *text, const char *prefix)
{
    g_autofree char *quoted = g_strconcat("\"", prefix, "c ", NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *found = g_string_new(NULL);
    for (char **line = lines; *line != NULL; line++)
        if (strstr(*line, quoted) != NULL)
            g_string_append_printf(found, "%s\n", *line);
    if (prefix[0] != '\0')
        g_string_replace(found, quoted, "\"c ", 0);
    return g_string_free(found, FALSE);
}

/* Of each trace the events of its contexts are in the mix, as they were and in their order. */
static void test_lossless(void)
{
    enum { TRACES = 3 };
    static const char *const prefixes[TRACES] = {"one-", "two-", "three-"};
    g_autofree char *mixed = path_of("mixed.pft");
    g_autofree char *text_path = path_of("mixed.trace");
    for (unsigned seed = 1; seed <= 20; seed++) {
        PfMixInput inputs[TRACES];
        uint64_t wanted[PF_RECORD_KINDS] = {0};
        char *texts[TRACES] = {NULL};
        for (unsigned i = 0; i < TRACES; i++) {
            PfTraceSummary summary;
            g_autofree char *name = g_strdup_printf("in%u", i);
            inputs[i] = (PfMixInput){.path = path_of(name), .prefix = prefixes[i]};
            random_trace_write(inputs[i].path, i == 1 ? PF_TRACE_TEXT : PF_TRACE_BINARY,
                               seed * TRACES + i, 100 + 70 * i);
            CU_ASSERT_TRUE_FATAL(pf_trace_verify(inputs[i].path, &summary, NULL));
            for (unsigned kind = 0; kind < PF_RECORD_KINDS; kind++)
                wanted[kind] += summary.records_by_kind[kind];
            CU_ASSERT_TRUE_FATAL(pf_trace_convert(inputs[i].path, text_path, PF_TRACE_TEXT, false,
                                                  NULL, NULL));
            texts[i] = read_text(text_path);
        }
        PfMix mix = {.inputs = inputs, .count = TRACES};
        PfTraceSummary summary;
        CU_ASSERT_TRUE_FATAL(pf_trace_mix(&mix, mixed, PF_TRACE_BINARY, NULL));
        CU_ASSERT_TRUE_FATAL(pf_trace_verify(mixed, &summary, NULL));
        for (unsigned kind = 0; kind < PF_RECORD_KINDS; kind++)
            if (kind != PF_RECORD_GRAIN)
                CU_ASSERT_EQUAL(summary.records_by_kind[kind], wanted[kind]);
        CU_ASSERT_TRUE_FATAL(
            pf_trace_convert(mixed, text_path, PF_TRACE_TEXT, false, NULL, NULL));
        g_autofree char *all = read_text(text_path);
        for (unsigned i = 0; i < TRACES; i++) {
            g_autofree char *found = lines_of(all, prefixes[i]);
            g_autofree char *original = lines_of(texts[i], "");
            CU_ASSERT_TRUE(strlen(original) > 1000);
            CU_ASSERT_STRING_EQUAL(found, original);
            g_free((char *)(uintptr_t)inputs[i].path);
            g_clear_pointer(&texts[i], g_free);
        }
    }
}

static void expect_error(const char *const *texts, PfMixInput *how, int code, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = mix_texts(texts, how, false, &error);
    CU_ASSERT_PTR_NULL_FATAL(found);
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, code));
    if (strstr(error->message, wanted) == NULL)
        printf("# %s\n", error->message);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, wanted));
}

static void test_errors(void)
{
    static const char *const sizes[] = {HEAD "context a process\n",
                                        "pagefold-trace 1\npage 32\ncontext b process\n", NULL};
    expect_error(sizes, NULL, PF_ERROR_USAGE, "its pages have 32 bytes");
    static const char *const untimed[] = {HEAD "context a process\n", HEAD "mark x\n", NULL};
    PfMixInput later[] = {{.prefix = ""}, {.prefix = "", .offset_ps = 5}};
    expect_error(untimed, later, PF_ERROR_USAGE, "none of the traces has times");
    static const char *const wrong[] = {HEAD "context a process\n", HEAD "wrong\n", NULL};
    expect_error(wrong, NULL, PF_ERROR_TRACE, "in1.trace:3");
    static const char *const empty[] = {HEAD "context a process\n", "", NULL};
    expect_error(empty, NULL, PF_ERROR_TRACE, "in1.trace");
    g_autoptr(GError) error = NULL;
    g_autofree char *in = path_of("in0.trace");
    g_autofree char *out = path_of("out.trace");
    int stop = 1;
    PfMixInput input = {.path = in, .prefix = ""};
    PfMix mix = {.inputs = &input, .count = 1, .interrupted = &stop};
    CU_ASSERT_FALSE(pf_trace_mix(&mix, out, PF_TRACE_TEXT, &error));
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_INTERRUPTED));
    CU_ASSERT_FALSE(g_file_test(out, G_FILE_TEST_EXISTS));
}

static const PfCheck checks[] = {
    {"events stand at the latest time that their trace has said", test_times},
    {"without times events are mixed by the share of the work", test_shares},
    {"a trace without times is spread over the times of the others", test_spread},
    {"names that another trace has get its number; files are common, if not said otherwise",
     test_names},
    {"events of each grain keep theirs", test_grain},
    {"the mix of one trace has the same events", test_one},
    {"no event of a context is lost or changed", test_lossless},
    {"what cannot be mixed is told, and leaves no file", test_errors},
};

int main(void)
{
    folder = g_dir_make_tmp("pagefold-mix-XXXXXX", NULL);
    int status = pf_check_main("mix", checks, G_N_ELEMENTS(checks));
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = path_of(name);
        g_unlink(path);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_rmdir(folder);
    g_free(folder);
    return status;
}
