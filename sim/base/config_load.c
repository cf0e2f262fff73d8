/* Reads files and presets: text, libconfig, own tree, `extends`. */
#include <libconfig.h>
#include <string.h>

#include "config_tree.h"
#include "error.h"

static PfConfigNode *convert(const PfConfigText *text, const config_setting_t *setting);

static const PfTextLine *line_of(const PfConfigText *text, unsigned line)
{
    unsigned index = MIN(MAX(line, 1) - 1, text->lines->len - 1);
    return &g_array_index(text->lines, PfTextLine, index);
}

static void convert_children(const PfConfigText *text, const config_setting_t *setting,
                             PfConfigNode *node)
{
    int count = config_setting_length(setting);
    for (int i = 0; i < count; i++) {
        const config_setting_t *child = config_setting_get_elem(setting, (unsigned)i);
        pf_node_append(node, config_setting_name(child), convert(text, child));
    }
}

static PfConfigNode *convert(const PfConfigText *text, const config_setting_t *setting)
{
    static const PfNodeKind kinds[] = {
        [CONFIG_TYPE_GROUP] = PF_NODE_GROUP,   [CONFIG_TYPE_INT] = PF_NODE_INTEGER,
        [CONFIG_TYPE_INT64] = PF_NODE_INTEGER, [CONFIG_TYPE_FLOAT] = PF_NODE_DOUBLE,
        [CONFIG_TYPE_STRING] = PF_NODE_STRING, [CONFIG_TYPE_BOOL] = PF_NODE_BOOL,
        [CONFIG_TYPE_ARRAY] = PF_NODE_LIST,    [CONFIG_TYPE_LIST] = PF_NODE_LIST,
    };

    unsigned type = (unsigned)config_setting_type(setting);
    g_assert(type < G_N_ELEMENTS(kinds));
    const PfTextLine *line = line_of(text, config_setting_source_line(setting));
    PfConfigNode *node = pf_node_new(text->config, kinds[type], line->source, line->line);
    switch (node->kind) {
    case PF_NODE_GROUP:
    case PF_NODE_LIST:
        convert_children(text, setting, node);
        break;
    case PF_NODE_BOOL:
        node->boolean = config_setting_get_bool(setting) != 0;
        break;
    case PF_NODE_INTEGER:
        node->integer = config_setting_get_int64(setting);
        break;
    case PF_NODE_DOUBLE:
        node->number = config_setting_get_float(setting);
        break;
    case PF_NODE_STRING:
        node->text = pf_config_keep(text->config, config_setting_get_string(setting));
        break;
    }
    return node;
}

PfConfigNode *pf_config_parse_text(PfConfigText *text, GError **error)
{
    if (!pf_config_check_text(text, error))
        return NULL;
    config_t parsed;
    config_init(&parsed);
    PfConfigNode *node = NULL;
    if (config_read_string(&parsed, text->text->str) == CONFIG_TRUE) {
        node = convert(text, config_root_setting(&parsed));
    } else {
        int line = config_error_line(&parsed);
        pf_config_text_error(text, line > 0 ? (unsigned)line - 1 : 0, error, "%s",
                             config_error_text(&parsed));
    }
    config_destroy(&parsed);
    return node;
}

PfConfigNode *pf_config_parse_value(PfConfig *config, const char *text, const PfSource *source,
                                    GError **error)
{
    g_auto(PfConfigText) assignment;
    pf_config_text_init(&assignment, config);
    g_autofree char *bytes = g_strdup_printf("value = %s\n;", text);
    g_autoptr(GError) ignored = NULL;
    if (!pf_config_text_add(&assignment, bytes, strlen(bytes), source, &ignored))
        return NULL;
    g_autoptr(GError) cause = NULL;
    PfConfigNode *root = pf_config_parse_text(&assignment, &cause);
    if (assignment.integers_refused)
        g_propagate_error(error, g_steal_pointer(&cause));
    if (root == NULL || root->children->len != 1)
        return NULL;
    return root->children->pdata[0];
}

/* What is being loaded, from the file that the user named down to what it extends. */
typedef struct Loading {
    const struct Loading *outer;
    const char *identity; /* canonical path or "preset NAME" */
    unsigned depth;
} Loading;

static PfConfigNode *load_file(PfConfig *config, const char *path, const Loading *outer,
                               GError **error);

static bool enter(PfConfig *config, Loading *loading, const Loading *outer, const char *identity,
                  GError **error)
{
    *loading = (Loading){outer, identity, outer != NULL ? outer->depth + 1 : 0};
    for (const Loading *at = outer; at != NULL; at = at->outer) {
        if (strcmp(at->identity, identity) != 0)
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s extends itself", identity);
        return false;
    }
    if (loading->depth > PF_CONFIG_EXTENDS_DEPTH_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "extends nested more than 16 deep");
        return false;
    }
    if (config->sources->len >= PF_CONFIG_SOURCES_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "more than 256 files and presets in all");
        return false;
    }
    return true;
}

static PfConfigNode *load_bytes(PfConfig *config, const char *bytes, size_t length,
                                const PfSource *source, const Loading *loading, GError **error);

/* Loads what the string NODE (the value of `extends` or an element of it) names. */
static PfConfigNode *load_base(const PfConfigNode *node, const Loading *outer, GError **error)
{
    PfConfig *config = node->config;
    if (node->kind != PF_NODE_STRING || node->text[0] == '\0') {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "extends takes the name of a file or preset, or a list of such");
        return NULL;
    }
    bool is_path = strchr(node->text, '/') != NULL || g_str_has_suffix(node->text, ".cfg");
    const char *preset = is_path || config->preset == NULL ? NULL : config->preset(node->text);
    if (preset != NULL) {
        g_autofree char *name = g_strdup_printf("preset %s", node->text);
        Loading loading;
        if (!enter(config, &loading, outer, name, error))
            return NULL;
        const PfSource *source = pf_config_source(config, PF_SOURCE_PRESET, name, NULL);
        return load_bytes(config, preset, strlen(preset), source, &loading, error);
    }
    if (node->source->kind != PF_SOURCE_FILE) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "there is no preset %s", node->text);
        return NULL;
    }
    const char *directory = node->source->directory;
    g_autofree char *path = g_path_is_absolute(node->text) || strcmp(directory, ".") == 0
                                ? g_strdup(node->text)
                                : g_build_filename(directory, node->text, NULL);
    if (!is_path && !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "there is neither a preset nor a file %s; `pagefold list presets` names them",
                    node->text);
        return NULL;
    }
    return load_file(config, path, outer, error);
}

/* Merges what ROOT extends into RESULT, in order. */
static bool load_bases(PfConfigNode *extends, PfConfigNode *result, const Loading *loading,
                       GError **error)
{
    bool is_list = extends->kind == PF_NODE_LIST;
    unsigned count = is_list ? extends->children->len : 1;
    for (unsigned i = 0; i < count; i++) {
        const PfConfigNode *name = is_list ? extends->children->pdata[i] : extends;
        g_autoptr(GError) cause = NULL;
        PfConfigNode *base = load_base(name, loading, &cause);
        if (base == NULL) {
            g_autofree char *origin = pf_node_origin(extends);
            g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: extends: %s", origin,
                        cause->message);
            return false;
        }
        pf_node_merge(result, base);
    }
    return true;
}

static PfConfigNode *load_bytes(PfConfig *config, const char *bytes, size_t length,
                                const PfSource *source, const Loading *loading, GError **error)
{
    g_auto(PfConfigText) text;
    pf_config_text_init(&text, config);
    if (!pf_config_text_add(&text, bytes, length, source, error))
        return NULL;
    PfConfigNode *own = pf_config_parse_text(&text, error);
    if (own == NULL)
        return NULL;
    PfConfigNode *extends = pf_node_find(own, "extends");
    if (extends == NULL)
        return own;
    g_ptr_array_remove(own->children, extends);
    PfConfigNode *result = pf_node_new(config, PF_NODE_GROUP, source, 0);
    if (!load_bases(extends, result, loading, error))
        return NULL;
    pf_node_merge(result, own);
    return result;
}

static PfConfigNode *load_file(PfConfig *config, const char *path, const Loading *outer,
                               GError **error)
{
    g_autofree char *canonical = g_canonicalize_filename(path, NULL);
    Loading loading;
    if (!enter(config, &loading, outer, canonical, error))
        return NULL;
    g_autofree char *bytes = NULL;
    size_t length;
    if (!pf_config_read_file(path, &bytes, &length, error))
        return NULL;
    g_autofree char *directory = g_path_get_dirname(path);
    const PfSource *source = pf_config_source(config, PF_SOURCE_FILE, path, directory);
    return load_bytes(config, bytes, length, source, &loading, error);
}

PfConfig *pf_config_load(const char *path, PfConfigPreset preset, GError **error)
{
    g_autoptr(PfConfig) config = pf_config_new(preset);
    PfConfigNode *root = load_file(config, path, NULL, error);
    if (root == NULL)
        return NULL;
    pf_node_merge(config->root, root);
    return g_steal_pointer(&config);
}

PfConfig *pf_config_load_text(const char *text, size_t length, const char *name,
                              PfConfigPreset preset, GError **error)
{
    g_autoptr(PfConfig) config = pf_config_new(preset);
    const PfSource *source = pf_config_source(config, PF_SOURCE_PRESET, name, NULL);
    Loading loading = {NULL, name, 0};
    PfConfigNode *root = load_bytes(config, text, length, source, &loading, error);
    if (root == NULL)
        return NULL;
    pf_node_merge(config->root, root);
    return g_steal_pointer(&config);
}
