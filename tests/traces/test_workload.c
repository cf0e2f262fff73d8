/* Generated workloads: how many pages of what, which ones, and what is refused. */
#include <string.h>

#include "check.h"
#include "error.h"
#include "units.h"
#include "workload.h"
#include "workload_picture.h"

/* 1003 used pages of which 0.3, 0.1, 0.25, 0.1 and the rest, 0.25, are 300.9, 100.3, 250.75, 100.3
 * and 250.75: 1000 rounded down, and the three that lose most have one more. 100 duplicates are 50
 * contents in two pages each. */
static void shares_are_counts(void)
{
    static const char *const seeds[] = {"1", "2", "77"};
    static const char *const chunks[] = {"0", "1", "16", "5000"};
    for (size_t i = 0; i < G_N_ELEMENTS(seeds) * G_N_ELEMENTS(chunks); i++) {
        g_autofree char *text =
            g_strdup_printf("seed = %s; contexts = ( { name = \"c\"; count = 3; memory = "
                            "\"4028KiB\"; used = 0.996; "
                            "zero = 0.3; ones = 0.1; duplicates = 0.1; chunk = %s; "
                            "common = ( { set = \"os\"; share = 0.25; } ); } );",
                            seeds[i % 3], chunks[i / 3]);
        g_autoptr(Picture) picture = picture_of_group(text, UINT64_MAX);
        /* 4028 KiB are 1007 pages; 1007 x 0.996 = 1002.97. */
        CU_ASSERT_EQUAL(picture->pages->len, 3 * 1003);
        for (uint32_t context = 0; context < 3; context++) {
            CU_ASSERT_EQUAL(picture_count(picture, context, PF_CONTENT_ZERO), 301);
            CU_ASSERT_EQUAL(picture_count(picture, context, PF_CONTENT_ONES), 100);
        }
        CU_ASSERT_EQUAL(picture_shared(picture, 3, 3), 251);
        CU_ASSERT_EQUAL(picture_shared(picture, 2, 1), 3 * 50);
        CU_ASSERT_EQUAL(picture_shared(picture, 1, 1), 3 * 251);
        CU_ASSERT_EQUAL(picture_contents(picture), 2 + 251 + 3 * 50 + 3 * 251);
    }
}

/* Of 10 pages 3 have remainders of .5, and one more page goes to the earlier. */
static void ties_go_to_the_earlier(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"c\"; memory = \"40KiB\"; zero = 0.15; ones = 0.15; } );",
        UINT64_MAX);
    CU_ASSERT_EQUAL(picture_count(picture, 0, PF_CONTENT_ZERO), 2);
    CU_ASSERT_EQUAL(picture_count(picture, 0, PF_CONTENT_ONES), 1);
    CU_ASSERT_EQUAL(picture_count(picture, 0, PF_CONTENT_ID), 7);
}

static void pages_are_counts(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"c\"; memory = \"64KiB\"; unit = \"pages\"; used = 15; zero = 1; "
        "ones = 2; duplicates = 5; copies = 2; pinned = 3; } );",
        UINT64_MAX);
    CU_ASSERT_EQUAL(picture->pages->len, 15);
    CU_ASSERT_EQUAL(picture_count(picture, 0, PF_CONTENT_ZERO), 1);
    CU_ASSERT_EQUAL(picture_count(picture, 0, PF_CONTENT_ONES), 2);
    /* Five duplicates are a pair and a triple; 15 - 1 - 2 - 5 = 7 have no equal, three are pinned.
     */
    CU_ASSERT_EQUAL(picture_shared(picture, 3, 1), 1);
    CU_ASSERT_EQUAL(picture_contents(picture), 1 + 1 + 2 + 7);
    unsigned pinned = 0;
    for (guint i = 0; i < picture->pages->len; i++)
        pinned += g_array_index(picture->pages, PicturePage, i).is_pinned;
    CU_ASSERT_EQUAL(pinned, 3);
    /* Where `used` is not given all 16 are used, as with shares. */
    g_autoptr(Picture) whole = picture_of_group(
        "contexts = ( { name = \"c\"; memory = \"64KiB\"; unit = \"pages\"; zero = 5; } );",
        UINT64_MAX);
    CU_ASSERT_EQUAL(whole->pages->len, 16);
    CU_ASSERT_EQUAL(picture_count(whole, 0, PF_CONTENT_ZERO), 5);
}

/* "a" takes contents 0 to 9 of the set, "b" 6 to 9 in turn, ten pages: three of two, two of two. */
static void sets_overlap(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"a\"; memory = \"40KiB\"; common = ( { set = \"s\"; "
        "share = 1; } ); },"
        "{ name = \"b\"; memory = \"40KiB\"; kind = \"process\"; "
        "common = ( { set = \"s\"; share = 1; pages = 4; first = 6; } ); } );",
        UINT64_MAX);
    CU_ASSERT_EQUAL(picture_contents(picture), 10);
    CU_ASSERT_EQUAL(picture_shared(picture, 1, 1), 6);
    CU_ASSERT_EQUAL(picture_shared(picture, 1 + 3, 2), 2);
    CU_ASSERT_EQUAL(picture_shared(picture, 1 + 2, 2), 2);
}

static const char churned[] =
    "workload = { contexts = ( { name = \"vm\"; count = 2; memory = \"1MiB\"; zero = 0.3; "
    "common = ( { set = \"os\"; share = 0.3; } ); } ); "
    "phases = ( { time = \"1s\"; writes = ( { rate = 300; } ); } ); };";

static void same_seed_same_bytes(void)
{
    for (int form = PF_TRACE_TEXT; form <= PF_TRACE_BINARY; form++) {
        g_autoptr(GBytes) one = generate_text(churned, (PfTraceForm)form, NULL);
        g_autoptr(GBytes) two = generate_text(churned, (PfTraceForm)form, NULL);
        CU_ASSERT_TRUE(g_bytes_equal(one, two));
    }
}

static void other_seed_other_bytes(void)
{
    g_autofree char *other_text = g_strdup(churned);
    g_autofree char *other = g_strconcat("workload = { seed = 2; ", other_text + 13, NULL);
    g_autoptr(GBytes) first = generate_text(churned, PF_TRACE_BINARY, NULL);
    g_autoptr(GBytes) second = generate_text(other, PF_TRACE_BINARY, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    g_autoptr(Picture) one = picture_new(first, 1);
    g_autoptr(Picture) two = picture_new(second, 1);
    CU_ASSERT_EQUAL_FATAL(one->pages->len, two->pages->len);
    unsigned same_number = 0;
    unsigned same_form = 0;
    for (guint i = 0; i < one->pages->len; i++) {
        const PicturePage *a = &g_array_index(one->pages, PicturePage, i);
        const PicturePage *b = &g_array_index(two->pages, PicturePage, i);
        same_form += a->form == b->form;
        same_number +=
            a->form == PF_CONTENT_ID && b->form == PF_CONTENT_ID && a->number == b->number;
    }
    CU_ASSERT_EQUAL(same_number, 0);
    /* Layouts that do not know of each other agree on 0.3 x 0.3 + 0.7 x 0.7 = 0.58 of 512 pages. */
    CU_ASSERT_TRUE(same_form > 512 * 50 / 100 && same_form < 512 * 66 / 100);
}

/* A digest that was taken, not computed: whoever changes it changes everybody's workloads. */
static void bytes_are_those_of_every_machine(void)
{
    g_autoptr(GBytes) trace = generate_text(churned, PF_TRACE_TEXT, NULL);
    gsize length;
    const void *bytes = g_bytes_get_data(trace, &length);
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, length);
    CU_ASSERT_STRING_EQUAL(digest,
                           "ee94c012f23fb9460b4b3448e875426c0d710bc05667099b00fa076494c1885a");
}

static void neighbours_stay_together(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"c\"; memory = \"4MiB\"; zero = 0.5; chunk = 16; } );", UINT64_MAX);
    /* 512 zero pages are 32 chunks: there are at most 32 stretches of them, and of 64 chunks in
     * random order some follow each other. */
    unsigned stretches = 0;
    for (guint i = 0; i < picture->pages->len; i++) {
        const PicturePage *page = &g_array_index(picture->pages, PicturePage, i);
        bool begins = page->form == PF_CONTENT_ZERO && (i == 0 || page[-1].form != PF_CONTENT_ZERO);
        stretches += begins;
        CU_ASSERT_TRUE(!begins || page->page % 16 == 0);
    }
    CU_ASSERT_TRUE(stretches > 1 && stretches < 32);
}

static void order_is_kept(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"c\"; memory = \"4MiB\"; address = 0x10000000; zero = 0.25; "
        "chunk = 0; } );",
        UINT64_MAX);
    for (guint i = 0; i < picture->pages->len; i++) {
        const PicturePage *page = &g_array_index(picture->pages, PicturePage, i);
        CU_ASSERT_EQUAL(page->page, 0x10000 + i);
        CU_ASSERT_EQUAL(page->form, i < 256 ? PF_CONTENT_ZERO : PF_CONTENT_ID);
    }
}

/* What is in a file: contexts, pages, contents. */
static void workloads_hold_what_they_say(void)
{
    static const struct {
        const char *name;
        uint32_t contexts;
        uint64_t pages;
        uint64_t contents;
    } workloads[] = {
        {"four-processes", 4, 65536, 1 + 4096 + 8192 + 4 * 512 + 4 * 5120},
        /* Top contents, frames behind cow, pages with no equal, pinned ones; before anything is
         * written 244 of those with no equal are still in the set "written". */
        {"three-vms", 3, 81919, 8 + 16569 + 244 + 19373 - 244 + 3776},
        {"million", 10, 1000000, 1 + 40000 + 500000},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(workloads); i++) {
        g_autofree char *path =
            g_strdup_printf("%s/%s.cfg", g_getenv("PAGEFOLD_WORKLOADS"), workloads[i].name);
        for (unsigned seed = 1; seed <= 2; seed++) {
            g_autofree char *assignment = g_strdup_printf("workload.seed=%u", seed);
            g_autoptr(GBytes) trace = generate_file(path, assignment, PF_TRACE_BINARY, NULL);
            CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
            g_autoptr(Picture) picture = picture_new(trace, 1);
            CU_ASSERT_EQUAL(picture->contexts, workloads[i].contexts);
            CU_ASSERT_EQUAL(picture->pages->len, workloads[i].pages);
            CU_ASSERT_EQUAL(picture_contents(picture), workloads[i].contents);
        }
    }
}

static const PfCheck checks[] = {
    {"shares are met by count, whatever the seed and the layout", shares_are_counts},
    {"of equal remainders the earlier amount gets the page", ties_go_to_the_earlier},
    {"amounts may be numbers of pages", pages_are_counts},
    {"contexts take contents of a set from where they say", sets_overlap},
    {"the same seed gives the same bytes", same_seed_same_bytes},
    {"another seed gives other contents at other places", other_seed_other_bytes},
    {"the bytes of a seed are fixed", bytes_are_those_of_every_machine},
    {"pages of a chunk stay together", neighbours_stay_together},
    {"with chunk = 0 kind stands after kind", order_is_kept},
    {"the workloads hold what their first lines say", workloads_hold_what_they_say},
};

PF_CHECK_MAIN("workload", checks)
