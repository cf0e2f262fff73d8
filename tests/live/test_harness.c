/* The driver of the running kernel's KSM: exact, exclusive, and gone without a trace. Skipped, with
 * the reason, where KSM cannot be had. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "error.h"
#include "live_crew.h"
#include "live_host.h"
#include "live_ksm.h"
#include "live_scenario.h"

enum { LOCK_WAIT_SECONDS = 10 };

#define HEAD "pagefold-trace 1\npage 4KiB\n"

/* Where KSM could not be had once, no later test waits for it. */
static PfKsm *open_or_skip(const int *interrupted)
{
    static const char *obstacle;
    g_autoptr(GError) error = NULL;
    PfKsm *ksm = obstacle == NULL ? pf_ksm_open(LOCK_WAIT_SECONDS, interrupted, &error) : NULL;
    /* Lives as long as the program: it is printed after the test. */
    if (ksm == NULL && obstacle == NULL)
        obstacle = g_intern_string(error->message);
    if (ksm == NULL)
        pf_check_skip(obstacle);
    return ksm;
}

/* What all knobs say, one a line. Free with g_free. */
static char *read_knobs(void)
{
    GString *text = g_string_new(NULL);
    for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++) {
        g_autofree char *path = g_build_filename(PF_KNOB_FOLDER, pf_knob_name((PfKnob)knob), NULL);
        g_autofree char *value = NULL;
        g_file_get_contents(path, &value, NULL, NULL);
        g_string_append_printf(text, "%s=%s", pf_knob_name((PfKnob)knob), value);
    }
    return g_string_free(text, FALSE);
}

/* Plays TEXT; the error is its answer if RET_ERROR is given, else a failure of the test. */
static GArray *play(PfKsm *ksm, const char *text, char **ret_error)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-harness-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.trace", NULL);
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, text, -1, NULL);
    GArray *steps = pf_live_play(ksm, path, NULL, &error);
    if (ret_error != NULL)
        *ret_error = g_strdup(error != NULL ? error->message : "");
    else if (error != NULL)
        CU_FAIL("the scenario could not be played");
    g_unlink(path);
    g_rmdir(folder);
    return steps;
}

static void scans_exactly(void)
{
    g_autoptr(PfKsm) ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    g_autoptr(GArray) steps =
        play(ksm,
             HEAD "context a process\nmap a 0x200000000000 9 anon mergeable\n"
                  "fill a 0x200000000000 9 id:5 step=1\n"
                  "scan 1\nmark \"1\"\nscan 3\nmark \"4\"\nscan 0\nmark \"4\"\n"
                  "scan 100\nmark \"9\"\nscan pass 2\nmark \"27\"\n",
             NULL);
    /* A batch ends with the pass, two passes are nine pages each. */
    const int64_t scanned[] = {1, 4, 4, 9, 27};
    const int64_t passes[] = {0, 0, 0, 1, 3};
    CU_ASSERT_PTR_NOT_NULL_FATAL(steps);
    CU_ASSERT_EQUAL_FATAL(steps->len, G_N_ELEMENTS(scanned));
    for (guint i = 0; i < steps->len; i++) {
        const PfKsmStep *step = &g_array_index(steps, PfKsmStep, i);
        CU_ASSERT_EQUAL(step->counters[PF_KSM_PAGES_SCANNED], scanned[i]);
        CU_ASSERT_EQUAL(step->counters[PF_KSM_FULL_SCANS], passes[i]);
    }
}

static void writes_and_reads_do_what_they_say(void)
{
    g_autoptr(PfKsm) ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    /* Equal only if fill, a short and a long write, and a partial content put the same bytes. */
    g_autoptr(GArray) steps =
        play(ksm,
             HEAD "control ksm.smart_scan 0\ncontext a process\ncontext b process\n"
                  "map a 0x200000000000 4 anon mergeable\nmap b 0x200000000000 4 anon mergeable\n"
                  "fill a 0x200000000000 1 \"abcdefghijklmnop\"\n"
                  "write b 0x200000000000 16 \"abcdefghijklmnop\"\n"
                  "fill a 0x200000001000 1 hex:0102\nwrite b 0x200000001000 2 0x0201\n"
                  "fill a 0x200000002000 1 id:7\nfill b 0x200000002000 1 id:6 step=1\n"
                  "fill b 0x200000002000 1 id:7\ntouch b 0x200000002000 1\n"
                  "read b 0x200000003000 8\n"
                  "scan pass 2\nmark \"3 pairs\"\n",
             NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(steps);
    const PfKsmStep *step = &g_array_index(steps, PfKsmStep, 0);
    CU_ASSERT_EQUAL(step->counters[PF_KSM_PAGES_SHARED], 3);
    CU_ASSERT_EQUAL(step->counters[PF_KSM_PAGES_SHARING], 3);
    CU_ASSERT_EQUAL(step->counters[PF_KSM_PAGES_SCANNED], 12);
}

static void mistakes_have_places(void)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {HEAD "context a process\nread a 0x200000000000 8\n", ":4: the process died of it"},
        {HEAD "context a process\nmap a 0x200000000000 2 anon\nmap a 0x200000001000 1 anon\n",
         ":5: the kernel refuses: File exists"},
        {HEAD "context a process\nmap a 0x200000000000 1 file=x:0\n", ":4: a live scenario maps"},
        {HEAD "context a process\nmap a 0x200000000000 1 anon\nstate a 0x200000000000 1 zero\n",
         ":5: `state` cannot be played live"},
        {HEAD "control ksm.pages_to_scan 5\n", ":3: ksm.pages_to_scan: not to be changed"},
        {"pagefold-trace 1\npage 64B\n", "pages of this host have 4096 bytes"},
    };
    g_autoptr(PfKsm) ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = NULL;
        CU_ASSERT_PTR_NULL(play(ksm, cases[i].text, &message));
        CU_ASSERT_PTR_NOT_NULL(strstr(message, cases[i].expected));
    }
}

static void knobs_are_put_back(void)
{
    g_autoptr(PfKsm) ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    g_autoptr(GArray) steps = play(ksm,
                                   HEAD "control ksm.max_page_sharing 3\ncontrol ksm.smart_scan 0\n"
                                        "context a process\nmap a 0x200000000000 4 anon mergeable\n"
                                        "fill a 0x200000000000 4 id:1\nscan pass 2\nmark \"a\"\n",
                                   NULL);
    CU_ASSERT_PTR_NOT_NULL(steps);
    g_autofree char *during = read_knobs();
    CU_ASSERT(pf_ksm_close(ksm));
    g_autofree char *after = read_knobs();
    CU_ASSERT_STRING_NOT_EQUAL(during, after);
    /* Another one, under the lock, finds what this one found. */
    pf_ksm_free(g_steal_pointer(&ksm));
    ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    g_autofree char *again = read_knobs();
    CU_ASSERT_STRING_EQUAL(after, again);
}

/* A driver that never comes to its end. */
static _Noreturn void drive_for_ever(int ready)
{
    g_autoptr(GError) error = NULL;
    PfKsm *ksm = pf_ksm_open(LOCK_WAIT_SECONDS, NULL, &error);
    PfCrew *crew = pf_crew_new(NULL, NULL);
    unsigned number;
    int refusal;
    bool is_driving = ksm != NULL && pf_ksm_reset(ksm, NULL) &&
                      pf_crew_spawn(crew, &number, NULL) &&
                      pf_crew_command(crew, number, PF_LIVE_MAP, 0x200000000000, 8 * 4096, 0,
                                      PROT_READ | PROT_WRITE, &refusal, NULL) &&
                      pf_crew_command(crew, number, PF_LIVE_ADVISE, 0x200000000000, 8 * 4096, 0,
                                      MADV_MERGEABLE, &refusal, NULL) &&
                      pf_crew_command(crew, number, PF_LIVE_TOUCH, 0x200000000000, 8 * 4096, 0, 0,
                                      &refusal, NULL) &&
                      pf_ksm_scan_pass(ksm, NULL) && pf_ksm_scan_pass(ksm, NULL);
    if (write(ready, is_driving ? "y" : "n", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void a_killed_driver_leaves_nothing(void)
{
    PfKsm *ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    CU_ASSERT(pf_ksm_close(ksm));
    g_autofree char *before = read_knobs();
    pf_ksm_free(ksm);
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
    pid_t driver = fork();
    if (driver == 0)
        drive_for_ever(ends[1]);
    char answer = 'n';
    CU_ASSERT_EQUAL(read(ends[0], &answer, 1), 1);
    close(ends[0]);
    close(ends[1]);
    kill(driver, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(driver, NULL, 0), driver);
    /* The guardian has the lock until all is as it was: then nobody has mergeable memory. */
    ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    g_autofree char *after = read_knobs();
    CU_ASSERT_STRING_EQUAL(before, after);
    pf_ksm_free(ksm);
    if (answer != 'y')
        pf_check_skip("the driver that was to be killed could not drive");
}

static void one_driver_at_a_time(void)
{
    g_autoptr(PfKsm) ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(pf_ksm_open(0, NULL, &error));
    CU_ASSERT(error != NULL && strstr(error->message, "another process drives KSM") != NULL);
}

static void used_memory_is_seen(void)
{
    g_autoptr(PfKsm) ksm = open_or_skip(NULL);
    if (ksm == NULL)
        return;
    g_autoptr(GError) error = NULL;
    CU_ASSERT(pf_ksm_reset(ksm, &error));
    g_autoptr(PfCrew) crew = pf_crew_new(NULL, NULL);
    unsigned number;
    int refusal;
    CU_ASSERT_FATAL(pf_crew_spawn(crew, &number, NULL));
    CU_ASSERT(pf_crew_command(crew, number, PF_LIVE_MAP, 0x200000000000, 4096, 0, PROT_READ,
                              &refusal, NULL));
    CU_ASSERT(pf_crew_command(crew, number, PF_LIVE_ADVISE, 0x200000000000, 4096, 0, MADV_MERGEABLE,
                              &refusal, NULL));
    g_autoptr(GArray) pids = pf_crew_pids(crew);
    CU_ASSERT_EQUAL(pids->len, 1);
    CU_ASSERT(pf_live_host_check_unmerged(pids, NULL));
    CU_ASSERT_FALSE(pf_live_host_check_unmerged(NULL, &error));
    CU_ASSERT(error != NULL && strstr(error->message, "has mergeable memory") != NULL);
}

static void interruption_is_heard(void)
{
    int interrupted = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(PfKsm) ksm = open_or_skip(&interrupted);
    if (ksm == NULL)
        return;
    CU_ASSERT(pf_ksm_reset(ksm, &error));
    interrupted = SIGINT;
    CU_ASSERT_FALSE(pf_ksm_scan(ksm, 1, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_INTERRUPTED));
}

static const PfCheck checks[] = {
    {"ksmd looks at as many pages as it is told, and no further", scans_exactly},
    {"stores put the bytes that the trace says", writes_and_reads_do_what_they_say},
    {"what cannot be played is an error with its line", mistakes_have_places},
    {"all knobs are put back", knobs_are_put_back},
    {"a driver that is killed leaves neither processes nor knobs", a_killed_driver_leaves_nothing},
    {"one driver at a time has KSM", one_driver_at_a_time},
    {"a process with mergeable memory is seen", used_memory_is_seen},
    {"an interruption is heard", interruption_is_heard},
};

PF_CHECK_MAIN("KSM driver", checks)
