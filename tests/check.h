/* A test program's main: CUnit suites told in TAP, so that each test is a case in meson's report.
 *
 * Use: static const PfCheck checks[] = { {"a sentence", function}, ... };
 *      PF_CHECK_MAIN("module", checks)
 * A test that cannot run here calls pf_check_skip("reason") and returns. */
#pragma once

#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const char *sentence;
    void (*run)(void);
} PfCheck;

static unsigned pf_check_number;
static const char *pf_check_skipped;

static inline void pf_check_skip(const char *reason)
{
    pf_check_skipped = reason;
}

static void pf_check_started(const CU_pTest test, const CU_pSuite suite)
{
    (void)test;
    (void)suite;
    pf_check_skipped = NULL;
}

static void pf_check_finished(const CU_pTest test, const CU_pSuite suite,
                              const CU_pFailureRecord first)
{
    (void)suite;
    pf_check_number++;
    if (pf_check_skipped != NULL && first == NULL)
        printf("ok %u %s # SKIP %s\n", pf_check_number, test->pName, pf_check_skipped);
    else
        printf("%s %u %s\n", first == NULL ? "ok" : "not ok", pf_check_number, test->pName);
    for (CU_pFailureRecord record = first; record != NULL; record = record->pNext)
        printf("# %s:%u: %s\n", record->strFileName != NULL ? record->strFileName : "?",
               record->uiLineNumber, record->strCondition != NULL ? record->strCondition : "?");
    fflush(stdout);
}

/* In TAP a program with failed cases still ends with status 0. */
static inline int pf_check_main(const char *module, const PfCheck *checks, size_t count)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite suite = CU_add_suite(module, NULL, NULL);
    for (size_t i = 0; suite != NULL && i < count; i++)
        if (CU_add_test(suite, checks[i].sentence, checks[i].run) == NULL)
            return 99;
    printf("1..%zu\n", count);
    CU_set_test_start_handler(pf_check_started);
    CU_set_test_complete_handler(pf_check_finished);
    CU_set_error_action(CUEA_IGNORE);
    CU_run_all_tests();
    CU_cleanup_registry();
    return 0;
}

#define PF_CHECK_MAIN(module, checks)                                                              \
    int main(void)                                                                                 \
    {                                                                                              \
        return pf_check_main(module, checks, sizeof(checks) / sizeof((checks)[0]));                \
    }
