/* The finer knobs of generated workloads: what is nearly equal, mapped from files, moved by random
 * addresses, given back, allocated together, asked for by init. */
#include <string.h>

#include "check.h"
#include "error.h"
#include "units.h"
#include "workload.h"
#include "workload_picture.h"

static const PicturePage *page_at(const Picture *picture, guint index)
{
    return &g_array_index(picture->pages, PicturePage, index);
}

/* Bytes in which pages ONE and OTHER differ. */
static unsigned count_differences(const PicturePage *one, const PicturePage *other)
{
    uint8_t bytes[2][4096];
    picture_expand(one, 4096, bytes[0]);
    picture_expand(other, 4096, bytes[1]);
    unsigned count = 0;
    for (size_t i = 0; i < sizeof(bytes[0]); i++)
        count += bytes[0][i] != bytes[1][i];
    return count;
}

/* 100 pages in 100 / 3 = 33 families: pages 0 to 32 are the first of each; page I is of family I
 * modulo 33. The other 67 differ from their first in as many bytes as asked for. */
static void similar_pages(void)
{
    static const unsigned differs[] = {1, 2, 1068, 4095};
    for (size_t i = 0; i < G_N_ELEMENTS(differs); i++) {
        g_autofree char *text = g_strdup_printf(
            "contexts = ( { name = \"c\"; count = 2; memory = \"440KiB\"; unit = \"pages\"; "
            "chunk = 0; similar = 100; alike = 3; differ = %u; } );",
            differs[i]);
        g_autoptr(Picture) picture = picture_of_group(text, UINT64_MAX);
        CU_ASSERT_EQUAL(picture->pages->len, 2 * 110);
        CU_ASSERT_EQUAL(picture_contents(picture), 2 * 110);
        for (guint page = 33; page < 100; page++)
            CU_ASSERT_EQUAL(count_differences(page_at(picture, page), page_at(picture, page % 33)),
                            differs[i]);
    }
}

/* 255 x 4 ways to change one byte of a page of 4 bytes: all of one family differ. */
static void all_variants_differ(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "page = 4; contexts = ( { name = \"c\"; memory = 4084; similar = 1; alike = 1021; } );",
        UINT64_MAX);
    CU_ASSERT_EQUAL(picture_contents(picture), 1021);
}

/* Two contexts of 100 pages: 40 of file "lib", 20 of a file of their own with the same contents
 * from number 10 on, 10 of a segment whose contents take turns with 4, 30 private.
 *   mappings 200; frames 40 + 2 x 20 + 10 + 2 x 30 = 150; all but the 60 are named, so KSM has
 *   nothing; contents 40 + 4 + 60 = 104, for the 20 are among the 40. */
static void files_are_mapped(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"c\"; count = 2; kind = \"process\"; memory = \"400KiB\"; "
        "unit = \"pages\"; chunk = 8; common = ( "
        "{ set = \"lib\"; share = 40; backing = \"file\"; }, "
        "{ set = \"lib\"; share = 20; backing = \"file\"; first = 10; file = \"copy\"; own = true; "
        "}, { set = \"ring\"; share = 10; pages = 4; backing = \"shmem\"; } ); } );",
        UINT64_MAX);
    Baselines baselines = picture_baselines(picture, UINT32_MAX);
    CU_ASSERT_EQUAL(baselines.mappings, 200);
    CU_ASSERT_EQUAL(baselines.frames, 40 + 2 * 20 + 10 + 2 * 30);
    CU_ASSERT_EQUAL(baselines.ksm, baselines.frames);
    CU_ASSERT_EQUAL(baselines.contents, 40 + 4 + 60);
    CU_ASSERT_EQUAL(baselines.anonymous, 60);
    CU_ASSERT_EQUAL(baselines.named, 44);
    CU_ASSERT_EQUAL(baselines.mixed, 0);
    CU_ASSERT_EQUAL_FATAL(picture->files->len, 4);
}

/* Zero pages of a segment and of the contexts' own are one content of both kinds: 5 + 2 x 3
 * pages. */
static void segments_hold_zeros(void)
{
    g_autoptr(Picture) picture = picture_of_group(
        "contexts = ( { name = \"c\"; count = 2; memory = \"32KiB\"; unit = \"pages\"; zero = 3; "
        "common = ( { set = \"zero\"; share = 5; backing = \"shmem\"; file = \"x\"; } ); } );",
        UINT64_MAX);
    Baselines baselines = picture_baselines(picture, UINT32_MAX);
    CU_ASSERT_EQUAL(baselines.frames, 5 + 2 * 3);
    CU_ASSERT_EQUAL(baselines.ksm, 5 + 1);
    CU_ASSERT_EQUAL(baselines.contents, 1);
    CU_ASSERT_EQUAL(baselines.mixed, 1);
}

/* 1000 pages, 400 of a set, of which a quarter holds addresses. Without random addresses all 400
 * are equal in three contexts, with them 300 are, and 100 are each context's. */
static void addresses_are_random(void)
{
    static const char text[] =
        "contexts = ( { name = \"c\"; count = 3; kind = \"%s\"; memory = \"4000KiB\"; aslr = %s; "
        "address = 0x10000000; chunk = 0; "
        "common = ( { set = \"lib\"; share = 0.4; pointers = 0.25; backing = \"%s\"; } ); } );";
    static const struct {
        const char *kind;
        const char *aslr;
        const char *backing;
        unsigned equal;
        unsigned frames;
    } cases[] = {
        {"vm", "false", "anon", 400, 3000},
        {"vm", "true", "anon", 300, 3000},
        {"process", "true", "anon", 300, 3000},
        {"process", "false", "file", 400, 400 + 3 * 600},
        /* What is relocated is no page of the file any more. */
        {"process", "true", "file", 300, 300 + 3 * 700},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *whole =
            g_strdup_printf(text, cases[i].kind, cases[i].aslr, cases[i].backing);
        g_autoptr(Picture) picture = picture_of_group(whole, UINT64_MAX);
        CU_ASSERT_EQUAL(picture_shared(picture, 3, 3), cases[i].equal);
        CU_ASSERT_EQUAL(picture_contents(picture), cases[i].equal + 3 * (1000 - cases[i].equal));
        CU_ASSERT_EQUAL(picture_baselines(picture, UINT32_MAX).frames, cases[i].frames);
        bool moves = i == 2 || i == 4;
        CU_ASSERT_EQUAL(page_at(picture, 0)->page != 0x10000, moves);
        CU_ASSERT_EQUAL(page_at(picture, 0)->page != page_at(picture, 1000)->page, moves);
        CU_ASSERT_TRUE(page_at(picture, 0)->page < 0x10000 + ((uint64_t)1 << 28));
        if (i == 1)
            CU_ASSERT_EQUAL(count_differences(page_at(picture, 399), page_at(picture, 1399)), 1);
    }
}

/* 300 of 1000 pages were given back: zeros if they are cleared. Then 100 more, of the private
 * ones. */
static void pages_are_given_back(void)
{
    for (unsigned clears = 0; clears <= 1; clears++) {
        g_autofree char *text = g_strdup_printf(
            "contexts = ( { name = \"c\"; memory = \"4000KiB\"; freed = 0.3; zero_free = %s; } ); "
            "phases = ( { time = \"1s\"; }, { time = \"1s\"; writes = ( { rate = 100; from = "
            "\"private\"; "
            "to = \"freed\"; choice = \"once\"; } ); } );",
            clears ? "true" : "false");
        g_autoptr(GBytes) trace = generate_group(text, PF_TRACE_BINARY);
        g_autoptr(Picture) before = picture_new(trace, PF_PS_PER_SECOND);
        g_autoptr(Picture) after = picture_new(trace, UINT64_MAX);
        CU_ASSERT_EQUAL(picture_count(before, 0, PF_CONTENT_ZERO), clears ? 300 : 0);
        CU_ASSERT_EQUAL(picture_count(after, 0, PF_CONTENT_ZERO), clears ? 400 : 0);
        CU_ASSERT_EQUAL(picture_contents(after), clears ? 1 + 600 : 1000);
    }
}

/* 25 pages in groups of 10 are 10, 10 and 5, and large pages are asked for with each. */
static void memory_is_allocated_in_groups(void)
{
    static const char text[] = "contexts = ( { name = \"c\"; count = 2; memory = \"100KiB\"; "
                               "group = 10; huge = \"2MiB\"; mergeable = false; } );";
    CU_ASSERT_EQUAL(count_in_group(text, "\nmap c1 "), 3);
    CU_ASSERT_EQUAL(count_in_group(text, "\nmap c1 0x0 10 anon huge=2MiB group=1\n"), 1);
    CU_ASSERT_EQUAL(count_in_group(text, "\nmap c2 0xa000 10 anon huge=2MiB group=2\n"), 1);
    CU_ASSERT_EQUAL(count_in_group(text, "\nmap c2 0x14000 5 anon huge=2MiB group=3\n"), 1);
}

static void plain_pages_are_asked_for(void)
{
    static const char text[] =
        "contexts = ( { name = \"c\"; memory = \"100KiB\"; unit = \"pages\"; chunk = 0; "
        "init = true; zero = 5; ones = 4; common = ( { set = \"debug\"; share = 3; pages = 1; }, "
        "{ set = \"os\"; share = 2; } ); } );";
    CU_ASSERT_EQUAL(count_in_group(text, "\ninit c 0x0 5 zero\n"), 1);
    CU_ASSERT_EQUAL(count_in_group(text, "\ninit c 0x5000 4 ones\n"), 1);
    CU_ASSERT_EQUAL(count_in_group(text, "\ninit c 0x9000 3 id:"), 1);
    CU_ASSERT_EQUAL(count_in_group(text, "\nfill c 0xc000 2 id:"), 1);
    CU_ASSERT_EQUAL(count_in_group(text, "\ninit "), 3);
}

static const PfCheck checks[] = {
    {"similar pages differ in as many bytes as asked for", similar_pages},
    {"there are as many similar pages as a byte has places and values", all_variants_differ},
    {"files are mapped by all or by each, and counted by kind", files_are_mapped},
    {"zeros of segments and of anonymous memory are one content", segments_hold_zeros},
    {"random addresses move processes and make pages with addresses differ", addresses_are_random},
    {"pages that are given back are cleared or not", pages_are_given_back},
    {"memory is allocated in groups and large pages", memory_is_allocated_in_groups},
    {"pages of zeros, ones and a pattern are asked for by init", plain_pages_are_asked_for},
};

PF_CHECK_MAIN("workload-knobs", checks)
