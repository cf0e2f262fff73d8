#include "laws_same.h"

static void add_text(const PfStatInfo *info, PfStatValue value, void *user)
{
    GString *text = user;
    if (value.kind == PF_STAT_DOUBLE)
        g_string_append_printf(text, "%s %a\n", info->name, value.d);
    else
        g_string_append_printf(text, "%s %" G_GUINT64_FORMAT "\n", info->name,
                               value.kind == PF_STAT_NULL ? UINT64_MAX : value.u);
}

char *pf_laws_run_text(const PfSimulation *simulation, const PfRun *run)
{
    GString *text = g_string_new(NULL);
    pf_stats_visit(pf_run_stats(run), add_text, text);
    pf_run_contexts_visit(run, add_text, text);
    for (size_t i = 0; i < pf_run_mark_count(run); i++) {
        g_string_append_printf(text, "mark %s %" G_GUINT64_FORMAT "\n", pf_run_mark_label(run, i),
                               pf_run_mark_cycle(run, i));
        pf_run_mark_visit(run, i, add_text, text);
    }
    const char *const *names;
    size_t columns = pf_simulation_epoch_columns(simulation, &names);
    for (size_t i = 0; i < pf_run_epoch_count(run); i++) {
        const PfStatValue *values;
        g_string_append_printf(text, "epoch %" G_GUINT64_FORMAT, pf_run_epoch(run, i, &values));
        for (size_t j = 0; j < columns; j++)
            g_string_append_printf(text, " %" G_GUINT64_FORMAT, values[j].u);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

/* Adds up what sharing has done so far, in the order in which the statistics come. */
static void add_sharing(const PfStatInfo *info, PfStatValue value, void *user)
{
    static const char *const names[] = {"policy.scanned",     "policy.shared",      "policy.broken",
                                        "memory.used_frames", "memory.saved_pages", NULL};
    if (g_strv_contains(names, info->name))
        g_string_append_printf(user, "%s %" G_GINT64_FORMAT "\n", info->name, value.i);
}

char *pf_laws_sharings_text(const PfRun *run)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < pf_run_mark_count(run); i++)
        pf_run_mark_visit(run, i, add_sharing, text);
    pf_stats_visit(pf_run_stats(run), add_sharing, text);
    return g_string_free(text, FALSE);
}

bool pf_laws_is_same(const char *label, const char *a, const char *other, const char *b,
                     GString *problems)
{
    if (g_str_equal(a, b))
        return true;
    g_auto(GStrv) left = g_strsplit(a, "\n", -1);
    g_auto(GStrv) right = g_strsplit(b, "\n", -1);
    unsigned i = 0;
    while (left[i] != NULL && right[i] != NULL && g_str_equal(left[i], right[i]))
        i++;
    g_string_append_printf(problems, "'%s' %s, and '%s' %s\n", left[i] != NULL ? left[i] : "",
                           label, right[i] != NULL ? right[i] : "", other);
    return false;
}

static const PfRun *find_run(const PfSimulation *simulation, const char *label)
{
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        if (g_str_equal(pf_run_label(run), label))
            return run;
    }
    return NULL;
}

bool pf_laws_plays_are_same(const PfLawsPlay *play, const PfLawsPlay *other, const char *policies,
                            const char *how_other, GString *problems)
{
    bool holds = true;
    for (size_t i = 0; i < pf_simulation_run_count(other->simulation); i++) {
        const PfRun *run = pf_simulation_run_at(other->simulation, i);
        const char *label = pf_run_label(run);
        const PfRun *same = find_run(play->simulation, label);
        g_assert(same != NULL);
        g_autofree char *found = pf_laws_run_text(other->simulation, run);
        g_autofree char *wanted = pf_laws_run_text(play->simulation, same);
        g_autofree char *settings = pf_laws_settings(policies, label);
        bool is_plain = settings[0] == '\0';
        g_autofree char *name = g_strdup_printf("of %s%s%s%s", label, is_plain ? "" : " (",
                                                settings, is_plain ? "" : ")");
        holds &= pf_laws_is_same(name, wanted, how_other, found, problems);
    }
    return holds;
}
