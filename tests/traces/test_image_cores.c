/* ELF cores and LiME images, made here by the layouts of elf.h and of LiME's header. */
#include <string.h>

#include "check.h"
#include "image_builder.h"

enum { LOAD = 1, NOTE = 4, HEAD = 64, ENTRY = 56 };

/* A page told, as the test expects it. */
static void check_page(const GArray *pages, guint index, uint64_t address, uint8_t first)
{
    CU_ASSERT_TRUE_FATAL(index < pages->len);
    const ToldPage *page = &g_array_index(pages, ToldPage, index);
    CU_ASSERT_EQUAL(page->address, address);
    CU_ASSERT_EQUAL(page->first, first);
}

static void check_kind(const GArray *pages, guint index, PfPagesKind kind, const char *file,
                       uint64_t offset)
{
    const ToldPage *page = &g_array_index(pages, ToldPage, index);
    CU_ASSERT_EQUAL(page->kind, kind);
    CU_ASSERT_PTR_EQUAL(page->file, g_intern_string(file));
    if (file != NULL)
        CU_ASSERT_EQUAL(page->file_offset, offset);
}

/* A dump of a machine: pages of 1 at 0, of 2 at 1 MiB, nothing at 2 MiB; the data begin where the
 * table ends, at no multiple of anything. */
static GByteArray *machine_core(void)
{
    const uint64_t data = HEAD + 3 * ENTRY;
    const Segment segments[] = {
        {LOAD, data, 0, 0, 2 * PAGE, 2 * PAGE},
        {LOAD, data + 2 * PAGE, 0x100000, 0x100000, PAGE, 3 * PAGE},
        {LOAD, 0, 0x200000, 0x200000, 0, PAGE},
    };
    GByteArray *file = core_head(segments, G_N_ELEMENTS(segments));
    put_fill(file, 1, 2 * PAGE);
    put_fill(file, 2, PAGE);
    return file;
}

static void test_machine(void)
{
    g_autoptr(GByteArray) file = machine_core();
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) pages = all_pages(file, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pages);
    /* 2 + 1 pages stand in the file; the 2 of the second segment that do not, and the third
     * segment's, are absent. */
    CU_ASSERT_EQUAL_FATAL(pages->len, 3);
    check_page(pages, 0, 0, 1);
    check_page(pages, 1, PAGE, 1);
    check_page(pages, 2, 0x100000, 2);
    g_autoptr(PfImageReader) reader = read_image(file, NULL, &error);
    CU_ASSERT_STRING_EQUAL(pf_import_name(pf_image_reader_format(reader)), "elfcore");
    CU_ASSERT_EQUAL(pf_image_reader_context_kind(reader), PF_CONTEXT_VM);
    CU_ASSERT_PTR_NULL(pf_image_reader_remark(reader));
}

/* NT_FILE: the ranges, then their names. */
static void put_files(GByteArray *notes)
{
    static const char names[] = "/lib/a.so\0/memfd:x (deleted)\0/dev/shm/s";
    const uint64_t ranges[][3] = {
        /* start, end, offset in pages */
        {0x10000, 0x12000, 5},
        {0x20000, 0x21000, 0},
        {0x21000, 0x22000, 1},
    };
    put_number(notes, 3, 4); /* a note before it, of another kind, with lengths that need padding */
    put_number(notes, 5, 4);
    put_number(notes, 1, 4);
    g_byte_array_append(notes, (const uint8_t *)"AB\0\0hello\0\0", 12);
    put_number(notes, 5, 4);
    put_number(notes, 16 + sizeof ranges + sizeof names, 4);
    put_number(notes, 0x46494c45, 4);
    g_byte_array_append(notes, (const uint8_t *)"CORE\0\0\0", 8);
    put_number(notes, G_N_ELEMENTS(ranges), 8);
    put_number(notes, PAGE, 8);
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
        for (size_t n = 0; n < 3; n++)
            put_number(notes, ranges[i][n], 8);
    g_byte_array_append(notes, (const uint8_t *)names, sizeof names);
    while (notes->len % 4 != 0)
        put_number(notes, 0, 1);
}

/* A core of a process: 4 pages of 1 around a file of 2 pages, then one page of a memfd and one of
 * /dev/shm. The notes stand before the data, or behind. */
static GByteArray *process_core(bool notes_first)
{
    g_autoptr(GByteArray) notes = g_byte_array_new();
    put_files(notes);
    const uint64_t table_end = HEAD + 4 * ENTRY;
    const uint64_t data = table_end + (notes_first ? notes->len : 0);
    const Segment segments[] = {
        {NOTE, notes_first ? table_end : data + 6 * PAGE, 0, 0, notes->len, 0},
        {LOAD, data, 0xf000, 0, 4 * PAGE, 4 * PAGE},
        {LOAD, data + 4 * PAGE, 0x20000, 0, 2 * PAGE, 2 * PAGE},
        {LOAD, data + 6 * PAGE, 0xffffffffff600000, 0, PAGE, PAGE},
    };
    GByteArray *file = core_head(segments, G_N_ELEMENTS(segments));
    if (notes_first)
        g_byte_array_append(file, notes->data, notes->len);
    put_fill(file, 1, 4 * PAGE);
    put_fill(file, 2, 2 * PAGE);
    if (notes_first)
        put_fill(file, 3, PAGE);
    else
        g_byte_array_append(file, notes->data, notes->len);
    return file;
}

static void check_process(const GArray *pages)
{
    CU_ASSERT_EQUAL_FATAL(pages->len, 6);
    for (guint i = 0; i < 4; i++)
        check_page(pages, i, 0xf000 + i * PAGE, 1);
    check_kind(pages, 0, PF_PAGES_ANON, NULL, 0);
    check_kind(pages, 1, PF_PAGES_FILE, "/lib/a.so", 5 * PAGE);
    check_kind(pages, 2, PF_PAGES_FILE, "/lib/a.so", 6 * PAGE);
    check_kind(pages, 3, PF_PAGES_ANON, NULL, 0);
    check_page(pages, 4, 0x20000, 2);
    /* Two programs' memfd of one name are not one: it has no name. */
    check_kind(pages, 4, PF_PAGES_SHMEM, NULL, 0);
    check_kind(pages, 5, PF_PAGES_SHMEM, "/dev/shm/s", PAGE);
}

static void test_process(void)
{
    for (int first = 0; first <= 1; first++) {
        g_autoptr(GByteArray) file = process_core(first == 1);
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) pages = all_pages(file, "elfcore", &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pages);
        check_process(pages);
        g_autoptr(PfImageReader) reader = read_image(file, NULL, &error);
        CU_ASSERT_EQUAL(pf_image_reader_context_kind(reader), PF_CONTEXT_PROCESS);
        CU_ASSERT_PTR_NULL(pf_image_reader_remark(reader));
    }
}

static void test_no_notes(void)
{
    const Segment segments[] = {{LOAD, HEAD + ENTRY, 0x1000, 0, PAGE, PAGE}};
    g_autoptr(GByteArray) file = core_head(segments, 1);
    put_fill(file, 9, PAGE);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfImageReader) reader = read_image(file, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    CU_ASSERT_PTR_NOT_NULL(pf_image_reader_remark(reader));
}

/* Of [0x1800, 0x3400) only the page at 0x2000 is whole; a piece within one page has none. */
static void test_partial(void)
{
    const Segment segments[] = {
        {LOAD, HEAD + 2 * ENTRY, 0x1800, 0, 0x1c00, 0x1c00},
        {LOAD, HEAD + 2 * ENTRY + 0x1c00, 0x5100, 0, 0x200, 0x200},
    };
    g_autoptr(GByteArray) file = core_head(segments, 2);
    put_fill(file, 1, 0x800);
    put_fill(file, 2, PAGE);
    put_fill(file, 3, 0x400 + 0x200);
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) pages = all_pages(file, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pages);
    CU_ASSERT_EQUAL(pages->len, 1);
    check_page(pages, 0, 0x2000, 2);
    g_autoptr(PfImageReader) reader = read_image(file, NULL, &error);
    CU_ASSERT_EQUAL(pf_image_reader_partial_pages(reader), 2 + 1);
}

/* 70000 segments, more than the head can say: their number stands in the section header at the end
 * of the file (sh_info, 44 bytes in). */
static void test_many_segments(void)
{
    enum { SEGMENTS = 70000 };
    g_autoptr(GByteArray) file = core_head(NULL, 0);
    const uint64_t data = HEAD + (uint64_t)SEGMENTS * ENTRY;
    for (uint64_t i = 0; i < SEGMENTS; i++) {
        bool is_last = i == SEGMENTS - 1;
        put_number(file, LOAD, 4);
        put_number(file, 6, 4);
        put_number(file, data, 8);
        put_number(file, 0x10000 + i * PAGE, 8);
        put_number(file, 0, 8);
        put_number(file, is_last ? PAGE : 0, 8);
        put_number(file, PAGE, 8);
        put_number(file, PAGE, 8);
    }
    put_fill(file, 7, PAGE);
    guint section = file->len;
    put_fill(file, 0, 44);
    put_number(file, SEGMENTS, 4);
    put_fill(file, 0, 16);
    file->data[56] = file->data[57] = 0xff; /* PN_XNUM */
    for (unsigned i = 0; i < 4; i++)
        file->data[40 + i] = (uint8_t)(section >> (8 * i));
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) pages = all_pages(file, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pages);
    CU_ASSERT_EQUAL(pages->len, 1);
    check_page(pages, 0, 0x10000 + (SEGMENTS - 1) * (uint64_t)PAGE, 7);
    g_byte_array_set_size(file, section + 20);
    check_refused(file, NULL, "number of segments stands at its end");
}

/* The core of machine_core with a number of BYTES bytes at AT. */
static void check_changed(guint at, uint64_t number, unsigned bytes, const char *expected)
{
    g_autoptr(GByteArray) file = machine_core();
    for (unsigned i = 0; i < bytes; i++)
        file->data[at + i] = (uint8_t)(number >> (8 * i));
    check_refused(file, "elfcore", expected);
}

static void test_core_mistakes(void)
{
    enum { SECOND = HEAD + ENTRY, OFFSET = 8, PHYSICAL = 24, FILE_BYTES = 32 };
    check_changed(0, 0, 1, "no ELF file");
    check_changed(4, 1, 1, "an ELF file of 32 bits");
    check_changed(5, 2, 1, "a big-endian ELF file");
    check_changed(16, 2, 2, "no core");
    check_changed(16, 3, 2, "no core");
    check_changed(32, (uint64_t)1 << 40, 8, "table of segments");
    check_changed(54, 55, 2, "table of segments");
    check_changed(56, 0, 2, "without segments");
    check_changed(56, 60000, 2, "ends within its table of segments");
    check_changed(SECOND + PHYSICAL, PAGE, 8, "segments overlap");
    check_changed(SECOND + OFFSET, HEAD, 8, "order of their addresses");
    check_changed(SECOND + FILE_BYTES, UINT64_MAX, 8, "behind the last address");
    check_changed(SECOND + PHYSICAL, UINT64_MAX - 1, 8, "behind the last address");
    check_changed(SECOND + FILE_BYTES, 2 * PAGE, 8, "cut short");
    g_autoptr(GByteArray) file = machine_core();
    g_byte_array_set_size(file, file->len - 1);
    check_refused(file, NULL, "the image ends here and should not");
    g_byte_array_set_size(file, HEAD - 1);
    check_refused(file, NULL, "no ELF file");
}

static void put_range(GByteArray *file, uint64_t first, uint64_t last, uint8_t value)
{
    put_number(file, 0x4c694d45, 4);
    put_number(file, 1, 4);
    put_number(file, first, 8);
    put_number(file, last, 8);
    put_number(file, 0, 8);
    put_fill(file, value, (size_t)(last - first + 1));
}

/* As on a PC: the first range ends within the page at 0x9f000. */
static GByteArray *lime_image(void)
{
    GByteArray *file = g_byte_array_new();
    put_range(file, 0x1000, 0x9fbff, 1);
    put_range(file, 0x100000, 0x101fff, 2);
    return file;
}

static void test_lime(void)
{
    g_autoptr(GByteArray) file = lime_image();
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) pages = all_pages(file, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pages);
    /* 0x1000 .. 0x9f000 are 158 pages. */
    CU_ASSERT_EQUAL_FATAL(pages->len, 158 + 2);
    check_page(pages, 0, 0x1000, 1);
    check_page(pages, 157, 0x9e000, 1);
    check_page(pages, 158, 0x100000, 2);
    check_page(pages, 159, 0x101000, 2);
    g_autoptr(PfImageReader) reader = read_image(file, NULL, &error);
    CU_ASSERT_STRING_EQUAL(pf_import_name(pf_image_reader_format(reader)), "lime");
    PfImageRun run;
    while (pf_image_reader_next(reader, &run, &error) == PF_TRACE_RECORDS)
        continue;
    CU_ASSERT_EQUAL(pf_image_reader_partial_pages(reader), 1);
}

static void test_lime_mistakes(void)
{
    const guint second = 32 + 0x9ec00;
    static const struct {
        guint at; /* in the second header */
        uint8_t value;
        const char *problem;
    } cases[] = {
        {0, 0, "at byte 650272: no header of LiME"},
        {4, 2, "another version than 1"},
        {10, 0x09, "begins before the end of the one before"},
        {18, 0x00, "ends before it begins"},
        {23, 0x80, "too high"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) file = lime_image();
        file->data[second + cases[i].at] = cases[i].value;
        check_refused(file, "lime", cases[i].problem);
    }
    g_autoptr(GByteArray) file = lime_image();
    g_byte_array_set_size(file, file->len - 1);
    check_refused(file, "lime", "cut short");
    g_byte_array_set_size(file, second + 31);
    check_refused(file, "lime", "ends within a header");
    g_byte_array_set_size(file, second - 1);
    check_refused(file, "lime", "cut short");
}

static const PfCheck checks[] = {
    {"a machine's core is read by physical address; what is not in the file is absent",
     test_machine},
    {"a process's core tells files and shared memory apart, wherever its notes stand",
     test_process},
    {"a core without notes says what it does not tell", test_no_notes},
    {"pages that are only in part in the file are left out and counted", test_partial},
    {"a core may have more segments than its head can count", test_many_segments},
    {"what is wrong with a core is told in one line", test_core_mistakes},
    {"LiME's ranges are read to their last whole page", test_lime},
    {"what is wrong with a LiME image is told with its byte", test_lime_mistakes},
};

PF_CHECK_MAIN("image_cores", checks)
