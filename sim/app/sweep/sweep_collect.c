#include "sweep_collect.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "report.h"
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

/* The names of all statistics, numbered in the order in which points and policies bring them. */
typedef struct {
    GPtrArray *names;
    GHashTable *numbers; /* of each name, from 1 */
} Columns;

static void columns_init(Columns *columns)
{
    columns->names = g_ptr_array_new_with_free_func(g_free);
    columns->numbers = g_hash_table_new(g_str_hash, g_str_equal);
}

static void columns_clear(Columns *columns)
{
    g_hash_table_unref(columns->numbers);
    g_ptr_array_unref(columns->names);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Columns, columns_clear)

/* The number of column NAME, which is added if it is new. */
static guint column_of(Columns *columns, const char *name)
{
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(columns->numbers, name));
    if (number > 0)
        return number - 1;
    char *kept = g_strdup(name);
    g_ptr_array_add(columns->names, kept);
    g_hash_table_insert(columns->numbers, kept, GUINT_TO_POINTER(columns->names->len));
    return columns->names->len - 1;
}

/* ---- stats.csv of a run ---- */

/* Ends the field at *AT, takes off its quotes, and moves on to the next one or the line's end. */
static char *next_field(char **at)
{
    char *field = *at;
    char *to = field;
    bool quoted = *field == '"';
    char *from = field + quoted;
    for (; *from != '\0' && (quoted || (*from != ',' && *from != '\n')); from++) {
        if (quoted && *from == '"' && *++from != '"')
            quoted = false;
        if (!quoted && (*from == ',' || *from == '\n' || *from == '\0'))
            break;
        *to++ = *from;
    }
    *at = *from != '\0' ? from + 1 : from;
    *to = '\0';
    return field;
}

/* Calls VISIT for each line of TEXT, which is changed; strings are valid as long as TEXT is. */
static void visit_stats(char *text,
                        void (*visit)(const char *policy, const char *stat, const char *value,
                                      void *user),
                        void *user)
{
    char *at = strchr(text, '\n');
    for (at = at != NULL ? at + 1 : text + strlen(text); *at != '\0';) {
        char *policy = next_field(&at);
        char *stat = next_field(&at);
        next_field(&at);
        char *value = next_field(&at);
        visit(policy, stat, value, user);
    }
}

static void note_column(const char *policy, const char *stat, const char *value, void *user)
{
    (void)policy;
    (void)value;
    column_of(user, stat);
}

static bool find_columns(const PfSweepPlan *plan, Columns *columns, GError **error)
{
    for (uint64_t run = 0; run < plan->points * plan->axes->repeat; run++) {
        g_autoptr(GError) cause = NULL;
        g_autofree char *text =
            pf_sweep_folder_read(plan, run / plan->axes->repeat, run % plan->axes->repeat, &cause);
        if (text != NULL)
            visit_stats(text, note_column, columns);
        if (cause == NULL)
            continue;
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    return true;
}

/* ---- The runs of one point ---- */

/* One policy. */
typedef struct {
    const char *policy;
    const char **texts; /* of each column, as the first run has it; NULL: it has none */
    Moments *moments;   /* of each column, over all runs */
} Row;

typedef struct {
    Columns *columns;
    GPtrArray *rows;  /* of Row */
    GPtrArray *texts; /* that the rows are of */
    uint64_t runs;
} Gathered;

static void free_row(gpointer data)
{
    Row *row = data;
    g_free(row->texts);
    g_free(row->moments);
    g_free(row);
}

static void gathered_clear(Gathered *gathered)
{
    g_ptr_array_unref(gathered->rows);
    g_ptr_array_unref(gathered->texts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Gathered, gathered_clear)

/* Lines of one policy follow each other. */
static Row *row_of(Gathered *gathered, const char *policy)
{
    for (guint i = gathered->rows->len; i-- > 0;) {
        Row *row = gathered->rows->pdata[i];
        if (strcmp(row->policy, policy) == 0)
            return row;
    }
    Row *row = g_new0(Row, 1);
    row->policy = policy;
    row->texts = g_new0(const char *, gathered->columns->names->len);
    row->moments = g_new0(Moments, gathered->columns->names->len);
    g_ptr_array_add(gathered->rows, row);
    return row;
}

static void note_stat(const char *policy, const char *stat, const char *value, void *user)
{
    Gathered *gathered = user;
    Row *row = row_of(gathered, policy);
    guint known = gathered->columns->names->len;
    guint column = column_of(gathered->columns, stat);
    if (column >= known)
        return; /* a run that was done meanwhile; the next collection has it */
    if (row->texts[column] == NULL)
        row->texts[column] = value;
    if (strcmp(value, "null") != 0)
        add_number(&row->moments[column], g_ascii_strtod(value, NULL));
}

static bool gather(const PfSweepPlan *plan, uint64_t point, Gathered *gathered, GError **error)
{
    for (uint64_t repeat = 0; repeat < plan->axes->repeat; repeat++) {
        g_autoptr(GError) cause = NULL;
        char *text = pf_sweep_folder_read(plan, point, repeat, &cause);
        if (cause != NULL) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        if (text == NULL)
            continue;
        gathered->runs++;
        g_ptr_array_add(gathered->texts, text);
        visit_stats(text, note_stat, gathered);
    }
    return true;
}

static void append_number(GString *out, bool defined, double number)
{
    g_string_append_c(out, ',');
    pf_report_append_value(out, defined ? pf_stat_double(number) : pf_stat_null());
}

/* Mean, deviation and half the interval; null unless all RUNS have the statistic. */
static void append_moments(GString *out, const Moments *moments, uint64_t runs)
{
    bool defined = moments->count == runs;
    bool spreads = defined && runs > 1;
    double deviation = spreads ? sqrt(moments->squares / (double)(runs - 1)) : 0;
    double half = spreads ? pf_sweep_student_t(runs - 1) * deviation / sqrt((double)runs) : 0;
    append_number(out, defined, moments->mean);
    append_number(out, spreads, deviation);
    append_number(out, spreads, half);
}

static void append_row(GString *out, const Gathered *gathered, const Row *row, size_t columns,
                       bool repeats)
{
    pf_report_append_field(out, row->policy);
    g_string_append_printf(out, ",%" G_GUINT64_FORMAT, gathered->runs);
    for (size_t i = 0; i < columns; i++) {
        if (repeats) {
            append_moments(out, &row->moments[i], gathered->runs);
            continue;
        }
        g_string_append_c(out, ',');
        g_string_append(out, row->texts[i] != NULL ? row->texts[i] : "null");
    }
    g_string_append_c(out, '\n');
}

/* ---- The table ---- */

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

static bool write_point(PfOutput *output, PfSweepPlan *plan, Columns *columns, uint64_t point,
                        uint64_t *ret_points, GError **error)
{
    size_t count = columns->names->len;
    g_auto(Gathered) gathered = {.columns = columns,
                                 .rows = g_ptr_array_new_with_free_func(free_row),
                                 .texts = g_ptr_array_new_with_free_func(g_free)};
    if (!gather(plan, point, &gathered, error))
        return false;
    if (gathered.runs == 0)
        return true;
    g_autoptr(PfConfig) config = pf_sweep_plan_config(plan, point, 0, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < gathered.rows->len; i++) {
        append_point(out, plan, config, point);
        append_row(out, &gathered, gathered.rows->pdata[i], count, plan->axes->repeat > 1);
    }
    pf_output_write(output, out->str, out->len);
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
