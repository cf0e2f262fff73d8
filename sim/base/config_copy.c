/* One configuration as the start of many: copies, and values that one place gives to another. */
#include <string.h>

#include "config_tree.h"

/* NODE and all below it, for COPY. Sources and texts stay those of the original. */
static PfConfigNode *copy_node(PfConfig *copy, const PfConfigNode *node)
{
    PfConfigNode *made = pf_node_new(copy, node->kind, node->source, node->line);
    GPtrArray *children = made->children;
    *made = *node;
    made->config = copy;
    made->children = children;
    made->tables = NULL;
    for (unsigned i = 0; children != NULL && i < node->children->len; i++) {
        PfConfigNode *child = copy_node(copy, node->children->pdata[i]);
        child->parent = made;
        g_ptr_array_add(children, child);
    }
    return made;
}

PfConfig *pf_config_copy(const PfConfig *config)
{
    PfConfig *copy = pf_config_new(config->preset);
    copy->root = copy_node(copy, config->root);
    copy->ranks = config->ranks;
    return copy;
}

void pf_config_remove(PfConfigSection *section, const char *key)
{
    PfConfigNode *node = pf_node_find(section, key);
    if (node != NULL)
        g_ptr_array_remove(section->children, node);
}

char **pf_config_elements(const char *text)
{
    g_autoptr(PfConfig) config = pf_config_new(NULL);
    const PfConfigNode *node = pf_config_parse_value(config, text, &config->source_default, NULL);
    bool is_list = node != NULL && node->kind == PF_NODE_LIST;
    GStrvBuilder *builder = g_strv_builder_new();
    for (unsigned i = 0; is_list && i < node->children->len; i++) {
        g_autoptr(GString) element = g_string_new(NULL);
        pf_config_write_node(element, node->children->pdata[i]);
        g_strv_builder_add(builder, element->str);
    }
    if (!is_list)
        g_strv_builder_add(builder, text);
    char **elements = g_strv_builder_end(builder);
    g_strv_builder_unref(builder);
    return elements;
}

char *pf_config_unquoted(const char *text)
{
    g_autoptr(PfConfig) config = pf_config_new(NULL);
    const PfConfigNode *node = pf_config_parse_value(config, text, &config->source_default, NULL);
    return g_strdup(node != NULL && node->kind == PF_NODE_STRING ? node->text : text);
}

/* The node at dotted PATH, or NULL. */
static const PfConfigNode *find_path(const PfConfig *config, const char *path)
{
    g_auto(GStrv) words = g_strsplit(path, ".", -1);
    const PfConfigNode *node = config->root;
    for (char **word = words; *word != NULL && node != NULL; word++) {
        bool ambiguous;
        if (node->kind == PF_NODE_LIST)
            node = pf_node_element(node, *word, &ambiguous);
        else
            node = node->kind == PF_NODE_GROUP ? pf_node_find(node, *word) : NULL;
    }
    return node;
}

/* The type as which NODE was bound. */
static PfConfigType type_of(const PfConfigNode *node)
{
    for (unsigned i = 0; i < node->config->bindings->len; i++) {
        const PfConfigBinding *binding = &g_array_index(node->config->bindings, PfConfigBinding, i);
        if (binding->section != node->parent || node->key == NULL)
            continue;
        for (size_t field = 0; field < binding->count; field++)
            if (strcmp(binding->fields[field].key, node->key) == 0)
                return binding->fields[field].type;
    }
    return PF_CONFIG_STRING;
}

char *pf_config_plain(const PfConfig *config, const char *path)
{
    const PfConfigNode *node = find_path(config, path);
    if (node == NULL)
        return NULL;
    PfConfigType type = type_of(node);
    bool is_quantity = type == PF_CONFIG_SIZE || type == PF_CONFIG_TIME ||
                       type == PF_CONFIG_FREQUENCY || type == PF_CONFIG_BANDWIDTH;
    uint64_t value;
    if (is_quantity && node->kind == PF_NODE_STRING &&
        pf_parse_quantity(node->text, type, &value, NULL)) {
        g_autoptr(GString) number = g_string_new(NULL);
        if (type == PF_CONFIG_TIME)
            pf_config_write_double(number, (double)value / 1e12);
        else
            g_string_printf(number, "%" G_GUINT64_FORMAT, value);
        return g_strdup(number->str);
    }
    g_autoptr(GString) text = g_string_new(NULL);
    if (node->kind == PF_NODE_STRING)
        g_string_assign(text, node->text);
    else if (node->kind == PF_NODE_INTEGER)
        g_string_printf(text, "%" G_GINT64_FORMAT, node->integer);
    else
        pf_config_write_node(text, node);
    return g_strdup(text->str);
}
