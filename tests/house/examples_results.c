/* Results in JSON against a stats block, and against what holds for all results. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples.h"

static JsonObject *find_named(JsonArray *array, const char *key, const char *name)
{
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object = json_array_get_object_element(array, i);
        if (strcmp(json_object_get_string_member(object, key), name) == 0)
            return object;
    }
    return NULL;
}

/* Half of the last decimal that TEXT shows. */
static double tolerance(const char *text)
{
    const char *point = strchr(text, '.');
    return point == NULL ? 0 : 0.5 * pow(10, -(double)strlen(point + 1)) + 1e-12;
}

/* NULL if NODE is what TEXT says. */
static char *compare_value(JsonNode *node, const char *name, const char *text)
{
    if (node == NULL)
        return g_strdup_printf("there is no statistic %s", name);
    if (JSON_NODE_HOLDS_NULL(node) || strcmp(text, "null") == 0) {
        if (JSON_NODE_HOLDS_NULL(node) && strcmp(text, "null") == 0)
            return NULL;
        return g_strdup_printf("%s is %s null", name, JSON_NODE_HOLDS_NULL(node) ? "" : "not");
    }
    char *end;
    double wanted = g_ascii_strtod(text, &end);
    double value = json_node_get_double(node);
    if (end == text || *end != '\0')
        return g_strdup_printf("%s: '%s' is no number", name, text);
    if (fabs(value - wanted) <= tolerance(text))
        return NULL;
    return g_strdup_printf("%s is %.17g instead of %s", name, value, text);
}

/* "POLICY NAME VALUE" or "POLICY @MARK NAME VALUE". */
static char *compare_line(JsonArray *runs, char *line)
{
    g_auto(GStrv) words = g_strsplit(g_strstrip(line), " ", -1);
    guint count = g_strv_length(words);
    bool at_mark = count > 1 && words[1][0] == '@';
    if (count != (at_mark ? 4U : 3U))
        return g_strdup_printf("not understood: '%s'", line);
    JsonObject *from = find_named(runs, "policy", words[0]);
    if (from == NULL)
        return g_strdup_printf("no run of %s", words[0]);
    if (at_mark)
        from = find_named(json_object_get_array_member(from, "marks"), "label", words[1] + 1);
    if (from == NULL)
        return g_strdup_printf("no mark %s", words[1]);
    JsonObject *stats = json_object_get_object_member(from, "stats");
    const char *name = words[count - 2];
    g_autofree char *shown = g_strdup_printf("%s %s%s%s", words[0], at_mark ? words[1] : "",
                                             at_mark ? " " : "", name);
    return compare_value(json_object_get_member(stats, name), shown, words[count - 1]);
}

static double number_of(JsonObject *stats, const char *name)
{
    JsonNode *node = json_object_get_member(stats, name);
    return node == NULL || JSON_NODE_HOLDS_NULL(node) ? NAN : json_node_get_double(node);
}

static bool accounts_add_up(JsonObject *stats)
{
    double sum = 0;
    g_autoptr(GList) names = json_object_get_members(stats);
    for (const GList *name = names; name != NULL; name = name->next)
        if (g_str_has_prefix(name->data, "cycles.account."))
            sum += number_of(stats, name->data);
    double total = number_of(stats, "cycles.total");
    return sum == total &&
           number_of(stats, "cycles.app") + number_of(stats, "cycles.policy") == total;
}

/* What holds whatever the trace: the identities that every run must obey. */
static char *check_laws(JsonArray *runs)
{
    JsonObject *none =
        json_object_get_object_member(find_named(runs, "policy", "none"), "stats");
    JsonObject *bound = find_named(runs, "policy", "oracle");
    if (bound != NULL)
        bound = json_object_get_object_member(bound, "stats");
    for (guint i = 0; i < json_array_get_length(runs); i++) {
        JsonObject *run = json_array_get_object_element(runs, i);
        JsonObject *stats = json_object_get_object_member(run, "stats");
        const char *policy = json_object_get_string_member(run, "policy");
        double used = number_of(stats, "memory.used_frames");
        if (number_of(stats, "memory.baseline_frames") != number_of(none, "memory.used_frames"))
            return g_strdup_printf("the baseline of %s is not what none uses", policy);
        if (number_of(stats, "memory.saved_pages") !=
            number_of(stats, "memory.baseline_frames") - used)
            return g_strdup_printf("what %s saves is not baseline less used", policy);
        if (number_of(stats, "memory.populated_pages") !=
            number_of(none, "memory.populated_pages"))
            return g_strdup_printf("%s has other populated pages than none", policy);
        if (!accounts_add_up(stats))
            return g_strdup_printf("the accounts of %s do not add up", policy);
        if (bound != NULL && used < number_of(bound, "memory.used_frames"))
            return g_strdup_printf("%s uses less than the bound", policy);
    }
    if (bound != NULL && !isnan(number_of(bound, "slowdown")) &&
        number_of(bound, "slowdown") != 1.0)
        return g_strdup("the bound does nothing, and yet slows down");
    return NULL;
}

char *pf_examples_compare(const char *json, const char *lines)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_data(parser, json, -1, &error))
        return g_strdup(error->message);
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    JsonArray *runs = json_object_get_array_member(root, "runs");
    g_autoptr(GString) problems = g_string_new(NULL);
    g_auto(GStrv) wanted = g_strsplit(lines, "\n", -1);
    unsigned compared = 0;
    for (guint i = 0; wanted[i] != NULL; i++) {
        if (wanted[i][0] == '\0')
            continue;
        compared++;
        g_autofree char *problem = compare_line(runs, wanted[i]);
        if (problem != NULL)
            g_string_append_printf(problems, "%s\n", problem);
    }
    g_autofree char *law = check_laws(runs);
    if (law != NULL)
        g_string_append_printf(problems, "%s\n", law);
    if (compared == 0)
        g_string_append(problems, "nothing is said of what comes of it\n");
    return problems->len > 0 ? g_strdup(problems->str) : NULL;
}
