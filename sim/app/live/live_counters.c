#include "live_counters.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "error.h"

static const char *const counter_names[PF_KSM_COUNTERS] = {
    [PF_KSM_PAGES_SHARED] = "pages_shared",     [PF_KSM_PAGES_SHARING] = "pages_sharing",
    [PF_KSM_PAGES_UNSHARED] = "pages_unshared", [PF_KSM_PAGES_VOLATILE] = "pages_volatile",
    [PF_KSM_PAGES_SCANNED] = "pages_scanned",   [PF_KSM_PAGES_SKIPPED] = "pages_skipped",
    [PF_KSM_FULL_SCANS] = "full_scans",         [PF_KSM_ZERO_PAGES] = "ksm_zero_pages",
    [PF_KSM_CHAINS] = "stable_node_chains",     [PF_KSM_DUPS] = "stable_node_dups",
    [PF_KSM_GENERAL_PROFIT] = "general_profit",
};

static const char *const process_counter_names[PF_KSM_PROCESS_COUNTERS] = {
    [PF_KSM_PROCESS_ITEMS] = "ksm_rmap_items",      [PF_KSM_PROCESS_ZERO_PAGES] = "ksm_zero_pages",
    [PF_KSM_PROCESS_MERGING] = "ksm_merging_pages", [PF_KSM_PROCESS_PROFIT] = "ksm_process_profit",
    [PF_KSM_PROCESS_MERGEABLE] = "ksm_mergeable",
};

const char *pf_ksm_counter_name(PfKsmCounter counter)
{
    return counter_names[counter];
}

const char *pf_ksm_process_counter_name(PfKsmProcessCounter counter)
{
    return process_counter_names[counter];
}

static void clear_process(gpointer data)
{
    g_free(((PfKsmProcess *)data)->name);
}

static void clear_step(gpointer data)
{
    PfKsmStep *step = data;
    g_free(step->label);
    if (step->processes != NULL)
        g_array_unref(step->processes);
}

GArray *pf_ksm_steps_new(void)
{
    GArray *steps = g_array_new(FALSE, TRUE, sizeof(PfKsmStep));
    g_array_set_clear_func(steps, clear_step);
    return steps;
}

PfKsmStep *pf_ksm_steps_add(GArray *steps, const char *label)
{
    g_array_set_size(steps, steps->len + 1);
    PfKsmStep *step = &g_array_index(steps, PfKsmStep, steps->len - 1);
    step->label = g_strdup(label);
    return step;
}

static void know_processes(PfKsmStep *step)
{
    if (step->processes != NULL)
        return;
    step->processes = g_array_new(FALSE, TRUE, sizeof(PfKsmProcess));
    g_array_set_clear_func(step->processes, clear_process);
}

PfKsmProcess *pf_ksm_step_add_process(PfKsmStep *step, const char *name)
{
    know_processes(step);
    if (name == NULL)
        return NULL;
    g_array_set_size(step->processes, step->processes->len + 1);
    PfKsmProcess *process = &g_array_index(step->processes, PfKsmProcess, step->processes->len - 1);
    process->name = g_strdup(name);
    return process;
}

static void append_string(GString *out, const char *text)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), text);
    g_autofree char *quoted = json_to_string(node, FALSE);
    g_string_append(out, quoted);
}

static void append_step(GString *out, guint index, const PfKsmStep *step)
{
    g_string_append_printf(out, "{\"step\":%u,\"mark\":", index);
    append_string(out, step->label);
    g_string_append_printf(out, ",\"rc\":%d", step->refusal);
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++)
        g_string_append_printf(out, ",\"%s\":%" G_GINT64_FORMAT, counter_names[counter],
                               step->counters[counter]);
    if (step->processes != NULL) {
        g_string_append(out, ",\"procs\":{");
        for (guint i = 0; i < step->processes->len; i++) {
            const PfKsmProcess *process = &g_array_index(step->processes, PfKsmProcess, i);
            g_string_append(out, i > 0 ? "," : "");
            append_string(out, process->name);
            for (unsigned counter = 0; counter < PF_KSM_PROCESS_COUNTERS; counter++)
                g_string_append_printf(out, "%s%" G_GINT64_FORMAT, counter > 0 ? "," : ":[",
                                       process->values[counter]);
            g_string_append_c(out, ']');
        }
        g_string_append_c(out, '}');
    }
    g_string_append(out, "}\n");
}

GString *pf_ksm_steps_format(const GArray *steps)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < steps->len; i++)
        append_step(out, i, &g_array_index(steps, PfKsmStep, i));
    return out;
}

static bool get_integer(JsonNode *node, int64_t *ret_value)
{
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_INT64)
        return false;
    *ret_value = json_node_get_int(node);
    return true;
}

static bool parse_processes(JsonNode *node, PfKsmStep *step)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return false;
    know_processes(step);
    g_autoptr(GList) names = json_object_get_members(json_node_get_object(node));
    for (const GList *name = names; name != NULL; name = name->next) {
        JsonNode *values = json_object_get_member(json_node_get_object(node), name->data);
        if (!JSON_NODE_HOLDS_ARRAY(values) ||
            json_array_get_length(json_node_get_array(values)) != PF_KSM_PROCESS_COUNTERS)
            return false;
        PfKsmProcess *process = pf_ksm_step_add_process(step, name->data);
        for (unsigned i = 0; i < PF_KSM_PROCESS_COUNTERS; i++)
            if (!get_integer(json_array_get_element(json_node_get_array(values), i),
                             &process->values[i]))
                return false;
    }
    return true;
}

/* Members that this program does not know are left alone. */
static bool parse_step(JsonObject *object, PfKsmStep *step)
{
    int64_t refusal = 0;
    if (!get_integer(json_object_get_member(object, "rc"), &refusal))
        return false;
    step->refusal = (int)refusal;
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++)
        if (!get_integer(json_object_get_member(object, counter_names[counter]),
                         &step->counters[counter]))
            return false;
    JsonNode *processes = json_object_get_member(object, "procs");
    return processes == NULL || parse_processes(processes, step);
}

static bool parse_line(const char *line, GArray *steps)
{
    g_autoptr(JsonNode) root = json_from_string(line, NULL);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return false;
    JsonObject *object = json_node_get_object(root);
    JsonNode *mark = json_object_get_member(object, "mark");
    bool is_text = mark != NULL && JSON_NODE_HOLDS_VALUE(mark) &&
                   json_node_get_value_type(mark) == G_TYPE_STRING;
    g_autofree char *number = g_strdup_printf("%u", steps->len);
    return parse_step(object,
                      pf_ksm_steps_add(steps, is_text ? json_node_get_string(mark) : number));
}

GArray *pf_ksm_steps_parse(const char *text, const char *origin, GError **error)
{
    g_autoptr(GArray) steps = pf_ksm_steps_new();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] == '\0' || parse_line(lines[i], steps))
            continue;
        g_set_error(
            error, PF_ERROR, PF_ERROR_TRACE,
            "%s:%u: not a line of counters; `pagefold validate ksm --record DIR` writes such",
            origin, i + 1);
        return NULL;
    }
    return g_steal_pointer(&steps);
}
