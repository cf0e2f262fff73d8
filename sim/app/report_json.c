#include "json.h"
#include "report.h"

static void add_stat(const PfStatInfo *info, PfStatValue value, void *user)
{
    PfJson *json = user;
    pf_json_stat(json, info->name, value);
}

static void add_trace(PfJson *json, const PfSimulation *simulation)
{
    const PfTraceHeader *header = pf_simulation_trace_header(simulation);
    g_autofree char *name = g_path_get_basename(pf_simulation_trace_path(simulation));
    pf_json_open(json, "trace", '{');
    pf_json_string(json, "name", name);
    pf_json_string(json, "digest", pf_simulation_trace_digest(simulation));
    pf_json_uint(json, "page_bytes", header->page_bytes);
    pf_json_uint(json, "records", pf_simulation_records(simulation));
    pf_json_bool(json, "access_grain", pf_simulation_has_access_grain(simulation));
    pf_json_bool(json, "damaged", pf_simulation_trace_damage(simulation) != NULL);
    pf_json_close(json, '}');
}

static void add_machine(PfJson *json, const PfSimulation *simulation)
{
    pf_json_open(json, "machine", '{');
    pf_json_uint(json, "clock_hz", pf_simulation_clock_hz(simulation));
    pf_json_uint(json, "seed", pf_simulation_seed(simulation));
    pf_json_string(json, "timing", pf_simulation_timing(simulation));
    pf_json_double(json, "dilation", pf_simulation_dilation(simulation));
    pf_json_close(json, '}');
}

static void add_run(PfJson *json, const PfRun *run)
{
    pf_json_open(json, NULL, '{');
    pf_json_string(json, "policy", pf_run_label(run));
    pf_json_string(json, "kind", pf_run_policy(run));
    pf_json_string(json, "scope", pf_run_scope(run));
    pf_json_string(json, "remark", pf_run_remark(run));
    pf_json_open(json, "stats", '{');
    pf_stats_visit(pf_run_stats(run), add_stat, json);
    pf_run_contexts_visit(run, add_stat, json);
    pf_json_close(json, '}');
    pf_json_open(json, "marks", '[');
    for (size_t i = 0; i < pf_run_mark_count(run); i++) {
        pf_json_open(json, NULL, '{');
        pf_json_string(json, "label", pf_run_mark_label(run, i));
        pf_json_uint(json, "cycle", pf_run_mark_cycle(run, i));
        pf_json_open(json, "stats", '{');
        pf_run_mark_visit(run, i, add_stat, json);
        pf_json_close(json, '}');
        pf_json_close(json, '}');
    }
    pf_json_close(json, ']');
    pf_json_close(json, '}');
}

void pf_report_json(GString *out, const PfSimulation *simulation)
{
    PfJson json;
    pf_json_init(&json, out);
    pf_json_open(&json, NULL, '{');
    pf_json_uint(&json, "schema", 1);
    pf_json_bool(&json, "complete", pf_simulation_complete(simulation));
    add_trace(&json, simulation);
    add_machine(&json, simulation);
    pf_json_open(&json, "runs", '[');
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++)
        add_run(&json, pf_simulation_run_at(simulation, i));
    pf_json_close(&json, ']');
    pf_json_close(&json, '}');
}
