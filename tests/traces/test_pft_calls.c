/* What pft says to wrong calls and full disks, and what its short calls write. */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "dump.h"
#include "pft.h"

static const PftHeader header = {.page_bytes = 16};

static unsigned files_in(const char *folder)
{
    unsigned count = 0;
    GDir *dir = g_dir_open(folder, 0, NULL);
    while (dir != NULL && g_dir_read_name(dir) != NULL)
        count++;
    if (dir != NULL)
        g_dir_close(dir);
    return count;
}

/* A writer of two contexts, of which the second has exited. */
static PftWriter *begin(const char *path)
{
    PftWriter *writer = pft_writer_new(path, &header);
    CU_ASSERT_PTR_NULL_FATAL(pft_error(writer));
    CU_ASSERT_EQUAL(pft_context(writer, "p", PFT_PROCESS), 0);
    CU_ASSERT_EQUAL(pft_context(writer, "gone", PFT_VM), 1);
    PftRecord gone = {.kind = PFT_EXIT, .context = 1};
    CU_ASSERT_TRUE(pft_add(writer, &gone));
    return writer;
}

/* Records that break a rule, with what is said of them. */
static const struct {
    PftRecord record;
    const char *said;
} wrong[] = {
    {{.kind = PFT_RUN, .context = 2, .count = 1},
     "run (context 2, address 0x0, count 1): the "
     "context is not known; make it first"},
    {{.kind = PFT_RUN, .context = 1}, "the context has exited"},
    {{.kind = PFT_READ, .count = 17}, "no byte, or more than a page; split it"},
    {{.kind = PFT_READ}, "no byte, or more than a page; split it"},
    {{.kind = PFT_FETCH, .address = UINT64_MAX, .count = 2}, "beyond the end of the address space"},
    {{.kind = PFT_READ, .count = 1, .flags = PFT_VALUE}, "a flag that does not belong to it"},
    {{.kind = PFT_WRITE, .count = 1, .flags = PFT_VALUE, .value = 256}, "the value does not fit"},
    {{.kind = PFT_WRITE, .count = 9, .flags = PFT_VALUE}, "the bytes of the write are missing"},
    {{.kind = PFT_MAP, .address = 8, .count = 1}, "is no multiple of the page size"},
    {{.kind = PFT_MAP}, "no page, or more than 2^40"},
    {{.kind = PFT_MAP, .address = ~(uint64_t)15, .count = 2}, "the pages reach beyond the end"},
    {{.kind = PFT_MAP, .count = 1, .backing = PFT_FILE}, "a name is missing"},
    {{.kind = PFT_MAP, .count = 1, .backing = PFT_FILE, .name = "f", .number = 8}, "the offset"},
    {{.kind = PFT_MAP, .count = 1, .huge_bytes = 16}, "huge_bytes is no power of two above"},
    {{.kind = PFT_MAP, .count = 1, .protection = (PftProtection)3}, "unknown backing or"},
    {{.kind = PFT_FILL, .count = 1}, "the content was not given"},
    {{.kind = PFT_ALIAS, .count = 1, .other_context = 9}, "the context is not known"},
    {{.kind = PFT_REMAP, .count = 1, .other_address = 1}, "is no multiple of the page size"},
    {{.kind = PFT_ADVISE, .count = 1, .choice = PFT_RESUME + 1}, "an unknown advice"},
    {{.kind = PFT_ATTR, .count = 1, .choice = PFT_UNPINNED + 1}, "an unknown attribute"},
    {{.kind = PFT_CONTEXT, .name = "p"}, "a context of that name exists already, or has existed"},
    {{.kind = PFT_FORK, .name = "gone"}, "a context of that name exists already, or has existed"},
    {{.kind = PFT_CONTEXT, .name = ""}, "a name is missing"},
    {{.kind = PFT_CONTEXT, .name = "a\xff"}, "a name or label is not UTF-8"},
    {{.kind = PFT_CONTEXT, .name = "a", .choice = 2}, "an unknown kind of context"},
    {{.kind = PFT_CONTROL, .name = "k"}, "a name is missing"},
    {{.kind = PFT_MARK}, "a name is missing"},
    {{.kind = PFT_GRAIN, .count = 2}, "an unknown grain"},
    {{.kind = PFT_CONTENT}, "give contents by pft_content"},
};

static void test_wrong_records(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        PftWriter *writer = begin(path);
        CU_ASSERT_EQUAL(files_in(folder), 1);
        CU_ASSERT_FALSE(pft_add(writer, &wrong[i].record));
        CU_ASSERT_PTR_NOT_NULL_FATAL(pft_error(writer));
        if (strstr(pft_error(writer), wrong[i].said) == NULL)
            printf("# %s\n", pft_error(writer));
        CU_ASSERT_PTR_NOT_NULL(strstr(pft_error(writer), wrong[i].said));
        g_autofree char *place = g_strdup_printf("%s: record 3, ", path);
        CU_ASSERT(g_str_has_prefix(pft_error(writer), place));
        /* It is told at once, it stays, and nothing else does. */
        CU_ASSERT_EQUAL(files_in(folder), 0);
        g_autofree char *first = g_strdup(pft_error(writer));
        CU_ASSERT_FALSE(pft_run(writer, 0, 1));
        CU_ASSERT_FALSE(pft_page(writer, PFT_FILL, 0, 0, "0123456789abcdef"));
        CU_ASSERT_EQUAL(pft_context(writer, "new", PFT_VM), PFT_NONE);
        CU_ASSERT_FALSE(pft_finish(writer));
        CU_ASSERT_STRING_EQUAL(pft_error(writer), first);
        pft_writer_free(writer);
        CU_ASSERT_EQUAL(files_in(folder), 0);
    }
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

static void test_wrong_contents(void)
{
    static const PftContent contents[] = {
        {.form = PFT_FORMS}, {.form = PFT_ID, .at = 16}, {.form = PFT_BYTES, .length = 1}};
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
        PftWriter *writer = begin(path);
        CU_ASSERT_EQUAL(pft_content(writer, &contents[i]), PFT_NONE);
        CU_ASSERT_PTR_NOT_NULL(strstr(pft_error(writer), "a content of unknown form, or larger"));
        CU_ASSERT_EQUAL(files_in(folder), 0);
        pft_writer_free(writer);
    }
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

/* The file is whole, and a call that comes too late does not take it away. */
static void test_after_finish(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    PftWriter *writer = begin(path);
    CU_ASSERT_TRUE(pft_finish(writer));
    CU_ASSERT_TRUE(pft_finish(writer));
    CU_ASSERT_FALSE(pft_mark(writer, "late"));
    CU_ASSERT(g_str_has_suffix(pft_error(writer), "/t: the trace is finished, nothing can be "
                                                  "added"));
    CU_ASSERT_FALSE(pft_finish(writer));
    pft_writer_free(writer);
    CU_ASSERT_EQUAL(files_in(folder), 1);
    PfTraceSummary summary;
    CU_ASSERT_TRUE(pf_trace_verify(path, &summary, NULL));
    CU_ASSERT_EQUAL(summary.records, 3);
    g_unlink(path);
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

static void test_unfinished(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    CU_ASSERT_FATAL(g_file_set_contents(path, "old", -1, NULL));
    pft_writer_free(begin(path));
    PftWriter *writer = begin(path);
    CU_ASSERT_FALSE(pft_run(writer, 7, 1));
    pft_writer_free(writer);
    g_autofree char *kept = NULL;
    CU_ASSERT_TRUE(g_file_get_contents(path, &kept, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(kept, "old");
    /* Two writers of one name do not disturb each other. */
    writer = begin(path);
    PftWriter *other = begin(path);
    CU_ASSERT_TRUE(pft_finish(other));
    CU_ASSERT_TRUE(pft_finish(writer));
    pft_writer_free(writer);
    pft_writer_free(other);
    CU_ASSERT_TRUE(pf_trace_verify(path, NULL, NULL));
    CU_ASSERT_EQUAL(files_in(folder), 1);
    g_unlink(path);
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

static void test_wrong_headers_and_paths(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    static const uint32_t sizes[] = {0, 2, 3, 48, UINT32_MAX, 1U << 31};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        PftHeader strange = {.page_bytes = sizes[i]};
        PftWriter *writer = pft_writer_new(path, &strange);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pft_error(writer));
        CU_ASSERT(g_str_has_suffix(pft_error(writer), "is no power of two from 4 to 2^30"));
        CU_ASSERT_FALSE(pft_mark(writer, "m"));
        pft_writer_free(writer);
    }
    CU_ASSERT_EQUAL(files_in(folder), 0);
    PftWriter *writer = pft_writer_new("/nonexistent/t", &header);
    CU_ASSERT_STRING_EQUAL(pft_error(writer),
                           "/nonexistent/t: cannot be written: No such file or directory");
    pft_writer_free(writer);
    writer = pft_writer_new(folder, &header);
    CU_ASSERT(g_str_has_suffix(pft_error(writer), "cannot be written: Is a directory"));
    pft_writer_free(writer);
    PftReader *reader = pft_reader_new("/nonexistent");
    CU_ASSERT_STRING_EQUAL(pft_reader_error(reader),
                           "/nonexistent: cannot be opened: No such file or directory");
    PftRecord record;
    CU_ASSERT_FALSE(pft_next(reader, &record));
    CU_ASSERT_EQUAL(pft_header(reader)->page_bytes, 0);
    pft_reader_free(reader);
    reader = pft_reader_new(folder);
    CU_ASSERT(g_str_has_suffix(pft_reader_error(reader), "at byte 0: Is a directory"));
    pft_reader_free(reader);
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

/* Pages of which no two are equal, until an error comes. */
static void fill_disk(PftWriter *writer)
{
    uint32_t context = pft_context(writer, "p", PFT_PROCESS);
    for (uint64_t i = 1; i < 4000000; i++) {
        uint64_t page[2] = {i * 0x9e3779b97f4a7c15U, ~i * 0xbf58476d1ce4e5b9U};
        if (!pft_page(writer, PFT_FILL, context, i * 16, page))
            return;
    }
    CU_FAIL("the disk is full and nobody says so");
}

static void test_full_disk(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    struct rlimit before;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction old;
    sigaction(SIGXFSZ, &ignore, &old);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    PftWriter *writer = pft_writer_new(path, &header);
    fill_disk(writer);
    g_autofree char *said = g_strdup_printf("%s: cannot be written: %s", path, g_strerror(EFBIG));
    CU_ASSERT_STRING_EQUAL(pft_error(writer), said);
    CU_ASSERT_EQUAL(files_in(folder), 0);
    CU_ASSERT_FALSE(pft_finish(writer));
    pft_writer_free(writer);
    setrlimit(RLIMIT_FSIZE, &before);
    sigaction(SIGXFSZ, &old, NULL);
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

/* A device is told to be full when the file is closed at last, and is still there then. */
static void test_full_device(void)
{
    if (access("/dev/full", W_OK) != 0) {
        pf_check_skip("no /dev/full");
        return;
    }
    PftWriter *writer = begin("/dev/full");
    CU_ASSERT_FALSE(pft_finish(writer));
    CU_ASSERT_STRING_EQUAL(pft_error(writer),
                           "/dev/full: cannot be written: No space left on device");
    pft_writer_free(writer);
    CU_ASSERT_EQUAL(access("/dev/full", W_OK), 0);
}

static const char told[] = "pagefold-trace 1\npage 16\n"
                           "context p process\ncontext v vm\n"
                           "map p 0x0 4 anon\nmap v 0x40 2 file=lib:0x20\n"
                           "fill p 0x0 1 \"0123456789abcdef\"\n"
                           "state v 0x40 1 \"0123456789abcdef\"\n"
                           "init p 0x10 1 zero\nfill p 0x20 1 ones\n"
                           "run p 250\nread p 0x1f 2\nfetch v 0x40 16\n"
                           "write p 0x8 4 0x64636261\nwrite p 0x8 9 \"123456789\"\nwrite p 0x8 3\n"
                           "time 1.5ms\nmark \"end\"\n";

static void test_short_calls(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    uint8_t ones[16];
    memset(ones, 0xff, sizeof(ones));
    PftWriter *writer = pft_writer_new(path, &header);
    uint32_t p = pft_context(writer, "p", PFT_PROCESS);
    uint32_t v = pft_context(writer, "v", PFT_VM);
    pft_map(writer, p, 0, 4, NULL, 0);
    pft_map(writer, v, 0x40, 2, "lib", 0x20);
    pft_page(writer, PFT_FILL, p, 0, "0123456789abcdef");
    pft_page(writer, PFT_STATE, v, 0x40, "0123456789abcdef");
    pft_page(writer, PFT_INIT, p, 0x10, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    pft_page(writer, PFT_FILL, p, 0x20, ones);
    pft_run(writer, p, 250);
    pft_access(writer, PFT_READ, p, 0x1f, 2, NULL);
    pft_access(writer, PFT_FETCH, v, 0x40, 16, NULL);
    pft_access(writer, PFT_WRITE, p, 8, 4, "abcd");
    pft_access(writer, PFT_WRITE, p, 8, 9, "123456789");
    pft_access(writer, PFT_WRITE, p, 8, 3, NULL);
    pft_time(writer, 1500000000);
    pft_mark(writer, "end");
    CU_ASSERT_TRUE(pft_finish(writer));
    pft_writer_free(writer);
    char *bytes;
    gsize length;
    CU_ASSERT_FATAL(g_file_get_contents(path, &bytes, &length, NULL));
    g_autoptr(GPtrArray) lines = dump_bytes(bytes, length, false, NULL, NULL);
    g_autoptr(GPtrArray) expected = dump_bytes(told, strlen(told), false, NULL, NULL);
    CU_ASSERT_EQUAL(expected->len, 16);
    CU_ASSERT(dump_is_equal(lines, expected));
    PfTraceSummary summary;
    CU_ASSERT_TRUE(pf_trace_verify(path, &summary, NULL));
    CU_ASSERT_EQUAL(summary.contents, 3); /* the text once, zeros, ones */
    g_free(bytes);
    g_unlink(path);
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

static const PfCheck checks[] = {
    {"records that break a rule are told, and leave nothing", test_wrong_records},
    {"contents that cannot be are told, and leave nothing", test_wrong_contents},
    {"a call after the end is told, and the file stays", test_after_finish},
    {"what is not finished leaves the old file alone", test_unfinished},
    {"headers and paths that cannot be are told at once", test_wrong_headers_and_paths},
    {"a full disk is told and leaves nothing", test_full_disk},
    {"a full device is told and stays", test_full_device},
    {"the short calls say what their records say", test_short_calls},
};

PF_CHECK_MAIN("pft_calls", checks)
