/* What generated workloads write in their phases, how pages are laid out, and what is refused. */
#include <string.h>

#include "check.h"
#include "error.h"
#include "units.h"
#include "workload.h"
#include "workload_layout.h"
#include "workload_picture.h"

#define CONTEXTS                                                                                   \
    "contexts = ( { name = \"vm\"; count = 2; memory = \"4MiB\"; used = 0.75; zero = 0.25; "       \
    "common = ( { set = \"os\"; share = 0.25; } ); }, { name = \"db\"; memory = \"4MiB\"; } ); "

/* The trace of a workload of 2 + 1 contexts of 1024 pages, with PHASES. */
static GBytes *trace_of(const char *phases)
{
    g_autofree char *group = g_strdup_printf(CONTEXTS "phases = ( %s );", phases);
    return generate_group(group, PF_TRACE_BINARY);
}

/* Pages written after they were laid out, in all contexts; RET_PAGES (may be NULL): how many
 * different ones. */
static uint64_t count_writes(const Picture *picture, uint64_t *ret_pages)
{
    uint64_t writes = 0;
    uint64_t pages = 0;
    for (guint i = 0; i < picture->pages->len; i++) {
        const PicturePage *page = &g_array_index(picture->pages, PicturePage, i);
        writes += page->writes - 1;
        pages += page->writes > 1;
    }
    if (ret_pages != NULL)
        *ret_pages = pages;
    return writes;
}

/* 7 pages a second for 3.5 s are 24.5, so 24 of each context: step K of 350 ends with
 * 24 K / 350. */
static void writes_are_spread_evenly(void)
{
    g_autoptr(GBytes) trace =
        trace_of("{ time = \"3500ms\"; mark = \"end\"; writes = ( { rate = 7; } ); }");
    static const unsigned steps[] = {1, 14, 15, 175, 349, 350};
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(Picture) picture = picture_new(trace, steps[i] * 10 * 1000 * PF_PS_PER_NS * 1000);
        CU_ASSERT_EQUAL(count_writes(picture, NULL), 3 * (24 * steps[i] / 350));
    }
    g_autoptr(Picture) whole = picture_new(trace, UINT64_MAX);
    CU_ASSERT_EQUAL(whole->time_ps, 3500 * PF_PS_PER_SECOND / 1000);
    CU_ASSERT_STRING_EQUAL(whole->marks->str, "end ");
}

/* 768 used pages of each vm: 192 zero, 192 of the set, 384 private; 256 unused. db: 1024 private.
 */
static void each_page_once(void)
{
    static const struct {
        const char *writes;
        uint64_t pages;
        uint64_t contents; /* after them; 1 + 192 + 2 * 384 + 1024 = 1985 before */
    } cases[] = {
        {"contexts = \"vm\"; from = \"zero\"; rate = 192", 2 * 192, 1985 - 1 + 2 * 192},
        {"contexts = \"vm1\"; from = \"zero\"; rate = 192", 192, 1985 + 192},
        {"contexts = \"vm2\"; from = \"os\"; rate = 192; to = \"zero\"", 192, 1985},
        {"from = \"private\"; rate = 384; to = \"zero\"", 3 * 384, 1985 - 3 * 384},
        {"from = \"unused\"; rate = 256; to = \"ones\"", 0, 1985 + 1},
        {"from = \"unused\"; rate = 256", 0, 1985 + 2 * 256},
        {"contexts = \"db\"; rate = 1024; to = \"os\"", 1024, 1985 - 1024},
        {"rate = 500; to = \"same\"", 3 * 500, 1985},
        {"rate = 500; to = \"original\"", 3 * 500, 1985},
        {"contexts = \"db\"; rate = 700; hot = 0.5", 512, 1985},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *phase = g_strdup_printf(
            "{ time = \"1s\"; writes = ( { choice = \"once\"; %s; } ); }", cases[i].writes);
        g_autoptr(GBytes) trace = trace_of(phase);
        g_autoptr(Picture) picture = picture_new(trace, UINT64_MAX);
        uint64_t pages;
        count_writes(picture, &pages);
        CU_ASSERT_EQUAL(pages, cases[i].pages);
        CU_ASSERT_EQUAL(picture_contents(picture), cases[i].contents);
        if (pages != cases[i].pages || picture_contents(picture) != cases[i].contents)
            printf("# %s: %d pages, %d contents\n", cases[i].writes, (int)pages,
                   (int)picture_contents(picture));
        CU_ASSERT_EQUAL(picture->touches, strstr(cases[i].writes, "same") != NULL ? 1500 : 0);
    }
}

/* What is written and then written back leaves no trace; phases follow each other. */
static void what_was_comes_back(void)
{
    g_autoptr(GBytes) trace = trace_of(
        "{ time = \"1s\"; writes = ( { rate = 768; choice = \"once\"; } ); mark = \"a\"; }, "
        "{ scan_pages = 5; scan_passes = 1; mark = \"b\"; }, "
        "{ time = \"1s\"; writes = ( { rate = 768; choice = \"once\"; to = \"original\"; } );"
        " mark = \"c\"; }");
    g_autoptr(Picture) before = picture_new(trace, PF_PS_PER_SECOND);
    g_autoptr(Picture) after = picture_new(trace, UINT64_MAX);
    /* All of the vms' pages and 768 of db's have contents of their own, as db's other 256 had. */
    CU_ASSERT_EQUAL(picture_contents(before), 2 * 768 + 1024);
    CU_ASSERT_EQUAL(picture_contents(after), 1985);
    CU_ASSERT_EQUAL(after->time_ps, 2 * PF_PS_PER_SECOND);
    CU_ASSERT_STRING_EQUAL(after->marks->str, "a b c ");
}

/* 250 reads and 250 stores of each of 3 contexts, the reads with 90 instructions before each. The
 * stores are where they are without reads. */
static void reads_are_accesses(void)
{
    static const char both[] =
        CONTEXTS "phases = ( { time = \"1s\"; writes = ( { rate = 250; }, "
                 "{ rate = 250; to = \"read\"; instructions = 90; } ); } );";
    static const char stores[] =
        CONTEXTS "phases = ( { time = \"1s\"; writes = ( { rate = 250; } ); } );";
    CU_ASSERT_EQUAL(count_in_group(both, "\ngrain access\n"), 1);
    CU_ASSERT_EQUAL(count_in_group(both, "\nread "), 3 * 250);
    CU_ASSERT_EQUAL(count_in_group(both, "\nrun "), 3 * 250);
    CU_ASSERT_EQUAL(count_in_group(both, " 90\nread "), 3 * 250);
    CU_ASSERT_EQUAL(count_in_group(stores, "\ngrain page\n"), 1);
    g_autoptr(Picture) one = picture_of_group(both, UINT64_MAX);
    g_autoptr(Picture) other = picture_of_group(stores, UINT64_MAX);
    CU_ASSERT_EQUAL(count_writes(one, NULL), 3 * 250);
    CU_ASSERT_EQUAL_FATAL(one->pages->len, other->pages->len);
    for (guint i = 0; i < one->pages->len; i++)
        CU_ASSERT_EQUAL(g_array_index(one->pages, PicturePage, i).writes,
                        g_array_index(other->pages, PicturePage, i).writes);
}

/* Writes of the pages of db by rank: with chunk = 0 pages are in the order of ranks. */
static void count_ranks(const char *choice, unsigned *ret_writes)
{
    g_autofree char *text = g_strdup_printf(
        "workload = { contexts = ( { name = \"db\"; memory = \"4MiB\"; chunk = 0; } ); "
        "phases = ( { time = \"110s\"; step = \"1s\"; "
        "writes = ( { rate = 1000; choice = \"%s\"; } ); } ); };",
        choice);
    g_autoptr(GBytes) trace = generate_text(text, PF_TRACE_BINARY, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    g_autoptr(Picture) picture = picture_new(trace, UINT64_MAX);
    for (guint i = 0; i < 1024; i++)
        ret_writes[i] = g_array_index(picture->pages, PicturePage, i).writes - 1;
}

/* 110,000 writes in 11 octaves, 1, 2 to 3, 4 to 7 ... 1024. The last has 1024 alone of its 1024
 * ranks, so it counts little: about 11,000 fall into each of the ten others, give or take 100 (the
 * square root of 110,000 x 0.1 x 0.9), five times that at most. */
static void zipf_is_one_over_rank(void)
{
    unsigned writes[1024];
    count_ranks("zipf", writes);
    for (unsigned octave = 1; octave < 1024; octave *= 2) {
        unsigned sum = 0;
        for (unsigned rank = octave; rank < 2 * octave; rank++)
            sum += writes[rank - 1];
        CU_ASSERT_TRUE(sum > 11000 - 500 && sum < 11000 + 500);
    }
}

/* 107.4 writes of each of 1024 pages, give or take 10.4; six times that at most. */
static void uniform_is_uniform(void)
{
    unsigned writes[1024];
    count_ranks("uniform", writes);
    for (unsigned i = 0; i < 1024; i++)
        CU_ASSERT_TRUE(writes[i] > 107 - 63 && writes[i] < 107 + 63);
}

static void layouts_are_permutations(void)
{
    for (uint64_t pages = 1; pages <= 130; pages++)
        for (uint64_t chunk = 0; chunk <= 5; chunk++) {
            PfLayout layout = pf_layout_make(pages, "x", pages, chunk);
            bool seen[130] = {false};
            for (uint64_t page = 0; page < pages; page++) {
                uint64_t rank = pf_layout_rank(&layout, page);
                CU_ASSERT_TRUE_FATAL(rank < pages && !seen[rank]);
                seen[rank] = true;
                CU_ASSERT_EQUAL(pf_layout_page(&layout, rank), page);
            }
        }
}

static void mistakes_are_told(void)
{
    static const struct {
        const char *text;
        const char *told;
    } cases[] = {
        {"", "workload.contexts: a workload needs at least one context"},
        {"contexts = ( { } );", "workload.contexts.[0].name: a context needs a name"},
        {"contexts = ( { name = \"a\"; count = 0; } );", "0 is below the minimum, 1 contexts"},
        {"contexts = ( { name = \"a\"; memory = \"1152921504606846976TiB\"; } );", "is too large"},
        {"contexts = ( { name = \"a\"; memory = 4611686018427387904L; } );",
         "1 contexts of 1125899906842624 pages are too many"},
        {"contexts = ( { name = \"a\"; count = 1048576; memory = \"1GiB\"; } );",
         "a workload has at most 268435456 pages"},
        {"contexts = ( { name = \"a\"; memory = 5000; } );",
         "is no multiple of the page size, 4096"},
        {"contexts = ( { name = \"a\"; address = 1; } );", "is no multiple of the page size, 4096"},
        {"contexts = ( { name = \"a\"; zero = -0.1; } );", "-0.1 is below the minimum, 0"},
        {"contexts = ( { name = \"a\"; zero = 1.5; } );", "1.5 is more than all pages; say unit"},
        {"contexts = ( { name = \"a\"; used = 1.000001; } );", "used: 1.000001 is more than all"},
        {"contexts = ( { name = \"a\"; zero = 0.7; ones = 0.3000001; } );", "more than 1"},
        {"contexts = ( { name = \"a\"; zero = 0.6; common = ( { set = \"s\"; share = 0.5; } ); } "
         ");",
         "workload.contexts.a: shares of used pages add up to more than 1"},
        {"contexts = ( { name = \"a\"; unit = \"pages\"; used = 9; zero = 10; } );",
         "amounts add up to more than the used pages, 9"},
        {"contexts = ( { name = \"a\"; unit = \"pages\"; used = 9.5; } );", "9.5 is no number of"},
        {"contexts = ( { name = \"a\"; unit = \"pages\"; used = 32769; } );",
         "32769 pages are more than the memory has, 32768"},
        {"contexts = ( { name = \"a\"; unit = \"pages\"; used = 1e300; } );", "than any workload"},
        {"contexts = ( { name = \"a\"; copies = 1; } );", "1 is below the minimum, 2"},
        {"contexts = ( { name = \"a1\"; }, { name = \"a\"; count = 2; } );",
         "two contexts called a1"},
        {"contexts = ( { name = \"a\"; common = ( { share = 0.1; } ); } );", "a set needs a name"},
        {"contexts = ( { name = \"a\"; common = ( { set = \"zero\"; } ); } );",
         "no set can be called zero"},
        {"contexts = ( { name = \"a\"; comon = ( ); } );", "contexts.a.comon: unknown key"},
        {"contexts = ( { name = \"a\"; }, 7 );", "expected a group"},
        {CONTEXTS "phases = ( { time = \"1s\"; writes = ( { contexts = \"vm3\"; } ); } );",
         "there are no contexts called vm3"},
        {CONTEXTS "phases = ( { writes = ( { from = \"ones\"; } ); } );",
         "none of the contexts has pages that are ones"},
        {CONTEXTS "phases = ( { writes = ( { from = \"sofas\"; } ); } );", "pages that are sofas"},
        {CONTEXTS "phases = ( { writes = ( { to = \"sofas\"; } ); } );", "there is no set sofas"},
        {CONTEXTS "phases = ( { writes = ( { from = \"unused\"; to = \"original\"; } ); } );",
         "unused pages held nothing"},
        {CONTEXTS "phases = ( { writes = ( { to = \"read\"; back = \"1s\"; } ); } );",
         "what is only read need not be set back"},
        {CONTEXTS "phases = ( { writes = ( { hot = 1.5; } ); } );", "above the maximum, 1"},
        {CONTEXTS "phases = ( { time = \"1s\"; step = \"1ps\"; writes = ( { } ); } );",
         "1000000000000 steps are too many"},
        {CONTEXTS "phases = ( { time = \"1000s\"; writes = ( { rate = 1000000; } ); } );",
         "too many pages are written"},
        {CONTEXTS "phases = ( { time = \"4000000s\"; }, { time = \"4000000s\"; }, "
                  "{ time = \"4000000s\"; }, { time = \"4000000s\"; }, { time = \"4000000s\"; } );",
         "the phases last longer than a trace can"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("workload = { %s };", cases[i].text);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) trace = generate_text(text, PF_TRACE_BINARY, &error);
        CU_ASSERT_PTR_NULL(trace);
        bool is_told = error != NULL && error->code == PF_ERROR_CONFIG &&
                       strstr(error->message, cases[i].told) != NULL &&
                       g_str_has_prefix(error->message, "w.cfg:1: ") &&
                       strchr(error->message, '\n') == NULL;
        CU_ASSERT_TRUE(is_told || (i == 0 && error != NULL));
        if (!is_told)
            printf("# %s is not about: %s\n", error != NULL ? error->message : "", cases[i].told);
    }
}

static void count_progress(const PfWorkloadProgress *progress, void *user)
{
    PfWorkloadProgress *last = user;
    CU_ASSERT_TRUE(progress->steps > last->steps && progress->time_ps >= last->time_ps);
    *last = *progress;
}

/* 2048 pages, 4 writes in each of 1000 s, and 1000 steps are 7048, of which progress is told once,
 * at or soon after 4096. */
static void progress_and_interruption(void)
{
    static const char text[] =
        "workload = { contexts = ( { name = \"a\"; memory = \"8MiB\"; } ); "
        "phases = ( { time = \"1000s\"; step = \"1s\"; writes = ( { rate = 4; } ); } ); };";
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "w", NULL, NULL);
    g_autoptr(PfWorkload) workload = pf_workload_new(config);
    CU_ASSERT_TRUE(pf_config_finish(config, NULL));
    CU_ASSERT_EQUAL(pf_workload_steps(workload), 2048 + 4000 + 1000);
    for (int interrupted = 0; interrupted <= 1; interrupted++) {
        PfTraceHeader header = {.page_bytes = pf_workload_page_bytes(workload)};
        g_autoptr(PfTraceWriter) writer =
            pf_trace_writer_new("/dev/null", PF_TRACE_BINARY, &header, NULL);
        PfWorkloadProgress last = {0};
        PfWorkloadOptions options = {
            .progress = count_progress, .user = &last, .interrupted = &interrupted};
        g_autoptr(GError) error = NULL;
        CU_ASSERT_EQUAL(pf_workload_write(workload, writer, &options, &error), interrupted == 0);
        CU_ASSERT_TRUE(last.steps >= 4096 && last.steps < 4096 + 5);
        CU_ASSERT_EQUAL(error != NULL, interrupted == 1);
        CU_ASSERT_TRUE(error == NULL || error->code == PF_ERROR_INTERRUPTED);
    }
}

static const PfCheck checks[] = {
    {"writes are spread evenly over the steps of a phase", writes_are_spread_evenly},
    {"each kind of page can be written, once each, to each kind of content", each_page_once},
    {"what was written back is as it was", what_was_comes_back},
    {"reads come with their instructions, move no store, and make the trace one of accesses",
     reads_are_accesses},
    {"zipf writes the page of rank r as often as 1/r", zipf_is_one_over_rank},
    {"uniform writes all pages alike", uniform_is_uniform},
    {"a layout has each page once, and its inverse undoes it", layouts_are_permutations},
    {"a mistake is told in one line with its place", mistakes_are_told},
    {"progress is told, and an interruption ends writing", progress_and_interruption},
};

PF_CHECK_MAIN("workload-phases", checks)
