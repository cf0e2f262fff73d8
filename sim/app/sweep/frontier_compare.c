/* Units beside each other. */
#include <math.h>
#include <string.h>

#include "frontier.h"
#include "sweep_collect.h"

double pf_frontier_difference(const PfFrontierPoint *a, const PfFrontierPoint *b,
                              PfFrontierMeasure measure, double *ret_half)
{
    double difference = a->mean.values[measure] - b->mean.values[measure];
    guint count = MIN(a->repeats->len, b->repeats->len);
    /* Where repeats failed, what is left of them tells nothing apart. */
    *ret_half = MAX(a->repeats->len, b->repeats->len) < 2 ? 0.0 : (double)INFINITY;
    if (count < 2)
        return difference;
    double mean = 0.0;
    double squares = 0.0;
    for (guint i = 0; i < count; i++) {
        double one = g_array_index(a->repeats, PfFrontierRun, i).values[measure] -
                     g_array_index(b->repeats, PfFrontierRun, i).values[measure];
        double before = one - mean;
        mean += before / (i + 1);
        squares += before * (one - mean);
    }
    *ret_half = pf_sweep_student_t(count - 1) * sqrt(squares / (count - 1) / count);
    return difference;
}

static int compare_points(const void *a, const void *b)
{
    double first = ((const PfFrontierPoint *)a)->share;
    double second = ((const PfFrontierPoint *)b)->share;
    return (first > second) - (first < second);
}

static const PfFrontierPoint *point_at(const PfFrontierUnit *unit, const char *rates)
{
    for (guint i = 0; i < unit->points->len; i++) {
        const PfFrontierPoint *point = &g_array_index(unit->points, PfFrontierPoint, i);
        if (strcmp(point->rates, rates) == 0)
            return point;
    }
    return NULL;
}

/* Whether A is less than B in MEASURE, as far as repeats tell them apart. */
static bool is_less(const PfFrontierPoint *a, const PfFrontierPoint *b, PfFrontierMeasure measure)
{
    double half;
    double more = pf_frontier_difference(a, b, measure, &half);
    return more < -half;
}

/* Whether OTHER saves as much as UNIT at no more cycles and joules at every rate, as far as repeats
 * tell them apart, and is better in one of these somewhere. */
static bool beats(const PfFrontierUnit *other, const PfFrontierUnit *unit)
{
    bool is_better = false;
    for (guint i = 0; i < unit->points->len; i++) {
        const PfFrontierPoint *own = &g_array_index(unit->points, PfFrontierPoint, i);
        const PfFrontierPoint *its = point_at(other, own->rates);
        if (its == NULL || is_less(its, own, PF_FRONTIER_SAVED) ||
            is_less(own, its, PF_FRONTIER_CYCLES) || is_less(own, its, PF_FRONTIER_JOULES))
            return false;
        is_better |= is_less(own, its, PF_FRONTIER_SAVED) ||
                     is_less(its, own, PF_FRONTIER_CYCLES) ||
                     is_less(its, own, PF_FRONTIER_JOULES);
    }
    return is_better;
}

bool pf_frontier_comparable(const PfFrontierUnit *a, const PfFrontierUnit *b)
{
    return strcmp(a->trace, b->trace) == 0 && strcmp(a->policy, b->policy) == 0 &&
           strcmp(a->costs, b->costs) == 0;
}

const PfFrontierPoint *pf_frontier_last(const PfFrontierUnit *unit)
{
    return &g_array_index(unit->points, PfFrontierPoint, unit->points->len - 1);
}

void pf_frontier_find_beaten(GPtrArray *units)
{
    for (guint i = 0; i < units->len; i++) {
        PfFrontierUnit *unit = units->pdata[i];
        g_array_sort(unit->points, compare_points);
        for (guint j = 0; j < units->len && unit->beaten == NULL; j++) {
            const PfFrontierUnit *other = units->pdata[j];
            if (j != i && !other->is_bound && pf_frontier_comparable(other, unit) &&
                beats(other, unit))
                unit->beaten = other->name;
        }
    }
}

double pf_frontier_at(const PfFrontierUnit *unit, double share)
{
    double best = NAN;
    for (guint i = 0; i < unit->points->len; i++) {
        const PfFrontierPoint *point = &g_array_index(unit->points, PfFrontierPoint, i);
        double saved = point->mean.values[PF_FRONTIER_SAVED];
        if (point->share <= share) {
            best = isnan(best) ? saved : MAX(best, saved);
            continue;
        }
        if (i > 0) {
            const PfFrontierPoint *before = point - 1;
            double least = before->mean.values[PF_FRONTIER_SAVED];
            double part = (share - before->share) / (point->share - before->share);
            best = MAX(best, least + part * (saved - least));
        }
        break;
    }
    return best;
}
