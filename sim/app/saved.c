#include "saved.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "error.h"
#include "report.h"

static void clear_stat(gpointer data)
{
    g_free(((PfSavedStat *)data)->text);
}

static void free_run(gpointer data)
{
    PfSavedRun *run = data;
    g_free(run->policy);
    g_free(run->remark);
    g_hash_table_unref(run->by_name);
    g_array_unref(run->stats);
    g_free(run);
}

void pf_saved_free(PfSaved *saved)
{
    if (saved == NULL)
        return;
    g_free(saved->directory);
    g_free(saved->trace_name);
    if (saved->runs != NULL)
        g_ptr_array_unref(saved->runs);
    g_free(saved);
}

static PfStatValue node_value(JsonNode *node)
{
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node))
        return pf_stat_null();
    GType type = json_node_get_value_type(node);
    if (type == G_TYPE_INT64)
        return pf_stat_int(json_node_get_int(node));
    if (type == G_TYPE_DOUBLE)
        return pf_stat_double(json_node_get_double(node));
    return pf_stat_null();
}

/* Members of the wrong type read as absent: json-glib would only complain on standard error. */
static JsonObject *object_of(JsonObject *object, const char *name)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static const char *string_of(JsonObject *object, const char *name)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING)
        return NULL;
    return json_node_get_string(node);
}

static double number_of(JsonObject *object, const char *name)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
    return pf_report_number(node_value(node));
}

static PfSavedRun *read_run(JsonObject *object)
{
    PfSavedRun *run = g_new0(PfSavedRun, 1);
    run->policy = g_strdup(string_of(object, "policy"));
    run->remark = g_strdup(string_of(object, "remark"));
    run->stats = g_array_new(FALSE, TRUE, sizeof(PfSavedStat));
    g_array_set_clear_func(run->stats, clear_stat);
    run->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    JsonObject *stats = object_of(object, "stats");
    JsonObjectIter iterator;
    const char *name = NULL;
    JsonNode *node = NULL;
    if (stats == NULL || run->policy == NULL)
        return run;
    json_object_iter_init_ordered(&iterator, stats);
    while (json_object_iter_next_ordered(&iterator, &name, &node)) {
        PfStatValue value = node_value(node);
        g_autoptr(GString) text = g_string_new(NULL);
        pf_report_append_value(text, value);
        char *kept = g_strdup(name);
        PfSavedStat stat = {
            .name = kept,
            .defined = value.kind != PF_STAT_NULL,
            .number = pf_report_number(value),
            .text = g_strdup(text->str),
        };
        g_array_append_val(run->stats, stat);
        g_hash_table_insert(run->by_name, kept, GUINT_TO_POINTER(run->stats->len));
    }
    return run;
}

static bool read_root(PfSaved *saved, JsonObject *root)
{
    JsonObject *trace = object_of(root, "trace");
    JsonObject *machine = object_of(root, "machine");
    JsonNode *runs = root != NULL ? json_object_get_member(root, "runs") : NULL;
    double page_bytes = number_of(trace, "page_bytes");
    double clock_hz = number_of(machine, "clock_hz");
    if (number_of(root, "schema") != 1.0 || runs == NULL || !JSON_NODE_HOLDS_ARRAY(runs) ||
        !(page_bytes >= 1.0 && page_bytes <= 0x1p62) || !(clock_hz >= 1.0 && clock_hz <= 0x1p62))
        return false;
    saved->page_bytes = (uint64_t)page_bytes;
    saved->clock_hz = (uint64_t)clock_hz;
    saved->dilation = number_of(machine, "dilation");
    saved->trace_name = g_strdup(string_of(trace, "name"));
    JsonNode *complete = json_object_get_member(root, "complete");
    saved->complete = complete != NULL && JSON_NODE_HOLDS_VALUE(complete) &&
                      json_node_get_value_type(complete) == G_TYPE_BOOLEAN &&
                      json_node_get_boolean(complete);
    JsonArray *array = json_node_get_array(runs);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_OBJECT(node))
            return false;
        PfSavedRun *run = read_run(json_node_get_object(node));
        g_ptr_array_add(saved->runs, run);
        if (run->policy == NULL)
            return false;
    }
    return true;
}

PfSaved *pf_saved_load(const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename(directory, "stats.json", NULL);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) cause = NULL;
    if (!json_parser_load_from_file(parser, path, &cause)) {
        bool is_missing = g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
                          g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOTDIR);
        if (is_missing)
            g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                        "%s: is not there; `pagefold run CONFIG -o DIR` keeps results in DIR",
                        path);
        else
            g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", path, cause->message);
        return NULL;
    }
    g_autoptr(PfSaved) saved = g_new0(PfSaved, 1);
    saved->directory = g_strdup(directory);
    saved->runs = g_ptr_array_new_with_free_func(free_run);
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root) ||
        !read_root(saved, json_node_get_object(root))) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: not what this version of pagefold writes",
                    path);
        return NULL;
    }
    return g_steal_pointer(&saved);
}

const PfSavedRun *pf_saved_find_run(const PfSaved *saved, const char *policy)
{
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        if (strcmp(run->policy, policy) == 0)
            return run;
    }
    return NULL;
}

const PfSavedStat *pf_saved_find(const PfSavedRun *run, const char *name)
{
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(run->by_name, name));
    return number > 0 ? &g_array_index(run->stats, PfSavedStat, number - 1) : NULL;
}
