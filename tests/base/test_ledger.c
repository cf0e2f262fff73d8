#include <string.h>

#include "check.h"
#include "ledger.h"
#include "rng.h"

static uint64_t stat(const PfStats *stats, const char *name)
{
    PfStatValue value;
    CU_ASSERT_TRUE_FATAL(pf_stats_find(stats, name, &value));
    CU_ASSERT_EQUAL_FATAL(value.kind, PF_STAT_UINT);
    return value.u;
}

static void test_accounts_have_names(void)
{
    for (unsigned i = 0; i < PF_ACCOUNT_COUNT; i++) {
        const PfAccountInfo *info = pf_account_info((PfAccount)i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(info->name);
        CU_ASSERT_EQUAL(info->description[strlen(info->description) - 1], '.');
        for (unsigned j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(info->name, pf_account_info((PfAccount)j)->name);
    }
}

static void test_charge(void)
{
    PfLedger ledger = {.total_cycles = 0};
    pf_ledger_charge(&ledger, PF_PAYER_APP, PF_ACCOUNT_MEMORY, 10);
    pf_ledger_charge(&ledger, PF_PAYER_POLICY, PF_ACCOUNT_MEMORY, 5);
    pf_ledger_charge(&ledger, PF_PAYER_POLICY, PF_ACCOUNT_HASH, 7);
    CU_ASSERT_EQUAL(ledger.total_cycles, 10 + 5 + 7);
    CU_ASSERT_EQUAL(ledger.payer_cycles[PF_PAYER_APP], 10);
    CU_ASSERT_EQUAL(ledger.payer_cycles[PF_PAYER_POLICY], 5 + 7);
    CU_ASSERT_EQUAL(ledger.account_cycles[PF_ACCOUNT_MEMORY], 10 + 5);
    CU_ASSERT_EQUAL(ledger.account_cycles[PF_ACCOUNT_HASH], 7);
    CU_ASSERT_EQUAL(ledger.by_payer_cycles[PF_PAYER_POLICY][PF_ACCOUNT_MEMORY], 5);
    pf_ledger_check(&ledger);
}

static void test_sums_hold(void)
{
    PfLedger ledger = {.total_cycles = 0};
    PfRng rng = pf_rng_derive(1, "ledger");
    for (unsigned i = 0; i < 10000; i++)
        pf_ledger_charge(&ledger, (PfPayer)pf_rng_below(&rng, PF_PAYER_COUNT),
                         (PfAccount)pf_rng_below(&rng, PF_ACCOUNT_COUNT), pf_rng_below(&rng, 1000));
    pf_ledger_check(&ledger);
}

static void test_registered(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    PfLedger ledger = {.idle_cycles = 3};
    pf_ledger_register(&ledger, stats);
    pf_stats_freeze(stats);
    for (unsigned i = 0; i < PF_ACCOUNT_COUNT; i++)
        pf_ledger_charge(&ledger, i % 2 == 0 ? PF_PAYER_APP : PF_PAYER_POLICY, (PfAccount)i, 1 + i);
    uint64_t sum = 0;
    for (unsigned i = 0; i < PF_ACCOUNT_COUNT; i++) {
        g_autofree char *name =
            g_strconcat("cycles.account.", pf_account_info((PfAccount)i)->name, NULL);
        CU_ASSERT_EQUAL(stat(stats, name), 1 + i);
        sum += 1 + i;
    }
    CU_ASSERT_EQUAL(stat(stats, "cycles.total"), sum);
    CU_ASSERT_EQUAL(stat(stats, "cycles.app") + stat(stats, "cycles.policy"), sum);
    CU_ASSERT_EQUAL(stat(stats, "time.idle_cycles"), 3);
}

static const PfCheck checks[] = {
    {"each account has a name of its own and a sentence", test_accounts_have_names},
    {"a charge reaches account, payer, matrix and total", test_charge},
    {"after any charges the accounts add up to the total", test_sums_hold},
    {"the registry tells what was charged; idle time stays out of the total", test_registered},
};

PF_CHECK_MAIN("ledger", checks)
