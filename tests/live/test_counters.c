/* Counters at marks: written, read, compared. No kernel is asked. */
#include <string.h>

#include "check.h"
#include "error.h"
#include "live_counters.h"
#include "live_validate.h"

/* Two marks, all numbers different, with names that need quoting. */
static GArray *make_steps(void)
{
    GArray *steps = pf_ksm_steps_new();
    for (unsigned mark = 0; mark < 2; mark++) {
        PfKsmStep *step = pf_ksm_steps_add(steps, mark == 0 ? "a \"b\"" : "c");
        step->refusal = mark == 0 ? 22 : 0;
        for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++)
            step->counters[counter] = 100 * mark + counter;
        step->counters[PF_KSM_GENERAL_PROFIT] = -64;
        pf_ksm_step_add_process(step, NULL);
        for (unsigned number = 0; number < mark; number++) {
            PfKsmProcess *process = pf_ksm_step_add_process(step, "p");
            for (unsigned i = 0; i < PF_KSM_PROCESS_COUNTERS; i++)
                process->values[i] = 7 * i - 9;
        }
    }
    return steps;
}

static size_t count_differences(const GArray *a, const GArray *b, char **ret_first)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    size_t count = pf_ksm_steps_compare(a, "one", b, "other", lines);
    CU_ASSERT_EQUAL(count, lines->len);
    if (ret_first != NULL)
        *ret_first = g_strdup(lines->len > 0 ? g_ptr_array_index(lines, 0) : "");
    return count;
}

static void written_and_read_again(void)
{
    g_autoptr(GArray) steps = make_steps();
    g_autoptr(GString) text = pf_ksm_steps_format(steps);
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) again = pf_ksm_steps_parse(text->str, "here", &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    CU_ASSERT_EQUAL(again->len, 2);
    CU_ASSERT_STRING_EQUAL(g_array_index(again, PfKsmStep, 0).label, "a \"b\"");
    CU_ASSERT_EQUAL(g_array_index(again, PfKsmStep, 0).refusal, 22);
    CU_ASSERT_EQUAL(count_differences(steps, again, NULL), 0);
    g_autoptr(GString) text_again = pf_ksm_steps_format(again);
    CU_ASSERT_STRING_EQUAL(text->str, text_again->str);
}

static void each_counter_counts(void)
{
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++) {
        g_autoptr(GArray) a = make_steps();
        g_autoptr(GArray) b = make_steps();
        g_autofree char *first = NULL;
        g_array_index(b, PfKsmStep, 1).counters[counter]++;
        CU_ASSERT_EQUAL(count_differences(a, b, &first), 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(first, pf_ksm_counter_name((PfKsmCounter)counter)));
        CU_ASSERT_PTR_NOT_NULL(strstr(first, "at mark \"c\""));
    }
}

static void each_process_counter_counts(void)
{
    for (unsigned counter = 0; counter < PF_KSM_PROCESS_COUNTERS; counter++) {
        g_autoptr(GArray) a = make_steps();
        g_autoptr(GArray) b = make_steps();
        PfKsmStep *step = &g_array_index(b, PfKsmStep, 1);
        g_array_index(step->processes, PfKsmProcess, 0).values[counter]++;
        CU_ASSERT_EQUAL(count_differences(a, b, NULL), 1);
        /* Whoever does not know of processes does not contradict. */
        g_array_unref(step->processes);
        step->processes = NULL;
        CU_ASSERT_EQUAL(count_differences(a, b, NULL), 0);
    }
}

static void missing_things_count(void)
{
    g_autoptr(GArray) a = make_steps();
    g_autoptr(GArray) b = make_steps();
    g_array_index(b, PfKsmStep, 0).refusal = 16;
    CU_ASSERT_EQUAL(count_differences(a, b, NULL), 0);
    g_array_index(b, PfKsmStep, 0).refusal = 0;
    CU_ASSERT_EQUAL(count_differences(a, b, NULL), 1);
    g_array_set_size(b, 1);
    CU_ASSERT_EQUAL(count_differences(a, b, NULL), 2);
    g_autoptr(GArray) c = make_steps();
    g_array_set_size(g_array_index(c, PfKsmStep, 1).processes, 0);
    /* Their number, and the one that is missing. */
    CU_ASSERT_EQUAL(count_differences(a, c, NULL), 2);
}

static void bad_lines_are_told(void)
{
    static const char *const bad[] = {"nonsense", "[]", "{\"step\":0}",
                                      "{\"rc\":0,\"pages_shared\":\"many\"}"};
    g_autoptr(GArray) steps = make_steps();
    g_autoptr(GString) good = pf_ksm_steps_format(steps);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text = g_strconcat(good->str, bad[i], "\n", NULL);
        g_autoptr(GError) error = NULL;
        CU_ASSERT_PTR_NULL(pf_ksm_steps_parse(text, "here", &error));
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
        CU_ASSERT(error != NULL && g_str_has_prefix(error->message, "here:3: "));
    }
}

static void pairs_are_parsed(void)
{
    PfKsmTeller pair[2];
    CU_ASSERT(pf_teller_parse_pair("model-stored", pair));
    CU_ASSERT_EQUAL(pair[0], PF_TELLER_MODEL);
    CU_ASSERT_EQUAL(pair[1], PF_TELLER_STORED);
    CU_ASSERT(pf_teller_parse_pair("live-live", pair));
    CU_ASSERT_FALSE(pf_teller_parse_pair("model", pair));
    CU_ASSERT_FALSE(pf_teller_parse_pair("model-", pair));
    g_autofree char *path = pf_teller_stored_path("x/a.trace");
    CU_ASSERT_STRING_EQUAL(path, "x/a.live.jsonl");
}

static const PfCheck checks[] = {
    {"counters written are read again as they were", written_and_read_again},
    {"a difference of any counter is told, with its mark", each_counter_counts},
    {"a difference of any process is told, if both know it", each_process_counter_counts},
    {"refusals, marks and processes that one side lacks are told", missing_things_count},
    {"a line that holds no counters is an error with its number", bad_lines_are_told},
    {"a pair of tellers is taken apart", pairs_are_parsed},
};

PF_CHECK_MAIN("KSM counters", checks)
