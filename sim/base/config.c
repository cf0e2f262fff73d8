#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "config_tree.h"

static void node_free(void *data)
{
    PfConfigNode *node = data;
    if (node->children != NULL)
        g_ptr_array_unref(node->children);
    if (node->tables != NULL)
        g_ptr_array_unref(node->tables);
    g_free(node);
}

PfConfig *pf_config_new(PfConfigPreset preset)
{
    PfConfig *config = g_new0(PfConfig, 1);
    config->preset = preset;
    config->strings = g_string_chunk_new(4096);
    config->nodes = g_ptr_array_new_with_free_func(node_free);
    config->sources = g_ptr_array_new_with_free_func(g_free);
    config->vectors = g_ptr_array_new_with_free_func(g_free);
    config->errors = g_ptr_array_new_with_free_func(g_free);
    config->bindings = g_array_new(FALSE, FALSE, sizeof(PfConfigBinding));
    config->source_default = (PfSource){.kind = PF_SOURCE_DEFAULT, .name = "default"};
    config->source_override = (PfSource){.kind = PF_SOURCE_OVERRIDE, .name = "-s"};
    config->root = pf_node_new(config, PF_NODE_GROUP, &config->source_default, 0);
    pf_node_ask(config->root);
    return config;
}

void pf_config_free(PfConfig *config)
{
    if (config == NULL)
        return;
    g_ptr_array_unref(config->nodes);
    g_ptr_array_unref(config->sources);
    g_ptr_array_unref(config->vectors);
    g_ptr_array_unref(config->errors);
    g_array_unref(config->bindings);
    g_string_chunk_free(config->strings);
    g_free(config);
}

/* A group that stands where something else stands in the tree, so that the program can go on and
 * find more errors. */
static PfConfigNode *detached(PfConfigNode *parent, const char *key)
{
    PfConfig *config = parent->config;
    PfConfigNode *group = pf_node_new(config, PF_NODE_GROUP, &config->source_default, 0);
    group->parent = parent;
    group->key = pf_config_keep(config, key);
    return group;
}

/* Complains that NODE is no EXPECTED. */
static void complain_kind(PfConfigNode *node, const char *expected)
{
    g_autofree char *got = pf_node_describe(node);
    g_autofree char *message = g_strdup_printf("expected %s, got %s", expected, got);
    pf_node_complain(node, NULL, message);
}

static PfConfigNode *child_group(PfConfigNode *parent, const char *key)
{
    PfConfig *config = parent->config;
    bool ambiguous;
    PfConfigNode *child = parent->kind == PF_NODE_LIST ? pf_node_element(parent, key, &ambiguous)
                                                       : pf_node_find(parent, key);
    g_assert(child != NULL || parent->kind == PF_NODE_GROUP);
    if (child == NULL) {
        g_assert(pf_config_name_is_valid(key));
        child = pf_node_new(config, PF_NODE_GROUP, &config->source_default, 0);
        pf_node_append(parent, key, child);
    }
    pf_node_ask(child);
    return child;
}

PfConfigSection *pf_config_subsection(PfConfigSection *section, const char *key)
{
    PfConfigNode *child = child_group(section, key);
    if (child->kind == PF_NODE_GROUP)
        return child;
    child->bound = true;
    complain_kind(child, "a group { ... }");
    return detached(section, key);
}

PfConfigSection *pf_config_section(PfConfig *config, const char *path)
{
    if (path[0] == '\0')
        return config->root;
    g_auto(GStrv) words = g_strsplit(path, ".", -1);
    PfConfigNode *node = config->root;
    for (char **word = words; *word != NULL; word++)
        node = word[1] != NULL && node->kind == PF_NODE_GROUP &&
                       pf_node_find(node, *word) != NULL &&
                       pf_node_find(node, *word)->kind == PF_NODE_LIST
                   ? child_group(node, *word)
                   : pf_config_subsection(node, *word);
    return node;
}

/* List KEY of SECTION, or NULL; anything else there is an error. */
static PfConfigNode *find_list(PfConfigSection *section, const char *key)
{
    PfConfigNode *list = pf_node_find(section, key);
    if (list == NULL)
        return NULL;
    pf_node_ask(list);
    if (list->kind == PF_NODE_LIST)
        return list;
    list->bound = true;
    complain_kind(list, "a list of groups ( { ... }, { ... } )");
    return NULL;
}

size_t pf_config_list_length(PfConfigSection *section, const char *key)
{
    PfConfigNode *list = find_list(section, key);
    size_t groups = 0;
    for (unsigned i = 0; list != NULL && i < list->children->len; i++) {
        PfConfigNode *element = list->children->pdata[i];
        groups += element->kind == PF_NODE_GROUP;
        if (element->kind == PF_NODE_GROUP)
            continue;
        element->bound = true;
        pf_node_ask(element);
        complain_kind(element, "a group { ... }");
    }
    return groups;
}

PfConfigSection *pf_config_list_section(PfConfigSection *section, const char *key, size_t index)
{
    PfConfigNode *list = find_list(section, key);
    g_assert(list != NULL);
    for (unsigned i = 0; i < list->children->len; i++) {
        PfConfigNode *element = list->children->pdata[i];
        if (element->kind != PF_NODE_GROUP || index-- > 0)
            continue;
        pf_node_ask(element);
        return element;
    }
    g_assert_not_reached();
}

PfConfigSection *pf_config_list_append(PfConfigSection *section, const char *key)
{
    PfConfig *config = section->config;
    PfConfigNode *list = find_list(section, key);
    if (list == NULL && pf_node_find(section, key) != NULL)
        return detached(section, key);
    if (list == NULL) {
        list = pf_node_new(config, PF_NODE_LIST, &config->source_default, 0);
        pf_node_append(section, key, list);
        pf_node_ask(list);
    }
    PfConfigNode *element = pf_node_new(config, PF_NODE_GROUP, &config->source_default, 0);
    pf_node_append(list, NULL, element);
    pf_node_ask(element);
    return element;
}

bool pf_config_is_set(const PfConfigSection *section, const char *key)
{
    const PfConfigNode *node = pf_node_find(section, key);
    return node != NULL && node->source->kind != PF_SOURCE_DEFAULT;
}

bool pf_config_is_group(const PfConfigSection *section, const char *key)
{
    const PfConfigNode *node = pf_node_find(section, key);
    return node == NULL || node->kind == PF_NODE_GROUP;
}

const char *pf_config_origin(const PfConfigSection *section, const char *key)
{
    const PfConfigNode *node = pf_node_find(section, key);
    g_autofree char *origin = pf_node_origin(node != NULL ? node : section);
    return node != NULL ? pf_config_keep(section->config, origin) : "default";
}

char *pf_config_resolve(const PfConfigSection *section, const char *key, const char *text)
{
    const PfConfigNode *node = pf_node_find(section, key);
    const char *directory = node != NULL ? node->source->directory : NULL;
    if (directory == NULL || strcmp(directory, ".") == 0 || g_path_is_absolute(text))
        return g_strdup(text);
    return g_build_filename(directory, text, NULL);
}

char *pf_config_path(const PfConfigSection *section, const char *key)
{
    const PfConfigNode *node = pf_node_find(section, key);
    if (node == NULL || node->kind != PF_NODE_STRING)
        return NULL;
    return pf_config_resolve(section, key, node->text);
}

void pf_config_complain(PfConfigSection *section, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    PfConfigNode *node = key != NULL ? pf_node_find(section, key) : NULL;
    if (node != NULL)
        pf_node_complain(node, NULL, message);
    else
        pf_node_complain(section, key, message);
}

void pf_config_visit_fields(const PfConfig *config, PfConfigVisitor visit, void *user)
{
    for (unsigned i = 0; i < config->bindings->len; i++) {
        const PfConfigBinding *binding = &g_array_index(config->bindings, PfConfigBinding, i);
        g_autofree char *path = pf_node_path(binding->section, false);
        for (size_t field = 0; field < binding->count; field++)
            visit(path, &binding->fields[field], user);
    }
}

void pf_config_adopt(PfConfigSection *section, gpointer memory)
{
    g_ptr_array_add(section->config->vectors, memory);
}
