#include "sensitivity.h"

#include <math.h>
#include <string.h>

const double pf_sensitivity_margin = 0.01;

static void free_row(gpointer data)
{
    PfSensitivityRow *row = data;
    g_free(row->cheaper);
    g_ptr_array_unref(row->changes);
    g_free(row);
}

static void free_group(gpointer data)
{
    PfSensitivity *group = data;
    g_ptr_array_unref(group->names);
    g_ptr_array_unref(group->rows);
    g_free(group);
}

/* The unit of GROUP that is called NAME and has COSTS, or NULL. */
static const PfFrontierUnit *find_unit(const GPtrArray *units, const PfSensitivity *group,
                                       const char *name, const char *costs)
{
    for (guint i = 0; i < units->len; i++) {
        const PfFrontierUnit *unit = units->pdata[i];
        if (strcmp(unit->trace, group->trace) == 0 && strcmp(unit->policy, group->policy) == 0 &&
            strcmp(unit->name, name) == 0 && strcmp(unit->costs, costs) == 0)
            return unit;
    }
    return NULL;
}

static double price_of(const PfFrontierUnit *unit)
{
    return unit != NULL ? pf_frontier_last(unit)->mean.values[PF_FRONTIER_PRICE] : NAN;
}

/* '<' where A pays less than B, '=' as much, '>' more, '?' where one has saved nothing. */
static char order_of(const PfFrontierUnit *a, const PfFrontierUnit *b)
{
    double least = pf_sensitivity_margin * fmax(price_of(a), price_of(b));
    if (isnan(price_of(a)) || isnan(price_of(b)))
        return '?';
    double half;
    double more = pf_frontier_difference(pf_frontier_last(a), pf_frontier_last(b),
                                         PF_FRONTIER_PRICE, &half);
    if (fabs(more) <= fmax(half, least))
        return '=';
    return more < 0.0 ? '<' : '>';
}

static void find_changes(const GPtrArray *units, const PfSensitivity *group, PfSensitivityRow *row)
{
    const PfSensitivityRow *first = group->rows->pdata[0];
    for (guint i = 0; i < group->names->len; i++) {
        const char *a = group->names->pdata[i];
        for (guint j = i + 1; j < group->names->len; j++) {
            const char *b = group->names->pdata[j];
            char now = order_of(find_unit(units, group, a, row->costs),
                                find_unit(units, group, b, row->costs));
            char was = order_of(find_unit(units, group, a, first->costs),
                                find_unit(units, group, b, first->costs));
            if (now != was && now != '?' && was != '?')
                g_ptr_array_add(row->changes,
                                g_strdup_printf("%s %c %s, was %c", a, now, b, was));
        }
    }
}

static void add_row(const GPtrArray *units, PfSensitivity *group, const char *costs)
{
    PfSensitivityRow *row = g_new0(PfSensitivityRow, 1);
    row->costs = costs;
    row->cheaper = g_new(double, group->names->len);
    row->changes = g_ptr_array_new_with_free_func(g_free);
    double own = price_of(find_unit(units, group, group->names->pdata[0], costs));
    for (guint i = 0; i < group->names->len; i++)
        row->cheaper[i] =
            1.0 - price_of(find_unit(units, group, group->names->pdata[i], costs)) / own;
    g_ptr_array_add(group->rows, row);
    find_changes(units, group, row);
}

/* TEXT is in LIST then, once. */
static void add_once(GPtrArray *list, char *text)
{
    if (!g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
        g_ptr_array_add(list, text);
}

/* Whether a unit can be set beside the first: there is one, and both have saved something, which a
 * policy with a long period does not in a short trace. */
static bool compares(const PfSensitivity *group)
{
    const PfSensitivityRow *first = group->rows->len > 0 ? group->rows->pdata[0] : NULL;
    for (guint i = 1; first != NULL && i < group->names->len; i++)
        if (isfinite(first->cheaper[i]))
            return true;
    return false;
}

/* The group of FIRST, its first unit. */
static PfSensitivity *make_group(const GPtrArray *units, const PfFrontierUnit *first)
{
    PfSensitivity *group = g_new0(PfSensitivity, 1);
    group->trace = first->trace;
    group->policy = first->policy;
    group->names = g_ptr_array_new();
    group->rows = g_ptr_array_new_with_free_func(free_row);
    g_autoptr(GPtrArray) costs = g_ptr_array_new();
    for (guint i = 0; i < units->len; i++) {
        PfFrontierUnit *unit = units->pdata[i];
        if (strcmp(unit->trace, first->trace) != 0 || strcmp(unit->policy, first->policy) != 0)
            continue;
        add_once(costs, unit->costs);
        if (!unit->is_bound)
            add_once(group->names, unit->name);
    }
    for (guint i = 0; i < costs->len && group->names->len > 0; i++)
        add_row(units, group, costs->pdata[i]);
    return group;
}

GPtrArray *pf_sensitivity_of(const GPtrArray *units)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func(free_group);
    for (guint i = 0; i < units->len; i++) {
        const PfFrontierUnit *unit = units->pdata[i];
        bool is_known = false;
        for (guint j = 0; j < groups->len && !is_known; j++) {
            const PfSensitivity *group = groups->pdata[j];
            is_known = strcmp(group->trace, unit->trace) == 0 &&
                       strcmp(group->policy, unit->policy) == 0;
        }
        if (!is_known)
            g_ptr_array_add(groups, make_group(units, unit));
    }
    for (guint i = groups->len; i-- > 0;)
        if (((const PfSensitivity *)groups->pdata[i])->rows->len < 2 ||
            !compares(groups->pdata[i]))
            g_ptr_array_remove_index(groups, i);
    return groups;
}
