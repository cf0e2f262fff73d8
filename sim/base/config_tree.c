#include <string.h>

#include "config_tree.h"

const char *pf_config_keep(PfConfig *config, const char *text)
{
    return g_string_chunk_insert_const(config->strings, text);
}

const PfSource *pf_config_source(PfConfig *config, PfSourceKind kind, const char *name,
                                 const char *directory)
{
    PfSource *source = g_new(PfSource, 1);
    *source = (PfSource){.kind = kind,
                         .name = pf_config_keep(config, name),
                         .directory = directory != NULL ? pf_config_keep(config, directory) : NULL};
    g_ptr_array_add(config->sources, source);
    return source;
}

bool pf_config_name_is_valid(const char *name)
{
    if (!g_ascii_isalpha(name[0]) && name[0] != '*')
        return false;
    size_t length =
        strspn(name, "*_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return name[length] == '\0' && length <= PF_CONFIG_NAME_BYTES_MAX;
}

PfConfigNode *pf_node_new(PfConfig *config, PfNodeKind kind, const PfSource *source, unsigned line)
{
    PfConfigNode *node = g_new0(PfConfigNode, 1);
    node->config = config;
    node->kind = kind;
    node->source = source;
    node->line = line;
    if (kind == PF_NODE_GROUP || kind == PF_NODE_LIST)
        node->children = g_ptr_array_new();
    g_ptr_array_add(config->nodes, node);
    return node;
}

void pf_node_append(PfConfigNode *parent, const char *key, PfConfigNode *child)
{
    g_assert((parent->kind == PF_NODE_GROUP) == (key != NULL));
    g_assert(parent->children != NULL);
    child->parent = parent;
    child->key = key != NULL ? pf_config_keep(parent->config, key) : NULL;
    g_ptr_array_add(parent->children, child);
}

void pf_node_replace(PfConfigNode *old, PfConfigNode *child)
{
    unsigned index;
    bool found = g_ptr_array_find(old->parent->children, old, &index);
    g_assert(found);
    child->parent = old->parent;
    child->key = old->key;
    child->rank = old->rank;
    old->parent->children->pdata[index] = child;
}

PfConfigNode *pf_node_find(const PfConfigNode *parent, const char *key)
{
    g_assert(parent->kind == PF_NODE_GROUP);
    for (unsigned i = 0; i < parent->children->len; i++) {
        PfConfigNode *child = parent->children->pdata[i];
        if (strcmp(child->key, key) == 0)
            return child;
    }
    return NULL;
}

/* The text of string KEY of group NODE, or NULL. */
static const char *string_of(const PfConfigNode *node, const char *key)
{
    if (node->kind != PF_NODE_GROUP)
        return NULL;
    const PfConfigNode *child = pf_node_find(node, key);
    return child != NULL && child->kind == PF_NODE_STRING ? child->text : NULL;
}

static PfConfigNode *element_by(const PfConfigNode *list, const char *key, const char *word,
                                bool *ret_ambiguous)
{
    PfConfigNode *found = NULL;
    for (unsigned i = 0; i < list->children->len; i++) {
        if (g_strcmp0(string_of(list->children->pdata[i], key), word) != 0)
            continue;
        *ret_ambiguous = found != NULL;
        found = list->children->pdata[i];
        if (*ret_ambiguous)
            return NULL;
    }
    return found;
}

PfConfigNode *pf_node_element(const PfConfigNode *list, const char *word, bool *ret_ambiguous)
{
    g_assert(list->kind == PF_NODE_LIST);
    *ret_ambiguous = false;
    if (word[0] == '[') {
        char *end;
        uint64_t index = g_ascii_strtoull(word + 1, &end, 10);
        bool is_index = g_ascii_isdigit(word[1]) && strcmp(end, "]") == 0;
        return is_index && index < list->children->len ? list->children->pdata[index] : NULL;
    }
    PfConfigNode *found = element_by(list, "label", word, ret_ambiguous);
    if (found == NULL && !*ret_ambiguous)
        found = element_by(list, "name", word, ret_ambiguous);
    return found;
}

void pf_node_merge(PfConfigNode *into, PfConfigNode *from)
{
    for (unsigned i = 0; i < from->children->len; i++) {
        PfConfigNode *child = from->children->pdata[i];
        PfConfigNode *old = pf_node_find(into, child->key);
        if (old == NULL)
            pf_node_append(into, child->key, child);
        else if (old->kind == PF_NODE_GROUP && child->kind == PF_NODE_GROUP)
            pf_node_merge(old, child);
        else
            pf_node_replace(old, child);
    }
}

void pf_node_ask(PfConfigNode *node)
{
    if (node->rank == 0)
        node->rank = ++node->config->ranks;
}

/* How a path names element NODE of a list: by its label or name if that can stand in a path. */
static void append_element_name(GString *path, const PfConfigNode *node, bool by_index)
{
    const char *name = string_of(node, "label");
    if (name == NULL)
        name = string_of(node, "name");
    bool ambiguous = true;
    if (name != NULL && !by_index && pf_config_name_is_valid(name) &&
        pf_node_element(node->parent, name, &ambiguous) == node) {
        g_string_append(path, name);
        return;
    }
    unsigned index = 0;
    g_ptr_array_find(node->parent->children, node, &index);
    g_string_append_printf(path, "[%u]", index);
}

static void append_path(GString *path, const PfConfigNode *node, bool by_index)
{
    if (node->parent == NULL)
        return;
    append_path(path, node->parent, by_index);
    if (path->len > 0)
        g_string_append_c(path, '.');
    if (node->key != NULL)
        g_string_append(path, node->key);
    else
        append_element_name(path, node, by_index);
}

char *pf_node_path(const PfConfigNode *node, bool by_index)
{
    GString *path = g_string_new(NULL);
    append_path(path, node, by_index);
    return g_string_free(path, FALSE);
}

char *pf_node_origin(const PfConfigNode *node)
{
    return node->line == 0 ? g_strdup(node->source->name)
                           : g_strdup_printf("%s:%u", node->source->name, node->line);
}

char *pf_node_describe(const PfConfigNode *node)
{
    g_autoptr(GString) value = g_string_new(NULL);
    switch (node->kind) {
    case PF_NODE_GROUP:
        return g_strdup("a group { ... }");
    case PF_NODE_LIST:
        return g_strdup("a list ( ... )");
    case PF_NODE_BOOL:
        return g_strdup(node->boolean ? "true" : "false");
    case PF_NODE_INTEGER:
        return g_strdup_printf("the integer %" G_GINT64_FORMAT, node->integer);
    case PF_NODE_DOUBLE:
        pf_config_write_double(value, node->number);
        return g_strdup_printf("the number %s", value->str);
    case PF_NODE_STRING:
        pf_config_write_string(value, node->text);
        return value->len > 80 ? g_strdup("a long string")
                               : g_strdup_printf("the string %s", value->str);
    }
    g_assert_not_reached();
}

/* The same complaint about one value, made by each of several binds, is one error. */
static void collect(PfConfig *config, const char *line)
{
    for (unsigned i = 0; i < config->errors->len && i < PF_CONFIG_ERRORS_SHOWN_MAX; i++)
        if (strcmp(config->errors->pdata[i], line) == 0)
            return;
    g_ptr_array_add(config->errors, g_strdup(line));
}

void pf_node_complain(PfConfigNode *node, const char *key, const char *message)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const PfConfigNode *said = node; /* a default stands in a group that somebody wrote */
    while (said->source->kind == PF_SOURCE_DEFAULT && said->parent != NULL)
        said = said->parent;
    if (said->source->kind != PF_SOURCE_DEFAULT && (said == node || said->parent != NULL)) {
        g_autofree char *origin = pf_node_origin(said);
        g_string_append_printf(line, "%s: ", origin);
    }
    g_autofree char *path = pf_node_path(node, false);
    g_string_append(line, path);
    if (key != NULL)
        g_string_append_printf(line, "%s%s", path[0] != '\0' ? "." : "", key);
    if (path[0] != '\0' || key != NULL)
        g_string_append(line, ": ");
    g_string_append(line, message);
    collect(node->config, line->str);
}
