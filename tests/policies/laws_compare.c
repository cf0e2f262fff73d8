#include "laws_compare.h"

#include <math.h>

#include "check.h"
#include "laws_classes.h"
#include "laws_levels.h"
#include "laws_variants.h"

static void expect(LawsPlace *place, const char *name, int64_t found, int64_t wanted)
{
    if (found == wanted)
        return;
    if (place->wrong++ < 5)
        printf("# seed %u, %s, mark %zu: %s is %" G_GINT64_FORMAT ", the naive model says "
               "%" G_GINT64_FORMAT "\n",
               place->seed, pf_run_label(place->run), place->mark, name, found, wanted);
}

static void compare_levels(LawsPlace *place, const PfPolicyOps *ops, const LawsLevels *levels,
                           const LawsMark *mark)
{
    expect(place, "populated", levels->populated, (int64_t)mark->populated_pages);
    expect(place, "baseline", levels->baseline, (int64_t)mark->baseline_frames);
    expect(place, "saved", levels->saved, levels->baseline - levels->used);
    /* What is only pinned is nobody's, nor is what a collector has not freed yet. */
    double apart = levels->context_saved_pages - (double)(levels->saved + levels->unfreed);
    bool is_bound = (ops->flags & PF_POLICY_BOUND) != 0;
    expect(place, "reasons", levels->reasons, is_bound ? 0 : levels->populated);
    expect(place, "reasons that are null", levels->nulls, is_bound ? 10 : 0);
    expect(place, "context.*.shared_pages", levels->context_shared_pages, levels->shared);
    if (!is_bound && fabs(apart) > (double)mark->pins + 1e-6)
        expect(place, "context.*.saved_pages", (int64_t)levels->context_saved_pages,
               levels->saved);
    if (g_str_equal(ops->name, "none")) {
        expect(place, "used", levels->used, (int64_t)mark->baseline_frames);
        expect(place, "saved", levels->saved, 0);
        expect(place, "saved_page_cycles", levels->saved_page_cycles, 0);
    }
    if (g_str_equal(ops->name, "none") || g_str_equal(ops->name, "oracle")) {
        const char *scope = pf_run_scope(place->run);
        uint64_t eligible = g_str_equal(scope, "all")    ? mark->populated_pages
                            : g_str_equal(scope, "anon") ? mark->anon_pages
                                                         : mark->mergeable_pages;
        expect(place, "eligible", levels->eligible, (int64_t)eligible);
    }
    if (g_str_equal(ops->name, "oracle"))
        expect(place, "distinct", levels->used, (int64_t)mark->distinct_contents);
    if ((ops->flags & (PF_POLICY_LOSSY | PF_POLICY_COMPRESSING)) == 0 &&
        levels->used < (int64_t)mark->distinct_contents)
        expect(place, "used (at least)", levels->used, (int64_t)mark->distinct_contents);
}

int64_t laws_figure(const PfRun *run, const char *name)
{
    PfStatValue value;
    bool found = pf_stats_find(pf_run_stats(run), name, &value);
    CU_ASSERT_TRUE(found);
    return value.i;
}

/* Adds up cycles.account.* */
static void add_account(const PfStatInfo *info, PfStatValue value, void *user)
{
    if (g_str_has_prefix(info->name, "cycles.account."))
        *(int64_t *)user += value.i;
}

static void compare_counts(LawsPlace *place, const PfPolicyOps *ops, const LawsLevels *levels)
{
    int64_t accounts = 0;
    pf_stats_visit(pf_run_stats(place->run), add_account, &accounts);
    int64_t total = laws_figure(place->run, "cycles.total");
    int64_t policy = laws_figure(place->run, "cycles.policy");
    expect(place, "context.*.cycles", levels->context_cycles,
           laws_figure(place->run, "cycles.app"));
    expect(place, "context.*.policy_cycles", levels->context_policy_cycles,
           policy - laws_figure(place->run, "cycles.policy_unattributed"));
    expect(place, "cycles.total, by account", total, accounts);
    expect(place, "cycles.total, by payer", total, laws_figure(place->run, "cycles.app") + policy);
    if (g_str_equal(ops->name, "none"))
        expect(place, "cycles.policy", policy, 0);
    expect(place, "policy.shared, by what came of it", laws_figure(place->run, "policy.shared"),
           laws_figure(place->run, "sharing.broken") + laws_figure(place->run, "sharing.ended") +
               laws_figure(place->run, "sharing.alive"));
}

void laws_compare_run(LawsPlace *place, const PfRegistry *registry, const LawsTrace *trace)
{
    const PfPolicyOps *ops = pf_registry_find_policy(registry, pf_run_policy(place->run));
    CU_ASSERT_EQUAL(pf_run_mark_count(place->run) + 1, trace->marks->len);
    for (size_t i = 0; i < pf_run_mark_count(place->run); i++) {
        LawsLevels levels = {0};
        place->mark = i + 1;
        pf_run_mark_visit(place->run, i, laws_read_level, &levels);
        compare_levels(place, ops, &levels, &g_array_index(trace->marks, LawsMark, i));
    }
    LawsLevels levels = {0};
    place->mark = trace->marks->len;
    pf_stats_visit(pf_run_stats(place->run), laws_read_level, &levels);
    pf_run_contexts_visit(place->run, laws_read_level, &levels);
    compare_levels(place, ops, &levels,
                   &g_array_index(trace->marks, LawsMark, trace->marks->len - 1));
    compare_counts(place, ops, &levels);
    CU_ASSERT_TRUE(laws_sums_hold(place->run));
    CU_ASSERT_TRUE(!trace->keeps_labels_apart || laws_classes_hold(place->run));
    CU_ASSERT_EQUAL(place->wrong, 0);
}
