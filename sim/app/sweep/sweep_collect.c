#include "sweep_collect.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "report.h"
#include "saved.h"
#include "sweep_folder.h"
#include "trace_output.h"

double pf_sweep_student_t(uint64_t degrees)
{
    static const double table[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                   2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                   2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                   2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
    g_assert(degrees > 0);
    if (degrees <= G_N_ELEMENTS(table))
        return table[degrees - 1];
    /* The expansion of Fisher and Cornish (Technometrics 2, 1960), from the normal quantile. */
    double z = 1.959964;
    double n = (double)degrees;
    return z + (z * z * z + z) / (4 * n) +
           (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * n * n);
}

/* A statistic over the runs of a point (Welford, Technometrics 4, 1962). */
typedef struct {
    uint64_t count;
    double mean;
    double squares; /* sum of squared distances from the mean */
} Moments;

static void add_number(Moments *moments, double number)
{
    moments->count++;
    double distance = number - moments->mean;
    moments->mean += distance / (double)moments->count;
    moments->squares += distance * (number - moments->mean);
}

/* The names of all statistics, in the order in which points and policies bring them. */
typedef struct {
    GPtrArray *names;
    GHashTable *known;
} Columns;

static void columns_init(Columns *columns)
{
    columns->names = g_ptr_array_new();
    columns->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void columns_clear(Columns *columns)
{
    g_ptr_array_unref(columns->names);
    g_hash_table_unref(columns->known);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Columns, columns_clear)

static void add_columns(Columns *columns, const PfSaved *saved)
{
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        for (guint stat = 0; stat < run->stats->len; stat++) {
            const char *name = g_array_index(run->stats, PfSavedStat, stat).name;
            if (g_hash_table_contains(columns->known, name))
                continue;
            char *kept = g_strdup(name);
            g_hash_table_add(columns->known, kept);
            g_ptr_array_add(columns->names, kept);
        }
    }
}

/* What run REPEAT of POINT found; NULL without an error if it is not done. */
static PfSaved *load(const PfSweepPlan *plan, uint64_t point, uint64_t repeat, GError **error)
{
    if (!pf_sweep_folder_is_done(plan, point, repeat))
        return NULL;
    g_autofree char *path = pf_sweep_folder_run(plan, point, repeat);
    return pf_saved_load(path, error);
}

static bool find_columns(const PfSweepPlan *plan, Columns *columns, GError **error)
{
    for (uint64_t point = 0; point < plan->points; point++) {
        for (uint64_t repeat = 0; repeat < plan->axes->repeat; repeat++) {
            g_autoptr(GError) cause = NULL;
            g_autoptr(PfSaved) saved = load(plan, point, repeat, &cause);
            if (cause != NULL) {
                g_propagate_error(error, g_steal_pointer(&cause));
                return false;
            }
            if (saved != NULL)
                add_columns(columns, saved);
        }
    }
    return true;
}

/* The runs of one point: texts of the first that is done, moments of all. */
typedef struct {
    PfSaved *first;
    GHashTable *moments; /* "POLICY STAT" to Moments */
    uint64_t runs;
} Gathered;

static void gathered_clear(Gathered *gathered)
{
    pf_saved_free(gathered->first);
    g_clear_pointer(&gathered->moments, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Gathered, gathered_clear)

static Moments *find_moments(const Gathered *gathered, const char *policy, const char *stat)
{
    g_autofree char *key = g_strconcat(policy, " ", stat, NULL);
    return g_hash_table_lookup(gathered->moments, key);
}

static void add_run(Gathered *gathered, const PfSaved *saved)
{
    gathered->runs++;
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        for (guint s = 0; s < run->stats->len; s++) {
            const PfSavedStat *stat = &g_array_index(run->stats, PfSavedStat, s);
            Moments *moments = find_moments(gathered, run->policy, stat->name);
            if (moments == NULL) {
                moments = g_new0(Moments, 1);
                g_hash_table_insert(gathered->moments,
                                    g_strconcat(run->policy, " ", stat->name, NULL), moments);
            }
            if (stat->defined)
                add_number(moments, stat->number);
        }
    }
}

static bool gather(const PfSweepPlan *plan, uint64_t point, Gathered *gathered, GError **error)
{
    gathered->moments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (uint64_t repeat = 0; repeat < plan->axes->repeat; repeat++) {
        g_autoptr(GError) cause = NULL;
        g_autoptr(PfSaved) saved = load(plan, point, repeat, &cause);
        if (cause != NULL) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        if (saved == NULL)
            continue;
        if (plan->axes->repeat > 1)
            add_run(gathered, saved);
        else
            gathered->runs = 1;
        if (gathered->first == NULL)
            gathered->first = g_steal_pointer(&saved);
    }
    return true;
}

static void append_number(GString *row, bool defined, double number)
{
    g_string_append_c(row, ',');
    pf_report_append_value(row, defined ? pf_stat_double(number) : pf_stat_null());
}

/* Mean, deviation and half the interval; null unless all runs have the statistic. */
static void append_moments(GString *row, const Gathered *gathered, const Moments *moments)
{
    uint64_t count = moments != NULL ? moments->count : 0;
    bool defined = count > 0 && count == gathered->runs;
    bool spreads = defined && count > 1;
    double deviation = spreads ? sqrt(moments->squares / (double)(count - 1)) : 0;
    double half =
        spreads ? pf_sweep_student_t(count - 1) * deviation / sqrt((double)count) : 0;
    append_number(row, defined, defined ? moments->mean : 0);
    append_number(row, spreads, deviation);
    append_number(row, spreads, half);
}

static void append_row(GString *row, const Columns *columns, const Gathered *gathered,
                       const PfSavedRun *run, bool repeats)
{
    pf_report_append_field(row, run->policy);
    g_string_append_printf(row, ",%" G_GUINT64_FORMAT, gathered->runs);
    for (guint i = 0; i < columns->names->len; i++) {
        const char *name = columns->names->pdata[i];
        if (repeats) {
            append_moments(row, gathered, find_moments(gathered, run->policy, name));
            continue;
        }
        const PfSavedStat *stat = pf_saved_find(run, name);
        g_string_append_c(row, ',');
        g_string_append(row, stat != NULL ? stat->text : "null");
    }
    g_string_append_c(row, '\n');
}

static void write_header(PfOutput *output, const PfSweepPlan *plan, const Columns *columns)
{
    g_autoptr(GString) row = g_string_new(NULL);
    for (size_t key = 0; key < pf_sweep_plan_keys(plan); key++) {
        pf_report_append_field(row, pf_sweep_plan_key(plan, key));
        g_string_append_c(row, ',');
    }
    g_string_append(row, "point,policy,n");
    for (guint i = 0; i < columns->names->len; i++) {
        const char *name = columns->names->pdata[i];
        static const char *const suffixes[] = {"", ":sd", ":ci95"};
        for (unsigned part = 0; part < (plan->axes->repeat > 1 ? 3 : 1); part++) {
            g_autofree char *heading = g_strconcat(name, suffixes[part], NULL);
            g_string_append_c(row, ',');
            pf_report_append_field(row, heading);
        }
    }
    g_string_append_c(row, '\n');
    pf_output_write(output, row->str, row->len);
}

/* The value that POINT has of each key, and its number. */
static void append_point(GString *row, PfSweepPlan *plan, const PfConfig *config, uint64_t point)
{
    for (size_t key = 0; key < pf_sweep_plan_keys(plan); key++) {
        g_autofree char *plain =
            config != NULL ? pf_config_plain(config, pf_sweep_plan_key(plan, key)) : NULL;
        g_autofree char *text = pf_sweep_plan_text(plan, point, key);
        pf_report_append_field(row, plain != NULL ? plain : text);
        g_string_append_c(row, ',');
    }
    g_string_append_printf(row, "%" G_GUINT64_FORMAT ",", point);
}

static bool write_point(PfOutput *output, PfSweepPlan *plan, const Columns *columns,
                        uint64_t point, uint64_t *ret_points, GError **error)
{
    g_auto(Gathered) gathered = {0};
    if (!gather(plan, point, &gathered, error))
        return false;
    if (gathered.first == NULL)
        return true;
    g_autoptr(PfConfig) config = pf_sweep_plan_config(plan, point, 0, NULL);
    g_autoptr(GString) row = g_string_new(NULL);
    for (guint i = 0; i < gathered.first->runs->len; i++) {
        append_point(row, plan, config, point);
        append_row(row, columns, &gathered, gathered.first->runs->pdata[i],
                   plan->axes->repeat > 1);
    }
    pf_output_write(output, row->str, row->len);
    ++*ret_points;
    return true;
}

bool pf_sweep_collect(PfSweepPlan *plan, uint64_t *ret_points, GError **error)
{
    *ret_points = 0;
    g_auto(Columns) columns = {0};
    columns_init(&columns);
    if (!find_columns(plan, &columns, error))
        return false;
    g_autofree char *path = g_build_filename(plan->directory, "results.csv", NULL);
    g_autoptr(PfOutput) output = pf_output_open(path, error);
    if (output == NULL)
        return false;
    write_header(output, plan, &columns);
    for (uint64_t point = 0; point < plan->points; point++)
        if (!write_point(output, plan, &columns, point, ret_points, error))
            return false;
    return pf_output_finish(output, error);
}
