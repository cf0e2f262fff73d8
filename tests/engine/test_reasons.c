/* Why pages are not shared: each reason by a page that has it, and what moves a page from one to
 * another. */
#include "check.h"

#include "play.h"

static const char *const names[] = {
    "reason.shared", "reason.unique", "reason.volatile", "reason.kind", "reason.not_mergeable",
    "reason.pinned", "reason.class", "reason.limit", "reason.large", "reason.not_reached"};

/* Asserts that at mark INDEX the pages by reason, in the order of `names`, are WANTED, and that
 * they are all that are populated. */
static void expect(const Played *played, const char *label, size_t index, const int *wanted)
{
    int sum = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        int found = (int)played_mark_stat(played, label, index, names[i]);
        if (found != wanted[i])
            printf("# mark %zu: %s is %d, not %d\n", index, names[i], found, wanted[i]);
        CU_ASSERT_EQUAL(found, wanted[i]);
        sum += found;
    }
    CU_ASSERT_EQUAL(sum, (int)played_mark_stat(played, label, index, "memory.populated_pages"));
}

/* Pages 0 to 2 have equal bytes, and a frame takes two; 3 is alone with its bytes; 4 changes before
 * each pass; 5 is pinned; 0x100 is offered by nobody; 0x200 is shared memory. */
static const char pages[] =
    "pagefold-trace 1\ngrain page\ncontext p process\n"
    "map p 0x0 16 anon mergeable\nmap p 0x100000 1 anon\nmap p 0x200000 1 shmem=s:0\n"
    "fill p 0x0 3 id:1\nfill p 0x3000 1 id:2\nfill p 0x4000 1 id:3\nfill p 0x5000 1 id:4\n"
    "fill p 0x100000 1 id:1\nfill p 0x200000 1 id:1\nattr p 0x5000 1 pinned\n"
    "mark new\n"
    "scan pass 1\nmark met\n"
    "fill p 0x4000 1 id:5\nscan pass 1\nfill p 0x6000 1 id:6\nmark scanned\n"
    "advise p 0x100000 1 mergeable\nattr p 0x5000 1 unpinned\nmark freed\n"
    "touch p 0x0 1\nmark broken\n"
    "unmap p 0x1000 1\nfill p 0x3000 1 id:7\nmark gone\n"
    "scan pass 2\nmark again\n";

static void test_ksm(void)
{
    g_autoptr(Played) played =
        play(pages,
             "policies = ({ name = \"ksm\"; pacing = \"trace\"; smart_scan = false;"
             "  max_page_sharing = 2; });",
             NULL);
    /*            shared unique volatile kind not_mergeable pinned class limit large not_reached */
    const int wanted[][G_N_ELEMENTS(names)] = {
        {0, 0, 0, 1, 1, 1, 0, 0, 0, 5}, /* nobody has looked at 0 to 4 */
        {0, 0, 5, 1, 1, 1, 0, 0, 0, 0}, /* each has been seen once */
        {2, 1, 1, 1, 1, 1, 0, 1, 0, 1}, /* 0 and 1; 3; 4; kind, mergeable, pinned; 2; the new 6 */
        {2, 2, 1, 1, 0, 0, 0, 1, 0, 2}, /* 5 was looked at nevertheless, the page offered now not */
        {0, 3, 2, 1, 0, 0, 0, 1, 0, 2}, /* 0 has broken away, and 1 is alone */
        {0, 2, 2, 1, 0, 0, 0, 1, 0, 2}, /* 1 is gone; 3 has changed, but nobody has looked */
        /* 0, 2 and 0x100 are equal: two share, no room for the third; the rest are unique. */
        {2, 4, 0, 1, 0, 0, 0, 1, 0, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        expect(played, "ksm", i, wanted[i]);
}

static void test_verdicts(void)
{
    GString *trace = g_string_new("pagefold-trace 1\ngrain page\ncontext p process\n"
                                  "map p 0x0 1 anon mergeable\nmap p 0x1000 1 shmem=s:0\n"
                                  "map p 0x2000 1 anon\n");
    /* Verdicts in the order of PfWhy, and where `names` has them. */
    static const unsigned place[PF_WHY_COUNT] = {9, 1, 2, 3, 4, 5, 6, 7, 8};
    for (unsigned why = 0; why < PF_WHY_COUNT; why++)
        g_string_append_printf(trace,
                               "control clockwork.why %u\ntouch p 0x0 3\nmark \"%u\"\n", why, why);
    g_string_append(trace, "attr p 0x0 1 pinned\nmark pinned\n"
                           "unmap p 0x0 1\nmap p 0x0 1 anon mergeable\n"
                           "control clockwork.why 9\ntouch p 0x0 1\nmark anew\n");
    g_autoptr(Played) played =
        play(trace->str, "policies = ({ name = \"clockwork\"; scope = \"mergeable\"; });", NULL);
    g_string_free(trace, TRUE);
    for (unsigned why = 0; why < PF_WHY_COUNT; why++) {
        /* Memory of another kind and memory that is not offered stay what they are. */
        int wanted[G_N_ELEMENTS(names)] = {[3] = 1, [4] = 1};
        wanted[place[why]]++;
        expect(played, "clockwork", why, wanted);
    }
    const int pinned[G_N_ELEMENTS(names)] = {[3] = 1, [4] = 1, [5] = 1};
    expect(played, "clockwork", PF_WHY_COUNT, pinned);
    const int anew[G_N_ELEMENTS(names)] = {[3] = 1, [4] = 1, [9] = 1};
    expect(played, "clockwork", PF_WHY_COUNT + 1, anew);
}

/* A fork shares without the policy's doing; what is merged with one of the two shares with both. */
static void test_forks(void)
{
    static const char trace[] = "pagefold-trace 1\ngrain page\ncontext a process\n"
                                "map a 0x0 1 anon mergeable\nfill a 0x0 1 id:1\nfork a b\n"
                                "context c process\nmap c 0x0 1 anon mergeable\n"
                                "scan pass 1\nmark forked\n"
                                "fill c 0x0 1 id:1\nscan pass 4\nmark merged\n"
                                "fork c d\nmark both\n";
    g_autoptr(Played) played =
        play(trace,
             "policies = ({ name = \"ksm\"; pacing = \"trace\"; smart_scan = false; },"
             "            { name = \"none\"; }, { name = \"oracle\"; });",
             NULL);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 0, "reason.shared"), 0);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 0, "reason.volatile"), 2);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 1, "memory.used_frames"), 1);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 1, "reason.shared"), 3);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 2, "reason.shared"), 4);
    CU_ASSERT_EQUAL(played_stat(played, "ksm", "reason.shared"), 4);
    CU_ASSERT_EQUAL(played_stat(played, "none", "reason.not_reached"), 4);
    CU_ASSERT_EQUAL(played_stat(played, "oracle", "reason.shared"), -1);
    CU_ASSERT_EQUAL(played_stat(played, "oracle", "reason.not_reached"), -1);
}

static const PfCheck checks[] = {
    {"ksm says of each page why it is not shared", test_ksm},
    {"each verdict is told, unless the mapping says more", test_verdicts},
    {"forks share without the policy's doing", test_forks},
};

int main(void)
{
    return pf_check_main("reasons", checks, G_N_ELEMENTS(checks));
}
