/* Generated workloads in time: who boots when, what is written how often and together, set back,
 * made equal again, read from disks; and what of the finer knobs is refused. */
#include <string.h>

#include "check.h"
#include "error.h"
#include "units.h"
#include "workload.h"
#include "workload_picture.h"

static const uint64_t second_ps = PF_PS_PER_SECOND;

static const PicturePage *page_at(const Picture *picture, guint index)
{
    return &g_array_index(picture->pages, PicturePage, index);
}

static uint64_t count_writes(const Picture *picture)
{
    uint64_t writes = 0;
    for (guint i = 0; i < picture->pages->len; i++)
        writes += page_at(picture, i)->writes - 1;
    return writes;
}

/* "a" is there at once; two "b" of 1024 pages fill theirs in the second of two seconds: at 1.25 s
 * a quarter. Who says all contexts means those that are there. */
static void contexts_boot_in_phases(void)
{
    g_autoptr(GBytes) trace = generate_group(
        "contexts = ( { name = \"b\"; count = 2; memory = \"4MiB\"; }, "
        "{ name = \"a\"; memory = \"400KiB\"; } ); "
        "phases = ( { time = \"1s\"; writes = ( { rate = 50; } ); }, "
        "{ time = \"1s\"; boots = \"b\"; }, { time = \"1s\"; writes = ( { rate = 10; } ); } );",
        PF_TRACE_BINARY);
    g_autoptr(Picture) alone = picture_new(trace, second_ps);
    g_autoptr(Picture) quarter = picture_new(trace, second_ps * 5 / 4);
    g_autoptr(Picture) both = picture_new(trace, 2 * second_ps);
    g_autoptr(Picture) end = picture_new(trace, UINT64_MAX);
    CU_ASSERT_EQUAL(alone->pages->len, 100);
    CU_ASSERT_EQUAL(quarter->pages->len, 100 + 2 * 256);
    CU_ASSERT_EQUAL(both->pages->len, 100 + 2 * 1024);
    unsigned writes = 0;
    for (guint i = 0; i < end->pages->len; i++)
        writes += page_at(end, i)->writes - 1;
    CU_ASSERT_EQUAL(writes, 50 + 3 * 10);
}

/* Without time a boot happens at once, where its phase stands. */
static void booting_may_take_no_time(void)
{
    static const char text[] =
        "contexts = ( { name = \"a\"; memory = \"16KiB\"; } ); "
        "phases = ( { time = \"1s\"; mark = \"x\"; }, { boots = \"a\"; mark = \"y\"; } );";
    g_autoptr(Picture) before = picture_of_group(text, second_ps);
    g_autoptr(Picture) after = picture_of_group(text, UINT64_MAX);
    CU_ASSERT_EQUAL(before->pages->len, 0);
    CU_ASSERT_EQUAL(after->pages->len, 4);
    CU_ASSERT_STRING_EQUAL(after->marks->str, "x y ");
}

/* 1000 pages, half of them hot, each anew every 4 s: in 10 s 500 x 10 / 4 = 1250 writes; of a page
 * that lives 3 s, 500 x 10 / 3 = 1666.7. */
static void lifetimes_are_rates(void)
{
    static const unsigned lifetimes_s[] = {3, 4, 6000};
    for (size_t i = 0; i < G_N_ELEMENTS(lifetimes_s); i++) {
        g_autofree char *text = g_strdup_printf(
            "contexts = ( { name = \"c\"; count = 2; memory = \"4000KiB\"; } ); "
            "phases = ( { time = \"10s\"; writes = ( { lifetime = \"%us\"; hot = 0.5; } ); } );",
            lifetimes_s[i]);
        g_autoptr(Picture) picture = picture_of_group(text, UINT64_MAX);
        CU_ASSERT_EQUAL(count_writes(picture), 2 * (500 * 10 / lifetimes_s[i]));
    }
}

/* 12 pages in stretches of 4, of 1000 in the order of ranks: behind a page that is written stands
 * another, but for the last of each of three stretches (fewer if two touch or overlap). */
static void neighbours_are_written_together(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"c\"; memory = \"4000KiB\"; chunk = 0; } ); "
        "phases = ( { time = \"1s\"; writes = ( { rate = 12; neighbours = 4; } ); } );",
        UINT64_MAX);
    CU_ASSERT_EQUAL(count_writes(picture), 12);
    unsigned ends = 0;
    for (guint i = 0; i < 1000; i++)
        ends += page_at(picture, i)->writes > 1 && page_at(picture, (i + 1) % 1000)->writes == 1;
    CU_ASSERT_TRUE(ends >= 1 && ends <= 3);
}

/* 24 writes in 3.5 s, 350 steps; what was written is set back 100 steps later: 24 x 250 / 350 = 17
 * of them. Chosen once each, of a set or of private bytes: the same pages are set back. */
static void what_was_written_is_set_back(void)
{
    static const char *const how[] = {"choice = \"once\";", "choice = \"once\"; to = \"s\";",
                                      "choice = \"once\"; to = \"s\"; take = \"turns\";"};
    for (size_t i = 0; i < G_N_ELEMENTS(how); i++) {
        g_autofree char *text = g_strdup_printf(
            "contexts = ( { name = \"c\"; memory = \"4000KiB\"; common = ( { set = \"s\"; pages = "
            "1000; } ); } ); phases = ( { time = \"3500ms\"; writes = ( { rate = 7; "
            "back = \"995ms\"; %s } ); } );",
            how[i]);
        g_autoptr(GBytes) trace = generate_group(text, PF_TRACE_BINARY);
        g_autoptr(Picture) before = picture_new(trace, 1);
        g_autoptr(Picture) after = picture_new(trace, UINT64_MAX);
        CU_ASSERT_EQUAL(count_writes(after), 24 + 17);
        unsigned others = 0;
        for (guint j = 0; j < 1000; j++)
            others += page_at(before, j)->number != page_at(after, j)->number;
        CU_ASSERT_EQUAL(others, 24 - 17);
    }
}

/* Addresses of the pages that TEXT fills with what begins with CONTENT, behind its first time. */
static GPtrArray *filled_with(const char *text, const char *content)
{
    GPtrArray *addresses = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(strstr(text, "\ntime "), "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) line = g_strsplit(lines[i], " ", -1);
        if (g_strv_length(line) == 5 && strcmp(line[0], "fill") == 0 &&
            g_str_has_prefix(line[4], content))
            g_ptr_array_add(addresses, g_strdup(line[2]));
    }
    return addresses;
}

/* All pages are zero; 100 writes of a set's contents in 2 s are drawn in all ways there are, and
 * the pages of the first 50 are set back in the same order. */
static void draws_are_set_back_too(void)
{
    g_autoptr(GBytes) trace = generate_group(
        "contexts = ( { name = \"c\"; memory = \"400KiB\"; zero = 1.0; common = ( { set = "
        "\"s\"; pages = 9; } ); } ); phases = ( { time = \"10ms\"; }, { time = \"2s\"; writes = "
        "( { rate = 50; to = \"s\"; neighbours = 2; choice = \"zipf\"; back = \"1s\"; } ); } );",
        PF_TRACE_TEXT);
    gsize length;
    const char *bytes = g_bytes_get_data(trace, &length);
    g_autofree char *text = g_strndup(bytes, length);
    g_autoptr(GPtrArray) written = filled_with(text, "id:");
    g_autoptr(GPtrArray) set_back = filled_with(text, "zero");
    CU_ASSERT_EQUAL_FATAL(written->len, 100);
    CU_ASSERT_EQUAL_FATAL(set_back->len, 50);
    for (guint i = 0; i < set_back->len; i++)
        CU_ASSERT_STRING_EQUAL(written->pdata[i], set_back->pdata[i]);
}

/* Each of two contexts writes 50 of its private pages: by turns both hold contents 0 to 49. */
static void turns_make_pages_equal(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"c\"; count = 2; memory = \"400KiB\"; common = ( { set = \"s\"; "
        "pages = 1000; } ); } ); phases = ( { time = \"1s\"; writes = ( { rate = 50; to = \"s\"; "
        "choice = \"once\"; take = \"turns\"; } ); } );",
        UINT64_MAX);
    CU_ASSERT_EQUAL(picture_shared(picture, 2, 2), 50);
    CU_ASSERT_EQUAL(picture_contents(picture), 50 + 2 * 50);
}

/* By turns each of two contexts reads blocks 0 to 29 into different pages. */
static void disks_are_read(void)
{
    static const char text[] =
        "contexts = ( { name = \"c\"; count = 2; memory = \"400KiB\"; unit = \"pages\"; used = 50; "
        "common = ( { set = \"image\"; share = 10; pages = 500; } ); } ); "
        "phases = ( { time = \"1s\"; writes = ( { rate = 30; from = \"unused\"; to = \"image\"; "
        "choice = \"once\"; take = \"turns\"; device = \"disk\"; } ); } );";
    g_autoptr(Picture) picture = picture_of_group(text, UINT64_MAX);
    CU_ASSERT_EQUAL_FATAL(picture->blocks->len, 2 * 30);
    unsigned times[30] = {0};
    for (guint i = 0; i < 60; i++) {
        uint64_t block = g_array_index(picture->blocks, uint64_t, i);
        CU_ASSERT_TRUE_FATAL(block < 30);
        times[block]++;
    }
    for (unsigned i = 0; i < 30; i++)
        CU_ASSERT_EQUAL(times[i], 2);
    /* 10 of the image and 40 private in each; blocks 0 to 9 are the image's ten. */
    CU_ASSERT_EQUAL(picture_contents(picture), 30 + 2 * 40);
    CU_ASSERT_EQUAL(count_in_group(text, " disk:29 id:"), 2);
}

static void keep_progress(const PfWorkloadProgress *progress, void *user)
{
    *(PfWorkloadProgress *)user = *progress;
}

/* 3000 pages, 300 groups of 10, 100 steps of time for the writer and for who sets back, 400 writes,
 * and of them 400 x 49 / 100 = 196 set back after 51 steps: 3000 + 300 + 2 x 100 + 400 + 196 =
 * 4096, which is when progress is told, so that all of it is counted and nothing else. */
static void all_steps_are_counted(void)
{
    static const char text[] =
        "workload = { contexts = ( { name = \"a\"; memory = \"12000KiB\"; group = 10; } ); "
        "phases = ( { time = \"1s\"; writes = ( { rate = 400; back = \"510ms\"; } ); } ); };";
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "w", NULL, NULL);
    g_autoptr(PfWorkload) workload = pf_workload_new(config);
    CU_ASSERT_TRUE(pf_config_finish(config, NULL));
    CU_ASSERT_EQUAL(pf_workload_steps(workload), 4096);
    PfTraceHeader header = {.page_bytes = pf_workload_page_bytes(workload)};
    g_autoptr(PfTraceWriter) writer =
        pf_trace_writer_new("/dev/null", PF_TRACE_BINARY, &header, NULL);
    PfWorkloadProgress last = {0};
    PfWorkloadOptions options = {.progress = keep_progress, .user = &last};
    CU_ASSERT_TRUE(pf_workload_write(workload, writer, &options, NULL));
    CU_ASSERT_EQUAL(last.steps, 4096);
}

static void mistakes_are_told(void)
{
#define ONE    "contexts = ( { name = \"a\"; memory = \"400KiB\"; zero = 0.1; "
#define WRITES ONE "} ); phases = ( { time = \"1s\"; writes = ( { "
    static const struct {
        const char *text;
        const char *told;
    } cases[] = {
        {ONE "similar = 0.5; differ = 4096; } );", "differ: a page has 4096 bytes"},
        {"page = 4; contexts = ( { name = \"a\"; memory = 4400; similar = 1; alike = 1022; } );",
         "alike: at most 510 pages"},
        {ONE "huge = \"3MiB\"; } );", "huge: "},
        {ONE "huge = \"4KiB\"; } );", "huge: "},
        {ONE "common = ( { set = \"zero\"; share = 0.1; } ); } );", "no set can be called zero"},
        {ONE "common = ( { set = \"freed\"; backing = \"file\"; } ); } );", "called freed"},
        {ONE "common = ( { set = \"s\"; backing = \"file\"; first = 1099511627776L; } ); } );",
         NULL},
        {ONE "common = ( { set = \"s\"; backing = \"file\"; }, { set = \"t\"; file = \"s\"; "
             "backing = \"file\"; } ); } );",
         "file: s is mapped elsewhere with another"},
        {ONE "common = ( { set = \"s\"; pointers = 1.1; } ); } );", "above the maximum, 1"},
        {WRITES "to = \"zero\"; device = \"disk\"; } ); } );", "device: blocks of a disk"},
        {WRITES "rate = 5; lifetime = \"1s\"; } ); } );", "lifetime: and rate say the same"},
        {WRITES "lifetime = \"1ps\"; } ); } );", "lifetime: too many pages"},
        {WRITES "from = \"unused\"; back = \"1s\"; } ); } );", "back: unused pages held"},
        {WRITES "from = \"freed\"; } ); } );", "pages that are freed"},
        {ONE "} ); phases = ( { boots = \"b\"; } );", "no element of contexts called b"},
        {ONE "} ); phases = ( { boots = \"a\"; }, { boots = \"a\"; } );", "a boots in two phases"},
        {ONE "} ); phases = ( { time = \"1s\"; boots = \"a\"; writes = ( { rate = 1; } ); } );",
         "contexts: they boot in this phase or later"},
        {ONE "} ); phases = ( { time = \"1000000s\"; boots = \"a\"; step = \"1ps\"; } );",
         "steps are too many"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("workload = { %s };", cases[i].text);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) trace = generate_text(text, PF_TRACE_BINARY, &error);
        if (cases[i].told == NULL) {
            CU_ASSERT_PTR_NOT_NULL(trace);
            continue;
        }
        CU_ASSERT_PTR_NULL(trace);
        bool is_told = error != NULL && error->code == PF_ERROR_CONFIG &&
                       strstr(error->message, cases[i].told) != NULL &&
                       strchr(error->message, '\n') == NULL;
        CU_ASSERT_TRUE(is_told);
        if (!is_told)
            printf("# %s is not about: %s\n", error != NULL ? error->message : "", cases[i].told);
    }
}

static const PfCheck checks[] = {
    {"contexts boot in a phase, evenly", contexts_boot_in_phases},
    {"booting may take no time", booting_may_take_no_time},
    {"a lifetime is a rate", lifetimes_are_rates},
    {"neighbours are written together", neighbours_are_written_together},
    {"what was written is set back later", what_was_written_is_set_back},
    {"setting back makes the same choices again", draws_are_set_back_too},
    {"contexts that take turns hold the same again", turns_make_pages_equal},
    {"blocks of a common disk are read by dma", disks_are_read},
    {"all steps are counted", all_steps_are_counted},
    {"a mistake is told in one line with its place", mistakes_are_told},
};

PF_CHECK_MAIN("workload-writes", checks)
