/* Binds sections to structs: every value is checked, converted, stored, and kept in the one form
 * that a resolved configuration writes. */
#include <math.h>
#include <string.h>

#include "config_tree.h"
#include "error.h"
#include "units.h"

typedef union {
    bool boolean;
    uint64_t number;
    double real;
    const char *text;
    int choice;
    char **vector;
} Value;

static bool is_quantity(PfConfigType type)
{
    return type == PF_CONFIG_UINT || type == PF_CONFIG_SIZE || type == PF_CONFIG_TIME ||
           type == PF_CONFIG_FREQUENCY || type == PF_CONFIG_BANDWIDTH;
}

static bool needs_unit(PfConfigType type)
{
    return type == PF_CONFIG_TIME || type == PF_CONFIG_FREQUENCY || type == PF_CONFIG_BANDWIDTH;
}

static char *choices_text(const PfConfigField *field)
{
    g_assert(field->choices != NULL);
    return g_strjoinv(", ", (char **)(uintptr_t)field->choices);
}

/* What FIELD takes, for "expected ...". */
static char *expected(const PfConfigField *field)
{
    static const char *const names[] = {
        [PF_CONFIG_BOOL] = "true or false",
        [PF_CONFIG_UINT] = "an integer",
        [PF_CONFIG_SIZE] = "a size (4096 or \"4KiB\")",
        [PF_CONFIG_TIME] = "a time with its unit (\"20ms\")",
        [PF_CONFIG_FREQUENCY] = "a frequency with its unit (\"2.6GHz\")",
        [PF_CONFIG_BANDWIDTH] = "a rate with its unit (\"20GB/s\")",
        [PF_CONFIG_DOUBLE] = "a number",
        [PF_CONFIG_STRING] = "a string in quotes",
        [PF_CONFIG_STRINGS] = "strings (\"a\", \"b\")",
        [PF_CONFIG_VALUES] = "a list (1, 2)",
    };

    if (field->type == PF_CONFIG_ENUM) {
        g_autofree char *choices = choices_text(field);
        return g_strdup_printf("one of %s, in quotes", choices);
    }
    return g_strconcat(names[field->type], field->automatic ? " or \"auto\"" : "", NULL);
}

static bool refuse_kind(const PfConfigField *field, const PfConfigNode *node, GError **error)
{
    g_autofree char *wanted = expected(field);
    g_autofree char *got = pf_node_describe(node);
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "expected %s, got %s", wanted, got);
    return false;
}

static bool is_automatic(const PfConfigField *field, const PfConfigNode *node)
{
    return field->automatic && node->kind == PF_NODE_STRING && strcmp(node->text, "auto") == 0;
}

static bool check_range(const PfConfigField *field, uint64_t value, GError **error)
{
    g_autofree char *shown = pf_format_quantity(field->type, value);
    const char *unit = field->type == PF_CONFIG_UINT && field->unit != NULL ? field->unit : "";
    const char *space = unit[0] != '\0' ? " " : "";
    if (value < field->min) {
        g_autofree char *min = pf_format_quantity(field->type, field->min);
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s is below the minimum, %s%s%s", shown, min,
                    space, unit);
        return false;
    }
    if (field->max != 0 && value > field->max) {
        g_autofree char *max = pf_format_quantity(field->type, field->max);
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s is above the maximum, %s%s%s", shown, max,
                    space, unit);
        return false;
    }
    if (field->power_of_two && !pf_is_power_of_two(value)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s is not a power of two", shown);
        return false;
    }
    return true;
}

static bool quantity_of_integer(const PfConfigField *field, const PfConfigNode *node,
                                uint64_t *ret_value, GError **error)
{
    if (node->integer < 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%" G_GINT64_FORMAT " is negative",
                    node->integer);
        return false;
    }
    if (needs_unit(field->type) && node->integer != 0) {
        const char *unit = field->type == PF_CONFIG_TIME        ? "ms"
                           : field->type == PF_CONFIG_FREQUENCY ? "MHz"
                                                                : "GB/s";
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "the integer %" G_GINT64_FORMAT " lacks a unit; write \"%" G_GINT64_FORMAT
                    "%s\" or the like",
                    node->integer, node->integer, unit);
        return false;
    }
    *ret_value = (uint64_t)node->integer;
    return true;
}

static bool convert_quantity(const PfConfigField *field, const PfConfigNode *node, Value *ret_value,
                             GString *canonical, GError **error)
{
    uint64_t value = 0;
    if (is_automatic(field, node)) {
        ret_value->number = PF_CONFIG_AUTO;
        pf_config_write_string(canonical, "auto");
        return true;
    }
    if (node->kind == PF_NODE_INTEGER) {
        if (!quantity_of_integer(field, node, &value, error))
            return false;
    } else if (node->kind == PF_NODE_STRING && field->type != PF_CONFIG_UINT) {
        if (!pf_parse_quantity(node->text, field->type, &value, error))
            return false;
    } else if (node->kind != PF_NODE_STRING ||
               !pf_parse_quantity(node->text, PF_CONFIG_UINT, &value, NULL) || value <= INT64_MAX) {
        /* A string is right only for an integer that configuration syntax cannot hold. */
        return refuse_kind(field, node, error);
    }
    if (!check_range(field, value, error))
        return false;
    ret_value->number = value;
    g_autofree char *text = pf_format_quantity(field->type, value);
    bool plain = text[strspn(text, "0123456789")] == '\0';
    if (plain && value <= INT64_MAX)
        pf_config_write_integer(canonical, (int64_t)value);
    else
        pf_config_write_string(canonical, text);
    return true;
}

static bool convert_double(const PfConfigField *field, const PfConfigNode *node, Value *ret_value,
                           GString *canonical, GError **error)
{
    if (is_automatic(field, node)) {
        ret_value->real = (double)NAN;
        pf_config_write_string(canonical, "auto");
        return true;
    }
    if (node->kind != PF_NODE_INTEGER && node->kind != PF_NODE_DOUBLE)
        return refuse_kind(field, node, error);
    double value = node->kind == PF_NODE_DOUBLE ? node->number : (double)node->integer;
    const char *wrong = !isfinite(value)                                ? "is not finite"
                        : value < (double)field->min                    ? "is below the minimum,"
                        : field->max != 0 && value > (double)field->max ? "is above the maximum,"
                                                                        : NULL;
    if (wrong != NULL) {
        g_autoptr(GString) message = g_string_new(NULL);
        pf_config_write_double(message, value);
        g_string_append_printf(message, " %s", wrong);
        if (isfinite(value))
            g_string_append_printf(message, " %" G_GUINT64_FORMAT,
                                   value < (double)field->min ? field->min : field->max);
        g_set_error_literal(error, PF_ERROR, PF_ERROR_CONFIG, message->str);
        return false;
    }
    ret_value->real = value;
    pf_config_write_double(canonical, value);
    return true;
}

static bool convert_choice(const PfConfigField *field, const PfConfigNode *node, Value *ret_value,
                           GString *canonical, GError **error)
{
    if (node->kind != PF_NODE_STRING)
        return refuse_kind(field, node, error);
    const char *near = NULL;
    unsigned near_distance = 3;
    for (int i = 0; field->choices[i] != NULL; i++) {
        if (strcmp(field->choices[i], node->text) == 0) {
            ret_value->choice = i;
            pf_config_write_string(canonical, node->text);
            return true;
        }
        unsigned distance = pf_edit_distance(field->choices[i], node->text);
        if (distance < near_distance && distance < strlen(field->choices[i])) {
            near = field->choices[i];
            near_distance = distance;
        }
    }
    g_autofree char *choices = choices_text(field);
    g_autofree char *got = pf_node_describe(node);
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s is none of %s%s%s%s", got, choices,
                near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                near != NULL ? "?" : "");
    return false;
}

/* The elements of a list of strings or values. */
static bool convert_vector(const PfConfigField *field, const PfConfigNode *node, Value *ret_value,
                           GString *canonical, GError **error)
{
    PfConfig *config = node->config;
    bool is_list = node->kind == PF_NODE_LIST;
    bool any = field->type == PF_CONFIG_VALUES;
    if (node->kind == PF_NODE_GROUP)
        return refuse_kind(field, node, error);
    unsigned count = is_list ? node->children->len : 1;
    g_autofree char **vector = g_new0(char *, count + 1);
    g_string_append_c(canonical, '(');
    for (unsigned i = 0; i < count; i++) {
        const PfConfigNode *element = is_list ? node->children->pdata[i] : node;
        if (!any && element->kind != PF_NODE_STRING)
            return refuse_kind(field, element, error);
        g_autoptr(GString) syntax = g_string_new(NULL);
        pf_config_write_node(syntax, element);
        vector[i] = (char *)(uintptr_t)pf_config_keep(config, any ? syntax->str : element->text);
        g_string_append_printf(canonical, "%s%s", i > 0 ? ", " : "", syntax->str);
    }
    g_string_append_c(canonical, ')');
    ret_value->vector = g_steal_pointer(&vector);
    g_ptr_array_add(config->vectors, ret_value->vector);
    return true;
}

static bool convert(const PfConfigField *field, const PfConfigNode *node, Value *ret_value,
                    GString *canonical, GError **error)
{
    if (is_quantity(field->type))
        return convert_quantity(field, node, ret_value, canonical, error);
    if (field->type == PF_CONFIG_DOUBLE)
        return convert_double(field, node, ret_value, canonical, error);
    if (field->type == PF_CONFIG_ENUM)
        return convert_choice(field, node, ret_value, canonical, error);
    if (field->type == PF_CONFIG_STRINGS || field->type == PF_CONFIG_VALUES)
        return convert_vector(field, node, ret_value, canonical, error);
    bool is_boolean = field->type == PF_CONFIG_BOOL;
    if (is_boolean && field->digits && node->kind == PF_NODE_INTEGER &&
        (node->integer == 0 || node->integer == 1)) {
        ret_value->boolean = node->integer == 1;
        g_string_append(canonical, ret_value->boolean ? "true" : "false");
        return true;
    }
    if (node->kind != (is_boolean ? PF_NODE_BOOL : PF_NODE_STRING))
        return refuse_kind(field, node, error);
    if (is_boolean)
        ret_value->boolean = node->boolean;
    else
        ret_value->text = node->text;
    pf_config_write_node(canonical, node);
    return true;
}

static void store(const PfConfigField *field, const Value *value, void *target)
{
    char *place = (char *)target + field->offset;
    size_t bytes = sizeof(uint64_t);
    if (field->type == PF_CONFIG_BOOL)
        bytes = sizeof(bool);
    else if (field->type == PF_CONFIG_ENUM)
        bytes = sizeof(int);
    else if (field->type == PF_CONFIG_DOUBLE)
        bytes = sizeof(double);
    else if (!is_quantity(field->type))
        bytes = sizeof(char *);
    memcpy(place, value, bytes);
}

/* Stores FIELD's default, if it has one; a default that its own row refuses is a programmer's
 * error. */
static PfConfigNode *bind_default(PfConfigSection *section, const PfConfigField *field,
                                  void *target)
{
    if (field->standard == NULL)
        return NULL;
    PfConfig *config = section->config;
    PfConfigNode *node =
        pf_config_node_from_text(config, field->type, field->standard, &config->source_default);
    Value value;
    g_autoptr(GString) canonical = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    bool converted = convert(field, node, &value, canonical, &error);
    g_assert_no_error(error);
    g_assert(converted);
    store(field, &value, target);
    node->canonical = pf_config_keep(config, canonical->str);
    node->bound = true;
    return node;
}

static void bind_field(PfConfigSection *section, const PfConfigField *field, void *target)
{
    PfConfigNode *node = pf_node_find(section, field->key);
    if (node == NULL || node->source->kind == PF_SOURCE_DEFAULT) {
        PfConfigNode *standard = bind_default(section, field, target);
        if (node == NULL && standard != NULL) {
            pf_node_append(section, field->key, standard);
            pf_node_ask(standard);
        }
        return;
    }
    pf_node_ask(node);
    node->bound = true;
    Value value;
    g_autoptr(GString) canonical = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    if (convert(field, node, &value, canonical, &error)) {
        store(field, &value, target);
        node->canonical = pf_config_keep(section->config, canonical->str);
    } else {
        pf_node_complain(node, NULL, error->message);
        bind_default(section, field, target);
    }
}

static void remember_table(PfConfigSection *section, const PfConfigField *fields, size_t count)
{
    if (section->tables == NULL)
        section->tables = g_ptr_array_new();
    void *table = (void *)(uintptr_t)fields;
    if (g_ptr_array_find(section->tables, table, NULL))
        return;
    g_ptr_array_add(section->tables, table);
    PfConfigBinding binding = {section, fields, count};
    g_array_append_val(section->config->bindings, binding);
}

void pf_config_bind(PfConfigSection *section, const PfConfigField *fields, size_t count,
                    void *target)
{
    g_assert(section->kind == PF_NODE_GROUP);
    pf_node_ask(section);
    remember_table(section, fields, count);
    for (size_t i = 0; i < count; i++) {
        g_assert(pf_config_name_is_valid(fields[i].key));
        bind_field(section, &fields[i], target);
    }
}
