/* Writes the resolved configuration. libconfig's own writer loses digits of doubles. */
#include <math.h>
#include <string.h>

#include "config_tree.h"

void pf_config_write_string(GString *out, const char *text)
{
    static const char plain[] = "\"\\\n\r\t\f";
    static const char letters[] = "\"\\nrtf";

    g_string_append_c(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        const char *special = strchr(plain, *p);
        if (special != NULL)
            g_string_append_printf(out, "\\%c", letters[special - plain]);
        else if ((unsigned char)*p < ' ' || *p == 0x7f)
            g_string_append_printf(out, "\\x%02x", (unsigned)(unsigned char)*p);
        else
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

void pf_config_write_double(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    for (int precision = 15; precision <= 17; precision++) {
        char format[8];
        g_snprintf(format, sizeof(format), "%%.%dg", precision);
        g_ascii_formatd(text, sizeof(text), format, value);
        if (g_ascii_strtod(text, NULL) >= value && g_ascii_strtod(text, NULL) <= value)
            break;
    }
    g_string_append(out, text);
    if (isfinite(value) && text[strcspn(text, ".e")] == '\0')
        g_string_append(out, ".0");
}

void pf_config_write_integer(GString *out, int64_t value)
{
    bool is_long = value < INT32_MIN || value > INT32_MAX;
    g_string_append_printf(out, "%" G_GINT64_FORMAT "%s", value, is_long ? "L" : "");
}

/* One walk over the tree. */
typedef struct {
    GString *out;
    bool with_origin;
    const char *const *except;
    bool is_line; /* all on one line */
} Writer;

static void write_group(Writer *writer, const PfConfigNode *group, unsigned indent);

static void write_indent(Writer *writer, unsigned indent)
{
    if (writer->is_line)
        return;
    g_string_append_printf(writer->out, "%*s", (int)(indent * 4), "");
}

static void end_line(Writer *writer)
{
    g_string_append_c(writer->out, writer->is_line ? ' ' : '\n');
}

static bool holds_groups(const PfConfigNode *list)
{
    for (unsigned i = 0; i < list->children->len; i++)
        if (((const PfConfigNode *)list->children->pdata[i])->kind == PF_NODE_GROUP)
            return true;
    return false;
}

static void write_list(Writer *writer, const PfConfigNode *list, unsigned indent);

static void write_value(Writer *writer, const PfConfigNode *node, unsigned indent)
{
    if (node->canonical != NULL) {
        g_string_append(writer->out, node->canonical);
        return;
    }
    switch (node->kind) {
    case PF_NODE_GROUP:
        write_group(writer, node, indent);
        break;
    case PF_NODE_LIST:
        write_list(writer, node, indent);
        break;
    case PF_NODE_BOOL:
        g_string_append(writer->out, node->boolean ? "true" : "false");
        break;
    case PF_NODE_INTEGER:
        pf_config_write_integer(writer->out, node->integer);
        break;
    case PF_NODE_DOUBLE:
        pf_config_write_double(writer->out, node->number);
        break;
    case PF_NODE_STRING:
        pf_config_write_string(writer->out, node->text);
        break;
    }
}

/* A list of groups takes lines of its own, any other stays on one. */
static void write_list(Writer *writer, const PfConfigNode *list, unsigned indent)
{
    bool lines = holds_groups(list);
    g_string_append_c(writer->out, '(');
    for (unsigned i = 0; i < list->children->len; i++) {
        if (i > 0)
            g_string_append(writer->out, lines ? "," : ", ");
        if (lines) {
            end_line(writer);
            write_indent(writer, indent + 1);
        }
        write_value(writer, list->children->pdata[i], indent + lines);
    }
    if (lines) {
        end_line(writer);
        write_indent(writer, indent);
    }
    g_string_append_c(writer->out, ')');
}

/* Asked-for keys by the order of asking, then the others as they came. */
static int compare_rank(const void *a, const void *b)
{
    const PfConfigNode *left = *(PfConfigNode *const *)a;
    const PfConfigNode *right = *(PfConfigNode *const *)b;
    unsigned left_rank = left->rank - 1;
    unsigned right_rank = right->rank - 1;
    return (left_rank > right_rank) - (left_rank < right_rank);
}

static bool is_excepted(const Writer *writer, const PfConfigNode *node)
{
    if (writer->except == NULL)
        return false;
    g_autofree char *path = pf_node_path(node, false);
    g_autofree char *indexed = pf_node_path(node, true);
    return g_strv_contains(writer->except, path) || g_strv_contains(writer->except, indexed);
}

/* A group that the program made and nothing was bound to. */
static bool is_hollow(const PfConfigNode *node)
{
    return node->kind == PF_NODE_GROUP && node->children->len == 0 &&
           node->source->kind == PF_SOURCE_DEFAULT;
}

/* Origins are file names: bytes that would end a comment early are shown as ?. */
static void write_origin(Writer *writer, const PfConfigNode *node)
{
    g_autofree char *origin = pf_node_origin(node);
    for (char *p = origin; *p != '\0'; p++)
        if ((unsigned char)*p < ' ')
            *p = '?';
    g_string_append_printf(writer->out, "  # %s", origin);
}

static void write_settings(Writer *writer, const PfConfigNode *group, unsigned indent)
{
    g_autoptr(GPtrArray) children = g_ptr_array_copy(group->children, NULL, NULL);
    g_ptr_array_sort(children, compare_rank);
    for (unsigned i = 0; i < children->len; i++) {
        const PfConfigNode *child = children->pdata[i];
        if (is_hollow(child) || is_excepted(writer, child))
            continue;
        write_indent(writer, indent);
        g_string_append_printf(writer->out, "%s = ", child->key);
        write_value(writer, child, indent);
        g_string_append_c(writer->out, ';');
        if (writer->with_origin && child->kind != PF_NODE_GROUP)
            write_origin(writer, child);
        end_line(writer);
    }
}

static void write_group(Writer *writer, const PfConfigNode *group, unsigned indent)
{
    g_string_append_c(writer->out, '{');
    end_line(writer);
    write_settings(writer, group, indent + 1);
    write_indent(writer, indent);
    g_string_append_c(writer->out, '}');
}

void pf_config_write_node(GString *out, const PfConfigNode *node)
{
    Writer writer = {.out = out, .is_line = true};
    write_value(&writer, node, 0);
}

char **pf_config_settings(const PfConfigSection *section)
{
    GPtrArray *settings = g_ptr_array_new();
    for (unsigned i = 0; section->kind == PF_NODE_GROUP && i < section->children->len; i++) {
        const PfConfigNode *child = section->children->pdata[i];
        GString *text = g_string_new(NULL);
        g_string_append_printf(text, "%s = ", child->key);
        pf_config_write_node(text, child);
        g_string_append_c(text, ';');
        g_ptr_array_add(settings, g_string_free(text, FALSE));
    }
    g_ptr_array_add(settings, NULL);
    return (char **)g_ptr_array_free(settings, FALSE);
}

char *pf_config_dump(const PfConfig *config, bool with_origin, const char *const *except)
{
    Writer writer = {.out = g_string_new(NULL), .with_origin = with_origin, .except = except};
    write_settings(&writer, config->root, 0);
    return g_string_free(writer.out, FALSE);
}
