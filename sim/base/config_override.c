/* Values that the command line or the program sets: pf_config_override, pf_config_set. */
#include <string.h>

#include "config_tree.h"
#include "error.h"

static bool refuse(GError **error, const char *key, const char *message)
{
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: %s", key, message);
    return false;
}

/* The labels or names of the elements of LIST, for a message. */
static char *element_names(const PfConfigNode *list)
{
    GString *names = g_string_new(NULL);
    for (unsigned i = 0; i < list->children->len; i++) {
        g_autofree char *path = pf_node_path(list->children->pdata[i], false);
        const char *name = strrchr(path, '.');
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", name != NULL ? name + 1 : path);
    }
    return g_string_free(names, FALSE);
}

/* The element of LIST that WORD of KEY means. NULL with an error. */
static PfConfigNode *find_element(const PfConfigNode *list, const char *word, const char *key,
                                  GError **error)
{
    bool ambiguous;
    PfConfigNode *element = pf_node_element(list, word, &ambiguous);
    if (element != NULL)
        return element;
    g_autofree char *names = element_names(list);
    g_autofree char *message =
        ambiguous ? g_strdup_printf("several elements are called %s; give them a label, or write "
                                    "[0], [1] ...",
                                    word)
                  : g_strdup_printf("the list has no element %s; it has %s", word,
                                    names[0] != '\0' ? names : "none");
    refuse(error, key, message);
    return NULL;
}

/* The group or list behind WORD of KEY inside PARENT, a group or list; made if absent. */
static PfConfigNode *descend(PfConfigNode *parent, const char *word, const char *key,
                             GError **error)
{
    PfConfig *config = parent->config;
    PfConfigNode *child = parent->kind == PF_NODE_LIST ? find_element(parent, word, key, error)
                                                       : pf_node_find(parent, word);
    if (child == NULL && parent->kind == PF_NODE_LIST)
        return NULL;
    if (child == NULL && word[0] == '[') {
        refuse(error, key, "there is no such list");
        return NULL;
    }
    if (child == NULL) {
        child = pf_node_new(config, PF_NODE_GROUP, &config->source_override, 0);
        pf_node_append(parent, word, child);
    }
    if (child->children == NULL) {
        g_autofree char *message = g_strdup_printf("%s is a value, not a group", word);
        refuse(error, key, message);
        return NULL;
    }
    return child;
}

static bool check_words(char **words, const char *key, GError **error)
{
    if (words[0] == NULL)
        return refuse(error, key, "write KEY=VALUE");
    for (char **word = words; *word != NULL; word++)
        if (!pf_config_name_is_valid(*word) && (*word)[0] != '[')
            return refuse(error, key, "is no key; write names with dots between, KEY=VALUE");
    if (g_strv_length(words) > PF_CONFIG_NESTING_MAX)
        return refuse(error, key, "nests more than 64 deep");
    if (strcmp(words[0], "extends") == 0)
        return refuse(error, key, "only a file can extend another one");
    return true;
}

static PfConfigNode *value_node(PfConfig *config, const char *key, const char *text,
                                const PfSource *source, GError **error)
{
    if (!g_utf8_validate(text, -1, NULL) || strlen(text) > PF_CONFIG_TEXT_BYTES_MAX / 2) {
        refuse(error, key, "the value is no UTF-8 text, or too long");
        return NULL;
    }
    g_autoptr(GError) cause = NULL;
    PfConfigNode *node = pf_config_parse_value(config, text, source, &cause);
    if (cause != NULL) {
        /* Lines of the text are none of the user's. */
        bool prefixed = g_str_has_prefix(cause->message, source->name);
        const char *what = prefixed ? strstr(cause->message, ": ") : NULL;
        refuse(error, key, what != NULL ? what + strlen(": ") : cause->message);
        return NULL;
    }
    if (node != NULL)
        return node;
    node = pf_node_new(config, PF_NODE_STRING, source, 0);
    node->text = pf_config_keep(config, text);
    return node;
}

/* Puts VALUE at KEY, of WORDS. */
static bool put(PfConfig *config, char **words, const char *key, PfConfigNode *value,
                GError **error)
{
    PfConfigNode *parent = config->root;
    char **word = words;
    for (; word[1] != NULL && parent != NULL; word++)
        parent = descend(parent, *word, key, error);
    if (parent == NULL)
        return false;
    bool in_list = parent->kind == PF_NODE_LIST;
    PfConfigNode *old =
        in_list ? find_element(parent, *word, key, error) : pf_node_find(parent, *word);
    if (old == NULL && in_list)
        return false;
    if (old == NULL && (*word)[0] == '[')
        return refuse(error, key, "there is no such list");
    if (old == NULL)
        pf_node_append(parent, *word, value);
    else if (old->kind == PF_NODE_GROUP && value->kind == PF_NODE_GROUP)
        pf_node_merge(old, value);
    else
        pf_node_replace(old, value);
    return true;
}

static bool assign(PfConfig *config, const char *key, const char *text, const PfSource *source,
                   unsigned line, GError **error)
{
    g_auto(GStrv) words = g_strsplit(key, ".", -1);
    if (!check_words(words, key, error))
        return false;
    PfConfigNode *value = value_node(config, key, text, source, error);
    if (value == NULL)
        return false;
    value->line = line;
    return put(config, words, key, value, error);
}

bool pf_config_override(PfConfig *config, const char *assignment, GError **error)
{
    const char *equals = strchr(assignment, '=');
    g_autoptr(GError) cause = NULL;
    if (equals == NULL) {
        refuse(&cause, assignment, "write KEY=VALUE");
    } else {
        g_autofree char *key = g_strndup(assignment, (gsize)(equals - assignment));
        g_strstrip(key);
        if (assign(config, key, equals + 1, &config->source_override, 0, &cause))
            return true;
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&cause), "-s: ");
    return false;
}

bool pf_config_assign(PfConfig *config, const char *key, const char *text,
                      const PfConfigSection *place, const char *place_key, const char *origin,
                      GError **error)
{
    const PfConfigNode *said = place != NULL ? pf_node_find(place, place_key) : NULL;
    const PfSource *source =
        said != NULL ? said->source : pf_config_source(config, PF_SOURCE_OVERRIDE, origin, NULL);
    if (assign(config, key, text, source, said != NULL ? said->line : 0, error))
        return true;
    g_autofree char *where = said != NULL ? pf_node_origin(said) : g_strdup(origin);
    g_prefix_error(error, "%s: ", where);
    return false;
}

static PfConfigNode *list_from_text(PfConfig *config, const char *text, const PfSource *source)
{
    PfConfigNode *list = pf_node_new(config, PF_NODE_LIST, source, 0);
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        g_strstrip(*word);
        if ((*word)[0] == '\0')
            continue;
        PfConfigNode *element = pf_node_new(config, PF_NODE_STRING, source, 0);
        element->text = pf_config_keep(config, *word);
        pf_node_append(list, NULL, element);
    }
    return list;
}

static PfConfigNode *values_from_text(PfConfig *config, const char *text, const PfSource *source)
{
    g_autofree char *list = g_strdup_printf("(%s)", text);
    PfConfigNode *node = pf_config_parse_value(config, list, source, NULL);
    return node != NULL ? node : list_from_text(config, text, source);
}

PfConfigNode *pf_config_node_from_text(PfConfig *config, PfConfigType type, const char *text,
                                       const PfSource *source)
{
    if (type == PF_CONFIG_STRINGS)
        return list_from_text(config, text, source);
    if (type == PF_CONFIG_VALUES)
        return values_from_text(config, text, source);
    PfConfigNode *node = pf_node_new(config, PF_NODE_STRING, source, 0);
    node->text = pf_config_keep(config, text);
    bool is_boolean = strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    gint64 integer;
    char *end;
    double number = g_ascii_strtod(text, &end);
    if (type == PF_CONFIG_BOOL && is_boolean) {
        node->kind = PF_NODE_BOOL;
        node->boolean = text[0] == 't';
    } else if ((type == PF_CONFIG_UINT || type == PF_CONFIG_SIZE) &&
               g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &integer, NULL)) {
        node->kind = PF_NODE_INTEGER;
        node->integer = integer;
    } else if (type == PF_CONFIG_DOUBLE && end != text && *end == '\0') {
        node->kind = PF_NODE_DOUBLE;
        node->number = number;
    }
    return node;
}

void pf_config_set(PfConfigSection *section, const char *key, PfConfigType type, const char *text,
                   const char *origin)
{
    PfConfig *config = section->config;
    g_assert(pf_config_name_is_valid(key));
    const PfSource *source = pf_config_source(config, PF_SOURCE_PROGRAM, origin, NULL);
    PfConfigNode *node = pf_config_node_from_text(config, type, text, source);
    PfConfigNode *old = pf_node_find(section, key);
    if (old == NULL)
        pf_node_append(section, key, node);
    else
        pf_node_replace(old, node);
}
