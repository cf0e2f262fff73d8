/* Results read back. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "csv.h"
#include "error.h"
#include "saved.h"

static char *make_place(const char *stats)
{
    char *place = g_dir_make_tmp("pagefold-saved-XXXXXX", NULL);
    g_autofree char *stats_path = g_build_filename(place, "stats.json", NULL);
    if (stats != NULL)
        g_assert_true(g_file_set_contents(stats_path, stats, -1, NULL));
    return place;
}

static void clear_place(char *place)
{
    static const char *const names[] = {"stats.json", "epochs.csv"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(place, names[i], NULL);
        g_remove(path);
    }
    g_rmdir(place);
    g_free(place);
}

#define HEAD                                                                                       \
    "{\"schema\":1,\"complete\":true,\"trace\":{\"name\":\"t\",\"page_bytes\":4096},"              \
    "\"machine\":{\"clock_hz\":1000,\"dilation\":1.0},"

static void load_values(void)
{
    char *place = make_place(HEAD "\"runs\":[{\"policy\":\"ksm\",\"remark\":\"\",\"stats\":{"
                                  "\"a\":9007199254740993,\"b\":null,\"c\":0.5}}]}");
    g_autoptr(PfSaved) saved = pf_saved_load(place, NULL);
    CU_ASSERT_FATAL(saved != NULL);
    CU_ASSERT_EQUAL(saved->page_bytes, 4096);
    CU_ASSERT_EQUAL(saved->clock_hz, 1000);
    CU_ASSERT(saved->complete);
    const PfSavedRun *run = pf_saved_find_run(saved, "ksm");
    CU_ASSERT_FATAL(run != NULL);
    CU_ASSERT_PTR_NULL(pf_saved_find_run(saved, "esx"));
    CU_ASSERT_STRING_EQUAL(pf_saved_find(run, "a")->text, "9007199254740993");
    CU_ASSERT_STRING_EQUAL(pf_saved_find(run, "b")->text, "null");
    CU_ASSERT(!pf_saved_find(run, "b")->defined);
    CU_ASSERT_DOUBLE_EQUAL(pf_saved_find(run, "c")->number, 0.5, 0.0);
    CU_ASSERT_PTR_NULL(pf_saved_find(run, "d"));
    clear_place(place);
}

static void load_refuses(void)
{
    static const char *const texts[] = {
        NULL,
        "",
        "{",
        "[]",
        "{}",
        "{\"schema\":2,\"trace\":{\"page_bytes\":1},\"machine\":{\"clock_hz\":1},\"runs\":[]}",
        "{\"schema\":1,\"trace\":7,\"machine\":{\"clock_hz\":1},\"runs\":[]}",
        HEAD "\"runs\":{}}",
        HEAD "\"runs\":[7]}",
        HEAD "\"runs\":[{\"policy\":7}]}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        char *place = make_place(texts[i]);
        g_autoptr(PfSaved) saved = pf_saved_load(place, &error);
        CU_ASSERT_PTR_NULL(saved);
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
        CU_ASSERT(error != NULL && strstr(error->message, "stats.json") != NULL);
        clear_place(place);
    }
}

/* A file of TEXT, and the path to it. */
static char *make_table(const char *place, const char *text)
{
    char *path = g_build_filename(place, "epochs.csv", NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void table_values(void)
{
    char *place = make_place(NULL);
    g_autofree char *path = make_table(place, "policy,x,y\n\"a, \"\"b\"\"\",7,0.5\nksm,8x,null\n");
    g_autoptr(PfCsv) csv = pf_csv_load(path, NULL);
    CU_ASSERT_FATAL(csv != NULL && csv->rows->len == 2);
    CU_ASSERT_EQUAL(pf_csv_column(csv, "y"), 2);
    CU_ASSERT_EQUAL(pf_csv_column(csv, "z"), -1);
    CU_ASSERT_STRING_EQUAL(pf_csv_text(csv, 0, 0), "a, \"b\"");
    CU_ASSERT_STRING_EQUAL(pf_csv_text(csv, 0, -1), "");
    CU_ASSERT_DOUBLE_EQUAL(pf_csv_number(csv, 0, 1), 7.0, 0.0);
    CU_ASSERT_DOUBLE_EQUAL(pf_csv_number(csv, 0, 2), 0.5, 0.0);
    CU_ASSERT(isnan(pf_csv_number(csv, 1, 1)));
    CU_ASSERT(isnan(pf_csv_number(csv, 1, 2)));
    clear_place(place);
}

static void table_refuses(void)
{
    static const char *const texts[] = {"a,b\n1,2\n1\n", "a,b\n1,2\n1,2,3\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        char *place = make_place(NULL);
        g_autofree char *path = make_table(place, texts[i]);
        g_autoptr(PfCsv) csv = pf_csv_load(path, &error);
        CU_ASSERT_PTR_NULL(csv);
        CU_ASSERT(error != NULL && strstr(error->message, "epochs.csv:3: ") != NULL);
        clear_place(place);
    }
}

/* Each text is shorter or other than a table; the reader takes it or says no. */
static void table_survives(void)
{
    static const char whole[] = "policy,x\n\"a,\"\"b\"\"\",1\n\"open,2\n";
    char *place = make_place(NULL);
    for (size_t length = 0; length < sizeof whole; length++) {
        g_autofree char *text = g_strndup(whole, length);
        g_autofree char *path = make_table(place, text);
        g_autoptr(GError) error = NULL;
        g_autoptr(PfCsv) csv = pf_csv_load(path, &error);
        CU_ASSERT((csv != NULL) == (error == NULL));
        for (guint row = 0; csv != NULL && row < csv->rows->len; row++)
            CU_ASSERT_PTR_NOT_NULL(pf_csv_text(csv, row, (int)csv->names->len - 1));
    }
    clear_place(place);
}

static const PfCheck checks[] = {
    {"statistics are read back exactly", load_values},
    {"what pagefold did not write is refused, whatever is wrong with it", load_refuses},
    {"tables are read back, quoted labels and unknown values too", table_values},
    {"tables with a row of other length are refused with its line", table_refuses},
    {"tables that end anywhere are read or refused", table_survives},
};

PF_CHECK_MAIN("saved", checks)
