/* Which context's pages the policy spends its cycles on: those from where it turns to a page of one
 * context to where it turns to another are the first one's. */
#include "host.h"

#define NO_CONTEXT UINT32_MAX

struct PfHostBill {
    const PfLedger *ledger;
    uint32_t context; /* whose page is looked at; NO_CONTEXT: nobody's */
    uint64_t settled_cycles; /* of the policy's, those that are put down */
    uint64_t unattributed_cycles;
    GArray *cycles; /* uint64_t by context */
};

PfHostBill *pf_host_bill_new(const PfLedger *ledger, PfStats *stats)
{
    PfHostBill *bill = g_new0(PfHostBill, 1);
    bill->ledger = ledger;
    bill->context = NO_CONTEXT;
    bill->cycles = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    pf_stats_counter(pf_stats_group(stats, "cycles"), "policy_unattributed", "cycles",
                     "Of the policy's cycles, those spent on no context's pages.",
                     &bill->unattributed_cycles);
    return bill;
}

void pf_host_bill_free(PfHostBill *bill)
{
    if (bill == NULL)
        return;
    g_array_unref(bill->cycles);
    g_free(bill);
}

void pf_host_bill_settle(PfHostBill *bill)
{
    uint64_t spent = bill->ledger->payer_cycles[PF_PAYER_POLICY];
    uint64_t cycles = spent - bill->settled_cycles;
    bill->settled_cycles = spent;
    if (cycles == 0)
        return;
    if (bill->context == NO_CONTEXT) {
        bill->unattributed_cycles += cycles;
        return;
    }
    if (bill->context >= bill->cycles->len)
        g_array_set_size(bill->cycles, bill->context + 1);
    g_array_index(bill->cycles, uint64_t, bill->context) += cycles;
}

void pf_host_attend(const PfHost *host, uint32_t context)
{
    if (host->bill->context == context)
        return;
    pf_host_bill_settle(host->bill);
    host->bill->context = context;
}

void pf_host_attend_nobody(const PfHost *host)
{
    pf_host_attend(host, NO_CONTEXT);
}

uint64_t pf_host_context_cycles(const PfHost *host, uint32_t context)
{
    pf_host_bill_settle(host->bill);
    const GArray *cycles = host->bill->cycles;
    return context < cycles->len ? g_array_index(cycles, uint64_t, context) : 0;
}
