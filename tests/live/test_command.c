/* `pagefold validate ksm` as a user runs it. Where the running kernel cannot be asked, and for what
 * needs no kernel, stored counts are compared. */
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "live_counters.h"
#include "registry.h"
#include "spawn.h"

enum { NOBODY = 65534 };

static bool has_policy(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    if (pf_registry_find_policy(registry, "ksm") != NULL)
        return true;
    pf_check_skip("there is no policy `ksm`");
    return false;
}

static const char scenario[] = "pagefold-trace 1\npage 4KiB\n"
                               "control ksm.smart_scan 0\ncontext a process\n"
                               "map a 0x200000000000 2 anon mergeable\n"
                               "fill a 0x200000000000 2 id:1\n"
                               "scan pass 2\nmark \"merged\"\n";

/* What the kernel counts there: two pages, one frame, 4096 bytes saved for two items of 64. */
static GString *expected_counts(int64_t shared)
{
    g_autoptr(GArray) steps = pf_ksm_steps_new();
    PfKsmStep *step = pf_ksm_steps_add(steps, "merged");
    step->counters[PF_KSM_PAGES_SHARED] = shared;
    step->counters[PF_KSM_PAGES_SHARING] = 1;
    step->counters[PF_KSM_PAGES_SCANNED] = 4;
    step->counters[PF_KSM_FULL_SCANS] = 2;
    step->counters[PF_KSM_GENERAL_PROFIT] = 4096 - 2 * 64;
    PfKsmProcess *process = pf_ksm_step_add_process(step, "a");
    process->values[PF_KSM_PROCESS_ITEMS] = 2;
    process->values[PF_KSM_PROCESS_MERGING] = 2;
    process->values[PF_KSM_PROCESS_PROFIT] = 2 * 4096 - 2 * 64;
    process->values[PF_KSM_PROCESS_MERGEABLE] = 1;
    return pf_ksm_steps_format(steps);
}

static Spawned compare_stored(int64_t shared)
{
    char *place = spawn_make_place();
    g_autoptr(GString) counts = expected_counts(shared);
    spawn_write(place, "a.trace", scenario);
    spawn_write(place, "a.live.jsonl", counts->str);
    Spawned spawned = spawn(place, "validate", "ksm", "--compare", "model-stored", "a.trace");
    spawn_clear_place(place);
    return spawned;
}

static void agreement_is_told(void)
{
    if (!has_policy())
        return;
    Spawned spawned = compare_stored(1);
    CU_ASSERT_EQUAL(spawned.status, 0);
    CU_ASSERT_STRING_EQUAL(spawned.out, "a: 1 marks, model and stored agree\n");
    CU_ASSERT_STRING_EQUAL(spawned.err, "");
    spawned_clear(&spawned);
}

static void a_difference_fails(void)
{
    if (!has_policy())
        return;
    Spawned spawned = compare_stored(3);
    CU_ASSERT_EQUAL(spawned.status, 1);
    CU_ASSERT_STRING_EQUAL(spawned.out,
                           "a: 1 marks, model and stored differ in 1 places\n"
                           "    at mark \"merged\": pages_shared: model 1, stored 3\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(spawned.err, "1 of 1 scenarios differ"));
    spawned_clear(&spawned);
}

static void become_nobody(gpointer user)
{
    (void)user;
    if (geteuid() == 0 && setuid(NOBODY) != 0)
        _exit(1);
}

static void nobody_gets_stored_counts(void)
{
    char *arguments[] = {(char *)(uintptr_t)spawn_path(), (char *)(uintptr_t) "validate",
                         (char *)(uintptr_t) "ksm", NULL};
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    int status = 0;
    if (!has_policy())
        return;
    if (!g_spawn_sync("/", arguments, NULL, G_SPAWN_DEFAULT, become_nobody, NULL, &out, &err,
                      &status, NULL)) {
        pf_check_skip("who is not root may not run the program where it lies");
        return;
    }
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "the running kernel is not asked: needs root"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "zero_pages: 28 marks, model and stored agree\n"));
    CU_ASSERT_PTR_NULL(strstr(out, "differ in"));
}

static void wrong_pair_is_a_usage_error(void)
{
    Spawned spawned = spawn("/", "validate", "ksm", "--compare", "model-kernel");
    CU_ASSERT_EQUAL(spawned.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(spawned.err, "--compare model-kernel: must be two of model"));
    spawned_clear(&spawned);
}

static void missing_scenario_is_told(void)
{
    Spawned spawned = spawn("/", "validate", "ksm", "--compare", "stored-stored", "/no.trace");
    CU_ASSERT_EQUAL(spawned.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(spawned.err, "/no.live.jsonl"));
    spawned_clear(&spawned);
}

static const PfCheck checks[] = {
    {"that both count alike is told in one line", agreement_is_told},
    {"a difference is told, and is exit status 1", a_difference_fails},
    {"who is not root has the built-in scenarios compared with stored counts",
     nobody_gets_stored_counts},
    {"a pair that is none is a usage error", wrong_pair_is_a_usage_error},
    {"a scenario that is not there is an error", missing_scenario_is_told},
};

PF_CHECK_MAIN("validate ksm", checks)
