/* Mistakes in the text form: each is told with its line, what it is, and the mend; what stands
 * before it is read. */
#include <string.h>

#include "check.h"
#include "dump.h"
#include "error.h"
#include "trace_source.h"

/* The mistake is on the last line of TEXT. */
typedef struct {
    const char *text;
    const char *message; /* a part of it */
} Mistake;

static unsigned line_count(const char *text)
{
    unsigned count = 1;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == '\n';
    return count;
}

static void expect(const char *text, size_t length, unsigned line, const char *message)
{
    g_autoptr(GError) error = NULL;
    PfTraceStatus status;
    g_autoptr(GPtrArray) lines = dump_bytes(text, length, false, &status, &error);
    CU_ASSERT_EQUAL(status, PF_TRACE_ERROR);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT(lines->len < line);
    g_autofree char *place = g_strdup_printf("t.trace:%u: ", line);
    if (!g_str_has_prefix(error->message, place) || strstr(error->message, message) == NULL) {
        printf("# '%s'\n# instead of line %u '%s'\n", error->message, line, message);
        CU_FAIL("another message than expected");
    }
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
    CU_ASSERT_PTR_NULL(strchr(error->message, '\n'));
}

static void expect_each(const char *before, const Mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *text = g_strconcat(before, mistakes[i].text, NULL);
        expect(text, strlen(text), line_count(text), mistakes[i].message);
        /* The same with a line end, and with another line behind it. */
        g_autofree char *more = g_strconcat(text, "\r\nmark \"x\"\n", NULL);
        expect(more, strlen(more), line_count(text), mistakes[i].message);
    }
}

static const char with_contexts[] = "pagefold-trace 1\n"
                                    "page 4KiB\n"
                                    "context vm1 vm\n"
                                    "context vm2 vm\n"
                                    "context gone vm\n"
                                    "exit gone\n";

static void test_header(void)
{
    static const Mistake mistakes[] = {
        {"", "it is empty; begin with: pagefold-trace 1"},
        {"hello", "no trace of pagefold"},
        {"pagefold-trace", "version ''"},
        {"pagefold-trace 2", "version '2'"},
        {"pagefold-trace 1 2", "version '1'"},
        {"pagefold-trace 1\npage 4097", "page size 4097; choose a power of two"},
        {"pagefold-trace 1\npage 2", "page size 2; choose"},
        {"pagefold-trace 1\npage 2GiB", "page size 2147483648; choose"},
        {"pagefold-trace 1\npage 4096x", "page: "},
        {"pagefold-trace 1\npage", "the page size is missing; the line is: page SIZE"},
        {"pagefold-trace 1\npage 4KiB\npage 4KiB", "page a second time"},
        {"pagefold-trace 1\npage 4KiB 5", "'5' does not belong here"},
        {"pagefold-trace 1\nclock 1GHz\nclock 1GHz", "clock a second time"},
        {"pagefold-trace 1\nclock 5", "clock: "},
        {"pagefold-trace 1\nclock 0Hz", "leave the line out"},
        {"pagefold-trace 1\ndescription \"\\xff\"", "not UTF-8"},
        {"pagefold-trace 1\ndescription \"\\x00\"", "NUL byte in the description"},
        {"pagefold-trace 1\nscan 1\npage 4KiB", "page after the first event; move it"},
        {"pagefold-trace 1\nscan 1\nclock 1GHz", "clock after the first event; move it"},
    };
    expect("", 0, 1, "it is empty");
    for (size_t i = 1; i < G_N_ELEMENTS(mistakes); i++)
        expect(mistakes[i].text, strlen(mistakes[i].text), line_count(mistakes[i].text),
               mistakes[i].message);
    expect("# first\npagefold-trace 1\n", 26, 1, "its first line is: pagefold-trace 1");
}

static void test_words(void)
{
    static const Mistake mistakes[] = {
        {"raed vm1 0x0 1", "unknown event 'raed'; did you mean read?"},
        {"xyzzyxyzzy", "unknown event 'xyzzyxyzzy'; docs/trace-format.md lists"},
        {"mark \"open", "without its closing quote"},
        {"mark \"a\\q\"", "unknown escape"},
        {"mark \"a\\x1\"", "needs two hexadecimal digits"},
        {"mark \"a\\", "unknown escape"},
        {"mark 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "more than 16 words"},
        {"mark a b", "'b' does not belong here; the line is: mark \"LABEL\""},
        {"mark", "the label is missing; the line is: mark \"LABEL\""},
        {"exit \"no\\nbody\"", "unknown context 'no\\nbody'"},
        {"time \"1\\n\"", "time: "},
        {"mark \"a\\x00b\"", "NUL byte in the label"},
        {"mark \"\\xff\"", "a label that is not UTF-8"},
    };
    expect_each(with_contexts, mistakes, G_N_ELEMENTS(mistakes));
    static const char nul[] = "pagefold-trace 1\nmark a\0b\n";
    expect(nul, sizeof(nul) - 1, 2, "a NUL byte");
}

static void test_numbers(void)
{
    static const Mistake mistakes[] = {
        {"read vm1 12y 1", "address '12y' is no number"},
        {"read vm1 0x 1", "address '0x' is no number"},
        {"read vm1 -1 1", "address '-1' is no number"},
        {"read vm1 18446744073709551616 1", "does not fit into 64 bits"},
        {"read vm1 0x10000000000000000 1", "does not fit into 64 bits"},
        {"idle vm1 5", "time: "},
        {"idle vm1 5 us", "time: "},
        {"time", "the time is missing"},
        {"time 18446744073709551616ps", "time: "},
        {"scan", "the number of pages is missing"},
        {"scan pass", "the number of passes is missing"},
        {"scan pages 4", "number of pages 'pages' is no number"},
        {"run vm1", "the number of instructions is missing"},
    };
    expect_each(with_contexts, mistakes, G_N_ELEMENTS(mistakes));
}

static void test_contexts(void)
{
    static const Mistake mistakes[] = {
        {"read vm3 0 1", "unknown context 'vm3'; did you mean vm1?"},
        {"read nobody-at-all 0 1", "make it first: context nobody-at-all vm"},
        {"read", "the context is missing"},
        {"context vm1 vm", "context vm1 exists already"},
        {"context gone vm", "context gone exists already"},
        {"context a", "the kind is missing"},
        {"context a vn", "unknown kind 'vn'; did you mean vm?"},
        {"context a vm memory=x", "memory: "},
        {"context a vm node=x", "node 'x' is no number"},
        {"context a vm node=2147483648", "node 2147483648 is too large"},
        {"context a vm core=2147483648", "core 2147483648 is too large"},
        {"context a vm label=", "an empty label"},
        {"context a vm hello", "'hello' does not belong here"},
        {"context \"\" vm", "an empty context name"},
        {"context \"\\xc3\" vm", "a context name that is not UTF-8"},
        {"read gone 0 1", "read: context gone has exited"},
        {"exit gone", "exit: context gone has exited"},
        {"fork vm1 vm2", "context vm2 exists already"},
        {"fork vm1", "the child's name is missing"},
        {"fork gone x", "context gone has exited"},
        {"alias vm1 0 1 gone 0", "context gone has exited"},
        {"alias vm1 0 1 vm9 0", "unknown context 'vm9'"},
    };
    expect_each(with_contexts, mistakes, G_N_ELEMENTS(mistakes));
}

static void test_pages(void)
{
    static const Mistake mistakes[] = {
        {"map vm1 0x1001 1 anon", "address 0x1001 is no multiple of the page size 4096; the page "
                                  "begins at 0x1000"},
        {"map vm1 0x1000 0 anon", "0 pages"},
        {"map vm1 0 1099511627777 anon", "at most 1099511627776 go into one event"},
        {"map vm1 0xfffffffffffff000 2 anon", "beyond the end of the address space"},
        {"map vm1 0 1", "what backs the pages is missing"},
        {"map vm1 0 1 anonn", "what backs the pages is missing"},
        {"map vm1 0 1 file=a", "the offset in the file is missing; write NAME:OFFSET"},
        {"map vm1 0 1 file=a:1", "file offset 1 is no multiple of the page size"},
        {"map vm1 0 1 file=a:b", "offset: "},
        {"map vm1 0 1 file=:0", "an empty file name"},
        {"map vm1 0 1 anon wr", "'wr' does not belong here"},
        {"map vm1 0 1 anon huge=3MiB", "huge=3145728 is no power of two above"},
        {"map vm1 0 1 anon huge=4KiB", "huge=4096 is no power of two above"},
        {"map vm1 0 1 anon group=x", "group 'x' is no number"},
        {"alias vm1 0 1 vm2 1", "address 0x1 is no multiple"},
        {"alias vm1 0 2 vm2 0xfffffffffffff000", "beyond the end of the address space"},
        {"remap vm1 0 1 1", "address 0x1 is no multiple"},
        {"remap vm1 0 2 0xfffffffffffff000", "beyond the end"},
        {"touch vm1 1 1", "no multiple"},
        {"touch vm1 0 1 dep", "'dep' does not belong here"},
        {"unmap vm1 0 0", "0 pages"},
        {"init vm1 1 1 zero", "no multiple"},
        {"advise vm1 0 1 hugee", "unknown advice 'hugee'; did you mean huge?"},
        {"advise vm1 0 1", "the advice is missing"},
        {"attr vm1 0 1 pined", "unknown attribute 'pined'; did you mean pinned?"},
        {"attr vm1 0 1 qqqqqqqq", "it is one of readonly | executed"},
        {"dma vm1 0 1 disk zero", "write DEVICE:BLOCK"},
        {"dma vm1 0 1 disk:x zero", "block 'x' is no number"},
        {"dma vm1 0 1 :4 zero", "an empty device"},
        {"grain pages", "unknown grain 'pages'; did you mean page?"},
        {"control \"\" 0", "an empty key"},
        {"control a", "the value is missing"},
    };
    expect_each(with_contexts, mistakes, G_N_ELEMENTS(mistakes));
}

static void test_contents(void)
{
    static const Mistake mistakes[] = {
        {"fill vm1 0 1", "the content is missing"},
        {"fill vm1 0 1 nothing", "unknown content 'nothing'"},
        {"fill vm1 0 1 hex:0", "odd number of digits"},
        {"fill vm1 0 1 hex:0g", "hex: goes on with '0g'"},
        {"fill vm1 0 1 hash:x", "hash: 'x' is no number"},
        {"fill vm1 0 1 id:", "id: '' is no number"},
        {"fill vm1 0 1 id:1^5", "write id:N^K=V"},
        {"fill vm1 0 1 id:1^4096=1", "changes byte 4096 of a page of 4096 bytes"},
        {"fill vm1 0 1 id:1^5=256", "value 256 is no byte"},
        {"fill vm1 0 1 blob:a", "write blob:FILE:OFFSET"},
        {"fill vm1 0 1 blob::0", "write blob:FILE:OFFSET"},
        {"fill vm1 0 1 blob:/nonexistent/x:0", "No such file"},
        {"fill vm1 0 1 blob:/dev/zero:0", "is no regular file"},
        {"fill vm1 0 1 blob:/:0", "is no regular file"},
        {"fill vm1 0 1 id:1 stp=1", "'stp=1' does not belong here"},
        {"fill vm1 0 1 id:1 step=", "step '' is no number"},
        {"init vm1 0 1 id:1 step=1", "'step=1' does not belong here"},
    };
    expect_each(with_contexts, mistakes, G_N_ELEMENTS(mistakes));
    static const Mistake small[] = {
        {"fill a 0 1 \"12345\"", "a text of 5 bytes, a page has 4"},
        {"fill a 0 1 hex:0000000000", "hex: has 5 bytes, a page 4"},
    };
    expect_each("pagefold-trace 1\npage 4\ncontext a vm\n", small, G_N_ELEMENTS(small));
}

static void test_accesses(void)
{
    static const Mistake mistakes[] = {
        {"read vm1 0 0", "read: 0 bytes"},
        {"read vm1 0 4097", "one access is at most a page, 4096 bytes"},
        {"read vm1 0xffffffffffffffff 2", "beyond the end of the address space"},
        {"read vm1 0 8 dpe", "'dpe' does not belong here"},
        {"read vm1 0 8 va=x", "va 'x' is no number"},
        {"fetch vm1 0 64 dep", "'dep' does not belong here"},
        {"write vm1 0 4097", "one access is at most a page"},
        {"write vm1 0 1 256", "value 0x100 does not fit into 1 bytes"},
        {"write vm1 0 7 0x100000000000000", "does not fit into 7 bytes"},
        {"write vm1 0 9 1", "a number has at most 8 bytes"},
        {"write vm1 0 4 \"12345\"", "a value of 5 bytes in a write of 4"},
        {"write vm1 0 4 \"123\"", "a value of 3 bytes in a write of 4"},
        {"write vm1 0 10 hex:00", "a value of 1 bytes in a write of 10"},
        {"write vm1 0 8 0 1", "'1' does not belong here"},
        {"write vm1 0 8 x", "value 'x' is no number"},
    };
    expect_each(with_contexts, mistakes, G_N_ELEMENTS(mistakes));
}

static void test_large_write(void)
{
    /* One byte above the most that a write carries, in a page that has room for it. */
    g_autoptr(GString) text = g_string_new("pagefold-trace 1\npage 1MiB\ncontext a vm\n");
    g_string_append_printf(text, "write a 0 %u hex:", PF_TRACE_WRITE_BYTES_MAX + 1);
    for (unsigned i = 0; i <= PF_TRACE_WRITE_BYTES_MAX; i++)
        g_string_append(text, "5a");
    expect(text->str, text->len, 4, "one write carries at most 65536");
}

static void test_long_line(void)
{
    /* The limit is 1 MiB and two digits for each byte of a page. */
    size_t length_max = (1 << 20) + 2 * 4096;
    g_autoptr(GString) text = g_string_new("pagefold-trace 1\nmark \"x\"\n#");
    while (text->len < strlen("pagefold-trace 1\nmark \"x\"\n") + length_max)
        g_string_append_c(text, '.');
    PfTraceStatus status;
    g_autoptr(GPtrArray) fine = dump_bytes(text->str, text->len, false, &status, NULL);
    CU_ASSERT_EQUAL(status, PF_TRACE_END);
    CU_ASSERT_EQUAL(fine->len, 1);
    g_string_append_c(text, '.');
    expect(text->str, text->len, 3, "a line of more than 1056768 bytes");
}

static void test_records_before(void)
{
    static const char text[] = "pagefold-trace 1\ncontext a vm\nread a 0 1\noops\nread a 1 1\n";
    for (unsigned salvage = 0; salvage < 2; salvage++) {
        PfTraceOptions options = {.salvage = salvage != 0};
        g_autoptr(PfTrace) trace = pf_trace_open_bytes("t", text, strlen(text), &options, NULL);
        g_autoptr(PfRecordBlock) block = pf_record_block_new();
        g_autoptr(GError) error = NULL;
        CU_ASSERT_EQUAL(pf_trace_read(trace, block, &error), PF_TRACE_RECORDS);
        CU_ASSERT_PTR_NULL(error);
        CU_ASSERT_EQUAL(block->count, 2);
        PfTraceStatus expected = salvage != 0 ? PF_TRACE_END : PF_TRACE_ERROR;
        CU_ASSERT_EQUAL(pf_trace_read(trace, block, &error), expected);
        CU_ASSERT_EQUAL(block->count, 0);
        g_clear_error(&error);
        /* Told again each time. */
        CU_ASSERT_EQUAL(pf_trace_read(trace, block, &error), expected);
        CU_ASSERT_EQUAL(pf_trace_damage(trace) != NULL, salvage != 0);
        if (salvage != 0)
            CU_ASSERT(g_str_has_prefix(pf_trace_damage(trace), "t:4: unknown event 'oops'"));
    }
}

static void test_files(void)
{
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(pf_trace_open("/nonexistent/t.trace", NULL, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
    CU_ASSERT_STRING_EQUAL(error->message, "/nonexistent/t.trace: No such file or directory");
    g_clear_error(&error);
    CU_ASSERT_PTR_NULL(pf_trace_open("/", NULL, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
}

static const PfCheck checks[] = {
    {"mistakes in the header are told with their line", test_header},
    {"words that mean nothing, quotes and escapes are told", test_words},
    {"numbers, quantities and what is missing are told", test_numbers},
    {"contexts that are unknown, gone or there already are told", test_contexts},
    {"page events must be aligned, not empty and within the space", test_pages},
    {"contents that are none or too long are told", test_contents},
    {"accesses must be of a size that can be, with a value of that size", test_accesses},
    {"a write carries at most 64 KiB", test_large_write},
    {"a line above the limit is told, one at the limit is read", test_long_line},
    {"what stands before a mistake is read first, with and without salvage", test_records_before},
    {"a file that cannot be read is an I/O error", test_files},
};

PF_CHECK_MAIN("trace_mistakes", checks)
