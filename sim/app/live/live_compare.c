/* What differs between two accounts of one scenario. */
#include <string.h>

#include "live_counters.h"

typedef struct {
    const char *a_name;
    const char *b_name;
    const char *label;
    GPtrArray *lines;
    size_t count;
} Comparison;

static void compare_value(Comparison *comparison, const char *process, const char *name, int64_t a,
                          int64_t b)
{
    if (a == b)
        return;
    comparison->count++;
    g_ptr_array_add(comparison->lines,
                    g_strdup_printf("at mark \"%s\": %s%s%s: %s %" G_GINT64_FORMAT
                                    ", %s %" G_GINT64_FORMAT,
                                    comparison->label, process != NULL ? process : "",
                                    process != NULL ? " " : "", name, comparison->a_name, a,
                                    comparison->b_name, b));
}

static const PfKsmProcess *find_process(const GArray *processes, const char *name)
{
    for (guint i = 0; i < processes->len; i++) {
        const PfKsmProcess *process = &g_array_index(processes, PfKsmProcess, i);
        if (strcmp(process->name, name) == 0)
            return process;
    }
    return NULL;
}

static void compare_processes(Comparison *comparison, const GArray *a, const GArray *b)
{
    compare_value(comparison, NULL, "processes", a->len, b->len);
    for (guint i = 0; i < a->len; i++) {
        const PfKsmProcess *process = &g_array_index(a, PfKsmProcess, i);
        const PfKsmProcess *other = find_process(b, process->name);
        if (other == NULL) {
            compare_value(comparison, process->name, "lives", 1, 0);
            continue;
        }
        for (unsigned counter = 0; counter < PF_KSM_PROCESS_COUNTERS; counter++)
            compare_value(comparison, process->name,
                          pf_ksm_process_counter_name((PfKsmProcessCounter)counter),
                          process->values[counter], other->values[counter]);
    }
}

static void compare_step(Comparison *comparison, const PfKsmStep *a, const PfKsmStep *b)
{
    comparison->label = a->label;
    compare_value(comparison, NULL, "refused", a->refusal != 0, b->refusal != 0);
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++)
        compare_value(comparison, NULL, pf_ksm_counter_name((PfKsmCounter)counter),
                      a->counters[counter], b->counters[counter]);
    if (a->processes != NULL && b->processes != NULL)
        compare_processes(comparison, a->processes, b->processes);
}

size_t pf_ksm_steps_compare(const GArray *a, const char *a_name, const GArray *b,
                            const char *b_name, GPtrArray *lines)
{
    Comparison comparison = {
        .a_name = a_name, .b_name = b_name, .label = "end", .lines = lines, .count = 0};
    for (guint i = 0; i < MIN(a->len, b->len); i++)
        compare_step(&comparison, &g_array_index(a, PfKsmStep, i), &g_array_index(b, PfKsmStep, i));
    comparison.label = "end";
    compare_value(&comparison, NULL, "marks", a->len, b->len);
    return comparison.count;
}
