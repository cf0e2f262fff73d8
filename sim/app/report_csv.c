#include "report.h"

typedef struct {
    GString *out;
    const char *policy;
    const char *mark; /* NULL: a row of stats.csv, with the unit */
} Row;

static void add_row(const PfStatInfo *info, PfStatValue value, void *user)
{
    const Row *row = user;
    pf_report_append_field(row->out, row->policy);
    g_string_append_c(row->out, ',');
    if (row->mark != NULL) {
        pf_report_append_field(row->out, row->mark);
        g_string_append_c(row->out, ',');
    }
    pf_report_append_field(row->out, info->name);
    g_string_append_c(row->out, ',');
    if (row->mark == NULL) {
        pf_report_append_field(row->out, info->unit);
        g_string_append_c(row->out, ',');
    }
    pf_report_append_value(row->out, value);
    g_string_append_c(row->out, '\n');
}

void pf_report_stats_csv(GString *out, const PfSimulation *simulation)
{
    g_string_append(out, "policy,stat,unit,value\n");
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        Row row = {.out = out, .policy = pf_run_label(run)};
        pf_stats_visit(pf_run_stats(run), add_row, &row);
        pf_run_contexts_visit(run, add_row, &row);
    }
}

static void add_bucket(const PfStatInfo *info, double most, uint64_t count, void *user)
{
    const Row *row = user;
    pf_report_append_field(row->out, row->policy);
    g_string_append_printf(row->out, ",%s,%s,", info->name, info->unit);
    pf_report_append_value(row->out, pf_stat_double(most));
    g_string_append_printf(row->out, ",%" G_GUINT64_FORMAT "\n", count);
}

void pf_report_distributions_csv(GString *out, const PfSimulation *simulation)
{
    g_string_append(out, "policy,stat,unit,most,count\n");
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        Row row = {.out = out, .policy = pf_run_label(run)};
        pf_stats_visit_buckets(pf_run_stats(run), add_bucket, &row);
    }
}

void pf_report_marks_csv(GString *out, const PfSimulation *simulation)
{
    g_string_append(out, "policy,mark,stat,value\n");
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        for (size_t mark = 0; mark < pf_run_mark_count(run); mark++) {
            Row row = {out, pf_run_label(run), pf_run_mark_label(run, mark)};
            pf_run_mark_visit(run, mark, add_row, &row);
        }
    }
}

void pf_report_epochs_csv(GString *out, const PfSimulation *simulation)
{
    const char *const *names = NULL;
    size_t columns = pf_simulation_epoch_columns(simulation, &names);
    g_string_append(out, "policy,cycle");
    for (size_t c = 0; c < columns; c++) {
        g_string_append_c(out, ',');
        pf_report_append_field(out, names[c]);
    }
    g_string_append_c(out, '\n');
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        for (size_t epoch = 0; epoch < pf_run_epoch_count(run); epoch++) {
            const PfStatValue *values = NULL;
            uint64_t cycle = pf_run_epoch(run, epoch, &values);
            pf_report_append_field(out, pf_run_label(run));
            g_string_append_printf(out, ",%" G_GUINT64_FORMAT, cycle);
            for (size_t c = 0; c < columns; c++) {
                g_string_append_c(out, ',');
                pf_report_append_value(out, values[c]);
            }
            g_string_append_c(out, '\n');
        }
    }
}
