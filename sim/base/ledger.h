/* Cost accounts that add up by construction.
 *
 * Every simulated cycle that something is busy is charged through pf_ledger_charge, which adds it
 * to the account, to the payer and to the total in one place; there is no other way to spend a
 * cycle. Idle time is no cost and is kept apart. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "stats.h"

/* What a cycle was spent on. pf_account_info has name and sentence of each. */
typedef enum {
    PF_ACCOUNT_COMPUTE,
    PF_ACCOUNT_MEMORY,
    PF_ACCOUNT_WALK,
    PF_ACCOUNT_FAULT,
    PF_ACCOUNT_BREAK,
    PF_ACCOUNT_SHOOTDOWN,
    PF_ACCOUNT_SYSTEM,
    PF_ACCOUNT_SWAP,
    PF_ACCOUNT_SCAN,
    PF_ACCOUNT_HASH,
    PF_ACCOUNT_LOOKUP,
    PF_ACCOUNT_COMPARE,
    PF_ACCOUNT_MERGE,
    PF_ACCOUNT_LOCK,
    PF_ACCOUNT_COUNT
} PfAccount;

/* Who pays: the contexts (whose programs are held up by it) or the policy. */
typedef enum {
    PF_PAYER_APP,
    PF_PAYER_POLICY,
    PF_PAYER_COUNT
} PfPayer;

typedef struct {
    const char *name;
    const char *description;
} PfAccountInfo;

/* Name and sentence of ACCOUNT. */
const PfAccountInfo *pf_account_info(PfAccount account);

/* A step through tables in use: a few lines of memory here and there. */
typedef struct {
    uint8_t own_lines;    /* about one page alone, so met again when that page is */
    uint8_t common_lines; /* met at most steps */
    uint8_t locks;        /* taken and let go; references count as such */
} PfTouch;

typedef struct {
    uint64_t total_cycles;
    uint64_t idle_cycles;
    uint64_t payer_cycles[PF_PAYER_COUNT];
    uint64_t account_cycles[PF_ACCOUNT_COUNT];
    uint64_t by_payer_cycles[PF_PAYER_COUNT][PF_ACCOUNT_COUNT];
} PfLedger;

/* Puts CYCLES down to ACCOUNT, on behalf of PAYER. */
static inline void pf_ledger_charge(PfLedger *ledger, PfPayer payer, PfAccount account,
                                    uint64_t cycles)
{
    ledger->total_cycles += cycles;
    ledger->payer_cycles[payer] += cycles;
    ledger->account_cycles[account] += cycles;
    ledger->by_payer_cycles[payer][account] += cycles;
}

/* Registers cycles.total, cycles.app, cycles.policy, cycles.account.*, time.idle_cycles. */
void pf_ledger_register(const PfLedger *ledger, PfStats *stats);

/* Asserts that accounts, payers and their matrix add up to the total. */
void pf_ledger_check(const PfLedger *ledger);
