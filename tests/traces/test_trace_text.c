/* The text form: each event gives the record that its line says. Mistakes are the matter of
 * test_trace_mistakes.c. */
#include <string.h>

#include "check.h"
#include "dump.h"
#include "trace_source.h"

static const char preamble[] = "pagefold-trace 1\n"
                               "page 4KiB\n"
                               "context vm1 vm memory=1GiB node=3 label=red core=1\n"
                               "context vm2 vm\n";

/* The record of one LINE behind the preamble, in a block of its own. */
typedef struct {
    PfTrace *trace;
    PfRecordBlock *block;
    const PfRecord *record;
    const PfTraceDetail *detail;
} One;

static One read_one(const char *line)
{
    g_autofree char *text = g_strconcat(preamble, line, "\n", NULL);
    g_autoptr(GError) error = NULL;
    One one = {.block = pf_record_block_new()};
    one.trace = pf_trace_open_bytes("t.trace", text, strlen(text), NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(one.trace);
    PfTraceStatus status = pf_trace_read(one.trace, one.block, &error);
    if (status != PF_TRACE_RECORDS || one.block->count != 3)
        printf("# %s\n", line);
    CU_ASSERT_EQUAL_FATAL(status, PF_TRACE_RECORDS);
    CU_ASSERT_EQUAL_FATAL(one.block->count, 3);
    one.record = &one.block->records[2];
    one.detail = pf_record_has_detail(one.record->kind) ? one.record->detail : NULL;
    CU_ASSERT_EQUAL(one.record->line, 5);
    g_autoptr(PfRecordBlock) rest = pf_record_block_new();
    CU_ASSERT_EQUAL(pf_trace_read(one.trace, rest, &error), PF_TRACE_END);
    return one;
}

static void one_clear(One *one)
{
    pf_trace_free(one->trace);
    pf_record_block_free(one->block);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(One, one_clear)

static const PfContentSpec *content_of(const One *one)
{
    CU_ASSERT_EQUAL_FATAL(one->record->content, 0);
    CU_ASSERT_EQUAL_FATAL(one->block->first_content, 0);
    return &g_array_index(one->block->contents, PfContentSpec, 0);
}

static void test_context(void)
{
    g_auto(One) one = read_one("context web process label=\"top secret\" memory=64KB");
    CU_ASSERT_EQUAL(one.record->kind, PF_RECORD_CONTEXT);
    CU_ASSERT_EQUAL(one.record->context, 2);
    CU_ASSERT_STRING_EQUAL(one.detail->name, "web");
    CU_ASSERT_STRING_EQUAL(one.detail->text, "top secret");
    CU_ASSERT_EQUAL(one.detail->context_kind, PF_CONTEXT_PROCESS);
    CU_ASSERT_EQUAL(one.detail->number, 64000);
    CU_ASSERT_EQUAL(one.detail->node, -1);
    CU_ASSERT_EQUAL(one.detail->core, -1);
    const PfTraceDetail *first = one.block->records[0].detail;
    CU_ASSERT_EQUAL(first->context_kind, PF_CONTEXT_VM);
    CU_ASSERT_EQUAL(first->number, (uint64_t)1 << 30);
    CU_ASSERT_EQUAL(first->node, 3);
    CU_ASSERT_EQUAL(first->core, 1);
    CU_ASSERT_STRING_EQUAL(pf_trace_context_name(one.trace, 1), "vm2");
    CU_ASSERT_PTR_NULL(pf_trace_context_name(one.trace, 3));
}

static void test_map(void)
{
    g_auto(One) anon = read_one("map vm1 0x2000 32768 anon mergeable rx group=12 huge=2MiB");
    CU_ASSERT_EQUAL(anon.record->address, 0x2000);
    CU_ASSERT_EQUAL(anon.record->count, 32768);
    CU_ASSERT_EQUAL(anon.detail->backing, PF_BACKING_ANON);
    CU_ASSERT_EQUAL(anon.detail->protection, PF_PROTECTION_RX);
    CU_ASSERT_TRUE(anon.detail->mergeable);
    CU_ASSERT_EQUAL(anon.detail->group, 12);
    CU_ASSERT_EQUAL(anon.detail->huge_bytes, 2 << 20);
    g_auto(One) file = read_one("map vm2 0 1 file=lib:c:so:0x3000");
    CU_ASSERT_EQUAL(file.record->context, 1);
    CU_ASSERT_EQUAL(file.detail->backing, PF_BACKING_FILE);
    CU_ASSERT_EQUAL(file.detail->protection, PF_PROTECTION_RW);
    CU_ASSERT_STRING_EQUAL(file.detail->name, "lib:c:so");
    CU_ASSERT_EQUAL(file.detail->number, 0x3000);
    CU_ASSERT_FALSE(file.detail->mergeable);
    g_auto(One) shared = read_one("map vm2 0 1 shmem=\"a b#\":8KiB ro");
    CU_ASSERT_EQUAL(shared.detail->backing, PF_BACKING_SHMEM);
    CU_ASSERT_EQUAL(shared.detail->protection, PF_PROTECTION_RO);
    CU_ASSERT_STRING_EQUAL(shared.detail->name, "a b#");
    CU_ASSERT_EQUAL(shared.detail->number, 8192);
}

static void test_state_and_fill(void)
{
    g_auto(One) state = read_one("state vm1 0x1000 9 id:100 step=0x10");
    CU_ASSERT_EQUAL(state.record->kind, PF_RECORD_STATE);
    CU_ASSERT_EQUAL(state.record->count, 9);
    CU_ASSERT_EQUAL(state.record->value, 16);
    CU_ASSERT_EQUAL(content_of(&state)->form, PF_CONTENT_ID);
    CU_ASSERT_EQUAL(content_of(&state)->number, 100);
    g_auto(One) fill = read_one("fill vm2 0x1000 1 ones");
    CU_ASSERT_EQUAL(fill.record->kind, PF_RECORD_FILL);
    CU_ASSERT_EQUAL(fill.record->value, 0);
    CU_ASSERT_EQUAL(content_of(&fill)->form, PF_CONTENT_ONES);
}

static void test_contents(void)
{
    g_auto(One) zero = read_one("fill vm1 0 1 zero");
    CU_ASSERT_EQUAL(content_of(&zero)->form, PF_CONTENT_ZERO);
    g_auto(One) empty = read_one("fill vm1 0 1 \"\"");
    CU_ASSERT_EQUAL(content_of(&empty)->form, PF_CONTENT_ZERO);
    g_auto(One) text = read_one("fill vm1 0 1 \"a\\\"\\\\\\n\\t\\x41#\" # comment");
    CU_ASSERT_EQUAL(content_of(&text)->form, PF_CONTENT_BYTES);
    CU_ASSERT_EQUAL_FATAL(content_of(&text)->length, 7);
    CU_ASSERT_EQUAL(memcmp(content_of(&text)->bytes, "a\"\\\n\tA#", 7), 0);
    g_auto(One) hex = read_one("fill vm1 0 1 hex:00fFaB0000");
    CU_ASSERT_EQUAL_FATAL(content_of(&hex)->length, 3);
    CU_ASSERT_EQUAL(memcmp(content_of(&hex)->bytes, "\x00\xff\xab", 3), 0);
    g_auto(One) hash = read_one("fill vm1 0 1 hash:0xffffffffffffffff");
    CU_ASSERT_EQUAL(content_of(&hash)->form, PF_CONTENT_HASH);
    CU_ASSERT_EQUAL(content_of(&hash)->number, UINT64_MAX);
    g_auto(One) changed = read_one("fill vm1 0 1 id:7^4095=0x80");
    CU_ASSERT_EQUAL(content_of(&changed)->at, 4095);
    CU_ASSERT_EQUAL(content_of(&changed)->with, 0x80);
    g_auto(One) same = read_one("fill vm1 0 1 id:7^9=0");
    CU_ASSERT_EQUAL(content_of(&same)->at, 0);
    CU_ASSERT_EQUAL(content_of(&same)->with, 0);
}

static void test_alias_and_remap(void)
{
    g_auto(One) alias = read_one("alias vm2 0x1000 4 vm1 0x9000");
    CU_ASSERT_EQUAL(alias.record->context, 1);
    CU_ASSERT_EQUAL(alias.record->address, 0x1000);
    CU_ASSERT_EQUAL(alias.record->count, 4);
    CU_ASSERT_EQUAL(alias.detail->other_context, 0);
    CU_ASSERT_EQUAL(alias.detail->other_address, 0x9000);
    g_auto(One) remap = read_one("remap vm1 0x1000 4 0xa000");
    CU_ASSERT_EQUAL(remap.record->count, 4);
    CU_ASSERT_EQUAL(remap.detail->other_address, 0xa000);
}

static void test_accesses(void)
{
    g_auto(One) run = read_one("run vm1 250");
    CU_ASSERT_EQUAL(run.record->kind, PF_RECORD_RUN);
    CU_ASSERT_EQUAL(run.record->count, 250);
    g_auto(One) read = read_one("read vm1 0x1ffc 8 dep va=0x7000");
    CU_ASSERT_EQUAL(read.record->flags, PF_RECORD_DEPENDENT | PF_RECORD_HAS_VIRTUAL);
    CU_ASSERT_EQUAL(read.record->virtual_address, 0x7000);
    CU_ASSERT_EQUAL(read.record->address, 0x1ffc);
    CU_ASSERT_EQUAL(read.record->count, 8);
    CU_ASSERT_EQUAL(read.record->content, PF_TRACE_NO_CONTENT);
    g_auto(One) fetch = read_one("fetch vm1 0x2000 64 va=1");
    CU_ASSERT_EQUAL(fetch.record->kind, PF_RECORD_FETCH);
    CU_ASSERT_EQUAL(fetch.record->virtual_address, 1);
    g_auto(One) touch = read_one("touch vm1 0x2000 3 va=0x5000");
    CU_ASSERT_EQUAL(touch.record->kind, PF_RECORD_TOUCH);
    CU_ASSERT_EQUAL(touch.record->count, 3);
    CU_ASSERT_EQUAL(touch.record->flags, PF_RECORD_HAS_VIRTUAL);
}

static void test_writes(void)
{
    g_auto(One) blind = read_one("write vm1 0x1008 8");
    CU_ASSERT_EQUAL(blind.record->flags, 0);
    CU_ASSERT_EQUAL(blind.record->value, 0);
    g_auto(One) number = read_one("write vm1 0x1008 3 0xffffff va=0x9");
    CU_ASSERT_EQUAL(number.record->flags, PF_RECORD_HAS_VALUE | PF_RECORD_HAS_VIRTUAL);
    CU_ASSERT_EQUAL(number.record->value, 0xffffff);
    CU_ASSERT_EQUAL(number.record->virtual_address, 9);
    g_auto(One) text = read_one("write vm1 0x1008 3 \"abc\"");
    CU_ASSERT_EQUAL(text.record->value, 'a' | 'b' << 8 | 'c' << 16);
    g_auto(One) hex = read_one("write vm1 0x1008 2 hex:0102");
    CU_ASSERT_EQUAL(hex.record->value, 0x0201);
    g_auto(One) large = read_one("write vm1 0x1008 9 hex:000102030405060708");
    CU_ASSERT_EQUAL(memcmp(large.record->bytes, "\0\1\2\3\4\5\6\7\10", 9), 0);
    g_auto(One) largest = read_one("write vm1 0x1008 8 18446744073709551615");
    CU_ASSERT_EQUAL(largest.record->value, UINT64_MAX);
}

static void test_fork_and_exit(void)
{
    g_auto(One) fork = read_one("fork vm1 child");
    CU_ASSERT_EQUAL(fork.record->context, 0);
    CU_ASSERT_EQUAL(fork.detail->other_context, 2);
    CU_ASSERT_STRING_EQUAL(fork.detail->name, "child");
    CU_ASSERT_EQUAL(fork.detail->context_kind, PF_CONTEXT_VM);
    CU_ASSERT_EQUAL(fork.detail->number, (uint64_t)1 << 30);
    CU_ASSERT_EQUAL(fork.detail->node, 3);
    CU_ASSERT_EQUAL(fork.detail->core, -1);
    CU_ASSERT_STRING_EQUAL(fork.detail->text, "red");
    g_auto(One) leaving = read_one("exit vm2");
    CU_ASSERT_EQUAL(leaving.record->kind, PF_RECORD_EXIT);
    CU_ASSERT_EQUAL(leaving.record->context, 1);
}

static void test_page_events(void)
{
    g_auto(One) init = read_one("init vm1 0x4000 1000 zero");
    CU_ASSERT_EQUAL(init.record->kind, PF_RECORD_INIT);
    CU_ASSERT_EQUAL(init.record->count, 1000);
    CU_ASSERT_EQUAL(content_of(&init)->form, PF_CONTENT_ZERO);
    g_auto(One) unmap = read_one("unmap vm1 0x4000 2");
    CU_ASSERT_EQUAL(unmap.record->kind, PF_RECORD_UNMAP);
    g_auto(One) dma = read_one("dma vm1 0x5000 1 disk:7:42 id:99");
    CU_ASSERT_STRING_EQUAL(dma.detail->name, "disk:7");
    CU_ASSERT_EQUAL(dma.detail->number, 42);
    CU_ASSERT_EQUAL(content_of(&dma)->number, 99);
    static const char *const advices[] = {"mergeable", "unmergeable", "huge",    "nohuge",
                                          "dontneed",  "discardable", "suspend", "resume"};
    for (unsigned i = 0; i < PF_ADVICE_COUNT; i++) {
        g_autofree char *line = g_strdup_printf("advise vm1 0 16 %s", advices[i]);
        g_auto(One) one = read_one(line);
        CU_ASSERT_EQUAL(one.record->choice, i);
    }
    static const char *const attributes[] = {"readonly", "executed", "locked",
                                             "unlocked", "pinned",   "unpinned"};
    for (unsigned i = 0; i < PF_ATTRIBUTE_COUNT; i++) {
        g_autofree char *line = g_strdup_printf("attr vm1 0 16 %s", attributes[i]);
        g_auto(One) one = read_one(line);
        CU_ASSERT_EQUAL(one.record->choice, i);
    }
}

static void test_time_and_policy(void)
{
    g_auto(One) idle = read_one("idle vm1 500us");
    CU_ASSERT_EQUAL(idle.record->count, (uint64_t)500 * 1000 * 1000);
    g_auto(One) time = read_one("time 1.5ms");
    CU_ASSERT_EQUAL(time.record->count, (uint64_t)1500 * 1000 * 1000);
    CU_ASSERT_EQUAL(time.record->context, PF_TRACE_NO_CONTEXT);
    g_auto(One) pages = read_one("scan 100");
    CU_ASSERT_EQUAL(pages.record->count, 100);
    CU_ASSERT_EQUAL(pages.record->flags, 0);
    g_auto(One) passes = read_one("scan pass 2");
    CU_ASSERT_EQUAL(passes.record->count, 2);
    CU_ASSERT_EQUAL(passes.record->flags, PF_RECORD_SCAN_PASSES);
    g_auto(One) control = read_one("control ksm.smart_scan 0");
    CU_ASSERT_STRING_EQUAL(control.detail->name, "ksm.smart_scan");
    CU_ASSERT_STRING_EQUAL(control.detail->text, "0");
    g_auto(One) grain = read_one("grain page");
    CU_ASSERT_EQUAL(grain.record->count, PF_GRAIN_PAGE);
}

static void test_labels(void)
{
    g_auto(One) begin = read_one("begin vm1 \"a request\"");
    CU_ASSERT_EQUAL(begin.record->kind, PF_RECORD_BEGIN);
    CU_ASSERT_STRING_EQUAL(begin.detail->name, "a request");
    g_auto(One) end = read_one("end vm1 \"without a beginning\"");
    CU_ASSERT_EQUAL(end.record->kind, PF_RECORD_END);
    g_auto(One) mark = read_one("mark \"a # b\"");
    CU_ASSERT_EQUAL(mark.record->kind, PF_RECORD_MARK);
    CU_ASSERT_STRING_EQUAL(mark.detail->name, "a # b");
}

static const PfCheck checks[] = {
    {"context gives kind, limit, node, core and label", test_context},
    {"map takes each backing, protection and option, and the last colon", test_map},
    {"state and fill carry content and step", test_state_and_fill},
    {"each form of content is read and brought into its normal form", test_contents},
    {"alias and remap carry a second address", test_alias_and_remap},
    {"run, read, fetch and touch carry counts, flags and virtual addresses", test_accesses},
    {"write takes no value, a number, a text or bytes", test_writes},
    {"fork makes a child like its parent, exit ends a context", test_fork_and_exit},
    {"init, unmap, dma, each advice and each attribute are read", test_page_events},
    {"idle, time, scan, control and grain are read", test_time_and_policy},
    {"begin, end and mark carry labels", test_labels},
};

PF_CHECK_MAIN("trace_text", checks)
