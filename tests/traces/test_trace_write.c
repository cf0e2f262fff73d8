/* Files appear under their name when they are whole, and not otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "dump.h"
#include "error.h"
#include "random_trace.h"
#include "trace_source.h"

static const PfTraceForm forms[] = {PF_TRACE_TEXT, PF_TRACE_BINARY};

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

static void add_mark(PfTraceWriter *writer)
{
    PfTraceDetail detail = {.name = "m"};
    PfRecord mark = {.kind = PF_RECORD_MARK, .detail = &detail, .content = PF_TRACE_NO_CONTENT};
    pf_trace_writer_add(writer, &mark);
}

static void test_appears_when_finished(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    PfTraceHeader header = {.page_bytes = 4096};
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        PfTraceWriter *writer = pf_trace_writer_new(path, forms[i], &header, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
        add_mark(writer);
        CU_ASSERT_FALSE(g_file_test(path, G_FILE_TEST_EXISTS));
        CU_ASSERT_EQUAL(files_in(folder), 1);
        pf_trace_writer_free(writer);
        CU_ASSERT_EQUAL(files_in(folder), 0);
        writer = pf_trace_writer_new(path, forms[i], &header, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
        add_mark(writer);
        CU_ASSERT_TRUE(pf_trace_writer_finish(writer, NULL));
        pf_trace_writer_free(writer);
        CU_ASSERT_TRUE(g_file_test(path, G_FILE_TEST_EXISTS));
        CU_ASSERT_EQUAL(files_in(folder), 1);
        CU_ASSERT_TRUE(pf_trace_verify(path, NULL, NULL));
        g_unlink(path);
    }
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

static void test_mode_follows_umask(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    mode_t before = umask(027);
    random_trace_write(path, PF_TRACE_TEXT, 1, 5);
    umask(before);
    GStatBuf status;
    CU_ASSERT_EQUAL_FATAL(g_stat(path, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0640);
    g_unlink(path);
    g_rmdir(folder);
}

/* What is there already stays until the new file is whole. */
static void test_old_file_stays(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *good = g_build_filename(folder, "good", NULL);
    g_autofree char *bad = g_build_filename(folder, "bad", NULL);
    g_autofree char *out = g_build_filename(folder, "out", NULL);
    CU_ASSERT_FATAL(g_file_set_contents(good, dump_sample, -1, NULL));
    CU_ASSERT_FATAL(g_file_set_contents(bad, "pagefold-trace 1\nmark \"x\"\noops\n", -1, NULL));
    CU_ASSERT_FATAL(g_file_set_contents(out, "old", -1, NULL));
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE(pf_trace_convert(bad, out, PF_TRACE_BINARY, false, NULL, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
    g_autofree char *kept = NULL;
    CU_ASSERT(g_file_get_contents(out, &kept, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(kept, "old");
    CU_ASSERT_EQUAL(files_in(folder), 3);
    /* Interrupted, it leaves no more behind. */
    const int interrupted = 2;
    g_clear_error(&error);
    CU_ASSERT_FALSE(pf_trace_convert(good, out, PF_TRACE_BINARY, false, &interrupted, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_INTERRUPTED));
    CU_ASSERT_EQUAL(files_in(folder), 3);
    /* Salvaged, it has the mark. */
    CU_ASSERT_TRUE(pf_trace_convert(bad, out, PF_TRACE_BINARY, true, NULL, NULL));
    PfTraceSummary summary;
    CU_ASSERT_TRUE(pf_trace_verify(out, &summary, NULL));
    CU_ASSERT_EQUAL(summary.records, 1);
    CU_ASSERT_TRUE(pf_trace_convert(good, good, PF_TRACE_BINARY, false, NULL, NULL));
    CU_ASSERT_TRUE(pf_trace_verify(good, &summary, NULL));
    CU_ASSERT_TRUE(summary.has_index);
    CU_ASSERT_EQUAL(files_in(folder), 3);
    g_unlink(good);
    g_unlink(bad);
    g_unlink(out);
    g_rmdir(folder);
}

static void test_full_device(void)
{
    if (access("/dev/full", W_OK) != 0) {
        pf_check_skip("no /dev/full");
        return;
    }
    PfTraceHeader header = {.page_bytes = 4096};
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(PfTraceWriter) writer =
            pf_trace_writer_new("/dev/full", forms[i], &header, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
        add_mark(writer);
        CU_ASSERT_FALSE(pf_trace_writer_finish(writer, &error));
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_IO));
        CU_ASSERT_STRING_EQUAL(error->message,
                               "/dev/full: cannot be written: No space left on device");
    }
    CU_ASSERT(g_file_test("/dev/full", G_FILE_TEST_EXISTS));
}

/* A file that may not grow beyond 4 KiB fails as a full disk does, and leaves nothing. */
static void test_full_disk(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *in = g_build_filename(folder, "in", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    random_trace_write(in, PF_TRACE_TEXT, 3, 4000);
    struct rlimit before;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction old;
    sigaction(SIGXFSZ, &ignore, &old);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        CU_ASSERT_FALSE(pf_trace_convert(in, path, forms[i], false, NULL, &error));
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_IO));
        CU_ASSERT_EQUAL(files_in(folder), 1);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    sigaction(SIGXFSZ, &old, NULL);
    g_unlink(in);
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
}

static void test_impossible_paths(void)
{
    PfTraceHeader header = {.page_bytes = 4096};
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(pf_trace_writer_new("/nonexistent/t", PF_TRACE_TEXT, &header, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_IO));
    g_clear_error(&error);
    CU_ASSERT_PTR_NULL(pf_trace_writer_new("/", PF_TRACE_TEXT, &header, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_IO));
    g_clear_error(&error);
    header.page_bytes = 3;
    CU_ASSERT_PTR_NULL(pf_trace_writer_new("/dev/null", PF_TRACE_TEXT, &header, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
}

/* The first error sticks and is told by finish; nothing appears. */
static void test_bad_record(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    PfTraceHeader header = {.page_bytes = 4096};
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, forms[i], &header, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
        add_mark(writer);
        PfRecord record = {.kind = PF_RECORD_READ, .count = 1, .content = PF_TRACE_NO_CONTENT};
        pf_trace_writer_add(writer, &record);
        add_mark(writer);
        g_autoptr(GError) error = NULL;
        CU_ASSERT_FALSE(pf_trace_writer_finish(writer, &error));
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        CU_ASSERT(g_str_has_prefix(
            error->message, "record 1 cannot be written: read: context number 0 is not known"));
    }
    CU_ASSERT_EQUAL(files_in(folder), 0);
    g_rmdir(folder);
}

/* A pipe has no end to seek to and no size: the reader needs neither. */
static void test_pipe(void)
{
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    g_autoptr(GBytes) bytes = convert_bytes(dump_sample, strlen(dump_sample), PF_TRACE_BINARY);
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    /* Less than a pipe holds, so that one process can do both. */
    CU_ASSERT_FATAL(length < 60000);
    CU_ASSERT_EQUAL_FATAL(write(ends[1], data, length), (ssize_t)length);
    close(ends[1]);
    int standard_input = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    g_autoptr(PfTrace) trace = pf_trace_open("-", NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    CU_ASSERT_EQUAL(dump_trace(trace, lines, NULL), PF_TRACE_END);
    CU_ASSERT_EQUAL(pf_trace_progress(trace), 0.0);
    dup2(standard_input, STDIN_FILENO);
    close(standard_input);
    g_autoptr(GPtrArray) expected = dump_bytes(dump_sample, strlen(dump_sample), false, NULL, NULL);
    CU_ASSERT(dump_is_equal(lines, expected));
}

static const PfCheck checks[] = {
    {"a trace appears when it is finished, and leaves nothing otherwise",
     test_appears_when_finished},
    {"a trace has the mode that the umask says", test_mode_follows_umask},
    {"a failed conversion leaves the old file alone", test_old_file_stays},
    {"a full device is told", test_full_device},
    {"a full disk is told and leaves nothing", test_full_disk},
    {"paths and headers that cannot be are told at once", test_impossible_paths},
    {"a record that breaks a rule is told by finish", test_bad_record},
    {"a binary trace is read from a pipe", test_pipe},
};

PF_CHECK_MAIN("trace_write", checks)
