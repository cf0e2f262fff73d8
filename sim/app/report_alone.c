/* What DRAM or caches by themselves did, where there are no policies to be compared. */
#include <string.h>

#include "report.h"

typedef struct {
    const char *prefix; /* of the statistics that are told */
    GPtrArray *cells;
} Telling;

static void tell(const PfStatInfo *info, PfStatValue value, void *user)
{
    const Telling *telling = user;
    double number = pf_report_number(value);
    if (!g_str_has_prefix(info->name, telling->prefix) || !(number < 0.0 || number > 0.0) ||
        strstr(info->name, ".bank") != NULL || strstr(info->name, ".rank") != NULL)
        return;
    GString *text = g_string_new(NULL);
    if (value.kind == PF_STAT_DOUBLE)
        g_string_append_printf(text, "%.4g", number);
    else
        pf_report_append_value(text, value);
    g_ptr_array_add(telling->cells, g_strdup(info->name));
    g_ptr_array_add(telling->cells, g_string_free(text, FALSE));
    g_ptr_array_add(telling->cells, g_strdup(info->unit));
}

bool pf_report_alone(GString *out, const PfSimulation *simulation, PfReportForm form)
{
    const char *mode = pf_simulation_mode(simulation);
    bool is_dram = strcmp(mode, "dram") == 0;
    if (!is_dram && strcmp(mode, "caches") != 0)
        return false;
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(cells, g_strdup("statistic"));
    g_ptr_array_add(cells, g_strdup("value"));
    g_ptr_array_add(cells, g_strdup("unit"));
    Telling telling = {.prefix = is_dram ? "dram." : "cache.", .cells = cells};
    pf_stats_visit(pf_run_stats(pf_simulation_run_at(simulation, 0)), tell, &telling);
    pf_report_cells(
        out, is_dram ? "DRAM by itself: what is not 0" : "caches by themselves: what is not 0",
        cells, 3, form);
    return true;
}
