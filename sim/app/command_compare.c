#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "saved.h"

/* What was found so far. */
typedef struct {
    const char *base;     /* directory */
    const char *other;    /* directory */
    double limit_percent; /* negative: no check */
    size_t compared;
    size_t different;
    size_t beyond; /* the limit */
} Comparison;

/* How far B is from A in percent of A: 0 where equal, infinite where A is 0 or only one of them is
 * defined. */
static double difference_percent(const PfSavedStat *a, const PfSavedStat *b)
{
    if (strcmp(a->text, b->text) == 0)
        return 0.0;
    if (!a->defined || !b->defined || !(fabs(a->number) > 0.0))
        return (double)INFINITY;
    return 100.0 * (b->number - a->number) / fabs(a->number);
}

static void note_difference(Comparison *comparison, const char *policy, const char *stat,
                            const char *a, const char *b, double percent)
{
    if (comparison->different++ == 0)
        printf("%s against %s\n%-12s %-36s %20s %20s  %s\n", comparison->other, comparison->base,
               "policy", "stat", "base", "other", "change");
    char change[32] = "";
    if (isfinite(percent))
        g_snprintf(change, sizeof change, "%+.4g %%", percent);
    printf("%-12s %-36s %20s %20s  %s\n", policy, stat, a, b, change);
    if (comparison->limit_percent >= 0.0 && !(fabs(percent) <= comparison->limit_percent))
        comparison->beyond++;
}

static void compare_runs(Comparison *comparison, const PfSavedRun *a, const PfSavedRun *b)
{
    for (guint i = 0; i < a->stats->len; i++) {
        const PfSavedStat *first = &g_array_index(a->stats, PfSavedStat, i);
        const PfSavedStat *second = pf_saved_find(b, first->name);
        comparison->compared++;
        if (second == NULL) {
            note_difference(comparison, a->policy, first->name, first->text, "missing",
                            (double)INFINITY);
            continue;
        }
        double percent = difference_percent(first, second);
        if (fabs(percent) > 0.0)
            note_difference(comparison, a->policy, first->name, first->text, second->text, percent);
    }
    for (guint i = 0; i < b->stats->len; i++) {
        const PfSavedStat *second = &g_array_index(b->stats, PfSavedStat, i);
        if (pf_saved_find(a, second->name) != NULL)
            continue;
        comparison->compared++;
        note_difference(comparison, a->policy, second->name, "missing", second->text,
                        (double)INFINITY);
    }
}

static void compare_results(Comparison *comparison, const PfSaved *a, const PfSaved *b)
{
    for (guint i = 0; i < a->runs->len; i++) {
        const PfSavedRun *first = a->runs->pdata[i];
        const PfSavedRun *second = pf_saved_find_run(b, first->policy);
        if (second != NULL)
            compare_runs(comparison, first, second);
        else
            note_difference(comparison, first->policy, "(the whole run)", "present", "missing",
                            (double)INFINITY);
    }
    for (guint i = 0; i < b->runs->len; i++) {
        const PfSavedRun *second = b->runs->pdata[i];
        if (pf_saved_find_run(a, second->policy) == NULL)
            note_difference(comparison, second->policy, "(the whole run)", "missing", "present",
                            (double)INFINITY);
    }
}

static bool parse_limit(const char *text, double *ret_percent, GError **error)
{
    char *end = NULL;
    *ret_percent = -1.0;
    if (text == NULL)
        return true;
    double value = g_ascii_strtod(text, &end);
    if (end != text && (*end == '\0' || strcmp(end, "%") == 0) && value >= 0.0 && isfinite(value)) {
        *ret_percent = value;
        return true;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--check %s: must be a percentage, 0 or more",
                text);
    return false;
}

/* Each directory is compared with the first. */
static bool compare_all(char **directories, double limit_percent, size_t *ret_beyond,
                        GError **error)
{
    g_autoptr(PfSaved) base = pf_saved_load(directories[0], error);
    if (base == NULL)
        return false;
    for (char **directory = directories + 1; *directory != NULL; directory++) {
        g_autoptr(PfSaved) other = pf_saved_load(*directory, error);
        if (other == NULL)
            return false;
        Comparison comparison = {
            .base = directories[0],
            .other = *directory,
            .limit_percent = limit_percent,
        };
        compare_results(&comparison, base, other);
        printf("%s%zu of %zu statistics differ between %s and %s\n",
               comparison.different > 0 ? "\n" : "", comparison.different, comparison.compared,
               directories[0], *directory);
        *ret_beyond += comparison.beyond;
    }
    return true;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_autofree char *check = NULL;
    const GOptionEntry entries[] = {
        {"check", 0, 0, G_OPTION_ARG_FILENAME, &check,
         "exit status 1 if any statistic differs by more", "PERCENT"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    double limit_percent = -1.0;
    size_t beyond = 0;
    if (!parse_limit(check, &limit_percent, error) ||
        !compare_all(arguments, limit_percent, &beyond, error))
        return 2;
    if (beyond == 0)
        return 0;
    g_set_error(error, PF_ERROR, PF_ERROR_DIFFERENCE, "%zu differences are beyond %s %%", beyond,
                check);
    return 1;
}

const PfCommand pf_command_compare = {
    .name = "compare",
    .arguments = "DIR DIR...",
    .summary = "Tell which statistics of results differ, and by how much",
    .examples =
        "  pagefold compare before after                     against the first directory\n"
        "  pagefold compare before after --check 1           exit status 1 if more than 1 %\n",
    .arguments_min = 2,
    .arguments_max = 0,
    .run = run,
};
