#include "frontier.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "saved.h"

const double pf_frontier_shares[PF_FRONTIER_SHARES] = {0.01, 0.02, 0.05, 0.10};
const double pf_frontier_goals[PF_FRONTIER_GOALS] = {0.5, 0.9};

/* The last words of the keys that say how fast a policy works. */
static const char *const rate_keys[] = {"rate",   "rate_total", "pages_to_scan", "sleep_millisecs",
                                        "settle", NULL};

static const char energy_prefix[] = "energy.account.";

typedef struct {
    const char *directory;
    PfCsv *results;
    PfCsv *ids; /* points.csv */
    int point;  /* columns of results; those before it are the axes */
    int policy;
    int note;  /* the axis that names units, or -1 */
    int trace; /* the axis of traces, or -1 */
} Sweep;

static double number(const Sweep *sweep, guint row, const char *column)
{
    return pf_csv_number(sweep->results, row, pf_csv_column(sweep->results, column));
}

/* Half the interval of COLUMN; 0 where nothing was repeated. */
static double interval(const Sweep *sweep, guint row, const char *column)
{
    g_autofree char *name = g_strconcat(column, ":ci95", NULL);
    double half = number(sweep, row, name);
    return isfinite(half) ? half : 0.0;
}

static void clear_point(gpointer data)
{
    g_free(((PfFrontierPoint *)data)->rates);
}

static void free_unit(gpointer data)
{
    PfFrontierUnit *unit = data;
    g_free(unit->trace);
    g_free(unit->policy);
    g_free(unit->name);
    g_array_unref(unit->points);
    g_free(unit);
}

bool pf_frontier_is_rate(const char *key)
{
    const char *last = strrchr(key, '.');
    return g_strv_contains(rate_keys, last != NULL ? last + 1 : key);
}

/* The values of ROW on the axes that are rates, or on those that name the unit. */
static char *words_of(const Sweep *sweep, guint row, bool rates)
{
    GString *words = g_string_new(NULL);
    for (int axis = 0; axis < sweep->point; axis++) {
        bool names = sweep->note < 0 || axis == sweep->note;
        bool is_rate = pf_frontier_is_rate(sweep->results->names->pdata[axis]);
        if (axis == sweep->trace || is_rate != rates || (!rates && !names))
            continue;
        if (words->len > 0)
            g_string_append_c(words, ' ');
        g_string_append(words, pf_csv_text(sweep->results, row, axis));
    }
    return g_string_free(words, FALSE);
}

/* The folder of the first run of ROW's point. */
static char *folder_of(const Sweep *sweep, guint row, GError **error)
{
    const char *point = pf_csv_text(sweep->results, row, sweep->point);
    for (guint i = 0; i < sweep->ids->rows->len; i++) {
        if (strcmp(pf_csv_text(sweep->ids, i, 0), point) != 0)
            continue;
        const char *id = pf_csv_text(sweep->ids, i, 1);
        char *folder = g_build_filename(sweep->directory, "points", id, NULL);
        g_autofree char *first = g_build_filename(folder, "r0", NULL);
        if (!g_file_test(first, G_FILE_TEST_IS_DIR))
            return folder;
        g_free(folder);
        return g_steal_pointer(&first);
    }
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: does not know point %s", sweep->ids->path,
                point);
    return NULL;
}

/* The row of `oracle` at the point of ROW, or -1. */
static int oracle_row(const Sweep *sweep, guint row)
{
    const char *point = pf_csv_text(sweep->results, row, sweep->point);
    for (guint i = 0; i < sweep->results->rows->len; i++)
        if (strcmp(pf_csv_text(sweep->results, i, sweep->point), point) == 0 &&
            strcmp(pf_csv_text(sweep->results, i, sweep->policy), "oracle") == 0)
            return (int)i;
    return -1;
}

static PfFrontierUnit *find_unit(const Sweep *sweep, guint row, GPtrArray *units)
{
    const char *policy = pf_csv_text(sweep->results, row, sweep->policy);
    const char *trace = pf_csv_text(sweep->results, row, sweep->trace);
    g_autofree char *name = words_of(sweep, row, false);
    for (guint i = 0; i < units->len; i++) {
        PfFrontierUnit *unit = units->pdata[i];
        if (strcmp(unit->policy, policy) == 0 && strcmp(unit->trace, trace) == 0 &&
            strcmp(unit->name, name) == 0)
            return unit;
    }
    PfFrontierUnit *unit = g_new0(PfFrontierUnit, 1);
    unit->trace = g_strdup(trace);
    unit->policy = g_strdup(policy);
    unit->name = g_steal_pointer(&name);
    unit->points = g_array_new(FALSE, FALSE, sizeof(PfFrontierPoint));
    g_array_set_clear_func(unit->points, clear_point);
    int cam = pf_csv_column(sweep->results, "machine.cam");
    unit->is_bound = strcmp(pf_csv_text(sweep->results, row, cam), "ideal") == 0;
    g_ptr_array_add(units, unit);
    return unit;
}

/* The cycles of POLICY, in the epochs of FOLDER, until it saves each goal's share of ORACLE. */
static bool find_goals(const char *folder, const char *policy, double oracle, double *ret_cycles,
                       GError **error)
{
    g_autofree char *path = g_build_filename(folder, "epochs.csv", NULL);
    g_autoptr(PfCsv) epochs = pf_csv_load(path, error);
    if (epochs == NULL)
        return false;
    int name = pf_csv_column(epochs, "policy");
    int saved = pf_csv_column(epochs, "memory.saved_pages");
    int cycles = pf_csv_column(epochs, "cycles.policy");
    for (unsigned goal = 0; goal < PF_FRONTIER_GOALS; goal++)
        ret_cycles[goal] = NAN;
    for (guint i = 0; i < epochs->rows->len; i++)
        for (unsigned goal = 0; goal < PF_FRONTIER_GOALS; goal++)
            if (isnan(ret_cycles[goal]) && strcmp(pf_csv_text(epochs, i, name), policy) == 0 &&
                pf_csv_number(epochs, i, saved) >= pf_frontier_goals[goal] * oracle)
                ret_cycles[goal] = pf_csv_number(epochs, i, cycles);
    return true;
}

/* Accounts need not vary independently, so their intervals add up. */
static double joules_of(const Sweep *sweep, guint row, double *ret_ci)
{
    double sum = 0.0;
    *ret_ci = 0.0;
    for (guint i = 0; i < sweep->results->names->len; i++) {
        const char *name = sweep->results->names->pdata[i];
        double joules = pf_csv_number(sweep->results, row, (int)i);
        if (!g_str_has_prefix(name, energy_prefix) || strchr(name, ':') != NULL ||
            !isfinite(joules))
            continue;
        sum += joules;
        *ret_ci += interval(sweep, row, name);
    }
    return sum;
}

/* UNIT's clock, which all of its points have. */
static bool find_clock(const char *folder, PfFrontierUnit *unit, GError **error)
{
    if (unit->clock_hz > 0.0)
        return true;
    g_autoptr(PfSaved) saved = pf_saved_load(folder, error);
    if (saved == NULL)
        return false;
    unit->clock_hz = (double)saved->clock_hz;
    return true;
}

static bool add_row(const Sweep *sweep, guint row, GPtrArray *units, GError **error)
{
    int oracle = oracle_row(sweep, row);
    if (oracle < 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: has no run of oracle to measure by; add it to the policies",
                    sweep->results->path);
        return false;
    }
    g_autofree char *folder = folder_of(sweep, row, error);
    PfFrontierUnit *unit = find_unit(sweep, row, units);
    if (folder == NULL || !find_clock(folder, unit, error))
        return false;
    double time = number(sweep, row, "time.cycles");
    double cycles = number(sweep, row, "cycles.policy");
    unit->oracle = number(sweep, (guint)oracle, "memory.saved_pages");
    PfFrontierPoint point = {
        .share = cycles / time,
        .saved = number(sweep, row, "memory.saved_page_cycles") / time,
        .saved_ci = interval(sweep, row, "memory.saved_page_cycles") / time,
        .cycles = cycles,
        .cycles_ci = interval(sweep, row, "cycles.policy"),
        .lookup = number(sweep, row, "cycles.account.lookup") / cycles,
        .passes = number(sweep, row, "policy.passes"),
        .rates = words_of(sweep, row, true),
    };
    point.joules = joules_of(sweep, row, &point.joules_ci);
    g_array_append_val(unit->points, point);
    PfFrontierPoint *last = &g_array_index(unit->points, PfFrontierPoint, unit->points->len - 1);
    return find_goals(folder, unit->policy, unit->oracle, last->goal_cycles, error);
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

/* Whether OTHER saves as much as UNIT at no more cycles and joules at every rate, as far as repeats
 * tell them apart, and is better in one of these somewhere. */
static bool beats(const PfFrontierUnit *other, const PfFrontierUnit *unit)
{
    bool is_better = false;
    for (guint i = 0; i < unit->points->len; i++) {
        const PfFrontierPoint *own = &g_array_index(unit->points, PfFrontierPoint, i);
        const PfFrontierPoint *its = point_at(other, own->rates);
        if (its == NULL || its->saved < own->saved - own->saved_ci - its->saved_ci ||
            its->cycles > own->cycles + own->cycles_ci + its->cycles_ci ||
            its->joules > own->joules + own->joules_ci + its->joules_ci)
            return false;
        is_better |= its->saved > own->saved + own->saved_ci + its->saved_ci ||
                     its->cycles < own->cycles - own->cycles_ci - its->cycles_ci ||
                     its->joules < own->joules - own->joules_ci - its->joules_ci;
    }
    return is_better;
}

static void find_beaten(GPtrArray *units)
{
    for (guint i = 0; i < units->len; i++) {
        PfFrontierUnit *unit = units->pdata[i];
        g_array_sort(unit->points, compare_points);
        for (guint j = 0; j < units->len && unit->beaten == NULL; j++) {
            const PfFrontierUnit *other = units->pdata[j];
            if (j != i && !other->is_bound && strcmp(other->trace, unit->trace) == 0 &&
                strcmp(other->policy, unit->policy) == 0 && beats(other, unit))
                unit->beaten = other->name;
        }
    }
}

static bool read_rows(const Sweep *sweep, GPtrArray *units, GError **error)
{
    bool has_rate = false;
    for (int axis = 0; axis < sweep->point; axis++)
        has_rate |= pf_frontier_is_rate(sweep->results->names->pdata[axis]);
    if (!has_rate) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: no axis is a rate of a policy (rate, pages_to_scan ...), so there is no "
                    "frontier; sweep over one",
                    sweep->results->path);
        return false;
    }
    for (guint row = 0; row < sweep->results->rows->len; row++) {
        const char *policy = pf_csv_text(sweep->results, row, sweep->policy);
        if (strcmp(policy, "none") != 0 && strcmp(policy, "oracle") != 0 &&
            !add_row(sweep, row, units, error))
            return false;
    }
    return true;
}

GPtrArray *pf_frontier_read(const char *directory, GError **error)
{
    g_autofree char *results_path = g_build_filename(directory, "results.csv", NULL);
    g_autofree char *ids_path = g_build_filename(directory, "points.csv", NULL);
    g_autoptr(PfCsv) results = pf_csv_load(results_path, error);
    g_autoptr(PfCsv) ids = results != NULL ? pf_csv_load(ids_path, error) : NULL;
    if (ids == NULL)
        return NULL;
    Sweep sweep = {.directory = directory,
                   .results = results,
                   .ids = ids,
                   .point = pf_csv_column(results, "point"),
                   .policy = pf_csv_column(results, "policy"),
                   .note = pf_csv_column(results, "note"),
                   .trace = pf_csv_column(results, "trace")};
    if (sweep.point < 0 || sweep.policy < sweep.point) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: is no table of a sweep", results_path);
        return NULL;
    }
    g_autoptr(GPtrArray) units = g_ptr_array_new_with_free_func(free_unit);
    if (!read_rows(&sweep, units, error))
        return NULL;
    find_beaten(units);
    return g_steal_pointer(&units);
}

double pf_frontier_at(const PfFrontierUnit *unit, double share)
{
    double best = NAN;
    for (guint i = 0; i < unit->points->len; i++) {
        const PfFrontierPoint *point = &g_array_index(unit->points, PfFrontierPoint, i);
        if (point->share <= share) {
            best = isnan(best) ? point->saved : MAX(best, point->saved);
            continue;
        }
        if (i > 0) {
            const PfFrontierPoint *before = point - 1;
            double part = (share - before->share) / (point->share - before->share);
            best = MAX(best, before->saved + part * (point->saved - before->saved));
        }
        break;
    }
    return best;
}
