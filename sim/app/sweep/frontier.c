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
    char *folder;    /* of the point that was read last, for its other policies; NULL */
    GPtrArray *runs; /* of PfSaved: its repeats, or its one run */
    PfCsv *epochs;   /* of the first of these */
} Sweep;

/* What an axis is to a frontier. */
typedef enum { AXIS_TRACE, AXIS_COSTS, AXIS_RATE, AXIS_UNIT } AxisKind;

static double number(const Sweep *sweep, guint row, const char *column)
{
    return pf_csv_number(sweep->results, row, pf_csv_column(sweep->results, column));
}

static void clear_point(gpointer data)
{
    PfFrontierPoint *point = data;
    g_free(point->rates);
    g_array_unref(point->repeats);
}

static void free_unit(gpointer data)
{
    PfFrontierUnit *unit = data;
    g_free(unit->trace);
    g_free(unit->policy);
    g_free(unit->costs);
    g_free(unit->name);
    g_array_unref(unit->points);
    g_free(unit);
}

bool pf_frontier_is_rate(const char *key)
{
    const char *last = strrchr(key, '.');
    return g_strv_contains(rate_keys, last != NULL ? last + 1 : key);
}

static AxisKind kind_of(const Sweep *sweep, int axis)
{
    const char *key = sweep->results->names->pdata[axis];
    if (axis == sweep->trace)
        return AXIS_TRACE;
    if (g_str_has_prefix(key, "machine.costs"))
        return AXIS_COSTS;
    return pf_frontier_is_rate(key) ? AXIS_RATE : AXIS_UNIT;
}

/* The row of points.csv that has ROW's point, or -1. */
static int id_row(const Sweep *sweep, guint row)
{
    const char *point = pf_csv_text(sweep->results, row, sweep->point);
    for (guint i = 0; i < sweep->ids->rows->len; i++)
        if (strcmp(pf_csv_text(sweep->ids, i, 0), point) == 0)
            return (int)i;
    return -1;
}

/* The values of ROW on the axes of KIND; of those that make the unit, its note says enough. Costs
 * are told as the sweep sets them: the results tell a whole card. */
static char *words_of(const Sweep *sweep, guint row, AxisKind kind)
{
    GString *words = g_string_new(NULL);
    int id = id_row(sweep, row);
    for (int axis = 0; axis < sweep->point; axis++) {
        bool is_told = kind != AXIS_UNIT || sweep->note < 0 || axis == sweep->note;
        if (kind_of(sweep, axis) != kind || !is_told)
            continue;
        int column = pf_csv_column(sweep->ids, sweep->results->names->pdata[axis]);
        const char *text = kind == AXIS_COSTS && id >= 0
                               ? pf_csv_text(sweep->ids, (guint)id, column)
                               : pf_csv_text(sweep->results, row, axis);
        if (text[0] != '\0')
            g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", text);
    }
    return g_string_free(words, FALSE);
}

/* The folder of ROW's point. */
static char *folder_of(const Sweep *sweep, guint row, GError **error)
{
    int id = id_row(sweep, row);
    if (id < 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: does not know point %s",
                    sweep->ids->path, pf_csv_text(sweep->results, row, sweep->point));
        return NULL;
    }
    return g_build_filename(sweep->directory, "points", pf_csv_text(sweep->ids, (guint)id, 1),
                            NULL);
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
    g_autofree char *name = words_of(sweep, row, AXIS_UNIT);
    g_autofree char *costs = words_of(sweep, row, AXIS_COSTS);
    for (guint i = 0; i < units->len; i++) {
        PfFrontierUnit *unit = units->pdata[i];
        if (strcmp(unit->policy, policy) == 0 && strcmp(unit->trace, trace) == 0 &&
            strcmp(unit->costs, costs) == 0 && strcmp(unit->name, name) == 0)
            return unit;
    }
    PfFrontierUnit *unit = g_new0(PfFrontierUnit, 1);
    unit->trace = g_strdup(trace);
    unit->policy = g_strdup(policy);
    unit->costs = g_steal_pointer(&costs);
    unit->name = g_steal_pointer(&name);
    unit->points = g_array_new(FALSE, FALSE, sizeof(PfFrontierPoint));
    g_array_set_clear_func(unit->points, clear_point);
    int cam = pf_csv_column(sweep->results, "machine.cam");
    unit->is_bound = strcmp(pf_csv_text(sweep->results, row, cam), "ideal") == 0;
    g_ptr_array_add(units, unit);
    return unit;
}

/* The cycles of POLICY, in the first run's epochs, until it saves each goal's share of ORACLE. */
static void find_goals(const PfCsv *epochs, const char *policy, double oracle, double *ret_cycles)
{
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
}

static void close_point(Sweep *sweep)
{
    g_clear_pointer(&sweep->folder, g_free);
    g_clear_pointer(&sweep->epochs, pf_csv_free);
    g_ptr_array_set_size(sweep->runs, 0);
}

/* Reads the runs of the point in FOLDER, if they are not those that were read last. */
static bool open_point(Sweep *sweep, const char *folder, GError **error)
{
    if (g_strcmp0(sweep->folder, folder) == 0)
        return true;
    close_point(sweep);
    g_autofree char *first = g_build_filename(folder, "r0", NULL);
    bool is_repeated = g_file_test(first, G_FILE_TEST_IS_DIR);
    do {
        g_autofree char *name = g_strdup_printf("r%u", sweep->runs->len);
        g_autofree char *path = g_build_filename(folder, is_repeated ? name : NULL, NULL);
        if (sweep->runs->len > 0 && !g_file_test(path, G_FILE_TEST_IS_DIR))
            break;
        PfSaved *saved = pf_saved_load(path, error);
        if (saved == NULL)
            return false;
        g_ptr_array_add(sweep->runs, saved);
    } while (is_repeated);
    g_autofree char *epochs = g_build_filename(is_repeated ? first : folder, "epochs.csv", NULL);
    sweep->epochs = pf_csv_load(epochs, error);
    sweep->folder = g_strdup(folder);
    return sweep->epochs != NULL;
}

static double stat_of(const PfSavedRun *run, const char *name)
{
    const PfSavedStat *stat = pf_saved_find(run, name);
    return stat != NULL && stat->defined ? stat->number : (double)NAN;
}

static void measure(double cycles, double saved_cycles, double time, double joules,
                    PfFrontierRun *ret_run)
{
    ret_run->values[PF_FRONTIER_SAVED] = saved_cycles / time;
    ret_run->values[PF_FRONTIER_CYCLES] = cycles;
    ret_run->values[PF_FRONTIER_JOULES] = joules;
    ret_run->values[PF_FRONTIER_PRICE] = saved_cycles > 0.0 ? cycles / saved_cycles : (double)NAN;
}

static void measure_row(const Sweep *sweep, guint row, PfFrontierRun *ret_run)
{
    double joules = 0.0;
    for (guint i = 0; i < sweep->results->names->len; i++) {
        const char *name = sweep->results->names->pdata[i];
        double account = pf_csv_number(sweep->results, row, (int)i);
        if (g_str_has_prefix(name, energy_prefix) && strchr(name, ':') == NULL &&
            isfinite(account))
            joules += account;
    }
    measure(number(sweep, row, "cycles.policy"), number(sweep, row, "memory.saved_page_cycles"),
            number(sweep, row, "time.cycles"), joules, ret_run);
}

static void measure_run(const PfSavedRun *run, PfFrontierRun *ret_run)
{
    double joules = 0.0;
    for (guint i = 0; i < run->stats->len; i++) {
        const PfSavedStat *stat = &g_array_index(run->stats, PfSavedStat, i);
        if (g_str_has_prefix(stat->name, energy_prefix) && stat->defined)
            joules += stat->number;
    }
    measure(stat_of(run, "cycles.policy"), stat_of(run, "memory.saved_page_cycles"),
            stat_of(run, "time.cycles"), joules, ret_run);
}

static bool add_row(Sweep *sweep, guint row, GPtrArray *units, GError **error)
{
    int oracle = oracle_row(sweep, row);
    if (oracle < 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: has no run of oracle to measure by; add it to the policies",
                    sweep->results->path);
        return false;
    }
    g_autofree char *folder = folder_of(sweep, row, error);
    if (folder == NULL || !open_point(sweep, folder, error))
        return false;
    PfFrontierUnit *unit = find_unit(sweep, row, units);
    double cycles = number(sweep, row, "cycles.policy");
    unit->oracle = number(sweep, (guint)oracle, "memory.saved_pages");
    unit->clock_hz = (double)((const PfSaved *)sweep->runs->pdata[0])->clock_hz;
    PfFrontierPoint point = {
        .repeats = g_array_new(FALSE, FALSE, sizeof(PfFrontierRun)),
        .share = cycles / number(sweep, row, "time.cycles"),
        .lookup = number(sweep, row, "cycles.account.lookup") / cycles,
        .passes = number(sweep, row, "policy.passes"),
        .rates = words_of(sweep, row, AXIS_RATE),
    };
    measure_row(sweep, row, &point.mean);
    for (guint i = 0; sweep->runs->len > 1 && i < sweep->runs->len; i++) {
        const PfSavedRun *run = pf_saved_find_run(sweep->runs->pdata[i], unit->policy);
        PfFrontierRun values;
        if (run == NULL)
            continue;
        measure_run(run, &values);
        g_array_append_val(point.repeats, values);
    }
    find_goals(sweep->epochs, unit->policy, unit->oracle, point.goal_cycles);
    g_array_append_val(unit->points, point);
    return true;
}

static bool read_rows(Sweep *sweep, GPtrArray *units, GError **error)
{
    bool has_rate = false;
    for (int axis = 0; axis < sweep->point; axis++)
        has_rate |= kind_of(sweep, axis) == AXIS_RATE;
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
    sweep.runs = g_ptr_array_new_with_free_func((GDestroyNotify)pf_saved_free);
    bool is_read = read_rows(&sweep, units, error);
    close_point(&sweep);
    g_ptr_array_unref(sweep.runs);
    if (!is_read)
        return NULL;
    pf_frontier_find_beaten(units);
    return g_steal_pointer(&units);
}
