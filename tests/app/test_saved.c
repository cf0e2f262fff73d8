/* Results read back. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "error.h"
#include "saved.h"

static char *make_place(const char *stats, const char *epochs)
{
    char *place = g_dir_make_tmp("pagefold-saved-XXXXXX", NULL);
    g_autofree char *stats_path = g_build_filename(place, "stats.json", NULL);
    g_autofree char *epochs_path = g_build_filename(place, "epochs.csv", NULL);
    if (stats != NULL)
        g_assert_true(g_file_set_contents(stats_path, stats, -1, NULL));
    if (epochs != NULL)
        g_assert_true(g_file_set_contents(epochs_path, epochs, -1, NULL));
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
                                  "\"a\":9007199254740993,\"b\":null,\"c\":0.5}}]}",
                             NULL);
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
        char *place = make_place(texts[i], NULL);
        g_autoptr(PfSaved) saved = pf_saved_load(place, &error);
        CU_ASSERT_PTR_NULL(saved);
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
        CU_ASSERT(error != NULL && strstr(error->message, "stats.json") != NULL);
        clear_place(place);
    }
}

static void epochs_values(void)
{
    char *place = make_place(NULL, "policy,cycle,x,memory.saved_pages\n"
                                   "\"a, \"\"b\"\"\",7,1,100\nksm,8,2,null\n");
    g_autoptr(GArray) epochs = pf_saved_epochs(place, "memory.saved_pages", NULL);
    CU_ASSERT_FATAL(epochs != NULL && epochs->len == 2);
    const PfSavedEpoch *rows = (const PfSavedEpoch *)(const void *)epochs->data;
    CU_ASSERT_STRING_EQUAL(rows[0].policy, "a, \"b\"");
    CU_ASSERT_EQUAL(rows[0].cycle, 7);
    CU_ASSERT_DOUBLE_EQUAL(rows[0].value, 100.0, 0.0);
    CU_ASSERT_STRING_EQUAL(rows[1].policy, "ksm");
    CU_ASSERT(isnan(rows[1].value));
    clear_place(place);
}

static void epochs_refuses(void)
{
    static const struct {
        const char *text;
        const char *told;
    } cases[] = {
        {"", "epochs.csv:1"},
        {"policy,cycle,x\n", "epochs.csv:1"},
        {"policy,cycle,memory.saved_pages\nksm,7\n", "epochs.csv:2"},
        {"policy,cycle,memory.saved_pages\nksm,1,1\nksm,x,1\n", "epochs.csv:3"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        char *place = make_place(NULL, cases[i].text);
        g_autoptr(GArray) epochs = pf_saved_epochs(place, "memory.saved_pages", &error);
        CU_ASSERT_PTR_NULL(epochs);
        CU_ASSERT(error != NULL && strstr(error->message, cases[i].told) != NULL);
        clear_place(place);
    }
}

static const PfCheck checks[] = {
    {"statistics are read back exactly", load_values},
    {"what pagefold did not write is refused, whatever is wrong with it", load_refuses},
    {"epochs are read back, quoted labels and unknown values too", epochs_values},
    {"epochs that are damaged are refused with their line", epochs_refuses},
};

PF_CHECK_MAIN("saved", checks)
