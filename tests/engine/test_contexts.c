/* The bill of each context: what it paid, what the policy spent on it, what was saved. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "play.h"

/* The value of NAME at the end, -1 where it is null or not told. */
typedef struct {
    const char *name;
    double value;
    unsigned told;
} Wanted;

static void look_for(const PfStatInfo *info, PfStatValue value, void *user)
{
    Wanted *wanted = user;
    if (!g_str_equal(info->name, wanted->name))
        return;
    wanted->told++;
    if (value.kind == PF_STAT_UINT)
        wanted->value = (double)value.u;
    else if (value.kind == PF_STAT_DOUBLE)
        wanted->value = value.d;
}

static double at_end(const Played *played, const char *label, const char *name)
{
    Wanted wanted = {.name = name, .value = -1};
    pf_run_contexts_visit(played_run(played, label), look_for, &wanted);
    CU_ASSERT_TRUE(wanted.told <= 1);
    return wanted.value;
}

static bool is_near(double value, double wanted)
{
    return fabs(value - wanted) < 1e-9;
}

/* Two pages of `a` and one of `b` have equal bytes: a frame of three, two are saved, and each page
 * has a third of it where it had one of its own: 2/3 a page. A fork saves nothing more. */
static void test_savings(void)
{
    static const char trace[] =
        "pagefold-trace 1\ngrain page\ncontext a process\ncontext b process\n"
        "map a 0x0 4 anon mergeable\nmap b 0x0 1 anon mergeable\n"
        "fill a 0x0 2 id:1\nfill a 0x2000 1 id:2\nfill b 0x0 1 id:1\nread a 0x3000 8\n"
        "scan pass 3\nmark shared\nfork b c\nmark forked\nexit a\n";
    g_autoptr(Played) played =
        play(trace,
             "policies = ({ name = \"ksm\"; pacing = \"trace\"; smart_scan = false; },"
             "            { name = \"oracle\"; });",
             NULL);
    double a = played_mark_stat(played, "ksm", 0, "context.a.saved_pages");
    double b = played_mark_stat(played, "ksm", 0, "context.b.saved_pages");
    CU_ASSERT_TRUE(is_near(a, 4.0 / 3));
    CU_ASSERT_TRUE(is_near(b, 2.0 / 3));
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 0, "memory.saved_pages"), 2);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 0, "context.a.shared_pages"), 2);
    CU_ASSERT_EQUAL(played_mark_stat(played, "ksm", 0, "context.b.shared_pages"), 1);
    /* `b` and `c` would have half a frame each, and have a quarter, as each page of `a` has. */
    CU_ASSERT_TRUE(is_near(played_mark_stat(played, "ksm", 1, "context.a.saved_pages"), 1.5));
    CU_ASSERT_TRUE(is_near(played_mark_stat(played, "ksm", 1, "context.b.saved_pages"), 0.25));
    CU_ASSERT_TRUE(is_near(played_mark_stat(played, "ksm", 1, "context.c.saved_pages"), 0.25));
    CU_ASSERT_TRUE(is_near(played_mark_stat(played, "none", 1, "context.c.saved_pages"), 0));
    CU_ASSERT_EQUAL(at_end(played, "ksm", "context.a.saved_pages"), 0);
    CU_ASSERT_TRUE(is_near(at_end(played, "ksm", "context.b.saved_pages"), 0));
    CU_ASSERT_EQUAL(at_end(played, "oracle", "context.b.saved_pages"), -1);
    CU_ASSERT_TRUE(at_end(played, "oracle", "context.b.cycles") > 0);
}

/* One cycle an instruction, two contexts by turns on one core, then the policy on its own. */
static void test_cycles(void)
{
    static const char trace[] = "pagefold-trace 1\ncontext a vm core=0\ncontext b vm core=0\n"
                                "map a 0x0 1 anon\n"
                                "run a 100\nrun b 250\nrun a 7\nmark one\nrun b 50\nmark two\n"
                                "read a 0x0 8\nrun b 1\n";
    g_autoptr(Played) played =
        play(trace, "policies = ({ name = \"clockwork\"; interval = \"200ns\"; work = 10; });"
                    "warmup = \"mark:one\";",
             NULL);
    CU_ASSERT_EQUAL(played_mark_stat(played, "none", 0, "context.a.cycles"), 0);
    CU_ASSERT_EQUAL(played_mark_stat(played, "none", 1, "context.a.cycles"), 0);
    CU_ASSERT_EQUAL(played_mark_stat(played, "none", 1, "context.b.cycles"), 50);
    CU_ASSERT_EQUAL(at_end(played, "none", "context.b.cycles"), 51);
    CU_ASSERT_EQUAL(at_end(played, "none", "context.a.cycles") + 51,
                    played_stat(played, "none", "cycles.app"));
    CU_ASSERT_TRUE(at_end(played, "none", "context.a.cycles") > 0);
    g_autoptr(Played) whole =
        play(trace, "policies = ({ name = \"clockwork\"; interval = \"200ns\"; work = 10; });",
             NULL);
    CU_ASSERT_EQUAL(played_mark_stat(whole, "none", 0, "context.a.cycles"), 107);
    CU_ASSERT_EQUAL(played_mark_stat(whole, "none", 0, "context.b.cycles"), 250);
    /* At 200 and 400 the policy works on nobody's page, for 10 cycles each; once `a` has a page it
     * hashes that first. */
    CU_ASSERT_EQUAL(played_mark_stat(whole, "clockwork", 1, "context.a.policy_cycles"), 0);
    CU_ASSERT_EQUAL(played_stat(whole, "clockwork", "cycles.policy_unattributed"), 20);
    CU_ASSERT_EQUAL(at_end(whole, "clockwork", "context.a.policy_cycles") + 20,
                    played_stat(whole, "clockwork", "cycles.policy"));
    CU_ASSERT_EQUAL(at_end(whole, "clockwork", "context.b.policy_cycles"), 0);
}

/* How many contexts out of COUNT are told of under SETTINGS. */
static unsigned told_of(unsigned count, const char *settings)
{
    GString *trace = g_string_new("pagefold-trace 1\ngrain page\n");
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(trace, "context c%u vm\n", i);
    g_autofree char *text =
        g_strdup_printf("policies = ({ name = \"none\"; }); %s", settings);
    g_autoptr(Played) played = play(trace->str, text, NULL);
    g_string_free(trace, TRUE);
    unsigned told = 0;
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("context.c%u.cycles", i);
        told += at_end(played, "none", name) >= 0;
    }
    return told;
}

static void test_limit(void)
{
    CU_ASSERT_EQUAL(told_of(64, ""), 64);
    CU_ASSERT_EQUAL(told_of(65, ""), 0);
    CU_ASSERT_EQUAL(told_of(65, "output = { contexts = \"all\"; };"), 65);
    CU_ASSERT_EQUAL(told_of(1, "output = { contexts = \"none\"; };"), 0);
}

/* The second page finds no frame under `ksm`, whose run ends there; what comes later is known to
 * `none` only, which is not limited. */
static void test_end_of_memory(void)
{
    static const char trace[] =
        "pagefold-trace 1\ngrain page\ncontext a process\nmap a 0x0 2 anon mergeable\n"
        "fill a 0x0 2 id:1 step=1\ncontext late process\nfork a later\n";
    static const char items[] = "ksm.context.later.ksm_rmap_items";
    g_autoptr(Played) small =
        play_configured(trace, strlen(trace),
                        "machine = { memory = 4096; }; policies = ({ name = \"ksm\"; });", NULL);
    CU_ASSERT_PTR_NOT_NULL(small->error);
    CU_ASSERT_EQUAL(at_end(small, "ksm", "ksm.context.a.ksm_rmap_items"), 0);
    CU_ASSERT_EQUAL(at_end(small, "ksm", items), -1);
    g_autoptr(Played) enough =
        play_configured(trace, strlen(trace),
                        "machine = { memory = 8192; }; policies = ({ name = \"ksm\"; });", NULL);
    CU_ASSERT_PTR_NULL(enough->error);
    CU_ASSERT_EQUAL(at_end(enough, "ksm", items), 0);
}

static const PfCheck checks[] = {
    {"a frame's worth is split among the pages that map it", test_savings},
    {"cycles are put down to who paid and to whose page was looked at", test_cycles},
    {"more than 64 contexts are told of only if asked for", test_limit},
    {"a run that ends early tells of the contexts that it has met", test_end_of_memory},
};

int main(void)
{
    return pf_check_main("contexts", checks, G_N_ELEMENTS(checks));
}
