/* The end of configuration: keys that nobody asked for, with the key that was probably meant, and
 * all errors in one. */
#include <string.h>

#include "config_tree.h"
#include "error.h"

/* The optimal string alignment distance: Damerau, "A technique for computer detection and
 * correction of spelling errors", CACM 7(3), 1964. */
unsigned pf_edit_distance(const char *a, const char *b)
{
    unsigned rows[3][PF_CONFIG_NAME_BYTES_MAX + 1];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    if (a_length > PF_CONFIG_NAME_BYTES_MAX || b_length > PF_CONFIG_NAME_BYTES_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i - 1) % 3];
        const unsigned *above_two = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned substitute = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(substitute, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], above_two[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* Whether TEXT is START, a dot and more. */
static bool begins_with(const char *text, const char *start)
{
    size_t length = strlen(start);
    return strncmp(text, start, length) == 0 && text[length] == '.';
}

/* How far the section WRONG is from the section RIGHT, 0 to 4: the same, its tail ("dram" for
 * "machine.dram"), its outside or spelt nearly so, or another. */
static unsigned section_distance(const char *wrong, const char *right)
{
    if (strcmp(wrong, right) == 0)
        return 0;
    size_t wrong_length = strlen(wrong);
    size_t right_length = strlen(right);
    if (wrong_length == 0 ||
        (right_length > wrong_length && right[right_length - wrong_length - 1] == '.' &&
         strcmp(right + right_length - wrong_length, wrong) == 0))
        return 1;
    if (begins_with(right, wrong))
        return 2;
    unsigned distance = pf_edit_distance(wrong, right);
    return distance <= 2 ? distance + 1 : 4;
}

/* The best proposal so far for a wrong path. */
typedef struct {
    const char *section; /* of the wrong path */
    const char *key;
    unsigned score;
    char *found; /* owned */
} Hint;

static void consider(Hint *hint, const char *section, const char *key)
{
    unsigned key_distance = pf_edit_distance(hint->key, key);
    unsigned apart = section_distance(hint->section, section);
    unsigned allowed = MAX(1, (unsigned)strlen(hint->key) / 3);
    if (apart == 4)
        allowed = strlen(hint->key) >= 4 ? 1 : 0;
    if (key_distance > allowed || key_distance >= strlen(key))
        return;
    unsigned score = 2 * key_distance + apart;
    if (score >= hint->score)
        return;
    hint->score = score;
    g_free(hint->found);
    hint->found = section[0] == '\0' ? g_strdup(key) : g_strconcat(section, ".", key, NULL);
}

/* The path that was probably meant by the unknown NODE, or NULL. */
static char *propose(const PfConfigNode *node)
{
    const PfConfig *config = node->config;
    g_autofree char *section = pf_node_path(node->parent, false);
    Hint hint = {.section = section, .key = node->key, .score = UINT_MAX};
    for (unsigned i = 0; i < config->bindings->len; i++) {
        const PfConfigBinding *binding = &g_array_index(config->bindings, PfConfigBinding, i);
        g_autofree char *path = pf_node_path(binding->section, false);
        for (size_t field = 0; field < binding->count; field++)
            consider(&hint, path, binding->fields[field].key);
        const PfConfigNode *parent = binding->section->parent;
        if (parent == NULL || binding->section->key == NULL)
            continue;
        g_autofree char *outer = pf_node_path(parent, false);
        consider(&hint, outer, binding->section->key);
    }
    return hint.found;
}

static void report_unknown(const PfConfigNode *node, GPtrArray *lines)
{
    g_autofree char *origin = pf_node_origin(node);
    g_autofree char *path = pf_node_path(node, false);
    g_autofree char *near = lines->len < PF_CONFIG_ERRORS_SHOWN_MAX ? propose(node) : NULL;
    g_ptr_array_add(
        lines, near != NULL
                   ? g_strdup_printf("%s: %s: unknown key; did you mean %s?", origin, path, near)
                   : g_strdup_printf("%s: %s: unknown key; `pagefold config explain` lists "
                                     "the keys",
                                     origin, path));
}

static void find_unknown(const PfConfigNode *node, GPtrArray *lines)
{
    bool is_group = node->kind == PF_NODE_GROUP;
    bool is_element = node->key == NULL;
    bool descends = is_group && (node->rank > 0 || node->children->len > 0);
    descends |= node->kind == PF_NODE_LIST && node->rank > 0;
    if (node->bound)
        return;
    if (!descends) {
        if (node->rank == 0 && !is_element)
            report_unknown(node, lines);
        return;
    }
    for (unsigned i = 0; i < node->children->len; i++)
        find_unknown(node->children->pdata[i], lines);
}

bool pf_config_finish(PfConfig *config, GError **error)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < config->errors->len; i++)
        g_ptr_array_add(lines, g_strdup(config->errors->pdata[i]));
    find_unknown(config->root, lines);
    if (lines->len == 0)
        return true;
    g_autoptr(GString) message = g_string_new(NULL);
    for (unsigned i = 0; i < MIN(lines->len, PF_CONFIG_ERRORS_SHOWN_MAX); i++)
        g_string_append_printf(message, "%s%s", i > 0 ? "\n" : "", (char *)lines->pdata[i]);
    if (lines->len > PF_CONFIG_ERRORS_SHOWN_MAX)
        g_string_append_printf(message, "\n... and %u more errors",
                               lines->len - PF_CONFIG_ERRORS_SHOWN_MAX);
    g_set_error_literal(error, PF_ERROR, PF_ERROR_CONFIG, message->str);
    return false;
}
