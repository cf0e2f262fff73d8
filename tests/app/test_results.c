/* The directory of results: complete or not there. */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "error.h"
#include "results.h"

/* A fresh directory to work in; free with clear_place. */
static char *make_place(void)
{
    return g_dir_make_tmp("pagefold-results-XXXXXX", NULL);
}

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    while (directory != NULL && g_dir_read_name(directory) != NULL)
        count++;
    return count;
}

static void remove_all(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;
    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_all(child);
    }
    g_remove(path);
}

static void clear_place(char *place)
{
    remove_all(place);
    g_free(place);
}

static bool write_one(const char *path, bool force, const char *text, GError **error)
{
    g_autoptr(PfResults) results = pf_results_begin(path, force, error);
    g_autoptr(GString) data = g_string_new(text);
    return results != NULL && pf_results_add(results, "manifest.json", data, error) &&
           pf_results_commit(results, true, error);
}

static void expect_file(const char *directory, const char *text)
{
    g_autofree char *path = g_build_filename(directory, "manifest.json", NULL);
    g_autofree char *content = NULL;
    CU_ASSERT_FATAL(g_file_get_contents(path, &content, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(content, text);
}

static void results_appear(void)
{
    char *place = make_place();
    g_autofree char *path = g_build_filename(place, "a", "b", "out", NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    CU_ASSERT(write_one(path, false, "one", NULL));
    expect_file(path, "one");
    CU_ASSERT_EQUAL(count_entries(parent), 1);
    CU_ASSERT_EQUAL(count_entries(path), 1);
    clear_place(place);
}

static void results_wait_for_commit(void)
{
    char *place = make_place();
    g_autofree char *path = g_build_filename(place, "out", NULL);
    PfResults *results = pf_results_begin(path, false, NULL);
    g_autoptr(GString) data = g_string_new("x");
    CU_ASSERT_FATAL(results != NULL);
    CU_ASSERT(pf_results_add(results, "stats.json", data, NULL));
    CU_ASSERT(!g_file_test(path, G_FILE_TEST_EXISTS));
    pf_results_free(results);
    CU_ASSERT_EQUAL(count_entries(place), 0);
    clear_place(place);
}

static void results_foresee(void)
{
    char *place = make_place();
    g_autofree char *deep = g_build_filename(place, "a", "b", "out", NULL);
    CU_ASSERT_TRUE(pf_results_check(deep, false, NULL));
    g_autofree char *file = g_build_filename(place, "a", NULL);
    CU_ASSERT_TRUE(g_file_set_contents(file, "x", -1, NULL));
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE(pf_results_check(deep, false, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_IO));
    clear_place(place);
}

static void results_refuse(void)
{
    char *place = make_place();
    g_autofree char *path = g_build_filename(place, "out", NULL);
    g_autoptr(GError) error = NULL;
    CU_ASSERT(write_one(path, false, "one", NULL));
    CU_ASSERT(!write_one(path, false, "two", &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_USAGE));
    CU_ASSERT(error != NULL && strstr(error->message, "--force") != NULL);
    expect_file(path, "one");
    CU_ASSERT_EQUAL(count_entries(place), 1);
    clear_place(place);
}

static void results_force(void)
{
    char *place = make_place();
    g_autofree char *path = g_build_filename(place, "out", NULL);
    g_autofree char *old = g_build_filename(path, "plots", NULL);
    CU_ASSERT(write_one(path, false, "one", NULL));
    CU_ASSERT(g_mkdir(old, 0777) == 0);
    CU_ASSERT(write_one(path, true, "two", NULL));
    expect_file(path, "two");
    CU_ASSERT_EQUAL(count_entries(path), 1);
    CU_ASSERT_EQUAL(count_entries(place), 1);
    clear_place(place);
}

static void results_spare_others(void)
{
    char *place = make_place();
    g_autofree char *path = g_build_filename(place, "home", NULL);
    g_autofree char *precious = g_build_filename(path, "thesis.tex", NULL);
    g_autoptr(GError) error = NULL;
    CU_ASSERT(g_mkdir(path, 0777) == 0);
    CU_ASSERT(g_file_set_contents(precious, "x", 1, NULL));
    CU_ASSERT(!write_one(path, true, "two", &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_USAGE));
    CU_ASSERT(g_file_test(precious, G_FILE_TEST_EXISTS));
    g_clear_error(&error);
    CU_ASSERT(!write_one(precious, true, "two", &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_USAGE));
    clear_place(place);
}

static void results_empty_directory(void)
{
    char *place = make_place();
    g_autofree char *path = g_build_filename(place, "out", NULL);
    CU_ASSERT(g_mkdir(path, 0777) == 0);
    CU_ASSERT(write_one(path, false, "one", NULL));
    expect_file(path, "one");
    clear_place(place);
}

/* A limit on the size of files fails as a full disk does: in write(). */
static void results_full_disk(void)
{
    char *place = make_place();
    g_autofree char *path = g_build_filename(place, "out", NULL);
    g_autoptr(GError) error = NULL;
    struct rlimit before;
    CU_ASSERT(write_one(path, false, "one", NULL));
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &before) == 0);
    struct rlimit small = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &small) == 0);
    g_autofree char *big = g_strnfill(4097, 'x');
    bool written = write_one(path, true, big, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT(!written);
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_IO));
    CU_ASSERT(error != NULL && strstr(error->message, "out/manifest.json") != NULL);
    CU_ASSERT(error != NULL && strstr(error->message, g_strerror(EFBIG)) != NULL);
    expect_file(path, "one");
    CU_ASSERT_EQUAL(count_entries(place), 1);
    clear_place(place);
}

static void results_no_parent(void)
{
    g_autoptr(GError) error = NULL;
    CU_ASSERT(!write_one("/dev/null/out", false, "one", &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_IO));
}

static const PfCheck checks[] = {
    {"results appear under their name, parents are made", results_appear},
    {"nothing stands under the name before the commit, and nothing is left without one",
     results_wait_for_commit},
    {"it is known beforehand that results cannot be kept under a file", results_foresee},
    {"results are not replaced without --force", results_refuse},
    {"results are replaced whole with --force", results_force},
    {"what is no directory of results is spared, even with --force", results_spare_others},
    {"an empty directory may be filled", results_empty_directory},
    {"a disk that is full leaves the old results and nothing else", results_full_disk},
    {"a directory that cannot be made is an error", results_no_parent},
};

PF_CHECK_MAIN("results", checks)
