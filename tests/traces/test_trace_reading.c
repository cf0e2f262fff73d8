/* The text form as a whole: header, blocks, limits, files beside it, and back to text. */
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "dump.h"
#include "trace_source.h"

static void test_header(void)
{
    static const char text[] = "pagefold-trace 1 # one\r\n# a comment\r\n\r\npage 16\r\n"
                               "clock 2.6GHz\r\ndescription \"{\"\r\ndescription \"}x\"\r\nscan 1";
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", text, strlen(text), NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    const PfTraceHeader *header = pf_trace_header(trace);
    CU_ASSERT_EQUAL(header->page_bytes, 16);
    CU_ASSERT_EQUAL(header->clock_hz, 2600000000U);
    CU_ASSERT_STRING_EQUAL(header->description, "{}x");
    CU_ASSERT_FALSE(header->is_binary);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    CU_ASSERT_EQUAL_FATAL(pf_trace_read(trace, block, NULL), PF_TRACE_RECORDS);
    CU_ASSERT_EQUAL(block->count, 1);
    CU_ASSERT_EQUAL(block->records[0].line, 8);
    g_autofree char *place = pf_trace_place(trace, &block->records[0], 0);
    CU_ASSERT_STRING_EQUAL(place, "t:8");
    CU_ASSERT_EQUAL(pf_trace_read(trace, block, NULL), PF_TRACE_END);
    CU_ASSERT_EQUAL(pf_trace_progress(trace), 1.0);
}

static void test_header_defaults(void)
{
    static const char text[] = "pagefold-trace 1\n";
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", text, strlen(text), NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    CU_ASSERT_EQUAL(pf_trace_header(trace)->page_bytes, 4096);
    CU_ASSERT_EQUAL(pf_trace_header(trace)->clock_hz, 0);
    CU_ASSERT_STRING_EQUAL(pf_trace_header(trace)->description, "{}");
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    CU_ASSERT_EQUAL(pf_trace_read(trace, block, NULL), PF_TRACE_END);
    CU_ASSERT_EQUAL(pf_trace_read(trace, block, NULL), PF_TRACE_END);
}

static void test_same_content(void)
{
    static const char text[] = "pagefold-trace 1\ncontext a vm\nfill a 0 1 id:7\nfill a 0 1 \"x\"\n"
                               "fill a 0 1 hex:7800\nfill a 0 1 id:7\nfill a 0 1 hash:7\n";
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", text, strlen(text), NULL, NULL);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    CU_ASSERT_EQUAL_FATAL(pf_trace_read(trace, block, NULL), PF_TRACE_RECORDS);
    CU_ASSERT_EQUAL(block->contents->len, 3);
    static const uint32_t expected[] = {0, 1, 1, 0, 2};
    for (unsigned i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(block->records[i + 1].content, expected[i]);
}

static void test_many_blocks(void)
{
    /* Two blocks and a record more, so that the third block is the last. */
    uint32_t count = 2 * PF_TRACE_BLOCK_RECORDS + 1;
    g_autoptr(GString) text = g_string_new("pagefold-trace 1\ncontext a vm\n");
    for (uint32_t i = 1; i < count; i++)
        g_string_append_printf(text, "read a 0x%" PRIx32 " 1\n", i);
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", text->str, text->len, NULL, NULL);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    uint32_t seen = 0;
    unsigned blocks = 0;
    while (pf_trace_read(trace, block, NULL) == PF_TRACE_RECORDS) {
        CU_ASSERT_EQUAL(block->first_record, seen);
        for (uint32_t i = 0; i < block->count; i++, seen++)
            if (block->records[i].address != seen)
                CU_FAIL_FATAL("a record is out of order");
        blocks++;
    }
    CU_ASSERT_EQUAL(seen, count);
    CU_ASSERT_EQUAL(blocks, 3);
}

static void test_large_page(void)
{
    /* A page of 2 MiB in hexadecimal is a line of 4 MiB: above 1 MiB, and fine. */
    size_t page = 2 << 20;
    g_autoptr(GString) text = g_string_new("pagefold-trace 1\npage 2MiB\ncontext a vm\n"
                                           "fill a 0 1 hex:");
    for (size_t i = 0; i < page; i++)
        g_string_append(text, i % 2 == 0 ? "5a" : "a5");
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", text->str, text->len, NULL, NULL);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    CU_ASSERT_EQUAL_FATAL(pf_trace_read(trace, block, NULL), PF_TRACE_RECORDS);
    const PfContentSpec *spec = &g_array_index(block->contents, PfContentSpec, 0);
    CU_ASSERT_EQUAL(spec->length, page);
    CU_ASSERT_EQUAL(spec->bytes[page - 1], 0xa5);
}

static void test_blob(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    g_autofree char *blob = g_build_filename(folder, "a:b", NULL);
    g_autofree char *path = g_build_filename(folder, "t.trace", NULL);
    static const char text[] = "pagefold-trace 1\npage 4\ncontext a vm\n"
                               "fill a 0 1 blob:a:b:2\nfill a 0 1 blob:a:b:8\n";
    CU_ASSERT_FATAL(g_file_set_contents(blob, "0123456789", 10, NULL));
    CU_ASSERT_FATAL(g_file_set_contents(path, text, -1, NULL));
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    CU_ASSERT_EQUAL_FATAL(pf_trace_read(trace, block, NULL), PF_TRACE_RECORDS);
    CU_ASSERT_EQUAL_FATAL(block->contents->len, 2);
    const PfContentSpec *spec = &g_array_index(block->contents, PfContentSpec, 0);
    CU_ASSERT_EQUAL(spec->length, 4);
    CU_ASSERT_EQUAL(memcmp(spec->bytes, "2345", 4), 0);
    /* The file's last two bytes, then zeros as for any short content. */
    CU_ASSERT_EQUAL(spec[1].length, 2);
    CU_ASSERT_EQUAL(memcmp(spec[1].bytes, "89", 2), 0);
    g_unlink(blob);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_sample_has_all_kinds(void)
{
    g_autoptr(PfTrace) trace =
        pf_trace_open_bytes("t", dump_sample, strlen(dump_sample), NULL, NULL);
    PfTraceSummary summary;
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FATAL(pf_trace_summarise(trace, &summary, &error));
    for (unsigned kind = 0; kind < PF_RECORD_KINDS; kind++)
        CU_ASSERT(summary.records_by_kind[kind] > 0);
    CU_ASSERT_EQUAL(summary.contexts, 5);
    CU_ASSERT_EQUAL(summary.marks, 3);
    CU_ASSERT_EQUAL(summary.instructions, 250 + 70000 - 1); /* one run wraps around: 2^64 - 1 */
    CU_ASSERT_EQUAL(summary.read_bytes, 8 + 8 + 64 + 1);
    CU_ASSERT_EQUAL(summary.written_bytes, 8 + 3 + 5 + 16 + 17 + 100 + 2 + 8);
    CU_ASSERT_EQUAL(summary.fetched_bytes, 64 + 64);
    CU_ASSERT_EQUAL(summary.accesses, 4 + 8 + 2);
    CU_ASSERT_TRUE(summary.has_access_grain);
    CU_ASSERT_TRUE(summary.has_page_grain);
    CU_ASSERT_TRUE(summary.has_time);
    CU_ASSERT_EQUAL(summary.last_time_ps, (uint64_t)1500 * 1000 * 1000);
    CU_ASSERT_FALSE(summary.has_index);
    CU_ASSERT_EQUAL(summary.file_bytes, strlen(dump_sample));
}

static void test_text_round_trip(void)
{
    g_autoptr(GBytes) once = convert_bytes(dump_sample, strlen(dump_sample), PF_TRACE_TEXT);
    g_autoptr(GBytes) twice =
        convert_bytes(g_bytes_get_data(once, NULL), g_bytes_get_size(once), PF_TRACE_TEXT);
    CU_ASSERT(g_bytes_equal(once, twice));
    g_autoptr(GPtrArray) before = dump_bytes(dump_sample, strlen(dump_sample), false, NULL, NULL);
    g_autoptr(GPtrArray) after =
        dump_bytes(g_bytes_get_data(once, NULL), g_bytes_get_size(once), false, NULL, NULL);
    CU_ASSERT(before->len > 60);
    CU_ASSERT(dump_is_equal(before, after));
}

/* Each example of the documentation, which is where PAGEFOLD_DOCS says. */
static void test_examples(void)
{
    const char *folder = g_getenv("PAGEFOLD_DOCS");
    if (folder == NULL) {
        pf_check_skip("PAGEFOLD_DOCS is not set");
        return;
    }
    g_autofree char *path = g_build_filename(folder, "trace-format.md", NULL);
    g_autofree char *document = NULL;
    CU_ASSERT_FATAL(g_file_get_contents(path, &document, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(document, "\n```", -1);
    unsigned examples = 0;
    for (char **part = parts; *part != NULL; part++) {
        if (!g_str_has_prefix(*part, "trace\n"))
            continue;
        const char *text = *part + strlen("trace\n");
        g_autoptr(GError) error = NULL;
        PfTraceStatus status;
        g_autoptr(GPtrArray) lines = dump_bytes(text, strlen(text), false, &status, &error);
        if (error != NULL)
            printf("# %s in\n# %s\n", error->message, text);
        CU_ASSERT_EQUAL(status, PF_TRACE_END);
        CU_ASSERT(lines->len > 0);
        examples++;
    }
    /* One for each event, begin and end together, and one for the whole. */
    CU_ASSERT(examples >= PF_RECORD_KINDS);
}

static const PfCheck checks[] = {
    {"the header is read with CR-LF, comments and a description in pieces", test_header},
    {"a trace of one line has the default page size and no records", test_header_defaults},
    {"equal contents have one number, numbered in order of first use", test_same_content},
    {"a long trace comes in full blocks, in order", test_many_blocks},
    {"the limit of a line grows with the page size", test_large_page},
    {"blob: reads a page from a file beside the trace", test_blob},
    {"the summary counts each kind of record", test_sample_has_all_kinds},
    {"text written again is the same text and the same records", test_text_round_trip},
    {"each example of the documentation is a trace", test_examples},
};

PF_CHECK_MAIN("trace_reading", checks)
