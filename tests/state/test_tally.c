/* Pages, contents and changes of a trace, counted. Pages have 16 bytes. */
#include "check.h"

#include <string.h>

#include "tally.h"
#include "trace_source.h"

#define HEAD "pagefold-trace 1\npage 16\n"

static PfTally *count(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t.trace", text, strlen(text), NULL, &error);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status = PF_TRACE_ERROR;
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    PfTally *tally = pf_tally_new(pf_trace_header(trace)->page_bytes);
    while ((status = pf_trace_read(trace, block, &error)) == PF_TRACE_RECORDS)
        pf_tally_take(tally, block);
    CU_ASSERT_EQUAL_FATAL(status, PF_TRACE_END);
    pf_tally_finish(tally);
    return tally;
}

static void test_kinds(void)
{
    g_autoptr(PfTally) tally = count(HEAD "context a vm\nmap a 0x0 8 anon mergeable\n"
                                            "map a 0x100 4 file=f:0\nmap a 0x200 2 shmem=s:0\n"
                                            "fill a 0x0 3 id:1 step=1\nfill a 0x30 1 zero\n"
                                            "write a 0x40 1\nread a 0x50 1\n"
                                            "state a 0x100 2 id:9\nread a 0x120 1\n"
                                            "write a 0x200 1 7\n");
    CU_ASSERT_EQUAL_FATAL(pf_tally_context_count(tally), 1);
    const PfTallyContext *context = pf_tally_context(tally, 0);
    CU_ASSERT_STRING_EQUAL(context->name, "a");
    CU_ASSERT_EQUAL(context->kind, PF_CONTEXT_VM);
    CU_ASSERT_EQUAL(context->mapped_pages[PF_BACKING_ANON], 8);
    CU_ASSERT_EQUAL(context->mapped_pages[PF_BACKING_FILE], 4);
    CU_ASSERT_EQUAL(context->mapped_pages[PF_BACKING_SHMEM], 2);
    CU_ASSERT_EQUAL(context->mergeable_pages, 8);
    /* 3 + 1 + 1 stored to; what was only read has no bytes of its own */
    CU_ASSERT_EQUAL(context->populated_pages[PF_BACKING_ANON], 5);
    CU_ASSERT_EQUAL(context->populated_pages[PF_BACKING_FILE], 2);
    CU_ASSERT_EQUAL(context->populated_pages[PF_BACKING_SHMEM], 1);
    CU_ASSERT_EQUAL(context->zero_pages, 1);
    CU_ASSERT_EQUAL(context->unknown_pages, 1);
    CU_ASSERT_FALSE(context->has_exited);
}

static void test_multiples(void)
{
    g_autoptr(PfTally) tally = count(HEAD "context a process\ncontext b process\n"
                                            "map a 0x0 16 anon\nmap b 0x0 16 anon\n"
                                            "fill a 0x0 4 id:1 step=1\nfill b 0x0 4 id:1 step=1\n"
                                            "fill b 0x40 2 id:1\nfill a 0x50 1 \"alone\"\n"
                                            "write a 0x60 1\n");
    const PfTallyEpoch *epoch = pf_tally_told_epoch(tally);
    CU_ASSERT_PTR_NOT_NULL_FATAL(epoch);
    CU_ASSERT_PTR_NULL(epoch->label);
    CU_ASSERT_EQUAL(epoch->populated_pages, 4 + 4 + 2 + 1 + 1);
    CU_ASSERT_EQUAL(epoch->distinct_contents, 5);
    /* "alone" on one page; ids 2, 3, 4 on two; id 1 on 1 + 1 + 2 */
    static const PfTallyMultiple wanted[] = {{1, 1}, {2, 3}, {4, 1}};
    CU_ASSERT_EQUAL_FATAL(pf_tally_multiple_count(tally), G_N_ELEMENTS(wanted));
    for (uint32_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        CU_ASSERT_EQUAL(pf_tally_multiple(tally, i)->pages, wanted[i].pages);
        CU_ASSERT_EQUAL(pf_tally_multiple(tally, i)->contents, wanted[i].contents);
    }
}

static void test_changes(void)
{
    g_autoptr(PfTally) tally =
        count(HEAD "context a process\nmap a 0x0 16 anon\nfill a 0x0 4 id:1\nmark one\n"
                   "fill a 0x0 1 id:2\nfill a 0x10 1 id:1\nfill a 0x20 1 id:2\n"
                   "fill a 0x20 1 id:1\nfill a 0x40 1 id:1\ntime 2s\nmark two\nwrite a 0x0 1\n"
                   "unmap a 0x30 1\n");
    CU_ASSERT_EQUAL_FATAL(pf_tally_epoch_count(tally), 3);
    const PfTallyEpoch *one = pf_tally_epoch(tally, 0);
    CU_ASSERT_STRING_EQUAL(one->label, "one");
    CU_ASSERT_EQUAL(one->new_pages, 4);
    CU_ASSERT_EQUAL(one->changed_pages, 0);
    CU_ASSERT_EQUAL(one->records, 3);
    /* Page 0 has other bytes; page 1 the same, page 2 the same again; page 4 is new. */
    const PfTallyEpoch *two = pf_tally_epoch(tally, 1);
    CU_ASSERT_EQUAL(two->new_pages, 1);
    CU_ASSERT_EQUAL(two->changed_pages, 1);
    CU_ASSERT_EQUAL(two->populated_pages, 5);
    CU_ASSERT_EQUAL(two->distinct_contents, 2);
    CU_ASSERT_EQUAL(two->time_ps, 2000000000000);
    const PfTallyEpoch *end = pf_tally_epoch(tally, 2);
    CU_ASSERT_EQUAL(end->changed_pages, 1);
    CU_ASSERT_EQUAL(end->populated_pages, 4);
    CU_ASSERT_EQUAL(end->distinct_contents, 1);
}

/* What is left of a context is told as of its exit, and of contents as of the last mark that has
 * any; the pages of a context that comes after it are not taken for changed ones. */
static void test_exits(void)
{
    g_autoptr(PfTally) tally =
        count(HEAD "context a process\nmap a 0x0 4 anon\nfill a 0x0 4 id:1\nmark full\nexit a\n"
                   "mark empty\ncontext b process\nmap b 0x0 4 anon\nfill b 0x0 2 id:2\n"
                   "mark again\nexit b\n");
    const PfTallyContext *a = pf_tally_context(tally, 0);
    CU_ASSERT_TRUE(a->has_exited);
    CU_ASSERT_EQUAL(a->populated_pages[PF_BACKING_ANON], 4);
    CU_ASSERT_EQUAL(pf_tally_context(tally, 1)->populated_pages[PF_BACKING_ANON], 2);
    CU_ASSERT_EQUAL_FATAL(pf_tally_epoch_count(tally), 4);
    CU_ASSERT_EQUAL(pf_tally_epoch(tally, 1)->populated_pages, 0);
    CU_ASSERT_EQUAL(pf_tally_epoch(tally, 2)->new_pages, 2);
    CU_ASSERT_EQUAL(pf_tally_epoch(tally, 2)->changed_pages, 0);
    CU_ASSERT_STRING_EQUAL(pf_tally_told_epoch(tally)->label, "again");
    CU_ASSERT_EQUAL_FATAL(pf_tally_multiple_count(tally), 1);
    CU_ASSERT_EQUAL(pf_tally_multiple(tally, 0)->pages, 2);
}

static void test_marks(void)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        g_autoptr(GString) text = g_string_new(HEAD "context a process\nmap a 0x0 4 anon\n");
        for (unsigned i = 0; i < PF_TALLY_EPOCHS_MAX + extra; i++)
            g_string_append_printf(text, "fill a 0x0 1 id:%u\nmark %u\n", i + 1, i);
        g_autoptr(PfTally) tally = count(text->str);
        CU_ASSERT_EQUAL(pf_tally_epoch_count(tally), PF_TALLY_EPOCHS_MAX + 1);
        CU_ASSERT_EQUAL(pf_tally_marks_left_out(tally), extra);
        const PfTallyEpoch *last = pf_tally_epoch(tally, PF_TALLY_EPOCHS_MAX);
        CU_ASSERT_EQUAL(last->changed_pages, extra);
    }
}

static void test_problems(void)
{
    static const char *const texts[] = {
        HEAD "context a process\nread a 0x0 1\n",
        HEAD "context a process\nmap a 0x0 1099511627776 anon\nfill a 0x0 1099511627776 zero\n",
        HEAD "context a process\nattr a 0x0 1099511627776 pinned\n",
        "pagefold-trace 1\npage 1GiB\ncontext a process\nmap a 0x0 1 anon\nwrite a 0x0 1 1\n",
    };
    static const char *const wanted[] = {"record 1: read of 0x0 in context 'a'", "too many",
                                         "too many", "too large"};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(PfTally) tally = count(texts[i]);
        const char *problem = pf_tally_problem(tally);
        CU_ASSERT_PTR_NOT_NULL_FATAL(problem);
        CU_ASSERT_PTR_NOT_NULL(strstr(problem, wanted[i]));
    }
    /* The most pages that a record may have. */
    g_autoptr(PfTally) tally =
        count(HEAD "context a process\nattr a 0x0 67108864 pinned\nmark x\n");
    CU_ASSERT_PTR_NULL(pf_tally_problem(tally));
}

static const PfCheck checks[] = {
    {"pages are counted by kind, with those of zeros and of unknown bytes", test_kinds},
    {"contents are counted by how many pages have them", test_multiples},
    {"from mark to mark new and changed pages are counted", test_changes},
    {"a context is told as of its exit", test_exits},
    {"marks beyond the bound are counted, not told", test_marks},
    {"what cannot be kept is told as a problem", test_problems},
};

PF_CHECK_MAIN("tally", checks)
