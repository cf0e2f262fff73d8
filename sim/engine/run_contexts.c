/* The bill of each context: its own cycles, those that the policy spent on its pages, and what was
 * saved. */
#include "run.h"

#include <string.h>

/* With more contexts than this they are told only if that is asked for. */
enum { CONTEXTS_AUTO = 64 };

bool run_tells_contexts(const PfRun *run)
{
    switch ((PfContextsTold)run->config->contexts) {
    case PF_CONTEXTS_AUTO:
        return pf_image_context_count(run->image) <= CONTEXTS_AUTO;
    case PF_CONTEXTS_ALL:
        return true;
    case PF_CONTEXTS_NONE:
        return false;
    }
    return false;
}

void run_settle_bill(PfRun *run)
{
    uint64_t paid = run->ledger.payer_cycles[PF_PAYER_APP];
    uint64_t direct = paid - run->work.billed_cycles;
    if (direct > 0)
        run->work.context_cycles[run->billed_context] += direct;
    run->work.billed_cycles = paid;
}

void run_bill_stall(PfRun *run, unsigned core, uint64_t cycles)
{
    run->work.billed_cycles += cycles;
    if (cycles > 0)
        run->work.context_cycles[run->core_context[core]] += cycles;
}

/* What is known of one context, in the order of `rows`. */
typedef struct {
    uint64_t cycles;
    uint64_t policy_cycles;
    const PfContextCensus *census; /* NULL: none was taken */
    const PfNearCounts *near;      /* NULL: there is one node */
} Bill;

/* What the context read locally or from other nodes (NEAR): how much; or how long one took. */
static PfStatValue near_value(const PfNearCounts *counts, PfNear near, bool is_time)
{
    if (counts == NULL || (is_time && counts->reads[near] == 0))
        return pf_stat_null();
    return is_time ? pf_stat_double((double)counts->cycles[near] / (double)counts->reads[near])
                   : pf_stat_uint(counts->reads[near]);
}

static PfStatValue bill_value(const Bill *bill, unsigned row)
{
    switch (row) {
    case 0:
        return pf_stat_uint(bill->cycles);
    case 1:
        return pf_stat_uint(bill->policy_cycles);
    case 2:
        return bill->census != NULL
                   ? pf_stat_double((double)bill->census->saved_billionths / 1e9)
                   : pf_stat_null();
    case 3:
        return bill->census != NULL ? pf_stat_uint(bill->census->shared) : pf_stat_null();
    default:
        return near_value(bill->near, row % 2 == 0 ? PF_NEAR_LOCAL : PF_NEAR_REMOTE, row >= 6);
    }
}

static const PfStatInfo rows[] = {
    {"cycles", "cycles", "Cycles that the context paid."},
    {"policy_cycles", "cycles", "Cycles that the policy spent while it looked at its pages."},
    {"saved_pages", "pages", "Its pages' shares of the baseline frames less those of the used."},
    {"shared_pages", "pages", "Its populated pages that share a frame by the policy's doing."},
    {"numa_local", "events",
     "Lines that it and its walks read from DRAM of its core's node; null with one node."},
    {"numa_remote", "events", "Likewise from other nodes."},
    {"numa_local_cycles", "cycles", "What such a local line took on average, behind the caches."},
    {"numa_remote_cycles", "cycles", "Likewise from other nodes."},
};

static uint64_t since(const GArray *origins, uint32_t context, uint64_t value)
{
    return context < origins->len ? value - g_array_index(origins, uint64_t, context) : value;
}

/* Takes NAME. */
static void keep(PfMarkRow *row, char *name, PfStatInfo info, PfStatValue value)
{
    g_ptr_array_add(row->names, name);
    info.name = name;
    g_array_append_val(row->infos, info);
    g_array_append_val(row->values, value);
}

static char *own_name(const PfRun *run, const char *owner, const PfContextStat *stat)
{
    return g_strconcat(run->setup->ops->name, ".context.", owner, ".", stat->name, NULL);
}

/* What the policy itself knows of each of the first COUNT contexts that is alive. */
static void keep_own(const PfRun *run, uint32_t count, PfMarkRow *row)
{
    const PfPolicyOps *ops = run->setup->ops;
    for (uint32_t context = 0; context < count && ops->context_stat_count > 0; context++) {
        const PfImageContext *owner = pf_image_context(run->image, context);
        for (size_t i = 0; i < ops->context_stat_count && owner->alive; i++) {
            const PfContextStat *stat = &ops->context_stats[i];
            keep(row, own_name(run, owner->name, stat),
                 (PfStatInfo){NULL, stat->unit, stat->description},
                 stat->read(run->host->self, context));
        }
    }
}

void run_keep_contexts(const PfRun *run, PfMarkRow *mark)
{
    /* A run that ended early does not know the contexts that came later. */
    uint32_t known = MIN(pf_image_context_count(run->image), run->places->len);
    uint32_t count = run_tells_contexts(run) ? known : 0;
    for (uint32_t context = 0; context < count; context++) {
        const char *owner = pf_image_context(run->image, context)->name;
        PfNearCounts near = pf_interconnect_counts(run->machine->interconnect, context);
        Bill bill = {
            .cycles = since(run->app_origins, context, run->work.context_cycles[context]),
            .policy_cycles = since(run->policy_origins, context,
                                   pf_host_context_cycles(run->host, context)),
            .census = pf_host_context_census(run->host, context),
            .near = run->machine->homes.nodes->count > 1 ? &near : NULL,
        };
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
            keep(mark, g_strconcat("context.", owner, ".", rows[i].name, NULL), rows[i],
                 bill_value(&bill, i));
    }
    keep_own(run, count, mark);
}

void run_list_contexts(const PfRun *run, PfStatVisitor visit, void *user)
{
    const PfPolicyOps *ops = run->setup->ops;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strconcat("context.NAME.", rows[i].name, NULL);
        PfStatInfo info = {name, rows[i].unit, rows[i].description};
        visit(&info, pf_stat_null(), user);
    }
    for (size_t i = 0; i < ops->context_stat_count; i++) {
        const PfContextStat *stat = &ops->context_stats[i];
        g_autofree char *name = own_name(run, "NAME", stat);
        PfStatInfo info = {name, stat->unit, stat->description};
        visit(&info, pf_stat_null(), user);
    }
}

void run_restart_bills(PfRun *run)
{
    uint32_t count = run->places->len;
    run_settle_bill(run);
    pf_interconnect_restart(run->machine->interconnect);
    g_array_set_size(run->app_origins, count);
    g_array_set_size(run->policy_origins, count);
    for (uint32_t context = 0; context < count; context++) {
        g_array_index(run->app_origins, uint64_t, context) = run->work.context_cycles[context];
        g_array_index(run->policy_origins, uint64_t, context) =
            pf_host_context_cycles(run->host, context);
    }
}

PfMarkRow *run_mark_new(const char *label, uint64_t cycle)
{
    PfMarkRow *row = g_new0(PfMarkRow, 1);
    row->label = g_strdup(label);
    row->cycle = cycle;
    row->infos = g_array_new(FALSE, FALSE, sizeof(PfStatInfo));
    row->values = g_array_new(FALSE, FALSE, sizeof(PfStatValue));
    row->names = g_ptr_array_new_with_free_func(g_free);
    return row;
}

void run_mark_free(gpointer data)
{
    PfMarkRow *mark = data;
    if (mark == NULL)
        return;
    g_free(mark->label);
    g_array_unref(mark->infos);
    g_array_unref(mark->values);
    g_ptr_array_unref(mark->names);
    g_free(mark);
}

static void keep_copy(const PfStatInfo *info, PfStatValue value, void *user)
{
    keep(user, g_strdup(info->name), *info, value);
}

void run_hold(PfRun *run)
{
    run_mark_free(run->at_end);
    run->at_end = run_mark_new("", run->now_cycles);
    run_keep_contexts(run, run->at_end);
    run_visit_spans(run, keep_copy, run->at_end);
    pf_dram_advance(run->machine->dram, run->now_cycles);
    pf_stats_hold(run->stats);
}
