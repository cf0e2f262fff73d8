/* The warning of events that no policy of a run makes use of. */
#include "check.h"

#include <string.h>

#include "play.h"

static const char head[] = "pagefold-trace 1\ngrain page\ncontext a vm\nmap a 0x0 16 anon\n";

/* The warning of EVENTS under POLICIES, "" if there is none. */
static char *warning(const char *events, const char *policies)
{
    g_autofree char *trace = g_strconcat(head, events, NULL);
    g_autofree char *settings = g_strdup_printf("policies = ( %s );\n", policies);
    g_autoptr(Played) played = play(trace, settings, NULL);
    CU_ASSERT_PTR_NULL_FATAL(played->error);
    const char *const *warnings = pf_simulation_warnings(played->simulation);
    char *found = g_strdup("");
    for (; *warnings != NULL; warnings++)
        if (strstr(*warnings, "makes use of") != NULL) {
            CU_ASSERT_STRING_EQUAL(found, ""); /* once */
            g_free(found);
            found = g_strdup(*warnings);
        }
    return found;
}

static void expect(const char *events, const char *policies, const char *wanted)
{
    g_autofree char *found = warning(events, policies);
    bool as_wanted = wanted == NULL ? found[0] == '\0' : strstr(found, wanted) != NULL;
    if (!as_wanted)
        printf("# '%s' under %s: '%s'\n", events, policies, found);
    CU_ASSERT_TRUE(as_wanted);
}

static const char esx[] = "{ name = \"esx\"; }";
static const char ksm[] = "{ name = \"ksm\"; }";
static const char paced[] = "{ name = \"esx\"; pacing = \"trace\"; }";
static const char ruled[] = "{ name = \"esx\"; exclude = (\"executed\"); }";
static const char both[] = "{ name = \"ksm\"; }, { name = \"esx\"; exclude = (\"readonly\"); }";

static void test_unused(void)
{
    expect("advise a 0x0 1 discardable\n", esx, "`advise discardable`");
    expect("advise a 0x0 1 suspend\n", esx, "`advise suspend`");
    expect("advise a 0x0 1 resume\n", ksm, "`advise suspend`");
    expect("attr a 0x0 1 locked\n", esx, "`attr locked`");
    expect("attr a 0x0 1 unlocked\n", esx, "`attr locked`");
    expect("attr a 0x0 1 executed\n", esx, "`attr executed`");
    expect("attr a 0x0 1 readonly\n", ruled, "`attr readonly`");
    expect("dma a 0x0 1 disk:7:1 id:1\n", ksm, "`dma`");
    expect("scan 1\n", esx, "`scan`");
    expect("control ksm.run 1\n", esx, "`control`");
}

static void test_used(void)
{
    expect("attr a 0x0 1 executed\n", ruled, NULL);
    expect("attr a 0x0 1 readonly\n", both, NULL);
    expect("dma a 0x0 1 disk:7:1 id:1\n", esx, NULL);
    expect("scan 1\n", paced, NULL);
    expect("control esx.rate 1\ncontrol ksm.run 1\n", esx, NULL);
    /* What changes memory is everybody's, and a pin is. */
    expect("advise a 0x0 1 mergeable\nadvise a 0x0 1 dontneed\nattr a 0x0 1 pinned\n"
           "attr a 0x0 1 unpinned\nbegin a \"x\"\nend a \"x\"\n",
           esx, NULL);
}

static void test_list(void)
{
    g_autofree char *found =
        warning("scan 1\nadvise a 0x0 4 suspend\nscan 1\nadvise a 0x0 4 resume\n", esx);
    CU_ASSERT_STRING_EQUAL(found, "no policy of this run makes use of what the trace says by "
                                  "`advise suspend` or `resume`, `scan` (which is for pacing = "
                                  "\"trace\")");
}

static const PfCheck checks[] = {
    {"each event that no policy makes use of is told", test_unused},
    {"an event that one policy makes use of is not", test_used},
    {"all of them are told in one sentence, each once", test_list},
};

PF_CHECK_MAIN("unused events", checks)
