#include "laws_compare.h"

#include <math.h>

#include "laws_levels.h"
#include "run.h"

/* Lines about one run: more of them say no more. */
enum { PROBLEMS_MAX = 5 };

/* Adds "LABEL (SETTINGS), " and where in the trace. */
static void begin_line(PfLawsPlace *place)
{
    bool is_plain = place->settings[0] == '\0';
    g_string_append_printf(place->problems, "%s%s%s%s, mark %zu of %u: ", pf_run_label(place->run),
                           is_plain ? "" : " (", place->settings, is_plain ? "" : ")", place->mark,
                           place->trace->marks->len);
}

static void expect(PfLawsPlace *place, const char *name, int64_t found, int64_t wanted)
{
    if (found == wanted || place->wrong++ >= PROBLEMS_MAX)
        return;
    begin_line(place);
    g_string_append_printf(place->problems,
                           "%s is %" G_GINT64_FORMAT ", and should be %" G_GINT64_FORMAT "\n", name,
                           found, wanted);
}

/* What holds whatever the trace is. */
static void add_up(PfLawsPlace *place, const PfPolicyOps *ops, const PfLawsLevels *levels)
{
    bool is_bound = (ops->flags & PF_POLICY_BOUND) != 0;
    expect(place, "saved", levels->saved, levels->baseline - levels->used);
    expect(place, "reasons", levels->reasons, is_bound ? 0 : levels->populated);
    expect(place, "reasons that are null", levels->nulls, is_bound ? 10 : 0);
    if (!g_str_equal(ops->name, "none"))
        return;
    expect(place, "saved", levels->saved, 0);
    expect(place, "saved_page_cycles", levels->saved_page_cycles, 0);
}

static void compare_levels(PfLawsPlace *place, const PfPolicyOps *ops, const PfLawsLevels *levels,
                           const PfLawsMark *mark)
{
    expect(place, "populated", levels->populated, (int64_t)mark->populated_pages);
    expect(place, "baseline", levels->baseline, (int64_t)mark->baseline_frames);
    add_up(place, ops, levels);
    /* What is only pinned is nobody's, nor is what a collector has not freed yet. */
    double apart = levels->context_saved_pages - (double)(levels->saved + levels->unfreed);
    bool is_bound = (ops->flags & PF_POLICY_BOUND) != 0;
    expect(place, "context.*.shared_pages", levels->context_shared_pages, levels->shared);
    if (!is_bound && fabs(apart) > (double)mark->pins + 1e-6)
        expect(place, "context.*.saved_pages", (int64_t)levels->context_saved_pages, levels->saved);
    if (g_str_equal(ops->name, "none"))
        expect(place, "used", levels->used, (int64_t)mark->baseline_frames);
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

int64_t pf_laws_figure(const PfRun *run, const char *name)
{
    PfStatValue value;
    bool found = pf_stats_find(pf_run_stats(run), name, &value);
    g_assert(found);
    return value.i;
}

/* Adds up cycles.account.* */
static void add_account(const PfStatInfo *info, PfStatValue value, void *user)
{
    if (g_str_has_prefix(info->name, "cycles.account."))
        *(int64_t *)user += value.i;
}

bool pf_laws_cycles_hold(PfLawsPlace *place)
{
    const PfRun *run = place->run;
    PfLawsLevels levels = {0};
    int64_t accounts = 0;
    int64_t total = pf_laws_figure(run, "cycles.total");
    int64_t policy = pf_laws_figure(run, "cycles.policy");
    place->mark = place->trace->marks->len;
    pf_run_contexts_visit(run, pf_laws_read_level, &levels);
    pf_stats_visit(pf_run_stats(run), add_account, &accounts);
    expect(place, "context.*.cycles", levels.context_cycles, pf_laws_figure(run, "cycles.app"));
    expect(place, "context.*.policy_cycles", levels.context_policy_cycles,
           policy - pf_laws_figure(run, "cycles.policy_unattributed"));
    expect(place, "cycles.total, by account", total, accounts);
    expect(place, "cycles.total, by payer", total, pf_laws_figure(run, "cycles.app") + policy);
    bool is_plain = place->settings[0] == '\0'; /* else it may have filters, which cost */
    if (g_str_equal(pf_run_policy(run), "none") && is_plain)
        expect(place, "cycles.policy", policy, 0);
    expect(place, "policy.shared, by what came of it", pf_laws_figure(run, "policy.shared"),
           pf_laws_figure(run, "sharing.broken") + pf_laws_figure(run, "sharing.ended") +
               pf_laws_figure(run, "sharing.alive"));
    if ((run->setup->ops->flags & PF_POLICY_BOUND) != 0)
        expect(place, "policy.shared, of a bound", pf_laws_figure(run, "policy.shared"), 0);
    return place->wrong == 0;
}

bool pf_laws_passes_hold(PfLawsPlace *place)
{
    const PfPolicySetup *setup = place->run->setup;
    int64_t wanted = (int64_t)place->trace->passes;
    int64_t passes = pf_laws_figure(place->run, "policy.passes");
    place->mark = place->trace->marks->len;
    if (setup->ops->scan == NULL || setup->common.pacing != PF_PACING_TRACE || passes >= wanted)
        return true;
    begin_line(place);
    g_string_append_printf(place->problems,
                           "the trace asks for %" G_GINT64_FORMAT " passes, and %" G_GINT64_FORMAT
                           " are counted (pf_host_count_pass)\n",
                           wanted, passes);
    return false;
}

bool pf_laws_counts_hold(PfLawsPlace *place)
{
    const PfRun *run = place->run;
    const PfPolicyOps *ops = pf_registry_find_policy(place->registry, pf_run_policy(run));
    const GArray *marks = place->trace->marks;
    place->mark = marks->len;
    expect(place, "marks, with the end", (int64_t)pf_run_mark_count(run) + 1, marks->len);
    for (size_t i = 0; i < pf_run_mark_count(run) && i < marks->len; i++) {
        PfLawsLevels levels = {0};
        place->mark = i + 1;
        pf_run_mark_visit(run, i, pf_laws_read_level, &levels);
        compare_levels(place, ops, &levels, &g_array_index(marks, PfLawsMark, i));
    }
    PfLawsLevels levels = {0};
    place->mark = marks->len;
    pf_stats_visit(pf_run_stats(run), pf_laws_read_level, &levels);
    pf_run_contexts_visit(run, pf_laws_read_level, &levels);
    compare_levels(place, ops, &levels, &g_array_index(marks, PfLawsMark, marks->len - 1));
    return place->wrong == 0;
}

bool pf_laws_sums_hold(PfLawsPlace *place)
{
    for (size_t i = 0; i < pf_run_mark_count(place->run); i++) {
        PfLawsLevels levels = {0};
        place->mark = i + 1;
        pf_run_mark_visit(place->run, i, pf_laws_read_level, &levels);
        add_up(place, place->run->setup->ops, &levels);
    }
    return place->wrong == 0;
}
