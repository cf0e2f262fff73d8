/* Images of memory as their readers tell them; each is made here, byte by byte. */
#include <string.h>

#include "check.h"
#include "image_reader.h"

enum { PAGE = 4096 };

/* A reader of BYTES (borrowed) as FORMAT, or as what they look like. */
static PfImageReader *read_as(const char *format, const void *bytes, size_t length, GError **error)
{
    PfInput *input = pf_input_new_bytes("image", bytes, length);
    const PfImportFormat *found =
        format != NULL ? pf_import_find(format) : pf_import_sniff(input, error);
    if (found == NULL)
        pf_input_free(input);
    return found != NULL ? pf_image_reader_new(input, found, error) : NULL;
}

static PfImageReader *read_text(const char *text)
{
    g_autoptr(GError) error = NULL;
    PfImageReader *reader = read_as(NULL, text, strlen(text), &error);
    g_assert_no_error(error);
    return reader;
}

/* The message of what is wrong with BYTES as FORMAT; NULL if nothing is. Free with g_free. */
static char *problem_of(const char *format, const void *bytes, size_t length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfImageReader) reader = read_as(format, bytes, length, &error);
    PfImageRun run;
    while (reader != NULL && pf_image_reader_next(reader, &run, &error) == PF_TRACE_RECORDS)
        continue;
    return error != NULL ? g_strdup(error->message) : NULL;
}

static void check_problem(const char *format, const void *bytes, size_t length,
                          const char *expected)
{
    g_autofree char *problem = problem_of(format, bytes, length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(problem);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, expected));
    if (strstr(problem, expected) == NULL)
        printf("# %s\n", problem);
}

static void test_raw(void)
{
    enum { PAGES = 200 };
    g_autofree uint8_t *image = g_malloc(PAGES * PAGE);
    for (size_t i = 0; i < PAGES; i++)
        memset(image + i * PAGE, (int)i, PAGE);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfImageReader) reader = read_as(NULL, image, PAGES * PAGE, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    CU_ASSERT_STRING_EQUAL(pf_import_name(pf_image_reader_format(reader)), "raw");
    CU_ASSERT_EQUAL(pf_image_reader_page_bytes(reader), PAGE);
    CU_ASSERT_EQUAL(pf_image_reader_context_kind(reader), PF_CONTEXT_VM);
    uint64_t pages = 0;
    PfImageRun run;
    while (pf_image_reader_next(reader, &run, &error) == PF_TRACE_RECORDS) {
        CU_ASSERT_EQUAL(run.address, pages * PAGE);
        CU_ASSERT_EQUAL(memcmp(run.bytes, image + run.address, run.pages * PAGE), 0);
        pages += run.pages;
    }
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_EQUAL(pages, PAGES);
    CU_ASSERT_DOUBLE_EQUAL(pf_image_reader_progress(reader), 1.0, 0.0);
}

static void test_raw_end(void)
{
    g_autofree uint8_t *image = g_malloc0(3 * PAGE);
    check_problem("raw", image, 2 * PAGE + 1, "image: at byte 8193: ends within a page");
    check_problem("raw", image, 2 * PAGE - 1, "image: at byte 8191: ends within a page");
    g_autofree char *none = problem_of("raw", image, 2 * PAGE);
    CU_ASSERT_PTR_NULL(none);
    check_problem(NULL, image, 2 * PAGE + 1, "looks like no format that is known");
    check_problem(NULL, image, 0, "looks like no format that is known");
}

static void test_hashes(void)
{
    g_autoptr(PfImageReader) reader = read_text("# a list\r\n"
                                                "17\r\n"
                                                "0xff,3\r\n"
                                                "\r\n"
                                                "  18446744073709551615 , 2 , shmem\n"
                                                "0xFFFFFFFFFFFFFFFF,1,file\n"
                                                "0,1,zero\n"
                                                "17");
    static const PfImageHash expected[] = {
        {17, 1, PF_PAGES_ANON},         {255, 3, PF_PAGES_ANON}, {UINT64_MAX, 2, PF_PAGES_SHMEM},
        {UINT64_MAX, 1, PF_PAGES_FILE}, {0, 1, PF_PAGES_ZERO},   {17, 1, PF_PAGES_ANON},
    };
    PfImageRun run;
    CU_ASSERT_EQUAL_FATAL(pf_image_reader_next(reader, &run, NULL), PF_TRACE_RECORDS);
    CU_ASSERT_EQUAL(run.address, 0);
    CU_ASSERT_PTR_NULL(run.bytes);
    CU_ASSERT_EQUAL_FATAL(run.pages, G_N_ELEMENTS(expected));
    for (size_t i = 0; i < run.pages; i++) {
        CU_ASSERT_EQUAL(run.hashes[i].identity, expected[i].identity);
        CU_ASSERT_EQUAL(run.hashes[i].mappings, expected[i].mappings);
        CU_ASSERT_EQUAL(run.hashes[i].kind, expected[i].kind);
    }
    CU_ASSERT_EQUAL(pf_image_reader_next(reader, &run, NULL), PF_TRACE_END);
}

static void test_hash_runs(void)
{
    /* More lines than a run holds: addresses go on where the run before ended. */
    enum { LINES = 10000 };
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < LINES; i++)
        g_string_append_printf(text, "%u\n", i * 7);
    g_autoptr(PfImageReader) reader = read_text(text->str);
    uint64_t pages = 0;
    PfImageRun run;
    while (pf_image_reader_next(reader, &run, NULL) == PF_TRACE_RECORDS) {
        CU_ASSERT_EQUAL(run.address, pages * PAGE);
        for (size_t i = 0; i < run.pages; i++)
            CU_ASSERT_EQUAL(run.hashes[i].identity, (pages + i) * 7);
        pages += run.pages;
    }
    CU_ASSERT_EQUAL(pages, LINES);
}

static void test_hash_mistakes(void)
{
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"1\nnine\n", "image:2: 'nine': expected HASH[,MAPPINGS[,KIND]]"},
        {"18446744073709551616\n", "image:1: '18446744073709551616': expected HASH"},
        {"0x10000000000000000\n", "at most 64 bits"},
        {"deadbeef\n", "0x and hexadecimal"},
        {"1,0\n", "expected MAPPINGS"},
        {"1,1048577\n", "expected MAPPINGS, from 1 to 1048576"},
        {"1,-1\n", "expected MAPPINGS"},
        {"1,1,heap\n", "expected KIND"},
        {"1,1,file,\n", "nothing more"},
        {"1 2\n", "nothing more"},
        {"1,\n", "expected MAPPINGS"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_problem("hashes", cases[i].text, strlen(cases[i].text), cases[i].problem);
    g_autofree char *most = problem_of("hashes", "1,1048576,zero\n", 15);
    CU_ASSERT_PTR_NULL(most);
}

static void test_binary_hashes(void)
{
    static const char header[] = "Linux 2.6.9\n  1 init\n";
    /* The first begins with the letter A: it is a hash all the same. */
    static const uint8_t numbers[] = {'A', 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4};
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_byte_array_append(file, (const uint8_t *)header, sizeof header - 1);
    g_byte_array_append(file, numbers, sizeof numbers);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfImageReader) reader = read_as("hashes", file->data, file->len, &error);
    PfImageRun run;
    CU_ASSERT_EQUAL_FATAL(pf_image_reader_next(reader, &run, &error), PF_TRACE_RECORDS);
    CU_ASSERT_EQUAL_FATAL(run.pages, 3);
    CU_ASSERT_EQUAL(run.hashes[0].identity, 0x41);
    CU_ASSERT_EQUAL(run.hashes[1].identity, 0xffffffff);
    CU_ASSERT_EQUAL(run.hashes[2].identity, 0x04030201);
    CU_ASSERT_EQUAL(run.hashes[2].mappings, 1);
    CU_ASSERT_EQUAL(pf_image_reader_next(reader, &run, &error), PF_TRACE_END);
    check_problem("hashes", file->data, file->len - 1, "ends within a 32-bit hash");
}

static void test_sniffing(void)
{
    static const struct {
        const char *text;
        const char *format;
    } cases[] = {
        {"# x\n0x12\n", "hashes"},        {"5,2,anon\n", "hashes"},  {"0x12 READ 7\n", "dramsim3"},
        {"LD 0x12\n", "ramulator"},       {"0x12 W\n", "ramulator"}, {"I  04000000,3\n", "lackey"},
        {"==1== x\n L 10,4\n", "lackey"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(PfInput) input = pf_input_new_bytes("x", cases[i].text, strlen(cases[i].text));
        const PfImportFormat *format = pf_import_sniff(input, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(format);
        CU_ASSERT_STRING_EQUAL(pf_import_name(format), cases[i].format);
        CU_ASSERT_EQUAL(pf_input_offset(input), 0);
    }
}

/* A range of LiME from address 0 on: each 64 bytes of it could be a record of ChampSim, too. */
static void test_magic_first(void)
{
    uint8_t image[32 + PAGE + 32] = "EMiL\1";
    memset(image + 8, 0, 8);
    image[16] = 0xff;
    image[17] = PAGE / 256 - 1;
    for (size_t i = 64; i < sizeof image; i += 64)
        image[i] = 1;
    g_autoptr(PfInput) input = pf_input_new_bytes("image", image, sizeof image);
    const PfImportFormat *format = pf_import_sniff(input, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(format);
    CU_ASSERT_STRING_EQUAL(pf_import_name(format), "lime");
}

/* 3 lines of text are no hashes in binary because of a letter in a comment; nor is a list whose
 * editor put a byte order mark in front, which no hash begins with. */
static void test_utf8_hashes(void)
{
    static const char text[] = "17\n# gr\xc3\xb6\xc3\x9f" "e\n18\n";
    g_autoptr(PfImageReader) reader = read_as("hashes", text, strlen(text), NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    PfImageRun run;
    CU_ASSERT_EQUAL_FATAL(pf_image_reader_next(reader, &run, NULL), PF_TRACE_RECORDS);
    CU_ASSERT_EQUAL_FATAL(run.pages, 2);
    CU_ASSERT_EQUAL(run.hashes[1].identity, 18);
    check_problem("hashes", "\xef\xbb\xbf" "17\n18", 8, "image:1: ");
}

static void test_open(void)
{
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(pf_image_reader_open("/nowhere", NULL, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "/nowhere: "));
    g_clear_error(&error);
    CU_ASSERT_PTR_NULL(pf_image_reader_open("/dev/null", "lackey", &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "'lackey' is no format of memory images"));
}

static const PfCheck checks[] = {
    {"a raw image is its bytes from address 0 on", test_raw},
    {"a raw image that ends within a page is refused, at the byte where it ends", test_raw_end},
    {"a list of hashes has comments, CR-LF, mappings and kinds", test_hashes},
    {"a long list of hashes comes in runs whose addresses follow each other", test_hash_runs},
    {"what is wrong with a list of hashes is told with its line", test_hash_mistakes},
    {"hashes in binary stand behind the text in front of them", test_binary_hashes},
    {"a format is known by its first line and nothing is consumed", test_sniffing},
    {"a magic counts for more than what else an input looks like", test_magic_first},
    {"a list of hashes may have comments in UTF-8", test_utf8_hashes},
    {"what cannot be opened, or is no image, is told", test_open},
};

PF_CHECK_MAIN("images", checks)
