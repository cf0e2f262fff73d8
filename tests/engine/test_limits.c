/* Runs that cannot go on end with an error that says why. */
#include "check.h"

#include <string.h>
#include <unistd.h>

#include "error.h"
#include "simulation.h"

/* What TEXT played with SETTINGS fails with, at whatever stage; NULL: it does not. Owned. */
static GError *failure_of(const char *text, const char *settings, const int *interrupted)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    g_autofree char *path = NULL;
    GError *error = NULL;
    int fd = g_file_open_tmp("pagefold-limit-XXXXXX", &path, &error);
    g_assert_no_error(error);
    close(fd);
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    g_autoptr(PfConfig) config =
        pf_config_load_text(settings, strlen(settings), "limits", NULL, &error);
    g_assert_no_error(error);
    PfSimulationOptions options = {.threads = 1, .trace = path, .interrupted = interrupted};
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &options, &error);
    if (simulation != NULL)
        pf_simulation_run(simulation, &error);
    remove(path);
    return error;
}

#define LIMITS_HEAD "pagefold-trace 1\ncontext a process\nmap a 0x0 1 anon\nfill a 0x0 1 id:1\n"

static void test_limits(void)
{
    const char *plain = "policies = ( { name = \"esx\"; } );";
    g_autoptr(GError) none = failure_of(LIMITS_HEAD, plain, NULL);
    CU_ASSERT_PTR_NULL(none);
    g_autoptr(GError) small = failure_of(LIMITS_HEAD, "machine = { memory = 4095; };", NULL);
    CU_ASSERT(g_error_matches(small, PF_ERROR, PF_ERROR_CONFIG));
    g_autoptr(GError) enough = failure_of(LIMITS_HEAD, "machine = { memory = 4096; };", NULL);
    CU_ASSERT_PTR_NULL(enough);
    g_autoptr(GError) rows = failure_of(LIMITS_HEAD "time 1s\n",
                                        "output = { epoch = \"1ps\"; };", NULL);
    CU_ASSERT(g_error_matches(rows, PF_ERROR, PF_ERROR_LIMIT));
    /* 2^63 instructions at half a cycle each are 2^62 cycles: one more is too late. */
    g_autoptr(GError) late = failure_of(
        LIMITS_HEAD "run a 9223372036854775808\nrun a 2\nmark \"x\"\n",
        "output = { epoch = \"5min\"; };", NULL);
    CU_ASSERT(g_error_matches(late, PF_ERROR, PF_ERROR_LIMIT));
    /* Two months of wake-ups, and somebody in a hurry. */
    const int interrupted = 2;
    g_autoptr(GError) stopped = failure_of(LIMITS_HEAD "time 5000000s\n", plain, &interrupted);
    CU_ASSERT(g_error_matches(stopped, PF_ERROR, PF_ERROR_INTERRUPTED));
}

#define MARKS_HEAD LIMITS_HEAD "mark \"a\"\nmark \"b\"\n"

static void test_marks(void)
{
    static const struct {
        const char *settings;
        const char *complaint; /* NULL: none */
    } rows[] = {
        {"warmup = \"mark:a\";", NULL},
        {"warmup = \"mark:c\";", "warmup: the trace has no mark \"c\""},
        {"roi = (\"mark:a\", \"mark:b\");", NULL},
        {"roi = (\"mark:c\", \"mark:b\");", "roi: the trace has no mark \"c\""},
        {"roi = (\"mark:a\", \"mark:c\");", "roi: the trace has no mark \"c\" after"},
        {"roi = (\"mark:b\", \"mark:a\");", "roi: the trace has no mark \"a\" after"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = failure_of(MARKS_HEAD, rows[i].settings, NULL);
        if (rows[i].complaint == NULL) {
            CU_ASSERT_PTR_NULL(error);
            continue;
        }
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
        CU_ASSERT_TRUE(error != NULL && g_str_has_prefix(error->message, rows[i].complaint));
    }
}

static const PfCheck checks[] = {
    {"a mark that the configuration waits for and that never comes is an error", test_marks},
    {"a run that cannot go on ends with an error", test_limits},
};

PF_CHECK_MAIN("limits", checks)
